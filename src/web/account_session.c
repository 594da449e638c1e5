/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a person is signed in, ended by them: one session, or all but this one. The row goes first,
 * with its line in the audit, then memory; so the answer comes when the next request of that
 * browser finds nobody signed in. When the store does not say what became of it, memory ends it all
 * the same, and the page says that something broke.
 */
#include <string.h>

#include "store/session_row.h"
#include "web/account_page.h"

struct ending {
    struct account_visit *v;
    unsigned char hash[32]; /* out */
    int64_t n;              /* out: rows that went */
    /* Of all but one: which there were, for those that are not in memory. */
    struct arena *a;
    struct session_row *rows;
    size_t n_rows;
};

static int end_one(struct db *db, void *arg, struct err *err)
{
    struct ending *e = arg;
    e->n = session_row_end_of(db, e->v->account, e->v->id, e->hash, err);
    if (e->n <= 0)
        return (int)e->n;
    return account_audit(db, e->v, "session.end", e->v->id, err);
}

static void on_ended(void *arg, enum store_outcome outcome, const struct err *err)
{
    struct ending *e = arg;
    struct account_visit *v = e->v;
    if (e->n > 0)
        (void)sessions_end_of(v->app->sessions,
                              &(const struct session_was){e->hash, v->account, v->id});
    if (account_failed(v, outcome, err))
        return;
    if (e->n > 0)
        log_event(request_log(v->rq), LOG_INFO, "account.session_ended",
                  LF_TEXT("account", v->account), LF_TEXT("session", v->id));
    account_go(v, e->n > 0 ? "ended" : "gone");
}

void account_session_end(struct request *rq, void *app)
{
    struct account_visit *v = account_visit(rq, app, ACCOUNT_FRESH);
    if (!v)
        return;
    if (strcmp(v->id, v->session) == 0) {
        account_sorry(v, ERR_CONFLICT, "This is the session you are in. To end it, sign out.");
        return;
    }
    struct ending *e = arena_alloc(v->a, sizeof *e);
    e->v = v;
    account_write(v, end_one, on_ended, e);
}

static int end_others(struct db *db, void *arg, struct err *err)
{
    struct ending *e = arg;
    const struct session_row_of all = {.account = e->v->account};
    arena_reset(e->a);
    if (session_row_list(db, &all, e->a, &e->rows, &e->n_rows, err) < 0)
        return -1;
    e->n = session_row_end_others(db, e->v->account, e->v->hash, err);
    if (e->n <= 0)
        return (int)e->n;
    return account_audit(db, e->v, "session.end_others", e->v->account, err);
}

/* Last those that were begun since the rows were read. */
static void forget_others(const struct ending *e)
{
    const struct account_visit *v = e->v;
    for (size_t i = 0; i < e->n_rows; i++) {
        const struct session_was one = {e->rows[i].hash, v->account, e->rows[i].id};
        if (memcmp(one.hash, v->hash, sizeof v->hash) != 0)
            (void)sessions_end_of(v->app->sessions, &one);
    }
    (void)sessions_end_others(v->app->sessions, v->account, v->hash);
}

static void on_ended_others(void *arg, enum store_outcome outcome, const struct err *err)
{
    struct ending *e = arg;
    struct account_visit *v = e->v;
    if (!err || err->kind != ERR_LIMITED) /* then it was not even asked */
        forget_others(e);
    arena_free(&e->a);
    if (account_failed(v, outcome, err))
        return;
    log_event(request_log(v->rq), LOG_INFO, "account.sessions_ended",
              LF_TEXT("account", v->account), LF_INT("n", e->n));
    account_go(v, "ended-others");
}

void account_session_end_others(struct request *rq, void *app)
{
    struct account_visit *v = account_visit(rq, app, ACCOUNT_FRESH);
    if (!v)
        return;
    struct ending *e = arena_alloc(v->a, sizeof *e);
    e->v = v;
    e->a = arena_new();
    account_write(v, end_others, on_ended_others, e);
}
