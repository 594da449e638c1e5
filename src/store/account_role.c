/* SPDX-License-Identifier: Apache-2.0 */
#include "store/account_role.h"

static int one_or_none(struct db_stmt *st, struct err *err)
{
    int64_t n = db_run(st, err);
    return n < 0 ? -1 : n > 0;
}

int account_role_grant(struct db *db, const struct account_role_row *row, struct err *err)
{
    struct db_stmt *st = db_named(db, "account_role.grant");
    db_text(st, 1, row->account);
    db_text(st, 2, row->role);
    db_int(st, 3, row->since);
    return one_or_none(st, err);
}

int account_role_revoke(struct db *db, const char *account, const char *role, struct err *err)
{
    struct db_stmt *st = db_named(db, "account_role.revoke");
    db_text(st, 1, account);
    db_text(st, 2, role);
    return one_or_none(st, err);
}

int account_roles(struct db *db, const char *account, struct arena *a, const char **out,
                  struct err *err)
{
    struct db_stmt *st = db_named(db, "account_role.of");
    db_text(st, 1, account);
    *out = NULL;
    int rc = db_step(st, err);
    if (rc != 1)
        return rc; /* an aggregate always has its row */
    const char *list = db_col_text(st, 0);
    if (list && strcmp(list, "[]") != 0)
        *out = arena_dup(a, list);
    db_end(st);
    return 0;
}
