/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "base/embed.h"
#include "web/api.h"
#include "web_fixture.h"

/* What a name, an e-mail, a picture or a form field may hold at its worst. */
#define HOSTILE                                                                                    \
    "\"'><script>alert(1)</script>{{name}}{{{name}}}&amp;<!--\xe2\x80\xa8\xe2\x80\xae]]>"

static struct serve *extra;

/* Every name that any template uses: hostile text where it is shown, else a flag that is up. */
static void add_names(struct jval *o, const struct embedded *e, bool shown)
{
    struct arena *a = arena_new();
    const char *end = (const char *)e->p + e->n;
    for (const char *p = e->p; (p = memmem(p, (size_t)(end - p), "{{", 2)) != NULL;) {
        const char *close = memmem(p, (size_t)(end - p), "}}", 2);
        ck_assert_ptr_nonnull(close);
        const bool value = strchr("#^/>!.", p[2]) == NULL;
        const char *name =
            arena_dupn(a, p + (value ? 2 : 3), (size_t)(close - p) - (value ? 2 : 3));
        if (value && shown)
            jval_set_text(o, name, HOSTILE);
        else if (p[2] == '#' && !shown && jval_type(jval_get(o, name)) == JVAL_NONE)
            jval_set_bool(o, name, true);
        p = close;
    }
    arena_free(&a);
}

static struct jval *hostile_data(void)
{
    struct jval *o = jval_new_object();
    for (int shown = 1; shown >= 0; shown--)
        for (const struct embedded *e = embedded_html; e->name; e++)
            add_names(o, e, shown);
    return o;
}

/* /page/<template>: with every flag up; /flat/<template>: with none. */
static void render(struct request *rq, void *app)
{
    struct jval *data = jval_new_object();
    if (strncmp(request_path(rq), "/page/", 6) == 0) {
        jval_free(&data);
        data = hostile_data();
    }
    page_send(rq, app, 200, request_rest(rq), HOSTILE, data);
}

static void kind(struct request *rq, void *app)
{
    static const struct {
        const char *name;
        enum err_kind kind;
    } kinds[] = {{"denied", ERR_DENIED},
                 {"not_allowed", ERR_NOT_ALLOWED},
                 {"expired", ERR_EXPIRED},
                 {"misconfigured", ERR_MISCONFIGURED},
                 {"upstream_down", ERR_UPSTREAM_DOWN},
                 {"upstream_bad", ERR_UPSTREAM_BAD},
                 {"internal", ERR_INTERNAL},
                 {"invalid", ERR_INVALID},
                 {"not_found", ERR_NOT_FOUND},
                 {"limited", ERR_LIMITED},
                 {"none", ERR_NONE}};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(kinds[i].name, request_rest(rq)) == 0)
            page_error(rq, app, kinds[i].kind, "toy");
}

static void huge(struct request *rq, void *app)
{
    struct jval *data = jval_new_object();
    const size_t n = strcmp(request_path(rq), "/api/huge") == 0 ? 4097 * 1024 : 300 * 1024;
    char *name = arena_alloc(request_arena(rq), n);
    memset(name, '&', n - 1);
    jval_set_text(data, "name", name);
    if (strcmp(request_path(rq), "/api/huge") == 0)
        api_send(rq, 200, data);
    else
        page_send(rq, app, 200, "home", "Huge", data);
}

static const struct route routes[] = {
    {"GET", "/page/*", render, 0, 0, NULL}, {"GET", "/flat/*", render, 0, 0, NULL},
    {"GET", "/kind/*", kind, 0, 0, NULL},   {"GET", "/api/kind/*", kind, 0, 0, NULL},
    {"GET", "/huge", huge, 0, 0, NULL},     {"GET", "/api/huge", huge, 0, 0, NULL},
};

static void setup(void)
{
    struct err err = ERR_INIT;
    web_fixture_open();
    const struct serve_options o = {.listen = "127.0.0.1:0",
                                    .host = "usher.test",
                                    .max_connections = 100,
                                    .idle_seconds = 60,
                                    .deadline_seconds = 10};
    extra = serve_new(lfx.loop, &o, routes, sizeof routes / sizeof *routes, &wfx.app, &err);
    ck_assert_ptr_nonnull(extra);
    serve_set_error_page(extra, page_refused);
    wfx.port = serve_port(extra);
}

static void teardown(void)
{
    serve_free(&extra);
    web_fixture_close();
}

static unsigned count(const char *text)
{
    unsigned n = 0;
    for (const char *p = wfx.a.body; (p = strstr(p, text)) != NULL; p++)
        n++;
    return n;
}

/* `headings`: 1 for a page, 0 for a part of one. */
static void expect_sound(unsigned headings)
{
    ck_assert_str_eq(web_header("Content-Type"), "text/html; charset=utf-8");
    ck_assert_int_eq(strncmp(wfx.a.body, "<!doctype html>", 15), 0);
    ck_assert_uint_eq(count("<h1>"), headings);
    ck_assert_uint_eq(count("<title>"), 1);
    ck_assert_uint_eq(count("</html>"), 1);
    ck_assert_uint_eq(count("<script"), count("<script src=\"/assets/repost.js?") +
                                            count("<script src=\"/assets/admin.js?"));
    ck_assert_uint_eq(count("alert(1)"), count("&lt;script&gt;alert(1)&lt;/script&gt;"));
    ck_assert_uint_eq(count("{{"), 3 * count("{{name}}{{{name}}}"));
    ck_assert_uint_eq(count("<!--"), 0);
    ck_assert_uint_eq(count(" style="), 0); /* the content policy would drop them */
    for (const char *p = wfx.a.body; (p = strstr(p, " on")) != NULL; p++) /* no onclick= */
        ck_assert_int_ne(p[3 + strspn(p + 3, "abcdefghijklmnopqrstuvwxyz")], '=');
    ck_assert(web_says("Usher &lt;Test&gt;"));
}

