/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Algorithms are fetched once per process and contexts are kept once per thread: an implicit fetch
 * costs more than the hash itself. A failure inside OpenSSL that no input can cause (no memory, no
 * provider) ends the process; nothing here could be right after it.
 */
#include "sys/seal.h"

#include <limits.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "sys/keyfile.h"
#include "sys/random.h"

#define NONCE 12
#define TAG 16
#define HEAD (KEYFILE_ID + NONCE)
#define MAC_KEY_KEPT 32 /* of other lengths nothing is kept */
#define PURPOSE_KEPT 32 /* of longer purposes neither */

struct secret {
    size_t n;
    char bytes[]; /* n and a NUL */
};

/* Written once under `algs_once`, constant afterwards. */
struct algs {
    EVP_MD *sha256;
    EVP_CIPHER *gcm;
    EVP_MAC *hmac;
    pthread_key_t key; /* only for its destructor */
};

/* What each thread keeps between calls. */
struct kept {
    EVP_MD_CTX *md;
    EVP_CIPHER_CTX *cipher;
    EVP_MAC_CTX *mac;
    size_t mac_key_n; /* 0: `mac` has no key that is known here */
    unsigned char mac_key[MAC_KEY_KEPT];
    /* The key last used to seal or unseal, and what it was derived from; purpose "": none. */
    unsigned char seal_prk[32], seal_key[32];
    char seal_purpose[PURPOSE_KEPT];
};

static struct algs algs;
static pthread_once_t algs_once = PTHREAD_ONCE_INIT;
static _Thread_local struct kept *kept_here;

static _Noreturn void seal_fatal(const char *what)
{
    (void)fprintf(stderr, "fatal: OpenSSL: %s failed\n", what);
    abort();
}

static void must(bool ok, const char *what)
{
    if (__builtin_expect(!ok, 0))
        seal_fatal(what);
}

static void kept_free(void *p)
{
    struct kept *kept = p;

    EVP_MD_CTX_free(kept->md);
    EVP_CIPHER_CTX_free(kept->cipher);
    EVP_MAC_CTX_free(kept->mac);
    OPENSSL_cleanse(kept, sizeof *kept);
    free(kept);
    kept_here = NULL;
}

static void algs_fetch(void)
{
    algs.sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    algs.gcm = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
    algs.hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    must(algs.sha256 && algs.gcm && algs.hmac, "fetching algorithms");
    must(pthread_key_create(&algs.key, kept_free) == 0, "pthread_key_create");
}

static struct kept *kept_make(void)
{
    struct kept *kept = mem_alloc(sizeof *kept);
    OSSL_PARAM digest[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char[]){"SHA256"}, 0),
        OSSL_PARAM_construct_end(),
    };

    must(pthread_once(&algs_once, algs_fetch) == 0, "pthread_once");
    kept->md = EVP_MD_CTX_new();
    kept->cipher = EVP_CIPHER_CTX_new();
    kept->mac = EVP_MAC_CTX_new(algs.hmac);
    must(kept->md && kept->cipher && kept->mac, "making contexts");
    must(EVP_DigestInit_ex2(kept->md, algs.sha256, NULL) == 1, "EVP_DigestInit_ex2");
    must(EVP_MAC_CTX_set_params(kept->mac, digest) == 1, "EVP_MAC_CTX_set_params");
    must(pthread_setspecific(algs.key, kept) == 0, "pthread_setspecific");
    kept_here = kept;
    return kept;
}

static inline struct kept *kept_get(void)
{
    return kept_here ? kept_here : kept_make();
}

struct secret *secret_new(const void *p, size_t n)
{
    struct secret *s = mem_alloc(sizeof *s + n + 1);

    s->n = n;
    if (n > 0)
        memcpy(s->bytes, p, n);
    return s;
}

struct secret *secret_dup(const struct secret *s)
{
    return s ? secret_new(s->bytes, s->n) : NULL;
}

void secret_free(struct secret **s)
{
    if (!*s)
        return;
    OPENSSL_cleanse(*s, sizeof **s + (*s)->n);
    free(*s);
    *s = NULL;
}

