/* SPDX-License-Identifier: Apache-2.0 */
/* Shared answers: one request for many callers, stale copies, throttles. JWT-05, JWT-41. */
#include <check.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "net/cache.h"
#include "stub_server.h"
#include "sys/clock.h"
#include "usher/provider.h"

Suite *suite_cache(void);

static struct loop *loop;
static struct fetch *fetch;
static struct fetch_pool *pool;
static struct fetch_cache *cache;
static struct stub *stub;
static char url[100];
static struct clock_fake now;
static atomic_int says; /* 200: good; 0: "bad" with 200; others: that status */
static atomic_int version;

struct got {
    bool done;
    unsigned calls;
    uint32_t transport;
    int status;
    char type[50], charset[50], body[100];
};

static bool answer(struct stub_conn *c, const struct stub_request *rq, void *arg)
{
    const int status = atomic_load(&says);
    char body[50];

    (void)arg;
    if (strstr(rq->head, "/slow"))
        stub_wait(c, 150);
    if (status == 0)
        return stub_reply(c, 200, "Content-Type: text/html\r\n", "bad");
    snprintf(body, sizeof body, "v%d", atomic_fetch_add(&version, 1));
    return stub_reply(c, status, "Content-Type: application/json; charset=utf-8\r\n", body);
}

static bool usable(const struct fetch_result *r)
{
    return r->body.n > 0 && r->body.p[0] == 'v';
}

static void setup(void)
{
    struct err err = ERR_INIT;

    sigaction(SIGPIPE, &(struct sigaction){.sa_handler = SIG_IGN}, NULL);
    atomic_store(&says, 200);
    atomic_store(&version, 1);
    loop = loop_new(&err);
    fetch = fetch_new(loop, &(struct fetch_options){.allow_http_loopback = true}, &err);
    ck_assert_msg(fetch != NULL, "%s", err.text);
    pool = fetch_pool_new(fetch, &(struct fetch_pool_options){.name = "one"});
    cache = cache_new(loop);
    stub = stub_start(answer, NULL);
    snprintf(url, sizeof url, "http://127.0.0.1:%d/jwks", stub_port(stub));
}

static void teardown(void)
{
    clock_set_fake(NULL);
    cache_free(&cache);
    fetch_pool_free(&pool);
    fetch_free(&fetch);
    stub_stop(&stub);
    loop_free(&loop);
}

static void keep(void *arg, const struct fetch_result *r)
{
    struct got *g = arg;

    g->done = true;
    g->calls++;
    g->transport = r->transport;
    g->status = r->status;
    snprintf(g->type, sizeof g->type, "%s", r->content_type);
    snprintf(g->charset, sizeof g->charset, "%s", r->charset);
    if (r->body.n < sizeof g->body)
        memcpy(g->body, r->body.p, r->body.n);
    g->body[r->body.n < sizeof g->body ? r->body.n : 0] = 0;
}

static void wait_for(const bool *flag)
{
    for (int i = 0; i < 500 && !*flag; i++)
        loop_once(loop, 20);
    ck_assert(*flag);
}

static struct got ask(const char *u, int64_t ttl, bool force)
{
    struct got g = {0};
    const struct cache_request rq = {
        .url = u, .ttl_seconds = ttl, .force = force, .usable = usable};

    cache_fetch(cache, pool, &rq, keep, &g);
    ck_assert(!g.done);
    wait_for(&g.done);
    return g;
}

/* Everything after this is at a frozen time, moved by pass(). */
static void freeze(void)
{
    now = (struct clock_fake){.mono = clock_mono(), .wall = clock_wall()};
    clock_set_fake(&now);
}

static void pass(int64_t seconds)
{
    clock_set_fake(NULL);
    now.mono.ns += seconds * 1000000000;
    now.wall.us += seconds * 1000000;
    clock_set_fake(&now);
}

START_TEST(a_copy_serves_until_its_ttl)
{
    struct got g = ask(url, 100, false);

    ck_assert_int_eq(g.status, 200);
    ck_assert_str_eq(g.body, "v1");
    for (int i = 0; i < 3; i++) {
        g = ask(url, 100, false);
        ck_assert_int_eq(g.status, 200);
        ck_assert_str_eq(g.body, "v1");
        ck_assert_str_eq(g.type, "application/json");
        ck_assert_str_eq(g.charset, "utf-8");
    }
    ck_assert_uint_eq(stub_requests(stub), 1);
    freeze();
    pass(101);
    ck_assert_str_eq(ask(url, 100, false).body, "v2");
}
END_TEST

