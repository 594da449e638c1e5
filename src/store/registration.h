/* SPDX-License-Identifier: Apache-2.0 */
/*
 * registration: apps that registered themselves (RFC 7591). Their settings are a row like any
 * other's (store/settings_row.h) and take this one along when they go; here is what they manage it
 * with: the SHA-256 of their registration access token, never the token (RFC 7592). Functions run
 * inside a transaction, on its thread; times are seconds since 1970.
 */
#ifndef STORE_REGISTRATION_H
#define STORE_REGISTRATION_H

#include "store/db.h"

struct registration_row {
    const char *app;
    unsigned char hash[32];
    int64_t created;
};

/* The app's row is there already. */
int registration_add(struct db *db, const struct registration_row *row, struct err *err)
    __attribute__((warn_unused_result));
/* 1, or 0: the app did not register itself, or is gone. */
int registration_has(struct db *db, const char *app, struct err *err)
    __attribute__((warn_unused_result));
/* -1, or how many there are. */
int64_t registration_count(struct db *db, struct err *err) __attribute__((warn_unused_result));
/* Strings live until `each` returns; -1 from it, which then says why in err, stops with -1. */
int registration_each(struct db *db,
                      int (*each)(void *arg, const struct registration_row *row, struct err *err),
                      void *arg, struct err *err) __attribute__((warn_unused_result));
/* Of those that registered before `before`: nobody ever let them in, and they never showed their
 * secret. The same manner. */
int registration_unused(struct db *db, int64_t before,
                        int (*each)(void *arg, const struct registration_row *row, struct err *err),
                        void *arg, struct err *err) __attribute__((warn_unused_result));

#endif
