/* SPDX-License-Identifier: Apache-2.0 */
#include "provider/registry.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "provider/configure.h"

/* One provider with all it is made of. Registries share it: what a reload takes over stays. */
struct unit {
    atomic_uint refs;
    struct arena *arena;
    struct provider p;
};

struct registry {
    atomic_uint refs;
    struct unit **v; /* sorted by id */
    size_t n;
};

const struct conf_kind registry_kind = {"provider", "a provider", "providers", REGISTRY_MAX};

static void unit_free(struct unit *u)
{
    if (atomic_fetch_sub(&u->refs, 1) != 1)
        return;
    conf_secrets_free((struct conf_secrets **)(uintptr_t)&u->p.secrets);
    arena_free(&u->arena);
    free(u);
}

static struct registry *registry_new(size_t room)
{
    struct registry *r = mem_alloc(sizeof *r);
    atomic_init(&r->refs, 1);
    r->v = mem_alloc((room + 1) * sizeof *r->v);
    return r;
}

static void add_provider(struct registry *r, const struct configure_args *args,
                         struct conf_problems *p)
{
    struct configure_args own = *args;
    struct unit *u = mem_alloc(sizeof *u);
    atomic_init(&u->refs, 1);
    u->arena = arena_new();
    own.id = arena_dup(u->arena, args->id);
    own.arena = u->arena;
    if (provider_configure(&u->p, &own, p))
        r->v[r->n++] = u;
    else
        unit_free(u);
}

/* USHER_PROVIDER_<ID>_CLIENT_ID makes a provider of its own. */
static void add_environment(struct conf_roster *r, const struct conf_env *env,
                            struct conf_problems *p)
{
    static const char before[] = "USHER_PROVIDER_", after[] = "_CLIENT_ID";
    struct arena *scratch = arena_new();
    const char *e;
    for (size_t i = 0; (e = conf_env_at(env, i)); i++) {
        struct str name = {e, strcspn(e, "=")};
        if (!str_starts(name, before) || !str_ends(name, after) ||
            name.n < sizeof before - 1 + sizeof after - 1)
            continue;
        char *id = arena_dupn(scratch, name.p + sizeof before - 1,
                              name.n - (sizeof before - 1) - (sizeof after - 1));
        for (char *c = id; *c; c++)
            *c = *c == '_' ? '-' : *c >= 'A' && *c <= 'Z' ? (char)(*c - 'A' + 'a') : *c;
        if (conf_id_valid(str_of(id)))
            conf_roster_add(r, &(struct conf_made){.id = id, .by = "environment"});
        else
            conf_problem(p, "environment", 0, "%.*s: no provider can have this name", (int)name.n,
                         name.p);
    }
    arena_free(&scratch);
}

/* What makes each: rows give way. */
static struct conf_roster *roster_of(const struct registry_options *o, struct conf_problems *p)
{
    struct conf_roster *r = conf_roster_new(&registry_kind, p);
    const struct registry *from = o->files_of;
    for (size_t i = 0; from && i < from->n; i++)
        if (!from->v[i]->p.from_row)
            conf_roster_add(r, &(struct conf_made){.id = from->v[i]->p.id,
                                                   .by = from->v[i]->p.source,
                                                   .kept = from->v[i]});
    if (!from && o->providers_dir)
        conf_roster_add_folder(r, o->providers_dir, false);
    if (!from && o->environment)
        add_environment(r, o->env, p);
    for (size_t i = 0; i < o->n_rows; i++)
        conf_roster_add_row(r, o->rows[i].id, &o->rows[i]);
    return r;
}

struct registry *registry_load(const struct registry_options *o, struct conf_problems *p)
{
    struct conf_roster *roster = roster_of(o, p);
    const size_t n = conf_roster_sort(roster);
    struct registry *r = registry_new(n);
    for (size_t i = 0; i < n; i++) {
        const struct conf_made *x = conf_roster_at(roster, i);
        struct unit *u = x->kept;
        if (u) {
            atomic_fetch_add(&u->refs, 1);
            r->v[r->n++] = u;
        } else {
            add_provider(
                r,
                &(struct configure_args){.options = o, .id = x->id, .path = x->path, .row = x->row},
                p);
        }
    }
    conf_roster_free(&roster);
    return r;
}

/* One provider, if it may have the id. */
static struct registry *registry_one(const struct configure_args *args, const char *what,
                                     struct conf_problems *p)
{
    struct registry *r = registry_new(1);
    if (conf_id_valid(str_of(args->id)))
        add_provider(r, args, p);
    else
        conf_problem_key(p, what, 0, "id", "a provider's id is at most 32 of a-z, 0-9 and '-'");
    return r;
}

struct registry *registry_draft(const struct registry_options *o, const struct provider_source *s,
                                struct conf_problems *p)
{
    return registry_one(&(struct configure_args){.options = o, .id = s->id, .row = s}, "draft", p);
}

struct registry *registry_text(const struct registry_options *o, const char *id, struct str conf,
                               struct conf_problems *p)
{
    return registry_one(&(struct configure_args){.options = o, .id = id, .text = conf}, "text", p);
}

struct registry *registry_ref(struct registry *r)
{
    atomic_fetch_add(&r->refs, 1);
    return r;
}

void registry_free(struct registry **rp)
{
    struct registry *r = *rp;
    *rp = NULL;
    if (!r || atomic_fetch_sub(&r->refs, 1) != 1)
        return;
    for (size_t i = 0; i < r->n; i++)
        unit_free(r->v[i]);
    free(r->v);
    free(r);
}

size_t registry_count(const struct registry *r)
{
    return r->n;
}

const struct provider *registry_at(const struct registry *r, size_t i)
{
    return i < r->n ? &r->v[i]->p : NULL;
}

const struct provider *registry_find(const struct registry *r, const char *id)
{
    for (size_t i = 0; i < r->n; i++)
        if (strcmp(r->v[i]->p.id, id) == 0)
            return &r->v[i]->p;
    return NULL;
}
