/* SPDX-License-Identifier: Apache-2.0 */
/* Providers: shown, made, changed, deleted. */
#include "admin/provider_draft.h"
#include "admin/view.h"
#include "store/provider_people.h"

/* ---- looking -----------------------------------------------------------------------------------
 */

static int read_all(struct db *db, struct op *op, struct err *err)
{
    jval_free(&op->answer);
    op->answer = view_rows(db, NULL, err);
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
    jval_set(o, "providers", view_all(op, op->answer));
    jval_free(&op->answer);
    op->answer = o;
    return 0;
}

void admin_provider_list(struct admin *a, const struct admin_request *rq, admin_done_fn *done,
                         void *arg)
{
    static const struct op_rule rule = {
        .scope = ADMIN_READ, .work = list_work, .finish = list_finish};
    op_run(a, rq, &rule, done, arg);
}

void admin_provider_show(struct admin *a, const struct admin_request *rq, admin_done_fn *done,
                         void *arg)
{
    static const struct op_rule rule = {
        .scope = ADMIN_READ, .work = view_one_work, .finish = view_one_finish};
    op_run(a, rq, &rule, done, arg);
}

/* ---- what must not happen by accident ---- */

/* Nobody shall lock everybody out, or themselves, without having been told. */
static int judge_loss(const struct op *op, const char *id, struct err *err)
{
    const struct provider *p = registry_find(op->registry, id);
    bool other = false;
    if (op_flag(op, "force") || !p || !p->usable)
        return 0;
    if (op->actor.provider && strcmp(op->actor.provider, id) == 0)
        return err_set(err, ERR_CONFLICT,
                       "you are signed in through this provider yourself; send force");
    for (size_t i = 0; i < registry_count(op->registry); i++) {
        const struct provider *q = registry_at(op->registry, i);
        other = other || (q != p && q->usable);
    }
    return other ? 0
                 : err_set(err, ERR_CONFLICT,
                           "nobody could sign in any more, it is the last usable provider; "
                           "send force");
}

/* 0, -1, or 1: refused. */
static int judge_adoption(struct db *db, struct op *op, struct err *err)
{
    const struct provider_draft *d = op->more;
    struct provider_people people;
    if (!d->other_upstream || op_flag(op, "adopt"))
        return 0;
    if (provider_people_count(db, op->object, &people, err) < 0)
        return -1;
    if (people.accounts == 0)
        return 0;
    return op_refuse(op, ERR_CONFLICT,
                     "%lld accounts came through a provider of this id, and whoever controls the "
                     "upstream controls them; if it is the same, send adopt",
                     (long long)people.accounts);
}

/* ---- adding ------------------------------------------------------------------------------------
 */

static int add_begin(struct op *op, struct err *err)
{
    static const struct op_member members[] = {{"id", JVAL_TEXT, true},
                                               {"settings", JVAL_OBJECT, true},
                                               {"adopt", JVAL_BOOL, false},
                                               {"force", JVAL_BOOL, false}};
    const char *id;
    if (op_members(op, members, 4, err) < 0 || op_text(op, "id", OP_TEXT_MAX, &id, err) < 0)
        return -1;
    op->id = op->object = id;
    provider_draft_begin(op);
    return 0;
}

/* Added or changed. */
static int put_row(struct db *db, struct op *op, struct err *err)
{
    int rc = draft_holds(db, op, err);
    if (rc != 0 || (rc = judge_adoption(db, op, err)) != 0)
        return rc;
    return draft_put(db, op, err) < 0 ? -1 : provider_draft_keep_secrets(db, op, err);
}

static int add_work(struct op *op, struct err *err)
{
    if (provider_draft_make(op, DRAFT_ADD, err) < 0)
        return -1;
    op->became = provider_draft_became(op);
    op->created = true;
    return op_write(op, put_row, err) < 0 ? -1 : view_keep(op, err);
}

void admin_provider_add(struct admin *a, const struct admin_request *rq, admin_done_fn *done,
                        void *arg)
{
    static const struct op_rule rule = {.scope = ADMIN_WRITE,
                                        .action = "provider.add",
                                        .begin = add_begin,
                                        .work = add_work,
                                        .finish = view_one_finish,
                                        .reloaded = op_rows_in_force,
                                        .drop = provider_draft_drop};
    op_run(a, rq, &rule, done, arg);
}

