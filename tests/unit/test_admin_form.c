/* SPDX-License-Identifier: Apache-2.0 */
#include "web/admin_form.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "provider/describe.h"

struct own {
    const char *team, *url;
    bool strict;
    int mode;
    const char *const *roles;
    struct usher_secret key;
};
static const char *const modes[] = {"plain", "fancy", NULL};
static const struct usher_setting own_rows[] = {
    USHER_SET_TEXT(struct own, team, .label = "Team", .help = "Who may come.", .example = "staff",
                   .flags = USHER_REQUIRED),
    USHER_SET_URL(struct own, url, .label = "Address", .value = "https://acme.example"),
    USHER_SET_BOOL(struct own, strict, .label = "Strict", .value = "yes"),
    USHER_SET_CHOICE(struct own, mode, .label = "Mode", .value = "plain", .choices = modes),
    USHER_SET_LIST(struct own, roles, .label = "Roles", .flags = USHER_ADVANCED),
    USHER_SET_SECRET(struct own, key, .label = "Key", .flags = USHER_ADVANCED),
};
static const struct usher_provider acme = {.name = "acme",
                                           .label = "Acme",
                                           .settings = own_rows,
                                           .n_settings = sizeof own_rows / sizeof *own_rows,
                                           .config_size = sizeof(struct own)};

static struct arena *a;
static struct fields posted;
static struct admin_form form;
static struct jval *plugin, *settings, *out;

static void setup(void)
{
    a = arena_new();
    plugin = describe_plugin(&acme);
    form = (struct admin_form){.plugin = plugin};
}

static void teardown(void)
{
    jval_free(&out);
    jval_free(&settings);
    jval_free(&plugin);
    arena_free(&a);
}

static void post(const char *text)
{
    struct err err = ERR_INIT;
    ck_assert_int_eq(form_parse(a, str_of(text), 64, &posted, &err), 0);
    form.posted = &posted;
}

static void is_set(const char *json)
{
    struct err err = ERR_INIT;
    settings = jval_parse(str_of(json), JSON_SIZE_MAX, 4, &err);
    ck_assert_ptr_nonnull(settings);
    form.settings = settings;
}

static void expect_settings(const char *json)
{
    struct err err = ERR_INIT;
    struct buf b;
    jval_free(&out);
    out = admin_form_settings(&form, &err);
    ck_assert_msg(out != NULL, "%s", err.text);
    buf_init(&b, 4096);
    jval_render(out, &b);
    ck_assert_str_eq(b.p, json);
    buf_deinit(&b);
}

static const struct jval *field(const char *key)
{
    static const char *const lists[] = {"fields", "advanced"};
    jval_free(&out);
    out = admin_form_view(&form);
    for (size_t l = 0; l < 2; l++) {
        const struct jval *list = jval_get(out, lists[l]);
        for (size_t i = 0; i < jval_count(list); i++)
            if (strcmp(jval_text(jval_get(jval_item(list, i), "key")), key) == 0)
                return jval_item(list, i);
    }
    return NULL;
}

static void expect(const char *key, const char *member, const char *want)
{
    const struct jval *f = field(key);
    ck_assert_msg(f != NULL, "%s", key);
    const char *is = jval_text(jval_get(f, member));
    ck_assert_ptr_nonnull(is);
    ck_assert_str_eq(is, want);
}

static bool flag(const char *key, const char *member)
{
    const struct jval *f = field(key);
    bool b = false;
    ck_assert_msg(f != NULL, "%s", key);
    ck_assert(jval_bool(jval_get(f, member), &b));
    return b;
}

static bool top(const char *member)
{
    bool b = false;
    jval_free(&out);
    out = admin_form_view(&form);
    ck_assert(jval_bool(jval_get(out, member), &b));
    return b;
}

/* ---- out ---- */

START_TEST(a_form_is_the_settings_table)
{
    expect("team", "label", "Team");
    expect("team", "help", "Who may come.");
    expect("team", "example", "staff");
    expect("team", "value", "");
    expect("team", "described", "f-team-help");
    expect("url", "default", "https://acme.example");
    expect("url", "inputmode", "url");
    ck_assert(flag("team", "required") && flag("team", "line"));
    ck_assert(!flag("url", "required"));
    ck_assert(flag("client_id", "required") && flag("client_secret", "required"));
    ck_assert(flag("client_secret", "secret") && !flag("client_secret", "line"));
    ck_assert(flag("strict", "boolean") && flag("strict", "checked"));
    ck_assert(flag("mode", "choice"));
    const struct jval *options = jval_get(field("mode"), "options");
    ck_assert_uint_eq(jval_count(options), 2);
    ck_assert_str_eq(jval_text(jval_at(options, "/1/value")), "fancy");
    ck_assert_ptr_null(field("plugin")); /* chosen before */
    ck_assert(top("has_advanced") && !top("advanced_open") && !top("has_errors"));
}
END_TEST

START_TEST(what_is_set_is_shown)
{
    is_set("{\"team\":\"crew\",\"strict\":\"no\",\"mode\":\"fancy\",\"roles\":\"a b\"}");
    expect("team", "value", "crew");
    expect("roles", "value", "a b");
    ck_assert(!flag("strict", "checked"));
    ck_assert(top("advanced_open")); /* something in it is set */
    /* Switched and changed in places of their own. */
    ck_assert_ptr_null(field("enabled"));
    ck_assert_ptr_null(field("client_secret"));
    ck_assert_ptr_null(field("key"));
}
END_TEST

