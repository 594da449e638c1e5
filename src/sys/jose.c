/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/jose.h"

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "sys/jwk.h"

#define HEADER_MAX ((size_t)8 * 1024)
#define HEADER_DEPTH 8
#define TRIES_MAX 4

struct jwks {
    atomic_uint refs;
    size_t n;
    struct jwk keys[];
};

/* A context to check with, as a copy if it is what the key is most likely used for: fetching the
 * algorithm anew takes a sixth of the time of a check. */
static EVP_MD_CTX *check_again(const struct jwk *key, const struct jose_alg *alg)
{
    if (key->ready_for != alg->alg)
        return jose_begin(alg, key->pkey, JOSE_CHECK);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    if (ctx && EVP_MD_CTX_copy_ex(ctx, key->ready) != 1) {
        EVP_MD_CTX_free(ctx);
        ctx = NULL;
    }
    return ctx;
}

/* Of an RSA key that does not name one, RS256. */
static void make_ready(struct jwk *key)
{
    const uint32_t first = key->algs & (~key->algs + 1);

    key->ready = jose_begin(jose_alg_get(first), key->pkey, JOSE_CHECK);
    key->ready_for = key->ready ? first : 0;
    ERR_clear_error();
}

struct jwks *jwks_parse(struct str json, struct err *err)
{
    struct err why = ERR_INIT; /* of the first key that was skipped */
    struct jval *root = jval_parse(json, JSON_SIZE_MAX, JSON_DEPTH_MAX, &why);
    const struct jval *keys = jval_get(root, "keys");
    struct jwks *set = NULL;

    if (!root)
        (void)err_set(err, ERR_UPSTREAM_BAD, "key set is not JSON or too large");
    else if (jval_type(keys) != JVAL_ARRAY || jval_count(keys) > JWKS_KEYS_MAX)
        (void)err_set(err, ERR_UPSTREAM_BAD, "key set holds no list of at most %d keys",
                      JWKS_KEYS_MAX);
    else {
        set = mem_alloc(sizeof *set + jval_count(keys) * sizeof *set->keys);
        atomic_init(&set->refs, 1);
        for (size_t i = 0; i < jval_count(keys); i++)
            if (jwk_import(jval_item(keys, i), &set->keys[set->n], &why) == 0)
                make_ready(&set->keys[set->n++]);
        if (set->n == 0) {
            (void)err_set(err, ERR_UPSTREAM_BAD, "key set holds no usable key: %s",
                          why.kind ? why.text : "it is empty");
            jwks_free(&set);
        }
    }
    jval_free(&root);
    return set;
}

struct jwks *jwks_ref(struct jwks *set)
{
    atomic_fetch_add_explicit(&set->refs, 1, memory_order_relaxed);
    return set;
}

void jwks_free(struct jwks **set)
{
    struct jwks *s = *set;

    *set = NULL;
    if (!s || atomic_fetch_sub_explicit(&s->refs, 1, memory_order_acq_rel) != 1)
        return;
    for (size_t i = 0; i < s->n; i++)
        jwk_deinit(&s->keys[i]);
    free(s);
}

size_t jwks_count(const struct jwks *set)
{
    return set->n;
}

void jws_deinit(struct jws *j)
{
    jval_free(&j->header);
    jval_free(&j->payload);
    j->alg = 0;
}

