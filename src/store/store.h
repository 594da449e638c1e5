/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store: the one way to the database. "sqlite:/path" (one process, one writer thread with group
 * commit) or "postgresql://…" (several replicas, pooled connections); the same functions run on
 * both. A write is a function that gets an open transaction; waiting writers share one commit (a
 * busy writer waits up to 3 milliseconds until there are as many as of late), and one failure
 * undoes only its own work. `done` is called on the loop after the commit is durable, with one of
 * three answers; UNKNOWN (the connection broke, or the disk failed, during COMMIT) is never guessed
 * at: the caller must not say "made".
 *
 * Writers of a shared store take turns, one transaction each, in any order: what must follow a
 * write waits for `done`. Nothing here blocks a loop. SQL lives in schema/ and in the .sql file
 * beside each noun.
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include <stdbool.h>

#include "base/err.h"
#include "store/db.h"
#include "sys/loop.h"

struct store;

enum store_outcome { STORE_DONE = 0, STORE_FAILED = 1, STORE_UNKNOWN = 2 };

/* 0: keep what was done; -1: undo it, err says why. Runs on the writer's thread; `arg` is the
 * caller's until done. May run again (a neighbour in its commit failed, serialisation): no effects
 * outside the database but into `arg`, and those start afresh each time. */
typedef int store_fn(struct db *db, void *arg, struct err *err);
typedef void store_done_fn(void *arg, enum store_outcome outcome, const struct err *err);

/* Opens, migrates, starts the threads. Refuses a newer schema, a foreign file, bad file modes. */
struct store *store_open(const char *url, struct err *err) __attribute__((warn_unused_result));
/* Finishes what is queued and ends the threads; the answers are on their way to the loops. From now
 * on whatever is asked is refused as if the queue were full. */
void store_stop(struct store *s);
/* Stops, checkpoints, closes. */
void store_close(struct store **s);
/* Grows with every write that may have changed something, before anybody hears of it. */
uint64_t store_changes(const struct store *s);
/* Whether other processes share it (PostgreSQL). */
bool store_shared(const struct store *s);

/* Queue a write. `done` may be NULL (nobody waits; failures are counted and logged by the owner of
 * the store's error hook). false when the queue is full: nothing will be called. */
bool store_write(struct store *s, store_fn *fn, struct loop *loop, store_done_fn *done, void *arg)
    __attribute__((warn_unused_result));
/* A read-only transaction on another thread, not behind the writer. */
bool store_read(struct store *s, store_fn *fn, struct loop *loop, store_done_fn *done, void *arg)
    __attribute__((warn_unused_result));
/* At start and in tests, before loops run: on the caller's thread, waits. */
enum store_outcome store_write_now(struct store *s, store_fn *fn, void *arg, struct err *err);
enum store_outcome store_read_now(struct store *s, store_fn *fn, void *arg, struct err *err);

/* Called on a store thread for every write or read that did not end in DONE. Set it before loops
 * run. */
typedef void store_error_fn(void *arg, const struct err *err);
void store_on_error(struct store *s, store_error_fn *fn, void *arg);

/* From now on rows of the audit hold networks instead of addresses: /24 of IPv4, /48 of IPv6. */
void store_set_short_ips(struct store *s, bool on);

struct store_stats {
    uint64_t commits, writes, failures, queued;
    uint64_t under_way; /* asked, reads as well, and no answer on its way yet */
};
void store_get_stats(struct store *s, struct store_stats *out);

#endif
