/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/jose.h"

#include "token_kit.h"

Suite *suite_jose(void);

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

static int payload_verdict(struct str payload)
{
    struct buf token;

    kit_token_n(ES256, STR("{\"alg\":\"ES256\",\"kid\":\"" KIT_KID "\"}"), payload, &token);
    int verdict = kit_judge(buf_view(&token), ES256->set, KIT_ALL);
    buf_deinit(&token);
    return verdict;
}

/* ---- good tokens ---- */

START_TEST(alg_names)
{
    ck_assert_uint_eq(jws_alg_by_name("RS256"), JWS_RS256);
    ck_assert_uint_eq(jws_alg_by_name("EdDSA"), JWS_EDDSA);
    for (unsigned i = 0; i < KIT_ALGS; i++)
        ck_assert_uint_eq(jws_alg_by_name(jws_alg_name(1u << i)), 1u << i);
    static const char *const unknown[] = {"none",  "HS256", "HS384",  "HS512",  "rs256",  "ES256K",
                                          "ES257", "",      " RS256", "RS256 ", "unknown"};
    for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++)
        ck_assert_uint_eq(jws_alg_by_name(unknown[i]), 0);
    ck_assert_uint_eq(jws_alg_by_name(NULL), 0);
    ck_assert_str_eq(jws_alg_name(3), "unknown");
}
END_TEST

START_TEST(sign_and_check) /* our signer, for each algorithm */
{
    const struct kit *k = &ring.of[_i];
    struct jval *claims = jval_new_object();
    struct err err = ERR_INIT;
    struct buf token;
    struct jws j;

    jval_set_text(claims, "sub", "x");
    buf_init(&token, JWS_TOKEN_MAX);
    ck_assert_int_eq(
        jws_sign(k->key, &(struct jws_head){k->alg, KIT_KID, "JWT"}, claims, &token, &err), 0);
    ck_assert_int_eq(jws_decode(buf_view(&token), &j, &err), 0);
    ck_assert_uint_eq(j.alg, k->alg);
    ck_assert_str_eq(jval_text(jval_get(j.header, "kid")), KIT_KID);
    ck_assert_str_eq(jval_text(jval_get(j.header, "typ")), "JWT");
    ck_assert_str_eq(jval_text(jval_get(j.payload, "sub")), "x");
    ck_assert_int_eq(jws_check(&j, buf_view(&token), k->set, k->alg, &err), 1);
    ck_assert_int_eq(jws_check(&j, buf_view(&token), k->set, KIT_ALL & ~k->alg, &err), -1);
    jws_deinit(&j);
    ck_assert_int_eq(kit_judge(buf_view(&token), k->set, KIT_ALL), 1);
    buf_deinit(&token);
    jval_free(&claims);
}
END_TEST

START_TEST(foreign_signature) /* OpenSSL's signatures, for each algorithm */
{
    const struct kit *k = &ring.of[_i];
    char header[64];
    struct buf token;

    (void)snprintf(header, sizeof header, "{\"alg\":\"%s\",\"kid\":\"" KIT_KID "\"}",
                   jws_alg_name(k->alg));
    kit_token(k, header, CLAIMS, &token);
    ck_assert_int_eq(kit_judge(buf_view(&token), k->set, KIT_ALL), 1);
    buf_deinit(&token);
}
END_TEST