/* The three parts. What is longer than any token is refused before anything looks at it. */
static int token_split(struct str token, struct str part[3], struct err *err)
{
    const char *first = NULL, *second = NULL, *end = token.p + token.n;

    if (token.n > JWS_TOKEN_MAX)
        return err_set(err, ERR_UPSTREAM_BAD, "token is longer than %u bytes", JWS_TOKEN_MAX);
    if (token.n > 0)
        first = memchr(token.p, '.', token.n);
    if (first)
        second = memchr(first + 1, '.', (size_t)(end - first - 1));
    if (!second || memchr(second + 1, '.', (size_t)(end - second - 1)))
        return err_set(err, ERR_UPSTREAM_BAD, "token does not have three parts");
    part[0] = (struct str){token.p, (size_t)(first - token.p)};
    part[1] = (struct str){first + 1, (size_t)(second - first - 1)};
    part[2] = (struct str){second + 1, (size_t)(end - second - 1)};
    if (part[0].n == 0 || part[1].n == 0 || part[2].n == 0)
        return err_set(err, ERR_UPSTREAM_BAD, "token has an empty part");
    if (part[0].n > HEADER_MAX)
        return err_set(err, ERR_UPSTREAM_BAD, "token header is longer than %zu bytes", HEADER_MAX);
    return 0;
}

static struct jval *part_parse(struct str part, const char *name, unsigned depth, struct err *err)
{
    struct err why = ERR_INIT; /* says where in the token; too much for a log */
    struct jval *json = NULL;
    char *bytes = mem_alloc(part.n + 1);
    size_t n = 0;

    if (!text_b64url_decode(part, bytes, part.n, &n))
        (void)err_set(err, ERR_UPSTREAM_BAD, "token %s is not base64url", name);
    else if (!(json = jval_parse((struct str){bytes, n}, JWS_TOKEN_MAX, depth, &why)))
        (void)err_set(err, ERR_UPSTREAM_BAD, "token %s is not JSON", name);
    else if (jval_type(json) != JVAL_OBJECT) {
        (void)err_set(err, ERR_UPSTREAM_BAD, "token %s is not a JSON object", name);
        jval_free(&json);
    }
    free(bytes);
    return json;
}

/* jwk, jku, x5u, x5c and the like are not looked at: keys come from the set, never from the
 * token. `crit` and what changes how the payload is read must be refused (RFC 7515 4.1.11). */
static int header_judge(struct jws *j, const char *want, struct err *err)
{
    const struct jval *typ = jval_get(j->header, "typ"), *kid = jval_get(j->header, "kid");
    const char *typ_text = jval_text(typ);

    j->alg = jws_alg_by_name(jval_text(jval_get(j->header, "alg")));
    if (!j->alg)
        return err_set(err, ERR_UPSTREAM_BAD, "token algorithm is missing or not accepted");
    if (jval_get(j->header, "crit") || jval_get(j->header, "b64") || jval_get(j->header, "zip") ||
        jval_get(j->header, "enc"))
        return err_set(err, ERR_UPSTREAM_BAD, "token header asks for an extension");
    if ((typ || want) && (!typ_text || !str_is_nocase(str_of(typ_text), want ? want : "JWT")))
        return err_set(err, ERR_UPSTREAM_BAD, "token is of another type than %s",
                       want ? want : "JWT");
    if (kid && !jval_text(kid))
        return err_set(err, ERR_UPSTREAM_BAD, "token key id is no string");
    return 0;
}

static int decode(struct str token, const char *typ, struct jws *out, struct err *err)
{
    struct str part[3];

    *out = (struct jws){0};
    if (token_split(token, part, err) < 0)
        return -1;
    if (!(out->header = part_parse(part[0], "header", HEADER_DEPTH, err)) ||
        header_judge(out, typ, err) < 0 ||
        !(out->payload = part_parse(part[1], "payload", JSON_DEPTH_MAX, err))) {
        jws_deinit(out);
        return -1;
    }
    return 0;
}

int jws_decode(struct str token, struct jws *out, struct err *err)
{
    return decode(token, NULL, out, err);
}

int jws_decode_typ(struct str token, const char *typ, struct jws *out, struct err *err)
{
    return decode(token, typ, out, err);
}

