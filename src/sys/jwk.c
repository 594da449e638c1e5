/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/jwk.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/params.h>
#include <openssl/rsa.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/text.h"
#include "sys/jose.h"

#define ED_BYTES 32

static const struct jose_alg algs[] = {
    {JWS_RS256, "RS256", JOSE_RSA, "SHA256", NULL, NULL, 0},
    {JWS_RS384, "RS384", JOSE_RSA, "SHA384", NULL, NULL, 0},
    {JWS_RS512, "RS512", JOSE_RSA, "SHA512", NULL, NULL, 0},
    {JWS_PS256, "PS256", JOSE_PSS, "SHA256", NULL, NULL, 0},
    {JWS_PS384, "PS384", JOSE_PSS, "SHA384", NULL, NULL, 0},
    {JWS_PS512, "PS512", JOSE_PSS, "SHA512", NULL, NULL, 0},
    {JWS_ES256, "ES256", JOSE_EC, "SHA256", "P-256", "prime256v1", 32},
    {JWS_ES384, "ES384", JOSE_EC, "SHA384", "P-384", "secp384r1", 48},
    {JWS_ES512, "ES512", JOSE_EC, "SHA512", "P-521", "secp521r1", JWK_COORDINATE_MAX},
    /* Ed25519 only: "EdDSA" does not say which curve, and Ed448 has no agreed at_hash. */
    {JWS_EDDSA, "EdDSA", JOSE_ED, "SHA512", "Ed25519", NULL, ED_BYTES},
};
#define N_ALGS (sizeof algs / sizeof *algs)
#define ALL_RSA (JWS_RS256 | JWS_RS384 | JWS_RS512 | JWS_PS256 | JWS_PS384 | JWS_PS512)

const struct jose_alg *jose_alg_get(uint32_t alg)
{
    for (size_t i = 0; i < N_ALGS; i++)
        if (algs[i].alg == alg)
            return &algs[i];
    return NULL;
}

EVP_MD_CTX *jose_begin(const struct jose_alg *alg, EVP_PKEY *pkey, enum jose_use use)
{
    const char *digest = alg->family == JOSE_ED ? NULL : alg->digest;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    EVP_PKEY_CTX *key_ctx = NULL; /* owned by ctx */

    if (!ctx ||
        (use == JOSE_SIGN ? EVP_DigestSignInit_ex : EVP_DigestVerifyInit_ex)(
            ctx, &key_ctx, digest, NULL, NULL, pkey, NULL) != 1 ||
        (alg->family == JOSE_PSS &&
         (EVP_PKEY_CTX_set_rsa_padding(key_ctx, RSA_PKCS1_PSS_PADDING) != 1 ||
          EVP_PKEY_CTX_set_rsa_pss_saltlen(key_ctx, RSA_PSS_SALTLEN_DIGEST) != 1))) {
        EVP_MD_CTX_free(ctx);
        return NULL;
    }
    return ctx;
}

uint32_t jws_alg_by_name(const char *name)
{
    for (size_t i = 0; name && i < N_ALGS; i++)
        if (strcmp(algs[i].name, name) == 0)
            return algs[i].alg;
    return 0;
}

const char *jws_alg_name(uint32_t alg)
{
    const struct jose_alg *found = jose_alg_get(alg);

    return found ? found->name : "unknown";
}

/* OpenSSL verifies under any modulus and any exponent, e = 1 included, where the "signature" is
 * the bare padding and anybody can write it. */
static uint32_t rsa_judge(const EVP_PKEY *pkey, struct err *err)
{
    BIGNUM *n = NULL, *e = NULL;
    uint32_t fit = 0;

    if (EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_N, &n) != 1 ||
        EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_E, &e) != 1)
        (void)err_set(err, ERR_UPSTREAM_BAD, "RSA key is incomplete");
    else if (BN_num_bits(n) < JWK_RSA_BITS_MIN || BN_num_bits(n) > JWK_RSA_BITS_MAX ||
             !BN_is_odd(n))
        (void)err_set(err, ERR_UPSTREAM_BAD, "RSA modulus must have %d to %d bits",
                      JWK_RSA_BITS_MIN, JWK_RSA_BITS_MAX);
    else if (!BN_is_odd(e) || BN_num_bits(e) < 17 || BN_num_bits(e) > 64)
        (void)err_set(err, ERR_UPSTREAM_BAD, "RSA exponent must be odd and have 17 to 64 bits");
    else
        fit = ALL_RSA;
    BN_free(n);
    BN_free(e);
    return fit;
}

