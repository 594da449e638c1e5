/* SPDX-License-Identifier: Apache-2.0 */
#include "conf_fixture.h"

#include <stdio.h>
#include <stdlib.h>

/* CONF-01: refused, naming key and line; nothing defaults silently. */
static const struct {
    const char *line, *problem;
} wrong_values[] = {
    {"workers = 300x", "\"300x\" is wrong; a whole number is wanted"},
    {"workers = 4 4", "\"4 4\" is wrong; a whole number is wanted"},
    {"workers = 0x10", "\"0x10\" is wrong; a whole number is wanted"},
    {"workers = +4", "\"+4\" is wrong; a whole number is wanted"},
    {"workers = 4.0", "\"4.0\" is wrong; a whole number is wanted"},
    {"workers =", "must not be empty; a whole number is wanted"},
    {"workers = 9223372036854775808", "\"9223372036854775808\" is wrong; a whole number is wanted"},
    {"workers = -9223372036854775809",
     "\"-9223372036854775809\" is wrong; a whole number is wanted"},
    {"workers = 0", "\"0\" is out of range; 1 to 64 is allowed"},
    {"workers = -1", "\"-1\" is out of range; 1 to 64 is allowed"},
    {"workers = 65", "\"65\" is out of range; 1 to 64 is allowed"},
    {"idle = 90x", "\"90x\" is wrong; a duration is wanted, like 30s, 10m, 12h or 7d"},
    {"idle = -5s", "\"-5s\" is wrong; a duration is wanted, like 30s, 10m, 12h or 7d"},
    {"idle = 5 s", "\"5 s\" is wrong; a duration is wanted, like 30s, 10m, 12h or 7d"},
    {"idle = 99999999999999999d",
     "\"99999999999999999d\" is wrong; a duration is wanted, like 30s, 10m, 12h or 7d"},
    {"idle =", "must not be empty; a duration is wanted, like 30s, 10m, 12h or 7d"},
    {"idle = 2h", "\"2h\" is out of range; 1s to 1h is allowed"},
    {"idle = 0", "\"0\" is out of range; 1s to 1h is allowed"},
    {"body = 1x", "\"1x\" is wrong; a size is wanted, like 4096, 64k, 1m or 2g"},
    {"body = 9999999999999g",
     "\"9999999999999g\" is wrong; a size is wanted, like 4096, 64k, 1m or 2g"},
    {"cache = maybe", "\"maybe\" is wrong; yes or no is wanted"},
    {"cache = truee", "\"truee\" is wrong; yes or no is wanted"},
    {"cache =", "must not be empty; yes or no is wanted"},
    {"level = inof",
     "\"inof\" is wrong; one of debug, info, warn is wanted; did you mean \"info\"?"},
    {"level = INFO", "\"INFO\" is wrong; one of debug, info, warn is wanted"},
    {"level = loudest", "\"loudest\" is wrong; one of debug, info, warn is wanted"},
    {"level =", "must not be empty; one of debug, info, warn is wanted"},
    {"hosts = a,,b", "the list has an empty entry"},
    {"hosts = ,a", "the list has an empty entry"},
    {"hosts = a, b,", "the list has an empty entry"},
    {"token =", "is empty"},
};

START_TEST(wrong_values_name_key_and_line)
{
    char text[256], problem[256];
    snprintf(text, sizeof text, "[server]\n\n%s\n", wrong_values[_i].line);
    snprintf(problem, sizeof problem, "t.conf:3: [server] %.*s: %s\n", (int)strcspn(text + 10, " "),
             text + 10, wrong_values[_i].problem);
    cx_apply(text);
    cx_expect(problem);
}
END_TEST

START_TEST(urls_are_strict_and_never_quoted)
{
    static const char *const urls[] = {"ftp://x.example",      "https://user:hunter2@x.example/",
                                       "//x.example",          "https:/x.example",
                                       "https://x.example\\y", ""};
    for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
        struct err err = ERR_INIT;
        ck_assert_int_eq(conf_set(&cx_rows[2], &cx.server, urls[i], cx.arena, &err), -1);
        ck_assert_ptr_null(strstr(err.text, "hunter2"));
        ck_assert_int_gt((int)strlen(err.text), 0);
    }
    ck_assert_ptr_null(cx.server.url);
}
END_TEST

