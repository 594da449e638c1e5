/* SPDX-License-Identifier: Apache-2.0 */
#include "store/api_token.h"

int api_token_add(struct db *db, const struct api_token_row *row, struct err *err)
{
    struct db_stmt *st = db_named(db, "api_token.add");
    db_text(st, 1, row->id);
    db_blob(st, 2, row->hash, sizeof row->hash);
    db_text(st, 3, row->name);
    db_text(st, 4, row->scopes);
    db_int(st, 5, row->created);
    if (row->expires > 0)
        db_int(st, 6, row->expires);
    else
        db_text(st, 6, NULL);
    db_text(st, 7, row->owner);
    return db_run(st, err) < 0 ? -1 : 0;
}

int api_token_drop(struct db *db, const char *id, struct err *err)
{
    struct db_stmt *st = db_named(db, "api_token.drop");
    db_text(st, 1, id);
    int64_t n = db_run(st, err);
    return n < 0 ? -1 : n > 0;
}

int api_token_drop_of(struct db *db, const char *account, struct err *err)
{
    struct db_stmt *st = db_named(db, "api_token.drop_of");
    db_text(st, 1, account);
    return db_run(st, err) < 0 ? -1 : 0;
}

int api_token_touch(struct db *db, const char *id, int64_t used, struct err *err)
{
    struct db_stmt *st = db_named(db, "api_token.touch");
    db_text(st, 1, id);
    db_int(st, 2, used);
    return db_run(st, err) < 0 ? -1 : 0;
}

static int read_row(struct db_stmt *st, struct api_token_row *row, struct err *err)
{
    struct str hash = db_col_blob(st, 1);
    if (hash.n != sizeof row->hash)
        return err_set(err, ERR_INTERNAL, "a stored token's hash is not 32 bytes long");
    memcpy(row->hash, hash.p, sizeof row->hash);
    row->id = db_col_text(st, 0);
    row->name = db_col_text(st, 2);
    row->scopes = db_col_text(st, 3);
    row->created = db_col_int(st, 4);
    row->expires = db_col_null(st, 5) ? 0 : db_col_int(st, 5);
    row->last_used = db_col_null(st, 6) ? 0 : db_col_int(st, 6);
    row->owner = db_col_null(st, 7) ? NULL : db_col_text(st, 7);
    return 0;
}

int api_token_each(struct db *db,
                   int (*each)(void *arg, const struct api_token_row *row, struct err *err),
                   void *arg, struct err *err)
{
    struct db_stmt *st = db_named(db, "api_token.all");
    struct api_token_row row;
    int rc;
    while ((rc = db_step(st, err)) == 1) {
        if (read_row(st, &row, err) < 0 || each(arg, &row, err) < 0) {
            db_end(st);
            return -1;
        }
    }
    return rc;
}
