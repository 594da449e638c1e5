/* SPDX-License-Identifier: Apache-2.0 */
/* What goes out: headers, forms, credentials, each encoded exactly once (CB-12). */
#include "fetch_fixture.h"

Suite *suite_fetch_request(void);

START_TEST(get_carries_what_was_asked)
{
    struct secret *token = secret_new("tok", 3);
    const struct fetch_part headers[] = {
        {.name = "Authorization", .before = "Bearer ", .secret = token},
        {.name = "X-Extra", .before = "1"}};
    struct got g;

    fetch_fx.stub = stub_start(fixture_echo, NULL);
    g = fixture_send(&(struct fetch_request){
        .url = fixture_url("/a/../b?x=%20y"), .headers = headers, .n_headers = 2});
    ck_assert_uint_eq(g.r.transport, USHER_TRANSPORT_OK);
    ck_assert_int_eq(g.r.status, 200);
    ck_assert_str_eq(g.body, "{\"a\":1}");
    ck_assert_str_eq(g.type, "application/json");
    ck_assert_str_eq(g.charset, "utf-8");
    ck_assert_str_eq(g.header, "a\tb");
    ck_assert_int_eq(g.r.retry_after, -1);
    ck_assert(!g.cookie); /* CB-40: cookies are nobody's business */
    ck_assert_ptr_nonnull(strstr(fetch_fx.head, "GET /a/../b?x=%20y HTTP/1.1\r\n"));
    ck_assert_ptr_nonnull(strstr(fetch_fx.head, "\r\nAuthorization: Bearer tok\r\n"));
    ck_assert_ptr_nonnull(strstr(fetch_fx.head, "\r\nX-Extra: 1\r\n"));
    ck_assert_ptr_nonnull(strstr(fetch_fx.head, "\r\nUser-Agent: usher/"));
    ck_assert_ptr_nonnull(strstr(fetch_fx.head, "\r\nAccept: application/json\r\n"));
    ck_assert_ptr_null(strstr(fetch_fx.head, "Cookie"));
    ck_assert_ptr_null(strstr(fetch_fx.head, "Accept-Encoding"));
    g = fixture_get(fixture_url("/again"));
    ck_assert_ptr_null(strstr(fetch_fx.head, "Cookie"));
    ck_assert_ptr_null(strstr(fetch_fx.head, "tok"));
    ck_assert_uint_eq(stub_connections(fetch_fx.stub), 1); /* kept alive */
    secret_free(&token);
}
END_TEST

/* CB-12: form-encoded exactly once */
START_TEST(forms_are_encoded_once)
{
    struct secret *s = secret_new("p&=%+ \xc3\xa9", 8);
    const struct fetch_part form[] = {{.name = "grant_type", .before = "authorization_code"},
                                      {.name = "code", .before = "a b+c%20&d=\xe2\x82\xac"},
                                      {.name = "client_secret", .secret = s},
                                      {.name = "empty"}};
    struct got g;

    fetch_fx.stub = stub_start(fixture_echo, NULL);
    g = fixture_send(&(struct fetch_request){
        .url = fixture_url("/t"), .body_kind = FETCH_BODY_FORM, .form = form, .n_form = 4});
    ck_assert_int_eq(g.r.status, 200);
    ck_assert_ptr_nonnull(strstr(fetch_fx.head, "POST /t HTTP/1.1\r\n"));
    ck_assert_ptr_nonnull(
        strstr(fetch_fx.head, "\r\nContent-Type: application/x-www-form-urlencoded\r\n"));
    ck_assert_ptr_null(strstr(fetch_fx.head, "Expect"));
    ck_assert_str_eq(fetch_fx.body,
                     "grant_type=authorization_code&code=a%20b%2Bc%2520%26d%3D%E2%82%AC&"
                     "client_secret=p%26%3D%25%2B%20%C3%A9&empty=");
    g = fixture_send(
        &(struct fetch_request){.url = fixture_url("/t"), .body_kind = FETCH_BODY_FORM});
    ck_assert_int_eq(g.r.status, 200);
    ck_assert_ptr_nonnull(strstr(fetch_fx.head, "Content-Length: 0\r\n"));
    secret_free(&s);
}
END_TEST

