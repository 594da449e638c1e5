/* SPDX-License-Identifier: Apache-2.0 */
/* What api.c carries to an operation and back, with made-up operations on an admin socket. */
#include "web/api.h"

#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "http_client.h"
#include "web/page.h"

static struct loop *loop;
static struct serve *serve;
static struct web_app app = {.user = "usher", .site_name = "t"};
static char folder[32], path[48];
static struct http_answer a;

/* ---- operations ---- */

static void put(struct jval *o, const char *name, const char *text)
{
    jval_set_text(o, name, text);
}

/* Tells what it was asked. */
static void echo(struct admin *admin, const struct admin_request *rq, admin_done_fn *done,
                 void *arg)
{
    struct jval *o = jval_new_object();
    ck_assert_ptr_null(admin);
    put(o, "id", rq->id);
    put(o, "sub", rq->sub);
    put(o, "if_match", rq->if_match);
    jval_set(o, "body", rq->body ? jval_ref((struct jval *)(uintptr_t)rq->body) : jval_new_null());
    put(o, "query", rq->query->n ? rq->query->v[0].value : NULL);
    put(o, "kind", rq->actor->kind);
    put(o, "actor", rq->actor->id);
    put(o, "name", rq->actor->name);
    put(o, "ip", rq->actor->ip);
    put(o, "request_id", rq->actor->request_id);
    jval_set_int(o, "scopes", rq->actor->scopes);
    const struct admin_answer answer = {.body = o, .etag = "\"7\""};
    done(arg, &answer);
    jval_free(&o);
}

static void make(struct admin *admin, const struct admin_request *rq, admin_done_fn *done,
                 void *arg)
{
    (void)admin, (void)rq;
    struct jval *o = jval_new_object();
    const struct admin_answer answer = {.body = o, .created = true};
    done(arg, &answer);
    jval_free(&o);
}

static const enum err_kind kinds[] = {
    ERR_INVALID,  ERR_MISCONFIGURED, ERR_DENIED,  ERR_NOT_ALLOWED,   ERR_NOT_FOUND,    ERR_EXPIRED,
    ERR_CONFLICT, ERR_STALE,         ERR_LIMITED, ERR_UPSTREAM_DOWN, ERR_UPSTREAM_BAD, ERR_INTERNAL,
};

static void refuse(struct admin *admin, const struct admin_request *rq, admin_done_fn *done,
                   void *arg)
{
    (void)admin;
    struct err err = ERR_INIT;
    static const struct admin_field fields[] = {{"client_id", "is \"needed\""}, {"b", "no"}};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(err_kind_name(kinds[i]), rq->id) == 0)
            err_set(&err, kinds[i], "because of %s", rq->id);
    ck_assert_int_ne(err.kind, ERR_NONE);
    const struct admin_answer answer = {
        .err = &err, .fields = fields, .n_fields = err.kind == ERR_MISCONFIGURED ? 2 : 0};
    done(arg, &answer);
}

static struct {
    admin_done_fn *done;
    void *arg;
} waiting;

static void answer_later(void *unused)
{
    (void)unused;
    struct jval *o = jval_new_object();
    const struct admin_answer answer = {.body = o};
    waiting.done(waiting.arg, &answer);
    jval_free(&o);
}

static void later(struct admin *admin, const struct admin_request *rq, admin_done_fn *done,
                  void *arg)
{
    (void)admin, (void)rq;
    waiting.done = done;
    waiting.arg = arg;
    loop_post(loop, answer_later, NULL);
}

static void huge(struct admin *admin, const struct admin_request *rq, admin_done_fn *done,
                 void *arg)
{
    (void)admin, (void)rq;
    const size_t n = 4u * 1024 * 1024;
    char *text = mem_alloc(n + 1);
    struct jval *o = jval_new_object();
    memset(text, 'x', n);
    jval_set_text(o, "a", text);
    free(text);
    const struct admin_answer answer = {.body = o};
    done(arg, &answer);
    jval_free(&o);
}

#define DO(op) (&(const struct api_op){op, false})
#define CALL(op) api_call, ROUTE_ADMIN | ROUTE_JSON, 256, DO(op)
static const struct route routes[] = {
    {"POST", "/api/echo", CALL(echo)},    {"GET", "/api/echo/*", CALL(echo)},
    {"PUT", "/api/echo/*/*", CALL(echo)}, {"POST", "/api/make", CALL(make)},
    {"GET", "/api/fail/*", CALL(refuse)}, {"POST", "/api/later", CALL(later)},
    {"GET", "/api/huge", CALL(huge)},
};

