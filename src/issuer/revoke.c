/* SPDX-License-Identifier: Apache-2.0 */
/*
 * RFC 7009: an app gives a token back. Unknown ones, and those of others, are answered as if they
 * had been ended; what could not be ended is never answered so.
 */
#include "issuer/handle.h"
#include "issuer/parts.h"
#include "issuer/tokens.h"

/* Kinds by prefix; whatever has none of them is a JWT of ours or nothing. */
static call_next_fn revoke_access, revoke_refresh;
static const struct {
    const char *prefix;
    call_next_fn *run;
} kinds[] = {
    {MINT_PREFIX, revoke_access},
    {HANDLE_REFRESH, revoke_refresh},
};

struct ending {
    struct call *call;
    struct access_token_row row;
};

static int end_row(struct db *db, void *arg, struct err *err)
{
    const struct ending *e = arg;
    return access_token_end(db, &e->row, err);
}

/* An end that may have been written counts here in any case. */
static void ended(void *arg, enum store_outcome outcome, const struct err *err)
{
    struct ending *e = arg;
    struct err why = ERR_INIT;
    const int rc = outcome == STORE_FAILED
                       ? 0
                       : access_add(e->call->issuer->access, &e->row, e->call->now, &why);
    if (outcome != STORE_DONE)
        call_store_failed(e->call, outcome, err);
    else if (rc < 0)
        call_fail(e->call, &why);
    else
        call_answer(e->call, 200, (struct str){NULL, 0});
}

static void on_found(void *arg, int found)
{
    struct ending *e = arg;
    struct call *c = e->call;
    struct err busy = ERR_INIT;
    if (found < 0) {
        mint_unknown(c);
        return;
    }
    if (found == 0 || strcmp(e->row.app, c->app->id) != 0) {
        call_answer(c, 200, (struct str){NULL, 0});
        return;
    }
    e->row.ended = c->now;
    if (store_write(c->issuer->o.store, end_row, c->issuer->o.loop, ended, e))
        return;
    (void)err_set(&busy, ERR_LIMITED, "the store's queue is full");
    call_fail(c, &busy);
}

static void revoke_access(struct call *c)
{
    struct ending *e = arena_alloc(c->a, sizeof *e);
    const char *token;
    e->call = c;
    if (call_get(c, "token", &token) == 1) /* looked at before */
        mint_find(c, str_of(token), &e->row, on_found, e);
}

/* ---- a refresh token: with it goes all that hangs on its grant (RFC 7009 section 2.1) ---- */

struct leaving {
    struct call *call;
    unsigned char hash[32];
    struct refresh_token_row row;
    bool theirs; /* out: the grant is the app's that asks */
};

static int end_family(struct db *db, void *arg, struct err *err)
{
    struct leaving *l = arg;
    const struct call *c = l->call;
    struct oauth_grant_row grant;
    l->theirs = false;
    int rc = refresh_token_get(db, l->hash, c->a, &l->row, err);
    if (rc == 1)
        rc = oauth_grant_get(db, l->row.grant, c->a, &grant, err);
    l->theirs = rc == 1 && strcmp(grant.app, c->app->id) == 0;
    if (l->theirs)
        rc = oauth_grant_end(db, grant.id, c->now, err);
    if (l->theirs && rc == 1)
        rc = tokens_tell(db, c, &grant, "grant.revoke", NULL, err);
    return rc < 0 ? -1 : 0;
}

static void family_ended(void *arg, enum store_outcome outcome, const struct err *err)
{
    struct leaving *l = arg;
    if (outcome != STORE_FAILED && l->theirs)
        access_end_grant(l->call->issuer->access, l->row.grant);
    if (outcome != STORE_DONE)
        call_store_failed(l->call, outcome, err);
    else
        call_answer(l->call, 200, (struct str){NULL, 0});
}

static void revoke_refresh(struct call *c)
{
    struct leaving *l = arena_alloc(c->a, sizeof *l);
    const char *token;
    struct err busy = ERR_INIT;
    l->call = c;
    if (call_get(c, "token", &token) != 1)
        return; /* looked at before */
    if (!handle_hash(HANDLE_REFRESH, str_of(token), l->hash)) {
        call_answer(c, 200, (struct str){NULL, 0});
        return;
    }
    if (store_write(c->issuer->o.store, end_family, c->issuer->o.loop, family_ended, l))
        return;
    (void)err_set(&busy, ERR_LIMITED, "the store's queue is full");
    call_fail(c, &busy);
}

/* token_type_hint is only a hint, and ours say themselves what they are. */
static void go_on(struct call *c)
{
    const char *token;
    const int rc = call_get(c, "token", &token);
    if (rc == 0)
        call_refuse(c, "invalid_request", "token is missing");
    if (rc != 1)
        return;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (str_starts(str_of(token), kinds[i].prefix)) {
            kinds[i].run(c);
            return;
        }
    revoke_access(c);
}

void issuer_revoke(struct issuer *i, const struct issuer_call *in, issuer_done_fn *done, void *arg)
{
    client_authenticate(call_open(i, "revoke", in, done, arg), go_on);
}
