/* SPDX-License-Identifier: Apache-2.0 */
/* key_parts: the inside of issuer_keys, shared by keys, key_make and key_rotate. */
#ifndef ISSUER_KEY_PARTS_H
#define ISSUER_KEY_PARTS_H

#include "issuer/keys.h"

extern const uint32_t issuer_key_algs[]; /* RS256 first */
#define ISSUER_KEY_ALGS 3

/* ---- key_make.c: one key ---- */

/* A key on its way: made on a thread, stored, then used. */
struct key_making {
    struct issuer_keys *keys;
    struct signing_key *key;
    struct buf sealed;
    struct err err;
};

struct signing_key *issuer_key_new(const char *kid, uint32_t alg);
/* What signs with it, for every kind of token. */
int issuer_key_prepare(struct signing_key *key, struct err *err)
    __attribute__((warn_unused_result));
struct key_making *issuer_key_begin(struct issuer_keys *k, uint32_t alg, int64_t active_from);
/* On any thread: an RSA key takes a tenth of a second or more. What went wrong is in m->err. */
void issuer_key_make(void *making);
/* In a transaction; a store_fn. */
int issuer_key_store(struct db *db, void *making, struct err *err);
void issuer_key_end(struct key_making **m);

/* ---- keys.c: all of them ---- */

struct issuer_keys {
    struct issuer_keys_options o;
    struct signing_key *v[JWKS_KEYS_MAX]; /* oldest first */
    size_t n;
    struct buf document;
    uint64_t changes;        /* of it, of `all` and of `good` */
    struct jwks *all, *good; /* good: those that are published */
    struct key_making *making[ISSUER_KEY_ALGS];
    bool writing; /* what a tick found is with the store */
    struct issuer_rotation *rotation;
};

/* How long before it signs a key is published. */
int64_t issuer_keys_ahead(const struct issuer_keys *k);
/* A key that is stored is there from now on; its making ends with it. */
void issuer_keys_take(struct issuer_keys *k, struct key_making **m);
/* Nothing, if it is retired already. */
void issuer_keys_mark_retired(struct issuer_keys *k, const char *kid, int64_t at);
/* Retired before this: not worth their room any more. Never what is still published. */
int64_t issuer_keys_forget_time(const struct issuer_keys *k);
void issuer_keys_forget(struct issuer_keys *k, int64_t before);
/* The documents anew. */
void issuer_keys_render(struct issuer_keys *k);

#endif