/* ---- asking ---- */

static void setup(void)
{
    struct err err = ERR_INIT;
    char listen[64];
    signal(SIGPIPE, SIG_IGN);
    snprintf(folder, sizeof folder, "/tmp/usher-api-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/s", folder);
    snprintf(listen, sizeof listen, "unix:%s", path);
    const struct serve_options o = {.listen = listen,
                                    .admin = true,
                                    .max_connections = 10,
                                    .idle_seconds = 60,
                                    .deadline_seconds = 10};
    loop = loop_new(&err);
    serve = serve_new(loop, &o, routes, sizeof routes / sizeof *routes, &app, &err);
    ck_assert_msg(serve != NULL, "%s", err.text);
    serve_set_error_page(serve, page_refused);
}

static void teardown(void)
{
    serve_free(&serve);
    loop_free(&loop);
    unlink(path);
    ck_assert_int_eq(rmdir(folder), 0);
}

static int ask(const char *line, const char *headers, const char *body)
{
    char request[2048];
    struct http_conn *c = http_open_unix(loop, path);
    ck_assert_int_lt(snprintf(request, sizeof request,
                              "%s HTTP/1.1\r\nHost: usher\r\n%s%sContent-Length: %zu\r\n\r\n%s",
                              line, headers, body ? "Content-Type: application/json\r\n" : "",
                              body ? strlen(body) : 0, body ? body : ""),
                     (int)sizeof request);
    http_ask(c, request, &a);
    http_close(&c);
    ck_assert_str_eq(http_header(&a, "Content-Type"), "application/json");
    ck_assert_str_eq(http_header(&a, "Cache-Control"), "no-store");
    return a.status;
}

static const char *said(const char *pointer)
{
    static char text[512];
    struct err err = ERR_INIT;
    struct jval *o = jval_parse((struct str){a.body, a.body_n}, JSON_SIZE_MAX, 8, &err);
    ck_assert_msg(o != NULL, "%s: %s", err.text, a.body);
    const struct jval *v = jval_at(o, pointer);
    struct buf b;
    buf_init(&b, sizeof text - 1);
    if (v)
        jval_render(v, &b);
    snprintf(text, sizeof text, "%s", v ? b.p : "(none)");
    buf_deinit(&b);
    jval_free(&o);
    return text;
}

START_TEST(requests_are_carried_over)
{
    char uid[32];
    snprintf(uid, sizeof uid, "\"%u\"", (unsigned)geteuid());
    ck_assert_int_eq(ask("POST /api/echo?q=a%20b", "If-Match: \"3\"\r\n", "{\"x\":[1]}"), 200);
    ck_assert_str_eq(said("/id"), "null");
    ck_assert_str_eq(said("/sub"), "null");
    ck_assert_str_eq(said("/if_match"), "\"\\\"3\\\"\"");
    ck_assert_str_eq(said("/body"), "{\"x\":[1]}");
    ck_assert_str_eq(said("/query"), "\"a b\"");
    ck_assert_str_eq(said("/kind"), "\"socket\"");
    ck_assert_str_eq(said("/actor"), uid);
    ck_assert_str_eq(said("/name"), geteuid() == 0 ? "\"root\"" : "\"usher\"");
    ck_assert_str_eq(said("/ip"), "null");
    ck_assert_str_eq(said("/scopes"), "15");
    ck_assert_ptr_nonnull(strstr(said("/request_id"), http_header(&a, "X-Request-Id")));
    ck_assert_str_eq(http_header(&a, "ETag"), "\"7\"");

    ck_assert_int_eq(ask("PUT /api/echo/one/two", "", NULL), 200);
    ck_assert_str_eq(said("/id"), "\"one\"");
    ck_assert_str_eq(said("/sub"), "\"two\"");
    ck_assert_str_eq(said("/body"), "null");
    ck_assert_str_eq(said("/if_match"), "null");
    ck_assert_int_eq(ask("GET /api/echo/one", "", NULL), 200);
    ck_assert_str_eq(said("/sub"), "null");
}
END_TEST

