/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <string.h>

#include "drive_fixture.h"

Suite *suite_drive_redirect(void);

static uint32_t flags;
static const char *endpoint;
static struct usher_param params[4];
static size_t n_params;
static const char *carry, *issuer;

static void step(struct usher_call *c, const struct usher_event *ev, struct usher_action *act)
{
    (void)c;
    ck_assert_uint_eq(ev->kind, USHER_START);
    ck_assert_str_eq(ev->start->redirect_uri, "https://usher.test/callback/test");
    drive_fixture_redirect(act);
    act->url = endpoint;
    act->redirect_flags = flags;
    act->params = params;
    act->n_params = n_params;
    act->carry = carry;
    act->issuer = issuer;
}

static void setup(void)
{
    drive_fixture_open(step);
    endpoint = FIXTURE_ORIGIN "/authorize";
    flags = 0;
    n_params = 0;
    carry = issuer = NULL;
}

static void param(const char *name, const char *value)
{
    params[n_params++] =
        (struct usher_param){.size = sizeof(struct usher_param), .name = name, .text = value};
}

static void refused(void)
{
    drive_fixture_begin();
    ck_assert_uint_eq(dfx.ends, 1);
    ck_assert_ptr_null(dfx.url);
    ck_assert_int_ne(dfx.err.kind, ERR_NONE);
}

static struct flow *sealed(void)
{
    struct err err = ERR_INIT;
    struct flow *f = state_unseal(dfx.keys, STR("bind"), str_of(drive_fixture_param("state")),
                                  FIXTURE_NOW, dfx.arena, &err);
    ck_assert_ptr_nonnull(f);
    return f;
}

START_TEST(plain_request)
{
    drive_fixture_begin();
    ck_assert_int_eq(strncmp(dfx.url, FIXTURE_ORIGIN "/authorize?", 29), 0);
    ck_assert_str_eq(drive_fixture_param("response_type"), "code");
    ck_assert_str_eq(drive_fixture_param("client_id"), "app");
    ck_assert_str_eq(drive_fixture_param("redirect_uri"), "https://usher.test/callback/test");
    ck_assert_str_eq(drive_fixture_param("scope"), "openid");
    ck_assert_ptr_null(drive_fixture_param("nonce"));
    ck_assert_ptr_null(drive_fixture_param("code_challenge"));
    ck_assert_ptr_null(drive_fixture_param("response_mode"));
    const struct flow *f = sealed();
    ck_assert(!f->nonce_sent && !f->pkce_sent && !f->iss_required);
    ck_assert_ptr_null(f->issuer);
    ck_assert_mem_eq(f->id, dfx.flow.id, 16);
}
END_TEST

START_TEST(nonce_pkce_and_issuer_travel)
{
    char verifier[44], challenge[44], nonce[44];
    flags = USHER_SEND_NONCE | USHER_SEND_PKCE | USHER_FORM_POST | USHER_ISS_ANNOUNCED;
    carry = "for later";
    issuer = "https://op.example";
    drive_fixture_begin();
    struct str state = str_of(drive_fixture_param("state"));
    ck_assert_int_eq(state_verifier(dfx.keys, state, dfx.flow.id, verifier), 0);
    ck_assert_int_eq(state_nonce(dfx.keys, state, dfx.flow.id, nonce), 0);
    state_challenge(verifier, challenge);
    ck_assert_str_eq(drive_fixture_param("nonce"), nonce);
    ck_assert_str_eq(drive_fixture_param("code_challenge"), challenge);
    ck_assert_str_eq(drive_fixture_param("code_challenge_method"), "S256");
    ck_assert_str_eq(drive_fixture_param("response_mode"), "form_post");
    ck_assert_ptr_null(strstr(dfx.url, verifier));
    ck_assert_ptr_null(strstr(dfx.url, "later"));
    const struct flow *f = sealed();
    ck_assert(f->nonce_sent && f->pkce_sent && f->iss_required);
    ck_assert_str_eq(f->carry, "for later");
    ck_assert_str_eq(f->issuer, "https://op.example");
}
END_TEST

