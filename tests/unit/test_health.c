/* SPDX-License-Identifier: Apache-2.0 */
#include "admin/health.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

Suite *suite_health(void);

#define DAY 86400
#define NOW (INT64_C(20000) * DAY + 100)

static struct health *h;
static char said[8000];

static void setup(void)
{
    h = health_new();
}

static void teardown(void)
{
    health_free(&h);
}

static void fails(const char *provider, enum err_kind kind, const char *text, int64_t now)
{
    struct err err = ERR_INIT;
    err_set(&err, kind, "%s", text);
    health_note(h, provider, &err, now);
}

static const char *of(const char *provider, int64_t now)
{
    struct jval *v = health_json(h, provider, now);
    struct buf b;
    buf_init(&b, sizeof said - 1);
    jval_render(v, &b);
    memcpy(said, b.p, b.n + 1);
    buf_deinit(&b);
    jval_free(&v);
    return said;
}

START_TEST(it_begins_with_nothing)
{
    ck_assert_str_eq(of("a", NOW), "{\"state\":\"unknown\",\"last_success\":null,"
                                   "\"signed_in_today\":0,\"failed_today\":0,\"failures\":[]}");
}
END_TEST

START_TEST(the_latest_counts)
{
    health_note(h, "a", NULL, NOW);
    ck_assert_ptr_nonnull(strstr(of("a", NOW), "\"state\":\"ok\""));
    fails("a", ERR_UPSTREAM_DOWN, "no answer", NOW);
    ck_assert_ptr_nonnull(strstr(of("a", NOW), "\"state\":\"failing\""));
    fails("a", ERR_UPSTREAM_DOWN, "no answer", NOW + 2);
    fails("a", ERR_MISCONFIGURED, "wrong secret", NOW + 3);
    ck_assert_str_eq(of("a", NOW + 3),
                     "{\"state\":\"failing\",\"last_success\":1728000100,\"signed_in_today\":1,"
                     "\"failed_today\":3,\"failures\":[{\"kind\":\"misconfigured\",\"text\":"
                     "\"wrong secret\",\"count\":1,\"last\":1728000103},{\"kind\":"
                     "\"upstream_down\",\"text\":\"no answer\",\"count\":2,\"last\":1728000102}]}");
    health_note(h, "a", NULL, NOW + 4);
    ck_assert_ptr_nonnull(strstr(of("a", NOW + 4), "\"state\":\"ok\""));
    ck_assert_ptr_nonnull(strstr(of("b", NOW), "unknown"));
}
END_TEST

/* Somebody who changed their mind says nothing about the provider. */
START_TEST(what_people_do_does_not_count)
{
    static const enum err_kind theirs[] = {ERR_DENIED,  ERR_NOT_ALLOWED, ERR_EXPIRED,
                                           ERR_INVALID, ERR_NOT_FOUND,   ERR_LIMITED};
    for (size_t i = 0; i < sizeof theirs / sizeof *theirs; i++)
        fails("a", theirs[i], "x", NOW);
    ck_assert_ptr_nonnull(strstr(of("a", NOW), "unknown"));
}
END_TEST

START_TEST(days_begin_at_midnight)
{
    health_note(h, "a", NULL, NOW);
    health_note(h, "b", NULL, NOW);
    fails("b", ERR_INTERNAL, "x", NOW);
    ck_assert_int_eq(health_today(h, NULL, NOW).signed_in, 2);
    ck_assert_int_eq(health_today(h, NULL, NOW).failed, 1);
    ck_assert_int_eq(health_today(h, "a", NOW).signed_in, 1);
    ck_assert_int_eq(health_today(h, NULL, NOW + DAY).signed_in, 0);
    health_note(h, "a", NULL, NOW + DAY);
    ck_assert_int_eq(health_today(h, NULL, NOW + DAY).signed_in, 1);
    ck_assert_ptr_nonnull(strstr(of("b", NOW + DAY), "\"failed_today\":0,\"failures\":[{"));
}
END_TEST

START_TEST(it_is_bounded)
{
    char id[16], text[32];
    for (int i = 0; i < 50; i++) {
        snprintf(text, sizeof text, "failure %d", i);
        fails("a", ERR_INTERNAL, text, NOW + i);
    }
    of("a", NOW);
    ck_assert_ptr_nonnull(strstr(said, "failure 49"));
    ck_assert_ptr_nonnull(strstr(said, "failure 42"));
    ck_assert_ptr_null(strstr(said, "failure 41"));
    for (int i = 0; i < 1000; i++) {
        snprintf(id, sizeof id, "p%d", i);
        health_note(h, id, NULL, NOW);
    }
    ck_assert_int_eq(health_today(h, NULL, NOW).signed_in, 256);
    ck_assert_ptr_nonnull(strstr(of("a", NOW), "unknown"));
    ck_assert_ptr_nonnull(strstr(of("p999", NOW), "ok"));
    health_note(h, "an-id-that-is-longer-than-any-provider's-id", NULL, NOW);
    ck_assert_int_eq(health_today(h, NULL, NOW).signed_in, 256);
}
END_TEST

Suite *suite_health(void)
{
    Suite *s = suite_create("health");
    TCase *tc = tcase_create("health");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, it_begins_with_nothing);
    tcase_add_test(tc, the_latest_counts);
    tcase_add_test(tc, what_people_do_does_not_count);
    tcase_add_test(tc, days_begin_at_midnight);
    tcase_add_test(tc, it_is_bounded);
    suite_add_tcase(s, tc);
    return s;
}