static void expect_sound_page(void)
{
    expect_sound(1);
}

/* Every template we ship, with the worst and with nothing (CB-09, CB-33). */
START_TEST(every_template)
{
    char target[64];
    unsigned n = 0;
    for (const struct embedded *e = embedded_html; e->name; e++) {
        const size_t len = strcspn(e->name, ".");
        const unsigned headings = strstr(e->p, "<h1>") != NULL;
        if (strcmp(e->name, "layout.html") == 0 || strcmp(e->name, "admin.html") == 0 ||
            strcmp(e->name, "account.html") == 0)
            continue;
        snprintf(target, sizeof target, "/page/%.*s", (int)len, e->name);
        ck_assert_int_eq(web_get(target, ""), 200);
        ck_assert_msg(web_says("&quot;&#39;&gt;&lt;script&gt;"), "%s", e->name);
        expect_sound(headings);
        snprintf(target, sizeof target, "/flat/%.*s", (int)len, e->name);
        ck_assert_int_eq(web_get(target, ""), 200);
        expect_sound(headings);
        n++;
    }
    ck_assert_uint_gt(n, 20);
}
END_TEST

/* Each kind has its page: status, words of ours, the id, a way on; and JSON below /api/. */
START_TEST(every_kind_of_error)
{
    static const struct {
        const char *kind;
        int status;
        bool again;
    } rows[] = {
        {"denied", 403, true},         {"not_allowed", 403, true},   {"expired", 400, true},
        {"misconfigured", 500, false}, {"upstream_down", 502, true}, {"upstream_bad", 502, true},
        {"internal", 500, true},       {"invalid", 400, true},       {"not_found", 404, false},
        {"limited", 503, true},
    };
    char target[64], json[128];
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        snprintf(target, sizeof target, "/kind/%s", rows[i].kind);
        ck_assert_int_eq(web_get(target, ""), rows[i].status);
        expect_sound_page();
        ck_assert(web_says(web_header("X-Request-Id")));
        ck_assert_int_eq(web_says("href=\"/login/toy\">Try Toy again"), rows[i].again);
        snprintf(target, sizeof target, "/api/kind/%s", rows[i].kind);
        ck_assert_int_eq(web_get(target, ""), rows[i].status);
        snprintf(json, sizeof json, "{\"error\":{\"kind\":\"%s\",\"text\":\"", rows[i].kind);
        ck_assert_msg(strncmp(wfx.a.body, json, strlen(json)) == 0, "%s", wfx.a.body);
        snprintf(json, sizeof json, ".\",\"request_id\":\"%s\"}}", web_header("X-Request-Id"));
        ck_assert_ptr_nonnull(strstr(wfx.a.body, json));
        ck_assert_str_eq(web_header("Content-Type"), "application/json");
        ck_assert(!rows[i].again || rows[i].status != 503 || web_header("Retry-After") != NULL);
    }
    ck_assert_int_eq(web_get("/kind/none", ""), 500);
}
END_TEST

/* HTTP-21, PRIV-06 */
START_TEST(refusals)
{
    ck_assert_int_eq(web_get("/evil", ""), 404);
    expect_sound_page();
    ck_assert(!web_says("evil"));
    ck_assert_int_eq(web_post("/kind/denied", "", ""), 405);
    expect_sound_page();
    ck_assert_str_eq(web_header("Allow"), "GET, HEAD");
    ck_assert_int_eq(web_get("/api/evil", ""), 404);
    ck_assert_ptr_nonnull(strstr(wfx.a.body, "{\"error\":{\"kind\":\"not_found\""));
    ck_assert_int_eq(web_get("/kind/denied", "Host: evil\r\n"), 421);
    ck_assert(!web_says("evil"));
}
END_TEST

/* What does not fit is a plain 500, not half a page. */
START_TEST(pages_that_are_too_long)
{
    ck_assert_int_eq(web_get("/huge", ""), 500);
    ck_assert_str_eq(wfx.a.body, "This page is broken. It is our fault.\n");
    ck_assert_int_eq(web_get("/api/huge", ""), 500);
    ck_assert_ptr_nonnull(strstr(wfx.a.body, "{\"error\":{\"kind\":\"internal\""));
    ck_assert_int_eq(web_get("/page/nothing", ""), 500); /* a page that does not exist */
}
END_TEST

Suite *suite_page(void);
Suite *suite_page(void)
{
    Suite *s = suite_create("page");
    TCase *tc = tcase_create("page");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, every_template);
    tcase_add_test(tc, every_kind_of_error);
    tcase_add_test(tc, refusals);
    tcase_add_test(tc, pages_that_are_too_long);
    suite_add_tcase(s, tc);
    return s;
}
