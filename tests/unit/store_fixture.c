/* SPDX-License-Identifier: Apache-2.0 */
#include "store_fixture.h"

#include <dirent.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/account.h"
#include "sys/random.h"

void store_fixture_reopen(struct store_fixture *f)
{
    struct err err = ERR_INIT;
    store_close(&f->store);
    f->store = store_open(f->url, &err);
    ck_assert_msg(f->store != NULL, "%s", err.text);
}

void store_fixture_open(struct store_fixture *f)
{
    *f = (struct store_fixture){.folder = "/tmp/usher-store-XXXXXX"};
    ck_assert_ptr_nonnull(mkdtemp(f->folder));
    snprintf(f->url, sizeof f->url, "sqlite:%s/usher.db", f->folder);
    store_fixture_reopen(f);
}

void store_fixture_close(struct store_fixture *f)
{
    char path[400];
    store_close(&f->store);
    DIR *d = opendir(f->folder);
    for (struct dirent *e; d && (e = readdir(d)) != NULL;) {
        snprintf(path, sizeof path, "%s/%s", f->folder, e->d_name);
        if (e->d_name[0] != '.')
            unlink(path);
    }
    if (d)
        closedir(d);
    ck_assert_int_eq(rmdir(f->folder), 0);
}

struct made {
    const char *subject;
    struct session_row row;
    char id[24], token[44];
};

static int make(struct db *db, void *arg, struct err *err)
{
    struct made *m = arg;
    struct account account;
    const struct account_profile p = {
        .provider = "fake", .subject = m->subject, .name = "Ada", .email = "ada@a.example"};
    if (account_sign_in(db, &p, m->row.created, &account, err) != 0)
        return -1;
    m->row.account = account.id;
    return session_row_add(db, &m->row, err);
}

void store_fixture_session(struct store_fixture *f, const char *subject, int64_t created,
                           int64_t ends, char *token)
{
    struct err err = ERR_INIT;
    struct made m = {.subject = subject};
    session_token_make(m.token, m.row.hash);
    rng_id(m.id);
    m.row.id = m.id;
    m.row.provider = "fake";
    m.row.subject = subject;
    m.row.name = "Ada";
    m.row.email = "ada@a.example";
    m.row.created = m.row.seen = created;
    m.row.ends = ends;
    ck_assert_msg(store_write_now(f->store, make, &m, &err) == STORE_DONE, "%s", err.text);
    memcpy(token, m.token, sizeof m.token);
}

struct question {
    const char *sql;
    int64_t answer;
};

static int ask(struct db *db, void *arg, struct err *err)
{
    struct question *q = arg;
    struct db_stmt *st = db_query(db, q->sql);
    if (db_step(st, err) != 1)
        return -1;
    q->answer = db_col_int(st, 0);
    db_end(st);
    return 0;
}

static int run(struct db *db, void *arg, struct err *err)
{
    const struct question *q = arg;
    return db_run(db_query(db, q->sql), err) < 0 ? -1 : 0;
}

int64_t store_fixture_number(struct store_fixture *f, const char *sql)
{
    struct err err = ERR_INIT;
    struct question q = {sql, 0};
    ck_assert_msg(store_write_now(f->store, ask, &q, &err) == STORE_DONE, "%s", err.text);
    return q.answer;
}

void store_fixture_sql(struct store_fixture *f, const char *sql)
{
    struct err err = ERR_INIT;
    struct question q = {sql, 0};
    ck_assert_msg(store_write_now(f->store, run, &q, &err) == STORE_DONE, "%s", err.text);
}

/* ---- a writer that stands still ---- */

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;

static int wait_at_gate(struct db *db, void *arg, struct err *err)
{
    (void)db, (void)arg, (void)err;
    pthread_mutex_lock(&gate);
    pthread_mutex_unlock(&gate);
    return 0;
}

static void wait_empty(struct store_fixture *f)
{
    struct store_stats st;
    do
        store_get_stats(f->store, &st);
    while (st.queued > 0);
}

void store_fixture_stall(struct store_fixture *f)
{
    pthread_mutex_lock(&gate);
    ck_assert(store_write(f->store, wait_at_gate, NULL, NULL, NULL));
    wait_empty(f); /* the writer has taken its batch, and stands in it */
}

void store_fixture_go_on(struct store_fixture *f)
{
    pthread_mutex_unlock(&gate);
    wait_empty(f);
}

static int nothing(struct db *db, void *arg, struct err *err)
{
    (void)db, (void)arg, (void)err;
    return 0;
}

void store_fixture_fill(struct store_fixture *f)
{
    store_fixture_stall(f);
    while (store_write(f->store, nothing, NULL, NULL, NULL))
        continue;
}

void store_fixture_disk(const char *folder, bool full)
{
    char log[128];
    struct rlimit limit;
    struct stat st;
    snprintf(log, sizeof log, "%s/usher.db-wal", folder);
    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &limit), 0);
    ck_assert_int_eq(stat(log, &st), 0);
    sigaction(SIGXFSZ, &(struct sigaction){.sa_handler = SIG_IGN}, NULL);
    limit.rlim_cur = full ? (rlim_t)st.st_size : limit.rlim_max;
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
}
