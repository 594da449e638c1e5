/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Forward auth: a reverse proxy asks about every request to an app. The answer sets each identity
 * header, always: with a value or explicitly empty, so that nothing a client sent can stay.
 *
 * The original request is read in two dialects, from trusted proxies only: X-Original-URL and
 * X-Original-Method (nginx, HAProxy, Apache), and X-Forwarded-Method, -Proto, -Host, -Uri (Caddy,
 * Traefik, Envoy). Where both are there they must agree. Under the first the proxy can only be told
 * 401 or 403, so the address of what a person should see travels in X-Usher-Location; under the
 * second a person's browser is redirected right here. Scripts get a plain 401 or 403. Envoy asks
 * with the method of the original request, which is why any will do.
 *
 * An app must not see usher's cookies. Traefik and Envoy cannot take some of them out of a header,
 * but can put ours in its place: /auth/cookies answers with what may go on.
 *
 * Where there are apps, the host says which one is asked about, and its rules decide
 * (app/decide.h). A proxy that does not say what was asked for would walk around them, so it is
 * refused then.
 */
#include <strings.h>

#include "app/decide.h"
#include "base/url.h"
#include "session/cookie_jar.h"
#include "store/trail.h"
#include "sys/clock.h"
#include "web/identity.h"
#include "web/page.h"

struct original {
    const char *url;    /* NULL: the proxy did not say */
    const char *method; /* likewise */
    bool by_redirect;   /* the dialect whose proxies hand our redirect to the browser */
};

static int one(const struct request *rq, const char *name, const char **value, bool *bad)
{
    const int n = request_header(rq, name, value);
    *bad = *bad || n < 0;
    return n;
}

/* 0, or -1 when what the proxy says makes no sense: then the answer is no. */
static int original_read(struct request *rq, struct original *o)
{
    const char *url, *method, *proto, *host, *uri, *fmethod;
    bool bad = false;
    *o = (struct original){NULL, NULL, false};
    if (!request_from_trusted_proxy(rq))
        return 0;
    const bool direct = one(rq, "X-Original-URL", &url, &bad) == 1;
    one(rq, "X-Original-Method", &method, &bad);
    one(rq, "X-Forwarded-Proto", &proto, &bad);
    one(rq, "X-Forwarded-Host", &host, &bad);
    one(rq, "X-Forwarded-Method", &fmethod, &bad);
    const bool forwarded = one(rq, "X-Forwarded-Uri", &uri, &bad) == 1;
    if (bad)
        return -1;
    const char *joined = NULL;
    if (forwarded) {
        if (proto == NULL || host == NULL || uri[0] != '/')
            return -1;
        joined = arena_printf(request_arena(rq), "%s://%s%s", proto, host, uri);
    }
    if (direct && joined &&
        (strcmp(url, joined) != 0 || (method && fmethod && strcmp(method, fmethod) != 0)))
        return -1;
    o->url = direct ? url : joined;
    o->method = direct ? method : fmethod; /* of the other dialect it may be the client's own */
    o->by_redirect = forwarded && !direct;
    return 0;
}

/* A person following a link, rather than a script: Sec-Fetch-Mode says so, or Accept where it is
 * missing. */
static bool is_navigation(const struct request *rq, const struct original *o)
{
    const char *value;
    if (o->method && strcmp(o->method, "GET") != 0 && strcmp(o->method, "HEAD") != 0)
        return false;
    if (request_header(rq, "X-Requested-With", &value) != 0)
        return false;
    if (request_header(rq, "Sec-Fetch-Mode", &value) == 1)
        return strcmp(value, "navigate") == 0;
    return request_header(rq, "Accept", &value) == 1 && strstr(value, "text/html") != NULL;
}

static bool method_known(const char *method)
{
    static const char *const known[] = {"GET",    "HEAD",    "POST",     "PUT",    "PATCH",
                                        "DELETE", "OPTIONS", "PROPFIND", "REPORT", "MKCOL",
                                        "COPY",   "MOVE",    "LOCK",     "UNLOCK", "PROPPATCH"};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(method, known[i]) == 0)
            return true;
    return false;
}

static void refuse(struct request *rq, int status)
{
    identity_clear(rq);
    reply_empty(rq, status);
}

