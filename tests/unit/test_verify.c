/* SPDX-License-Identifier: Apache-2.0 */
#include "login/verify.h"

#include "token_kit.h"

Suite *suite_verify(void);

#define NOW INT64_C(1790000000)
#define ISS "https://issuer.example"
#define CLIENT "client-1"
#define NONCE "n-0S6_WzA2Mj"
#define TID "72f988bf-86f1-41af-91ab-2d7cd011db47"

static struct kit key; /* ES256 */
static const char *const one_issuer[] = {ISS, NULL};

static const struct verify_rules rules = {
    .issuers = one_issuer,
    .audience = CLIENT,
    .nonce = NONCE,
    .nonce_rule = USHER_NONCE_REQUIRED,
    .max_age = -1,
    .now = NOW,
};

/* The claims of a good token, each as JSON. */
static const char *const good[][2] = {
    {"iss", "\"" ISS "\""}, {"aud", "\"" CLIENT "\""}, {"sub", "\"248289761001\""},
    {"exp", "1790000300"},  {"iat", "1789999990"},     {"nonce", "\"" NONCE "\""},
};

static void key_make(void)
{
    kit_init(&key, JWS_ES256, NULL);
}

static void key_free(void)
{
    kit_deinit(&key);
}

/* Decode, check the signature, judge the claims. NULL when all is well, else the error text, which
 * the next call overwrites. */
static const char *judge_token(struct str token, const struct verify_rules *r)
{
    static struct err err;
    struct jws j;

    err = (struct err)ERR_INIT;
    if (jws_decode(token, &j, &err) == 0) {
        if (jws_check(&j, token, key.set, JWS_ES256, &err) == 1 && verify_claims(&j, r, &err) == 0)
            ck_assert_int_eq(err.kind, ERR_NONE);
        else
            ck_assert_int_eq(err.kind, ERR_UPSTREAM_BAD);
        jws_deinit(&j);
    }
    return err.kind == ERR_NONE ? NULL : err.text;
}

/* A good token but for `changes`: pairs of claim and JSON text ("" takes the claim away). */
static const char *judge(const struct verify_rules *r, const char *const *changes)
{
    struct buf payload, token;
    const char *verdict = NULL;

    buf_init(&payload, JWS_TOKEN_MAX);
    buf_text(&payload, "{\"x\":0");
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        bool changed = false;

        for (const char *const *c = changes; *c; c += 2)
            changed = changed || strcmp(c[0], good[i][0]) == 0;
        if (!changed)
            buf_printf(&payload, ",\"%s\":%s", good[i][0], good[i][1]);
    }
    for (const char *const *c = changes; *c; c += 2)
        if (c[1][0])
            buf_printf(&payload, ",\"%s\":%s", c[0], c[1]);
    buf_byte(&payload, '}');
    kit_token(&key, "{\"alg\":\"ES256\",\"kid\":\"" KIT_KID "\"}", payload.p, &token);
    verdict = judge_token(buf_view(&token), r);
    buf_deinit(&payload);
    buf_deinit(&token);
    return verdict;
}

#define changed(...) ((const char *const[]){__VA_ARGS__, NULL, NULL})
#define accepts(r, ...)                                                                            \
    do {                                                                                           \
        const char *verdict = judge((r), changed(__VA_ARGS__));                                    \
        ck_assert_msg(verdict == NULL, "%s", verdict);                                             \
    } while (0)
#define refuses(r, why, ...)                                                                       \
    do {                                                                                           \
        const char *verdict = judge((r), changed(__VA_ARGS__));                                    \
        ck_assert_msg(verdict &&strstr(verdict, (why)), "%s", verdict ? verdict : "accepted");     \
    } while (0)

START_TEST(good_token)
{
    accepts(&rules, "y", "1");
    accepts(&rules, "azp", "\"" CLIENT "\"");
    accepts(&rules, "email", "\"a@example.com\"", "groups", "[\"a\",\"b\"]");
}
END_TEST

