/* SPDX-License-Identifier: Apache-2.0 */
#include "admin/op.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "sys/clock.h"
#include "sys/log.h"

#define OUT_OF_SCOPE "your rights do not reach that far"
#define TOO_MANY "too many things are to be done at once"

/* ---- the request, copied ----------------------------------------------------------------------
 */

static const char *keep(struct arena *a, const char *text)
{
    return text ? arena_dup(a, text) : NULL;
}

static void keep_query(struct op *op, const struct fields *query)
{
    size_t n = query ? query->n : 0;
    struct field *v = arena_alloc(op->arena, (n + 1) * sizeof *v);
    for (size_t i = 0; i < n; i++) {
        v[i] = query->v[i];
        v[i].name = arena_dup(op->arena, v[i].name);
        v[i].value = arena_dup(op->arena, v[i].value);
    }
    op->query = (struct fields){v, n};
}

static struct op *op_new(struct admin *a, const struct admin_request *rq)
{
    struct op *op = mem_alloc(sizeof *op);
    op->admin = a;
    op->arena = arena_new();
    op->actor = (struct admin_actor){.kind = arena_dup(op->arena, rq->actor->kind),
                                     .id = arena_dup(op->arena, rq->actor->id),
                                     .name = keep(op->arena, rq->actor->name),
                                     .ip = keep(op->arena, rq->actor->ip),
                                     .user_agent = keep(op->arena, rq->actor->user_agent),
                                     .request_id = keep(op->arena, rq->actor->request_id),
                                     .scopes = rq->actor->scopes,
                                     .provider = keep(op->arena, rq->actor->provider)};
    op->id = keep(op->arena, rq->id);
    op->sub = keep(op->arena, rq->sub);
    op->if_match = keep(op->arena, rq->if_match);
    op->body = rq->body ? jval_ref((struct jval *)(uintptr_t)rq->body) : NULL;
    keep_query(op, rq->query);
    op->bind = (struct str){arena_str(op->arena, rq->bind), rq->bind.n};
    op->now = wall_seconds(clock_wall());
    op->config = config_ref(live_config(a->o.live));
    op->registry = registry_ref(live_registry(a->o.live));
    op->apps = apps_ref(live_apps(a->o.live));
    op->object = op->id ? op->id : "";
    op->next = a->ops;
    op->at = &a->ops;
    if (op->next)
        op->next->at = &op->next;
    a->ops = op;
    return op;
}

static void go(struct op *op);

/* The next change decides from what this one left. */
static void turn_over(struct admin *a, struct op *next)
{
    a->turn = next;
    if (!next)
        return;
    a->waiting--;
    registry_free(&next->registry);
    apps_free(&next->apps);
    config_free(&next->config);
    next->config = config_ref(live_config(a->o.live));
    next->registry = registry_ref(live_registry(a->o.live));
    next->apps = apps_ref(live_apps(a->o.live));
    go(next);
}

static void op_free(struct op *op)
{
    struct admin *a = op->admin;
    struct op *behind = op->behind;
    const bool turn = a->turn == op;
    if (op->rule->drop)
        op->rule->drop(op);
    *op->at = op->next;
    if (op->next)
        op->next->at = op->at;
    registry_free(&op->registry);
    apps_free(&op->apps);
    config_free(&op->config);
    jval_free(&op->body);
    jval_free(&op->answer);
    jval_free(&op->was);
    jval_free(&op->became);
    arena_free(&op->arena);
    free(op);
    if (turn)
        turn_over(a, behind);
}

/* ---- the end ----------------------------------------------------------------------------------
 */

