/* SPDX-License-Identifier: Apache-2.0 */
#include "main/keep.h"

#include <stdio.h>

#include "store/spent.h"
#include "store_fixture.h"

#define IDLE 3600
#define DAY 86400

static struct store_fixture sx;
static struct loop *loop;
static struct sessions *sessions;
static struct keep *keep;
static int64_t started;

static int64_t now(void) { return wall_seconds(clock_wall()); }

static void open_table(void)
{
    const struct sessions_options o = {
        .idle_seconds = IDLE, .absolute_seconds = DAY, .max = 1000, .max_per_account = 3};
    sessions = sessions_new(&o);
    keep = keep_new(loop, sx.store, sessions, IDLE);
}

static void setup(void)
{
    struct err err = ERR_INIT;
    store_fixture_open(&sx);
    loop = loop_new(&err);
    open_table();
    started = now();
}

static void teardown(void)
{
    clock_set_fake(NULL);
    keep_free(&keep);
    ck_assert_ptr_null(keep);
    store_fixture_close(&sx);
    sessions_free(&sessions);
    loop_free(&loop);
}

/* So many seconds of housekeeping, one step a second. */
static void run_seconds(int n)
{
    while (n-- > 0) {
        struct clock_fake f = {{clock_mono().ns + 1000000000}, {clock_wall().us + 1000000}};
        clock_set_fake(&f);
        loop_once(loop, 0);
        store_fixture_number(&sx, "SELECT 1"); /* what was queued is done */
        store_fixture_number(&sx, "SELECT 1"); /* and answered, if it was in one batch with that */
        loop_once(loop, 0);
    }
}

/* Housekeeping begins, and first of all the rows come. */
static void load(void)
{
    keep_start(keep);
    ck_assert(!sessions_complete(sessions));
    for (int i = 0; i < 10000 && !sessions_complete(sessions); i++)
        loop_once(loop, 1);
    ck_assert(sessions_complete(sessions));
}

static bool lives(const char *token)
{
    struct session_view v;
    return sessions_check(sessions, str_of(token), now(), &v) == 1;
}

START_TEST(live_sessions_are_loaded)
{
    char live[44], ended[44], idle[44];
    store_fixture_session(&sx, "1", started - 10, started + DAY, live);
    store_fixture_session(&sx, "2", started - 100, started - 1, ended);
    store_fixture_session(&sx, "3", started - IDLE - 1, started + DAY, idle);
    load();
    ck_assert_uint_eq(sessions_count(sessions), 1);
    ck_assert(lives(live));
    ck_assert(!lives(ended) && !lives(idle));
}
END_TEST

/* More rows of one account than it may have. */
START_TEST(rows_that_are_too_many_are_left_out)
{
    char token[44], other[44];
    for (int i = 0; i < 5; i++) /* three an account is the most, here */
        store_fixture_session(&sx, "1", started - 10, started + DAY, token);
    store_fixture_session(&sx, "2", started - 10, started + DAY, other);
    load();
    ck_assert_uint_eq(sessions_count(sessions), 4);
    ck_assert(lives(other));
    ck_assert_int_eq(store_fixture_number(&sx, "SELECT count(*) FROM session"), 6);
}
END_TEST

START_TEST(seen_is_written_once_a_minute)
{
    char token[44];
    store_fixture_session(&sx, "1", started - 10, started + DAY, token);
    load();
    ck_assert(lives(token));
    run_seconds(58);
    ck_assert_int_eq(store_fixture_number(&sx, "SELECT seen FROM session"), started - 10);
    run_seconds(3);
    ck_assert_int_ge(store_fixture_number(&sx, "SELECT seen FROM session"), started);
}
END_TEST

START_TEST(seen_is_written_at_the_end)
{
    char token[44];
    store_fixture_session(&sx, "1", started - 10, started + DAY, token);
    load();
    ck_assert(lives(token));
    keep_free(&keep);
    ck_assert_int_ge(store_fixture_number(&sx, "SELECT seen FROM session"), started);
}
END_TEST

START_TEST(what_expired_goes_from_memory_and_store)
{
    char a[44], b[44];
    store_fixture_session(&sx, "1", started - 10, started + 20, a);
    store_fixture_session(&sx, "2", started - 10, started + DAY, b);
    load();
    run_seconds(19);
    ck_assert_uint_eq(sessions_count(sessions), 2);
    run_seconds(15);
    ck_assert_uint_eq(sessions_count(sessions), 1);
    run_seconds(1024 - 15); /* a 256th of the table every four seconds */
    ck_assert_int_eq(store_fixture_number(&sx, "SELECT count(*) FROM session"), 1);
    ck_assert_uint_eq(sessions_count(sessions), 1);
}
END_TEST

