/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/jwk.h"

#include "token_kit.h"

Suite *suite_jwk(void);

static struct kit_ring ring;

#define RS256 (&ring.of[0])
#define ES256 (&ring.of[6])
#define ES384 (&ring.of[7])
#define ES512 (&ring.of[8])
#define EDDSA (&ring.of[9])

static void keys_make(void)
{
    kit_ring_init(&ring);
}

static void keys_free(void)
{
    kit_ring_deinit(&ring);
}

/* Import k's JWK after setting `member` to the JSON `value` (NULL: without it). 0, or -1 with an
 * error text that holds `why`. */
static int import_with(const struct kit *k, const char *member, const char *value, const char *why)
{
    struct jval *json = jws_key_public(k->key, k->alg, KIT_KID);
    struct err err = ERR_INIT;
    struct jwk key;

    jval_remove(json, member);
    if (value) {
        struct jval *parsed = jval_parse(str_of(value), JSON_SIZE_MAX, JSON_DEPTH_MAX, &err);

        ck_assert_msg(parsed != NULL, "%s", value);
        jval_set(json, member, parsed);
    }
    int result = jwk_import(json, &key, &err);
    ck_assert_int_eq(err.kind, result == 0 ? ERR_NONE : ERR_UPSTREAM_BAD);
    ck_assert_uint_eq(ERR_peek_error(), 0);
    if (result == 0) {
        ck_assert_uint_ne(key.algs, 0);
        ck_assert_ptr_nonnull(key.pkey);
        jwk_deinit(&key);
    } else {
        ck_assert_msg(strstr(err.text, why) != NULL, "%s=%s: %s", member, value, err.text);
        ck_assert_ptr_null(key.pkey);
    }
    jval_free(&json);
    return result;
}

/* base64url of `n` bytes as a JSON string; the next call overwrites it. */
static const char *quoted(const unsigned char *p, size_t n)
{
    static char text[4096];

    text[0] = '"';
    text_b64url(p, n, text + 1);
    strcat(text, "\"");
    return text;
}

static size_t member_bytes(const struct kit *k, const char *member, unsigned char *out, size_t room)
{
    size_t n = 0;

    ck_assert(text_b64url_decode(str_of(jval_text(jval_get(k->jwk, member))), out, room, &n));
    return n;
}

START_TEST(algs_of_keys)
{
    struct err err = ERR_INIT;
    struct jwk key;

    for (unsigned i = 0; i < KIT_ALGS; i++) {
        struct jval *json = jws_key_public(ring.of[i].key, ring.of[i].alg, KIT_KID);

        ck_assert_int_eq(jwk_import(json, &key, &err), 0);
        ck_assert_uint_eq(key.algs, ring.of[i].alg);
        ck_assert_str_eq(key.kid, KIT_KID);
        jwk_deinit(&key);
        jval_remove(json, "alg");
        jval_remove(json, "kid");
        ck_assert_int_eq(jwk_import(json, &key, &err), 0);
        ck_assert_uint_eq(key.algs, i < 6 ? 0x3fu : ring.of[i].alg); /* RSA: every RS and PS */
        ck_assert_ptr_null(key.kid);
        jwk_deinit(&key);
        jval_free(&json);
    }
    ck_assert_ptr_null(jose_alg_get(0));
    ck_assert_ptr_null(jose_alg_get(JWS_RS256 | JWS_ES256));
}
END_TEST

