/* SPDX-License-Identifier: Apache-2.0 */
#include "session/recall.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "session/load.h"
#include "store/session_row.h"
#include "store_fixture.h"
#include "sys/clock.h"

#define IDLE 3600
#define DAY 86400

static struct store_fixture sx;
static struct loop *loop;
static struct metrics *metrics;
static struct sessions *sessions;
static struct recall *recall;
static struct load *load;
static int64_t started;

struct person {
    char token[44], subject[16], account[40];
    unsigned char hash[32];
};

/* What came of asking. */
static unsigned known, unknown;

static int64_t now(void)
{
    return wall_seconds(clock_wall());
}

static void setup_of(size_t max)
{
    struct err err = ERR_INIT;
    const struct sessions_options o = {
        .idle_seconds = IDLE, .absolute_seconds = DAY, .max = max, .max_per_account = 100};
    store_fixture_open(&sx);
    loop = loop_new(&err);
    metrics = metrics_new();
    sessions = sessions_new(&o);
    recall = recall_new(loop, sx.store, sessions, metrics);
    started = now();
}

static void setup(void)
{
    setup_of(1000);
    sessions_loading(sessions); /* nothing is there yet */
}

static void setup_small(void)
{
    setup_of(10);
}

static void setup_large(void)
{
    setup_of(2000);
}

static void teardown(void)
{
    clock_set_fake(NULL);
    load_free(&load);
    recall_free(&recall);
    ck_assert_ptr_null(recall);
    store_fixture_close(&sx);
    sessions_free(&sessions);
    metrics_free(&metrics);
    loop_free(&loop);
}

static void have(struct person *p, int number)
{
    snprintf(p->subject, sizeof p->subject, "%d", number);
    store_fixture_session(&sx, p->subject, started - 10, started + DAY, p->token);
    session_token_hash(str_of(p->token), p->hash);
}

static int read_account(struct db *db, void *arg, struct err *err)
{
    struct person *p = arg;
    struct arena *a = arena_new();
    struct session_row row;
    const int found = session_row_get(db, p->hash, a, &row, err);
    if (found == 1)
        snprintf(p->account, sizeof p->account, "%s", row.account);
    arena_free(&a);
    return found == 1 ? 0 : -1;
}

static void account_of(struct person *p)
{
    struct err err = ERR_INIT;
    ck_assert_int_eq(store_read_now(sx.store, read_account, p, &err), STORE_DONE);
}

static void stranger(struct person *p)
{
    session_token_make(p->token, p->hash);
}

static void on_done(void *arg, bool is_known)
{
    (void)arg;
    *(is_known ? &known : &unknown) += 1;
}

static enum recall_answer ask(const struct person *p)
{
    return recall_ask(recall, p->hash, on_done, NULL);
}

static void wait_for(unsigned n)
{
    for (int i = 0; i < 10000 && known + unknown < n; i++)
        loop_once(loop, 1);
    ck_assert_uint_eq(known + unknown, n);
}

static bool lives(const struct person *p)
{
    struct session_view v;
    return sessions_check(sessions, str_of(p->token), now(), &v) == 1;
}

static int64_t counted(const char *outcome)
{
    static const struct metric metric = {
        .name = "usher_session_recalls_total", .type = METRIC_COUNTER, .labels = {"outcome"}};
    return metric_value(metrics_series(metrics, &metric, outcome, NULL, NULL));
}

START_TEST(what_the_store_knows_comes_back)
{
    struct person p;
    struct session_view v;
    have(&p, 1);
    ck_assert(!lives(&p));
    ck_assert_int_eq(ask(&p), RECALL_WAIT);
    ck_assert_uint_eq(known, 0); /* never before it returns */
    wait_for(1);
    ck_assert_uint_eq(known, 1);
    ck_assert_int_eq(sessions_check(sessions, str_of(p.token), now(), &v), 1);
    ck_assert_int_eq(v.ends, started - 10 + DAY);
    ck_assert_int_eq(ask(&p), RECALL_KNOWN);
}
END_TEST

START_TEST(guesses_cost_the_store_one_look)
{
    struct person p;
    stranger(&p);
    ck_assert_int_eq(ask(&p), RECALL_WAIT);
    wait_for(1);
    ck_assert_uint_eq(known, 1);
    ck_assert(!lives(&p));
    for (int i = 0; i < 100; i++)
        ck_assert_int_eq(ask(&p), RECALL_KNOWN);
    ck_assert_int_eq(counted("nobody"), 1);
    struct clock_fake later = {{clock_mono().ns + 11 * (int64_t)1000000000}, clock_wall()};
    clock_set_fake(&later);
    loop_once(loop, 0);
    ck_assert_int_eq(ask(&p), RECALL_WAIT); /* not for ever */
    clock_set_fake(NULL);
    wait_for(2);
}
END_TEST

