/* SPDX-License-Identifier: Apache-2.0 */
/* Every bad ID token, from the look-alike's token endpoint to our own judges: none gets past them,
 * and the few that only look odd do. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "fake_kit.h"
#include "login/verify.h"
#include "sys/clock.h"

Suite *suite_fake_badtoken(void);

static const char *const refused[] = {
    "JWT-01",  "JWT-01b", "JWT-01c", "JWT-01d", "JWT-01e", "JWT-02",  "JWT-03",  "JWT-03b",
    "JWT-03c", "JWT-03d", "JWT-03e", "JWT-03f", "JWT-04",  "JWT-05",  "JWT-05b", "JWT-05c",
    "JWT-05d", "JWT-05e", "JWT-06",  "JWT-06b", "JWT-06c", "JWT-06d", "JWT-06e", "JWT-07",
    "JWT-07b", "JWT-08",  "JWT-08b", "JWT-09",  "JWT-09b", "JWT-09c", "JWT-09d", "JWT-13",
    "JWT-13b", "JWT-13c", "JWT-13d", "JWT-13e", "JWT-14",  "JWT-14b", "JWT-14c", "JWT-15",
    "JWT-16",  "JWT-16b", "JWT-16c", "JWT-16d", "JWT-16e", "JWT-16f", "JWT-18",  "JWT-18b",
    "JWT-18c", "JWT-18d", "JWT-19",  "JWT-19b", "JWT-19c", "JWT-19d", "JWT-19e", "JWT-19f",
    "JWT-19g", "JWT-19h", "JWT-20",  "JWT-20b", "JWT-20c", "JWT-21",  "JWT-21b", "JWT-21c",
    "JWT-22",  "JWT-22b", "JWT-22d", "JWT-22e", "JWT-22f", "JWT-22g", "JWT-22h", "JWT-22i",
    "JWT-23",  "JWT-24",  "JWT-24b", "JWT-26",  "JWT-29",  "JWT-29b", "JWT-29c", "JWT-29d",
    "JWT-30",  "JWT-30b", "JWT-30c", "JWT-30d", "JWT-32",  "JWT-32b", "JWT-32c", "JWT-32d",
    "JWT-32e", "JWT-32f", "JWT-32g", "JWT-33",  "JWT-33b", "JWT-34",  "JWT-35",  "JWT-37",
    "JWT-37b", "JWT-37c", "JWT-37d", "JWT-37e", "JWT-38",  "JWT-38b", "JWT-38c", "JWT-40",
    "JWT-43",  "JWT-43b", "JWT-43c", "JWT-43d", "JWT-44",  "JWT-44b", "JWT-44c", "JWT-46",
};

/* JWT-11: without kid, one key fits. JWT-22c: a fraction. JWT-29e, JWT-30e: valid ECDSA. JWT-43e:
 * 5,000 groups, which the login cuts. */
static const char *const accepted[] = {"JWT-11", "JWT-22c", "JWT-29e", "JWT-30e", "JWT-43e"};

/* 1: a client that follows the rules takes it. */
static int judge(const char *variant, uint32_t algs)
{
    char spec[100], issuer[120];
    const char *const issuers[] = {issuer, NULL};
    struct err err = ERR_INIT;
    struct jval *t;
    struct jwks *set;
    struct jws j = {0};
    const char *token;
    int good = 0;

    kit_post("/fake/reset", "");
    snprintf(spec, sizeof spec, "path=/oidc/token&fault=jwt&times=1&variant=%s", variant);
    kit_fault(spec);
    t = kit_tokens(&realm_oidc, "openid email profile", "ada");
    ck_assert_msg(t != NULL, "%s", variant);
    token = jval_text(jval_get(t, "id_token"));
    ck_assert_ptr_nonnull(token);
    set = jwks_parse(str_of(kit_get(realm_oidc.jwks).body), &err);
    ck_assert_msg(set != NULL, "%s", err.text);
    snprintf(issuer, sizeof issuer, "%s/oidc", kit_fake->base);
    const struct verify_rules rules = {.issuers = issuers,
                                       .audience = "usher-dev",
                                       .nonce = "nonce-1",
                                       .max_age = 3600,
                                       .access_token =
                                           str_of(jval_text(jval_get(t, "access_token"))),
                                       .now = wall_seconds(clock_wall())};
    if (jws_decode(str_of(token), &j, &err) == 0)
        good = jws_check(&j, str_of(token), set, algs, &err) == 1 &&
               verify_claims(&j, &rules, &err) == 0;
    jws_deinit(&j);
    jwks_free(&set);
    jval_free(&t);
    return good;
}

