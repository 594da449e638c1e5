/* SPDX-License-Identifier: Apache-2.0 */
#include "web/limit.h"

#include <check.h>
#include <netinet/in.h>
#include <stdio.h>

#include "base/arena.h"
#include "net/origin.h"
#include "sys/random.h"
#include "web_fixture.h"

static struct limits *limits;
static struct metrics *metrics;
static struct mono now = {1000};

static void setup(void)
{
    const struct limit_rates rates = {.of = {[LIMIT_LOGIN] = {60, 3}, [LIMIT_API] = {6000, 10}},
                                      .provider = {60, 5}};
    metrics = metrics_new();
    limits = limits_new(metrics);
    limits_set(limits, &rates);
}

static void teardown(void)
{
    limits_free(&limits);
    ck_assert_ptr_null(limits);
    metrics_free(&metrics);
}

static int64_t ask(enum limit_class class, const char *from)
{
    struct sockaddr_storage sa;
    ck_assert(origin_parse(from, &sa));
    return limits_take(limits, class, (const struct sockaddr *)&sa, now);
}

static void pass(int64_t ms)
{
    now.ns += ms * 1000000;
}

START_TEST(a_bucket_empties_and_fills)
{
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(ask(LIMIT_LOGIN, "192.0.2.1"), 0);
    ck_assert_int_eq(ask(LIMIT_LOGIN, "192.0.2.1"), 1);
    pass(999);
    ck_assert_int_eq(ask(LIMIT_LOGIN, "192.0.2.1"), 1);
    pass(1);
    ck_assert_int_eq(ask(LIMIT_LOGIN, "192.0.2.1"), 0); /* being refused cost nothing */
    ck_assert_int_eq(ask(LIMIT_LOGIN, "192.0.2.1"), 1);
    pass(3600 * 1000); /* an hour later there are three, not 3,600 */
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(ask(LIMIT_LOGIN, "192.0.2.1"), 0);
    ck_assert_int_eq(ask(LIMIT_LOGIN, "192.0.2.1"), 1);
}
END_TEST

START_TEST(the_wait_is_told_in_whole_seconds)
{
    const struct limit_rates rates = {.of = {[LIMIT_LOGIN] = {1, 1}}};
    limits_set(limits, &rates);
    ck_assert_int_eq(ask(LIMIT_LOGIN, "192.0.2.1"), 0);
    ck_assert_int_eq(ask(LIMIT_LOGIN, "192.0.2.1"), 60);
    pass(500);
    ck_assert_int_eq(ask(LIMIT_LOGIN, "192.0.2.1"), 60); /* never told too little */
    pass(59499);
    ck_assert_int_eq(ask(LIMIT_LOGIN, "192.0.2.1"), 1);
    pass(1);
    ck_assert_int_eq(ask(LIMIT_LOGIN, "192.0.2.1"), 0);
}
END_TEST

/* DOS-08: what one customer can vary is not another customer. */
static const struct {
    const char *first, *second;
    bool same;
} neighbours[] = {
    {"192.0.2.1", "192.0.2.1", true},
    {"192.0.2.1", "192.0.2.2", false},
    {"2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff", true},
    {"2001:db8:1:2::1", "2001:DB8:1:2::9", true},
    {"2001:db8:1:2::1", "2001:db8:1:3::1", false},
    {"192.0.2.1", "::ffff:192.0.2.1", true},
    {"::ffff:192.0.2.1", "::ffff:192.0.2.2", false},
    {"::1", "::2", true},
};

START_TEST(ipv6_counts_by_64)
{
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(ask(LIMIT_LOGIN, neighbours[_i].first), 0);
    ck_assert_int_eq(ask(LIMIT_LOGIN, neighbours[_i].second) > 0, neighbours[_i].same);
}
END_TEST

START_TEST(classes_have_buckets_of_their_own)
{
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(ask(LIMIT_LOGIN, "192.0.2.1"), 0);
    ck_assert_int_gt(ask(LIMIT_LOGIN, "192.0.2.1"), 0);
    ck_assert_int_eq(ask(LIMIT_API, "192.0.2.1"), 0);
    for (int i = 0; i < 1000; i++) /* no rate: no limit */
        ck_assert_int_eq(ask(LIMIT_CALLBACK, "192.0.2.1"), 0);
    ck_assert_int_eq(ask(LIMIT_NONE, "192.0.2.1"), 0);
    ck_assert_int_eq(ask((enum limit_class)99, "192.0.2.1"), 0);
}
END_TEST

