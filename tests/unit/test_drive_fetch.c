/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "drive_fixture.h"

Suite *suite_drive_fetch(void);

#define JSON "application/json"
#define ISSUER FIXTURE_ORIGIN

/* A second leg that fetches what a test says, looks at the answers, and is done. */
static struct usher_request requests[USHER_REQUESTS_MAX];
static size_t n_requests;
static struct usher_param bearer;
static struct usher_response seen[USHER_REQUESTS_MAX];
static char seen_text[USHER_REQUESTS_MAX][100];
static const char *then_url; /* fetched with the token after the first answers */

static void look(struct usher_call *c, const struct usher_event *ev)
{
    for (size_t i = 0; i < ev->n_responses; i++) {
        seen[i] = ev->responses[i];
        const char *text = c->host->json_text(c, seen[i].json, "/a");
        snprintf(seen_text[i], sizeof seen_text[i], "%s", text ? text : "");
    }
}

static void step(struct usher_call *c, const struct usher_event *ev, struct usher_action *act)
{
    if (ev->kind == USHER_CALLBACK) {
        drive_fixture_exchange(act);
        return;
    }
    if (ev->kind == USHER_RESPONSES) {
        look(c, ev);
        if (!then_url) {
            drive_fixture_done(act);
            return;
        }
        requests[0] = (struct usher_request){
            .size = sizeof *requests, .url = then_url, .headers = &bearer, .n_headers = 1};
        n_requests = 1;
        then_url = NULL;
    }
    act->kind = USHER_FETCH;
    act->requests = requests;
    act->n_requests = n_requests;
}

static void setup(void)
{
    drive_fixture_open(step);
    bearer = (struct usher_param){.size = sizeof bearer,
                                  .name = "authorization",
                                  .kind = USHER_VALUE_ACCESS_TOKEN,
                                  .text = "Bearer "};
    n_requests = 0;
    then_url = NULL;
}

static struct usher_request *request(const char *url)
{
    struct usher_request *rq = &requests[n_requests++];
    *rq = (struct usher_request){.size = sizeof *rq, .url = url};
    return rq;
}

/* Request 0 is the token request, answered here; the plugin's begin at 1. */
static void fetch(void)
{
    dfx.n_asked = 0;
    drive_fixture_finish("code=c0de");
    drive_fixture_answer(0, 200, JSON, "{\"access_token\":\"t0k\",\"token_type\":\"Bearer\"}");
}

START_TEST(parallel_requests_keep_their_order)
{
    request(FIXTURE_ORIGIN "/one")->headers = &bearer;
    requests[0].n_headers = 1;
    request("https://open.example/two");
    request("https://open.example/three");
    fetch();
    ck_assert_uint_eq(dfx.n_asked, 4);
    ck_assert_ptr_nonnull(strstr(dfx.asked[1].headers, "authorization: Bearer t0k\n"));
    ck_assert_ptr_nonnull(strstr(dfx.asked[1].headers, "accept: application/json\n"));
    ck_assert_ptr_null(strstr(dfx.asked[2].headers, "t0k"));
    drive_fixture_answer(3, 200, JSON, "{\"a\":\"three\"}");
    drive_fixture_answer(1, 404, JSON, "{\"a\":\"one\"}");
    ck_assert_uint_eq(dfx.ends, 0);
    drive_fixture_answer(2, 200, "text/plain", "two");
    ck_assert_str_eq(dfx.subject, "42");
    ck_assert_str_eq(seen_text[0], "one");
    ck_assert_int_eq(seen[0].status, 404);
    ck_assert_str_eq(seen_text[1], "");
    ck_assert_uint_eq(seen[1].body_len, 3);
    ck_assert_str_eq(seen_text[2], "three");
}
END_TEST

/* CB-34: every answer reaches the plugin, also one that is none. */
START_TEST(transport_reaches_the_plugin)
{
    request(FIXTURE_ORIGIN "/me");
    for (uint32_t t = USHER_TRANSPORT_TIMEOUT; t <= USHER_TRANSPORT_LIMITED; t++) {
        fetch();
        drive_fixture_transport(1, t);
        ck_assert_uint_eq(seen[0].transport, t);
        ck_assert_ptr_null(seen[0].json);
    }
    fetch();
    drive_fixture_answer(1, 429, JSON, "{\"a\":\"slow\"}");
    ck_assert_int_eq(seen[0].status, 429);
    ck_assert_str_eq(seen_text[0], "slow");
}
END_TEST

