/* SPDX-License-Identifier: Apache-2.0 */
/* Apps as admins see them. */
#include "admin/app.h"
#include "admin/view.h"

/* ---- what is stored ---------------------------------------------------------------------------
 */

struct reading {
    struct jval *rows, *secrets;
    const char *only; /* NULL: all */
};

static int take_row(void *arg, const struct settings_row *row, struct err *err)
{
    struct reading *r = arg;
    struct err why = ERR_INIT; /* what makes no sense is shown as nothing; live says so */
    (void)err;
    if (r->only && strcmp(r->only, row->id) != 0)
        return 0;
    struct jval *o = jval_new_object();
    struct jval *settings = jval_parse(str_of(row->settings), APP_SETTINGS_MAX, 4, &why);
    jval_set(o, "settings", settings ? settings : jval_new_object());
    jval_set_int(o, "version", row->version);
    jval_set_time(o, "registered", row->registered);
    jval_set(r->rows, row->id, o);
    return 0;
}

static int take_secret(void *arg, const struct app_secret_row *row, struct err *err)
{
    struct reading *r = arg;
    struct jval *o = jval_new_object();
    (void)err;
    if (!jval_get(r->secrets, row->app))
        jval_set(r->secrets, row->app, jval_new_array());
    jval_set_text(o, "id", row->id);
    jval_set_int(o, "created", row->created);
    jval_set_time(o, "expires", row->expires);
    jval_set_time(o, "last_used", row->last_used);
    jval_push((struct jval *)(uintptr_t)jval_get(r->secrets, row->app), o);
    return 0;
}

struct jval *app_view_read(struct db *db, const char *id, struct err *err)
{
    struct reading r = {jval_new_object(), jval_new_object(), id};
    struct jval *o = jval_new_object();
    jval_set(o, "rows", r.rows);
    jval_set(o, "secrets", r.secrets);
    if (settings_row_each(db, SETTINGS_APP, take_row, &r, err) < 0 ||
        app_secret_each(db, id, take_secret, &r, err) < 0)
        jval_free(&o);
    return o;
}

/* ---- what is in force -------------------------------------------------------------------------
 */

static struct jval *settings_in_force(const struct app *app)
{
    struct jval *o = jval_new_object(), *rules = jval_new_array();
    view_settings(o, app_settings, app_settings_n, &app->common);
    for (size_t i = 0; i < app->n_paths; i++) {
        struct jval *rule = jval_new_object();
        jval_set_text(rule, "path", app->paths[i].pattern.text);
        view_settings(rule, app_path_settings, app_path_settings_n, &app->paths[i].common);
        jval_push(rules, rule);
    }
    if (app->n_paths > 0)
        jval_set(o, "rules", rules);
    else
        jval_free(&rules);
    return o;
}

static struct jval *source_json(const struct app *app, bool row)
{
    struct jval *o = jval_new_object();
    jval_set_text(o, "kind", row ? "row" : "file");
    jval_set_text(o, "file", row || !app ? NULL : app->source);
    return o;
}

static const char *label_of(const struct app *app, const struct jval *row, const char *id)
{
    const char *label = jval_text(jval_get(jval_get(row, "settings"), "label"));
    return app ? app->label : label && *label ? label : id;
}

struct jval *app_view(const struct op *op, const char *id, const struct jval *stored)
{
    const struct app *app = apps_find(live_apps(op->admin->o.live), id);
    const struct jval *row = app && !app->from_row ? NULL : jval_get(jval_get(stored, "rows"), id);
    const struct jval *secrets = jval_get(jval_get(stored, "secrets"), id);
    int64_t version, since;
    if (!row && (!app || app->from_row)) /* or it was deleted a moment ago */
        return NULL;
    struct jval *o = jval_new_object();
    jval_set_text(o, "id", id);
    jval_set_text(o, "label", label_of(app, row, id));
    jval_set(o, "source", source_json(app, row != NULL));
    jval_set_bool(o, "read_only", row == NULL);
    jval_set(o, "registered",
             jval_int(jval_get(row, "registered"), &since) ? jval_new_int(since) : jval_new_null());
    jval_set_bool(o, "enabled", !app || app->common.enabled);
    jval_set_bool(o, "usable", app && app->usable);
    jval_set_text(o, "reason", !app ? "it is not in force yet" : app->reason);
    jval_set(o, "settings", row ? jval_copy(jval_get(row, "settings")) : settings_in_force(app));
    jval_set(o, "secrets", secrets ? jval_copy(secrets) : jval_new_array());
    jval_set(o, "version",
             jval_int(jval_get(row, "version"), &version) ? jval_new_int(version)
                                                          : jval_new_null());
    return o;
}

struct jval *app_view_all(const struct op *op, const struct jval *stored)
{
    const struct apps *apps = live_apps(op->admin->o.live);
    struct jval *all = jval_new_array();
    const struct jval *row;
    const char *id;
    void *iter = NULL;
    for (size_t i = 0; i < apps_count(apps); i++) {
        struct jval *one = app_view(op, apps_at(apps, i)->id, stored);
        if (one)
            jval_push(all, one);
    }
    while (jval_next(jval_get(stored, "rows"), &iter, &id, &row))
        if (!apps_find(apps, id))
            jval_push(all, app_view(op, id, stored));
    return all;
}

/* ---- one app as an answer ---------------------------------------------------------------------
 */

static int read_one(struct db *db, struct op *op, struct err *err)
{
    jval_free(&op->answer);
    op->answer = app_view_read(db, op->id, err);
    return op->answer ? 0 : -1;
}

int app_view_keep(struct op *op, struct err *err)
{
    return op_read(op, read_one, err);
}

int app_view_work(struct op *op, struct err *err)
{
    return app_named(op, err) < 0 ? -1 : app_view_keep(op, err);
}

int app_view_finish(struct op *op, struct err *err)
{
    int64_t version;
    struct jval *answer = app_view(op, op->id, op->answer);
    if (!answer)
        return err_set(err, ERR_NOT_FOUND, "there is no such app");
    if (jval_int(jval_get(answer, "version"), &version))
        view_etag(version, op->etag);
    jval_free(&op->answer);
    op->answer = answer;
    return 0;
}
