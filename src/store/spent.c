/* SPDX-License-Identifier: Apache-2.0 */
#include "store/spent.h"

#define PAGE 500
#define FLOW_ID 16

int spent_add(struct db *db, const unsigned char flow[FLOW_ID], int64_t expires, struct err *err)
{
    struct db_stmt *st = db_named(db, "spent.add");
    db_blob(st, 1, flow, FLOW_ID);
    db_int(st, 2, expires);
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
    unsigned char last[FLOW_ID] = {0};
    size_t from = 0;

    for (int64_t n = PAGE; n == PAGE; from = FLOW_ID) {
        unsigned char bound[FLOW_ID];
        memcpy(bound, last, sizeof bound);
        struct db_stmt *st = db_named(db, "spent.page");
        db_blob(st, 1, bound, from);
        db_int(st, 2, now);
        db_int(st, 3, PAGE);
        int rc;
        for (n = 0; (rc = db_step(st, err)) == 1; n++) {
            struct str flow = db_col_blob(st, 0);
            if (flow.n != FLOW_ID) {
                db_end(st);
                return err_set(err, ERR_INTERNAL, "a stored flow id is not 16 bytes long");
            }
            memcpy(last, flow.p, FLOW_ID);
            if (each(arg, last, db_col_int(st, 1)) < 0) {
                db_end(st);
                return err_set(err, ERR_INTERNAL, "reading spent flows was stopped");
            }
        }
        if (rc < 0)
            return -1;
    }
    return 0;
}
