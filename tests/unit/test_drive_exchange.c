/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "drive_fixture.h"

Suite *suite_drive_exchange(void);

#define JSON "application/json"
#define GOOD "{\"access_token\":\"t0k\",\"token_type\":\"Bearer\"}"

static uint32_t auth, flags;
static struct usher_param params[3], headers[1];
static size_t n_params, n_headers;
static const char *token_url;

/* What the plugin was told. */
static struct usher_tokens told;
static char told_error[100], told_scope[200];
static bool other_has_tokens;
static bool twice;

static void step(struct usher_call *c, const struct usher_event *ev, struct usher_action *act)
{
    if (ev->kind == USHER_CALLBACK || twice) {
        drive_fixture_exchange(act);
        act->url = token_url;
        act->client_auth = auth;
        act->exchange_flags = flags;
        act->params = params;
        act->n_params = n_params;
        act->headers = headers;
        act->n_headers = n_headers;
        return;
    }
    ck_assert_uint_eq(ev->kind, USHER_TOKENS);
    told = *ev->tokens;
    snprintf(told_error, sizeof told_error, "%s", told.error);
    snprintf(told_scope, sizeof told_scope, "%s", told.scope);
    other_has_tokens = c->host->json_type(c, told.other, "/access_token") != USHER_JSON_NONE ||
                       c->host->json_type(c, told.other, "/refresh_token") != USHER_JSON_NONE ||
                       c->host->json_type(c, told.other, "/id_token") != USHER_JSON_NONE;
    if (told.ok) {
        drive_fixture_done(act);
        return;
    }
    act->kind = USHER_FAIL;
    act->fail = USHER_EXPIRED;
    act->fail_text = "refused";
}

static void setup(void)
{
    drive_fixture_open(step);
    auth = USHER_AUTH_BASIC;
    flags = 0;
    n_params = n_headers = 0;
    token_url = FIXTURE_ORIGIN "/token";
    told = (struct usher_tokens){.size = 0};
}

static void ask(void)
{
    dfx.n_asked = 0;
    drive_fixture_finish("code=c0de");
    ck_assert_uint_eq(dfx.n_asked, 1);
    ck_assert_uint_eq(dfx.ends, 0);
}

/* The kind of failure that an answer leads to; ERR_NONE: signed in. */
static enum err_kind after(int status, const char *type, const char *body)
{
    told = (struct usher_tokens){.size = 0};
    ask();
    drive_fixture_answer(0, status, type, body);
    ck_assert_uint_eq(dfx.ends, 1);
    ck_assert_ptr_null(strstr(dfx.err.text, "t0k"));
    return dfx.err.kind;
}

START_TEST(basic_request)
{
    ask();
    ck_assert_str_eq(dfx.asked[0].url, FIXTURE_ORIGIN "/token");
    ck_assert_str_eq(dfx.asked[0].form, "grant_type=authorization_code&code=c0de&"
                                        "redirect_uri=https://usher.test/callback/test&");
    ck_assert_str_eq(dfx.asked[0].basic, "app:s3cret");
    ck_assert_str_eq(dfx.asked[0].headers, "accept: application/json\n");
    drive_fixture_answer(0, 200, JSON, GOOD);
    ck_assert_str_eq(dfx.subject, "42");
    ck_assert_uint_eq(dfx.n_observed, 1);
}
END_TEST

START_TEST(other_client_authentication)
{
    auth = USHER_AUTH_POST;
    ask();
    ck_assert_ptr_nonnull(strstr(dfx.asked[0].form, "&client_id=app&client_secret=s3cret&"));
    ck_assert_ptr_null(dfx.asked[0].basic);
    drive_free(&dfx.drive);
    auth = USHER_AUTH_NONE;
    ask();
    ck_assert_ptr_nonnull(strstr(dfx.asked[0].form, "&client_id=app&"));
    ck_assert_ptr_null(strstr(dfx.asked[0].form, "s3cret"));
    drive_free(&dfx.drive);
    auth = USHER_AUTH_PARAMS;
    params[0] = (struct usher_param){.size = sizeof *params, .name = "client_id", .text = "other"};
    n_params = 1;
    ask();
    ck_assert_ptr_nonnull(strstr(dfx.asked[0].form, "&client_id=other&"));
    ck_assert_ptr_null(strstr(dfx.asked[0].form, "s3cret"));
    drive_free(&dfx.drive);
}
END_TEST

