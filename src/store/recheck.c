/* SPDX-License-Identifier: Apache-2.0 */
#include "store/recheck.h"

#include <stdio.h>

static void bind_identity(struct db_stmt *st, const char *provider, const char *subject)
{
    db_text(st, 1, provider);
    db_text(st, 2, subject);
}

/* 1, or 0: nobody is signed in. */
static int live(struct db *db, const struct recheck_due *due, const char *subject, struct err *err)
{
    struct db_stmt *st = db_named(db, "recheck.live");
    bind_identity(st, due->provider, subject);
    db_int(st, 3, due->now);
    int rc = db_step(st, err);
    if (rc == 1)
        db_end(st);
    return rc;
}

static int put_off(struct db *db, const char *provider, const char *subject, struct err *err)
{
    struct db_stmt *st = db_named(db, "recheck.idle");
    bind_identity(st, provider, subject);
    return db_run(st, err) < 0 ? -1 : 0;
}

static int take_one(struct db *db, const struct keyring *keys, const struct recheck_due *due,
                    const char *subject, struct recheck_batch *out, struct err *err)
{
    struct recheck_person *p = &out->v[out->n];
    struct err closed = ERR_INIT;
    *p = (struct recheck_person){.token = {.provider = due->provider, .subject = subject}};
    int rc = live(db, due, subject, err);
    if (rc < 0)
        return -1;
    if (rc == 1 && upstream_token_get(db, keys, out->arena, &p->token, &closed) == 1) {
        out->n++;
        return 0;
    }
    return put_off(db, due->provider, subject, err);
}

int recheck_take(struct db *db, const struct keyring *keys, const struct recheck_due *due,
                 struct recheck_batch *out, struct err *err)
{
    const char *subjects[RECHECK_DUE_MAX];
    struct db_stmt *st = db_named(db, "recheck.due");
    int rc;
    out->n = out->taken = 0;
    db_text(st, 1, due->provider);
    db_int(st, 2, due->before);
    db_int(st, 3, due->asked);
    db_int(st, 4, due->until);
    db_int(st, 5, due->now);
    db_int(st, 6, due->max < RECHECK_DUE_MAX ? (int64_t)due->max : RECHECK_DUE_MAX);
    while ((rc = db_step(st, err)) == 1)
        if (out->taken < RECHECK_DUE_MAX)
            subjects[out->taken++] = arena_dup(out->arena, db_col_text(st, 1));
    for (size_t i = 0; i < out->taken && rc == 0; i++)
        rc = take_one(db, keys, due, subjects[i], out, err);
    for (size_t i = 0; i < out->n && rc < 0; i++)
        upstream_token_deinit(&out->v[i].token);
    return rc;
}

int recheck_oldest(struct db *db, const char *provider, int64_t *at, struct err *err)
{
    struct db_stmt *st = db_named(db, "recheck.next");
    db_text(st, 1, provider);
    int rc = db_step(st, err);
    if (rc != 1)
        return rc < 0 ? -1 : err_set(err, ERR_INTERNAL, "a minimum without a row");
    *at = db_col_null(st, 0) ? INT64_MAX : db_col_int(st, 0);
    db_end(st);
    return 0;
}

int recheck_overtaken(struct db *db, const struct upstream_token *shown, struct err *err)
{
    struct db_stmt *st = db_named(db, "recheck.others");
    bind_identity(st, shown->provider, shown->subject);
    db_int(st, 3, shown->version);
    const int rc = db_step(st, err);
    if (rc != 1)
        return rc;
    db_end(st);
    return put_off(db, shown->provider, shown->subject, err) < 0 ? -1 : 1;
}

/* 1 and whose the identity is now, or 0: nobody's. */
static int whose(struct db *db, struct recheck_verdict *v, struct err *err)
{
    struct db_stmt *st = db_named(db, "recheck.account");
    bind_identity(st, v->provider, v->subject);
    int rc = db_step(st, err);
    if (rc != 1)
        return rc;
    (void)snprintf(v->account, sizeof v->account, "%s", db_col_text(st, 0));
    db_end(st);
    return 1;
}

static int64_t set_groups(struct db *db, const struct recheck_verdict *v, struct err *err)
{
    struct db_stmt *st = db_named(db, "recheck.identity_groups");
    bind_identity(st, v->provider, v->subject);
    db_text(st, 3, v->groups);
    if (db_run(st, err) < 0)
        return -1;
    st = db_named(db, "recheck.session_groups");
    db_text(st, 1, v->account);
    db_text(st, 2, v->provider);
    db_text(st, 3, v->subject);
    db_text(st, 4, v->groups);
    return db_run(st, err);
}

int recheck_passed(struct db *db, struct recheck_verdict *v, struct err *err)
{
    v->sessions = 0;
    int rc = whose(db, v, err);
    if (rc != 1)
        return rc;
    if (v->regroup && (v->sessions = set_groups(db, v, err)) < 0)
        return -1;
    struct db_stmt *st = db_named(db, "recheck.passed");
    bind_identity(st, v->provider, v->subject);
    db_int(st, 3, v->now);
    if (db_run(st, err) < 0 || put_off(db, v->provider, v->subject, err) < 0)
        return -1;
    return 1;
}

int recheck_failed(struct db *db, struct recheck_verdict *v, struct err *err)
{
    int rc = whose(db, v, err);
    if (rc != 1)
        return rc;
    struct db_stmt *st = db_named(db, "recheck.end");
    db_text(st, 1, v->account);
    db_text(st, 2, v->provider);
    db_text(st, 3, v->subject);
    v->sessions = db_run(st, err);
    return v->sessions < 0 ? -1 : 1;
}

int recheck_later(struct db *db, const char *provider, const char *subject, int64_t asked,
                  struct err *err)
{
    struct db_stmt *st = db_named(db, "recheck.later");
    bind_identity(st, provider, subject);
    db_int(st, 3, asked);
    return db_run(st, err) < 0 ? -1 : 0;
}
