/* SPDX-License-Identifier: Apache-2.0 */
/* spent: flow ids that were used, until the states that carry them expire. */
#ifndef STORE_SPENT_H
#define STORE_SPENT_H

#include "store/db.h"

/* 1: recorded now; 0: it was spent before. `expires` belongs to the flow (when it began is sealed
 * in its state) and is the same each time: the pair is the key. */
int spent_add(struct db *db, const unsigned char flow[16], int64_t expires, struct err *err)
    __attribute__((warn_unused_result));
/* Delete what has expired, at most `max` rows; how many. */
int64_t spent_sweep(struct db *db, int64_t now, int64_t max, struct err *err)
    __attribute__((warn_unused_result));
/* Every flow that expires after `now`, in the order of expiry; -1 from `each` stops with -1. */
int spent_each(struct db *db, int64_t now,
               int (*each)(void *arg, const unsigned char flow[16], int64_t expires), void *arg,
               struct err *err) __attribute__((warn_unused_result));

#endif
