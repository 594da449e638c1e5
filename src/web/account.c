/* SPDX-License-Identifier: Apache-2.0 */
/* What a person sees of their own account: ways to sign in, sessions, apps, data. */
#include <string.h>

#include "app/decide.h"
#include "base/evidence.h"
#include "base/url.h"
#include "store/account_list.h"
#include "store/session_row.h"
#include "web/account_app.h"
#include "web/admin_view.h"
#include "web/device.h"

/* What the store said, in an arena of its own: it is filled on another thread. */
struct overview {
    struct account_visit *v;
    struct jval *apps; /* judged before the store is asked, while the session is at hand */
    struct arena *a;
    struct account_row account;
    struct session_row *sessions;
    size_t n_sessions;
    struct account_app *held; /* apps that hold something of the person */
    size_t n_held;
};

static int read_overview(struct db *db, void *arg, struct err *err)
{
    struct overview *o = arg;
    const struct session_row_of of = {.account = o->v->account,
                                      .now = o->v->now,
                                      .idle_before = o->v->now - o->v->app->idle_seconds};
    arena_reset(o->a);
    const int found = account_get(db, o->v->account, o->v->now, o->a, &o->account, err);
    if (found <= 0)
        return found < 0 ? -1 : err_set(err, ERR_NOT_FOUND, "the account is gone");
    if (session_row_list(db, &of, o->a, &o->sessions, &o->n_sessions, err) < 0)
        return -1;
    return account_app_read(db, o->v, o->a, &o->held, &o->n_held, err);
}

static const char *label_of(const struct account_visit *v, const char *id)
{
    const struct provider *p = registry_find(v->app->registry, id);
    return p ? p->label : id;
}

/* ---- ways to sign in ------------------------------------------------------------------------- */

static struct jval *identity_entry(const struct overview *o, const struct account_identity *i)
{
    const struct account_visit *v = o->v;
    const struct provider *p = registry_find(v->app->registry, i->provider);
    char handle[23];
    struct jval *e = jval_new_object();
    account_handle(i->provider, i->subject, handle);
    jval_set_text(e, "handle", handle);
    jval_set_text(e, "provider", p ? p->label : i->provider);
    jval_set_bool(e, "unusable", !p || !p->usable);
    jval_set_text(e, "called", i->name ? i->name : i->username);
    jval_set_text(e, "username", show_username(i->name, i->username));
    jval_set_text(e, "email", i->email);
    jval_set_bool(e, "email_proven", evidence_proves(i->email_evidence));
    jval_set(e, "since", show_when(i->linked ? i->linked : i->first_seen, v->now, v->a));
    jval_set(e, "seen", show_when(i->last_seen, v->now, v->a));
    jval_set_bool(e, "current",
                  strcmp(i->provider, v->provider) == 0 && strcmp(i->subject, v->subject) == 0);
    jval_set_bool(e, "can_unlink", v->fresh && o->account.n > 1);
    return e;
}

static void set_identities(const struct overview *o, struct jval *data)
{
    struct jval *list = jval_new_array();
    for (size_t i = 0; i < o->account.n; i++)
        jval_push(list, identity_entry(o, &o->account.identities[i]));
    jval_set_bool(data, "only_one", o->account.n < 2);
    jval_set(data, "identities", list);
}

static bool links(const struct provider *p)
{
    return p && p->usable && p->common.link != LINK_NEVER;
}

/* What can be linked: whatever one can sign in with, once more as well; but nothing of providers
 * that do not link, nor by who came through one. */
static void set_providers(const struct account_visit *v, struct jval *data)
{
    struct jval *list = jval_new_array();
    for (size_t i = 0; i < registry_count(v->app->registry); i++) {
        const struct provider *p = registry_at(v->app->registry, i);
        if (!links(p) || !links(registry_find(v->app->registry, v->provider)))
            continue;
        struct jval *e = jval_new_object();
        jval_set_text(e, "id", p->id);
        jval_set_text(e, "label", p->label);
        jval_push(list, e);
    }
    jval_set_bool(data, "can_link", v->fresh && jval_count(list) > 0);
    jval_set(data, "providers", list);
}

/* ---- sessions -------------------------------------------------------------------------------- */

