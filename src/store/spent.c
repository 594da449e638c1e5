/* SPDX-License-Identifier: Apache-2.0 */
#include "store/spent.h"

#define PAGE 500
#define FLOW_ID 16

int spent_add(struct db *db, const unsigned char flow[FLOW_ID], int64_t expires, struct err *err)
{
    struct db_stmt *st = db_named(db, "spent.add");
    db_int(st, 1, expires);
    db_blob(st, 2, flow, FLOW_ID);
    int64_t n = db_run(st, err);
    return n < 0 ? -1 : n > 0;
}

int64_t spent_sweep(struct db *db, int64_t now, int64_t max, struct err *err)
{
    struct db_stmt *st = db_named(db, "spent.sweep");
    db_int(st, 1, now);
    db_int(st, 2, max);
    return db_run(st, err);
}

int spent_each(struct db *db, int64_t now,
               int (*each)(void *arg, const unsigned char flow[FLOW_ID], int64_t expires),
               void *arg, struct err *err)
{
    unsigned char flow[FLOW_ID] = {0};
    int64_t expires = now + 1;
    size_t from = 0; /* how much of `flow` bounds the page: nothing, then all of it */

    for (int64_t n = PAGE; n == PAGE; from = FLOW_ID) {
        unsigned char last[FLOW_ID];
        memcpy(last, flow, sizeof last);
        struct db_stmt *st = db_named(db, "spent.page");
        db_int(st, 1, expires);
        db_blob(st, 2, last, from);
        db_int(st, 3, PAGE);
        int rc;
        for (n = 0; (rc = db_step(st, err)) == 1; n++) {
            struct str id = db_col_blob(st, 1);
            if (id.n != FLOW_ID) {
                db_end(st);
                return err_set(err, ERR_INTERNAL, "a stored flow id is not 16 bytes long");
            }
            memcpy(flow, id.p, FLOW_ID);
            expires = db_col_int(st, 0);
            if (each(arg, flow, expires) < 0) {
                db_end(st);
                return err_set(err, ERR_INTERNAL, "reading spent flows was stopped");
            }
        }
        if (rc < 0)
            return -1;
    }
    return 0;
}
