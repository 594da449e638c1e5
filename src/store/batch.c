/* SPDX-License-Identifier: Apache-2.0 */
#include "store/batch.h"

#include <poll.h>

#define ATTEMPTS_MAX 10

/* The function's verdict; a failed statement that it overlooked counts as failure. */
static int call(struct db *db, struct store_job *job)
{
    err_clear(&job->err);
    db_forget_fault(db);
    int rc = job->fn(db, job->arg, &job->err);
    if (rc == 0 && db->fault.kind == ERR_NONE)
        return 0;
    if (job->err.kind == ERR_NONE)
        job->err = db->fault;
    if (job->err.kind == ERR_NONE)
        err_set(&job->err, ERR_INTERNAL, "a write failed without saying why");
    return -1;
}

/* Serialisation failures come in waves: step aside for a moment, longer each time. This is a thread
 * of the store, no loop waits for it. */
static void step_aside(unsigned attempt)
{
    (void)poll(NULL, 0, 1 << (attempt < 6 ? attempt : 6));
}

static enum store_outcome try_alone(struct db *db, struct store_job *job, bool write)
{
    const struct store_driver *d = db->driver;

    err_clear(&job->err);
    if (d->begin(db, write, &job->err) < 0)
        return STORE_FAILED;
    if (call(db, job) < 0) {
        d->rollback(db);
        return STORE_FAILED;
    }
    enum store_outcome outcome = d->commit(db, &job->err);
    if (outcome != STORE_DONE)
        d->rollback(db);
    return outcome;
}

static void alone(struct db *db, struct store_job *job, bool write)
{
    for (unsigned attempt = 1;; attempt++) {
        job->outcome = try_alone(db, job, write);
        if (job->outcome != STORE_FAILED || attempt == ATTEMPTS_MAX ||
            !db->driver->worth_retrying(db))
            return;
        step_aside(attempt);
    }
}

/* 0: the transaction goes on, with or without this job's work; -1: it is lost. */
static int in_savepoint(struct db *db, struct store_job *job)
{
    const struct store_driver *d = db->driver;

    job->outcome = STORE_FAILED;
    err_clear(&job->err);
    if (d->savepoint(db, &job->err) < 0)
        return -1;
    if (call(db, job) == 0) {
        job->outcome = STORE_DONE;
        return d->release(db, &job->err);
    }
    struct err undo = ERR_INIT;
    return d->in_transaction(db) && d->undo(db, &undo) == 0 ? 0 : -1;
}

/* False: nothing was kept, each must be run alone. */
static bool together(struct db *db, struct store_job *jobs)
{
    const struct store_driver *d = db->driver;
    struct err err = ERR_INIT;

    if (d->begin(db, true, &err) < 0) {
        for (struct store_job *job = jobs; job; job = job->next) {
            job->outcome = STORE_FAILED;
            job->err = err;
        }
        return true;
    }
    bool any = false;
    for (struct store_job *job = jobs; job; job = job->next) {
        if (in_savepoint(db, job) < 0) {
            d->rollback(db);
            return false;
        }
        any = any || job->outcome == STORE_DONE;
    }
    if (!any) {
        d->rollback(db);
        return true;
    }
    enum store_outcome outcome = d->commit(db, &err);
    if (outcome == STORE_DONE)
        return true;
    d->rollback(db);
    if (outcome == STORE_FAILED)
        return false;
    for (struct store_job *job = jobs; job; job = job->next) {
        if (job->outcome == STORE_DONE) {
            job->outcome = outcome;
            job->err = err;
        }
    }
    return true;
}

void batch_write(struct db *db, struct store_job *jobs)
{
    if (jobs->next && together(db, jobs))
        return;
    for (struct store_job *job = jobs; job; job = job->next)
        alone(db, job, true);
}

void batch_read(struct db *db, struct store_job *job)
{
    alone(db, job, false);
}
