/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

Suite *suite_buf(void);

START_TEST(test_empty)
{
    struct buf b;
    buf_init(&b, 10);
    ck_assert_str_eq(b.p, "");
    ck_assert_uint_eq(b.n, 0);
    buf_add(&b, NULL, 0);
    buf_str(&b, (struct str){NULL, 0});
    buf_text(&b, "");
    ck_assert(buf_ok(&b));
    ck_assert_str_eq(buf_view(&b).p, "");
    buf_clear(&b);
    char *taken = buf_take(&b);
    ck_assert_str_eq(taken, "");
    free(taken);
    buf_wipe(&b);
    buf_deinit(&b);
}
END_TEST

START_TEST(test_grows)
{
    struct buf b;
    buf_init(&b, 100000);
    for (int i = 0; i < 10000; i++) {
        buf_byte(&b, (char)('a' + i % 26));
        ck_assert_int_eq(b.p[b.n], '\0');
    }
    buf_text(&b, "text");
    buf_str(&b, STR("str"));
    buf_printf(&b, "%d", 42);
    ck_assert_uint_eq(b.n, 10009);
    ck_assert_str_eq(b.p + 10000, "textstr42");
    for (int i = 0; i < 10000; i++)
        ck_assert_int_eq(b.p[i], 'a' + i % 26);
    ck_assert(buf_ok(&b));
    buf_deinit(&b);
}
END_TEST

START_TEST(test_limit_is_exact)
{
    struct buf b;
    buf_init(&b, 5);
    buf_text(&b, "12345");
    ck_assert(buf_ok(&b));
    buf_byte(&b, '6');
    ck_assert(!buf_ok(&b));
    ck_assert_str_eq(b.p, "12345");
    buf_deinit(&b);
}
END_TEST

/* What fitted stays, and nothing is added behind the gap. */
START_TEST(test_over_is_for_good)
{
    struct buf b;
    buf_init(&b, 10);
    buf_text(&b, "12345");
    buf_text(&b, "too long to fit");
    ck_assert(!buf_ok(&b));
    buf_byte(&b, '6');
    buf_printf(&b, "%d", 7);
    ck_assert_str_eq(b.p, "12345");
    ck_assert_uint_eq(b.n, 5);
    buf_clear(&b);
    ck_assert(buf_ok(&b));
    buf_text(&b, "again");
    ck_assert_str_eq(b.p, "again");
    buf_deinit(&b);
}
END_TEST

START_TEST(test_limit_zero_and_huge)
{
    struct buf b;
    buf_init(&b, 0);
    ck_assert(buf_ok(&b));
    buf_byte(&b, 'x');
    ck_assert(!buf_ok(&b));
    ck_assert_str_eq(b.p, "");
    buf_deinit(&b);

    buf_init(&b, SIZE_MAX);
    buf_text(&b, "fine");
    ck_assert(buf_ok(&b));
    buf_add(&b, "x", SIZE_MAX - 2); /* refused before it is read */
    ck_assert(!buf_ok(&b));
    ck_assert_str_eq(b.p, "fine");
    buf_deinit(&b);
}
END_TEST

START_TEST(test_printf_of_every_length)
{
    char text[1000];
    for (size_t n = 0; n < sizeof(text) - 1; n++) {
        memset(text, 'z', n);
        text[n] = '\0';
        struct buf b;
        buf_init(&b, 600);
        buf_text(&b, "front");
        buf_printf(&b, "%s", text);
        ck_assert_int_eq(buf_ok(&b), n + 5 <= 600);
        ck_assert_uint_eq(b.n, n + 5 <= 600 ? n + 5 : 5);
        ck_assert_uint_eq(strlen(b.p), b.n);
        buf_deinit(&b);
    }
}
END_TEST

START_TEST(test_numbers)
{
    static const int64_t all[] = {0, 1, -1, 9, 10, -10, 1800000000, INT64_MAX, INT64_MIN};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        char text[32];
        struct buf b;
        buf_init(&b, 20);
        snprintf(text, sizeof text, "%lld", (long long)all[i]);
        buf_int(&b, all[i]);
        ck_assert(buf_ok(&b));
        ck_assert_str_eq(b.p, text);
        buf_int(&b, INT64_MIN);
        ck_assert(!buf_ok(&b));
        ck_assert_str_eq(b.p, text);
        buf_deinit(&b);
    }
}
END_TEST

START_TEST(test_base64url_of_every_length)
{
    unsigned char bytes[70];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (unsigned char)(i * 37 + 200);
    for (size_t n = 0; n <= sizeof bytes; n++) {
        char text[100];
        struct buf b;
        buf_init(&b, 60);
        text_b64url(bytes, n, text);
        buf_text(&b, "a.");
        buf_b64url(&b, bytes, n);
        ck_assert_int_eq(buf_ok(&b), 2 + strlen(text) <= 60);
        ck_assert_str_eq(b.p + 2, buf_ok(&b) ? text : "");
        ck_assert_uint_eq(strlen(b.p), b.n);
        buf_deinit(&b);
    }
}
END_TEST

START_TEST(test_room_is_taken_at_once)
{
    struct buf b;
    buf_init(&b, 1000);
    buf_room(&b, 900);
    ck_assert_uint_eq(b.n, 0);
    ck_assert_str_eq(b.p, "");
    const char *where = b.p;
    for (int i = 0; i < 900; i++)
        buf_byte(&b, 'x');
    ck_assert_ptr_eq(b.p, where);
    buf_room(&b, 101); /* more than there may be: nothing happens until somebody adds it */
    ck_assert(buf_ok(&b));
    buf_wipe(&b);
}
END_TEST

START_TEST(test_bytes_may_be_nul)
{
    struct buf b;
    buf_init(&b, 10);
    buf_add(&b, "a\0b", 3);
    buf_byte(&b, '\0');
    ck_assert_uint_eq(b.n, 4);
    ck_assert_int_eq(memcmp(b.p, "a\0b\0", 5), 0);
    buf_wipe(&b);
    ck_assert_str_eq(b.p, "");
    ck_assert_uint_eq(b.limit, 10); /* usable again */
    buf_text(&b, "next");
    ck_assert_str_eq(b.p, "next");
    buf_deinit(&b);
}
END_TEST

START_TEST(test_take_hands_over)
{
    struct buf b;
    buf_init(&b, 10);
    buf_text(&b, "mine");
    char *p = buf_take(&b);
    ck_assert_str_eq(b.p, "");
    buf_text(&b, "other");
    ck_assert_str_eq(p, "mine");
    ck_assert_str_eq(b.p, "other");
    free(p);
    buf_deinit(&b);
    buf_deinit(&b);
}
END_TEST

Suite *suite_buf(void)
{
    Suite *s = suite_create("buf");
    TCase *t = tcase_create("buf");
    tcase_add_test(t, test_empty);
    tcase_add_test(t, test_grows);
    tcase_add_test(t, test_limit_is_exact);
    tcase_add_test(t, test_over_is_for_good);
    tcase_add_test(t, test_limit_zero_and_huge);
    tcase_add_test(t, test_printf_of_every_length);
    tcase_add_test(t, test_numbers);
    tcase_add_test(t, test_base64url_of_every_length);
    tcase_add_test(t, test_room_is_taken_at_once);
    tcase_add_test(t, test_bytes_may_be_nul);
    tcase_add_test(t, test_take_hands_over);
    suite_add_tcase(s, t);
    return s;
}
