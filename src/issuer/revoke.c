/* SPDX-License-Identifier: Apache-2.0 */
/*
 * RFC 7009: an app gives a token back. Unknown ones, and those of others, are answered as if they
 * had been ended; what could not be ended is never answered so.
 */
#include "issuer/parts.h"

/* Kinds by prefix; whatever has none of them is a JWT of ours or nothing. */
static call_next_fn revoke_access;
static const struct {
    const char *prefix;
    call_next_fn *run;
} kinds[] = {
    {MINT_PREFIX, revoke_access},
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

static void revoke_access(struct call *c)
{
    struct ending *e = arena_alloc(c->a, sizeof *e);
    const char *token;
    struct err busy = ERR_INIT;
    e->call = c;
    if (call_get(c, "token", &token) != 1)
        return; /* looked at before */
    if (mint_find(c, str_of(token), &e->row) != 1 || strcmp(e->row.app, c->app->id) != 0) {
        call_answer(c, 200, (struct str){NULL, 0});
        return;
    }
    e->row.ended = c->now;
    if (store_write(c->issuer->o.store, end_row, c->issuer->o.loop, ended, e))
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
