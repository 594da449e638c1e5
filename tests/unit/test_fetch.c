/* SPDX-License-Identifier: Apache-2.0 */
/* A thousand at once, cancelling, and callbacks that do as they like. */
#include <stdatomic.h>
#include <sys/resource.h>

#include "fetch_fixture.h"
#include "net/fetch_parts.h"

Suite *suite_fetch(void);

START_TEST(a_thousand_at_once)
{
    enum { N = 1000 };
    static struct got g[N];
    struct rlimit files;

    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    fixture_pool(
        &(struct fetch_pool_options){.name = "many", .total_ms = 30000, .connect_ms = 20000});
    fetch_fx.stub = stub_start(fixture_slow, NULL);
    memset(g, 0, sizeof g);
    for (int i = 0; i < N; i++)
        fetch_start(fetch_fx.pool, &(struct fetch_request){.url = fixture_url("/")}, fixture_keep,
                    &g[i]);
    for (int i = 0; i < N; i++) { /* one after the other they would take 300 s */
        fixture_until(&g[i].done);
        ck_assert_msg(g[i].r.transport == USHER_TRANSPORT_OK, "%d: %s", i, g[i].r.err.text);
        ck_assert_uint_eq(g[i].calls, 1);
    }
    ck_assert_uint_eq(stub_requests(fetch_fx.stub), N);
}
END_TEST

START_TEST(cancelled_calls_never_call_back)
{
    struct got g[4] = {0};
    struct fetch_call *c[4];

    fixture_pool(&(struct fetch_pool_options){.name = "one", .max_in_flight = 1});
    fetch_fx.stub = stub_start(fixture_slow, NULL);
    c[0] = fetch_start(fetch_fx.pool, &(struct fetch_request){.url = fixture_url("/active")},
                       fixture_keep, &g[0]);
    c[1] = fetch_start(fetch_fx.pool, &(struct fetch_request){.url = fixture_url("/waiting")},
                       fixture_keep, &g[1]);
    c[2] =
        fetch_start(fetch_fx.pool, &(struct fetch_request){.url = "nonsense"}, fixture_keep, &g[2]);
    fixture_ms(50);
    ck_assert(g[2].done);
    c[2] = fetch_start(fetch_fx.pool, &(struct fetch_request){.url = "nonsense"}, fixture_keep,
                       &g[3]); /* ready */
    for (int i = 0; i < 3; i++) {
        fetch_cancel(&c[i]);
        ck_assert_ptr_null(c[i]);
    }
    fixture_ms(500);
    ck_assert(!g[0].done && !g[1].done && !g[3].done);
    c[0] = fetch_start(fetch_fx.pool, &(struct fetch_request){.url = fixture_url("/after")},
                       fixture_keep, &g[0]);
    fixture_until(&g[0].done);
    ck_assert_int_eq(g[0].r.status, 200);
}
END_TEST

START_TEST(cancelling_makes_room)
{
    struct got g[2] = {0};
    struct fetch_call *c;

    fixture_pool(&(struct fetch_pool_options){.name = "one", .max_in_flight = 1});
    fetch_fx.stub = stub_start(fixture_slow, NULL);
    c = fetch_start(fetch_fx.pool, &(struct fetch_request){.url = fixture_url("/")}, fixture_keep,
                    &g[0]);
    fetch_start(fetch_fx.pool, &(struct fetch_request){.url = fixture_url("/")}, fixture_keep,
                &g[1]);
    fetch_cancel(&c);
    fixture_until(&g[1].done);
    ck_assert_uint_eq(g[1].r.transport, USHER_TRANSPORT_OK);
}
END_TEST

/* Keeps the connection, it says, and ends it. */
static bool fixture_once(struct stub_conn *c, const struct stub_request *rq, void *arg)
{
    (void)rq, (void)arg;
    (void)stub_reply(c, 200, "Content-Type: application/json\r\n", "{}");
    stub_wait(c, 50);
    return false;
}

static struct fetch_call *chain[3];
static struct got chain_got[3];

/* A callback that cancels itself and another, frees the pool, and asks again elsewhere. */
static void chain_done(void *arg, const struct fetch_result *r)
{
    fixture_keep(arg, r);
    fetch_cancel(&chain[0]);
    fetch_cancel(&chain[1]);
    chain[2] = fetch_start(fetch_fx.pool, &(struct fetch_request){.url = fixture_url("/")},
                           fixture_keep, &chain_got[2]);
    fetch_pool_free(&fetch_fx.pool);
}

START_TEST(callbacks_may_do_as_they_like)
{
    memset(chain_got, 0, sizeof chain_got);
    fetch_fx.stub = stub_start(fixture_slow, NULL);
    chain[0] = fetch_start(fetch_fx.pool, &(struct fetch_request){.url = fixture_url("/")},
                           chain_done, &chain_got[0]);
    chain[1] = fetch_start(fetch_fx.pool, &(struct fetch_request){.url = fixture_url("/slower")},
                           fixture_keep, &chain_got[1]);
    fixture_until(&chain_got[2].done);
    ck_assert(chain_got[0].done);
    ck_assert(!chain_got[1].done);
    ck_assert_uint_eq(chain_got[2].r.transport, USHER_TRANSPORT_OK);
}
END_TEST

