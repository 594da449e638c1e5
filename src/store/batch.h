/* SPDX-License-Identifier: Apache-2.0 */
/*
 * batch: writes that share one commit, and what became of each. Failures are rare and savepoints
 * cost a tenth of a login, so a batch first runs without them. If a write fails, all of it is
 * undone and run again with a savepoint around each, so that a failure undoes only its own work; if
 * that fails as a whole, every write gets a transaction of its own. The contract of store_fn allows
 * running again. A commit whose fate is unknown is reported so to every write that was part of it.
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
