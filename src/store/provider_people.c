/* SPDX-License-Identifier: Apache-2.0 */
#include "store/provider_people.h"

int provider_people_count(struct db *db, const char *id, struct provider_people *out,
                          struct err *err)
{
    struct db_stmt *st = db_named(db, "provider_people.count");
    db_text(st, 1, id);
    if (db_step(st, err) != 1)
        return err_set(err, ERR_INTERNAL, "the people of a provider cannot be counted");
    out->accounts = db_col_int(st, 0);
    out->sessions = db_col_int(st, 1);
    db_end(st);
    return 0;
}
