/* SPDX-License-Identifier: Apache-2.0 */
/* Every fault does to the bytes what its name says. */
#include <check.h>
#include <stdio.h>

#include "fake_kit.h"
#include "sys/clock.h"

Suite *suite_fake_wire(void);

#define DISCOVERY "/oidc/.well-known/openid-configuration"

static struct reply with(const char *spec)
{
    char text[600];

    snprintf(text, sizeof text, "path=" DISCOVERY "&times=1&%s", spec);
    kit_fault(text);
    return kit_get(DISCOVERY);
}

static bool is_json(const struct reply *r)
{
    struct jval *v = jval_parse(str_of(r->body), 16u << 20, JSON_DEPTH_MAX, &(struct err)ERR_INIT);
    const bool good = v != NULL;

    jval_free(&v);
    return good;
}

START_TEST(other_answers)
{
    struct reply r = with("fault=http500");

    ck_assert_int_eq(r.status, 500);
    r = with("fault=http&status=429&retry_after=7");
    ck_assert_int_eq(r.status, 429);
    ck_assert_str_eq(kit_header(&r, "Retry-After"), "7");
    ck_assert_ptr_nonnull(strstr(r.body, "\"retry_after\":7"));
    r = with("fault=http&status=200&value=%7B%22error%22%3A%22bad%22%7D");
    ck_assert_str_eq(r.body, "{\"error\":\"bad\"}");
    r = with("fault=html");
    ck_assert_int_eq(r.status, 200);
    ck_assert_str_eq(kit_header(&r, "Content-Type"), "text/html; charset=utf-8");
    r = with("fault=redirect&value=http%3A%2F%2F10.0.0.1%2F");
    ck_assert_int_eq(r.status, 302);
    ck_assert_str_eq(kit_header(&r, "Location"), "http://10.0.0.1/");
    r = kit_get(DISCOVERY);
    ck_assert_int_eq(r.status, 200);
    ck_assert(is_json(&r));
}
END_TEST

START_TEST(bent_answers)
{
    struct reply r = with("fault=half-json");

    ck_assert(!is_json(&r));
    r = with("fault=type&value=text%2Fplain");
    ck_assert_str_eq(kit_header(&r, "Content-Type"), "text/plain");
    r = with("fault=type");
    ck_assert_ptr_null(kit_header(&r, "Content-Type"));
    r = with("fault=form");
    ck_assert_ptr_nonnull(strstr(r.body, "issuer=http%3A%2F%2F127"));
    r = with("fault=duplicate-keys");
    ck_assert(!is_json(&r));
    ck_assert_ptr_nonnull(strstr(strstr(r.body, "\"issuer\"") + 1, "\"issuer\""));
    r = with("fault=nul&name=issuer");
    ck_assert_ptr_nonnull(strstr(r.body, "/oidc\\u0000x\""));
    r = with("fault=bad-utf8&name=%2Fissuer");
    ck_assert_ptr_nonnull(strstr(r.body, "\xc3\x28"));
    r = with("fault=deep&n=100000");
    ck_assert_uint_eq(strlen(r.body), 200000);
    r = with("fault=deep&n=50&name=issuer");
    ck_assert_ptr_nonnull(strstr(r.body, "\"issuer\":[[["));
    r = with("fault=set&name=%2Fissuer&value=1e300");
    ck_assert_ptr_nonnull(strstr(r.body, "{\"issuer\":1e300,"));
    r = with("fault=remove&name=issuer");
    ck_assert_ptr_null(strstr(r.body, "\"issuer\":"));
    r = with("fault=bom");
    ck_assert(str_starts(str_of(r.body), "\xef\xbb\xbf{"));
    r = with("fault=trailing");
    ck_assert(str_ends(str_of(r.body), "}{}"));
    r = with("fault=body&value=%5B1%5D");
    ck_assert_str_eq(r.body, "[1]");
}
END_TEST

