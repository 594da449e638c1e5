/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

Suite *suite_text(void);

static uint32_t dice(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

START_TEST(test_views)
{
    struct str none = {NULL, 0};
    ck_assert(str_eq(none, STR("")));
    ck_assert(str_is(str_of(NULL), ""));
    ck_assert(str_is(STR("abc"), "abc"));
    ck_assert(!str_is(STR("abc"), "abcd"));
    ck_assert(!str_eq(STR("a\0b"), STR("a\0c")));
    ck_assert(!str_is(STR("abc\0"), "abc"));

    ck_assert(str_is_nocase(STR("BeArEr"), "bearer"));
    ck_assert(str_is_nocase(none, ""));
    ck_assert(!str_is_nocase(STR("bear"), "bearer"));
    ck_assert(!str_is_nocase(STR("bearers"), "bearer"));
    ck_assert(!str_is_nocase(STR("[earer"), "{earer")); /* 0x20 apart, and no letters */
    ck_assert(!str_is_nocase(STR("\xc3\x89"), "\xc3\xa9"));
    ck_assert(!str_is_nocase(STR("a\0"), "a"));

    ck_assert(str_starts(STR("__Host-x"), "__Host-"));
    ck_assert(str_starts(none, ""));
    ck_assert(!str_starts(STR("__Hos"), "__Host-"));
    ck_assert(str_ends(STR("a.conf"), ".conf"));
    ck_assert(str_ends(none, ""));
    ck_assert(!str_ends(STR("conf"), ".conf"));
    ck_assert(!str_ends(STR("a.conf~"), ".conf"));
}
END_TEST

START_TEST(test_trim)
{
    ck_assert(str_is(str_trim(STR("  a\t b \t")), "a\t b"));
    ck_assert(str_is(str_trim(STR(" \t ")), ""));
    ck_assert(str_is(str_trim(STR("")), ""));
    ck_assert(str_is(str_trim(STR("\ra\n")), "\ra\n"));
    ck_assert_uint_eq(str_trim((struct str){NULL, 0}).n, 0);
}
END_TEST

START_TEST(test_split)
{
    struct str rest = STR(" a ,, b c,"), piece;
    ck_assert(str_split(&rest, ',', &piece));
    ck_assert(str_is(piece, "a"));
    ck_assert(str_split(&rest, ',', &piece));
    ck_assert(str_is(piece, ""));
    ck_assert(str_split(&rest, ',', &piece));
    ck_assert(str_is(piece, "b c"));
    ck_assert(str_split(&rest, ',', &piece));
    ck_assert(str_is(piece, ""));
    ck_assert(!str_split(&rest, ',', &piece));
    ck_assert(!str_split(&rest, ',', &piece));

    rest = STR("");
    ck_assert(str_split(&rest, ',', &piece));
    ck_assert(str_is(piece, ""));
    ck_assert(!str_split(&rest, ',', &piece));
    rest = (struct str){NULL, 0};
    ck_assert(!str_split(&rest, ',', &piece));
}
END_TEST

/* n separators make n + 1 pieces, whatever stands between them. */
START_TEST(test_split_counts)
{
    uint32_t seed = 7;
    for (int round = 0; round < 2000; round++) {
        char text[40];
        size_t n = dice(&seed) % sizeof(text), separators = 0, pieces = 0;
        for (size_t i = 0; i < n; i++) {
            text[i] = "ab ,\t"[dice(&seed) % 5];
            separators += text[i] == ',';
        }
        struct str rest = {text, n}, piece;
        while (str_split(&rest, ',', &piece)) {
            pieces++;
            ck_assert(piece.p >= text && piece.p + piece.n <= text + n);
            ck_assert_ptr_null(memchr(piece.p, ',', piece.n));
        }
        ck_assert_uint_eq(pieces, separators + 1);
    }
}
END_TEST

static const struct {
    const char *text;
    bool ok;
    int64_t value;
} ints[] = {
    {"0", true, 0},
    {"-0", true, 0},
    {"007", true, 7},
    {"-12", true, -12},
    {"9223372036854775807", true, INT64_MAX},
    {"-9223372036854775808", true, INT64_MIN},
    {"9223372036854775808", false, 0},
    {"-9223372036854775809", false, 0},
    {"18446744073709551616", false, 0},
    {"18446744073709551617", false, 0},
    {"99999999999999999999999", false, 0},
    {"", false, 0},
    {"-", false, 0},
    {"--1", false, 0},
    {"+1", false, 0},
    {" 1", false, 0},
    {"1 ", false, 0},
    {"1\n", false, 0},
    {"1.0", false, 0},
    {"1e3", false, 0},
    {"0x10", false, 0},
    {"\xd9\xa1", false, 0}, /* an Arabic-Indic one */
};

START_TEST(test_int)
{
    int64_t v = 77;
    ck_assert_int_eq(text_int(str_of(ints[_i].text), &v), ints[_i].ok);
    ck_assert_int_eq(v, ints[_i].ok ? ints[_i].value : 77);
}
END_TEST

START_TEST(test_duration_and_size)
{
    int64_t v = 77;
    ck_assert(text_duration(STR("90"), &v) && v == 90);
    ck_assert(text_duration(STR("90s"), &v) && v == 90);
    ck_assert(text_duration(STR("10m"), &v) && v == 600);
    ck_assert(text_duration(STR("12h"), &v) && v == 43200);
    ck_assert(text_duration(STR("30d"), &v) && v == 2592000);
    ck_assert(text_duration(STR("0"), &v) && v == 0);
    ck_assert(text_duration(STR("106751991167300d"), &v) && v == 106751991167300 * 86400);
    ck_assert(text_size(STR("4096"), &v) && v == 4096);
    ck_assert(text_size(STR("64k"), &v) && v == 65536);
    ck_assert(text_size(STR("1m"), &v) && v == 1048576);
    ck_assert(text_size(STR("2g"), &v) && v == INT64_C(2147483648));
    ck_assert(text_size(STR("9223372036854775807"), &v) && v == INT64_MAX);
    ck_assert(text_size(STR("9007199254740991k"), &v) && v == INT64_MAX - 1023);

    static const char *const wrong[] = {"",
                                        "s",
                                        "-1",
                                        "-1s",
                                        "1 s",
                                        " 1s",
                                        "1ss",
                                        "1w",
                                        "1M",
                                        "1S",
                                        "1.5h",
                                        "1h30m",
                                        "m1",
                                        "1s ",
                                        "9223372036854775808",
                                        "106751991167301d",
                                        "9223372036854775807m"};
    v = 77;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        ck_assert_msg(!text_duration(str_of(wrong[i]), &v), "%s", wrong[i]);
    ck_assert(!text_duration(STR("1\0"), &v));
    ck_assert(!text_size(STR("1K"), &v));
    ck_assert(!text_size(STR("1kb"), &v));
    ck_assert(!text_size(STR("9007199254740992k"), &v));
    ck_assert(!text_size(STR("-1k"), &v));
    ck_assert(!text_size(STR("k"), &v));
    ck_assert_int_eq(v, 77);
}
END_TEST

START_TEST(test_bool)
{
    static const char *const yes[] = {"true", "yes", "on", "1", "TRUE", "On"};
    static const char *const no[] = {"false", "no", "off", "0", "False", "OFF"};
    static const char *const neither[] = {"",     "y",    "n",         "2", "01",
                                          " yes", "yes ", "truefalse", "-1"};
    bool b;
    for (size_t i = 0; i < 6; i++) {
        b = false;
        ck_assert(text_bool(str_of(yes[i]), &b) && b);
        ck_assert(text_bool(str_of(no[i]), &b) && !b);
    }
    for (size_t i = 0; i < sizeof(neither) / sizeof(neither[0]); i++)
        ck_assert_msg(!text_bool(str_of(neither[i]), &b), "%s", neither[i]);
}
END_TEST

/* Every code point is accepted exactly once encoded, and every other encoding of it is not. */
START_TEST(test_utf8_every_code_point)
{
    for (uint32_t code = 0; code <= 0x110100; code++) {
        char c[4];
        size_t n;
        if (code < 0x80) {
            c[0] = (char)code;
            n = 1;
        } else if (code < 0x800) {
            c[0] = (char)(0xc0 | code >> 6);
            c[1] = (char)(0x80 | (code & 63));
            n = 2;
        } else if (code < 0x10000) {
            c[0] = (char)(0xe0 | code >> 12);
            c[1] = (char)(0x80 | (code >> 6 & 63));
            c[2] = (char)(0x80 | (code & 63));
            n = 3;
        } else {
            c[0] = (char)(0xf0 | code >> 18);
            c[1] = (char)(0x80 | (code >> 12 & 63));
            c[2] = (char)(0x80 | (code >> 6 & 63));
            c[3] = (char)(0x80 | (code & 63));
            n = 4;
        }
        bool real = code <= 0x10ffff && !(code >= 0xd800 && code <= 0xdfff);
        uint32_t got;
        size_t took = text_utf8_next((struct str){c, n}, &got);
        if (text_utf8((struct str){c, n}) != (real && code != 0) ||
            (real ? took != n || got != code : took != 1 || got != TEXT_MALFORMED))
            ck_abort_msg("U+%04x", code);
        for (size_t cut = 1; cut < n; cut++)
            if (text_utf8((struct str){c, cut}))
                ck_abort_msg("U+%04x cut to %zu", code, cut);
    }
}
END_TEST

START_TEST(test_utf8_malformed)
{
    static const char *const wrong[] = {
        "\x80",
        "\xbf",
        "\xc0\x80",
        "\xc0\xaf",
        "\xc1\xbf",
        "\xe0\x80\xaf",
        "\xe0\x9f\xbf",
        "\xed\xa0\x80",
        "\xed\xbf\xbf",
        "\xf0\x80\x80\xaf",
        "\xf0\x8f\xbf\xbf",
        "\xf4\x90\x80\x80",
        "\xf5\x80\x80\x80",
        "\xfe",
        "\xff",
        "a\xc3",
        "\xc3(",
        "\xe2\x82",
        "\xe2\x82(",
        "\xf0\x9f\x98",
        "ok\xf0\x9f\x98",
        "\xc3\xa9\x80",
        "\xf8\x88\x80\x80\x80",
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        ck_assert_msg(!text_utf8(str_of(wrong[i])), "case %zu", i);
    ck_assert(text_utf8((struct str){NULL, 0}));
    ck_assert(!text_utf8(STR("a\0b")));
}
END_TEST

/* One byte that does not belong, in every place of texts of every length around a word or two. */
START_TEST(test_utf8_one_bad_byte)
{
    static const char bad[] = {'\0', '\x80', '\xff'};
    for (size_t n = 1; n < 40; n++) {
        for (size_t at = 0; at < n; at++) {
            char *text = malloc(n);
            memset(text, 0x7f, n);
            text[at] = 0x01; /* a borrow from its neighbour must not be taken for NUL */
            ck_assert(text_utf8((struct str){text, n}));
            for (size_t i = 0; i < sizeof(bad); i++) {
                text[at] = bad[i];
                ck_assert(!text_utf8((struct str){text, n}));
            }
            free(text);
        }
    }
}
END_TEST

START_TEST(test_printable)
{
    for (int c = 0; c < 256; c++) {
        char byte = (char)c;
        ck_assert_int_eq(text_printable((struct str){&byte, 1}), c >= 0x21 && c <= 0x7e);
    }
    for (int c = 0; c < 256; c++)
        for (size_t at = 0; at < 19; at++) { /* eight at a time, and the rest */
            char text[] = "~!ABCDEFGHIJKLMNOP~";
            text[at] = (char)c;
            ck_assert_int_eq(text_printable((struct str){text, 19}), c >= 0x21 && c <= 0x7e);
        }
    ck_assert(text_printable((struct str){NULL, 0}));
    ck_assert(!text_printable(STR("a b")));
}
END_TEST

#define BAD "\xef\xbf\xbd"

/* ACCT-21, CB-09, JWT-43: names and descriptions that others chose. */
static const struct {
    const char *in, *out;
    size_t max;
} shown[] = {
    {"", "", 10},
    {"Ada", "Ada", 10},
    {"  Ada Lovelace\t ", "Ada Lovelace", 50},
    {"a\tb", "a" BAD "b", 50},
    {"a\r\nb", "a" BAD BAD "b", 50},
    {"\x1b[31mred\x7f", BAD "[31mred" BAD, 50},
    {"\xc2\x85\xc2\x9b", BAD BAD, 50},                     /* C1 */
    {"user\xe2\x80\xaegnp.exe", "user" BAD "gnp.exe", 50}, /* U+202E */
    {"\xe2\x81\xa6x\xe2\x81\xa9", BAD "x" BAD, 50},        /* U+2066, U+2069 */
    {"a\xe2\x80\xa8"
     "b",
     "a" BAD "b", 50}, /* U+2028 */
    {"\xef\xbb\xbf"
     "a",
     BAD "a", 50}, /* byte order mark */
    {"a\xff\xfe"
     "b",
     "a" BAD BAD "b", 50},
    {"a\xe2\x82", "a" BAD, 50},                     /* one cut character is one U+FFFD */
    {" \xc2\xa0\xe3\x80\x80\xe2\x80\x8b ", "", 50}, /* only blanks of several kinds */
    {"\xe3\x85\xa4", "", 50},                       /* Hangul filler */
    {"<b>\"x\"&</b>", "<b>\"x\"&</b>", 50},         /* escaping is the template's */
    {"\xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d", "\xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d", 50},
    {"abcdef", "abc", 3},
    {"abc", "abc", 3},
    {"ab\xc3\xa9", "ab", 3},
    {"ab\xc3\xa9", "ab\xc3\xa9", 4},
    {"ab\x01", "ab", 4}, /* no room for U+FFFD */
    {"ab cd", "ab", 3},  /* no blank at the cut */
    {"abc", "", 0},
};

START_TEST(test_display)
{
    char *out = malloc(shown[_i].max + 1);
    size_t n = text_display(str_of(shown[_i].in), out, shown[_i].max);
    ck_assert_str_eq(out, shown[_i].out);
    ck_assert_uint_eq(n, strlen(out));
    free(out);
}
END_TEST

START_TEST(test_display_of_noise)
{
    uint32_t seed = 3;
    for (int round = 0; round < 4000; round++) {
        char in[24], again[sizeof(in) * 3 + 1];
        size_t n = dice(&seed) % sizeof(in), max = dice(&seed) % sizeof(in);
        for (size_t i = 0; i < n; i++)
            in[i] = (char)(dice(&seed) % 3 ? " a\t\xe2\x80\xae\xf0\x9f\x98\xc3"[dice(&seed) % 10]
                                           : (int)(dice(&seed) & 255));
        char *out = malloc(max + 1);
        size_t length = text_display((struct str){in, n}, out, max);
        ck_assert_uint_le(length, max);
        ck_assert_uint_eq(strlen(out), length);
        ck_assert(text_utf8((struct str){out, length}));
        ck_assert_uint_eq(text_display((struct str){out, length}, again, sizeof(again) - 1),
                          length);
        ck_assert_str_eq(again, out); /* showing what was shown changes nothing */
        free(out);
    }
}
END_TEST

START_TEST(test_b64url_vectors) /* RFC 4648 section 10, without padding; RFC 7515 appendix C */
{
    static const char *const vectors[][2] = {{"", ""},
                                             {"f", "Zg"},
                                             {"fo", "Zm8"},
                                             {"foo", "Zm9v"},
                                             {"foob", "Zm9vYg"},
                                             {"fooba", "Zm9vYmE"},
                                             {"foobar", "Zm9vYmFy"},
                                             {"\x03\xec\xff\xe0\xc1", "A-z_4ME"}};
    for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
        char text[16], bytes[16];
        size_t n = strlen(vectors[i][0]), length;
        text_b64url(vectors[i][0], n, text);
        ck_assert_str_eq(text, vectors[i][1]);
        ck_assert_uint_eq(text_b64url_len(n), strlen(text));
        ck_assert(text_b64url_decode(str_of(text), bytes, n, &length));
        ck_assert_uint_eq(length, n);
        ck_assert_int_eq(memcmp(bytes, vectors[i][0], n), 0);
    }
    size_t n = 9;
    ck_assert(text_b64url_decode((struct str){NULL, 0}, NULL, 0, &n));
    ck_assert_uint_eq(n, 0);
}
END_TEST

START_TEST(test_b64url_round_trip)
{
    uint32_t seed = 5;
    for (size_t n = 0; n < 300; n++) {
        uint8_t in[300], out[300];
        for (size_t i = 0; i < n; i++)
            in[i] = (uint8_t)dice(&seed);
        char *text = malloc(text_b64url_len(n) + 1);
        text_b64url(in, n, text);
        size_t length = 0;
        ck_assert(text_b64url_decode(str_of(text), out, n, &length));
        ck_assert_uint_eq(length, n);
        ck_assert_int_eq(memcmp(in, out, n), 0);
        if (n)
            ck_assert(!text_b64url_decode(str_of(text), out, n - 1, &length));
        free(text);
    }
}
END_TEST

/* STATE-04, STATE-05, SESS-05: there is one spelling of each value, so no changed one gets through.
 */
START_TEST(test_b64url_one_spelling)
{
    uint8_t bytes[8];
    char text[16];
    size_t n, good = 0;
    for (int a = 0; a < 256; a++) {
        for (int b = 0; b < 256; b++) {
            char two[2] = {(char)a, (char)b};
            if (!text_b64url_decode((struct str){two, 2}, bytes, sizeof(bytes), &n))
                continue;
            good++;
            text_b64url(bytes, n, text);
            ck_assert_int_eq(memcmp(text, two, 2), 0);
        }
    }
    ck_assert_uint_eq(good, 256); /* one byte has 256 values and one spelling each */
    static const char *const wrong[] = {
        "Z",        "Zg==",    "Zg=",      "Zm8=", "Zh",   "Zm9",   "Zm9v=",
        "Zm9vY",    "Zm 9v",   "Zm9v\n",   "+w",   "/w",   "Zm9v.", "A\x80",
        "\xff\xff", "A-z/4ME", "Zm9vYg==", "====", "Z===",
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        ck_assert_msg(!text_b64url_decode(str_of(wrong[i]), bytes, sizeof(bytes), &n), "%s",
                      wrong[i]);
    ck_assert(!text_b64url_decode(STR("Zg\0\0"), bytes, sizeof(bytes), &n));
}
END_TEST

START_TEST(test_hex)
{
    uint8_t bytes[256], back[256];
    char text[513];
    size_t n = 0;
    for (int i = 0; i < 256; i++)
        bytes[i] = (uint8_t)i;
    text_hex(bytes, 256, text);
    ck_assert_uint_eq(strlen(text), 512);
    ck_assert_int_eq(memcmp(text, "000102", 6), 0);
    ck_assert_str_eq(text + 506, "fdfeff");
    ck_assert(text_hex_decode(str_of(text), back, 256, &n));
    ck_assert_uint_eq(n, 256);
    ck_assert_int_eq(memcmp(bytes, back, 256), 0);
    ck_assert(text_hex_decode(STR("aBcD"), back, 2, &n) && back[0] == 0xab && back[1] == 0xcd);
    ck_assert(text_hex_decode((struct str){NULL, 0}, NULL, 0, &n) && n == 0);
    static const char *const wrong[] = {"0",  "0g", "g0", " 0", "0x",
                                        "0:", "0/", "0@", "0`", "00112"};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        ck_assert_msg(!text_hex_decode(str_of(wrong[i]), back, sizeof(back), &n), "%s", wrong[i]);
    ck_assert(!text_hex_decode(STR("0011"), back, 1, &n));
    for (int c = 0; c < 256; c++) {
        static const char digits[] = "0123456789abcdefABCDEF";
        const char *at = c ? strchr(digits, c) : NULL;
        int value = at ? (int)(at - digits) : -1;
        ck_assert_int_eq(text_hex_digit((char)c), value > 15 ? value - 6 : value);
    }
}
END_TEST

START_TEST(test_distance)
{
    ck_assert_uint_eq(text_distance("", ""), 0);
    ck_assert_uint_eq(text_distance("", "abc"), 3);
    ck_assert_uint_eq(text_distance("abc", ""), 3);
    ck_assert_uint_eq(text_distance("kitten", "sitting"), 3);
    ck_assert_uint_eq(text_distance("client_id", "clinet_id"), 1);
    ck_assert_uint_eq(text_distance("client_id", "cliend_id"), 1);
    ck_assert_uint_eq(text_distance("client_id", "clientid"), 1);
    ck_assert_uint_eq(text_distance("a", "b"), 1);
    char a[200], b[200];
    memset(a, 'a', sizeof(a) - 1);
    a[sizeof(a) - 1] = '\0';
    strcpy(b, a);
    ck_assert_uint_eq(text_distance(a, b), 0);
    b[100] = 'b';
    ck_assert_uint_eq(text_distance(a, b), 199);
    a[63] = b[63] = '\0'; /* the longest that is compared in earnest */
    b[7] = 'b';
    ck_assert_uint_eq(text_distance(a, b), 1);
}
END_TEST

START_TEST(test_distance_is_a_distance)
{
    uint32_t seed = 11;
    for (int round = 0; round < 3000; round++) {
        char w[2][10];
        for (int i = 0; i < 2; i++) {
            size_t n = dice(&seed) % 9;
            for (size_t j = 0; j < n; j++)
                w[i][j] = (char)('a' + dice(&seed) % 3);
            w[i][n] = '\0';
        }
        unsigned d = text_distance(w[0], w[1]);
        size_t m = strlen(w[0]), n = strlen(w[1]);
        ck_assert_uint_eq(d, text_distance(w[1], w[0]));
        ck_assert_uint_ge(d, m > n ? m - n : n - m);
        ck_assert_uint_le(d, m > n ? m : n);
        ck_assert_int_eq(d == 0, strcmp(w[0], w[1]) == 0);
    }
}
END_TEST

START_TEST(test_nearest)
{
    static const char *const list[] = {"client_id", "client_secret", "scopes",
                                       "id",        "issuer",        NULL};
    static const char *const none[] = {NULL};
    ck_assert_str_eq(text_nearest("clinet_id", list), "client_id");
    ck_assert_str_eq(text_nearest("client_secert", list), "client_secret");
    ck_assert_str_eq(text_nearest("scope", list), "scopes");
    ck_assert_str_eq(text_nearest("isuer", list), "issuer");
    ck_assert_str_eq(text_nearest("id", list), "id");
    ck_assert_ptr_null(text_nearest("x", list));
    ck_assert_ptr_null(text_nearest("", list));
    ck_assert_ptr_null(text_nearest("unrelated", list));
    ck_assert_ptr_null(text_nearest("client_id", none));
}
END_TEST

Suite *suite_text(void)
{
    Suite *s = suite_create("text");
    TCase *t = tcase_create("text");
    tcase_add_test(t, test_views);
    tcase_add_test(t, test_trim);
    tcase_add_test(t, test_split);
    tcase_add_test(t, test_split_counts);
    tcase_add_loop_test(t, test_int, 0, (int)(sizeof(ints) / sizeof(ints[0])));
    tcase_add_test(t, test_duration_and_size);
    tcase_add_test(t, test_bool);
    tcase_add_test(t, test_utf8_every_code_point);
    tcase_add_test(t, test_utf8_malformed);
    tcase_add_test(t, test_utf8_one_bad_byte);
    tcase_add_test(t, test_printable);
    tcase_add_loop_test(t, test_display, 0, (int)(sizeof(shown) / sizeof(shown[0])));
    tcase_add_test(t, test_display_of_noise);
    tcase_add_test(t, test_b64url_vectors);
    tcase_add_test(t, test_b64url_round_trip);
    tcase_add_test(t, test_b64url_one_spelling);
    tcase_add_test(t, test_hex);
    tcase_add_test(t, test_distance);
    tcase_add_test(t, test_distance_is_a_distance);
    tcase_add_test(t, test_nearest);
    suite_add_tcase(s, t);
    return s;
}
