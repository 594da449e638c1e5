/* SPDX-License-Identifier: Apache-2.0 */
/*
 * account_change: what is done to accounts that are there: unlinked, merged, disabled, deleted.
 * Each function belongs into one transaction with its audit row, and does all of it or nothing.
 * Sessions go here from the store only: once the transaction is durable the caller ends them in
 * memory too (sessions_end_account, sessions_end_identity). Roles are not looked at: who must not
 * lock out the last admin asks account_last_admin first, in the same transaction.
 */
#ifndef STORE_ACCOUNT_CHANGE_H
#define STORE_ACCOUNT_CHANGE_H

#include "store/account.h"

/* Which identity of which account. */
struct account_identity_key {
    const char *account, *provider, *subject;
};
/* The identity leads to the account no longer; sessions that came through it end, but the one with
 * the hash `but` (NULL: all do). 1; 0: the account has no such identity. ERR_CONFLICT: it is the
 * account's last one, without which nobody could sign in to it. */
int account_unlink(struct db *db, const struct account_identity_key *key, const unsigned char *but,
                   struct err *err) __attribute__((warn_unused_result));

/* Everything of `from` becomes `into`'s: identities, roles, API tokens; the sessions of `from` end
 * and the account is gone. 1; 0: one of them is not there. ERR_NOT_ALLOWED when either is disabled,
 * ERR_INVALID when they are the same. */
int account_merge(struct db *db, const char *into, const char *from, int64_t now, struct err *err)
    __attribute__((warn_unused_result));

struct account_disabling {
    int64_t now, until; /* 0: for good */
    const char *reason; /* for admins, never shown to the person */
};
/* Its sessions and API tokens end. Done again, it replaces what was said before. 1, or 0: there is
 * no such account. */
int account_disable(struct db *db, const char *account, const struct account_disabling *how,
                    struct err *err) __attribute__((warn_unused_result));
/* 1; 0: it was not disabled, or is not there. What ended does not come back. */
int account_enable(struct db *db, const char *account, struct err *err)
    __attribute__((warn_unused_result));

/* Gone with identities, sessions, roles, kept tokens and API tokens. `bar`: its identities cannot
 * come back. 1, or 0: there is no such account. */
int account_delete(struct db *db, const char *account, bool bar, int64_t now, struct err *err)
    __attribute__((warn_unused_result));

/* Whether it is the only account with the role "admin" that is not disabled: 1 or 0. */
int account_last_admin(struct db *db, const char *account, int64_t now, struct err *err)
    __attribute__((warn_unused_result));

#endif
