/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The signing half of sys/jose.h.
 */
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "sys/jose.h"
#include "sys/jwk.h"

#define PEM_MAX ((size_t)32 * 1024)
#define MADE_RSA_BITS 2048
#define SIGNATURE_ROOM 512 /* of a token: an RSA signature and the dot before it */

struct jws_key {
    EVP_PKEY *pkey;
    uint32_t algs;
};

/* Without this OpenSSL would ask for a password on the terminal. */
static int no_password(char *buf, int size, int writing, void *arg)
{
    (void)buf, (void)size, (void)writing, (void)arg;
    return -1;
}

struct jws_key *jws_key_pem(struct str pem, struct err *err)
{
    struct err why = ERR_INIT;
    struct jws_key *k = NULL;
    EVP_PKEY *pkey = NULL;
    BIO *bio = NULL;
    uint32_t algs = 0;

    ERR_clear_error();
    if (pem.n > 0 && pem.n <= PEM_MAX && (bio = BIO_new_mem_buf(pem.p, (int)pem.n)))
        pkey = PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL);
    BIO_free(bio);
    if (!pkey)
        (void)err_set(err, ERR_MISCONFIGURED, "not an unencrypted private key in PEM form");
    else if (!(algs = jwk_judge(pkey, &why)))
        (void)err_set(err, ERR_MISCONFIGURED, "private key: %s", why.text);
    ERR_clear_error();
    if (!algs) {
        EVP_PKEY_free(pkey);
        return NULL;
    }
    k = mem_alloc(sizeof *k);
    *k = (struct jws_key){pkey, algs};
    return k;
}

struct jws_key *jws_key_make(uint32_t alg)
{
    const struct jose_alg *found = jose_alg_get(alg);
    struct err err = ERR_INIT;
    struct jws_key *k = mem_alloc(sizeof *k);

    if (found && found->family == JOSE_EC)
        k->pkey = EVP_EC_gen(found->group);
    else if (found && found->family == JOSE_ED)
        k->pkey = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    else if (found)
        k->pkey = EVP_RSA_gen(MADE_RSA_BITS);
    if (k->pkey)
        k->algs = jwk_judge(k->pkey, &err);
    ERR_clear_error();
    if (!k->algs)
        jws_key_free(&k);
    return k;
}

void jws_key_free(struct jws_key **k)
{
    if (!*k)
        return;
    EVP_PKEY_free((*k)->pkey);
    free(*k);
    *k = NULL;
}

int jws_key_save(const struct jws_key *k, struct buf *out, struct err *err)
{
    BIO *bio = BIO_new(BIO_s_secmem());
    char *p = NULL;
    long n = 0;

    if (!bio || PEM_write_bio_PKCS8PrivateKey(bio, k->pkey, NULL, NULL, 0, NULL, NULL) != 1 ||
        (n = BIO_get_mem_data(bio, &p)) <= 0)
        (void)err_set(err, ERR_INTERNAL, "a private key cannot be written");
    else
        buf_add(out, p, (size_t)n);
    BIO_free(bio);
    ERR_clear_error();
    return n > 0 && buf_ok(out) ? 0 : -1;
}

struct jval *jws_key_public(const struct jws_key *k, uint32_t alg, const char *kid)
{
    struct jval *json = jose_alg_get(alg) && (k->algs & alg) ? jwk_export(k->pkey) : NULL;

    if (!json)
        return NULL;
    if (kid)
        jval_set_text(json, "kid", kid);
    jval_set_text(json, "alg", jws_alg_name(alg));
    jval_set_text(json, "use", "sig");
    return json;
}

/* DER to r and s of exact length, in place. */
static bool signature_raw(const struct jose_alg *alg, unsigned char *sig, size_t *n)
{
    const unsigned char *at = sig;
    ECDSA_SIG *pair = d2i_ECDSA_SIG(NULL, &at, (long)*n);
    int size = (int)alg->coordinate;
    bool good = pair && BN_bn2binpad(ECDSA_SIG_get0_r(pair), sig, size) == size &&
                BN_bn2binpad(ECDSA_SIG_get0_s(pair), sig + size, size) == size;

    ECDSA_SIG_free(pair);
    *n = (size_t)2 * alg->coordinate;
    return good;
}

