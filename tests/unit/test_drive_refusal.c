/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "drive_fixture.h"

Suite *suite_drive_refusal(void);

#define JSON "application/json"
#define GOOD "{\"access_token\":\"t0k\",\"token_type\":\"Bearer\"}"
#define WRONG "{\"error\":\"invalid_client\"}"

static uint32_t auth;
static struct usher_param param;
static struct slots *slots;
static unsigned told;
static enum provider_slot told_from, told_to;

static void step(struct usher_call *c, const struct usher_event *ev, struct usher_action *act)
{
    (void)c;
    if (ev->kind == USHER_CALLBACK) {
        drive_fixture_exchange(act);
        act->client_auth = auth;
        act->params = &param;
        act->n_params = param.size > 0;
    } else if (ev->tokens->ok) {
        drive_fixture_done(act);
    } else {
        act->kind = USHER_FAIL;
        act->fail = USHER_EXPIRED;
        act->fail_text = "the plugin's word";
    }
}

static void on_fell_over(void *arg, enum provider_slot from, enum provider_slot to)
{
    (void)arg;
    told++;
    told_from = from;
    told_to = to;
}

static void put(const char *key, const char *value)
{
    conf_secrets_set(dfx.secrets, key, secret_new(value, strlen(value)));
}

static void setup(void)
{
    drive_fixture_open(step);
    auth = USHER_AUTH_BASIC;
    param = (struct usher_param){.size = 0};
    slots = slots_new();
    told = 0;
    dfx.args.slots = slots;
    dfx.args.fell_over = on_fell_over;
}

static void teardown(void)
{
    drive_fixture_close();
    slots_free(&slots);
}

static void ask(const char *basic)
{
    drive_free(&dfx.drive);
    dfx.n_asked = 0;
    dfx.subject = NULL;
    drive_fixture_finish("code=c0de");
    ck_assert_uint_eq(dfx.n_asked, 1);
    ck_assert_str_eq(dfx.asked[0].basic, basic);
}

START_TEST(another_secret_with_the_same_code)
{
    put("client_secret_next", "n3xt");
    dfx.flow.pkce_sent = true;
    ask("app:s3cret");
    drive_fixture_answer(0, 401, JSON, WRONG);
    ck_assert_uint_eq(dfx.n_asked, 2);
    ck_assert_str_eq(dfx.asked[1].basic, "app:n3xt");
    ck_assert_ptr_nonnull(strstr(dfx.asked[1].form, "code=c0de&"));
    ck_assert_ptr_nonnull(strstr(dfx.asked[1].form, "code_verifier="));
    ck_assert_str_eq(dfx.asked[0].form, dfx.asked[1].form); /* the verifier, too */
    ck_assert_uint_eq(told, 0);
    drive_fixture_answer(1, 200, JSON, GOOD);
    ck_assert_str_eq(dfx.subject, "42");
    ck_assert_uint_eq(told, 1);
    ck_assert_int_eq(told_from, PROVIDER_ACTIVE);
    ck_assert_int_eq(told_to, PROVIDER_NEXT);

    ask("app:n3xt"); /* it is remembered; a success is no news */
    drive_fixture_answer(0, 200, JSON, GOOD);
    ck_assert_uint_eq(told, 1);

    ask("app:n3xt"); /* and back */
    drive_fixture_answer(0, 400, JSON, WRONG);
    ck_assert_str_eq(dfx.asked[1].basic, "app:s3cret");
    drive_fixture_answer(1, 200, JSON, GOOD);
    ck_assert_uint_eq(told, 2);
    ck_assert_int_eq(told_from, PROVIDER_NEXT);
    ck_assert_int_eq(told_to, PROVIDER_ACTIVE);
}
END_TEST

START_TEST(in_the_body_and_by_reference)
{
    put("client_secret_next", "n3xt");
    auth = USHER_AUTH_POST;
    drive_fixture_finish("code=c0de");
    ck_assert_ptr_nonnull(strstr(dfx.asked[0].form, "client_secret=s3cret&"));
    drive_fixture_answer(0, 401, JSON, WRONG);
    ck_assert_ptr_nonnull(strstr(dfx.asked[1].form, "client_secret=n3xt&"));
    ck_assert_ptr_null(strstr(dfx.asked[1].form, "s3cret"));
    drive_fixture_answer(1, 200, JSON, GOOD);
    ck_assert_str_eq(dfx.subject, "42");

    slots_free(&slots);
    dfx.args.slots = slots = slots_new();
    auth = USHER_AUTH_PARAMS;
    param = (struct usher_param){
        .size = sizeof param, .name = "key", .kind = USHER_VALUE_SETTING, .text = "client_secret"};
    dfx.n_asked = 0;
    drive_fixture_finish("code=c0de");
    ck_assert_ptr_nonnull(strstr(dfx.asked[0].form, "key=s3cret&"));
    drive_fixture_answer(0, 401, JSON, WRONG);
    ck_assert_ptr_nonnull(strstr(dfx.asked[1].form, "key=n3xt&"));
    drive_fixture_answer(1, 200, JSON, GOOD);
    ck_assert_str_eq(dfx.subject, "42");
}
END_TEST

