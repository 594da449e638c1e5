/* SPDX-License-Identifier: Apache-2.0 */
#include "web/account_app.h"

#include "issuer/issuer.h"
#include "issuer/request.h"
#include "store/consent.h"
#include "store/oauth_grant.h"
#include "web/admin_view.h"
#include "web/scope.h"

struct reading {
    struct arena *a;
    struct account_app *v;
    size_t n;
};

static struct account_app *entry(struct reading *r, const char *app)
{
    for (size_t i = 0; i < r->n; i++)
        if (strcmp(r->v[i].app, app) == 0)
            return &r->v[i];
    if (r->n == ACCOUNT_APPS_MAX)
        return NULL;
    struct account_app *e = &r->v[r->n++];
    *e = (struct account_app){.app = arena_dup(r->a, app), .scopes = ""};
    return e;
}

/* Newest first: the first of an app is what it was granted last. */
static int take_grant(void *arg, const struct oauth_grant_row *row, struct err *err)
{
    struct reading *r = arg;
    struct account_app *e = entry(r, row->app);
    (void)err;
    if (!e)
        return 0;
    if (e->last == 0) {
        e->last = row->created;
        e->scopes = arena_dup(r->a, row->scopes);
    }
    e->since = row->created;
    e->offline = e->offline || issuer_request_has_scope(row->scopes, "offline_access");
    return 0;
}

static int take_consent(void *arg, const struct consent_row *row, struct err *err)
{
    struct account_app *e = entry(arg, row->app);
    (void)err;
    if (!e)
        return 0;
    e->consent = true;
    if (e->since == 0 || row->created < e->since)
        e->since = row->created;
    if (e->last == 0)
        e->last = row->changed;
    return 0;
}

int account_app_read(struct db *db, const struct account_visit *v, struct arena *a,
                     struct account_app **out, size_t *n, struct err *err)
{
    const struct oauth_grant_filter mine = {.account = v->account};
    struct reading r = {.a = a, .v = arena_alloc(a, ACCOUNT_APPS_MAX * sizeof *r.v)};
    if (oauth_grant_each(db, &mine, v->now, take_grant, &r, err) < 0 ||
        consent_each(db, v->account, take_consent, &r, err) < 0)
        return -1;
    *out = r.v;
    *n = r.n;
    return 0;
}

struct jval *account_app_list(const struct account_visit *v, const struct account_app *apps,
                              size_t n)
{
    struct jval *list = jval_new_array();
    for (size_t i = 0; i < n; i++) {
        const struct app *app = apps_find(v->app->apps, apps[i].app);
        struct jval *o = jval_new_object();
        jval_set_text(o, "app", apps[i].app);
        jval_set_text(o, "label", app ? app->label : apps[i].app);
        jval_set_text(o, "scopes", scope_words(v->a, apps[i].scopes));
        jval_set(o, "since", show_when(apps[i].since, v->now, v->a));
        jval_set(o, "last", show_when(apps[i].last, v->now, v->a));
        jval_set_bool(o, "offline", apps[i].offline);
        jval_set_bool(o, "can_revoke", v->fresh);
        jval_push(list, o);
    }
    return list;
}

/* ---- taking it back ---------------------------------------------------------------------------
 */

struct revoking {
    struct account_visit *v;
    struct arena *a;
    const char **grants; /* ids */
    size_t n, room;
    bool any;
};

static int take_id(void *arg, const struct oauth_grant_row *row, struct err *err)
{
    struct revoking *r = arg;
    (void)err;
    if (r->n == r->room) {
        const char **more = arena_alloc(r->a, (r->room * 2 + 16) * sizeof *more);
        if (r->n > 0)
            memcpy(more, r->grants, r->n * sizeof *more);
        r->grants = more;
        r->room = r->room * 2 + 16;
    }
    r->grants[r->n++] = arena_dup(r->a, row->id);
    return 0;
}

static int revoke(struct db *db, void *arg, struct err *err)
{
    struct revoking *r = arg;
    const struct account_visit *v = r->v;
    const struct oauth_grant_filter its = {.account = v->account, .app = v->id};
    r->n = 0;
    const int said = consent_drop(db, v->account, v->id, err);
    if (said < 0 || oauth_grant_each(db, &its, v->now, take_id, r, err) < 0)
        return -1;
    r->any = said > 0 || r->n > 0;
    if (!r->any)
        return 0;
    if (oauth_grant_end_all(db, &its, v->now, err) < 0)
        return -1;
    return account_audit(db, v, "grant.revoke", v->id, err);
}

/* Tokens are out of memory before anybody hears of it, whatever the store says. */
static void on_revoked(void *arg, enum store_outcome outcome, const struct err *err)
{
    struct revoking *r = arg;
    struct account_visit *v = r->v;
    for (size_t i = 0; i < r->n; i++)
        issuer_end_grant(v->app->issuer, r->grants[i]);
    arena_free(&r->a);
    if (!account_failed(v, outcome, err))
        account_go(v, r->any ? "revoked" : "gone");
}

void account_app_revoke(struct request *rq, void *app)
{
    struct account_visit *v = account_visit(rq, app, ACCOUNT_FRESH);
    if (!v)
        return;
    struct revoking *r = arena_alloc(v->a, sizeof *r);
    *r = (struct revoking){.v = v, .a = arena_new()};
    account_write(v, revoke, on_revoked, r);
}
