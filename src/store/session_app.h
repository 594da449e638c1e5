/* SPDX-License-Identifier: Apache-2.0 */
/*
 * session_app: apps that a person signed in to with a session and that want to hear when it is over
 * (OpenID Connect Back-Channel Logout 1.0): one row for each session, app, and name the app knows
 * the session by. Grants may be over long before; these rows stay until the session ends, and turn
 * into rows of logout_delivery in the transaction that ends it. Functions run inside a transaction,
 * on its thread; times are seconds since 1970.
 */
#ifndef STORE_SESSION_APP_H
#define STORE_SESSION_APP_H

#include "store/db.h"

#define SESSION_APP_ID 22 /* of a session: a rng_id */

struct session_app_row {
    const char *session, *account;
    const char *app, *sid;
    const char *id; /* of the grant that came first; becomes the delivery's */
};
/* What is there already is fine. */
int session_app_add(struct db *db, const struct session_app_row *row, struct err *err)
    __attribute__((warn_unused_result));
/* 1: there is one; 0. */
int session_app_any(struct db *db, struct err *err) __attribute__((warn_unused_result));
/* The person goes on in another session; how many rows. */
int64_t session_app_follow(struct db *db, const char *session, const char *next, struct err *err)
    __attribute__((warn_unused_result));
/* Over: all of its apps, or of an account's, are to be told; how many. */
int64_t session_app_over(struct db *db, const char *session, int64_t now, struct err *err)
    __attribute__((warn_unused_result));
int64_t session_app_over_account(struct db *db, const char *account, int64_t now, struct err *err)
    __attribute__((warn_unused_result));

/* Sessions that went without a word: they ran out, or the process died between two transactions.
 * Looks at the next `max` sessions; one that is missing for SESSION_APP_MISSING seconds is over. A
 * session that was renewed is missing until its apps have followed. */
#define SESSION_APP_MISSING 60
#define SESSION_APP_PAGE 256
struct session_app_sweep {
    char after[SESSION_APP_ID + 1]; /* "": from the beginning; where to go on, afterwards */
    int64_t told;                   /* rows that are deliveries now */
};
int session_app_sweep(struct db *db, int64_t now, struct session_app_sweep *s, struct err *err)
    __attribute__((warn_unused_result));

#endif
