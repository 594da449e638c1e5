/* SPDX-License-Identifier: Apache-2.0 */
#include "web/admin_view.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define NOW 1700000000

static struct arena *a;
static struct jval *in, *out;

static void setup(void)
{
    a = arena_new();
}

static void teardown(void)
{
    jval_free(&in);
    jval_free(&out);
    arena_free(&a);
}

static const struct jval *given(const char *json)
{
    struct err err = ERR_INIT;
    jval_free(&in);
    in = jval_parse(str_of(json), JSON_SIZE_MAX, 16, &err);
    ck_assert_msg(in != NULL, "%s", err.text);
    return in;
}

static void expect(const char *pointer, const char *want)
{
    const char *is = jval_text(jval_at(out, pointer));
    ck_assert_msg(is != NULL, "%s", pointer);
    ck_assert_str_eq(is, want);
}

START_TEST(times_are_ages)
{
    static const struct {
        int64_t seconds;
        const char *text;
    } rows[] = {
        {0, "just now"},
        {-59, "just now"},
        {-60, "1 minute ago"},
        {-7200, "2 hours ago"},
        {-86400, "1 day ago"},
        {-59 * 86400, "59 days ago"},
        {-60 * 86400, "2 months ago"},
        {-800 * 86400, "2 years ago"},
        {30, "in a moment"},
        {3600, "in 1 hour"},
        {40 * 86400, "in 40 days"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        ck_assert_str_eq(view_ago(NOW + rows[i].seconds, NOW, a), rows[i].text);
    out = view_when(NOW - 60, NOW, a);
    expect("/iso", "2023-11-14T22:12:20.000Z");
    expect("/text", "2023-11-14 22:12:20 UTC");
    expect("/ago", "1 minute ago");
    jval_free(&out);
    out = view_when(-1, NOW, a);
    ck_assert_int_eq(jval_type(out), JVAL_NULL);
}
END_TEST

START_TEST(any_value_is_a_list)
{
    out = jval_new_array();
    view_flatten(given("{\"user\":{\"roles\":[\"a\",7],\"none\":{},\"ok\":true},\"x\":null}"), out,
                 a);
    ck_assert_uint_eq(jval_count(out), 5);
    expect("/0/name", "user.roles.0");
    expect("/0/value", "a");
    expect("/1/value", "7");
    expect("/2/name", "user.none");
    expect("/2/value", "nothing");
    expect("/3/value", "true");
    expect("/4/value", "nothing");
    view_flatten(NULL, out, a);
    ck_assert_uint_eq(jval_count(out), 5);
}
END_TEST

/* Deep and wide values end. */
START_TEST(values_without_end)
{
    struct buf b;
    buf_init(&b, 64 * 1024);
    buf_text(&b, "[[[[[[[[[[[1]]]]]]]]]]");
    for (int i = 0; i < 1000; i++)
        buf_text(&b, ",1");
    buf_text(&b, "]");
    out = jval_new_array();
    view_flatten(given(b.p), out, a);
    ck_assert_uint_eq(jval_count(out), 400);
    expect("/0/name", ".0.0.0.0.0.0.0.0");
    expect("/0/value", "…");
    buf_deinit(&b);
}
END_TEST

START_TEST(settings_have_labels)
{
    struct err err = ERR_INIT;
    struct jval *rows =
        jval_parse(STR("[{\"key\":\"plugin\"},{\"key\":\"team\",\"label\":\"Team\"},"
                       "{\"key\":\"on\",\"label\":\"\"},{\"key\":\"list\",\"label\":"
                       "\"List\"},{\"key\":\"not\"}]"),
                   4096, 4, &err);
    ck_assert_ptr_nonnull(rows);
    out = view_settings(
        given("{\"plugin\":\"x\",\"list\":[\"a\",\"b\"],\"team\":\"crew\",\"on\":false,"
              "\"not\":null,\"unknown\":\"y\"}"),
        rows);
    ck_assert_uint_eq(jval_count(out), 3);
    expect("/0/label", "Team");
    expect("/0/value", "crew");
    expect("/1/label", "on");
    expect("/1/value", "no");
    expect("/2/value", "a b");
    jval_free(&rows);
}
END_TEST

START_TEST(findings_are_words)
{
    out = jval_new_object();
    view_findings(
        given("{\"ok\":false,\"findings\":[{\"check\":\"x\",\"result\":\"fail\",\"text\":"
              "\"T\",\"advice\":\"A\"},{\"result\":\"ok\",\"text\":\"U\",\"advice\":null}]}"),
        out);
    expect("/findings/0/word", "Wrong");
    expect("/findings/0/tone", "bad");
    expect("/findings/0/advice", "A");
    expect("/findings/1/word", "Good");
    expect("/findings/1/advice", "");
    bool ok = true;
    ck_assert(jval_bool(jval_at(out, "/ok"), &ok) && !ok);
}
END_TEST

Suite *suite_admin_view(void);
Suite *suite_admin_view(void)
{
    Suite *s = suite_create("admin_view");
    TCase *tc = tcase_create("admin_view");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, times_are_ages);
    tcase_add_test(tc, any_value_is_a_list);
    tcase_add_test(tc, values_without_end);
    tcase_add_test(tc, settings_have_labels);
    tcase_add_test(tc, findings_are_words);
    suite_add_tcase(s, tc);
    return s;
}
