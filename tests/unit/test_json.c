/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"

Suite *suite_json(void);

static struct jval *parse(const char *text)
{
    return jval_parse(str_of(text), JSON_SIZE_MAX, JSON_DEPTH_MAX, NULL);
}

static void assert_renders(const struct jval *v, const char *text)
{
    struct buf b;
    buf_init(&b, 100000);
    jval_render(v, &b);
    ck_assert(buf_ok(&b));
    ck_assert_str_eq(b.p, text);
    buf_deinit(&b);
}

static const char *const accepted[] = {
    "{}",
    "[]",
    "null",
    "true",
    "false",
    "0",
    "-1",
    "1.5",
    "\"\"",
    "\"text\"",
    "[[[]]]",
    "{\"a\":{\"b\":[1,2,3]}}",
    "\"\\u20ac\\ud83d\\ude00\"",
    "{\"\":1}",
    "\"\xe2\x80\xae\"",
    " [ 1 , 2 ] ",
    "\t\r\n1",
    "9223372036854775807",
    "-9223372036854775808",
    "1e300",
    "1E-5",
    "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"",
    "[\"[[[[[[[[[[[[[[[[[[[[[[[[\"]",
    "[\"\\\"[[[[[[[[[[[[[[[[[[\"]",
    "{\"a\":1,\"A\":2}",
};

START_TEST(test_accepted)
{
    struct err e = ERR_INIT;
    struct jval *v = jval_parse(str_of(accepted[_i]), JSON_SIZE_MAX, JSON_DEPTH_MAX, &e);
    ck_assert_msg(v != NULL, "'%s': %s", accepted[_i], e.text);
    ck_assert_int_eq(e.kind, ERR_NONE);
    jval_free(&v);
    ck_assert_ptr_null(v);
}
END_TEST

/* CB-16, CB-21, CB-26, JWT-37, JWT-43, ADM-11 */
static const char *const refused[] = {
    "",
    " ",
    "{",
    "}",
    "[",
    "]",
    "[}",
    "{]",
    "{\"a\"}",
    "{\"a\":}",
    "{a:1}",
    "{'a':1}",
    "[1,]",
    "[,1]",
    "{\"a\":1,}",
    "nul",
    "NULL",
    "True",
    "NaN",
    "Infinity",
    "-",
    "+1",
    "01",
    "1.",
    ".5",
    "1e",
    "0x10",
    "1 2",
    "{} {}",
    "[]x",
    "\"",
    "\"\\\"",
    "\"\\x41\"",
    "\"\\u12\"",
    "\"a\nb\"",
    "\"a\tb\"",
    "// c\n1",
    "/* c */ 1",
    "\xef\xbb\xbf{}",
    "\"\\u0000\"",
    "{\"\\u0000\":1}",
    "\"a\\u0000b\"",
    "\"\\ud800\"",
    "\"\\udc00\"",
    "\"\\ud800\\u0041\"",
    "\"\xff\"",
    "\"\xc0\xaf\"",
    "\"\xed\xa0\x80\"",
    "\"\xe2\x82\"",
    "{\"a\":1,\"a\":2}",
    "{\"a\":1,\"\\u0061\":2}",
    "[{\"x\":{\"a\":1,\"a\":1}}]",
    "9223372036854775808",
    "-9223372036854775809",
    "1e400",
    "-1e400",
    "<html></html>",
    "a=1&b=2",
};

START_TEST(test_refused)
{
    struct err e = ERR_INIT;
    struct jval *v = jval_parse(str_of(refused[_i]), JSON_SIZE_MAX, JSON_DEPTH_MAX, &e);
    ck_assert_msg(v == NULL, "'%s' was accepted", refused[_i]);
    ck_assert_int_eq(e.kind, ERR_INVALID);
}
END_TEST

