/* SPDX-License-Identifier: Apache-2.0 */
/*
 * initial_token: what lets an app register itself (RFC 7591 section 3), once, as the store keeps
 * it: the SHA-256 of the token, never the token. A used one stays until it expires, so that whoever
 * made it sees what became of it. Functions run inside a transaction, on its thread; times are
 * seconds since 1970.
 */
#ifndef STORE_INITIAL_TOKEN_H
#define STORE_INITIAL_TOKEN_H

#include "store/db.h"

struct initial_token_row {
    const char *id; /* rng_id */
    unsigned char hash[32];
    const char *name;
    const char *owner; /* the account that made it; NULL: none */
    int64_t created, expires;
    int64_t used; /* 0: not yet */
};

int initial_token_add(struct db *db, const struct initial_token_row *row, struct err *err)
    __attribute__((warn_unused_result));
/* From now on it is used. 1, or 0: there is none, it was used before, or it is over. */
int initial_token_use(struct db *db, const char *id, int64_t now, struct err *err)
    __attribute__((warn_unused_result));
/* 1, or 0: there was none. */
int initial_token_drop(struct db *db, const char *id, struct err *err)
    __attribute__((warn_unused_result));
/* Those that are over; -1, or how many. */
int64_t initial_token_sweep(struct db *db, int64_t now, struct err *err)
    __attribute__((warn_unused_result));
/* Oldest first; strings live until `each` returns; -1 from it, which then says why in err, stops
 * with -1. */
int initial_token_each(struct db *db,
                       int (*each)(void *arg, const struct initial_token_row *row, struct err *err),
                       void *arg, struct err *err) __attribute__((warn_unused_result));

#endif
