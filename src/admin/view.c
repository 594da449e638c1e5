/* SPDX-License-Identifier: Apache-2.0 */
#include "admin/view.h"

#include <stdio.h>

#include "provider/slots.h"
#include "store/provider_secret.h"
#include "store/settings_row.h"

/* ---- what is stored ----------------------------------------------------------------------------
 */

struct reading {
    struct jval *rows;
    const char *only; /* NULL: all */
};

static int take_row(void *arg, const struct settings_row *row, struct err *err)
{
    struct reading *r = arg;
    struct jval *settings, *o;
    struct err why = ERR_INIT; /* a row that makes no sense is shown without settings */
    (void)err;
    if (r->only && strcmp(r->only, row->id) != 0)
        return 0;
    o = jval_new_object();
    settings = jval_parse(str_of(row->settings), JSON_SIZE_MAX, 2, &why);
    jval_set(o, "settings", settings ? settings : jval_new_object());
    jval_set(o, "secrets", jval_new_object());
    jval_set_int(o, "version", row->version);
    jval_set(r->rows, row->id, o);
    return 0;
}

static struct jval *slot_json(int64_t since, int64_t expires)
{
    struct jval *o = jval_new_object();
    jval_set_time(o, "since", since);
    jval_set_time(o, "expires", expires);
    return o;
}

/* The slots of one secret, all empty. */
static struct jval *slots_json(void)
{
    struct jval *o = jval_new_object();
    for (int i = 0; i < SECRET_SLOTS; i++)
        jval_set(o, secret_slot_name((enum secret_slot)i), jval_new_null());
    jval_set(o, "using", jval_new_null());
    return o;
}

static struct jval *slots_of(struct jval *secrets, const char *key)
{
    if (!jval_get(secrets, key))
        jval_set(secrets, key, slots_json());
    return (struct jval *)(uintptr_t)jval_get(secrets, key);
}

static int take_secret(void *arg, const struct provider_secret_row *row, struct err *err)
{
    struct reading *r = arg;
    struct jval *o = (struct jval *)(uintptr_t)jval_get(r->rows, row->provider);
    (void)err;
    if (!o)
        return 0;
    struct jval *slots = slots_of((struct jval *)(uintptr_t)jval_get(o, "secrets"), row->key);
    jval_set(slots, secret_slot_name(row->slot), slot_json(row->created, row->expires));
    if (row->slot == SLOT_ACTIVE)
        jval_set_text(slots, "using", secret_slot_name(SLOT_ACTIVE));
    return 0;
}

struct jval *view_rows(struct db *db, const char *id, struct err *err)
{
    struct reading r = {jval_new_object(), id};
    if (settings_row_each(db, SETTINGS_PROVIDER, take_row, &r, err) < 0 ||
        provider_secret_each(db, id, take_secret, &r, err) < 0)
        jval_free(&r.rows);
    return r.rows;
}

/* ---- what is in force --------------------------------------------------------------------------
 */

void view_settings(struct jval *out, const struct usher_setting *rows, size_t n, const void *config)
{
    struct arena *a = arena_new();
    for (size_t i = 0; config && i < n; i++) {
        const char *text = conf_text(&rows[i], config, a);
        if (text && *text && !(rows[i].value && strcmp(rows[i].value, text) == 0))
            jval_set_text(out, rows[i].key, text);
    }
    arena_free(&a);
}

static struct jval *settings_in_force(const struct provider *p)
{
    struct jval *o = jval_new_object();
    view_settings(o, provider_common_settings, provider_common_n, &p->common);
    if (p->plugin)
        view_settings(o, p->plugin->settings, p->plugin->n_settings, p->config);
    return o;
}

static void add_secret(struct jval *out, const struct provider *p, const char *key)
{
    if (!provider_secret(p, key, PROVIDER_ACTIVE))
        return;
    struct jval *slots = slots_of(out, key);
    jval_set(slots, "active", slot_json(0, 0));
    jval_set_text(slots, "using", "active");
}

static struct jval *secrets_in_force(const struct provider *p)
{
    struct jval *o = jval_new_object();
    for (int i = 0; i < PROVIDER_SLOTS; i++)
        if (p->slots->v[i].set)
            jval_set(slots_of(o, "client_secret"), slots_name((enum provider_slot)i),
                     slot_json(p->slots->v[i].created, p->slots->v[i].expires));
    for (size_t i = 0; p->plugin && i < p->plugin->n_settings; i++)
        if (p->plugin->settings[i].type == USHER_SECRET)
            add_secret(o, p, p->plugin->settings[i].key);
    return o;
}

