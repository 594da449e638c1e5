/* SPDX-License-Identifier: Apache-2.0 */
/*
 * record: the audit rows of what people do with their accounts. They name accounts by id and
 * identities by handle (store/account.h), never anybody by name or address. Inside the transaction
 * of what they tell.
 */
#ifndef LOGIN_RECORD_H
#define LOGIN_RECORD_H

#include "store/account.h"

struct record_row {
    const char *action;             /* "identity.link" */
    const char *account;            /* who did it, and to what unless `object` says otherwise */
    const char *object;             /* another account; NULL: the same */
    const char *other;              /* an account that has to do with it; NULL */
    const char *provider, *subject; /* the identity; NULL: none */
    const char *how;                /* in a word of ours; NULL */
    const char *ip, *user_agent, *request_id; /* NULL: unknown */
    int64_t at;                               /* seconds since 1970 */
};
int record_add(struct db *db, const struct record_row *r, struct err *err)
    __attribute__((warn_unused_result));

#endif
