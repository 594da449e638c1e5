/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/url.h"

Suite *suite_url(void);

static struct arena *a;

static void setup(void)
{
    a = arena_new();
}

static void teardown(void)
{
    arena_free(&a);
}

static const struct {
    const char *text, *scheme, *host;
    int port;
    bool given, ip;
    const char *path, *query, *fragment, *origin;
} good[] = {
    {"https://e.example", "https", "e.example", 443, false, false, "/", NULL, NULL,
     "https://e.example"},
    {"http://e.example", "http", "e.example", 80, false, false, "/", NULL, NULL,
     "http://e.example"},
    {"https://e.example/", "https", "e.example", 443, false, false, "/", NULL, NULL,
     "https://e.example"},
    {"https://e.example:443/", "https", "e.example", 443, true, false, "/", NULL, NULL,
     "https://e.example"},
    {"https://e.example:80/", "https", "e.example", 80, true, false, "/", NULL, NULL,
     "https://e.example:80"},
    {"http://e.example:65535/a", "http", "e.example", 65535, true, false, "/a", NULL, NULL,
     "http://e.example:65535"},
    {"HTTPS://E.Example/Path", "https", "e.example", 443, false, false, "/Path", NULL, NULL,
     "https://e.example"},
    {"https://e.example?q", "https", "e.example", 443, false, false, "/", "q", NULL,
     "https://e.example"},
    {"https://e.example/?", "https", "e.example", 443, false, false, "/", "", NULL,
     "https://e.example"},
    {"https://e.example#f", "https", "e.example", 443, false, false, "/", NULL, "f",
     "https://e.example"},
    {"https://e.example/#", "https", "e.example", 443, false, false, "/", NULL, "",
     "https://e.example"},
    {"https://e.example/a/b;c?d=e&f=?/g#h?i/j", "https", "e.example", 443, false, false, "/a/b;c",
     "d=e&f=?/g", "h?i/j", "https://e.example"},
    {"https://e.example/%2f%5C%41?%42#%43", "https", "e.example", 443, false, false, "/%2f%5C%41",
     "%42", "%43", "https://e.example"},
    {"https://e.example//x/../y", "https", "e.example", 443, false, false, "//x/../y", NULL, NULL,
     "https://e.example"},
    {"https://e.example/@x:y", "https", "e.example", 443, false, false, "/@x:y", NULL, NULL,
     "https://e.example"},
    {"https://e.example?a@b", "https", "e.example", 443, false, false, "/", "a@b", NULL,
     "https://e.example"},
    {"https://xn--bcher-kva.example/", "https", "xn--bcher-kva.example", 443, false, false, "/",
     NULL, NULL, "https://xn--bcher-kva.example"},
    {"http://localhost:8080/", "http", "localhost", 8080, true, false, "/", NULL, NULL,
     "http://localhost:8080"},
    {"http://127.0.0.1:8080/x", "http", "127.0.0.1", 8080, true, true, "/x", NULL, NULL,
     "http://127.0.0.1:8080"},
    {"http://0.0.0.0/", "http", "0.0.0.0", 80, false, true, "/", NULL, NULL, "http://0.0.0.0"},
    {"https://255.255.255.255/", "https", "255.255.255.255", 443, false, true, "/", NULL, NULL,
     "https://255.255.255.255"},
    {"https://1.2.3.4.e.example/", "https", "1.2.3.4.e.example", 443, false, false, "/", NULL, NULL,
     "https://1.2.3.4.e.example"},
    {"https://[::1]/", "https", "::1", 443, false, true, "/", NULL, NULL, "https://[::1]"},
    {"http://[::1]:8080?q", "http", "::1", 8080, true, true, "/", "q", NULL, "http://[::1]:8080"},
    {"https://[2001:DB8::0:1]/", "https", "2001:db8::1", 443, false, true, "/", NULL, NULL,
     "https://[2001:db8::1]"},
    {"https://[::ffff:127.0.0.1]/", "https", "::ffff:127.0.0.1", 443, false, true, "/", NULL, NULL,
     "https://[::ffff:127.0.0.1]"},
    {"https://a/", "https", "a", 443, false, false, "/", NULL, NULL, "https://a"},
    {"https://e.example/{a}|b^`\"<>[]", "https", "e.example", 443, false, false, "/{a}|b^`\"<>[]",
     NULL, NULL, "https://e.example"},
};

