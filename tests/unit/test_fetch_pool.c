/* SPDX-License-Identifier: Apache-2.0 */
/* Who may run, who waits, and pauses that upstreams ask for (CB-34). */
#include <arpa/inet.h>
#include <stdatomic.h>
#include <time.h>

#include "fetch_fixture.h"

Suite *suite_fetch_pool(void);

static atomic_int server_says; /* what the handler is to do next */

static bool limited(struct stub_conn *c, const struct stub_request *rq, void *arg)
{
    char headers[100] = "";
    time_t at = time(NULL) + 90;
    struct tm tm;

    (void)arg;
    (void)rq;
    switch (atomic_load(&server_says)) {
    case 1:
        return stub_reply(c, 429, "Retry-After: 3\r\n", "{}");
    case 2:
        strftime(headers, sizeof headers, "Retry-After: %a, %d %b %Y %H:%M:%S GMT\r\n",
                 gmtime_r(&at, &tm));
        return stub_reply(c, 503, headers, "{}");
    case 3:
        return stub_reply(c, 429, "Retry-After: 99999999999\r\n", "{}");
    case 4:
        return stub_reply(c, 429, "Retry-After: 0.35\r\n", "{}");
    case 5:
        return stub_reply(c, 429, "Retry-After: soon\r\n", "{}");
    case 6:
        return stub_reply(c, 503, "", "{}");
    case 7:
        return stub_reply(c, 401, "Retry-After: 60\r\n", "{}");
    default:
        return stub_reply(c, 200, "", "{}");
    }
}

/* CB-34: while the upstream wants a pause there are no requests */
START_TEST(retry_after_closes_the_pool)
{
    struct got g;

    fetch_fx.stub = stub_start(limited, NULL);
    atomic_store(&server_says, 1);
    g = fixture_get(fixture_url("/"));
    ck_assert_uint_eq(g.r.transport, USHER_TRANSPORT_OK);
    ck_assert_int_eq(g.r.status, 429);
    ck_assert_int_eq(g.r.retry_after, 3);
    atomic_store(&server_says, 0);
    for (int i = 0; i < 3; i++) {
        g = fixture_get(fixture_url("/"));
        ck_assert_uint_eq(g.r.transport, USHER_TRANSPORT_LIMITED);
        ck_assert_int_eq(g.r.err.kind, ERR_LIMITED);
        ck_assert_int_ge(g.r.retry_after, 1);
        ck_assert_int_le(g.r.retry_after, 3);
    }
    ck_assert_uint_eq(stub_requests(fetch_fx.stub), 1);
    fixture_ms(3050);
    ck_assert_int_eq(fixture_get(fixture_url("/")).r.status, 200);
}
END_TEST

START_TEST(retry_after_forms)
{
    static const struct {
        int says, status, least, most, then; /* then: what LIMITED tells; 0: the pool stays open */
    } t[] = {{2, 503, 88, 90, 90}, {3, 429, 99999999, 2000000000, 300},
             {4, 429, 1, 1, 1},    {5, 429, -1, -1, 1},
             {6, 503, -1, -1, 0},  {7, 401, 60, 60, 0}};

    fetch_fx.stub = stub_start(limited, NULL);
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        struct got g;

        fixture_pool(&(struct fetch_pool_options){.name = "test"});
        atomic_store(&server_says, t[i].says);
        g = fixture_get(fixture_url("/"));
        ck_assert_int_eq(g.r.status, t[i].status);
        ck_assert_int_ge(g.r.retry_after, t[i].least);
        if (t[i].most < 2000000000)
            ck_assert_int_le(g.r.retry_after, t[i].most);
        g = fixture_get(fixture_url("/"));
        if (t[i].then > 0) {
            ck_assert_uint_eq(g.r.transport, USHER_TRANSPORT_LIMITED);
            ck_assert_int_le(g.r.retry_after, t[i].then);
            ck_assert_int_ge(g.r.retry_after, t[i].then - 3);
        } else {
            ck_assert_uint_eq(g.r.transport, USHER_TRANSPORT_OK);
        }
    }
}
END_TEST

START_TEST(calls_wait_for_room_in_order)
{
    struct got g[6] = {0};
    unsigned limited_n = 0;

    fixture_pool(
        &(struct fetch_pool_options){.name = "small", .max_in_flight = 2, .total_ms = 5000});
    fetch_fx.stub = stub_start(fixture_slow, NULL);
    for (int i = 0; i < 6; i++)
        fetch_start(fetch_fx.pool, &(struct fetch_request){.url = fixture_url("/")}, fixture_keep,
                    &g[i]);
    fixture_ms(50);
    ck_assert_uint_le(stub_requests(fetch_fx.stub), 2);
    for (int i = 0; i < 6; i++) {
        fixture_until(&g[i].done);
        limited_n += g[i].r.transport == USHER_TRANSPORT_LIMITED;
    }
    ck_assert_uint_eq(limited_n, 2); /* two run, two wait, the rest is told at once */
    ck_assert_uint_eq(g[4].r.transport, USHER_TRANSPORT_LIMITED);
    ck_assert_uint_eq(g[5].r.transport, USHER_TRANSPORT_LIMITED);
    ck_assert_uint_eq(stub_requests(fetch_fx.stub), 4);
}
END_TEST

