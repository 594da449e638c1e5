/* SPDX-License-Identifier: Apache-2.0 */
/*
 * client_credentials (RFC 6749 4.4): a machine gets a token for itself, never about a person, never
 * one to renew it with. A JWT is answered for by its signature; an opaque one is durable first.
 */
#include "issuer/parts.h"
#include "sys/log.h"

struct storing {
    struct call *call;
    struct minted minted;
};

static void answer(struct call *c, const struct minted *m)
{
    log_event(c->in->log, LOG_INFO, "issuer.token", LF_TEXT("app", c->app->id),
              LF_TEXT("grant", c->grant), LF_TEXT("scope", m->row.scopes));
    mint_answer(c, m, "");
}

static int store(struct db *db, void *arg, struct err *err)
{
    const struct storing *s = arg;
    return access_token_add(db, &s->minted.row, err);
}

static void stored(void *arg, enum store_outcome outcome, const struct err *err)
{
    struct storing *s = arg;
    struct err why = ERR_INIT;
    access_release(s->call->issuer->access, s->call->app->id);
    if (outcome != STORE_DONE)
        call_store_failed(s->call, outcome, err);
    else if (access_add(s->call->issuer->access, &s->minted.row, s->call->now, &why) < 0)
        call_fail(s->call, &why);
    else
        answer(s->call, &s->minted);
}

static void minted(struct call *c, const struct minted *m, const struct err *err)
{
    struct err busy = ERR_INIT;
    if (err) {
        call_fail(c, err);
        return;
    }
    if (!m->stored) {
        answer(c, m);
        return;
    }
    struct storing *s = arena_alloc(c->a, sizeof *s);
    *s = (struct storing){.call = c, .minted = *m};
    if (access_reserve(c->issuer->access, c->app->id, c->now, &busy) == 0 &&
        !store_write(c->issuer->o.store, store, c->issuer->o.loop, stored, s)) {
        access_release(c->issuer->access, c->app->id);
        (void)err_set(&busy, ERR_LIMITED, "the store's queue is full");
    }
    if (busy.kind != ERR_NONE)
        call_fail(c, &busy);
}

void grant_client(struct call *c)
{
    if (c->public) {
        call_refuse(c, "unauthorized_client", "an app without a secret gets no tokens of its own");
        return;
    }
    const char *scopes = scope_machine(c);
    const char *resource = scopes ? scope_resources(c) : NULL;
    if (resource == NULL)
        return;
    mint_access(c, &(struct mint_args){.scopes = scopes, .resource = resource}, minted);
}