START_TEST(texts_quote_nothing)
{
    static const char *const claims[] = {"iss", "aud", "sub", "nonce", "exp", "acr", "at_hash"};
    struct verify_rules r = rules;

    r.acr = "high";
    r.access_token = STR("token");
    for (size_t i = 0; i < sizeof claims / sizeof *claims; i++) {
        const char *verdict = judge(&r, changed(claims[i], "\"canary\\u0001canary\""));

        ck_assert_ptr_nonnull(verdict);
        ck_assert_ptr_null(strstr(verdict, "canary"));
        ck_assert_ptr_null(strstr(verdict, CLIENT));
        ck_assert_ptr_null(strstr(verdict, NONCE));
    }
}
END_TEST

START_TEST(jwt_13_issuer_exact) /* JWT-13 */
{
    static const char *const bad[] = {
        "\"https://evil.example\"",
        "\"http://issuer.example\"",
        "\"https://issuer.example/\"",
        "\"https://Issuer.example\"",
        "\"https://issuer.exampl\"",
        "\"https://issuer.example.evil.example\"",
        "\"issuer.example\"",
        "\" https://issuer.example\"",
        "\"\"",
        "\"https://issuer.example\\n\"",
    };

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        refuses(&rules, "issuer is not", "iss", bad[i]);
}
END_TEST

START_TEST(jwt_14_issuer_type) /* JWT-14 */
{
    static const char *const bad[] = {"", "1", "null", "[\"" ISS "\"]", "{}", "true"};
    struct verify_rules r = rules;
    static const char *const none[] = {NULL};

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        refuses(&rules, "issuer is missing", "iss", bad[i]);
    r.issuers = none;
    refuses(&r, "issuer is not", "y", "1");
    r.issuers = NULL;
    refuses(&r, "issuer is not", "y", "1");
}
END_TEST

START_TEST(jwt_15_other_provider) /* JWT-15: same keys, but meant for another issuer and client */
{
    refuses(&rules, "issuer is not", "iss", "\"https://b.example\"", "aud", "\"client-b\"");
    refuses(&rules, "audience", "aud", "\"client-b\"");
}
END_TEST

START_TEST(jwt_46_second_spelling) /* JWT-46 */
{
    static const char *const google[] = {"https://accounts.google.com", "accounts.google.com",
                                         NULL};
    struct verify_rules r = rules;

    r.issuers = google;
    accepts(&r, "iss", "\"accounts.google.com\"");
    accepts(&r, "iss", "\"https://accounts.google.com\"");
    refuses(&r, "issuer is not", "iss", "\"http://accounts.google.com\"");
    refuses(&r, "issuer is not", "iss", "\"//accounts.google.com\"");
    refuses(&rules, "issuer is not", "iss", "\"issuer.example\""); /* only if the plugin says so */
}
END_TEST

