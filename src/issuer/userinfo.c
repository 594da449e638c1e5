/* SPDX-License-Identifier: Apache-2.0 */
/*
 * userinfo (OpenID Connect Core 5.3, RFC 6750): what an app may know of the person its token is
 * about, as of now. The token comes in the header or in a form, never in both and never in an
 * address.
 */
#include "base/header.h"
#include "base/json.h"
#include "issuer/request.h"
#include "issuer/standing.h"

#define ANSWER_MAX (64u * 1024)

struct asking {
    struct call *call;
    struct access_token_row token;
    struct known_at at; /* when the store was asked */
    struct standing of;
    struct known_one *known; /* the same in memory, until the loop goes on; NULL: it is not */
};

static void challenge(struct call *c, int status, const char *error, const char *description)
{
    const char *header =
        error
            ? arena_printf(c->a, "Bearer realm=\"usher\", error=\"%s\", error_description=\"%s\"%s",
                           error, description, status == 403 ? ", scope=\"openid\"" : "")
            : "Bearer realm=\"usher\"";
    call_challenge(c, status, header, error, description);
}

/* RFC 6750 2.1, 2.2. 1 and *token; 0: there is none; -1: more than one, or no bearer token. */
static int token_of(const struct call *c, const char **token)
{
    const char *header = c->in->authorization;
    const int n = form_get(c->in->form, "access_token", token);
    const bool sent = n == 1 && (*token)[0]; /* RFC 6749 3.2 */
    if (n < 0 || (sent && header))
        return -1;
    if (!header)
        return sent;
    struct str shown;
    if (!header_credentials(header, "Bearer", &shown))
        return -1;
    *token = arena_str(c->a, shown);
    return 1;
}

static int look(struct db *db, void *arg, struct err *err)
{
    struct asking *k = arg;
    return standing_read_token(db, k->call, &k->token, &k->of, err);
}

static void on_signed(void *arg, struct str token, const struct err *err)
{
    struct asking *k = arg;
    if (token.p)
        call_answer_jwt(k->call, token);
    else
        call_fail(k->call, err);
}

/* OpenID Connect Core 5.3.2: who says it and to whom, and the rest as ever. */
static void answer(struct asking *k, struct str payload)
{
    struct call *c = k->call;
    const struct app *app = c->app;
    static const uint32_t algs[] = {
        [CLIENT_RS256] = JWS_RS256, [CLIENT_ES256] = JWS_ES256, [CLIENT_EDDSA] = JWS_EDDSA};
    if (app->common.userinfo_alg == CLIENT_USERINFO_JSON) {
        if (store_shared(c->issuer->o.store)) /* nobody here knows what the others write */
            call_answer(c, 200, payload);
        else
            call_answer_again(c, payload);
        return;
    }
    const struct sign_args args = {.alg = algs[app->common.userinfo_alg - 1],
                                   .kind = JWT_ID,
                                   .payload = payload,
                                   .arena = c->a};
    sign_jwt(c->issuer, &args, on_signed, k);
}

static void say_anew(struct asking *k, const struct known_hearer *to)
{
    struct call *c = k->call;
    const struct app *app = c->app;
    struct buf text;
    struct jval *o = jval_new_object();
    /* Claims were asked for one by one by the app that the grant is, not by whom it goes on to. */
    const bool own = strcmp(app->id, k->of.grant.app) == 0;
    const struct claims_asked asked = {.app = app,
                                       .part = CLAIMS_USERINFO,
                                       .scopes = k->token.scopes,
                                       .claims = own ? k->of.grant.claims : NULL};
    if (app->common.userinfo_alg != CLIENT_USERINFO_JSON) {
        jval_set_text(o, "iss", c->issuer->o.public_url);
        jval_set_text(o, "aud", app->id);
    }
    claims_say(&asked, &k->of.person, o);
    buf_init(&text, ANSWER_MAX);
    jval_render(o, &text);
    jval_free(&o);
    if (buf_ok(&text)) {
        if (k->known)
            known_tell(k->known, to, buf_view(&text));
        answer(k, (struct str){arena_dupn(c->a, text.p, text.n), text.n});
    } else {
        struct err large = ERR_INIT;
        err_set(&large, ERR_INTERNAL, "a person's claims are too long");
        call_fail(c, &large);
    }
    buf_deinit(&text);
}

static void say(struct asking *k)
{
    struct call *c = k->call;
    const struct known_hearer to = {k->token.app, k->token.scopes, c->issuer->replaced};
    struct str text;
    if (c->apps != c->issuer->apps)
        k->known = NULL; /* replaced under way: as it was put before, nobody else is told */
    if (k->known && known_told(k->known, &to, &text))
        answer(k, (struct str){arena_dupn(c->a, text.p, text.n), text.n});
    else
        say_anew(k, &to);
}

static void judge(struct asking *k)
{
    if (k->of.good && standing_admits_both(k->call, &k->of, k->call->app))
        say(k);
    else
        challenge(k->call, 401, "invalid_token", "this token is not good any more");
}

static void on_looked(void *arg, enum store_outcome outcome, const struct err *err)
{
    struct asking *k = arg;
    struct call *c = k->call;
    struct issuer *i = c->issuer;
    if (outcome != STORE_DONE) {
        call_store_failed(c, outcome, err);
        return;
    }
    /* of a shared store nobody here knows what the others write */
    if (k->of.good && !store_shared(i->o.store) && store_changes(i->o.store) == k->at.changes)
        k->known = known_keep(i->known, &k->at, &k->of);
    judge(k);
}

/* About a person, by a token that is good. */
static void look_up(struct asking *k)
{
    struct call *c = k->call;
    struct issuer *i = c->issuer;
    struct err busy = ERR_INIT;
    k->at = (struct known_at){store_changes(i->o.store), c->now};
    k->known = known_find(i->known, k->token.grant, &k->at);
    if (k->known && standing_is_of(known_standing(k->known), &k->token)) {
        k->of = *known_standing(k->known);
        judge(k);
    } else if (!store_read(i->o.store, look, i->o.loop, on_looked, k)) {
        err_set(&busy, ERR_LIMITED, "the store's queue is full");
        call_fail(c, &busy);
    }
}

static void on_found(void *arg, int found)
{
    struct asking *k = arg;
    struct call *c = k->call;
    const char *const us[] = {c->issuer->o.public_url, NULL};
    if (found == 1)
        c->app = client_find(c, k->token.app);
    if (found < 0)
        mint_unknown(c);
    else if (found == 0)
        challenge(c, 401, "invalid_token", "this token is not good, or not any more");
    else if (!k->token.account || !k->token.grant)
        challenge(c, 403, "insufficient_scope", "this token is about no person");
    else if (!scope_any(k->token.resource, us))
        challenge(c, 401, "invalid_token", "this token is for somebody else");
    else if (!issuer_request_has_scope(k->token.scopes, "openid"))
        challenge(c, 403, "insufficient_scope", "the scope openid was not granted");
    else
        look_up(k);
}

void issuer_userinfo(struct issuer *i, const struct issuer_call *in, issuer_done_fn *done,
                     void *arg)
{
    struct call *c = call_open(i, "userinfo", in, done, arg);
    struct asking *k = arena_alloc(c->a, sizeof *k);
    const char *token;
    const int n = token_of(c, &token);
    *k = (struct asking){.call = c};
    if (n < 0)
        challenge(c, 400, "invalid_request", "one bearer token is expected, in one place");
    else if (n == 0)
        challenge(c, 401, NULL, "a bearer token is expected");
    else
        standing_find(c, str_of(token), &k->token, on_found, k);
}
