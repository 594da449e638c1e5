/* SPDX-License-Identifier: Apache-2.0 */
#include "app/apps.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "app/client.h"
#include "app/configure.h"

/* What one app is made of. Several sets share it: what a reload takes over stays. */
struct unit {
    atomic_uint refs;
    struct arena *arena;
    struct app app;
};

/* One host of one app. Port 0: the scheme's default one. */
struct place {
    const char *host;
    int port;
    const struct app *app;
};

struct apps {
    atomic_uint refs;
    struct arena *arena;
    struct unit **units;
    struct app *v; /* copies, sorted by id: a clash of hosts is a fault in this set only */
    size_t n;
    struct place *places; /* sorted by host and port */
    size_t n_places;
    const char **hosts;
};

const struct conf_kind apps_kind = {"app", "an app", "apps", APPS_MAX};

/* ---- making them ----------------------------------------------------------------------------- */

static void unit_free(struct unit *u)
{
    if (atomic_fetch_sub(&u->refs, 1) != 1)
        return;
    arena_free(&u->arena);
    free(u);
}

static struct apps *apps_new(size_t room)
{
    struct apps *a = mem_alloc(sizeof *a);
    atomic_init(&a->refs, 1);
    a->arena = arena_new();
    a->units = mem_alloc((room + 1) * sizeof *a->units);
    a->v = mem_alloc((room + 1) * sizeof *a->v);
    return a;
}

static void add_unit(struct apps *a, struct unit *u)
{
    a->units[a->n] = u;
    a->v[a->n++] = u->app;
}

static void make(struct apps *a, const struct app_configure_args *args, struct conf_problems *p)
{
    struct app_configure_args own = *args;
    struct unit *u = mem_alloc(sizeof *u);
    atomic_init(&u->refs, 1);
    u->arena = arena_new();
    own.id = arena_dup(u->arena, args->id);
    own.arena = u->arena;
    if (app_configure(&u->app, &own, p))
        add_unit(a, u);
    else
        unit_free(u);
}

/* ---- whose host it is ------------------------------------------------------------------------ */

static int place_order(const char *host, int port, const struct place *b)
{
    const int by_host = strcmp(host, b->host);
    return by_host ? by_host : (port > b->port) - (port < b->port);
}

/* Where the place is, or where it belongs. */
static bool place_find(const struct apps *a, const char *host, int port, size_t *at)
{
    size_t low = 0, high = a->n_places;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        const int order = place_order(host, port, &a->places[middle]);
        if (order == 0) {
            *at = middle;
            return true;
        }
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    *at = low;
    return false;
}

/* "app.example.com:8443" parted; https's own port is the default one. */
static struct place place_of(const char *entry, struct arena *a)
{
    const size_t n = strcspn(entry, ":");
    int64_t port = 0;
    if (entry[n] && (!text_int(str_of(entry + n + 1), &port) || port == 443))
        port = 0;
    return (struct place){.host = arena_dupn(a, entry, n), .port = (int)port};
}

/* NULL: the host was free, and is the app's now. */
static const struct app *place_add(struct apps *a, const struct app *app, const char *entry)
{
    struct place p = place_of(entry, a->arena);
    size_t at;
    if (place_find(a, p.host, p.port, &at))
        return a->places[at].app;
    p.app = app;
    a->places = mem_grow(a->places, (a->n_places + 1) * sizeof *a->places);
    memmove(a->places + at + 1, a->places + at, (a->n_places - at) * sizeof *a->places);
    a->places[at] = p;
    a->n_places++;
    return NULL;
}

static void settle_hosts(struct apps *a, struct app *app, struct conf_problems *p)
{
    for (const char *const *h = app->common.hosts; h && *h; h++) {
        const size_t from = conf_problems_n(p);
        const struct app *other = place_add(a, app, *h);
        if (!other)
            continue;
        conf_problem_key(p, app->from_row ? arena_printf(a->arena, "app %s", app->id) : app->source,
                         0, "hosts", "hosts: %.100s is %s", *h,
                         other == app ? "there twice"
                                      : arena_printf(a->arena, "app %s's already", other->id));
        if (!app->faulty)
            app->reason = conf_problems_reason(p, from, !app->from_row, a->arena);
        app->faulty = true;
        app->usable = false;
    }
}

/* What files say goes first, so that no row takes a host away from them. */
static void settle(struct apps *a, const char *const *also, struct conf_problems *p)
{
    size_t n = 0;
    for (size_t i = 0; i < a->n; i++)
        if (!a->v[i].from_row)
            settle_hosts(a, &a->v[i], p);
    for (size_t i = 0; i < a->n; i++)
        if (a->v[i].from_row)
            settle_hosts(a, &a->v[i], p);
    for (size_t i = 0; i < a->n; i++)
        for (const char *const *h = a->v[i].common.hosts; h && *h; h++)
            n++;
    for (const char *const *h = also; h && *h; h++)
        n++;
    const char **list = a->hosts = arena_alloc(a->arena, (n + 1) * sizeof *a->hosts);
    for (const char *const *h = also; h && *h; h++)
        *list++ = arena_dup(a->arena, *h);
    for (size_t i = 0; i < a->n; i++)
        for (const char *const *h = a->v[i].common.hosts; h && *h; h++)
            *list++ = *h;
}

static const struct app *at_port(const struct apps *a, const char *host, const struct url *u)
{
    const bool usual = u->port == (strcmp(u->scheme, "http") == 0 ? 80 : 443);
    size_t at;
    if (place_find(a, host, u->port, &at) || (usual && place_find(a, host, 0, &at)))
        return a->places[at].app;
    return NULL;
}

