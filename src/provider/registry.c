/* SPDX-License-Identifier: Apache-2.0 */
#include "provider/registry.h"

#include <dirent.h>
#include <errno.h>
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

/* Ids found so far, with what made them: a row, another registry's provider, a file, or none of
 * them: the environment. */
struct found {
    const char *id;
    const char *path;
    const struct provider_source *row;
    struct unit *unit;
};
struct finder {
    struct arena *a;
    const struct registry_options *options;
    struct found v[REGISTRY_MAX];
    size_t n;
    struct conf_problems *problems;
};

static const char *found_name(const struct finder *f, const struct found *x)
{
    return x->row    ? arena_printf(f->a, "provider %.100s", x->id)
           : x->unit ? x->unit->p.source
           : x->path ? x->path
                     : "environment";
}

static void found_add(struct finder *f, const struct found *new)
{
    for (size_t i = 0; i < f->n; i++) {
        if (strcmp(f->v[i].id, new->id) != 0)
            continue;
        if (new->row) /* the environment over a file is the same provider; this is another */
            conf_problem(f->problems, found_name(f, new), 0,
                         "%s makes a provider of this name, too: the one in the database is not "
                         "used",
                         found_name(f, &f->v[i]));
        return;
    }
    if (f->n == REGISTRY_MAX)
        conf_problem(f->problems, found_name(f, new), 0, "more than %d providers", REGISTRY_MAX);
    else
        f->v[f->n++] = *new;
}

static void find_units(struct finder *f, const struct registry *from)
{
    for (size_t i = 0; i < from->n; i++)
        if (!from->v[i]->p.from_row)
            found_add(f, &(struct found){.id = from->v[i]->p.id, .unit = from->v[i]});
}

static void find_rows(struct finder *f)
{
    for (size_t i = 0; i < f->options->n_rows; i++) {
        const struct provider_source *row = &f->options->rows[i];
        const struct found new = {.id = row->id, .row = row};
        if (provider_id_valid(str_of(row->id)))
            found_add(f, &new);
        else
            conf_problem(f->problems, found_name(f, &new), 0,
                         "a provider's id is at most 32 of a-z, 0-9 and '-'");
    }
}

static void find_files(struct finder *f, const char *dir)
{
    DIR *d = opendir(dir);
    if (!d) {
        conf_problem(f->problems, dir, 0, "cannot read the folder of providers: %s",
                     strerror(errno));
        return;
    }
    for (struct dirent *e; (e = readdir(d));) {
        struct str name = str_of(e->d_name);
        if (e->d_name[0] == '.' || !str_ends(name, ".conf"))
            continue;
        name.n -= strlen(".conf");
        const char *path = arena_printf(f->a, "%s/%s", dir, e->d_name);
        if (provider_id_valid(name))
            found_add(f, &(struct found){.id = arena_str(f->a, name), .path = path});
        else
            conf_problem(
                f->problems, path, 0,
                "the file's name is the provider's id: at most 32 of a-z, 0-9 and '-', then .conf");
    }
    closedir(d);
}

/* USHER_PROVIDER_<ID>_CLIENT_ID makes a provider of its own. */
static void find_environment(struct finder *f)
{
    static const char before[] = "USHER_PROVIDER_", after[] = "_CLIENT_ID";
    const char *e;
    for (size_t i = 0; (e = conf_env_at(f->options->env, i)); i++) {
        struct str name = {e, strcspn(e, "=")};
        if (!str_starts(name, before) || !str_ends(name, after) ||
            name.n < sizeof before - 1 + sizeof after - 1)
            continue;
        char *id = arena_dupn(f->a, name.p + sizeof before - 1,
                              name.n - (sizeof before - 1) - (sizeof after - 1));
        for (char *c = id; *c; c++)
            *c = *c == '_' ? '-' : *c >= 'A' && *c <= 'Z' ? (char)(*c - 'A' + 'a') : *c;
        if (provider_id_valid(str_of(id)))
            found_add(f, &(struct found){.id = id});
        else
            conf_problem(f->problems, "environment", 0, "%.*s: no provider can have this name",
                         (int)name.n, name.p);
    }
}

static int by_id(const void *x, const void *y)
{
    return strcmp(((const struct found *)x)->id, ((const struct found *)y)->id);
}

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

struct registry *registry_load(const struct registry_options *o, struct conf_problems *p)
{
    struct finder *f = mem_alloc(sizeof *f);
    f->a = arena_new();
    f->options = o;
    f->problems = p;
    if (o->files_of)
        find_units(f, o->files_of);
    if (!o->files_of && o->providers_dir)
        find_files(f, o->providers_dir);
    if (!o->files_of && o->environment)
        find_environment(f);
    find_rows(f); /* last: they give way */
    qsort(f->v, f->n, sizeof *f->v, by_id);

    struct registry *r = registry_new(f->n);
    for (size_t i = 0; i < f->n; i++) {
        const struct found *x = &f->v[i];
        const struct configure_args args = {
            .options = o, .id = x->id, .path = x->path, .row = x->row};
        if (x->unit) {
            atomic_fetch_add(&x->unit->refs, 1);
            r->v[r->n++] = x->unit;
        } else {
            add_provider(r, &args, p);
        }
    }
    arena_free(&f->a);
    free(f);
    return r;
}

/* One provider, if it may have the id. */
static struct registry *registry_one(const struct configure_args *args, const char *what,
                                     struct conf_problems *p)
{
    struct registry *r = registry_new(1);
    if (provider_id_valid(str_of(args->id)))
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