/* Descriptors of ours that lead to the stub server: requests that have begun. */
static unsigned begun(void)
{
    unsigned n = 0;
    for (int fd = 0; fd < 1024; fd++) {
        struct sockaddr_in sa;
        socklen_t size = sizeof sa;
        if (getpeername(fd, (struct sockaddr *)&sa, &size) == 0 && sa.sin_family == AF_INET &&
            ntohs(sa.sin_port) == stub_port(fetch_fx.stub))
            n++;
    }
    return n;
}

/* However many are asked for at once, a few begin in a round, of each pool in turn; all end well.
 */
START_TEST(a_crowd_begins_a_few_a_round)
{
    enum { MANY = 40, STARTS = 8 };
    struct got g[MANY] = {0}, other = {0};
    struct fetch_pool *second =
        fetch_pool_new(fetch_fx.fetch, &(struct fetch_pool_options){.name = "second"});
    struct fetch_request rq = {.url = NULL};
    unsigned n = 0;

    fetch_fx.stub = stub_start(fixture_slow, NULL);
    rq.url = fixture_url("/");
    for (int i = 0; i < MANY; i++)
        fetch_start(fetch_fx.pool, &rq, fixture_keep, &g[i]);
    fetch_start(second, &rq, fixture_keep, &other);
    /* In the n-th round no more than n + 1 times so many: some began where they were asked for. */
    for (unsigned round = 1; round < 50 && n < MANY + 1; round++) {
        loop_once(fetch_fx.loop, 10);
        n = begun();
        ck_assert_uint_le(n, STARTS * (round + 1));
    }
    ck_assert_uint_eq(n, MANY + 1); /* each has a connection of its own */
    fixture_until(&other.done);
    ck_assert_uint_eq(other.r.transport, USHER_TRANSPORT_OK);
    for (int i = 0; i < MANY; i++) {
        fixture_until(&g[i].done);
        ck_assert_uint_eq(g[i].r.transport, USHER_TRANSPORT_OK);
    }
    fetch_pool_free(&second);
}
END_TEST

START_TEST(waiting_has_a_deadline_too)
{
    struct got g[2] = {0};

    fixture_pool(&(struct fetch_pool_options){.name = "one", .max_in_flight = 1, .total_ms = 5000});
    fetch_fx.stub = stub_start(fixture_slow, NULL);
    fetch_start(fetch_fx.pool, &(struct fetch_request){.url = fixture_url("/")}, fixture_keep,
                &g[0]);
    fetch_start(fetch_fx.pool, &(struct fetch_request){.url = fixture_url("/"), .total_ms = 100},
                fixture_keep, &g[1]);
    fixture_until(&g[1].done);
    ck_assert_uint_eq(g[1].r.transport, USHER_TRANSPORT_TIMEOUT);
    fixture_until(&g[0].done);
    ck_assert_uint_eq(g[0].r.transport, USHER_TRANSPORT_OK);
    ck_assert_uint_eq(stub_requests(fetch_fx.stub), 1);
}
END_TEST

/* One failure to connect does not hold up the rest while many answers are awaited. */
START_TEST(a_failure_to_connect_does_not_close_the_pool)
{
    enum { N = 100 };
    static struct got g[N + 2];

    memset(g, 0, sizeof g);
    fixture_pool(&(struct fetch_pool_options){.name = "mixed", .total_ms = 60000});
    fetch_fx.stub = stub_start(fixture_slow, NULL);
    for (int i = 0; i < N; i++)
        fetch_start(fetch_fx.pool, &(struct fetch_request){.url = fixture_url("/slower")},
                    fixture_keep, &g[i]);
    for (int i = 0; i < 2000 && stub_requests(fetch_fx.stub) < N; i++)
        fixture_ms(20);
    ck_assert_uint_eq(stub_requests(fetch_fx.stub), N);
    fetch_start(fetch_fx.pool, &(struct fetch_request){.url = "http://127.0.0.1:1/"}, fixture_keep,
                &g[N]);
    fixture_until(&g[N].done);
    ck_assert_uint_eq(g[N].r.transport, USHER_TRANSPORT_UNREACHABLE);
    fetch_start(fetch_fx.pool, &(struct fetch_request){.url = fixture_url("/")}, fixture_keep,
                &g[N + 1]);
    fixture_until(&g[N + 1].done);
    ck_assert_uint_eq(g[N + 1].r.transport, USHER_TRANSPORT_OK);
    for (int i = 0; i < N; i++)
        ck_assert_int_eq(g[i].calls, 0); /* the others: a minute */
}
END_TEST

Suite *suite_fetch_pool(void)
{
    Suite *s = suite_create("fetch_pool");
    TCase *t = tcase_create("fetch_pool");

    tcase_add_checked_fixture(t, fixture_setup, fixture_teardown);
    tcase_add_test(t, retry_after_closes_the_pool);
    tcase_add_test(t, retry_after_forms);
    tcase_add_test(t, calls_wait_for_room_in_order);
    tcase_add_test(t, a_crowd_begins_a_few_a_round);
    tcase_add_test(t, waiting_has_a_deadline_too);
    tcase_add_test(t, a_failure_to_connect_does_not_close_the_pool);
    suite_add_tcase(s, t);
    return s;
}
