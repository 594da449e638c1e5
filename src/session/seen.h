/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seen: which sessions were used since the store was last told when. Records know their place in
 * the list, so taking one out costs nothing; those that have to leave memory before they were told
 * of are remembered by hash. One loop thread owns it.
 */
#ifndef SESSION_SEEN_H
#define SESSION_SEEN_H

#include <stdbool.h>

#include "session/record.h"

struct seen_gone;
struct seen {
    struct record **v;
    size_t n, room;
    struct seen_gone *gone; /* a fixed number of them; NULL: never any */
    size_t gone_n;
};
void seen_deinit(struct seen *s);
size_t seen_bytes(const struct seen *s);
/* Used now. */
void seen_mark(struct seen *s, struct record *r, int64_t now);
void seen_forget(struct seen *s, struct record *r);
/* `by` takes the place of `old`. */
void seen_replace(struct seen *s, struct record *old, struct record *by);
/* It leaves memory, and what the store does not know yet is kept; false: no room for that. */
bool seen_leave(struct seen *s, const struct record *r);
/* It comes back from the store, which may not know yet. */
void seen_recall(const struct seen *s, struct record *r);
/* At most `max`; how many. */
size_t seen_take(struct seen *s,
                 void (*each)(void *arg, const unsigned char hash[32], int64_t seen), void *arg,
                 size_t max);

#endif
