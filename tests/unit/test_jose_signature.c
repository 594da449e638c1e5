/* SPDX-License-Identifier: Apache-2.0 */
/* jws_check: signatures that are wrong, forged, or of a shape OpenSSL alone would mistake. */
#include "sys/jose.h"

#include "token_kit.h"

Suite *suite_jose_signature(void);

#define CLAIMS "{\"sub\":\"248289761001\"}"

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

/* The verdict on a token of ES256's key with this header, well signed. */
static int header_verdict(const char *header)
{
    struct buf token;

    kit_token(ES256, header, CLAIMS, &token);
    int verdict = kit_judge(buf_view(&token), ES256->set, KIT_ALL);
    buf_deinit(&token);
    return verdict;
}

/* ---- signatures ---- */

START_TEST(jwt_38_tampered) /* JWT-38: bits of header, payload and signature, for each algorithm */
{
    const struct kit *k = &ring.of[_i];
    struct jval *claims = jval_new_object();
    struct err err = ERR_INIT;
    struct buf token;

    jval_set_text(claims, "sub", "248289761001");
    buf_init(&token, JWS_TOKEN_MAX);
    ck_assert_int_eq(
        jws_sign(k->key, &(struct jws_head){k->alg, KIT_KID, NULL}, claims, &token, &err), 0);
    ck_assert_int_eq(kit_judge(buf_view(&token), k->set, KIT_ALL), 1);
    for (size_t bit = 0; bit < 8 * token.n; bit++) {
        token.p[bit / 8] = (char)(token.p[bit / 8] ^ (1 << bit % 8));
        ck_assert_int_ne(kit_judge(buf_view(&token), k->set, KIT_ALL), 1);
        token.p[bit / 8] = (char)(token.p[bit / 8] ^ (1 << bit % 8));
    }
    ck_assert_int_eq(kit_judge(buf_view(&token), k->set, KIT_ALL), 1);
    for (size_t n = 0; n < token.n; n++)
        ck_assert_int_ne(kit_judge((struct str){token.p, n}, k->set, KIT_ALL), 1);
    buf_deinit(&token);
    jval_free(&claims);
}
END_TEST

/* An RSA key that does not name its algorithm serves each, in any order, again and again. */
START_TEST(one_key_many_algorithms)
{
    static const uint32_t algs[] = {JWS_PS256, JWS_RS256, JWS_RS512, JWS_PS384,
                                    JWS_RS256, JWS_RS384, JWS_PS256};
    struct jval *jwk = jws_key_public(RS256->key, JWS_RS256, KIT_KID);
    struct jval *claims = jval_new_object();
    struct err err = ERR_INIT;
    jval_remove(jwk, "alg");
    struct jwks *set = kit_set((const struct jval *const[]){jwk}, 1);

    for (size_t i = 0; i < sizeof algs / sizeof *algs; i++) {
        const struct jws_head head = {algs[i], KIT_KID, NULL};
        struct buf token;
        buf_init(&token, JWS_TOKEN_MAX);
        ck_assert_int_eq(jws_sign(RS256->key, &head, claims, &token, &err), 0);
        ck_assert_int_eq(kit_judge(buf_view(&token), set, KIT_ALL), 1);
        token.p[token.n - 10] = token.p[token.n - 10] == 'A' ? 'B' : 'A';
        ck_assert_int_eq(kit_judge(buf_view(&token), set, KIT_ALL), -1);
        buf_deinit(&token);
    }
    jwks_free(&set);
    jval_free(&jwk);
    jval_free(&claims);
}
END_TEST

START_TEST(pss_salt) /* RFC 7518 3.5: the salt is as long as the hash */
{
    static const int salts[] = {0, 20, RSA_PSS_SALTLEN_MAX};
    unsigned char sig[1024];
    struct buf token;

    for (size_t i = 0; i < 3; i++) {
        kit_input(&token, STR("{\"alg\":\"PS256\",\"kid\":\"" KIT_KID "\"}"), STR(CLAIMS));
        size_t n = kit_sign_raw(PS256, buf_view(&token), salts[i], sig);
        kit_finish(&token, sig, n);
        ck_assert_int_eq(kit_judge(buf_view(&token), PS256->set, KIT_ALL), -1);
        buf_deinit(&token);
    }
}
END_TEST

#define ES256_HEADER STR("{\"alg\":\"ES256\",\"kid\":\"" KIT_KID "\"}")

/* The verdict on this signature over a fixed input. */
static int es256_verdict(const unsigned char *sig, size_t n)
{
    struct buf token;

    kit_input(&token, ES256_HEADER, STR(CLAIMS));
    kit_finish(&token, sig, n);
    int verdict = kit_judge(buf_view(&token), ES256->set, KIT_ALL);
    buf_deinit(&token);
    return verdict;
}

