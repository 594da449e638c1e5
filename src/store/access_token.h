/* SPDX-License-Identifier: Apache-2.0 */
/*
 * access_token: access tokens, by the SHA-256 of an opaque one or of a JWT's jti. The truth behind
 * issuer/access.h's table. A machine's JWT has a row only when it was ended before its time.
 * Functions run inside a transaction, on its thread; times are seconds since 1970.
 */
#ifndef STORE_ACCESS_TOKEN_H
#define STORE_ACCESS_TOKEN_H

#include "base/arena.h"
#include "store/db.h"

struct access_token_row {
    unsigned char hash[32];
    const char *grant; /* oauth_grant's id; NULL: none */
    const char *app;
    const char *first;    /* the app that was granted it: another where the token was exchanged; the
                           * grant knows, so it is read and not written. NULL: no grant */
    const char *account;  /* NULL: the app itself */
    const char *scopes;   /* parted by blanks */
    const char *resource; /* JSON array of strings */
    const char *more;     /* JSON object: what introspection says besides; NULL */
    int64_t created, expires;
    int64_t ended; /* 0: it stands */
};

int access_token_add(struct db *db, const struct access_token_row *row, struct err *err)
    __attribute__((warn_unused_result));
/* The row with its end: of one that is there only the end counts. */
int access_token_end(struct db *db, const struct access_token_row *row, struct err *err)
    __attribute__((warn_unused_result));
/* Of a grant that ended: all go. How many. */
int64_t access_token_drop_of(struct db *db, const char *grant, struct err *err)
    __attribute__((warn_unused_result));
/* 1 and *out (in the arena), or 0: there is none, or its grant is over. */
int access_token_get(struct db *db, const unsigned char hash[32], struct arena *a,
                     struct access_token_row *out, struct err *err)
    __attribute__((warn_unused_result));
/* Every row that has not expired, but those whose grant is over; -1 from `each` stops with -1. */
int access_token_each(struct db *db, int64_t now,
                      int (*each)(void *arg, const struct access_token_row *row, struct err *err),
                      void *arg, struct err *err) __attribute__((warn_unused_result));
/* Those that expired, at most `max`; how many went. */
int64_t access_token_sweep(struct db *db, int64_t now, int64_t max, struct err *err)
    __attribute__((warn_unused_result));

#endif
