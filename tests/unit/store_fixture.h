/* SPDX-License-Identifier: Apache-2.0 */
/* store_fixture: a real store, SQLite in a folder of its own, and rows to put into it. */
#ifndef TESTS_STORE_FIXTURE_H
#define TESTS_STORE_FIXTURE_H

#include <check.h>

#include "session/session.h"
#include "store/store.h"

struct store_fixture {
    char folder[64], url[96];
    struct store *store;
};
void store_fixture_open(struct store_fixture *f);
void store_fixture_close(struct store_fixture *f); /* removes the folder */
/* Closes and opens again, as a restart does. */
void store_fixture_reopen(struct store_fixture *f);

/* A person with a session, made in the store only. `token` has room for 44. */
void store_fixture_session(struct store_fixture *f, const char *subject, int64_t created,
                           int64_t ends, char *token);
/* A number out of a query without parameters. */
int64_t store_fixture_number(struct store_fixture *f, const char *sql);
void store_fixture_sql(struct store_fixture *f, const char *sql);
/* Keeps the writer from doing anything until it is let go on; the queue grows meanwhile. Letting it
 * go waits until the queue is empty. */
void store_fixture_stall(struct store_fixture *f);
void store_fixture_go_on(struct store_fixture *f);
/* Stalls and fills the queue. */
void store_fixture_fill(struct store_fixture *f);
/* The disk under a store's folder takes no more, so nobody knows what becomes of a commit; or it
 * does again. */
void store_fixture_disk(const char *folder, bool full);

#endif
