/* SPDX-License-Identifier: Apache-2.0 */
/*
 * chain: sessions by account, for "end them all". Records are linked through themselves; the heads
 * are a linear hash table, which grows by splitting one chain at a time, so no add ever pauses.
 */
#ifndef SESSION_CHAIN_H
#define SESSION_CHAIN_H

#include <stddef.h>

#include "session/record.h"

struct chain {
    struct record **heads;
    size_t room;  /* a power of two */
    size_t low;   /* heads at the start of this doubling, a power of two */
    size_t split; /* of which so many are split; low + split heads are in use */
    size_t n;     /* records */
};

void chain_init(struct chain *c);
void chain_deinit(struct chain *c); /* not the records */
void chain_add(struct chain *c, struct record *r);
void chain_remove(struct chain *c, struct record *r);
/* The account's next record behind `after` (NULL: the first), or NULL. */
struct record *chain_next(const struct chain *c, const char *account, const struct record *after);
size_t chain_bytes(const struct chain *c);

#endif