START_TEST(jwt_10_purpose) /* JWT-10 */
{
    ck_assert_int_eq(import_with(ES256, "use", NULL, ""), 0);
    ck_assert_int_eq(import_with(ES256, "use", "\"enc\"", "not for signatures"), -1);
    ck_assert_int_eq(import_with(ES256, "use", "\"\"", "not for signatures"), -1);
    ck_assert_int_eq(import_with(ES256, "use", "1", "not for signatures"), -1);
    ck_assert_int_eq(import_with(ES256, "use", "null", "not for signatures"), -1);
    ck_assert_int_eq(import_with(ES256, "use", "[\"sig\"]", "not for signatures"), -1);
    ck_assert_int_eq(import_with(ES256, "key_ops", "[\"verify\"]", ""), 0);
    ck_assert_int_eq(import_with(ES256, "key_ops", "[\"sign\",\"verify\"]", ""), 0);
    ck_assert_int_eq(import_with(ES256, "key_ops", "[]", "not for verifying"), -1);
    ck_assert_int_eq(
        import_with(ES256, "key_ops", "[\"encrypt\",\"wrapKey\"]", "not for verifying"), -1);
    ck_assert_int_eq(import_with(ES256, "key_ops", "[1,null]", "not for verifying"), -1);
    ck_assert_int_eq(import_with(ES256, "key_ops", "\"verify\"", "not for verifying"), -1);
    ck_assert_int_eq(import_with(ES256, "alg", "\"ES384\"", "algorithm"), -1);
    ck_assert_int_eq(import_with(ES256, "alg", "\"RS256\"", "algorithm"), -1);
    ck_assert_int_eq(import_with(RS256, "alg", "\"RSA-OAEP\"", "algorithm"), -1);
    ck_assert_int_eq(import_with(RS256, "alg", "\"HS256\"", "algorithm"), -1);
    ck_assert_int_eq(import_with(RS256, "alg", "\"PS512\"", ""), 0);
    ck_assert_int_eq(import_with(RS256, "alg", "1", "algorithm"), -1);
    ck_assert_int_eq(import_with(RS256, "alg", "null", "algorithm"), -1);
}
END_TEST

START_TEST(kinds)
{
    ck_assert_int_eq(import_with(ES256, "kty", "\"oct\"", "neither"), -1);
    ck_assert_int_eq(import_with(ES256, "kty", "\"ec\"", "neither"), -1);
    ck_assert_int_eq(import_with(ES256, "kty", "\"RSA\"", "n or e"), -1);
    ck_assert_int_eq(import_with(ES256, "kty", "\"OKP\"", "Ed25519"), -1);
    ck_assert_int_eq(import_with(ES256, "kty", "1", "without a type"), -1);
    ck_assert_int_eq(import_with(ES256, "kty", NULL, "without a type"), -1);
    ck_assert_int_eq(import_with(ES256, "kid", "1", "key id"), -1);
    ck_assert_int_eq(import_with(ES256, "kid", "null", "key id"), -1);
    ck_assert_int_eq(import_with(EDDSA, "crv", "\"Ed448\"", "Ed25519"), -1);
    ck_assert_int_eq(import_with(EDDSA, "crv", "\"X25519\"", "Ed25519"), -1);
    ck_assert_int_eq(import_with(EDDSA, "crv", NULL, "Ed25519"), -1);
    ck_assert_int_eq(import_with(EDDSA, "x", "\"AAAA\"", "Ed25519"), -1);
    ck_assert_int_eq(import_with(EDDSA, "x", NULL, "Ed25519"), -1);
}
END_TEST

START_TEST(private_members) /* JWT-31: somebody published a private key, or hands us a shared one */
{
    static const char *const members[] = {"d", "p", "q", "dp", "dq", "qi", "oth", "k"};

    for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
        ck_assert_int_eq(import_with(ES256, members[i], "\"AAAA\"", "private"), -1);
        ck_assert_int_eq(import_with(RS256, members[i], "null", "private"), -1);
    }
}
END_TEST

