/* SPDX-License-Identifier: Apache-2.0 */
#include "live/rows.h"

#include <stdlib.h>
#include <string.h>

#include "app/source.h"
#include "base/json.h"
#include "store/provider_secret.h"
#include "store/settings_row.h"

#define SETTINGS_MAX (512u * 1024)

void rows_init(struct rows *r)
{
    memset(r, 0, sizeof *r);
    r->arena = arena_new();
    conf_problems_init(&r->problems);
}

void rows_clear(struct rows *r)
{
    for (size_t i = 0; i < r->n_secrets; i++)
        secret_free((struct secret **)(uintptr_t)&r->secrets[i].secret);
    free(r->secrets);
    free(r->first);
    free(r->apps);
    free(r->v);
    arena_free(&r->arena);
    conf_problems_deinit(&r->problems);
    memset(r, 0, sizeof *r);
}

static struct provider_source *add_source(struct rows *r)
{
    if (r->n == r->room) {
        r->room = r->room ? 2 * r->room : 16;
        r->v = mem_grow(r->v, r->room * sizeof *r->v);
        r->first = mem_grow(r->first, r->room * sizeof *r->first);
    }
    r->first[r->n] = 0;
    return &r->v[r->n++];
}

/* Key and text, and nothing else; -1: it is no such object. */
static int read_settings(struct rows *r, const char *text, struct provider_source *out)
{
    struct err err = ERR_INIT; /* whatever is wrong with it, an admin cannot mend it there */
    struct jval *o = jval_parse(str_of(text), SETTINGS_MAX, 2, &err);
    struct conf_pair *pairs = arena_alloc(r->arena, (jval_count(o) + 1) * sizeof *pairs);
    const struct jval *value;
    const char *key;
    void *iter = NULL;
    int result = jval_type(o) == JVAL_OBJECT ? 0 : -1;
    while (result == 0 && jval_next(o, &iter, &key, &value)) {
        if (!jval_text(value))
            result = -1;
        else
            pairs[out->n++] =
                (struct conf_pair){arena_dup(r->arena, key), arena_dup(r->arena, jval_text(value))};
    }
    out->settings = pairs;
    jval_free(&o);
    return result;
}

static int take_row(void *arg, const struct settings_row *row, struct err *err)
{
    struct rows *r = arg;
    struct provider_source source = {.id = arena_dup(r->arena, row->id), .version = row->version};
    (void)err;
    if (read_settings(r, row->settings, &source) == 0)
        *add_source(r) = source;
    else
        conf_problem(&r->problems, arena_printf(r->arena, "provider %.100s", row->id), 0,
                     "its settings in the database are no JSON object of texts; delete it, and "
                     "make it again");
    return 0;
}

struct secrets_reader {
    struct rows *rows;
    const struct keyring *keys;
};

static int take_secret(void *arg, const struct provider_secret_row *row, struct err *err)
{
    const struct secrets_reader *reader = arg;
    struct rows *r = reader->rows;
    struct err why = ERR_INIT; /* the registry says it, with the setting's name */
    size_t of = 0;
    (void)err;
    while (of < r->n && strcmp(r->v[of].id, row->provider) != 0)
        of++;
    if (of == r->n)
        return 0; /* its provider makes no sense */
    if (r->v[of].n_secrets++ == 0)
        r->first[of] = r->n_secrets;
    if (r->n_secrets == r->secrets_room) {
        r->secrets_room = r->secrets_room ? 2 * r->secrets_room : 16;
        r->secrets = mem_grow(r->secrets, r->secrets_room * sizeof *r->secrets);
    }
    r->secrets[r->n_secrets++] =
        (struct provider_secret_in){.key = arena_dup(r->arena, row->key),
                                    .slot = (int)row->slot,
                                    .secret = provider_secret_open(reader->keys, row, &why),
                                    .created = row->created,
                                    .expires = row->expires};
    return 0;
}

static int take_app(void *arg, const struct settings_row *row, struct err *err)
{
    struct rows *r = arg;
    struct err why = ERR_INIT;
    struct app_source source = {.id = arena_dup(r->arena, row->id),
                                .version = row->version,
                                .registered = row->registered > 0};
    (void)err;
    if (app_source_parse(str_of(row->settings), r->arena, &source, &why) != 0) {
        conf_problem(
            &r->problems, arena_printf(r->arena, "app %.100s", row->id), 0,
            "its settings in the database make no sense (%s); delete it, and make it again",
            why.text);
        return 0;
    }
    if (r->n_apps == r->apps_room) {
        r->apps_room = r->apps_room ? 2 * r->apps_room : 16;
        r->apps = mem_grow(r->apps, r->apps_room * sizeof *r->apps);
    }
    r->apps[r->n_apps++] = source;
    return 0;
}

int rows_read(struct rows *r, struct db *db, const struct keyring *keys, struct err *err)
{
    struct secrets_reader reader = {r, keys};
    rows_clear(r);
    rows_init(r);
    if (settings_row_each(db, SETTINGS_PROVIDER, take_row, r, err) < 0)
        return -1;
    if (provider_secret_each(db, NULL, take_secret, &reader, err) < 0)
        return -1;
    if (settings_row_each(db, SETTINGS_APP, take_app, r, err) < 0)
        return -1;
    for (size_t i = 0; i < r->n; i++) /* the array no longer moves */
        r->v[i].secrets = r->v[i].n_secrets ? r->secrets + r->first[i] : NULL;
    return 0;
}
