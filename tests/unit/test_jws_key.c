/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/jose.h"

#include <pthread.h>

#include "token_kit.h"

Suite *suite_jws_key(void);

static struct kit_ring ring;

#define RS256 (&ring.of[0])
#define PS256 (&ring.of[3])
#define ES256 (&ring.of[6])
#define ES384 (&ring.of[7])
#define EDDSA (&ring.of[9])

static void keys_make(void)
{
    kit_ring_init(&ring);
}

static void keys_free(void)
{
    kit_ring_deinit(&ring);
}

/* ---- signing ---- */

START_TEST(sign_refusals)
{
    struct jval *claims = jval_new_object();
    struct err err = ERR_INIT;
    struct buf out;

    buf_init(&out, JWS_TOKEN_MAX);
    ck_assert_int_eq(
        jws_sign(ES256->key, &(struct jws_head){JWS_ES384, NULL, NULL}, claims, &out, &err), -1);
    ck_assert_int_eq(err.kind, ERR_MISCONFIGURED);
    err_clear(&err);
    ck_assert_int_eq(jws_sign(ES256->key, &(struct jws_head){0, NULL, NULL}, claims, &out, &err),
                     -1);
    err_clear(&err);
    ck_assert_int_eq(jws_sign(ES256->key, &(struct jws_head){JWS_RS256 | JWS_ES256, NULL, NULL},
                              claims, &out, &err),
                     -1);
    err_clear(&err);
    ck_assert_uint_eq(out.n, 0);
    out.limit = 20;
    ck_assert_int_eq(
        jws_sign(ES256->key, &(struct jws_head){JWS_ES256, NULL, NULL}, claims, &out, &err), -1);
    ck_assert_int_eq(err.kind, ERR_INTERNAL);
    buf_deinit(&out);

    char *big = malloc(JWS_TOKEN_MAX + 1);
    memset(big, 'x', JWS_TOKEN_MAX);
    big[JWS_TOKEN_MAX] = '\0';
    jval_set_text(claims, "big", big);
    err_clear(&err);
    buf_init(&out, KIT_TOKEN_MAX);
    ck_assert_int_eq(
        jws_sign(ES256->key, &(struct jws_head){JWS_ES256, NULL, NULL}, claims, &out, &err), -1);
    ck_assert_uint_eq(out.n, 0);
    free(big);
    buf_deinit(&out);
    jval_free(&claims);
    ck_assert_ptr_null(jws_key_make(0));
    ck_assert_ptr_null(jws_key_public(ES256->key, JWS_RS256, NULL));
    ck_assert_ptr_null(jws_key_public(ES256->key, 0, NULL));
}
END_TEST

START_TEST(keys_made) /* jws_key_make serves its algorithm, and only what its kind may */
{
    uint32_t alg = 1u << _i;
    struct jws_key *k = jws_key_make(alg);
    struct jval *jwk = jws_key_public(k, alg, NULL);

    ck_assert_ptr_nonnull(jwk);
    ck_assert_ptr_null(jval_get(jwk, "kid"));
    ck_assert_ptr_null(jval_get(jwk, "d"));
    ck_assert_str_eq(jval_text(jval_get(jwk, "use")), "sig");
    ck_assert_str_eq(jval_text(jval_get(jwk, "alg")), jws_alg_name(alg));
    struct jwks *set = kit_set((const struct jval *const[]){jwk}, 1);
    ck_assert_uint_eq(jwks_count(set), 1);
    jwks_free(&set);
    jval_free(&jwk);
    jws_key_free(&k);
    ck_assert_ptr_null(k);
    jws_key_free(&k);
}
END_TEST

static void pem_refused(const char *pem, const char *why)
{
    struct err err = ERR_INIT;

    ck_assert_ptr_null(jws_key_pem(str_of(pem), &err));
    ck_assert_int_eq(err.kind, ERR_MISCONFIGURED);
    ck_assert_msg(strstr(err.text, why) != NULL, "%s", err.text);
    ck_assert_uint_eq(ERR_peek_error(), 0);
}

