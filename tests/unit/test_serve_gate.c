/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>

#include "serve_fixture.h"

#define FORM "Content-Type: application/x-www-form-urlencoded\r\n"

static struct http_answer a;

/* HTTP-06 */
START_TEST(request_lines)
{
    static const struct serve_row rows[] = {
        {"GET /plain HTTP/1.1\r\n" HOST "\r\n", 200, true},
        {"GET /plain?a=b HTTP/1.1\r\n" HOST "\r\n", 200, true},
        {"GET /plain? HTTP/1.1\r\n" HOST "\r\n", 200, true},
        {"GET /plain HTTP/1.0\r\n" HOST "\r\n", 200, true},
        {"HEAD /plain HTTP/1.1\r\n" HOST "\r\n", 200, true},
        {"GET /plain HTTP/1.0\r\n\r\n", 400, false},
        {"GET /plain\r\n\r\n", 400, false},
        {"GET /plain HTTP/0.9\r\n" HOST "\r\n", 505, false},
        {"GET /plain HTTP/1.2\r\n" HOST "\r\n", 505, false},
        {"GET /plain HTTP/9.9\r\n" HOST "\r\n", 505, false},
        {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, false},
        {"GET http://usher.test/plain HTTP/1.1\r\n" HOST "\r\n", 400, false},
        {"GET http://evil.example/plain HTTP/1.1\r\n" HOST "\r\n", 400, false},
        {"CONNECT usher.test:443 HTTP/1.1\r\n" HOST "\r\n", 400, false},
        {"OPTIONS * HTTP/1.1\r\n" HOST "\r\n", 400, false},
        {"GET plain HTTP/1.1\r\n" HOST "\r\n", 400, false},
        {"GET /pl ain HTTP/1.1\r\n" HOST "\r\n", 0, false},
        {"GET /plain#x HTTP/1.1\r\n" HOST "\r\n", 400, false},
        {"GET /plain?a#x HTTP/1.1\r\n" HOST "\r\n", 400, false},
        {"GET /plain\\ HTTP/1.1\r\n" HOST "\r\n", 400, false},
        {"GET /plain\x80 HTTP/1.1\r\n" HOST "\r\n", 400, false},
        {"GET /plain\x7f HTTP/1.1\r\n" HOST "\r\n", 400, false},
        {"GET /plain?\x01 HTTP/1.1\r\n" HOST "\r\n", 400, false},
    };
    SERVE_CHECK(rows);
}
END_TEST

/* HTTP-20 for paths that a route with a variable end could see. */
START_TEST(paths)
{
    static const struct serve_row rows[] = {
        {"GET /nothing HTTP/1.1\r\n" HOST "\r\n", 404, false},
        {"GET /plain/ HTTP/1.1\r\n" HOST "\r\n", 404, false},
        {"GET //plain HTTP/1.1\r\n" HOST "\r\n", 404, false},
        {"GET /./plain HTTP/1.1\r\n" HOST "\r\n", 404, false},
        {"GET /item/../plain HTTP/1.1\r\n" HOST "\r\n", 404, false},
        {"GET /item/%2e%2e/plain HTTP/1.1\r\n" HOST "\r\n", 404, false},
        {"GET /item/a%2fb HTTP/1.1\r\n" HOST "\r\n", 404, false},
        {"GET /item/a%00 HTTP/1.1\r\n" HOST "\r\n", 404, false},
        {"GET /plain%00/x HTTP/1.1\r\n" HOST "\r\n", 404, false},
        {"GET /plain;x=1 HTTP/1.1\r\n" HOST "\r\n", 404, false},
        {"GET /item/ HTTP/1.1\r\n" HOST "\r\n", 404, false},
        {"GET /item HTTP/1.1\r\n" HOST "\r\n", 404, false},
        {"GET /item/a/b HTTP/1.1\r\n" HOST "\r\n", 404, false},
        {"GET /item/.hidden HTTP/1.1\r\n" HOST "\r\n", 404, false},
        {"GET /.well-known/../item HTTP/1.1\r\n" HOST "\r\n", 404, false},
        {"GET /.well-known/.hidden HTTP/1.1\r\n" HOST "\r\n", 404, false},
        {"GET /.well-known../item HTTP/1.1\r\n" HOST "\r\n", 404, false},
        {"GET /PLAIN HTTP/1.1\r\n" HOST "\r\n", 404, false},
        {"GET /item/a.b~c_d-e HTTP/1.1\r\n" HOST "\r\n", 200, true},
    };
    SERVE_CHECK(rows);
}
END_TEST

