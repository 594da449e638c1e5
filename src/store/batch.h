/* SPDX-License-Identifier: Apache-2.0 */
/*
 * batch: writes that share one commit, and what became of each. A lone write runs plainly; several
 * run each in a savepoint, so that one failure undoes only its own work. When an error undoes the
 * whole transaction, or the commit fails for good, every write gets a transaction of its own: the
 * contract of store_fn allows running again. A commit whose fate is unknown is reported so to every
 * write that was part of it.
 */
#ifndef STORE_BATCH_H
#define STORE_BATCH_H

#include "store/driver.h"

struct store_job {
    struct store_job *next;
    store_fn *fn;
    void *arg;
    struct loop *loop;
    store_done_fn *done;
    struct store_wait *wait; /* a thread waits for it; NULL: nobody does */
    enum store_outcome outcome;
    struct err err;
};

/* Run the list; sets outcome and err of each. False: not even a transaction could be begun (locked,
 * server away), and err of the first says why. */
bool batch_write(struct db *db, struct store_job *jobs);
/* One job in a read-only transaction. */
void batch_read(struct db *db, struct store_job *job);

#endif