static void tell_log(const struct op *op)
{
    const struct log_field request[] = {LF_TEXT("request", op->actor.request_id)};
    const struct log_ctx ctx = {.fields = request, .n = op->actor.request_id ? 1 : 0};
    if (op->err.kind == ERR_NONE && op->rule->action)
        log_event(&ctx, LOG_INFO, "admin.changed", LF_TEXT("action", op->rule->action),
                  LF_TEXT("object", op->object), LF_TEXT("actor", op->actor.id),
                  LF_TEXT("kind", op->actor.kind), LF_INT("audit", op->audited));
    else if (op->err.kind == ERR_INTERNAL)
        log_error(&ctx, LOG_ERROR, "admin.failed", &op->err);
    else if (op->err.kind != ERR_NONE && op->rule->action)
        log_event(&ctx, LOG_WARN, "admin.refused", LF_TEXT("action", op->rule->action),
                  LF_TEXT("object", op->object), LF_TEXT("actor", op->actor.id),
                  LF_TEXT("kind", op->actor.kind), LF_TEXT("reason", op->err.text));
}

static void op_end(struct op *op)
{
    bool good = op->err.kind == ERR_NONE;
    if (good && !op->answer)
        op->answer = jval_new_object();
    const struct admin_answer answer = {.err = good ? NULL : &op->err,
                                        .fields = good ? NULL : op->fields,
                                        .n_fields = good ? 0 : op->n_fields,
                                        .body = good ? op->answer : NULL,
                                        .etag = good && op->etag[0] ? op->etag : NULL,
                                        .created = good && op->created};
    tell_log(op);
    if (op->in_doubt)
        doubt_add(op->admin->doubt, op);
    op->done(op->arg, &answer);
    op_free(op);
}

static void fail(struct op *op, const struct err *err)
{
    if (op->err.kind == ERR_NONE)
        op->err = *err;
}

static void op_finish(struct op *op)
{
    struct err err = ERR_INIT;
    const bool wanted = op->err.kind == ERR_NONE || (op->in_doubt && op->rule->ends);
    if (wanted && op->rule->finish && op->rule->finish(op, &err) < 0)
        fail(op, &err);
    op_end(op);
}

void op_over(struct op *op, const struct err *err)
{
    if (err)
        fail(op, err);
    op_finish(op);
}

int op_rows_in_force(struct op *op, const struct live_outcome *outcome, struct err *err)
{
    (void)op;
    if (outcome->rows)
        return 0;
    return err_set(err, ERR_CONFLICT, "it is stored, but not in force: %s",
                   outcome->err ? outcome->err->text : "nobody says why");
}

static void reloaded(void *arg, const struct live_outcome *outcome)
{
    struct op *op = arg;
    struct err err = ERR_INIT;
    op_over(op, op->rule->reloaded(op, outcome, &err) < 0 ? &err : NULL);
}

/* On the loop. */
static void worked(void *arg)
{
    struct op *op = arg;
    if (op->rule->start && op->err.kind == ERR_NONE)
        op->rule->start(op);
    else if (op->rule->reloaded && op->err.kind == ERR_NONE)
        live_reload(op->admin->o.live, "admin", reloaded, op);
    else
        op_finish(op);
}

/* On admin's thread. */
static void work(void *arg)
{
    struct op *op = arg;
    struct err err = ERR_INIT;
    if (op->rule->work(op, &err) < 0)
        fail(op, &err);
}

/* true: it is a change, and others come first. */
static bool waits(struct op *op, struct err *err)
{
    struct admin *a = op->admin;
    if (!op->rule->action)
        return false;
    if (a->turn && a->waiting == OP_WAITING_MAX) {
        err_set(err, ERR_LIMITED, TOO_MANY);
        return false;
    }
    struct op *before = a->turn ? a->last_turn : NULL;
    a->last_turn = op;
    if (!before) {
        a->turn = op;
        return false;
    }
    before->behind = op;
    a->waiting++;
    return true;
}

static void go(struct op *op)
{
    struct admin *a = op->admin;
    const struct op_rule *rule = op->rule;
    struct err err = ERR_INIT;
    if (a->closing)
        err_set(&err, ERR_LIMITED, "usher is stopping");
    else if (rule->begin)
        (void)rule->begin(op, &err);
    if (err.kind == ERR_NONE && rule->work) {
        if (work_submit(a->work, work, a->o.loop, worked, op))
            return;
        err_set(&err, ERR_LIMITED, TOO_MANY);
    } else if (err.kind == ERR_NONE && rule->start) {
        rule->start(op);
        return;
    }
    if (err.kind != ERR_NONE)
        fail(op, &err);
    op_finish(op);
}