/* A NUL byte: the library shows a target that ends there. */
START_TEST(nul_in_the_target)
{
    static const char *const lines[] = {
        "GET /plain|/x HTTP/1.1\r\n" HOST "\r\n", "GET /plain| HTTP/1.1\r\n" HOST "\r\n",
        "GET /plain?a|b HTTP/1.1\r\n" HOST "\r\n", "GET /plain|HTTP/1.1 HTTP/1.1\r\n" HOST "\r\n",
        "GET | HTTP/1.1\r\n" HOST "\r\n"};
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        char raw[128];
        const size_t n = strlen(lines[i]);
        memcpy(raw, lines[i], n);
        *(char *)memchr(raw, '|', n) = 0;
        struct http_conn *c = http_open(sf.loop, sf.port);
        http_sendn(c, raw, n);
        ck_assert(http_read(c, false, &a));
        ck_assert_int_eq(a.status, 400);
        ck_assert(http_wait_end(c));
        http_close(&c);
    }
    ck_assert_uint_eq(sf.handled, 0);
}
END_TEST

/* HTTP-12 */
START_TEST(methods)
{
    static const struct serve_row rows[] = {
        {"POST /plain HTTP/1.1\r\n" HOST "\r\n", 405, false},
        {"OPTIONS /plain HTTP/1.1\r\n" HOST "\r\n", 405, false},
        {"TRACE /plain HTTP/1.1\r\n" HOST "\r\n", 405, false},
        {"PUT /plain HTTP/1.1\r\n" HOST "\r\n", 405, false},
        {"FOO /plain HTTP/1.1\r\n" HOST "\r\n", 405, false},
        {"get /plain HTTP/1.1\r\n" HOST "\r\n", 400, false},
        {"G\xc3\x8bT /plain HTTP/1.1\r\n" HOST "\r\n", 400, false},
        {"G-T /plain HTTP/1.1\r\n" HOST "\r\n", 400, false},
        {"HEAD /bare HTTP/1.1\r\n" HOST "\r\n", 405, false},
        {"GET /plain HTTP/1.1\r\n" HOST "X-HTTP-Method-Override: POST\r\n\r\n", 200, true},
    };
    SERVE_CHECK(rows);
    serve_fixture_ask("PUT /plain HTTP/1.1\r\n" HOST "\r\n", &a);
    ck_assert_str_eq(http_header(&a, "Allow"), "GET, HEAD");
    serve_fixture_ask("PUT /form HTTP/1.1\r\n" HOST "\r\n", &a);
    ck_assert_str_eq(http_header(&a, "Allow"), "POST, GET, HEAD");
    serve_fixture_ask("HEAD /bare HTTP/1.1\r\n" HOST "\r\n", &a);
    ck_assert_str_eq(http_header(&a, "Allow"), "POST");
}
END_TEST