START_TEST(rfc_vectors) /* RFC 7515 A.2 and A.3 */
{
    struct err err = ERR_INIT;
    struct jwks *set = jwks_parse(STR("{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\","
                                      "\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","
                                      "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"},"
                                      "{\"kty\":\"RSA\",\"n\":\"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_"
                                      "wWJcyQoTbji9k0l8W26mPddxHmfHQp-"
                                      "Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_"
                                      "YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_"
                                      "7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-"
                                      "UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb"
                                      "3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_"
                                      "h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FR"
                                      "WyuXpoQ\",\"e\":\"AQAB\"}]}"),
                                  &err);

    ck_assert_msg(set != NULL, "%s", err.text);
    ck_assert_uint_eq(jwks_count(set), 2);
    ck_assert_int_eq(kit_judge(STR("eyJhbGciOiJFUzI1NiJ9."
                                   "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGF"
                                   "tcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-"
                                   "Xx-F4GawxaepmXFCgfTjDxw"
                                   "5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"),
                               set, KIT_ALL),
                     1);
    ck_assert_int_eq(
        kit_judge(STR("eyJhbGciOiJSUzI1NiJ9."
                      "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGF"
                      "tcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.cC4hiUPoj9Eetdgtv3hF80EGrhuB__"
                      "dzERat0XF9g2VtQgr9PJbu"
                      "3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_"
                      "O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdi"
                      "uB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_"
                      "eSN9383LcOLn6_dO--x"
                      "i12jzDwusC-"
                      "eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5A"
                      "XLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw"),
                  set, KIT_ALL),
        1);
    jwks_free(&set);
}
END_TEST

START_TEST(half_hash) /* OpenID Connect Core 1.0 appendix A.3; sizes per algorithm */
{
    char out[64];

    ck_assert_int_eq(jws_half_hash(JWS_RS256, STR("jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y"),
                                   out, sizeof out),
                     0);
    ck_assert_str_eq(out, "77QmUPtjPfzWtF2AnpK9RQ");
    ck_assert_int_eq(jws_half_hash(JWS_ES384, STR("x"), out, sizeof out), 0);
    ck_assert_uint_eq(strlen(out), 32);
    ck_assert_int_eq(jws_half_hash(JWS_EDDSA, STR("x"), out, sizeof out), 0);
    ck_assert_uint_eq(strlen(out), 43);
    ck_assert_int_eq(jws_half_hash(JWS_EDDSA, STR("x"), out, 43), -1);
    /* JWT-26: no hash belongs to an unknown algorithm */
    ck_assert_int_eq(jws_half_hash(0, STR("x"), out, sizeof out), -1);
    ck_assert_int_eq(jws_half_hash(1u << 20, STR("x"), out, sizeof out), -1);
}
END_TEST

/* ---- headers ---- */

START_TEST(jwt_01_none) /* JWT-01 */
{
    static const char *const names[] = {"none", "None", "nOnE", "NONE"};
    struct buf token;
    char header[64];

    for (size_t i = 0; i < 4; i++) {
        (void)snprintf(header, sizeof header, "{\"alg\":\"%s\"}", names[i]);
        ck_assert_int_eq(header_verdict(header), -1);
        kit_input(&token, str_of(header), STR(CLAIMS));
        ck_assert_int_eq(kit_judge(buf_view(&token), ES256->set, KIT_ALL), -1);
        buf_byte(&token, '.');
        ck_assert_int_eq(kit_judge(buf_view(&token), ES256->set, KIT_ALL), -1);
        buf_deinit(&token);
    }
    /* A good algorithm, and no signature. */
    kit_input(&token, STR("{\"alg\":\"ES256\"}"), STR(CLAIMS));
    buf_byte(&token, '.');
    ck_assert_int_eq(kit_judge(buf_view(&token), ES256->set, KIT_ALL), -1);
    buf_deinit(&token);
}
END_TEST

START_TEST(jwt_03_alg_values) /* JWT-03 */
{
    static const char *const headers[] = {
        "{}",
        "{\"alg\":256}",
        "{\"alg\":null}",
        "{\"alg\":[\"ES256\"]}",
        "{\"alg\":{}}",
        "{\"alg\":true}",
        "{\"alg\":\"\"}",
        "{\"alg\":\"HS256\"}",
        "{\"alg\":\"es256\"}",
        "{\"alg\":\"ES256 \"}",
        "{\"alg\":\"ES256\\u0000\"}",
        "{\"alg\":\"ES256\",\"alg\":\"ES256\"}",
        "{\"ALG\":\"ES256\"}",
        "[]",
        "\"ES256\"",
        "null",
        "",
        "{",
        "{\"alg\":\"ES256\"}}",
        "\xef\xbb\xbf{\"alg\":\"ES256\"}",
    };
    char *long_one = malloc(11 * 1024);

    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++)
        ck_assert_msg(header_verdict(headers[i]) == -1, "%s", headers[i]);
    memset(long_one, 'A', 11 * 1024);
    memcpy(long_one, "{\"alg\":\"", 8);
    memcpy(long_one + 10 * 1024, "\"}", 3);
    ck_assert_int_eq(header_verdict(long_one), -1);
    free(long_one);
}
END_TEST

