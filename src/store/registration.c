/* SPDX-License-Identifier: Apache-2.0 */
#include "store/registration.h"

int registration_add(struct db *db, const struct registration_row *row, struct err *err)
{
    struct db_stmt *st = db_named(db, "registration.add");
    db_text(st, 1, row->app);
    db_blob(st, 2, row->hash, sizeof row->hash);
    db_int(st, 3, row->created);
    return db_run(st, err) < 0 ? -1 : 0;
}

int registration_has(struct db *db, const char *app, struct err *err)
{
    struct db_stmt *st = db_named(db, "registration.has");
    db_text(st, 1, app);
    const int rc = db_step(st, err);
    if (rc == 1)
        db_end(st);
    return rc;
}

int64_t registration_count(struct db *db, struct err *err)
{
    struct db_stmt *st = db_named(db, "registration.count");
    if (db_step(st, err) != 1)
        return -1;
    const int64_t n = db_col_int(st, 0);
    db_end(st);
    return n;
}

typedef int each_fn(void *arg, const struct registration_row *row, struct err *err);

static int each_of(struct db_stmt *st, each_fn *each, void *arg, struct err *err)
{
    struct registration_row row;
    int rc;
    while ((rc = db_step(st, err)) == 1) {
        const struct str hash = db_col_blob(st, 1);
        row.app = db_col_text(st, 0);
        row.created = db_col_int(st, 2);
        if (hash.n != sizeof row.hash) {
            db_end(st);
            return err_set(err, ERR_INTERNAL, "a stored token's hash is not 32 bytes long");
        }
        memcpy(row.hash, hash.p, sizeof row.hash);
        if (each(arg, &row, err) < 0) {
            db_end(st);
            return -1;
        }
    }
    return rc;
}

int registration_each(struct db *db, each_fn *each, void *arg, struct err *err)
{
    return each_of(db_named(db, "registration.all"), each, arg, err);
}

int registration_unused(struct db *db, int64_t before, each_fn *each, void *arg, struct err *err)
{
    struct db_stmt *st = db_named(db, "registration.unused");
    db_int(st, 1, before);
    return each_of(st, each, arg, err);
}