/* HTTP-07 */
START_TEST(hosts)
{
    static const struct serve_row rows[] = {
        {"GET /plain HTTP/1.1\r\n\r\n", 400, false},
        {"GET /plain HTTP/1.1\r\nHost:\r\n\r\n", 400, false},
        {"GET /plain HTTP/1.1\r\nHost: usher.test\r\nHost: usher.test\r\n\r\n", 400, false},
        {"GET /plain HTTP/1.1\r\nHost: usher.test\r\nhOST: evil\r\n\r\n", 400, false},
        {"GET /any HTTP/1.1\r\nHost: usher.test\r\nHost: b\r\n\r\n", 400, false},
        {"GET /plain HTTP/1.1\r\nHost: USHER.test\r\n\r\n", 200, true},
        {"GET /plain HTTP/1.1\r\nHost: usher.test:80\r\n\r\n", 421, false},
        {"GET /plain HTTP/1.1\r\nHost: usher.test:\r\n\r\n", 421, false},
        {"GET /plain HTTP/1.1\r\nHost: usher.test:0\r\n\r\n", 421, false},
        {"GET /plain HTTP/1.1\r\nHost: usher.test.\r\n\r\n", 421, false},
        {"GET /plain HTTP/1.1\r\nHost: usher.test@evil.example\r\n\r\n", 421, false},
        {"GET /plain HTTP/1.1\r\nHost: usher.test/x\r\n\r\n", 421, false},
        {"GET /plain HTTP/1.1\r\nHost: evil.example\r\n\r\n", 421, false},
        {"GET /any HTTP/1.1\r\nHost: app.example\r\n\r\n", 200, true},
    };
    SERVE_CHECK(rows);
}
END_TEST

/* HTTP-05, and what the library would let through. */
START_TEST(header_lines)
{
    static const struct serve_row rows[] = {
        {"GET /plain HTTP/1.1\r\n" HOST ": nameless, which the library drops\r\n\r\n", 200, true},
        {"GET /plain HTTP/1.1\r\n" HOST "No-Colon\r\n\r\n", 400, false},
        {"GET /plain HTTP/1.1\r\n" HOST "X Y: blank\r\n\r\n", 400, false},
        {"GET /plain HTTP/1.1\r\n" HOST "X : blank\r\n\r\n", 400, false},
        {"GET /plain HTTP/1.1\r\n" HOST "X\x80: y\r\n\r\n", 400, false},
        {"GET /plain HTTP/1.1\r\n" HOST "X(y): z\r\n\r\n", 400, false},
        {"GET /plain HTTP/1.1\r\n" HOST "X: a\x01z\r\n\r\n", 400, false},
        {"GET /plain HTTP/1.1\r\n" HOST "X: a\x7fz\r\n\r\n", 400, false},
        {"GET /plain HTTP/1.1\r\n" HOST "X: a\tz\r\n\r\n", 200, true},
        {"GET /plain HTTP/1.1\r\n" HOST "X: \xc3\xab\r\n\r\n", 200, true},
        {"GET /plain HTTP/1.1\r\n" HOST "X!#$%&'*+-.^_`|~: y\r\n\r\n", 200, true},
        {"GET /plain HTTP/1.1\r\n" HOST "Authorization: a\r\nauthorization: b\r\n\r\n", 400, false},
        {"GET /plain HTTP/1.1\r\n" HOST "Origin: a\r\nOrigin: b\r\n\r\n", 400, false},
        {"POST /form HTTP/1.1\r\n" HOST FORM FORM "Content-Length: 0\r\n\r\n", 400, false},
        {"GET /plain HTTP/1.1\r\n" HOST "X: a\r\nX: b\r\n\r\n", 200, true},
    };
    SERVE_CHECK(rows);
}
END_TEST

/* The same wherever in a long value a byte is. */
START_TEST(bytes_of_long_values)
{
    static const struct {
        char c;
        int status;
    } all[] = {{'\x01', 400}, {'\x1f', 400}, {'\x7f', 400}, {'\t', 200},
               {' ', 200},    {'~', 200},    {'\x80', 200}, {'\xff', 200}};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        for (size_t at = 1; at < 20; at++) {
            char value[] = "a23456789012345678901", text[200];
            value[at] = all[i].c;
            snprintf(text, sizeof text, "GET /plain HTTP/1.1\r\n" HOST "X: %s\r\n\r\n", value);
            ck_assert_int_eq(serve_fixture_status(text), all[i].status);
        }
    }
}
END_TEST

/* HTTP-05: the library glues a folded line to the name in front of it, and nobody can tell. So who
 * may say where a request comes from is judged by the peer's address alone. */
