/* SPDX-License-Identifier: Apache-2.0 */
#include "fetch_fixture.h"

#include <signal.h>

struct fixture fetch_fx;

void fixture_setup(void)
{
    const struct fetch_options fo = {.allow_http_loopback = true};
    const struct fetch_pool_options po = {
        .name = "test", .connect_ms = 5000, .total_ms = 20000, .body_max = 10000};
    struct err err = ERR_INIT;

    sigaction(SIGPIPE, &(struct sigaction){.sa_handler = SIG_IGN}, NULL);
    fetch_fx.loop = loop_new(&err);
    ck_assert_ptr_nonnull(fetch_fx.loop);
    fetch_fx.fetch = fetch_new(fetch_fx.loop, &fo, &err);
    ck_assert_msg(fetch_fx.fetch != NULL, "%s", err.text);
    fetch_fx.pool = fetch_pool_new(fetch_fx.fetch, &po);
}

void fixture_teardown(void)
{
    fetch_pool_free(&fetch_fx.pool);
    fetch_free(&fetch_fx.fetch);
    if (fetch_fx.stub)
        stub_stop(&fetch_fx.stub);
    loop_free(&fetch_fx.loop);
}

void fixture_keep(void *arg, const struct fetch_result *r)
{
    struct got *g = arg;

    g->done = true;
    g->calls++;
    g->r = *r;
    snprintf(g->type, sizeof g->type, "%s", r->content_type);
    snprintf(g->charset, sizeof g->charset, "%s", r->charset);
    if (r->transport == USHER_TRANSPORT_OK && r->body.n < sizeof g->body)
        memcpy(g->body, r->body.p, r->body.n);
    for (size_t i = 0; i < r->n_headers; i++) {
        if (strcmp(r->headers[i].name, "x-test") == 0)
            snprintf(g->header, sizeof g->header, "%s", r->headers[i].value);
        else if (strcmp(r->headers[i].name, "set-cookie") == 0)
            g->cookie = true;
    }
}

void fixture_until(const bool *flag)
{
    const struct mono start = clock_mono();

    while (!*flag) {
        loop_once(fetch_fx.loop, 100);
        ck_assert_int_lt(mono_ms(start, clock_mono()), 50000);
    }
}

void fixture_ms(int64_t ms)
{
    const struct mono start = clock_mono();

    while (mono_ms(start, clock_mono()) < ms)
        loop_once(fetch_fx.loop, 5);
}

const char *fixture_url(const char *path)
{
    static char url[8][300];
    static unsigned at;
    char *u = url[at++ % 8];

    snprintf(u, sizeof url[0], "http://127.0.0.1:%d%s", stub_port(fetch_fx.stub), path);
    return u;
}

struct got fixture_send(const struct fetch_request *rq)
{
    struct got g = {0};

    ck_assert_ptr_nonnull(fetch_start(fetch_fx.pool, rq, fixture_keep, &g));
    ck_assert(!g.done);
    fixture_until(&g.done);
    return g;
}

struct got fixture_get(const char *url)
{
    const struct fetch_request rq = {.url = url};

    return fixture_send(&rq);
}

void fixture_pool(const struct fetch_pool_options *o)
{
    fetch_pool_free(&fetch_fx.pool);
    fetch_fx.pool = fetch_pool_new(fetch_fx.fetch, o);
}

bool fixture_echo(struct stub_conn *c, const struct stub_request *rq, void *arg)
{
    (void)arg;
    memcpy(fetch_fx.head, rq->head, sizeof fetch_fx.head);
    memcpy(fetch_fx.body, rq->body, sizeof fetch_fx.body);
    return stub_reply(c, 200,
                      "Content-Type: Application/JSON; Charset=\"UTF-8\"\r\nX-Test:  a\tb "
                      "\r\nSet-Cookie: s=1\r\n",
                      "{\"a\":1}");
}

bool fixture_slow(struct stub_conn *c, const struct stub_request *rq, void *arg)
{
    (void)arg;
    stub_wait(c, strstr(rq->head, "/slower") ? 60000 : 300);
    return stub_reply(c, 200, "", "{}");
}
