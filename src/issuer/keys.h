/* SPDX-License-Identifier: Apache-2.0 */
/*
 * keys: what usher signs with. For each algorithm one key signs; its successor is made, stored and
 * published a day before it signs, so that whoever keeps our key set has it by then; what it
 * follows stays published until the last token it can have signed has ended, and is kept a while
 * longer to know our own old tokens by (id_token_hint). All of it goes by the clock and survives a
 * restart. Private keys are sealed at rest and leave this room in no form.
 *
 * One loop thread owns it; keys are made on threads of `work`, and stored before they are used.
 * keys.c has them all, key_make.c makes one, key_rotate.c is rotation by hand.
 */
#ifndef ISSUER_KEYS_H
#define ISSUER_KEYS_H

#include "store/store.h"
#include "sys/jose.h"
#include "sys/work.h"

/* No token that usher signs lives longer: apps' lifetimes are bounded by it. */
#define ISSUER_KEYS_TOKEN_LIFE (24 * 3600)
#define ISSUER_KEYS_AHEAD (24 * 3600) /* from publishing to signing; half the lifetime at most */
#define ISSUER_KEYS_REMEMBERED (30 * 24 * 3600) /* beyond retirement */

/* What a JWT is, by its `typ`. */
enum jwt_kind { JWT_ACCESS = 0, JWT_ID = 1, JWT_LOGOUT = 2 };
#define JWT_KINDS 3
extern const char *const jwt_typ[JWT_KINDS]; /* "at+jwt", "JWT", "logout+jwt" */

struct db;
struct issuer_keys;
struct issuer_keys_options {
    struct loop *loop;
    struct store *store;
    struct work *work;
    const struct keyring *ring;
    uint32_t algs;    /* of RS256, ES256, EdDSA; RS256 is always among them */
    int64_t lifetime; /* seconds one key signs for */
};

/* One key: borrowed, or held by issuer_keys_hold over a signature that takes its time. */
struct signing_key {
    char kid[17];
    uint32_t alg;
    int64_t created, active_from, retired_at; /* 0: no end yet */
    struct jws_signer *signer[JWT_KINDS];
    /* the rest is keys.c's */
    struct jws_key *key;
    unsigned refs;
};

/* Reads the keys and makes those that are missing; waits for the store. */
struct issuer_keys *issuer_keys_new(const struct issuer_keys_options *o, struct err *err)
    __attribute__((warn_unused_result));
/* Drives the loop until keys that are being made are done with. */
void issuer_keys_free(struct issuer_keys **k);
bool issuer_keys_busy(const struct issuer_keys *k);
/* What the clock asks for: make, publish, retire, forget. Once a minute is plenty. */
void issuer_keys_tick(struct issuer_keys *k);
/* The one that signs now. NULL: usher does not sign with that algorithm. */
struct signing_key *issuer_keys_active(struct issuer_keys *k, uint32_t alg);
struct signing_key *issuer_keys_hold(struct signing_key *key);
void issuer_keys_drop(struct signing_key **key);
/* Which algorithms there are. */
uint32_t issuer_keys_algs(const struct issuer_keys *k);
/* {"keys":[…]}: what is published; stays until the next tick. */
struct str issuer_keys_document(const struct issuer_keys *k);
/* Those, for checking tokens that are good: what an older key signed is over by now. Borrowed until
 * the next tick. */
struct jwks *issuer_keys_published(const struct issuer_keys *k);
/* All that are remembered, for knowing what we signed once. Borrowed; jwks_ref to keep it. */
struct jwks *issuer_keys_public(const struct issuer_keys *k);
/* Grows whenever they change. */
uint64_t issuer_keys_changes(const struct issuer_keys *k);
/* Oldest first: key i, NULL at the end. */
const struct signing_key *issuer_keys_at(const struct issuer_keys *k, size_t i);

/* ---- by hand: for an admin whose keys may have leaked, or who wants to see that it works ---- */

/* New keys for every algorithm, the usual way (published, and a day later they sign; where one is
 * on its way already, that is it) or at once: they sign from the moment they are stored, what
 * signed until then stays published until its last token has ended, and what was to sign next goes.
 *
 * Begun and ended on the loop; made and stored, in a transaction of the caller's, on any thread in
 * between. NULL: CONFLICT keys are being made, or on their way; LIMITED too many are published. */
struct issuer_rotation;
struct issuer_rotation *issuer_keys_rotate(struct issuer_keys *k, bool at_once, struct err *err)
    __attribute__((warn_unused_result));
/* What is about to come: key i, NULL at the end; and when it signs. */
const struct signing_key *issuer_rotation_at(const struct issuer_rotation *r, size_t i);
int64_t issuer_rotation_from(const struct issuer_rotation *r);
/* Takes a second or so. */
int issuer_rotation_make(struct issuer_rotation *r, struct err *err)
    __attribute__((warn_unused_result));
/* May run again. */
int issuer_rotation_store(struct db *db, struct issuer_rotation *r, struct err *err)
    __attribute__((warn_unused_result));
/* stored: the keys count from now on. */
void issuer_rotation_end(struct issuer_rotation **r, bool stored);

#endif