START_TEST(refreshed_in_the_background_before_it_ends)
{
    char slow[120];

    snprintf(slow, sizeof slow, "http://127.0.0.1:%d/slow", stub_port(stub));
    ask(slow, 100, false);
    freeze();
    pass(85);
    ck_assert_str_eq(ask(slow, 100, false).body, "v1"); /* at once, not after the refresh */
    for (int i = 0; i < 200 && strcmp(ask(slow, 100, false).body, "v2") != 0; i++)
        loop_once(loop, 20);
    ck_assert_str_eq(ask(slow, 100, false).body, "v2");
    ck_assert_uint_eq(stub_requests(stub), 2);
}
END_TEST

static bool at_hand(const char *u, int64_t ttl, bool force, struct got *g)
{
    const struct cache_request rq = {.url = u, .ttl_seconds = ttl, .force = force};

    *g = (struct got){0};
    return cache_at_hand(cache, pool, &rq, keep, g);
}

/* Only what is fresh: neither a copy that a refresh is due for nor one that failed is given out
 * behind cache_fetch's back. */
START_TEST(at_hand_is_what_is_fresh)
{
    struct got g;

    ck_assert(!at_hand(url, 100, false, &g));
    ck_assert_uint_eq(g.calls, 0);
    loop_once(loop, 20);
    ck_assert_uint_eq(stub_requests(stub), 0);
    ask(url, 100, false);
    ck_assert(at_hand(url, 100, false, &g));
    ck_assert_uint_eq(g.calls, 1);
    ck_assert_int_eq(g.status, 200);
    ck_assert_str_eq(g.body, "v1");
    ck_assert_str_eq(g.type, "application/json");
    ck_assert(!at_hand(url, 100, true, &g));
    freeze();
    pass(79);
    ck_assert(at_hand(url, 100, false, &g));
    pass(1);
    ck_assert(!at_hand(url, 100, false, &g));
    ck_assert_uint_eq(g.calls, 0);
    ck_assert_uint_eq(stub_requests(stub), 1);
}
END_TEST

START_TEST(many_callers_share_one_request)
{
    enum { N = 50 };
    static struct got g[N];
    char slow[120];
    struct cache_call *calls[N];

    snprintf(slow, sizeof slow, "http://127.0.0.1:%d/slow", stub_port(stub));
    memset(g, 0, sizeof g);
    for (int i = 0; i < N; i++)
        calls[i] = cache_fetch(
            cache, pool, &(struct cache_request){.url = slow, .ttl_seconds = 60, .force = i % 2},
            keep, &g[i]);
    cache_cancel(&calls[0]);
    cache_cancel(&calls[N / 2]);
    ck_assert_ptr_null(calls[0]);
    wait_for(&g[N - 1].done);
    for (int i = 0; i < N; i++)
        ck_assert_uint_eq(g[i].calls, i == 0 || i == N / 2 ? 0 : 1);
    ck_assert_uint_eq(stub_requests(stub), 1);
}
END_TEST

/* JWT-41: down, HTML, 404: the last good copy serves, for a day */
START_TEST(stale_serves_when_a_refresh_fails)
{
    static const int bad[] = {500, 404, 0};

    ask(url, 100, false);
    freeze();
    for (size_t i = 0; i < 3; i++) {
        atomic_store(&says, bad[i]);
        pass(200);
        const struct got g = ask(url, 100, false);
        ck_assert_int_eq(g.status, 200);
        ck_assert_str_eq(g.body, "v1");
        ck_assert_uint_eq(stub_requests(stub), 2 + i);
    }
    pass(CACHE_STALE_S);
    ck_assert_str_ne(ask(url, 100, false).body, "v1");
}
END_TEST

START_TEST(failures_are_remembered_for_a_while)
{
    atomic_store(&says, 500);
    ck_assert_int_eq(ask(url, 100, false).status, 500);
    for (int i = 0; i < 5; i++) {
        ck_assert_int_eq(ask(url, 100, false).status, 500);
        ck_assert_int_eq(ask(url, 100, true).status, 500);
    }
    ck_assert_uint_eq(stub_requests(stub), 1);
    atomic_store(&says, 0); /* 200, but not usable */
    freeze();
    pass(CACHE_RETRY_S + 1);
    ask(url, 100, false);
    ck_assert_uint_eq(ask(url, 100, false).transport, USHER_TRANSPORT_BROKEN);
    ck_assert_uint_eq(stub_requests(stub), 2);
    atomic_store(&says, 200);
    pass(CACHE_RETRY_S + 1);
    ck_assert_int_eq(ask(url, 100, false).status, 200);
}
END_TEST

