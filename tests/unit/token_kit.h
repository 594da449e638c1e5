/* SPDX-License-Identifier: Apache-2.0 */
/*
 * token_kit: tokens as an attacker or a careless upstream would make them: any header, any payload,
 * signed by OpenSSL directly and not through the code under test. For test suites only.
 */
#ifndef TESTS_TOKEN_KIT_H
#define TESTS_TOKEN_KIT_H

#include <check.h>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sys/jose.h"

#define KIT_KID "key-1"
#define KIT_TOKEN_MAX ((size_t)4 * 1024 * 1024)

struct kit {
    uint32_t alg;
    EVP_PKEY *pkey;
    struct jws_key *key;
    struct jval *jwk;
    struct jwks *set;
};

/* {"keys":[...]} of `n` borrowed JWKs. */
static inline char *kit_set_json(const struct jval *const *jwk, size_t n)
{
    struct jval *root = jval_new_object(), *keys = jval_new_array();
    struct buf text;

    for (size_t i = 0; i < n; i++)
        jval_push(keys, jval_ref((struct jval *)(uintptr_t)jwk[i]));
    jval_set(root, "keys", keys);
    buf_init(&text, JSON_SIZE_MAX);
    jval_render(root, &text);
    ck_assert(buf_ok(&text));
    jval_free(&root);
    return buf_take(&text);
}

static inline struct jwks *kit_set(const struct jval *const *jwk, size_t n)
{
    struct err err = ERR_INIT;
    char *json = kit_set_json(jwk, n);
    struct jwks *set = jwks_parse(str_of(json), &err);

    ck_assert_msg(set != NULL, "%s", err.text);
    free(json);
    return set;
}

static inline EVP_PKEY *kit_generate(uint32_t alg)
{
    if (alg == JWS_EDDSA)
        return EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    if (alg == JWS_ES256)
        return EVP_EC_gen("P-256");
    if (alg == JWS_ES384)
        return EVP_EC_gen("P-384");
    if (alg == JWS_ES512)
        return EVP_EC_gen("P-521");
    return EVP_RSA_gen(2048);
}

static inline char *kit_pem(const EVP_PKEY *pkey)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *text = NULL, *copy = NULL;

    ck_assert_int_eq(PEM_write_bio_PKCS8PrivateKey(bio, pkey, NULL, NULL, 0, NULL, NULL), 1);
    long n = BIO_get_mem_data(bio, &text);
    copy = strndup(text, (size_t)n);
    BIO_free(bio);
    return copy;
}

/* Takes `pkey`; NULL makes one. */
static inline void kit_init(struct kit *k, uint32_t alg, EVP_PKEY *pkey)
{
    struct err err = ERR_INIT;
    char *pem = NULL;

    k->alg = alg;
    k->pkey = pkey ? pkey : kit_generate(alg);
    ck_assert_ptr_nonnull(k->pkey);
    pem = kit_pem(k->pkey);
    k->key = jws_key_pem(str_of(pem), &err);
    ck_assert_msg(k->key != NULL, "%s", err.text);
    free(pem);
    k->jwk = jws_key_public(k->key, alg, KIT_KID);
    ck_assert_ptr_nonnull(k->jwk);
    k->set = kit_set((const struct jval *const[]){k->jwk}, 1);
}

static inline void kit_deinit(struct kit *k)
{
    EVP_PKEY_free(k->pkey);
    jws_key_free(&k->key);
    jval_free(&k->jwk);
    jwks_free(&k->set);
}

static inline void kit_part(struct buf *out, const void *p, size_t n)
{
    char *text = malloc(text_b64url_len(n) + 1);

    text_b64url(p, n, text);
    buf_text(out, text);
    free(text);
}

/* base64url(header) . base64url(payload), as given. */
static inline void kit_input(struct buf *out, struct str header, struct str payload)
{
    buf_init(out, KIT_TOKEN_MAX);
    kit_part(out, header.p, header.n);
    buf_byte(out, '.');
    kit_part(out, payload.p, payload.n);
}

static inline void kit_finish(struct buf *token, const unsigned char *sig, size_t n)
{
    buf_byte(token, '.');
    kit_part(token, sig, n);
    ck_assert(buf_ok(token));
}