START_TEST(folded_lines)
{
    static const char *const nobody[] = {NULL};
    struct serve_options o;
    serve_fixture_options(&o);
    o.trusted_proxies = nobody;
    serve_fixture_start_with(&o);
    const int status = serve_fixture_status("GET /look HTTP/1.1\r\n" HOST
                                            "X-Forwarded-: 203.0.113.7\r\n For\r\n\r\n");
    ck_assert(status == 200 || status == 400);
    ck_assert_ptr_null(strstr(sf.seen, "203.0.113.7"));
    serve_fixture_stop();
}
END_TEST

/* HTTP-05, library row 9: a value that holds a NUL is cut; nothing crashes. */
START_TEST(nul_in_a_header)
{
    static const char request[] = "GET /look HTTP/1.1\r\n" HOST "X-One: a\0b\r\n\r\n";
    struct http_conn *c = http_open(sf.loop, sf.port);
    http_sendn(c, request, sizeof request - 1);
    if (http_read(c, false, &a) && a.status == 200)
        ck_assert_ptr_nonnull(strstr(sf.seen, "x-one=a "));
    http_close(&c);
}
END_TEST

/* HTTP-08 */
START_TEST(too_much_of_a_head)
{
    struct buf b;
    buf_init(&b, 4 * 1024 * 1024);
    buf_text(&b, "GET /plain HTTP/1.1\r\n" HOST);
    for (int i = 1; i < 65; i++)
        buf_printf(&b, "X-%d: y\r\n", i);
    buf_text(&b, "\r\n");
    ck_assert_int_eq(serve_fixture_status(b.p), 431);

    buf_clear(&b);
    buf_text(&b, "GET /plain HTTP/1.1\r\n" HOST);
    for (int i = 1; i < 64; i++)
        buf_printf(&b, "X-%d: y\r\n", i);
    buf_text(&b, "\r\n");
    ck_assert_int_eq(serve_fixture_status(b.p), 200);

    buf_clear(&b);
    buf_text(&b, "GET /plain HTTP/1.1\r\n" HOST);
    for (int i = 0; i < 10000; i++)
        buf_printf(&b, "X-%d: y\r\n", i);
    buf_text(&b, "\r\n");
    ck_assert_int_eq(serve_fixture_status(b.p), 431);

    static const size_t sizes[] = {64 * 1024, 100 * 1024};
    for (size_t i = 0; i < 2; i++) {
        buf_clear(&b);
        buf_text(&b, "GET /plain HTTP/1.1\r\n" HOST "Cookie: k=");
        for (size_t k = 0; k < sizes[i]; k++)
            buf_byte(&b, 'x');
        buf_text(&b, "\r\n\r\n");
        ck_assert_int_eq(serve_fixture_status(b.p), 431);
    }
    ck_assert(buf_ok(&b));
    buf_deinit(&b);
    ck_assert_int_eq(serve_fixture_status("GET /plain HTTP/1.1\r\n" HOST "\r\n"), 200);
}
END_TEST

/* Whatever the size of a head is, there is an answer to it: 200 or 431, and once too much, always
 * too much. Where not even a refusal finds room, 400 bytes in all, the connection is closed. */
START_TEST(heads_of_every_size)
{
    struct buf b;
    int last = 200, silent_times = 0;
    buf_init(&b, 64 * 1024);
    for (size_t size = 4000; size < 26000; size += 100) {
        buf_clear(&b);
        buf_text(&b, "GET /plain HTTP/1.1\r\n" HOST "Cookie: k=");
        for (size_t k = 0; k < size; k++)
            buf_byte(&b, 'x');
        buf_text(&b, "\r\n\r\n");
        const int status = serve_fixture_status(b.p);
        if (status == 0) {
            ck_assert_int_eq(last, 431);
            silent_times++;
            continue;
        }
        ck_assert_msg(status == 200 || status == 431, "%d for %zu bytes", status, size);
        ck_assert_msg(status >= last, "%zu bytes are fine again", size);
        last = status;
    }
    ck_assert_int_eq(last, 431);
    ck_assert_int_le(silent_times, 4);
    buf_deinit(&b);
}
END_TEST

