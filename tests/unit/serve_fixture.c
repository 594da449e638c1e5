/* SPDX-License-Identifier: Apache-2.0 */
#include "serve_fixture.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/buf.h"

struct serve_fixture sf;

static void plain(struct request *rq, void *app)
{
    (void)app;
    sf.handled++;
    reply_send(rq, 200, "text/plain; charset=utf-8", STR("plain\n"));
}

static void empty(struct request *rq, void *app)
{
    (void)app;
    reply_empty(rq, 204);
}

static const char *header_text(struct request *rq, const char *name)
{
    const char *value;
    const int n = request_header(rq, name, &value);
    return n == 1 ? value : n == 0 ? "none" : "many";
}

/* Notes what a handler sees of a request. */
static void look(struct request *rq, void *app)
{
    (void)app;
    struct str cookie = STR("");
    struct buf out;
    const struct fields *q = request_query(rq);
    const int n = request_cookie(rq, STR("k"), &cookie);
    sf.handled++;
    buf_init(&out, sizeof sf.seen - 1);
    buf_printf(&out, "%s %s rest=%s client=%s trusted=%d x-one=%s cookie=%d:%.*s same=%d query=",
               request_method(rq), request_path(rq), request_rest(rq), request_client(rq),
               request_from_trusted_proxy(rq), header_text(rq, "X-One"), n,
               n == 1 ? (int)cookie.n : 0, cookie.p,
               request_same_origin(rq, "https://" SERVE_HOST));
    if (q == NULL)
        buf_text(&out, "malformed");
    for (size_t i = 0; q && i < q->n; i++)
        buf_printf(&out, "[%s=%s]", q->v[i].name, q->v[i].value);
    memcpy(sf.seen, out.p, out.n + 1);
    reply_send(rq, 200, "text/plain; charset=utf-8",
               (struct str){arena_dupn(request_arena(rq), out.p, out.n), out.n});
    buf_deinit(&out);
}

static void form(struct request *rq, void *app)
{
    (void)app;
    const struct fields *f = request_form(rq);
    struct buf out;
    sf.handled++;
    buf_init(&out, 4096);
    if (f == NULL)
        buf_text(&out, "malformed");
    for (size_t i = 0; f && i < f->n; i++)
        buf_printf(&out, "[%s=%s]", f->v[i].name, f->v[i].value);
    reply_send(rq, 200, "text/plain; charset=utf-8",
               (struct str){arena_dupn(request_arena(rq), out.p, out.n), out.n});
    buf_deinit(&out);
}

/* The peer, the parts of the path, and the JSON body as it was understood. */
static void json(struct request *rq, void *app)
{
    (void)app;
    struct err err = ERR_INIT;
    const struct jval *v, *again;
    unsigned uid, pid;
    struct buf out;
    const bool peer = request_peer(rq, &uid, &pid);
    const int n = request_json(rq, &v, &err);
    sf.handled++;
    buf_init(&out, 4096);
    ck_assert_int_eq(request_json(rq, &again, &err), n); /* parsed once, told alike */
    ck_assert_ptr_eq(again, v);
    ck_assert((n < 0) == (err.kind == ERR_INVALID));
    buf_printf(&out, "%s %s,%s,%s data=%s local=%d peer=%d json=%d:", request_method(rq),
               request_part(rq, 0), request_part(rq, 1), request_part(rq, 2),
               (const char *)request_route(rq)->data, request_is_local(rq),
               peer && uid == geteuid() && pid == (unsigned)getpid(), n);
    if (n == 1)
        jval_render(v, &out);
    reply_send(rq, 200, "text/plain; charset=utf-8",
               (struct str){arena_dupn(request_arena(rq), out.p, out.n), out.n});
    buf_deinit(&out);
}

static void hold(struct request *rq, void *app)
{
    (void)app;
    sf.handled++;
    ck_assert_uint_lt(sf.n_held, 8);
    sf.held[sf.n_held++] = rq;
    request_hold(rq);
}

/* What matters is how many of them one round begins. */
static void slow(struct request *rq, void *app)
{
    (void)app;
    const struct clock_fake later = {{clock_mono().ns + sf.slow_ns}, clock_wall()};
    clock_set_fake(&later);
    if (sf.slow_round != loop_rounds(sf.loop))
        sf.slow_taken = 0;
    sf.slow_round = loop_rounds(sf.loop);
    if (++sf.slow_taken > sf.slow_most)
        sf.slow_most = sf.slow_taken;
    plain(rq, app);
}

static void silent(struct request *rq, void *app)
{
    (void)rq, (void)app;
}

/* ?n=: so many headers of its own. */
static void headers(struct request *rq, void *app)
{
    (void)app;
    const char *n = "0";
    ck_assert_int_eq(form_get(request_query(rq), "n", &n), 1);
    for (long i = 0; i < strtol(n, NULL, 10); i++)
        reply_header(rq, arena_printf(request_arena(rq), "X-N-%ld", i), "v");
    reply_send(rq, 200, "text/plain; charset=utf-8", STR("plain\n"));
}