START_TEST(many_who_ask_for_one_are_one_look)
{
    struct person p;
    have(&p, 1);
    for (int i = 0; i < 500; i++)
        ck_assert_int_eq(ask(&p), RECALL_WAIT);
    wait_for(500);
    ck_assert_uint_eq(known, 500);
    ck_assert_int_eq(counted("found"), 1);
}
END_TEST

START_TEST(many_at_once)
{
    enum { MANY = 300 };
    static struct person p[MANY], q[MANY];
    for (int i = 0; i < MANY; i++) {
        have(&p[i], i);
        stranger(&q[i]);
    }
    for (int i = 0; i < MANY; i++) {
        ck_assert_int_eq(ask(&p[i]), RECALL_WAIT);
        ck_assert_int_eq(ask(&q[i]), RECALL_WAIT);
    }
    wait_for(2 * MANY);
    ck_assert_uint_eq(unknown, 0);
    for (int i = 0; i < MANY; i++)
        ck_assert(lives(&p[i]) && !lives(&q[i]));
    ck_assert_int_eq(counted("found"), MANY);
    ck_assert_int_eq(counted("nobody"), MANY);
}
END_TEST

START_TEST(a_complete_table_asks_nobody)
{
    struct person p;
    have(&p, 1);
    sessions_loaded(sessions);
    ck_assert_int_eq(ask(&p), RECALL_KNOWN);
    ck_assert(!lives(&p));
    loop_once(loop, 0);
    ck_assert_int_eq(counted("found") + counted("nobody") + counted("unknown"), 0);
}
END_TEST

static int end_row(struct db *db, void *arg, struct err *err)
{
    const struct person *p = arg;
    return session_row_end(db, p->hash, err) < 0 ? -1 : 0;
}

/* Signed out while the row is on its way, memory first: whenever it was read, it stays outside. */
START_TEST(signed_out_while_it_is_read)
{
    struct person p;
    have(&p, 1);
    ck_assert_int_eq(ask(&p), RECALL_WAIT);
    sessions_end(sessions, p.hash);
    wait_for(1);
    ck_assert_uint_eq(known, 1);
    ck_assert(!lives(&p));
}
END_TEST

/* "End all of this account": the store first, then memory. */
START_TEST(all_ended_while_it_is_read)
{
    struct err err = ERR_INIT;
    struct person p;
    have(&p, 1);
    account_of(&p);
    ck_assert_int_eq(ask(&p), RECALL_WAIT);
    ck_assert_int_eq(store_write_now(sx.store, end_row, &p, &err), STORE_DONE);
    sessions_end_account(sessions, p.account);
    wait_for(1);
    ck_assert_uint_eq(known, 1);
    ck_assert(!lives(&p));
}
END_TEST

/* SESS-28: a store that fails signs nobody out. */
START_TEST(a_failing_store_is_no_answer)
{
    struct person p;
    have(&p, 1);
    store_fixture_sql(&sx, "ALTER TABLE session RENAME TO elsewhere");
    ck_assert_int_eq(ask(&p), RECALL_WAIT);
    wait_for(1);
    ck_assert_uint_eq(unknown, 1);
    store_fixture_sql(&sx, "ALTER TABLE elsewhere RENAME TO session");
    ck_assert_int_eq(ask(&p), RECALL_WAIT); /* and it was not remembered as nobody's */
    wait_for(2);
    ck_assert_uint_eq(known, 1);
    ck_assert(lives(&p));
}
END_TEST

/* DB-10: a store that takes nothing: whoever asks waits for some seconds, not for ever. */
START_TEST(patience_ends)
{
    struct person p;
    have(&p, 1);
    store_stop(sx.store);
    ck_assert_int_eq(ask(&p), RECALL_WAIT);
    for (int i = 0; i < 4; i++) {
        struct clock_fake f = {{clock_mono().ns + 1000000000}, clock_wall()};
        clock_set_fake(&f);
        loop_once(loop, 0);
        ck_assert_uint_eq(unknown, 0);
    }
    for (int i = 0; i < 3; i++) {
        struct clock_fake f = {{clock_mono().ns + 1000000000}, clock_wall()};
        clock_set_fake(&f);
        loop_once(loop, 0);
    }
    ck_assert_uint_eq(unknown, 1);
    ck_assert_uint_eq(known, 0);
}
END_TEST

