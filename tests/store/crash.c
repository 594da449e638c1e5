/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A process that signs people in is killed in the middle of it, again and again: whoever was told
 * "done" is there afterwards, with account, identity, session and spent flow, and nothing is there
 * by halves.
 */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kit.h"

#define KILLS 6
#define IN_FLIGHT 16

struct told {
    struct kit_login login;
    struct store *store;
    struct loop *loop;
    int pipe;
};

/* What the parent reads: one answer, written at once (PIPE_BUF). */
struct answer {
    unsigned char hash[32], flow[16];
    char account[24];
};

static store_done_fn answered;

static void ask(struct told *t)
{
    kit_login_init(&t->login, -1);
    if (!store_write(t->store, kit_login_fn, t->loop, answered, t))
        _exit(3);
}

static void answered(void *arg, enum store_outcome outcome, const struct err *err)
{
    struct told *t = arg;
    struct answer a;
    (void)err;
    if (outcome != STORE_DONE)
        _exit(4);
    memset(&a, 0, sizeof a);
    memcpy(a.hash, t->login.hash, sizeof a.hash);
    memcpy(a.flow, t->login.flow, sizeof a.flow);
    memcpy(a.account, t->login.account.id, sizeof a.account);
    if (write(t->pipe, &a, sizeof a) != (ssize_t)sizeof a)
        _exit(5);
    ask(t);
}

static void child(int fd)
{
    static struct told all[IN_FLIGHT];
    struct err err = ERR_INIT;
    struct store *s = store_open(kit_url, &err);
    struct loop *l = loop_new(&err);
    if (!s || !l) {
        fprintf(stderr, "%s\n", err.text);
        _exit(2);
    }
    for (int i = 0; i < IN_FLIGHT; i++) {
        all[i].store = s;
        all[i].loop = l;
        all[i].pipe = fd;
        ask(&all[i]);
    }
    for (;;)
        loop_once(l, 1000);
}

static int is_there(struct db *db, void *arg, struct err *err)
{
    const struct answer *a = arg;
    struct db_stmt *st = db_query(db, "SELECT count(*) FROM session "
                                      "JOIN account ON account.id = session.account "
                                      "JOIN identity ON identity.account = account.id "
                                      "AND identity.subject = session.subject "
                                      "WHERE session.hash = $1 AND account.id = $2 "
                                      "AND EXISTS (SELECT 1 FROM spent WHERE flow = $3)");
    db_blob(st, 1, a->hash, sizeof a->hash);
    db_text(st, 2, a->account);
    db_blob(st, 3, a->flow, sizeof a->flow);
    if (db_step(st, err) != 1)
        return -1;
    int64_t n = db_col_int(st, 0);
    db_end(st);
    return n == 1 ? 0 : err_set(err, ERR_NOT_FOUND, "a login that was answered is not there");
}

static size_t read_answers(int fd, struct answer *all, size_t have, size_t room)
{
    ssize_t n;
    while (have < room && (n = read(fd, &all[have], sizeof *all)) == (ssize_t)sizeof *all)
        have++;
    return have;
}

/* LOGIN-30, DB-08 at the store: kill -9. On PostgreSQL every other time it is the server that dies.
 */
START_TEST(what_was_answered_survives)
{
    enum { ROOM = 100000 };
    static struct answer all[ROOM];
    size_t n = 0;
    static struct cluster own; /* ours to kill */

    if (kit_cluster) {
        store_close(&kit_store);
        ck_assert(cluster_start(&own));
        snprintf(kit_url, sizeof kit_url, "%s", own.url);
        kit_store = kit_open();
    }
    for (int round = 0; round < KILLS; round++) {
        int fds[2];
        ck_assert_int_eq(pipe(fds), 0);
        store_close(&kit_store);
        pid_t pid = fork();
        if (pid == 0)
            child(fds[1]);
        ck_assert_int_gt(pid, 0); /* kill(-1) would be everybody */
        close(fds[1]);
        struct pollfd wait = {.fd = fds[0], .events = POLLIN};
        ck_assert_int_eq(poll(&wait, 1, 20000), 1); /* it is under way */
        poll(NULL, 0, 30 + 17 * round);
        bool server = kit_cluster && round % 2;
        if (server)
            cluster_crash(&own);
        kill(pid, SIGKILL);
        int status = 0;
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        ck_assert(server || WIFSIGNALED(status));
        size_t before = n;
        n = read_answers(fds[0], all, n, ROOM);
        close(fds[0]);
        ck_assert_uint_gt(n, before);
        if (server)
            cluster_restart(&own);

        kit_store = kit_open();
        for (size_t i = before; i < n; i++)
            kit_read(is_there, &all[i]);
        /* All or nothing for the others too. */
        int64_t sessions = kit_number("SELECT count(*) FROM session");
        ck_assert_int_ge(sessions, (int64_t)n);
        ck_assert_int_eq(kit_number("SELECT count(*) FROM account"), sessions);
        ck_assert_int_eq(kit_number("SELECT count(*) FROM identity"), sessions);
        ck_assert_int_eq(kit_number("SELECT count(*) FROM spent"), sessions);
    }
    store_close(&kit_store);
    cluster_stop(&own);
}
END_TEST

Suite *suite_crash(const char *name)
{
    Suite *s = suite_create(name);
    TCase *tc = tcase_create("crash");
    tcase_add_checked_fixture(tc, kit_setup, kit_teardown);
    tcase_add_test(tc, what_was_answered_survives);
    suite_add_tcase(s, tc);
    return s;
}