START_TEST(jwt_04_not_the_agreed_alg) /* JWT-04 */
{
    struct buf token;

    kit_token(PS256, "{\"alg\":\"PS256\",\"kid\":\"" KIT_KID "\"}", CLAIMS, &token);
    ck_assert_int_eq(kit_judge(buf_view(&token), PS256->set, JWS_PS256), 1);
    ck_assert_int_eq(kit_judge(buf_view(&token), PS256->set, JWS_RS256), -1);
    ck_assert_int_eq(kit_judge(buf_view(&token), PS256->set, 0), -1);
    /* The key says RS256: it verifies nothing else, even where PS256 is allowed. */
    ck_assert_int_eq(kit_judge(buf_view(&token), RS256->set, KIT_ALL), -1);
    buf_deinit(&token);
}
END_TEST

START_TEST(jwt_05_kid) /* JWT-05 */
{
    char *long_one = malloc(1024 * 1024 + 100);
    int n = snprintf(long_one, 100, "{\"alg\":\"ES256\",\"kid\":\"");

    ck_assert_int_eq(header_verdict("{\"alg\":\"ES256\",\"kid\":\"" KIT_KID "\"}"), 1);
    ck_assert_int_eq(header_verdict("{\"alg\":\"ES256\",\"kid\":\"key-2\"}"),
                     0); /* ask for a fresh set */
    ck_assert_int_eq(header_verdict("{\"alg\":\"ES256\",\"kid\":\"\"}"), 0);
    ck_assert_int_eq(header_verdict("{\"alg\":\"ES256\",\"kid\":1}"), -1);
    ck_assert_int_eq(header_verdict("{\"alg\":\"ES256\",\"kid\":null}"), -1);
    ck_assert_int_eq(header_verdict("{\"alg\":\"ES256\",\"kid\":[\"" KIT_KID "\"]}"), -1);
    memset(long_one + n, 'k', 1024 * 1024);
    memcpy(long_one + n + 1024 * 1024, "\"}", 3);
    ck_assert_int_eq(header_verdict(long_one), -1);
    free(long_one);

    /* The kid of another key: of the same kind, and of another algorithm. */
    struct buf token;
    kit_token(&ring.other, "{\"alg\":\"ES256\",\"kid\":\"" KIT_KID "\"}", CLAIMS, &token);
    ck_assert_int_eq(kit_judge(buf_view(&token), ES256->set, KIT_ALL), -1);
    ck_assert_int_eq(kit_judge(buf_view(&token), EDDSA->set, KIT_ALL), -1);
    buf_deinit(&token);
}
END_TEST

START_TEST(jwt_06_kid_is_a_name) /* JWT-06 */
{
    static const char *const kids[] = {"../../etc/passwd", "' OR 1=1 --", "https://a.example/k",
                                       "%2f", "KEY-1"};
    char header[128];

    for (size_t i = 0; i < sizeof kids / sizeof *kids; i++) {
        (void)snprintf(header, sizeof header, "{\"alg\":\"ES256\",\"kid\":\"%s\"}", kids[i]);
        ck_assert_int_eq(header_verdict(header), 0);

        /* And if that is what the key is called, it is found. */
        struct jval *jwk = jws_key_public(ES256->key, JWS_ES256, kids[i]);
        struct jwks *set = kit_set((const struct jval *const[]){jwk}, 1);
        struct buf token;
        kit_token(ES256, header, CLAIMS, &token);
        ck_assert_int_eq(kit_judge(buf_view(&token), set, KIT_ALL), 1);
        buf_deinit(&token);
        jwks_free(&set);
        jval_free(&jwk);
    }
    ck_assert_int_eq(header_verdict("{\"alg\":\"ES256\",\"kid\":\"" KIT_KID "\\u0000\"}"), -1);
}
END_TEST