START_TEST(jwt_47_tenant_template) /* JWT-47 */
{
    static const char *const any[] = {"https://login.microsoftonline.com/{tenantid}/v2.0", NULL};
    static const char *const ours[] = {"https://login.microsoftonline.com/" TID "/v2.0", NULL};
#define TENANT_ISS(t) "\"https://login.microsoftonline.com/" t "/v2.0\""
#define OTHER "11111111-2222-3333-4444-555555555555"
    struct verify_rules r = rules;

    r.issuers = any;
    accepts(&r, "iss", TENANT_ISS(TID), "tid", "\"" TID "\"");
    accepts(&r, "iss", TENANT_ISS(OTHER), "tid", "\"" OTHER "\"");
    refuses(&r, "issuer is not", "iss", TENANT_ISS(OTHER), "tid", "\"" TID "\"");
    refuses(&r, "issuer is not", "iss", TENANT_ISS(TID)); /* no tid */
    refuses(&r, "issuer is not", "iss", TENANT_ISS(TID), "tid", "1");
    refuses(&r, "issuer is not", "iss", TENANT_ISS("{tenantid}"), "tid", "\"{tenantid}\"");
    refuses(&r, "issuer is not", "iss", TENANT_ISS("common"), "tid", "\"common\"");
    refuses(&r, "issuer is not", "iss", TENANT_ISS(""), "tid", "\"\"");
    refuses(&r, "issuer is not", "iss", TENANT_ISS("72f988bf-86f1-41af-91ab-2d7cd011db4/"), "tid",
            "\"72f988bf-86f1-41af-91ab-2d7cd011db4/\"");
    refuses(&r, "issuer is not", "iss", TENANT_ISS("72f988bf086f1041af091ab02d7cd011db47"), "tid",
            "\"72f988bf086f1041af091ab02d7cd011db47\"");
    refuses(&r, "issuer is not", "iss", "\"https://login.microsoftonline.com/" TID "/v2.0/x\"",
            "tid", "\"" TID "\"");
    refuses(&r, "issuer is not", "iss", "\"https://login.microsoftonline.com/\"", "tid",
            "\"" TID "\"");
    /* A pinned tenant stays pinned whatever tid says. */
    r.issuers = ours;
    accepts(&r, "iss", TENANT_ISS(TID));
    refuses(&r, "issuer is not", "iss", TENANT_ISS(OTHER), "tid", "\"" OTHER "\"");
}
END_TEST

START_TEST(jwt_16_audience) /* JWT-16 */
{
    static const char *const bad[] = {
        "",
        "\"client-2\"",
        "\"\"",
        "\"client-11\"",
        "\"Client-1\"",
        "\"client-1 \"",
        "1",
        "null",
        "[]",
        "{}",
        "{\"" CLIENT "\":1}",
        "[\"client-2\"]",
        "[[\"" CLIENT "\"]]",
        "\"client-1 client-2\"",
    };
    struct buf many;

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        ck_assert_msg(judge(&rules, changed("aud", bad[i])) != NULL, "%s", bad[i]);
    refuses(&rules, "audience is missing", "aud", "");
    refuses(&rules, "an audience is no string", "aud", "[\"" CLIENT "\",1]", "azp",
            "\"" CLIENT "\"");
    refuses(&rules, "an audience is no string", "aud", "[null]");
    accepts(&rules, "aud", "[\"" CLIENT "\"]");

    buf_init(&many, 4096);
    buf_text(&many, "[\"" CLIENT "\"");
    for (int i = 0; i < VERIFY_AUD_MAX; i++)
        buf_text(&many, ",\"a\"");
    buf_byte(&many, ']');
    refuses(&rules, "more than", "aud", many.p, "azp", "\"" CLIENT "\"");
    buf_deinit(&many);
}
END_TEST

START_TEST(azp)
{
    refuses(&rules, "several audiences", "aud", "[\"" CLIENT "\",\"client-2\"]");
    refuses(&rules, "several audiences", "aud", "[\"" CLIENT "\",\"" CLIENT "\"]");
    accepts(&rules, "aud", "[\"client-2\",\"" CLIENT "\"]", "azp", "\"" CLIENT "\"");
    refuses(&rules, "authorized party", "aud", "[\"" CLIENT "\",\"client-2\"]", "azp",
            "\"client-2\"");
    refuses(&rules, "authorized party", "azp", "\"client-2\"");
    refuses(&rules, "authorized party", "azp", "\"\"");
    refuses(&rules, "authorized party", "azp", "null");
    refuses(&rules, "authorized party", "azp", "[\"" CLIENT "\"]");
    refuses(&rules, "audience", "aud", "\"client-2\"", "azp", "\"" CLIENT "\"");
}
END_TEST

