/* SPDX-License-Identifier: Apache-2.0 */
#include "login/own.h"

#include "login/login_parts.h"
#include "login/record.h"
#include "store/account_change.h"
#include "store/account_list.h"
#include "store/oauth_grant.h"
#include "sys/clock.h"

struct grant_over {
    const struct grant_over *next;
    const char *id;
};

struct own {
    struct task task;
    const char *account, *ip, *user_agent, *request_id, *handle;
    const char *session_id; /* as grants know it */
    unsigned char session[32];
    const struct account_identity *identity; /* out: which one it was */
    const struct grant_over *over;           /* out: what was granted by way of it */
    int64_t now;
    own_done_fn *done;
    void *arg;
};

static int record(struct db *db, const struct own *o, const char *action, struct err *err)
{
    const struct account_identity *i = o->identity;
    const struct record_row r = {.action = action,
                                 .account = o->account,
                                 .provider = i ? i->provider : NULL,
                                 .subject = i ? i->subject : NULL,
                                 .ip = o->ip,
                                 .user_agent = o->user_agent,
                                 .request_id = o->request_id,
                                 .at = o->now};
    return record_add(db, &r, err);
}

static void start(struct login *l, const struct own *what, const struct own_caller *c, store_fn *fn)
{
    struct own *o = task_new(l, sizeof *o);
    struct arena *a = o->task.arena;
    struct err err = ERR_INIT;
    o->task.done = what->task.done;
    o->done = what->done;
    o->arg = what->arg;
    o->account = arena_dup(a, c->session->account);
    o->ip = c->ip ? arena_dup(a, c->ip) : NULL;
    o->user_agent = c->user_agent ? arena_dup(a, c->user_agent) : NULL;
    o->request_id = c->request_id ? arena_dup(a, c->request_id) : NULL;
    o->handle = what->handle ? arena_dup(a, what->handle) : NULL;
    o->session_id = arena_dup(a, c->session->id);
    memcpy(o->session, c->session->hash, sizeof o->session);
    o->now = wall_seconds(clock_wall());
    if (task_start(&o->task, fn))
        return;
    err_set(&err, ERR_LIMITED, "the store's queue is full");
    o->done(o->arg, &err);
    task_free(&o->task);
}

/* ---- an identity */

/* Tokens that outlive sessions came through identities as well. What goes with the session that
 * unlinks goes on with it. */
static int take_grant(void *arg, const struct oauth_grant_row *row, struct err *err)
{
    struct own *o = arg;
    (void)err;
    if (!row->provider || strcmp(row->provider, o->identity->provider) != 0 || !row->subject ||
        strcmp(row->subject, o->identity->subject) != 0 ||
        (row->session && strcmp(row->session, o->session_id) == 0))
        return 0;
    struct grant_over *g = arena_alloc(o->task.arena, sizeof *g);
    *g = (struct grant_over){o->over, arena_dup(o->task.arena, row->id)};
    o->over = g;
    return 0;
}

static int end_grants(struct db *db, struct own *o, struct err *err)
{
    const struct oauth_grant_filter f = {.account = o->account};
    o->over = NULL; /* a transaction may be done again */
    if (oauth_grant_each(db, &f, o->now, take_grant, o, err) < 0)
        return -1;
    for (const struct grant_over *g = o->over; g; g = g->next)
        if (oauth_grant_end(db, g->id, o->now, err) < 0)
            return -1;
    return 0;
}

static int write_unlink(struct db *db, void *arg, struct err *err)
{
    struct own *o = arg;
    struct account_row row;
    int rc = account_get(db, o->account, o->now, o->task.arena, &row, err);
    if (rc < 0)
        return -1;
    o->identity = rc > 0 ? account_identity_of(&row, o->handle) : NULL;
    if (o->identity == NULL)
        return err_set(err, ERR_NOT_FOUND, "the account has no such identity");
    const struct account_identity_key key = {o->account, o->identity->provider,
                                             o->identity->subject};
    if (account_unlink(db, &key, o->session, err) < 0 || end_grants(db, o, err) < 0)
        return -1;
    return record(db, o, "identity.unlink", err);
}

static void on_unlinked(struct task *t, enum store_outcome outcome, const struct err *stored)
{
    struct own *o = (struct own *)t;
    struct err err = ERR_INIT;
    /* When nobody knows whether it went, those who came through it are out all the same: the store
     * still has their sessions if it did not, and a restart brings them back. */
    const struct account_identity *i = o->identity;
    if (i && (outcome == STORE_DONE || outcome == STORE_UNKNOWN)) {
        const struct login_options *options = &t->login->o;
        sessions_end_identity(options->sessions,
                              &(const struct session_identity){o->account, i->provider, i->subject},
                              o->session);
        for (const struct grant_over *g = o->over; g && options->on_grant_over; g = g->next)
            options->on_grant_over(options->on_grant_over_arg, g->id);
    }
    if (outcome != STORE_DONE) {
        login_store_failure(outcome, stored, "the change", &err);
        o->done(o->arg, &err);
        return;
    }
    log_event(NULL, LOG_INFO, "account.unlinked", LF_TEXT("account", o->account),
              LF_TEXT("provider", i->provider));
    o->done(o->arg, NULL);
}

void own_unlink(struct login *l, const struct own_caller *c, const char *handle, own_done_fn *done,
                void *arg)
{
    const struct own what = {
        .task = {.done = on_unlinked}, .handle = handle, .done = done, .arg = arg};
    start(l, &what, c, write_unlink);
}

/* ---- everything */

static int write_delete(struct db *db, void *arg, struct err *err)
{
    struct own *o = arg;
    int rc = account_last_admin(db, o->account, o->now, err);
    if (rc > 0)
        return err_set(err, ERR_CONFLICT, "it is the only admin's account");
    if (rc == 0)
        rc = account_delete(db, o->account, false, o->now, err);
    return rc < 0 ? -1 : record(db, o, "account.delete", err);
}

static void on_deleted(struct task *t, enum store_outcome outcome, const struct err *stored)
{
    struct own *o = (struct own *)t;
    const struct login_options *options = &t->login->o;
    struct err err = ERR_INIT;
    if (outcome == STORE_DONE || outcome == STORE_UNKNOWN) { /* in doubt they are out */
        sessions_end_account(options->sessions, o->account);
        if (options->on_gone)
            options->on_gone(options->on_gone_arg, o->account, NULL);
    }
    if (outcome == STORE_UNKNOWN && options->on_doubt)
        options->on_doubt(options->on_doubt_arg, o->account);
    if (outcome != STORE_DONE) {
        login_store_failure(outcome, stored, "the change", &err);
        o->done(o->arg, &err);
        return;
    }
    log_event(NULL, LOG_INFO, "account.deleted", LF_TEXT("account", o->account));
    o->done(o->arg, NULL);
}

void own_delete(struct login *l, const struct own_caller *c, own_done_fn *done, void *arg)
{
    const struct own what = {.task = {.done = on_deleted}, .done = done, .arg = arg};
    start(l, &what, c, write_delete);
}