/* What a service is known to want needs nobody's eyes; what was changed of it does. */
START_TEST(a_preset_lies_folded_away)
{
    struct err err = ERR_INIT;
    struct jval *preset = jval_parse(STR("{\"roles\":\"a b\"}"), JSON_SIZE_MAX, 4, &err);
    form.preset = preset;
    expect("roles", "value", "a b");
    ck_assert(!top("advanced_open"));
    post("roles=a+b&strict=yes");
    ck_assert(!top("advanced_open"));
    post("roles=a&strict=yes");
    ck_assert(top("advanced_open"));
    form.posted = NULL;
    form.preset = NULL;
    jval_free(&preset);
}
END_TEST

/* ADM-13 */
START_TEST(what_was_typed_is_kept_but_no_secret)
{
    is_set("{\"team\":\"crew\"}");
    form.settings = NULL;
    post("team=%3Cb%3E&client_id=x&client_secret=canary&key=canary&mode=fancy");
    expect("team", "value", "<b>");
    expect("client_id", "value", "x");
    ck_assert(!flag("strict", "checked")); /* an empty box is not sent */
    expect("client_secret", "value", "");
    expect("key", "value", "");
    struct buf b;
    buf_init(&b, 64 * 1024);
    jval_render(out, &b);
    ck_assert(buf_ok(&b));
    ck_assert_ptr_null(strstr(b.p, "canary"));
    buf_deinit(&b);
}
END_TEST

START_TEST(errors_stand_beside_their_field)
{
    const struct admin_field errors[] = {{"settings.team", "must not be empty"},
                                         {"roles", "is wrong"},
                                         {"id", "is there already"},
                                         {"plugin", "is not there"},
                                         {"", "in general"}};
    form.errors = errors;
    form.n_errors = 5;
    expect("team", "error", "must not be empty");
    expect("team", "described", "f-team-error f-team-help");
    expect("url", "error", "");
    ck_assert(top("has_errors") && top("advanced_open"));
    const struct jval *list = jval_get(out, "errors");
    ck_assert_uint_eq(jval_count(list), 5);
    ck_assert_str_eq(jval_text(jval_at(list, "/0/href")), "#f-team");
    ck_assert_str_eq(jval_text(jval_at(list, "/0/label")), "Team");
    ck_assert_str_eq(jval_text(jval_at(list, "/1/href")), "#f-roles");
    ck_assert_str_eq(jval_text(jval_at(list, "/2/href")), "#f-id");
    ck_assert_int_eq(jval_type(jval_at(list, "/3/href")), JVAL_NULL);
    ck_assert_str_eq(jval_text(jval_at(list, "/4/text")), "in general");
}
END_TEST

/* ---- in ---- */

START_TEST(a_new_provider_says_what_differs)
{
    post("enabled=yes&client_id=+x+&client_secret=+s+&team=crew&url=https%3A%2F%2Facme.example"
         "&mode=plain&roles=&strict=yes&key=&pkce=off&timeout=&link=ask&label=");
    expect_settings("{\"client_id\":\"x\",\"client_secret\":\" s \",\"pkce\":\"off\","
                    "\"team\":\"crew\"}");
    post("client_id=x&team=crew&mode=fancy&roles=a,+b");
    expect_settings("{\"enabled\":false,\"client_id\":\"x\",\"team\":\"crew\",\"strict\":false,"
                    "\"mode\":\"fancy\",\"roles\":\"a, b\"}");
}
END_TEST

START_TEST(a_change_unsets_what_is_default_again)
{
    is_set(
        "{\"team\":\"crew\",\"strict\":\"no\",\"mode\":\"fancy\",\"url\":\"https://x.example\"}");
    post("team=crew&strict=yes&mode=plain&url=");
    expect_settings("{\"team\":\"crew\",\"url\":null,\"strict\":null,\"mode\":null}");
    post("team=new"); /* a text that was not sent stays, an empty box is a no */
    expect_settings("{\"team\":\"new\",\"strict\":false}");
}
END_TEST

/* ADM-11: only rows of the table get through, secrets and the switch have forms of their own. */
START_TEST(nothing_else_gets_through)
{
    is_set("{\"team\":\"crew\"}");
    post("team=crew&strict=yes&plugin=evil&enabled=no&client_secret=s&key=s&id=x&version=9&role=a");
    expect_settings("{\"team\":\"crew\"}");
    form.settings = NULL;
    post("team=crew&strict=yes&enabled=yes&plugin=evil&client_secret_next=s&created=1");
    expect_settings("{\"team\":\"crew\"}");
}
END_TEST

START_TEST(twice_is_an_error)
{
    struct err err = ERR_INIT;
    post("team=a&team=b");
    ck_assert_ptr_null(admin_form_settings(&form, &err));
    ck_assert_int_eq(err.kind, ERR_INVALID);
    ck_assert_ptr_nonnull(strstr(err.text, "team"));
}
END_TEST

Suite *suite_admin_form(void);
Suite *suite_admin_form(void)
{
    Suite *s = suite_create("admin_form");
    TCase *tc = tcase_create("admin_form");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, a_form_is_the_settings_table);
    tcase_add_test(tc, what_is_set_is_shown);
    tcase_add_test(tc, a_preset_lies_folded_away);
    tcase_add_test(tc, what_was_typed_is_kept_but_no_secret);
    tcase_add_test(tc, errors_stand_beside_their_field);
    tcase_add_test(tc, a_new_provider_says_what_differs);
    tcase_add_test(tc, a_change_unsets_what_is_default_again);
    tcase_add_test(tc, nothing_else_gets_through);
    tcase_add_test(tc, twice_is_an_error);
    suite_add_tcase(s, tc);
    return s;
}
