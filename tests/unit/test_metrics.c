/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "sys/metrics.h"

static struct metrics *metrics;
static struct buf out;

static void setup(void)
{
    metrics = metrics_new();
    buf_init(&out, 1 << 20);
}

static void teardown(void)
{
    buf_deinit(&out);
    metrics_free(&metrics);
    ck_assert_ptr_null(metrics);
}

static const struct metric logins = {
    .name = "usher_logins_total",
    .help = "Logins by outcome.\nSee \\docs.",
    .type = METRIC_COUNTER,
    .labels = {"provider", "outcome"},
};
static const struct metric flows = {.name = "usher_flows", .help = "Open.", .type = METRIC_GAUGE};
static const double two_bounds[] = {0.5, 2, 0};
static const struct metric upstream = {
    .name = "usher_upstream_seconds",
    .help = "Upstream latency.",
    .type = METRIC_HISTOGRAM,
    .labels = {"provider"},
    .bounds = two_bounds,
};

START_TEST(renders_text_format)
{
    metric_add(metrics_series(metrics, &logins, "discord", "done", "ignored"), 2);
    metric_add(metrics_series(metrics, &logins, "a\"\\\nb", NULL, NULL), 1);
    metric_set(metrics_series(metrics, &flows, NULL, NULL, NULL), -3);
    struct metric_series *h = metrics_series(metrics, &upstream, "google", NULL, NULL);
    metric_observe(h, 0.5); /* a bound belongs to its bucket */
    metric_observe(h, 1.25);
    metric_observe(h, 9);
    metrics_render(metrics, &out);
    ck_assert(buf_ok(&out));
    ck_assert_str_eq(out.p, "# HELP usher_logins_total Logins by outcome.\\nSee \\\\docs.\n"
                            "# TYPE usher_logins_total counter\n"
                            "usher_logins_total{provider=\"discord\",outcome=\"done\"} 2\n"
                            "usher_logins_total{provider=\"a\\\"\\\\\xef\xbf\xbd"
                            "b\",outcome=\"\"} 1\n"
                            "# HELP usher_flows Open.\n"
                            "# TYPE usher_flows gauge\n"
                            "usher_flows -3\n"
                            "# HELP usher_upstream_seconds Upstream latency.\n"
                            "# TYPE usher_upstream_seconds histogram\n"
                            "usher_upstream_seconds_bucket{provider=\"google\",le=\"0.5\"} 1\n"
                            "usher_upstream_seconds_bucket{provider=\"google\",le=\"2\"} 2\n"
                            "usher_upstream_seconds_bucket{provider=\"google\",le=\"+Inf\"} 3\n"
                            "usher_upstream_seconds_sum{provider=\"google\"} 10.750000000\n"
                            "usher_upstream_seconds_count{provider=\"google\"} 3\n");
    ck_assert_int_eq(metric_value(h), 3);
}
END_TEST

START_TEST(the_same_labels_are_the_same_series)
{
    struct metric again = logins; /* as if another file had it too */
    struct metric_series *a = metrics_series(metrics, &logins, "x", "y", NULL);
    ck_assert_ptr_eq(a, metrics_series(metrics, &logins, "x", "y", "z"));
    ck_assert_ptr_eq(a, metrics_series(metrics, &again, "x", "y", NULL));
    ck_assert_ptr_ne(a, metrics_series(metrics, &logins, "x", "", NULL));
    metric_add(a, 5);
    metric_add(a, -2); /* a counter only goes up */
    ck_assert_int_eq(metric_value(a), 5);
    struct metric_series *g = metrics_series(metrics, &flows, NULL, NULL, NULL);
    metric_add(g, 5);
    metric_add(g, -2);
    ck_assert_int_eq(metric_value(g), 3);
}
END_TEST

