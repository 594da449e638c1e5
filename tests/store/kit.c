/* SPDX-License-Identifier: Apache-2.0 */
#include "kit.h"

#include <stdio.h>
#include <string.h>

#include "sys/random.h"

char kit_url[256];
char kit_dir[64];
struct cluster *kit_cluster;
struct store *kit_store;
struct loop *kit_loop;

struct store *kit_open(void)
{
    struct err err = ERR_INIT;
    struct store *s = store_open(kit_url, &err);
    ck_assert_msg(s != NULL, "%s", err.text);
    return s;
}

static int empty(struct db *db, void *arg, struct err *err)
{
    (void)arg;
    static const char *const all[] = {
        "DELETE FROM session",         "DELETE FROM identity",  "DELETE FROM account_role",
        "DELETE FROM account",         "DELETE FROM spent",     "DELETE FROM provider",
        "DELETE FROM provider_secret", "DELETE FROM api_token", "DELETE FROM audit",
        "DELETE FROM audit_anchor",    "DELETE FROM role",
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (db_run(db_query(db, all[i]), err) < 0)
            return -1;
    return 0;
}

void kit_setup(void)
{
    struct err err = ERR_INIT;
    kit_store = kit_open();
    kit_write(empty, NULL);
    kit_loop = loop_new(&err);
    ck_assert_ptr_nonnull(kit_loop);
}

void kit_teardown(void)
{
    store_close(&kit_store);
    loop_free(&kit_loop);
}

void kit_write(store_fn *fn, void *arg)
{
    struct err err = ERR_INIT;
    enum store_outcome outcome = store_write_now(kit_store, fn, arg, &err);
    ck_assert_msg(outcome == STORE_DONE, "%d %s", outcome, err.text);
}

void kit_read(store_fn *fn, void *arg)
{
    struct err err = ERR_INIT;
    enum store_outcome outcome = store_read_now(kit_store, fn, arg, &err);
    ck_assert_msg(outcome == STORE_DONE, "%d %s", outcome, err.text);
}

struct err kit_write_fails(store_fn *fn, void *arg)
{
    struct err err = ERR_INIT;
    ck_assert_int_eq(store_write_now(kit_store, fn, arg, &err), STORE_FAILED);
    ck_assert_int_ne(err.kind, ERR_NONE);
    return err;
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

int64_t kit_number(const char *sql)
{
    struct question q = {.sql = sql};
    kit_read(ask, &q);
    return q.answer;
}

static int run(struct db *db, void *arg, struct err *err)
{
    return db_run(db_query(db, arg), err) < 0 ? -1 : 0;
}

void kit_sql(const char *sql)
{
    kit_write(run, (void *)sql);
}

void kit_login_init(struct kit_login *l, int who)
{
    memset(l, 0, sizeof *l);
    rng_fill(l->flow, sizeof l->flow);
    rng_fill(l->hash, sizeof l->hash);
    rng_id(l->id);
    if (who < 0)
        rng_id(l->subject);
    else
        snprintf(l->subject, sizeof l->subject, "person-%d", who);
    l->at = NOW;
}

struct session_row kit_row(const struct kit_login *l)
{
    struct session_row row = {
        .id = l->id,
        .account = l->account.id,
        .provider = "google",
        .subject = l->subject,
        .name = "Alice Example",
        .email = "alice@example.com",
        .picture = "https://pictures.example/alice.png",
        .groups = "[\"google:staff\"]",
        .amr = "pwd",
        .ip = "192.0.2.1",
        .user_agent = "Mozilla/5.0",
        .email_evidence = 2,
        .created = l->at,
        .seen = l->at,
        .ends = l->at + 86400,
        .auth_time = l->at - 7,
    };
    memcpy(row.hash, l->hash, sizeof row.hash);
    return row;
}

int kit_login_fn(struct db *db, void *arg, struct err *err)
{
    struct kit_login *l = arg;
    struct account_profile p = {
        .provider = "google",
        .subject = l->subject,
        .name = "Alice Example",
        .email = "alice@example.com",
        .email_evidence = 2,
    };
    int fresh = spent_add(db, l->flow, l->at + 600, err);
    if (fresh < 0)
        return -1;
    if (!fresh)
        return err_set(err, ERR_EXPIRED, "spent");
    if (account_sign_in(db, &p, l->at, &l->account, err) < 0)
        return -1;
    struct session_row row = kit_row(l);
    return session_row_add(db, &row, err);
}

void kit_answer(void *arg, enum store_outcome outcome, const struct err *err)
{
    struct kit_answers *a = arg;
    a->n++;
    a->by[outcome]++;
    ck_assert_ptr_eq(outcome == STORE_DONE ? err : NULL, NULL);
    if (err)
        a->last = *err;
}

void kit_wait(const int *n, int until)
{
    struct mono from = clock_mono();
    while (*n < until && mono_ms(from, clock_mono()) < 60000)
        loop_once(kit_loop, 50);
    ck_assert_int_eq(*n, until);
}
