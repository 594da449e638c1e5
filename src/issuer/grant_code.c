/* SPDX-License-Identifier: Apache-2.0 */
/*
 * authorization_code (RFC 6749 4.1.3, RFC 7636 4.6): read and judged first, so that what has to be
 * signed is signed before anything is written; then the code is used up and the tokens are made
 * good in one transaction, in which exactly one of two redemptions is the first. The second ends
 * the grant with everything that hangs on it (RFC 6749 4.1.2), and a code that was tried by another
 * app, with another address or another verifier is used up, too. So is one whose person the app
 * would not let in any more, seen from where they were when it was made.
 */
#include "app/client.h"
#include "issuer/handle.h"
#include "issuer/parts.h"
#include "issuer/tokens.h"
#include "store/authorization_code.h"
#include "sys/seal.h"

#define VERIFIER_MIN 43
#define VERIFIER_MAX 128
#define UNRESERVED "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"

struct redeeming {
    struct call *call;
    unsigned char hash[32];
    const char *redirect_uri, *verifier; /* NULL: not sent */
    struct authorization_code_row code;
    struct tokens tokens;
    bool found, spoilt, late;
};

static int burn(struct db *db, void *arg, struct err *err)
{
    struct redeeming *r = arg;
    const int rc = authorization_code_use(db, r->hash, r->call->now, r->call->a, &r->code, err);
    r->late = rc == 0 || (rc == 1 && r->code.used > 0); /* 0: swept meanwhile */
    if (rc <= 0 || !r->late)
        return rc < 0 ? -1 : 0;
    const int ended = oauth_grant_end(db, r->code.grant, r->call->now, err);
    if (ended != 1)
        return ended;
    return tokens_tell(db, r->call, &r->tokens.of.grant, "grant.reuse", "a code came a second time",
                       err);
}

static void refuse(struct redeeming *r)
{
    call_refuse(r->call, "invalid_grant",
                "this code is not good, or not for this app and this request");
}

static void on_burnt(void *arg, enum store_outcome outcome, const struct err *err)
{
    struct redeeming *r = arg;
    if (outcome != STORE_DONE) {
        call_store_failed(r->call, outcome, err);
        return;
    }
    if (r->late)
        access_end_grant(r->call->issuer->access, r->code.grant);
    refuse(r);
}

static void spoil(struct redeeming *r)
{
    struct issuer *i = r->call->issuer;
    struct err busy = ERR_INIT;
    if (!store_write(i->o.store, burn, i->o.loop, on_burnt, r)) {
        err_set(&busy, ERR_LIMITED, "the store's queue is full");
        call_fail(r->call, &busy);
    }
}

/* ---- in one transaction ------------------------------------------------------------------------
 */

static int redeem(struct db *db, void *arg, struct err *err)
{
    struct redeeming *r = arg;
    if (burn(db, arg, err) < 0)
        return -1;
    return r->late ? 0 : tokens_store(db, &r->tokens, err);
}

static void on_redeemed(void *arg, enum store_outcome outcome, const struct err *err)
{
    struct redeeming *r = arg;
    if (outcome != STORE_DONE)
        call_store_failed(r->call, outcome, err);
    else if (r->late)
        on_burnt(arg, outcome, err);
    else if (!r->tokens.of.good)
        refuse(r);
    else
        tokens_answer(&r->tokens);
}

static void on_signed(void *arg, const struct err *err)
{
    struct redeeming *r = arg;
    if (err)
        call_fail(r->call, err);
    else
        tokens_write(&r->tokens, redeem, on_redeemed);
}

/* ---- judged before -----------------------------------------------------------------------------
 */

/* RFC 7636 section 4.6, S256. A verifier where none was asked for is as wrong as none where one
 * was, or where the app needs one by now. */
static bool verifier_fits(const struct redeeming *r)
{
    unsigned char digest[32];
    char challenge[44];
    if (!r->code.challenge || !r->verifier)
        return !r->code.challenge && !r->verifier && !client_needs_pkce(&r->call->app->common);
    const struct str v = str_of(r->verifier);
    if (v.n < VERIFIER_MIN || v.n > VERIFIER_MAX || strspn(v.p, UNRESERVED) != v.n) /* 4.1 */
        return false;
    seal_sha256(v, digest);
    text_b64url(digest, sizeof digest, challenge);
    return seal_equal(challenge, r->code.challenge, 43) && strlen(r->code.challenge) == 43;
}

static bool redirect_fits(const struct redeeming *r)
{
    if (r->code.redirect_uri[0])
        return r->redirect_uri && strcmp(r->redirect_uri, r->code.redirect_uri) == 0;
    return !r->redirect_uri ||
           client_lists(r->call->app->common.redirect_uris, str_of(r->redirect_uri));
}

static int look(struct db *db, void *arg, struct err *err)
{
    struct redeeming *r = arg;
    const int rc = authorization_code_get(db, r->hash, r->call->a, &r->code, err);
    r->found = rc == 1;
    if (rc <= 0)
        return rc;
    return standing_read(db, r->call, r->code.grant, &r->tokens.of, err) < 0 ? -1 : 0;
}

static void on_found(void *arg, enum store_outcome outcome, const struct err *err)
{
    struct redeeming *r = arg;
    const struct call *c = r->call;
    if (outcome != STORE_DONE) {
        call_store_failed(r->call, outcome, err);
    } else if (!r->found) {
        refuse(r);
    } else if (r->code.used > 0 || r->code.expires <= c->now || !r->tokens.of.good ||
               strcmp(r->tokens.of.grant.app, c->app->id) != 0 || !redirect_fits(r) ||
               !verifier_fits(r) ||
               !standing_admits(r->call, &r->tokens.of, r->call->app, r->tokens.of.grant.ip)) {
        spoil(r);
    } else {
        r->tokens.nonce = r->code.nonce;
        r->tokens.first = true;
        tokens_make(&r->tokens, on_signed, r);
    }
}

void grant_code(struct call *c)
{
    struct err busy = ERR_INIT;
    struct redeeming *r = arena_alloc(c->a, sizeof *r);
    const char *code;
    *r = (struct redeeming){.call = c, .tokens = {.call = c}};
    const int rc = call_get(c, "code", &code);
    if (rc < 0 || call_get(c, "redirect_uri", &r->redirect_uri) < 0 ||
        call_get(c, "code_verifier", &r->verifier) < 0)
        return;
    if (rc == 0) {
        call_refuse(c, "invalid_request", "code is missing");
        return;
    }
    if (!handle_hash(HANDLE_CODE, str_of(code), r->hash)) {
        refuse(r);
        return;
    }
    if (!store_read(c->issuer->o.store, look, c->issuer->o.loop, on_found, r)) {
        err_set(&busy, ERR_LIMITED, "the store's queue is full");
        call_fail(c, &busy);
    }
}
