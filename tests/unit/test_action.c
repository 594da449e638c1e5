/* SPDX-License-Identifier: Apache-2.0 */
/* provider/action and identity: what hostile or broken plugins answer. PLUG-04, PLUG-05. */
#include "provider/action.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "plugin_fixture.h"

Suite *suite_action(void);

/* The plugin answers with whatever the test put here. */
static __thread struct usher_action answer;

static void say(struct usher_call *call, const struct usher_event *ev, struct usher_action *a)
{
    (void)call;
    if (ev->kind == USHER_CALLBACK && answer.kind == USHER_DONE) {
        a->kind = USHER_EXCHANGE;
        a->url = "https://idp.example/token";
        a->client_auth = USHER_AUTH_POST;
        return;
    }
    *a = answer;
}

static struct fixture f;

static void setup(void)
{
    memset(&answer, 0, sizeof answer);
    fixture_init(&f, say);
}

static void teardown(void)
{
    fixture_deinit(&f);
}

static int run(void)
{
    fixture_leg(&f, NULL);
    if (answer.kind == USHER_REDIRECT)
        return fixture_start(&f);
    if (answer.kind == USHER_DONE || answer.kind == USHER_VERIFY)
        return fixture_signed_in(&f);
    return fixture_callback(&f);
}

static void refused(enum err_kind kind, const char *words)
{
    ck_assert_int_eq(run(), -1);
    ck_assert_msg(f.err.kind == kind && strstr(f.err.text, words), "%d: %s", f.err.kind,
                  f.err.text);
    ck_assert_ptr_null(strpbrk(f.err.text, "\r\n"));
}

static void accepted(void)
{
    ck_assert_msg(run() == 0, "%s", f.err.text);
    ck_assert_uint_eq(f.out.kind, answer.kind);
}

/* 10 MiB of 'a' after `head`; the caller frees. */
static char *huge(const char *head)
{
    size_t n = 10u << 20, at = strlen(head);
    char *text = malloc(n + 1);
    memset(text, 'a', n);
    memcpy(text, head, at);
    text[n] = 0;
    return text;
}

START_TEST(nothing_and_nonsense)
{
    refused(ERR_INTERNAL, "unknown action 0");
    answer.kind = 99;
    refused(ERR_INTERNAL, "unknown action 99");
    answer = (struct usher_action){.kind = USHER_REDIRECT};
    refused(ERR_INTERNAL, "gave no the authorization endpoint");
    answer = (struct usher_action){.kind = USHER_EXCHANGE, .client_auth = USHER_AUTH_BASIC};
    refused(ERR_INTERNAL, "gave no the token endpoint");
    answer = (struct usher_action){.kind = USHER_EXCHANGE, .client_auth = 17};
    refused(ERR_INTERNAL, "unknown client authentication 17");
    answer = (struct usher_action){.kind = USHER_FETCH};
    refused(ERR_INTERNAL, "fetches nothing");
    answer = (struct usher_action){.kind = USHER_FETCH, .n_requests = 2};
    refused(ERR_INTERNAL, "fetches nothing");
    answer = (struct usher_action){.kind = USHER_DONE};
    refused(ERR_INTERNAL, "says not who it is");
    answer = (struct usher_action){.kind = USHER_FAIL, .fail = 77};
    accepted();
    ck_assert_uint_eq(f.out.fail, USHER_INTERNAL);
}
END_TEST

START_TEST(fail_texts_are_cleaned)
{
    char *long_text = huge("line one\r\nline two \x1b[2J \xff ");
    answer = (struct usher_action){
        .kind = USHER_FAIL, .fail = USHER_NOT_ALLOWED, .fail_text = long_text, .fail_hint = "\n"};
    accepted();
    ck_assert_uint_eq(f.out.fail, USHER_NOT_ALLOWED);
    ck_assert_uint_le(strlen(f.out.fail_text), 200);
    ck_assert_ptr_null(strpbrk(f.out.fail_text, "\r\n\x1b\xff"));
    free(long_text);
}
END_TEST