START_TEST(jwt_07_key_in_header) /* JWT-07 */
{
    char *own = kit_set_json((const struct jval *const[]){ring.other.jwk}, 1), header[1024];
    struct buf token;

    /* The attacker's key set is {"keys":[{...}]}: the inner object is the jwk. */
    own[strlen(own) - 2] = '\0';
    (void)snprintf(header, sizeof header,
                   "{\"alg\":\"ES256\",\"kid\":\"" KIT_KID "\",\"jwk\":%s,\"x5c\":[\"MIIB\"]}",
                   own + strlen("{\"keys\":["));
    kit_token(&ring.other, header, CLAIMS, &token);
    ck_assert_int_eq(kit_judge(buf_view(&token), ring.other.set, KIT_ALL),
                     1); /* the header itself is fine */
    ck_assert_int_eq(kit_judge(buf_view(&token), ES256->set, KIT_ALL), -1);
    buf_deinit(&token);
    free(own);
}
END_TEST

START_TEST(jwt_08_key_urls) /* JWT-08: nothing in this room can fetch: they are as good as absent */
{
    ck_assert_int_eq(header_verdict("{\"alg\":\"ES256\",\"kid\":\"" KIT_KID
                                    "\",\"jku\":\"http://169.254.169.254/\","
                                    "\"x5u\":\"file:///etc/passwd\"}"),
                     1);
    struct buf token;
    kit_token(&ring.other,
              "{\"alg\":\"ES256\",\"kid\":\"" KIT_KID "\",\"jku\":\"https://evil.example/jwks\"}",
              CLAIMS, &token);
    ck_assert_int_eq(kit_judge(buf_view(&token), ES256->set, KIT_ALL), -1);
    buf_deinit(&token);
}
END_TEST

START_TEST(jwt_09_extensions) /* JWT-09: JWT-34: zip as well */
{
    static const char *const extra[] = {
        "\"crit\":[\"exp\"]",  "\"crit\":[]",
        "\"crit\":[\"crit\"]", "\"crit\":null",
        "\"crit\":\"exp\"",    "\"b64\":false",
        "\"b64\":true",        "\"crit\":[\"b64\"],\"b64\":false",
        "\"zip\":\"DEF\"",     "\"enc\":\"A128GCM\"",
    };
    char header[128];

    for (size_t i = 0; i < sizeof extra / sizeof *extra; i++) {
        (void)snprintf(header, sizeof header, "{\"alg\":\"ES256\",\"kid\":\"" KIT_KID "\",%s}",
                       extra[i]);
        ck_assert_msg(header_verdict(header) == -1, "%s", header);
    }
}
END_TEST

START_TEST(jwt_44_typ) /* JWT-44 */
{
    static const char *const bad[] = {
        "\"at+jwt\"", "\"logout+jwt\"", "\"secevent+jwt\"", "\"dpop+jwt\"", "\"JOSE\"", "\"\"",
        "1",          "null",           "[\"JWT\"]"};
    char header[128];

    ck_assert_int_eq(header_verdict("{\"alg\":\"ES256\",\"typ\":\"JWT\",\"kid\":\"" KIT_KID "\"}"),
                     1);
    ck_assert_int_eq(header_verdict("{\"alg\":\"ES256\",\"typ\":\"jwt\",\"kid\":\"" KIT_KID "\"}"),
                     1);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        (void)snprintf(header, sizeof header,
                       "{\"alg\":\"ES256\",\"kid\":\"" KIT_KID "\",\"typ\":%s}", bad[i]);
        ck_assert_msg(header_verdict(header) == -1, "%s", header);
    }
}
END_TEST

/* ---- form ---- */