START_TEST(series_are_bounded_and_fold_into_other)
{
    char value[32];
    struct metric_series *folded = NULL;
    for (int i = 0; i < 5000; i++) {
        snprintf(value, sizeof value, "attacker-%d", i);
        struct metric_series *s = metrics_series(metrics, &logins, value, "done", NULL);
        metric_add(s, 1);
        if (i >= 400) {
            ck_assert(!folded || folded == s);
            folded = s;
        }
    }
    ck_assert_int_eq(metric_value(folded), 4600);
    metrics_render(metrics, &out);
    ck_assert_ptr_nonnull(strstr(out.p, "{provider=\"other\",outcome=\"other\"} 4600\n"));
    size_t lines = 0;
    for (const char *p = out.p; (p = strchr(p, '\n')); p++)
        lines++;
    ck_assert_uint_eq(lines, 2 + 401);
    /* Known ones stay their own. */
    ck_assert_int_eq(metric_value(metrics_series(metrics, &logins, "attacker-7", "done", NULL)), 1);
}
END_TEST

START_TEST(odd_observations_do_not_poison_the_sum)
{
    struct metric_series *h = metrics_series(metrics, &upstream, "x", NULL, NULL);
    metric_observe(h, -1);
    metric_observe(h, (double)NAN);
    metric_observe(h, (double)INFINITY);
    metrics_render(metrics, &out);
    ck_assert_ptr_nonnull(strstr(out.p, "le=\"0.5\"} 2\n"));
    ck_assert_ptr_nonnull(strstr(out.p, "_sum{provider=\"x\"} 1000000.000000000\n"));
    ck_assert_ptr_nonnull(strstr(out.p, "_count{provider=\"x\"} 3\n"));
    /* The wrong kind of update does nothing. */
    metric_observe(metrics_series(metrics, &flows, NULL, NULL, NULL), 1);
    ck_assert_int_eq(metric_value(metrics_series(metrics, &flows, NULL, NULL, NULL)), 0);
}
END_TEST

START_TEST(long_values_are_cut_and_output_keeps_its_limit)
{
    char value[1000];
    memset(value, 'v', sizeof value - 1);
    value[sizeof value - 1] = 0;
    metric_add(metrics_series(metrics, &upstream, value, NULL, NULL), 1);
    metrics_render(metrics, &out);
    ck_assert(buf_ok(&out));
    ck_assert_uint_lt(out.n, 1200);
    struct buf small;
    buf_init(&small, 64);
    metrics_render(metrics, &small);
    ck_assert(!buf_ok(&small));
    buf_deinit(&small);
}
END_TEST

#define ROUNDS 20000
static void *hammer(void *arg)
{
    const char *name = arg;
    struct metric_series *mine = metrics_series(metrics, &logins, name, "done", NULL);
    for (int i = 0; i < ROUNDS; i++) {
        metric_add(mine, 1);
        metric_add(metrics_series(metrics, &logins, "shared", "done", NULL), 1);
        metric_observe(metrics_series(metrics, &upstream, "shared", NULL, NULL), 0.001);
    }
    return NULL;
}

START_TEST(updates_come_from_any_thread)
{
    pthread_t threads[2];
    char names[2][2] = {"a", "b"};
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, hammer, names[i]), 0);
    for (int i = 0; i < 20; i++) {
        buf_clear(&out);
        metrics_render(metrics, &out);
    }
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    ck_assert_int_eq(metric_value(metrics_series(metrics, &logins, "a", "done", NULL)), ROUNDS);
    ck_assert_int_eq(metric_value(metrics_series(metrics, &logins, "shared", "done", NULL)),
                     2 * ROUNDS);
    ck_assert_int_eq(metric_value(metrics_series(metrics, &upstream, "shared", NULL, NULL)),
                     2 * ROUNDS);
}
END_TEST

START_TEST(latency_bounds_rise)
{
    size_t i = 1;
    for (; metrics_latency_bounds[i] > 0; i++)
        ck_assert(metrics_latency_bounds[i] > metrics_latency_bounds[i - 1]);
    ck_assert_uint_ge(i, 8);
}
END_TEST

Suite *suite_metrics(void);
Suite *suite_metrics(void)
{
    Suite *s = suite_create("metrics");
    TCase *t = tcase_create("metrics");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, renders_text_format);
    tcase_add_test(t, the_same_labels_are_the_same_series);
    tcase_add_test(t, series_are_bounded_and_fold_into_other);
    tcase_add_test(t, odd_observations_do_not_poison_the_sum);
    tcase_add_test(t, long_values_are_cut_and_output_keeps_its_limit);
    tcase_add_test(t, updates_come_from_any_thread);
    tcase_add_test(t, latency_bounds_rise);
    suite_add_tcase(s, t);
    return s;
}
