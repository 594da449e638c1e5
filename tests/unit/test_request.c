/* SPDX-License-Identifier: Apache-2.0 */
/* Authorization requests: what is good, what is wrong, and who is told. */
#include <check.h>
#include <stdio.h>

#include "issuer/request.h"

Suite *suite_request(void);

#define CHALLENGE "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
#define CB "redirect_uri=https%3A%2F%2Frp.example%2Fcb"
#define GOOD "response_type=code&scope=openid%20email&" CB

static const char *const uris[] = {"https://rp.example/cb", "https://rp.example/cb?a=b", NULL};
static const char *const one_uri[] = {"https://rp.example/cb", NULL};
static const char *const native_uris[] = {"http://127.0.0.1/cb", "http://[::1]/cb?a=b",
                                          "com.example.app:/cb", NULL};
static const char *const code[] = {"authorization_code", NULL};
static const char *const machine[] = {"client_credentials", NULL};
static const char *const scopes[] = {"openid", "email", "profile", "read:books", NULL};
static const char *const resources[] = {"https://api.example/v1", "https://other.example", NULL};

static struct arena *arena;
static struct app app;
static struct issuer_request rq;
static struct issuer_problem why;

static void setup(void)
{
    arena = arena_new();
    app = (struct app){.id = "rp", .usable = true};
    app.common.redirect_uris = uris;
    app.common.grants = code;
    app.common.scopes = scopes;
    app.common.resources = resources;
}

static void teardown(void)
{
    arena_free(&arena);
}

static int read_with(const struct app *of, const char *query)
{
    struct err err = ERR_INIT;
    struct fields f;
    ck_assert_msg(form_parse(arena, str_of(query), 64, &f, &err) == 0, "%s", err.text);
    return issuer_request_read(arena, of, &f, &rq, &why);
}

static void good(const char *query)
{
    ck_assert_msg(read_with(&app, query) == 0, "%s: %s: %s", query, why.error, why.description);
}

static void bad(const char *query, const char *error)
{
    ck_assert_msg(read_with(&app, query) == -1, "%s is fine?", query);
    ck_assert_msg(!why.page, "%s: a page: %s", query, why.description);
    ck_assert_msg(strcmp(why.error, error) == 0, "%s: %s, not %s", query, why.error, error);
    ck_assert_ptr_nonnull(rq.redirect_uri);
}

static void page(const char *query)
{
    ck_assert_msg(read_with(&app, query) == -1 && why.page, "%s leads somewhere", query);
}

START_TEST(everything_that_is_asked_for)
{
    good(GOOD "&state=a%20b&nonce=n&response_mode=form_post&prompt=login%20consent&max_age=60&"
              "login_hint=ada&ui_locales=de&acr_values=1&claims=%7B%22userinfo%22%3A%7B%7D%7D&"
              "resource=https%3A%2F%2Fapi.example%2Fv1&code_challenge=" CHALLENGE
              "&code_challenge_method=S256&unknown=1&unknown=2&display=popup");
    ck_assert_str_eq(rq.redirect_uri, "https://rp.example/cb");
    ck_assert(rq.redirect_given && rq.form_post && !rq.pushed);
    ck_assert_str_eq(rq.state, "a b");
    ck_assert_str_eq(rq.nonce, "n");
    ck_assert_str_eq(rq.challenge, CHALLENGE);
    ck_assert_str_eq(rq.scopes, "openid email");
    ck_assert_str_eq(rq.resource, "[\"https://api.example/v1\"]");
    ck_assert_str_eq(rq.claims, "{\"userinfo\":{}}");
    ck_assert_uint_eq(rq.prompt, PROMPT_LOGIN | PROMPT_CONSENT);
    ck_assert_int_eq(rq.max_age, 60);
    ck_assert_str_eq(rq.login_hint, "ada");

    good(GOOD);
    ck_assert_ptr_null(rq.state);
    ck_assert_ptr_null(rq.nonce);
    ck_assert_ptr_null(rq.challenge);
    ck_assert_ptr_null(rq.resource);
    ck_assert_ptr_null(rq.claims);
    ck_assert_int_eq(rq.max_age, -1);
    ck_assert(!rq.form_post);
}
END_TEST

