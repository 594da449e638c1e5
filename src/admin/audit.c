/* SPDX-License-Identifier: Apache-2.0 */
/* Reading the audit, and walking along its chain. */
#include "admin/op.h"
#include "store/audit_chain.h"

#define LIMIT_DEFAULT 100
#define LIMIT_MAX 500
#define VERIFY_STEP 2000 /* rows: some milliseconds */

static int query_texts(struct op *op, struct audit_filter *f, struct err *err)
{
    const struct {
        const char *name, **to;
    } all[] = {
        {"actor", &f->actor},   {"account", &f->account},   {"action", &f->action},
        {"object", &f->object}, {"provider", &f->provider}, {"app", &f->app},
        {"ip", &f->ip},         {"outcome", &f->outcome},
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (op_query_text(op, all[i].name, all[i].to, err) < 0)
            return -1;
    return 0;
}

static int begin(struct op *op, struct err *err)
{
    static const char *const known[] = {"before", "after",   "limit",   "since",  "until",
                                        "actor",  "account", "action",  "object", "provider",
                                        "app",    "ip",      "outcome", NULL};
    struct audit_filter *f = arena_alloc(op->arena, sizeof *f);
    int64_t after = 0;
    int forward;
    f->limit = LIMIT_DEFAULT;
    op->more = f;
    if (op_query_known(op, known, err) < 0 ||
        op_query_number(op, "before", &(struct op_bounds){1, INT64_MAX}, &f->from, err) < 0 ||
        (forward = op_query_number(op, "after", &(struct op_bounds){0, INT64_MAX}, &after, err)) <
            0 ||
        op_query_number(op, "limit", &(struct op_bounds){1, LIMIT_MAX}, &f->limit, err) < 0 ||
        op_query_number(op, "since", &(struct op_bounds){0, INT64_MAX}, &f->since, err) < 0 ||
        op_query_number(op, "until", &(struct op_bounds){0, INT64_MAX}, &f->until, err) < 0)
        return -1;
    if (forward && f->from > 0)
        return op_field(op, err, "after", "goes only without before");
    f->forward = forward;
    if (forward)
        f->from = after;
    return query_texts(op, f, err);
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
    const struct {
        const char *name, *text;
    } texts[] = {
        {"actor_kind", row->actor_kind}, {"actor", row->actor},
        {"actor_name", row->actor_name}, {"ip", row->ip},
        {"user_agent", row->user_agent}, {"request_id", row->request_id},
        {"action", row->action},         {"object", row->object},
        {"provider", row->provider},     {"app", row->app},
        {"outcome", row->outcome},       {"reason", row->reason},
    };
    char hash[2 * sizeof row->hash + 1];
    (void)err;
    struct jval *o = jval_new_object();
    jval_set_int(o, "n", row->n);
    jval_set_int(o, "at", row->at);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        jval_set_text(o, texts[i].name, texts[i].text);
    jval_set(o, "before", json_of(row->was));
    jval_set(o, "after", json_of(row->became));
    text_hex(row->hash, sizeof row->hash, hash);
    jval_set_text(o, "hash", row->chained ? hash : NULL);
    jval_push(arg, o);
    return 0;
}

static int rows(struct db *db, struct op *op, struct err *err)
{
    struct audit_page page;
    struct jval *all = jval_new_array();
    jval_free(&op->answer);
    op->answer = jval_new_object();
    jval_set(op->answer, "audit", all);
    if (audit_each(db, op->more, take_row, all, &page, err) < 0)
        return -1;
    jval_set(op->answer, "next", page.next > 0 ? jval_new_int(page.next) : jval_new_null());
    jval_set_int(op->answer, "looked", page.looked);
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

/* ---- the chain --------------------------------------------------------------------------------
 */

struct verify {
    struct audit_walk walk, stepped;
    bool more;
};

/* "number:hash", as the log and the answer to this have it. */
static int read_head(struct op *op, struct audit_head *out, struct err *err)
{
    const char *text;
    struct str rest, number, hash;
    size_t n = 0;
    if (op_query_text(op, "head", &text, err) < 0)
        return -1;
    if (!text)
        return 0;
    rest = str_of(text);
    if (!str_split(&rest, ':', &number) || !str_split(&rest, ':', &hash) || rest.p ||
        !text_int(number, &out->n) || out->n < 1 ||
        !text_hex_decode(hash, out->hash, sizeof out->hash, &n) || n != sizeof out->hash)
        return op_field(op, err, "head", "must be a number, a colon and 64 hexadecimal digits");
    return 0;
}

static int verify_begin(struct op *op, struct err *err)
{
    static const char *const known[] = {"head", NULL};
    struct verify *v = arena_alloc(op->arena, sizeof *v);
    op->more = v;
    return op_query_known(op, known, err) < 0 ? -1 : read_head(op, &v->walk.known, err);
}

static int verify_step(struct db *db, void *arg, struct err *err)
{
    struct verify *v = ((struct op *)arg)->more;
    v->stepped = v->walk;
    const int rc = audit_walk_step(db, &v->stepped, VERIFY_STEP, err);
    v->more = rc > 0;
    return rc < 0 ? -1 : 0;
}

static void verify_answer(struct op *op)
{
    const struct audit_walk *w = &((struct verify *)op->more)->walk;
    char hash[2 * sizeof w->last.hash + 1];
    text_hex(w->last.hash, sizeof w->last.hash, hash);
    struct jval *bad = w->bad > 0 ? jval_new_object() : jval_new_null();
    if (w->bad > 0) {
        jval_set_int(bad, "n", w->bad);
        jval_set_text(bad, "what", w->what);
    }
    op->answer = jval_new_object();
    jval_set_bool(op->answer, "good", w->bad == 0);
    jval_set(op->answer, "bad", bad);
    jval_set_int(op->answer, "rows", w->rows);
    jval_set_int(op->answer, "older", w->older);
    jval_set(op->answer, "first", w->first > 0 ? jval_new_int(w->first) : jval_new_null());
    jval_set_text(op->answer, "head",
                  w->bad == 0 && w->last.n > 0
                      ? arena_printf(op->arena, "%lld:%s", (long long)w->last.n, hash)
                      : NULL);
    jval_set(op->answer, "head_met",
             w->known.n > 0 ? jval_new_bool(w->known_met) : jval_new_null());
}

static void verify_go(struct op *op);

static void verify_stepped(void *arg, enum store_outcome outcome, const struct err *err)
{
    struct op *op = arg;
    struct verify *v = op->more;
    v->walk = v->stepped;
    if (outcome == STORE_DONE && v->more) {
        verify_go(op);
        return;
    }
    if (outcome == STORE_DONE)
        verify_answer(op);
    op_over(op, outcome == STORE_DONE ? NULL : err);
}

/* In steps, so that neither a reader of the store nor the one thread of admin is kept for long. */
static void verify_go(struct op *op)
{
    struct err err = ERR_INIT;
    if (op->admin->closing)
        err_set(&err, ERR_LIMITED, "usher is stopping");
    else if (!store_read(op->admin->o.store, verify_step, op->admin->o.loop, verify_stepped, op))
        err_set(&err, ERR_LIMITED, "the store's queue is full");
    if (err.kind != ERR_NONE)
        op_over(op, &err);
}

void admin_audit_verify(struct admin *a, const struct admin_request *rq, admin_done_fn *done,
                        void *arg)
{
    static const struct op_rule rule = {
        .scope = ADMIN_READ, .begin = verify_begin, .start = verify_go};
    op_run(a, rq, &rule, done, arg);
}
