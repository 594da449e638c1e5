/* SPDX-License-Identifier: Apache-2.0 */
#include "web/caller.h"

#include <strings.h>

#include "base/header.h"
#include "sys/clock.h"

/* The socket's file and the gate let only root and our own user through. */
static int from_socket(struct request *rq, const struct web_app *app, struct caller *out)
{
    unsigned uid, pid;
    if (!request_peer(rq, &uid, &pid))
        return 0;
    out->actor.kind = "socket";
    out->actor.id = arena_printf(request_arena(rq), "%u", uid);
    out->actor.name = uid == 0 ? "root" : app->user;
    out->actor.scopes = ADMIN_ALL_SCOPES;
    return 1;
}

static bool is_get(const struct request *rq)
{
    return strcmp(request_method(rq), "GET") == 0 || request_is_head(rq);
}

/* What a browser sends by itself proves nothing about the page that asked. */
static int judge_page(const struct request *rq, const struct web_app *app, struct err *err)
{
    if (is_get(rq) || request_same_origin(rq, app->public_origin))
        return 1;
    return err_set(err, ERR_NOT_ALLOWED, "This must be asked for on this site's own pages.");
}

static int from_operator(struct request *rq, const struct web_app *app, struct caller *out,
                         struct err *err)
{
    struct str cookie;
    if (request_cookie(rq, str_of(app->jar.operator_name), &cookie) != 1 ||
        admin_operator_check(app->admin, cookie, &out->actor) != 1)
        return 0;
    out->by_cookie = true;
    return judge_page(rq, app, err);
}

static int from_session(struct request *rq, const struct web_app *app, struct caller *out,
                        struct err *err)
{
    struct session_view v;
    if (web_session(app, rq, &v) != 1)
        return 0;
    if (!admin_is(app->admin, v.account))
        return err_set(
            err, ERR_NOT_ALLOWED,
            "You are signed in, but this account is no admin. An admin can make it one.");
    out->by_cookie = true;
    out->stale = wall_seconds(clock_wall()) - v.created > CALLER_FRESH_SECONDS;
    out->actor.kind = "account";
    out->actor.id = v.account;
    out->actor.name = v.name[0] ? v.name : NULL;
    out->actor.provider = v.provider;
    out->actor.scopes = out->stale ? ADMIN_ALL_SCOPES & ~(unsigned)ADMIN_SECRETS : ADMIN_ALL_SCOPES;
    return judge_page(rq, app, err);
}

/* A token of any kind but ours (a proxy's Basic password) is none of our business. */
static int from_token(struct request *rq, const struct web_app *app, struct caller *out,
                      bool *bearer)
{
    const char *value;
    struct str token;
    *bearer = request_header(rq, "Authorization", &value) == 1 &&
              strncasecmp(value, "Bearer", 6) == 0 && (value[6] == ' ' || value[6] == 0);
    if (!*bearer || !header_credentials(value, "Bearer", &token))
        return 0;
    return admin_token_check(app->admin, token, &out->actor) == 1;
}

static int find(struct request *rq, const struct web_app *app, struct caller *out, struct err *err)
{
    bool bearer;
    if (request_is_local(rq))
        return from_socket(rq, app, out);
    int n = from_token(rq, app, out, &bearer);
    if (n == 0 && !bearer)
        n = from_operator(rq, app, out, err);
    if (n == 0 && !bearer)
        n = from_session(rq, app, out, err);
    return n;
}

/* Tables of tokens and sessions change while the request waits. */
static const char *kept(struct request *rq, const char *text)
{
    return text ? arena_dup(request_arena(rq), text) : NULL;
}

int caller_find(struct request *rq, const struct web_app *app, struct caller *out, struct err *err)
{
    *out = (struct caller){.by_cookie = false};
    const int n = find(rq, app, out, err);
    out->actor.ip = request_is_local(rq) ? NULL : request_client(rq);
    out->actor.user_agent = web_user_agent(rq);
    out->actor.request_id = request_id(rq);
    out->actor.id = kept(rq, out->actor.id);
    out->actor.name = kept(rq, out->actor.name);
    out->actor.provider = kept(rq, out->actor.provider);
    return n;
}
