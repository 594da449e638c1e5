/* SPDX-License-Identifier: Apache-2.0 */
/*
 * keeper: moves SQLite's write-ahead log into the database without making a login wait. A thread
 * with a connection of its own does the bulk (PASSIVE: it waits for nobody and nobody for it);
 * because the log only starts over once all of it has been moved, the writer moves the short tail
 * that came in meanwhile, between two batches. So the log stays around KEEPER_PAGES pages.
 */
#ifndef STORE_KEEPER_H
#define STORE_KEEPER_H

#include "store/driver.h"

#define KEEPER_PAGES 1000 /* of 4 KiB */

struct keeper;

/* Takes the connection. */
struct keeper *keeper_start(struct db *db, struct err *err) __attribute__((warn_unused_result));
/* The writer's thread, after each commit, outside a transaction. */
void keeper_committed(struct keeper *k, struct db *writer);
void keeper_stop(struct keeper **k);

#endif
