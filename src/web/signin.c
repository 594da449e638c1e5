/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signing in, as the browser sees it: the chooser, the hop to the provider, and the way back. The
 * binding cookie ties a flow to this browser; there is one per browser, not one per flow.
 */
#include <stdio.h>

#include "app/client.h"
#include "login/rehearsal.h"
#include "sys/random.h"
#include "web/brand.h"
#include "web/page.h"

#define BIND_SECONDS (30 * 86400)
#define LAST_SECONDS (365 * 86400)

/* ---- where to go afterwards */

/* 0 and *out (the default when nothing was asked for), -1 after having answered. */
static int judge_return(struct request *rq, const struct web_app *app, const char **out)
{
    struct err err = ERR_INIT;
    const struct fields *q = request_query(rq);
    const char *raw = NULL;
    const int n = q ? form_get(q, "return_to", &raw) : -1;
    *out = app->default_return;
    if (n == 0)
        return 0;
    if (n == 1 &&
        return_to_judge(&app->return_rules, str_of(raw), request_arena(rq), out, &err) == 0)
        return 0;
    log_event(request_log(rq), LOG_INFO, "login.return_to_refused",
              LF_TEXT("reason", n < 0 ? "malformed" : err.text));
    reply_error(rq, 400, "The address to return to is not one this site sends people to.");
    return -1;
}

/* ---- what a visitor may ask for */

/* Of what a visitor may ask for, only these reach the upstream. */
static const char *hint(struct request *rq, const char *name, size_t max)
{
    const char *value;
    const struct fields *q = request_query(rq);
    if (q == NULL || form_get(q, name, &value) != 1 || strlen(value) > max ||
        !text_utf8(str_of(value)))
        return NULL;
    for (const char *p = value; *p; p++)
        if ((unsigned char)*p < 0x20 || *p == 0x7f)
            return NULL;
    return value[0] ? value : NULL;
}

static const char *prompt_hint(struct request *rq)
{
    static const char *const known[] = {"login", "consent", "select_account", "none"};
    const char *value = hint(rq, "prompt", 32);
    for (size_t i = 0; value && i < sizeof known / sizeof *known; i++)
        if (strcmp(value, known[i]) == 0)
            return known[i];
    return NULL;
}

/* ---- the chooser */

/* What this browser's person chose last, if there still is something to choose; or NULL. */
static const struct provider *chosen_last(struct request *rq, const struct web_app *app)
{
    const struct provider *last = NULL;
    struct str id;
    size_t usable = 0;
    if (request_cookie(rq, str_of(app->jar.last_name), &id) != 1)
        return NULL;
    for (size_t i = 0; i < registry_count(app->registry); i++) {
        const struct provider *p = registry_at(app->registry, i);
        usable += p->usable;
        if (p->usable && str_is(id, p->id))
            last = p;
    }
    return usable > 1 ? last : NULL;
}

static struct jval *provider_entry(const struct provider *p, const char *query)
{
    struct jval *o = jval_new_object();
    jval_set_text(o, "id", p->id);
    jval_set_text(o, "label", p->label);
    jval_set_text(o, "query", query);
    jval_set_bool(o, "fake", p->fake);
    /* The mark beside the name. */
    const bool discord = strcmp(p->plugin->name, "discord") == 0;
    const bool google = strcmp(p->plugin->name, "google") == 0;
    jval_set_bool(o, "discord", discord);
    jval_set_bool(o, "google", google);
    jval_set_bool(o, "plain", !discord && !google);
    return o;
}

/* What goes on to the provider's own address; "" for nothing. */
static void query_of(struct request *rq, const struct web_app *app, const char *return_to,
                     struct buf *out)
{
    const char *prompt = prompt_hint(rq), *login_hint = hint(rq, "login_hint", 256);
    buf_byte(out, '?');
    if (strcmp(return_to, app->default_return) != 0)
        form_add(out, "return_to", return_to);
    if (prompt)
        form_add(out, "prompt", prompt);
    if (login_hint)
        form_add(out, "login_hint", login_hint);
    if (out->n == 1)
        buf_clear(out);
}