START_TEST(urls_are_judged)
{
    static const char *const bad[] = {
        "http://idp.example/a",         "https://idp.example/\r\nX: y",
        "ftp://idp.example/",           "//idp.example",
        "https://u@idp.example/",       "https://idp.example\\@evil/",
        "javascript:alert(1)",          "",
        "https://idp.example/\xc3\x28", "http://127.0.0.1/a",
        "https://idp.example/a#b",      NULL};
    char *long_url = huge("https://idp.example/");
    answer = (struct usher_action){.kind = USHER_REDIRECT};
    for (size_t i = 0; bad[i]; i++) {
        answer.url = bad[i];
        refused(ERR_UPSTREAM_BAD, "the authorization endpoint");
    }
    answer.url = long_url;
    refused(ERR_UPSTREAM_BAD, "longer than");
    free(long_url);
    answer.url = "http://127.0.0.1:9/a";
    f.provider.allow_http_loopback = true;
    accepted();
    answer.url = "http://10.0.0.1/a";
    refused(ERR_UPSTREAM_BAD, "must begin with https");
}
END_TEST

START_TEST(redirect_parameters_are_judged)
{
    struct usher_param p[2] = {{sizeof *p, "prompt", USHER_VALUE_TEXT, "consent"},
                               {sizeof *p, "x", USHER_VALUE_TEXT, "caf\xc3\xa9 & co"}};
    answer = (struct usher_action){
        .kind = USHER_REDIRECT, .url = "https://idp.example/a?x=1", .params = p, .n_params = 2};
    accepted();
    ck_assert_str_eq(f.out.params[1].text, p[1].text);
    static const char *const ours[] = {
        "state",         "STATE",          "nonce",       "redirect_uri", "client_id",
        "response_type", "code_challenge", "request_uri", "scope",        NULL};
    for (size_t i = 0; ours[i]; i++) {
        p[1].name = ours[i];
        refused(ERR_INTERNAL, "is usher's own");
    }
    p[1].name = "x";
    p[1].kind = USHER_VALUE_SETTING; /* secrets do not go through a browser */
    p[1].text = "client_secret";
    refused(ERR_INTERNAL, "something else than text");
    p[1].kind = 9;
    refused(ERR_INTERNAL, "something else than text");
    p[1].kind = USHER_VALUE_TEXT;
    p[1].text = NULL;
    refused(ERR_UPSTREAM_BAD, "value of x");
    p[1].text = "a\r\nb";
    refused(ERR_UPSTREAM_BAD, "value of x");
    p[1].text = "\xff";
    refused(ERR_UPSTREAM_BAD, "value of x");
    p[1].text = "b";
    p[1].name = "a b";
    refused(ERR_INTERNAL, "without a valid name");
    p[1].name = NULL;
    refused(ERR_INTERNAL, "without a valid name");
    answer.n_params = 33;
    refused(ERR_INTERNAL, "list of parameters");
    answer.n_params = 2;
    p[0].size = 8;
    refused(ERR_INTERNAL, "list of parameters");
    answer.params = NULL;
    refused(ERR_INTERNAL, "list of parameters");
}
END_TEST