/* CB-27: JSON by its type, unless the plugin says otherwise. */
START_TEST(cb_27_json_by_type)
{
    static const struct {
        const char *type;
        bool json;
    } cases[] = {
        {"application/json", true},
        {"application/json; charset=utf-8", true},
        {"application/json; charset=utf-16", false},
        {"application/scim+json", true},
        {"text/javascript", false},
        {"text/json", false},
        {"image/svg+json", false},
        {"", false},
    };
    request(FIXTURE_ORIGIN "/me");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        fetch();
        drive_fixture_answer(1, 200, cases[i].type, "{\"a\":\"b\"}");
        ck_assert_msg(!seen[0].json != cases[i].json, "%s", cases[i].type);
    }
    requests[0].flags = USHER_ANY_CONTENT_TYPE;
    fetch();
    drive_fixture_answer(1, 200, "text/javascript", "{\"a\":\"b\"}");
    ck_assert_str_eq(seen_text[0], "b");
}
END_TEST

START_TEST(secrets_go_to_declared_origins_only)
{
    request("https://elsewhere.example/me")->headers = &bearer;
    requests[0].n_headers = 1;
    fetch();
    ck_assert_uint_eq(dfx.n_asked, 1);
    ck_assert_int_eq(dfx.err.kind, ERR_MISCONFIGURED);
}
END_TEST

START_TEST(forms_are_posted)
{
    static const struct usher_param form[] = {
        {.size = sizeof *form, .name = "q", .text = "x"},
        {.size = sizeof *form, .name = "s", .kind = USHER_VALUE_SETTING, .text = "client_secret"},
    };
    request(FIXTURE_ORIGIN "/api")->form = form;
    requests[0].n_form = 2;
    fetch();
    ck_assert_str_eq(dfx.asked[1].form, "q=x&s=s3cret&");
    drive_fixture_answer(1, 200, JSON, "{}");
}
END_TEST

START_TEST(shared_answers_come_through_the_cache)
{
    request("https://open.example/doc")->cache_seconds = 60;
    fetch();
    ck_assert(dfx.asked[1].cached && !dfx.asked[1].force);
    drive_fixture_answer(1, 200, JSON, "{\"a\":\"b\"}");
    ck_assert_str_eq(seen_text[0], "b");
}
END_TEST

/* What the cache has already is answered before the question returns. */
static const char *ready_body;
static unsigned n_ready;

static bool io_at_hand(void *ctx, const struct provider *p, const struct cache_request *rq,
                       fetch_done_fn *done, void *arg)
{
    (void)ctx, (void)p;
    if (!strstr(rq->url, "/ready"))
        return false;
    n_ready++;
    const struct fetch_result r = {.status = 200,
                                   .retry_after = -1,
                                   .content_type = JSON,
                                   .charset = "",
                                   .body = str_of(ready_body)};
    done(arg, &r);
    return true;
}

START_TEST(answers_at_hand_make_one_step)
{
    dfx.io.at_hand = io_at_hand;
    ready_body = "{\"a\":\"b\"}";
    n_ready = 0;
    request("https://open.example/ready/1")->cache_seconds = 60;
    request("https://open.example/ready/2")->cache_seconds = 60;
    fetch();
    ck_assert_uint_eq(n_ready, 2);
    ck_assert_uint_eq(dfx.n_asked, 1); /* the token request */
    ck_assert_uint_eq(dfx.ends, 1);
    ck_assert_str_eq(dfx.subject, "42");
    ck_assert_str_eq(seen_text[0], "b");
    ck_assert_str_eq(seen_text[1], "b");
}
END_TEST

START_TEST(answers_at_hand_wait_for_the_others)
{
    dfx.io.at_hand = io_at_hand;
    ready_body = "{\"a\":\"b\"}";
    request("https://open.example/ready")->cache_seconds = 60;
    request("https://open.example/other")->cache_seconds = 60;
    then_url = FIXTURE_ORIGIN "/me"; /* from within a step that nobody waited for */
    fetch();
    ck_assert_uint_eq(dfx.n_asked, 2);
    ck_assert_uint_eq(dfx.ends, 0);
    drive_fixture_answer(1, 200, JSON, "{\"a\":\"c\"}");
    ck_assert_str_eq(seen_text[0], "b");
    ck_assert_str_eq(seen_text[1], "c");
    ck_assert_uint_eq(dfx.n_asked, 3);
    drive_fixture_answer(2, 200, JSON, "{\"a\":\"me\"}");
    ck_assert_uint_eq(dfx.ends, 1);
    ck_assert_str_eq(dfx.subject, "42");
}
END_TEST

/* ---- issuer metadata */