START_TEST(test_nul_bytes)
{
    ck_assert_ptr_null(jval_parse(STR("{}\0"), 100, 9, NULL));
    ck_assert_ptr_null(jval_parse(STR("1\0"), 100, 9, NULL));
    ck_assert_ptr_null(jval_parse(STR("[1\0,2]"), 100, 9, NULL));
    ck_assert_ptr_null(jval_parse(STR("[1.5\0]"), 100, 9, NULL));
    ck_assert_ptr_null(jval_parse(STR("[true\0]"), 100, 9, NULL));
    ck_assert_ptr_null(jval_parse(STR("{\0}"), 100, 9, NULL));
    ck_assert_ptr_null(jval_parse(STR("\"a\0b\""), 100, 9, NULL));
    ck_assert_ptr_null(jval_parse(STR("\0"), 100, 9, NULL));
    ck_assert_ptr_null(jval_parse((struct str){NULL, 0}, 100, 9, NULL));
}
END_TEST

/* PRIV: what could not be read may be a token response. */
START_TEST(test_error_does_not_quote)
{
    static const char *const secrets[] = {
        "{\"access_token\":\"s3cr3t\"", "{\"access_token\":s3cr3t}", "s3cr3t",
        "{\"s3cr3t\":1,\"s3cr3t\":2}",  "[\"s3cr3t\xff\"]",          "{\"a\":\"s3cr3t\\u0000\"}",
        "{\"a\":\"s3cr3t\"} s3cr3t",
    };
    for (size_t i = 0; i < sizeof(secrets) / sizeof(secrets[0]); i++) {
        struct err e = ERR_INIT;
        ck_assert_ptr_null(jval_parse(str_of(secrets[i]), 1000, 9, &e));
        ck_assert_str_ne(e.text, "");
        ck_assert_ptr_null(strstr(e.text, "s3c"));
    }
}
END_TEST

START_TEST(test_size_limit_is_exact)
{
    struct err e = ERR_INIT;
    struct jval *v = jval_parse(STR("[1,2]"), 5, 1, &e);
    ck_assert_ptr_nonnull(v);
    jval_free(&v);
    ck_assert_ptr_null(jval_parse(STR("[1,2]"), 4, 1, &e));
    ck_assert_int_eq(e.kind, ERR_INVALID);
}
END_TEST

START_TEST(test_depth_limit_is_exact)
{
    for (unsigned depth = 1; depth < 40; depth++) {
        char text[400] = "";
        for (unsigned i = 0; i < depth; i++)
            strcat(text, i % 2 ? "{\"a\":" : "[");
        strcat(text, "0");
        for (unsigned i = depth; i-- > 0;)
            strcat(text, i % 2 ? "}" : "]");
        struct jval *v = jval_parse(str_of(text), 1000, depth, NULL);
        ck_assert_ptr_nonnull(v);
        jval_free(&v);
        ck_assert_ptr_null(jval_parse(str_of(text), 1000, depth - 1, NULL));
    }
    struct jval *v = jval_parse(STR("1"), 1000, 0, NULL);
    ck_assert_ptr_nonnull(v);
    jval_free(&v);
}
END_TEST

/* CB-16: 100 000 nested arrays are refused before a byte is allocated for them. */
START_TEST(test_100000_nested_arrays)
{
    size_t n = 100000;
    char *text = malloc(n);
    memset(text, '[', n);
    struct err e = ERR_INIT;
    ck_assert_ptr_null(jval_parse((struct str){text, n}, JSON_SIZE_MAX, JSON_DEPTH_MAX, &e));
    ck_assert_ptr_nonnull(strstr(e.text, "nested"));
    for (size_t i = 0; i < n; i++)
        text[i] = "{\"a\":"[i % 5];
    ck_assert_ptr_null(jval_parse((struct str){text, n}, JSON_SIZE_MAX, JSON_DEPTH_MAX, NULL));
    memset(text, ']', n);
    ck_assert_ptr_null(jval_parse((struct str){text, n}, JSON_SIZE_MAX, JSON_DEPTH_MAX, NULL));
    memset(text, '"', n);
    ck_assert_ptr_null(jval_parse((struct str){text, n}, JSON_SIZE_MAX, JSON_DEPTH_MAX, NULL));
    memset(text, '\\', n);
    text[0] = '"';
    ck_assert_ptr_null(jval_parse((struct str){text, n}, JSON_SIZE_MAX, JSON_DEPTH_MAX, NULL));
    free(text);
}
END_TEST