const struct app *apps_of(const struct apps *a, const struct url *u)
{
    const struct app *app = a->n_places ? at_port(a, u->host, u) : NULL;
    if (a->n_places == 0 || u->host_is_ip)
        return app;
    for (const char *dot = strchr(u->host, '.'); dot && !app; dot = strchr(dot + 1, '.'))
        app = at_port(a, dot, u);
    return app;
}

static bool claims(const struct apps *a, const char *host)
{
    size_t at;
    (void)place_find(a, host, -1, &at); /* before all of its ports */
    return at < a->n_places && strcmp(a->places[at].host, host) == 0;
}

bool apps_claim(const struct apps *a, const struct url *u)
{
    bool found = claims(a, u->host);
    for (const char *dot = u->host_is_ip ? NULL : strchr(u->host, '.'); dot && !found;
         dot = strchr(dot + 1, '.'))
        found = claims(a, dot);
    return found;
}

bool apps_have_origin(const struct apps *a, const char *origin)
{
    for (size_t i = 0; i < a->n; i++)
        if (a->v[i].usable && client_lists(a->v[i].origins, str_of(origin)))
            return true;
    return false;
}

/* ---- life ------------------------------------------------------------------------------------ */

/* What makes each: files go first, and rows give way. */
static struct conf_roster *roster_of(const struct apps_options *o, struct conf_problems *p)
{
    struct conf_roster *r = conf_roster_new(&apps_kind, p);
    const struct apps *from = o->files_of;
    for (size_t i = 0; from && i < from->n; i++)
        if (!from->v[i].from_row)
            conf_roster_add(r, &(struct conf_made){.id = from->v[i].id,
                                                   .by = from->v[i].source,
                                                   .kept = from->units[i]});
    if (!from && o->dir)
        conf_roster_add_folder(r, o->dir, o->dir_optional);
    for (size_t i = 0; i < o->n_rows; i++)
        conf_roster_add_row(r, o->rows[i].id, &o->rows[i]);
    return r;
}

struct apps *apps_load(const struct apps_options *o, struct conf_problems *p)
{
    struct conf_roster *r = roster_of(o, p);
    const size_t n = conf_roster_sort(r);
    struct apps *a = apps_new(n);
    for (size_t i = 0; i < n; i++) {
        const struct conf_made *x = conf_roster_at(r, i);
        struct unit *u = x->kept;
        if (u) {
            atomic_fetch_add(&u->refs, 1);
            add_unit(a, u);
        } else {
            make(a,
                 &(const struct app_configure_args){
                     .env = o->env, .id = x->id, .path = x->path, .row = x->row, .algs = o->algs},
                 p);
        }
    }
    conf_roster_free(&r);
    settle(a, o->hosts, p);
    return a;
}

/* Hosts of other apps are taken. */
static void judge_clashes(const struct apps *beside, const struct app *app, struct conf_problems *p)
{
    struct arena *scratch = arena_new();
    for (const char *const *h = app->common.hosts; beside && h && *h; h++) {
        const struct place wanted = place_of(*h, scratch);
        size_t at;
        if (place_find(beside, wanted.host, wanted.port, &at) &&
            strcmp(beside->places[at].app->id, app->id) != 0)
            conf_problem_key(p, "draft", 0, "hosts", "hosts: %.100s is app %s's already", *h,
                             beside->places[at].app->id);
    }
    arena_free(&scratch);
}

struct apps *apps_draft(const struct apps_options *o, const struct app_source *s,
                        const struct apps *beside, struct conf_problems *p)
{
    struct apps *a = apps_new(1);
    const unsigned before = p->n;
    const size_t from = conf_problems_n(p);
    if (conf_id_valid(str_of(s->id)))
        make(a,
             &(const struct app_configure_args){
                 .env = o->env, .id = s->id, .row = s, .algs = o->algs},
             p);
    else
        conf_problem_key(p, "draft", 0, "id", "an app's id is at most 32 of a-z, 0-9 and '-'");
    settle(a, NULL, p);
    if (a->n == 1)
        judge_clashes(beside, &a->v[0], p);
    if (a->n == 1 && p->n != before && !a->v[0].faulty) {
        a->v[0].faulty = true;
        a->v[0].usable = false;
        a->v[0].reason = conf_problems_reason(p, from, false, a->arena);
    }
    return a;
}

struct apps *apps_ref(struct apps *a)
{
    atomic_fetch_add(&a->refs, 1);
    return a;
}

void apps_free(struct apps **ap)
{
    struct apps *a = *ap;
    *ap = NULL;
    if (!a || atomic_fetch_sub(&a->refs, 1) != 1)
        return;
    for (size_t i = 0; i < a->n; i++)
        unit_free(a->units[i]);
    free(a->units);
    free(a->v);
    free(a->places);
    arena_free(&a->arena);
    free(a);
}

size_t apps_count(const struct apps *a)
{
    return a->n;
}

const struct app *apps_at(const struct apps *a, size_t i)
{
    return i < a->n ? &a->v[i] : NULL;
}

const struct app *apps_find(const struct apps *a, const char *id)
{
    size_t low = 0, high = a->n;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        const int order = conf_id_order(id, a->v[middle].id);
        if (order == 0)
            return &a->v[middle];
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

bool apps_guard_hosts(const struct apps *a)
{
    bool faulty = false; /* whose hosts may not all be known */
    for (size_t i = 0; i < a->n; i++)
        faulty = faulty || a->v[i].faulty;
    return a->n_places > 0 || faulty;
}

const char *const *apps_hosts(const struct apps *a)
{
    return a->hosts;
}
