/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Before any handler: whether this address has asked too often, and whether memory knows the
 * session that the request claims. While it may not, the request waits for the store; what it asks
 * for is answered as if the session had been in memory all the time.
 */
#include <stdio.h>

#include "provider/registry.h"
#include "web/app.h"
#include "web/limit.h"
#include "web/page.h"

static void send_limited(struct request *rq, struct web_app *app, enum limit_class class,
                         int64_t wait)
{
    char seconds[24];
    snprintf(seconds, sizeof seconds, "%lld", (long long)wait);
    limits_refused(app->limits, class, request_client(rq), request_log(rq), loop_now(app->loop));
    reply_header(rq, "Retry-After", seconds);
    page_refused(rq, 429, "More was asked from your network than is answered at once.", app);
}

/* An address first: whoever asks too often does not use up what all share. */
static bool within_limits(struct request *rq, struct web_app *app, enum limit_class class)
{
    struct sockaddr_storage client;
    const struct mono now = loop_now(app->loop);
    if (app->limits == NULL || request_is_local(rq))
        return true;
    int64_t wait = request_address(rq, &client)
                       ? limits_take(app->limits, class, (const struct sockaddr *)&client, now)
                       : 0;
    if (wait > 0) {
        send_limited(rq, app, class, wait);
        return false;
    }
    const bool of_provider = class == LIMIT_LOGIN || class == LIMIT_CALLBACK;
    if (!of_provider || registry_find(app->registry, request_rest(rq)) == NULL)
        return true;
    wait = limits_take_provider(app->limits, request_rest(rq), now);
    if (wait > 0)
        send_limited(rq, app, LIMIT_NONE, wait);
    return wait == 0;
}

static void send_unknown(struct request *rq, struct web_app *app)
{
    reply_header_static(rq, "Retry-After", "5");
    if (request_route(rq)->handler == forward_check) {
        identity_clear(rq);
        reply_empty(rq, 503);
    } else {
        page_refused(rq, 503, "It cannot be told just now who you are. You are still signed in.",
                     app);
    }
}

struct asking {
    struct request *rq;
    struct web_app *app;
};

static void on_recalled(void *arg, bool known)
{
    struct asking *a = arg;
    if (known)
        request_go(a->rq);
    else
        send_unknown(a->rq, a->app);
}

/* Whether memory can say whose session this is, if anybody's. Several cookies of that name are
 * nobody's in any case. */
static bool session_known(struct request *rq, struct web_app *app)
{
    struct str token;
    unsigned char hash[32];
    if (request_is_local(rq) || request_route(rq)->flags & ROUTE_OPEN ||
        request_cookie(rq, str_of(app->jar.session_name), &token) != 1 ||
        token.n != SESSION_TOKEN_LEN)
        return true;
    struct asking *a = arena_alloc(request_arena(rq), sizeof *a);
    *a = (struct asking){rq, app};
    session_token_hash(token, hash);
    switch (recall_ask(app->recall, hash, on_recalled, a)) {
    case RECALL_KNOWN:
        return true;
    case RECALL_WAIT:
        request_hold(rq);
        return false;
    case RECALL_UNKNOWN:
        break;
    }
    send_unknown(rq, app);
    return false;
}

bool web_before(struct request *rq, void *app_)
{
    struct web_app *app = app_;
    const unsigned class = (request_route(rq)->flags & ROUTE_CLASS) / ROUTE_LOGIN;
    if (class != LIMIT_NONE && !within_limits(rq, app, (enum limit_class) class))
        return false;
    return app->recall == NULL || sessions_complete(app->sessions) || session_known(rq, app);
}
