/* SPDX-License-Identifier: Apache-2.0 */
/* What is peculiar to PostgreSQL: a server that goes away, several usherd, serialisation. */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kit.h"

static int add_flow(struct db *db, void *arg, struct err *err)
{
    unsigned char id[16] = {0};
    memcpy(id, arg, sizeof(int));
    return spent_add(db, id, NOW, err) < 0 ? -1 : 0;
}

/* The third answer: the connection is cut while the server works on the COMMIT. */
START_TEST(a_connection_cut_during_commit_is_unknown)
{
    kit_sql("CREATE OR REPLACE FUNCTION cut() RETURNS trigger LANGUAGE plpgsql AS "
            "'BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END'");
    kit_sql("CREATE CONSTRAINT TRIGGER cut AFTER INSERT ON spent DEFERRABLE INITIALLY DEFERRED "
            "FOR EACH ROW WHEN (NEW.expires = 1800000000) EXECUTE FUNCTION cut()");
    struct err err = ERR_INIT;
    int number = 1;
    ck_assert_int_eq(store_write_now(kit_store, add_flow, &number, &err), STORE_UNKNOWN);
    ck_assert_int_eq(err.kind, ERR_LIMITED);
    kit_sql("DROP TRIGGER cut ON spent"); /* on a new connection */
    kit_sql("DROP FUNCTION cut");
    ck_assert_int_eq(kit_number("SELECT count(*) FROM spent"), 0);
    kit_write(add_flow, &number);
    ck_assert_int_eq(kit_number("SELECT count(*) FROM spent"), 1);
}
END_TEST

struct suicidal {
    int runs, number;
};

static int cut_once(struct db *db, void *arg, struct err *err)
{
    struct suicidal *s = arg;
    if (add_flow(db, &s->number, err) < 0)
        return -1;
    if (s->runs++ == 0) {
        struct db_stmt *st = db_query(db, "SELECT pg_terminate_backend(pg_backend_pid())");
        if (db_step(st, err) < 0)
            return -1;
        db_end(st);
    }
    return 0;
}

/* Before the commit nothing is unknown: it runs again on a new connection. */
START_TEST(a_connection_cut_earlier_is_run_again)
{
    struct suicidal s = {.number = 5};
    kit_write(cut_once, &s);
    ck_assert_int_eq(s.runs, 2);
    ck_assert_int_eq(kit_number("SELECT count(*) FROM spent"), 1);
}
END_TEST

static int cut_the_others(struct db *db, void *arg, struct err *err)
{
    (void)arg;
    struct db_stmt *st =
        db_query(db, "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
                     "WHERE pid <> pg_backend_pid() AND application_name = 'usherd'");
    int rc = db_step(st, err) == 1 ? 0 : -1;
    db_end(st);
    return rc;
}

START_TEST(idle_connections_that_died_are_mended)
{
    kit_write(cut_the_others, NULL);
    for (int i = 0; i < 20; i++) {
        kit_write(add_flow, &i);
        ck_assert_int_eq(kit_number("SELECT count(*) FROM spent"), i + 1);
    }
}
END_TEST

START_TEST(a_server_that_is_away_is_told_quickly)
{
    static struct cluster own;
    store_close(&kit_store);
    ck_assert(cluster_start(&own));
    snprintf(kit_url, sizeof kit_url, "%s", own.url);
    kit_store = kit_open();
    int number = 1;
    kit_write(add_flow, &number);
    cluster_crash(&own);

    enum { MANY = 200 };
    struct kit_answers a = {.n = 0};
    for (int i = 0; i < MANY; i++)
        ck_assert(store_write(kit_store, add_flow, kit_loop, kit_answer, &a));
    kit_wait(&a.n, MANY);
    ck_assert_int_eq(a.by[STORE_DONE], 0);
    ck_assert_int_eq(a.last.kind, ERR_LIMITED);
    struct err err = ERR_INIT;
    ck_assert_int_eq(store_read_now(kit_store, add_flow, &number, &err), STORE_FAILED);

    err_clear(&err);
    ck_assert_ptr_null(store_open(kit_url, &err));
    ck_assert_ptr_nonnull(strstr(err.text, "cannot be reached"));

    cluster_restart(&own);
    poll(NULL, 0, 600);
    number = 2;
    kit_write(add_flow, &number);
    ck_assert_int_eq(kit_number("SELECT count(*) FROM spent"), 2);
    store_close(&kit_store);
    cluster_stop(&own);
}
END_TEST

