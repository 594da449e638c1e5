/* SPDX-License-Identifier: Apache-2.0 */
#include "live/build.h"

#include <string.h>

#include "live/settle.h"

struct registry_options build_registry_options(const struct config *c, const struct conf_env *env)
{
    return (struct registry_options){.providers_dir = c->providers.dir,
                                     .plugin_dir = c->providers.plugin_dir,
                                     .environment = true,
                                     .env = env,
                                     .allow_http_loopback = c->providers.allow_http_loopback};
}

static bool any_of_files(const struct apps *apps)
{
    for (size_t i = 0; apps && i < apps_count(apps); i++)
        if (!apps_at(apps, i)->from_row)
            return true;
    return false;
}

/* A folder nobody named and nobody used need not be there. */
struct apps_options build_apps_options(const struct config *c, const struct conf_env *env,
                                       const struct apps *now)
{
    static const char *const none[] = {NULL};
    return (struct apps_options){.dir = c->apps.dir,
                                 .dir_optional = strcmp(c->apps.dir, CONFIG_APPS_DIR) == 0 &&
                                                 !any_of_files(now),
                                 .env = env,
                                 .hosts = c->login.return_hosts,
                                 .algs = c->issuer.algs ? c->issuer.algs : none};
}

static void append(struct conf_problems *to, const struct conf_problems *from)
{
    const struct conf_fault *f;
    for (size_t i = 0; (f = conf_problems_at(from, i)); i++)
        conf_problem_key(to, f->file, f->line, f->key, "%s", f->text);
}

static void note_restart(void *arg, const struct settle_change *change)
{
    struct build *b = arg;
    if (change->at_once)
        return;
    const char **more = arena_alloc(b->arena, (b->n_restart + 2) * sizeof *more);
    for (size_t i = 0; i < b->n_restart; i++)
        more[i] = b->restart[i];
    more[b->n_restart++] = arena_printf(b->arena, "%s.%s", change->section, change->key);
    b->restart = more;
}

/* To be called before what lies there is read, so that no change is missed. */
static void cover(const struct build_args *args, struct build *b, const struct config *c)
{
    struct err err = ERR_INIT;
    const struct watch_folder folders[WATCH_FOLDERS] = {
        {c->providers.dir, false}, {c->apps.dir, strcmp(c->apps.dir, CONFIG_APPS_DIR) == 0}};
    b->unwatched = NULL;
    if (args->watch && watch_cover(args->watch, args->path, folders, &err) < 0)
        b->unwatched = arena_dup(b->arena, err.text);
}

/* The configuration to build with, a reference of the caller's. */
static struct config *read_config(const struct build_args *args, struct build *b)
{
    if (!args->registry)
        return config_ref(args->config);
    struct config *next = config_load(args->path, args->required, args->env, &b->problems);
    if (!next) {
        b->refused = true;
        return config_ref(args->config);
    }
    settle_compare(args->config, next, note_restart, b);
    settle_keep(next, args->config);
    return next;
}

/* Whether a problem is about this very file or folder. */
static bool is_told(const struct conf_problems *p, const char *file)
{
    const struct conf_fault *f;
    for (size_t i = 0; (f = conf_problems_at(p, i)); i++)
        if (strcmp(f->file, file) == 0)
            return true;
    return false;
}

/* Something that files made and that was right is wrong now, or out of reach. Gone is not wrong:
 * that is how a provider is removed. */
static bool broke(const struct registry *now, const struct registry *next, const char *dir,
                  const struct conf_problems *p)
{
    for (size_t i = 0; i < registry_count(now); i++) {
        const struct provider *a = registry_at(now, i), *b = registry_find(next, a->id);
        if (a->from_row || a->faulty)
            continue;
        if (b && !b->from_row ? b->faulty : is_told(p, a->source))
            return true;
        if (!b && dir && is_told(p, dir))
            return true;
    }
    return false;
}

/* The same of apps: nobody may come in that was kept out, because a file cannot be read. */
static bool apps_broke(const struct apps *now, const struct apps *next, const char *dir,
                       const struct conf_problems *p)
{
    for (size_t i = 0; i < apps_count(now); i++) {
        const struct app *a = apps_at(now, i), *b = apps_find(next, a->id);
        if (a->from_row || a->faulty)
            continue;
        if (b && !b->from_row ? b->faulty : is_told(p, a->source) || is_told(p, dir))
            return true;
    }
    return false;
}

static void add_rows(struct registry_options *o, const struct rows *rows)
{
    o->rows = rows ? rows->v : NULL;
    o->n_rows = rows ? rows->n : 0;
}

static void add_apps(struct apps_options *o, const struct rows *rows)
{
    o->rows = rows ? rows->apps : NULL;
    o->n_rows = rows ? rows->n_apps : 0;
}

/* The files' half in force, with the rows of now. Its problems are told already. */
static void keep_files(const struct build_args *args, struct build *b)
{
    struct registry_options o = build_registry_options(args->config, args->env);
    struct conf_problems ignored;
    add_rows(&o, args->rows);
    o.files_of = args->registry;
    struct apps_options ao = build_apps_options(args->config, args->env, args->apps);
    registry_free(&b->registry);
    apps_free(&b->apps);
    config_free(&b->config);
    conf_problems_init(&ignored);
    b->config = config_ref(args->config);
    b->registry = registry_load(&o, &ignored);
    ao.files_of = args->apps;
    add_apps(&ao, args->rows);
    b->apps = apps_load(&ao, &ignored);
    b->n_restart = 0;
    b->restart[0] = NULL;
    conf_problems_deinit(&ignored);
}

static bool same_folders(const struct config *a, const struct config *b)
{
    return strcmp(a->providers.dir, b->providers.dir) == 0 && strcmp(a->apps.dir, b->apps.dir) == 0;
}

/* From what lies there. */
static void make(const struct build_args *args, struct build *b)
{
    struct registry_options o = build_registry_options(b->config, args->env);
    struct apps_options ao = build_apps_options(b->config, args->env, args->apps);
    add_rows(&o, args->rows);
    add_apps(&ao, args->rows);
    if (args->rows)
        append(&b->problems, &args->rows->problems);
    b->registry = registry_load(&o, &b->problems);
    b->apps = apps_load(&ao, &b->problems);
}

void build_run(const struct build_args *args, struct build *b)
{
    memset(b, 0, sizeof *b);
    b->arena = arena_new();
    b->restart = arena_alloc(b->arena, sizeof *b->restart);
    conf_problems_init(&b->problems);
    cover(args, b, args->config);
    b->config = read_config(args, b);
    if (!same_folders(b->config, args->config))
        cover(args, b, b->config);
    make(args, b);
    if (!args->registry)
        return;
    b->refused = b->refused ||
                 broke(args->registry, b->registry, b->config->providers.dir, &b->problems) ||
                 apps_broke(args->apps, b->apps, b->config->apps.dir, &b->problems);
    if (!b->refused)
        return;
    const bool moved = !same_folders(b->config, args->config);
    keep_files(args, b);
    if (moved)
        cover(args, b, args->config);
}

void build_clear(struct build *b)
{
    registry_free(&b->registry);
    apps_free(&b->apps);
    config_free(&b->config);
    conf_problems_deinit(&b->problems);
    arena_free(&b->arena);
}