START_TEST(cut_and_closed)
{
    struct reply r = with("fault=truncated");
    int64_t length;

    ck_assert(text_int(str_of(kit_header(&r, "Content-Length")), &length));
    ck_assert_int_eq((int64_t)strlen(r.body), length / 2);
    ck_assert_uint_eq(with("fault=close").n, 0);
    ck_assert_uint_eq(with("fault=reset").n, 0);
    r = with("fault=no-length");
    ck_assert_ptr_null(kit_header(&r, "Content-Length"));
    ck_assert(is_json(&r));
    r = with("fault=http09");
    ck_assert_int_eq(r.status, 0);
    ck_assert_int_eq(r.text[0], '{');
}
END_TEST

START_TEST(floods)
{
    struct reply r = with("fault=huge&n=5000000");

    ck_assert_str_eq(kit_header(&r, "Content-Length"), "5000000");
    ck_assert_uint_eq(strlen(r.body), 5000000);
    r = with("fault=many-headers&n=500");
    ck_assert_str_eq(kit_header(&r, "X-Fake-499"), "1");
    r = with("fault=long-header");
    ck_assert_uint_eq(strlen(kit_header(&r, "X-Fake")), 65536);
    r = with("fault=1xx-flood&n=1000");
    ck_assert_int_eq(r.status, 103);
    ck_assert_ptr_nonnull(strstr(r.body, "HTTP/1.1 200 OK"));
    r = with("fault=continue");
    ck_assert_int_eq(r.status, 100);
    r = with("fault=set-cookie");
    ck_assert_str_eq(kit_header(&r, "Set-Cookie"), "fake=1; Path=/");
    r = with("fault=gzip-bomb");
    ck_assert_str_eq(kit_header(&r, "Content-Encoding"), "gzip");
    ck_assert_uint_lt(r.n, 400000);
    kit_fault("path=" DISCOVERY "&fault=endless&times=1");
    r = kit_raw("GET " DISCOVERY " HTTP/1.1\r\n\r\n", 30u << 20, 60000);
    ck_assert_uint_ge(r.n, 30u << 20);
}
END_TEST

/* That it goes on once it is let go is what the daemon's tests stand on. */
START_TEST(held_ones)
{
    kit_fault("path=" DISCOVERY "&fault=held&times=1");
    const struct reply r = kit_raw("GET " DISCOVERY " HTTP/1.1\r\nHost: x\r\n\r\n", 100, 100);

    ck_assert_uint_eq(r.n, 0);
    ck_assert_int_eq(kit_post("/fake/release", "").status, 200);
    ck_assert_int_eq(kit_get("/fake/release").status, 404);
    ck_assert_int_eq(kit_post("/fake/reset", "").status, 200);
    ck_assert_int_eq(kit_get(DISCOVERY).status, 200);
}
END_TEST

START_TEST(slow_ones)
{
    const struct mono start = clock_mono();
    struct mono dripping;
    struct reply r;

    ck_assert_int_eq(with("fault=slow&ms=300").status, 200);
    ck_assert_int_ge(mono_ms(start, clock_mono()), 300);
    kit_fault("path=" DISCOVERY "&fault=silent&times=1");
    ck_assert_uint_eq(kit_raw("GET " DISCOVERY " HTTP/1.1\r\n\r\n", 1000, 200).n, 0);
    kit_fault("path=" DISCOVERY "&fault=hang&times=1");
    r = kit_raw("GET " DISCOVERY " HTTP/1.1\r\n\r\n", 1, 60000); /* what is sent at once */
    ck_assert_int_eq(r.status, 200);
    ck_assert_str_eq(r.body, "");
    kit_fault("path=" DISCOVERY "&fault=drip&ms=20&times=1");
    dripping = clock_mono();
    r = kit_raw("GET " DISCOVERY " HTTP/1.1\r\n\r\n", 10, 60000);
    ck_assert_uint_ge(r.n, 10);
    ck_assert_int_ge(mono_ms(dripping, clock_mono()), 9 * 20);
}
END_TEST

