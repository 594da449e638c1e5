/* SPDX-License-Identifier: Apache-2.0 */
/*
 * api_token: bearer tokens for programs that administer, as the store keeps them: the SHA-256 of
 * the token, never the token. Functions run inside a transaction, on its thread.
 */
#ifndef STORE_API_TOKEN_H
#define STORE_API_TOKEN_H

#include "store/db.h"

struct api_token_row {
    const char *id;
    unsigned char hash[32];
    const char *name;
    const char *scopes;                  /* parted by blanks */
    const char *owner;                   /* the account that made it; NULL: none */
    int64_t created, expires, last_used; /* seconds since 1970; the last two 0: never */
};

int api_token_add(struct db *db, const struct api_token_row *row, struct err *err)
    __attribute__((warn_unused_result));
/* 1, or 0: there was none. */
int api_token_drop(struct db *db, const char *id, struct err *err)
    __attribute__((warn_unused_result));
/* All that an account made; -1, or 0. */
int api_token_drop_of(struct db *db, const char *account, struct err *err)
    __attribute__((warn_unused_result));
/* Never back in time. */
int api_token_touch(struct db *db, const char *id, int64_t used, struct err *err)
    __attribute__((warn_unused_result));
/* Oldest first; strings live until `each` returns; -1 from it, which then says why in err, stops
 * with -1. */
int api_token_each(struct db *db,
                   int (*each)(void *arg, const struct api_token_row *row, struct err *err),
                   void *arg, struct err *err) __attribute__((warn_unused_result));

#endif
