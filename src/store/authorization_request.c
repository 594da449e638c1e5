/* SPDX-License-Identifier: Apache-2.0 */
#include "store/authorization_request.h"

int authorization_request_add(struct db *db, const struct authorization_request_row *row,
                              struct err *err)
{
    struct db_stmt *st = db_named(db, "authorization_request.add");
    db_blob(st, 1, row->hash, sizeof row->hash);
    db_text(st, 2, row->app);
    db_text(st, 3, row->kind);
    db_text(st, 4, row->params);
    if (row->bind)
        db_blob(st, 5, row->bind, 32);
    else
        db_text(st, 5, NULL);
    db_int(st, 6, row->created);
    db_int(st, 7, row->expires);
    return db_run(st, err) < 0 ? -1 : 0;
}

int authorization_request_get(struct db *db, const unsigned char hash[32], int64_t now,
                              struct arena *a, struct authorization_request_row *out,
                              struct err *err)
{
    struct db_stmt *st = db_named(db, "authorization_request.get");
    db_blob(st, 1, hash, 32);
    db_int(st, 2, now);
    int rc = db_step(st, err);
    if (rc != 1)
        return rc;
    const struct str bind = db_col_null(st, 3) ? (struct str){NULL, 0} : db_col_blob(st, 3);
    *out = (struct authorization_request_row){
        .app = arena_dup(a, db_col_text(st, 0)),
        .kind = arena_dup(a, db_col_text(st, 1)),
        .params = arena_dup(a, db_col_text(st, 2)),
        .created = db_col_int(st, 4),
        .expires = db_col_int(st, 5),
    };
    memcpy(out->hash, hash, 32);
    if (bind.p && bind.n != 32)
        rc = err_set(err, ERR_INTERNAL, "a stored binding is not 32 bytes long");
    else if (bind.p)
        out->bind = (const unsigned char *)arena_dupn(a, bind.p, bind.n);
    db_end(st);
    return rc;
}

int authorization_request_drop(struct db *db, const unsigned char hash[32], struct err *err)
{
    struct db_stmt *st = db_named(db, "authorization_request.drop");
    db_blob(st, 1, hash, 32);
    const int64_t n = db_run(st, err);
    return n < 0 ? -1 : n > 0;
}

int64_t authorization_request_count(struct db *db, struct err *err)
{
    struct db_stmt *st = db_named(db, "authorization_request.count");
    if (db_step(st, err) != 1)
        return -1;
    const int64_t n = db_col_int(st, 0);
    db_end(st);
    return n;
}

int64_t authorization_request_sweep(struct db *db, int64_t now, int64_t max, struct err *err)
{
    struct db_stmt *st = db_named(db, "authorization_request.sweep");
    db_int(st, 1, now);
    db_int(st, 2, max);
    return db_run(st, err);
}