void op_run(struct admin *a, const struct admin_request *rq, const struct op_rule *rule,
            admin_done_fn *done, void *arg)
{
    struct op *op = op_new(a, rq);
    struct err err = ERR_INIT;
    op->rule = rule;
    op->done = done;
    op->arg = arg;
    if ((op->actor.scopes & rule->scope) != rule->scope)
        err_set(&err, ERR_NOT_ALLOWED, OUT_OF_SCOPE);
    else if (waits(op, &err))
        return;
    if (err.kind == ERR_NONE) {
        go(op);
        return;
    }
    fail(op, &err);
    op_finish(op);
}

static void nobody(void *arg, const struct admin_answer *answer)
{
    (void)arg, (void)answer; /* the log says how it went */
}

void op_run_system(struct admin *a, const char *id, const struct jval *body,
                   const struct op_rule *rule)
{
    const struct admin_actor actor = {.kind = "system", .id = "", .scopes = ADMIN_ALL_SCOPES};
    const struct admin_request rq = {.id = id, .body = body, .actor = &actor};
    op_run(a, &rq, rule, nobody, NULL);
}

/* ---- transactions ------------------------------------------------------------------------------
 */

static const char *rendered(struct op *op, const struct jval *v)
{
    struct buf text;
    if (!v)
        return NULL;
    buf_init(&text, JSON_SIZE_MAX);
    jval_render(v, &text);
    const char *kept = buf_ok(&text) ? arena_dup(op->arena, text.p) : NULL;
    buf_deinit(&text);
    return kept;
}

static int64_t audit(struct db *db, struct op *op, const char *outcome, struct err *err)
{
    const bool refused = op->err.kind != ERR_NONE;
    const struct audit_row row = {.at = op->now,
                                  .actor_kind = op->actor.kind,
                                  .actor = op->actor.id,
                                  .actor_name = op->actor.name,
                                  .ip = op->actor.ip,
                                  .request_id = op->actor.request_id,
                                  .user_agent = op->actor.user_agent,
                                  .action = op->rule->action,
                                  .object = op->object,
                                  .was = rendered(op, op->was),
                                  .became = rendered(op, op->became),
                                  .outcome = outcome,
                                  .reason = refused ? op->err.text : NULL};
    op->audited = audit_add(db, &row, err);
    return op->audited;
}

int64_t op_audit(struct db *db, struct op *op, struct err *err)
{
    return audit(db, op, "done", err);
}

int op_refuse(struct op *op, enum err_kind kind, const char *format, ...)
{
    char text[sizeof op->err.text];
    va_list ap;
    va_start(ap, format);
    (void)vsnprintf(text, sizeof text, format, ap);
    va_end(ap);
    err_clear(&op->err);
    err_set(&op->err, kind, "%s", text);
    return 1;
}

static int tx_write(struct db *db, void *arg, struct err *err)
{
    struct op *op = arg;
    err_clear(&op->err);
    op->audited = 0;
    int rc = op->change(db, op, err);
    if (rc < 0)
        return -1;
    if (rc > 0)
        return audit(db, op, "refused", err) < 0 ? -1 : 0;
    return op->audited == 0 && op_audit(db, op, err) < 0 ? -1 : 0;
}

static int tx_read(struct db *db, void *arg, struct err *err)
{
    struct op *op = arg;
    return op->change(db, op, err) < 0 ? -1 : 0;
}

int op_write(struct op *op, op_tx_fn *fn, struct err *err)
{
    op->change = fn;
    switch (store_write_now(op->admin->o.store, tx_write, op, err)) {
    case STORE_DONE:
        return op->err.kind == ERR_NONE ? 0 : -1;
    case STORE_UNKNOWN:
        op->in_doubt = op->err.kind == ERR_NONE; /* else it was refused, whatever is on disk */
        err_clear(err);
        err_clear(&op->err);
        return err_set(err, ERR_INTERNAL,
                       "the store does not say whether this was kept: look before trying again");
    case STORE_FAILED:
        break;
    }
    err_clear(&op->err);
    return -1;
}