/* A proxy shows people a bare status; whoever set it up finds the reason in the log, with the host
 * that was asked for ("": it is not known) and no more of the address, which may hold secrets. */
static void refuse_why(struct request *rq, int status, const char *host, const char *why)
{
    log_event(request_log(rq), LOG_INFO, "forward.refused", LF_INT("status", status),
              LF_TEXT("host", host), LF_TEXT("reason", why));
    refuse(rq, status);
}

/* Whether the app asked about is one of ours: 0, or the status to refuse with and why. Judged by
 * origin, so that a long address is no reason to lock anybody out. */
static int judge_host(struct request *rq, const struct web_app *app, const char *url, struct url *u,
                      struct err *err)
{
    struct buf origin;
    const char *ignored;
    if (url_parse(request_arena(rq), str_of(url), u, err) != 0)
        return 400;
    if (u->fragment != NULL || strstr(url, "%00") != NULL) {
        err_set(err, ERR_INVALID, "url: has a fragment, or a zero byte");
        return 400;
    }
    buf_init(&origin, 512);
    url_origin(u, &origin);
    buf_byte(&origin, '/');
    const bool ours = return_to_judge(&app->return_rules, buf_view(&origin), request_arena(rq),
                                      &ignored, err) == 0;
    buf_deinit(&origin);
    return ours ? 0 : 403;
}

/* Where a person came from, if that can be carried; NULL: it is too long, and the way ends at the
 * default page. */
static const char *came_from(struct request *rq, const struct web_app *app,
                             const struct original *o)
{
    struct err err = ERR_INIT;
    const char *return_to = NULL;
    if (o->url && return_to_judge(&app->return_rules, str_of(o->url), request_arena(rq), &return_to,
                                  &err) != 0)
        return NULL;
    return return_to;
}

/* A person goes to a page of ours, with the query that is in `url` already; where the proxy hands
 * on no redirect, it is told the address with this status. Scripts get the status alone. */
static void send_to(struct request *rq, const struct original *o, int status, struct buf *url,
                    const char *return_to)
{
    identity_clear(rq);
    if (return_to)
        form_add(url, "return_to", return_to);
    if (!is_navigation(rq, o) || !buf_ok(url)) {
        reply_empty(rq, status);
    } else if (o->by_redirect) {
        reply_redirect(rq, url->p);
    } else {
        reply_header(rq, "X-Usher-Location", url->p);
        reply_empty(rq, status);
    }
}

/* Signed out: say so, and where to sign in when a person is there to do it. */
static void send_away(struct request *rq, const struct web_app *app, const struct original *o)
{
    const char *return_to = came_from(rq, app, o);
    struct buf url;
    buf_init(&url, 16384);
    buf_printf(&url, "%s/login%s", app->public_url, return_to ? "?" : "");
    send_to(rq, o, 401, &url, return_to);
    buf_deinit(&url);
}

/* ---- what an app's rules say ----------------------------------------------------------------- */

/* Signing in would not help, or did not. */
static void turn_away(struct request *rq, const struct web_app *app, const struct original *o,
                      const struct app *asked)
{
    struct buf url;
    buf_init(&url, 16384);
    buf_printf(&url, "%s/denied?app=%s", app->public_url, asked->id);
    send_to(rq, o, 403, &url, came_from(rq, app, o));
    buf_deinit(&url);
}

struct app_subject web_subject(struct request *rq, const struct session_view *v)
{
    struct sockaddr_storage at; /* of a proxy that does not say for whom it asks, nothing */
    struct app_subject s = app_nobody(request_address(rq, &at) ? request_client(rq) : NULL);
    if (!v)
        return s;
    s.signed_in = true;
    s.account = v->account;
    s.provider = v->provider;
    s.email = v->email;
    s.email_evidence = v->email_evidence;
    s.groups = v->header_groups;
    s.roles = v->roles;
    s.permissions = v->permissions;
    return s;
}

/* For the record. What strangers are refused is only counted: it costs them nothing. The path stays
 * out of it, for it may hold anything. */
