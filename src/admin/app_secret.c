/* SPDX-License-Identifier: Apache-2.0 */
/* What apps authenticate with: made here, told once, of two at a time. */
#include "app/secrets.h"

#include "admin/app.h"
#include "sys/random.h"
#include "sys/seal.h"

struct making {
    char id[32];
    char text[APP_SECRET_LEN + 1];
    struct app_secret_row row;
};

static void drop_making(struct op *op)
{
    struct making *m = op->more;
    if (m)
        seal_wipe(m->text, sizeof m->text);
}

static int there(const struct op *op, struct err *err)
{
    return app_named(op, err) == 0 && apps_find(op->apps, op->id)
               ? 0
               : err_set(err, ERR_NOT_FOUND, "there is no such app");
}

static struct jval *secret_json(const struct app_secret_row *row)
{
    struct jval *o = jval_new_object();
    jval_set_text(o, "id", row->id);
    jval_set_int(o, "created", row->created);
    jval_set(o, "expires", row->expires > 0 ? jval_new_int(row->expires) : jval_new_null());
    jval_set(o, "last_used", jval_new_null());
    return o;
}

static int add_begin(struct op *op, struct err *err)
{
    static const struct op_member members[] = {{"expires", JVAL_NUMBER, false}};
    int64_t expires;
    if (there(op, err) < 0 || op_members(op, members, 1, err) < 0 ||
        op_time_ahead(op, "expires", &expires, err) < 0)
        return -1;
    struct making *m = arena_alloc(op->arena, sizeof *m);
    op->more = m;
    rng_id(m->id);
    m->row =
        (struct app_secret_row){.id = m->id, .app = op->id, .created = op->now, .expires = expires};
    app_secret_make(m->text, m->row.hash);
    op->became = secret_json(&m->row);
    return 0;
}

static int add_row(struct db *db, struct op *op, struct err *err)
{
    const struct making *m = op->more;
    const int rc = app_secret_add(db, &m->row, err);
    if (rc == 0)
        return op_refuse(op, ERR_CONFLICT,
                         "the app has %d secrets, which is the most: delete the old one first",
                         APP_SECRETS_MAX);
    return rc < 0 ? -1 : 0;
}

static int add_work(struct op *op, struct err *err)
{
    return op_write(op, add_row, err);
}

static int add_finish(struct op *op, struct err *err)
{
    struct making *m = op->more;
    (void)err;
    op->answer = secret_json(&m->row);
    jval_set_text(op->answer, "secret", m->text);
    op->created = true;
    if (op->admin->o.app_secrets)
        app_secrets_put(op->admin->o.app_secrets, &m->row);
    return 0;
}

void admin_app_secret_add(struct admin *a, const struct admin_request *rq, admin_done_fn *done,
                          void *arg)
{
    static const struct op_rule rule = {.scope = ADMIN_SECRETS,
                                        .action = "app.secret_add",
                                        .begin = add_begin,
                                        .work = add_work,
                                        .finish = add_finish,
                                        .drop = drop_making};
    op_run(a, rq, &rule, done, arg);
}

static int delete_begin(struct op *op, struct err *err)
{
    if (op_members(op, NULL, 0, err) < 0 || app_named(op, err) < 0)
        return -1;
    if (!op->sub || strlen(op->sub) > OP_ACCOUNT_MAX || !op_plain(op->sub))
        return err_set(err, ERR_NOT_FOUND, "the app has no such secret");
    op->was = jval_new_object();
    jval_set_text(op->was, "id", op->sub);
    return 0;
}

static int delete_row(struct db *db, struct op *op, struct err *err)
{
    const int rc = app_secret_drop(db, op->id, op->sub, err);
    if (rc == 0)
        return op_refuse(op, ERR_NOT_FOUND, "the app has no such secret");
    return rc < 0 ? -1 : 0;
}

static int delete_work(struct op *op, struct err *err)
{
    return op_write(op, delete_row, err);
}

static int delete_finish(struct op *op, struct err *err)
{
    (void)err;
    if (op->admin->o.app_secrets)
        app_secrets_drop(op->admin->o.app_secrets, op->sub);
    return 0;
}

void admin_app_secret_delete(struct admin *a, const struct admin_request *rq, admin_done_fn *done,
                             void *arg)
{
    static const struct op_rule rule = {.scope = ADMIN_SECRETS,
                                        .action = "app.secret_delete",
                                        .begin = delete_begin,
                                        .work = delete_work,
                                        .finish = delete_finish,
                                        .ends = true};
    op_run(a, rq, &rule, done, arg);
}