/* What browsers send and proxies let through, 8 KiB of cookies, is read however small they are. */
START_TEST(cookies_of_every_size)
{
    static const char *const kinds[] = {
        "a=1; ", "usher-bind=b; ",
        "a; ",   ";",
        " ,=",   "preference_of_a_page=0123456789abcdef0123456789abcdef; "};
    struct buf b;
    buf_init(&b, 64 * 1024);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        for (size_t size = 512; size <= 12288; size += 512) {
            buf_clear(&b);
            buf_text(&b, "GET /plain HTTP/1.1\r\n" HOST "Cookie: k=v; ");
            for (size_t n = 0; n < size; n += strlen(kinds[i]))
                buf_text(&b, kinds[i]);
            buf_text(&b, "\r\n\r\n");
            const int status = serve_fixture_status(b.p);
            ck_assert_msg(status == 200 || (size > 8192 && status == 431), "%d for %zu bytes of %s",
                          status, size, kinds[i]);
        }
    buf_deinit(&b);
}
END_TEST

START_TEST(targets_of_every_size)
{
    struct buf b;
    buf_init(&b, 128 * 1024);
    for (size_t size = 200; size < 70000; size += size < 20000 ? 650 : 10000) {
        buf_clear(&b);
        buf_text(&b, "GET /plain?q=");
        for (size_t k = 0; k < size; k++)
            buf_byte(&b, 'x');
        buf_text(&b, " HTTP/1.1\r\n" HOST "\r\n");
        const int status = serve_fixture_status(b.p);
        ck_assert_msg(size < 8100 ? status == 200 : status == 414 || status == 431,
                      "%d for %zu bytes", status, size);
    }
    buf_clear(&b);
    buf_text(&b, "GET /item/");
    for (size_t k = 0; k < 300; k++)
        buf_byte(&b, 'x');
    buf_text(&b, " HTTP/1.1\r\n" HOST "\r\n");
    ck_assert_int_eq(serve_fixture_status(b.p), 404);
    buf_deinit(&b);
}
END_TEST