START_TEST(jwt_32_parts) /* JWT-32 */
{
    static const char *const bad[] = {
        "",
        ".",
        "..",
        "...",
        "....",
        "a",
        "a.b",
        "a.b.",
        ".b.c",
        "a..c",
        "a.b.c.",
        ".a.b.c",
        "a.b.c.d",
        "a.b.c.d.e",
        "eyJhbGciOiJFUzI1NiJ9..AA",
        "eyJhbGciOiJFUzI1NiJ9.e30.",
        ".e30.AA",
        "eyJhbGciOiJFUzI1NiJ9.e30.A", /* one character is no byte */
        "eyJhbGciOiJFUzI1NiJ9.e30.AA=",
        "eyJhbGciOiJFUzI1NiJ9.e3+.AA",
        "eyJhbGciOiJFUzI1NiJ9.e30 .AA",
        "eyJhbGciOiJFUzI1NiJ9.e31.AA", /* trailing bits */
        " eyJhbGciOiJFUzI1NiJ9.e30.AA",
        "eyJhbGciOiJFUzI1NiJ9.e30.AA\n",
    };
    char dots[10000];

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        ck_assert_msg(kit_judge(str_of(bad[i]), ES256->set, KIT_ALL) == -1, "%s", bad[i]);
    memset(dots, '.', sizeof dots);
    ck_assert_int_eq(kit_judge((struct str){dots, sizeof dots}, ES256->set, KIT_ALL), -1);
    ck_assert_int_eq(kit_judge((struct str){NULL, 0}, ES256->set, KIT_ALL), -1);
}
END_TEST

START_TEST(jwt_33_size) /* JWT-33 */
{
    static const char small[] = "{\"alg\":\"ES256\",\"kid\":\"" KIT_KID "\"}";
    size_t n = 1024 * 1024;
    char *big = malloc(n);
    struct buf token;

    memset(big, 'A', n);
    big[20] = big[40] = '.';
    ck_assert_int_eq(kit_judge((struct str){big, n}, ES256->set, KIT_ALL), -1);
    static const struct {
        size_t header;
        int verdict;
    } cases[] = {{6000, 1}, {7000, -1}, {64 * 1024, -1}}; /* 8 KiB once encoded */
    for (size_t i = 0; i < 3; i++) {
        memset(big, ' ', n);
        memcpy(big + cases[i].header - strlen(small), small, strlen(small));
        kit_token_n(ES256, (struct str){big, cases[i].header}, STR(CLAIMS), &token);
        ck_assert_int_eq(kit_judge(buf_view(&token), ES256->set, KIT_ALL), cases[i].verdict);
        buf_deinit(&token);
    }
    memset(big, ' ', n);
    big[0] = '{';
    big[40 * 1024] = '}';
    ck_assert_int_eq(payload_verdict((struct str){big, 40 * 1024 + 1}), 1); /* large, and within */
    big[40 * 1024] = ' ';
    big[60 * 1024] = '}';
    ck_assert_int_eq(payload_verdict((struct str){big, 60 * 1024 + 1}), -1);
    free(big);
}
END_TEST

START_TEST(jwt_35_encrypted) /* JWT-35: five parts, whatever the algorithms */
{
    static const char *const headers[] = {
        "{\"alg\":\"RSA1_5\",\"enc\":\"A128GCM\"}",
        "{\"alg\":\"dir\",\"enc\":\"A128GCM\",\"zip\":\"DEF\"}",
        "{\"alg\":\"PBES2-HS256+A128KW\",\"enc\":\"A128GCM\",\"p2c\":2147483648}"};

    for (size_t i = 0; i < 3; i++) {
        struct buf token;

        kit_input(&token, str_of(headers[i]), STR("key"));
        buf_text(&token, ".AAAA.AAAA.AAAA");
        ck_assert_int_eq(kit_judge(buf_view(&token), ES256->set, KIT_ALL), -1);
        buf_deinit(&token);
        ck_assert_int_eq(header_verdict(headers[i]), -1);
    }
}
END_TEST

