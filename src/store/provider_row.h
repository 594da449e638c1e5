/* SPDX-License-Identifier: Apache-2.0 */
/*
 * provider_row: providers that were made by an admin, as the store keeps them: an id and the
 * settings as text, without secrets (store/provider_secret.h). What the settings mean is known one
 * floor up; here nothing is judged.
 *
 * Every change names the version it was made from and the one that comes of it; a version is never
 * used twice (store/audit.h numbers them). Functions run inside a transaction, on its thread.
 * Strings that come out of _get live in the arena, those that `each` sees until it returns.
 */
#ifndef STORE_PROVIDER_ROW_H
#define STORE_PROVIDER_ROW_H

#include "base/arena.h"
#include "store/db.h"

struct provider_row {
    const char *id;
    const char *settings; /* JSON object of key and text */
    int64_t version;
    int64_t created, changed; /* seconds since 1970 */
};

/* 1, or 0: there is one of that id. */
int provider_row_add(struct db *db, const struct provider_row *row, struct err *err)
    __attribute__((warn_unused_result));
/* Settings, version and time of change; `created` stays. 1, or 0: its version is not `was`, or it
 * is gone. */
int provider_row_set(struct db *db, const struct provider_row *row, int64_t was, struct err *err)
    __attribute__((warn_unused_result));
/* With its secrets; accounts, identities and sessions stay. 1, or 0 as above. */
int provider_row_drop(struct db *db, const char *id, int64_t was, struct err *err)
    __attribute__((warn_unused_result));
/* 1 and *out, or 0. */
int provider_row_get(struct db *db, const char *id, struct arena *a, struct provider_row *out,
                     struct err *err) __attribute__((warn_unused_result));
/* Every row in the order of ids; -1 from `each`, which then says why in err, stops with -1. `each`
 * must not run a statement of this noun. */
int provider_row_each(struct db *db,
                      int (*each)(void *arg, const struct provider_row *row, struct err *err),
                      void *arg, struct err *err) __attribute__((warn_unused_result));

/* Who came through a provider of that id, whatever made it. */
struct provider_people {
    int64_t accounts, sessions;
};
int provider_row_people(struct db *db, const char *id, struct provider_people *out, struct err *err)
    __attribute__((warn_unused_result));

#endif
