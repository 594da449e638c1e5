/* SPDX-License-Identifier: Apache-2.0 */
/*
 * caller: who asks for something to be administered, found out the same way for the API and the
 * pages, in this order:
 *   the admin socket       whoever may connect may do everything
 *   Authorization: Bearer  a token with its scopes, and nothing else counts then; never in a query
 *   the operator's cookie  whoever opened a setup link, for an hour
 *   the session cookie     of an account with the role admin
 * A cookie is sent by the browser, whoever wrote the page that asked. So with one everything but
 * GET must come from a page of ours (request_same_origin); and admins handle secrets only if they
 * signed in within the last half hour.
 */
#ifndef WEB_CALLER_H
#define WEB_CALLER_H

#include "admin/admin.h"
#include "web/app.h"

#define CALLER_FRESH_SECONDS (30 * 60)

struct caller {
    struct admin_actor actor; /* its strings live as long as the request */
    bool by_cookie;
    bool stale; /* signing in again would add ADMIN_SECRETS */
};

/* 1 and *out; 0: nobody we know (401); -1 with ERR_NOT_ALLOWED: known, but not for this (403). */
int caller_find(struct request *rq, const struct web_app *app, struct caller *out, struct err *err)
    __attribute__((warn_unused_result));

#endif