START_TEST(redirect_words_are_judged)
{
    char carry[USHER_CARRY_MAX + 2];
    memset(carry, 'c', sizeof carry - 1);
    carry[sizeof carry - 1] = 0;
    answer = (struct usher_action){
        .kind = USHER_REDIRECT, .url = "https://idp.example/a", .carry = carry};
    refused(ERR_INTERNAL, "carries more than 1024");
    carry[USHER_CARRY_MAX] = 0;
    accepted();
    answer.scope = "a  b";
    refused(ERR_INTERNAL, "scopes");
    answer.scope = "a\"b";
    refused(ERR_INTERNAL, "scopes");
    answer.scope = NULL;
    answer.issuer = "https://idp.example\n";
    refused(ERR_UPSTREAM_BAD, "issuer");
    answer.issuer = NULL;
    answer.redirect_flags = USHER_ISS_ANNOUNCED;
    refused(ERR_INTERNAL, "names no issuer");
    answer.redirect_flags = 0xffffffff & ~(unsigned)USHER_ISS_ANNOUNCED;
    accepted();
    ck_assert_uint_eq(f.out.redirect_flags, USHER_SEND_NONCE | USHER_SEND_PKCE | USHER_FORM_POST);
    f.provider.common.pkce = PKCE_OFF;
    accepted();
    ck_assert_uint_eq(f.out.redirect_flags, USHER_SEND_NONCE | USHER_FORM_POST);
    f.provider.common.pkce = PKCE_ON;
    answer.redirect_flags = 0;
    accepted();
    ck_assert_uint_eq(f.out.redirect_flags, USHER_SEND_PKCE);
}
END_TEST

START_TEST(secrets_go_to_declared_origins_only)
{
    struct usher_param p = {sizeof p, "Authorization", USHER_VALUE_SETTING, "client_secret"};
    struct usher_request rq = {
        .size = sizeof rq, .url = "https://idp.example/me", .headers = &p, .n_headers = 1};
    answer = (struct usher_action){.kind = USHER_FETCH, .requests = &rq, .n_requests = 1};
    accepted();
    rq.url = "https://evil.example/me";
    refused(ERR_MISCONFIGURED, "did not declare");
    rq.n_headers = 0; /* without a secret it may go anywhere */
    accepted();
    rq.n_headers = 1;
    p.text = "nothing";
    rq.url = "https://idp.example/me";
    refused(ERR_MISCONFIGURED, "setting nothing is needed");
    p.kind = USHER_VALUE_ACCESS_TOKEN;
    refused(ERR_INTERNAL, "access token that is not there");
    p.kind = USHER_VALUE_TEXT;
    rq.cache_seconds = 10;
    refused(ERR_INTERNAL, "cached that is not the same");
    rq.n_headers = 0;
    accepted();
    answer = (struct usher_action){.kind = USHER_EXCHANGE,
                                   .url = "https://evil.example/token",
                                   .client_auth = USHER_AUTH_NONE};
    refused(ERR_MISCONFIGURED, "did not declare");
}
END_TEST

START_TEST(headers_cannot_be_smuggled)
{
    struct usher_param p = {sizeof p, "X-Thing", USHER_VALUE_TEXT, "v"};
    struct usher_request rq = {
        .size = sizeof rq, .url = "https://idp.example/me", .headers = &p, .n_headers = 1};
    answer = (struct usher_action){.kind = USHER_FETCH, .requests = &rq, .n_requests = 1};
    accepted();
    static const char *const names[] = {"Host",   "Content-Length",  "transfer-encoding",
                                        "Cookie", "Accept-Encoding", NULL};
    for (size_t i = 0; names[i]; i++) {
        p.name = names[i];
        refused(ERR_INTERNAL, "is usher's own");
    }
    p.name = "X:Y";
    refused(ERR_INTERNAL, "without a valid name");
    p.name = "X-Thing";
    static const char *const values[] = {"a\r\nHost: b", "a\nb", "caf\xc3\xa9", "\t", NULL};
    for (size_t i = 0; values[i]; i++) {
        p.text = values[i];
        refused(ERR_UPSTREAM_BAD, "value of X-Thing");
    }
}
END_TEST

START_TEST(client_authentication_is_judged)
{
    struct usher_param p = {sizeof p, "client_secret", USHER_VALUE_TEXT, "mine"};
    answer = (struct usher_action){.kind = USHER_EXCHANGE,
                                   .url = "https://idp.example/token",
                                   .client_auth = USHER_AUTH_POST,
                                   .params = &p,
                                   .n_params = 1};
    refused(ERR_INTERNAL, "is usher's own");
    answer.client_auth = USHER_AUTH_PARAMS;
    accepted();
    p.name = "code_verifier";
    refused(ERR_INTERNAL, "is usher's own");
    answer.n_params = 0;
    answer.client_auth = USHER_AUTH_BASIC;
    f.provider.common.client_secret.set = false;
    refused(ERR_MISCONFIGURED, "client_secret is not set");
    f.plugin.flags = USHER_PUBLIC_CLIENT;
    accepted();
    ck_assert_uint_eq(f.out.client_auth, USHER_AUTH_NONE);
}
END_TEST

