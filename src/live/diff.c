/* SPDX-License-Identifier: Apache-2.0 */
#include "live/diff.h"

#include <stdio.h>
#include <string.h>

#include "live/settle.h"

static const char *const slot_names[PROVIDER_SLOTS] = {"", " (next)", " (retiring)"};

static struct jval *change_new(const char *what, const char *id, const char *change,
                               struct jval *fields)
{
    struct jval *o = jval_new_object();
    jval_set_text(o, "what", what);
    jval_set_text(o, "id", id);
    jval_set_text(o, "change", change);
    jval_set(o, "fields", fields);
    return o;
}

static void add_field(struct jval *fields, const char *key, const char *before, const char *after)
{
    if (before == after || (before && after && strcmp(before, after) == 0))
        return;
    struct jval *o = jval_new_object();
    jval_set_text(o, "key", key);
    jval_set_text(o, "before", before);
    jval_set_text(o, "after", after);
    jval_push(fields, o);
}

/* ---- providers ------------------------------------------------------------------------------- */

/* Rows and struct of one side; n 0: there is no such table. */
struct side {
    const struct usher_setting *rows;
    size_t n;
    const void *config;
};

static const char *side_text(const struct side *s, const char *key, struct arena *a)
{
    for (size_t i = 0; i < s->n; i++)
        if (strcmp(s->rows[i].key, key) == 0)
            return conf_text(&s->rows[i], s->config, a);
    return NULL;
}

static bool side_has(const struct side *s, const char *key)
{
    for (size_t i = 0; i < s->n; i++)
        if (strcmp(s->rows[i].key, key) == 0)
            return true;
    return false;
}

/* Two plugins may have different tables: what one of them does not know is null there. */
static void compare_tables(const struct side *now, const struct side *next, struct jval *fields)
{
    struct arena *a = arena_new();
    for (size_t i = 0; i < now->n; i++)
        add_field(fields, now->rows[i].key, conf_text(&now->rows[i], now->config, a),
                  side_text(next, now->rows[i].key, a));
    for (size_t i = 0; i < next->n; i++)
        if (!side_has(now, next->rows[i].key))
            add_field(fields, next->rows[i].key, NULL, conf_text(&next->rows[i], next->config, a));
    arena_free(&a);
}

static void compare_secret(const struct provider *now, const struct provider *next, const char *key,
                           struct jval *fields)
{
    char name[96];
    for (int i = 0; i < PROVIDER_SLOTS; i++) {
        const struct secret *a = provider_secret(now, key, (enum provider_slot)i);
        const struct secret *b = provider_secret(next, key, (enum provider_slot)i);
        if (a == b || (a && b && secret_eq(a, secret_reveal(b))))
            continue;
        snprintf(name, sizeof name, "%s%s", key, slot_names[i]);
        const char *after = !b ? NULL : a ? "changed" : "set";
        add_field(fields, name, a ? "set" : NULL, after);
    }
}

static struct side plugin_side(const struct provider *p)
{
    if (!p->plugin)
        return (struct side){.n = 0};
    return (struct side){p->plugin->settings, p->plugin->n_settings, p->config};
}

static void compare_secrets(const struct provider *now, const struct provider *next,
                            struct jval *fields)
{
    const struct side a = plugin_side(now), b = plugin_side(next);
    compare_secret(now, next, "client_secret", fields);
    for (size_t i = 0; i < a.n; i++)
        if (a.rows[i].type == USHER_SECRET)
            compare_secret(now, next, a.rows[i].key, fields);
    for (size_t i = 0; i < b.n; i++)
        if (b.rows[i].type == USHER_SECRET && !side_has(&a, b.rows[i].key))
            compare_secret(now, next, b.rows[i].key, fields);
}

static struct jval *compare_provider(const struct provider *now, const struct provider *next)
{
    const struct side a = {provider_common_settings, provider_common_n, &now->common};
    const struct side b = {provider_common_settings, provider_common_n, &next->common};
    const struct side pa = plugin_side(now), pb = plugin_side(next);
    struct jval *fields = jval_new_array();
    add_field(fields, "source", now->source, next->source);
    add_field(fields, "usable", now->usable ? "yes" : "no", next->usable ? "yes" : "no");
    compare_tables(&a, &b, fields);
    compare_tables(&pa, &pb, fields);
    compare_secrets(now, next, fields);
    return fields;
}

static void push_provider(struct jval *list, const struct provider *p, const char *change,
                          struct jval *fields)
{
    struct jval *o = change_new("provider", p->id, change, fields);
    jval_set_text(o, "label", p->label);
    jval_set_text(o, "plugin", p->common.plugin);
    jval_push(list, o);
}