/* DOS: small values take the parser far more memory than input; their number is limited. */
START_TEST(test_number_of_values)
{
    size_t n = 3 * (size_t)JSON_VALUES_MAX + 1;
    char *text = malloc(n);
    text[0] = '[';
    for (size_t i = 1; i < n; i++)
        text[i] = "{},"[(i - 1) % 3];
    text[n - 1] = ']';
    struct err e = ERR_INIT;
    ck_assert_ptr_null(jval_parse((struct str){text, n}, JSON_SIZE_MAX, JSON_DEPTH_MAX, &e));
    ck_assert_ptr_nonnull(strstr(e.text, "values"));

    size_t fits = JSON_VALUES_MAX - 1; /* the array is one too */
    for (size_t i = 0; i < fits; i++) {
        text[1 + 2 * i] = '1';
        text[2 + 2 * i] = ',';
    }
    text[2 * fits] = ']';
    struct jval *v = jval_parse((struct str){text, 2 * fits + 1}, JSON_SIZE_MAX, 1, NULL);
    ck_assert_ptr_nonnull(v);
    ck_assert_uint_eq(jval_count(v), fits);
    jval_free(&v);
    free(text);
}
END_TEST

START_TEST(test_types)
{
    struct jval *v = parse("[null,true,1,2.5,\"t\",[],{}]");
    static const enum jval_type types[] = {JVAL_NULL, JVAL_BOOL,  JVAL_NUMBER, JVAL_NUMBER,
                                           JVAL_TEXT, JVAL_ARRAY, JVAL_OBJECT};
    for (size_t i = 0; i < 7; i++)
        ck_assert_int_eq(jval_type(jval_item(v, i)), types[i]);
    ck_assert_int_eq(jval_type(v), JVAL_ARRAY);
    ck_assert_int_eq(jval_type(NULL), JVAL_NONE);
    ck_assert_uint_eq(jval_count(v), 7);
    jval_free(&v);
    jval_free(&v);
}
END_TEST

/* CB: every getter meets every type, and NULL, without harm. */
START_TEST(test_wrong_types)
{
    static const char *const all[] = {"null",  "true", "1",         "2.5",
                                      "\"t\"", "[1]",  "{\"a\":1}", NULL};
    for (size_t i = 0; i < 8; i++) {
        struct jval *v = all[i] ? parse(all[i]) : NULL;
        int64_t n = 7;
        double d = 7;
        bool b = true;
        ck_assert_int_eq(jval_text(v) != NULL, i == 4);
        ck_assert_int_eq(jval_int(v, &n), i == 2);
        ck_assert_int_eq(jval_number(v, &d), i == 2 || i == 3);
        ck_assert_int_eq(jval_bool(v, &b), i == 1);
        ck_assert_int_eq(jval_item(v, 0) != NULL, i == 5);
        ck_assert_int_eq(jval_get(v, "a") != NULL, i == 6);
        ck_assert_uint_eq(jval_count(v), i == 5 || i == 6);
        ck_assert_int_eq(jval_at(v, "/a") != NULL, i == 6);
        ck_assert_int_eq(jval_at(v, "/0") != NULL, i == 5);
        void *iter = NULL;
        const char *key;
        const struct jval *member;
        ck_assert_int_eq(jval_next(v, &iter, &key, &member), i == 6);
        jval_free(&v);
    }
    struct jval *array = parse("[1]");
    ck_assert_ptr_null(jval_item(array, 1));
    ck_assert_ptr_null(jval_item(array, SIZE_MAX));
    jval_free(&array);
}
END_TEST

