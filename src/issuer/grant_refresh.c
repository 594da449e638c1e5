/* SPDX-License-Identifier: Apache-2.0 */
/*
 * refresh_token (RFC 6749 section 6, RFC 9700 section 4.14): each use makes a successor. An app
 * whose answer was lost on the way asks again with the same token: within the grace window it gets
 * the very answer it missed, sealed in the row meanwhile, so also after a restart. Any other second
 * use, and any use by another app, ends the grant with everything that hangs on it. Who asks in
 * that window for something else (RFC 8707: a token for another API) gets that, beside the one
 * successor.
 */
#include "app/client.h"
#include "base/json.h"
#include "issuer/handle.h"
#include "issuer/request.h"
#include "issuer/tokens.h"
#include "sys/seal.h"

#define GRACE_SECONDS 10
#define ANSWER_MAX (160u * 1024)
#define PURPOSE "refresh_answer"

struct renewing {
    struct call *call;
    unsigned char hash[32];
    struct refresh_token_row row;
    char asked[44]; /* hash of scope and resources, as they came */
    struct tokens tokens;
    struct buf sealed;
    bool found, lost; /* somebody else was faster */
};

static void refuse(struct renewing *r)
{
    call_refuse(r->call, "invalid_grant", "this token is not good, or not any more");
}

static void busy(struct renewing *r)
{
    struct err err = ERR_INIT;
    err_set(&err, ERR_LIMITED, "the store's queue is full");
    call_fail(r->call, &err);
}

/* ---- the end of a family -----------------------------------------------------------------------
 */

static int end(struct db *db, void *arg, struct err *err)
{
    const struct renewing *r = arg;
    const int rc = oauth_grant_end(db, r->row.grant, r->call->now, err);
    if (rc != 1)
        return rc;
    return tokens_tell(db, r->call, &r->tokens.of.grant, "grant.reuse",
                       "a refresh token came again, or from another app", err);
}

static void on_ended(void *arg, enum store_outcome outcome, const struct err *err)
{
    struct renewing *r = arg;
    if (outcome != STORE_DONE) {
        call_store_failed(r->call, outcome, err);
        return;
    }
    access_end_grant(r->call->issuer->access, r->row.grant);
    refuse(r);
}

static void end_grant(struct renewing *r)
{
    struct issuer *i = r->call->issuer;
    if (!store_write(i->o.store, end, i->o.loop, on_ended, r))
        busy(r);
}

/* ---- once more ---------------------------------------------------------------------------------
 */

/* The answer belongs to the token that asked, and to its app. */
static struct str aad_of(const struct renewing *r)
{
    return str_of(arena_printf(r->call->a, "%s\n%s", r->row.grant, r->call->app->id));
}

static bool in_grace(const struct renewing *r)
{
    return r->row.successor.n > 0 && r->call->now - r->row.used <= GRACE_SECONDS;
}

/* ---- beside the successor that is there ---- */

static int add(struct db *db, void *arg, struct err *err)
{
    struct renewing *r = arg;
    if (tokens_store(db, &r->tokens, err) < 0)
        return -1;
    return r->tokens.of.good
               ? tokens_tell(db, r->call, &r->tokens.of.grant, "grant.refresh", NULL, err)
               : 0;
}

static void on_added(void *arg, enum store_outcome outcome, const struct err *err)
{
    struct renewing *r = arg;
    if (outcome != STORE_DONE)
        call_store_failed(r->call, outcome, err);
    else if (!r->tokens.of.good)
        refuse(r);
    else
        tokens_answer(&r->tokens);
}

static void on_signed_beside(void *arg, const struct err *err)
{
    struct renewing *r = arg;
    if (err)
        call_fail(r->call, err);
    else
        (void)tokens_write(&r->tokens, add, on_added); /* or it answered */
}

static void answer_beside(struct renewing *r, struct str answer)
{
    struct err err = ERR_INIT;
    struct jval *was = jval_parse(answer, ANSWER_MAX, 2, &err);
    const char *successor = jval_text(jval_get(was, "refresh_token"));
    r->tokens.refresh_kept = successor ? arena_dup(r->call->a, successor) : "";
    jval_free(&was);
    tokens_make(&r->tokens, on_signed_beside, r);
}

/* Sealed is what was asked for, and the answer. */
static void answer_again(struct renewing *r)
{
    struct err err = ERR_INIT;
    struct buf text;
    struct call *c = r->call;
    buf_init(&text, ANSWER_MAX);
    if (!in_grace(r) ||
        keyring_unseal(c->issuer->o.keys, PURPOSE, aad_of(r), r->row.successor, &text, &err) < 0) {
        end_grant(r);
    } else {
        const size_t n = sizeof r->asked - 1;
        const struct str answer = {text.p + n, text.n > n ? text.n - n : 0};
        if (answer.n > 0 && memcmp(text.p, r->asked, n) == 0)
            call_answer(c, 200, (struct str){arena_dupn(c->a, answer.p, answer.n), answer.n});
        else
            answer_beside(r, answer);
    }
    buf_wipe(&text);
}

/* ---- a successor -------------------------------------------------------------------------------
 */