static struct jval *source_json(const struct provider *p, bool row)
{
    struct jval *o = jval_new_object();
    const bool environment = p && strcmp(p->source, "environment") == 0;
    jval_set_text(o, "kind", row ? "row" : environment ? "environment" : "file");
    jval_set_text(o, "file", row || environment || !p ? NULL : p->source);
    return o;
}

static void set_using(const struct op *op, const struct provider *p, struct jval *secrets)
{
    struct jval *slots = (struct jval *)(uintptr_t)jval_get(secrets, "client_secret");
    if (!slots)
        return;
    const enum provider_slot first = p ? slots_first(op->admin->o.slots, p) : PROVIDER_ACTIVE;
    const char *name = slots_name(first);
    jval_set_text(slots, "using", jval_type(jval_get(slots, name)) == JVAL_OBJECT ? name : NULL);
}

static const char *text_in(const struct jval *row, const char *key, const char *fallback)
{
    const char *text = jval_text(jval_get(jval_get(row, "settings"), key));
    return text ? text : fallback;
}

struct jval *view_provider(const struct op *op, const struct provider *p, const char *id,
                           const struct jval *row)
{
    struct jval *o = jval_new_object();
    const char *plugin = p ? p->common.plugin : text_in(row, "plugin", id);
    const char *url = arena_printf(op->arena, "%s/callback/%s",
                                   live_config(op->admin->o.live)->server.public_url, id);
    struct jval *secrets = row ? jval_copy(jval_get(row, "secrets")) : secrets_in_force(p);
    int64_t version = 0;
    set_using(op, p, secrets);
    jval_set_text(o, "id", id);
    jval_set_text(o, "plugin", plugin);
    jval_set_text(o, "label", p ? p->label : text_in(row, "label", id));
    jval_set(o, "source", source_json(p, row != NULL));
    jval_set_bool(o, "read_only", row == NULL);
    jval_set_bool(o, "enabled", !p || p->common.enabled);
    jval_set_bool(o, "usable", p && p->usable);
    jval_set_text(o, "reason", !p ? "it is not in force yet" : p->usable ? NULL : p->reason);
    jval_set_text(o, "callback_url", url);
    jval_set(o, "settings", row ? jval_copy(jval_get(row, "settings")) : settings_in_force(p));
    jval_set(o, "secrets", secrets);
    jval_set(o, "health", health_json(op->admin->health, id, op->now));
    jval_set(o, "version",
             jval_int(jval_get(row, "version"), &version) ? jval_new_int(version)
                                                          : jval_new_null());
    return o;
}

/* A file or variable of the same id hides a row. */
static const struct jval *row_of(const struct jval *rows, const struct provider *p, const char *id)
{
    return p && !p->from_row ? NULL : jval_get(rows, id);
}

struct jval *view_all(const struct op *op, const struct jval *rows)
{
    const struct registry *r = live_registry(op->admin->o.live);
    struct jval *all = jval_new_array();
    const struct jval *row;
    const char *id;
    void *iter = NULL;
    for (size_t i = 0; i < registry_count(r); i++) {
        const struct provider *p = registry_at(r, i);
        if (!p->from_row || jval_get(rows, p->id)) /* else it was deleted a moment ago */
            jval_push(all, view_provider(op, p, p->id, row_of(rows, p, p->id)));
    }
    while (jval_next(rows, &iter, &id, &row))
        if (!registry_find(r, id))
            jval_push(all, view_provider(op, NULL, id, row));
    return all;
}

void view_etag(int64_t version, char out[32])
{
    (void)snprintf(out, 32, "\"%lld\"", (long long)version);
}

/* ---- one provider as an answer ---- */

static int read_one(struct db *db, struct op *op, struct err *err)
{
    jval_free(&op->answer);
    op->answer = view_rows(db, op->id, err);
    return op->answer ? 0 : -1;
}

int view_keep(struct op *op, struct err *err)
{
    return op_read(op, read_one, err);
}

int view_one_work(struct op *op, struct err *err)
{
    if (!op->id)
        return err_set(err, ERR_NOT_FOUND, "there is no such provider");
    return view_keep(op, err);
}

int view_one_finish(struct op *op, struct err *err)
{
    const struct provider *p = registry_find(live_registry(op->admin->o.live), op->id);
    const struct jval *row = row_of(op->answer, p, op->id);
    int64_t version;
    if (!row && (!p || p->from_row))
        return err_set(err, ERR_NOT_FOUND, "there is no such provider");
    struct jval *answer = view_provider(op, p, op->id, row);
    if (jval_int(jval_get(answer, "version"), &version))
        view_etag(version, op->etag);
    jval_free(&op->answer);
    op->answer = answer;
    return 0;
}
