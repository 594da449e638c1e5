/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The keys that seal. After a new key came into use, what is stored is sealed again in batches,
 * each in a transaction of its own, so that a kill at any moment loses nothing: the next start
 * finds the rows that are left by the key they carry. Then old keys wait until no login state that
 * was sealed with them can come back any more, and are removed, unless something still needs them.
 */
#include <stdlib.h>

#include "admin/op.h"
#include "login/state.h"
#include "store/provider_secret.h"
#include "store/signing_key.h"
#include "store/upstream_token.h"
#include "sys/clock.h"
#include "sys/log.h"

#define RETRY_MS 60000
#define GRACE 60 /* seconds beyond a state's life: clocks, and writes that were queued */

enum keychange_state { IDLE = 0, SEALING, WAITING };
static const char *const state_names[] = {"idle", "sealing", "waiting"};

struct keychange {
    struct admin *admin;
    struct loop_timer *timer;
    enum keychange_state state;
    bool busy;  /* a write or a job of ours is under way */
    bool again; /* begin anew after it */
    bool closing;
    struct provider_secret_reseal from, to;              /* secrets of providers first, */
    struct upstream_token_reseal tokens_from, tokens_to; /* then tokens of people */
    bool more;
    int64_t until;   /* WAITING: when old keys may go */
    int64_t started; /* counts instead, where the file does not say when the key was made */

    /* The job that removes keys. */
    struct err err;
    size_t removed;
    int64_t stuck;
};

static void next(struct keychange *k);

/* ---- sealing again ---- */

/* The few keys that sign go along with every batch; those that do not open any more are counted
 * when old keys are to be removed. */
static int seal_batch(struct db *db, void *arg, struct err *err)
{
    struct keychange *k = arg;
    const struct keyring *keys = k->admin->o.keys;
    int64_t done, stuck;
    k->tokens_to = k->tokens_from;
    int more = provider_secret_reseal(db, keys, &k->from, &k->to, err);
    if (more == 0)
        more = upstream_token_reseal(db, keys, &k->tokens_from, &k->tokens_to, err);
    if (more < 0 || signing_key_reseal(db, keys, &done, &stuck, err) < 0)
        return -1;
    k->to.done += done;
    k->more = more > 0;
    return 0;
}

/* Everything that is sealed with that key. */
static int64_t count_rows(struct db *db, const unsigned char key_id[4], struct err *err)
{
    const int64_t secrets = provider_secret_count(db, key_id, err);
    const int64_t signing = secrets < 0 ? -1 : signing_key_count(db, key_id, err);
    const int64_t tokens = signing < 0 ? -1 : upstream_token_count(db, key_id, err);
    return tokens < 0 ? -1 : secrets + signing + tokens;
}

static void later(struct keychange *k, const struct err *err)
{
    log_error(NULL, LOG_WARN, "admin.keys_late", err);
    loop_timer_set(k->timer, RETRY_MS);
}

static int64_t may_go_at(const struct keychange *k)
{
    struct keyring_key keys[KEYRING_KEYS_MAX];
    const int64_t made = keys[keyring_list(k->admin->o.keys, keys) - 1].made;
    return (made > 0 ? made : k->started) + STATE_LIFETIME + GRACE;
}

static void sealed_batch(void *arg, enum store_outcome outcome, const struct err *err)
{
    struct keychange *k = arg;
    k->busy = false;
    if (outcome != STORE_DONE) { /* kept or not: the rows say what is left */
        later(k, err);
        return;
    }
    k->from = k->to;
    k->tokens_from = k->tokens_to;
    if (!k->more && !k->again) {
        k->state = WAITING;
        k->until = may_go_at(k);
    }
    next(k);
}

static void seal_more(struct keychange *k)
{
    static const struct err busy = {.kind = ERR_LIMITED, .text = "the store's queue is full"};
    k->busy = store_write(k->admin->o.store, seal_batch, k->admin->o.loop, sealed_batch, k);
    if (!k->busy)
        later(k, &busy);
}

/* ---- removing old keys, on admin's thread ---- */

struct count {
    unsigned char key[4];
    int64_t n;
};

static int count_key(struct db *db, void *arg, struct err *err)
{
    struct count *c = arg;
    c->n = count_rows(db, c->key, err);
    return c->n < 0 ? -1 : 0;
}

static void retire(void *arg)
{
    struct keychange *k = arg;
    struct keyring_key keys[KEYRING_KEYS_MAX];
    const size_t n = keyring_list(k->admin->o.keys, keys);
    err_clear(&k->err);
    k->removed = 0;
    k->stuck = 0;
    for (size_t i = 0; i + 1 < n && k->err.kind == ERR_NONE; i++) {
        struct count c;
        memcpy(c.key, keys[i].id, sizeof c.key);
        if (store_read_now(k->admin->o.store, count_key, &c, &k->err) != STORE_DONE)
            return;
        k->stuck += c.n;
        if (c.n == 0 && keyring_retire(k->admin->o.keys, keys[i].id, &k->err) == 0)
            k->removed++;
    }
}

static void retired(void *arg)
{
    struct keychange *k = arg;
    k->busy = false;
    if (k->removed > 0)
        log_event(NULL, LOG_INFO, "admin.keys_removed", LF_INT("keys", k->removed));
    if (k->stuck > 0)
        log_event(NULL, LOG_WARN, "admin.keys_needed", LF_INT("rows", k->stuck));
    if (k->err.kind != ERR_NONE)
        log_error(NULL, LOG_WARN, "admin.keys_kept", &k->err);
    if (!k->again)
        k->state = IDLE;
    next(k);
}

static void remove_old(struct keychange *k)
{
    k->busy = work_submit(k->admin->work, retire, k->admin->o.loop, retired, k);
    if (!k->busy)
        loop_timer_set(k->timer, RETRY_MS);
}