/* A slice with more expired rows than may go at once is swept until it is clean; the others wait
 * for their turn all the same. */
START_TEST(a_full_slice_is_swept_to_the_end)
{
    char token[44];
    store_fixture_session(&sx, "1", started - 10, started - 1, token);
    store_fixture_sql(
        &sx, "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1200) "
             "INSERT INTO session (hash, id, account, provider, subject, email_evidence, created, "
             "seen, ends) SELECT CAST(char(1 + i / 1200) || printf('%031d', i) AS BLOB), 'x', "
             "account, provider, subject, email_evidence, created, seen, ends "
             "FROM n, session LIMIT 1200");
    store_fixture_sql(&sx, "DELETE FROM session WHERE id <> 'x'");
    keep_start(keep);
    run_seconds(6); /* slice 0, which is empty, then 500 of slice 1 */
    ck_assert_int_eq(store_fixture_number(&sx, "SELECT count(*) FROM session"), 700);
    run_seconds(1);
    ck_assert_int_eq(store_fixture_number(&sx, "SELECT count(*) FROM session"), 200);
    run_seconds(2);
    ck_assert_int_eq(store_fixture_number(&sx, "SELECT count(*) FROM session"), 1);
    run_seconds(8);
    ck_assert_int_eq(store_fixture_number(&sx, "SELECT count(*) FROM session"), 0);
}
END_TEST

struct many {
    int n;
    int64_t expires;
};

static int spend_many(struct db *db, void *arg, struct err *err)
{
    const struct many *m = arg;
    unsigned char flow[16] = {0};
    for (int i = 0; i < m->n; i++) {
        memcpy(flow, &i, sizeof i);
        if (spent_add(db, flow, m->expires, err) != 1)
            return -1;
    }
    return 0;
}

/* More expired rows than one sweep takes: the next ones follow at once, not in their turn, or a
 * busy house would never catch up. */
START_TEST(sweeps_catch_up)
{
    struct err err = ERR_INIT;
    struct many m = {9000, started - 1};
    ck_assert_int_eq(store_write_now(sx.store, spend_many, &m, &err), STORE_DONE);
    keep_start(keep);
    run_seconds(1);
    ck_assert_int_eq(store_fixture_number(&sx, "SELECT count(*) FROM spent"), 9000);
    run_seconds(1);
    ck_assert_int_eq(store_fixture_number(&sx, "SELECT count(*) FROM spent"), 5000);
    run_seconds(2);
    ck_assert_int_eq(store_fixture_number(&sx, "SELECT count(*) FROM spent"), 0);
}
END_TEST

/* A sweep that is still queued when the keep goes. */
START_TEST(freed_with_a_sweep_under_way)
{
    keep_start(keep);
    store_fixture_stall(&sx);
    for (int i = 0; i < 31; i++) {
        struct clock_fake f = {{clock_mono().ns + 1000000000}, {clock_wall().us + 1000000}};
        clock_set_fake(&f);
        loop_once(loop, 0);
    }
    struct store_stats st;
    store_get_stats(sx.store, &st);
    ck_assert_uint_gt(st.queued, 0);
    keep_free(&keep);
    store_fixture_go_on(&sx);
    store_stop(sx.store);
    loop_once(loop, 0);
}
END_TEST

START_TEST(a_full_queue_puts_things_off)
{
    char token[44];
    store_fixture_session(&sx, "1", started - 10, started + 20, token);
    load();
    ck_assert(lives(token));
    store_fixture_fill(&sx);
    for (int i = 0; i < 65; i++) {
        struct clock_fake f = {{clock_mono().ns + 1000000000}, {clock_wall().us + 1000000}};
        clock_set_fake(&f);
        loop_once(loop, 0);
    }
    store_fixture_go_on(&sx);
    run_seconds(1024);
    ck_assert_int_eq(store_fixture_number(&sx, "SELECT count(*) FROM session"), 0);
}
END_TEST

Suite *suite_keep(void);
Suite *suite_keep(void)
{
    Suite *s = suite_create("keep");
    TCase *tc = tcase_create("keep");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, live_sessions_are_loaded);
    tcase_add_test(tc, rows_that_are_too_many_are_left_out);
    tcase_add_test(tc, seen_is_written_once_a_minute);
    tcase_add_test(tc, seen_is_written_at_the_end);
    tcase_add_test(tc, what_expired_goes_from_memory_and_store);
    tcase_add_test(tc, a_full_slice_is_swept_to_the_end);
    tcase_add_test(tc, sweeps_catch_up);
    tcase_add_test(tc, freed_with_a_sweep_under_way);
    tcase_add_test(tc, a_full_queue_puts_things_off);
    suite_add_tcase(s, tc);
    return s;
}