/* `sig` has room for JWK_RSA_BYTES_MAX bytes. Takes the context; NULL: it could not be made. */
static bool signature_end(const struct jose_alg *alg, EVP_MD_CTX *ctx, struct str input,
                          unsigned char *sig, size_t *n)
{
    *n = JWK_RSA_BYTES_MAX;
    bool good = ctx && EVP_DigestSign(ctx, sig, n, (const unsigned char *)input.p, input.n) == 1 &&
                (alg->family != JOSE_EC || signature_raw(alg, sig, n));
    EVP_MD_CTX_free(ctx);
    return good;
}

static bool signature_make(const struct jose_alg *alg, EVP_PKEY *pkey, struct str input,
                           unsigned char *sig, size_t *n)
{
    return signature_end(alg, jose_begin(alg, pkey, JOSE_SIGN), input, sig, n);
}

static void json_add(struct buf *out, const struct jval *json)
{
    struct buf text;

    buf_init(&text, JWS_TOKEN_MAX);
    jval_render(json, &text);
    if (buf_ok(&text))
        buf_b64url(out, text.p, text.n);
    else
        out->over = true;
    buf_deinit(&text);
}

static struct jval *head_json(const struct jose_alg *alg, const struct jws_head *head)
{
    struct jval *header = jval_new_object();

    jval_set_text(header, "alg", alg->name);
    if (head->typ)
        jval_set_text(header, "typ", head->typ);
    if (head->kid)
        jval_set_text(header, "kid", head->kid);
    return header;
}

static int head_judge(const struct jws_key *k, const struct jws_head *head, struct err *err)
{
    if (!jose_alg_get(head->alg) || !(k->algs & head->alg))
        return err_set(err, ERR_MISCONFIGURED, "private key does not fit algorithm %s",
                       jws_alg_name(head->alg));
    return 0;
}

int jws_sign(const struct jws_key *k, const struct jws_head *head, const struct jval *payload,
             struct buf *out, struct err *err)
{
    const struct jose_alg *found = jose_alg_get(head->alg);
    struct jval *header = NULL;
    unsigned char sig[JWK_RSA_BYTES_MAX];
    size_t n = 0;
    int result = -1;
    struct buf token;

    if (head_judge(k, head, err) < 0)
        return -1;
    buf_init(&token, JWS_TOKEN_MAX);
    header = head_json(found, head);
    json_add(&token, header);
    buf_byte(&token, '.');
    json_add(&token, payload);
    if (!buf_ok(&token)) {
        (void)err_set(err, ERR_INTERNAL, "token is too long to sign");
        goto out;
    }
    if (!signature_make(found, k->pkey, buf_view(&token), sig, &n)) {
        (void)err_set(err, ERR_INTERNAL, "signing with %s failed", found->name);
        goto out;
    }
    buf_byte(&token, '.');
    buf_b64url(&token, sig, n);
    if (buf_ok(&token))
        buf_str(out, buf_view(&token));
    if (!buf_ok(&token) || !buf_ok(out))
        (void)err_set(err, ERR_INTERNAL, "signed token does not fit");
    else
        result = 0;
out:
    ERR_clear_error();
    jval_free(&header);
    buf_deinit(&token);
    return result;
}

/* ---- many tokens with one head ---- */

#define SPARES 4

struct jws_signer {
    const struct jose_alg *alg;
    EVP_MD_CTX *ready; /* copied for each signature, which fetches nothing; never digests itself */
    struct buf head;   /* encoded, with the dot */
    EVP_PKEY *pkey;    /* the key's */
    /* ES256, which is quick enough for copies to count: contexts that sign digests one after the
     * other, each for one thread at a time. NULL: it is in use, or was not made yet. */
    _Atomic(EVP_PKEY_CTX *) *spare;
};

static EVP_PKEY_CTX *spare_take(const struct jws_signer *s)
{
    EVP_PKEY_CTX *ctx = NULL;

    for (size_t i = 0; !ctx && i < SPARES; i++)
        ctx = atomic_exchange(&s->spare[i], NULL);
    if (ctx)
        return ctx;
    ctx = EVP_PKEY_CTX_new_from_pkey(NULL, s->pkey, NULL);
    if (ctx && EVP_PKEY_sign_init(ctx) == 1)
        return ctx;
    EVP_PKEY_CTX_free(ctx);
    return NULL;
}

