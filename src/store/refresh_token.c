/* SPDX-License-Identifier: Apache-2.0 */
#include "store/refresh_token.h"

int refresh_token_add(struct db *db, const struct refresh_token_row *row, struct err *err)
{
    struct db_stmt *st = db_named(db, "refresh_token.add");
    db_blob(st, 1, row->hash, sizeof row->hash);
    db_text(st, 2, row->grant);
    db_int(st, 3, row->created);
    db_int(st, 4, row->expires);
    return db_run(st, err) < 0 ? -1 : 0;
}

int refresh_token_get(struct db *db, const unsigned char hash[32], struct arena *a,
                      struct refresh_token_row *out, struct err *err)
{
    struct db_stmt *st = db_named(db, "refresh_token.get");
    db_blob(st, 1, hash, 32);
    const int rc = db_step(st, err);
    if (rc != 1)
        return rc;
    *out = (struct refresh_token_row){
        .grant = arena_dup(a, db_col_text(st, 0)),
        .created = db_col_int(st, 1),
        .expires = db_col_int(st, 2),
        .used = db_col_null(st, 3) ? 0 : db_col_int(st, 3),
    };
    if (!db_col_null(st, 4)) {
        const struct str sealed = db_col_blob(st, 4);
        out->successor = (struct str){arena_dupn(a, sealed.p, sealed.n), sealed.n};
    }
    memcpy(out->hash, hash, sizeof out->hash);
    db_end(st);
    return 1;
}

int refresh_token_use(struct db *db, const unsigned char hash[32], int64_t now,
                      struct str successor, struct err *err)
{
    struct db_stmt *st = db_named(db, "refresh_token.use");
    db_blob(st, 1, hash, 32);
    db_int(st, 2, now);
    db_blob(st, 3, successor.p, successor.n);
    const int64_t n = db_run(st, err);
    return n < 0 ? -1 : n > 0;
}

static int64_t bounded(struct db_stmt *st, int64_t at, int64_t max, struct err *err)
{
    db_int(st, 1, at);
    db_int(st, 2, max);
    return db_run(st, err);
}

int64_t refresh_token_forget(struct db *db, int64_t before, int64_t max, struct err *err)
{
    return bounded(db_named(db, "refresh_token.forget"), before, max, err);
}

int64_t refresh_token_sweep(struct db *db, int64_t now, int64_t max, struct err *err)
{
    return bounded(db_named(db, "refresh_token.sweep"), now, max, err);
}
