/* SPDX-License-Identifier: Apache-2.0 */
/* Reading the audit. */
#include "admin/op.h"

#define LIMIT_DEFAULT 100
#define LIMIT_MAX 500

static int query_number(struct op *op, const char *name, int64_t max, int64_t *out, struct err *err)
{
    const char *text;
    int rc = form_get(&op->query, name, &text);
    if (rc == 0)
        return 0;
    if (rc < 0 || !text_int(str_of(text), out) || *out < 1 || *out > max)
        return op_field(op, err, name, "must be a number from 1 to %lld", (long long)max);
    return 0;
}

static int query_text(struct op *op, const char *name, const char **out, struct err *err)
{
    int rc = form_get(&op->query, name, out);
    if (rc == 0 || (rc == 1 && !**out))
        *out = NULL;
    return rc < 0 ? op_field(op, err, name, "came more than once") : 0;
}

static int begin(struct op *op, struct err *err)
{
    static const char *const known[] = {"before", "limit", "actor", "action", "object", NULL};
    struct audit_filter *f = arena_alloc(op->arena, sizeof *f);
    f->limit = LIMIT_DEFAULT;
    op->more = f;
    for (size_t i = 0; i < op->query.n; i++) {
        size_t k = 0;
        while (known[k] && strcmp(known[k], op->query.v[i].name) != 0)
            k++;
        if (!known[k])
            return err_set(err, ERR_INVALID,
                           "a query may have before, limit, actor, action and object");
    }
    return query_number(op, "before", INT64_MAX, &f->before, err) < 0 ||
                   query_number(op, "limit", LIMIT_MAX, &f->limit, err) < 0 ||
                   query_text(op, "actor", &f->actor, err) < 0 ||
                   query_text(op, "action", &f->action, err) < 0 ||
                   query_text(op, "object", &f->object, err) < 0
               ? -1
               : 0;
}

/* What was stored as JSON, as JSON. */
static struct jval *json_of(const char *text)
{
    struct err err = ERR_INIT;
    struct jval *v = text ? jval_parse(str_of(text), JSON_SIZE_MAX, JSON_DEPTH_MAX, &err) : NULL;
    return v ? v : jval_new_null();
}

static int take_row(void *arg, const struct audit_row *row, struct err *err)
{
    (void)err;
    struct jval *o = jval_new_object();
    jval_set_int(o, "n", row->n);
    jval_set_int(o, "at", row->at);
    jval_set_text(o, "actor_kind", row->actor_kind);
    jval_set_text(o, "actor", row->actor);
    jval_set_text(o, "actor_name", row->actor_name);
    jval_set_text(o, "ip", row->ip);
    jval_set_text(o, "request_id", row->request_id);
    jval_set_text(o, "action", row->action);
    jval_set_text(o, "object", row->object);
    jval_set(o, "before", json_of(row->was));
    jval_set(o, "after", json_of(row->became));
    jval_set_text(o, "outcome", row->outcome);
    jval_set_text(o, "reason", row->reason);
    jval_push(arg, o);
    return 0;
}

static int rows(struct db *db, struct op *op, struct err *err)
{
    const struct audit_filter *f = op->more;
    struct jval *all = jval_new_array();
    jval_free(&op->answer);
    op->answer = jval_new_object();
    jval_set(op->answer, "audit", all);
    if (audit_each(db, f, take_row, all, err) < 0)
        return -1;
    const size_t n = jval_count(all);
    int64_t last = 0;
    bool more =
        n == (size_t)f->limit && jval_int(jval_get(jval_item(all, n - 1), "n"), &last) && last > 1;
    jval_set(op->answer, "next", more ? jval_new_int(last) : jval_new_null());
    return 0;
}

static int work(struct op *op, struct err *err)
{
    return op_read(op, rows, err);
}

void admin_audit_list(struct admin *a, const struct admin_request *rq, admin_done_fn *done,
                      void *arg)
{
    static const struct op_rule rule = {.scope = ADMIN_READ, .begin = begin, .work = work};
    op_run(a, rq, &rule, done, arg);
}
