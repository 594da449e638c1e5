/* SPDX-License-Identifier: Apache-2.0 */
#include "live/settle.h"

#include <string.h>

static const struct {
    const char *section, *key;
} at_once[] = {
    {"server", "site_name"},
    {"login", "return_hosts"},
    {"login", "default_return"},
    {"login", "deadline"},
    {"login", "max_in_flight"},
    {"providers", "dir"},
    {"apps", "dir"},
    {"log", "level"},
    {"issuer", "registration"},
    {"issuer", "max_registrations"},
    {"issuer", "registration_unused"},
    {"metrics", "token"},
    {"providers", "plugin_dir"},
};

bool settle_at_once(const char *section, const char *key)
{
    if (strcmp(section, "limits") == 0 || strcmp(section, "audit") == 0)
        return true;
    for (size_t i = 0; i < sizeof at_once / sizeof *at_once; i++)
        if (strcmp(at_once[i].section, section) == 0 && strcmp(at_once[i].key, key) == 0)
            return true;
    return false;
}

/* A database's address may hold a password. */
static bool is_secret(const struct conf_table *t, const struct usher_setting *row)
{
    return row->type == USHER_SECRET ||
           (strcmp(t->section, "store") == 0 && strcmp(row->key, "url") == 0);
}

static bool same_text(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

static bool same_secret(const struct secret *a, const struct secret *b)
{
    return a == b || (a && b && secret_eq(a, secret_reveal(b)));
}

struct pair {
    const struct conf_table *now, *next;
    const struct config *a, *b;
    struct arena *arena;
};

/* false: they are the same. */
static bool row_differs(const struct pair *p, size_t i, struct settle_change *out)
{
    const struct usher_setting *row = &p->now->rows[i];
    *out = (struct settle_change){.section = p->now->section,
                                  .key = row->key,
                                  .at_once = settle_at_once(p->now->section, row->key)};
    if (row->type == USHER_SECRET) {
        const struct secret *a = conf_secrets_get(p->a->secrets, row->key);
        const struct secret *b = conf_secrets_get(p->b->secrets, row->key);
        out->before = a ? "set" : NULL;
        out->after = b && a ? "changed" : b ? "set" : NULL;
        return !same_secret(a, b);
    }
    out->before = conf_text(row, p->now->config, p->arena);
    out->after = conf_text(row, p->next->config, p->arena);
    const bool same = same_text(out->before, out->after);
    if (is_secret(p->now, row)) {
        out->before = out->before ? "set" : NULL;
        out->after = out->after && out->before ? "changed" : out->after ? "set" : NULL;
    }
    return !same;
}

void settle_compare(const struct config *now, const struct config *next, settle_fn *fn, void *arg)
{
    struct conf_table a[CONFIG_TABLES], b[CONFIG_TABLES];
    struct pair p = {.a = now, .b = next, .arena = arena_new()};
    struct settle_change change;
    config_fill_tables(now, a);
    config_fill_tables(next, b);
    for (size_t t = 0; t < CONFIG_TABLES; t++) {
        p.now = &a[t];
        p.next = &b[t];
        for (size_t i = 0; i < a[t].n; i++)
            if (row_differs(&p, i, &change))
                fn(arg, &change);
    }
    arena_free(&p.arena);
}

static const char *const *dup_list(const char *const *list, struct arena *a)
{
    size_t n = 0;
    while (list && list[n])
        n++;
    const char **copy = list ? arena_alloc(a, (n + 1) * sizeof *copy) : NULL;
    for (size_t i = 0; i < n; i++)
        copy[i] = arena_dup(a, list[i]);
    return copy;
}

/* One member into the struct at `to`, whose strings live in the arena. */
static void keep_member(const struct usher_setting *row, void *to, const void *from,
                        struct arena *a)
{
    char *m = (char *)to + row->offset;
    const char *n = (const char *)from + row->offset;
    const char *text;
    switch ((enum usher_setting_type)row->type) {
    case USHER_INT:
    case USHER_DURATION:
    case USHER_SIZE:
        memcpy(m, n, sizeof(int64_t));
        break;
    case USHER_BOOL:
        memcpy(m, n, sizeof(bool));
        break;
    case USHER_CHOICE:
        memcpy(m, n, sizeof(int));
        break;
    case USHER_SECRET:
        memcpy(m, n, sizeof(struct usher_secret));
        break;
    case USHER_TEXT:
    case USHER_URL:
        text = *(const char *const *)(const void *)n;
        *(const char **)(void *)m = text ? arena_dup(a, text) : NULL;
        break;
    case USHER_LIST:
        *(const char *const **)(void *)m =
            dup_list(*(const char *const *const *)(const void *)n, a);
        break;
    }
}

void settle_keep(struct config *next, const struct config *now)
{
    struct conf_table a[CONFIG_TABLES], b[CONFIG_TABLES];
    config_fill_tables(now, a);
    config_fill_tables(next, b);
    for (size_t t = 0; t < CONFIG_TABLES; t++)
        for (size_t i = 0; i < a[t].n; i++) {
            const struct usher_setting *row = &a[t].rows[i];
            if (settle_at_once(a[t].section, row->key))
                continue;
            keep_member(row, b[t].config, a[t].config, next->arena);
            const struct secret *secret =
                row->type == USHER_SECRET ? conf_secrets_get(now->secrets, row->key) : NULL;
            if (secret)
                conf_secrets_set(next->secrets, row->key, secret_dup(secret));
        }
    /* made of public_url */
    next->origin = arena_dup(next->arena, now->origin);
    next->host = strstr(next->origin, "://") + 3;
    next->https = now->https;
}
