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
        ck_assert_str_eq(show_ago(NOW + rows[i].seconds, NOW, a), rows[i].text);
    out = show_when(NOW - 60, NOW, a);
    expect("/iso", "2023-11-14T22:12:20.000Z");
    expect("/text", "2023-11-14 22:12:20 UTC");
    expect("/ago", "1 minute ago");
    jval_free(&out);
    out = show_when(-1, NOW, a);
    ck_assert_int_eq(jval_type(out), JVAL_NULL);
}
END_TEST

START_TEST(days)
{
    static const struct {
        const char *text;
        int64_t last; /* second of it, -1: refused */
    } rows[] = {
        {"1970-01-01", 86399},      {"2000-02-29", 951868799}, {"2026-12-31", 1798761599},
        {"2100-03-01", 4107628799}, {"2026-02-29", -1},        {"2026-13-01", -1},
        {"2026-00-10", -1},         {"2026-01-00", -1},        {"2026-1-1", -1},
        {"1969-12-31", -1},         {"31.12.2026", -1},        {"2026-12-31 ", -1},
        {"+026-12-31", -1},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int64_t day = -1;
        ck_assert_int_eq(show_day(rows[i].text, &day), rows[i].last >= 0);
        ck_assert_int_eq(day, rows[i].last);
    }
    int64_t none = -1;
    ck_assert(show_day("", &none));
    ck_assert_int_eq(none, -1);
}
END_TEST

START_TEST(changes_are_what_differs)
{
    struct err err = ERR_INIT;
    struct jval *before =
        jval_parse(STR("{\"a\":\"1\",\"b\":\"same\",\"gone\":true}"), 4096, 4, &err);
    out = show_changes(before, given("{\"a\":\"2\",\"b\":\"same\",\"new\":{\"x\":3}}"), a);
    jval_free(&before);
    ck_assert_uint_eq(jval_count(out), 3);
    expect("/0/name", "a");
    expect("/0/before", "1");
    expect("/0/after", "2");
    expect("/1/name", "gone");
    ck_assert_int_eq(jval_type(jval_at(out, "/1/after")), JVAL_NULL);
    expect("/2/name", "new.x");
    expect("/2/after", "3");
    ck_assert_int_eq(jval_type(jval_at(out, "/2/before")), JVAL_NULL);
}
END_TEST

START_TEST(a_provider_is_a_word_and_a_tone)
{
    out = show_provider(given("{\"id\":\"x\",\"label\":\"X\",\"plugin\":\"p\",\"enabled\":true,"
                              "\"usable\":true,\"health\":{\"state\":\"failing\",\"last_success\":"
                              "1699999940,\"signed_in_today\":4,\"failed_today\":1},\"secrets\":{"
                              "\"client_secret\":{\"active\":{\"since\":1699913600,\"expires\":"
                              "1700864000},\"next\":null,\"using\":\"active\"}}}"),
                        NOW, a);
    expect("/state", "Failing");
    expect("/state_tone", "warn");
    expect("/success/ago", "1 minute ago");
    expect("/secret", "set 1 day ago");
    expect("/secret_note", "expires in 10 days");
    expect("/secret_tone", "warn");
    jval_free(&out);
    out = show_provider(given("{\"id\":\"x\",\"enabled\":true,\"usable\":false,\"reason\":\"why\","
                              "\"read_only\":true,\"secrets\":{\"client_secret\":{\"active\":{"
                              "\"since\":null,\"expires\":1699990000},\"using\":\"active\"}}}"),
                        NOW, a);
    expect("/state", "Not usable");
    expect("/reason", "why");
    expect("/source_short", "read only");
    expect("/secret", "set");
    expect("/secret_note", "expired 2 hours ago");
    jval_free(&out);
    out = show_provider(given("{\"enabled\":false,\"usable\":false,\"reason\":\"why\"}"), NOW, a);
    expect("/state", "Disabled");
    expect("/reason", "");
    expect("/secret", "none");
}
END_TEST

START_TEST(slots_say_what_can_be_done)
{
    struct err err = ERR_INIT;
    struct jval *rows =
        jval_parse(STR("[{\"key\":\"client_secret\",\"label\":\"Client secret\"}]"), 4096, 4, &err);
    bool flag = true;
    out = show_secrets(given("{\"secrets\":{\"client_secret\":{\"active\":{\"since\":1699999940},"
                             "\"next\":{\"since\":null},\"retiring\":null,\"using\":\"next\"}}}"),
                       rows, NOW, a);
    jval_free(&rows);
    expect("/0/label", "Client secret");
    expect("/0/slots/0/title", "Active");
    ck_assert(jval_bool(jval_at(out, "/0/slots/0/using"), &flag) && !flag);
    ck_assert(jval_bool(jval_at(out, "/0/slots/1/using"), &flag) && flag);
    ck_assert(jval_bool(jval_at(out, "/0/slots/0/droppable"), &flag) && !flag);
    ck_assert(jval_bool(jval_at(out, "/0/slots/1/promotable"), &flag) && flag);
    ck_assert(jval_bool(jval_at(out, "/0/slots/2/set"), &flag) && !flag);
}
END_TEST

START_TEST(failures_have_advice)
{
    out = jval_new_array();
    show_failures(
        given("{\"id\":\"x\",\"label\":\"X\",\"health\":{\"failures\":[{\"kind\":"
              "\"upstream_down\",\"text\":\"no answer\",\"count\":2,\"last\":1699999940}]}}"),
        NOW, out, a);
    expect("/0/words", "no answer");
    ck_assert_ptr_nonnull(strstr(jval_text(jval_at(out, "/0/advice")), "slow or down"));
    expect("/0/last/ago", "1 minute ago");
}
END_TEST

START_TEST(any_value_is_a_list)
{
    out = jval_new_array();
    show_flatten(given("{\"user\":{\"roles\":[\"a\",7],\"none\":{},\"ok\":true},\"x\":null}"), out,
                 a);
    ck_assert_uint_eq(jval_count(out), 5);
    expect("/0/name", "user.roles.0");
    expect("/0/value", "a");
    expect("/1/value", "7");
    expect("/2/name", "user.none");
    expect("/2/value", "nothing");
    expect("/3/value", "true");
    expect("/4/value", "nothing");
    show_flatten(NULL, out, a);
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
    show_flatten(given(b.p), out, a);
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
    out = show_settings(
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
    show_findings(
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
    tcase_add_test(tc, days);
    tcase_add_test(tc, changes_are_what_differs);
    tcase_add_test(tc, a_provider_is_a_word_and_a_tone);
    tcase_add_test(tc, slots_say_what_can_be_done);
    tcase_add_test(tc, failures_have_advice);
    tcase_add_test(tc, any_value_is_a_list);
    tcase_add_test(tc, values_without_end);
    tcase_add_test(tc, settings_have_labels);
    tcase_add_test(tc, findings_are_words);
    suite_add_tcase(s, tc);
    return s;
}