/* ?v=: into a header, whatever it holds. */
static void reflect(struct request *rq, void *app)
{
    (void)app;
    const char *v = "";
    ck_assert_int_eq(form_get(request_query(rq), "v", &v), 1);
    reply_header(rq, "X-Value", v);
    reply_redirect(rq, v);
}

static void big(struct request *rq, void *app)
{
    (void)app;
    char *p = arena_alloc(request_arena(rq), BIG_BYTES);
    memset(p, 'x', BIG_BYTES);
    reply_send(rq, 200, "text/plain; charset=utf-8", (struct str){p, BIG_BYTES});
}

static void fault(struct request *rq, void *app)
{
    (void)app;
    reply_error(rq, 503, "Not now.");
}

static const struct route routes[] = {
    {"GET", "/plain", plain, 0, 0, NULL},
    {"GET", "/any", plain, ROUTE_ANY_HOST | ROUTE_QUIET, 0, NULL},
    {"GET", "/empty", empty, 0, 0, NULL},
    {"GET", "/look", look, 0, 0, NULL},
    {"GET", "/item/*", look, 0, 0, NULL},
    {"GET", "/hold", hold, 0, 0, NULL},
    {"POST", "/hold", hold, 0, 64, NULL},
    {"GET", "/slow", slow, ROUTE_SLOW, 0, NULL},
    {"GET", "/silent", silent, 0, 0, NULL},
    {"GET", "/headers", headers, 0, 0, NULL},
    {"GET", "/reflect", reflect, 0, 0, NULL},
    {"GET", "/big", big, 0, 0, NULL},
    {"GET", "/fault", fault, 0, 0, NULL},
    {"POST", "/form", form, 0, 64, NULL},
    {"GET", "/form", plain, 0, 0, NULL},
    {"POST", "/bare", form, 0, 0, NULL},
    {"POST", "/json", json, ROUTE_JSON, 64, "add"},
    {"GET", "/json/*", json, ROUTE_ADMIN, 0, "show"},
    {"PUT", "/json/*", json, ROUTE_ADMIN | ROUTE_JSON, 64, "replace"},
    {"PATCH", "/json/*", json, ROUTE_JSON, 64, "edit"},
    {"DELETE", "/json/*", json, ROUTE_JSON, 64, "delete"},
    {"POST", "/json/*/sub", json, ROUTE_LOCAL | ROUTE_JSON, 0, "sub"},
    {"GET", "/json/*/part/*", json, ROUTE_ADMIN, 0, "part"},
    {"GET", "/json/*/name", json, 0, 0, "name"},
};

void serve_fixture_options(struct serve_options *o)
{
    static const char *const loopback[] = {"127.0.0.1", NULL};
    *o = (struct serve_options){.listen = "127.0.0.1:0",
                                .host = SERVE_HOST,
                                .trusted_proxies = loopback,
                                .max_connections = 200,
                                .idle_seconds = 60,
                                .deadline_seconds = 10};
}

void serve_fixture_start_with(const struct serve_options *given)
{
    struct err err = ERR_INIT;
    struct serve_options o = *given;
    signal(SIGPIPE, SIG_IGN); /* as the daemon does */
    memset(&sf, 0, sizeof sf);
    sf.loop = loop_new(&err);
    sf.metrics = metrics_new();
    ck_assert_ptr_nonnull(sf.loop);
    o.metrics = sf.metrics;
    sf.serve = serve_new(sf.loop, &o, routes, sizeof routes / sizeof *routes, &sf, &err);
    ck_assert_msg(sf.serve != NULL, "%s", err.text);
    sf.port = serve_port(sf.serve);
}

void serve_fixture_start(void)
{
    struct serve_options o;
    serve_fixture_options(&o);
    serve_fixture_start_with(&o);
}

void serve_fixture_stop(void)
{
    clock_set_fake(NULL);
    serve_free(&sf.serve);
    ck_assert_ptr_null(sf.serve);
    metrics_free(&sf.metrics);
    loop_free(&sf.loop);
}

void serve_fixture_ask(const char *request, struct http_answer *out)
{
    http_once(sf.loop, sf.port, request, out);
}

int serve_fixture_status(const char *request)
{
    struct http_conn *c = http_open(sf.loop, sf.port);
    struct http_answer *a = calloc(1, sizeof *a);
    http_send(c, request);
    http_read(c, strncmp(request, "HEAD ", 5) == 0, a);
    const int status = a->status;
    http_close(&c);
    free(a);
    return status;
}

void serve_fixture_wait_held(size_t n)
{
    for (int i = 0; i < 2000 && sf.n_held < n; i++)
        loop_once(sf.loop, 1);
    ck_assert_uint_eq(sf.n_held, n);
}

void serve_fixture_drained(void *arg)
{
    (void)arg;
    sf.drained++;
}

void serve_fixture_check(const struct serve_row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        sf.handled = 0;
        const int status = serve_fixture_status(rows[i].request);
        ck_assert_msg(status == rows[i].status, "%d, not %d, for\n%s", status, rows[i].status,
                      rows[i].request);
        ck_assert_msg(sf.handled == rows[i].handled, "handled %u times:\n%s", sf.handled,
                      rows[i].request);
    }
}