/* HTTP-13, HTTP-16, and rows 2 to 5 of what the library accepts. */
START_TEST(bodies)
{
    static const struct serve_row rows[] = {
        {"POST /form HTTP/1.1\r\n" HOST FORM "Content-Length: 3\r\n\r\na=b", 200, true},
        {"POST /form HTTP/1.1\r\n" HOST FORM "Transfer-Encoding: chunked\r\n\r\n"
         "3\r\na=b\r\n0\r\n\r\n",
         200, true},
        {"POST /form HTTP/1.1\r\n" HOST FORM "Transfer-Encoding: Chunked\r\n\r\n"
         "3;ext=1\r\na=b\r\n0\r\nTrailer: x\r\n\r\n",
         200, true},
        {"POST /form HTTP/1.1\r\n" HOST FORM "Content-Length: 0\r\n\r\n", 200, true},
        {"POST /form HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n", 200, true},
        {"POST /form HTTP/1.1\r\n" HOST "\r\n", 200, true},
        {"POST /form HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\na=b", 415, false},
        {"POST /bare HTTP/1.1\r\n" HOST FORM "Content-Length: 1\r\n\r\na", 413, false},
        {"POST /form HTTP/1.1\r\n" HOST FORM "Content-Length: 65\r\n\r\n" BYTES_65, 413, false},
        {"POST /form HTTP/1.1\r\n" HOST FORM "Content-Length: 65601\r\n\r\n", 413, false},
        {"POST /form HTTP/1.1\r\n" HOST FORM "Content-Length: 1073741824\r\n\r\n", 413, false},
        {"POST /form HTTP/1.1\r\n" HOST FORM "Content-Length: 9223372036854775807\r\n\r\n", 413,
         false},
        {"POST /form HTTP/1.1\r\n" HOST FORM "Content-Length: 9223372036854775808\r\n\r\n", 400,
         false},
        {"POST /form HTTP/1.1\r\n" HOST FORM "Content-Length: 99999999999999999999\r\n\r\n", 413,
         false},
        {"POST /form HTTP/1.1\r\n" HOST FORM "Content-Length: -1\r\n\r\na", 400, false},
        {"POST /form HTTP/1.1\r\n" HOST FORM "Content-Length: +1\r\n\r\na", 400, false},
        {"POST /form HTTP/1.1\r\n" HOST FORM "Content-Length: 1,1\r\n\r\na", 400, false},
        {"POST /form HTTP/1.1\r\n" HOST FORM "Content-Length:\r\n\r\n", 400, false},
        {"POST /form HTTP/1.1\r\n" HOST FORM "Content-Length: 3\r\nContent-Length: 3\r\n\r\na=b",
         400, false},
        {"POST /form HTTP/1.1\r\n" HOST FORM "Content-Length: 3\r\nContent-Length: 4\r\n\r\na=b",
         400, false},
        {"POST /form HTTP/1.1\r\n" HOST FORM "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n"
         "\r\n0\r\n\r\n",
         400, false},
        {"POST /form HTTP/1.1\r\n" HOST FORM "Transfer-Encoding: xchunked\r\n\r\n", 400, false},
        {"POST /form HTTP/1.1\r\n" HOST FORM "Transfer-Encoding: gzip, chunked\r\n\r\n", 400,
         false},
        {"POST /form HTTP/1.1\r\n" HOST FORM "Transfer-Encoding: chunked\r\n"
         "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
         400, false},
        {"POST /form HTTP/1.1\r\n" HOST FORM "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n", 400,
         false},
        {"POST /form HTTP/1.0\r\n" HOST FORM "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400,
         false},
        {"POST /form HTTP/1.1\r\n" HOST FORM "Transfer-Encoding: chunked\r\n\r\nxyz\r\n", 400,
         false},
        {"POST /form HTTP/1.1\r\n" HOST FORM "Transfer-Encoding: chunked\r\n\r\n-1\r\n", 400,
         false},
        {"POST /form HTTP/1.1\r\n" HOST FORM "Transfer-Encoding: chunked\r\n\r\n"
         "fffffffffffffffff\r\n",
         413, false},
        {"POST /form HTTP/1.1\r\n" HOST FORM "Transfer-Encoding: chunked\r\n\r\n3\r\na=bXX", 400,
         false},
        {"GET /plain HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n", 200, true},
        {"GET /plain HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nabc", 413, false},
        {"GET /plain HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 413, false},
        {"GET /plain HTTP/1.1\r\n" HOST "Transfer-Encoding: gzip\r\n\r\n", 400, false},
        {"GET /nothing HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nabc", 404, false},
        {"POST /nothing HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nabc", 404, false},
    };
    SERVE_CHECK(rows);
}
END_TEST

/* HTTP-15: no multipart, no JSON, no guessing. */
START_TEST(other_content_types)
{
    static const char *const types[] = {
        "multipart/form-data; boundary=x",
        "multipart/form-data",
        "text/plain",
        "application/json",
        "application/x-www-form-urlencodedx",
        "application/x-www-form-urlencoded,text/plain",
        "",
    };
    char request[256];
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        snprintf(request, sizeof request,
                 "POST /form HTTP/1.1\r\n" HOST "Content-Type: %s\r\nContent-Length: 3\r\n\r\na=b",
                 types[i]);
        ck_assert_msg(serve_fixture_status(request) == 415, "%s", types[i]);
    }
    ck_assert_uint_eq(sf.handled, 0);
    ck_assert_int_eq(serve_fixture_status("POST /form HTTP/1.1\r\n" HOST
                                          "Content-Type: APPLICATION/X-www-form-urlencoded; "
                                          "charset=UTF-8\r\nContent-Length: 3\r\n\r\na=b"),
                     200);
}
END_TEST

/* HTTP-13: chunks that come and come are counted, answered with 413 while that is possible, and
 * cut when they do not stop. */
