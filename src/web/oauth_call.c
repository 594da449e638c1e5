/* SPDX-License-Identifier: Apache-2.0 */
/* Endpoints that programs use: a form in, JSON out, and nobody stores either. */
#include "base/json.h"
#include "web/oauth.h"

static bool pages_may_ask(const struct request *rq)
{
    const struct route *route = request_route(rq);
    return route && route->handler == oauth_call && ((const struct oauth_op *)route->data)->pages;
}

/* The origin of the page that asks; NULL: none, or there is nothing for pages here. */
static const char *page_of(const struct request *rq)
{
    const char *origin;
    return pages_may_ask(rq) && request_header(rq, "Origin", &origin) == 1 ? origin : NULL;
}

static void send_now(struct request *rq, const struct issuer_answer *a)
{
    reply_for_program(rq);
    if (pages_may_ask(rq))
        reply_header_static(rq, "Vary", "Origin");
    if (a->origin) {
        reply_header(rq, "Access-Control-Allow-Origin", a->origin);
        reply_header_static(rq, "Access-Control-Expose-Headers", "WWW-Authenticate, Retry-After");
    }
    reply_header_static(rq, "Cache-Control", "no-store");
    if (a->www_authenticate)
        reply_header_static(rq, "WWW-Authenticate", a->www_authenticate);
    if (a->retry_after > 0)
        reply_header(rq, "Retry-After",
                     arena_printf(request_arena(rq), "%lld", (long long)a->retry_after));
    reply_send(rq, a->status,
               a->body.n == 0 ? NULL
               : a->jwt       ? "application/jwt"
                              : "application/json",
               a->body);
}

/* The same as above, for an answer that may come again: no page asked. */
static void send_answer(void *arg, const struct issuer_answer *a)
{
    static const struct reply_header headers[] = {{"Cache-Control", "no-store"},
                                                  {"Content-Type", "application/json"},
                                                  {"X-Content-Type-Options", "nosniff"},
                                                  {"Vary", "Origin"}};
    const struct oauth_asked *q = arg;
    const size_t n = sizeof headers / sizeof *headers - (pages_may_ask(q->rq) ? 0 : 1);
    if (a->again && q->about != ISSUER_NOTHING && oauth_again_keep(q, headers, n, a->body))
        return;
    send_now(q->rq, a);
}

void oauth_refused(struct request *rq, const struct web_app *app, int status, const char *what)
{
    const char *page = page_of(rq);
    struct buf out;
    buf_init(&out, 1024);
    buf_text(&out, status < 500 ? "{\"error\":\"invalid_request\",\"error_description\":"
                                : "{\"error\":\"server_error\",\"error_description\":");
    json_quote(&out, what);
    buf_byte(&out, '}');
    const struct issuer_answer a = {
        .status = status,
        .body = {arena_dupn(request_arena(rq), out.p, out.n), out.n},
        .origin = page && issuer_knows_origin(app->issuer, page) ? page : NULL};
    buf_deinit(&out);
    send_now(rq, &a);
}

bool oauth_is_call(const struct request *rq)
{
    static const char own[] = "/oauth2/register";
    const char *path = request_path(rq);
    if (strncmp(path, own, sizeof own - 1) == 0 &&
        (path[sizeof own - 1] == '\0' || path[sizeof own - 1] == '/'))
        return true;
    for (size_t i = 0; i < web_routes_n; i++)
        if (web_routes[i].handler == oauth_call && strcmp(web_routes[i].path, path) == 0)
            return true;
    return false;
}

/* RFC 6749 3.2: parameters come in the body, where no log and no history sees them. Userinfo has
 * but one, the token; what else libraries write behind its address (?schema=openid) is not looked
 * at. */
static bool query_good(const struct oauth_op *op, const struct fields *query)
{
    const char *token;
    if (query && op->run == issuer_userinfo)
        return form_get(query, "access_token", &token) == 0;
    return query && query->n == 0;
}

void oauth_call(struct request *rq, void *app_)
{
    const struct web_app *app = app_;
    const struct oauth_op *op = request_route(rq)->data;
    struct oauth_asked asked;
    if (oauth_again_ask(&asked, rq, app) && oauth_again_send(&asked))
        return;
    static const struct fields none = {NULL, 0};
    const bool get = strcmp(request_method(rq), "POST") != 0;
    const struct fields *query = request_query(rq), *form = get ? &none : request_form(rq);
    const char *authorization = NULL, *user_agent = NULL;
    if (!query_good(op, query) || !form) {
        oauth_refused(rq, app, 400, "Parameters are expected in the body, as a form.");
        return;
    }
    if (request_header(rq, "Authorization", &authorization) < 0 ||
        request_header(rq, "User-Agent", &user_agent) < 0) {
        oauth_refused(rq, app, 400, "A header came twice.");
        return;
    }
    struct issuer_call *call = arena_alloc(request_arena(rq), sizeof *call);
    *call = (struct issuer_call){.arena = request_arena(rq),
                                 .form = form,
                                 .authorization = authorization,
                                 .ip = request_client(rq),
                                 .user_agent = user_agent,
                                 .origin = page_of(rq),
                                 .client = web_subject(rq, NULL).client,
                                 .log = request_log(rq)};
    struct oauth_asked *kept = arena_alloc(request_arena(rq), sizeof *kept);
    *kept = asked;
    request_hold(rq);
    op->run(app->issuer, call, send_answer, kept);
}

/* What a browser asks before a page's script may (Fetch, 3.2.2): the least that token, userinfo and
 * revocation need. Which app it will be is not known yet. */
void oauth_preflight(struct request *rq, void *app_)
{
    const struct web_app *app = app_;
    const char *origin;
    reply_for_program(rq);
    reply_header_static(rq, "Vary", "Origin");
    reply_header_static(rq, "Cache-Control", "no-store");
    if (request_header(rq, "Origin", &origin) != 1 || !issuer_knows_origin(app->issuer, origin)) {
        reply_empty(rq, 403);
        return;
    }
    reply_header(rq, "Access-Control-Allow-Origin", origin);
    reply_header_static(rq, "Access-Control-Allow-Methods", request_route(rq)->data);
    reply_header_static(rq, "Access-Control-Allow-Headers", "Authorization, Content-Type");
    reply_header_static(rq, "Access-Control-Max-Age", "600");
    reply_empty(rq, 204);
}