START_TEST(jwt_31_ec_points) /* JWT-31 */
{
    static const struct {
        unsigned i;
        size_t size;
    } curves[] = {{6, 32}, {7, 48}, {8, 66}};
    unsigned char x[68] = {0}, y[66];

    for (size_t c = 0; c < 3; c++) {
        const struct kit *k = &ring.of[curves[c].i];
        size_t n = curves[c].size;

        ck_assert_uint_eq(member_bytes(k, "x", x + 1, 67), n);
        ck_assert_uint_eq(member_bytes(k, "y", y, 66), n);
        ck_assert_int_eq(import_with(k, "x", quoted(x + 1, n), ""), 0);
        ck_assert_int_eq(import_with(k, "x", quoted(x + 1, n - 1), "wrong length"), -1);
        ck_assert_int_eq(import_with(k, "x", quoted(x, n + 1), "wrong length"),
                         -1); /* zero in front */
        ck_assert_int_eq(import_with(k, "x", quoted(x + 2, n - 1), "wrong length"), -1);
        ck_assert_int_eq(import_with(k, "x", "\"\"", "wrong length"), -1);
        ck_assert_int_eq(import_with(k, "x", NULL, "wrong length"), -1);
        ck_assert_int_eq(import_with(k, "y", NULL, "wrong length"), -1);
        ck_assert_int_eq(import_with(k, "y", "1", "wrong length"), -1);
        y[n - 1] ^= 1;
        ck_assert_int_eq(import_with(k, "y", quoted(y, n), "not a point"), -1); /* off the curve */
        memset(y, 0xff, n);
        ck_assert_int_eq(import_with(k, "y", quoted(y, n), "not a point"),
                         -1); /* above the prime */
    }
    ck_assert_int_eq(import_with(ES256, "crv", "\"P-384\"", "wrong length"), -1);
    ck_assert_int_eq(import_with(ES256, "crv", "\"P-192\"", "curve"), -1);
    ck_assert_int_eq(import_with(ES256, "crv", "\"secp256k1\"", "curve"), -1);
    ck_assert_int_eq(import_with(ES256, "crv", "\"prime256v1\"", "curve"), -1);
    ck_assert_int_eq(import_with(ES256, "crv", NULL, "curve"), -1);
    ck_assert_int_eq(import_with(ES384, "alg", "\"ES256\"", "algorithm"), -1);
}
END_TEST

START_TEST(jwt_31_infinity) /* JWT-31: x = y = 0, and the encoding OpenSSL itself would take */
{
    struct err err = ERR_INIT;
    struct jwk key;
    struct jval *json = jval_parse(STR("{\"kty\":\"EC\",\"crv\":\"P-256\","
                                       "\"x\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\","
                                       "\"y\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}"),
                                   1000, 4, &err);
    ck_assert_int_eq(jwk_import(json, &key, &err), -1);
    jval_free(&json);

    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    EVP_PKEY *pkey = NULL;
    unsigned char infinity[1] = {0};
    char group[] = "prime256v1";
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string("group", group, 0),
        OSSL_PARAM_construct_octet_string("pub", infinity, 1),
        OSSL_PARAM_construct_end(),
    };
    ck_assert_int_eq(EVP_PKEY_fromdata_init(ctx), 1);
    ck_assert_int_eq(EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_PUBLIC_KEY, params), 1);
    err_clear(&err);
    ck_assert_uint_eq(jwk_judge(pkey, &err), 0);
    ck_assert_ptr_nonnull(strstr(err.text, "not a point"));
    ck_assert_uint_eq(ERR_peek_error(), 0);
    EVP_PKEY_free(pkey);
    EVP_PKEY_CTX_free(ctx);
}
END_TEST

START_TEST(ed_small_order) /* the eight points under which signatures prove nothing */
{
    static const char *const points[] = {
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0000000000000000000000000000000000000000000000000000000000000080",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000080",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    };
    unsigned char bytes[32];
    size_t n = 0;

    for (size_t i = 0; i < sizeof points / sizeof *points; i++) {
        ck_assert(text_hex_decode(str_of(points[i]), bytes, 32, &n));
        ck_assert_int_eq(import_with(EDDSA, "x", quoted(bytes, 32), "small order"), -1);
    }
}
END_TEST