static void record_refusal(struct request *rq, const struct web_app *app, const struct app *asked,
                           const struct app_subject *s, const struct app_decision *d)
{
    const char *kind = err_kind_name(d->verdict == APP_BAD_PATH ? ERR_INVALID : ERR_NOT_ALLOWED);
    const struct audit_row row = {.actor_kind = s->signed_in ? "account" : "nobody",
                                  .actor = s->signed_in ? s->account : "",
                                  .ip = request_client(rq),
                                  .request_id = request_id(rq),
                                  .user_agent = web_user_agent(rq),
                                  .action = "app.access",
                                  .object = asked->id,
                                  .provider = s->signed_in ? s->provider : NULL,
                                  .app = asked->id,
                                  .outcome = "refused",
                                  .reason =
                                      arena_printf(request_arena(rq), "%s: %s", kind, d->reason)};
    if (s->signed_in)
        trail_add(app->trail, &row);
    else
        trail_count(app->trail, &row);
}

/* The cookies that came, without usher's own: there even when empty, so that it takes the place of
 * what the client sent. False: they are too long to be said again. */
static bool give_cookies(struct request *rq)
{
    struct buf others;
    struct str line;
    size_t at = 0;
    buf_init(&others, request_room(rq));
    while (request_header_next(rq, STR("Cookie"), &at, &line))
        cookie_jar_others(line, &others);
    const bool fits = buf_ok(&others);
    if (fits)
        reply_header(rq, "Cookie", others.n > 0 ? others.p : " ");
    buf_deinit(&others);
    return fits;
}

/* As who is signed in, or as nobody. */
static void let_in(struct request *rq, const struct web_app *app, const struct session_view *v)
{
    if (request_route(rq)->data && !give_cookies(rq)) {
        refuse(rq, 431);
    } else if (v) {
        identity_reply(app->identities, rq, v);
    } else {
        identity_clear(rq);
        reply_empty(rq, 200);
    }
}

static void forward_app(struct request *rq, const struct web_app *app, const struct original *o,
                        const struct app *asked, const struct url *u)
{
    struct session_view v;
    const int signed_in = web_session(app, rq, &v);
    const struct app_subject s = web_subject(rq, signed_in == 1 ? &v : NULL);
    const struct app_decision d = app_decide(asked, &s, u->path, o->method);
    switch (d.verdict) {
    case APP_ALLOW:
        let_in(rq, app, signed_in == 1 && !d.as_nobody ? &v : NULL);
        return;
    case APP_SIGN_IN:
        if (signed_in < 0)
            refuse(rq, 401);
        else
            send_away(rq, app, o);
        return;
    case APP_DENY:
        if (s.signed_in) /* a stranger could fill the log */
            log_event(request_log(rq), LOG_INFO, "app.denied", LF_TEXT("app", asked->id),
                      LF_TEXT("account", s.account), LF_TEXT("reason", d.reason));
        record_refusal(rq, app, asked, &s, &d);
        turn_away(rq, app, o, asked);
        return;
    case APP_BAD_PATH:
        record_refusal(rq, app, asked, &s, &d);
        refuse(rq, 400);
        return;
    }
}

void forward_check(struct request *rq, void *app_)
{
    const struct web_app *app = app_;
    struct original o;
    struct session_view v;
    struct url u;
    struct err err = ERR_INIT;
    if (original_read(rq, &o) != 0) {
        refuse_why(rq, 400, "", "what the proxy says was asked for contradicts itself");
        return;
    }
    if (o.method && !method_known(o.method)) {
        refuse_why(rq, 403, "", "the proxy names a method that does not exist");
        return;
    }
    if (!o.url && apps_guard_hosts(app->apps)) {
        refuse_why(rq, 403, "",
                   "the proxy does not say what was asked for, or is none of trusted_proxies");
        return;
    }
    /* An app whose host nobody listed gets nobody. */
    const int status = o.url ? judge_host(rq, app, o.url, &u, &err) : 0;
    if (status != 0) {
        refuse_why(rq, status, status == 403 ? u.host : "", err.text);
        return;
    }
    const struct app *asked = o.url ? apps_of(app->apps, &u) : NULL;
    if (asked) {
        forward_app(rq, app, &o, asked, &u);
        return;
    }
    if (o.url && apps_claim(app->apps, &u)) {
        refuse_why(rq, 403, u.host, "the host is an app's, but not on this port");
        return;
    }
    const int signed_in = web_session(app, rq, &v);
    if (signed_in == 1)
        let_in(rq, app, &v);
    else if (signed_in < 0)
        refuse(rq, 401);
    else
        send_away(rq, app, &o);
}
