/* SPDX-License-Identifier: Apache-2.0 */
/*
 * refresh_token: refresh tokens of a grant, one after the other (RFC 9700 section 4.14.2): using
 * one makes its successor. A used one stays until it expires, so that it is known when it comes
 * again: within the grace window the answer it got is given once more, after that it ends the
 * grant. The SHA-256 is kept, never the token. Functions run inside a transaction, on its thread;
 * times are seconds since 1970.
 */
#ifndef STORE_REFRESH_TOKEN_H
#define STORE_REFRESH_TOKEN_H

#include "base/arena.h"
#include "store/db.h"

struct refresh_token_row {
    unsigned char hash[32];
    const char *grant; /* oauth_grant's id */
    int64_t created, expires;
    int64_t used;         /* 0: not yet */
    struct str successor; /* the answer to its use, sealed; n == 0: none, or no longer */
};

int refresh_token_add(struct db *db, const struct refresh_token_row *row, struct err *err)
    __attribute__((warn_unused_result));
/* 1 and *out (in the arena), or 0: there is none. */
int refresh_token_get(struct db *db, const unsigned char hash[32], struct arena *a,
                      struct refresh_token_row *out, struct err *err)
    __attribute__((warn_unused_result));
/* Used now, with this answer. 1, or 0: it was used before. Of two calls at once exactly one gets
 * the 1. */
int refresh_token_use(struct db *db, const unsigned char hash[32], int64_t now,
                      struct str successor, struct err *err) __attribute__((warn_unused_result));
/* Forget the answers of those used before `before`, at most `max`; how many. */
int64_t refresh_token_forget(struct db *db, int64_t before, int64_t max, struct err *err)
    __attribute__((warn_unused_result));
int64_t refresh_token_sweep(struct db *db, int64_t now, int64_t max, struct err *err)
    __attribute__((warn_unused_result));

#endif