START_TEST(providers_count_for_all)
{
    for (int i = 0; i < 5; i++)
        ck_assert_int_eq(limits_take_provider(limits, "discord", now), 0);
    ck_assert_int_eq(limits_take_provider(limits, "discord", now), 1);
    ck_assert_int_eq(limits_take_provider(limits, "google", now), 0);
}
END_TEST

START_TEST(new_rates_begin_afresh_and_old_ones_go_on)
{
    struct limit_rates rates = {.of = {[LIMIT_LOGIN] = {60, 3}, [LIMIT_API] = {6000, 10}},
                                .provider = {60, 5}};
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(ask(LIMIT_LOGIN, "192.0.2.1"), 0);
    limits_set(limits, &rates); /* a reload that changes something else */
    ck_assert_int_gt(ask(LIMIT_LOGIN, "192.0.2.1"), 0);
    rates.of[LIMIT_LOGIN].burst = 4;
    limits_set(limits, &rates);
    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(ask(LIMIT_LOGIN, "192.0.2.1"), 0);
    ck_assert_int_gt(ask(LIMIT_LOGIN, "192.0.2.1"), 0);
    rates.of[LIMIT_LOGIN].per_minute = 0;
    limits_set(limits, &rates);
    for (int i = 0; i < 10; i++)
        ck_assert_int_eq(ask(LIMIT_LOGIN, "192.0.2.1"), 0);
}
END_TEST

/* A million addresses that ask once do not free the one that asks too often. */
START_TEST(a_crowd_does_not_push_out_who_is_held_back)
{
    struct sockaddr_storage sa;
    ck_assert(origin_parse("2001:db8::", &sa));
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)(void *)&sa;
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(ask(LIMIT_LOGIN, "192.0.2.1"), 0);
    for (uint32_t i = 0; i < 1000000; i++) {
        memcpy(v6->sin6_addr.s6_addr + 4, &i, sizeof i);
        ck_assert_int_eq(limits_take(limits, LIMIT_LOGIN, (const struct sockaddr *)&sa, now), 0);
    }
    ck_assert_int_eq(ask(LIMIT_LOGIN, "192.0.2.1"), 1);
}
END_TEST

/* ---- in front of the handlers ---- */

static void web_limits(int64_t login, int64_t callback, int64_t api, int64_t provider)
{
    const struct limit_rates rates = {
        .of =
            {[LIMIT_LOGIN] = {login, 2}, [LIMIT_CALLBACK] = {callback, 2}, [LIMIT_API] = {api, 2}},
        .provider = {provider, 2}};
    web_fixture_open();
    wfx.app.limits = limits_new(lfx.metrics);
    limits_set(wfx.app.limits, &rates);
    serve_set_before(wfx.serve, web_before);
}

static void web_close(void)
{
    limits_free(&wfx.app.limits);
    web_fixture_close();
}

static int64_t limited(const char *class)
{
    static const struct metric metric = {
        .name = "usher_limited_total", .type = METRIC_COUNTER, .labels = {"class"}};
    return metric_value(metrics_series(lfx.metrics, &metric, class, NULL, NULL));
}

#define FROM(address) "X-Forwarded-For: " address "\r\n"

/* A flood of bogus callbacks makes no upstream call and writes nothing, answered or sent away. */
START_TEST(a_flood_of_callbacks_costs_nobody_else_anything)
{
    unsigned sent_away = 0;
    web_limits(0, 1, 0, 0);
    web_start("");
    const int64_t rows = login_fixture_sql("SELECT (SELECT count(*) FROM spent) + "
                                           "(SELECT count(*) FROM session)");
    for (int i = 0; i < 200; i++) {
        const int status = web_get("/callback/toy?state=AAAA&code=bogus", FROM("192.0.2.1"));
        ck_assert_int_eq(status, i < 2 ? 400 : 429);
        sent_away += status == 429;
    }
    ck_assert_uint_eq(sent_away, 198);
    const char *wait = web_header("Retry-After");
    ck_assert_ptr_nonnull(wait);
    ck_assert_str_eq(wait, "60");
    ck_assert(web_says("Wait a moment"));
    ck_assert_str_eq(web_header("Cache-Control"), "no-store");
    ck_assert_uint_eq(lfx.token_requests, 0);
    ck_assert_uint_eq(lfx.n_waiting, 0); /* no request of any kind */
    ck_assert_int_eq(login_fixture_sql("SELECT (SELECT count(*) FROM spent) + "
                                       "(SELECT count(*) FROM session)"),
                     rows);
    ck_assert_int_eq(limited("callback"), 198);
    ck_assert_int_eq(web_get("/callback/toy?state=AAAA&code=bogus", FROM("192.0.2.2")), 400);
    web_close();
}
END_TEST