/* Straight to the judge: in a leg, VERIFY comes after an exchange. */
static int judge_verify(void)
{
    fixture_leg(&f, NULL);
    return action_copy(f.leg, &answer, &f.out, &f.err);
}

START_TEST(verify_is_judged)
{
    static const char *const wrong[] = {"none", "HS256", "", "rs256", "RSA1_5"};
    const char *issuers[10] = {"https://idp.example", NULL};
    const char *algs[3] = {"ES256", NULL};
    struct usher_verify v = {
        .size = sizeof v, .issuers = issuers, .algs = algs, .jwks_uri = "https://keys.example/"};
    answer = (struct usher_action){.kind = USHER_VERIFY, .verify = &v};
    ck_assert_int_eq(judge_verify(), 0);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        algs[0] = wrong[i];
        ck_assert_int_eq(judge_verify(), -1);
    }
    algs[0] = NULL; /* an empty list allows nothing */
    ck_assert_int_eq(judge_verify(), -1);
    v.algs = NULL;
    ck_assert_int_eq(judge_verify(), 0);
    for (int i = 0; i < 9; i++)
        issuers[i] = "https://idp.example";
    ck_assert_int_eq(judge_verify(), -1);
    issuers[0] = NULL;
    ck_assert_int_eq(judge_verify(), -1);
    issuers[0] = "https://idp.example";
    issuers[1] = NULL;
    v.nonce = 5;
    ck_assert_int_eq(judge_verify(), -1);
    v.nonce = USHER_NONCE_IF_PRESENT;
    v.jwks_uri = "http://keys.example/";
    ck_assert_int_eq(judge_verify(), -1);
    answer.verify = NULL;
    ck_assert_int_eq(judge_verify(), -1);
}
END_TEST

/* ---- identities -------------------------------------------------------------------------------
 */

START_TEST(subjects_are_judged)
{
    char *long_subject = huge("");
    char most[USHER_SUBJECT_MAX + 2];
    memset(most, 's', sizeof most - 1);
    most[sizeof most - 1] = 0;
    const char *const bad[] = {NULL, "", "a\nb", "a\x7f", "\xff\xfe", most, long_subject};
    struct usher_identity id = {.size = sizeof id};
    answer = (struct usher_action){.kind = USHER_DONE, .identity = &id};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        id.subject = bad[i];
        refused(ERR_UPSTREAM_BAD, "subject");
    }
    free(long_subject);
    most[USHER_SUBJECT_MAX] = 0;
    id.subject = most;
    accepted();
    id.size = 8;
    refused(ERR_INTERNAL, "says not who it is");
}
END_TEST

