/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The schema's steps are the embedded files NNNN-*.sql, numbered from 1 without gaps. Each runs in
 * a transaction that also records its number, so an interrupted migration is simply run again.
 */
#include <stdlib.h>

#include "store/driver.h"

int64_t migrate_latest(void)
{
    int64_t n = 0;
    while (query_migration(n + 1).p)
        n++;
    return n;
}

/* 1: one step done; 0: nothing left. */
static int step(struct db *db, struct err *err)
{
    const struct store_driver *d = db->driver;
    char *sql = NULL;
    int64_t now = 0;
    int rc = -1;

    if (d->begin(db, true, err) < 0)
        return -1;
    if (d->version(db, &now, err) < 0)
        goto out;
    if (now > migrate_latest()) {
        err_set(err, ERR_MISCONFIGURED,
                "the database was made by a newer usher (schema %lld, this one knows %lld)",
                (long long)now, (long long)migrate_latest());
        goto out;
    }
    if (now == migrate_latest()) {
        rc = 0;
        goto out;
    }
    if (!(sql = query_expand(query_migration(now + 1), d->words, err)))
        goto out;
    if (d->exec(db, sql, err) < 0 || d->set_version(db, now + 1, err) < 0) {
        err_context(err, "migration %lld", (long long)(now + 1));
        goto out;
    }
    rc = d->commit(db, err) == STORE_DONE ? 1 : -1;
out:
    free(sql);
    if (rc <= 0)
        d->rollback(db);
    return rc;
}

int migrate_run(struct db *db, struct err *err)
{
    const struct store_driver *d = db->driver;
    int rc;

    if (d->fence && d->fence(db, true, err) < 0)
        return -1;
    while ((rc = step(db, err)) > 0)
        ;
    struct err down = ERR_INIT; /* an error of the steps is the one worth telling */
    if (d->fence && d->fence(db, false, &down) < 0 && rc == 0) {
        *err = down;
        rc = -1;
    }
    return rc;
}
