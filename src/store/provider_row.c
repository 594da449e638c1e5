/* SPDX-License-Identifier: Apache-2.0 */
#include "store/provider_row.h"

static int one_or_none(struct db_stmt *st, struct err *err)
{
    int64_t n = db_run(st, err);
    return n < 0 ? -1 : n > 0;
}

int provider_row_add(struct db *db, const struct provider_row *row, struct err *err)
{
    struct db_stmt *st = db_named(db, "provider_row.add");
    db_text(st, 1, row->id);
    db_text(st, 2, row->settings);
    db_int(st, 3, row->version);
    db_int(st, 4, row->created);
    db_int(st, 5, row->changed);
    return one_or_none(st, err);
}

int provider_row_set(struct db *db, const struct provider_row *row, int64_t was, struct err *err)
{
    struct db_stmt *st = db_named(db, "provider_row.set");
    db_text(st, 1, row->id);
    db_text(st, 2, row->settings);
    db_int(st, 3, row->version);
    db_int(st, 4, row->changed);
    db_int(st, 5, was);
    return one_or_none(st, err);
}

int provider_row_drop(struct db *db, const char *id, int64_t was, struct err *err)
{
    struct db_stmt *st = db_named(db, "provider_row.drop");
    db_text(st, 1, id);
    db_int(st, 2, was);
    return one_or_none(st, err);
}

/* The strings stay the statement's. */
static void read_row(struct db_stmt *st, struct provider_row *row)
{
    row->id = db_col_text(st, 0);
    row->settings = db_col_text(st, 1);
    row->version = db_col_int(st, 2);
    row->created = db_col_int(st, 3);
    row->changed = db_col_int(st, 4);
}

int provider_row_get(struct db *db, const char *id, struct arena *a, struct provider_row *out,
                     struct err *err)
{
    struct db_stmt *st = db_named(db, "provider_row.get");
    db_text(st, 1, id);
    int rc = db_step(st, err);
    if (rc != 1)
        return rc;
    read_row(st, out);
    out->id = arena_dup(a, out->id);
    out->settings = arena_dup(a, out->settings);
    db_end(st);
    return 1;
}

int provider_row_each(struct db *db,
                      int (*each)(void *arg, const struct provider_row *row, struct err *err),
                      void *arg, struct err *err)
{
    struct db_stmt *st = db_named(db, "provider_row.all");
    struct provider_row row;
    int rc;
    while ((rc = db_step(st, err)) == 1) {
        read_row(st, &row);
        if (each(arg, &row, err) < 0) {
            db_end(st);
            return -1;
        }
    }
    return rc;
}

int provider_row_people(struct db *db, const char *id, struct provider_people *out, struct err *err)
{
    struct db_stmt *st = db_named(db, "provider_row.people");
    db_text(st, 1, id);
    if (db_step(st, err) != 1)
        return err_set(err, ERR_INTERNAL, "the people of a provider cannot be counted");
    out->accounts = db_col_int(st, 0);
    out->sessions = db_col_int(st, 1);
    db_end(st);
    return 0;
}
