/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>

#include "serve_fixture.h"

static struct http_answer a;

static void ask(const char *request) { serve_fixture_ask(request, &a); }

/* What a handler saw of a GET /look with these header lines. */
static const char *look(const char *lines)
{
    char request[8192];
    ck_assert_int_lt(snprintf(request, sizeof request, "GET /look HTTP/1.1\r\n" HOST "%s\r\n",
                              lines),
                     (int)sizeof request);
    sf.seen[0] = 0;
    ask(request);
    return sf.seen;
}

#define SAW(lines, text)                                                                           \
    ck_assert_msg(strstr(look(lines), text) != NULL, "%s not in %s", text, sf.seen)

/* ---- reading ---- */

START_TEST(paths_and_queries)
{
    static const struct {
        const char *target, *seen;
    } rows[] = {
        {"/look", "GET /look rest= "},
        {"/item/a-b", "GET /item/a-b rest=a-b "},
        {"/look?a=b&c", "query=[a=b][c=]"},
        {"/look?a=%20%C3%AB+", "query=[a= \xc3\xab ]"},
        {"/look?a=b&a=c", "query=[a=b][a=c]"},
        {"/look?a=%zz", "query=malformed"},
        {"/look?a=%4", "query=malformed"},
        {"/look?a=%00", "query=malformed"},
        {"/look?a=%ff", "query=malformed"},
    };
    char request[256];
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        snprintf(request, sizeof request, "GET %s HTTP/1.1\r\n" HOST "\r\n", rows[i].target);
        ask(request);
        ck_assert_msg(strstr(sf.seen, rows[i].seen) != NULL, "%s: %s", rows[i].target, sf.seen);
    }
    ask("HEAD /look HTTP/1.1\r\n" HOST "\r\n");
    ck_assert_ptr_nonnull(strstr(sf.seen, "HEAD /look"));
    ck_assert_uint_eq(a.body_n, 0);
    ck_assert_int_gt(strtol(http_header(&a, "Content-Length"), NULL, 10), 0);
}
END_TEST

START_TEST(too_many_fields)
{
    struct buf b;
    buf_init(&b, 8192);
    buf_text(&b, "GET /look?");
    for (int i = 0; i < 65; i++)
        buf_text(&b, "a&");
    buf_text(&b, " HTTP/1.1\r\n" HOST "\r\n");
    ask(b.p);
    ck_assert_ptr_nonnull(strstr(sf.seen, "query=malformed"));
    buf_deinit(&b);
}
END_TEST

START_TEST(header_values)
{
    SAW("X-One: a b\r\n", "x-one=a b ");
    SAW("x-ONE:a\r\n", "x-one=a ");
    SAW("X-One:\r\n", "x-one=none ");
    SAW("X-Two: a\r\n", "x-one=none ");
    SAW("X-One: a\r\nx-one: b\r\n", "x-one=many ");
    SAW("X-One: a\r\nx-one:\r\n", "x-one=many ");
}
END_TEST

/* SESS-08, STATE-13, HTTP-17 */
START_TEST(cookies)
{
    SAW("", "cookie=0:");
    SAW("Cookie: k=v\r\n", "cookie=1:v ");
    SAW("Cookie: a=b; k=v; c=d\r\n", "cookie=1:v ");
    SAW("Cookie: a=b\r\nCookie: k=v\r\n", "cookie=1:v ");
    SAW("Cookie: k=\r\n", "cookie=1: ");
    SAW("Cookie: k=\"v\"\r\n", "cookie=1:\"v\" ");
    SAW("Cookie: a=\"x; k=v; y\"\r\n", "cookie=1:v "); /* as browsers cut it, not the library */
    SAW("Cookie: K=v\r\n", "cookie=0:");
    SAW("Cookie: kk=v\r\n", "cookie=0:");
    SAW("Cookie: k\r\n", "cookie=0:");
    SAW("Cookie: ;;;=;k\r\n", "cookie=0:");
    SAW("Cookie: k=v; k=w\r\n", "cookie=-1:");
    SAW("Cookie: k=v; k=v\r\n", "cookie=-1:");
    SAW("Cookie: k=v\r\nCookie: k=w\r\n", "cookie=-1:");
    SAW("Cookie: k=v\r\nCookie: a=b\r\nCookie: k=w\r\n", "cookie=-1:");
}
END_TEST

