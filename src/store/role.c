/* SPDX-License-Identifier: Apache-2.0 */
#include "store/role.h"

/* The strings stay the statement's. */
static struct role_row read_row(struct db_stmt *st)
{
    return (struct role_row){.name = db_col_text(st, 0),
                             .permissions = db_col_text(st, 1),
                             .description = db_col_text(st, 2),
                             .version = db_col_int(st, 3),
                             .created = db_col_int(st, 4),
                             .changed = db_col_int(st, 5)};
}

int role_each(struct db *db, role_each_fn *each, void *arg, struct err *err)
{
    struct db_stmt *st = db_named(db, "role.all");
    int rc;
    while ((rc = db_step(st, err)) == 1) {
        const struct role_row row = read_row(st);
        if (each(arg, &row, db_col_int(st, 6), err) < 0) {
            db_end(st);
            return -1;
        }
    }
    return rc;
}

int role_get(struct db *db, const char *name, struct arena *a, struct role_row *out,
             struct err *err)
{
    struct db_stmt *st = db_named(db, "role.get");
    db_text(st, 1, name);
    int rc = db_step(st, err);
    if (rc != 1)
        return rc;
    *out = read_row(st);
    out->name = arena_dup(a, out->name);
    out->permissions = arena_dup(a, out->permissions);
    out->description = arena_dup(a, out->description);
    db_end(st);
    return 1;
}

int role_put(struct db *db, const struct role_row *row, struct err *err)
{
    struct db_stmt *st = db_named(db, "role.put");
    db_text(st, 1, row->name);
    db_text(st, 2, row->permissions);
    db_text(st, 3, row->description);
    db_int(st, 4, row->version);
    db_int(st, 5, row->created);
    db_int(st, 6, row->changed);
    return db_run(st, err) < 0 ? -1 : 0;
}

static int64_t run_on(struct db *db, const char *statement, const char *name, struct err *err)
{
    struct db_stmt *st = db_named(db, statement);
    db_text(st, 1, name);
    return db_run(st, err);
}

int role_drop(struct db *db, const char *name, struct err *err)
{
    const int64_t n = run_on(db, "role.drop", name, err);
    return n < 0 ? -1 : n > 0;
}

int64_t role_take_from_all(struct db *db, const char *name, struct err *err)
{
    return run_on(db, "role.take_from_all", name, err);
}

/* Of a statement that has one row with a number. */
static int64_t number(struct db_stmt *st, struct err *err)
{
    if (db_step(st, err) != 1)
        return -1;
    const int64_t n = db_col_int(st, 0);
    db_end(st);
    return n;
}

int64_t role_count(struct db *db, struct err *err)
{
    return number(db_named(db, "role.count"), err);
}

int64_t role_holder_count(struct db *db, const char *name, struct err *err)
{
    struct db_stmt *st = db_named(db, "role.holder_count");
    db_text(st, 1, name);
    return number(st, err);
}

int role_each_holder(struct db *db, const char *name, int64_t max,
                     int (*each)(void *arg, const struct role_holder *h, struct err *err),
                     void *arg, struct err *err)
{
    struct db_stmt *st = db_named(db, "role.holders");
    db_text(st, 1, name);
    db_int(st, 2, max);
    int rc;
    while ((rc = db_step(st, err)) == 1) {
        const struct role_holder h = {.account = db_col_text(st, 0),
                                      .since = db_col_int(st, 1),
                                      .provider = db_col_text(st, 2),
                                      .username = db_col_text(st, 3),
                                      .name = db_col_text(st, 4),
                                      .email = db_col_text(st, 5)};
        if (each(arg, &h, err) < 0) {
            db_end(st);
            return -1;
        }
    }
    return rc;
}