START_TEST(json_and_basic)
{
    struct secret *s = secret_new("se:cr et\xc3\xa9", 10);
    struct got g;

    fetch_fx.stub = stub_start(fixture_echo, NULL);
    g = fixture_send(&(struct fetch_request){.url = fixture_url("/j"),
                                             .body_kind = FETCH_BODY_JSON,
                                             .json = "{\"q\":1}",
                                             .basic_user = "id:1",
                                             .basic_password = s});
    ck_assert_int_eq(g.r.status, 200);
    ck_assert_ptr_nonnull(strstr(fetch_fx.head, "\r\nContent-Type: application/json\r\n"));
    /* base64("id%3A1:se%3Acr%20et%C3%A9"), RFC 6749 section 2.3.1 */
    ck_assert_ptr_nonnull(
        strstr(fetch_fx.head, "\r\nAuthorization: Basic aWQlM0ExOnNlJTNBY3IlMjBldCVDMyVBOQ==\r\n"));
    ck_assert_str_eq(fetch_fx.body, "{\"q\":1}");
    secret_free(&s);
}
END_TEST

START_TEST(headers_that_cannot_be_sent_are_refused)
{
    static const struct fetch_part bad[] = {
        {.name = "X", .before = "a\r\nY: b"}, {.name = "X", .before = "a\nb"},
        {.name = "X y", .before = "a"},       {.name = "", .before = "a"},
        {.name = "Host", .before = "evil"},   {.name = "content-LENGTH", .before = "3"},
        {.name = "Cookie", .before = "a=b"},  {.name = "Accept-Encoding", .before = "gzip"},
        {.name = "X:", .before = "a"},        {.name = "X", .before = "a\x7f"},
    };

    fetch_fx.stub = stub_start(fixture_echo, NULL);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const struct got g = fixture_send(
            &(struct fetch_request){.url = fixture_url("/"), .headers = &bad[i], .n_headers = 1});
        ck_assert_msg(g.r.transport == USHER_TRANSPORT_REFUSED, "%zu", i);
        ck_assert_int_eq(g.r.err.kind, ERR_MISCONFIGURED);
    }
    ck_assert_uint_eq(stub_connections(fetch_fx.stub), 0);
}
END_TEST

START_TEST(secrets_with_line_ends_are_refused)
{
    struct secret *s = secret_new("a\r\nX: y", 7), *nul = secret_new("a\0b", 3);
    const struct fetch_part h[] = {{.name = "Authorization", .before = "Bearer ", .secret = s}};
    const struct fetch_part f[] = {{.name = "code", .secret = nul}};
    struct got g;

    fetch_fx.stub = stub_start(fixture_echo, NULL);
    g = fixture_send(
        &(struct fetch_request){.url = fixture_url("/"), .headers = h, .n_headers = 1});
    ck_assert_uint_eq(g.r.transport, USHER_TRANSPORT_REFUSED);
    ck_assert_ptr_null(strstr(g.r.err.text, "a\r"));
    g = fixture_send(&(struct fetch_request){
        .url = fixture_url("/"), .body_kind = FETCH_BODY_FORM, .form = f, .n_form = 1});
    ck_assert_uint_eq(g.r.transport, USHER_TRANSPORT_REFUSED);
    ck_assert_uint_eq(stub_requests(fetch_fx.stub), 0);
    secret_free(&s);
    secret_free(&nul);
}
END_TEST

/* More URLs than a pool remembers as read in one way: each goes where it says, and what was refused
 * stays refused. */
START_TEST(many_urls)
{
    char path[32], line[64], bad[300];

    fetch_fx.stub = stub_start(fixture_echo, NULL);
    for (int i = 0; i < 40; i++) {
        snprintf(path, sizeof path, "/u/%d?n=%d", i % 20, i % 20);
        snprintf(line, sizeof line, "GET %s HTTP/1.1\r\n", path);
        ck_assert_int_eq(fixture_get(fixture_url(path)).r.status, 200);
        ck_assert_ptr_nonnull(strstr(fetch_fx.head, line));
        ck_assert_int_eq(fixture_get(fixture_url("/same")).r.status, 200);
        snprintf(bad, sizeof bad, "%s#x", fixture_url(path));
        ck_assert_uint_eq(fixture_get(bad).r.transport, USHER_TRANSPORT_REFUSED);
    }
    ck_assert_uint_eq(stub_requests(fetch_fx.stub), 80);
}
END_TEST

Suite *suite_fetch_request(void)
{
    Suite *s = suite_create("fetch_request");
    TCase *t = tcase_create("fetch_request");

    tcase_add_checked_fixture(t, fixture_setup, fixture_teardown);
    tcase_add_test(t, get_carries_what_was_asked);
    tcase_add_test(t, many_urls);
    tcase_add_test(t, forms_are_encoded_once);
    tcase_add_test(t, json_and_basic);
    tcase_add_test(t, headers_that_cannot_be_sent_are_refused);
    tcase_add_test(t, secrets_with_line_ends_are_refused);
    suite_add_tcase(s, t);
    return s;
}
