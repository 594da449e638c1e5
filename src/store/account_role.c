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

int account_role_each(struct db *db,
                      int (*each)(void *arg, const struct account_role_row *row, struct err *err),
                      void *arg, struct err *err)
{
    struct db_stmt *st = db_named(db, "account_role.all");
    int rc;
    while ((rc = db_step(st, err)) == 1) {
        const struct account_role_row row = {db_col_text(st, 0), db_col_text(st, 1),
                                             db_col_int(st, 2)};
        if (each(arg, &row, err) < 0) {
            db_end(st);
            return -1;
        }
    }
    return rc;
}

static const char *keep(struct arena *a, const char *text)
{
    return text ? arena_dup(a, text) : NULL;
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
    *out = keep(a, db_col_text(st, 0));
    db_end(st);
    return 0;
}

int account_person(struct db *db, const char *account, struct arena *a, struct account_person *out,
                   struct err *err)
{
    struct db_stmt *st = db_named(db, "account_role.person");
    db_text(st, 1, account);
    int rc = db_step(st, err);
    if (rc != 1)
        return rc;
    out->provider = keep(a, db_col_text(st, 0));
    out->username = keep(a, db_col_text(st, 1));
    out->name = keep(a, db_col_text(st, 2));
    out->email = keep(a, db_col_text(st, 3));
    out->last_seen = db_col_null(st, 4) ? 0 : db_col_int(st, 4);
    db_end(st);
    return 1;
}
