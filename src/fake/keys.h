/* SPDX-License-Identifier: Apache-2.0 */
/*
 * keys: what the look-alikes sign with: a current key per algorithm, an older RSA key that is
 * published beside it, one nobody publishes (the attacker's), and rotation. They are made when
 * first used, or beforehand: RSA keys take their time, which a caller with a deadline may not have.
 */
#ifndef FAKE_KEYS_H
#define FAKE_KEYS_H

#include <stdbool.h>

#include "sys/jose.h"

struct keys;
struct keys *keys_new(void);
void keys_free(struct keys **k);
void keys_reset(struct keys *k);
/* All RSA keys that may be asked for until the next rotation. */
void keys_make(struct keys *k);

enum key_role { KEY_CURRENT = 0, KEY_SECOND, KEY_ATTACKER };
/* Borrowed until keys_free; never NULL for an algorithm of jose.h. kid has room for 32. */
const struct jws_key *keys_get(struct keys *k, enum key_role role, uint32_t alg, char *kid);
/* A new current key for every algorithm; the old ones are gone from the published set. */
void keys_rotate(struct keys *k);
/* The published JWKS: {"keys":[…]}. `all`: every algorithm's, else RSA only (as Google does). */
struct jval *keys_published(struct keys *k, bool all);

#endif
