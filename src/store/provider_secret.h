/* SPDX-License-Identifier: Apache-2.0 */
/*
 * provider_secret: the secrets of providers that admins made, by key ("client_secret") and slot. In
 * the database they are sealed (sys/seal.h) for exactly one provider, key and slot, so a row that
 * was moved or copied elsewhere does not open. Who may see a secret is not decided here.
 *
 * A secret has slots so that it can be changed without an outage: a new one waits in NEXT, serves
 * as ACTIVE, and stays for a while as RETIRING, should the upstream still want it.
 *
 * Functions with a db run inside a transaction, on its thread. What `each` sees lives until it
 * returns.
 */
#ifndef STORE_PROVIDER_SECRET_H
#define STORE_PROVIDER_SECRET_H

#include "base/arena.h"
#include "store/db.h"
#include "sys/seal.h"

enum secret_slot { SLOT_ACTIVE = 0, SLOT_NEXT = 1, SLOT_RETIRING = 2 };
#define SECRET_SLOTS 3

struct provider_secret_row {
    const char *provider, *key;
    enum secret_slot slot;
    struct str sealed;
    int64_t created, expires; /* seconds since 1970; expires 0: nobody said */
};

/* "active", "next", "retiring"; and back, -1 for anything else. */
const char *secret_slot_name(enum secret_slot slot);
int secret_slot_of(const char *name);

/* Append what row.sealed should hold. */
void provider_secret_seal(const struct keyring *keys, const struct provider_secret_row *row,
                          const struct secret *secret, struct buf *out);
/* The caller frees it. NULL with err, which names provider, key and slot. */
struct secret *provider_secret_open(const struct keyring *keys,
                                    const struct provider_secret_row *row, struct err *err)
    __attribute__((warn_unused_result));

/* In place of what is in that slot. */
int provider_secret_put(struct db *db, const struct provider_secret_row *row, struct err *err)
    __attribute__((warn_unused_result));
/* 1 and *out, or 0. */
int provider_secret_get(struct db *db, const struct provider_secret_row *which, struct arena *a,
                        struct provider_secret_row *out, struct err *err)
    __attribute__((warn_unused_result));
/* 1, or 0: the slot was empty. */
int provider_secret_drop(struct db *db, const struct provider_secret_row *which, struct err *err)
    __attribute__((warn_unused_result));
/* What is in the slot of `which` goes into another, sealed anew, in place of what is there. 1, or
 * 0: the slot was empty. */
int provider_secret_move(struct db *db, const struct keyring *keys,
                         const struct provider_secret_row *which, enum secret_slot to,
                         struct err *err) __attribute__((warn_unused_result));
/* Those of one provider, or of all (NULL), in the order of provider, key, slot; -1 from `each`,
 * which then says why in err, stops with -1. `each` must not run a statement of this noun. */
int provider_secret_each(struct db *db, const char *provider,
                         int (*each)(void *arg, const struct provider_secret_row *row,
                                     struct err *err),
                         void *arg, struct err *err) __attribute__((warn_unused_result));

#define PROVIDER_SECRET_BATCH 100
/* Sealing again with the ring's current key, a batch at a time. `from` begins zeroed; the next
 * batch begins where `to` says. What cannot be opened is counted and left as it is. 1: there may be
 * more; 0: the end. */
struct provider_secret_reseal {
    char provider[64], key[64];
    int64_t slot;
    int64_t done, stuck;
};
int provider_secret_reseal(struct db *db, const struct keyring *keys,
                           const struct provider_secret_reseal *from,
                           struct provider_secret_reseal *to, struct err *err)
    __attribute__((warn_unused_result));
/* How many are sealed with that key; NULL: how many there are. -1: err. */
int64_t provider_secret_count(struct db *db, const unsigned char key_id[4], struct err *err)
    __attribute__((warn_unused_result));

#endif
