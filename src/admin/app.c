/* SPDX-License-Identifier: Apache-2.0 */
/* Apps: shown, made, changed, deleted. */
#include "admin/app.h"

#include "admin/registration.h"
#include "app/secrets.h"

/* ---- looking ----------------------------------------------------------------------------------
 */

static int read_all(struct db *db, struct op *op, struct err *err)
{
    jval_free(&op->answer);
    op->answer = app_view_read(db, NULL, err);
    return op->answer ? 0 : -1;
}

static int list_work(struct op *op, struct err *err)
{
    return op_read(op, read_all, err);
}

static int list_finish(struct op *op, struct err *err)
{
    struct jval *o = jval_new_object();
    (void)err;
    jval_set(o, "apps", app_view_all(op, op->answer));
    jval_free(&op->answer);
    op->answer = o;
    return 0;
}

void admin_app_list(struct admin *a, const struct admin_request *rq, admin_done_fn *done, void *arg)
{
    static const struct op_rule rule = {
        .scope = ADMIN_READ, .work = list_work, .finish = list_finish};
    op_run(a, rq, &rule, done, arg);
}

void admin_app_show(struct admin *a, const struct admin_request *rq, admin_done_fn *done, void *arg)
{
    static const struct op_rule rule = {
        .scope = ADMIN_READ, .work = app_view_work, .finish = app_view_finish};
    op_run(a, rq, &rule, done, arg);
}

/* ---- adding -----------------------------------------------------------------------------------
 */

static int add_begin(struct op *op, struct err *err)
{
    static const struct op_member members[] = {{"id", JVAL_TEXT, true},
                                               {"settings", JVAL_OBJECT, true}};
    const char *id;
    if (op_members(op, members, 2, err) < 0 || op_text(op, "id", OP_TEXT_MAX, &id, err) < 0)
        return -1;
    op->id = op->object = id;
    app_draft_begin(op);
    return 0;
}

/* Added or changed. */
static int put_row(struct db *db, struct op *op, struct err *err)
{
    const int rc = draft_holds(db, op, err);
    return rc != 0 ? rc : draft_put(db, op, err);
}

static int add_work(struct op *op, struct err *err)
{
    if (app_draft_make(op, DRAFT_ADD, err) < 0)
        return -1;
    op->became = jval_ref(((struct draft *)op->more)->settings);
    op->created = true;
    return op_write(op, put_row, err) < 0 ? -1 : app_view_keep(op, err);
}

void admin_app_add(struct admin *a, const struct admin_request *rq, admin_done_fn *done, void *arg)
{
    static const struct op_rule rule = {.scope = ADMIN_WRITE,
                                        .action = "app.add",
                                        .begin = add_begin,
                                        .work = add_work,
                                        .finish = app_view_finish,
                                        .reloaded = op_rows_in_force,
                                        .drop = app_draft_drop};
    op_run(a, rq, &rule, done, arg);
}

/* ---- changing ---------------------------------------------------------------------------------
 */

static int change_begin(struct op *op, struct err *err)
{
    static const struct op_member members[] = {{"settings", JVAL_OBJECT, true}};
    if (app_named(op, err) < 0 || op_members(op, members, 1, err) < 0)
        return -1;
    app_draft_begin(op);
    return 0;
}

static int change(struct op *op, enum draft_mode mode, struct err *err)
{
    const struct draft *d = op->more;
    if (app_draft_make(op, mode, err) < 0)
        return -1;
    op->was = draft_stored(&app_draft_kind, &d->row);
    op->became = jval_ref(d->settings);
    return op_write(op, put_row, err) < 0 ? -1 : app_view_keep(op, err);
}

static int replace_work(struct op *op, struct err *err)
{
    return change(op, DRAFT_REPLACE, err);
}

static int edit_work(struct op *op, struct err *err)
{
    return change(op, DRAFT_EDIT, err);
}

void admin_app_replace(struct admin *a, const struct admin_request *rq, admin_done_fn *done,
                       void *arg)
{
    static const struct op_rule rule = {.scope = ADMIN_WRITE,
                                        .action = "app.replace",
                                        .begin = change_begin,
                                        .work = replace_work,
                                        .finish = app_view_finish,
                                        .reloaded = op_rows_in_force,
                                        .drop = app_draft_drop};
    op_run(a, rq, &rule, done, arg);
}

void admin_app_edit(struct admin *a, const struct admin_request *rq, admin_done_fn *done, void *arg)
{
    static const struct op_rule rule = {.scope = ADMIN_WRITE,
                                        .action = "app.edit",
                                        .begin = change_begin,
                                        .work = edit_work,
                                        .finish = app_view_finish,
                                        .reloaded = op_rows_in_force,
                                        .drop = app_draft_drop};
    op_run(a, rq, &rule, done, arg);
}

/* ---- deleting ---------------------------------------------------------------------------------
 */

static int delete_begin(struct op *op, struct err *err)
{
    return app_named(op, err) < 0 || op_members(op, NULL, 0, err) < 0
               ? -1
               : app_writable(op, op->id, err);
}

int app_drop(struct db *db, struct op *op, int64_t version, struct err *err)
{
    return app_secret_drop_of(db, op->id, err) < 0 ||
                   settings_row_drop(db, SETTINGS_APP, op->id, version, err) != 1
               ? -1
               : 0;
}

int app_dropped(struct op *op, struct err *err)
{
    (void)err;
    if (op->admin->o.app_secrets)
        app_secrets_drop_of(op->admin->o.app_secrets, op->id);
    registrations_drop_app(op->admin->registrations, op->id);
    return 0;
}

static int delete_row(struct db *db, struct op *op, struct err *err)
{
    struct settings_row row;
    const int rc = draft_seen(db, op, &app_draft_kind, true, &row, err);
    if (rc != 0)
        return rc;
    jval_free(&op->was);
    op->was = draft_stored(&app_draft_kind, &row);
    return app_drop(db, op, row.version, err);
}

static int delete_work(struct op *op, struct err *err)
{
    return op_write(op, delete_row, err);
}

void admin_app_delete(struct admin *a, const struct admin_request *rq, admin_done_fn *done,
                      void *arg)
{
    static const struct op_rule rule = {.scope = ADMIN_WRITE,
                                        .action = "app.delete",
                                        .begin = delete_begin,
                                        .work = delete_work,
                                        .finish = app_dropped,
                                        .reloaded = op_rows_in_force};
    op_run(a, rq, &rule, done, arg);
}
