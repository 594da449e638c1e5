/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What becomes of grants when a session is over, or a person: those that go with the session end,
 * those with offline_access go on by themselves; when all of a person's sessions are ended, so are
 * all grants. Memory is told at once where it can be, and again when the store has decided. That
 * the apps are to be told is written down in the same transaction.
 */
#include <stdlib.h>

#include "base/arena.h"
#include "issuer/parts.h"
#include "issuer/request.h"
#include "store/oauth_grant.h"
#include "store/session_app.h"
#include "sys/clock.h"
#include "sys/log.h"

#define ENDED_MAX 64 /* grants of one session that end in one transaction; the rest in another */

/* Belongs to the store until it is answered, or waits for it to have room. */
struct ending {
    struct issuer *issuer;
    struct ending *behind;
    struct ending *next_of_all, **at;
    char *account, *session, *next; /* session NULL: all of the account's; next NULL: none */
    int64_t now;
    char ended[ENDED_MAX][24];
    size_t n;
};

static int take(void *arg, const struct oauth_grant_row *row, struct err *err)
{
    struct ending *e = arg;
    (void)err;
    if (e->n < ENDED_MAX && !issuer_request_has_scope(row->scopes, "offline_access") &&
        strlen(row->id) < sizeof e->ended[0])
        memcpy(e->ended[e->n++], row->id, strlen(row->id) + 1);
    return 0;
}

static int end_session(struct db *db, struct ending *e, struct err *err)
{
    const struct oauth_grant_filter f = {.session = e->session};
    e->n = 0;
    if (session_app_over(db, e->session, e->now, err) < 0 ||
        oauth_grant_each(db, &f, e->now, take, e, err) < 0)
        return -1;
    for (size_t i = 0; i < e->n; i++)
        if (oauth_grant_end(db, e->ended[i], e->now, err) < 0)
            return -1;
    return 0;
}

static int run(struct db *db, void *arg, struct err *err)
{
    struct ending *e = arg;
    const struct oauth_grant_filter all = {.account = e->account};
    if (e->next)
        return oauth_grant_follow(db, e->session, e->next, err) < 0 ||
                       session_app_follow(db, e->session, e->next, err) < 0
                   ? -1
                   : 0;
    if (e->session)
        return end_session(db, e, err);
    if (session_app_over_account(db, e->account, e->now, err) < 0)
        return -1;
    return oauth_grant_end_all(db, &all, e->now, err) < 0 ? -1 : 0;
}

bool ending_is_due(const struct issuer *i, const char *account)
{
    for (const struct ending *e = account ? i->ends : NULL; e; e = e->next_of_all)
        if (!e->next && strcmp(e->account, account) == 0)
            return true;
    return false;
}

static void ending_free(struct ending *e)
{
    *e->at = e->next_of_all;
    if (e->next_of_all)
        e->next_of_all->at = e->at;
    free(e->account);
    free(e->session);
    free(e->next);
    free(e);
}

/* Asked again in a second: nothing may outlive its session because a store is busy or broken. */
static void put_off(struct ending *e)
{
    e->behind = e->issuer->endings;
    e->issuer->endings = e;
}

static void begin(struct ending *e);

static void on_run(void *arg, enum store_outcome outcome, const struct err *err)
{
    struct ending *e = arg;
    struct issuer *i = e->issuer;
    if (outcome != STORE_DONE)
        log_error(NULL, LOG_ERROR, "issuer.ending_failed", err);
    for (size_t n = 0; n < e->n; n++)
        access_end_grant(i->access, e->ended[n]);
    if (!e->session) /* those that were being signed when it was told */
        access_end_account(i->access, e->account);
    backchannel_wake(i->backchannel);
    i->under_way--;
    if (outcome != STORE_DONE)
        put_off(e);
    else if (e->n == ENDED_MAX)
        begin(e);
    else
        ending_free(e);
}

static void begin(struct ending *e)
{
    struct issuer *i = e->issuer;
    i->under_way++;
    if (store_write(i->o.store, run, i->o.loop, on_run, e))
        return;
    i->under_way--;
    put_off(e);
}

void ending_again(struct issuer *i)
{
    struct ending *waiting = i->endings;
    i->endings = NULL;
    while (waiting) {
        struct ending *e = waiting;
        waiting = e->behind;
        begin(e);
    }
}

void ending_forget(struct issuer *i)
{
    while (i->endings) {
        struct ending *e = i->endings;
        i->endings = e->behind;
        log_event(NULL, LOG_WARN, "store.busy", LF_TEXT("job", "grants of a session"));
        ending_free(e);
    }
}

void issuer_session_over(void *issuer, const char *account, const char *session, const char *next)
{
    struct issuer *i = issuer;
    if (!i->granted)
        return; /* nobody ever signed in to an app by us */
    if (!session)
        access_end_account(i->access, account);
    struct ending *e = mem_alloc(sizeof *e);
    e->issuer = i;
    e->next_of_all = i->ends;
    e->at = &i->ends;
    if (i->ends)
        i->ends->at = &e->next_of_all;
    i->ends = e;
    e->now = wall_seconds(clock_wall());
    e->account = mem_dup(account);
    e->session = session ? mem_dup(session) : NULL;
    e->next = next ? mem_dup(next) : NULL;
    begin(e);
}