static uint32_t ec_judge(EVP_PKEY *pkey, struct err *err)
{
    EVP_PKEY_CTX *ctx = NULL;
    char group[64] = "";
    uint32_t fit = 0;

    if (EVP_PKEY_get_group_name(pkey, group, sizeof group, NULL) == 1)
        for (size_t i = 0; i < N_ALGS; i++)
            if (algs[i].group &&
                (strcmp(algs[i].group, group) == 0 || strcmp(algs[i].curve, group) == 0))
                fit = algs[i].alg;
    if (!fit)
        (void)err_set(err, ERR_UPSTREAM_BAD, "EC key is on a curve we do not know");
    /* Import accepts the point at infinity. */
    if (fit && (!(ctx = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL)) ||
                EVP_PKEY_public_check(ctx) != 1)) {
        fit = 0;
        (void)err_set(err, ERR_UPSTREAM_BAD, "EC key is not a point of its curve");
    }
    EVP_PKEY_CTX_free(ctx);
    return fit;
}

/* Points of small order (RFC 8032 5.1.7 leaves them to us): under the neutral element a signature
 * holds for every message. Little-endian y with the sign bit cleared, both encodings of 0 and 1. */
static uint32_t ed_judge(const EVP_PKEY *pkey, struct err *err)
{
    static const char *const weak[] = {
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    };
    unsigned char point[ED_BYTES];
    char hex[2 * ED_BYTES + 1];
    size_t n = sizeof point;

    if (EVP_PKEY_get_raw_public_key(pkey, point, &n) != 1 || n != sizeof point)
        return (void)err_set(err, ERR_UPSTREAM_BAD, "Ed25519 key is incomplete"), 0u;
    point[ED_BYTES - 1] &= 0x7f;
    text_hex(point, sizeof point, hex);
    for (size_t i = 0; i < sizeof weak / sizeof *weak; i++)
        if (strcmp(hex, weak[i]) == 0)
            return (void)err_set(err, ERR_UPSTREAM_BAD, "Ed25519 key is a point of small order"),
                   0u;
    return JWS_EDDSA;
}

uint32_t jwk_judge(const EVP_PKEY *pkey, struct err *err)
{
    uint32_t fit = 0;

    if (EVP_PKEY_is_a(pkey, "RSA"))
        fit = rsa_judge(pkey, err);
    else if (EVP_PKEY_is_a(pkey, "EC"))
        fit = ec_judge((EVP_PKEY *)(uintptr_t)pkey, err); /* checked, not changed */
    else if (EVP_PKEY_is_a(pkey, "ED25519"))
        fit = ed_judge(pkey, err);
    else
        (void)err_set(err, ERR_UPSTREAM_BAD, "key is neither RSA, EC nor Ed25519");
    ERR_clear_error();
    return fit;
}

static EVP_PKEY *pkey_make(const char *type, OSSL_PARAM *params)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    EVP_PKEY *pkey = NULL;

    if (!ctx || !params || EVP_PKEY_fromdata_init(ctx) != 1 ||
        EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_PUBLIC_KEY, params) != 1)
        pkey = NULL;
    EVP_PKEY_CTX_free(ctx);
    return pkey;
}

/* A base64url member: its bytes, at most `room`. */
static bool member_bytes(const struct jval *json, const char *name, unsigned char *out, size_t room,
                         size_t *n)
{
    const char *text = jval_text(jval_get(json, name));

    return text && text_b64url_decode(str_of(text), out, room, n) && *n > 0;
}

