/* SPDX-License-Identifier: Apache-2.0 */
#include "issuer/standing.h"

#include "app/client.h"
#include "base/json.h"
#include "issuer/act.h"
#include "issuer/refusal.h"
#include "issuer/request.h"
#include "session/session.h"
#include "store/session_row.h"

#define RESOURCES_MAX (16u * 1024)
#define TOKEN_EXCHANGE "urn:ietf:params:oauth:grant-type:token-exchange"

/* ---- what the store knows ----------------------------------------------------------------------
 */

/* The grant, as it is now, and the session it goes with: 1 and *until; 0 or -1. */
static int stands(struct db *db, const struct call *c, const char *id, struct oauth_grant_row *g,
                  int64_t *until, struct err *err)
{
    int64_t ends;
    int rc = oauth_grant_get(db, id, c->a, g, err);
    if (rc != 1 || g->ended != 0 || g->ends <= c->now || !g->account)
        return rc < 0 ? -1 : 0;
    *until = g->ends;
    if (!g->session || issuer_request_has_scope(g->scopes, "offline_access"))
        return 1;
    const struct session_key key = {g->account, g->session};
    rc = session_row_stands(db, &key, c->now, &ends, err);
    if (rc == 1 && ends < *until)
        *until = ends;
    return rc;
}

int standing_read(struct db *db, const struct call *c, const char *grant, struct standing *out,
                  struct err *err)
{
    int rc = stands(db, c, grant, &out->grant, &out->until, err);
    if (rc == 1) {
        const struct oauth_grant_row *g = &out->grant;
        const struct person_key key = {g->account, g->provider, g->subject, c->now};
        rc = person_read(db, &key, c->a, &out->person, err);
    }
    out->good = rc == 1;
    return rc < 0 ? -1 : 0;
}

bool standing_is_of(const struct standing *s, const struct access_token_row *token)
{
    return s->good && strcmp(s->grant.account, token->account) == 0;
}

int standing_read_token(struct db *db, const struct call *c, const struct access_token_row *token,
                        struct standing *out, struct err *err)
{
    const int rc = standing_read(db, c, token->grant, out, err);
    out->good = standing_is_of(out, token);
    return rc;
}

int standing_still(struct db *db, const struct call *c, struct standing *s, struct err *err)
{
    struct oauth_grant_row now;
    const int rc = stands(db, c, s->grant.id, &now, &s->until, err);
    s->good = rc == 1 && strcmp(now.account, s->grant.account) == 0;
    return rc < 0 ? -1 : 0;
}

/* ---- would they be let in? ---------------------------------------------------------------------
 */

bool standing_admits(const struct call *c, const struct standing *s, const struct app *app,
                     const char *client)
{
    const struct person_at at = {app, client, sessions_rights(c->issuer->o.sessions)};
    if (!app || !app->usable)
        return false;
    if (person_may(&s->person, &at, c->a))
        return true;
    const struct refusal told = {.app = app->id,
                                 .account = s->grant.account,
                                 .provider = s->grant.provider,
                                 .asker = c->app->id,
                                 .ip = c->in->ip,
                                 .user_agent = c->in->user_agent,
                                 .reason = "the app does not let this person in any more",
                                 .log = c->in->log};
    refusal_by_app(c->issuer, &told);
    return false;
}

bool standing_admits_both(const struct call *c, const struct standing *s, const struct app *holder)
{
    const struct app *first = client_find(c, s->grant.app);
    return standing_admits(c, s, first, s->grant.ip) &&
           (holder == first || standing_admits(c, s, holder, s->grant.ip));
}

/* ---- what the app may still have ---------------------------------------------------------------
 */

const char *standing_scopes(struct arena *a, const struct app *app, const char *scopes)
{
    struct str rest = str_of(scopes), word;
    const char *left = "";
    size_t lost = 0;
    while (str_split(&rest, ' ', &word))
        lost += word.n > 0 && !client_lists(app->common.scopes, word);
    if (lost == 0)
        return scopes;
    rest = str_of(scopes);
    while (str_split(&rest, ' ', &word))
        if (word.n > 0 && client_lists(app->common.scopes, word))
            left = arena_printf(a, "%s%s%.*s", left, left[0] ? " " : "", (int)word.n, word.p);
    return left;
}

const char **standing_resources(struct arena *a, const struct app *app, const char *resource,
                                const char *usher)
{
    struct err err = ERR_INIT;
    struct jval *all = jval_parse(str_of(resource), RESOURCES_MAX, 2, &err);
    const char **list = arena_alloc(a, (jval_count(all) + 3) * sizeof *list);
    size_t n = 0;
    for (size_t i = 0; i < jval_count(all); i++) {
        const char *one = jval_text(jval_item(all, i));
        if (one && (client_lists(app->common.resources, str_of(one)) ||
                    (usher && strcmp(one, usher) == 0)))
            list[n++] = arena_dup(a, one);
    }
    jval_free(&all);
    return list;
}

/* ---- tokens ------------------------------------------------------------------------------------
 */

struct finding {
    const struct call *call;
    struct access_token_row *row;
    mint_found_fn *found;
    void *arg;
};

static bool is_whole(const struct call *c, const struct app *app, const char *resource)
{
    const char *const *may = app->common.resources;
    for (; may && *may; may++)
        if (scope_only(resource, *may))
            return true;
    return scope_only(resource, c->issuer->o.public_url);
}

/* What came of exchanges is worth what they would come to today: the app that was granted it and
 * all on the way are in use, may have the scopes, and may exchange what they got from the one
 * before. Cuts the row's scopes down. */
static bool came_well(const struct call *c, struct access_token_row *row)
{
    const char *via[ACT_MAX];
    const int n = act_chain(c->a, row->more, via);
    const char *before = row->first;
    const struct app *app = n > 0 && before ? client_find(c, before) : NULL;
    if (n <= 0)
        return n == 0;
    if (!app)
        return false;
    row->scopes = standing_scopes(c->a, app, row->scopes);
    for (int i = 0; i < n; before = via[i++]) {
        app = client_find(c, via[i]);
        if (!app || !client_may(&app->common, TOKEN_EXCHANGE) ||
            !client_lists(app->common.exchange_from, str_of(before)))
            return false;
        row->scopes = standing_scopes(c->a, app, row->scopes);
    }
    return true;
}

/* Cuts the row down to what its app may still have. false: that is nothing. */
static bool cut(const struct call *c, struct access_token_row *row)
{
    const bool scoped = row->scopes[0] != '\0';
    const struct app *app = client_find(c, row->app);
    if (!app || (!row->account && !client_may(&app->common, "client_credentials")) ||
        !came_well(c, row))
        return false;
    row->scopes = standing_scopes(c->a, app, row->scopes);
    if (scoped && !row->scopes[0])
        return false;
    if (is_whole(c, app, row->resource))
        return true;
    const char **list = standing_resources(c->a, app, row->resource, c->issuer->o.public_url);
    row->resource = list[0] ? scope_text(c->a, list) : NULL;
    return row->resource != NULL;
}

static void on_found(void *arg, int found)
{
    const struct finding *f = arg;
    f->found(f->arg, found == 1 && !cut(f->call, f->row) ? 0 : found);
}

void standing_find(struct call *c, struct str token, struct access_token_row *row,
                   mint_found_fn *found, void *arg)
{
    struct finding *f = arena_alloc(c->a, sizeof *f);
    *f = (struct finding){.call = c, .row = row, .found = found, .arg = arg};
    mint_find(c, token, row, on_found, f);
}
