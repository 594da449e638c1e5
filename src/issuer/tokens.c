/* SPDX-License-Identifier: Apache-2.0 */
#include "issuer/tokens.h"

#include <stdlib.h>

#include "app/client.h"
#include "base/json.h"
#include "issuer/request.h"
#include "store/audit.h"
#include "sys/log.h"

#define PAYLOAD_MAX (32u * 1024)
#define ID_TOKEN_LIFE 3600 /* an app reads it at once; and as a hint later, when it is over */

static const char *scopes_of(const struct tokens *t)
{
    return t->scopes ? t->scopes : t->of.grant.scopes;
}

/* Those of them that the app may still have: admins change apps while grants stand. NULL: the call
 * is over. */
static const char *scopes_left(const struct tokens *t)
{
    struct call *c = t->call;
    const char *left = standing_scopes(c->a, c->app, scopes_of(t));
    if (left[0])
        return left;
    call_refuse(c, "invalid_grant", "the app may not have what was granted any more");
    return NULL;
}

/* Who access tokens of this grant may be for: what was granted, as far as the app may still have
 * it, or the app's first; usher itself for userinfo, or where nothing was said. NULL-ended. */
static const char *const *granted_resources(const struct tokens *t)
{
    const struct app *app = t->call->app;
    const char *const *may = app->common.resources;
    const char *usher = t->call->issuer->o.public_url, *granted = t->of.grant.resource;
    const char **list = standing_resources(t->call->a, app, granted ? granted : "[]", NULL);
    size_t n = 0;
    while (list[n])
        n++;
    if (!granted)
        list[n++] = may && may[0] ? may[0] : usher;
    if (issuer_request_has_scope(scopes_of(t), "openid") && !client_lists(list, str_of(usher)))
        list[n] = usher;
    return list;
}

/* All of them, or those that are asked for now and no others (RFC 8707 section 2.2): a token for
 * one API is of no use at the next. The grant stays as it is. NULL: the call is over. */
static const char *resources_of(const struct tokens *t)
{
    struct call *c = t->call;
    const struct scope_targets may = {.allowed = granted_resources(t),
                                      .refusal = "this grant is not for that resource"};
    const char *asked;
    if (!scope_named(c, &may, &asked))
        return NULL;
    if (!asked && !may.allowed[0]) {
        call_refuse(c, "invalid_grant", "the app may not have what was granted any more");
        return NULL;
    }
    return asked ? asked : scope_json(c, may.allowed);
}

/* ---- the ID token: OpenID Connect Core 2, 3.1.3.6 -----------------------------------------------
 */

static struct jval *words(const char *text)
{
    struct jval *list = jval_new_array();
    struct str rest = str_of(text), word;
    while (text && str_split(&rest, ' ', &word))
        if (word.n > 0) {
            char *name = mem_dupn(word.p, word.n);
            jval_push(list, jval_new_text(name));
            free(name);
        }
    return list;
}

static uint32_t id_alg(const struct tokens *t)
{
    static const uint32_t algs[] = {
        [CLIENT_RS256] = JWS_RS256, [CLIENT_ES256] = JWS_ES256, [CLIENT_EDDSA] = JWS_EDDSA};
    return algs[t->call->app->common.id_token_alg];
}

static struct str id_payload(const struct tokens *t)
{
    struct call *c = t->call;
    char half[64];
    struct buf text;
    struct str out = {NULL, 0};
    struct jval *o = jval_new_object();
    const struct claims_asked asked = {.app = c->app,
                                       .part = CLAIMS_ID_TOKEN,
                                       .scopes = scopes_of(t),
                                       .claims = t->of.grant.claims};
    jval_set_text(o, "iss", c->issuer->o.public_url);
    claims_say(&asked, &t->of.person, o);
    jval_set_text(o, "aud", c->app->id);
    jval_set_int(o, "exp", c->now + ID_TOKEN_LIFE);
    jval_set_int(o, "iat", c->now);
    if (t->of.grant.auth_time > 0)
        jval_set_int(o, "auth_time", t->of.grant.auth_time);
    if (t->nonce)
        jval_set_text(o, "nonce", t->nonce);
    if (jws_half_hash(id_alg(t), t->access.token, half, sizeof half) == 0)
        jval_set_text(o, "at_hash", half);
    if (t->of.grant.sid)
        jval_set_text(o, "sid", t->of.grant.sid);
    if (t->of.grant.amr)
        jval_set(o, "amr", words(t->of.grant.amr));
    buf_init(&text, PAYLOAD_MAX);
    jval_render(o, &text);
    if (buf_ok(&text))
        out = (struct str){arena_dupn(c->a, text.p, text.n), text.n};
    buf_deinit(&text);
    jval_free(&o);
    return out;
}

static void on_id_token(void *arg, struct str token, const struct err *err)
{
    struct tokens *t = arg;
    t->id_token = token;
    t->done(t->arg, err);
}