/* DOS-08: what a client writes down itself is not where it comes from. */
START_TEST(the_address_is_the_real_one)
{
    char line[96];
    web_limits(1, 0, 0, 0);
    for (int i = 0; i < 5; i++) {
        snprintf(line, sizeof line, "X-Forwarded-For: 198.51.100.%d, 192.0.2.1\r\n", i);
        ck_assert_int_eq(web_get("/login/toy", line), i < 2 ? 303 : 429);
    }
    for (int i = 0; i < 5; i++) /* a proxy that does not say for whom: nobody is held back */
        ck_assert_int_eq(web_get("/login/toy", ""), 303);
    web_close();
}
END_TEST

START_TEST(json_for_programs_pages_for_people)
{
    web_limits(1, 1, 1, 0);
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(web_get("/api/v1/status", FROM("192.0.2.1")), 401);
    ck_assert_int_eq(web_get("/api/v1/status", FROM("192.0.2.1")), 429);
    ck_assert_ptr_nonnull(web_header("Retry-After"));
    ck_assert_str_eq(web_header("Content-Type"), "application/json");
    ck_assert(web_says("\"kind\":\"limited\""));
    ck_assert_int_eq(limited("api"), 1);
    /* Checks of sessions are never limited, nor is what everybody may see. */
    for (int i = 0; i < 20; i++) {
        ck_assert_int_eq(web_get("/auth", FROM("192.0.2.1")), 401);
        ck_assert_int_eq(web_get("/api/v1/me", FROM("192.0.2.1")), 401);
        ck_assert_int_eq(web_get("/login", FROM("192.0.2.1")), 200);
    }
    web_close();
}
END_TEST

START_TEST(a_provider_has_a_limit_for_all_together)
{
    web_limits(0, 0, 0, 1);
    ck_assert_int_eq(web_get("/login/toy", FROM("192.0.2.1")), 303);
    ck_assert_int_eq(web_get("/login/toy", FROM("192.0.2.2")), 303);
    ck_assert_int_eq(web_get("/login/toy", FROM("192.0.2.3")), 429);
    ck_assert_int_eq(web_get("/callback/toy?state=AAAA&code=c", FROM("192.0.2.3")), 429);
    ck_assert_int_eq(limited("provider"), 2);
    for (int i = 0; i < 5; i++) /* there is no such provider, and no bucket for it */
        ck_assert_int_eq(web_get("/login/nobody", FROM("192.0.2.3")), 404);
    web_close();
}
END_TEST

/* Whoever is held back by its own limit does not use up what all share. */
START_TEST(one_address_does_not_use_up_a_provider)
{
    const struct limit_rates rates = {.of = {[LIMIT_LOGIN] = {1, 1}}, .provider = {1, 3}};
    web_limits(0, 0, 0, 0);
    limits_set(wfx.app.limits, &rates);
    for (int i = 0; i < 10; i++)
        ck_assert_int_eq(web_get("/login/toy", FROM("192.0.2.1")), i == 0 ? 303 : 429);
    ck_assert_int_eq(web_get("/login/toy", FROM("192.0.2.2")), 303);
    ck_assert_int_eq(web_get("/login/toy", FROM("192.0.2.3")), 303);
    web_close();
}
END_TEST

Suite *suite_limit(void);
Suite *suite_limit(void)
{
    Suite *s = suite_create("limit");
    TCase *t = tcase_create("limit");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, a_bucket_empties_and_fills);
    tcase_add_test(t, the_wait_is_told_in_whole_seconds);
    tcase_add_loop_test(t, ipv6_counts_by_64, 0, sizeof neighbours / sizeof *neighbours);
    tcase_add_test(t, classes_have_buckets_of_their_own);
    tcase_add_test(t, providers_count_for_all);
    tcase_add_test(t, new_rates_begin_afresh_and_old_ones_go_on);
    tcase_add_test(t, a_crowd_does_not_push_out_who_is_held_back);
    suite_add_tcase(s, t);
    t = tcase_create("web");
    tcase_add_test(t, a_flood_of_callbacks_costs_nobody_else_anything);
    tcase_add_test(t, the_address_is_the_real_one);
    tcase_add_test(t, json_for_programs_pages_for_people);
    tcase_add_test(t, a_provider_has_a_limit_for_all_together);
    tcase_add_test(t, one_address_does_not_use_up_a_provider);
    suite_add_tcase(s, t);
    return s;
}