START_TEST(jwt_18_nonce) /* JWT-18 */
{
    static const char *const bad[] = {"\"n-0S6_WzA2M\"",
                                      "\"n-0S6_WzA2Mjx\"",
                                      "\"N-0S6_WzA2Mj\"",
                                      "\"\"",
                                      "1",
                                      "null",
                                      "[\"" NONCE "\"]",
                                      "{}"};
    struct verify_rules r = rules;

    refuses(&r, "nonce is missing", "nonce", "");
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        refuses(&r, "nonce is not", "nonce", bad[i]);
    r.nonce = "another-flow";
    refuses(&r, "nonce is not", "y", "1");

    r = rules;
    r.nonce_rule = USHER_NONCE_IF_PRESENT;
    accepts(&r, "nonce", "");
    accepts(&r, "y", "1");
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        refuses(&r, "nonce is not", "nonce", bad[i]);
    r.nonce_rule = USHER_NONCE_SKIPPED;
    accepts(&r, "nonce", "\"other\"");
    accepts(&r, "nonce", "");

    /* None was sent: a token that has one was made for somebody else's flow. */
    r = rules;
    r.nonce = NULL;
    accepts(&r, "nonce", "");
    refuses(&r, "nonce is not", "y", "1");
    r.nonce_rule = 17; /* an unknown rule is the strict one */
    r.nonce = NONCE;
    refuses(&r, "nonce is missing", "nonce", "");
}
END_TEST

START_TEST(jwt_19_subject) /* JWT-19 */
{
    static const char *const bad[] = {
        "",          "\"\"",         "1",           "null",        "{}",     "[]", "true",
        "\"a\\nb\"", "\"a\\u0001\"", "\"\\u007f\"", "\"\\u0085\"", "\"\\t\""};
    char sub[260];

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        refuses(&rules, "subject", "sub", bad[i]);
    ck_assert_ptr_nonnull(judge(&rules, changed("sub", "\"a\\u0000b\""))); /* refused as JSON */
    memset(sub, 'x', sizeof sub);
    sub[0] = '"';
    memcpy(sub + 256, "\"", 2);
    accepts(&rules, "sub", sub); /* 255 bytes */
    memcpy(sub + 256, "x\"", 3);
    refuses(&rules, "subject", "sub", sub);
    accepts(&rules, "sub", "\"x\"");
    accepts(&rules, "sub", "\"J\xc3\xb6rg Meier|auth0|42\"");
}
END_TEST

START_TEST(jwt_20_issued_at) /* JWT-20 */
{
    refuses(&rules, "time of issue is missing", "iat", "");
    refuses(&rules, "future", "iat", "1821536000");       /* a year ahead */
    refuses(&rules, "too long ago", "iat", "1758464000"); /* a year old */
    accepts(&rules, "iat", "1790000060");                 /* the skew, to the second */
    refuses(&rules, "future", "iat", "1790000061");
    accepts(&rules, "iat", "1789913540"); /* a day and the skew */
    refuses(&rules, "too long ago", "iat", "1789913539");
}
END_TEST

START_TEST(jwt_21_expiry) /* JWT-21 */
{
    struct verify_rules r = rules;

    refuses(&r, "expiry is missing", "exp", "");
    refuses(&r, "expired", "exp", "1758464000");
    accepts(&r, "exp", "1789999941"); /* within the skew */
    refuses(&r, "expired", "exp", "1789999940");
    r.skew = -1; /* none: equal to now is too late (RFC 7519 4.1.4) */
    refuses(&r, "expired", "exp", "1790000000");
    accepts(&r, "exp", "1790000001");
    r.skew = 120;
    accepts(&r, "exp", "1789999881");
    refuses(&r, "expired", "exp", "1789999880");
}
END_TEST

