/* SPDX-License-Identifier: Apache-2.0 */
#include "store/client_assertion.h"

int client_assertion_add(struct db *db, const unsigned char hash[32], int64_t expires,
                         struct err *err)
{
    struct db_stmt *st = db_named(db, "client_assertion.add");
    db_int(st, 1, expires);
    db_blob(st, 2, hash, 32);
    const int64_t n = db_run(st, err);
    return n < 0 ? -1 : n > 0;
}

int64_t client_assertion_sweep(struct db *db, int64_t now, int64_t max, struct err *err)
{
    struct db_stmt *st = db_named(db, "client_assertion.sweep");
    db_int(st, 1, now);
    db_int(st, 2, max);
    return db_run(st, err);
}