static void es256_sign(unsigned char sig[1024], bool der, size_t *n)
{
    struct buf input;

    kit_input(&input, ES256_HEADER, STR(CLAIMS));
    *n = der ? kit_sign_raw(ES256, buf_view(&input), 0, sig)
             : kit_sign(ES256, buf_view(&input), sig);
    buf_deinit(&input);
}

START_TEST(jwt_29_raw_signatures_only) /* JWT-29 */
{
    unsigned char sig[1024] = {0};
    size_t n = 0;

    es256_sign(sig, true, &n);
    ck_assert_int_eq(es256_verdict(sig, n), -1); /* DER is what OpenSSL would take */
    es256_sign(sig, false, &n);
    ck_assert_uint_eq(n, 64);
    ck_assert_int_eq(es256_verdict(sig, 64), 1);
    ck_assert_int_eq(es256_verdict(sig, 63), -1);
    ck_assert_int_eq(es256_verdict(sig, 65), -1);
    ck_assert_int_eq(es256_verdict(sig, 96), -1);
    ck_assert_int_eq(es256_verdict(sig, 1), -1);
    ck_assert_int_eq(es256_verdict(sig, 1024), -1);

    /* r or s with a zero in front: right when padded, refused when cut. About 1 in 128 has one. */
    bool zero_r = false, zero_s = false;
    for (int i = 0; i < 20000 && !(zero_r && zero_s); i++) {
        es256_sign(sig, false, &n);
        if (sig[0] == 0) {
            zero_r = true;
            ck_assert_int_eq(es256_verdict(sig, 64), 1);
            ck_assert_int_eq(es256_verdict(sig + 1, 63), -1);
        } else if (sig[32] == 0) {
            zero_s = true;
            ck_assert_int_eq(es256_verdict(sig, 64), 1);
            memmove(sig + 32, sig + 33, 31);
            ck_assert_int_eq(es256_verdict(sig, 63), -1);
        }
    }
    ck_assert(zero_r && zero_s);
}
END_TEST

START_TEST(jwt_30_ecdsa_ranges) /* JWT-30 */
{
    BIGNUM *order = NULL, *s = NULL;
    unsigned char sig[1024], bad[64], n_bytes[32];
    size_t n = 0;

    BN_hex2bn(&order, "FFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551");
    ck_assert_int_eq(BN_bn2binpad(order, n_bytes, 32), 32);
    es256_sign(sig, false, &n);

    memset(bad, 0, 64);
    ck_assert_int_eq(es256_verdict(bad, 64), -1); /* r = s = 0 */
    memcpy(bad, sig, 32);
    ck_assert_int_eq(es256_verdict(bad, 64), -1); /* s = 0 */
    memcpy(bad + 32, sig, 32);
    memset(bad, 0, 32);
    ck_assert_int_eq(es256_verdict(bad, 64), -1); /* r = 0 */
    memcpy(bad, n_bytes, 32);
    memcpy(bad + 32, sig + 32, 32);
    ck_assert_int_eq(es256_verdict(bad, 64), -1); /* r = n */
    memcpy(bad, sig, 32);
    memcpy(bad + 32, n_bytes, 32);
    ck_assert_int_eq(es256_verdict(bad, 64), -1); /* s = n */
    memset(bad, 0xff, 32);
    ck_assert_int_eq(es256_verdict(bad, 64), -1); /* r > n */
    memcpy(bad, sig, 32);
    s = BN_bin2bn(sig + 32, 32, NULL);
    ck_assert_int_eq(BN_sub(s, order, s), 1);
    ck_assert_int_eq(BN_bn2binpad(s, bad + 32, 32), 32);
    ck_assert_int_eq(es256_verdict(bad, 64), 1); /* n - s: a twin the standard allows */
    BN_free(s);
    BN_free(order);
}
END_TEST