START_TEST(free_cancels_what_is_under_way)
{
    struct got g[3] = {0};

    fixture_pool(&(struct fetch_pool_options){.name = "one", .max_in_flight = 1});
    fetch_fx.stub = stub_start(fixture_slow, NULL);
    fetch_start(fetch_fx.pool, &(struct fetch_request){.url = fixture_url("/")}, fixture_keep,
                &g[0]);
    fetch_start(fetch_fx.pool, &(struct fetch_request){.url = fixture_url("/")}, fixture_keep,
                &g[1]);
    fetch_start(fetch_fx.pool, &(struct fetch_request){.url = "nonsense"}, fixture_keep, &g[2]);
    loop_once(fetch_fx.loop, 20);
    g[2].done = false;
    fetch_start(fetch_fx.pool, &(struct fetch_request){.url = "nonsense"}, fixture_keep, &g[2]);
    fetch_free(&fetch_fx.fetch);
    fixture_ms(50);
    ck_assert(!g[0].done && !g[1].done && !g[2].done);
}
END_TEST

static const struct fetch_socket *parked(void)
{
    const struct fetch_socket *found = NULL;
    for (size_t i = 0; i < fetch_fx.fetch->n_sockets; i++)
        if (fetch_fx.fetch->sockets[i].parked) {
            ck_assert_ptr_null(found);
            found = &fetch_fx.fetch->sockets[i];
        }
    return found;
}

START_TEST(a_kept_connection_stays_watched)
{
    fetch_fx.stub = stub_start(fixture_echo, NULL);
    ck_assert_int_eq(fixture_get(fixture_url("/1")).r.status, 200);
    ck_assert_ptr_nonnull(parked());
    const struct loop_watch *w = parked()->watch;
    ck_assert_ptr_nonnull(w);
    for (int i = 0; i < 5; i++) {
        ck_assert_int_eq(fixture_get(fixture_url("/2")).r.status, 200);
        ck_assert_ptr_nonnull(parked());
        ck_assert_ptr_eq(parked()->watch, w);
    }
    ck_assert_uint_eq(stub_connections(fetch_fx.stub), 1);
}
END_TEST

/* The end of a connection that nobody uses does not keep the loop awake, and whoever gets its
 * number next is watched like anybody else. */
START_TEST(a_kept_connection_that_ends)
{
    fetch_fx.stub = stub_start(fixture_once, NULL);
    for (int i = 1; i <= 3; i++) {
        ck_assert_int_eq(fixture_get(fixture_url("/")).r.status, 200);
        ck_assert_ptr_nonnull(parked());
        for (int rounds = 0; parked()->watch && rounds < 500; rounds++)
            loop_once(fetch_fx.loop, 20);
        ck_assert_ptr_null(parked()->watch);
        ck_assert_uint_eq(stub_connections(fetch_fx.stub), (unsigned)i);
    }
}
END_TEST

enum { CROWD = 500 };

/* Nobody is answered before all have asked, so each has a connection of its own. */
static bool once_all_asked(struct stub_conn *c, const struct stub_request *rq, void *arg)
{
    atomic_uint *asked = arg;

    (void)rq;
    atomic_fetch_add(asked, 1);
    for (int i = 0; i < 2500 && atomic_load(asked) < CROWD; i++)
        stub_wait(c, 20);
    return stub_reply(c, 200, "", "{}");
}

/* After a crowd, few of its connections stay. */
START_TEST(connections_are_kept_within_reason)
{
    enum { N = CROWD };
    static struct got g[N];
    static atomic_uint asked;
    unsigned left = 0;

    fixture_pool(
        &(struct fetch_pool_options){.name = "many", .total_ms = 60000, .connect_ms = 20000});
    atomic_store(&asked, 0);
    fetch_fx.stub = stub_start(once_all_asked, &asked);
    memset(g, 0, sizeof g);
    for (int i = 0; i < N; i++)
        fetch_start(fetch_fx.pool, &(struct fetch_request){.url = fixture_url("/")}, fixture_keep,
                    &g[i]);
    for (int i = 0; i < N; i++) {
        fixture_until(&g[i].done);
        ck_assert_int_eq(g[i].r.status, 200);
    }
    ck_assert_uint_eq(fetch_fx.fetch->in_flight, 0);
    for (size_t i = 0; i < fetch_fx.fetch->n_sockets; i++)
        left += fetch_fx.fetch->sockets[i].ours;
    ck_assert_uint_le(left, 256 + 64);
    ck_assert_uint_ge(left, 64);
    ck_assert_uint_eq(stub_connections(fetch_fx.stub), N);
}
END_TEST

START_TEST(missing_certificates_are_told)
{
    struct err err = ERR_INIT;

    ck_assert_ptr_null(
        fetch_new(fetch_fx.loop, &(struct fetch_options){.ca_file = "/nonexistent"}, &err));
    ck_assert_int_eq(err.kind, ERR_MISCONFIGURED);
}
END_TEST

Suite *suite_fetch(void)
{
    Suite *s = suite_create("fetch");
    TCase *t = tcase_create("fetch");

    tcase_add_checked_fixture(t, fixture_setup, fixture_teardown);
    tcase_add_test(t, a_thousand_at_once);
    tcase_add_test(t, cancelled_calls_never_call_back);
    tcase_add_test(t, cancelling_makes_room);
    tcase_add_test(t, callbacks_may_do_as_they_like);
    tcase_add_test(t, free_cancels_what_is_under_way);
    tcase_add_test(t, a_kept_connection_stays_watched);
    tcase_add_test(t, a_kept_connection_that_ends);
    tcase_add_test(t, connections_are_kept_within_reason);
    tcase_add_test(t, missing_certificates_are_told);
    suite_add_tcase(s, t);
    return s;
}
