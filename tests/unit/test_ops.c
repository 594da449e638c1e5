/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "web_fixture.h"

static struct secret *token;

static void setup(void)
{
    web_fixture_open();
    token = secret_new("metrics-token-0123", 18);
    wfx.app.metrics_token = token;
}

static void teardown(void)
{
    web_fixture_close();
    secret_free(&token);
}

START_TEST(alive_and_ready)
{
    ck_assert_int_eq(web_get("/healthz", "Host: 10.0.0.1:8080\r\n"), 200);
    ck_assert_str_eq(wfx.a.body, "ok\n");
    ck_assert_int_eq(web_get("/readyz", "Host: 10.0.0.1:8080\r\n"), 200);
    wfx.app.ready = false;
    ck_assert_int_eq(web_get("/readyz", ""), 503);
    ck_assert_str_eq(wfx.a.body, "stopping\n");
    ck_assert_int_eq(web_get("/healthz", ""), 200);
}
END_TEST

/* HTTP-18 */
START_TEST(figures_are_for_those_with_the_token)
{
    static const char *const no[] = {
        "",
        "Authorization: metrics-token-0123\r\n",
        "Authorization: Bearer\r\n",
        "Authorization: Bearer \r\n",
        "Authorization: Bearer %\r\n",
        "Authorization: Bearer metrics-token-012\r\n",
        "Authorization: Bearer metrics-token-01234\r\n",
        "Authorization: Bearer metrics-token-0123 b\r\n",
        "Authorization: Basic bWV0cmljcw\r\n",
        "Authorization: Negotiate\r\n",
        "Cookie: token=metrics-token-0123\r\n",
    };
    for (size_t i = 0; i < sizeof no / sizeof *no; i++) {
        ck_assert_int_eq(web_get("/metrics", no[i]), 401);
        ck_assert_str_eq(web_header("WWW-Authenticate"), "Bearer realm=\"usher metrics\"");
        ck_assert(!web_says("usher_"));
    }
    ck_assert_int_eq(web_get("/metrics", "Authorization: Bearer metrics-token-0123\r\n"
                                         "Authorization: Bearer metrics-token-0123\r\n"),
                     400);
    ck_assert_int_eq(web_get("/metrics?token=metrics-token-0123", ""), 401);
    ck_assert_int_eq(web_get("/metrics", "Authorization: bEaReR metrics-token-0123\r\n"), 200);
}
END_TEST

/* PRIV-10 */
START_TEST(figures)
{
    web_sign_in();
    web_get("/nobody-has-this-path", "");
    ck_assert_int_eq(web_get("/metrics", "Authorization: Bearer metrics-token-0123\r\n"), 200);
    ck_assert_str_eq(web_header("Content-Type"), "text/plain; version=0.0.4; charset=utf-8");
    static const char *const there[] = {
        "usher_sessions 1\n",
        "usher_logins_in_flight 0\n",
        "usher_logins_total{provider=\"toy\",outcome=\"done\"} 1\n",
        "usher_http_requests_total{route=\"/callback/*\",status=\"3xx\"} 1\n",
        "usher_store_failures 0\n",
        "usher_log_dropped ",
    };
    for (size_t i = 0; i < sizeof there / sizeof *there; i++)
        ck_assert_msg(web_says(there[i]), "%s", there[i]);
    ck_assert(!web_says("ada@example.org"));
    ck_assert(!web_says("1234"));
    ck_assert(!web_says("nobody-has-this-path"));
}
END_TEST

START_TEST(no_token_no_figures)
{
    wfx.app.metrics_token = NULL;
    ck_assert_int_eq(web_get("/metrics", ""), 401);
    ck_assert_int_eq(web_get("/metrics", "Authorization: Bearer \r\n"), 401);
    ck_assert_int_eq(web_get("/metrics", "Authorization: Bearer metrics-token-0123\r\n"), 401);
}
END_TEST

Suite *suite_ops(void);
Suite *suite_ops(void)
{
    Suite *s = suite_create("ops");
    TCase *tc = tcase_create("ops");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, alive_and_ready);
    tcase_add_test(tc, figures_are_for_those_with_the_token);
    tcase_add_test(tc, figures);
    tcase_add_test(tc, no_token_no_figures);
    suite_add_tcase(s, tc);
    return s;
}