static int renew(struct db *db, void *arg, struct err *err)
{
    struct renewing *r = arg;
    const int rc = refresh_token_use(db, r->hash, r->call->now, buf_view(&r->sealed), err);
    r->lost = rc == 0;
    if (rc < 0)
        return -1;
    /* What the faster one got is what this one gets. */
    if (r->lost)
        return refresh_token_get(db, r->hash, r->call->a, &r->row, err) < 0 ? -1 : 0;
    return add(db, r, err);
}

static void on_renewed(void *arg, enum store_outcome outcome, const struct err *err)
{
    struct renewing *r = arg;
    buf_deinit(&r->sealed);
    if (outcome != STORE_DONE)
        call_store_failed(r->call, outcome, err);
    else if (r->lost)
        answer_again(r);
    else if (!r->tokens.of.good)
        refuse(r);
    else
        tokens_answer(&r->tokens);
}

static void on_signed(void *arg, const struct err *err)
{
    struct renewing *r = arg;
    struct call *c = r->call;
    if (err) {
        call_fail(c, err);
        return;
    }
    struct buf kept;
    buf_init(&kept, ANSWER_MAX);
    buf_text(&kept, r->asked);
    buf_str(&kept, mint_text(c, &r->tokens.access, tokens_more(&r->tokens)));
    buf_init(&r->sealed, ANSWER_MAX);
    keyring_seal(c->issuer->o.keys, PURPOSE, aad_of(r), buf_view(&kept), &r->sealed);
    buf_wipe(&kept);
    if (!tokens_write(&r->tokens, renew, on_renewed))
        buf_deinit(&r->sealed);
}

/* ---- judged ------------------------------------------------------------------------------------
 */

static int look(struct db *db, void *arg, struct err *err)
{
    struct renewing *r = arg;
    const int rc = refresh_token_get(db, r->hash, r->call->a, &r->row, err);
    r->found = rc == 1;
    if (rc <= 0)
        return rc;
    return standing_read(db, r->call, r->row.grant, &r->tokens.of, err) < 0 ? -1 : 0;
}

/* RFC 6749 section 6: not more than was granted. NULL: more, or nothing at all. */
static const char *narrowed(struct renewing *r, const char *asked)
{
    struct arena *a = r->call->a;
    struct str rest = str_of(asked), word;
    const char *kept = "";
    while (str_split(&rest, ' ', &word)) {
        const char *name = arena_str(a, word);
        if (word.n == 0 || issuer_request_has_scope(kept, name))
            continue;
        if (!issuer_request_has_scope(r->tokens.of.grant.scopes, name))
            return NULL;
        kept = kept[0] ? arena_printf(a, "%s %s", kept, name) : name;
    }
    return kept[0] ? kept : NULL;
}

static void on_found(void *arg, enum store_outcome outcome, const struct err *err)
{
    struct renewing *r = arg;
    struct call *c = r->call;
    const char *scope;
    if (outcome != STORE_DONE) {
        call_store_failed(c, outcome, err);
        return;
    }
    if (!r->found || r->row.expires <= c->now || !r->tokens.of.good) {
        refuse(r);
        return;
    }
    if (strcmp(r->tokens.of.grant.app, c->app->id) != 0) {
        end_grant(r); /* it is in the wrong hands */
        return;
    }
    if (r->row.used > 0 && !in_grace(r)) {
        end_grant(r);
        return;
    }
    if (!standing_admits(r->call, &r->tokens.of, r->call->app, c->in->client)) {
        call_refuse(c, "invalid_grant", "this person may not use the app any more");
        return;
    }
    const int rc = call_get(c, "scope", &scope);
    if (rc < 0)
        return;
    if (rc == 1 && (r->tokens.scopes = narrowed(r, scope)) == NULL) {
        call_refuse(c, "invalid_scope", "a refresh may ask for less, not for more");
        return;
    }
    if (r->row.used > 0)
        answer_again(r);
    else
        tokens_make(&r->tokens, on_signed, r);
}

static void note_asked(struct renewing *r)
{
    const struct fields *f = r->call->in->form;
    unsigned char hash[32];
    struct buf all;
    buf_init(&all, ANSWER_MAX); /* longer than any request */
    for (size_t i = 0; i < f->n; i++)
        if (strcmp(f->v[i].name, "scope") == 0 || strcmp(f->v[i].name, "resource") == 0)
            buf_printf(&all, "%s=%s\n", f->v[i].name, f->v[i].value);
    seal_sha256(buf_view(&all), hash);
    text_b64url(hash, sizeof hash, r->asked);
    buf_deinit(&all);
}

void grant_refresh(struct call *c)
{
    struct renewing *r = arena_alloc(c->a, sizeof *r);
    const char *token;
    *r = (struct renewing){.call = c, .tokens = {.call = c}};
    const int rc = call_get(c, "refresh_token", &token);
    if (rc < 0)
        return;
    note_asked(r);
    if (rc == 0)
        call_refuse(c, "invalid_request", "refresh_token is missing");
    else if (!handle_hash(HANDLE_REFRESH, str_of(token), r->hash))
        refuse(r);
    else if (!store_read(c->issuer->o.store, look, c->issuer->o.loop, on_found, r))
        busy(r);
}
