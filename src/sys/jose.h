/* SPDX-License-Identifier: Apache-2.0 */
/*
 * jose: keys and signatures of RFC 7515, 7517, 7518, and nothing that is not needed: compact JWS,
 * RS/PS/ES 256-512 and EdDSA with Ed25519. Never `none`, never HMAC, no JWE; jku, x5u, jwk and x5c
 * are not looked at, any `crit` is refused. Which claims are right is login/verify's business, not
 * ours.
 *
 * Import checks every key: RSA modulus 2048 to 8192 bits, exponent odd, 65537 to 64 bits; EC point
 * on the named curve and not at infinity; coordinates of exact length; no private members; `use`,
 * `key_ops` and `alg` honoured. A bad key is skipped, a set without a usable key is an error.
 */
#ifndef SYS_JOSE_H
#define SYS_JOSE_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"
#include "sys/seal.h"

enum jws_alg {
    JWS_RS256 = 1u << 0,
    JWS_RS384 = 1u << 1,
    JWS_RS512 = 1u << 2,
    JWS_PS256 = 1u << 3,
    JWS_PS384 = 1u << 4,
    JWS_PS512 = 1u << 5,
    JWS_ES256 = 1u << 6,
    JWS_ES384 = 1u << 7,
    JWS_ES512 = 1u << 8,
    JWS_EDDSA = 1u << 9,
};
uint32_t jws_alg_by_name(const char *name); /* 0: unknown, none and HS* included */
const char *jws_alg_name(uint32_t alg);

#define JWS_TOKEN_MAX (64u * 1024)
#define JWKS_KEYS_MAX 64

struct jwks; /* immutable, reference counted, readable by any thread */
struct jwks *jwks_parse(struct str json, struct err *err) __attribute__((warn_unused_result));
struct jwks *jwks_ref(struct jwks *set);
void jwks_free(struct jwks **set);
size_t jwks_count(const struct jwks *set);

struct jws {
    struct jval *header;  /* owned */
    struct jval *payload; /* owned; an object */
    uint32_t alg;
};
void jws_deinit(struct jws *j);

/* Read header and payload of a compact JWS without judging the signature. Sizes, part count,
 * alphabet, alg, crit and typ ("JWT" or absent) are checked. ERR_UPSTREAM_BAD. */
int jws_decode(struct str token, struct jws *out, struct err *err)
    __attribute__((warn_unused_result));
/* The same for a token that must say it is of this `typ` (RFC 8725 3.11): "at+jwt". */
int jws_decode_typ(struct str token, const char *typ, struct jws *out, struct err *err)
    __attribute__((warn_unused_result));
/* Check the signature of a decoded token under one of `allowed` algorithms.
 * 1 good; 0 no key of the set fits (refresh the set and ask again; 0 again is a refusal); -1
 * refused. Without kid each fitting key is tried in turn (at most 4), and a signature that none of
 * them made is 0 too: the key may have been replaced. */
int jws_check(const struct jws *j, struct str token, const struct jwks *set, uint32_t allowed,
              struct err *err) __attribute__((warn_unused_result));
/* Left half of the hash that belongs to alg, base64url: at_hash, c_hash (OIDC Core 3.1.3.6). */
int jws_half_hash(uint32_t alg, struct str value, char *out, size_t room)
    __attribute__((warn_unused_result));

/* Private keys, for what we sign (and for usher-fake). PEM, PKCS#8. */
struct jws_key;
struct jws_key *jws_key_pem(struct str pem, struct err *err) __attribute__((warn_unused_result));
struct jws_key *jws_key_make(uint32_t alg); /* RS*, PS*: 2048 bits; NULL: unknown alg */
void jws_key_free(struct jws_key **k);
/* The private key as jws_key_pem reads it, appended: buf_wipe it. */
int jws_key_save(const struct jws_key *k, struct buf *out, struct err *err)
    __attribute__((warn_unused_result));
/* The public half as a JWK object with kid (NULL: none), alg, use=sig. Caller frees. NULL when the
 * key does not fit `alg`. */
struct jval *jws_key_public(const struct jws_key *k, uint32_t alg, const char *kid);
struct jws_head {
    uint32_t alg;
    const char *kid, *typ; /* NULL: not written */
};
/* Compact JWS over `payload`. RSA blocks for 0.2 ms: not on a loop. */
int jws_sign(const struct jws_key *k, const struct jws_head *head, const struct jval *payload,
             struct buf *out, struct err *err) __attribute__((warn_unused_result));
/* A key made ready to sign many tokens with one head: nothing is fetched or rendered twice. The key
 * must outlive it. Any thread may sign with it, at the same time as others. */
struct jws_signer;
struct jws_signer *jws_signer_new(const struct jws_key *k, const struct jws_head *head,
                                  struct err *err) __attribute__((warn_unused_result));
void jws_signer_free(struct jws_signer **s);
/* Compact JWS over `payload`, which is a JSON object already. */
int jws_signer_sign(const struct jws_signer *s, struct str payload, struct buf *out,
                    struct err *err) __attribute__((warn_unused_result));
/* The bare signature over any bytes, in JWS form, appended to `out`: usher-fake makes tokens with
 * it that no library would make. */
int jws_sign_bytes(const struct jws_key *k, uint32_t alg, struct str input, struct buf *out,
                   struct err *err) __attribute__((warn_unused_result));

#endif
