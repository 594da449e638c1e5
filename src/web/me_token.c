/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The access token of whoever is signed in, at one of their providers, for an app that may have it:
 * the session's cookie says who, HTTP Basic with the app's secret says which app. Never the refresh
 * token. Every answer is on record.
 */
#include "app/secrets.h"
#include "base/basic.h"
#include "login/refresh.h"
#include "store/trail.h"
#include "sys/clock.h"
#include "web/api.h"

struct ask {
    struct request *rq;
    const struct web_app *app;
    const char *client; /* the app's id; "" until it is known */
    const char *account, *provider;
};

/* kind and text NULL: it was given. */
static void record(const struct ask *k, const char *kind, const char *text)
{
    const char *agent = NULL;
    if (request_header(k->rq, "User-Agent", &agent) != 1)
        agent = NULL;
    const struct audit_row row = {
        .actor_kind = *k->client ? "app" : "nobody",
        .actor = k->client,
        .ip = request_client(k->rq),
        .request_id = request_id(k->rq),
        .user_agent = agent,
        .action = "upstream_token.give",
        .object = k->account,
        .provider = k->provider,
        .app = *k->client ? k->client : NULL,
        .outcome = kind ? "refused" : "done",
        .reason = kind ? arena_printf(request_arena(k->rq), "%s: %s", kind, text) : NULL};
    trail_add(k->app->trail, &row);
}

static void refuse(const struct ask *k, int status, const char *kind, const char *text)
{
    record(k, kind, text);
    api_error(k->rq, status, kind, text);
}

static void on_token(void *arg, const struct refresh_token *t, const struct err *err)
{
    const struct ask *k = arg;
    if (err && err->kind == ERR_NOT_FOUND) {
        refuse(k, 404, "not_found", "No token of this provider is kept for this person.");
    } else if (err && err->kind == ERR_EXPIRED) {
        refuse(k, 404, "expired", "The person has to sign in with this provider again.");
    } else if (err) {
        refuse(k, api_status(err->kind, false), err_kind_name(err->kind),
               "The token could not be renewed just now. Try again later.");
    } else {
        struct jval *o = jval_new_object();
        jval_set_text(o, "access_token", secret_reveal(t->access).p);
        jval_set_text(o, "token_type", "Bearer");
        jval_set_text(o, "scope", t->scope);
        jval_set(o, "expires_in",
                 t->expires_in >= 0 ? jval_new_int(t->expires_in) : jval_new_null());
        record(k, NULL, NULL);
        api_send(k->rq, 200, o);
    }
}

/* NULL: nobody we know. */
static const struct app *app_of(const struct web_app *w, struct request *rq)
{
    const char *header, *id, *secret;
    if (request_header(rq, "Authorization", &header) != 1 ||
        !basic_read(header, request_arena(rq), &id, &secret))
        return NULL;
    const struct app *app = w->apps ? apps_find(w->apps, id) : NULL;
    /* Unknown apps and wrong secrets take the same way, down to the hash. */
    const bool good = w->secrets && app_secrets_check(w->secrets, app ? app->id : "",
                                                      str_of(secret), wall_seconds(clock_wall()));
    return good && app && app->usable ? app : NULL;
}

static bool may_have(const struct app *app, const char *provider)
{
    const char *const *list = app->common.upstream_tokens;
    for (; list && *list; list++)
        if (strcmp(*list, provider) == 0)
            return true;
    return false;
}

void me_token(struct request *rq, void *app_)
{
    const struct web_app *w = app_;
    struct arena *a = request_arena(rq);
    struct session_view v;
    struct ask *k = arena_alloc(a, sizeof *k);
    const struct provider *p = registry_find(w->registry, request_rest(rq));
    *k = (struct ask){rq, w, "", "", p ? arena_dup(a, p->id) : NULL};
    const struct app *app = app_of(w, rq);
    if (app == NULL) {
        reply_header_static(rq, "WWW-Authenticate", "Basic realm=\"usher\", charset=\"UTF-8\"");
        refuse(k, 401, "unauthenticated", "An app with its secret is wanted here, by HTTP Basic.");
        return;
    }
    k->client = arena_dup(a, app->id);
    if (p == NULL || !may_have(app, p->id)) {
        refuse(k, 403, "not_allowed", "This app may not ask for tokens of this provider.");
        return;
    }
    if (web_session(w, rq, &v) != 1) {
        refuse(k, 401, "not_signed_in", "Nobody is signed in here.");
        return;
    }
    k->account = arena_dup(a, v.account);
    const struct refresh_ask ask = {.provider = k->provider,
                                    .account = k->account,
                                    .subject = strcmp(v.provider, p->id) == 0 ? v.subject : ""};
    request_hold(rq);
    refresh_get(w->login, &ask, on_token, k);
}
