/* SPDX-License-Identifier: Apache-2.0 */
#include "live/diff.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

Suite *suite_diff(void);

#define CREDENTIALS "client_id = id\nclient_secret = canary-secret-one\n"

static struct arena *arena;

static void setup(void) { arena = arena_new(); }

static void teardown(void) { arena_free(&arena); }

static struct registry *one(const char *id, const char *conf)
{
    const char *build = getenv("top_builddir");
    struct conf_problems problems;
    const struct registry_options o = {
        .plugin_dir = arena_printf(arena, "%s/plugins/.libs", build ? build : ".")};
    conf_problems_init(&problems);
    struct registry *r = registry_text(&o, id, str_of(conf), &problems);
    conf_problems_deinit(&problems);
    return r;
}

/* The difference as JSON, without what two frees would hide. */
static const char *diff(const char *a_id, const char *a, const char *b_id, const char *b)
{
    struct registry *x = one(a_id, a), *y = one(b_id, b);
    struct jval *list = diff_registries(x, y);
    struct buf out;
    buf_init(&out, 65536);
    jval_render(list, &out);
    const char *text = arena_dup(arena, out.p);
    ck_assert_ptr_null(strstr(text, "canary"));
    buf_deinit(&out);
    jval_free(&list);
    registry_free(&x);
    registry_free(&y);
    return text;
}

#define CHANGED                                                                                    \
    "[{\"what\":\"provider\",\"id\":\"discord\",\"change\":\"changed\",\"fields\":[%s],"           \
    "\"label\":\"%s\",\"plugin\":\"discord\"}]"
#define FIELD(key, before, after)                                                                  \
    "{\"key\":\"" key "\",\"before\":" before ",\"after\":" after "}"

static void changed(const char *before, const char *after, const char *fields)
{
    const char *label = strstr(after, "label = ") ? "New" : "Discord";
    ck_assert_str_eq(diff("discord", before, "discord", after),
                     arena_printf(arena, CHANGED, fields, label));
}

START_TEST(nothing_changed)
{
    ck_assert_str_eq(diff("discord", CREDENTIALS, "discord", CREDENTIALS), "[]");
    struct registry *r = one("discord", CREDENTIALS);
    struct jval *list = diff_registries(r, r);
    ck_assert_uint_eq(jval_count(list), 0);
    jval_free(&list);
    registry_free(&r);
}
END_TEST

START_TEST(fields_are_told)
{
    changed(CREDENTIALS, CREDENTIALS "label = New\nguild = 42\ntimeout = 20s\n",
            FIELD("label", "null", "\"New\"") "," FIELD("timeout", "\"10s\"", "\"20s\"") "," FIELD(
                "guild", "null", "\"42\""));
    changed(CREDENTIALS "guild = 42\n", CREDENTIALS, FIELD("guild", "\"42\"", "null"));
    changed(CREDENTIALS, CREDENTIALS "enabled = no\n",
            FIELD("usable", "\"yes\"", "\"no\"") "," FIELD("enabled", "\"true\"", "\"false\""));
}
END_TEST

START_TEST(secrets_only_change)
{
    changed(CREDENTIALS, "client_id = id\nclient_secret = canary-secret-two\n",
            FIELD("client_secret", "\"set\"", "\"changed\""));
    changed(CREDENTIALS, CREDENTIALS "client_secret_next = canary-next\n",
            FIELD("client_secret (next)", "null", "\"set\""));
    changed(CREDENTIALS "client_secret_next = canary-next\n", CREDENTIALS,
            FIELD("client_secret (next)", "\"set\"", "null"));
}
END_TEST

/* What one of two plugins does not know is null there. */
START_TEST(another_plugin)
{
    const char *text = diff("x", "plugin = discord\nguild = 42\n" CREDENTIALS, "x",
                            "plugin = oidc\nissuer = https://a.example\n" CREDENTIALS);
    ck_assert_ptr_nonnull(strstr(text, FIELD("plugin", "\"discord\"", "\"oidc\"")));
    ck_assert_ptr_nonnull(strstr(text, FIELD("guild", "\"42\"", "null")));
    ck_assert_ptr_nonnull(strstr(text, FIELD("issuer", "null", "\"https://a.example\"")));
    text = diff("x", "plugin = nowhere\n", "x", "plugin = oidc\nissuer = https://a.example\n");
    ck_assert_ptr_nonnull(strstr(text, FIELD("issuer", "null", "\"https://a.example\"")));
}
END_TEST

START_TEST(providers_come_and_go)
{
    struct registry *a = one("discord", CREDENTIALS), *b = one("google", CREDENTIALS);
    struct jval *list = diff_registries(a, b);
    struct diff_count n;
    diff_count(list, &n);
    ck_assert_uint_eq(n.added, 1);
    ck_assert_uint_eq(n.removed, 1);
    ck_assert_uint_eq(n.changed, 0);
    ck_assert_str_eq(jval_text(jval_at(list, "/0/id")), "discord");
    ck_assert_str_eq(jval_text(jval_at(list, "/0/change")), "removed");
    ck_assert_str_eq(jval_text(jval_at(list, "/1/label")), "Google");
    jval_free(&list);
    registry_free(&a);
    registry_free(&b);
}
END_TEST

Suite *suite_diff(void)
{
    Suite *s = suite_create("diff");
    TCase *tc = tcase_create("diff");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, nothing_changed);
    tcase_add_test(tc, fields_are_told);
    tcase_add_test(tc, secrets_only_change);
    tcase_add_test(tc, another_plugin);
    tcase_add_test(tc, providers_come_and_go);
    suite_add_tcase(s, tc);
    return s;
}
