/* SPDX-License-Identifier: Apache-2.0 */
#include "provider/describe.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "provider/registry.h"

struct own {
    const char *team;
    struct usher_secret key;
};
static const struct usher_setting own_rows[] = {
    USHER_SET_TEXT(struct own, team, .label = "Team", .help = "Who may come.", .example = "staff"),
    USHER_SET_SECRET(struct own, key, .label = "Key", .flags = USHER_ADVANCED),
};

static struct usher_provider plugin(uint32_t flags)
{
    return (struct usher_provider){.name = "acme",
                                   .label = "Acme",
                                   .version = "1.2",
                                   .home = "https://acme.example/apps",
                                   .steps = "Register {callback}.",
                                   .flags = flags,
                                   .scopes = "who email",
                                   .settings = own_rows,
                                   .n_settings = sizeof own_rows / sizeof *own_rows,
                                   .config_size = sizeof(struct own)};
}

/* The row of a key, or NULL. */
static const struct jval *row_of(const struct jval *plugin, const char *key)
{
    const struct jval *rows = jval_get(plugin, "settings");
    for (size_t i = 0; i < jval_count(rows); i++)
        if (strcmp(jval_text(jval_get(jval_item(rows, i), "key")), key) == 0)
            return jval_item(rows, i);
    return NULL;
}

static void expect(const struct jval *row, const char *member, const char *want)
{
    const char *is = jval_text(jval_get(row, member));
    ck_assert_ptr_nonnull(is);
    ck_assert_str_eq(is, want);
}

static bool flagged(const struct jval *row, const char *flag)
{
    const struct jval *flags = jval_get(row, "flags");
    ck_assert_int_eq(jval_type(flags), JVAL_ARRAY);
    for (size_t i = 0; i < jval_count(flags); i++)
        if (strcmp(jval_text(jval_item(flags, i)), flag) == 0)
            return true;
    return false;
}

START_TEST(a_plugin_says_who_it_is)
{
    const struct usher_provider p = plugin(0);
    struct jval *v = describe_plugin(&p);
    expect(v, "name", "acme");
    expect(v, "label", "Acme");
    expect(v, "version", "1.2");
    expect(v, "home", "https://acme.example/apps");
    ck_assert_str_eq(jval_text(jval_at(v, "/steps/register/0")), "Register {callback}.");
    ck_assert_uint_eq(jval_count(jval_at(v, "/steps/rotate")), 0);
    expect(v, "client_secret", "required");
    ck_assert_uint_eq(jval_count(jval_get(v, "settings")), provider_common_n + 2);
    jval_free(&v);
}
END_TEST

START_TEST(ushers_rows_come_first_with_this_plugins_defaults)
{
    const struct usher_provider p = plugin(0);
    struct jval *v = describe_plugin(&p);
    expect(jval_at(v, "/settings/0"), "group", "usher");
    expect(row_of(v, "plugin"), "default", "acme");
    expect(row_of(v, "label"), "default", "Acme");
    expect(row_of(v, "scopes"), "default", "who email");
    expect(row_of(v, "timeout"), "default", "10s");
    expect(row_of(v, "team"), "group", "plugin");
    expect(row_of(v, "team"), "environment", "USHER_PROVIDER_{ID}_TEAM");
    expect(row_of(v, "client_secret"), "type", "secret");
    ck_assert(flagged(row_of(v, "key"), "secret") && flagged(row_of(v, "key"), "advanced"));
    jval_free(&v);
}
END_TEST

START_TEST(credentials_are_required_where_they_are)
{
    static const struct {
        uint32_t flags;
        const char *is;
        bool row, required;
    } cases[] = {{0, "required", true, true},
                 {USHER_PUBLIC_CLIENT, "optional", true, false},
                 {USHER_NO_CLIENT_SECRET, "none", false, false}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct usher_provider p = plugin(cases[i].flags);
        struct jval *v = describe_plugin(&p);
        const struct jval *row = row_of(v, "client_secret");
        expect(v, "client_secret", cases[i].is);
        ck_assert(flagged(row_of(v, "client_id"), "required"));
        ck_assert_int_eq(row != NULL, cases[i].row);
        if (row)
            ck_assert_int_eq(flagged(row, "required"), cases[i].required);
        jval_free(&v);
    }
}
END_TEST

