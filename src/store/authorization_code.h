/* SPDX-License-Identifier: Apache-2.0 */
/*
 * authorization_code: codes of RFC 6749 section 4.1.2, each for one grant and one use. A used one
 * stays until it expires, so that a second use is known for what it is and ends the grant. The
 * SHA-256 is kept, never the code. Functions run inside a transaction, on its thread; times are
 * seconds since 1970.
 */
#ifndef STORE_AUTHORIZATION_CODE_H
#define STORE_AUTHORIZATION_CODE_H

#include "base/arena.h"
#include "store/db.h"

struct authorization_code_row {
    unsigned char hash[32];
    const char *grant; /* oauth_grant's id */
    const char *redirect_uri;
    const char *challenge; /* PKCE, S256; NULL: none was asked for */
    const char *nonce;     /* NULL: none */
    const char *claims;    /* JSON: what the ID token has to say besides; NULL: nothing */
    int64_t expires;
    int64_t used; /* 0: not yet */
};

int authorization_code_add(struct db *db, const struct authorization_code_row *row, struct err *err)
    __attribute__((warn_unused_result));
/* 1 and *out (strings in the arena), used or not; 0: there is none. */
int authorization_code_get(struct db *db, const unsigned char hash[32], struct arena *a,
                           struct authorization_code_row *out, struct err *err)
    __attribute__((warn_unused_result));
/* 1 and *out (strings in the arena) as it was before this call, which marks it used; 0: there is
 * none. Of two calls at once exactly one sees `used` 0. */
int authorization_code_use(struct db *db, const unsigned char hash[32], int64_t now,
                           struct arena *a, struct authorization_code_row *out, struct err *err)
    __attribute__((warn_unused_result));
int64_t authorization_code_sweep(struct db *db, int64_t now, int64_t max, struct err *err)
    __attribute__((warn_unused_result));

#endif
