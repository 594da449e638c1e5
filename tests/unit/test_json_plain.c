/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/json.h"
#include "base/json_plain.h"

Suite *suite_json_plain(void);

static const struct json_limits ample = {.depth = 16, .values = 1000};

/* What the plain reader takes must be what jansson makes of it: that reads it when a fraction
 * stands beside it. NULL: jansson refuses it. */
static struct jval *by_jansson(const char *text)
{
    struct buf b;
    struct err err = ERR_INIT;
    buf_init(&b, 10000);
    buf_printf(&b, "[%s,0.5]", text);
    struct jval *both = jval_parse(buf_view(&b), 10000, 16, &err);
    struct jval *v = both ? jval_copy(jval_item(both, 0)) : NULL;
    jval_free(&both);
    buf_deinit(&b);
    return v;
}

static void assert_same(const struct jval *a, const struct jval *b, const char *text)
{
    struct buf x, y;
    buf_init(&x, 10000);
    buf_init(&y, 10000);
    jval_render(a, &x);
    jval_render(b, &y);
    ck_assert_int_eq(jval_type(a), jval_type(b));
    ck_assert_msg(str_eq(buf_view(&x), buf_view(&y)), "%s: %s, not %s", text, x.p, y.p);
    buf_deinit(&x);
    buf_deinit(&y);
}

static const char *const plain[] = {
    "0",
    "-0",
    "7",
    "-12",
    "999999999999999999",
    "-999999999999999999",
    "true",
    "false",
    "null",
    "\"\"",
    "\"text\"",
    "\"Zo\xc3\xab \xf0\x9f\x98\x80 \x7f\"",
    "[]",
    "[ ]",
    "{}",
    "{\t}",
    " [ 1 , 2 ] ",
    "\r\n\t {\"a\" : {\"b\":[1,true,{\"c\":null}]} , \"\":\"\"}\n",
    "{\"access_token\":\"at-1\",\"token_type\":\"Bearer\",\"expires_in\":3600}",
    "{\"a\":1,\"A\":2}",
    "[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]",
};

START_TEST(takes_what_is_plain)
{
    struct jval *v = json_plain(str_of(plain[_i]), ample), *same = by_jansson(plain[_i]);
    ck_assert_msg(v && same, "%s", plain[_i]);
    assert_same(v, same, plain[_i]);
    jval_free(&v);
    jval_free(&same);
}
END_TEST

/* Good JSON and bad: none of it is the plain reader's. */
static const char *const not_plain[] = {
    "",
    " ",
    "1.5",
    "1e3",
    "1E3",
    "1.",
    "-",
    "--1",
    "- 1",
    "+1",
    "01",
    "-01",
    "00",
    "0x1",
    "1000000000000000000",
    "9223372036854775808",
    "1 2",
    "1,",
    "tru",
    "truefalse",
    "True",
    "nulls",
    "nan",
    "\"",
    "\"a",
    "\"a\\n\"",
    "\"\\u0041\"",
    "\"a\nb\"",
    "\"\xff\"",
    "\"\xed\xa0\x80\"",
    "\"\xc0\xaf\"",
    "\"a\"b",
    "'a'",
    "[",
    "]",
    "[1",
    "[1,",
    "[1,]",
    "[,1]",
    "[1 2]",
    "[}",
    "[1}",
    "{",
    "{]",
    "{\"a\"}",
    "{\"a\":}",
    "{\"a\":1,}",
    "{\"a\":1 \"b\":2}",
    "{a:1}",
    "{1:1}",
    "{\"a\\u0062\":1}",
    "{\"a\":1,\"a\":1}",
    "{\"a\":{\"b\":1,\"b\":2}}",
    "[{},{\"\":1,\"\":2}]",
    "\xef\xbb\xbf{}",
    "{}x",
    "[1.5]",
    "{\"a\":[1,\"\\\\\"]}",
};

