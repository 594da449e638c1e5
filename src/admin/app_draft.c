/* SPDX-License-Identifier: Apache-2.0 */
/* An app as a request would have it, judged as if it were in force. */
#include "admin/app.h"
#include "admin/draft.h"
#include "sys/conf_roster.h"

int app_named(const struct op *op, struct err *err)
{
    return op->id && conf_id_valid(str_of(op->id))
               ? 0
               : err_set(err, ERR_NOT_FOUND, "there is no such app");
}

int app_writable(const struct op *op, const char *id, struct err *err)
{
    const struct app *app = apps_find(op->apps, id);
    return !app || app->from_row ? 0
                                 : err_set(err, ERR_CONFLICT,
                                           "app %s is made by %s: edit that file", id, app->source);
}

void app_draft_begin(struct op *op)
{
    struct app_draft *d = arena_alloc(op->arena, sizeof *d);
    d->options = live_draft_app_options(op->admin->o.live, &d->hold);
    op->more = d;
}

void app_draft_drop(struct op *op)
{
    struct app_draft *d = op->more;
    if (!d)
        return;
    apps_free(&d->apps);
    config_free(&d->hold);
    jval_free(&d->settings);
}

/* ---- merging ----------------------------------------------------------------------------------
 */

/* A rule with every value as text. */
static struct jval *rule_text(struct op *op, const struct jval *given, struct err *err)
{
    struct jval *rule = jval_new_object();
    const struct jval *v;
    const char *key;
    void *iter = NULL;
    if (jval_type(given) != JVAL_OBJECT)
        (void)op_field(op, err, "rules", "each is an object with path and require");
    while (jval_next(given, &iter, &key, &v)) {
        const char *text = op_plain(key) ? draft_value(op, "rules", v, err) : NULL;
        if (text && *text)
            jval_set_text(rule, key, text);
        else if (!text)
            (void)op_field(op, err, "rules", "a member makes no sense");
    }
    return rule;
}

static int take_rules(struct op *op, const struct jval *given, struct err *err)
{
    struct app_draft *d = op->more;
    struct jval *rules = jval_new_array();
    if (jval_type(given) != JVAL_ARRAY)
        (void)op_field(op, err, "rules", "must be a list");
    for (size_t i = 0; i < jval_count(given) && i <= APP_PATHS_MAX; i++)
        jval_push(rules, rule_text(op, jval_item(given, i), err));
    jval_set(d->settings, "rules", rules);
    return err->kind == ERR_NONE ? 0 : -1;
}

static int take_setting(struct op *op, const char *key, const struct jval *v, struct err *err)
{
    struct app_draft *d = op->more;
    if (!op_plain(key) || strlen(key) > OP_TEXT_MAX)
        return op_field(op, err, "settings", "a key makes no sense");
    if (jval_type(v) == JVAL_NULL) {
        jval_remove(d->settings, key);
        return 0;
    }
    if (strcmp(key, "rules") == 0)
        return take_rules(op, v, err);
    const char *text = draft_value(op, key, v, err);
    if (!text)
        return -1;
    if (*text)
        jval_set_text(d->settings, key, text);
    else
        jval_remove(d->settings, key);
    return 0;
}

static int merge(struct op *op, enum app_draft_mode mode, struct err *err)
{
    struct app_draft *d = op->more;
    struct err why = ERR_INIT; /* settings that make no sense are begun anew */
    const struct jval *v;
    const char *key;
    void *iter = NULL;
    int rc = 0;
    if (mode == APP_DRAFT_EDIT || mode == APP_DRAFT_OWN)
        d->settings = jval_parse(str_of(d->row.settings), APP_SETTINGS_MAX, 4, &why);
    if (jval_type(d->settings) != JVAL_OBJECT) {
        jval_free(&d->settings);
        d->settings = jval_new_object();
    }
    while (jval_next(op_get(op, "settings"), &iter, &key, &v))
        rc |= take_setting(op, key, v, err);
    /* A stranger stays one until somebody says otherwise in so many words. */
    if (mode == APP_DRAFT_REPLACE && d->row.registered > 0 &&
        !jval_get(op_get(op, "settings"), "consent"))
        jval_set_text(d->settings, "consent", "true");
    return rc;
}

/* ---- judging ----------------------------------------------------------------------------------
 */

static int judge(struct op *op, struct err *err)
{
    struct app_draft *d = op->more;
    struct app_source source = {.id = NULL};
    struct conf_problems problems;
    if (app_source_read(d->settings, op->arena, &source, err) != 0)
        return -1;
    source.id = op->object;
    conf_problems_init(&problems);
    d->apps = apps_draft(&d->options, &source, op->apps, &problems);
    for (size_t i = 0; i < conf_problems_n(&problems); i++) {
        const struct conf_fault *f = conf_problems_at(&problems, i);
        const bool of_rule = strchr(f->file, '[') != NULL; /* "app x [/path]" */
        const char *key = of_rule || !f->key ? "rules" : f->key;
        (void)op_field(op, err, key, "%s%s%s", of_rule ? strchr(f->file, '[') : "",
                       of_rule ? " " : "", f->text);
    }
    if (problems.n > 0) {
        err_clear(err);
        err_set(err, ERR_MISCONFIGURED, "the settings are wrong");
    }
    conf_problems_deinit(&problems);
    return err->kind == ERR_NONE ? 0 : -1;
}

static int read_stored(struct db *db, struct op *op, struct err *err)
{
    struct app_draft *d = op->more;
    const int rc = settings_row_get(db, SETTINGS_APP, op->object, op->arena, &d->row, err);
    d->exists = rc == 1;
    return rc < 0 ? -1 : 0;
}

static int judge_mode(struct op *op, enum app_draft_mode mode, struct err *err)
{
    const struct app_draft *d = op->more;
    if (d->exists && mode == APP_DRAFT_ADD)
        return err_set(err, ERR_CONFLICT, "there is an app of this id already");
    if (mode == APP_DRAFT_ADD && apps_count(op->apps) >= APPS_MAX)
        return err_set(err, ERR_LIMITED, "there are %d apps, which is the most", APPS_MAX);
    if (!d->exists && mode != APP_DRAFT_ADD)
        return err_set(err, ERR_NOT_FOUND, "there is no such app");
    return d->exists && mode != APP_DRAFT_OWN ? draft_match(op, d->row.version, true, err) : 0;
}

int app_draft_make(struct op *op, enum app_draft_mode mode, struct err *err)
{
    if (!conf_id_valid(str_of(op->object)))
        return op_field(op, err, "id",
                        "at most 32 of a-z, 0-9 and '-', which does not stand at an end");
    return app_writable(op, op->object, err) < 0 || op_read(op, read_stored, err) < 0 ||
                   judge_mode(op, mode, err) < 0 || merge(op, mode, err) < 0 || judge(op, err) < 0
               ? -1
               : 0;
}

const char *app_draft_text(struct op *op, struct err *err)
{
    const struct app_draft *d = op->more;
    struct buf b;
    buf_init(&b, APP_SETTINGS_MAX);
    jval_render(d->settings, &b);
    const char *text = buf_ok(&b) ? arena_dup(op->arena, b.p) : NULL;
    buf_deinit(&b);
    if (!text)
        err_set(err, ERR_LIMITED, "the settings are too long");
    return text;
}