/* The app somebody signs in to by OpenID Connect, if that is what they do; or NULL. Only for what
 * the page shows: issuer/authorize judges what came of it. */
static const struct app *app_asked(struct request *rq, const struct web_app *app)
{
    const char *id = hint(rq, "app", 32);
    const struct app *to = id && app->apps ? apps_find(app->apps, id) : NULL;
    return to && to->usable ? to : NULL;
}

static bool app_admits(const struct app *to, const char *provider)
{
    return !to || !to->common.providers || client_lists(to->common.providers, str_of(provider));
}

/* Who is signed in may go on as they are, unless they are to prove who they are once more, or came
 * by a provider that the app does not take: then they would be sent here again. */
static void set_person(struct jval *data, struct request *rq, const struct web_app *app,
                       const struct app *to, const char *return_to)
{
    struct session_view v;
    const char *prompt = prompt_hint(rq);
    if (web_session(app, rq, &v) != 1)
        return;
    const bool anew = prompt && strcmp(prompt, "login") == 0;
    const bool elsewhere = !app_admits(to, v.provider);
    jval_set_text(data, "signed_in_as",
                  v.name[0]       ? v.name
                  : v.username[0] ? v.username
                                  : v.account);
    jval_set_bool(data, "anew", anew && !elsewhere);
    jval_set_bool(data, "elsewhere", elsewhere);
    if (!anew && !elsewhere)
        jval_set_text(data, "return_to", return_to);
}

void signin_chooser(struct request *rq, void *app_)
{
    const struct web_app *app = app_;
    const char *return_to;
    if (judge_return(rq, app, &return_to) != 0)
        return;
    const struct app *to = app_asked(rq, app);
    struct buf query;
    buf_init(&query, 8192);
    query_of(rq, app, return_to, &query);
    struct jval *data = jval_new_object();
    struct jval *list = jval_new_array();
    const struct provider *last = chosen_last(rq, app);
    bool fake = false;
    for (int pass = 0; pass < 2;
         pass++) /* what they used last is at hand, however many there are */
        for (size_t i = 0; i < registry_count(app->registry); i++) {
            const struct provider *p = registry_at(app->registry, i);
            if (!p->usable || !app_admits(to, p->id) || (p == last) != (pass == 0))
                continue;
            struct jval *entry = provider_entry(p, query.p);
            jval_set_bool(entry, "last", p == last);
            jval_push(list, entry);
            fake = fake || p->fake;
        }
    buf_deinit(&query);
    jval_set_bool(data, "none", jval_count(list) == 0);
    jval_set(data, "providers", list);
    if (to)
        brand_set(data, to);
    jval_set_bool(data, "fake", fake);
    set_person(data, rq, app, to, return_to);
    page_send(rq, app, 200, "chooser", "Sign in", data);
}

/* ---- the hop to the provider */

int web_bind_get(struct request *rq, const struct web_app *app, struct str *out)
{
    const int n = request_cookie(rq, str_of(app->jar.bind_name), out);
    unsigned char raw[32];
    size_t len;
    if (n == 0)
        return 0;
    if (n < 0 || !text_b64url_decode(*out, raw, sizeof raw, &len) || len != sizeof raw)
        return -1;
    return 1;
}

static struct str bind_make(struct request *rq, const struct web_app *app)
{
    unsigned char raw[32];
    char *value = arena_alloc(request_arena(rq), 44);
    struct buf cookie;
    rng_fill(raw, sizeof raw);
    text_b64url(raw, sizeof raw, value);
    buf_init(&cookie, 512);
    cookie_jar_bind(&app->jar, value, BIND_SECONDS, &cookie);
    reply_header(rq, "Set-Cookie", cookie.p);
    buf_deinit(&cookie);
    return str_of(value);
}