/* ... and however many others come meanwhile. */
START_TEST(patience_ends_among_many)
{
    struct person p;
    have(&p, 1);
    store_stop(sx.store);
    for (int i = 0; i < 14; i++) {
        struct clock_fake f = {{clock_mono().ns + 500000000}, clock_wall()};
        ck_assert_int_eq(ask(&p), RECALL_WAIT);
        stranger(&p);
        clock_set_fake(&f);
        loop_once(loop, 0);
        ck_assert(unknown == 0 || i >= 9);
    }
    ck_assert_uint_ge(unknown, 1);
    ck_assert_uint_le(unknown, 5);
    ck_assert_uint_eq(known, 0);
}
END_TEST

/* What is looked up for nobody takes no room, or guesses would pile up while the store is away. */
START_TEST(what_nobody_waits_for_is_forgotten)
{
    struct person p[3];
    store_stop(sx.store);
    for (size_t i = 0; i < 3; i++) {
        struct clock_fake f = {{clock_mono().ns + 2000000000}, clock_wall()};
        clock_set_fake(&f);
        stranger(&p[i]);
        ck_assert_int_eq(ask(&p[i]), RECALL_WAIT);
        loop_once(loop, 0);
    }
    struct clock_fake f = {{clock_mono().ns + 2000000000}, clock_wall()};
    clock_set_fake(&f);
    loop_once(loop, 0);
    loop_once(loop, 0);
    ck_assert(unknown > 0 && unknown < 3); /* those who came first */
    ck_assert_int_eq(counted("unknown"), unknown);
    recall_free(&recall); /* each that is still wanted is counted */
    ck_assert_uint_eq(unknown, 3);
    ck_assert_int_eq(counted("unknown"), 3);
}
END_TEST

START_TEST(only_so_many_wait)
{
    struct person p;
    have(&p, 1);
    store_stop(sx.store);
    for (int i = 0; i < RECALL_WAITING_MAX; i++) {
        if (i % 2)
            stranger(&p);
        ck_assert_int_eq(ask(&p), RECALL_WAIT);
    }
    ck_assert_int_eq(ask(&p), RECALL_UNKNOWN);
    ck_assert_uint_eq(known + unknown, 0);
    recall_free(&recall); /* at the end all of them are answered */
    ck_assert_uint_eq(unknown, RECALL_WAITING_MAX);
    ck_assert_uint_eq(known, 0);
}
END_TEST

START_TEST(freed_while_the_store_reads)
{
    struct person p;
    have(&p, 1);
    ck_assert_int_eq(ask(&p), RECALL_WAIT);
    recall_free(&recall);
    ck_assert_uint_eq(unknown, 1);
    store_stop(sx.store);
    loop_once(loop, 0);
    ck_assert_uint_eq(known + unknown, 1);
}
END_TEST

/* ---- loading ---- */

static void start_load(void)
{
    load = load_start(loop, sx.store, sessions, IDLE);
    ck_assert(!load_done(load));
}

static void wait_loaded(void)
{
    for (int i = 0; i < 10000 && !load_done(load); i++)
        loop_once(loop, 1);
    ck_assert(load_done(load));
}

START_TEST(all_slices_are_loaded)
{
    enum { MANY = 300 };
    static struct person p[MANY];
    for (int i = 0; i < MANY; i++)
        have(&p[i], i);
    start_load();
    ck_assert_uint_eq(sessions_count(sessions), 0); /* a start does not wait for it */
    wait_loaded();
    ck_assert(sessions_complete(sessions));
    ck_assert_uint_eq(sessions_count(sessions), MANY);
    for (int i = 0; i < MANY; i++)
        ck_assert(lives(&p[i]));
}
END_TEST

/* Asked for before its slice came. */
START_TEST(who_comes_meanwhile_is_recalled)
{
    enum { MANY = 300 };
    static struct person p[MANY];
    for (int i = 0; i < MANY; i++)
        have(&p[i], i);
    start_load();
    for (int i = 0; i < MANY; i++)
        ck_assert_int_eq(ask(&p[i]), RECALL_WAIT);
    wait_for(MANY);
    wait_loaded();
    ck_assert_uint_eq(known, MANY);
    ck_assert_uint_eq(sessions_count(sessions), MANY);
    ck_assert(sessions_complete(sessions));
}
END_TEST