/* What is not said is null, never left out: who reads it need not ask. */
START_TEST(what_a_plugin_does_not_say_is_null)
{
    struct usher_provider p = plugin(0);
    p.home = p.steps = p.scopes = NULL;
    p.settings = NULL;
    p.n_settings = 0;
    struct jval *v = describe_plugin(&p);
    ck_assert_int_eq(jval_type(jval_get(v, "home")), JVAL_NULL);
    ck_assert_int_eq(jval_type(jval_at(v, "/steps/register")), JVAL_ARRAY);
    ck_assert_uint_eq(jval_count(jval_at(v, "/steps/register")), 0);
    ck_assert_int_eq(jval_type(jval_get(row_of(v, "scopes"), "default")), JVAL_NULL);
    ck_assert_uint_eq(jval_count(jval_get(v, "settings")), provider_common_n);
    jval_free(&v);
}
END_TEST

/* For a provider known by name the text is the program's, one for all plugins and pages. */
START_TEST(known_upstreams_have_steps)
{
    struct usher_provider p = plugin(0);
    p.name = "discord";
    struct jval *v = describe_plugin(&p);
    ck_assert_ptr_nonnull(strstr(jval_text(jval_at(v, "/steps/register/1")), "{callback}"));
    ck_assert_uint_gt(jval_count(jval_at(v, "/steps/rotate")), 0);
    jval_free(&v);
}
END_TEST

static char *told(void (*tell)(const struct usher_provider *, struct buf *),
                  const struct usher_provider *p)
{
    struct buf b;
    buf_init(&b, 1 << 16);
    tell(p, &b);
    ck_assert(buf_ok(&b));
    return buf_take(&b);
}

START_TEST(the_sample_is_a_provider_file)
{
    const struct usher_provider p = plugin(0);
    char *said = told(describe_sample, &p);
    ck_assert_ptr_nonnull(strstr(said, "\nplugin = acme\n"));
    ck_assert_ptr_nonnull(strstr(said, " Required.\nclient_id = YOUR-CLIENT-ID\n"));
    ck_assert_ptr_nonnull(strstr(said, "\n#client_secret_file = "));
    ck_assert_ptr_nonnull(strstr(said, "\n#scopes = who email\n"));
    ck_assert_ptr_nonnull(strstr(said, "\n# Team. Who may come.\n#team = staff\n"));
    ck_assert_ptr_null(strstr(said, "#plugin ="));
    free(said);
}
END_TEST

START_TEST(pages_hold_both_tables)
{
    const struct usher_provider p = plugin(0);
    char *said = told(describe_markdown, &p);
    const char *own = strstr(said, "## Settings of the plugin acme\n\n| setting | default | |\n");
    ck_assert_ptr_eq(own, said);
    ck_assert_ptr_nonnull(strstr(said, "\n| `team`<br>`USHER_PROVIDER_{ID}_TEAM` |"));
    ck_assert_ptr_nonnull(strstr(said, "\n## Settings of every provider\n\n"));
    ck_assert_ptr_nonnull(strstr(said, "\n| `client_id`<br>`USHER_PROVIDER_{ID}_CLIENT_ID` |"));
    free(said);
    said = told(describe_man, &p);
    ck_assert_ptr_eq(strstr(said, ".SS The plugin acme\nAcme.\n.TP\n"), said);
    ck_assert_ptr_nonnull(strstr(said, "\\fBteam\\fR\n"));
    ck_assert_ptr_null(strstr(said, "client_id"));
    free(said);
}
END_TEST

Suite *suite_describe(void);
Suite *suite_describe(void)
{
    Suite *s = suite_create("describe");
    TCase *t = tcase_create("describe");
    tcase_add_test(t, a_plugin_says_who_it_is);
    tcase_add_test(t, ushers_rows_come_first_with_this_plugins_defaults);
    tcase_add_test(t, credentials_are_required_where_they_are);
    tcase_add_test(t, what_a_plugin_does_not_say_is_null);
    tcase_add_test(t, known_upstreams_have_steps);
    tcase_add_test(t, the_sample_is_a_provider_file);
    tcase_add_test(t, pages_hold_both_tables);
    suite_add_tcase(s, t);
    return s;
}
