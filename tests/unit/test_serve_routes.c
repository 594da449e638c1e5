/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>

#include "serve_fixture.h"

#define JSON "Content-Type: application/json\r\n"
#define FORM "Content-Type: application/x-www-form-urlencoded\r\n"

static struct http_answer a;

/* ADM-04, HTTP-12: a method is what the request line says. */
START_TEST(methods_with_bodies)
{
    static const struct serve_row rows[] = {
        {"PUT /json/a HTTP/1.1\r\n" HOST JSON "Content-Length: 2\r\n\r\n{}", 200, true},
        {"PATCH /json/a HTTP/1.1\r\n" HOST JSON "Content-Length: 2\r\n\r\n{}", 200, true},
        {"DELETE /json/a HTTP/1.1\r\n" HOST JSON "Content-Length: 2\r\n\r\n{}", 200, true},
        {"DELETE /json/a HTTP/1.1\r\n" HOST "\r\n", 200, true},
        {"PUT /json HTTP/1.1\r\n" HOST JSON "Content-Length: 2\r\n\r\n{}", 405, false},
        {"PUT /json/a/name HTTP/1.1\r\n" HOST JSON "Content-Length: 2\r\n\r\n{}", 405, false},
        {"PUT /nothing HTTP/1.1\r\n" HOST JSON "Content-Length: 2\r\n\r\n{}", 404, false},
        {"PUT /form HTTP/1.1\r\n" HOST FORM "Content-Length: 3\r\n\r\na=b", 405, false},
        {"PUT /json/a HTTP/1.1\r\n" HOST JSON "Content-Length: 65\r\n\r\n" BYTES_65, 413, false},
        {"PUT /json/a HTTP/1.1\r\n" HOST JSON "Transfer-Encoding: chunked\r\n\r\n"
         "2\r\n{}\r\n0\r\n\r\n",
         200, true},
        {"PUT /json/a HTTP/1.1\r\n" HOST JSON "Transfer-Encoding: chunked\r\nContent-Length: 2"
         "\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
         400, false},
        {"GET /json/a HTTP/1.1\r\n" HOST JSON "Content-Length: 2\r\n\r\n{}", 413, false},
        {"GET /json/a?_method=DELETE HTTP/1.1\r\n" HOST "\r\n", 200, true},
    };
    SERVE_CHECK(rows);
    serve_fixture_ask("OPTIONS /json/a HTTP/1.1\r\n" HOST "\r\n", &a);
    ck_assert_int_eq(a.status, 405);
    ck_assert_str_eq(http_header(&a, "Allow"), "GET, HEAD, PUT, PATCH, DELETE");
    static const char *const overrides[] = {"X-HTTP-Method-Override", "X-HTTP-Method",
                                            "X-Method-Override"};
    char request[256];
    for (size_t i = 0; i < sizeof overrides / sizeof *overrides; i++) {
        snprintf(request, sizeof request, "GET /json/a HTTP/1.1\r\n" HOST "%s: DELETE\r\n\r\n",
                 overrides[i]);
        serve_fixture_ask(request, &a);
        ck_assert_ptr_nonnull(strstr(a.body, "GET a,, data=show"));
        snprintf(request, sizeof request, "POST /json HTTP/1.1\r\n" HOST JSON "%s: DELETE\r\n\r\n",
                 overrides[i]);
        serve_fixture_ask(request, &a);
        ck_assert_ptr_nonnull(strstr(a.body, "POST ,, data=add"));
    }
}
END_TEST