START_TEST(verifier_goes_along_when_pkce_was_sent)
{
    char verifier[44];
    dfx.flow.pkce_sent = true;
    ask();
    ck_assert_int_eq(state_verifier(dfx.keys, str_of(dfx.state), dfx.flow.id, verifier), 0);
    ck_assert_ptr_nonnull(strstr(dfx.asked[0].form, verifier));
    drive_fixture_answer(0, 200, JSON, GOOD);
}
END_TEST

START_TEST(secrets_stay_on_declared_origins)
{
    token_url = "https://elsewhere.example/token";
    drive_fixture_finish("code=c0de");
    ck_assert_uint_eq(dfx.n_asked, 0);
    ck_assert_int_eq(dfx.err.kind, ERR_MISCONFIGURED);
}
END_TEST

START_TEST(a_code_is_exchanged_once)
{
    ask();
    twice = true;
    drive_fixture_answer(0, 200, JSON, GOOD);
    twice = false;
    ck_assert_uint_eq(dfx.n_asked, 1);
    ck_assert_int_eq(dfx.err.kind, ERR_INTERNAL);
}
END_TEST

START_TEST(what_the_plugin_sees)
{
    ck_assert_int_eq(after(200, JSON,
                           "{\"access_token\":\"t0k\",\"token_type\":\"bearer\",\"expires_in\":"
                           "3600,\"refresh_token\":\"ref\",\"id_token\":\"a.b.c\",\"scope\":\"x y\""
                           ",\"extra\":1}"),
                     ERR_NONE);
    ck_assert(told.ok && told.has_refresh_token && told.has_id_token && !other_has_tokens);
    ck_assert_int_eq(told.expires_in, 3600);
    ck_assert_str_eq(told_scope, "x y");
    ck_assert_int_eq(told.status, 200);
    ck_assert_int_eq(
        after(200, "application/foo+json; charset=utf-8",
              "{\"access_token\":\"t0k\",\"token_type\":\"BEARER\",\"scope\":[\"x\",\"y\",1]}"),
        ERR_NONE);
    ck_assert_str_eq(told_scope, "x y");
    ck_assert(!told.has_refresh_token && !told.has_id_token);
}
END_TEST

START_TEST(refusals_are_the_plugins_to_explain)
{
    ck_assert_int_eq(after(400, JSON, "{\"error\":\"invalid_grant\"}"), ERR_EXPIRED);
    ck_assert_str_eq(told_error, "invalid_grant");
    ck_assert_int_eq(after(401, JSON, "{\"error\":\"invalid_client\"}"), ERR_EXPIRED);
    ck_assert_str_eq(told_error, "invalid_client");
    /* Some refuse with 200; some name no error; some put odd things there. */
    ck_assert_int_eq(after(200, JSON, "{\"error\":\"bad_verification_code\"}"), ERR_EXPIRED);
    ck_assert(!told.ok);
    ck_assert_int_eq(
        after(200, JSON, "{\"error\":\"x\",\"access_token\":\"t0k\",\"token_type\":\"Bearer\"}"),
        ERR_EXPIRED);
    ck_assert(!told.ok && !other_has_tokens);
    ck_assert_int_eq(after(400, JSON, "{\"status\":400,\"message\":\"no\"}"), ERR_EXPIRED);
    ck_assert_str_eq(told_error, "");
    ck_assert_int_eq(after(400, JSON, "{\"error\":\"a b\"}"), ERR_EXPIRED);
    ck_assert_str_eq(told_error, "");
    ck_assert_int_eq(after(400, JSON, "{\"error\":{\"code\":1}}"), ERR_EXPIRED);
    ck_assert_str_eq(told_error, "");
}
END_TEST