/* Whether an answer to the first secret makes the second have its turn. */
static bool falls_over(int status, const char *type, const char *body)
{
    ask("app:s3cret");
    drive_fixture_answer(0, status, type, body);
    return dfx.n_asked == 2;
}

START_TEST(what_is_a_refusal_of_the_client)
{
    put("client_secret_next", "n3xt");
    ck_assert(falls_over(400, JSON, WRONG));
    ck_assert(falls_over(200, JSON, "{\"error\":\"incorrect_client_credentials\"}"));
    ck_assert(falls_over(200, JSON, "{\"ok\":false,\"error\":\"bad_client_secret\"}"));
    ck_assert(falls_over(401, JSON, "{\"error\":\"unauthorized_client\"}"));
    ck_assert(falls_over(401, JSON, "{}"));
    ck_assert(falls_over(401, "text/html", "<h1>no</h1>"));
    ck_assert(falls_over(401, "", ""));

    ck_assert(!falls_over(400, JSON, "{\"error\":\"unauthorized_client\"}"));
    ck_assert(!falls_over(400, JSON, "{\"error\":\"invalid_grant\"}"));
    ck_assert(!falls_over(401, JSON, "{\"error\":\"invalid_grant\"}"));
    ck_assert(!falls_over(403, JSON, "{}"));
    ck_assert(!falls_over(500, JSON, WRONG));
    ck_assert(!falls_over(429, JSON, WRONG));
    ck_assert(!falls_over(200, JSON, "{}"));
    ck_assert(!falls_over(200, "text/html", "invalid_client"));
    ck_assert(!falls_over(200, JSON, GOOD));
    ask("app:s3cret");
    drive_fixture_transport(0, USHER_TRANSPORT_TIMEOUT);
    ck_assert_uint_eq(dfx.n_asked, 1);
    ck_assert_uint_eq(told, 0);
}
END_TEST

START_TEST(when_all_are_refused)
{
    put("client_secret_next", "n3xt");
    put("client_secret_retiring", "0ld");
    ask("app:s3cret");
    drive_fixture_answer(0, 401, JSON, WRONG);
    drive_fixture_answer(1, 401, JSON, WRONG);
    ck_assert_str_eq(dfx.asked[2].basic, "app:0ld");
    drive_fixture_answer(2, 401, JSON, WRONG);
    ck_assert_uint_eq(dfx.n_asked, 3);
    ck_assert_int_eq(dfx.err.kind, ERR_MISCONFIGURED);
    ck_assert_ptr_nonnull(strstr(dfx.err.text, "each of its client secrets: active next retiring"));
    ck_assert_uint_eq(told, 0);
    ask("app:s3cret"); /* nothing was learnt */
    drive_free(&dfx.drive);
}
END_TEST

START_TEST(one_secret_is_the_plugins_to_explain)
{
    ask("app:s3cret");
    drive_fixture_answer(0, 401, JSON, WRONG);
    ck_assert_uint_eq(dfx.n_asked, 1);
    ck_assert_int_eq(dfx.err.kind, ERR_EXPIRED);
    ck_assert_ptr_nonnull(strstr(dfx.err.text, "the plugin's word"));
    put("client_secret_next", "s3cret"); /* the same bytes are the same secret */
    ask("app:s3cret");
    drive_fixture_answer(0, 401, JSON, WRONG);
    ck_assert_uint_eq(dfx.n_asked, 1);
}
END_TEST

/* Some upstreams use the code up before they look at the client: that one login is lost, but what
 * was learnt from it is not. */
START_TEST(the_code_was_used_up_by_the_first_try)
{
    put("client_secret_next", "n3xt");
    ask("app:s3cret");
    drive_fixture_answer(0, 401, JSON, WRONG);
    drive_fixture_answer(1, 400, JSON, "{\"error\":\"invalid_grant\"}");
    ck_assert_int_eq(dfx.err.kind, ERR_EXPIRED);
    ck_assert_uint_eq(told, 1);
    ask("app:n3xt");
    drive_fixture_answer(0, 200, JSON, GOOD);
    ck_assert_str_eq(dfx.subject, "42");
}
END_TEST

