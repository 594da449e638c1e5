/* SPDX-License-Identifier: Apache-2.0 */
/*
 * index: from a 64-bit key to a pointer, by open addressing. Keys are random already (the first
 * bytes of a SHA-256), so they are used as they are. A probe reads one cache line most of the time.
 * Growing takes no pause: the old slots empty into the new ones a few at a time, with every put.
 * Removing moves the followers back, so nothing decays. Equal keys may occur: `same` decides.
 */
#ifndef SESSION_INDEX_H
#define SESSION_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct index_slot {
    uint64_t key;
    void *p; /* NULL: free */
};

struct index_table {
    struct index_slot *slots; /* a power of two of them; NULL: none */
    size_t size;
};

struct index {
    struct index_table now, old; /* `old` while growing */
    size_t moved;                /* slots of `old` that are empty */
    size_t n;
};

typedef bool index_same_fn(const void *p, const void *what);

void index_init(struct index *x);
void index_deinit(struct index *x); /* not what the pointers lead to */
void *index_find(const struct index *x, uint64_t key, index_same_fn *same, const void *what);
void index_put(struct index *x, uint64_t key, void *p);
void index_remove(struct index *x, uint64_t key, const void *p);
/* Move up to `slots` slots of a growing index. */
void index_move(struct index *x, size_t slots);
/* Walk: what lies in slot i of index_size(), or NULL. */
size_t index_size(const struct index *x);
void *index_at(const struct index *x, size_t i);
size_t index_bytes(const struct index *x);

#endif
