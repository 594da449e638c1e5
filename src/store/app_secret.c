/* SPDX-License-Identifier: Apache-2.0 */
#include "store/app_secret.h"

static int64_t count_of(struct db *db, const char *app, int64_t now, struct err *err)
{
    struct db_stmt *st = db_named(db, "app_secret.count");
    db_text(st, 1, app);
    db_int(st, 2, now);
    if (db_step(st, err) != 1)
        return err_set(err, ERR_INTERNAL, "an app's secrets cannot be counted");
    const int64_t n = db_col_int(st, 0);
    db_end(st);
    return n;
}

int app_secret_add(struct db *db, const struct app_secret_row *row, struct err *err)
{
    const int64_t n = count_of(db, row->app, row->created, err);
    if (n < 0 || n >= APP_SECRETS_MAX)
        return n < 0 ? -1 : 0;
    struct db_stmt *st = db_named(db, "app_secret.add");
    db_text(st, 1, row->id);
    db_text(st, 2, row->app);
    db_blob(st, 3, row->hash, sizeof row->hash);
    db_int(st, 4, row->created);
    if (row->expires > 0)
        db_int(st, 5, row->expires);
    else
        db_text(st, 5, NULL);
    return db_run(st, err) < 0 ? -1 : 1;
}

int app_secret_drop(struct db *db, const char *app, const char *id, struct err *err)
{
    struct db_stmt *st = db_named(db, "app_secret.drop");
    db_text(st, 1, app);
    db_text(st, 2, id);
    const int64_t n = db_run(st, err);
    return n < 0 ? -1 : n > 0;
}

int64_t app_secret_drop_of(struct db *db, const char *app, struct err *err)
{
    struct db_stmt *st = db_named(db, "app_secret.drop_of");
    db_text(st, 1, app);
    return db_run(st, err);
}

int app_secret_expire(struct db *db, const char *app, const char *id, int64_t at, struct err *err)
{
    struct db_stmt *st = db_named(db, "app_secret.expire");
    db_text(st, 1, app);
    db_text(st, 2, id);
    db_int(st, 3, at);
    if (db_run(st, err) < 0)
        return -1;
    st = db_named(db, "app_secret.has");
    db_text(st, 1, app);
    db_text(st, 2, id);
    const int rc = db_step(st, err);
    db_end(st);
    return rc;
}

int app_secret_touch(struct db *db, const char *id, int64_t used, struct err *err)
{
    struct db_stmt *st = db_named(db, "app_secret.touch");
    db_text(st, 1, id);
    db_int(st, 2, used);
    return db_run(st, err) < 0 ? -1 : 0;
}

static int read_row(struct db_stmt *st, struct app_secret_row *row, struct err *err)
{
    const struct str hash = db_col_blob(st, 2);
    if (hash.n != sizeof row->hash)
        return err_set(err, ERR_INTERNAL, "a stored secret's hash is not 32 bytes long");
    row->id = db_col_text(st, 0);
    row->app = db_col_text(st, 1);
    memcpy(row->hash, hash.p, sizeof row->hash);
    row->created = db_col_int(st, 3);
    row->expires = db_col_null(st, 4) ? 0 : db_col_int(st, 4);
    row->last_used = db_col_null(st, 5) ? 0 : db_col_int(st, 5);
    return 0;
}

int app_secret_each(struct db *db, const char *app,
                    int (*each)(void *arg, const struct app_secret_row *row, struct err *err),
                    void *arg, struct err *err)
{
    struct db_stmt *st = db_named(db, "app_secret.all");
    struct app_secret_row row;
    int rc;
    db_text(st, 1, app ? app : "");
    while ((rc = db_step(st, err)) == 1) {
        if (read_row(st, &row, err) < 0 || each(arg, &row, err) < 0) {
            db_end(st);
            return -1;
        }
    }
    return rc;
}