START_TEST(no_answer_to_the_second_try_proves_nothing)
{
    put("client_secret_next", "n3xt");
    ask("app:s3cret");
    drive_fixture_answer(0, 401, JSON, WRONG);
    drive_fixture_transport(1, USHER_TRANSPORT_TIMEOUT);
    ck_assert_int_eq(dfx.err.kind, ERR_UPSTREAM_DOWN);
    ask("app:s3cret");
    drive_fixture_answer(0, 401, JSON, WRONG);
    drive_fixture_answer(1, 503, JSON, "{}");
    ck_assert_int_eq(dfx.err.kind, ERR_UPSTREAM_DOWN);
    ck_assert_uint_eq(told, 0);
}
END_TEST

START_TEST(one_slot_and_no_other)
{
    static const enum provider_slot next = PROVIDER_NEXT;
    put("client_secret_next", "n3xt");
    dfx.args.only_slot = &next;
    ask("app:n3xt");
    drive_fixture_answer(0, 401, JSON, WRONG);
    ck_assert_uint_eq(dfx.n_asked, 1);
    ck_assert_int_eq(dfx.err.kind, ERR_EXPIRED);
}
END_TEST

/* A public client or a signed assertion has no secret that another could replace. */
START_TEST(where_no_secret_was_sent)
{
    put("client_secret_next", "n3xt");
    auth = USHER_AUTH_NONE;
    drive_fixture_finish("code=c0de");
    drive_fixture_answer(0, 401, JSON, WRONG);
    ck_assert_uint_eq(dfx.n_asked, 1);
    ck_assert_int_eq(dfx.err.kind, ERR_EXPIRED);
}
END_TEST

/* Many logins on the way when the upstream switches: all of them get there, one tells. */
START_TEST(many_at_once_tell_once)
{
    enum { N = 8 };
    struct drive *drives[N];
    put("client_secret_next", "n3xt");
    dfx.n_asked = 0;
    for (int i = 0; i < N / 2; i++) {
        drive_fixture_finish("code=c0de");
        drives[i] = dfx.drive;
        dfx.drive = NULL;
    }
    for (size_t i = 0; i < N / 2; i++)
        drive_fixture_answer(i, 401, JSON, WRONG);
    ck_assert_uint_eq(dfx.n_asked, N);
    for (size_t i = N / 2; i < N; i++) {
        dfx.ends = 0;
        drive_fixture_answer(i, 200, JSON, GOOD);
        ck_assert_uint_eq(dfx.ends, 1);
        ck_assert_str_eq(dfx.subject, "42");
    }
    ck_assert_uint_eq(told, 1);
    for (int i = 0; i < N / 2; i++)
        drive_free(&drives[i]);
}
END_TEST

START_TEST(a_callback_url_nobody_registered)
{
    static const char *const bodies[] = {
        "{\"error\":\"redirect_uri_mismatch\"}",
        "{\"error\":\"invalid_request\",\"error_description\":\"Bad Redirect_URI, evil\"}",
        "{\"error\":\"invalid_grant\",\"error_description\":\"Invalid \\\"redirect_uri\\\" in "
        "request.\"}",
        "{\"error\":\"invalid_request\",\"error_description\":\"the callback URL is unknown\"}",
    };
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        ask("app:s3cret");
        drive_fixture_answer(0, 400, JSON, bodies[i]);
        ck_assert_int_eq(dfx.err.kind, ERR_MISCONFIGURED);
        ck_assert_ptr_nonnull(
            strstr(dfx.err.text, "register exactly https://usher.test/callback/test there"));
        ck_assert_ptr_null(strstr(dfx.err.text, "evil"));
    }
    static const char *const others[] = {
        "{\"error\":\"invalid_grant\"}",
        "{\"error\":\"invalid_scope\",\"error_description\":\"redirect_uri\"}",
        "{\"error\":\"invalid_grant\",\"error_description\":\"The provided authorization grant is "
        "invalid, expired, revoked, does not match the redirect URI used in the authorization "
        "request, or was issued to another client.\"}",
    };
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        ask("app:s3cret");
        drive_fixture_answer(0, 400, JSON, others[i]);
        ck_assert_int_eq(dfx.err.kind, ERR_EXPIRED);
    }
}
END_TEST

Suite *suite_drive_refusal(void)
{
    Suite *s = suite_create("drive_refusal");
    TCase *tc = tcase_create("drive_refusal");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, another_secret_with_the_same_code);
    tcase_add_test(tc, in_the_body_and_by_reference);
    tcase_add_test(tc, what_is_a_refusal_of_the_client);
    tcase_add_test(tc, when_all_are_refused);
    tcase_add_test(tc, one_secret_is_the_plugins_to_explain);
    tcase_add_test(tc, the_code_was_used_up_by_the_first_try);
    tcase_add_test(tc, no_answer_to_the_second_try_proves_nothing);
    tcase_add_test(tc, one_slot_and_no_other);
    tcase_add_test(tc, where_no_secret_was_sent);
    tcase_add_test(tc, many_at_once_tell_once);
    tcase_add_test(tc, a_callback_url_nobody_registered);
    suite_add_tcase(s, tc);
    return s;
}