/* ---- changing ----------------------------------------------------------------------------------
 */

static int change_begin(struct op *op, struct err *err)
{
    static const struct op_member members[] = {
        {"settings", JVAL_OBJECT, true}, {"adopt", JVAL_BOOL, false}, {"force", JVAL_BOOL, false}};
    if (!op->id)
        return err_set(err, ERR_NOT_FOUND, "there is no such provider");
    if (op_members(op, members, 3, err) < 0)
        return -1;
    provider_draft_begin(op);
    return 0;
}

static struct jval *stored_json(const struct settings_row *row)
{
    struct jval *o = jval_new_object();
    jval_set(o, "settings", draft_stored(&provider_draft_kind, row));
    return o;
}

static int change(struct op *op, enum draft_mode mode, struct err *err)
{
    const struct provider_draft *d = op->more;
    if (provider_draft_make(op, mode, err) < 0)
        return -1;
    if (!registry_at(d->registry, 0)->common.enabled && judge_loss(op, op->object, err) < 0)
        return -1;
    op->was = stored_json(&d->base.row);
    op->became = provider_draft_became(op);
    return op_write(op, put_row, err) < 0 ? -1 : view_keep(op, err);
}

static int replace_work(struct op *op, struct err *err)
{
    return change(op, DRAFT_REPLACE, err);
}

static int edit_work(struct op *op, struct err *err)
{
    return change(op, DRAFT_EDIT, err);
}

void admin_provider_replace(struct admin *a, const struct admin_request *rq, admin_done_fn *done,
                            void *arg)
{
    static const struct op_rule rule = {.scope = ADMIN_WRITE,
                                        .action = "provider.replace",
                                        .begin = change_begin,
                                        .work = replace_work,
                                        .finish = view_one_finish,
                                        .reloaded = op_rows_in_force,
                                        .drop = provider_draft_drop};
    op_run(a, rq, &rule, done, arg);
}

void admin_provider_edit(struct admin *a, const struct admin_request *rq, admin_done_fn *done,
                         void *arg)
{
    static const struct op_rule rule = {.scope = ADMIN_WRITE,
                                        .action = "provider.edit",
                                        .begin = change_begin,
                                        .work = edit_work,
                                        .finish = view_one_finish,
                                        .reloaded = op_rows_in_force,
                                        .drop = provider_draft_drop};
    op_run(a, rq, &rule, done, arg);
}

/* ---- deleting ----------------------------------------------------------------------------------
 */

static int delete_begin(struct op *op, struct err *err)
{
    static const struct op_member members[] = {{"force", JVAL_BOOL, false}};
    if (!op->id)
        return err_set(err, ERR_NOT_FOUND, "there is no such provider");
    return op_members(op, members, 1, err) < 0 ? -1 : provider_writable(op, op->id, err);
}

static int delete_row(struct db *db, struct op *op, struct err *err)
{
    struct settings_row row;
    struct err why = ERR_INIT;
    const int rc = draft_seen(db, op, &provider_draft_kind, true, &row, err);
    if (rc != 0)
        return rc;
    if (judge_loss(op, op->id, &why) < 0)
        return op_refuse(op, why.kind, "%s", why.text);
    jval_free(&op->was);
    op->was = stored_json(&row);
    return settings_row_drop(db, SETTINGS_PROVIDER, op->id, row.version, err) == 1 ? 0 : -1;
}

static int delete_work(struct op *op, struct err *err)
{
    return op_write(op, delete_row, err);
}

void admin_provider_delete(struct admin *a, const struct admin_request *rq, admin_done_fn *done,
                           void *arg)
{
    static const struct op_rule rule = {.scope = ADMIN_WRITE,
                                        .action = "provider.delete",
                                        .begin = delete_begin,
                                        .work = delete_work,
                                        .reloaded = op_rows_in_force};
    op_run(a, rq, &rule, done, arg);
}