START_TEST(the_rest_is_dropped_or_cleaned)
{
    struct usher_identity id = {.size = sizeof id,
                                .subject = "1",
                                .email = "ada@example.com",
                                .email_evidence = USHER_EVIDENCE_AUTHORITATIVE,
                                .name = "  Ada \x1b[1m\xe2\x80\xae Lovelace\r\n",
                                .username = "\n",
                                .picture = "https://cdn.example/a.png",
                                .locale = "en-GB",
                                .auth_time = 1};
    answer = (struct usher_action){.kind = USHER_DONE, .identity = &id};
    accepted();
    ck_assert_str_eq(f.out.identity->email, "ada@example.com");
    ck_assert_uint_eq(f.out.identity->email_evidence, USHER_EVIDENCE_AUTHORITATIVE);
    ck_assert_ptr_null(strpbrk(f.out.identity->name, "\r\n\x1b"));
    ck_assert_ptr_null(strstr(f.out.identity->name, "\xe2\x80\xae"));
    ck_assert_int_eq(f.out.identity->auth_time, 1);

    static const char *const emails[] = {
        "ada", "@b", "a@", "a@b@c", "a b@c.d", "a@b\r\nBcc: c", "<a@b.c>", "a@b.c,d@e.f", ""};
    for (size_t i = 0; i < sizeof emails / sizeof *emails; i++) {
        id.email = emails[i];
        accepted();
        ck_assert_ptr_null(f.out.identity->email);
        ck_assert_uint_eq(f.out.identity->email_evidence, USHER_EVIDENCE_NONE);
    }
    /* ACCT-20: nothing that is no https address, nor a long one, is kept for a page to show */
    char *endless = mem_alloc(1 << 20);
    memset(endless, 'a', (1 << 20) - 1);
    memcpy(endless, "https://", 8);
    const char *const pictures[] = {"data:text/html,<script>",
                                    "data:image/svg+xml,<svg/>",
                                    "http://169.254.169.254/",
                                    "//a.example/b",
                                    endless,
                                    "javascript:alert(1)"};
    for (size_t i = 0; i < sizeof pictures / sizeof *pictures; i++) {
        id.picture = pictures[i];
        accepted();
        ck_assert_ptr_null(f.out.identity->picture);
    }
    free(endless);
    id.email = "ada@example.com";
    id.email_evidence = 55;
    id.locale = "<en>";
    id.auth_time = INT64_MAX;
    accepted();
    ck_assert_uint_eq(f.out.identity->email_evidence, USHER_EVIDENCE_NONE);
    ck_assert_ptr_null(f.out.identity->picture);
    ck_assert_ptr_null(f.out.identity->locale);
    ck_assert_int_eq(f.out.identity->auth_time, 0);
}
END_TEST

START_TEST(groups_are_all_or_nothing)
{
    static const char *many[ACTION_GROUPS_MAX + 2];
    const char *few[] = {"admins", "caf\xc3\xa9", NULL};
    const char *bad[] = {"admins", "a\nb", NULL};
    const char *amr[] = {"mfa", "\n", "pwd", NULL};
    struct usher_identity id = {.size = sizeof id, .subject = "1", .groups = few, .amr = amr};
    answer = (struct usher_action){.kind = USHER_DONE, .identity = &id};
    accepted();
    ck_assert_str_eq(f.out.identity->groups[1], "caf\xc3\xa9");
    ck_assert_ptr_null(f.out.identity->groups[2]);
    ck_assert_str_eq(f.out.identity->amr[1], "pwd");
    ck_assert_ptr_null(f.out.identity->amr[2]);
    id.groups = bad;
    refused(ERR_UPSTREAM_BAD, "a group's name");
    for (size_t i = 0; i <= ACTION_GROUPS_MAX; i++)
        many[i] = "g";
    id.groups = many;
    refused(ERR_UPSTREAM_BAD, "more than 512 groups");
    many[ACTION_GROUPS_MAX] = NULL;
    accepted();
}
END_TEST

Suite *suite_action(void)
{
    Suite *s = suite_create("action");
    TCase *tc = tcase_create("action");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, nothing_and_nonsense);
    tcase_add_test(tc, fail_texts_are_cleaned);
    tcase_add_test(tc, urls_are_judged);
    tcase_add_test(tc, redirect_parameters_are_judged);
    tcase_add_test(tc, redirect_words_are_judged);
    tcase_add_test(tc, secrets_go_to_declared_origins_only);
    tcase_add_test(tc, headers_cannot_be_smuggled);
    tcase_add_test(tc, client_authentication_is_judged);
    tcase_add_test(tc, verify_is_judged);
    tcase_add_test(tc, subjects_are_judged);
    tcase_add_test(tc, the_rest_is_dropped_or_cleaned);
    tcase_add_test(tc, groups_are_all_or_nothing);
    suite_add_tcase(s, tc);
    return s;
}
