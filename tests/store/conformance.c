/* SPDX-License-Identifier: Apache-2.0 */
/* Transactions, groups of writes, values: what every backend does alike. */
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kit.h"
#include "store/driver.h"

/* ---- values -------------------------------------------------------------------------------------
 */

struct values {
    struct str text, blob;
    int64_t number;
    bool null_text;
};

static int there_and_back(struct db *db, void *arg, struct err *err)
{
    struct values *v = arg;
    struct db_stmt *st =
        db_query(db, "SELECT CAST($2 AS @BLOB@), CAST($1 AS @INT@), CAST($3 AS @TEXT@)");
    db_int(st, 1, v->number);
    db_blob(st, 2, v->blob.p, v->blob.n);
    db_str(st, 3, v->text);
    if (db_step(st, err) != 1)
        return -1;
    struct str blob = db_col_blob(st, 0);
    const char *text = db_col_text(st, 2);
    ck_assert(str_eq(blob, v->blob));
    ck_assert(!db_col_null(st, 0));
    ck_assert_int_eq(db_col_int(st, 1), v->number);
    ck_assert_int_eq(text == NULL, v->text.p == NULL);
    ck_assert_int_eq(db_col_null(st, 2), v->text.p == NULL);
    if (text)
        ck_assert(str_is(v->text, text));
    ck_assert_int_eq(db_step(st, err), 0);
    return 0;
}

/* DB-01, DB-03, SESS-21: bound, never pasted; every bit comes back. */
START_TEST(values_come_back_as_they_went)
{
    static const struct values cases[] = {
        {.text = {"", 0}, .blob = {"", 0}, .number = 0},
        {.text = {NULL, 0}, .blob = {"\0\0", 2}, .number = -1},
        {.text = {"x' OR '1'='1", 12}, .blob = {"'", 1}, .number = INT64_MAX},
        {.text = {"a; DROP TABLE account; --", 25},
         .blob = {"\xff\x00\x80", 3},
         .number = INT64_MIN},
        {.text = {"%n%s$1?1@TEXT@\\", 15},
         .blob = {"\\x00", 4},
         .number = INT64_C(9007199254740993)},
        {.text = {"\xf0\x9f\x8e\xab \xc3\xa9\xe2\x80\xae_%", 12},
         .blob = {"a", 1},
         .number = 4294967296},
        {.text = {"0123", 4}, .blob = {"0123", 4}, .number = 123},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        kit_read(there_and_back, (void *)&cases[i]);
        kit_write(there_and_back, (void *)&cases[i]);
    }
}
END_TEST

static int bind_text(struct db *db, void *arg, struct err *err)
{
    struct db_stmt *st = db_query(db, "SELECT CAST($1 AS @TEXT@)");
    db_str(st, 1, *(struct str *)arg);
    return db_step(st, err) < 0 ? -1 : 0;
}

