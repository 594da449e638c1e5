/* SPDX-License-Identifier: Apache-2.0 */
/*
 * query: SQL from the files that travel inside the program. A noun's file holds sections that begin
 * with "-- name: x"; section x of account.sql is called "account.x". The few words that SQLite and
 * PostgreSQL spell differently stand as @WORD@ and are replaced by the driver's spelling.
 */
#ifndef STORE_QUERY_H
#define STORE_QUERY_H

#include "base/err.h"
#include "base/text.h"

struct query_word {
    const char *word, *text; /* a list ends with a NULL word */
};

/* The section's text, borrowed from the embedded file; p == NULL: there is no such section. */
struct str query_find(const char *name);
/* A copy with every @WORD@ replaced; the caller frees it. NULL: an unknown word. */
char *query_expand(struct str sql, const struct query_word *words, struct err *err)
    __attribute__((warn_unused_result));
/* Migration number n (1 …): text of schema/NNNN-*.sql, p == NULL when there is none. */
struct str query_migration(int64_t n);

#endif
