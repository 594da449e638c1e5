/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration: what reading the files again would change, and doing so. */
#include "admin/op.h"

struct jval *config_problems_json(const struct conf_problems *p)
{
    struct jval *all = jval_new_array();
    for (size_t i = 0; p && i < conf_problems_n(p); i++) {
        const struct conf_fault *f = conf_problems_at(p, i);
        struct jval *o = jval_new_object();
        jval_set_text(o, "file", f->file);
        jval_set(o, "line", f->line > 0 ? jval_new_int(f->line) : jval_new_null());
        jval_set_text(o, "key", f->key);
        jval_set_text(o, "text", f->text);
        jval_push(all, o);
    }
    return all;
}

static void diffed(void *arg, const struct jval *diff, const struct err *err)
{
    struct op *op = arg;
    if (diff)
        op->answer = jval_ref((struct jval *)(uintptr_t)diff);
    op_over(op, err);
}

static void diff_start(struct op *op)
{
    live_diff(op->admin->o.live, diffed, op);
}

void admin_config_diff(struct admin *a, const struct admin_request *rq, admin_done_fn *done,
                       void *arg)
{
    static const struct op_rule rule = {.scope = ADMIN_READ, .start = diff_start};
    op_run(a, rq, &rule, done, arg);
}

/* ---- reading them again ---- */

static int begin(struct op *op, struct err *err)
{
    return op_members(op, NULL, 0, err);
}

static int only_audit(struct db *db, struct op *op, struct err *err)
{
    return op_audit(db, op, err) < 0 ? -1 : 0;
}

static int work(struct op *op, struct err *err)
{
    return op_write(op, only_audit, err);
}

static int reloaded(struct op *op, const struct live_outcome *outcome, struct err *err)
{
    if (!outcome->err) {
        op->answer = jval_new_object();
        jval_set_int(op->answer, "generation", (int64_t)outcome->generation);
        jval_set(op->answer, "problems", config_problems_json(outcome->problems));
        return 0;
    }
    err_set(err, ERR_MISCONFIGURED, "%s", outcome->err->text);
    for (size_t i = 0; outcome->problems && i < conf_problems_n(outcome->problems); i++) {
        const struct conf_fault *f = conf_problems_at(outcome->problems, i);
        (void)op_field(op, err, f->key ? f->key : f->file, "%s:%d: %s", f->file, f->line, f->text);
    }
    return -1;
}

void admin_config_reload(struct admin *a, const struct admin_request *rq, admin_done_fn *done,
                         void *arg)
{
    static const struct op_rule rule = {.scope = ADMIN_WRITE,
                                        .action = "config.reload",
                                        .begin = begin,
                                        .work = work,
                                        .reloaded = reloaded};
    op_run(a, rq, &rule, done, arg);
}