START_TEST(faults_combine_and_end)
{
    struct reply r;

    kit_fault("path=/oidc/*&fault=slow&ms=1&times=2");
    kit_fault("path=" DISCOVERY "&fault=type&value=a%2Fb&times=1");
    r = kit_get(DISCOVERY);
    ck_assert_str_eq(kit_header(&r, "Content-Type"), "a/b");
    r = kit_get(DISCOVERY);
    ck_assert_str_eq(kit_header(&r, "Content-Type"), "application/json");
    kit_fault("path=" DISCOVERY "&fault=http503");
    ck_assert_int_eq(kit_get(DISCOVERY).status, 503);
    ck_assert_int_eq(kit_get(DISCOVERY).status, 503);
    kit_post("/fake/reset", "");
    ck_assert_int_eq(kit_get(DISCOVERY).status, 200);
}
END_TEST

START_TEST(unknown_faults_are_told)
{
    struct reply r = kit_post("/fake/faults", "fault=slov");

    ck_assert_int_eq(r.status, 400);
    ck_assert_ptr_nonnull(strstr(r.body, "did you mean slow"));
    ck_assert_int_eq(kit_post("/fake/faults", "fault=slow&ms=x").status, 400);
    ck_assert_int_eq(kit_post("/fake/faults", "fault=jwt&variant=JWT-99").status, 400);
    ck_assert_int_eq(kit_post("/fake/faults", "fault=jwt").status, 400);
}
END_TEST

START_TEST(requests_are_counted_and_kept)
{
    struct reply r;
    struct jval *o;
    const struct jval *last;
    int64_t n = 0;

    kit_post("/oidc/token", "a=b%20c");
    kit_get(DISCOVERY "?x=1");
    r = kit_get("/fake/requests");
    o = jval_parse(str_of(r.body), 16u << 20, JSON_DEPTH_MAX, &(struct err)ERR_INIT);
    ck_assert(jval_int(jval_get(jval_get(o, "paths"), "/oidc/token"), &n));
    ck_assert_int_eq(n, 1);
    ck_assert_uint_eq(jval_count(jval_get(o, "last")), 2);
    last = jval_item(jval_get(o, "last"), 0);
    ck_assert_str_eq(jval_text(jval_get(last, "body")), "a=b%20c");
    ck_assert_str_eq(jval_text(jval_at(last, "/headers/host")), "fake");
    ck_assert_str_eq(jval_text(jval_get(jval_item(jval_get(o, "last"), 1), "query")), "x=1");
    jval_free(&o);
}
END_TEST

START_TEST(parameters_of_the_way_back)
{
    static const char path[] =
        "/google/o/oauth2/v2/auth?response_type=code&client_id=usher-dev&scope=openid&state=s&fake_"
        "person=ada&redirect_uri=" KIT_REDIRECT;
    struct reply r;

    kit_fault("path=/google/o/oauth2/v2/"
              "auth&fault=param&name=iss&value=https%3A%2F%2Fevil.example&times=1");
    r = kit_get(path);
    ck_assert_str_eq(kit_param(kit_header(&r, "Location"), "iss"), "https://evil.example");
    kit_fault("path=/google/o/oauth2/v2/auth&fault=param-remove&name=state&times=1");
    r = kit_get(path);
    ck_assert_ptr_null(strstr(kit_header(&r, "Location"), "state="));
    kit_fault("path=/google/o/oauth2/v2/auth&fault=param-add&name=code&value=two&times=1");
    r = kit_get(path);
    ck_assert_ptr_nonnull(strstr(kit_header(&r, "Location"), "&code=two"));
}
END_TEST

Suite *suite_fake_wire(void)
{
    Suite *s = suite_create("fake_wire");
    TCase *t = tcase_create("wire");

    tcase_add_checked_fixture(t, kit_start, kit_stop);
    tcase_add_test(t, other_answers);
    tcase_add_test(t, bent_answers);
    tcase_add_test(t, cut_and_closed);
    tcase_add_test(t, floods);
    tcase_add_test(t, held_ones);
    tcase_add_test(t, slow_ones);
    tcase_add_test(t, faults_combine_and_end);
    tcase_add_test(t, unknown_faults_are_told);
    tcase_add_test(t, requests_are_counted_and_kept);
    tcase_add_test(t, parameters_of_the_way_back);
    suite_add_tcase(s, t);
    return s;
}
