/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A process that signs people in, or merges and deletes accounts, is killed in the middle of it,
 * again and again: what was told to be done is done afterwards, and nothing is there by halves.
 */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kit.h"
#include "store/account_change.h"
#include "store/account_role.h"
#include "store/audit.h"
#include "sys/random.h"

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

static struct cluster own; /* ours to kill */

/* Let `child` write to a pipe, and kill it; `look` reads what it was told, and judges. On
 * PostgreSQL every other time it is the server that dies. */
static void kill_again_and_again(void (*child_fn)(int fd), void (*look)(int fd))
{
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
            child_fn(fds[1]);
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
        if (server)
            cluster_restart(&own);
        kit_store = kit_open();
        look(fds[0]);
        close(fds[0]);
    }
    store_close(&kit_store);
    cluster_stop(&own);
}

static void look_at_logins(int fd)
{
    enum { ROOM = 100000 };
    static struct answer all[ROOM];
    static size_t n;
    size_t before = n;
    n = read_answers(fd, all, n, ROOM);
    ck_assert_uint_gt(n, before);
    for (size_t i = before; i < n; i++)
        kit_read(is_there, &all[i]);
    /* All or nothing for the others too. */
    int64_t sessions = kit_number("SELECT count(*) FROM session");
    ck_assert_int_ge(sessions, (int64_t)n);
    ck_assert_int_eq(kit_number("SELECT count(*) FROM account"), sessions);
    ck_assert_int_eq(kit_number("SELECT count(*) FROM identity"), sessions);
    ck_assert_int_eq(kit_number("SELECT count(*) FROM spent"), sessions);
}

/* LOGIN-30, DB-08 at the store: kill -9. */
START_TEST(what_was_answered_survives)
{
    kill_again_and_again(child, look_at_logins);
}
END_TEST

/* ---- merging and deleting */

enum step { MAKE = 0, MERGE, DELETE, STEPS };

/* Somebody with two accounts, which become one, which is deleted: three transactions. */
struct person {
    struct store *store;
    struct loop *loop;
    int pipe;
    enum step step;
    char name[23];
    struct account mine, other;
};

static int make(struct db *db, struct person *p, struct err *err)
{
    const struct account_profile a = {.provider = "google", .subject = p->name},
                                 b = {.provider = "discord", .subject = p->name};
    if (account_sign_in(db, &a, NOW, &p->mine, err) < 0 ||
        account_sign_in(db, &b, NOW, &p->other, err) < 0)
        return -1;
    const struct account_role_row role = {p->other.id, "editor", NOW};
    struct session_row row = {.id = p->name,
                              .account = p->other.id,
                              .provider = "discord",
                              .subject = p->name,
                              .created = NOW,
                              .seen = NOW,
                              .ends = NOW + 3600};
    memcpy(row.hash, p->name, sizeof p->name);
    if (account_role_grant(db, &role, err) < 0)
        return -1;
    return session_row_add(db, &row, err);
}

static int note(struct db *db, const char *action, const struct account *a, struct err *err)
{
    const struct audit_row row = {.at = NOW,
                                  .actor_kind = "account",
                                  .actor = a->id,
                                  .action = action,
                                  .object = a->id,
                                  .outcome = "done"};
    return audit_add(db, &row, err) < 0 ? -1 : 0;
}

static int take_step(struct db *db, void *arg, struct err *err)
{
    struct person *p = arg;
    switch (p->step) {
    case MAKE:
        return make(db, p, err);
    case MERGE:
        if (account_merge(db, p->mine.id, p->other.id, NOW, err) != 1)
            return -1;
        return note(db, "account.merge", &p->mine, err);
    default:
        if (account_delete(db, p->mine.id, true, NOW, err) != 1)
            return -1;
        return note(db, "account.delete", &p->mine, err);
    }
}

static store_done_fn stepped;

static void go(struct person *p)
{
    if (!store_write(p->store, take_step, p->loop, stepped, p))
        _exit(3);
}

static void stepped(void *arg, enum store_outcome outcome, const struct err *err)
{
    struct person *p = arg;
    const char told = (char)p->step;
    if (outcome != STORE_DONE) {
        fprintf(stderr, "%s\n", err ? err->text : "unknown");
        _exit(4);
    }
    if (write(p->pipe, &told, 1) != 1)
        _exit(5);
    /* Every other one stays as it is once it is merged. */
    p->step = p->step == MERGE && p->name[0] < 'a' ? MAKE : (p->step + 1) % STEPS;
    if (p->step == MAKE)
        rng_id(p->name);
    go(p);
}

static void merging_child(int fd)
{
    static struct person all[IN_FLIGHT];
    struct err err = ERR_INIT;
    struct store *s = store_open(kit_url, &err);
    struct loop *l = loop_new(&err);
    if (!s || !l) {
        fprintf(stderr, "%s\n", err.text);
        _exit(2);
    }
    for (int i = 0; i < IN_FLIGHT; i++) {
        all[i] = (struct person){.store = s, .loop = l, .pipe = fd};
        rng_id(all[i].name);
        go(&all[i]);
    }
    for (;;)
        loop_once(l, 1000);
}

static void look_at_accounts(int fd)
{
    static int64_t told[STEPS];
    char step;
    int64_t n = 0;
    for (; read(fd, &step, 1) == 1; n++)
        told[(int)step]++;
    ck_assert_int_gt(n, 0);
    const int64_t merged = kit_number("SELECT count(*) FROM audit WHERE action = 'account.merge'"),
                  deleted =
                      kit_number("SELECT count(*) FROM audit WHERE action = 'account.delete'"),
                  google = kit_number("SELECT count(*) FROM identity WHERE provider = 'google'"),
                  both = kit_number("SELECT count(*) FROM identity WHERE linked IS NOT NULL");
    ck_assert_int_ge(google + deleted, told[MAKE]);
    ck_assert_int_ge(merged, told[MERGE]);
    ck_assert_int_ge(deleted, told[DELETE]);
    /* All of it or nothing: what is told of is there, and nothing else. */
    ck_assert_int_eq(both, merged - deleted);
    ck_assert_int_eq(kit_number("SELECT count(*) FROM identity"), 2 * google);
    ck_assert_int_eq(kit_number("SELECT count(*) FROM account"), 2 * google - both);
    ck_assert_int_eq(kit_number("SELECT count(*) FROM account_role"), google);
    ck_assert_int_eq(kit_number("SELECT count(*) FROM session"), google - both);
    ck_assert_int_eq(kit_number("SELECT count(*) FROM barred_identity"), 2 * deleted);
    ck_assert_int_eq(kit_number("SELECT count(*) FROM (SELECT account FROM identity "
                                "GROUP BY account HAVING count(*) = 2) AS pairs"),
                     both);
}

START_TEST(no_account_is_left_half_merged_or_half_deleted)
{
    if (!kit_cluster) {
        kit_sql("DELETE FROM audit");
        kit_sql("DELETE FROM barred_identity");
    }
    kill_again_and_again(merging_child, look_at_accounts);
}
END_TEST

Suite *suite_crash(const char *name)
{
    Suite *s = suite_create(name);
    TCase *tc = tcase_create("crash");
    tcase_add_checked_fixture(tc, kit_setup, kit_teardown);
    tcase_add_test(tc, what_was_answered_survives);
    tcase_add_test(tc, no_account_is_left_half_merged_or_half_deleted);
    suite_add_tcase(s, tc);
    return s;
}