START_TEST(bad_tokens_are_refused)
{
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        const bool ecdsa =
            strncmp(refused[i], "JWT-29", 6) == 0 || strncmp(refused[i], "JWT-30", 6) == 0;

        ck_assert_msg(judge(refused[i], ecdsa ? JWS_ES256 : JWS_RS256) == 0, "%s", refused[i]);
    }
}
END_TEST

START_TEST(odd_tokens_are_taken)
{
    for (size_t i = 0; i < sizeof accepted / sizeof *accepted; i++)
        ck_assert_msg(judge(accepted[i], JWS_RS256 | JWS_ES256) == 1, "%s", accepted[i]);
}
END_TEST

/* The same code path without the fault is good, or the tests above prove nothing. */
START_TEST(the_right_token_is_taken)
{
    struct jval *t;

    ck_assert_int_eq(judge("JWT-47", JWS_RS256), 1); /* a tenant nobody asks about */
    kit_post("/fake/reset", "");
    kit_fault("path=/oidc/token&fault=alg&value=EdDSA&times=1");
    t = kit_tokens(&realm_oidc, "openid", "ada");
    ck_assert(str_starts(str_of(jval_text(jval_get(t, "id_token"))), "eyJhbGciOiJFZERTQSI"));
    jval_free(&t);
}
END_TEST

static size_t keys_of(const char *variant)
{
    char spec[100];
    struct err err = ERR_INIT;
    struct jwks *set;
    size_t n;

    snprintf(spec, sizeof spec, "path=/oidc/jwks&fault=jwks&times=1&variant=%s", variant);
    kit_fault(spec);
    set = jwks_parse(str_of(kit_get(realm_oidc.jwks).body), &err);
    n = set ? jwks_count(set) : 0;
    jwks_free(&set);
    return n;
}

/* JWT-10, JWT-31, JWT-41: what is wrong with one key does not spoil the others. */
START_TEST(bad_keys)
{
    static const char *const beside[] = {
        "off-curve",   "infinity", "short-coordinate", "rsa-512", "rsa-e1", "oct",
        "unknown-kty", "no-kty",   "not-object",       "no-kid",  "no-alg"};
    static const char *const instead[] = {"empty", "no-keys", "use-enc"};

    for (size_t i = 0; i < sizeof beside / sizeof *beside; i++)
        ck_assert_msg(keys_of(beside[i]) == 5, "%s: %zu", beside[i], keys_of(beside[i]));
    for (size_t i = 0; i < sizeof instead / sizeof *instead; i++)
        ck_assert_msg(keys_of(instead[i]) == 0, "%s", instead[i]);
}
END_TEST

/* JWT-40 */
START_TEST(keys_rotate_away)
{
    struct err err = ERR_INIT;
    struct jwks *old = jwks_parse(str_of(kit_get(realm_oidc.jwks).body), &err), *fresh;
    struct jval *t;
    struct jws j;
    const char *token;

    kit_fault("fault=rotate");
    t = kit_tokens(&realm_oidc, "openid", "ada");
    token = jval_text(jval_get(t, "id_token"));
    ck_assert_int_eq(jws_decode(str_of(token), &j, &err), 0);
    ck_assert_int_eq(jws_check(&j, str_of(token), old, JWS_RS256, &err), 0); /* ask again */
    fresh = jwks_parse(str_of(kit_get(realm_oidc.jwks).body), &err);
    ck_assert_int_eq(jws_check(&j, str_of(token), fresh, JWS_RS256, &err), 1);
    jws_deinit(&j);
    jwks_free(&old);
    jwks_free(&fresh);
    jval_free(&t);
}
END_TEST

Suite *suite_fake_badtoken(void)
{
    Suite *s = suite_create("fake_badtoken");
    TCase *t = tcase_create("badtoken");

    tcase_add_checked_fixture(t, kit_start, kit_stop);
    tcase_add_test(t, bad_tokens_are_refused);
    tcase_add_test(t, odd_tokens_are_taken);
    tcase_add_test(t, the_right_token_is_taken);
    tcase_add_test(t, bad_keys);
    tcase_add_test(t, keys_rotate_away);
    suite_add_tcase(s, t);
    return s;
}