static void spare_give(const struct jws_signer *s, EVP_PKEY_CTX *ctx)
{
    for (size_t i = 0; i < SPARES; i++) {
        EVP_PKEY_CTX *none = NULL;
        if (atomic_compare_exchange_strong(&s->spare[i], &none, ctx))
            return;
    }
    EVP_PKEY_CTX_free(ctx);
}

static bool sign_es256(const struct jws_signer *s, struct str input, unsigned char *sig, size_t *n)
{
    EVP_PKEY_CTX *ctx = spare_take(s);
    unsigned char digest[32];

    seal_sha256(input, digest);
    *n = JWK_RSA_BYTES_MAX;
    if (!ctx || EVP_PKEY_sign(ctx, sig, n, digest, sizeof digest) != 1) {
        EVP_PKEY_CTX_free(ctx); /* nobody knows what state it is in */
        return false;
    }
    spare_give(s, ctx);
    return signature_raw(s->alg, sig, n);
}

struct jws_signer *jws_signer_new(const struct jws_key *k, const struct jws_head *head,
                                  struct err *err)
{
    struct jws_signer *s = NULL;
    struct jval *header = NULL;

    if (head_judge(k, head, err) < 0)
        return NULL;
    s = mem_alloc(sizeof *s);
    s->alg = jose_alg_get(head->alg);
    s->pkey = k->pkey;
    s->spare = mem_alloc(SPARES * sizeof *s->spare);
    s->ready = jose_begin(s->alg, k->pkey, JOSE_SIGN);
    buf_init(&s->head, JWS_TOKEN_MAX);
    header = head_json(s->alg, head);
    json_add(&s->head, header);
    buf_byte(&s->head, '.');
    jval_free(&header);
    ERR_clear_error();
    if (!s->ready || !buf_ok(&s->head)) {
        (void)err_set(err, ERR_INTERNAL, "no signer for %s", s->alg->name);
        jws_signer_free(&s);
    }
    return s;
}

void jws_signer_free(struct jws_signer **s)
{
    if (!*s)
        return;
    EVP_MD_CTX_free((*s)->ready);
    for (size_t i = 0; i < SPARES; i++)
        EVP_PKEY_CTX_free((*s)->spare[i]);
    free((*s)->spare);
    buf_deinit(&(*s)->head);
    free(*s);
    *s = NULL;
}

static bool sign_copied(const struct jws_signer *s, struct str input, unsigned char *sig, size_t *n)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();

    if (ctx && EVP_MD_CTX_copy_ex(ctx, s->ready) == 1)
        return signature_end(s->alg, ctx, input, sig, n);
    EVP_MD_CTX_free(ctx);
    return false;
}

int jws_signer_sign(const struct jws_signer *s, struct str payload, struct buf *out,
                    struct err *err)
{
    unsigned char sig[JWK_RSA_BYTES_MAX];
    const size_t from = out->n;
    size_t n = 0;

    buf_room(out, s->head.n + text_b64url_len(payload.n) + SIGNATURE_ROOM);
    buf_str(out, buf_view(&s->head));
    buf_b64url(out, payload.p, payload.n);
    if (!buf_ok(out) || out->n - from > JWS_TOKEN_MAX)
        return err_set(err, ERR_INTERNAL, "token is too long to sign");
    const struct str input = {out->p + from, out->n - from};
    const bool good =
        s->alg->alg == JWS_ES256 ? sign_es256(s, input, sig, &n) : sign_copied(s, input, sig, &n);
    if (!good)
        ERR_clear_error();
    if (!good)
        return err_set(err, ERR_INTERNAL, "signing with %s failed", s->alg->name);
    buf_byte(out, '.');
    buf_b64url(out, sig, n);
    return buf_ok(out) ? 0 : err_set(err, ERR_INTERNAL, "signed token does not fit");
}

int jws_sign_bytes(const struct jws_key *k, uint32_t alg, struct str input, struct buf *out,
                   struct err *err)
{
    const struct jose_alg *found = jose_alg_get(alg);
    unsigned char sig[JWK_RSA_BYTES_MAX];
    size_t n = 0;
    bool good = found && (k->algs & alg) && signature_make(found, k->pkey, input, sig, &n);

    ERR_clear_error();
    if (!good)
        return err_set(err, ERR_INTERNAL, "signing failed");
    buf_add(out, sig, n);
    return buf_ok(out) ? 0 : err_set(err, ERR_INTERNAL, "signature does not fit");
}
