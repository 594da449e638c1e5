/* SPDX-License-Identifier: Apache-2.0 */
/*
 * account_role: which roles accounts have; what those allow is in store/role.h. Functions run
 * inside a transaction, on its thread.
 */
#ifndef STORE_ACCOUNT_ROLE_H
#define STORE_ACCOUNT_ROLE_H

#include "base/arena.h"
#include "store/db.h"

#define ROLE_ADMIN "admin"

struct account_role_row {
    const char *account, *role;
    int64_t since; /* seconds since 1970 */
};

/* 1, or 0: the account has it already. The account must be there (account_look). */
int account_role_grant(struct db *db, const struct account_role_row *row, struct err *err)
    __attribute__((warn_unused_result));
/* 1, or 0: it did not have it. */
int account_role_revoke(struct db *db, const char *account, const char *role, struct err *err)
    __attribute__((warn_unused_result));
/* An account's roles into *out: a JSON array in the arena, NULL for none. */
int account_roles(struct db *db, const char *account, struct arena *a, const char **out,
                  struct err *err) __attribute__((warn_unused_result));
/* What those allow, each once, in the order of roles' names; likewise. */
int account_permissions(struct db *db, const char *account, struct arena *a, const char **out,
                        struct err *err) __attribute__((warn_unused_result));

#endif