/* OpenSSL's signature of `input`: DER for EC. `salt` is PSS only. */
static inline size_t kit_sign_raw(const struct kit *k, struct str input, int salt,
                                  unsigned char sig[1024])
{
    static const char *const digests[] = {"SHA256", "SHA384", "SHA512"};
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    EVP_PKEY_CTX *key_ctx = NULL;
    size_t n = 1024;
    int i = __builtin_ctz(k->alg);

    ck_assert_int_eq(EVP_DigestSignInit_ex(ctx, &key_ctx,
                                           k->alg == JWS_EDDSA ? NULL : digests[i % 3], NULL, NULL,
                                           k->pkey, NULL),
                     1);
    if (k->alg & (JWS_PS256 | JWS_PS384 | JWS_PS512)) {
        ck_assert_int_eq(EVP_PKEY_CTX_set_rsa_padding(key_ctx, RSA_PKCS1_PSS_PADDING), 1);
        ck_assert_int_eq(EVP_PKEY_CTX_set_rsa_pss_saltlen(key_ctx, salt), 1);
    }
    ck_assert_int_eq(EVP_DigestSign(ctx, sig, &n, (const unsigned char *)input.p, input.n), 1);
    EVP_MD_CTX_free(ctx);
    return n;
}

static inline size_t kit_sign(const struct kit *k, struct str input, unsigned char sig[1024])
{
    size_t n = kit_sign_raw(k, input, RSA_PSS_SALTLEN_DIGEST, sig);

    if (k->alg & (JWS_ES256 | JWS_ES384 | JWS_ES512)) {
        const unsigned char *at = sig;
        int size = k->alg == JWS_ES256 ? 32 : k->alg == JWS_ES384 ? 48 : 66;
        ECDSA_SIG *pair = d2i_ECDSA_SIG(NULL, &at, (long)n);

        ck_assert_int_eq(BN_bn2binpad(ECDSA_SIG_get0_r(pair), sig, size), size);
        ck_assert_int_eq(BN_bn2binpad(ECDSA_SIG_get0_s(pair), sig + size, size), size);
        ECDSA_SIG_free(pair);
        n = (size_t)size * 2;
    }
    return n;
}

static inline void kit_token_n(const struct kit *k, struct str header, struct str payload,
                               struct buf *out)
{
    unsigned char sig[1024];

    kit_input(out, header, payload);
    kit_finish(out, sig, kit_sign(k, buf_view(out), sig));
}

/* A well signed token over any header and payload. */
static inline void kit_token(const struct kit *k, const char *header, const char *payload,
                             struct buf *out)
{
    kit_token_n(k, str_of(header), str_of(payload), out);
}

/* decode and check: 1, 0, -1 as jws_check, -1 for what does not decode. Sees to it that refusals
 * have the right kind, and that nothing stays in OpenSSL's error queue. */
static inline int kit_judge(struct str token, const struct jwks *set, uint32_t allowed)
{
    struct err err = ERR_INIT;
    struct jws j;
    int result = jws_decode(token, &j, &err);

    if (result == 0) {
        result = jws_check(&j, token, set, allowed, &err);
        jws_deinit(&j);
    }
    ck_assert_int_eq(err.kind, result < 0 ? ERR_UPSTREAM_BAD : ERR_NONE);
    ck_assert_uint_eq(ERR_peek_error(), 0);
    return result;
}

/* A key for each algorithm (RSA: the same one), and another for ES256 under the same kid. */
#define KIT_ALGS 10
#define KIT_ALL 0x3ffu
struct kit_ring {
    struct kit of[KIT_ALGS], other;
};

static inline void kit_ring_init(struct kit_ring *r)
{
    EVP_PKEY *rsa = EVP_RSA_gen(2048);

    for (unsigned i = 0; i < KIT_ALGS; i++) {
        bool is_rsa = i < 6;

        if (is_rsa)
            EVP_PKEY_up_ref(rsa);
        kit_init(&r->of[i], 1u << i, is_rsa ? rsa : NULL);
    }
    EVP_PKEY_free(rsa);
    kit_init(&r->other, JWS_ES256, NULL);
}

static inline void kit_ring_deinit(struct kit_ring *r)
{
    for (unsigned i = 0; i < KIT_ALGS; i++)
        kit_deinit(&r->of[i]);
    kit_deinit(&r->other);
}

#endif
