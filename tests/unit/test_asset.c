/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>

#include "base/embed.h"
#include "web_fixture.h"

START_TEST(every_asset)
{
    char target[64];
    unsigned n = 0;
    for (const struct embedded *e = embedded_assets; e->name; e++, n++) {
        snprintf(target, sizeof target, "/assets/%s", e->name);
        ck_assert_int_eq(web_get(target, ""), 200);
        ck_assert_uint_eq(wfx.a.body_n, e->n);
        ck_assert_int_eq(memcmp(wfx.a.body, e->p, e->n), 0);
        ck_assert_str_ne(web_header("Content-Type"), "application/octet-stream");
        ck_assert_str_eq(web_header("Cache-Control"), "public, max-age=300");
        ck_assert_uint_eq(http_header_count(&wfx.a, "Cache-Control"), 1);
        ck_assert_str_eq(web_header("X-Content-Type-Options"), "nosniff");
        ck_assert_ptr_null(web_header("Set-Cookie"));
    }
    ck_assert_uint_ge(n, 6);
    ck_assert_int_eq(web_get("/favicon.ico", ""), 200);
    ck_assert_str_eq(web_header("Content-Type"), "image/svg+xml");
}
END_TEST

#define FOR_GOOD "public, max-age=31536000, immutable"

/* By its version an asset may be kept for good; by another's, or with more, as without one. */
START_TEST(versions)
{
    char target[128];
    for (const struct embedded *e = embedded_assets; e->name; e++) {
        snprintf(target, sizeof target, "/assets/%s?%s", e->name, e->version);
        ck_assert_int_eq(web_get(target, ""), 200);
        ck_assert_uint_eq(wfx.a.body_n, e->n);
        ck_assert_str_eq(web_header("Cache-Control"), FOR_GOOD);
        snprintf(target, sizeof target, "/assets/%s?%s0", e->name, e->version);
        ck_assert_int_eq(web_get(target, ""), 200);
        ck_assert_str_eq(web_header("Cache-Control"), "public, max-age=300");
        snprintf(target, sizeof target, "/assets/%s?%s&%s", e->name, e->version, e->version);
        ck_assert_int_eq(web_get(target, ""), 200);
        ck_assert_str_eq(web_header("Cache-Control"), "public, max-age=300");
    }
}
END_TEST

/* What every page loads has its version in the address. */
START_TEST(pages_ask_by_version)
{
    char target[128];
    unsigned n = 0;
    ck_assert_int_eq(web_get("/nothing", ""), 404);
    char *page = strdup(wfx.a.body);
    for (const char *p = page; (p = strstr(p, "\"/assets/")) != NULL; n++) {
        p++;
        snprintf(target, sizeof target, "%.*s", (int)strcspn(p, "\""), p);
        ck_assert_int_eq(web_get(target, ""), 200);
        ck_assert_msg(strcmp(web_header("Cache-Control"), FOR_GOOD) == 0, "%s", target);
    }
    free(page);
    ck_assert_uint_ge(n, 3); /* icon, style, mark */
}
END_TEST

/* HTTP-19: there is no compression, no range, no condition to play with. */
START_TEST(conditions_change_nothing)
{
    ck_assert_int_eq(web_get("/assets/usher.css",
                             "Range: bytes=0-9\r\nAccept-Encoding: gzip\r\n"
                             "If-Modified-Since: Fri, 01 Jan 2100 00:00:00 GMT\r\n"
                             "If-None-Match: *\r\n"),
                     200);
    ck_assert_ptr_null(web_header("Content-Encoding"));
    ck_assert_uint_gt(wfx.a.body_n, 100);
}
END_TEST

/* HTTP-20 */
START_TEST(nothing_else)
{
    static const char *const targets[] = {
        "/assets/",
        "/assets",
        "/assets/.",
        "/assets/..",
        "/assets/../web/page.c",
        "/assets/%2e%2e/page.c",
        "/assets/usher.css%00",
        "/assets/USHER.CSS",
        "/assets/usher",
        "/assets/layout.html",
        "/assets/usher.css/",
        "/assets//usher.css",
        "/html/layout.html",
        "/favicon.ico/x",
    };
    for (size_t i = 0; i < sizeof targets / sizeof *targets; i++)
        ck_assert_msg(web_get(targets[i], "") == 404, "%s", targets[i]);
    ck_assert_int_eq(web_post("/assets/usher.css", "", ""), 405);
}
END_TEST

Suite *suite_asset(void);
Suite *suite_asset(void)
{
    Suite *s = suite_create("asset");
    TCase *tc = tcase_create("asset");
    tcase_add_checked_fixture(tc, web_fixture_open, web_fixture_close);
    tcase_add_test(tc, every_asset);
    tcase_add_test(tc, versions);
    tcase_add_test(tc, pages_ask_by_version);
    tcase_add_test(tc, conditions_change_nothing);
    tcase_add_test(tc, nothing_else);
    suite_add_tcase(s, tc);
    return s;
}
