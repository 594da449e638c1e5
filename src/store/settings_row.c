/* SPDX-License-Identifier: Apache-2.0 */
#include "store/settings_row.h"

static const struct {
    const char *add, *set, *drop, *get, *all;
} names[] = {
    [SETTINGS_PROVIDER] = {"provider_row.add", "provider_row.set", "provider_row.drop",
                           "provider_row.get", "provider_row.all"},
    [SETTINGS_APP] = {"app_row.add", "app_row.set", "app_row.drop", "app_row.get", "app_row.all"},
};

static int one_or_none(struct db_stmt *st, struct err *err)
{
    int64_t n = db_run(st, err);
    return n < 0 ? -1 : n > 0;
}

int settings_row_add(struct db *db, enum settings_table table, const struct settings_row *row,
                     struct err *err)
{
    struct db_stmt *st = db_named(db, names[table].add);
    db_text(st, 1, row->id);
    db_text(st, 2, row->settings);
    db_int(st, 3, row->version);
    db_int(st, 4, row->created);
    db_int(st, 5, row->changed);
    return one_or_none(st, err);
}

int settings_row_set(struct db *db, enum settings_table table, const struct settings_row *row,
                     int64_t was, struct err *err)
{
    struct db_stmt *st = db_named(db, names[table].set);
    db_text(st, 1, row->id);
    db_text(st, 2, row->settings);
    db_int(st, 3, row->version);
    db_int(st, 4, row->changed);
    db_int(st, 5, was);
    return one_or_none(st, err);
}

int settings_row_drop(struct db *db, enum settings_table table, const char *id, int64_t was,
                      struct err *err)
{
    struct db_stmt *st = db_named(db, names[table].drop);
    db_text(st, 1, id);
    db_int(st, 2, was);
    return one_or_none(st, err);
}

/* The strings stay the statement's. */
static void read_row(struct db_stmt *st, struct settings_row *row)
{
    row->id = db_col_text(st, 0);
    row->settings = db_col_text(st, 1);
    row->version = db_col_int(st, 2);
    row->created = db_col_int(st, 3);
    row->changed = db_col_int(st, 4);
    row->registered = db_col_null(st, 5) ? 0 : db_col_int(st, 5);
}

int settings_row_get(struct db *db, enum settings_table table, const char *id, struct arena *a,
                     struct settings_row *out, struct err *err)
{
    struct db_stmt *st = db_named(db, names[table].get);
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

int settings_row_each(struct db *db, enum settings_table table,
                      int (*each)(void *arg, const struct settings_row *row, struct err *err),
                      void *arg, struct err *err)
{
    struct db_stmt *st = db_named(db, names[table].all);
    struct settings_row row;
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