/* FWD-08 */
START_TEST(clients_behind_trusted_proxies)
{
    SAW("", "client=127.0.0.1 trusted=1");
    SAW("X-Forwarded-For: 192.0.2.1\r\n", "client=192.0.2.1 ");
    SAW("X-Forwarded-For: 6.6.6.6, 192.0.2.1\r\n", "client=192.0.2.1 ");
    SAW("X-Forwarded-For: 192.0.2.1, 127.0.0.1\r\n", "client=192.0.2.1 ");
    SAW("X-Forwarded-For: 6.6.6.6,192.0.2.1 ,\t127.0.0.1\r\n", "client=192.0.2.1 ");
    SAW("X-Forwarded-For: 127.0.0.1\r\n", "client=127.0.0.1 ");
    SAW("X-Forwarded-For: 2001:DB8::1\r\n", "client=2001:db8::1 ");
    /* What does not parse ends the walk where it was. */
    SAW("X-Forwarded-For: \r\n", "client=127.0.0.1 ");
    SAW("X-Forwarded-For: ,192.0.2.1\r\n", "client=192.0.2.1 ");
    SAW("X-Forwarded-For: 192.0.2.1,\r\n", "client=127.0.0.1 ");
    SAW("X-Forwarded-For: unknown\r\n", "client=127.0.0.1 ");
    SAW("X-Forwarded-For: 192.0.2.1, unknown, 127.0.0.1\r\n", "client=127.0.0.1 ");
    SAW("X-Forwarded-For: 192.0.2.1:4711\r\n", "client=127.0.0.1 ");
    SAW("X-Forwarded-For: [2001:db8::1]:4711\r\n", "client=127.0.0.1 ");
    SAW("X-Forwarded-For: 192.0.2.1\r\nX-Forwarded-For: 192.0.2.2\r\n", "client=127.0.0.1 ");

    struct buf b;
    buf_init(&b, 8192);
    buf_text(&b, "X-Forwarded-For: 6.6.6.6");
    for (int i = 0; i < 300; i++)
        buf_text(&b, ", 127.0.0.1");
    buf_text(&b, "\r\n");
    SAW(b.p, "client=127.0.0.1 ");
    buf_deinit(&b);
}
END_TEST

/* FWD-06, FWD-07 */
START_TEST(clients_that_are_no_proxies)
{
    static const char *const others[] = {"10.0.0.0/8", NULL};
    struct serve_options o;
    serve_fixture_options(&o);
    o.trusted_proxies = others;
    serve_fixture_start_with(&o);
    SAW("X-Forwarded-For: 192.0.2.1\r\nForwarded: for=192.0.2.1\r\nX-Real-IP: 192.0.2.1\r\n",
        "client=127.0.0.1 trusted=0");
    serve_fixture_stop();
    o.trusted_proxies = NULL;
    serve_fixture_start_with(&o);
    SAW("X-Forwarded-For: 192.0.2.1\r\n", "client=127.0.0.1 trusted=0");
    serve_fixture_stop();
}
END_TEST