/* CB-14, CB-16, CB-21, CB-26: what is no token answer. */
START_TEST(cb_14_no_token_answer)
{
    ck_assert_int_eq(after(200, "text/html", "<h1>Wi-Fi</h1>"), ERR_UPSTREAM_BAD);
    ck_assert_int_eq(after(200, JSON, "<h1>Wi-Fi</h1>"), ERR_UPSTREAM_BAD);
    ck_assert_int_eq(after(200, JSON, ""), ERR_UPSTREAM_BAD);
    ck_assert_int_eq(after(200, JSON, "[]"), ERR_UPSTREAM_BAD);
    ck_assert_int_eq(after(200, JSON, "\"t0k\""), ERR_UPSTREAM_BAD);
    ck_assert_int_eq(after(200, JSON, "7"), ERR_UPSTREAM_BAD);
    ck_assert_int_eq(after(200, JSON, "null"), ERR_UPSTREAM_BAD);
    ck_assert_int_eq(after(200, JSON, "{\"access_token\":\"t0k\""), ERR_UPSTREAM_BAD);
    ck_assert_int_eq(after(200, JSON, "{\"access_token\":\"t0k\xc3"), ERR_UPSTREAM_BAD);
    ck_assert_int_eq(after(200, JSON, GOOD GOOD), ERR_UPSTREAM_BAD);
    ck_assert_int_eq(
        after(200, JSON,
              "{\"access_token\":\"t0k\",\"access_token\":\"t0k\",\"token_type\":\"Bearer\"}"),
        ERR_UPSTREAM_BAD);
    ck_assert_int_eq(
        after(200, JSON, "{\"access_token\":\"t0k\\u0000\",\"token_type\":\"Bearer\"}"),
        ERR_UPSTREAM_BAD);
    ck_assert_int_eq(after(302, JSON, GOOD), ERR_UPSTREAM_BAD);

    static char deep[100001];
    memset(deep, '[', sizeof deep - 1);
    ck_assert_int_eq(after(200, JSON, deep), ERR_UPSTREAM_BAD);
    ck_assert_uint_eq(told.size, 0);
}
END_TEST

/* CB-25: token answers that are not quite. */
START_TEST(cb_25_odd_members)
{
    ck_assert_int_eq(after(200, JSON, "{\"token_type\":\"Bearer\"}"), ERR_UPSTREAM_BAD);
    ck_assert_int_eq(after(200, JSON, "{\"access_token\":\"t0k\"}"), ERR_UPSTREAM_BAD);
    ck_assert_int_eq(after(200, JSON, "{\"access_token\":\"t0k\",\"token_type\":\"mac\"}"),
                     ERR_UPSTREAM_BAD);
    ck_assert_int_eq(after(200, JSON, "{\"access_token\":\"t0k\",\"token_type\":[\"Bearer\"]}"),
                     ERR_UPSTREAM_BAD);
    ck_assert_int_eq(after(200, JSON, "{\"access_token\":\"\",\"token_type\":\"Bearer\"}"),
                     ERR_UPSTREAM_BAD);
    ck_assert_int_eq(after(200, JSON, "{\"access_token\":7,\"token_type\":\"Bearer\"}"),
                     ERR_UPSTREAM_BAD);
    ck_assert_int_eq(after(200, JSON, "{\"access_token\":\"t k\",\"token_type\":\"Bearer\"}"),
                     ERR_UPSTREAM_BAD);
    ck_assert_int_eq(
        after(200, JSON, "{\"access_token\":\"t\\r\\nX: y\",\"token_type\":\"Bearer\"}"),
        ERR_UPSTREAM_BAD);
    ck_assert_int_eq(
        after(200, JSON, "{\"access_token\":\"t0k\",\"token_type\":\"Bearer\",\"id_token\":7}"),
        ERR_UPSTREAM_BAD);
    static const char *const odd[] = {"-5", "\"abc\"", "1e300", "1.5", "null", "{}", "true"};
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
        char body[200];
        snprintf(body, sizeof body,
                 "{\"access_token\":\"t0k\",\"token_type\":\"Bearer\",\"expires_in\":%s}", odd[i]);
        ck_assert_int_eq(after(200, JSON, body), ERR_NONE);
        ck_assert_int_eq(told.expires_in, -1);
    }
    ck_assert_int_eq(
        after(200, JSON,
              "{\"access_token\":\"t0k\",\"token_type\":\"Bearer\",\"expires_in\":\"3600\"}"),
        ERR_NONE);
    ck_assert_int_eq(told.expires_in, 3600);
    ck_assert_int_eq(after(200, JSON,
                           "{\"access_token\":\"t0k\",\"token_type\":\"Bearer\",\"expires_in\":"
                           "9007199254740993}"),
                     ERR_NONE);
    ck_assert_int_lt(told.expires_in, 11LL * 366 * 86400);
}
END_TEST

