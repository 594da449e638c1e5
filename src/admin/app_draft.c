/* SPDX-License-Identifier: Apache-2.0 */
/* An app as a request would have it, judged as if it were in force. */
#include "admin/app.h"

const struct draft_kind app_draft_kind = {
    .of = &apps_kind, .table = SETTINGS_APP, .text_max = APP_SETTINGS_MAX, .depth = 4};

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

void app_draft_begin_at(struct op *op, struct app_draft *d)
{
    d->base.kind = &app_draft_kind;
    d->options = live_draft_app_options(op->admin->o.live, &d->base.hold);
    op->more = d;
}

void app_draft_begin(struct op *op)
{
    app_draft_begin_at(op, arena_alloc(op->arena, sizeof(struct app_draft)));
}

void app_draft_drop(struct op *op)
{
    struct app_draft *d = op->more;
    if (!d)
        return;
    apps_free(&d->apps);
    draft_free(&d->base);
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
    jval_set(d->base.settings, "rules", rules);
    return err->kind == ERR_NONE ? 0 : -1;
}

static int take_setting(struct op *op, const char *key, const struct jval *v, struct err *err)
{
    return strcmp(key, "rules") == 0 && jval_type(v) != JVAL_NULL ? take_rules(op, v, err)
                                                                  : draft_take(op, key, v, err);
}

static int merge(struct op *op, enum draft_mode mode, struct err *err)
{
    struct draft *d = op->more;
    const struct jval *v;
    const char *key;
    void *iter = NULL;
    int rc = 0;
    draft_open(op, mode);
    while (jval_next(op_get(op, "settings"), &iter, &key, &v))
        rc |= take_setting(op, key, v, err);
    /* A stranger stays one until somebody says otherwise in so many words. */
    if (mode == DRAFT_REPLACE && d->row.registered > 0 &&
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
    if (app_source_read(d->base.settings, op->arena, &source, err) != 0)
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

int app_draft_make(struct op *op, enum draft_mode mode, struct err *err)
{
    return draft_judge_id(op, mode, err) < 0 || app_writable(op, op->object, err) < 0 ||
                   op_read(op, draft_read, err) < 0 ||
                   draft_judge_mode(op, mode, apps_count(op->apps), err) < 0 ||
                   merge(op, mode, err) < 0 || judge(op, err) < 0
               ? -1
               : 0;
}
