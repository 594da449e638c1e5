/* SPDX-License-Identifier: Apache-2.0 */
#include "store/authorization_code.h"

int authorization_code_add(struct db *db, const struct authorization_code_row *row, struct err *err)
{
    struct db_stmt *st = db_named(db, "authorization_code.add");
    db_blob(st, 1, row->hash, sizeof row->hash);
    db_text(st, 2, row->grant);
    db_text(st, 3, row->redirect_uri);
    db_text(st, 4, row->challenge);
    db_text(st, 5, row->nonce);
    db_text(st, 6, row->claims);
    db_int(st, 7, row->expires);
    return db_run(st, err) < 0 ? -1 : 0;
}

static const char *kept(struct arena *a, const char *text)
{
    return text ? arena_dup(a, text) : NULL;
}

int authorization_code_get(struct db *db, const unsigned char hash[32], struct arena *a,
                           struct authorization_code_row *out, struct err *err)
{
    struct db_stmt *st = db_named(db, "authorization_code.get");
    db_blob(st, 1, hash, 32);
    const int rc = db_step(st, err);
    if (rc != 1)
        return rc;
    *out = (struct authorization_code_row){
        .grant = kept(a, db_col_text(st, 0)),
        .redirect_uri = kept(a, db_col_text(st, 1)),
        .challenge = kept(a, db_col_text(st, 2)),
        .nonce = kept(a, db_col_text(st, 3)),
        .claims = kept(a, db_col_text(st, 4)),
        .expires = db_col_int(st, 5),
        .used = db_col_null(st, 6) ? 0 : db_col_int(st, 6),
    };
    memcpy(out->hash, hash, sizeof out->hash);
    db_end(st);
    return 1;
}

int authorization_code_use(struct db *db, const unsigned char hash[32], int64_t now,
                           struct arena *a, struct authorization_code_row *out, struct err *err)
{
    struct db_stmt *st = db_named(db, "authorization_code.use");
    db_blob(st, 1, hash, 32);
    db_int(st, 2, now);
    const int64_t first = db_run(st, err);
    if (first < 0)
        return -1;
    const int rc = authorization_code_get(db, hash, a, out, err);
    if (rc == 1 && first > 0)
        out->used = 0;
    return rc;
}

int64_t authorization_code_sweep(struct db *db, int64_t now, int64_t max, struct err *err)
{
    struct db_stmt *st = db_named(db, "authorization_code.sweep");
    db_int(st, 1, now);
    db_int(st, 2, max);
    return db_run(st, err);
}