struct str web_bind(struct request *rq, const struct web_app *app)
{
    struct str bind;
    return web_bind_get(rq, app, &bind) == 1 ? bind : bind_make(rq, app);
}

static bool is_prefetch(struct request *rq)
{
    const char *purpose;
    return request_header(rq, "Sec-Purpose", &purpose) == 1 ||
           request_header(rq, "Purpose", &purpose) == 1;
}

struct hop {
    struct request *rq;
    const struct web_app *app;
    const char *provider;
};

static void on_started(void *arg, const char *url, const struct err *err)
{
    struct hop *h = arg;
    if (url)
        reply_redirect(h->rq, url);
    else
        page_error(h->rq, h->app, err->kind, h->provider);
}

void signin_start(struct request *rq, void *app_)
{
    const struct web_app *app = app_;
    const struct provider *p = registry_find(app->registry, request_rest(rq));
    const char *return_to;
    if (p == NULL || !p->common.enabled) {
        page_error(rq, app, ERR_NOT_FOUND, NULL);
        return;
    }
    if (!p->usable) {
        page_error(rq, app, ERR_MISCONFIGURED, NULL);
        return;
    }
    if (request_is_head(rq) || is_prefetch(rq)) {
        reply_empty(rq, 204); /* nothing begins until somebody really comes */
        return;
    }
    if (judge_return(rq, app, &return_to) != 0)
        return;
    const struct str bind = web_bind(rq, app);
    struct hop *h = arena_alloc(request_arena(rq), sizeof *h);
    *h = (struct hop){rq, app, arena_dup(request_arena(rq), p->id)}; /* a reload may come */
    const struct login_start start = {.provider = p->id,
                                      .purpose = USHER_FLOW_LOGIN,
                                      .return_to = return_to,
                                      .bind = bind,
                                      .join = hint(rq, "join", 64),
                                      .login_hint = hint(rq, "login_hint", 256),
                                      .prompt = prompt_hint(rq),
                                      .ip = request_client(rq),
                                      .user_agent = web_user_agent(rq),
                                      .request_id = request_id(rq),
                                      .log = request_log(rq)};
    request_hold(rq);
    login_start_flow(app->login, &start, on_started, h);
}

/* ---- the way back */

/* By way of a page of ours: an operator's cookie is SameSite=Strict, and after a redirect that
 * began elsewhere it would stay behind. */
static void send_to_report(struct hop *h, const char *id)
{
    const char *report = arena_printf(request_arena(h->rq), "/admin/rehearsals/%s", id);
    struct jval *data = jval_new_object();
    jval_set_text(data, "report", report);
    reply_header(h->rq, "Refresh", arena_printf(request_arena(h->rq), "0; url=%s", report));
    page_send(h->rq, h->app, 200, "rehearsed", "Rehearsal", data);
}

void web_set_session(struct request *rq, const struct web_app *app, const struct login_result *r,
                     const char *provider)
{
    struct buf cookie;
    if (r->token == NULL)
        return;
    buf_init(&cookie, 512);
    cookie_jar_session(&app->jar, r->token, r->max_age, &cookie);
    reply_header(rq, "Set-Cookie", cookie.p);
    buf_wipe(&cookie);
    buf_init(&cookie, 512);
    cookie_jar_last(&app->jar, provider, LAST_SECONDS, &cookie); /* for the chooser */
    reply_header(rq, "Set-Cookie", cookie.p);
    buf_deinit(&cookie);
}

static void on_finished(void *arg, const struct login_result *r, const struct err *err)
{
    struct hop *h = arg;
    if (r == NULL) {
        page_error(h->rq, h->app, err->kind, h->provider);
        return;
    }
    if (r->rehearsal) {
        send_to_report(h, r->rehearsal);
        return;
    }
    web_set_session(h->rq, h->app, r, h->provider);
    if (r->join)
        reply_redirect(h->rq, arena_printf(request_arena(h->rq), "/account/join/%s", r->join));
    else
        reply_redirect(h->rq, r->return_to);
}