/* DB-01, DB-13 */
START_TEST(nul_and_broken_utf8_are_refused)
{
    static const struct str wrong[] = {
        {"a\0b", 3},     {"a\0", 2},          {"\0", 1},       {"\xff", 1},
        {"\xc0\x80", 2}, {"\xed\xa0\x80", 3}, {"\xe2\x82", 2},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        ck_assert_int_eq(kit_write_fails(bind_text, (void *)&wrong[i]).kind, ERR_INVALID);
}
END_TEST

static int bind_wrongly(struct db *db, void *arg, struct err *err)
{
    struct db_stmt *st = db_query(db, "SELECT CAST($1 AS @TEXT@)");
    db_text(st, *(int *)arg, "x");
    return db_step(st, err) < 0 ? -1 : 0;
}

static int nonsense(struct db *db, void *arg, struct err *err)
{
    return db_step(db_query(db, arg), err) < 0 ? -1 : 0;
}

static int no_such_name(struct db *db, void *arg, struct err *err)
{
    struct db_stmt *st = db_named(db, arg);
    db_text(st, 1, "x");
    db_int(st, 2, 1);
    db_blob(st, 3, "x", 1);
    return db_run(st, err) < 0 ? -1 : 0;
}

START_TEST(wrong_statements_say_so_when_stepped)
{
    int i = 2;
    kit_write_fails(bind_wrongly, &i);
    i = 0;
    kit_write_fails(bind_wrongly, &i);
    kit_write_fails(nonsense, "SELECT nothing FROM nowhere");
    kit_write_fails(nonsense, "SELEC");
    kit_write_fails(nonsense, "SELECT 1 @WHAT@");
    ck_assert_ptr_nonnull(strstr(kit_write_fails(no_such_name, "account.absent").text, "absent"));
    kit_write_fails(no_such_name, "absent.add");
    kit_write_fails(no_such_name, "absent");
    i = 1;
    kit_write(bind_wrongly, &i);
}
END_TEST

/* ---- one write ----------------------------------------------------------------------------------
 */

static int add_spent(struct db *db, const char *flow, struct err *err)
{
    unsigned char id[16] = {0};
    memcpy(id, flow, strlen(flow));
    return spent_add(db, id, NOW, err);
}

static int add_then_fail(struct db *db, void *arg, struct err *err)
{
    (void)arg;
    if (add_spent(db, "a", err) != 1)
        return -1;
    return err_set(err, ERR_DENIED, "changed my mind");
}

static int add_then_fail_silently(struct db *db, void *arg, struct err *err)
{
    (void)arg;
    return add_spent(db, "a", err) == 1 ? -1 : 0;
}

/* A statement fails, the function takes no notice. */
static int add_then_overlook(struct db *db, void *arg, struct err *err)
{
    (void)arg;
    struct err ignored = ERR_INIT;
    if (add_spent(db, "a", err) != 1)
        return -1;
    ck_assert_int_eq(
        db_run(db_query(db, "INSERT INTO account (id, created) VALUES (NULL, 1)"), &ignored), -1);
    return 0;
}

START_TEST(what_fails_is_undone)
{
    struct err err = kit_write_fails(add_then_fail, NULL);
    ck_assert_int_eq(err.kind, ERR_DENIED);
    ck_assert_str_eq(err.text, "changed my mind");
    kit_write_fails(add_then_fail_silently, NULL);
    kit_write_fails(add_then_overlook, NULL);
    ck_assert_int_eq(kit_number("SELECT count(*) FROM spent"), 0);
    kit_sql("INSERT INTO account (id, created) VALUES ('x', 1)");
    ck_assert_int_eq(kit_number("SELECT count(*) FROM account"), 1);
}
END_TEST

static int try_to_write(struct db *db, void *arg, struct err *err)
{
    (void)arg;
    return add_spent(db, "a", err) < 0 ? -1 : 0;
}

START_TEST(reads_cannot_write)
{
    struct err err = ERR_INIT;
    ck_assert_int_eq(store_read_now(kit_store, try_to_write, NULL, &err), STORE_FAILED);
    ck_assert_int_eq(kit_number("SELECT count(*) FROM spent"), 0);
}
END_TEST

START_TEST(foreign_keys_hold)
{
    kit_write_fails(nonsense, "INSERT INTO identity (provider, subject, account, email_evidence, "
                              "first_seen, last_seen) VALUES ('p', 's', 'nobody', 0, 1, 1)");
    kit_sql("INSERT INTO account (id, created) VALUES ('x', 1)");
    kit_sql("INSERT INTO identity (provider, subject, account, email_evidence, first_seen, "
            "last_seen) VALUES ('p', 's', 'x', 0, 1, 1)");
    kit_sql("DELETE FROM account");
    ck_assert_int_eq(kit_number("SELECT count(*) FROM identity"), 0);
}
END_TEST

/* ---- many writes --------------------------------------------------------------------------------
 */

static atomic_bool gate, at_gate;

static int wait_for_gate(struct db *db, void *arg, struct err *err)
{
    (void)db;
    (void)arg;
    (void)err;
    atomic_store(&at_gate, true);
    while (!atomic_load(&gate))
        poll(NULL, 0, 1);
    return 0;
}

/* Occupy the writer, so that what follows queues up. */
static void close_gate(struct kit_answers *a)
{
    atomic_store(&gate, false);
    atomic_store(&at_gate, false);
    ck_assert(store_write(kit_store, wait_for_gate, kit_loop, kit_answer, a));
    while (!atomic_load(&at_gate))
        poll(NULL, 0, 1);
}

struct one_of_many {
    struct kit_answers *answers;
    enum { GOOD, REFUSES, BREAKS_RULE, OVERLOOKS } what;
    int number;
    enum store_outcome outcome;
};

static int one_of_many(struct db *db, void *arg, struct err *err)
{
    struct one_of_many *o = arg;
    char flow[17];
    snprintf(flow, sizeof flow, "%016d", o->number);
    if (add_spent(db, flow, err) < 0)
        return -1;
    switch (o->what) {
    case REFUSES:
        return err_set(err, ERR_DENIED, "no");
    case BREAKS_RULE:
        return db_run(db_query(db, "INSERT INTO account (id, created) VALUES (NULL, 1)"), err) < 0
                   ? -1
                   : 0;
    case OVERLOOKS:
        return db_run(db_query(db, "INSERT INTO account (id, created) VALUES (NULL, 1)"), NULL) < 0
                   ? 0
                   : err_set(err, ERR_INTERNAL, "NULL was taken");
    case GOOD:
        break;
    }
    return 0;
}

static void one_done(void *arg, enum store_outcome outcome, const struct err *err)
{
    struct one_of_many *o = arg;
    o->outcome = outcome;
    kit_answer(o->answers, outcome, err);
}

START_TEST(a_failing_write_does_not_disturb_its_group)
{
    enum { MANY = 300 };
    static struct one_of_many all[MANY];
    struct kit_answers a = {.n = 0}, first = {.n = 0};
    close_gate(&first);
    for (int i = 0; i < MANY; i++) {
        all[i] = (struct one_of_many){.answers = &a, .number = i, .outcome = STORE_UNKNOWN};
        all[i].what = i % 10 == 3   ? REFUSES
                      : i % 10 == 5 ? BREAKS_RULE
                      : i % 10 == 9 ? OVERLOOKS
                                    : GOOD;
        ck_assert(store_write(kit_store, one_of_many, kit_loop, one_done, &all[i]));
    }
    atomic_store(&gate, true);
    kit_wait(&a.n, MANY);
    ck_assert_int_eq(a.by[STORE_DONE], MANY * 7 / 10);
    ck_assert_int_eq(a.by[STORE_FAILED], MANY * 3 / 10);
    ck_assert_int_eq(kit_number("SELECT count(*) FROM spent"), MANY * 7 / 10);
    ck_assert_int_eq(kit_number("SELECT count(*) FROM account"), 0);
    for (int i = 0; i < MANY; i++)
        ck_assert_int_eq(all[i].outcome, all[i].what == GOOD ? STORE_DONE : STORE_FAILED);
    struct store_stats stats;
    store_get_stats(kit_store, &stats);
    ck_assert_uint_eq(stats.failures, MANY * 3 / 10);
    ck_assert_uint_eq(stats.queued, 0);
    while (stats.under_way > 0) /* the last answer is counted once it is on its way */
        store_get_stats(kit_store, &stats);
    if (!kit_cluster)
        ck_assert_uint_lt(stats.commits, 40);
}
END_TEST

static int nothing(struct db *db, void *arg, struct err *err)
{
    (void)db;
    (void)arg;
    (void)err;
    return 0;
}

struct coming_back {
    int left;
    int *over;
};

static int add_nothing(struct db *db, void *arg, struct err *err)
{
    (void)arg;
    return db_run(db_query(db, "DELETE FROM spent WHERE flow IS NULL"), err) < 0 ? -1 : 0;
}

static void comes_back(void *arg, enum store_outcome outcome, const struct err *err)
{
    struct coming_back *c = arg;
    ck_assert_int_eq(outcome, STORE_DONE);
    ck_assert_ptr_null(err);
    if (--c->left > 0)
        ck_assert(store_write(kit_store, add_nothing, kit_loop, comes_back, c));
    else
        ++*c->over;
}

/* Whoever writes again once it was answered meets the others at the next commit. */
START_TEST(writers_that_come_back_share_commits)
{
    enum { WRITERS = 8, TIMES = 50 };
    struct coming_back all[WRITERS];
    int over = 0;
    for (int i = 0; i < WRITERS; i++) {
        all[i] = (struct coming_back){TIMES, &over};
        ck_assert(store_write(kit_store, add_nothing, kit_loop, comes_back, &all[i]));
    }
    kit_wait(&over, WRITERS);
    struct store_stats stats;
    store_get_stats(kit_store, &stats);
    ck_assert_uint_eq(stats.queued, 0);
    ck_assert_uint_lt(stats.commits, WRITERS * TIMES / 2);
    /* one that comes alone afterwards waits for nobody for ever */
    kit_write(nothing, NULL);
}
END_TEST

/* ---- one after the other ---- */

struct sequence {
    int n, first, last; /* which came when, counted from 1 */
};

static void first_done(void *arg, enum store_outcome outcome, const struct err *err)
{
    struct sequence *q = arg;
    (void)err;
    ck_assert_int_eq(outcome, STORE_DONE);
    q->first = ++q->n;
}

static void last_heard(void *arg)
{
    struct sequence *q = arg;
    q->last = ++q->n;
}

static void *wait_and_tell(void *arg)
{
    struct err err = ERR_INIT;
    ck_assert_int_eq(store_write_now(kit_store, nothing, NULL, &err), STORE_DONE);
    loop_post(kit_loop, last_heard, arg);
    return NULL;
}

static void dawdle(void *arg, const struct err *err)
{
    (void)arg;
    (void)err;
    poll(NULL, 0, 50);
}

/* What a loop is told by whoever waited for a write comes after the answers to writes before it:
 * else memory would learn of an end before it learns of what ended. */
START_TEST(who_waits_is_answered_in_turn)
{
    struct kit_answers first = {.n = 0};
    struct sequence q = {.n = 0};
    struct store_stats stats;
    pthread_t thread;
    store_on_error(kit_store, dawdle, NULL);
    close_gate(&first);
    ck_assert(store_write(kit_store, nothing, kit_loop, first_done, &q));
    ck_assert_int_eq(pthread_create(&thread, NULL, wait_and_tell, &q), 0);
    for (store_get_stats(kit_store, &stats); stats.queued < 2; store_get_stats(kit_store, &stats))
        poll(NULL, 0, 1);
    ck_assert(store_write(kit_store, add_then_fail, NULL, NULL, NULL)); /* of the same commit */
    atomic_store(&gate, true);
    kit_wait(&q.n, 2);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    ck_assert_int_eq(q.first, 1);
    ck_assert_int_eq(q.last, 2);
}
END_TEST

static int came, turns[13];

/* Takes a millisecond. The first has another write committed and answered before it is over. */
static void slow_answer(void *arg, enum store_outcome outcome, const struct err *err)
{
    const int turn = *(int *)arg;
    struct err why = ERR_INIT;
    (void)err;
    ck_assert_int_eq(outcome, STORE_DONE);
    ck_assert_int_eq(turn, came++);
    if (turn == 0) {
        ck_assert(store_write(kit_store, nothing, kit_loop, slow_answer, &turns[12]));
        ck_assert_int_eq(store_write_now(kit_store, nothing, NULL, &why), STORE_DONE);
    }
    poll(NULL, 0, 1);
}

START_TEST(answers_come_in_the_order_of_commits)
{
    struct kit_answers first = {.n = 0};
    close_gate(&first);
    for (came = 0; came < 13; came++) {
        turns[came] = came;
        if (came < 12)
            ck_assert(store_write(kit_store, nothing, kit_loop, slow_answer, &turns[came]));
    }
    came = 0;
    atomic_store(&gate, true);
    kit_wait(&came, 13);
}
END_TEST

START_TEST(reads_do_not_wait_for_writes)
{
    struct kit_answers first = {.n = 0};
    kit_sql("INSERT INTO account (id, created) VALUES ('x', 1)");
    close_gate(&first);
    ck_assert_int_eq(kit_number("SELECT count(*) FROM account"), 1);
    ck_assert_int_eq(first.n, 0);
    atomic_store(&gate, true);
    kit_wait(&first.n, 1);
}
END_TEST

START_TEST(a_full_queue_refuses)
{
    struct kit_answers first = {.n = 0}, a = {.n = 0};
    int taken = 0;
    close_gate(&first);
    while (store_write(kit_store, nothing, kit_loop, kit_answer, &a))
        ck_assert_int_lt(++taken, 100000);
    struct err err = ERR_INIT;
    ck_assert_int_eq(store_write_now(kit_store, nothing, NULL, &err), STORE_FAILED);
    ck_assert_int_eq(err.kind, ERR_LIMITED);
    atomic_store(&gate, true);
    kit_wait(&a.n, taken);
    ck_assert_int_eq(a.by[STORE_DONE], taken);
    kit_write(nothing, NULL);
}
END_TEST

static int add_another(struct db *db, void *arg, struct err *err)
{
    (void)arg;
    return add_spent(db, "another", err) < 0 ? -1 : 0;
}

static void count_error(void *arg, const struct err *err)
{
    ck_assert_int_eq(err->kind, ERR_DENIED);
    atomic_fetch_add((atomic_int *)arg, 1);
}

START_TEST(nobody_waits_but_failures_are_told)
{
    atomic_int errors = 0;
    store_on_error(kit_store, count_error, &errors);
    ck_assert(store_write(kit_store, add_then_fail, NULL, NULL, NULL));
    ck_assert(store_write(kit_store, add_another, NULL, NULL, NULL));
    store_close(&kit_store);
    ck_assert_int_eq(atomic_load(&errors), 1);
    kit_store = kit_open();
    ck_assert_int_eq(kit_number("SELECT count(*) FROM spent"), 1);
}
END_TEST

START_TEST(closing_finishes_what_is_queued)
{
    enum { MANY = 500 };
    static struct one_of_many all[MANY];
    struct kit_answers a = {.n = 0};
    for (int i = 0; i < MANY; i++) {
        all[i] = (struct one_of_many){.answers = &a, .number = i};
        ck_assert(store_write(kit_store, one_of_many, kit_loop, one_done, &all[i]));
    }
    store_close(&kit_store);
    kit_wait(&a.n, MANY);
    ck_assert_int_eq(a.by[STORE_DONE], MANY);
    kit_store = kit_open();
    ck_assert_int_eq(kit_number("SELECT count(*) FROM spent"), MANY);
}
END_TEST

static int schema_version(struct db *db, void *arg, struct err *err)
{
    return db->driver->version(db, arg, err);
}

START_TEST(migrations_run_once)
{
    int64_t version = 0;
    kit_sql("INSERT INTO account (id, created) VALUES ('x', 1)");
    for (int i = 0; i < 3; i++) {
        store_close(&kit_store);
        kit_store = kit_open();
        kit_write(schema_version, &version);
        ck_assert_int_eq(version, migrate_latest());
        ck_assert_int_ge(version, 1);
    }
    ck_assert_int_eq(kit_number("SELECT count(*) FROM account"), 1);
}
END_TEST

static int set_version(struct db *db, void *arg, struct err *err)
{
    return db->driver->set_version(db, *(int64_t *)arg, err);
}

/* DB-11 */
START_TEST(a_newer_schema_is_refused)
{
    int64_t newer = migrate_latest() + 1, known = migrate_latest();
    struct err err = ERR_INIT;
    struct store *second = kit_store;
    kit_write(set_version, &newer);
    if (!kit_cluster)
        store_close(&kit_store);
    ck_assert_ptr_null(store_open(kit_url, &err));
    ck_assert_ptr_nonnull(strstr(err.text, "newer"));
    if (kit_cluster) { /* for the tests that follow */
        kit_store = second;
        kit_write(set_version, &known);
    } else {
        char path[128];
        snprintf(path, sizeof path, "%s/usher.db", kit_dir);
        ck_assert_int_eq(remove(path), 0);
        kit_store = kit_open();
    }
}
END_TEST

START_TEST(urls_that_name_no_store)
{
    static const char *const wrong[] = {"",         "usher.db",        "mysql://secret@x",
                                        "sqlite:",  "sqlite:usher.db", "sqlite://",
                                        "sqlite:/", "sqlite:/tmp/.."};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct err err = ERR_INIT;
        ck_assert_msg(store_open(wrong[i], &err) == NULL, "%s", wrong[i]);
        ck_assert_int_eq(err.kind, ERR_MISCONFIGURED);
        ck_assert_ptr_null(strstr(err.text, "secret"));
    }
    ck_assert_int_eq(store_shared(kit_store), kit_cluster != NULL);
}
END_TEST

