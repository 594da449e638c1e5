/* SPDX-License-Identifier: Apache-2.0 */
#include "app/decide.h"

#include <check.h>
#include <string.h>

Suite *suite_decide(void);

static struct arena *a;
static struct app_subject ann, admin, nobody;

static void setup(void)
{
    a = arena_new();
    nobody = app_nobody("192.0.2.7");
    ann = nobody;
    ann.signed_in = true;
    ann.account = "acct1";
    ann.provider = "discord";
    admin = ann;
    admin.roles = "admin";
}

static void teardown(void)
{
    arena_free(&a);
}

static const struct rule *rule_of(const char *text)
{
    struct err err = ERR_INIT;
    const struct rule *r = NULL;
    ck_assert_msg(rule_parse(str_of(text), a, &r, &err) == 0, "%s", err.text);
    return r;
}

static void path_of(struct app_path *p, const char *path, const char *require,
                    const char *const *methods)
{
    struct err err = ERR_INIT;
    ck_assert_msg(path_pattern_read(path, &p->pattern, &err) == 0, "%s: %s", path, err.text);
    p->common.require = require;
    p->common.methods = methods;
    p->rule = rule_of(require);
}

static void decides(const struct app *app, const struct app_subject *s, const char *method,
                    const char *path, enum app_verdict want)
{
    const struct app_decision d = app_decide(app, s, path, method);
    ck_assert_msg(d.verdict == want, "%s %s: %s, %s", method ? method : "-", path ? path : "-",
                  app_verdict_name(d.verdict), d.reason);
}

START_TEST(whole_app)
{
    struct app app = {.id = "wiki", .usable = true};
    decides(&app, &ann, "GET", "/x", APP_ALLOW);
    decides(&app, &nobody, "GET", "/x", APP_SIGN_IN);
    app.rule = rule_of("role:admin");
    decides(&app, &nobody, "GET", "/x", APP_SIGN_IN);
    decides(&app, &ann, "GET", "/x", APP_DENY);
    decides(&app, &admin, "GET", "/x", APP_ALLOW);
    decides(&app, &admin, NULL, NULL, APP_ALLOW);
    decides(&app, &admin, "GET", "/a//b%2f", APP_ALLOW); /* no path is judged here */
    app.rule = rule_of("network:10.0.0.0/8");
    decides(&app, &nobody, "GET", "/x", APP_DENY); /* signing in would not help */
    app.usable = false;
    app.rule = rule_of("anyone");
    decides(&app, &admin, "GET", "/x", APP_DENY);
    decides(&app, &nobody, "GET", "/x", APP_DENY);
}
END_TEST

static const char *const get[] = {"GET", NULL}, *const post[] = {"POST", "PUT", NULL};

static struct app sample(void)
{
    struct app_path *p = arena_alloc(a, 6 * sizeof *p);
    path_of(&p[0], "/admin/open", "anyone", NULL);
    path_of(&p[1], "/public/notes/*", "role:admin", NULL);
    path_of(&p[2], "/public/*", "anyone", NULL);
    path_of(&p[3], "/admin/*", "role:admin", NULL);
    path_of(&p[4], "/api/*", "signed_in", get);
    path_of(&p[5], "/api/*", "role:admin", post);
    return (struct app){.id = "wiki", .usable = true, .paths = p, .n_paths = 6};
}

START_TEST(paths)
{
    struct app app = sample();
    decides(&app, &nobody, "GET", "/public", APP_ALLOW);
    decides(&app, &nobody, "GET", "/public/", APP_ALLOW);
    decides(&app, &nobody, "POST", "/public/a/b", APP_ALLOW);
    decides(&app, &nobody, "GET", "/public/notes", APP_SIGN_IN);
    decides(&app, &ann, "GET", "/public/notes/1", APP_DENY);
    decides(&app, &nobody, "GET", "/public/notesandmore", APP_ALLOW);
    decides(&app, &nobody, "GET", "/admin/open", APP_ALLOW);
    decides(&app, &nobody, "GET", "/admin/open/", APP_ALLOW); /* the same to most programs */
    decides(&app, &nobody, "GET", "/admin/open/x", APP_SIGN_IN);
    decides(&app, &ann, "GET", "/admin", APP_DENY);
    decides(&app, &admin, "GET", "/admin/x", APP_ALLOW);
    decides(&app, &admin, "GET", "/%61dmin/x", APP_ALLOW);
    decides(&app, &ann, "GET", "/%61dmin/x", APP_DENY);
    /* Default deny: no path, no require. */
    decides(&app, &admin, "GET", "/", APP_DENY);
    decides(&app, &admin, "GET", "/publicity", APP_DENY);
    decides(&app, &nobody, "GET", "/x", APP_DENY);
    app.rule = rule_of("signed_in");
    decides(&app, &ann, "GET", "/x", APP_ALLOW);
    decides(&app, &ann, "GET", "/adminx", APP_ALLOW);
    decides(&app, &nobody, "GET", "/x", APP_SIGN_IN);
}
END_TEST