START_TEST(answers)
{
    ck_assert_int_eq(ask("POST /api/make", "", NULL), 201);
    ck_assert_str_eq(a.body, "{}");
    ck_assert_ptr_null(http_header(&a, "ETag"));
    ck_assert_int_eq(ask("POST /api/later", "", NULL), 200);
    ck_assert_str_eq(a.body, "{}");
    ck_assert_int_eq(ask("GET /api/huge", "", NULL), 500);
    ck_assert_str_eq(said("/error/kind"), "\"internal\"");
}
END_TEST

START_TEST(errors_have_their_status)
{
    static const struct {
        const char *kind;
        int status, with_if_match;
    } rows[] = {
        {"invalid", 400, 400},       {"misconfigured", 422, 422}, {"denied", 403, 403},
        {"not_allowed", 403, 403},   {"not_found", 404, 404},     {"expired", 404, 404},
        {"conflict", 409, 409},      {"stale", 428, 412},         {"limited", 429, 429},
        {"upstream_down", 502, 502}, {"upstream_bad", 502, 502},  {"internal", 500, 500},
    };
    char line[64], kind[64], text[64];
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const bool ours = rows[i].status == 500;
        snprintf(line, sizeof line, "GET /api/fail/%s", rows[i].kind);
        snprintf(kind, sizeof kind, "\"%s\"", rows[i].kind);
        snprintf(text, sizeof text, "\"because of %s\"", rows[i].kind);
        ck_assert_int_eq(ask(line, "If-Match: \"1\"\r\n", NULL), rows[i].with_if_match);
        ck_assert_int_eq(ask(line, "", NULL), rows[i].status);
        ck_assert_str_eq(said("/error/kind"), kind);
        ck_assert_str_eq(said("/error/text"),
                         ours ? "\"Something broke on our side. The log has more.\"" : text);
        ck_assert_ptr_nonnull(strstr(said("/error/request_id"), http_header(&a, "X-Request-Id")));
        ck_assert_int_eq(http_header(&a, "Retry-After") != NULL, rows[i].status == 429);
    }
    ck_assert_int_eq(ask("GET /api/fail/misconfigured", "", NULL), 422);
    ck_assert_str_eq(said("/error/fields"), "[{\"field\":\"client_id\",\"text\":\"is "
                                            "\\\"needed\\\"\"},{\"field\":\"b\",\"text\":\"no\"}]");
    ck_assert_int_eq(ask("GET /api/fail/invalid", "", NULL), 400);
    ck_assert_str_eq(said("/error/fields"), "(none)");
}
END_TEST

/* ADM-11, HTTP-14: what cannot be understood reaches no operation, and is not repeated. */
START_TEST(requests_that_make_no_sense)
{
    static const char *const bodies[] = {
        "{\"evil\":1,\"evil\":2}",
        "{\"a\":{\"evil\":1,\"evil\":1}}",
        "{\"evil\":1",
        "evil",
        "{\"evil\":\"\\ud800\"}",
        "[\"evil\"]",
        "\"evil\"",
        "null",
        "7",
        "true",
    };
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        ck_assert_msg(ask("POST /api/echo", "", bodies[i]) == 400, "%s", bodies[i]);
        ck_assert_str_eq(said("/error/kind"), "\"invalid\"");
        ck_assert_ptr_null(strstr(a.body, "evil"));
    }
    ck_assert_int_eq(ask("POST /api/echo?a=%zz", "", NULL), 400);
    ck_assert_int_eq(ask("POST /api/echo", "If-Match: \"1\"\r\nIf-Match: \"2\"\r\n", NULL), 400);
    ck_assert_int_eq(ask("GET /api/nothing", "", NULL), 404);
    ck_assert_str_eq(said("/error/kind"), "\"not_found\"");
    ck_assert_int_eq(ask("DELETE /api/make", "", NULL), 405);
    ck_assert_str_eq(said("/error/kind"), "\"method_not_allowed\"");
    ck_assert_int_eq(ask("POST /api/make", "Content-Type: text/plain\r\n", NULL), 415);
    ck_assert_str_eq(said("/error/kind"), "\"wrong_type\"");
}
END_TEST

Suite *suite_api(void);
Suite *suite_api(void)
{
    Suite *s = suite_create("api");
    TCase *tc = tcase_create("api");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, requests_are_carried_over);
    tcase_add_test(tc, answers);
    tcase_add_test(tc, errors_have_their_status);
    tcase_add_test(tc, requests_that_make_no_sense);
    suite_add_tcase(s, tc);
    return s;
}