/* CB-27: the type of a good body. */
START_TEST(cb_27_content_types)
{
    ck_assert_int_eq(after(200, "text/plain", GOOD), ERR_UPSTREAM_BAD);
    ck_assert_int_eq(after(200, "", GOOD), ERR_UPSTREAM_BAD);
    ck_assert_int_eq(after(200, "text/javascript", GOOD), ERR_UPSTREAM_BAD);
    ck_assert_int_eq(after(200, "text/json", GOOD), ERR_UPSTREAM_BAD);
    ck_assert_int_eq(after(200, "application/json; charset=utf-16", GOOD), ERR_UPSTREAM_BAD);
    ck_assert_int_eq(after(200, "application/json; charset=utf-8", GOOD), ERR_NONE);
    flags = USHER_ANY_CONTENT_TYPE;
    ck_assert_int_eq(after(200, "text/plain", GOOD), ERR_NONE);
}
END_TEST

/* CB-36: a form where JSON was asked for. */
START_TEST(cb_36_form_answers)
{
    static const char form[] = "application/x-www-form-urlencoded";
    ck_assert_int_eq(after(200, form, "access_token=t0k&token_type=bearer"), ERR_UPSTREAM_BAD);
    flags = USHER_FORM_ANSWER;
    ck_assert_int_eq(after(200, form, "access_token=t0k&token_type=bearer&scope=a%20b"), ERR_NONE);
    ck_assert_str_eq(told_scope, "a b");
    ck_assert_int_eq(after(200, form, "error=bad_verification_code"), ERR_EXPIRED);
    ck_assert_int_eq(after(200, form, "access_token=t0k&access_token=x&token_type=bearer"),
                     ERR_UPSTREAM_BAD);
    ck_assert_int_eq(after(200, form, "access_token=%zz&token_type=bearer"), ERR_UPSTREAM_BAD);
}
END_TEST

/* CB-17, CB-19, CB-22, CB-34: no answer, or "later". */
START_TEST(cb_34_no_answer)
{
    static const enum err_kind kinds[] = {ERR_NONE,          ERR_UPSTREAM_DOWN, ERR_UPSTREAM_DOWN,
                                          ERR_MISCONFIGURED, ERR_UPSTREAM_BAD,  ERR_UPSTREAM_BAD,
                                          ERR_UPSTREAM_DOWN};
    for (uint32_t t = USHER_TRANSPORT_TIMEOUT; t <= USHER_TRANSPORT_LIMITED; t++) {
        ask();
        drive_fixture_transport(0, t);
        ck_assert_int_eq(dfx.err.kind, kinds[t]);
    }
    ck_assert_int_eq(after(429, JSON, "{\"retry_after\":1}"), ERR_UPSTREAM_DOWN);
    ck_assert_int_eq(after(500, "text/html", "oops"), ERR_UPSTREAM_DOWN);
    ck_assert_int_eq(after(503, JSON, "{\"error\":\"invalid_grant\"}"), ERR_UPSTREAM_DOWN);
    ck_assert_uint_eq(told.size, 0);
}
END_TEST

START_TEST(a_secret_that_is_not_set)
{
    auth = USHER_AUTH_POST;
    conf_secrets_free(&dfx.secrets);
    dfx.secrets = conf_secrets_new();
    dfx.provider.secrets = dfx.secrets;
    drive_fixture_finish("code=c0de");
    ck_assert_int_eq(dfx.err.kind, ERR_MISCONFIGURED);
    ck_assert_uint_eq(dfx.n_asked, 0);
}
END_TEST

Suite *suite_drive_exchange(void)
{
    Suite *s = suite_create("drive_exchange");
    TCase *tc = tcase_create("drive_exchange");
    tcase_add_checked_fixture(tc, setup, drive_fixture_close);
    tcase_add_test(tc, basic_request);
    tcase_add_test(tc, other_client_authentication);
    tcase_add_test(tc, verifier_goes_along_when_pkce_was_sent);
    tcase_add_test(tc, secrets_stay_on_declared_origins);
    tcase_add_test(tc, a_code_is_exchanged_once);
    tcase_add_test(tc, what_the_plugin_sees);
    tcase_add_test(tc, refusals_are_the_plugins_to_explain);
    tcase_add_test(tc, cb_14_no_token_answer);
    tcase_add_test(tc, cb_25_odd_members);
    tcase_add_test(tc, cb_27_content_types);
    tcase_add_test(tc, cb_36_form_answers);
    tcase_add_test(tc, cb_34_no_answer);
    tcase_add_test(tc, a_secret_that_is_not_set);
    suite_add_tcase(s, tc);
    return s;
}