/* RFC 7518 3.4: r and s, each exactly as long as the curve's order, become DER. 0: not so. */
static int signature_der(const struct jose_alg *alg, const unsigned char *raw, size_t n,
                         unsigned char **der)
{
    ECDSA_SIG *pair = ECDSA_SIG_new();
    BIGNUM *r = NULL, *s = NULL;
    int length = 0;

    *der = NULL;
    if (pair && n == (size_t)2 * alg->coordinate) {
        r = BN_bin2bn(raw, (int)alg->coordinate, NULL);
        s = BN_bin2bn(raw + alg->coordinate, (int)alg->coordinate, NULL);
    }
    if (r && s && !BN_is_zero(r) && !BN_is_zero(s) && ECDSA_SIG_set0(pair, r, s) == 1) {
        r = s = NULL; /* the pair's now */
        length = i2d_ECDSA_SIG(pair, der);
    }
    BN_free(r);
    BN_free(s);
    ECDSA_SIG_free(pair);
    return length > 0 ? length : 0;
}

/* Only 1 is success: OpenSSL answers -1 for malformed signatures. */
static bool signature_good(const struct jose_alg *alg, const struct jwk *key, struct str input,
                           const unsigned char *sig, size_t n)
{
    EVP_MD_CTX *ctx = NULL;
    unsigned char *der = NULL;
    bool good = false;

    ERR_clear_error();
    if (alg->family == JOSE_EC) {
        n = (size_t)signature_der(alg, sig, n, &der);
        if (n == 0)
            goto out;
    } else if (n != (size_t)EVP_PKEY_get_size(key->pkey)) {
        goto out;
    }
    ctx = check_again(key, alg);
    good = ctx &&
           EVP_DigestVerify(ctx, der ? der : sig, n, (const unsigned char *)input.p, input.n) == 1;
out:
    OPENSSL_free(der);
    EVP_MD_CTX_free(ctx);
    ERR_clear_error();
    return good;
}

int jws_check(const struct jws *j, struct str token, const struct jwks *set, uint32_t allowed,
              struct err *err)
{
    const char *kid = jval_text(jval_get(j->header, "kid"));
    const struct jose_alg *alg = jose_alg_get(j->alg);
    unsigned char sig[JWK_RSA_BYTES_MAX];
    struct str part[3];
    size_t n = 0;
    unsigned named = 0, tried = 0;

    if (!alg || !(alg->alg & allowed))
        return err_set(err, ERR_UPSTREAM_BAD, "token algorithm is not the one agreed on");
    if (token_split(token, part, err) < 0)
        return -1;
    if (!text_b64url_decode(part[2], sig, sizeof sig, &n))
        return err_set(err, ERR_UPSTREAM_BAD, "token signature is not base64url or too long");
    for (size_t i = 0; i < set->n && tried < TRIES_MAX; i++) {
        const struct jwk *key = &set->keys[i];

        if (kid && (!key->kid || strcmp(key->kid, kid) != 0))
            continue;
        named++;
        if (!(key->algs & alg->alg))
            continue;
        tried++;
        if (signature_good(alg, key, (struct str){token.p, (size_t)(part[2].p - 1 - token.p)}, sig,
                           n))
            return 1;
    }
    if (!kid || named == 0)
        return 0;
    return err_set(err, ERR_UPSTREAM_BAD,
                   tried > 0 ? "token signature is wrong"
                             : "token names a key that is not for its algorithm");
}

int jws_half_hash(uint32_t alg, struct str value, char *out, size_t room)
{
    const struct jose_alg *found = jose_alg_get(alg);
    unsigned char hash[EVP_MAX_MD_SIZE];
    size_t n = 0;

    if (found && strcmp(found->digest, "SHA256") == 0) {
        seal_sha256(value, hash); /* needs no algorithm fetched */
        n = 32;
    } else if (!found || EVP_Q_digest(NULL, found->digest, NULL, value.p, value.n, hash, &n) != 1) {
        return -1;
    }
    if (room < text_b64url_len(n / 2) + 1)
        return -1;
    text_b64url(hash, n / 2, out);
    return 0;
}