static EVP_PKEY *rsa_import(const struct jval *json, struct err *err)
{
    unsigned char n[JWK_RSA_BYTES_MAX + 1], e[8]; /* some writers put a zero byte in front of n */
    size_t n_len = 0, e_len = 0;
    OSSL_PARAM_BLD *build = NULL;
    OSSL_PARAM *params = NULL;
    BIGNUM *bn = NULL, *be = NULL;
    EVP_PKEY *pkey = NULL;

    if (!member_bytes(json, "n", n, sizeof n, &n_len) ||
        !member_bytes(json, "e", e, sizeof e, &e_len)) {
        (void)err_set(err, ERR_UPSTREAM_BAD, "RSA key: n or e is missing, malformed or too long");
        return NULL;
    }
    bn = BN_bin2bn(n, (int)n_len, NULL);
    be = BN_bin2bn(e, (int)e_len, NULL);
    build = OSSL_PARAM_BLD_new();
    if (bn && be && build && OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, bn) == 1 &&
        OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, be) == 1)
        params = OSSL_PARAM_BLD_to_param(build);
    pkey = pkey_make("RSA", params);
    if (!pkey)
        (void)err_set(err, ERR_UPSTREAM_BAD, "RSA key is refused");
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(build);
    BN_free(bn);
    BN_free(be);
    return pkey;
}

static EVP_PKEY *ec_import(const struct jval *json, struct err *err)
{
    const char *curve = jval_text(jval_get(json, "crv"));
    unsigned char point[1 + 2 * JWK_COORDINATE_MAX] = {0x04}; /* uncompressed, SEC 1 2.3.3 */
    const struct jose_alg *alg = NULL;
    size_t x = 0, y = 0;
    EVP_PKEY *pkey = NULL;

    for (size_t i = 0; curve && i < N_ALGS; i++)
        if (algs[i].family == JOSE_EC && strcmp(algs[i].curve, curve) == 0)
            alg = &algs[i];
    if (!alg) {
        (void)err_set(err, ERR_UPSTREAM_BAD, "EC key is on a curve we do not know");
        return NULL;
    }
    if (!member_bytes(json, "x", point + 1, alg->coordinate, &x) || x != alg->coordinate ||
        !member_bytes(json, "y", point + 1 + x, alg->coordinate, &y) || y != alg->coordinate) {
        (void)err_set(err, ERR_UPSTREAM_BAD, "EC key: x or y is missing or has a wrong length");
        return NULL;
    }
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, (char *)(uintptr_t)alg->group,
                                         0),
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point, 1 + x + y),
        OSSL_PARAM_construct_end(),
    };
    pkey = pkey_make("EC", params);
    if (!pkey)
        (void)err_set(err, ERR_UPSTREAM_BAD, "EC key is not a point of its curve");
    return pkey;
}

static EVP_PKEY *ed_import(const struct jval *json, struct err *err)
{
    const char *curve = jval_text(jval_get(json, "crv"));
    unsigned char point[ED_BYTES];
    EVP_PKEY *pkey = NULL;
    size_t n = 0;

    if (curve && strcmp(curve, "Ed25519") == 0 &&
        member_bytes(json, "x", point, sizeof point, &n) && n == sizeof point)
        pkey = EVP_PKEY_new_raw_public_key_ex(NULL, "ED25519", NULL, point, n);
    if (!pkey)
        (void)err_set(err, ERR_UPSTREAM_BAD, "OKP key is no Ed25519 key");
    return pkey;
}

static bool holds_text(const struct jval *array, const char *text)
{
    for (size_t i = 0; i < jval_count(array); i++) {
        const char *item = jval_text(jval_item(array, i));

        if (item && strcmp(item, text) == 0)
            return true;
    }
    return false;
}

/* RFC 7517 4.2 and 4.3, and what no published key may hold. */
static int purpose_judge(const struct jval *json, struct err *err)
{
    static const char *const private_members[] = {"d", "p", "q", "dp", "dq", "qi", "oth", "k"};
    const struct jval *use = jval_get(json, "use"), *ops = jval_get(json, "key_ops");
    const char *use_text = jval_text(use);

    for (size_t i = 0; i < sizeof private_members / sizeof *private_members; i++)
        if (jval_get(json, private_members[i]))
            return err_set(err, ERR_UPSTREAM_BAD, "key holds private or symmetric members");
    if (use && (!use_text || strcmp(use_text, "sig") != 0))
        return err_set(err, ERR_UPSTREAM_BAD, "key is not for signatures");
    if (ops && (jval_type(ops) != JVAL_ARRAY || !holds_text(ops, "verify")))
        return err_set(err, ERR_UPSTREAM_BAD, "key is not for verifying");
    return 0;
}