static bool same(const char *x, const char *y)
{
    return x && y ? strcmp(x, y) == 0 : x == y;
}

START_TEST(test_good)
{
    struct url u;
    struct err e = ERR_INIT;
    int rc = url_parse(a, str_of(good[_i].text), &u, &e);
    ck_assert_msg(rc == 0, "%s: %s", good[_i].text, e.text);
    ck_assert_str_eq(u.scheme, good[_i].scheme);
    ck_assert_str_eq(u.host, good[_i].host);
    ck_assert_int_eq(u.port, good[_i].port);
    ck_assert_int_eq(u.port_given, good[_i].given);
    ck_assert_int_eq(u.host_is_ip, good[_i].ip);
    ck_assert_str_eq(u.path, good[_i].path);
    ck_assert_msg(same(u.query, good[_i].query), "%s", good[_i].text);
    ck_assert_msg(same(u.fragment, good[_i].fragment), "%s", good[_i].text);
    struct buf b;
    buf_init(&b, 300);
    url_origin(&u, &b);
    ck_assert_str_eq(b.p, good[_i].origin);

    struct url again; /* an origin is a URL of the same origin */
    ck_assert_int_eq(url_parse(a, buf_view(&b), &again, NULL), 0);
    ck_assert(url_same_origin(&u, &again));
    buf_deinit(&b);
}
END_TEST

static const char *const bad[] = {
    "",
    "e.example",
    "/path",
    "//e.example/",
    "https",
    "https:",
    "https:/",
    "https://",
    "https:///",
    "https://?q",
    "https://#f",
    "https://:443/",
    "://e.example",
    "ftp://e.example/",
    "httpsx://e.example",
    /* LOGIN-03, LOGIN-07 */
    "https:e.example",
    "https:/e.example",
    "https:///e.example",
    "javascript:alert(1)",
    "data:text/html,x",
    "vbscript:x",
    "blob:https://e.example/x",
    "java\tscript:x",
    "file:///etc/passwd",
    " https://e.example/",
    "https://e.example/ ",
    "\thttps://e.example",
    "http\ts://e.example/",
    "https://e.example/a b",
    "https://e.example/\r\nSet-Cookie:x=1",
    "https://e.exa\nmple/",
    "https://e.example/\x7f",
    "https://e.example/\x01",
    "https://e.example/\xc3\xa9",
    "https://b\303\274cher.example/",
    /* LOGIN-02 and what libcurl and browsers read differently */
    "https:\\\\e.example",
    "https://e.example\\@evil.example/",
    "https://e.example/\\x",
    "https:/\\e.example",
    "http://127.0.0.1:80\\@example.com/",
    "https://e.example?\\",
    "https://e.example#\\",
    /* LOGIN-08: userinfo */
    "https://a@e.example/",
    "https://a:b@e.example/",
    "https://@e.example/",
    "https://e.example@",
    "https://e.example:80@evil.example/",
    "https://e.example%40evil.example/",
    "https://:@e.example",
    /* LOGIN-11, LOGIN-12: host and port */
    "https://e.example./",
    "https://.e.example/",
    "https://e..example/",
    "https://-e.example/",
    "https://e-.example/",
    "https://e_x.example/",
    "https://e.example,evil.example/",
    "https://*.example/",
    "https://e%2eexample/",
    "https://e.example:/",
    "https://e.example:0/",
    "https://e.example:65536/",
    "https://e.example:99999/",
    "https://e.example:100000/",
    "https://e.example:080/",
    "https://e.example:-1/",
    "https://e.example:+80/",
    "https://e.example:8a/",
    "https://e.example:80:80/",
    "https://e.example;x/",
    "https://e.example&x/",
    "https://e.example'/",
    "https://(e.example)/",
    /* LOGIN-14: addresses in other spellings */
    "http://2130706433/",
    "http://0177.0.0.1/",
    "http://0177.1/",
    "http://0x7f.1/",
    "http://0x7f000001/",
    "http://0/",
    "http://127.1/",
    "http://127.0.1/",
    "http://127.0.0.1./",
    "http://127.0.0.01/",
    "http://127.0.0.256/",
    "http://127.0.0.0.1/",
    "http://1.2.3.4.5/",
    "http://127.0.0.1a.2/",
    "http://e.0x7f/",
    "http://e.0x/",
    "http://e.1/",
    "https://a-b.1c.2/3",
    "http://0X7F.1/",
    "http://127.0.0.-1/",
    "http://127..0.1/",
    "http://1.2.3./",
    "http://256.256.256.256/",
    "http://00.0.0.0/",
    "http://[]/",
    "http://[::1",
    "http://::1/",
    "http://[::1]x/",
    "http://[::1]:/",
    "http://[::1]80/",
    "http://[::1%25lo]/",
    "http://[::1%lo]/",
    "http://[fe80::1%eth0]/",
    "http://[1::2::3]/",
    "http://[1:2:3:4:5:6:7:8:9]/",
    "http://[12345::]/",
    "http://[g::]/",
    "http://[127.0.0.1]/",
    "http://[::127.0.0.256]/",
    "http://[::1]]/",
    "http://[[::1]]/",
    "http://x[::1]/",
    "http://]/",
    "http://[v1.a]/",
    /* malformed triplets */
    "https://e.example/%",
    "https://e.example/%4",
    "https://e.example/%zz",
    "https://e.example/?%",
    "https://e.example/?a=%4",
    "https://e.example/#%g0",
    "https://e.example/%%41",
    "https://e.example/%4?1",
    "https://e.example/#a#b",
};