START_TEST(pem_refusals)
{
    EVP_PKEY *small = EVP_RSA_gen(1024), *odd = EVP_EC_gen("secp256k1"),
             *x = EVP_PKEY_Q_keygen(NULL, NULL, "X25519");
    char *pem = kit_pem(small), *text = NULL;

    pem_refused(pem, "RSA modulus");
    free(pem);
    pem = kit_pem(odd);
    pem_refused(pem, "curve");
    free(pem);
    pem = kit_pem(x);
    pem_refused(pem, "neither RSA, EC nor Ed25519");
    free(pem);
    pem_refused("", "PEM");
    pem_refused("secret", "PEM");
    pem_refused("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "PEM");

    /* With a password: refused at once, and nobody is asked for it. */
    BIO *bio = BIO_new(BIO_s_mem());
    ck_assert_int_eq(
        PEM_write_bio_PKCS8PrivateKey(bio, ES256->pkey, EVP_aes_128_cbc(), "pass", 4, NULL, NULL),
        1);
    long n = BIO_get_mem_data(bio, &text);
    pem = strndup(text, (size_t)n);
    pem_refused(pem, "unencrypted");
    free(pem);
    BIO_free(bio);
    /* A public key is no private key. */
    bio = BIO_new(BIO_s_mem());
    ck_assert_int_eq(PEM_write_bio_PUBKEY(bio, ES256->pkey), 1);
    n = BIO_get_mem_data(bio, &text);
    pem = strndup(text, (size_t)n);
    pem_refused(pem, "PEM");
    free(pem);
    BIO_free(bio);
    EVP_PKEY_free(small);
    EVP_PKEY_free(odd);
    EVP_PKEY_free(x);
}
END_TEST

/* ---- signers ---- */

#define PAYLOAD "{\"sub\":\"somebody\",\"n\":1}"
#define ACCESS "at+jwt"

/* Good by the key set, of the type that was asked for, and of no other. */
static void token_good(const struct kit *k, const struct jwks *set, const char *token)
{
    struct err err = ERR_INIT;
    struct jws j;

    ck_assert_int_eq(jws_decode(str_of(token), &j, &err), -1);
    err_clear(&err);
    ck_assert_int_eq(jws_decode_typ(str_of(token), "logout+jwt", &j, &err), -1);
    err_clear(&err);
    ck_assert_msg(jws_decode_typ(str_of(token), ACCESS, &j, &err) == 0, "%s", err.text);
    ck_assert_str_eq(jval_text(jval_get(j.payload, "sub")), "somebody");
    ck_assert_str_eq(jval_text(jval_get(j.header, "kid")), KIT_KID);
    ck_assert_msg(jws_check(&j, str_of(token), set, k->alg, &err) == 1, "%s", err.text);
    jws_deinit(&j);
}

START_TEST(signer_signs_again_and_again)
{
    const struct kit *k = &ring.of[_i];
    const struct jws_head head = {k->alg, KIT_KID, ACCESS};
    struct err err = ERR_INIT;
    struct jws_signer *s = jws_signer_new(k->key, &head, &err);
    struct buf out;

    ck_assert_msg(s != NULL, "%s", err.text);
    for (int i = 0; i < 3; i++) {
        buf_init(&out, JWS_TOKEN_MAX);
        ck_assert_int_eq(jws_signer_sign(s, STR(PAYLOAD), &out, &err), 0);
        token_good(k, k->set, out.p);
        buf_deinit(&out);
    }
    /* behind what is in the buffer already; and what does not fit is an error */
    buf_init(&out, JWS_TOKEN_MAX);
    buf_text(&out, "before ");
    ck_assert_int_eq(jws_signer_sign(s, STR(PAYLOAD), &out, &err), 0);
    token_good(k, k->set, out.p + strlen("before "));
    out.limit = out.n + 8;
    ck_assert_int_eq(jws_signer_sign(s, STR(PAYLOAD), &out, &err), -1);
    ck_assert_int_eq(err.kind, ERR_INTERNAL);
    buf_deinit(&out);
    jws_signer_free(&s);
    ck_assert_ptr_null(s);
    jws_signer_free(&s);
    err_clear(&err);
    ck_assert_ptr_null(jws_signer_new(
        k->key, &(struct jws_head){k->alg == JWS_ES256 ? JWS_ES384 : JWS_ES256, NULL, NULL}, &err));
    ck_assert_int_eq(err.kind, ERR_MISCONFIGURED);
}
END_TEST

/* Numbers with leading zeros, in DER shorter than others, come once in a hundred signatures. */
START_TEST(signatures_of_every_shape)
{
    struct err err = ERR_INIT;
    struct jws_signer *s =
        jws_signer_new(ES256->key, &(struct jws_head){JWS_ES256, KIT_KID, ACCESS}, &err);

    for (int i = 0; i < 1500; i++) {
        struct buf out;
        buf_init(&out, JWS_TOKEN_MAX);
        ck_assert_int_eq(jws_signer_sign(s, STR(PAYLOAD), &out, &err), 0);
        ck_assert_uint_eq(strlen(strrchr(out.p, '.') + 1), 86);
        token_good(ES256, ES256->set, out.p);
        buf_deinit(&out);
    }
    jws_signer_free(&s);
}
END_TEST

/* A token without `typ` is no access token either. */
START_TEST(typ_must_be_there)
{
    struct err err = ERR_INIT;
    struct jws_signer *s =
        jws_signer_new(ES256->key, &(struct jws_head){JWS_ES256, NULL, NULL}, &err);
    struct jws j;
    struct buf out;

    buf_init(&out, JWS_TOKEN_MAX);
    ck_assert_int_eq(jws_signer_sign(s, STR(PAYLOAD), &out, &err), 0);
    ck_assert_int_eq(jws_decode_typ(buf_view(&out), ACCESS, &j, &err), -1);
    err_clear(&err);
    ck_assert_int_eq(jws_decode(buf_view(&out), &j, &err), 0);
    jws_deinit(&j);
    buf_deinit(&out);
    jws_signer_free(&s);
}
END_TEST

#define ROUNDS 40
static struct jws_signer *shared;

static void *sign_many(void *arg)
{
    struct buf *out = arg;
    struct err err = ERR_INIT;
    for (int i = 0; i < ROUNDS; i++)
        if (jws_signer_sign(shared, STR(PAYLOAD), &out[i], &err) < 0)
            return arg;
    return NULL;
}

START_TEST(signer_of_several_threads)
{
    const struct kit *k = _i ? RS256 : ES256;
    struct err err = ERR_INIT;
    pthread_t thread[3];
    static struct buf out[3][ROUNDS];

    shared = jws_signer_new(k->key, &(struct jws_head){k->alg, KIT_KID, ACCESS}, &err);
    for (int t = 0; t < 3; t++) {
        for (int i = 0; i < ROUNDS; i++)
            buf_init(&out[t][i], JWS_TOKEN_MAX);
        ck_assert_int_eq(pthread_create(&thread[t], NULL, sign_many, out[t]), 0);
    }
    for (int t = 0; t < 3; t++) {
        void *failed;
        ck_assert_int_eq(pthread_join(thread[t], &failed), 0);
        ck_assert_ptr_null(failed);
        for (int i = 0; i < ROUNDS; i++) {
            token_good(k, k->set, out[t][i].p);
            buf_deinit(&out[t][i]);
        }
    }
    jws_signer_free(&shared);
}
END_TEST

START_TEST(saved_keys_come_back)
{
    const struct kit *k = &ring.of[_i];
    struct err err = ERR_INIT;
    struct buf pem, out;

    buf_init(&pem, 16384);
    ck_assert_msg(jws_key_save(k->key, &pem, &err) == 0, "%s", err.text);
    struct jws_key *again = jws_key_pem(buf_view(&pem), &err);
    ck_assert_msg(again != NULL, "%s", err.text);
    struct jws_signer *s = jws_signer_new(again, &(struct jws_head){k->alg, KIT_KID, ACCESS}, &err);
    buf_init(&out, JWS_TOKEN_MAX);
    ck_assert_int_eq(jws_signer_sign(s, STR(PAYLOAD), &out, &err), 0);
    token_good(k, k->set, out.p);
    jws_signer_free(&s);
    jws_key_free(&again);
    buf_deinit(&out);
    buf_wipe(&pem);
}
END_TEST

Suite *suite_jws_key(void)
{
    Suite *s = suite_create("jws_key");
    TCase *t = tcase_create("all");

    tcase_add_unchecked_fixture(t, keys_make, keys_free);
    tcase_add_test(t, sign_refusals);
    tcase_add_loop_test(t, keys_made, 0, KIT_ALGS);
    tcase_add_test(t, pem_refusals);
    tcase_add_loop_test(t, signer_signs_again_and_again, 0, KIT_ALGS);
    tcase_add_loop_test(t, signer_of_several_threads, 0, 2);
    tcase_add_test(t, signatures_of_every_shape);
    tcase_add_test(t, typ_must_be_there);
    tcase_add_loop_test(t, saved_keys_come_back, 0, KIT_ALGS);
    suite_add_tcase(s, t);
    return s;
}
