/* SPDX-License-Identifier: Apache-2.0 */
/*
 * signing_key: what usher signs tokens with, as the store keeps it. The private key is sealed
 * (sys/seal.h) for exactly one kid and algorithm, so a row that was altered or swapped does not
 * open. When a key signs and when it is forgotten is issuer/keys.h's business.
 *
 * Functions with a db run inside a transaction, on its thread.
 */
#ifndef STORE_SIGNING_KEY_H
#define STORE_SIGNING_KEY_H

#include "store/db.h"
#include "sys/seal.h"

#define SIGNING_KEY_SEALED_MAX (16u * 1024)

struct signing_key_row {
    const char *kid, *alg;
    struct str sealed;
    int64_t created, active_from;
    int64_t retired_at; /* 0: not yet */
};

/* Append what row.sealed should hold: the private key as PEM. */
void signing_key_seal(const struct keyring *keys, const char *kid, const char *alg, struct str pem,
                      struct buf *out);
/* Append the PEM to `out`, which is to be wiped; err names the kid. */
int signing_key_open(const struct keyring *keys, const struct signing_key_row *row, struct buf *out,
                     struct err *err) __attribute__((warn_unused_result));

int signing_key_add(struct db *db, const struct signing_key_row *row, struct err *err)
    __attribute__((warn_unused_result));
/* 1, or 0: no such key, or it has a retirement already. */
int signing_key_retire(struct db *db, const char *kid, int64_t at, struct err *err)
    __attribute__((warn_unused_result));
/* Those retired before `before`; how many. */
int64_t signing_key_drop(struct db *db, int64_t before, struct err *err)
    __attribute__((warn_unused_result));
/* Oldest first; what `each` sees lives until it returns; -1 from it, which then says why in err,
 * stops with -1. */
int signing_key_each(struct db *db,
                     int (*each)(void *arg, const struct signing_key_row *row, struct err *err),
                     void *arg, struct err *err) __attribute__((warn_unused_result));

/* Seal again what another key than the ring's current one sealed: how many were, and how many
 * cannot be opened any more. There are never more than a few. */
int signing_key_reseal(struct db *db, const struct keyring *keys, int64_t *done, int64_t *stuck,
                       struct err *err) __attribute__((warn_unused_result));
/* How many are sealed with that key. -1: err. */
int64_t signing_key_count(struct db *db, const unsigned char key_id[4], struct err *err)
    __attribute__((warn_unused_result));

#endif