/* A browser that was never sent away from here, or has lost every trace of it. */
static void record_stray(struct request *rq, const struct web_app *app)
{
    const struct audit_row row = {.actor_kind = "nobody",
                                  .actor = "",
                                  .ip = request_client(rq),
                                  .request_id = request_id(rq),
                                  .user_agent = web_user_agent(rq),
                                  .action = "login.failed",
                                  .object = "",
                                  .outcome = "failed",
                                  .reason = "invalid: there is no binding cookie, or no form"};
    trail_count(app->trail, &row);
}

static void finish(struct request *rq, const struct web_app *app, const struct fields *fields)
{
    struct login_callback c = {
        .provider = request_rest(rq), .fields = fields, .log = request_log(rq)};
    struct session_view v;
    if (fields == NULL || web_bind_get(rq, app, &c.bind) != 1) {
        record_stray(rq, app);
        page_error(rq, app, ERR_INVALID, request_rest(rq));
        return;
    }
    if (web_session(app, rq, &v) == 1)
        c.session = &v;
    c.ip = request_client(rq);
    c.user_agent = web_user_agent(rq);
    c.request_id = request_id(rq);
    struct hop *h = arena_alloc(request_arena(rq), sizeof *h);
    *h = (struct hop){rq, app, arena_dup(request_arena(rq), request_rest(rq))};
    request_hold(rq);
    login_finish_flow(app->login, &c, on_finished, h);
}

void signin_callback(struct request *rq, void *app)
{
    if (request_is_head(rq) || is_prefetch(rq)) {
        reply_empty(rq, 204); /* a code is used by a person's visit, not by a preview */
        return;
    }
    finish(rq, app, request_query(rq));
}

/* Some browsers hold the redirect that answers a form to form-action, too, and it may lead to an
 * app on another host. */
#define REPOST_CSP(targets)                                                                        \
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; "                    \
    "form-action 'self' " targets "; base-uri 'none'; frame-ancestors 'none'"

/* response_mode=form_post comes as a cross-site POST, to which browsers attach no Lax cookies. The
 * same fields are posted once more from a page of our own, and then they do. */
static void repost_page(struct request *rq, const struct web_app *app, const struct fields *form)
{
    struct jval *data = jval_new_object();
    struct jval *list = jval_new_array();
    for (size_t i = 0; i < form->n; i++) {
        struct jval *o = jval_new_object();
        jval_set_text(o, "name", form->v[i].name);
        jval_set_text(o, "value", form->v[i].value);
        jval_push(list, o);
    }
    jval_set(data, "fields", list);
    jval_set_text(data, "action", request_path(rq));
    reply_header_static(rq, "Content-Security-Policy",
                        app->jar.secure ? REPOST_CSP("https:") : REPOST_CSP("https: http:"));
    page_has_form(rq);
    page_send(rq, app, 200, "repost", "One moment", data);
}

void signin_repost(struct request *rq, void *app_)
{
    const struct web_app *app = app_;
    const struct fields *form = request_form(rq);
    const char *mark;
    struct str bind;
    if (form == NULL || form->n == 0 ||
        (registry_find(app->registry, request_rest(rq)) == NULL &&
         !rehearsal_expected(app->login, request_rest(rq)))) {
        page_error(rq, app, ERR_INVALID, NULL);
        return;
    }
    /* However often it stands there: a form that says it was posted again is not sent again, or a
     * page elsewhere could set a browser going in circles. */
    const bool again = form_get(form, "usher_repost", &mark) != 0;
    if (!again && web_bind_get(rq, app, &bind) != 1) {
        repost_page(rq, app, form);
        return;
    }
    if (again && !request_same_origin(rq, app->public_origin)) {
        page_error(rq, app, ERR_INVALID, request_rest(rq));
        return;
    }
    finish(rq, app, form);
}