START_TEST(test_numbers)
{
    int64_t n = 7;
    double d = 0;
    struct jval *v =
        parse("[9223372036854775807,-9223372036854775808,1e300,1.0,1e3,-0,1700000000.5]");
    ck_assert(jval_int(jval_item(v, 0), &n) && n == INT64_MAX);
    ck_assert(jval_int(jval_item(v, 1), &n) && n == INT64_MIN);
    n = 7;
    ck_assert(!jval_int(jval_item(v, 2), &n));
    ck_assert(!jval_int(jval_item(v, 3), &n));
    ck_assert(!jval_int(jval_item(v, 4), &n));
    ck_assert(!jval_int(jval_item(v, 6), &n));
    ck_assert_int_eq(n, 7);
    ck_assert(jval_int(jval_item(v, 5), &n) && n == 0);
    ck_assert(jval_number(jval_item(v, 2), &d) && d > 9e299);
    ck_assert(jval_number(jval_item(v, 6), &d) && fabs(d - 1700000000.5) < 1e-6);
    ck_assert(jval_number(jval_item(v, 5), &d) && fabs(d) < 1e-9);
    jval_free(&v);
}
END_TEST

static const struct {
    const char *pointer;
    int64_t value;
} pointers[] = {
    {"/", 0},
    {"/a~1b", 1},
    {"/c%d", 2},
    {"/e^f", 3},
    {"/g|h", 4},
    {"/i\\j", 5},
    {"/k\"l", 6},
    {"/ ", 7},
    {"/m~0n", 8},
    {"/~01", 9},
    {"/x//", 10},
    {"/0", 11},
    {"/https:~1~1e.example~1roles", 12},
};

START_TEST(test_pointer) /* RFC 6901 section 5 */
{
    struct jval *v =
        parse("{\"foo\":[\"bar\",\"baz\"],\"\":0,\"a/b\":1,\"c%d\":2,\"e^f\":3,\"g|h\":4,"
              "\"i\\\\j\":5,\"k\\\"l\":6,\" \":7,\"m~n\":8,\"~1\":9,\"x\":{\"\":{\"\":10}},"
              "\"0\":11,\"https://e.example/roles\":12}");
    for (size_t i = 0; i < sizeof(pointers) / sizeof(pointers[0]); i++) {
        int64_t n = -1;
        ck_assert_msg(jval_int(jval_at(v, pointers[i].pointer), &n), "%s", pointers[i].pointer);
        ck_assert_int_eq(n, pointers[i].value);
    }
    ck_assert_ptr_eq(jval_at(v, ""), v);
    ck_assert_int_eq(jval_type(jval_at(v, "/foo")), JVAL_ARRAY);
    ck_assert_str_eq(jval_text(jval_at(v, "/foo/0")), "bar");
    ck_assert_str_eq(jval_text(jval_at(v, "/foo/1")), "baz");
    static const char *const nothing[] = {
        "foo",
        "/foo/2",
        "/foo/-",
        "/foo/00",
        "/foo/01",
        "/foo/-1",
        "/foo/+1",
        "/foo/ 1",
        "/foo/1 ",
        "/foo/",
        "/foo/0/",
        "/foo/0/x",
        "/foo/99999999999999999999",
        "/foo/18446744073709551617",
        "/m~n",
        "/m~2n",
        "/m~",
        "/missing",
        "/x/y/z",
        "/a/b",
        "//",
        "/foo/0x1",
        "/foo/1e0",
    };
    for (size_t i = 0; i < sizeof(nothing) / sizeof(nothing[0]); i++)
        ck_assert_msg(jval_at(v, nothing[i]) == NULL, "%s", nothing[i]);
    ck_assert_ptr_null(jval_at(NULL, "/a"));
    ck_assert_ptr_null(jval_at(NULL, ""));
    jval_free(&v);
}
END_TEST

