/* SPDX-License-Identifier: Apache-2.0 */
/*
 * logout_delivery: apps that are to be told that somebody's session is over (OpenID Connect
 * Back-Channel Logout 1.0), one row for each app and session, until it was told or given up. Rows
 * come from session_app, in the transaction that ends the session. They stay when the account goes.
 * Whatever keeps one app from being told keeps it from being told anything: attempts and pauses are
 * all of its rows'. Times are seconds since 1970.
 */
#ifndef STORE_LOGOUT_DELIVERY_H
#define STORE_LOGOUT_DELIVERY_H

#include "store/db.h"

struct logout_delivery_row {
    const char *id; /* of a grant it was */
    const char *app, *account, *sid;
    int64_t attempts, next, created; /* next: not before */
};
/* Strings live until it returns. */
typedef void logout_delivery_fn(void *arg, const struct logout_delivery_row *row);

/* Of each app the oldest row. */
int logout_delivery_heads(struct db *db, logout_delivery_fn *each, void *arg, struct err *err)
    __attribute__((warn_unused_result));
/* Of one app the oldest rows, at most `max`. */
int logout_delivery_of_app(struct db *db, const char *app, int64_t max, logout_delivery_fn *each,
                           void *arg, struct err *err) __attribute__((warn_unused_result));
/* An attempt at an app was in vain: not before `next` again. -1 or 0. */
int logout_delivery_postpone(struct db *db, const char *app, int64_t next, struct err *err)
    __attribute__((warn_unused_result));
/* An app's rows that are as old as this; how many. */
int64_t logout_delivery_give_up(struct db *db, const char *app, int64_t created, struct err *err)
    __attribute__((warn_unused_result));
int logout_delivery_done(struct db *db, const char *id, struct err *err)
    __attribute__((warn_unused_result));

#endif
