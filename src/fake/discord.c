/* SPDX-License-Identifier: Apache-2.0 */
/* Discord's API v10, as far as a login sees it, with Discord's shapes of errors. */
#include <stdlib.h>

#include "fake/fake.h"

static void discord_error(struct exchange *x, int status, int code, const char *message)
{
    struct jval *o = jval_new_object();

    jval_set_text(o, "message", message);
    jval_set_int(o, "code", code);
    exchange_json(x, status, o);
}

/* Discord answers odd agents with a page of its front door (reference, "User Agent"). */
static bool agent_fine(struct exchange *x)
{
    const char *agent = http_request_header(x->rq, "user-agent");

    if (agent && str_starts(str_of(agent), "DiscordBot ("))
        return true;
    x->r->status = 403;
    x->r->type = "text/html; charset=UTF-8";
    buf_text(&x->r->body, "<!doctype html><title>Access denied</title><p>error code: 1010</p>\n");
    return false;
}

/* false: answered with why not. */
static bool bearer(struct exchange *x, struct grant *g)
{
    const char *header = http_request_header(x->rq, "authorization");

    if (!agent_fine(x))
        return false;
    http_reply_header(x->r, "X-RateLimit-Limit", "5");
    http_reply_header(x->r, "X-RateLimit-Remaining", "4");
    if (header && str_starts(str_of(header), "Bearer ") &&
        grants_find(x->f->grants, GRANT_ACCESS, header + 7, x->rq->arena, g) == 1 &&
        strcmp(g->realm, x->realm->id) == 0)
        return true;
    discord_error(x, 401, 0, "401: Unauthorized");
    return false;
}

void discord_me(struct exchange *x)
{
    const struct person *p;
    struct jval *o;
    struct grant g;

    if (!bearer(x, &g))
        return;
    p = g.person;
    o = jval_new_object();
    jval_set_text(o, "id", p->snowflake);
    jval_set_text(o, "username", p->username);
    jval_set_text(o, "avatar", p->avatar);
    jval_set_text(o, "discriminator", p->discriminator);
    jval_set_int(o, "public_flags", 0);
    jval_set_int(o, "flags", 0);
    jval_set(o, "banner", jval_new_null());
    jval_set(o, "accent_color", jval_new_null());
    jval_set_text(o, "global_name", p->global_name);
    jval_set(o, "avatar_decoration_data", jval_new_null());
    jval_set_bool(o, "mfa_enabled", p->mfa);
    jval_set_text(o, "locale", p->locale);
    jval_set_int(o, "premium_type", 0);
    if (has_word(g.scope, "email")) {
        jval_set_text(o, "email", p->email);
        jval_set_bool(o, "verified", p->email_verified);
    }
    exchange_json(x, 200, o);
}

void discord_guilds(struct exchange *x)
{
    struct jval *list, *one;
    struct grant g;

    if (!bearer(x, &g))
        return;
    if (!has_word(g.scope, "guilds")) {
        discord_error(x, 403, 50026, "Missing required OAuth2 scope");
        return;
    }
    list = jval_new_array();
    if (g.person->roles) {
        one = jval_new_object();
        jval_set_text(one, "id", PEOPLE_GUILD);
        jval_set_text(one, "name", "Analytical Engines");
        jval_set_bool(one, "owner", false);
        jval_set_text(one, "permissions", "2147483647");
        jval_push(list, one);
    }
    exchange_json(x, 200, list);
}

static struct jval *member(const struct person *p)
{
    struct jval *o = jval_new_object(), *user = jval_new_object(), *roles = jval_new_array();
    struct str rest = str_of(p->roles), piece;

    while (str_split(&rest, ' ', &piece)) {
        char *id = mem_dupn(piece.p, piece.n);
        if (*id)
            jval_push(roles, jval_new_text(id));
        free(id);
    }
    jval_set_text(user, "id", p->snowflake);
    jval_set_text(user, "username", p->username);
    jval_set(o, "user", user);
    jval_set(o, "roles", roles);
    jval_set(o, "nick", jval_new_null());
    jval_set_text(o, "joined_at", "2015-04-26T06:26:56.936000+00:00");
    jval_set_bool(o, "pending", p->pending);
    jval_set_text(o, "communication_disabled_until",
                  p->timed_out ? "2999-01-01T00:00:00.000000+00:00" : NULL);
    jval_set_bool(o, "deaf", false);
    jval_set_bool(o, "mute", false);
    jval_set_int(o, "flags", 0);
    return o;
}

/* …/guilds/{id}/member */
void discord_member(struct exchange *x)
{
    struct grant g;
    const bool known =
        strcmp(x->rq->path, "/discord/api/v10/users/@me/guilds/" PEOPLE_GUILD "/member") == 0;

    if (!bearer(x, &g))
        return;
    if (!str_ends(str_of(x->rq->path), "/member"))
        discord_error(x, 404, 0, "404: Not Found");
    else if (!has_word(g.scope, "guilds.members.read"))
        discord_error(x, 403, 50026, "Missing required OAuth2 scope");
    else if (!known || !g.person->roles)
        discord_error(x, 404, 10004, "Unknown Guild");
    else
        exchange_json(x, 200, member(g.person));
}