/* ---- what comes next ---- */

static void next(struct keychange *k)
{
    if (k->busy || k->closing)
        return;
    if (k->again) {
        k->again = false;
        k->state = SEALING;
        k->from = (struct provider_secret_reseal){.done = 0};
        k->tokens_from = (struct upstream_token_reseal){.done = 0};
    }
    const int64_t now = wall_seconds(clock_wall());
    if (k->state == SEALING)
        seal_more(k);
    else if (k->state == WAITING && now >= k->until)
        remove_old(k);
    else if (k->state == WAITING)
        loop_timer_set(k->timer, (k->until - now) * 1000);
}

static void on_timer(void *arg)
{
    next(arg);
}

struct keychange *keychange_new(struct admin *a)
{
    struct keychange *k = mem_alloc(sizeof *k);
    k->admin = a;
    k->started = wall_seconds(clock_wall());
    k->timer = loop_timer_add(a->o.loop, on_timer, k);
    return k;
}

void keychange_stop(struct keychange *k)
{
    k->closing = true;
}

bool keychange_busy(const struct keychange *k)
{
    return k->busy;
}

void keychange_free(struct keychange **kp)
{
    struct keychange *k = *kp;
    if (!k)
        return;
    while (k->busy)
        loop_once(k->admin->o.loop, 10);
    loop_timer_del(&k->timer);
    free(k);
    *kp = NULL;
}

void keychange_start(struct keychange *k)
{
    struct keyring_key keys[KEYRING_KEYS_MAX];
    k->again = keyring_list(k->admin->o.keys, keys) > 1;
    next(k);
}

struct jval *keychange_json(const struct keychange *k)
{
    struct jval *o = jval_new_object();
    jval_set_text(o, "state", state_names[k->state]);
    jval_set_int(o, "done", k->from.done + k->tokens_from.done);
    jval_set_int(o, "stuck", k->from.stuck + k->tokens_from.stuck);
    jval_set(o, "until", k->state == WAITING ? jval_new_int(k->until) : jval_new_null());
    return o;
}

/* ---- operations -------------------------------------------------------------------------------
 */

struct listed {
    struct keyring_key keys[KEYRING_KEYS_MAX];
    int64_t sealed[KEYRING_KEYS_MAX];
    size_t n;
};

static int count_all(struct db *db, struct op *op, struct err *err)
{
    struct listed *l = op->more;
    for (size_t i = 0; i < l->n; i++)
        if ((l->sealed[i] = count_rows(db, l->keys[i].id, err)) < 0)
            return -1;
    return 0;
}

static int list_work(struct op *op, struct err *err)
{
    struct listed *l = op->more ? op->more : arena_alloc(op->arena, sizeof *l);
    op->more = l;
    l->n = keyring_list(op->admin->o.keys, l->keys);
    return op_read(op, count_all, err);
}

static int list_finish(struct op *op, struct err *err)
{
    (void)err;
    const struct listed *l = op->more;
    struct jval *all = jval_new_array();
    for (size_t i = 0; i < l->n; i++) {
        struct jval *o = jval_new_object();
        char id[9];
        text_hex(l->keys[i].id, 4, id);
        jval_set_text(o, "id", id);
        jval_set_bool(o, "current", l->keys[i].current);
        jval_set(o, "since", l->keys[i].made > 0 ? jval_new_int(l->keys[i].made) : jval_new_null());
        jval_set_int(o, "sealed", l->sealed[i]);
        jval_push(all, o);
    }
    op->answer = jval_new_object();
    jval_set(op->answer, "keys", all);
    jval_set(op->answer, "rotation", keychange_json(op->admin->keychange));
    return 0;
}

void admin_key_list(struct admin *a, const struct admin_request *rq, admin_done_fn *done, void *arg)
{
    static const struct op_rule rule = {
        .scope = ADMIN_READ, .work = list_work, .finish = list_finish};
    op_run(a, rq, &rule, done, arg);
}

static int rotate_begin(struct op *op, struct err *err)
{
    return op_members(op, NULL, 0, err);
}

static struct jval *current_json(const struct op *op)
{
    unsigned char id[4];
    char hex[9];
    struct jval *o = jval_new_object();
    keyring_current(op->admin->o.keys, id);
    text_hex(id, sizeof id, hex);
    jval_set_text(o, "current", hex);
    return o;
}

static int only_audit(struct db *db, struct op *op, struct err *err)
{
    return op_audit(db, op, err) < 0 ? -1 : 0;
}

/* The new key is in use once it is in the file; if the audit fails then, that is said. */
static int rotate_work(struct op *op, struct err *err)
{
    op->was = current_json(op);
    if (keyring_rotate(op->admin->o.keys, op->now, err) < 0)
        return -1;
    op->became = current_json(op);
    return op_write(op, only_audit, err) < 0 ? -1 : list_work(op, err);
}

/* Whatever failed after the new key came into use: sealing again begins. */
static void rotate_drop(struct op *op)
{
    if (op->became && op->err.kind != ERR_NONE)
        keychange_start(op->admin->keychange);
}

static int rotate_finish(struct op *op, struct err *err)
{
    keychange_start(op->admin->keychange);
    return list_finish(op, err);
}

void admin_key_rotate(struct admin *a, const struct admin_request *rq, admin_done_fn *done,
                      void *arg)
{
    static const struct op_rule rule = {.scope = ADMIN_SECRETS,
                                        .action = "key.rotate",
                                        .begin = rotate_begin,
                                        .work = rotate_work,
                                        .finish = rotate_finish,
                                        .drop = rotate_drop};
    op_run(a, rq, &rule, done, arg);
}
