/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rows: the providers of the store as a registry wants them, secrets opened, and the apps. Read
 * inside one transaction, so that a provider and its secrets belong together. Owns everything it
 * gives out; secrets are wiped when it is cleared.
 */
#ifndef LIVE_ROWS_H
#define LIVE_ROWS_H

#include "app/apps.h"
#include "base/arena.h"
#include "provider/registry.h"
#include "store/db.h"
#include "sys/seal.h"

struct rows {
    struct arena *arena;
    struct provider_source *v; /* for registry_options.rows */
    size_t n;
    size_t *first;                      /* of each: where its secrets begin */
    struct provider_secret_in *secrets; /* of all of them, provider by provider */
    size_t n_secrets;
    size_t room, secrets_room;
    struct app_source *apps; /* for apps_options.rows */
    size_t n_apps, apps_room;
    struct conf_problems problems; /* rows that make no sense at all */
};

void rows_init(struct rows *r);
void rows_clear(struct rows *r);
/* On a store thread, inside a read; begins afresh. A secret that does not open is there without its
 * bytes, and the registry says so. */
int rows_read(struct rows *r, struct db *db, const struct keyring *keys, struct err *err)
    __attribute__((warn_unused_result));

#endif
