/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A day of housekeeping, by a clock that is pushed on a second at a time: people sign in, come
 * back, stay away, sign out, are thrown out; the daemon restarts at noon. Each answer is compared
 * with a plain list that knows better; memory, rows, file and descriptors stay as large as they
 * were in the morning (DOS-12, SESS-16, SESS-17, SESS-20, DB-16). Once with room for all, once with
 * more sessions than fit into memory.
 */
#include <check.h>
#include <dirent.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "main/keep.h"
#include "session/recall.h"
#include "store/account.h"
#include "store/session_row.h"
#include "store/spent.h"
#include "store_fixture.h"
#include "sys/clock.h"
#include "sys/random.h"

#define IDLE 3600
#define ABSOLUTE (8 * 3600)
#define HOUR 3600
#define BEGAN 1800000000
#define SIGN_INS 10 /* a minute */
#define CHECKS 2    /* a second */
#define ACCOUNTS 400
#define FLOW_SECONDS 600
#define PEOPLE_MAX (SIGN_INS * 60 * 24)

struct person {
    char token[44], id[24];
    unsigned char hash[32];
    int64_t created, seen;
    bool ended;
};

static struct store_fixture sx;
static struct loop *loop;
static struct metrics *metrics;
static struct sessions *sessions;
static struct recall *recall;
static struct keep *keep;
static struct person people[PEOPLE_MAX];
static size_t n_people;
static char accounts[ACCOUNTS][40];
static size_t room;
static bool answered, known;
static uint64_t dice = 88172645463325252u; /* the same day each time */

static uint64_t roll(uint64_t below)
{
    dice ^= dice << 13;
    dice ^= dice >> 7;
    dice ^= dice << 17;
    return dice % below;
}

static int64_t now(void)
{
    return wall_seconds(clock_wall());
}

/* ---- the store's part ---- */

static int make_accounts(struct db *db, void *arg, struct err *err)
{
    (void)arg;
    for (int i = 0; i < ACCOUNTS; i++) {
        char subject[16];
        struct account account;
        snprintf(subject, sizeof subject, "%d", i);
        const struct account_profile p = {.provider = "fake", .subject = subject, .name = "Ada"};
        if (account_sign_in(db, &p, BEGAN, &account, err) != 0)
            return -1;
        snprintf(accounts[i], sizeof accounts[i], "%s", account.id);
    }
    return 0;
}

static struct session_row row_of(const struct person *p)
{
    struct session_row row = {.id = p->id,
                              .account = accounts[(size_t)(p - people) % ACCOUNTS],
                              .provider = "fake",
                              .subject = "1",
                              .name = "Ada",
                              .email = "ada@a.example",
                              .created = p->created,
                              .seen = p->created,
                              .ends = p->created + ABSOLUTE};
    memcpy(row.hash, p->hash, sizeof row.hash);
    return row;
}

static int write_sign_ins(struct db *db, void *arg, struct err *err)
{
    const struct person *first = arg;
    for (int i = 0; i < SIGN_INS; i++) {
        const struct session_row row = row_of(&first[i]);
        if (session_row_add(db, &row, err) < 0 ||
            spent_add(db, first[i].hash, first[i].created + FLOW_SECONDS, err) < 0)
            return -1;
    }
    return 0;
}

static int write_end(struct db *db, void *arg, struct err *err)
{
    return session_row_end(db, ((const struct person *)arg)->hash, err) < 0 ? -1 : 0;
}

/* ---- the daemon's part ---- */

static void start(void)
{
    const struct sessions_options o = {
        .idle_seconds = IDLE, .absolute_seconds = ABSOLUTE, .max = room};
    sessions = sessions_new(&o);
    keep = keep_new(loop, sx.store, sessions, IDLE);
    recall = recall_new(loop, sx.store, sessions, metrics);
    keep_start(keep);
}

static void stop(void)
{
    keep_free(&keep);
    recall_free(&recall);
    sessions_free(&sessions);
}

/* What was asked of the store is done and answered. */
static void settle(void)
{
    struct store_stats stats;
    do {
        loop_once(loop, 0);
        store_get_stats(sx.store, &stats);
    } while (stats.queued > 0);
    loop_once(loop, 0);
}

static void second(void)
{
    const struct clock_fake f = {{clock_mono().ns + 1000000000}, {clock_wall().us + 1000000}};
    clock_set_fake(&f);
    settle();
}

static void on_recalled(void *arg, bool is_known)
{
    (void)arg;
    answered = true;
    known = is_known;
}

static bool signed_in(const struct person *p)
{
    struct session_view v;
    answered = known = false;
    const enum recall_answer a = recall_ask(recall, p->hash, on_recalled, NULL);
    if (a == RECALL_WAIT) {
        for (int i = 0; i < 10000 && !answered; i++)
            loop_once(loop, 1);
        ck_assert(answered && known);
    }
    ck_assert_int_ne(a, RECALL_UNKNOWN);
    return sessions_check(sessions, str_of(p->token), now(), &v) == 1;
}

/* ---- people's part ---- */

