/* SPDX-License-Identifier: Apache-2.0 */
/*
 * token-exchange (RFC 8693): an API that was called with a person's access token gets another one,
 * to call the next API with. It is still about the person, belongs to the app that asks, and says
 * so: `act` names that app, and below it whoever had it exchanged before (section 4.1).
 *
 * Nothing of it is wider than what it is made of: the scopes are some of the token's, and of those
 * the app may have; it ends with the token, and with the person's grant, on which it hangs like the
 * token itself. Whether an app may is for admins to say, four times over: it has the grant
 * token_exchange, it serves what the token is for, the token's app is one of its exchange_from, and
 * the new one is for its resources. See docs/decisions/0017-token-exchange.md.
 */
#include "app/client.h"
#include "base/json.h"
#include "issuer/act.h"
#include "issuer/request.h"
#include "issuer/tokens.h"
#include "sys/log.h"

#define TARGETS_MAX (16u * 1024)
#define TYPE "urn:ietf:params:oauth:token-type:"

struct exchanging {
    struct call *call;
    struct access_token_row subject;
    const char *scopes, *resource, *claims;
    const char *type; /* what the new one is told to be */
    struct tokens tokens;
    bool over; /* the token ended meanwhile */
};

static void busy(struct call *c)
{
    struct err err = ERR_INIT;
    err_set(&err, ERR_LIMITED, "the store's queue is full");
    call_fail(c, &err);
}

/* RFC 8693 section 2.2.2. Why is for the log: an app learns nothing of tokens that are not its
 * business. */
static void refuse(struct call *c, const char *why)
{
    log_event(c->in->log, LOG_INFO, "issuer.exchange_refused", LF_TEXT("app", c->app->id),
              LF_TEXT("why", why));
    call_refuse(c, "invalid_request",
                "the subject token is not good, or this app may not exchange it");
}

/* ---- what is asked for -------------------------------------------------------------------------
 */

/* false: the call is over. */
static bool read_type(struct exchanging *x)
{
    struct call *c = x->call;
    const char *type;
    const int rc = call_get(c, "requested_token_type", &type);
    if (rc < 0)
        return false;
    x->type = TYPE "access_token";
    if (rc == 0 || strcmp(type, x->type) == 0)
        return true;
    x->type = TYPE "jwt";
    if (strcmp(type, x->type) == 0 && c->app->common.token_format == CLIENT_TOKEN_JWT)
        return true;
    call_refuse(c, "invalid_request", "this app gets no tokens of that type by exchange");
    return false;
}

/* Who acts is who authenticates: a token that says so would add nothing but doubt. */
static bool read_actor(struct call *c)
{
    const char *text;
    const int token = call_get(c, "actor_token", &text);
    const int type = token < 0 ? 0 : call_get(c, "actor_token_type", &text);
    if (token < 0 || type < 0)
        return false;
    if (token + type > 0)
        call_refuse(c, "invalid_request", "no actor_token: the app that asks is who acts");
    return token + type == 0;
}

/* NULL: a token that may be exchanged by this app; or why not. */
static const char *judge(struct exchanging *x, int found)
{
    struct call *c = x->call;
    if (found == 0)
        return "it is no access token of ours, or not good any more";
    if (!x->subject.account || !x->subject.grant)
        return "it is about no person";
    if (!scope_any(x->subject.resource, c->app->common.serves))
        return "it is for another API";
    if (!client_lists(c->app->common.exchange_from, str_of(x->subject.app)))
        return "its app is none of exchange_from";
    return NULL;
}

static void go_on(struct exchanging *x);

static void on_found(void *arg, int found)
{
    struct exchanging *x = arg;
    struct call *c = x->call;
    if (found < 0) {
        mint_unknown(c);
        return;
    }
    const char *why = judge(x, found);
    if (why) {
        refuse(c, why);
        return;
    }
    x->claims = act_over(c->a, x->subject.more, c->app->id, &why);
    if (!x->claims)
        call_refuse(c, "invalid_request", why);
    else
        go_on(x);
}