int op_read(struct op *op, op_tx_fn *fn, struct err *err)
{
    op->change = fn;
    return store_read_now(op->admin->o.store, tx_read, op, err) == STORE_DONE ? 0 : -1;
}

/* ---- bodies ------------------------------------------------------------------------------------
 */

int op_field(struct op *op, struct err *err, const char *field, const char *format, ...)
{
    char text[200];
    va_list ap;
    va_start(ap, format);
    (void)vsnprintf(text, sizeof text, format, ap);
    va_end(ap);
    if (op->n_fields < OP_FIELDS_MAX)
        op->fields[op->n_fields++] =
            (struct admin_field){arena_dup(op->arena, field), arena_dup(op->arena, text)};
    return err_set(err, ERR_INVALID, "%s: %s", field, text);
}

static const char *type_words(enum jval_type type)
{
    switch (type) {
    case JVAL_TEXT:
        return "a text";
    case JVAL_NUMBER:
        return "a number";
    case JVAL_BOOL:
        return "true or false";
    case JVAL_OBJECT:
        return "an object";
    default:
        return "a list";
    }
}

static int judge_member(struct op *op, const char *name, const struct jval *value,
                        const struct op_member *m, struct err *err)
{
    const enum jval_type type = jval_type(value);
    if (!m) {
        char shown[OP_TEXT_MAX + 1];
        text_display(str_of(name), shown, OP_TEXT_MAX);
        return op_field(op, err, shown, "there is no such member");
    }
    if (m->type != JVAL_NONE && type != m->type && (m->required || type != JVAL_NULL))
        return op_field(op, err, name, "must be %s", type_words(m->type));
    return 0;
}

int op_members(struct op *op, const struct op_member *m, size_t n, struct err *err)
{
    const char *name;
    const struct jval *value;
    void *iter = NULL;
    int rc = 0;
    if (op->body && jval_type(op->body) != JVAL_OBJECT)
        return err_set(err, ERR_INVALID, "the body must be a JSON object");
    while (op->body && jval_next(op->body, &iter, &name, &value)) {
        const struct op_member *found = NULL;
        for (size_t i = 0; i < n && !found; i++)
            found = strcmp(m[i].name, name) == 0 ? &m[i] : NULL;
        rc |= judge_member(op, name, value, found, err);
    }
    for (size_t i = 0; i < n; i++)
        if (m[i].required && !op_get(op, m[i].name))
            rc = op_field(op, err, m[i].name, "is needed");
    return rc;
}

const struct jval *op_get(const struct op *op, const char *name)
{
    return op->body ? jval_get(op->body, name) : NULL;
}

bool op_flag(const struct op *op, const char *name)
{
    bool set = false;
    return jval_bool(op_get(op, name), &set) && set;
}

bool op_plain(const char *text)
{
    for (struct str rest = str_of(text); rest.n > 0;) {
        uint32_t code;
        size_t n = text_utf8_next(rest, &code);
        if (code < 0x20 || (code >= 0x7f && code < 0xa0) || code == TEXT_MALFORMED)
            return false;
        rest.p += n;
        rest.n -= n;
    }
    return true;
}

int op_text(struct op *op, const char *name, size_t max, const char **out, struct err *err)
{
    const char *text = jval_text(op_get(op, name));
    if (!text || !*text)
        return op_field(op, err, name, "is needed");
    if (strlen(text) > max)
        return op_field(op, err, name, "is longer than %zu bytes", max);
    if (!op_plain(text))
        return op_field(op, err, name, "holds a control character");
    *out = arena_dup(op->arena, text);
    return 0;
}

int op_time_ahead(struct op *op, const char *name, int64_t *out, struct err *err)
{
    const struct jval *v = op_get(op, name);
    *out = 0;
    if (!v || jval_type(v) == JVAL_NULL)
        return 0;
    if (!jval_int(v, out) || *out <= op->now || *out > INT64_C(253402300799)) /* year 9999 */
        return op_field(op, err, name, "must be a time to come, in seconds since 1970");
    return 0;
}
