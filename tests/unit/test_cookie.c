/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/cookie.h"

Suite *suite_cookie(void);

static const struct {
    const char *header;
    unsigned count;
    const char *value;
} cases[] = {
    {"", 0, NULL},
    {";", 0, NULL},
    {"; ; ;", 0, NULL},
    {"sid", 0, NULL},
    {"sid=", 1, ""},
    {"sid=a", 1, "a"},
    {" sid=a ", 1, "a"},
    {"\tsid=a\t", 1, "a"},
    {"x=1; sid=a; y=2", 1, "a"},
    {"x=1;sid=a;y=2", 1, "a"},
    {"x=1;  \t sid=a  ;y=2", 1, "a"},
    {"sid=a=b==", 1, "a=b=="},
    {"sid==", 1, "="},
    /* no unquoting, and ';' separates inside quotes too (the "cookie sandwich") */
    {"sid=\"a\"", 1, "\"a\""},
    {"x=\"1; sid=a; y=2\"", 1, "a"},
    {"sid=\"a;b\"", 1, "\"a"},
    /* nothing is decoded */
    {"sid=%61", 1, "%61"},
    {"%73id=a", 0, NULL},
    /* names compare byte by byte */
    {"SID=a", 0, NULL},
    {"Sid=a; sId=b", 0, NULL},
    {"xsid=a", 0, NULL},
    {"sidx=a", 0, NULL},
    {"si=a", 0, NULL},
    {"x-sid=a", 0, NULL},
    /* what a browser would not hold to the rules of our name is not ours */
    {"sid =a", 0, NULL},
    {"sid\t=a", 0, NULL},
    {"\vsid=a", 0, NULL},
    {"\xc2\xa0sid=a", 0, NULL},
    {"\xe2\x80\x80sid=a", 0, NULL},
    {"=sid=a", 0, NULL},
    {"$sid=a", 0, NULL},
    {"x=sid=a", 0, NULL},
    /* a value is everything up to the ';' */
    {"sid= a", 1, " a"},
    {"sid=a b", 1, "a b"},
    {"sid=a, sid=b", 1, "a, sid=b"},
    {"sid=a,b", 1, "a,b"},
    /* SESS-08, STATE-13: twice is counted, so that the caller refuses */
    {"sid=a; sid=b", 2, "a"},
    {"sid=a; sid=a", 2, "a"},
    {"sid=; sid=b", 2, ""},
    {"sid=a;sid=b;sid=c", 3, "a"},
};

START_TEST(test_cases)
{
    struct str value = STR("untouched");
    unsigned n = cookie_find(str_of(cases[_i].header), STR("sid"), &value);
    ck_assert_uint_eq(n, cases[_i].count);
    ck_assert_msg(str_is(value, n ? cases[_i].value : "untouched"), "'%s' gave '%.*s'",
                  cases[_i].header, (int)value.n, value.p);
}
END_TEST

START_TEST(test_nothing_is_read_behind_the_view)
{
    static const char header[] = "x=1; sid=abc";
    for (size_t n = 0; n < sizeof(header); n++) {
        char *exact = malloc(n + 1); /* one byte that belongs to nobody would be found by ASan */
        memcpy(exact + 1, header, n);
        struct str value = {NULL, 0};
        unsigned found = cookie_find((struct str){exact + 1, n}, STR("sid"), &value);
        ck_assert_uint_eq(found, n >= 9 ? 1 : 0);
        if (found)
            ck_assert_uint_eq(value.n, (n > 12 ? 12 : n) - 9);
        free(exact);
    }
    struct str value;
    ck_assert_uint_eq(cookie_find((struct str){NULL, 0}, STR("sid"), &value), 0);
}
END_TEST

START_TEST(test_nul_is_a_byte_like_others)
{
    struct str value;
    ck_assert_uint_eq(cookie_find(STR("a=\0; sid=b"), STR("sid"), &value), 1);
    ck_assert(str_is(value, "b"));
    ck_assert_uint_eq(cookie_find(STR("sid=b\0c"), STR("sid"), &value), 1);
    ck_assert(str_eq(value, STR("b\0c")));
    ck_assert_uint_eq(cookie_find(STR("si\0d=b"), STR("sid"), &value), 0);
    ck_assert_uint_eq(cookie_find(STR("sid\0=b"), STR("sid"), &value), 0);
}
END_TEST

/* HTTP-08, HTTP-17: a header far over any limit costs a pass over it and nothing else. */
START_TEST(test_large_header)
{
    size_t n = 1000000;
    char *header = malloc(n + 6);
    memset(header, ';', n);
    memcpy(header + n, "sid=a", 6);
    struct str value;
    ck_assert_uint_eq(cookie_find(str_of(header), STR("sid"), &value), 1);
    ck_assert(str_is(value, "a"));
    memset(header, 'x', n);
    ck_assert_uint_eq(cookie_find(str_of(header), STR("sid"), &value), 0);
    free(header);
}
END_TEST

Suite *suite_cookie(void)
{
    Suite *s = suite_create("cookie");
    TCase *t = tcase_create("cookie");
    tcase_add_loop_test(t, test_cases, 0, (int)(sizeof(cases) / sizeof(cases[0])));
    tcase_add_test(t, test_nothing_is_read_behind_the_view);
    tcase_add_test(t, test_nul_is_a_byte_like_others);
    tcase_add_test(t, test_large_header);
    suite_add_tcase(s, t);
    return s;
}
