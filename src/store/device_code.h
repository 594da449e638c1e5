/* SPDX-License-Identifier: Apache-2.0 */
/*
 * device_code: devices that wait until a person has said yes elsewhere (RFC 8628). SHA-256 of both
 * codes is kept, never a code. Functions run inside a transaction, on its thread; times are seconds
 * since 1970.
 */
#ifndef STORE_DEVICE_CODE_H
#define STORE_DEVICE_CODE_H

#include "base/arena.h"
#include "store/db.h"

#define DEVICE_CODE_KEPT 600 /* seconds */

enum device_state { DEVICE_WAITING = 0, DEVICE_ALLOWED = 1, DEVICE_DENIED = 2, DEVICE_USED = 3 };

struct device_code_row {
    unsigned char hash[32], user_code[32];
    const char *app, *scopes; /* scopes: parted by blanks */
    const char *resource;     /* JSON; NULL: none */
#define DEVICE_CODE_KEPT 600  /* seconds */

    enum device_state state;
    const char *grant;             /* once allowed; NULL */
    int64_t poll_every, last_poll; /* seconds; last_poll 0: never */
    const char *ip, *user_agent;   /* the device's; NULL: unknown */
    int64_t created, expires;
};

int device_code_add(struct db *db, const struct device_code_row *row, struct err *err)
    __attribute__((warn_unused_result));
/* 1 and *out (strings in the arena), or 0: there is none. By the device's code, or by the one the
 * person types. */
int device_code_get(struct db *db, const unsigned char hash[32], struct arena *a,
                    struct device_code_row *out, struct err *err)
    __attribute__((warn_unused_result));
int device_code_typed(struct db *db, const unsigned char user_code[32], struct arena *a,
                      struct device_code_row *out, struct err *err)
    __attribute__((warn_unused_result));
/* The device asked; it may ask again after so many seconds. */
int device_code_polled(struct db *db, const unsigned char hash[32], int64_t now, int64_t poll_every,
                       struct err *err) __attribute__((warn_unused_result));
/* From WAITING to ALLOWED with its grant, or to DENIED. 1, or 0: it was decided already. */
int device_code_decide(struct db *db, const unsigned char hash[32], const char *grant,
                       struct err *err) __attribute__((warn_unused_result));
/* From ALLOWED to USED. 1, or 0: not allowed, or used already. */
int device_code_use(struct db *db, const unsigned char hash[32], struct err *err)
    __attribute__((warn_unused_result));
/* Those that expired DEVICE_CODE_KEPT ago: until then a device is told that it came too late. */
int64_t device_code_sweep(struct db *db, int64_t now, int64_t max, struct err *err)
    __attribute__((warn_unused_result));

#endif