/* OP-01, OP-03, OP-04, OP-06, OP-07, OP-08, OP-09, OP-25 */
START_TEST(an_app_that_is_none_or_another_uri_is_told_to_nobody)
{
    static const char *const strange[] = {
        "https%3A%2F%2Frp.example%2Fcb%2F",
        "https%3A%2F%2Frp.example%2FCB",
        "https%3A%2F%2FRP.example%2Fcb",
        "http%3A%2F%2Frp.example%2Fcb",
        "https%3A%2F%2Frp.example%3A443%2Fcb",
        "https%3A%2F%2Frp.example.%2Fcb",
        "https%3A%2F%2Frp.example%40evil%2Fcb",
        "https%3A%2F%2Frp.example%5C%40evil%2Fcb",
        "https%3A%2F%2Frp.example%252eevil%2Fcb",
        "https%3A%2F%2Frp.example%2Fcb%3Fa%3Dc",
        "https%3A%2F%2Frp.example%2Fcb%23f",
        "https%3A%2F%2Frp.example%2Fcb%0D%0A",
        "https%3A%2F%2Frp.example%2Fcb%09",
        "https%3A%2F%2Frp.example%2Fcb%C3%A9",
        "javascript%3Aalert(1)",
        "data%3Atext%2Fhtml%2Cx",
        "com.example.app%3A%2Fcb",
        "",
    };
    char query[8192];
    for (size_t i = 0; i < sizeof strange / sizeof *strange; i++) {
        snprintf(query, sizeof query, "response_type=code&scope=openid&redirect_uri=%s",
                 strange[i]);
        page(query);
    }
    memset(query, 'a', sizeof query - 1);
    memcpy(query, CB, sizeof CB - 1);
    query[5000] = 0;
    page(query);
    page("response_type=code&scope=openid");
    page(GOOD "&" CB);
    ck_assert_int_eq(read_with(NULL, GOOD), -1);
    ck_assert(why.page);
    app.usable = false;
    page(GOOD);
    app.usable = true;
    app.common.redirect_uris = NULL;
    page(GOOD);
}
END_TEST

START_TEST(the_only_uri_need_not_be_said)
{
    app.common.redirect_uris = one_uri;
    good("response_type=code&scope=openid");
    ck_assert_str_eq(rq.redirect_uri, "https://rp.example/cb");
    ck_assert(!rq.redirect_given);
}
END_TEST

/* OP-05: RFC 8252 section 7.3 */
START_TEST(a_native_app_chooses_its_port)
{
    app.common.redirect_uris = native_uris;
    ck_assert(!issuer_request_redirect_fits(&app, "http://127.0.0.1:5000/cb")); /* confidential */
    app.common.client_type = CLIENT_PUBLIC;
    ck_assert(issuer_request_redirect_fits(&app, "http://127.0.0.1/cb"));
    ck_assert(issuer_request_redirect_fits(&app, "http://127.0.0.1:5000/cb"));
    ck_assert(issuer_request_redirect_fits(&app, "http://[::1]:5000/cb?a=b"));
    ck_assert(issuer_request_redirect_fits(&app, "com.example.app:/cb"));
    ck_assert(!issuer_request_redirect_fits(&app, "http://[::1]:5000/cb"));
    ck_assert(!issuer_request_redirect_fits(&app, "http://127.0.0.1:5000/cb/x"));
    ck_assert(!issuer_request_redirect_fits(&app, "http://localhost:5000/cb"));
    ck_assert(!issuer_request_redirect_fits(&app, "http://127.0.0.1.evil/cb"));
    ck_assert(!issuer_request_redirect_fits(&app, "http://127.0.0.1:80@evil/cb"));
    ck_assert(!issuer_request_redirect_fits(&app, "http://127.0.0.1:5000.evil/cb"));
    ck_assert(!issuer_request_redirect_fits(&app, "http://127.0.0.2:5000/cb"));
    ck_assert(!issuer_request_redirect_fits(&app, "https://127.0.0.1:5000/cb"));
    ck_assert(!issuer_request_redirect_fits(&app, "http://[::1]:5000/%63b?a=b"));
}
END_TEST

/* OP-11, OP-12, OP-13, OP-21, OP-22, OP-24, OP-25, OP-26, OP-30, OP-31, OP-51 */
START_TEST(what_the_app_is_told)
{
    bad(CB "&scope=openid", "invalid_request");
    bad(CB "&scope=openid&response_type=token", "unsupported_response_type");
    bad(CB "&scope=openid&response_type=id_token%20token", "unsupported_response_type");
    bad(CB "&response_type=code", "invalid_scope");
    bad(CB "&response_type=code&scope=nothing", "invalid_scope");
    bad(CB "&response_type=code&scope=openid%20%22x", "invalid_scope");
    bad(CB "&response_type=code&scope=openid%09email", "invalid_scope");
    bad(GOOD "&response_mode=fragment", "invalid_request");
    bad(GOOD "&state=a&state=b", "invalid_request");
    ck_assert_ptr_null(rq.state);
    bad(GOOD "&scope=openid", "invalid_request");
    bad(GOOD "&code_challenge=a&code_challenge=b", "invalid_request");
    bad(GOOD "&request=x", "request_not_supported");
    bad(GOOD "&request_uri=https%3A%2F%2Frp.example%2Fr", "request_uri_not_supported");
    bad(GOOD "&prompt=none%20login", "invalid_request");
    bad(GOOD "&prompt=create", "invalid_request");
    bad(GOOD "&max_age=-1", "invalid_request");
    bad(GOOD "&max_age=1e9", "invalid_request");
    bad(GOOD "&max_age=soon", "invalid_request");
    bad(GOOD "&claims=x", "invalid_request");
    bad(GOOD "&claims=%5B%5D", "invalid_request");
    bad(GOOD "&claims=%7B%22userinfo%22%3A1%7D", "invalid_request");
    bad(GOOD
        "&claims=%7B%22a%22%3A%7B%22a%22%3A%7B%22a%22%3A%7B%22a%22%3A%7B%22a%22%3A%7B%22a%22%3A"
        "%7B%7D%7D%7D%7D%7D%7D%7D",
        "invalid_request");
    bad(GOOD "&resource=https%3A%2F%2Felsewhere.example", "invalid_target");
    bad(GOOD "&code_challenge_method=S256", "invalid_request");
    bad(GOOD "&code_challenge=" CHALLENGE, "invalid_request");
    bad(GOOD "&code_challenge=" CHALLENGE "&code_challenge_method=plain", "invalid_request");
    bad(GOOD "&code_challenge=" CHALLENGE "=&code_challenge_method=S256", "invalid_request");
    bad(GOOD "&code_challenge=" CHALLENGE "A&code_challenge_method=S256", "invalid_request");
    bad(GOOD
        "&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-c&code_challenge_method=S256",
        "invalid_request");
    app.common.require_pkce = true;
    bad(GOOD, "invalid_request");
    app.common.require_pkce = false;
    app.common.client_type = CLIENT_PUBLIC;
    bad(GOOD, "invalid_request");
    app.common.grants = machine;
    bad(GOOD, "unauthorized_client");
}
END_TEST