static void read_subject(struct exchanging *x)
{
    struct call *c = x->call;
    const char *token, *type;
    const int has_type = call_get(c, "subject_token_type", &type);
    const int has_token = has_type < 0 ? 0 : call_get(c, "subject_token", &token);
    if (has_type < 0 || has_token < 0)
        return;
    if (!has_token || !has_type) {
        call_refuse(c, "invalid_request", "subject_token and subject_token_type are needed");
        return;
    }
    const bool jwt = strcmp(type, TYPE "jwt") == 0;
    if (!jwt && strcmp(type, TYPE "access_token") != 0) {
        call_refuse(c, "invalid_request", "only access tokens of this issuer are exchanged");
        return;
    }
    if (jwt && str_starts(str_of(token), MINT_PREFIX))
        refuse(c, "it is no JWT");
    else
        standing_find(c, str_of(token), &x->subject, on_found, x);
}

/* Being away is nothing that can be passed on. */
static bool may_have(const struct exchanging *x, struct str scope)
{
    const char *name = arena_str(x->call->a, scope);
    return issuer_request_has_scope(x->subject.scopes, name) &&
           client_lists(x->call->app->common.scopes, scope) && strcmp(name, "offline_access") != 0;
}

/* Those asked for, each of which must be had; or all that can be. */
static bool read_scopes(struct exchanging *x)
{
    struct call *c = x->call;
    const char *asked;
    struct str rest, word;
    const int rc = call_get(c, "scope", &asked);
    if (rc < 0)
        return false;
    x->scopes = "";
    rest = str_of(rc == 1 ? asked : x->subject.scopes);
    while (str_split(&rest, ' ', &word)) {
        const char *name = arena_str(c->a, word);
        if (word.n == 0 || issuer_request_has_scope(x->scopes, name))
            continue;
        if (may_have(x, word)) {
            x->scopes = x->scopes[0] ? arena_printf(c->a, "%s %s", x->scopes, name) : name;
        } else if (rc == 1) {
            call_refuse(c, "invalid_scope", "the token or this app does not have that scope");
            return false;
        }
    }
    if (x->scopes[0])
        return true;
    call_refuse(c, "invalid_scope", "the token has no scope that this app may have");
    return false;
}

static bool read_targets(struct exchanging *x)
{
    struct call *c = x->call;
    const char *const *may = c->app->common.resources;
    const struct scope_targets t = {
        .allowed = may, .audience = true, .refusal = "this app may not ask for that resource"};
    if (!scope_named(c, &t, &x->resource))
        return false;
    if (!x->resource && (!may || !may[0])) { /* never usher by default: it is no next API */
        call_refuse(c, "invalid_target", "this app has no resources");
        return false;
    }
    if (!x->resource)
        x->resource = scope_json(c, (const char *const[]){may[0], NULL});
    return x->resource != NULL;
}

/* ---- the new one -------------------------------------------------------------------------------
 */

static int write_all(struct db *db, void *arg, struct err *err)
{
    struct exchanging *x = arg;
    struct access_token_row now;
    const int rc = access_token_get(db, x->subject.hash, x->call->a, &now, err);
    x->over = rc == 0 || (rc == 1 && now.ended != 0);
    if (rc < 0 || x->over)
        return rc < 0 ? -1 : 0;
    if (tokens_store(db, &x->tokens, err) < 0)
        return -1;
    x->over = !x->tokens.of.good;
    return x->over ? 0 : tokens_tell(db, x->call, &x->tokens.of.grant, "grant.exchange", NULL, err);
}