START_TEST(an_empty_list_is_none)
{
    cx_apply("[server]\nhosts =\n");
    cx_expect("");
    ck_assert_ptr_nonnull(cx.server.hosts);
    ck_assert_ptr_null(cx.server.hosts[0]);
}
END_TEST

/* ---- values as text -------------------------------------------------------------------------- */

START_TEST(text_is_what_an_admin_would_write)
{
    static const char *const expected[] = {
        "127.0.0.1:8080", NULL, NULL, "2", "75s", "64k", "yes", "info", "a.example b.example", NULL,
    };
    cx_apply_file(NULL);
    for (size_t i = 0; i < CX_ROWS; i++) {
        const char *text = conf_text(&cx_rows[i], &cx.server, cx.arena);
        if (expected[i])
            ck_assert_str_eq(text, expected[i]);
        else
            ck_assert_ptr_null(text);
    }
    cx.server = (struct cx_server){.idle = 7200, .body = 3 << 20, .workers = -4, .level = 9};
    ck_assert_str_eq(conf_text(&cx_rows[4], &cx.server, cx.arena), "2h");
    ck_assert_str_eq(conf_text(&cx_rows[5], &cx.server, cx.arena), "3m");
    ck_assert_str_eq(conf_text(&cx_rows[3], &cx.server, cx.arena), "-4");
    ck_assert_str_eq(conf_text(&cx_rows[6], &cx.server, cx.arena), "false");
    ck_assert_ptr_null(conf_text(&cx_rows[7], &cx.server, cx.arena));
    ck_assert_ptr_null(conf_text(&cx_rows[8], &cx.server, cx.arena));
    cx.server = (struct cx_server){.idle = 61, .body = 1025};
    ck_assert_str_eq(conf_text(&cx_rows[4], &cx.server, cx.arena), "61s");
    ck_assert_str_eq(conf_text(&cx_rows[5], &cx.server, cx.arena), "1025");
    cx.server.idle = cx.server.body = 0;
    ck_assert_str_eq(conf_text(&cx_rows[4], &cx.server, cx.arena), "0s");
    ck_assert_str_eq(conf_text(&cx_rows[5], &cx.server, cx.arena), "0");
}
END_TEST

START_TEST(text_and_set_agree)
{
    static const struct {
        size_t row;
        const char *value;
    } values[] = {{0, "x y"},  {2, "https://b.example/"},
                  {3, "64"},   {4, "1h"},
                  {5, "2g"},   {6, "false"},
                  {7, "warn"}, {8, "p q r"}};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        struct err err = ERR_INIT;
        const struct usher_setting *row = &cx_rows[values[i].row];
        ck_assert_int_eq(conf_set(row, &cx.server, values[i].value, cx.arena, &err), 0);
        ck_assert_str_eq(conf_text(row, &cx.server, cx.arena), values[i].value);
    }
    struct err err = ERR_INIT; /* cx.secrets never pass through a config struct */
    ck_assert_int_eq(conf_set(&cx_rows[9], &cx.server, "x", cx.arena, &err), -1);
    ck_assert(!cx.server.token.set);
}
END_TEST

Suite *suite_conf_value(void);
Suite *suite_conf_value(void)
{
    Suite *s = suite_create("conf_value");
    TCase *t = tcase_create("conf_value");
    tcase_add_checked_fixture(t, cx_setup, cx_teardown);
    CX_LOOP(t, wrong_values_name_key_and_line, wrong_values);
    tcase_add_test(t, urls_are_strict_and_never_quoted);
    tcase_add_test(t, an_empty_list_is_none);
    tcase_add_test(t, text_is_what_an_admin_would_write);
    tcase_add_test(t, text_and_set_agree);
    suite_add_tcase(s, t);
    return s;
}