START_TEST(signature_lengths) /* RSA and EdDSA: exact as well */
{
    const struct kit *const which[] = {RS256, PS256, EDDSA};
    unsigned char room[1025], *sig = room + 1;

    for (size_t i = 0; i < 3; i++) {
        struct buf token;
        char header[64];

        (void)snprintf(header, sizeof header, "{\"alg\":\"%s\",\"kid\":\"" KIT_KID "\"}",
                       jws_alg_name(which[i]->alg));
        memset(room, 0, sizeof room);
        kit_input(&token, str_of(header), STR(CLAIMS));
        size_t n = kit_sign(which[i], buf_view(&token), sig), input = token.n;
        const struct str cuts[] = {
            {(char *)sig, n - 1}, {(char *)sig, n + 1}, {(char *)room, n + 1}, {(char *)sig, 1024}};
        for (size_t c = 0; c < 4; c++) {
            token.n = input;
            kit_finish(&token, (const unsigned char *)cuts[c].p, cuts[c].n);
            ck_assert_int_eq(kit_judge(buf_view(&token), which[i]->set, KIT_ALL), -1);
        }
        token.n = input;
        kit_finish(&token, sig, n);
        ck_assert_int_eq(kit_judge(buf_view(&token), which[i]->set, KIT_ALL), 1);
        buf_deinit(&token);
    }
}
END_TEST

START_TEST(jwt_11_no_kid_one_key) /* JWT-11 */
{
    ck_assert_int_eq(header_verdict("{\"alg\":\"ES256\"}"), 1);
}
END_TEST

START_TEST(jwt_12_no_kid_several_keys) /* JWT-12: each fitting key is tried, four at most */
{
    const struct jval *const two[] = {ring.other.jwk, EDDSA->jwk, ES384->jwk, ES256->jwk};
    struct jwks *set = kit_set(two, 4);
    struct buf token;

    kit_token(ES256, "{\"alg\":\"ES256\"}", CLAIMS, &token);
    ck_assert_int_eq(kit_judge(buf_view(&token), set, KIT_ALL), 1);
    jwks_free(&set);
    const struct jval *const many[] = {ring.other.jwk, ring.other.jwk, ring.other.jwk,
                                       ring.other.jwk, ES256->jwk};
    set = kit_set(many, 5);
    ck_assert_int_eq(kit_judge(buf_view(&token), set, KIT_ALL), 0);
    jwks_free(&set);
    /* None of them: perhaps the key was replaced, so a fresh set is asked for. */
    ck_assert_int_eq(kit_judge(buf_view(&token), ring.other.set, KIT_ALL), 0);
    ck_assert_int_eq(kit_judge(buf_view(&token), RS256->set, KIT_ALL), 0);
    buf_deinit(&token);
}
END_TEST

START_TEST(jwt_40_rotation) /* JWT-40 */
{
    struct jval *old_key = jws_key_public(ring.other.key, JWS_ES256, "old"),
                *new_key = jws_key_public(ES256->key, JWS_ES256, "new");
    struct jwks *before = kit_set((const struct jval *const[]){old_key}, 1),
                *during = kit_set((const struct jval *const[]){old_key, new_key}, 2),
                *after = kit_set((const struct jval *const[]){new_key}, 1);
    struct buf old_token, new_token;

    kit_token(&ring.other, "{\"alg\":\"ES256\",\"kid\":\"old\"}", CLAIMS, &old_token);
    kit_token(ES256, "{\"alg\":\"ES256\",\"kid\":\"new\"}", CLAIMS, &new_token);
    ck_assert_int_eq(kit_judge(buf_view(&old_token), before, KIT_ALL), 1);
    ck_assert_int_eq(kit_judge(buf_view(&new_token), before, KIT_ALL), 0);
    ck_assert_int_eq(kit_judge(buf_view(&old_token), during, KIT_ALL), 1);
    ck_assert_int_eq(kit_judge(buf_view(&new_token), during, KIT_ALL), 1);
    ck_assert_int_eq(kit_judge(buf_view(&old_token), after, KIT_ALL), 0);
    ck_assert_int_eq(kit_judge(buf_view(&new_token), after, KIT_ALL), 1);
    buf_deinit(&old_token);
    buf_deinit(&new_token);
    jwks_free(&before);
    jwks_free(&during);
    jwks_free(&after);
    jval_free(&old_key);
    jval_free(&new_key);
}
END_TEST

Suite *suite_jose_signature(void)
{
    Suite *s = suite_create("jose_signature");
    TCase *t = tcase_create("all");

    tcase_add_unchecked_fixture(t, keys_make, keys_free);
    tcase_add_loop_test(t, jwt_38_tampered, 0, KIT_ALGS);
    tcase_add_test(t, one_key_many_algorithms);
    tcase_add_test(t, pss_salt);
    tcase_add_test(t, jwt_29_raw_signatures_only);
    tcase_add_test(t, jwt_30_ecdsa_ranges);
    tcase_add_test(t, signature_lengths);
    tcase_add_test(t, jwt_11_no_kid_one_key);
    tcase_add_test(t, jwt_12_no_kid_several_keys);
    tcase_add_test(t, jwt_40_rotation);
    suite_add_tcase(s, t);
    return s;
}