static void on_written(void *arg, enum store_outcome outcome, const struct err *err)
{
    struct exchanging *x = arg;
    struct call *c = x->call;
    const struct minted *m = &x->tokens.access;
    struct err why = ERR_INIT;
    if (outcome != STORE_DONE) {
        call_store_failed(c, outcome, err);
    } else if (x->over) {
        refuse(c, "it ended meanwhile");
    } else if (access_add(c->issuer->access, &m->row, c->now, &why) < 0) {
        call_fail(c, &why);
    } else {
        log_event(c->in->log, LOG_INFO, "issuer.token", LF_TEXT("app", c->app->id),
                  LF_TEXT("grant", c->grant), LF_TEXT("scope", m->row.scopes),
                  LF_TEXT("account", m->row.account));
        mint_answer(c, m, arena_printf(c->a, ",\"issued_token_type\":\"%s\"", x->type));
    }
}

static void on_minted(struct call *c, const struct minted *m, const struct err *err)
{
    struct exchanging *x = c->more;
    if (err) {
        call_fail(c, err);
        return;
    }
    x->tokens.access = *m;
    x->tokens.arg = x;
    tokens_write(&x->tokens, write_all, on_written);
}

/* ---- the person --------------------------------------------------------------------------------
 */

/* Whether those who serve a resource would let the person in. An app that is switched off lets
 * nobody in, but is no harm to another that serves the same. */
static bool welcome_at(const struct exchanging *x, const char *resource)
{
    const struct apps *apps = x->call->apps;
    const struct standing *of = &x->tokens.of;
    bool served = false, in = false;
    for (size_t i = 0; i < apps_count(apps); i++) {
        const struct app *app = apps_at(apps, i);
        if (!client_lists(app->common.serves, str_of(resource)))
            continue;
        served = true;
        if (app->usable && !standing_admits(x->call, of, app, of->grant.ip))
            return false;
        in = in || app->usable;
    }
    return in || !served;
}

static bool welcome_there(const struct exchanging *x)
{
    struct err err = ERR_INIT;
    struct jval *list = jval_parse(str_of(x->resource), TARGETS_MAX, 2, &err);
    bool all = list != NULL;
    for (size_t i = 0; all && i < jval_count(list); i++)
        all = welcome_at(x, jval_text(jval_item(list, i)));
    jval_free(&list);
    return all;
}

static int look(struct db *db, void *arg, struct err *err)
{
    struct exchanging *x = arg;
    return standing_read_token(db, x->call, &x->subject, &x->tokens.of, err);
}

static void on_looked(void *arg, enum store_outcome outcome, const struct err *err)
{
    struct exchanging *x = arg;
    struct call *c = x->call;
    const struct standing *of = &x->tokens.of;
    if (outcome != STORE_DONE) {
        call_store_failed(c, outcome, err);
    } else if (!x->tokens.of.good) {
        refuse(c, "the grant is over, or the person is gone");
    } else if (!standing_admits_both(c, of, client_find(c, x->subject.app)) ||
               !standing_admits(c, of, c->app, of->grant.ip)) {
        refuse(c, "the person may not use the app any more");
    } else if (!welcome_there(x)) {
        call_refuse(c, "invalid_target", "the person may not use what serves that resource");
    } else {
        const struct oauth_grant_row *g = &of->grant;
        const int64_t end = x->subject.expires < g->ends ? x->subject.expires : g->ends;
        c->more = x;
        mint_access(c,
                    &(struct mint_args){.account = x->subject.account,
                                        .grant = g->id,
                                        .first = g->app,
                                        .scopes = x->scopes,
                                        .resource = x->resource,
                                        .more = x->claims,
                                        .lifetime = end - c->now},
                    on_minted);
    }
}

/* What the subject token allows is known. */
static void go_on(struct exchanging *x)
{
    struct call *c = x->call;
    if (!read_targets(x) || !read_scopes(x))
        return;
    if (!store_read(c->issuer->o.store, look, c->issuer->o.loop, on_looked, x))
        busy(c);
}

void grant_exchange(struct call *c)
{
    struct exchanging *x = arena_alloc(c->a, sizeof *x);
    *x = (struct exchanging){.call = c, .tokens = {.call = c}};
    if (read_type(x) && read_actor(c))
        read_subject(x);
}
