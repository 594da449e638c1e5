/* SPDX-License-Identifier: Apache-2.0 */
/* client_assertion: assertions that apps authenticated with (RFC 7523), until they expire. */
#ifndef STORE_CLIENT_ASSERTION_H
#define STORE_CLIENT_ASSERTION_H

#include "store/db.h"

/* `hash` is the SHA-256 of app, a zero byte and jti. `expires` is in the assertion, so it is the
 * same each time: the pair is the key. 1: recorded now; 0: it was used before. */
int client_assertion_add(struct db *db, const unsigned char hash[32], int64_t expires,
                         struct err *err) __attribute__((warn_unused_result));
/* Those that expired, at most `max`; how many went. */
int64_t client_assertion_sweep(struct db *db, int64_t now, int64_t max, struct err *err)
    __attribute__((warn_unused_result));

#endif
