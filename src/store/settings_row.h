/* SPDX-License-Identifier: Apache-2.0 */
/*
 * settings_row: what admins made, as the store keeps it: an id and the settings as text, without
 * secrets (store/provider_secret.h, store/app_secret.h). Providers and apps are kept alike, in a
 * table each. What the settings mean is known one floor up; here nothing is judged.
 *
 * Every change names the version it was made from and the one that comes of it; a version is never
 * used twice (store/audit.h numbers them). Functions run inside a transaction, on its thread.
 * Strings that come out of _get live in the arena, those that `each` sees until it returns.
 */
#ifndef STORE_SETTINGS_ROW_H
#define STORE_SETTINGS_ROW_H

#include "base/arena.h"
#include "store/db.h"

enum settings_table { SETTINGS_PROVIDER = 0, SETTINGS_APP = 1 };

struct settings_row {
    const char *id;
    const char *settings; /* JSON object */
    int64_t version;
    int64_t created, changed; /* seconds since 1970 */
    int64_t registered;       /* an app that came by itself: since when; 0: an admin made it */
};

/* 1, or 0: there is one of that id. `registered` is read and never written: store/registration.h.
 */
int settings_row_add(struct db *db, enum settings_table table, const struct settings_row *row,
                     struct err *err) __attribute__((warn_unused_result));
/* Settings, version and time of change; `created` stays. 1, or 0: its version is not `was`, or it
 * is gone. */
int settings_row_set(struct db *db, enum settings_table table, const struct settings_row *row,
                     int64_t was, struct err *err) __attribute__((warn_unused_result));
/* With its secrets, where they refer to it; accounts, identities and sessions stay. 1, or 0 as
 * above. */
int settings_row_drop(struct db *db, enum settings_table table, const char *id, int64_t was,
                      struct err *err) __attribute__((warn_unused_result));
/* 1 and *out, or 0. */
int settings_row_get(struct db *db, enum settings_table table, const char *id, struct arena *a,
                     struct settings_row *out, struct err *err) __attribute__((warn_unused_result));
/* Every row in the order of ids; -1 from `each`, which then says why in err, stops with -1. `each`
 * must not run a statement of this noun. */
int settings_row_each(struct db *db, enum settings_table table,
                      int (*each)(void *arg, const struct settings_row *row, struct err *err),
                      void *arg, struct err *err) __attribute__((warn_unused_result));

#endif
