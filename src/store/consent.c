/* SPDX-License-Identifier: Apache-2.0 */
#include "store/consent.h"

#define TERMS 32

int consent_put(struct db *db, const struct consent_row *row, struct err *err)
{
    struct db_stmt *st = db_named(db, "consent.put");
    db_text(st, 1, row->account);
    db_text(st, 2, row->app);
    db_text(st, 3, row->scopes);
    db_text(st, 4, row->claims);
    if (row->terms)
        db_blob(st, 5, row->terms, TERMS);
    else
        db_text(st, 5, NULL);
    db_int(st, 6, row->created);
    db_int(st, 7, row->changed);
    return db_run(st, err) < 0 ? -1 : 0;
}

static int read_row(struct db_stmt *st, struct consent_row *row, struct err *err)
{
    const struct str terms = db_col_null(st, 4) ? (struct str){NULL, 0} : db_col_blob(st, 4);
    if (terms.p && terms.n != TERMS)
        return err_set(err, ERR_INTERNAL, "a consent's terms are not 32 bytes long");
    *row = (struct consent_row){
        .account = db_col_text(st, 0),
        .app = db_col_text(st, 1),
        .scopes = db_col_text(st, 2),
        .claims = db_col_text(st, 3),
        .terms = (const unsigned char *)terms.p,
        .created = db_col_int(st, 5),
        .changed = db_col_int(st, 6),
    };
    return 0;
}

int consent_get(struct db *db, const char *account, const char *app, struct arena *a,
                struct consent_row *out, struct err *err)
{
    struct db_stmt *st = db_named(db, "consent.get");
    db_text(st, 1, account);
    db_text(st, 2, app);
    int rc = db_step(st, err);
    if (rc != 1)
        return rc;
    if ((rc = read_row(st, out, err)) == 0) {
        out->account = arena_dup(a, out->account);
        out->app = arena_dup(a, out->app);
        out->scopes = arena_dup(a, out->scopes);
        out->claims = out->claims ? arena_dup(a, out->claims) : NULL;
        if (out->terms)
            out->terms = (const unsigned char *)arena_dupn(a, (const char *)out->terms, TERMS);
        rc = 1;
    }
    db_end(st);
    return rc;
}

int consent_drop(struct db *db, const char *account, const char *app, struct err *err)
{
    struct db_stmt *st = db_named(db, "consent.drop");
    db_text(st, 1, account);
    db_text(st, 2, app);
    const int64_t n = db_run(st, err);
    return n < 0 ? -1 : n > 0;
}

int consent_each(struct db *db, const char *account,
                 int (*each)(void *arg, const struct consent_row *row, struct err *err), void *arg,
                 struct err *err)
{
    struct db_stmt *st = db_named(db, "consent.all");
    struct consent_row row;
    int rc;
    db_text(st, 1, account);
    while ((rc = db_step(st, err)) == 1) {
        if (read_row(st, &row, err) < 0 || each(arg, &row, err) < 0) {
            db_end(st);
            return -1;
        }
    }
    return rc;
}

int consent_move(struct db *db, const char *from, const char *to, struct err *err)
{
    struct db_stmt *st = db_named(db, "consent.move");
    db_text(st, 1, from);
    db_text(st, 2, to);
    return db_run(st, err) < 0 ? -1 : 0;
}