struct both {
    struct kit_answers *answers;
    const char *mine, *other;
};

/* Each looks at the other's row and then writes its own: one after the other, exactly one may. */
static int write_unless(struct db *db, void *arg, struct err *err)
{
    struct both *b = arg;
    struct db_stmt *st = db_query(db, "SELECT 1 FROM account WHERE id = $1");
    db_text(st, 1, b->other);
    int rc = db_step(st, err);
    if (rc < 0)
        return -1;
    db_end(st);
    if (rc == 1)
        return err_set(err, ERR_DENIED, "the other was first");
    poll(NULL, 0, 20);
    st = db_query(db, "INSERT INTO account (id, created) VALUES ($1, 1)");
    db_text(st, 1, b->mine);
    return db_run(st, err) < 0 ? -1 : 0;
}

static void both_done(void *arg, enum store_outcome outcome, const struct err *err)
{
    kit_answer(((struct both *)arg)->answers, outcome, err);
}

START_TEST(writes_are_serializable)
{
    struct store *second = kit_open();
    for (int round = 0; round < 5; round++) {
        struct kit_answers a = {.n = 0};
        struct both left = {&a, "left", "right"}, right = {&a, "right", "left"};
        ck_assert(store_write(kit_store, write_unless, kit_loop, both_done, &left));
        ck_assert(store_write(second, write_unless, kit_loop, both_done, &right));
        kit_wait(&a.n, 2);
        ck_assert_int_eq(a.by[STORE_DONE], 1);
        ck_assert_int_eq(a.last.kind, ERR_DENIED);
        ck_assert_int_eq(kit_number("SELECT count(*) FROM account"), 1);
        kit_sql("DELETE FROM account");
    }
    store_close(&second);
}
END_TEST

/* Several usherd start on an empty database in the same instant. */
START_TEST(replicas_may_start_together)
{
    enum { REPLICAS = 4 };
    pid_t pids[REPLICAS];
    store_close(&kit_store);
    kit_store = kit_open();
    kit_sql("DO $$ BEGIN DROP SCHEMA public CASCADE; CREATE SCHEMA public; END $$");
    store_close(&kit_store);
    for (int i = 0; i < REPLICAS; i++) {
        if ((pids[i] = fork()) == 0) {
            struct err err = ERR_INIT;
            struct store *s = store_open(kit_url, &err);
            if (!s)
                fprintf(stderr, "%s\n", err.text);
            _exit(s ? 0 : 1);
        }
    }
    for (int i = 0; i < REPLICAS; i++) {
        int status;
        ck_assert_int_eq(waitpid(pids[i], &status, 0), pids[i]);
        ck_assert_int_eq(status, 0);
    }
    kit_store = kit_open();
    ck_assert_int_eq(kit_number("SELECT count(*) FROM usher_schema"), 1);
}
END_TEST

START_TEST(urls_are_checked_and_never_repeated)
{
    static const char *const wrong[] = {"postgresql://u:pa55@h/db?nonsense=1",
                                        "postgresql://u:pa55@h:port/db",
                                        "postgresql://u:pa55@[::1/db"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct err err = ERR_INIT;
        ck_assert_ptr_null(store_open(wrong[i], &err));
        ck_assert_ptr_null(strstr(err.text, "pa55"));
    }
}
END_TEST

Suite *suite_pgsql(void)
{
    Suite *s = suite_create("pgsql");
    TCase *tc = tcase_create("server");
    tcase_add_checked_fixture(tc, kit_setup, kit_teardown);
    tcase_add_test(tc, a_connection_cut_during_commit_is_unknown);
    tcase_add_test(tc, a_connection_cut_earlier_is_run_again);
    tcase_add_test(tc, idle_connections_that_died_are_mended);
    tcase_add_test(tc, a_server_that_is_away_is_told_quickly);
    tcase_add_test(tc, writes_are_serializable);
    tcase_add_test(tc, replicas_may_start_together);
    tcase_add_test(tc, urls_are_checked_and_never_repeated);
    suite_add_tcase(s, tc);
    return s;
}