START_TEST(test_members_in_order)
{
    struct jval *v = parse("{\"z\":1,\"a\":2,\"m\":3}");
    char keys[10] = "";
    void *iter = NULL;
    const char *key;
    const struct jval *value;
    int64_t sum = 0, n;
    while (jval_next(v, &iter, &key, &value)) {
        strcat(keys, key);
        ck_assert(jval_int(value, &n));
        sum = sum * 10 + n;
    }
    ck_assert_str_eq(keys, "zam");
    ck_assert_int_eq(sum, 123);
    jval_free(&v);
}
END_TEST

START_TEST(test_build_and_render)
{
    struct jval *v = jval_new_object();
    jval_set_text(v, "url", "https://e.example/\"<\\>\n\x7f\xc3\xa9");
    jval_set_int(v, "n", INT64_MIN);
    jval_set_bool(v, "yes", true);
    jval_set_bool(v, "no", false);
    jval_set_text(v, "nothing", NULL);
    struct jval *list = jval_new_array();
    jval_push(list, jval_new_text("a"));
    jval_push(list, jval_new_int(1));
    jval_push(list, jval_new_null());
    jval_push(list, jval_new_bool(true));
    jval_set(v, "list", list);
    jval_set_int(v, "n", 2); /* replaces, keeps its place */
    jval_set_int(v, "gone", 3);
    jval_remove(v, "gone");
    jval_remove(v, "never there");
    assert_renders(v,
                   "{\"url\":\"https://e.example/\\\"<\\\\>\\n\x7f\xc3\xa9\",\"n\":2,\"yes\":true,"
                   "\"no\":false,\"nothing\":null,\"list\":[\"a\",1,null,true]}");
    jval_free(&v);
    assert_renders(NULL, "null");
    v = jval_new_text("alone");
    assert_renders(v, "\"alone\"");
    jval_free(&v);
}
END_TEST

START_TEST(test_bad_utf8_is_repaired)
{
    struct jval *v = jval_new_object();
    jval_set_text(v, "a", "x\xffy\xe2\x82");
    jval_set_text(v, "k\xff", "v");
    assert_renders(v, "{\"a\":\"x\xef\xbf\xbdy\xef\xbf\xbd\",\"k\xef\xbf\xbd\":\"v\"}");
    jval_free(&v);
}
END_TEST

START_TEST(test_references)
{
    struct jval *v = parse("{\"a\":[1]}");
    struct jval *second = jval_ref(v);
    jval_free(&v);
    ck_assert_int_eq(jval_type(jval_get(second, "a")), JVAL_ARRAY);
    jval_free(&second);
}
END_TEST

START_TEST(test_copies)
{
    struct jval *v = parse("{\"a\":{\"b\":[1]}}");
    struct jval *inner = jval_copy(jval_get(v, "a"));
    jval_free(&v);
    jval_set_text(inner, "c", "more");
    assert_renders(inner, "{\"b\":[1],\"c\":\"more\"}");
    jval_free(&inner);
    ck_assert_ptr_null(jval_copy(NULL));
}
END_TEST

START_TEST(test_render_over_the_limit)
{
    struct jval *v = jval_new_array();
    for (int i = 0; i < 1000; i++)
        jval_push(v, jval_new_int(i));
    struct buf b;
    buf_init(&b, 100);
    jval_render(v, &b);
    ck_assert(!buf_ok(&b));
    ck_assert_uint_le(b.n, 100);
    buf_deinit(&b);
    jval_free(&v);
}
END_TEST

START_TEST(test_set_on_an_array_aborts)
{
    jval_set_int(jval_new_array(), "a", 1);
}
END_TEST

START_TEST(test_push_on_an_object_aborts)
{
    jval_push(jval_new_object(), jval_new_int(1));
}
END_TEST

