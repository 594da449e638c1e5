/* SPDX-License-Identifier: Apache-2.0 */
/*
 * authorization_request: authorization requests that wait: pushed by an app (RFC 9126), or pending
 * while a person signs in upstream and says yes. Each is held by a random handle, of which the
 * SHA-256 is kept. Functions run inside a transaction, on its thread; times are seconds since 1970.
 */
#ifndef STORE_AUTHORIZATION_REQUEST_H
#define STORE_AUTHORIZATION_REQUEST_H

#include "base/arena.h"
#include "store/db.h"

#define REQUEST_PUSHED "pushed"
#define REQUEST_PENDING "pending"

struct authorization_request_row {
    unsigned char hash[32];
    const char *app;
    const char *kind;          /* REQUEST_PUSHED, REQUEST_PENDING */
    const char *params;        /* JSON object, judged already */
    const unsigned char *bind; /* SHA-256 of the browser's binding cookie; NULL: no browser yet */
    int64_t created, expires;
};

int authorization_request_add(struct db *db, const struct authorization_request_row *row,
                              struct err *err) __attribute__((warn_unused_result));
/* 1 and *out (strings in the arena), or 0: none that has not expired. */
int authorization_request_get(struct db *db, const unsigned char hash[32], int64_t now,
                              struct arena *a, struct authorization_request_row *out,
                              struct err *err) __attribute__((warn_unused_result));
/* 1, or 0: there was none. Whoever gets the 1 may use what it read. */
int authorization_request_drop(struct db *db, const unsigned char hash[32], struct err *err)
    __attribute__((warn_unused_result));
/* How many there are, expired or not: for a bound. */
int64_t authorization_request_count(struct db *db, struct err *err)
    __attribute__((warn_unused_result));
int64_t authorization_request_sweep(struct db *db, int64_t now, int64_t max, struct err *err)
    __attribute__((warn_unused_result));

#endif
