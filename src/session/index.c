/* SPDX-License-Identifier: Apache-2.0 */
#include "session/index.h"

#include <stdlib.h>
#include <sys/mman.h>

#include "base/arena.h"

#define FIRST_SIZE 64
#define MOVE_A_PUT 16        /* two would do; more end the double probing sooner */
#define HUGE_PAGE (2u << 20) /* from here the kernel is asked for huge pages: fewer TLB misses */

/* What was in this slot of `old` has moved or gone, but the probe goes on. */
static char gone;

static struct index_table table_new(size_t size)
{
    struct index_table t = {.size = size};
    size_t bytes = size * sizeof *t.slots;

    if (bytes < HUGE_PAGE) {
        t.slots = mem_alloc(bytes);
        return t;
    }
    /* Zero pages that come into being as they are touched. */
    t.slots = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (t.slots == MAP_FAILED)
        abort();                                  /* as mem_alloc does */
    (void)madvise(t.slots, bytes, MADV_HUGEPAGE); /* a wish */
    return t;
}

static void table_free(struct index_table *t)
{
    size_t bytes = t->size * sizeof *t->slots;
    if (bytes < HUGE_PAGE)
        free(t->slots);
    else
        munmap(t->slots, bytes);
    *t = (struct index_table){.slots = NULL};
}

void index_init(struct index *x)
{
    *x = (struct index){.now = table_new(FIRST_SIZE)};
}

void index_deinit(struct index *x)
{
    table_free(&x->now);
    table_free(&x->old);
}

static void *look(const struct index_table *t, uint64_t key, index_same_fn *same, const void *what)
{
    for (size_t i = key & (t->size - 1); t->slots[i].p; i = (i + 1) & (t->size - 1)) {
        const struct index_slot *s = &t->slots[i];
        if (s->key == key && s->p != &gone && same(s->p, what))
            return s->p;
    }
    return NULL;
}

void *index_find(const struct index *x, uint64_t key, index_same_fn *same, const void *what)
{
    if (x->old.slots)
        __builtin_prefetch(&x->old.slots[key & (x->old.size - 1)]);
    void *p = look(&x->now, key, same, what);
    return p || !x->old.slots ? p : look(&x->old, key, same, what);
}

static void insert(struct index_table *t, uint64_t key, void *p)
{
    size_t i = key & (t->size - 1);
    while (t->slots[i].p)
        i = (i + 1) & (t->size - 1);
    t->slots[i] = (struct index_slot){.key = key, .p = p};
}

void index_move(struct index *x, size_t slots)
{
    if (!x->old.slots)
        return;
    for (; slots > 0 && x->moved < x->old.size; slots--, x->moved++) {
        struct index_slot *s = &x->old.slots[x->moved];
        if (s->p && s->p != &gone) {
            insert(&x->now, s->key, s->p);
            s->p = &gone;
        }
    }
    if (x->moved == x->old.size)
        table_free(&x->old);
}

void index_put(struct index *x, uint64_t key, void *p)
{
    index_move(x, MOVE_A_PUT);
    /* Three quarters full. The last growth is over by then: it took size / 2 / MOVE_A_PUT puts. */
    if (!x->old.slots && x->n + 1 > x->now.size / 4 * 3) {
        x->old = x->now;
        x->moved = 0;
        x->now = table_new(x->old.size * 2);
    }
    insert(&x->now, key, p);
    x->n++;
}

/* The slot of `p`, or the table's size. */
static size_t slot_of(const struct index_table *t, uint64_t key, const void *p)
{
    for (size_t i = key & (t->size - 1); t->slots[i].p; i = (i + 1) & (t->size - 1))
        if (t->slots[i].p == p)
            return i;
    return t->size;
}

/* Free slot `hole` and move back whoever was pushed past it. */
static void close_gap(struct index_table *t, size_t hole)
{
    size_t mask = t->size - 1;
    for (size_t i = (hole + 1) & mask; t->slots[i].p; i = (i + 1) & mask) {
        size_t home = t->slots[i].key & mask;
        if (((i - home) & mask) >= ((i - hole) & mask)) {
            t->slots[hole] = t->slots[i];
            hole = i;
        }
    }
    t->slots[hole] = (struct index_slot){.p = NULL};
}

void index_remove(struct index *x, uint64_t key, const void *p)
{
    size_t i = slot_of(&x->now, key, p);
    if (i < x->now.size) {
        close_gap(&x->now, i);
        x->n--;
        return;
    }
    if (!x->old.slots)
        return;
    i = slot_of(&x->old, key, p);
    if (i < x->old.size) {
        x->old.slots[i].p = &gone;
        x->n--;
    }
}

size_t index_size(const struct index *x)
{
    return x->now.size + x->old.size;
}

void *index_at(const struct index *x, size_t i)
{
    void *p = i < x->now.size ? x->now.slots[i].p : x->old.slots[i - x->now.size].p;
    return p == &gone ? NULL : p;
}

size_t index_bytes(const struct index *x)
{
    return index_size(x) * sizeof *x->now.slots;
}
