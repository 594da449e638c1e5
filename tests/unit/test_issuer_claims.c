/* SPDX-License-Identifier: Apache-2.0 */
/* What is said of people, by scope and by name. */
#include <check.h>

#include "issuer/claims.h"

Suite *suite_issuer_claims(void);

static const char *const may_ask[] = {"openid", "profile", "email", NULL};
static const struct claims_person ada = {.account = "acc",
                                         .username = "ada",
                                         .name = "Ada \"Lovelace\"",
                                         .email = "ada@a.example",
                                         .email_evidence = USHER_EVIDENCE_PRIMARY_VERIFIED,
                                         .groups = "[\"discord:crew\"]",
                                         .roles = "[\"editor\"]",
                                         .permissions = "[\"wiki.write\"]",
                                         .updated = 1800000000};
static struct app app;

static void said(enum claims_part part, const char *scopes, const char *claims,
                 const char *expected)
{
    struct buf b;
    struct jval *out = jval_new_object();
    const struct claims_asked asked = {
        .app = &app, .part = part, .scopes = scopes, .claims = claims};
    app.common.scopes = may_ask;
    claims_say(&asked, &ada, out);
    buf_init(&b, 4096);
    jval_render(out, &b);
    ck_assert_str_eq(b.p, expected);
    jval_free(&out);
    buf_deinit(&b);
}

START_TEST(by_scope)
{
    app.common.consent = false;
    said(CLAIMS_USERINFO, "openid", NULL, "{\"sub\":\"acc\"}");
    said(CLAIMS_USERINFO, "openid email", NULL,
         "{\"sub\":\"acc\",\"email\":\"ada@a.example\",\"email_verified\":true}");
    said(CLAIMS_USERINFO, "profile", NULL,
         "{\"sub\":\"acc\",\"name\":\"Ada \\\"Lovelace\\\"\",\"preferred_username\":\"ada\","
         "\"updated_at\":1800000000}");
    said(CLAIMS_USERINFO, "groups roles", NULL,
         "{\"sub\":\"acc\",\"groups\":[\"discord:crew\"],\"roles\":[\"editor\"],"
         "\"permissions\":[\"wiki.write\"]}");
    said(CLAIMS_USERINFO, "openid emails", NULL, "{\"sub\":\"acc\"}");
    said(CLAIMS_ID_TOKEN, "openid profile email groups roles", NULL, "{\"sub\":\"acc\"}");
}
END_TEST

/* An app that never asks userinfo: the same claims, and no more than was granted. */
START_TEST(in_the_id_token)
{
    app.common.consent = false;
    app.common.id_token_claims = true;
    said(CLAIMS_ID_TOKEN, "openid", NULL, "{\"sub\":\"acc\"}");
    said(CLAIMS_ID_TOKEN, "openid email groups", NULL,
         "{\"sub\":\"acc\",\"email\":\"ada@a.example\",\"email_verified\":true,"
         "\"groups\":[\"discord:crew\"]}");
    said(CLAIMS_ID_TOKEN, "openid", "{\"id_token\":{\"name\":null}}",
         "{\"sub\":\"acc\",\"name\":\"Ada \\\"Lovelace\\\"\"}");
    app.common.id_token_claims = false;
}
END_TEST

/* OP-50, OP-51, OP-65 */
START_TEST(by_name)
{
    app.common.consent = false;
    said(CLAIMS_USERINFO, "openid", "{\"userinfo\":{\"email\":null,\"zoneinfo\":null}}",
         "{\"sub\":\"acc\",\"email\":\"ada@a.example\"}");
    said(CLAIMS_USERINFO, "openid", "{\"id_token\":{\"email\":null}}", "{\"sub\":\"acc\"}");
    said(CLAIMS_ID_TOKEN, "openid", "{\"id_token\":{\"email\":{\"essential\":true}}}",
         "{\"sub\":\"acc\",\"email\":\"ada@a.example\"}");
    said(CLAIMS_ID_TOKEN, "openid", "{\"id_token\":{\"sub\":{\"value\":\"other\"}}}",
         "{\"sub\":\"acc\"}");
    said(CLAIMS_USERINFO, "openid", "{\"userinfo\":{\"roles\":null}}", "{\"sub\":\"acc\"}");
    said(CLAIMS_ID_TOKEN, "openid", "{\"userinfo\":{\"email\":null}}", "{\"sub\":\"acc\"}");
    /* each by its own name, not by that of its scope, nor by one that is like it */
    said(CLAIMS_USERINFO, "openid", "{\"userinfo\":{\"name\":null}}",
         "{\"sub\":\"acc\",\"name\":\"Ada \\\"Lovelace\\\"\"}");
    said(CLAIMS_USERINFO, "openid", "{\"userinfo\":{\"preferred_username\":{\"value\":\"x\"}}}",
         "{\"sub\":\"acc\",\"preferred_username\":\"ada\"}");
    said(CLAIMS_USERINFO, "openid", "{\"userinfo\":{\"email_verified\":null}}",
         "{\"sub\":\"acc\",\"email_verified\":true}");
    said(CLAIMS_USERINFO, "openid",
         "{\"userinfo\":{\"profile\":null,\"Name\":null,\"name#de\":null,\"nam\":null}}",
         "{\"sub\":\"acc\"}");
    app.common.consent = true; /* an app of somebody else has what the person agreed to */
    said(CLAIMS_USERINFO, "openid", "{\"userinfo\":{\"email\":null}}", "{\"sub\":\"acc\"}");
    said(CLAIMS_USERINFO, "openid email", "{\"userinfo\":{\"email\":null}}",
         "{\"sub\":\"acc\",\"email\":\"ada@a.example\",\"email_verified\":true}");
}
END_TEST

/* OP-65: an upstream's word alone makes no address verified. */
START_TEST(verified)
{
    for (int e = USHER_EVIDENCE_NONE; e <= USHER_EVIDENCE_AUTHORITATIVE + 1; e++) {
        const struct claims_person grace = {
            .account = "acc", .email = "grace@a.example", .email_evidence = e};
        const struct claims_asked asked = {
            .app = &app, .part = CLAIMS_USERINFO, .scopes = "openid email"};
        const bool proven = e == USHER_EVIDENCE_PRIMARY_VERIFIED || e == USHER_EVIDENCE_XMS_EDOV ||
                            e == USHER_EVIDENCE_AUTHORITATIVE;
        struct jval *out = jval_new_object();
        claims_say(&asked, &grace, out);
        bool is = !proven;
        ck_assert(jval_bool(jval_get(out, "email_verified"), &is));
        ck_assert_int_eq(is, proven);
        jval_free(&out);
    }
}
END_TEST

Suite *suite_issuer_claims(void)
{
    Suite *s = suite_create("issuer_claims");
    TCase *tc = tcase_create("what is said of people");
    tcase_add_test(tc, by_scope);
    tcase_add_test(tc, in_the_id_token);
    tcase_add_test(tc, by_name);
    tcase_add_test(tc, verified);
    suite_add_tcase(s, tc);
    return s;
}
