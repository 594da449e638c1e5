/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "drive_fixture.h"

Suite *suite_drive_renew(void);

#define JSON "application/json"
#define GOOD                                                                                       \
    "{\"access_token\":\"t0k2\",\"token_type\":\"Bearer\",\"expires_in\":60,"                      \
    "\"scope\":\"a b\",\"refresh_token\":\"again2\"}"

/* What the plugin answers to START, and to everything after. */
static enum { EXCHANGE, FETCH, DONE, REDIRECT } first;
static const char *subject;
static const char *no_groups[] = {NULL};
static struct usher_start told;
static char told_subject[64];

/* What `obtained` was told, and whether the leg was over by then. */
static unsigned obtained;
static bool over;
static char got[200];

static void on_obtained(void *arg, const struct drive_tokens *t)
{
    (void)arg;
    obtained++;
    over = dfx.ends > 0;
    snprintf(got, sizeof got, "%s %s %s %lld", secret_reveal(t->access).p,
             t->refresh ? secret_reveal(t->refresh).p : "-", t->scope, (long long)t->expires_in);
}

static void fetch(struct usher_call *c, struct usher_action *act)
{
    struct usher_param *header = c->host->alloc(c, sizeof *header);
    struct usher_request *rq = c->host->alloc(c, sizeof *rq);
    *header = (struct usher_param){.size = sizeof *header,
                                   .name = "Authorization",
                                   .kind = USHER_VALUE_ACCESS_TOKEN,
                                   .text = "Bearer "};
    *rq = (struct usher_request){
        .size = sizeof *rq, .url = FIXTURE_ORIGIN "/me", .headers = header, .n_headers = 1};
    act->kind = USHER_FETCH;
    act->requests = rq;
    act->n_requests = 1;
}

static void done(struct usher_call *c, struct usher_action *act)
{
    struct usher_identity *id = c->host->alloc(c, sizeof *id);
    act->kind = USHER_DONE;
    *id = (struct usher_identity){.size = sizeof *id, .subject = subject, .groups = no_groups};
    act->identity = c->flow == USHER_FLOW_REFRESH ? NULL : id;
}

static void step(struct usher_call *c, const struct usher_event *ev, struct usher_action *act)
{
    if (ev->kind == USHER_START && ev->start->flow != USHER_FLOW_LOGIN) {
        told = *ev->start;
        snprintf(told_subject, sizeof told_subject, "%s", told.subject);
    }
    if (ev->kind == USHER_TOKENS && !ev->tokens->ok) {
        act->kind = USHER_FAIL;
        act->fail = USHER_EXPIRED;
        act->fail_text = "refused";
    } else if (ev->kind == USHER_CALLBACK || (ev->kind == USHER_START && first == EXCHANGE)) {
        drive_fixture_exchange(act);
    } else if (ev->kind == USHER_START && first == REDIRECT) {
        drive_fixture_redirect(act);
    } else if ((ev->kind == USHER_START && first == FETCH) ||
               (ev->kind == USHER_TOKENS && c->flow == USHER_FLOW_RECHECK)) {
        fetch(c, act);
    } else {
        done(c, act);
    }
}

static void setup(void)
{
    drive_fixture_open(step);
    dfx.args.obtained = on_obtained;
    first = EXCHANGE;
    subject = "42";
    obtained = 0;
    over = false;
}

static void renew(enum usher_flow flow, const char *access, const char *refresh)
{
    struct secret *a = access ? secret_new(access, strlen(access)) : NULL;
    struct secret *r = refresh ? secret_new(refresh, strlen(refresh)) : NULL;
    drive_fixture_renew(&(struct drive_renewal){flow, "42", a, r});
    secret_free(&a);
    secret_free(&r);
}

START_TEST(a_refresh_sends_the_refresh_token)
{
    renew(USHER_FLOW_REFRESH, NULL, "again");
    ck_assert_str_eq(dfx.asked[0].url, FIXTURE_ORIGIN "/token");
    ck_assert_str_eq(dfx.asked[0].form, "grant_type=refresh_token&refresh_token=again&");
    ck_assert_str_eq(dfx.asked[0].basic, "app:s3cret");
    ck_assert_uint_eq(told.flow, USHER_FLOW_REFRESH);
    ck_assert_str_eq(told_subject, "42");
    ck_assert(told.has_refresh_token && !told.has_access_token);
    drive_fixture_answer(0, 200, JSON, GOOD);
    ck_assert_str_eq(dfx.subject, "42");
    ck_assert_uint_eq(obtained, 1);
    ck_assert_str_eq(got, "t0k2 again2 a b 60");
    struct drive_tokens t;
    ck_assert(drive_get_tokens(dfx.drive, &t));
    ck_assert_str_eq(secret_reveal(t.refresh).p, "again2");
}
END_TEST

START_TEST(tokens_are_told_before_the_leg_goes_on)
{
    renew(USHER_FLOW_RECHECK, NULL, "again");
    drive_fixture_answer(0, 200, JSON, GOOD);
    ck_assert_uint_eq(obtained, 1);
    ck_assert(!over);
    ck_assert_uint_eq(dfx.ends, 0);
    ck_assert_ptr_nonnull(strstr(dfx.asked[1].headers, "Authorization: Bearer t0k2\n"));
    drive_fixture_answer(1, 200, JSON, "{}");
    ck_assert_str_eq(dfx.subject, "42");
}
END_TEST