bool secret_eq(const struct secret *a, struct str b)
{
    return a && a->n == b.n && seal_equal(a->bytes, b.p, b.n);
}

size_t secret_len(const struct secret *s)
{
    return s ? s->n : 0;
}

struct str secret_reveal(const struct secret *s)
{
    return s ? (struct str){s->bytes, s->n} : (struct str){"", 0};
}

bool seal_equal(const void *a, const void *b, size_t n)
{
    return n == 0 || CRYPTO_memcmp(a, b, n) == 0;
}

void seal_wipe(void *p, size_t n)
{
    if (p && n > 0)
        explicit_bzero(p, n); /* OPENSSL_cleanse goes eight bytes at a time */
}

void seal_sha256(struct str in, unsigned char out[32])
{
    EVP_MD_CTX *md = kept_get()->md;

    must(EVP_DigestInit_ex2(md, NULL, NULL) == 1 && EVP_DigestUpdate(md, in.p, in.n) == 1 &&
             EVP_DigestFinal_ex(md, out, NULL) == 1,
         "SHA-256");
}

/* A context that goes on with the key it has (EVP_MAC_init without one) saves half of a short
 * HMAC, and nearly all of ours are under the newest key of the ring. */
static void hmac_key(struct kept *kept, struct str key)
{
    const bool same = key.n == kept->mac_key_n && CRYPTO_memcmp(kept->mac_key, key.p, key.n) == 0;

    /* OpenSSL takes an empty key without a word; it would authenticate nothing. */
    must(key.n > 0, "HMAC with an empty key");
    must(EVP_MAC_init(kept->mac, same ? NULL : (const unsigned char *)key.p, same ? 0 : key.n,
                      NULL) == 1,
         "EVP_MAC_init");
    kept->mac_key_n = key.n == MAC_KEY_KEPT ? MAC_KEY_KEPT : 0;
    if (kept->mac_key_n > 0 && !same)
        memcpy(kept->mac_key, key.p, MAC_KEY_KEPT);
}

static void hmac(struct str key, const struct str *parts, size_t n_parts, unsigned char out[32])
{
    struct kept *kept = kept_get();
    EVP_MAC_CTX *mac = kept->mac;
    size_t n = 0;

    hmac_key(kept, key);
    for (size_t i = 0; i < n_parts; i++)
        must(EVP_MAC_update(mac, (const unsigned char *)parts[i].p, parts[i].n) == 1,
             "EVP_MAC_update");
    must(EVP_MAC_final(mac, out, &n, 32) == 1 && n == 32, "EVP_MAC_final");
}

void seal_hmac_sha256(struct str key, struct str in, unsigned char out[32])
{
    hmac(key, &in, 1, out);
}

/* HKDF-Expand of RFC 5869 to one block, which is one HMAC; the extraction was done when the key
 * was read. The info is "usher/v1/", what for, '/', the purpose, NUL, `more`. */
static void derive(const struct keyfile_key *key, const char *what, const char *purpose,
                   struct str more, unsigned char out[32])
{
    struct str parts[] = {
        STR("usher/v1/"), str_of(what), STR("/"), str_of(purpose), {"", 1}, more, {"\x01", 1},
    };

    hmac((struct str){(const char *)key->prk, sizeof key->prk}, parts, sizeof parts / sizeof *parts,
         out);
}

/* The key that seals for a purpose: the same one again and again, flow after flow. */
static void seal_key(const struct keyfile_key *key, const char *purpose, unsigned char out[32])
{
    struct kept *kept = kept_get();
    const size_t n = strlen(purpose);
    const bool keeps = n > 0 && n < sizeof kept->seal_purpose;

    if (keeps && strcmp(kept->seal_purpose, purpose) == 0 &&
        CRYPTO_memcmp(kept->seal_prk, key->prk, sizeof key->prk) == 0) {
        memcpy(out, kept->seal_key, 32);
        return;
    }
    derive(key, "seal", purpose, STR(""), out);
    if (!keeps)
        return;
    memcpy(kept->seal_prk, key->prk, sizeof key->prk);
    memcpy(kept->seal_key, out, 32);
    memcpy(kept->seal_purpose, purpose, n + 1);
}