START_TEST(rsa_sizes)
{
    unsigned char n[1100];
    size_t size = member_bytes(RS256, "n", n + 1, 1000);

    n[0] = 0;
    ck_assert_uint_eq(size, 256);
    ck_assert_int_eq(import_with(RS256, "n", quoted(n, 257), ""),
                     0); /* a zero byte in front is read over */
    ck_assert_int_eq(import_with(RS256, "n", quoted(n + 1, 128), "modulus"), -1);
    ck_assert_int_eq(import_with(RS256, "n", quoted(n + 1, 64), "modulus"), -1);
    ck_assert_int_eq(import_with(RS256, "n", quoted(n + 1, 255), "modulus"), -1);
    n[1] = 0x7f; /* 2047 bits */
    n[256] |= 1;
    ck_assert_int_eq(import_with(RS256, "n", quoted(n + 1, 256), "modulus"), -1);
    n[1] = 0x80;
    ck_assert_int_eq(import_with(RS256, "n", quoted(n + 1, 256), ""), 0);
    n[256] &= 0xfe; /* even */
    ck_assert_int_eq(import_with(RS256, "n", quoted(n + 1, 256), "modulus"), -1);
    memset(n, 0xff, sizeof n);
    ck_assert_int_eq(import_with(RS256, "n", quoted(n, 1024), ""), 0); /* 8192 bits */
    ck_assert_int_eq(import_with(RS256, "n", quoted(n, 1025), "modulus"), -1);
    ck_assert_int_eq(import_with(RS256, "n", quoted(n, 1026), "too long"), -1);
    ck_assert_int_eq(import_with(RS256, "n", "\"\"", "missing"), -1);
    ck_assert_int_eq(import_with(RS256, "n", "\"AQ==\"", "malformed"), -1);
    ck_assert_int_eq(import_with(RS256, "n", NULL, "missing"), -1);
}
END_TEST

START_TEST(rsa_exponents)
{
    static const char *const bad[] = {
        "\"AQ\"",           /* 1 */
        "\"Aw\"",           /* 3 */
        "\"EQ\"",           /* 17 */
        "\"AQAA\"",         /* 65536 */
        "\"__8\"",          /* 65535 */
        "\"AA\"",           /* 0 */
        "\"____________\"", /* 72 bits */
        "\"\"",
        "1",
        "65537",
        "null",
    };

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        ck_assert_int_eq(import_with(RS256, "e", bad[i], "RSA"), -1);
    ck_assert_int_eq(import_with(RS256, "e", "\"AQAB\"", ""), 0);
    ck_assert_int_eq(import_with(RS256, "e", "\"AAEAAQ\"", ""), 0);      /* a zero byte in front */
    ck_assert_int_eq(import_with(RS256, "e", "\"__________8\"", ""), 0); /* 64 bits, odd */
}
END_TEST

/* RFC 8017 9.2 with SHA-256: under e = 1 the encoded message is its own signature. */
static void bare_padding(struct str input, unsigned char em[256])
{
    static const unsigned char digest_info[] = {0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60,
                                                0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02,
                                                0x01, 0x05, 0x00, 0x04, 0x20};

    memset(em, 0xff, 256);
    em[0] = 0;
    em[1] = 1;
    em[256 - 32 - sizeof digest_info - 1] = 0;
    memcpy(em + 256 - 32 - sizeof digest_info, digest_info, sizeof digest_info);
    seal_sha256(input, em + 224);
}

START_TEST(rsa_exponent_one_forgery)
{
    struct jval *bad = jws_key_public(RS256->key, JWS_RS256, KIT_KID);
    unsigned char em[256];
    struct buf token;

    jval_set_text(bad, "e", "AQ");
    struct jwks *set = kit_set((const struct jval *const[]){bad, EDDSA->jwk}, 2);
    ck_assert_uint_eq(jwks_count(set), 1); /* the bad key is skipped */
    kit_input(&token, STR("{\"alg\":\"RS256\"}"), STR("{\"sub\":\"anybody\"}"));
    bare_padding(buf_view(&token), em);
    kit_finish(&token, em, sizeof em);
    ck_assert_int_eq(kit_judge(buf_view(&token), set, KIT_ALL), 0);
    buf_deinit(&token);
    jwks_free(&set);
    jval_free(&bad);
}
END_TEST

