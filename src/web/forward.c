/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Forward auth: a reverse proxy asks about every request to an app. The answer sets each identity
 * header, always: with a value or explicitly empty, so that nothing a client sent can stay.
 *
 * The original request is read in two dialects, from trusted proxies only: X-Original-URL and
 * X-Original-Method (nginx, HAProxy, Apache), and X-Forwarded-Method, -Proto, -Host, -Uri (Caddy,
 * Traefik, Envoy). Where both are there they must agree. Under the first the proxy can only be told
 * 401, so the sign-in address travels in X-Usher-Location; under the second a person's browser is
 * redirected right here. Scripts get a plain 401.
 */
#include <strings.h>

#include "base/url.h"
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

/* Whether the app asked about is one of ours: 0, or the status to refuse with. Judged by origin, so
 * that a long address is no reason to lock anybody out. */
static int judge_host(struct request *rq, const struct web_app *app, const char *url)
{
    struct err err = ERR_INIT;
    struct url u;
    struct buf origin;
    const char *ignored;
    if (url_parse(request_arena(rq), str_of(url), &u, &err) != 0 || u.fragment != NULL ||
        strstr(url, "%00") != NULL)
        return 400;
    buf_init(&origin, 512);
    url_origin(&u, &origin);
    buf_byte(&origin, '/');
    const bool ours = return_to_judge(&app->return_rules, buf_view(&origin), request_arena(rq),
                                      &ignored, &err) == 0;
    buf_deinit(&origin);
    return ours ? 0 : 403;
}

/* Signed out: say so, and where to sign in when a person is there to do it. */
static void send_away(struct request *rq, const struct web_app *app, const struct original *o)
{
    struct err err = ERR_INIT;
    const char *return_to = NULL;
    if (o->url && return_to_judge(&app->return_rules, str_of(o->url), request_arena(rq), &return_to,
                                  &err) != 0)
        return_to = NULL; /* too long to carry: sign-in still works, and ends at the default page */
    identity_clear(rq);
    if (!is_navigation(rq, o)) {
        reply_empty(rq, 401);
        return;
    }
    struct buf url;
    buf_init(&url, 16384);
    buf_printf(&url, "%s/login", app->public_url);
    if (return_to) {
        buf_byte(&url, '?');
        form_add(&url, "return_to", return_to);
    }
    if (!buf_ok(&url)) {
        reply_empty(rq, 401);
    } else if (o->by_redirect) {
        reply_redirect(rq, url.p);
    } else {
        reply_header(rq, "X-Usher-Location", url.p);
        reply_empty(rq, 401);
    }
    buf_deinit(&url);
}

void forward_check(struct request *rq, void *app_)
{
    const struct web_app *app = app_;
    struct original o;
    struct session_view v;
    if (original_read(rq, &o) != 0) {
        refuse(rq, 400);
        return;
    }
    if (o.method && !method_known(o.method)) {
        refuse(rq, 403);
        return;
    }
    /* An app whose host nobody listed gets nobody. */
    const int status = o.url ? judge_host(rq, app, o.url) : 0;
    if (status != 0) {
        refuse(rq, status);
        return;
    }
    const int signed_in = web_session(app, rq, &v);
    if (signed_in == 1)
        identity_reply(app->identities, rq, &v);
    else if (signed_in < 0) {
        refuse(rq, 401);
    } else {
        send_away(rq, app, &o);
    }
}
