/* SPDX-License-Identifier: Apache-2.0 */
/*
 * logout_delivery: apps that are to be told that somebody's session is over (OpenID Connect
 * Back-Channel Logout 1.0), one row for each app and session, until it was told or given up. Rows
 * are written in the transaction that ends the grants, before it ends them: nothing else says
 * which apps there were. They stay when the account goes. Times are seconds since 1970.
 */
#ifndef STORE_LOGOUT_DELIVERY_H
#define STORE_LOGOUT_DELIVERY_H

#include "store/db.h"

struct logout_delivery_row {
    const char *id; /* of a grant it was */
    const char *app, *account, *sid;
    int64_t attempts, next, created; /* next: not before */
};

/* For all grants that stand, of a session or of an account; how many rows. */
int64_t logout_delivery_of_session(struct db *db, const char *session, int64_t now, struct err *err)
    __attribute__((warn_unused_result));
int64_t logout_delivery_of_account(struct db *db, const char *account, int64_t now, struct err *err)
    __attribute__((warn_unused_result));
/* At most `max`, the soonest first; strings live until `each` returns. */
int logout_delivery_each(struct db *db, int64_t max,
                         void (*each)(void *arg, const struct logout_delivery_row *row), void *arg,
                         struct err *err) __attribute__((warn_unused_result));
/* One attempt more, and not before `next` again. -1 or 0. */
int logout_delivery_postpone(struct db *db, const char *id, int64_t next, struct err *err)
    __attribute__((warn_unused_result));
int logout_delivery_done(struct db *db, const char *id, struct err *err)
    __attribute__((warn_unused_result));

#endif