int jwk_import(const struct jval *json, struct jwk *out, struct err *err)
{
    const char *kty = jval_text(jval_get(json, "kty")), *kid = jval_text(jval_get(json, "kid"));
    const struct jval *alg = jval_get(json, "alg");

    *out = (struct jwk){0};
    ERR_clear_error();
    if (jval_type(json) != JVAL_OBJECT || !kty)
        return err_set(err, ERR_UPSTREAM_BAD, "key without a type");
    if (jval_get(json, "kid") && !kid)
        return err_set(err, ERR_UPSTREAM_BAD, "key id is no string");
    if (purpose_judge(json, err) < 0)
        return -1;
    if (strcmp(kty, "RSA") == 0)
        out->pkey = rsa_import(json, err);
    else if (strcmp(kty, "EC") == 0)
        out->pkey = ec_import(json, err);
    else if (strcmp(kty, "OKP") == 0)
        out->pkey = ed_import(json, err);
    else
        (void)err_set(err, ERR_UPSTREAM_BAD, "key is neither RSA, EC nor Ed25519");
    if (out->pkey)
        out->algs = jwk_judge(out->pkey, err);
    if (out->algs && alg) {
        out->algs &= jws_alg_by_name(jval_text(alg));
        if (!out->algs)
            (void)err_set(err, ERR_UPSTREAM_BAD, "key is for an algorithm we do not use it with");
    }
    ERR_clear_error();
    if (!out->algs) {
        jwk_deinit(out);
        return -1;
    }
    out->kid = kid ? mem_dup(kid) : NULL;
    return 0;
}

void jwk_deinit(struct jwk *k)
{
    EVP_MD_CTX_free(k->ready);
    EVP_PKEY_free(k->pkey);
    free(k->kid);
    *k = (struct jwk){0};
}

/* `size` bytes, or as few as possible when it is 0. */
static bool set_number(struct jval *json, const char *name, const EVP_PKEY *pkey, const char *param,
                       unsigned size)
{
    unsigned char bytes[JWK_RSA_BYTES_MAX];
    char text[2 * JWK_RSA_BYTES_MAX];
    BIGNUM *number = NULL;
    int n = -1;

    if (EVP_PKEY_get_bn_param(pkey, param, &number) == 1 &&
        BN_num_bytes(number) <= (int)sizeof bytes)
        n = BN_bn2binpad(number, bytes, size ? (int)size : BN_num_bytes(number));
    BN_free(number);
    if (n <= 0)
        return false;
    text_b64url(bytes, (size_t)n, text);
    jval_set_text(json, name, text);
    return true;
}

struct jval *jwk_export(const EVP_PKEY *pkey)
{
    struct jval *json = jval_new_object();
    struct err err = ERR_INIT;
    const struct jose_alg *alg = jose_alg_get(jwk_judge(pkey, &err)); /* NULL for RSA: many fit */
    unsigned char point[ED_BYTES];
    char text[2 * ED_BYTES];
    size_t n = sizeof point;
    bool good = false;

    if (alg)
        jval_set_text(json, "crv", alg->curve);
    if (EVP_PKEY_is_a(pkey, "RSA")) {
        jval_set_text(json, "kty", "RSA");
        good = set_number(json, "n", pkey, OSSL_PKEY_PARAM_RSA_N, 0) &&
               set_number(json, "e", pkey, OSSL_PKEY_PARAM_RSA_E, 0);
    } else if (alg && alg->family == JOSE_EC) {
        jval_set_text(json, "kty", "EC");
        good = set_number(json, "x", pkey, OSSL_PKEY_PARAM_EC_PUB_X, alg->coordinate) &&
               set_number(json, "y", pkey, OSSL_PKEY_PARAM_EC_PUB_Y, alg->coordinate);
    } else if (alg && EVP_PKEY_get_raw_public_key(pkey, point, &n) == 1) {
        jval_set_text(json, "kty", "OKP");
        text_b64url(point, n, text);
        jval_set_text(json, "x", text);
        good = true;
    }
    ERR_clear_error();
    if (!good)
        jval_free(&json);
    return json;
}
