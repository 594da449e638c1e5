/* SPDX-License-Identifier: Apache-2.0 */
#include "store/access_token.h"

#define PAGE 500 /* rows held at once by a driver that cannot stream */

static void bind_row(struct db_stmt *st, const struct access_token_row *row)
{
    db_blob(st, 1, row->hash, sizeof row->hash);
    db_text(st, 2, row->grant);
    db_text(st, 3, row->app);
    db_text(st, 4, row->account);
    db_text(st, 5, row->scopes);
    db_text(st, 6, row->resource);
    db_text(st, 7, row->more);
    db_int(st, 8, row->created);
    db_int(st, 9, row->expires);
}

int access_token_add(struct db *db, const struct access_token_row *row, struct err *err)
{
    struct db_stmt *st = db_named(db, "access_token.add");
    bind_row(st, row);
    return db_run(st, err) < 0 ? -1 : 0;
}

int access_token_end(struct db *db, const struct access_token_row *row, struct err *err)
{
    struct db_stmt *st = db_named(db, "access_token.end");
    bind_row(st, row);
    db_int(st, 10, row->ended);
    return db_run(st, err) < 0 ? -1 : 0;
}

int64_t access_token_drop_of(struct db *db, const char *grant, struct err *err)
{
    struct db_stmt *st = db_named(db, "access_token.drop_of");
    db_text(st, 1, grant);
    return db_run(st, err);
}

/* The strings stay the statement's. */
static int read_row(struct db_stmt *st, struct access_token_row *row, struct err *err)
{
    const struct str hash = db_col_blob(st, 0);
    if (hash.n != sizeof row->hash)
        return err_set(err, ERR_INTERNAL, "a stored token's hash is not 32 bytes long");
    memcpy(row->hash, hash.p, sizeof row->hash);
    row->grant = db_col_text(st, 1);
    row->app = db_col_text(st, 2);
    row->account = db_col_text(st, 3);
    row->scopes = db_col_text(st, 4);
    row->resource = db_col_text(st, 5);
    row->more = db_col_text(st, 6);
    row->created = db_col_int(st, 7);
    row->expires = db_col_int(st, 8);
    row->ended = db_col_null(st, 9) ? 0 : db_col_int(st, 9);
    row->first = db_col_text(st, 10);
    return 0;
}

int access_token_get(struct db *db, const unsigned char hash[32], struct arena *a,
                     struct access_token_row *out, struct err *err)
{
    struct db_stmt *st = db_named(db, "access_token.get");
    db_blob(st, 1, hash, 32);
    int rc = db_step(st, err);
    if (rc != 1)
        return rc;
    if (read_row(st, out, err) < 0) {
        db_end(st);
        return -1;
    }
    const char **texts[] = {&out->grant,  &out->app,      &out->first, &out->account,
                            &out->scopes, &out->resource, &out->more};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (*texts[i])
            *texts[i] = arena_dup(a, *texts[i]);
    db_end(st);
    return 1;
}

int access_token_each(struct db *db, int64_t now,
                      int (*each)(void *arg, const struct access_token_row *row, struct err *err),
                      void *arg, struct err *err)
{
    struct access_token_row row = {.ended = 0};
    size_t from = 0; /* how much of `row.hash` bounds the page: nothing, then all of it */

    for (int64_t n = PAGE; n == PAGE; from = sizeof row.hash) {
        unsigned char last[sizeof row.hash];
        memcpy(last, row.hash, sizeof last);
        struct db_stmt *st = db_named(db, "access_token.page");
        db_blob(st, 1, last, from);
        db_int(st, 2, now);
        db_int(st, 3, PAGE);
        int rc;
        for (n = 0; (rc = db_step(st, err)) == 1; n++) {
            if (read_row(st, &row, err) < 0 || each(arg, &row, err) < 0) {
                db_end(st);
                return -1;
            }
        }
        if (rc < 0)
            return -1;
    }
    return 0;
}

int64_t access_token_sweep(struct db *db, int64_t now, int64_t max, struct err *err)
{
    struct db_stmt *st = db_named(db, "access_token.sweep");
    db_int(st, 1, now);
    db_int(st, 2, max);
    return db_run(st, err);
}