static void on_access(struct call *c, const struct minted *m, const struct err *err)
{
    struct tokens *t = c->more;
    struct err failure = ERR_INIT;
    if (err) {
        t->done(t->arg, err);
        return;
    }
    t->access = *m;
    if (!issuer_request_has_scope(scopes_of(t), "openid")) {
        t->done(t->arg, NULL);
        return;
    }
    const struct sign_args args = {
        .alg = id_alg(t), .kind = JWT_ID, .payload = id_payload(t), .arena = c->a};
    if (args.payload.p) {
        sign_jwt(c->issuer, &args, on_id_token, t);
    } else {
        err_set(&failure, ERR_INTERNAL, "an ID token says too much");
        t->done(t->arg, &failure);
    }
}

void tokens_make(struct tokens *t, void (*done)(void *arg, const struct err *err), void *arg)
{
    struct call *c = t->call;
    t->done = done;
    t->arg = arg;
    c->more = t;
    t->refresh_text[0] = '\0';
    if (!t->refresh_kept && client_may(&c->app->common, "refresh_token")) {
        handle_make(HANDLE_REFRESH, t->refresh_text, t->refresh.hash);
        t->refresh.grant = t->of.grant.id;
        t->refresh.created = c->now;
        t->refresh.expires = t->of.grant.ends;
    }
    t->scopes = scopes_left(t);
    const char *resource = t->scopes ? resources_of(t) : NULL;
    if (!resource)
        return;
    mint_access(c,
                &(struct mint_args){.account = t->of.grant.account,
                                    .grant = t->of.grant.id,
                                    .scopes = scopes_of(t),
                                    .resource = resource,
                                    .lifetime = t->of.grant.ends - c->now},
                on_access);
}

int tokens_tell(struct db *db, const struct call *c, const struct oauth_grant_row *g,
                const char *action, const char *reason, struct err *err)
{
    const struct audit_row row = {.at = c->now,
                                  .actor_kind = "app",
                                  .actor = c->app->id,
                                  .ip = c->in->ip,
                                  .user_agent = c->in->user_agent,
                                  .action = action,
                                  .object = g->account,
                                  .provider = g->provider,
                                  .app = g->app,
                                  .outcome = reason ? "refused" : "done",
                                  .reason = reason};
    return audit_add(db, &row, err) < 0 ? -1 : 0;
}

int tokens_store(struct db *db, struct tokens *t, struct err *err)
{
    if (standing_still(db, t->call, &t->of, err) < 0)
        return -1;
    if (!t->of.good)
        return 0;
    if (t->access.stored && access_token_add(db, &t->access.row, err) < 0)
        return -1;
    return t->refresh_text[0] ? refresh_token_add(db, &t->refresh, err) : 0;
}

static int run_write(struct db *db, void *arg, struct err *err)
{
    struct tokens *t = arg;
    return t->write(db, t->arg, err);
}

static void on_written(void *arg, enum store_outcome outcome, const struct err *err)
{
    struct tokens *t = arg;
    if (t->access.stored)
        access_release(t->call->issuer->access, t->call->app->id);
    t->written(t->arg, outcome, err);
}

bool tokens_write(struct tokens *t, store_fn *write, store_done_fn *written)
{
    struct call *c = t->call;
    struct issuer *i = c->issuer;
    struct err err = ERR_INIT;
    t->write = write;
    t->written = written;
    const bool room = !t->access.stored || access_reserve(i->access, c->app->id, c->now, &err) == 0;
    if (room && !store_write(i->o.store, run_write, i->o.loop, on_written, t)) {
        if (t->access.stored)
            access_release(i->access, c->app->id);
        err_set(&err, ERR_LIMITED, "the store's queue is full");
    }
    if (err.kind == ERR_NONE)
        return true;
    call_fail(c, &err);
    return false;
}

const char *tokens_more(const struct tokens *t)
{
    struct arena *a = t->call->a;
    const char *id = t->id_token.n > 0 ? arena_printf(a, ",\"id_token\":\"%.*s\"",
                                                      (int)t->id_token.n, t->id_token.p)
                                       : "";
    const char *refresh = t->refresh_kept ? t->refresh_kept : t->refresh_text;
    return refresh[0] ? arena_printf(a, "%s,\"refresh_token\":\"%s\"", id, refresh) : id;
}

void tokens_answer(struct tokens *t)
{
    struct call *c = t->call;
    struct err err = ERR_INIT;
    if (t->access.stored && access_add(c->issuer->access, &t->access.row, c->now, &err) < 0) {
        call_fail(c, &err);
        return;
    }
    log_event(c->in->log, LOG_INFO, "issuer.token", LF_TEXT("app", c->app->id),
              LF_TEXT("grant", c->grant), LF_TEXT("scope", t->access.row.scopes),
              LF_TEXT("account", t->of.grant.account));
    mint_answer(c, &t->access, tokens_more(t));
}
