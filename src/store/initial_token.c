/* SPDX-License-Identifier: Apache-2.0 */
#include "store/initial_token.h"

int initial_token_add(struct db *db, const struct initial_token_row *row, struct err *err)
{
    struct db_stmt *st = db_named(db, "initial_token.add");
    db_text(st, 1, row->id);
    db_blob(st, 2, row->hash, sizeof row->hash);
    db_text(st, 3, row->name);
    db_text(st, 4, row->owner);
    db_int(st, 5, row->created);
    db_int(st, 6, row->expires);
    return db_run(st, err) < 0 ? -1 : 0;
}

int initial_token_use(struct db *db, const char *id, int64_t now, struct err *err)
{
    struct db_stmt *st = db_named(db, "initial_token.use");
    db_text(st, 1, id);
    db_int(st, 2, now);
    const int64_t n = db_run(st, err);
    return n < 0 ? -1 : n > 0;
}

int initial_token_drop(struct db *db, const char *id, struct err *err)
{
    struct db_stmt *st = db_named(db, "initial_token.drop");
    db_text(st, 1, id);
    const int64_t n = db_run(st, err);
    return n < 0 ? -1 : n > 0;
}

int64_t initial_token_sweep(struct db *db, int64_t now, struct err *err)
{
    struct db_stmt *st = db_named(db, "initial_token.sweep");
    db_int(st, 1, now);
    return db_run(st, err);
}

static int read_row(struct db_stmt *st, struct initial_token_row *row, struct err *err)
{
    const struct str hash = db_col_blob(st, 1);
    if (hash.n != sizeof row->hash)
        return err_set(err, ERR_INTERNAL, "a stored token's hash is not 32 bytes long");
    memcpy(row->hash, hash.p, sizeof row->hash);
    row->id = db_col_text(st, 0);
    row->name = db_col_text(st, 2);
    row->owner = db_col_null(st, 3) ? NULL : db_col_text(st, 3);
    row->created = db_col_int(st, 4);
    row->expires = db_col_int(st, 5);
    row->used = db_col_null(st, 6) ? 0 : db_col_int(st, 6);
    return 0;
}

int initial_token_each(struct db *db,
                       int (*each)(void *arg, const struct initial_token_row *row, struct err *err),
                       void *arg, struct err *err)
{
    struct db_stmt *st = db_named(db, "initial_token.all");
    struct initial_token_row row;
    int rc;
    while ((rc = db_step(st, err)) == 1)
        if (read_row(st, &row, err) < 0 || each(arg, &row, err) < 0) {
            db_end(st);
            return -1;
        }
    return rc;
}
