/* SPDX-License-Identifier: Apache-2.0 */
#include "base/header.h"

#include <check.h>

Suite *suite_header(void);

static void written(const char *text, bool item, const char *want)
{
    struct buf b;
    buf_init(&b, 1000);
    header_add(&b, text, item);
    ck_assert(buf_ok(&b));
    ck_assert_str_eq(b.p, want);
    ck_assert_int_eq(header_plain(text), strcmp(text, want) == 0 || item);
    buf_deinit(&b);
}

/* FWD-11: nothing that could end a header or become part of another one. */
START_TEST(fwd_11_encoded)
{
    written("", false, "");
    written("Ann Lee", false, "Ann Lee");
    written("Zo\xc3\xab 100%", false, "Zo%C3%AB 100%25");
    written(" a ", false, "%20a%20");
    written("a\r\nX-Usher-User: b", false, "a%0D%0AX-Usher-User: b");
    written("\x7f\x01", false, "%7F%01");
    written("a,b", false, "a,b");
    written("a,b", true, "a%2Cb");
}
END_TEST

START_TEST(lists)
{
    static const char list[] = "discord:1,discord:12,a%2Cb";
    ck_assert(header_has(list, STR("discord:1")));
    ck_assert(header_has(list, STR("discord:12")));
    ck_assert(header_has(list, STR("a%2Cb")));
    ck_assert(!header_has(list, STR("discord:")));
    ck_assert(!header_has(list, STR("discord:123")));
    ck_assert(!header_has(list, STR("iscord:1")));
    ck_assert(!header_has(list, STR("")));
    ck_assert(!header_has("", STR("")));
    ck_assert(!header_has("", STR("a")));
    ck_assert(!header_has("a,", STR("")));
    ck_assert(header_has("a,", STR("a")));
}
END_TEST

START_TEST(lists_of_rows)
{
    struct arena *a = arena_new();
    ck_assert_str_eq(header_list(a, "[\"discord:the crew\",\"a,b\",7,\"Zo\\u00eb\"]"),
                     "discord:the crew,a%2Cb,Zo%C3%AB");
    static const char *const none[] = {NULL, "", "[]", "{}", "\"a\"", "[\"a\"", "[[\"a\"]]"};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        ck_assert_str_eq(header_list(a, none[i]), "");
    arena_free(&a);
}
END_TEST

START_TEST(credentials)
{
    static const char *const bad[] = {"",         "Bearer",      "Bearerx",    "Basic abc",
                                      "Bear abc", " Bearer abc", "Bearer\tabc"};
    static const char *const good[] = {"Bearer abc", "bearer abc", "BEARER   abc", "Bearer abc "};
    struct str out;
    ck_assert(header_credentials("Bearer  ", "Bearer", &out) && out.n == 0);
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        ck_assert(header_credentials(good[i], "Bearer", &out) && str_is(out, "abc"));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        ck_assert_msg(!header_credentials(bad[i], "Bearer", &out), "%s", bad[i]);
}
END_TEST

Suite *suite_header(void)
{
    Suite *s = suite_create("header");
    TCase *t = tcase_create("header");
    tcase_add_test(t, fwd_11_encoded);
    tcase_add_test(t, lists_of_rows);
    tcase_add_test(t, lists);
    tcase_add_test(t, credentials);
    suite_add_tcase(s, t);
    return s;
}