START_TEST(endless_body)
{
    static char chunk[4096 + 8];
    struct http_conn *c = http_open(sf.loop, sf.port);
    const char *head = "POST /form HTTP/1.1\r\n" HOST FORM "Transfer-Encoding: chunked\r\n\r\n";
    const int n = snprintf(chunk, sizeof chunk, "1000\r\n");
    memset(chunk + n, 'x', 4096);
    memcpy(chunk + n + 4096, "\r\n", 2);

    http_send(c, head);
    http_sendn(c, chunk, (size_t)n + 4098);
    http_send(c, "0\r\n\r\n");
    ck_assert(http_read(c, false, &a));
    ck_assert_int_eq(a.status, 413);
    ck_assert(http_wait_end(c));
    http_close(&c);

    c = http_open(sf.loop, sf.port);
    http_send(c, head);
    for (int i = 0; i < 1000 && !c->ended; i++) {
        http_sendn(c, chunk, (size_t)n + 4098);
        http_spin(sf.loop, 1);
        if (i == 100)
            ck_assert(http_wait_end(c));
    }
    http_close(&c);
    ck_assert_uint_eq(sf.handled, 0);
}
END_TEST

/* FWD-27, HTTP-02 */
START_TEST(expectations_and_upgrades)
{
    struct http_conn *c = http_open(sf.loop, sf.port);
    http_ask(c,
             "POST /form HTTP/1.1\r\n" HOST FORM "Content-Length: 3\r\nExpect: 100-continue\r\n"
             "\r\n",
             &a);
    ck_assert_int_eq(a.status, 100);
    http_ask(c, "a=b", &a);
    ck_assert_int_eq(a.status, 200);
    ck_assert_str_eq(a.body, "[a=b]");
    http_ask(c, "GET /plain HTTP/1.1\r\n" HOST "Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
             &a);
    ck_assert_int_eq(a.status, 200);
    http_ask(c,
             "GET /plain HTTP/1.1\r\n" HOST "Connection: Upgrade, HTTP2-Settings\r\n"
             "Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n",
             &a);
    ck_assert_int_eq(a.status, 200);
    http_close(&c);
}
END_TEST

/* HTTP-21, PRIV-03 */
START_TEST(refusals_repeat_nothing)
{
    static const char *const requests[] = {
        "GET /evil<script>?evil HTTP/1.1\r\n" HOST "\r\n",
        "EVIL /evil HTTP/1.1\r\n" HOST "\r\n",
        "GET /plain HTTP/1.1\r\nHost: evil\r\n\r\n",
        "GET /plain HTTP/1.1\r\n" HOST "evil evil: evil\r\n\r\n",
        "GET /plain evil HTTP/1.1\r\n" HOST "evil\r\n\r\n",
        "evil\r\n\r\n",
    };
    for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
        struct http_conn *c = http_open(sf.loop, sf.port);
        http_send(c, requests[i]);
        if (http_read(c, false, &a)) {
            ck_assert_ptr_null(strstr(a.head, "evil"));
            ck_assert_ptr_null(strstr(a.body, "evil"));
            ck_assert_int_ge(a.status, 400);
        }
        http_close(&c);
    }
}
END_TEST

Suite *suite_serve_gate(void);
Suite *suite_serve_gate(void)
{
    Suite *s = suite_create("serve_gate");
    TCase *tc = tcase_create("gate"), *alone = tcase_create("untrusted");
    tcase_add_test(alone, folded_lines);
    tcase_add_checked_fixture(tc, serve_fixture_start, serve_fixture_stop);
    tcase_add_test(tc, request_lines);
    tcase_add_test(tc, paths);
    tcase_add_test(tc, nul_in_the_target);
    tcase_add_test(tc, methods);
    tcase_add_test(tc, hosts);
    tcase_add_test(tc, header_lines);
    tcase_add_test(tc, bytes_of_long_values);
    tcase_add_test(tc, nul_in_a_header);
    tcase_add_test(tc, too_much_of_a_head);
    tcase_add_test(tc, heads_of_every_size);
    tcase_add_test(tc, cookies_of_every_size);
    tcase_add_test(tc, targets_of_every_size);
    tcase_add_test(tc, bodies);
    tcase_add_test(tc, other_content_types);
    tcase_add_test(tc, endless_body);
    tcase_add_test(tc, expectations_and_upgrades);
    tcase_add_test(tc, refusals_repeat_nothing);
    suite_add_tcase(s, alone);
    suite_add_tcase(s, tc);
    return s;
}