/* FWD-26: the longest path is final, so that no other method slips through to a wider one. */
START_TEST(fwd_26_methods)
{
    struct app app = sample();
    app.rule = rule_of("anyone");
    decides(&app, &ann, "GET", "/api/x", APP_ALLOW);
    decides(&app, &ann, "HEAD", "/api/x", APP_ALLOW);
    decides(&app, &ann, "POST", "/api/x", APP_DENY);
    decides(&app, &admin, "PUT", "/api/x", APP_ALLOW);
    decides(&app, &admin, "DELETE", "/api/x", APP_DENY);
    decides(&app, &admin, "get", "/api/x", APP_DENY);
    decides(&app, &admin, NULL, "/api/x", APP_DENY);
    decides(&app, &nobody, "GET", "/api/x", APP_SIGN_IN);
}
END_TEST

/* FWD-14, FWD-15, FWD-16, FWD-19: a rule is about the path, whole segments, and what programs could
 * disagree about is refused. */
START_TEST(fwd_14_odd_paths)
{
    static const char *const bad[] = {
        "",
        "x",
        "/a//b",
        "//",
        "/a//",
        "/./a",
        "/a/..",
        "/a/../b",
        "/a/.",
        "/%2e/a",
        "/%2E%2e/a",
        "/.%2e",
        "/a%2fb",
        "/a%2Fb",
        "/a%5cb",
        "/a\\b",
        "/a;b",
        "/a%3Bb",
        "/public;/",
        "/a%00",
        "/a%0a",
        "/a%7f",
        "/a%",
        "/a%2",
        "/a%zz",
        "/%c0%af",
        "/%ff",
        "/%ed%a0%80",
        "/%252e",
        "/%25%32%65x%2541",
        "/a?b",
        "/a#b",
        "/public/%2e%2e/admin",
        "/public/..;/admin",
    };
    struct app app = sample();
    app.rule = rule_of("anyone");
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        decides(&app, &admin, "GET", bad[i], APP_BAD_PATH);
        decides(&app, &nobody, "GET", bad[i], APP_BAD_PATH);
    }
    /* Data, and no more than that. */
    decides(&app, &ann, "GET", "/admin%3fx=/public/", APP_ALLOW); /* one segment, "admin?x=" */
    decides(&app, &ann, "GET", "/admin/%3f/public", APP_DENY);
    decides(&app, &nobody, "GET", "/secret%23/public", APP_ALLOW);
    decides(&app, &nobody, "GET", "/100%25", APP_ALLOW);
    decides(&app, &nobody, "GET", "/...", APP_ALLOW);
    decides(&app, &nobody, "GET", "/%C3%A9", APP_ALLOW);
    decides(&app, &ann, "GET", "/x/admin/y", APP_ALLOW); /* anchored: not below /admin */
}
END_TEST

START_TEST(long_paths)
{
    struct app app = sample();
    app.rule = rule_of("anyone");
    char *path = arena_alloc(a, PATH_MAX_LEN + 2);
    memset(path, 'a', PATH_MAX_LEN);
    path[0] = '/';
    decides(&app, &nobody, "GET", path, APP_ALLOW);
    path[PATH_MAX_LEN] = 'a';
    decides(&app, &nobody, "GET", path, APP_BAD_PATH);
}
END_TEST

START_TEST(patterns)
{
    static const char *const bad[] = {"",     "admin",  "*",     "/*/a", "/a*",    "/a/**", "/a//b",
                                      "/a//", "/../a",  "/a/.",  "/%61", "/a?b",   "/a#",   "/a;b",
                                      "/a\\", "/a\x01", "/\xff", "//*",  "/a/../*"};
    static const char *const good[] = {"/", "/*", "/a", "/a/", "/a/*", "/\xc3\xa9/*", "/a b/c"};
    struct path_pattern p;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct err err = ERR_INIT;
        ck_assert_msg(path_pattern_read(bad[i], &p, &err) == -1, "%s", bad[i]);
        ck_assert_int_eq(err.kind, ERR_INVALID);
    }
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        struct err err = ERR_INIT;
        ck_assert_msg(path_pattern_read(good[i], &p, &err) == 0, "%s: %s", good[i], err.text);
    }
}
END_TEST

START_TEST(explained)
{
    const struct app app = sample();
    struct jval *v = app_explain(&app, &ann, "/admin/x", "GET");
    struct buf b;
    buf_init(&b, 1000);
    jval_render(v, &b);
    ck_assert_str_eq(b.p, "{\"app\":\"wiki\",\"verdict\":\"deny\","
                          "\"reason\":\"what is required is not there\",\"path\":\"/admin/*\","
                          "\"require\":\"role:admin\",\"terms\":[{\"term\":\"role:admin\","
                          "\"result\":\"no\",\"why\":null}]}");
    buf_deinit(&b);
    jval_free(&v);
}
END_TEST

Suite *suite_decide(void)
{
    Suite *s = suite_create("decide");
    TCase *t = tcase_create("decide");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, whole_app);
    tcase_add_test(t, paths);
    tcase_add_test(t, fwd_26_methods);
    tcase_add_test(t, fwd_14_odd_paths);
    tcase_add_test(t, long_paths);
    tcase_add_test(t, patterns);
    tcase_add_test(t, explained);
    suite_add_tcase(s, t);
    return s;
}