/* OP-26, OP-38, OP-68 */
START_TEST(long_ones)
{
    char query[16384] = GOOD "&login_hint=";
    memset(query + strlen(query), 'a', 5000);
    good(query);
    ck_assert_ptr_null(rq.login_hint);
    memcpy(query, GOOD "&nonce=aaaaa", sizeof GOOD "&nonce=aaaaa" - 1);
    bad(query, "invalid_request");
    memcpy(query, GOOD "&state=aaaaa", sizeof GOOD "&state=aaaaa" - 1);
    bad(query, "invalid_request");
    ck_assert_ptr_null(rq.state);
    good(CB "&response_type=code&scope=email%20openid%20email%20admin");
    ck_assert_str_eq(rq.scopes, "email openid");
}
END_TEST

START_TEST(a_request_that_waited_is_judged_again)
{
    struct issuer_request back;
    good(GOOD "&state=s&prompt=consent&max_age=5&response_mode=form_post");
    struct jval *json = issuer_request_write(&rq);
    ck_assert_int_eq(issuer_request_again(arena, &app, json, &back), 0);
    ck_assert_str_eq(back.redirect_uri, rq.redirect_uri);
    ck_assert_str_eq(back.state, "s");
    ck_assert_str_eq(back.scopes, "openid email");
    ck_assert_ptr_null(back.nonce);
    ck_assert(back.form_post && back.redirect_given);
    ck_assert_uint_eq(back.prompt, PROMPT_CONSENT);
    ck_assert_int_eq(back.max_age, 5);

    static const char *const fewer[] = {"openid", NULL};
    app.common.scopes = fewer;
    ck_assert_int_eq(issuer_request_again(arena, &app, json, &back), -1);
    app.common.scopes = scopes;
    app.common.redirect_uris = native_uris;
    ck_assert_int_eq(issuer_request_again(arena, &app, json, &back), -1);
    app.common.redirect_uris = uris;
    app.common.grants = code;
    ck_assert_int_eq(issuer_request_again(arena, &app, json, &back), 0);
    app.common.require_pushed = true; /* and it was not */
    ck_assert_int_eq(issuer_request_again(arena, &app, json, &back), -1);
    app.common.require_pushed = false;
    ck_assert_ptr_null(rq.challenge);
    app.common.require_pkce = true; /* and there was none */
    ck_assert_int_eq(issuer_request_again(arena, &app, json, &back), -1);
    app.common.require_pkce = false;
    app.common.client_type = CLIENT_PUBLIC;
    ck_assert_int_eq(issuer_request_again(arena, &app, json, &back), -1);
    app.common.client_type = CLIENT_CONFIDENTIAL;
    app.common.grants = machine;
    ck_assert_int_eq(issuer_request_again(arena, &app, json, &back), -1);
    ck_assert_int_eq(issuer_request_again(arena, NULL, json, &back), -1);
    jval_free(&json);
}
END_TEST

Suite *suite_request(void)
{
    Suite *s = suite_create("request");
    TCase *tc = tcase_create("authorization requests");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, everything_that_is_asked_for);
    tcase_add_test(tc, an_app_that_is_none_or_another_uri_is_told_to_nobody);
    tcase_add_test(tc, the_only_uri_need_not_be_said);
    tcase_add_test(tc, a_native_app_chooses_its_port);
    tcase_add_test(tc, what_the_app_is_told);
    tcase_add_test(tc, long_ones);
    tcase_add_test(tc, a_request_that_waited_is_judged_again);
    suite_add_tcase(s, tc);
    return s;
}
