/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When the store does not say whether it kept a change, memory and store may differ: a role allows
 * less there, an app or a provider is gone, a token works still. Then everything that changes of
 * admins put in memory is read again, and what is in force is built anew, as soon as the store
 * answers, tried once a second. It is done by the actor "system" in the turn of changes, so that
 * none comes between what is read and what is put.
 *
 * It is read in a transaction that writes: its row in the audit comes after whatever became of the
 * one in doubt. A PostgreSQL that still commits it holds the lock that all writers need, and a
 * SQLite log in which a restart might find it is written over.
 */
#include <stdlib.h>

#include "admin/op.h"
#include "session/session.h"

#define AGAIN_MS 1000

struct doubt {
    struct admin *admin;
    struct loop_timer *timer;
    struct arena *arena; /* of `about` */
    const struct memory_about *about;
    uint64_t n, settled;            /* doubts so far; how many of them were */
    bool running, waiting, stopped; /* waiting: for the timer */
};

/* One time that it is settled, as far as it goes. */
struct settling {
    struct memory *memory;
    const struct memory_about *about;
    uint64_t n, changes; /* before it was read: doubts, and what happened to sessions */
};

static uint64_t changes(const struct admin *a)
{
    return a->o.sessions ? sessions_changes(a->o.sessions) : 0;
}

static int begin(struct op *op, struct err *err)
{
    const struct doubt *d = op->admin->doubt;
    struct settling *s = arena_alloc(op->arena, sizeof *s);
    (void)err;
    *s = (struct settling){
        .memory = memory_new(), .about = d->about, .n = d->n, .changes = changes(op->admin)};
    op->more = s;
    return 0;
}

static int read_all(struct db *db, struct op *op, struct err *err)
{
    const struct settling *s = op->more;
    return memory_read(s->memory, db, s->about, err);
}

static int work(struct op *op, struct err *err)
{
    return op_write(op, read_all, err);
}

static void reloaded(void *arg, const struct live_outcome *outcome)
{
    struct op *op = arg;
    const struct settling *s = op->more;
    struct doubt *d = op->admin->doubt;
    struct err err = ERR_INIT;
    const int rc = op_rows_in_force(op, outcome, &err);
    if (rc == 0)
        d->settled = s->n;
    op_over(op, rc < 0 ? &err : NULL);
}

static void put(struct op *op)
{
    const struct settling *s = op->more;
    struct err err = ERR_INIT;
    /* What became of an account meanwhile is newer than what was read of it. */
    if (s->changes != changes(op->admin))
        err_set(&err, ERR_CONFLICT, "accounts changed while they were read: once more");
    else if (memory_put(s->memory, op->admin, &err) == 0) {
        live_reload(op->admin->o.live, "admin", reloaded, op);
        return;
    }
    op_over(op, &err);
}

static void drop(struct op *op)
{
    struct settling *s = op->more;
    if (s)
        memory_free(&s->memory);
}

static void settled(void *arg, const struct admin_answer *answer)
{
    struct doubt *d = arg;
    (void)answer; /* the log says how it went */
    d->running = false;
    if (d->stopped)
        return;
    if (d->n != d->settled) {
        d->waiting = true;
        loop_timer_set(d->timer, AGAIN_MS);
        return;
    }
    d->about = NULL;
    arena_reset(d->arena);
}

static void settle(void *arg)
{
    static const struct op_rule rule = {
        .action = "store.settle", .begin = begin, .work = work, .start = put, .drop = drop};
    static const struct admin_actor actor = {.kind = "system", .id = ""};
    static const struct admin_request rq = {.actor = &actor};
    struct doubt *d = arg;
    d->waiting = false;
    if (d->stopped)
        return;
    d->running = true;
    op_run(d->admin, &rq, &rule, settled, d);
}

static bool is_known(const struct doubt *d, bool role, const char *name)
{
    for (const struct memory_about *m = d->about; m; m = m->next)
        if (m->role == role && strcmp(m->name, name) == 0)
            return true;
    return false;
}

/* Those under way read the list meanwhile: it grows at its head. */
static void add(struct doubt *d, bool role, const char *name)
{
    if (is_known(d, role, name))
        return;
    struct memory_about *m = arena_alloc(d->arena, sizeof *m);
    *m = (struct memory_about){d->about, role, arena_dup(d->arena, name)};
    d->about = m;
}

/* Not at once if that did not help just before. */
static void soon(struct doubt *d)
{
    d->n++;
    if (!d->running && !d->waiting)
        settle(d);
}

void doubt_add(struct doubt *d, const struct op *op)
{
    if (op->rule->roles == OP_ROLES_OF_SUB)
        add(d, false, op->sub);
    else if (op->rule->roles == OP_ROLES_OF_HOLDERS)
        add(d, true, op->id);
    soon(d);
}

void admin_on_doubt(void *admin, const char *account)
{
    struct doubt *d = ((struct admin *)admin)->doubt;
    add(d, false, account);
    soon(d);
}

struct doubt *doubt_new(struct admin *a)
{
    struct doubt *d = mem_alloc(sizeof *d);
    d->admin = a;
    d->arena = arena_new();
    d->timer = loop_timer_add(a->o.loop, settle, d);
    return d;
}

void doubt_stop(struct doubt *d)
{
    d->stopped = true;
}

void doubt_free(struct doubt **dp)
{
    struct doubt *d = *dp;
    *dp = NULL;
    if (!d)
        return;
    loop_timer_del(&d->timer);
    arena_free(&d->arena);
    free(d);
}