START_TEST(a_recheck_uses_the_access_token)
{
    first = FETCH;
    renew(USHER_FLOW_RECHECK, "t0k", NULL);
    ck_assert(told.has_access_token && !told.has_refresh_token);
    ck_assert_ptr_nonnull(strstr(dfx.asked[0].headers, "Authorization: Bearer t0k\n"));
    drive_fixture_answer(0, 200, JSON, "{}");
    ck_assert_str_eq(dfx.subject, "42");
    ck_assert_uint_eq(obtained, 0);
    struct drive_tokens t;
    ck_assert(!drive_get_tokens(dfx.drive, &t));
}
END_TEST

START_TEST(one_persons_tokens_never_answer_for_another)
{
    first = FETCH;
    subject = "43";
    renew(USHER_FLOW_RECHECK, "t0k", NULL);
    drive_fixture_answer(0, 200, JSON, "{}");
    ck_assert_int_eq(dfx.err.kind, ERR_UPSTREAM_BAD);
}
END_TEST

START_TEST(a_refused_grant_obtains_nothing)
{
    renew(USHER_FLOW_REFRESH, NULL, "again");
    drive_fixture_answer(0, 400, JSON,
                         "{\"error\":\"invalid_grant\",\"error_description\":"
                         "\"redirect_uri of the grant does not fit\"}");
    ck_assert_int_eq(dfx.err.kind, ERR_EXPIRED); /* no callback URL is involved */
    ck_assert_uint_eq(obtained, 0);
}
END_TEST

static void refused(enum usher_flow flow, const char *access, const char *refresh)
{
    renew(flow, access, refresh);
    ck_assert_uint_eq(dfx.ends, 1);
    ck_assert_int_eq(dfx.err.kind, ERR_INTERNAL);
    ck_assert_uint_eq(dfx.n_asked, 0);
}

START_TEST(nothing_is_confirmed_without_the_upstream)
{
    first = DONE;
    refused(USHER_FLOW_REFRESH, "t0k", "again");
}
END_TEST

START_TEST(a_recheck_asks)
{
    first = DONE;
    refused(USHER_FLOW_RECHECK, "t0k", "again");
}
END_TEST

START_TEST(there_is_no_browser)
{
    first = REDIRECT;
    refused(USHER_FLOW_RECHECK, "t0k", "again");
}
END_TEST

START_TEST(no_refresh_token_no_exchange)
{
    refused(USHER_FLOW_REFRESH, "t0k", NULL);
}
END_TEST

START_TEST(no_access_token_no_fetch)
{
    first = FETCH;
    refused(USHER_FLOW_RECHECK, NULL, "again");
}
END_TEST

START_TEST(another_secret_is_tried_with_the_same_token)
{
    conf_secrets_set(dfx.secrets, "client_secret_next", secret_new("n3xt", 4));
    renew(USHER_FLOW_REFRESH, NULL, "again");
    drive_fixture_answer(0, 401, JSON, "{\"error\":\"invalid_client\"}");
    ck_assert_str_eq(dfx.asked[1].basic, "app:n3xt");
    ck_assert_str_eq(dfx.asked[1].form, "grant_type=refresh_token&refresh_token=again&");
    drive_fixture_answer(1, 200, JSON, GOOD);
    ck_assert_str_eq(dfx.subject, "42");
}
END_TEST

/* A sign-in takes the refresh token where the provider keeps tokens, and nowhere else. */
START_TEST(a_sign_in_takes_what_is_kept)
{
    struct drive_tokens t;
    drive_fixture_finish("code=c0de");
    drive_fixture_answer(0, 200, JSON, GOOD);
    ck_assert_str_eq(dfx.subject, "42");
    ck_assert(drive_get_tokens(dfx.drive, &t));
    ck_assert_ptr_null(t.refresh);
    dfx.provider.common.keep_tokens = true;
    dfx.n_asked = 0;
    drive_fixture_finish("code=c0de");
    drive_fixture_answer(0, 200, JSON, GOOD);
    ck_assert(drive_get_tokens(dfx.drive, &t));
    ck_assert_str_eq(secret_reveal(t.access).p, "t0k2");
    ck_assert_str_eq(secret_reveal(t.refresh).p, "again2");
    ck_assert_str_eq(t.scope, "a b");
    ck_assert_int_eq(t.expires_in, 60);
    ck_assert_uint_eq(obtained, 0); /* that is for renewals */
}
END_TEST

Suite *suite_drive_renew(void)
{
    Suite *s = suite_create("drive_renew");
    TCase *tc = tcase_create("drive_renew");
    tcase_add_checked_fixture(tc, setup, drive_fixture_close);
    tcase_add_test(tc, a_refresh_sends_the_refresh_token);
    tcase_add_test(tc, tokens_are_told_before_the_leg_goes_on);
    tcase_add_test(tc, a_recheck_uses_the_access_token);
    tcase_add_test(tc, one_persons_tokens_never_answer_for_another);
    tcase_add_test(tc, a_refused_grant_obtains_nothing);
    tcase_add_test(tc, nothing_is_confirmed_without_the_upstream);
    tcase_add_test(tc, a_recheck_asks);
    tcase_add_test(tc, there_is_no_browser);
    tcase_add_test(tc, no_refresh_token_no_exchange);
    tcase_add_test(tc, no_access_token_no_fetch);
    tcase_add_test(tc, another_secret_is_tried_with_the_same_token);
    tcase_add_test(tc, a_sign_in_takes_what_is_kept);
    suite_add_tcase(s, tc);
    return s;
}