START_TEST(leaves_the_rest)
{
    ck_assert_ptr_null(json_plain(str_of(not_plain[_i]), ample));
}
END_TEST

START_TEST(nul_bytes_are_not_plain)
{
    static const struct str all[] = {STR("\0"),       STR("1\0"),         STR("[1\0]"),
                                     STR("\"a\0b\""), STR("{\"a\0\":1}"), STR("true\0"),
                                     STR("{}\0")};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        ck_assert_ptr_null(json_plain(all[i], ample));
    ck_assert_ptr_null(json_plain((struct str){NULL, 0}, ample));
}
END_TEST

/* Each byte in each place: eight are looked at together, and what is left over one by one. */
START_TEST(bytes_of_strings)
{
    for (int c = 0; c < 256; c++)
        for (size_t at = 1; at < 20; at++) {
            char text[] = "\" !#[]^`~\x7f 0123456789\"";
            text[at] = (char)c;
            struct jval *v = json_plain((struct str){text, sizeof text - 1}, ample);
            ck_assert_msg((v != NULL) == (c >= 0x20 && c < 0x80 && c != '"' && c != '\\'),
                          "%02x in place %zu", (unsigned)c, at);
            if (v)
                ck_assert(strncmp(jval_text(v), text + 1, sizeof text - 3) == 0);
            jval_free(&v);
        }
}
END_TEST

/* What is cut off anywhere is not taken, and nothing behind its end is read (ASan sees that). */
START_TEST(cut_off)
{
    static const char text[] = "{\"a\":[true,false,null,-12],\"b\":{\"c\":\"d\"}}";
    for (size_t n = 0; n < sizeof text - 1; n++) {
        char *piece = malloc(n + 1);
        ck_assert_ptr_nonnull(piece);
        memcpy(piece, text, n);
        char *exact = realloc(piece, n ? n : 1);
        ck_assert_ptr_nonnull(exact);
        ck_assert_ptr_null(json_plain((struct str){exact, n}, ample));
        free(exact);
    }
}
END_TEST

static bool within(const char *text, unsigned depth, unsigned values)
{
    struct jval *v = json_plain(str_of(text), (struct json_limits){depth, values});
    const bool taken = v != NULL;
    jval_free(&v);
    return taken;
}

START_TEST(limits_are_exact)
{
    ck_assert(within("1", 0, 1) && !within("1", 0, 0));
    ck_assert(within("[]", 1, 2) && !within("[]", 0, 2) && !within("[]", 1, 1));
    ck_assert(within("[1,2]", 1, 3) && !within("[1,2]", 1, 2));
    ck_assert(within("[[1],{\"a\":[2]}]", 3, 6) && !within("[[1],{\"a\":[2]}]", 2, 6));
    ck_assert(!within("[[1],{\"a\":[2]}]", 3, 5));
    ck_assert(within("[[],[],[]]", 2, 7)); /* side by side is not deeper */
}
END_TEST

START_TEST(long_keys_are_not_plain)
{
    char text[200];
    for (int n = 127; n <= 129; n++) {
        snprintf(text, sizeof text, "{\"%0*d\":1}", n, 0);
        ck_assert_int_eq(within(text, 1, 2), n <= 128);
    }
}
END_TEST

Suite *suite_json_plain(void)
{
    Suite *s = suite_create("json_plain");
    TCase *t = tcase_create("json_plain");
    tcase_add_loop_test(t, takes_what_is_plain, 0, (int)(sizeof plain / sizeof *plain));
    tcase_add_loop_test(t, leaves_the_rest, 0, (int)(sizeof not_plain / sizeof *not_plain));
    tcase_add_test(t, nul_bytes_are_not_plain);
    tcase_add_test(t, bytes_of_strings);
    tcase_add_test(t, cut_off);
    tcase_add_test(t, limits_are_exact);
    tcase_add_test(t, long_keys_are_not_plain);
    suite_add_tcase(s, t);
    return s;
}
