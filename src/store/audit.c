/* SPDX-License-Identifier: Apache-2.0 */
#include "store/audit.h"

/* One writer at a time decides the number: SQLite has only one, and PostgreSQL runs a transaction
 * again whose reading of the last number came too early. */
static int64_t next_number(struct db *db, struct err *err)
{
    struct db_stmt *st = db_named(db, "audit.next");
    if (db_step(st, err) != 1)
        return err_set(err, ERR_INTERNAL, "the audit has no next number");
    int64_t n = db_col_int(st, 0);
    db_end(st);
    return n;
}

int64_t audit_add(struct db *db, const struct audit_row *row, struct err *err)
{
    int64_t n = next_number(db, err);
    if (n < 0)
        return -1;
    struct db_stmt *st = db_named(db, "audit.add");
    db_int(st, 1, n);
    db_int(st, 2, row->at);
    db_text(st, 3, row->actor_kind);
    db_text(st, 4, row->actor);
    db_text(st, 5, row->actor_name);
    db_text(st, 6, row->ip);
    db_text(st, 7, row->request_id);
    db_text(st, 8, row->action);
    db_text(st, 9, row->object);
    db_text(st, 10, row->was);
    db_text(st, 11, row->became);
    db_text(st, 12, row->outcome);
    db_text(st, 13, row->reason);
    return db_run(st, err) < 0 ? -1 : n;
}

static void read_row(struct db_stmt *st, struct audit_row *row)
{
    *row = (struct audit_row){.n = db_col_int(st, 0),
                              .at = db_col_int(st, 1),
                              .actor_kind = db_col_text(st, 2),
                              .actor = db_col_text(st, 3),
                              .actor_name = db_col_text(st, 4),
                              .ip = db_col_text(st, 5),
                              .request_id = db_col_text(st, 6),
                              .action = db_col_text(st, 7),
                              .object = db_col_text(st, 8),
                              .was = db_col_text(st, 9),
                              .became = db_col_text(st, 10),
                              .outcome = db_col_text(st, 11),
                              .reason = db_col_text(st, 12)};
}

int audit_each(struct db *db, const struct audit_filter *filter,
               int (*each)(void *arg, const struct audit_row *row, struct err *err), void *arg,
               struct err *err)
{
    struct db_stmt *st = db_named(db, "audit.page");
    struct audit_row row;
    db_int(st, 1, filter->before > 0 ? filter->before : INT64_MAX);
    db_text(st, 2, filter->actor ? filter->actor : "");
    db_text(st, 3, filter->action ? filter->action : "");
    db_text(st, 4, filter->object ? filter->object : "");
    db_int(st, 5, filter->limit);
    int rc;
    while ((rc = db_step(st, err)) == 1) {
        read_row(st, &row);
        if (each(arg, &row, err) < 0) {
            db_end(st);
            return -1;
        }
    }
    return rc;
}
