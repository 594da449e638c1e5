/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Before any handler: whether this address has asked too often.
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

bool web_before(struct request *rq, void *app)
{
    const unsigned class = (request_route(rq)->flags & ROUTE_CLASS) / ROUTE_LOGIN;
    return class == LIMIT_NONE || within_limits(rq, app, (enum limit_class) class);
}
