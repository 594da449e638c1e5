/* SPDX-License-Identifier: Apache-2.0 */
/*
 * jwk: single keys and algorithms, shared by the files behind sys/jose.h and nobody else. Every
 * key, whether read from a JWK or from PEM, passes jwk_judge, so there is one place that knows
 * which keys are fit for use and for what.
 */
#ifndef SYS_JWK_H
#define SYS_JWK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/json.h"

struct evp_pkey_st;   /* EVP_PKEY */
struct evp_md_ctx_st; /* EVP_MD_CTX */

enum jose_family { JOSE_RSA, JOSE_PSS, JOSE_EC, JOSE_ED };

struct jose_alg {
    uint32_t alg; /* one bit of enum jws_alg */
    const char *name;
    enum jose_family family;
    const char *digest;  /* of the signature, and of at_hash */
    const char *curve;   /* JWK's name; NULL for RSA */
    const char *group;   /* OpenSSL's name; NULL but for EC */
    unsigned coordinate; /* bytes of x, y, r, s; 0 for RSA */
};
const struct jose_alg *jose_alg_get(uint32_t alg); /* NULL unless exactly one known bit */
/* A context with key and algorithm in it, to sign with or to check by; nothing is digested yet. The
 * caller frees it; NULL: it could not be made. */
enum jose_use { JOSE_CHECK, JOSE_SIGN };
struct evp_md_ctx_st *jose_begin(const struct jose_alg *alg, struct evp_pkey_st *pkey,
                                 enum jose_use use);

#define JWK_RSA_BITS_MIN 2048
#define JWK_RSA_BITS_MAX 8192
#define JWK_RSA_BYTES_MAX (JWK_RSA_BITS_MAX / 8)
#define JWK_COORDINATE_MAX 66

struct jwk {
    struct evp_pkey_st *pkey;    /* owned */
    char *kid;                   /* owned; NULL when it has none */
    uint32_t algs;               /* what it may verify */
    struct evp_md_ctx_st *ready; /* owned; to be copied for each signature of `ready_for` */
    uint32_t ready_for;          /* one of algs; 0: there is none */
};

/* Which algorithms the key may serve; 0 with an error when it is not fit for any. */
uint32_t jwk_judge(const struct evp_pkey_st *pkey, struct err *err);
/* A public key for signatures. The error text says why not, without quoting. */
int jwk_import(const struct jval *json, struct jwk *out, struct err *err)
    __attribute__((warn_unused_result));
void jwk_deinit(struct jwk *k);
/* The public half: kty and the members that are peculiar to it. NULL if it cannot be read. */
struct jval *jwk_export(const struct evp_pkey_st *pkey);

#endif