Suite *suite_conformance(const char *name)
{
    Suite *s = suite_create(name);
    TCase *tc = tcase_create("store");
    tcase_add_checked_fixture(tc, kit_setup, kit_teardown);
    tcase_add_test(tc, values_come_back_as_they_went);
    tcase_add_test(tc, nul_and_broken_utf8_are_refused);
    tcase_add_test(tc, wrong_statements_say_so_when_stepped);
    tcase_add_test(tc, what_fails_is_undone);
    tcase_add_test(tc, reads_cannot_write);
    tcase_add_test(tc, foreign_keys_hold);
    tcase_add_test(tc, a_failing_write_does_not_disturb_its_group);
    tcase_add_test(tc, writers_that_come_back_share_commits);
    if (!kit_cluster) { /* writers of a shared store have no order */
        tcase_add_test(tc, who_waits_is_answered_in_turn);
        tcase_add_test(tc, answers_come_in_the_order_of_commits);
    }
    tcase_add_test(tc, reads_do_not_wait_for_writes);
    tcase_add_test(tc, a_full_queue_refuses);
    tcase_add_test(tc, nobody_waits_but_failures_are_told);
    tcase_add_test(tc, closing_finishes_what_is_queued);
    tcase_add_test(tc, migrations_run_once);
    tcase_add_test(tc, a_newer_schema_is_refused);
    tcase_add_test(tc, urls_that_name_no_store);
    suite_add_tcase(s, tc);
    return s;
}