/* The end comes from inside the request for the document. */
START_TEST(metadata_at_hand_of_another_issuer)
{
    dfx.io.at_hand = io_at_hand;
    ready_body = "{\"issuer\":\"https://evil.example\"}";
    request(FIXTURE_ORIGIN "/ready")->metadata_issuer = ISSUER;
    requests[0].cache_seconds = 60;
    fetch();
    ck_assert_uint_eq(dfx.ends, 1);
    ck_assert_int_eq(dfx.err.kind, ERR_MISCONFIGURED);
}
END_TEST

static enum err_kind metadata(const char *body)
{
    n_requests = 0;
    request(FIXTURE_ORIGIN "/.well-known/openid-configuration")->metadata_issuer = ISSUER;
    requests[0].cache_seconds = 60;
    fetch();
    drive_fixture_answer(1, 200, JSON, body);
    return dfx.err.kind;
}

/* CB-37: the document must be of exactly the configured issuer. */
START_TEST(cb_37_issuer_mismatch)
{
    ck_assert_int_eq(metadata("{\"issuer\":\"" ISSUER "\"}"), ERR_NONE);
    ck_assert_int_eq(metadata("{\"issuer\":\"" ISSUER "/\"}"), ERR_MISCONFIGURED);
    ck_assert_int_eq(metadata("{\"issuer\":\"https://OP.example\"}"), ERR_MISCONFIGURED);
    ck_assert_int_eq(metadata("{\"issuer\":\"https://evil.example\"}"), ERR_MISCONFIGURED);
    ck_assert_ptr_null(strstr(dfx.err.text, "evil"));
    ck_assert_int_eq(metadata("{}"), ERR_UPSTREAM_BAD);
    ck_assert_int_eq(metadata("{\"issuer\":[\"" ISSUER "\"]}"), ERR_UPSTREAM_BAD);
    ck_assert_int_eq(metadata("[]"), ERR_UPSTREAM_BAD);
}
END_TEST

/* CB-38: endpoints that nothing may be sent to. */
START_TEST(cb_38_endpoints)
{
    static const char *const bad[] = {"\"http://op.example/token\"",
                                      "\"https://u:p@op.example/token\"",
                                      "\"op.example/token\"",
                                      "\"https://op.example\\\\@evil.example/\"",
                                      "\"\"",
                                      "7",
                                      "{}",
                                      "\"http://127.0.0.1/t\""};
    char body[300];
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        snprintf(body, sizeof body, "{\"issuer\":\"" ISSUER "\",\"token_endpoint\":%s}", bad[i]);
        ck_assert_int_eq(metadata(body), ERR_UPSTREAM_BAD);
    }
    ck_assert_int_eq(metadata("{\"issuer\":\"" ISSUER "\",\"token_endpoint\":null}"), ERR_NONE);
}
END_TEST

/* CB-39 in part: what the metadata names is declared, what it does not name stays refused. */
START_TEST(metadata_declares_origins)
{
    static const char doc[] =
        "{\"issuer\":\"" ISSUER "\",\"userinfo_endpoint\":\"https://api.op.example/me\"}";
    then_url = "https://api.op.example/me";
    ck_assert_int_eq(metadata(doc), ERR_NONE);
    ck_assert_uint_eq(dfx.n_asked, 3);
    drive_fixture_answer(2, 200, JSON, "{}");
    ck_assert_str_eq(dfx.subject, "42");
    then_url = "https://api2.op.example/me";
    ck_assert_int_eq(metadata(doc), ERR_MISCONFIGURED);
    ck_assert_uint_eq(dfx.n_asked, 2);
}
END_TEST

Suite *suite_drive_fetch(void)
{
    Suite *s = suite_create("drive_fetch");
    TCase *tc = tcase_create("drive_fetch");
    tcase_add_checked_fixture(tc, setup, drive_fixture_close);
    tcase_add_test(tc, parallel_requests_keep_their_order);
    tcase_add_test(tc, transport_reaches_the_plugin);
    tcase_add_test(tc, cb_27_json_by_type);
    tcase_add_test(tc, secrets_go_to_declared_origins_only);
    tcase_add_test(tc, forms_are_posted);
    tcase_add_test(tc, shared_answers_come_through_the_cache);
    tcase_add_test(tc, answers_at_hand_make_one_step);
    tcase_add_test(tc, answers_at_hand_wait_for_the_others);
    tcase_add_test(tc, metadata_at_hand_of_another_issuer);
    tcase_add_test(tc, cb_37_issuer_mismatch);
    tcase_add_test(tc, cb_38_endpoints);
    tcase_add_test(tc, metadata_declares_origins);
    suite_add_tcase(s, tc);
    return s;
}