START_TEST(jwt_22_numbers) /* JWT-22 */
{
    static const char *const claims[] = {"exp", "iat", "nbf", "auth_time"};
    static const char *const bad[] = {
        "\"1790000300\"",       "-1",      "-0.5", "1e300", "1e19",         "9223372036854775807",
        "-9223372036854775808", "\"NaN\"", "null", "true",  "[1790000300]", "{}",
        "253402300800",         "9.3e18",  "\"\"",
    };
    static const char *const unreadable[] = {"9223372036854775808", "1e400", "NaN", "Infinity",
                                             "0x6ab13b00"};

    for (size_t c = 0; c < 4; c++) {
        for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
            refuses(&rules, "is not a time", claims[c], bad[i]);
        for (size_t i = 0; i < sizeof unreadable / sizeof *unreadable; i++)
            refuses(&rules, "not JSON", claims[c], unreadable[i]);
    }
    accepts(&rules, "exp", "1790000300.75", "iat", "1789999990.5", "nbf", "1789999990.25");
    accepts(&rules, "exp", "1.7900003e9");
    accepts(&rules, "exp", "253402300799");
    refuses(&rules, "expired", "exp", "0");
    refuses(&rules, "expired", "exp", "-0.0");
    refuses(&rules, "expired", "exp", "1789999940.9"); /* fractions do not prolong */
    refuses(&rules, "too long ago", "iat", "0");
}
END_TEST

START_TEST(jwt_23_not_before) /* JWT-23 */
{
    accepts(&rules, "nbf", "1789999990");
    accepts(&rules, "nbf", "0");
    accepts(&rules, "nbf", "1790000060");
    refuses(&rules, "not valid yet", "nbf", "1790000061");
}
END_TEST

START_TEST(jwt_24_max_age) /* JWT-24 */
{
    struct verify_rules r = rules;

    accepts(&r, "auth_time", "1"); /* nothing was asked for */
    r.max_age = 300;
    refuses(&r, "time of authentication is missing", "auth_time", "");
    accepts(&r, "auth_time", "1789999999");
    accepts(&r, "auth_time", "1789999640"); /* 300 and the skew */
    refuses(&r, "too long ago", "auth_time", "1789999639");
    refuses(&r, "authenticated in the future", "auth_time", "1790000061");
    r.max_age = 0;
    accepts(&r, "auth_time", "1789999940");
    refuses(&r, "too long ago", "auth_time", "1789999939");
    r.max_age = INT64_MAX;
    accepts(&r, "auth_time", "0");
}
END_TEST

START_TEST(jwt_25_acr) /* JWT-25 */
{
    struct verify_rules r = rules;

    accepts(&r, "acr", "\"0\"");
    r.acr = "urn:mace:incommon:iap:silver";
    refuses(&r, "class", "acr", "");
    refuses(&r, "class", "acr", "\"urn:mace:incommon:iap:bronze\"");
    refuses(&r, "class", "acr", "\"urn:mace:incommon:iap:silver2\"");
    refuses(&r, "class", "acr", "0");
    refuses(&r, "class", "acr", "[\"urn:mace:incommon:iap:silver\"]");
    accepts(&r, "acr", "\"urn:mace:incommon:iap:silver\"");
}
END_TEST

START_TEST(jwt_26_access_token_hash) /* JWT-26 */
{
    struct verify_rules r = rules;
    struct err err = ERR_INIT;
    struct jws j;

    accepts(&r, "at_hash", "\"wrong\""); /* without an access token there is nothing to compare */
    r.access_token = STR("jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y");
    accepts(&r, "y", "1"); /* optional in the code flow */
    accepts(&r, "at_hash", "\"77QmUPtjPfzWtF2AnpK9RQ\"");
    refuses(&r, "hash", "at_hash", "\"77QmUPtjPfzWtF2AnpK9RA\"");
    refuses(&r, "hash", "at_hash", "\"77QmUPtjPfzWtF2AnpK9R\"");
    refuses(&r, "hash", "at_hash", "\"77QmUPtjPfzWtF2AnpK9RQ==\"");
    refuses(&r, "hash", "at_hash", "\"\"");
    refuses(&r, "hash", "at_hash", "null");
    refuses(&r, "hash", "at_hash", "1");

    /* The hash of an algorithm we do not know is not "fine", it is wrong. */
    j = (struct jws){
        .header = jval_new_object(),
        .payload = jval_parse(STR("{\"iss\":\"" ISS "\",\"aud\":\"" CLIENT "\",\"sub\":\"1\","
                                  "\"exp\":1790000300,\"iat\":1790000000,\"nonce\":\"" NONCE "\","
                                  "\"at_hash\":\"77QmUPtjPfzWtF2AnpK9RQ\"}"),
                              1000, 4, &err),
        .alg = JWS_RS256};
    ck_assert_int_eq(verify_claims(&j, &r, &err), 0);
    j.alg = 1u << 20;
    ck_assert_int_eq(verify_claims(&j, &r, &err), -1);
    ck_assert_ptr_nonnull(strstr(err.text, "hash"));
    jws_deinit(&j);
}
END_TEST