/* JWT-05: unknown kids force at most one request in 30 s */
START_TEST(force_is_throttled)
{
    ask(url, 1000, false);
    ck_assert_str_eq(ask(url, 1000, true).body, "v2");
    for (int i = 0; i < 20; i++)
        ck_assert_str_eq(ask(url, 1000, true).body, "v2");
    ck_assert_uint_eq(stub_requests(stub), 2);
    freeze();
    pass(CACHE_FORCE_S + 1);
    ck_assert_str_eq(ask(url, 1000, true).body, "v3");
}
END_TEST

START_TEST(copies_belong_to_a_pool_and_its_headers)
{
    const struct fetch_part h = {.name = "X-A", .before = "1"};
    struct fetch_pool *two = fetch_pool_new(fetch, &(struct fetch_pool_options){.name = "two"});
    struct got g = {0};

    ask(url, 100, false);
    cache_fetch(cache, two, &(struct cache_request){.url = url, .ttl_seconds = 100}, keep, &g);
    wait_for(&g.done);
    ck_assert_str_eq(g.body, "v2");
    g.done = false;
    cache_fetch(
        cache, two,
        &(struct cache_request){.url = url, .ttl_seconds = 100, .headers = &h, .n_headers = 1},
        keep, &g);
    wait_for(&g.done);
    ck_assert_str_eq(g.body, "v3");
    ck_assert_uint_eq(cache_count(cache), 3);
    fetch_pool_free(&two);
}
END_TEST

START_TEST(bounded)
{
    char u[100];

    for (int i = 0; i < CACHE_ENTRIES_MAX + 20; i++) {
        snprintf(u, sizeof u, "http://127.0.0.1:%d/%d", stub_port(stub), i);
        ask(u, 100, false);
        ask(url, 1000, false); /* asked for all the time: stays */
    }
    ck_assert_uint_eq(cache_count(cache), CACHE_ENTRIES_MAX);
    ck_assert_uint_eq(stub_requests(stub), CACHE_ENTRIES_MAX + 20 + 1);
}
END_TEST

START_TEST(free_with_calls_under_way)
{
    struct got g[3] = {0};

    ask(url, 100, false);
    cache_fetch(cache, pool, &(struct cache_request){.url = url, .ttl_seconds = 100}, keep, &g[0]);
    cache_fetch(cache, pool, &(struct cache_request){.url = url, .ttl_seconds = 100, .force = true},
                keep, &g[1]);
    cache_fetch(cache, pool, &(struct cache_request){.url = "nonsense", .ttl_seconds = 100}, keep,
                &g[2]);
    cache_free(&cache);
    for (int i = 0; i < 10; i++)
        loop_once(loop, 10);
    ck_assert(!g[0].done && !g[1].done && !g[2].done);
}
END_TEST

static struct cache_call *other;
static struct got other_got;

static void cancel_other(void *arg, const struct fetch_result *r)
{
    keep(arg, r);
    cache_cancel(&other);
    cache_fetch(cache, pool, &(struct cache_request){.url = url, .ttl_seconds = 100, .force = true},
                keep, &other_got);
}

START_TEST(callbacks_may_cancel_and_ask)
{
    struct got g = {0};

    memset(&other_got, 0, sizeof other_got);
    cache_fetch(cache, pool, &(struct cache_request){.url = url, .ttl_seconds = 100}, cancel_other,
                &g);
    other = cache_fetch(cache, pool, &(struct cache_request){.url = url, .ttl_seconds = 100}, keep,
                        &other_got);
    wait_for(&other_got.done);
    ck_assert_uint_eq(other_got.calls, 1);
    ck_assert_str_eq(g.body, "v1");
    ck_assert_str_eq(other_got.body, "v2"); /* the forced one, not the one it was asked in */
}
END_TEST

Suite *suite_cache(void)
{
    Suite *s = suite_create("cache");
    TCase *t = tcase_create("cache");

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, a_copy_serves_until_its_ttl);
    tcase_add_test(t, refreshed_in_the_background_before_it_ends);
    tcase_add_test(t, at_hand_is_what_is_fresh);
    tcase_add_test(t, many_callers_share_one_request);
    tcase_add_test(t, stale_serves_when_a_refresh_fails);
    tcase_add_test(t, failures_are_remembered_for_a_while);
    tcase_add_test(t, force_is_throttled);
    tcase_add_test(t, copies_belong_to_a_pool_and_its_headers);
    tcase_add_test(t, bounded);
    tcase_add_test(t, free_with_calls_under_way);
    tcase_add_test(t, callbacks_may_cancel_and_ask);
    suite_add_tcase(s, t);
    return s;
}