/* What was rendered parses to what renders the same. */
START_TEST(test_round_trip)
{
    for (size_t i = 0; i < sizeof(accepted) / sizeof(accepted[0]); i++) {
        struct buf first, second;
        buf_init(&first, 10000);
        buf_init(&second, 10000);
        struct jval *v = parse(accepted[i]);
        jval_render(v, &first);
        struct jval *again = parse(first.p);
        ck_assert_ptr_nonnull(again);
        jval_render(again, &second);
        ck_assert_str_eq(first.p, second.p);
        jval_free(&v);
        jval_free(&again);
        buf_deinit(&first);
        buf_deinit(&second);
    }
}
END_TEST

/* What is quoted by hand reads as what it was. */
START_TEST(times_and_lists_of_rows)
{
    struct buf b;
    struct jval *o = jval_new_object();
    jval_set_time(o, "at", 1800000000);
    jval_set_time(o, "never", 0);
    jval_set(o, "all", jval_list("[\"a\",{\"b\":[1]}]"));
    jval_set(o, "none", jval_list(NULL));
    jval_set(o, "no", jval_list("{\"a\":1}"));
    jval_set(o, "broken", jval_list("[\"a\""));
    buf_init(&b, 1000);
    jval_render(o, &b);
    ck_assert_str_eq(b.p, "{\"at\":1800000000,\"never\":null,\"all\":[\"a\",{\"b\":[1]}],"
                          "\"none\":[],\"no\":[],\"broken\":[]}");
    buf_deinit(&b);
    jval_free(&o);
}
END_TEST

START_TEST(quoted_by_hand)
{
    static const char *const all[] = {"",           "plain",     "a \"b\" c",
                                      "\\",         "\\\"\\",    "\n\t\x01\x1f\x7f",
                                      "Zo\xc3\xab", "</script>", "\""};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        struct err err = ERR_INIT;
        struct buf out;
        buf_init(&out, 1000);
        json_quote(&out, all[i]);
        struct jval *v = jval_parse(buf_view(&out), 1000, 4, &err);
        ck_assert_msg(v && strcmp(jval_text(v), all[i]) == 0, "%s", out.p);
        jval_free(&v);
        buf_deinit(&out);
    }
}
END_TEST

Suite *suite_json(void)
{
    Suite *s = suite_create("json");
    TCase *t = tcase_create("json");
    tcase_add_loop_test(t, test_accepted, 0, (int)(sizeof(accepted) / sizeof(accepted[0])));
    tcase_add_loop_test(t, test_refused, 0, (int)(sizeof(refused) / sizeof(refused[0])));
    tcase_add_test(t, quoted_by_hand);
    tcase_add_test(t, times_and_lists_of_rows);
    tcase_add_test(t, test_nul_bytes);
    tcase_add_test(t, test_error_does_not_quote);
    tcase_add_test(t, test_size_limit_is_exact);
    tcase_add_test(t, test_depth_limit_is_exact);
    tcase_add_test(t, test_100000_nested_arrays);
    tcase_add_test(t, test_number_of_values);
    tcase_add_test(t, test_types);
    tcase_add_test(t, test_wrong_types);
    tcase_add_test(t, test_numbers);
    tcase_add_test(t, test_pointer);
    tcase_add_test(t, test_members_in_order);
    tcase_add_test(t, test_build_and_render);
    tcase_add_test(t, test_bad_utf8_is_repaired);
    tcase_add_test(t, test_references);
    tcase_add_test(t, test_render_over_the_limit);
    tcase_add_test(t, test_round_trip);
    tcase_add_test(t, test_copies);
    tcase_add_test_raise_signal(t, test_set_on_an_array_aborts, 6);
    tcase_add_test_raise_signal(t, test_push_on_an_object_aborts, 6);
    suite_add_tcase(s, t);
    return s;
}
