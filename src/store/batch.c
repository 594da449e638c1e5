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

/* What the connection knows of the audit is worth what it read or wrote in a transaction. */
static int begin(struct db *db, bool write, struct err *err)
{
    if (db->driver->shared)
        db->head.known = false;
    return db->driver->begin(db, write, err);
}

static void rollback(struct db *db)
{
    db->head.known = false;
    db->driver->rollback(db);
}

static int undo(struct db *db, struct err *err)
{
    db->head.known = false;
    return db->driver->undo(db, err);
}

enum attempt { ATTEMPT_MADE = 0, ATTEMPT_NOT_BEGUN };

static enum attempt try_alone(struct db *db, struct store_job *job, bool write)
{
    err_clear(&job->err);
    job->outcome = STORE_FAILED;
    if (begin(db, write, &job->err) < 0)
        return ATTEMPT_NOT_BEGUN;
    if (call(db, job) == 0)
        job->outcome = db->driver->commit(db, &job->err);
    if (job->outcome != STORE_DONE)
        rollback(db);
    return ATTEMPT_MADE;
}

static enum attempt alone(struct db *db, struct store_job *job, bool write)
{
    for (unsigned attempt = 1;; attempt++) {
        enum attempt made = try_alone(db, job, write);
        if (made == ATTEMPT_NOT_BEGUN || job->outcome != STORE_FAILED || attempt == ATTEMPTS_MAX ||
            !db->driver->worth_retrying(db))
            return made;
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
    struct err ignored = ERR_INIT;
    return d->in_transaction(db) && undo(db, &ignored) == 0 ? 0 : -1;
}

/* The same without a net: any failure loses the transaction. */
static int in_the_open(struct db *db, struct store_job *job)
{
    job->outcome = call(db, job) == 0 ? STORE_DONE : STORE_FAILED;
    return job->outcome == STORE_DONE ? 0 : -1;
}

static void fail_all(struct store_job *jobs, const struct err *err)
{
    for (struct store_job *job = jobs; job; job = job->next) {
        job->outcome = STORE_FAILED;
        job->err = *err;
    }
}

enum shared { SHARED_OVER = 0, SHARED_LOST, SHARED_NOT_BEGUN };

/* LOST: nothing was kept. */
static enum shared together(struct db *db, struct store_job *jobs,
                            int (*each)(struct db *db, struct store_job *job))
{
    const struct store_driver *d = db->driver;
    struct err err = ERR_INIT;
    bool any = false;

    if (begin(db, true, &err) < 0) {
        fail_all(jobs, &err);
        return SHARED_NOT_BEGUN;
    }
    for (struct store_job *job = jobs; job; job = job->next) {
        if (each(db, job) < 0) {
            rollback(db);
            return SHARED_LOST;
        }
        any = any || job->outcome == STORE_DONE;
    }
    enum store_outcome outcome = any ? d->commit(db, &err) : STORE_DONE;
    if (outcome != STORE_DONE || !any)
        rollback(db);
    if (outcome == STORE_FAILED)
        return SHARED_LOST;
    for (struct store_job *job = jobs; outcome == STORE_UNKNOWN && job; job = job->next) {
        if (job->outcome == STORE_DONE) {
            job->outcome = outcome;
            job->err = err;
        }
    }
    return SHARED_OVER;
}

bool batch_write(struct db *db, struct store_job *jobs)
{
    if (jobs->next) {
        enum shared shared = together(db, jobs, in_the_open);
        if (shared == SHARED_LOST)
            shared = together(db, jobs, in_savepoint);
        if (shared != SHARED_LOST)
            return shared == SHARED_OVER;
    }
    for (struct store_job *job = jobs; job; job = job->next) {
        if (alone(db, job, true) == ATTEMPT_NOT_BEGUN) {
            struct err why = job->err;
            fail_all(job, &why);
            return false;
        }
    }
    return true;
}

void batch_read(struct db *db, struct store_job *job)
{
    (void)alone(db, job, false); /* the job says how it went */
}