/* STATE-21, STATE-22 */
START_TEST(same_origin)
{
    static const char *const yes[] = {
        "Origin: https://usher.test\r\n",
        "Sec-Fetch-Site: same-origin\r\n",
        "Sec-Fetch-Site: same-origin\r\nOrigin: https://usher.test\r\n",
    };
    static const char *const no[] = {
        "",
        "Origin: null\r\n",
        "Origin: http://usher.test\r\n",
        "Origin: https://usher.test.\r\n",
        "Origin: https://usher.test:443\r\n",
        "Origin: https://usher.test:8443\r\n",
        "Origin: https://usher.test/\r\n",
        "Origin: https://USHER.test\r\n",
        "Origin: https://evil.example\r\n",
        "Origin: https://usher.test evil\r\n",
        "Sec-Fetch-Site: cross-site\r\n",
        "Sec-Fetch-Site: same-site\r\n",
        "Sec-Fetch-Site: none\r\n",
        "Sec-Fetch-Site: same-origin, cross-site\r\n",
        "Sec-Fetch-Site: same-origin\r\nSec-Fetch-Site: same-origin\r\n",
        "Sec-Fetch-Site: same-origin\r\nOrigin: null\r\n",
        "Sec-Fetch-Site: same-origin\r\nOrigin: https://evil.example\r\n",
        "Sec-Fetch-Site: cross-site\r\nOrigin: https://usher.test\r\n",
        "Referer: https://usher.test/\r\n",
    };
    for (size_t i = 0; i < sizeof yes / sizeof *yes; i++)
        SAW(yes[i], "same=1");
    for (size_t i = 0; i < sizeof no / sizeof *no; i++)
        SAW(no[i], "same=0");
}
END_TEST

START_TEST(forms)
{
    static const struct {
        const char *body, *seen;
    } rows[] = {
        {"", ""},
        {"a=b&c=d", "[a=b][c=d]"},
        {"a=%26%3D", "[a=&=]"},
        {"c=%zz&d=%4&%00k=v", "malformed"},
        {"a=%00", "malformed"},
        {"a=\xff", "malformed"},
    };
    char request[512];
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        snprintf(request, sizeof request,
                 "POST /form HTTP/1.1\r\n" HOST "Content-Length: %zu\r\n"
                 "Content-Type: application/x-www-form-urlencoded\r\n\r\n%s",
                 strlen(rows[i].body), rows[i].body);
        ask(request);
        ck_assert_str_eq(a.body, rows[i].seen);
    }
}
END_TEST

/* ADM-11, HTTP-14 */
START_TEST(json_bodies)
{
    static const struct {
        const char *body, *seen;
    } rows[] = {
        {"", "json=0:"},
        {"{}", "json=1:{}"},
        {" {\"a\": [1, \"\xc3\xab\", null]} ", "json=1:{\"a\":[1,\"\xc3\xab\",null]}"},
        {"[]", "json=1:[]"},
        {"1", "json=1:1"},
        {"{\"a\":1,\"a\":2}", "json=-1:"},
        {"{\"a\":{\"b\":1,\"b\":1}}", "json=-1:"},
        {"{\"a\":1}x", "json=-1:"},
        {"{\"a\":1}{}", "json=-1:"},
        {"{", "json=-1:"},
        {" ", "json=-1:"},
        {"{a:1}", "json=-1:"},
        {"{\"a\":\"\xff\"}", "json=-1:"},
        {"{\"a\":\"\\u0000\"}", "json=-1:"},
        {"{\"a\":\"\\ud800\"}", "json=-1:"},
        {"{\"a\":NaN}", "json=-1:"},
        {"\xef\xbb\xbf{}", "json=-1:"},
        {"[[[[[[[[[1]]]]]]]]]", "json=-1:"},
    };
    char request[512];
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        snprintf(request, sizeof request,
                 "POST /json HTTP/1.1\r\n" HOST "Content-Length: %zu\r\n"
                 "Content-Type: application/json\r\n\r\n%s",
                 strlen(rows[i].body), rows[i].body);
        ask(request);
        ck_assert_int_eq(a.status, 200);
        const char *seen = strstr(a.body, "json=");
        ck_assert_msg(seen && strcmp(seen, rows[i].seen) == 0, "%s: %s", rows[i].body, a.body);
    }
}
END_TEST