START_TEST(jwt_37_payload) /* JWT-37 */
{
    static const struct str bad[] = {
        STR("[]"),
        STR("null"),
        STR("1"),
        STR("\"x\""),
        STR("{"),
        STR("x"),
        STR(" "),
        STR("{\"sub\":\"\xff\"}"),
        STR("{\"sub\":\"\xc0\xaf\"}"),
        STR("{\"sub\":\"\xed\xa0\x80\"}"),
        STR("\xef\xbb\xbf{}"),
        STR("{}x"),
        STR("{}{}"),
        STR("{}\0"),
        STR("{\"a\":1,\"a\":1}"),
        STR("{\"a\":1,\"\\u0061\":1}"),
        STR("{\"a\":1e400}"),
        STR("{\"a\":9223372036854775808}"),
        STR("{\"a\":NaN}"),
        STR("{'a':1}"),
        STR("{\"a\":1,}"),
    };

    ck_assert_int_eq(payload_verdict(STR("{}")), 1);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        ck_assert_msg(payload_verdict(bad[i]) == -1, "%s", bad[i].p);
}
END_TEST

START_TEST(jwt_43_large_claims) /* JWT-43 */
{
    struct buf b;

    ck_assert_int_eq(payload_verdict(STR("{\"sub\":\"a\\u0000b\"}")), -1);
    ck_assert_int_eq(payload_verdict(STR("{\"sub\":\"\\ud800\"}")), -1);
    buf_init(&b, KIT_TOKEN_MAX); /* 100 KiB in one string */
    buf_text(&b, "{\"sub\":\"");
    for (size_t i = 0; i < 100 * 1024; i++)
        buf_byte(&b, 'x');
    buf_text(&b, "\"}");
    ck_assert_int_eq(payload_verdict(buf_view(&b)), -1);
    buf_clear(&b); /* 10 000 claims */
    for (size_t i = 0; i < 10000; i++)
        buf_printf(&b, "%s\"c%zu\":1", i ? "," : "{", i);
    buf_byte(&b, '}');
    ck_assert_int_eq(payload_verdict(buf_view(&b)), -1);
    buf_clear(&b); /* 5000 groups fit, and are read in time that is no matter */
    buf_text(&b, "{\"groups\":[0");
    for (size_t i = 1; i < 5000; i++)
        buf_printf(&b, ",%zu", i);
    buf_text(&b, "]}");
    ck_assert_int_eq(payload_verdict(buf_view(&b)), 1);
    buf_clear(&b); /* nested too deep */
    for (size_t i = 0; i < 1000; i++)
        buf_text(&b, "{\"a\":");
    buf_byte(&b, '1');
    for (size_t i = 0; i < 1000; i++)
        buf_byte(&b, '}');
    ck_assert_int_eq(payload_verdict(buf_view(&b)), -1);
    buf_deinit(&b);
}
END_TEST

Suite *suite_jose(void)
{
    Suite *s = suite_create("jose");
    TCase *t = tcase_create("all");

    tcase_add_unchecked_fixture(t, keys_make, keys_free);
    tcase_add_test(t, alg_names);
    tcase_add_loop_test(t, sign_and_check, 0, KIT_ALGS);
    tcase_add_loop_test(t, foreign_signature, 0, KIT_ALGS);
    tcase_add_test(t, rfc_vectors);
    tcase_add_test(t, half_hash);
    tcase_add_test(t, jwt_01_none);
    tcase_add_test(t, jwt_03_alg_values);
    tcase_add_test(t, jwt_04_not_the_agreed_alg);
    tcase_add_test(t, jwt_05_kid);
    tcase_add_test(t, jwt_06_kid_is_a_name);
    tcase_add_test(t, jwt_07_key_in_header);
    tcase_add_test(t, jwt_08_key_urls);
    tcase_add_test(t, jwt_09_extensions);
    tcase_add_test(t, jwt_44_typ);
    tcase_add_test(t, jwt_32_parts);
    tcase_add_test(t, jwt_33_size);
    tcase_add_test(t, jwt_35_encrypted);
    tcase_add_test(t, jwt_37_payload);
    tcase_add_test(t, jwt_43_large_claims);
    suite_add_tcase(s, t);
    return s;
}