static void set_refused(struct str json, const char *why)
{
    struct err err = ERR_INIT;

    ck_assert_ptr_null(jwks_parse(json, &err));
    ck_assert_int_eq(err.kind, ERR_UPSTREAM_BAD);
    ck_assert_msg(strstr(err.text, why) != NULL, "%s", err.text);
    ck_assert_uint_eq(ERR_peek_error(), 0);
}

START_TEST(jwt_41_broken_sets) /* JWT-41 */
{
    set_refused(STR(""), "not JSON");
    set_refused(STR("<html><body>502 Bad Gateway</body></html>"), "not JSON");
    set_refused(STR("{\"keys\":[]}"), "empty");
    set_refused(STR("{}"), "no list");
    set_refused(STR("[]"), "no list");
    set_refused(STR("null"), "no list");
    set_refused(STR("{\"keys\":{}}"), "no list");
    set_refused(STR("{\"keys\":\"x\"}"), "no list");
    set_refused(STR("{\"keys\":[1,null,\"x\",[],{}]}"), "without a type");
    set_refused(STR("{\"keys\":[{\"kty\":\"oct\",\"k\":\"c2VjcmV0\"}]}"), "private or symmetric");
    set_refused(STR("{\"keys\":[],\"keys\":[]}"), "not JSON");
}
END_TEST

START_TEST(jwt_41_bad_key_among_good) /* JWT-41 */
{
    struct jval *bad = jws_key_public(RS256->key, JWS_RS256, "bad"), *none = jval_new_null();

    jval_set_text(bad, "n", "AQAB");
    struct jwks *set = kit_set((const struct jval *const[]){bad, ES256->jwk, none, EDDSA->jwk}, 4);
    ck_assert_uint_eq(jwks_count(set), 2);
    struct jwks *ref = jwks_ref(set);
    jwks_free(&set);
    ck_assert_ptr_null(set);
    ck_assert_uint_eq(jwks_count(ref), 2);
    jwks_free(&ref);
    jwks_free(&ref);
    jval_free(&bad);
    jval_free(&none);
}
END_TEST

START_TEST(set_limits)
{
    const struct jval *many[JWKS_KEYS_MAX + 1];

    for (size_t i = 0; i <= JWKS_KEYS_MAX; i++)
        many[i] = EDDSA->jwk;
    struct jwks *set = kit_set(many, JWKS_KEYS_MAX);
    ck_assert_uint_eq(jwks_count(set), JWKS_KEYS_MAX);
    jwks_free(&set);
    char *json = kit_set_json(many, JWKS_KEYS_MAX + 1);
    set_refused(str_of(json), "at most 64");
    free(json);

    char *big = malloc(JSON_SIZE_MAX + 1);
    memset(big, ' ', JSON_SIZE_MAX + 1);
    memcpy(big, "{\"keys\":[]}", 11);
    set_refused((struct str){big, JSON_SIZE_MAX + 1}, "too large");
    free(big);
}
END_TEST

Suite *suite_jwk(void)
{
    Suite *s = suite_create("jwk");
    TCase *t = tcase_create("all");

    tcase_add_unchecked_fixture(t, keys_make, keys_free);
    tcase_add_test(t, algs_of_keys);
    tcase_add_test(t, jwt_10_purpose);
    tcase_add_test(t, kinds);
    tcase_add_test(t, private_members);
    tcase_add_test(t, jwt_31_ec_points);
    tcase_add_test(t, jwt_31_infinity);
    tcase_add_test(t, ed_small_order);
    tcase_add_test(t, rsa_sizes);
    tcase_add_test(t, rsa_exponents);
    tcase_add_test(t, rsa_exponent_one_forgery);
    tcase_add_test(t, jwt_41_broken_sets);
    tcase_add_test(t, jwt_41_bad_key_among_good);
    tcase_add_test(t, set_limits);
    suite_add_tcase(s, t);
    return s;
}
