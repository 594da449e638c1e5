/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app_row: apps that were made by an admin, as the store keeps them: an id and the settings as text
 * (app/source.h), without secrets (store/app_secret.h). Here nothing is judged.
 *
 * Every change names the version it was made from and the one that comes of it; a version is never
 * used twice (store/audit.h numbers them). Functions run inside a transaction, on its thread.
 * Strings that come out of _get live in the arena, those that `each` sees until it returns.
 */
#ifndef STORE_APP_ROW_H
#define STORE_APP_ROW_H

#include "base/arena.h"
#include "store/db.h"

struct app_row {
    const char *id;
    const char *settings; /* JSON object */
    int64_t version;
    int64_t created, changed; /* seconds since 1970 */
};

/* 1, or 0: there is one of that id. */
int app_row_add(struct db *db, const struct app_row *row, struct err *err)
    __attribute__((warn_unused_result));
/* Settings, version and time of change; `created` stays. 1, or 0: its version is not `was`, or it
 * is gone. */
int app_row_set(struct db *db, const struct app_row *row, int64_t was, struct err *err)
    __attribute__((warn_unused_result));
/* 1, or 0 as above. */
int app_row_drop(struct db *db, const char *id, int64_t was, struct err *err)
    __attribute__((warn_unused_result));
/* 1 and *out, or 0. */
int app_row_get(struct db *db, const char *id, struct arena *a, struct app_row *out,
                struct err *err) __attribute__((warn_unused_result));
/* Every row in the order of ids; -1 from `each`, which then says why in err, stops with -1. `each`
 * must not run a statement of this noun. */
int app_row_each(struct db *db, int (*each)(void *arg, const struct app_row *row, struct err *err),
                 void *arg, struct err *err) __attribute__((warn_unused_result));

#endif