static void sign_ins(void)
{
    struct err err = ERR_INIT;
    struct person *first = &people[n_people];
    for (int i = 0; i < SIGN_INS; i++) {
        session_token_make(first[i].token, first[i].hash);
        rng_id(first[i].id);
        first[i].created = first[i].seen = now();
    }
    ck_assert_int_eq(store_write_now(sx.store, write_sign_ins, first, &err), STORE_DONE);
    for (int i = 0; i < SIGN_INS; i++, n_people++) {
        const struct session_row row = row_of(&first[i]);
        ck_assert_msg(sessions_add(sessions, &row, &err) == 0, "%s", err.text);
    }
}

static bool lives(const struct person *p)
{
    return !p->ended && now() < p->created + ABSOLUTE && now() < p->seen + IDLE;
}

/* Of those who came in the last nine hours; a third of them never comes back. */
static struct person *somebody(void)
{
    const size_t window = SIGN_INS * 60 * 9;
    const size_t from = n_people > window ? n_people - window : 0;
    return &people[from + roll(n_people - from)];
}

static void visit(void)
{
    struct person *p = somebody();
    if ((size_t)(p - people) % 3 == 0 && now() - p->created < IDLE)
        return;
    const bool expected = lives(p);
    ck_assert_msg(signed_in(p) == expected, "%d expected of person %zu after %lld s", expected,
                  (size_t)(p - people), (long long)(now() - BEGAN));
    if (expected)
        p->seen = now();
}

static void leave(void)
{
    struct err err = ERR_INIT;
    struct person *p = somebody();
    sessions_end(sessions, p->hash); /* memory first, as signing out does */
    ck_assert_int_eq(store_write_now(sx.store, write_end, p, &err), STORE_DONE);
    p->ended = true;
    ck_assert(!signed_in(p));
}

/* ---- how large all of it is ---- */

struct size {
    int64_t rows, flows, pages, descriptors, memory, table;
};

static int64_t descriptors(void)
{
    int64_t n = 0;
    DIR *d = opendir("/proc/self/fd");
    while (readdir(d))
        n++;
    closedir(d);
    return n;
}

static struct size size_now(void)
{
    malloc_trim(0);
    return (struct size){.rows = store_fixture_number(&sx, "SELECT count(*) FROM session"),
                         .flows = store_fixture_number(&sx, "SELECT count(*) FROM spent"),
                         .pages = store_fixture_number(&sx, "PRAGMA page_count"),
                         .descriptors = descriptors(),
                         .memory = (int64_t)mallinfo2().uordblks,
                         .table = (int64_t)sessions_bytes(sessions)};
}

static void expect_flat(const char *what, int64_t morning, int64_t evening, int64_t slack)
{
    ck_assert_msg(evening <= morning + morning / 8 + slack, "%s: %lld, then %lld", what,
                  (long long)morning, (long long)evening);
}

static size_t living(void)
{
    size_t n = 0;
    for (size_t i = 0; i < n_people; i++)
        n += lives(&people[i]);
    return n;
}

static const size_t rooms[] = {100000, 600};

START_TEST(a_day)
{
    struct err err = ERR_INIT;
    struct size morning = {0}, evening;
    const struct clock_fake clock = {{1000000000}, {BEGAN * 1000000LL}};
    clock_set_fake(&clock);
    room = rooms[_i];
    store_fixture_open(&sx);
    loop = loop_new(&err);
    metrics = metrics_new();
    ck_assert_int_eq(store_write_now(sx.store, make_accounts, NULL, &err), STORE_DONE);
    start();
    for (int t = 0; t < 24 * HOUR; t++) {
        second();
        if (t % 60 == 0)
            sign_ins();
        for (int i = 0; i < CHECKS; i++)
            visit();
        if (t % 300 == 0)
            leave();
        if (t == 10 * HOUR)
            morning = size_now();
        if (t == 12 * HOUR) { /* a restart, and everybody is still there */
            stop();
            start();
        }
    }
    evening = size_now();
    const size_t n = living();
    ck_assert_uint_gt(n, 1000);
    ck_assert_int_ge(evening.rows, (int64_t)n);
    /* Gone within 20 minutes of their end, or 5 more where only use kept them. */
    ck_assert_int_le(evening.rows, (int64_t)n + SIGN_INS * 60);
    ck_assert_uint_eq(sessions_complete(sessions), room > n);
    if (room < n)
        ck_assert_uint_le(sessions_count(sessions), room);
    expect_flat("rows", morning.rows, evening.rows, 0);
    expect_flat("flows", morning.flows, evening.flows, 50);
    expect_flat("pages", morning.pages, evening.pages, 0);
    expect_flat("memory", morning.memory, evening.memory, 65536);
    expect_flat("table", morning.table, evening.table, 65536);
    expect_flat("descriptors", morning.descriptors, evening.descriptors, -morning.descriptors / 8);
    stop();
    loop_once(loop, 0);
    clock_set_fake(NULL);
    store_fixture_close(&sx);
    metrics_free(&metrics);
    loop_free(&loop);
}
END_TEST

Suite *suite_soak(void);
Suite *suite_soak(void)
{
    Suite *s = suite_create("soak");
    TCase *t = tcase_create("soak");
    tcase_set_timeout(t, 600);
    tcase_add_loop_test(t, a_day, 0, sizeof rooms / sizeof *rooms);
    suite_add_tcase(s, t);
    return s;
}
