/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tokens: what an app gets of a grant about a person: an access token, an ID token where openid was
 * granted, a refresh token where the app may have one. In the order grant types need it: read the
 * grant inside a transaction, make (sign) on the loop, store inside the transaction that decides,
 * answer once that is durable. Everything lives in the call's arena.
 */
#ifndef ISSUER_TOKENS_H
#define ISSUER_TOKENS_H

#include "issuer/handle.h"
#include "issuer/standing.h"
#include "store/refresh_token.h"

struct tokens {
    struct call *call;
    const char *nonce;        /* of the ID token; NULL: none */
    const char *scopes;       /* less than was granted; NULL: all of it */
    bool first;               /* from a code: the request's nonce and claims are answered */
    const char *refresh_kept; /* the refresh token there is already, or ""; NULL: one is made */
    struct standing of; /* what they are made of: standing_read; tokens_store looks once more */
    /* from tokens_make */
    struct minted access;
    struct str id_token; /* n == 0: none */
    struct refresh_token_row refresh;
    char refresh_text[HANDLE_LEN + 1]; /* "": none */
    void (*done)(void *arg, const struct err *err);
    void *arg;
    /* from tokens_write */
    store_fn *write;
    store_done_fn *written;
};

/* `done` with err NULL, or what failed; or the call is refused and nobody is called. For what was
 * granted (`scopes`: for less), as far as the app may still have it. */
void tokens_make(struct tokens *t, void (*done)(void *arg, const struct err *err), void *arg);
/* A line of the audit about a grant, by the app that asks. reason NULL: it went well; else it was
 * refused, and why. */
int tokens_tell(struct db *db, const struct call *c, const struct oauth_grant_row *g,
                const char *action, const char *reason, struct err *err)
    __attribute__((warn_unused_result));
/* Whether the grant still stands comes in of.good: it may have ended while tokens were signed. Then
 * nothing is stored. */
int tokens_store(struct db *db, struct tokens *t, struct err *err)
    __attribute__((warn_unused_result));
/* Runs `write` in a transaction, with t->arg (tokens_make sets it), then `written`. There is a
 * place in memory for what becomes good by it, so that nothing is used up for tokens that nobody
 * can use. false: there is none, or the store is too busy; the call is over. */
bool tokens_write(struct tokens *t, store_fn *write, store_done_fn *written);
/* The members beside the access token, for mint_answer: begins with ',' or is "". */
const char *tokens_more(const struct tokens *t);
/* Into memory, and to the app. */
void tokens_answer(struct tokens *t);

#endif