START_TEST(jwt_43_many_claims) /* JWT-43: 5000 groups are no reason to fall over */
{
    struct buf groups;

    buf_init(&groups, JWS_TOKEN_MAX);
    buf_text(&groups, "[0");
    for (int i = 1; i < 5000; i++)
        buf_printf(&groups, ",%d", i);
    buf_byte(&groups, ']');
    accepts(&rules, "groups", groups.p);
    buf_deinit(&groups);
}
END_TEST

START_TEST(jwt_44_other_tokens) /* JWT-44 */
{
    static const char *const events = "{\"http://schemas.openid.net/event/backchannel-logout\":{}}";
    struct err err = ERR_INIT;
    struct jws j = {.header = jval_new_object(), .payload = jval_new_object(), .alg = JWS_ES256};

    refuses(&rules, "event", "events", events);
    refuses(&rules, "event", "events", events, "nonce", "", "sid", "\"x\"");
    refuses(&rules, "event", "events", "null");
    /* A client assertion: issuer and subject are the client. */
    refuses(&rules, "issuer", "iss", "\"" CLIENT "\"", "sub", "\"" CLIENT "\"", "aud",
            "\"" ISS "\"");

    jval_set_text(j.header, "typ", "at+jwt");
    ck_assert_int_eq(verify_claims(&j, &rules, &err), -1);
    ck_assert_ptr_nonnull(strstr(err.text, "another type"));
    jws_deinit(&j);
    err_clear(&err);
    ck_assert_int_eq(verify_claims(&j, &rules, &err), -1); /* nothing in it at all */
    ck_assert_int_eq(err.kind, ERR_UPSTREAM_BAD);
}
END_TEST

Suite *suite_verify(void)
{
    Suite *s = suite_create("verify");
    TCase *t = tcase_create("claims");

    tcase_add_unchecked_fixture(t, key_make, key_free);
    tcase_add_test(t, good_token);
    tcase_add_test(t, texts_quote_nothing);
    tcase_add_test(t, jwt_13_issuer_exact);
    tcase_add_test(t, jwt_14_issuer_type);
    tcase_add_test(t, jwt_15_other_provider);
    tcase_add_test(t, jwt_46_second_spelling);
    tcase_add_test(t, jwt_47_tenant_template);
    tcase_add_test(t, jwt_16_audience);
    tcase_add_test(t, azp);
    tcase_add_test(t, jwt_18_nonce);
    tcase_add_test(t, jwt_19_subject);
    tcase_add_test(t, jwt_20_issued_at);
    tcase_add_test(t, jwt_21_expiry);
    tcase_add_test(t, jwt_22_numbers);
    tcase_add_test(t, jwt_23_not_before);
    tcase_add_test(t, jwt_24_max_age);
    tcase_add_test(t, jwt_25_acr);
    tcase_add_test(t, jwt_26_access_token_hash);
    tcase_add_test(t, jwt_43_many_claims);
    tcase_add_test(t, jwt_44_other_tokens);
    suite_add_tcase(s, t);
    return s;
}