/* ADM-04, HTTP-15: what any page may send without asking is not taken for JSON. */
START_TEST(json_under_its_own_name)
{
    static const struct {
        const char *lines;
        int status;
    } rows[] = {
        {"Content-Type: application/json\r\n", 200},
        {"Content-Type: APPLICATION/JSON\r\n", 200},
        {"Content-Type: application/json;charset=utf-8\r\n", 200},
        {"Content-Type: application/json ; charset=UTF-8\r\n", 200},
        {"Content-Type: application/json; charset=\"utf-8\"\r\n", 200},
        {"", 415},
        {"Content-Type:\r\n", 415},
        {"Content-Type: text/plain\r\n", 415},
        {"Content-Type: text/plain; application/json\r\n", 415},
        {"Content-Type: application/x-www-form-urlencoded\r\n", 415},
        {"Content-Type: multipart/form-data; boundary=x\r\n", 415},
        {"Content-Type: application/jsonx\r\n", 415},
        {"Content-Type: application/json,text/plain\r\n", 415},
        {"Content-Type: application/merge-patch+json\r\n", 415},
        {"Content-Type: application/json; charset=utf-16\r\n", 415},
        {"Content-Type: application/json; charset=iso-8859-1\r\n", 415},
        {"Content-Type: application/json; charset=utf-8; charset=utf-7\r\n", 415},
        {"Content-Type: application/json; charset\r\n", 415},
        {"Content-Type: application/json; q=1\r\n", 415},
        {"Content-Type: application/json\r\nContent-Encoding: gzip\r\n", 415},
        {"Content-Type: application/json\r\nContent-Encoding: identity\r\n", 415},
        {"Content-Type: application/json\r\nContent-Type: application/json\r\n", 400},
    };
    char request[512];
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        snprintf(request, sizeof request,
                 "POST /json HTTP/1.1\r\n" HOST "%sContent-Length: 2\r\n\r\n{}", rows[i].lines);
        const int status = serve_fixture_status(request);
        ck_assert_msg(status == rows[i].status, "%d for %s", status, rows[i].lines);
    }
    ck_assert_uint_eq(sf.handled, 5);
    /* No body, and yet it says of which kind: a form's button cannot be kept from that. */
    ck_assert_int_eq(serve_fixture_status("POST /json HTTP/1.1\r\n" HOST FORM "\r\n"), 415);
    ck_assert_int_eq(serve_fixture_status("POST /json HTTP/1.1\r\n" HOST "\r\n"), 200);
    ck_assert_int_eq(serve_fixture_status("POST /form HTTP/1.1\r\n" HOST FORM
                                          "Content-Encoding: gzip\r\nContent-Length: 3\r\n\r\na=b"),
                     415);
}
END_TEST

/* Stars stand for whole segments, at the end and within. */
START_TEST(parts_of_paths)
{
    static const struct {
        const char *target, *seen; /* NULL: 404 */
    } rows[] = {
        {"/json/a", "GET a,, data=show"},
        {"/json/a/part/b-c", "GET a,b-c, data=part"},
        {"/json/a/name", "GET a,, data=name"},
        {"/json/name/name", "GET name,, data=name"},
        {"/json/part/part/part", "GET part,part, data=part"},
        {"/json/", NULL},
        {"/json//name", NULL},
        {"/json/a/", NULL},
        {"/json/a/part", NULL},
        {"/json/a/part/", NULL},
        {"/json//part/b", NULL},
        {"/json/a/part/b/", NULL},
        {"/json/a/part/b/c", NULL},
        {"/json/a/name/b", NULL},
        {"/json/a/names", NULL},
        {"/json/a%2fname", NULL},
        {"/json/a/../b/name", NULL},
        {"/json/*", NULL},
        {"/jsonx/a", NULL},
    };
    char request[256];
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        snprintf(request, sizeof request, "GET %s HTTP/1.1\r\n" HOST "\r\n", rows[i].target);
        serve_fixture_ask(request, &a);
        ck_assert_msg(a.status == (rows[i].seen ? 200 : 404), "%d: %s", a.status, rows[i].target);
        if (rows[i].seen)
            ck_assert_msg(strncmp(a.body, rows[i].seen, strlen(rows[i].seen)) == 0, "%s", a.body);
    }
}
END_TEST

/* ADM-03: what is for the admin socket alone is not there for others, whatever they call
 * themselves. */
START_TEST(local_routes)
{
    static const char *const tries[] = {
        "POST /json/a/sub HTTP/1.1\r\n" HOST "\r\n",
        "GET /json/a/sub HTTP/1.1\r\n" HOST "\r\n",
        "POST /json/a/sub HTTP/1.1\r\n" HOST "X-Forwarded-For: local\r\nX-Real-IP: local\r\n\r\n",
        "POST /json/a/sub HTTP/1.1\r\n" HOST "X-Forwarded-Host: localhost\r\n\r\n",
        "POST /json/a/sub HTTP/1.1\r\n" HOST "X-Original-URL: /json/a/sub\r\n\r\n",
    };
    for (size_t i = 0; i < sizeof tries / sizeof *tries; i++) {
        serve_fixture_ask(tries[i], &a);
        ck_assert_int_eq(a.status, 404);
        ck_assert_ptr_null(http_header(&a, "Allow"));
    }
    ck_assert_int_eq(serve_fixture_status("POST /json/a/sub HTTP/1.1\r\nHost: localhost\r\n\r\n"),
                     404);
    ck_assert_uint_eq(sf.handled, 0);
}
END_TEST

Suite *suite_serve_routes(void);
Suite *suite_serve_routes(void)
{
    Suite *s = suite_create("serve_routes");
    TCase *tc = tcase_create("routes");
    tcase_add_checked_fixture(tc, serve_fixture_start, serve_fixture_stop);
    tcase_add_test(tc, methods_with_bodies);
    tcase_add_test(tc, json_under_its_own_name);
    tcase_add_test(tc, parts_of_paths);
    tcase_add_test(tc, local_routes);
    suite_add_tcase(s, tc);
    return s;
}
