/* SPDX-License-Identifier: Apache-2.0 */
#include "provider/registry.h"

#include <dirent.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "provider/configure.h"

#define PROVIDERS_MAX 256

extern char **environ;

struct registry {
    atomic_uint refs;
    struct arena *arena;
    struct provider *v; /* sorted by id */
    size_t n;
};

/* Ids found so far, with the file that made them or NULL. */
struct found {
    const char *id;
    const char *path;
};
struct finder {
    struct arena *a;
    struct found v[PROVIDERS_MAX];
    size_t n;
    struct conf_problems *problems;
};

static void found_add(struct finder *f, const char *id, const char *path)
{
    for (size_t i = 0; i < f->n; i++)
        if (strcmp(f->v[i].id, id) == 0)
            return; /* environment over a file: the same provider */
    if (f->n == PROVIDERS_MAX)
        conf_problem(f->problems, path ? path : "environment", 0, "more than %d providers",
                     PROVIDERS_MAX);
    else
        f->v[f->n++] = (struct found){id, path};
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
            found_add(f, arena_str(f->a, name), path);
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
    for (char **e = environ; e && *e; e++) {
        struct str name = {*e, strcspn(*e, "=")};
        if (!str_starts(name, before) || !str_ends(name, after) ||
            name.n < sizeof before - 1 + sizeof after - 1)
            continue;
        char *id = arena_dupn(f->a, name.p + sizeof before - 1,
                              name.n - (sizeof before - 1) - (sizeof after - 1));
        for (char *c = id; *c; c++)
            *c = *c == '_' ? '-' : *c >= 'A' && *c <= 'Z' ? (char)(*c - 'A' + 'a') : *c;
        if (provider_id_valid(str_of(id)))
            found_add(f, id, NULL);
        else
            conf_problem(f->problems, "environment", 0, "%.*s: no provider can have this name",
                         (int)name.n, name.p);
    }
}

static int by_id(const void *x, const void *y)
{
    return strcmp(((const struct found *)x)->id, ((const struct found *)y)->id);
}

static struct registry *registry_new(size_t room)
{
    struct registry *r = mem_alloc(sizeof *r);
    atomic_init(&r->refs, 1);
    r->arena = arena_new();
    r->v = arena_alloc(r->arena, (room + 1) * sizeof *r->v);
    return r;
}

static void add_provider(struct registry *r, const struct configure_args *args,
                         struct conf_problems *p)
{
    struct configure_args own = *args;
    own.id = arena_dup(r->arena, args->id);
    own.arena = r->arena;
    provider_configure(&r->v[r->n++], &own, p);
}

struct registry *registry_load(const struct registry_options *o, struct conf_problems *p)
{
    struct finder *f = mem_alloc(sizeof *f);
    f->a = arena_new();
    f->problems = p;
    if (o->providers_dir)
        find_files(f, o->providers_dir);
    if (o->environment)
        find_environment(f);
    qsort(f->v, f->n, sizeof *f->v, by_id);

    struct registry *r = registry_new(f->n);
    for (size_t i = 0; i < f->n; i++) {
        const struct configure_args args = {.options = o, .id = f->v[i].id, .path = f->v[i].path};
        add_provider(r, &args, p);
    }
    arena_free(&f->a);
    free(f);
    return r;
}

struct registry *registry_text(const struct registry_options *o, const char *id, struct str conf,
                               struct conf_problems *p)
{
    struct registry *r = registry_new(1);
    const struct configure_args args = {.options = o, .id = id, .text = conf};
    if (provider_id_valid(str_of(id)))
        add_provider(r, &args, p);
    else
        conf_problem(p, "text", 0, "a provider's id is at most 32 of a-z, 0-9 and '-'");
    return r;
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
        conf_secrets_free((struct conf_secrets **)(uintptr_t)&r->v[i].secrets);
    arena_free(&r->arena);
    free(r);
}

size_t registry_count(const struct registry *r)
{
    return r->n;
}

const struct provider *registry_at(const struct registry *r, size_t i)
{
    return i < r->n ? &r->v[i] : NULL;
}

const struct provider *registry_find(const struct registry *r, const char *id)
{
    for (size_t i = 0; i < r->n; i++)
        if (strcmp(r->v[i].id, id) == 0)
            return &r->v[i];
    return NULL;
}