START_TEST(test_bad)
{
    struct url u;
    struct err e = ERR_INIT;
    ck_assert_msg(url_parse(a, str_of(bad[_i]), &u, &e) == -1, "'%s' was accepted", bad[_i]);
    ck_assert_int_eq(e.kind, ERR_INVALID);
}
END_TEST

START_TEST(test_nul_and_nothing)
{
    struct url u;
    ck_assert_int_eq(url_parse(a, (struct str){NULL, 0}, &u, NULL), -1);
    ck_assert_int_eq(url_parse(a, STR("https://e.example/\0"), &u, NULL), -1);
    ck_assert_int_eq(url_parse(a, STR("https://e.ex\0ample/"), &u, NULL), -1);
    ck_assert_int_eq(url_parse(a, STR("http\0s://e.example/"), &u, NULL), -1);
}
END_TEST

/* Every byte in every place of the host: only letters, digits, '-' and '.' make one. */
START_TEST(test_every_byte_in_the_host)
{
    for (int c = 0; c < 256; c++) {
        char text[] = "https://a?b.example/";
        text[9] = (char)c;
        struct url u;
        int rc = url_parse(a, (struct str){text, sizeof(text) - 1}, &u, NULL);
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      c == '-' || c == '.';
        bool ends = c == '/' || c == '?' || c == '#';
        ck_assert_msg((rc == 0) == (letter || ends), "byte 0x%02x", (unsigned)c);
        if (ends)
            ck_assert_str_eq(u.host, "a");
    }
}
END_TEST

START_TEST(test_lengths_of_hosts)
{
    char text[400];
    struct url u;
    for (size_t n = 62; n <= 64; n++) {
        strcpy(text, "https://");
        memset(text + 8, 'a', n);
        strcpy(text + 8 + n, ".example");
        ck_assert_int_eq(url_parse(a, str_of(text), &u, NULL), n <= 63 ? 0 : -1);
    }
    for (size_t n = 252; n <= 255; n++) {
        strcpy(text, "https://");
        for (size_t i = 0; i < n; i++)
            text[8 + i] = i % 50 == 49 ? '.' : 'a';
        text[8 + n] = '\0';
        ck_assert_int_eq(url_parse(a, str_of(text), &u, NULL), n <= 253 ? 0 : -1);
    }
}
END_TEST

/* LOGIN-18: 64 KiB are parsed as soon as somebody asks for it; limits are the caller's. */
START_TEST(test_long_path)
{
    size_t n = 65536;
    char *text = malloc(n + 1);
    memset(text, 'a', n);
    memcpy(text, "https://e.example/", 18);
    text[n] = '\0';
    struct url u;
    ck_assert_int_eq(url_parse(a, str_of(text), &u, NULL), 0);
    ck_assert_uint_eq(strlen(u.path), n - 17);
    free(text);
}
END_TEST