/* The provider's own switch wins over the plugin. */
START_TEST(pkce_switch)
{
    flags = USHER_SEND_PKCE;
    dfx.provider.common.pkce = PKCE_OFF;
    drive_fixture_begin();
    ck_assert_ptr_null(drive_fixture_param("code_challenge"));
    ck_assert(!sealed()->pkce_sent);
    drive_free(&dfx.drive);
    flags = 0;
    dfx.provider.common.pkce = PKCE_ON;
    drive_fixture_begin();
    ck_assert_ptr_nonnull(drive_fixture_param("code_challenge"));
    ck_assert(sealed()->pkce_sent);
}
END_TEST

START_TEST(extra_parameters_are_encoded_once)
{
    param("prompt", "select_account");
    param("claims", "{\"a\": \"b&c=d\"}");
    param("max_age", "300");
    drive_fixture_begin();
    ck_assert_str_eq(drive_fixture_param("prompt"), "select_account");
    ck_assert_str_eq(drive_fixture_param("claims"), "{\"a\": \"b&c=d\"}");
    ck_assert_ptr_null(strchr(dfx.url, '+'));
    ck_assert_int_eq(sealed()->max_age, 300);
}
END_TEST

/* LOGIN-23, LOGIN-31: nothing of ours can be overridden or occur twice. */
START_TEST(login_31_ours_stay_ours)
{
    static const char *const ours[] = {"client_id",     "redirect_uri",   "response_type",
                                       "state",         "nonce",          "scope",
                                       "response_mode", "code_challenge", "code_challenge_method",
                                       "iss",           "request",        "request_uri"};
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++) {
        n_params = 0;
        param(ours[i], "evil");
        refused();
        drive_free(&dfx.drive);
        n_params = 0;
        endpoint = arena_printf(dfx.arena, FIXTURE_ORIGIN "/authorize?a=b&%s=evil", ours[i]);
        refused();
        drive_free(&dfx.drive);
        endpoint = FIXTURE_ORIGIN "/authorize";
    }
    param("prompt", "none");
    param("prompt", "login");
    refused();
}
END_TEST

/* LOGIN-31: the endpoint's query is kept, a fragment is refused. */
START_TEST(login_31_endpoint_query)
{
    endpoint = FIXTURE_ORIGIN "/authorize?tenant=a%20b";
    param("tenant2", "c");
    drive_fixture_begin();
    ck_assert_int_eq(strncmp(dfx.url, FIXTURE_ORIGIN "/authorize?tenant=a%20b&response_type=", 52),
                     0);
    ck_assert_str_eq(drive_fixture_param("tenant"), "a b");
    drive_free(&dfx.drive);
    endpoint = FIXTURE_ORIGIN "/authorize#x";
    refused();
    drive_free(&dfx.drive);
    endpoint = FIXTURE_ORIGIN "/authorize?tenant=a";
    n_params = 0;
    param("tenant", "b");
    refused();
}
END_TEST

START_TEST(client_id_is_needed)
{
    dfx.provider.common.client_id = NULL;
    refused();
    ck_assert_int_eq(dfx.err.kind, ERR_MISCONFIGURED);
}
END_TEST

Suite *suite_drive_redirect(void)
{
    Suite *s = suite_create("drive_redirect");
    TCase *tc = tcase_create("drive_redirect");
    tcase_add_checked_fixture(tc, setup, drive_fixture_close);
    tcase_add_test(tc, plain_request);
    tcase_add_test(tc, nonce_pkce_and_issuer_travel);
    tcase_add_test(tc, pkce_switch);
    tcase_add_test(tc, extra_parameters_are_encoded_once);
    tcase_add_test(tc, login_31_ours_stay_ours);
    tcase_add_test(tc, login_31_endpoint_query);
    tcase_add_test(tc, client_id_is_needed);
    suite_add_tcase(s, tc);
    return s;
}