/* One request leaves nothing behind for the next on the same connection. */
START_TEST(nothing_stays)
{
    struct http_conn *c = http_open(sf.loop, sf.port);
    http_ask(c, "GET /item/secret?a=b HTTP/1.1\r\n" HOST "X-One: 1\r\nCookie: k=v\r\n\r\n", &a);
    http_ask(c, "POST /form HTTP/1.1\r\n" HOST "Content-Length: 3\r\n"
                "Content-Type: application/x-www-form-urlencoded\r\n\r\na=b", &a);
    http_ask(c, "GET /reflect?v=/x HTTP/1.1\r\n" HOST "\r\n", &a);
    http_ask(c, "GET /look HTTP/1.1\r\n" HOST "\r\n", &a);
    ck_assert_str_eq(sf.seen, "GET /look rest= client=127.0.0.1 trusted=1 x-one=none cookie=0: "
                              "same=0 query=");
    ck_assert_ptr_null(http_header(&a, "X-Value"));
    ck_assert_ptr_null(http_header(&a, "Location"));
    http_ask(c, "POST /form HTTP/1.1\r\n" HOST "\r\n", &a);
    ck_assert_str_eq(a.body, "");
    http_ask(c,
             "PUT /json/x HTTP/1.1\r\n" HOST "Content-Type: application/json\r\n"
             "Content-Length: 7\r\n\r\n{\"a\":1}",
             &a);
    ck_assert_ptr_nonnull(strstr(a.body, "json=1:{\"a\":1}"));
    http_ask(c, "POST /json HTTP/1.1\r\n" HOST "\r\n", &a);
    ck_assert_str_eq(a.body, "POST ,, data=add local=0 peer=0 json=0:");
    http_close(&c);
}
END_TEST

/* ---- answering ---- */

/* PRIV-03, LOGIN-27 */
START_TEST(security_headers)
{
    static const char *const requests[] = {
        "GET /plain HTTP/1.1\r\n" HOST "\r\n",   "GET /nothing HTTP/1.1\r\n" HOST "\r\n",
        "GET /fault HTTP/1.1\r\n" HOST "\r\n",   "GET /reflect?v=/x HTTP/1.1\r\n" HOST "\r\n",
        "GET /plain HTTP/1.1\r\nHost: b\r\n\r\n",
    };
    static const struct {
        const char *name, *value;
    } wanted[] = {
        {"Cache-Control", "no-store"},
        {"Content-Security-Policy",
         "default-src 'none'; style-src 'self'; img-src 'self' https: http:; form-action 'self'; "
         "base-uri 'none'; frame-ancestors 'none'"},
        {"X-Content-Type-Options", "nosniff"},
        {"X-Frame-Options", "DENY"},
        {"Referrer-Policy", "no-referrer"},
        {"Cross-Origin-Opener-Policy", "same-origin"},
    };
    for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
        ask(requests[i]);
        for (size_t k = 0; k < sizeof wanted / sizeof *wanted; k++) {
            ck_assert_uint_eq(http_header_count(&a, wanted[k].name), 1);
            ck_assert_str_eq(http_header(&a, wanted[k].name), wanted[k].value);
        }
        ck_assert_ptr_null(http_header(&a, "Strict-Transport-Security"));
        ck_assert_ptr_null(http_header(&a, "Server"));
    }
    ask("GET /empty HTTP/1.1\r\n" HOST "\r\n");
    ck_assert_str_eq(http_header(&a, "Cache-Control"), "no-store");
}
END_TEST

START_TEST(security_headers_over_https)
{
    struct serve_options o;
    serve_fixture_options(&o);
    o.hsts = true;
    serve_fixture_start_with(&o);
    ask("GET /plain HTTP/1.1\r\n" HOST "\r\n");
    ck_assert_str_eq(http_header(&a, "Strict-Transport-Security"), "max-age=31536000");
    ck_assert_ptr_null(strstr(http_header(&a, "Content-Security-Policy"), "http:"));
    serve_fixture_stop();
}
END_TEST