void keyring_seal(const struct keyring *k, const char *purpose, struct str aad, struct str plain,
                  struct buf *out)
{
    EVP_CIPHER_CTX *c = kept_get()->cipher;
    struct keyfile_key key;
    size_t n = HEAD + plain.n + TAG;
    unsigned char *sealed = mem_alloc(n), sub[32];
    int done = 0;

    must(plain.n < INT_MAX / 2 && aad.n < INT_MAX / 2, "sealing that much");
    keyfile_current(k, &key);
    memcpy(sealed, key.id, KEYFILE_ID);
    rng_fill(sealed + KEYFILE_ID, NONCE);
    seal_key(&key, purpose, sub);
    must(EVP_EncryptInit_ex2(c, algs.gcm, sub, sealed + KEYFILE_ID, NULL) == 1 &&
             EVP_EncryptUpdate(c, NULL, &done, (const unsigned char *)aad.p, (int)aad.n) == 1 &&
             EVP_EncryptUpdate(c, sealed + HEAD, &done, (const unsigned char *)plain.p,
                               (int)plain.n) == 1 &&
             (size_t)done == plain.n &&
             EVP_EncryptFinal_ex(c, sealed + HEAD + plain.n, &done) == 1 &&
             EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_GET_TAG, TAG, sealed + HEAD + plain.n) == 1,
         "AES-256-GCM");
    EVP_CIPHER_CTX_reset(c); /* wipes the key schedule */
    buf_add(out, sealed, n);
    seal_wipe(sub, sizeof sub);
    seal_wipe(&key, sizeof key);
    free(sealed);
}

int keyring_unseal(const struct keyring *k, const char *purpose, struct str aad, struct str sealed,
                   struct buf *out, struct err *err)
{
    EVP_CIPHER_CTX *c = kept_get()->cipher;
    struct keyfile_key key;

    if (sealed.n < HEAD + TAG || sealed.n > INT_MAX / 2 || aad.n > INT_MAX / 2)
        return err_set(err, ERR_INVALID, "sealed value has an impossible length");
    if (!keyfile_find(k, (const unsigned char *)sealed.p, &key))
        return err_set(err, ERR_INVALID, "sealed with a key that is not in the ring");

    size_t n = sealed.n - HEAD - TAG;
    unsigned char *plain = mem_alloc(n + 1), sub[32], tag[TAG];
    const unsigned char *in = (const unsigned char *)sealed.p;
    int done = 0, tail = 0;
    bool good = false;

    memcpy(tag, in + HEAD + n, TAG); /* the ctrl wants it writable */
    seal_key(&key, purpose, sub);
    good = EVP_DecryptInit_ex2(c, algs.gcm, sub, in + KEYFILE_ID, NULL) == 1 &&
           EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_SET_TAG, TAG, tag) == 1 &&
           EVP_DecryptUpdate(c, NULL, &done, (const unsigned char *)aad.p, (int)aad.n) == 1 &&
           EVP_DecryptUpdate(c, plain, &done, in + HEAD, (int)n) == 1 && (size_t)done == n &&
           EVP_DecryptFinal_ex(c, plain + n, &tail) == 1;
    EVP_CIPHER_CTX_reset(c);
    if (good)
        buf_add(out, plain, n);
    else
        ERR_clear_error();
    seal_wipe(plain, n);
    seal_wipe(sub, sizeof sub);
    seal_wipe(&key, sizeof key);
    free(plain);
    return good ? 0
                : err_set(err, ERR_INVALID, "sealed value is altered or meant for something else");
}

int keyring_derive(const struct keyring *k, const unsigned char key_id[4], const char *purpose,
                   struct str info, unsigned char out[32])
{
    struct keyfile_key key;

    if (!keyfile_find(k, key_id, &key))
        return -1;
    derive(&key, "derive", purpose, info, out);
    seal_wipe(&key, sizeof key);
    return 0;
}
