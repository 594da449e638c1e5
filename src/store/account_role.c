/* SPDX-License-Identifier: Apache-2.0 */
#include "store/account_role.h"

#include "base/json.h"

#define PERMISSIONS_MAX (64u * 1024) /* bytes of JSON */

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

static bool holds(const struct jval *list, const char *name)
{
    for (size_t i = 0; i < jval_count(list); i++)
        if (strcmp(jval_text(jval_item(list, i)), name) == 0)
            return true;
    return false;
}

static void add_all(struct jval *all, const char *list)
{
    struct jval *more = jval_list(list);
    for (size_t i = 0; i < jval_count(more); i++) {
        const char *name = jval_text(jval_item(more, i));
        if (name && !holds(all, name))
            jval_push(all, jval_new_text(name));
    }
    jval_free(&more);
}

static const char *text_of(const struct jval *list, struct arena *a)
{
    struct buf text;
    buf_init(&text, PERMISSIONS_MAX);
    jval_render(list, &text);
    const char *out = buf_ok(&text) ? arena_dupn(a, text.p, text.n) : NULL;
    buf_deinit(&text);
    return out;
}

int account_permissions(struct db *db, const char *account, struct arena *a, const char **out,
                        struct err *err)
{
    struct jval *all = jval_new_array();
    struct db_stmt *st = db_named(db, "account_role.permissions");
    int rc;
    db_text(st, 1, account);
    while ((rc = db_step(st, err)) == 1)
        add_all(all, db_col_text(st, 0));
    *out = NULL;
    if (rc == 0 && jval_count(all) > 0 && !(*out = text_of(all, a)))
        rc = err_set(err, ERR_LIMITED, "roles of one account allow more than fits");
    jval_free(&all);
    return rc;
}