static struct jval *session_entry(const struct account_visit *v, const struct session_row *row)
{
    const char *device = device_text(row->user_agent, v->a);
    const bool current = memcmp(row->hash, v->hash, sizeof v->hash) == 0;
    struct jval *o = jval_new_object();
    jval_set_text(o, "session", row->id);
    jval_set_text(o, "device", device ? device : "Unknown device");
    jval_set_text(o, "address", row->ip ? row->ip : "unknown");
    jval_set_text(o, "provider", label_of(v, row->provider));
    jval_set(o, "created", show_when(row->created, v->now, v->a));
    jval_set(o, "seen", show_when(current ? v->now : row->seen, v->now, v->a));
    jval_set_bool(o, "current", current);
    return o;
}

/* This browser's own comes first. */
static void set_sessions(const struct overview *o, struct jval *data)
{
    struct jval *list = jval_new_array();
    for (int pass = 0; pass < 2; pass++)
        for (size_t i = 0; i < o->n_sessions; i++) {
            const struct session_row *row = &o->sessions[i];
            const bool current = memcmp(row->hash, o->v->hash, sizeof row->hash) == 0;
            if (current == (pass == 0))
                jval_push(list, session_entry(o->v, row));
        }
    jval_set_bool(data, "has_others", jval_count(list) > 1);
    jval_set(data, "sessions", list);
}

/* ---- apps ------------------------------------------------------------------------------------ */

/* Where to find it: its first host that is one, not all below one. */
static const char *address_of(const struct account_visit *v, const struct app *app)
{
    const bool plain = str_starts(str_of(v->app->public_url), "http://");
    struct err err = ERR_INIT;
    struct url u;
    for (const char *const *h = app->common.hosts; h && *h; h++) {
        if ((*h)[0] == '.')
            continue;
        const char *url = arena_printf(v->a, "http://%s/", *h);
        if (plain && url_parse(v->a, str_of(url), &u, &err) == 0 && url_is_loopback(&u))
            return url;
        return arena_printf(v->a, "https://%s/", *h);
    }
    return NULL;
}

/* Those whose rules let this person in: to the first page, where paths are judged. */
static struct jval *apps_of_mine(const struct account_visit *v)
{
    const struct app_subject s = web_subject(v->rq, &v->view);
    struct jval *list = jval_new_array();
    for (size_t i = 0; i < apps_count(v->app->apps); i++) {
        const struct app *app = apps_at(v->app->apps, i);
        const char *path = app->n_paths > 0 ? "/" : NULL;
        if (!app->usable || app_decide(app, &s, path, "GET").verdict != APP_ALLOW)
            continue;
        struct jval *e = jval_new_object();
        jval_set_text(e, "label", app->label);
        jval_set_text(e, "url", address_of(v, app));
        jval_push(list, e);
    }
    return list;
}

static void set_apps(struct overview *o, struct jval *data)
{
    jval_set_bool(data, "has_apps", apps_count(o->v->app->apps) > 0);
    jval_set_bool(data, "no_app", jval_count(o->apps) == 0);
    jval_set(data, "apps", o->apps);
    o->apps = NULL;
    jval_set_bool(data, "has_held", o->n_held > 0);
    jval_set(data, "held", account_app_list(o->v, o->held, o->n_held));
}

/* ---- the page -------------------------------------------------------------------------------- */

/* What an admin is told when something is to be granted, and what was. */
static void set_facts(const struct overview *o, struct jval *data)
{
    struct err err = ERR_INIT;
    const char *json = o->n_sessions > 0 ? o->sessions[0].roles : NULL; /* the account's, in each */
    struct jval *roles = json ? jval_parse(str_of(json), JSON_SIZE_MAX, 4, &err) : NULL;
    jval_set_text(data, "account", o->v->account);
    jval_set(data, "made", show_when(o->account.created, o->v->now, o->v->a));
    jval_set_text(data, "roles", jval_count(roles) ? show_list(roles, o->v->a) : NULL);
    jval_free(&roles);
}

static void on_overview(void *arg, enum store_outcome outcome, const struct err *err)
{
    struct overview *o = arg;
    struct account_visit *v = o->v;
    if (!account_failed(v, outcome, err)) {
        struct jval *data = account_data(v);
        set_facts(o, data);
        set_identities(o, data);
        set_providers(v, data);
        set_sessions(o, data);
        set_apps(o, data);
        account_send(v, 200, "account-overview", "Your account", data);
    }
    jval_free(&o->apps);
    arena_free(&o->a);
}

void account_overview(struct request *rq, void *app)
{
    struct account_visit *v = account_visit(rq, app, ACCOUNT_SIGNED_IN);
    if (!v)
        return;
    struct overview *o = arena_alloc(v->a, sizeof *o);
    *o = (struct overview){.v = v, .apps = apps_of_mine(v), .a = arena_new()};
    account_read(v, read_overview, on_overview, o);
}