/* HTTP-11, LOGIN-06: a value that would split the answer is no answer at all. */
START_TEST(values_that_would_split_an_answer)
{
    static const char *const values[] = {"/a%0d%0aSet-Cookie:%20x=1", "/a%0dx", "/a%0ax",
                                         "%0d%0a%0d%0a<script>"};
    char request[256];
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        snprintf(request, sizeof request, "GET /reflect?v=%s HTTP/1.1\r\n" HOST "\r\n", values[i]);
        ask(request);
        ck_assert_int_eq(a.status, 500);
        ck_assert_ptr_null(http_header(&a, "Set-Cookie"));
        ck_assert_ptr_null(http_header(&a, "Location"));
        ck_assert_uint_eq(a.body_n, 0);
        ck_assert_str_eq(http_header(&a, "Cache-Control"), "no-store");
    }
    ask("GET /reflect?v=/fine HTTP/1.1\r\n" HOST "\r\n");
    ck_assert_int_eq(a.status, 303);
    ck_assert_str_eq(http_header(&a, "Location"), "/fine");
}
END_TEST

/* None is left out without a word. */
START_TEST(more_headers_than_there_is_room_for)
{
    ask("GET /headers?n=24 HTTP/1.1\r\n" HOST "\r\n");
    ck_assert_int_eq(a.status, 200);
    ck_assert_str_eq(http_header(&a, "X-N-23"), "v");
    ask("GET /headers?n=25 HTTP/1.1\r\n" HOST "\r\n");
    ck_assert_int_eq(a.status, 500);
    ck_assert_ptr_null(http_header(&a, "X-N-0"));
    ask("GET /plain HTTP/1.1\r\n" HOST "\r\n");
    ck_assert_int_eq(a.status, 200);
}
END_TEST

START_TEST(errors_without_a_page)
{
    ask("GET /fault HTTP/1.1\r\n" HOST "\r\n");
    ck_assert_int_eq(a.status, 503);
    ck_assert_str_eq(a.body, "Not now.");
    ck_assert_str_eq(http_header(&a, "Content-Type"), "text/plain; charset=utf-8");
}
END_TEST

START_TEST(request_ids_differ)
{
    char first[64];
    ask("GET /plain HTTP/1.1\r\n" HOST "X-Request-Id: mine\r\n\r\n");
    snprintf(first, sizeof first, "%s", http_header(&a, "X-Request-Id"));
    ck_assert_str_ne(first, "mine");
    ask("GET /plain HTTP/1.1\r\n" HOST "\r\n");
    ck_assert_str_ne(http_header(&a, "X-Request-Id"), first);
}
END_TEST

Suite *suite_serve_request(void);
Suite *suite_serve_request(void)
{
    Suite *s = suite_create("serve_request");
    TCase *tc = tcase_create("request"), *alone = tcase_create("options");
    tcase_add_checked_fixture(tc, serve_fixture_start, serve_fixture_stop);
    tcase_add_test(tc, paths_and_queries);
    tcase_add_test(tc, too_many_fields);
    tcase_add_test(tc, header_values);
    tcase_add_test(tc, cookies);
    tcase_add_test(tc, clients_behind_trusted_proxies);
    tcase_add_test(alone, clients_that_are_no_proxies);
    tcase_add_test(tc, same_origin);
    tcase_add_test(tc, forms);
    tcase_add_test(tc, json_bodies);
    tcase_add_test(tc, nothing_stays);
    tcase_add_test(tc, security_headers);
    tcase_add_test(alone, security_headers_over_https);
    tcase_add_test(tc, values_that_would_split_an_answer);
    tcase_add_test(tc, more_headers_than_there_is_room_for);
    tcase_add_test(tc, errors_without_a_page);
    tcase_add_test(tc, request_ids_differ);
    suite_add_tcase(s, tc);
    suite_add_tcase(s, alone);
    return s;
}
