/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdint.h>
#include <string.h>

#include "base/err.h"
#include "base/text.h"

Suite *suite_err(void);

START_TEST(test_first_error_wins)
{
    struct err e = ERR_INIT;
    ck_assert_int_eq(err_set(&e, ERR_DENIED, "%s said no", "discord"), -1);
    int line = __LINE__ - 1;
    ck_assert_int_eq(err_set(&e, ERR_INTERNAL, "later"), -1);
    ck_assert_int_eq(e.kind, ERR_DENIED);
    ck_assert_str_eq(e.text, "discord said no");
    ck_assert_int_eq(e.line, line);
    ck_assert_ptr_nonnull(strstr(e.file, "test_err.c"));
}
END_TEST

START_TEST(test_clear_makes_room_for_the_next)
{
    struct err e = ERR_INIT;
    err_set(&e, ERR_EXPIRED, "old");
    err_clear(&e);
    ck_assert_int_eq(e.kind, ERR_NONE);
    ck_assert_str_eq(e.text, "");
    err_set(&e, ERR_INVALID, "new");
    ck_assert_str_eq(e.text, "new");
    err_clear(NULL);
}
END_TEST

START_TEST(test_nobody_listens)
{
    ck_assert_int_eq(err_set(NULL, ERR_INTERNAL, "x"), -1);
    err_context(NULL, "x");
}
END_TEST

START_TEST(test_no_error_is_no_kind_of_error)
{
    struct err e = ERR_INIT;
    err_set(&e, ERR_NONE, "oops");
    ck_assert_int_eq(e.kind, ERR_INTERNAL);
}
END_TEST

START_TEST(test_context_goes_in_front)
{
    struct err e = ERR_INIT;
    err_context(&e, "without an error");
    ck_assert_str_eq(e.text, "");
    err_set(&e, ERR_MISCONFIGURED, "not a number");
    err_context(&e, "line %d", 12);
    err_context(&e, "usher.conf");
    ck_assert_str_eq(e.text, "usher.conf: line 12: not a number");
    ck_assert_int_eq(e.kind, ERR_MISCONFIGURED);
}
END_TEST

START_TEST(test_long_texts_are_cut_on_the_right)
{
    struct err e = ERR_INIT;
    char text[1000];
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    err_set(&e, ERR_INTERNAL, "%s", text);
    ck_assert_uint_eq(strlen(e.text), sizeof(e.text) - 1);
    err_context(&e, "front");
    ck_assert_uint_eq(strlen(e.text), sizeof(e.text) - 1);
    ck_assert_int_eq(strncmp(e.text, "front: xxx", 10), 0);
    err_context(&e, "%s", text); /* no room is left for anything else */
    ck_assert_uint_eq(strlen(e.text), sizeof(e.text) - 1);
    ck_assert_ptr_null(strchr(e.text, ':'));
}
END_TEST

/* DB-03: what looks like a format in the data stays data. */
START_TEST(test_percent_signs_in_data)
{
    struct err e = ERR_INIT;
    err_set(&e, ERR_INTERNAL, "%s", "%n%s%100000d");
    err_context(&e, "%s", "%s%n");
    ck_assert_str_eq(e.text, "%s%n: %n%s%100000d");
}
END_TEST

/* Wherever the cut falls, no half character is left. */
START_TEST(test_cut_at_character_boundary)
{
    static const char *const letters[] = {"\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80"};
    for (size_t l = 0; l < 3; l++) {
        for (size_t shift = 0; shift < 8; shift++) {
            char text[800];
            size_t n = 0;
            while (n < shift)
                text[n++] = 'a';
            while (n < 700) {
                memcpy(text + n, letters[l], strlen(letters[l]));
                n += strlen(letters[l]);
            }
            text[n] = '\0';
            struct err e = ERR_INIT;
            err_set(&e, ERR_INTERNAL, "%s", text);
            ck_assert(text_utf8(str_of(e.text)));
            ck_assert_uint_ge(strlen(e.text), sizeof(e.text) - 4);
            err_context(&e, "%s", "why");
            ck_assert(text_utf8(str_of(e.text)));
            ck_assert_uint_ge(strlen(e.text), sizeof(e.text) - 4);
        }
    }
}
END_TEST

START_TEST(test_kind_names_are_different)
{
    for (int a = ERR_NONE; a <= ERR_STALE; a++)
        for (int b = ERR_NONE; b < a; b++)
            ck_assert_str_ne(err_kind_name((enum err_kind)a), err_kind_name((enum err_kind)b));
    ck_assert_str_eq(err_kind_name(ERR_UPSTREAM_DOWN), "upstream_down");
    ck_assert_str_eq(err_kind_name((enum err_kind)99), "internal");
}
END_TEST

Suite *suite_err(void)
{
    Suite *s = suite_create("err");
    TCase *t = tcase_create("err");
    tcase_add_test(t, test_first_error_wins);
    tcase_add_test(t, test_clear_makes_room_for_the_next);
    tcase_add_test(t, test_nobody_listens);
    tcase_add_test(t, test_no_error_is_no_kind_of_error);
    tcase_add_test(t, test_context_goes_in_front);
    tcase_add_test(t, test_long_texts_are_cut_on_the_right);
    tcase_add_test(t, test_percent_signs_in_data);
    tcase_add_test(t, test_cut_at_character_boundary);
    tcase_add_test(t, test_kind_names_are_different);
    suite_add_tcase(s, t);
    return s;
}