START_TEST(test_same_origin)
{
    static const struct {
        const char *a, *b;
        bool same;
    } pairs[] = {
        {"https://e.example", "https://e.example:443/x?y#z", true},
        {"https://e.example", "HTTPS://E.EXAMPLE", true},
        {"http://e.example:80", "http://e.example", true},
        {"https://[::1]", "https://[0:0:0:0:0:0:0:1]", true},
        {"https://e.example", "http://e.example", false},
        {"https://e.example", "http://e.example:443", false},
        {"https://e.example", "https://e.example:444", false},
        {"https://e.example", "https://a.e.example", false},
        {"https://e.example", "https://e.example.evil.example", false},
        {"https://e.example", "https://evil-e.example", false},
    };
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        struct url x, y;
        ck_assert_int_eq(url_parse(a, str_of(pairs[i].a), &x, NULL), 0);
        ck_assert_int_eq(url_parse(a, str_of(pairs[i].b), &y, NULL), 0);
        ck_assert_msg(url_same_origin(&x, &y) == pairs[i].same, "%s %s", pairs[i].a, pairs[i].b);
    }
}
END_TEST

START_TEST(test_loopback)
{
    static const char *const yes[] = {"http://127.0.0.1",   "http://127.255.255.254:1",
                                      "http://[::1]:9",     "http://localhost",
                                      "http://LOCALHOST/x", "http://[0::1]"};
    static const char *const no[] = {"http://127.example",   "http://127.0.0.1.example",
                                     "http://128.0.0.1",     "http://localhost.example",
                                     "http://x.localhost",   "http://0.0.0.0",
                                     "http://[::]",          "http://[::ffff:127.0.0.1]",
                                     "http://[::127.0.0.1]", "http://10.127.0.1"};
    struct url u;
    for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++) {
        ck_assert_int_eq(url_parse(a, str_of(yes[i]), &u, NULL), 0);
        ck_assert_msg(url_is_loopback(&u), "%s", yes[i]);
    }
    for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++) {
        ck_assert_int_eq(url_parse(a, str_of(no[i]), &u, NULL), 0);
        ck_assert_msg(!url_is_loopback(&u), "%s", no[i]);
    }
}
END_TEST

/* FWD-17 */
START_TEST(test_host_valid)
{
    static const char *const yes[] = {"e.example",
                                      "a",
                                      "localhost",
                                      "127.0.0.1",
                                      "[::1]",
                                      "1e.example",
                                      "xn--bcher-kva.example",
                                      "a-b.c",
                                      "[2001:db8::1]",
                                      "0x7f.example"};
    static const char *const no[] = {
        "",
        "E.example",
        "e.example.",
        ".e.example",
        "e.example:80",
        "e example",
        "e.example,x",
        "*",
        "*.example",
        "e_x",
        "-a",
        "a-",
        "1.2.3",
        "1.2.3.4.5",
        "01.2.3.4",
        "0x7f",
        "1",
        "::1",
        "[::1",
        "::1]",
        "[]",
        "[::1]:80",
        "[::1%lo]",
        "[0::1]",
        "[2001:DB8::1]",
        "[127.0.0.1]",
        "e.example/",
        "e@example",
        "b\303\274cher.example",
        "e.example\n",
        "[::ffff:7f00:1]",
    };
    for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++)
        ck_assert_msg(url_host_valid(str_of(yes[i])), "%s", yes[i]);
    for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++)
        ck_assert_msg(!url_host_valid(str_of(no[i])), "%s", no[i]);
    ck_assert(!url_host_valid(STR("e.exam\0ple")));
    ck_assert(!url_host_valid(STR("[::1\0]")));
    ck_assert(!url_host_valid((struct str){NULL, 0}));
}
END_TEST

Suite *suite_url(void)
{
    Suite *s = suite_create("url");
    TCase *t = tcase_create("url");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_loop_test(t, test_good, 0, (int)(sizeof(good) / sizeof(good[0])));
    tcase_add_loop_test(t, test_bad, 0, (int)(sizeof(bad) / sizeof(bad[0])));
    tcase_add_test(t, test_nul_and_nothing);
    tcase_add_test(t, test_every_byte_in_the_host);
    tcase_add_test(t, test_lengths_of_hosts);
    tcase_add_test(t, test_long_path);
    tcase_add_test(t, test_same_origin);
    tcase_add_test(t, test_loopback);
    tcase_add_test(t, test_host_valid);
    suite_add_tcase(s, t);
    return s;
}
