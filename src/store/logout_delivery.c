/* SPDX-License-Identifier: Apache-2.0 */
#include "store/logout_delivery.h"

static int64_t add(struct db_stmt *st, const char *whose, int64_t now, struct err *err)
{
    db_text(st, 1, whose);
    db_int(st, 2, now);
    return db_run(st, err);
}

int64_t logout_delivery_of_session(struct db *db, const char *session, int64_t now, struct err *err)
{
    return add(db_named(db, "logout_delivery.of_session"), session, now, err);
}

int64_t logout_delivery_of_account(struct db *db, const char *account, int64_t now, struct err *err)
{
    return add(db_named(db, "logout_delivery.of_account"), account, now, err);
}

int logout_delivery_each(struct db *db, int64_t max,
                         void (*each)(void *arg, const struct logout_delivery_row *row), void *arg,
                         struct err *err)
{
    struct db_stmt *st = db_named(db, "logout_delivery.each");
    int rc;
    db_int(st, 1, max);
    while ((rc = db_step(st, err)) == 1) {
        const struct logout_delivery_row row = {.id = db_col_text(st, 0),
                                                .app = db_col_text(st, 1),
                                                .account = db_col_text(st, 2),
                                                .sid = db_col_text(st, 3),
                                                .attempts = db_col_int(st, 4),
                                                .next = db_col_int(st, 5),
                                                .created = db_col_int(st, 6)};
        each(arg, &row);
    }
    return rc;
}

int logout_delivery_postpone(struct db *db, const char *id, int64_t next, struct err *err)
{
    struct db_stmt *st = db_named(db, "logout_delivery.postpone");
    db_text(st, 1, id);
    db_int(st, 2, next);
    return db_run(st, err) < 0 ? -1 : 0;
}

int logout_delivery_done(struct db *db, const char *id, struct err *err)
{
    struct db_stmt *st = db_named(db, "logout_delivery.done");
    db_text(st, 1, id);
    return db_run(st, err) < 0 ? -1 : 0;
}
