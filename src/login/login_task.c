/* SPDX-License-Identifier: Apache-2.0 */
#include "login/login_parts.h"

void *task_new(struct login *l, size_t size)
{
    struct arena *a = arena_new();
    struct task *t = arena_alloc(a, size);
    t->arena = a;
    t->login = l;
    t->prev = l->tasks.prev;
    t->next = &l->tasks;
    t->prev->next = t;
    l->tasks.prev = t;
    return t;
}

void task_free(struct task *t)
{
    if (t->login) {
        t->prev->next = t->next;
        t->next->prev = t->prev;
    }
    struct arena *a = t->arena;
    if (t->deinit)
        t->deinit(t);
    arena_wipe(a); /* there may be a cookie in it, and there is t itself */
    arena_free(&a);
}

static void answered(void *arg, enum store_outcome outcome, const struct err *err)
{
    struct task *t = arg;
    if (t->login)
        t->done(t, outcome, err);
    task_free(t);
}

bool task_start(struct task *t, store_fn *fn)
{
    return store_write(t->login->o.store, fn, t->login->o.loop, answered, t);
}

/* The store still has them: its answers free them. */
void tasks_orphan(struct login *l)
{
    for (struct task *t = l->tasks.next, *next; t != &l->tasks; t = next) {
        next = t->next;
        t->login = NULL;
    }
    l->tasks.next = l->tasks.prev = &l->tasks;
}
