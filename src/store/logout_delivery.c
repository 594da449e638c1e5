/* SPDX-License-Identifier: Apache-2.0 */
#include "store/logout_delivery.h"

#include <string.h>

#define APP_MAX 64

static struct logout_delivery_row row_of(struct db_stmt *st)
{
    return (struct logout_delivery_row){.id = db_col_text(st, 0),
                                        .app = db_col_text(st, 1),
                                        .account = db_col_text(st, 2),
                                        .sid = db_col_text(st, 3),
                                        .attempts = db_col_int(st, 4),
                                        .next = db_col_int(st, 5),
                                        .created = db_col_int(st, 6)};
}

/* From app to app along the index, so that an app with many rows costs no more than one with few.
 */
int logout_delivery_heads(struct db *db, logout_delivery_fn *each, void *arg, struct err *err)
{
    char app[APP_MAX + 1] = "";
    for (;;) {
        struct db_stmt *st = db_named(db, "logout_delivery.head");
        db_text(st, 1, app);
        const int rc = db_step(st, err);
        if (rc != 1)
            return rc;
        const struct logout_delivery_row row = row_of(st);
        each(arg, &row);
        const size_t n = strlen(row.app);
        char next[APP_MAX + 1];
        memcpy(next, row.app, n <= APP_MAX ? n + 1 : 0);
        db_end(st);
        if (n > APP_MAX)
            return err_set(err, ERR_INTERNAL, "a stored logout's app has no proper id");
        memcpy(app, next, n + 1);
    }
}

int logout_delivery_of_app(struct db *db, const char *app, int64_t max, logout_delivery_fn *each,
                           void *arg, struct err *err)
{
    struct db_stmt *st = db_named(db, "logout_delivery.of_app");
    int rc;
    db_text(st, 1, app);
    db_int(st, 2, max);
    while ((rc = db_step(st, err)) == 1) {
        const struct logout_delivery_row row = row_of(st);
        each(arg, &row);
    }
    return rc;
}

int logout_delivery_postpone(struct db *db, const char *app, int64_t next, struct err *err)
{
    struct db_stmt *st = db_named(db, "logout_delivery.postpone");
    db_text(st, 1, app);
    db_int(st, 2, next);
    return db_run(st, err) < 0 ? -1 : 0;
}

int64_t logout_delivery_give_up(struct db *db, const char *app, int64_t created, struct err *err)
{
    struct db_stmt *st = db_named(db, "logout_delivery.give_up");
    db_text(st, 1, app);
    db_int(st, 2, created);
    return db_run(st, err);
}

int logout_delivery_done(struct db *db, const char *id, struct err *err)
{
    struct db_stmt *st = db_named(db, "logout_delivery.done");
    db_text(st, 1, id);
    return db_run(st, err) < 0 ? -1 : 0;
}