/* More than fit: memory holds what it can, and everybody is still signed in. */
START_TEST(more_rows_than_memory)
{
    enum { MANY = 40 };
    static struct person p[MANY];
    for (int i = 0; i < MANY; i++)
        have(&p[i], i);
    start_load();
    wait_loaded();
    ck_assert_uint_eq(sessions_count(sessions), 10);
    ck_assert(!sessions_complete(sessions));
    for (unsigned round = 0, asked = 0; round < 3; round++) {
        for (int i = 0; i < MANY; i++) {
            if (ask(&p[i]) == RECALL_WAIT)
                wait_for(++asked);
            ck_assert(sessions_has(sessions, p[i].hash));
        }
    }
    ck_assert_uint_eq(unknown, 0);
    ck_assert_uint_eq(sessions_count(sessions), 10);
    ck_assert_int_eq(store_fixture_number(&sx, "SELECT count(*) FROM session"), MANY);
}
END_TEST

/* A slice that was read before all sessions of an account ended is read again. */
START_TEST(an_account_ended_while_its_slice_is_read)
{
    struct err err = ERR_INIT;
    struct person p[3];
    for (int i = 0; i < 3; i++)
        have(&p[i], i);
    account_of(&p[1]);
    start_load();
    ck_assert_int_eq(store_write_now(sx.store, end_row, &p[1], &err), STORE_DONE);
    sessions_end_account(sessions, p[1].account);
    wait_loaded();
    ck_assert(lives(&p[0]) && !lives(&p[1]) && lives(&p[2]));
    ck_assert(sessions_complete(sessions));
}
END_TEST

START_TEST(a_store_that_fails_is_asked_again)
{
    struct person p;
    have(&p, 1);
    store_fixture_sql(&sx, "ALTER TABLE session RENAME TO elsewhere");
    start_load();
    for (int i = 0; i < 50; i++)
        loop_once(loop, 1);
    ck_assert(!load_done(load) && !sessions_complete(sessions));
    store_fixture_sql(&sx, "ALTER TABLE elsewhere RENAME TO session");
    wait_loaded();
    ck_assert(lives(&p));
}
END_TEST

START_TEST(a_broken_row_is_no_reason_for_the_others)
{
    struct person p[3];
    for (int i = 0; i < 3; i++)
        have(&p[i], i);
    store_fixture_sql(&sx, "UPDATE session SET group_names = '{' WHERE subject = '1'");
    start_load();
    wait_loaded();
    ck_assert(lives(&p[0]) && !lives(&p[1]) && lives(&p[2]));
    ck_assert(sessions_complete(sessions));
}
END_TEST

START_TEST(freed_in_the_middle)
{
    enum { MANY = 300 };
    static struct person p[MANY];
    for (int i = 0; i < MANY; i++)
        have(&p[i], i);
    start_load();
    load_free(&load);
    store_stop(sx.store);
    loop_once(loop, 0);
    ck_assert(!sessions_complete(sessions));
}
END_TEST

Suite *suite_recall(void);
Suite *suite_recall(void)
{
    Suite *s = suite_create("recall");
    TCase *t = tcase_create("recall");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, what_the_store_knows_comes_back);
    tcase_add_test(t, guesses_cost_the_store_one_look);
    tcase_add_test(t, many_who_ask_for_one_are_one_look);
    tcase_add_test(t, many_at_once);
    tcase_add_test(t, a_complete_table_asks_nobody);
    tcase_add_test(t, signed_out_while_it_is_read);
    tcase_add_test(t, all_ended_while_it_is_read);
    tcase_add_test(t, a_failing_store_is_no_answer);
    tcase_add_test(t, patience_ends);
    tcase_add_test(t, patience_ends_among_many);
    tcase_add_test(t, what_nobody_waits_for_is_forgotten);
    tcase_add_test(t, only_so_many_wait);
    tcase_add_test(t, freed_while_the_store_reads);
    suite_add_tcase(s, t);
    t = tcase_create("load");
    tcase_add_checked_fixture(t, setup_large, teardown);
    tcase_add_test(t, all_slices_are_loaded);
    tcase_add_test(t, who_comes_meanwhile_is_recalled);
    tcase_add_test(t, an_account_ended_while_its_slice_is_read);
    tcase_add_test(t, a_store_that_fails_is_asked_again);
    tcase_add_test(t, a_broken_row_is_no_reason_for_the_others);
    tcase_add_test(t, freed_in_the_middle);
    suite_add_tcase(s, t);
    t = tcase_create("small");
    tcase_add_checked_fixture(t, setup_small, teardown);
    tcase_add_test(t, more_rows_than_memory);
    suite_add_tcase(s, t);
    return s;
}