struct jval *diff_registries(const struct registry *now, const struct registry *next)
{
    struct jval *list = jval_new_array();
    const struct provider *p, *other;
    for (size_t i = 0; (p = registry_at(now, i)); i++) {
        other = registry_find(next, p->id);
        if (other == p)
            continue;
        struct jval *fields = other ? compare_provider(p, other) : jval_new_array();
        if (!other)
            push_provider(list, p, "removed", fields);
        else if (jval_count(fields) > 0)
            push_provider(list, other, "changed", fields);
        else
            jval_free(&fields);
    }
    for (size_t i = 0; (p = registry_at(next, i)); i++)
        if (!registry_find(now, p->id))
            push_provider(list, p, "added", jval_new_array());
    return list;
}

/* ---- apps ------------------------------------------------------------------------------------ */

static const char *methods_text(const struct app_path *p, struct arena *a)
{
    const char *text = "";
    for (const char *const *m = p->common.methods; m && *m; m++)
        text = arena_printf(a, "%s%s%s", text, *text ? " " : "", *m);
    return text;
}

/* One line for an entry: "GET POST role:admin". */
static const char *path_text(const struct app_path *p, struct arena *a)
{
    const char *methods = methods_text(p, a);
    return arena_printf(a, "%s%s%s", methods, *methods ? " " : "", p->common.require);
}

/* The key of an entry: its path, and its methods if several have this path. */
static const char *path_key(const struct app *app, const struct app_path *p, struct arena *a)
{
    for (size_t i = 0; i < app->n_paths; i++)
        if (&app->paths[i] != p && path_same(&app->paths[i].pattern, &p->pattern))
            return arena_printf(a, "%s %s", p->pattern.text, methods_text(p, a));
    return p->pattern.text;
}

static const char *path_at(const struct app *app, const char *key, struct arena *a)
{
    for (size_t i = 0; i < app->n_paths; i++)
        if (strcmp(path_key(app, &app->paths[i], a), key) == 0)
            return path_text(&app->paths[i], a);
    return NULL;
}

static struct jval *compare_app(const struct app *now, const struct app *next)
{
    const struct side a = {app_settings, app_settings_n, &now->common};
    const struct side b = {app_settings, app_settings_n, &next->common};
    struct jval *fields = jval_new_array();
    struct arena *arena = arena_new();
    add_field(fields, "source", now->source, next->source);
    add_field(fields, "usable", now->usable ? "yes" : "no", next->usable ? "yes" : "no");
    compare_tables(&a, &b, fields);
    for (size_t i = 0; i < now->n_paths; i++) {
        const char *key = path_key(now, &now->paths[i], arena);
        add_field(fields, key, path_text(&now->paths[i], arena), path_at(next, key, arena));
    }
    for (size_t i = 0; i < next->n_paths; i++) {
        const char *key = path_key(next, &next->paths[i], arena);
        if (!path_at(now, key, arena))
            add_field(fields, key, NULL, path_text(&next->paths[i], arena));
    }
    arena_free(&arena);
    return fields;
}

static void push_app(struct jval *list, const struct app *app, const char *change,
                     struct jval *fields)
{
    struct jval *o = change_new("app", app->id, change, fields);
    jval_set_text(o, "label", app->label);
    jval_push(list, o);
}

struct jval *diff_apps(const struct apps *now, const struct apps *next)
{
    struct jval *list = jval_new_array();
    for (size_t i = 0; i < apps_count(now); i++) {
        const struct app *a = apps_at(now, i), *b = apps_find(next, a->id);
        struct jval *fields = b ? compare_app(a, b) : jval_new_array();
        if (!b)
            push_app(list, a, "removed", fields);
        else if (jval_count(fields) > 0)
            push_app(list, b, "changed", fields);
        else
            jval_free(&fields);
    }
    for (size_t i = 0; i < apps_count(next); i++)
        if (!apps_find(now, apps_at(next, i)->id))
            push_app(list, apps_at(next, i), "added", jval_new_array());
    return list;
}

/* ---- settings -------------------------------------------------------------------------------- */

static void on_setting(void *list, const struct settle_change *c)
{
    char id[128];
    struct jval *fields = jval_new_array();
    snprintf(id, sizeof id, "%s.%s", c->section, c->key);
    add_field(fields, c->key, c->before, c->after);
    jval_push(list, change_new("setting", id, "changed", fields));
}

struct jval *diff_configs(const struct config *now, const struct config *next)
{
    struct jval *list = jval_new_array();
    settle_compare(now, next, on_setting, list);
    return list;
}

void diff_count(const struct jval *changes, struct diff_count *out)
{
    *out = (struct diff_count){0};
    for (size_t i = 0; i < jval_count(changes); i++) {
        const char *change = jval_text(jval_get(jval_item(changes, i), "change"));
        out->added += strcmp(change, "added") == 0;
        out->removed += strcmp(change, "removed") == 0;
        out->changed += strcmp(change, "changed") == 0;
    }
}
