/* SPDX-License-Identifier: Apache-2.0 */
/* What comes back from servers that misbehave: CB-17, CB-19, CB-21, CB-40. */
#include "fetch_fixture.h"

Suite *suite_fetch_answer(void);

/* Sends the bytes of `arg` as they are and closes. */
static bool raw(struct stub_conn *c, const struct stub_request *rq, void *arg)
{
    (void)rq;
    stub_send(c, arg);
    return false;
}

static struct got raw_answer(const char *bytes)
{
    struct got g;

    fetch_fx.stub = stub_start(raw, (void *)(uintptr_t)bytes);
    g = fixture_get(fixture_url("/"));
    stub_stop(&fetch_fx.stub);
    return g;
}

START_TEST(redirects_are_not_followed)
{
    struct got g;

    g = raw_answer(
        "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n");
    ck_assert_uint_eq(g.r.transport, USHER_TRANSPORT_OK);
    ck_assert_int_eq(g.r.status, 302);
}
END_TEST

START_TEST(gzip_is_not_decoded)
{
    const struct got g = raw_answer(
        "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 5\r\n\r\n\x1f\x8b\x08gz");

    ck_assert_uint_eq(g.r.transport, USHER_TRANSPORT_OK);
    ck_assert_int_eq(memcmp(g.body, "\x1f\x8b\x08gz", 5), 0);
}
END_TEST

/* CB-21 */
START_TEST(truncated_answers_are_broken)
{
    static const char *const list[] = {
        "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{\"half\":",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"a\":\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{\"a\":\r\n",
        "HTTP/1.1 200 OK\r\nContent-Le",
        "",
        "this is not HTTP at all, sorry\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nabc",
    };

    for (size_t i = 0; i < sizeof list / sizeof *list; i++) {
        const struct got g = raw_answer(list[i]);
        ck_assert_msg(g.r.transport == USHER_TRANSPORT_BROKEN, "%zu: %u %s", i, g.r.transport,
                      g.r.err.text);
        ck_assert_int_eq(g.r.err.kind, ERR_UPSTREAM_BAD);
    }
}
END_TEST

START_TEST(answers_without_length_end_with_the_connection)
{
    const struct got g = raw_answer("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<p>hi");

    ck_assert_uint_eq(g.r.transport, USHER_TRANSPORT_OK);
    ck_assert_str_eq(g.body, "<p>hi");
    ck_assert_str_eq(g.type, "text/html");
}
END_TEST

START_TEST(content_type_forms)
{
    struct got g = raw_answer("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");

    ck_assert_str_eq(g.type, "");
    ck_assert_str_eq(g.charset, "");
    g = raw_answer(
        "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nContent-Type: a/b\r\nContent-Type: c/d\r\n\r\n");
    ck_assert_str_eq(g.type, "");
    g = raw_answer("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nContent-Type: application/json ; x=y; "
                   "charset = UTF-16\r\n\r\n");
    ck_assert_str_eq(g.type, "application/json");
    ck_assert_str_eq(g.charset, "utf-16");
}
END_TEST

/* CB-17: endless chunks, far too much, and lies about the length */
static bool endless(struct stub_conn *c, const struct stub_request *rq, void *arg)
{
    (void)rq;
    (void)arg;
    stub_send(c, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    while (stub_send(c, "400\r\n")) {
        char chunk[1024];
        memset(chunk, 'x', sizeof chunk);
        if (!stub_sendn(c, chunk, sizeof chunk) || !stub_send(c, "\r\n"))
            break;
    }
    return false;
}

static bool announced_huge(struct stub_conn *c, const struct stub_request *rq, void *arg)
{
    (void)rq;
    (void)arg;
    stub_send(c, "HTTP/1.1 200 OK\r\nContent-Length: 52428800\r\n\r\n");
    stub_wait(c, 5000);
    return false;
}

START_TEST(bodies_stop_at_the_limit)
{
    struct got g;

    fetch_fx.stub = stub_start(endless, NULL);
    g = fixture_get(fixture_url("/"));
    ck_assert_uint_eq(g.r.transport, USHER_TRANSPORT_TOO_LARGE);
    ck_assert_int_eq(g.r.err.kind, ERR_UPSTREAM_BAD);
    stub_stop(&fetch_fx.stub);
    fetch_fx.stub = stub_start(announced_huge, NULL);
    g = fixture_get(fixture_url("/"));
    ck_assert_uint_eq(g.r.transport, USHER_TRANSPORT_TOO_LARGE);
}
END_TEST

static bool exact(struct stub_conn *c, const struct stub_request *rq, void *arg)
{
    char *body = calloc(1, 10002);

    (void)arg;
    memset(body, 'x', strstr(rq->head, "/over") ? 10001 : 10000);
    stub_reply(c, 200, "", body);
    free(body);
    return true;
}

START_TEST(bodies_of_exactly_the_limit_pass)
{
    struct got g;

    fetch_fx.stub = stub_start(exact, NULL);
    g = fixture_get(fixture_url("/fits"));
    ck_assert_uint_eq(g.r.transport, USHER_TRANSPORT_OK);
    ck_assert_uint_eq(g.r.body.n, 10000);
    ck_assert_uint_eq(fixture_get(fixture_url("/over")).r.transport, USHER_TRANSPORT_TOO_LARGE);
}
END_TEST

/* CB-40 */
static bool many_headers(struct stub_conn *c, const struct stub_request *rq, void *arg)
{
    (void)arg;
    stub_send(c, "HTTP/1.1 200 OK\r\n");
    if (strstr(rq->head, "/interim")) {
        for (int i = 0; i < 1000; i++)
            stub_send(c, i == 0 ? "X: 1\r\n\r\n" : "HTTP/1.1 102 Processing\r\nX: 1\r\n\r\n");
    } else if (strstr(rq->head, "/long")) {
        char line[40000];
        memset(line, 'x', sizeof line);
        memcpy(line, "X-Long: ", 8);
        memcpy(line + sizeof line - 3, "\r\n", 3);
        stub_send(c, line);
    } else {
        for (int i = 0; i < 1000; i++)
            stub_send(c, "X: 1\r\n");
    }
    stub_send(c, "Content-Length: 2\r\n\r\n{}");
    return false;
}

static bool interim(struct stub_conn *c, const struct stub_request *rq, void *arg)
{
    const long n = strtol(strstr(rq->head, "?n=") + 3, NULL, 10);

    (void)arg;
    for (int i = 0; i < n; i++)
        stub_send(c,
                  "HTTP/1.1 103 Early Hints\r\nX-Test: early\r\nContent-Type: early/hint\r\n\r\n");
    return stub_reply(c, 200, "Content-Type: application/json\r\n", "{}");
}

START_TEST(header_floods_are_too_large)
{
    static const char *const paths[] = {"/many", "/long"};
    struct got g;

    fetch_fx.stub = stub_start(many_headers, NULL);
    for (size_t i = 0; i < 2; i++) {
        g = fixture_get(fixture_url(paths[i]));
        ck_assert_msg(g.r.transport == USHER_TRANSPORT_TOO_LARGE, "%s %u", paths[i], g.r.transport);
    }
    stub_stop(&fetch_fx.stub);
    fetch_fx.stub = stub_start(interim, NULL);
    g = fixture_get(fixture_url("/?n=2"));
    ck_assert_uint_eq(g.r.transport, USHER_TRANSPORT_OK);
    ck_assert_str_eq(g.type, "application/json");
    ck_assert_str_eq(g.header, "");
    ck_assert_uint_eq(fixture_get(fixture_url("/?n=900")).r.transport, USHER_TRANSPORT_TOO_LARGE);
}
END_TEST

static bool trailers(struct stub_conn *c, const struct stub_request *rq, void *arg)
{
    (void)arg;
    stub_send(
        c,
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Test\r\n\r\n2\r\n{}\r\n0\r\n");
    for (int i = 0; i < (strstr(rq->head, "/flood") ? 5000 : 1); i++)
        if (!stub_send(c, "X-Test: late-trailer\r\n"))
            return false;
    stub_send(c, "\r\n");
    return false;
}

START_TEST(trailers_are_counted_and_dropped)
{
    struct got g;

    fetch_fx.stub = stub_start(trailers, NULL);
    g = fixture_get(fixture_url("/"));
    ck_assert_uint_eq(g.r.transport, USHER_TRANSPORT_OK);
    ck_assert_str_eq(g.header, "");
    ck_assert_uint_eq(fixture_get(fixture_url("/flood")).r.transport, USHER_TRANSPORT_TOO_LARGE);
}
END_TEST

static bool drip(struct stub_conn *c, const struct stub_request *rq, void *arg)
{
    (void)arg;
    if (strstr(rq->head, "/silent")) {
        stub_wait(c, 5000);
        return false;
    }
    stub_send(c, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n");
    for (int i = 0; i < 100 && stub_send(c, "x"); i++)
        stub_wait(c, 100);
    return false;
}

/* CB-19: one byte at a time, and accepted but silent */
START_TEST(slow_answers_end_at_the_deadline)
{
    static const char *const paths[] = {"/drip", "/silent"};

    fixture_pool(&(struct fetch_pool_options){.name = "short", .total_ms = 800});
    fetch_fx.stub = stub_start(drip, NULL);
    for (size_t i = 0; i < 2; i++) {
        const struct got g = fixture_get(fixture_url(paths[i]));
        ck_assert_uint_eq(g.r.transport, USHER_TRANSPORT_TIMEOUT);
        ck_assert_int_eq(g.r.err.kind, ERR_UPSTREAM_DOWN);
        ck_assert_int_ge(g.r.ms, 700);
        ck_assert_int_lt(g.r.ms, 15000);
    }
}
END_TEST

START_TEST(a_request_may_have_its_own_deadline)
{
    struct got g;

    fetch_fx.stub = stub_start(drip, NULL);
    g = fixture_send(&(struct fetch_request){.url = fixture_url("/silent"), .total_ms = 150});
    ck_assert_uint_eq(g.r.transport, USHER_TRANSPORT_TIMEOUT);
    ck_assert_int_lt(g.r.ms, 15000);
}
END_TEST

/* Answers the first request of each connection; later ones are read and the connection closed. */
static bool only_first(struct stub_conn *c, const struct stub_request *rq, void *arg)
{
    (void)arg;
    if (strstr(rq->head, "/again"))
        return false;
    return stub_reply(c, 200, "", "{}");
}

/* A kept connection may end just when it is used again. The request is repeated, but one that
 * carries a code or a refresh token not more than once, whatever the number of dead connections. */
START_TEST(posts_are_repeated_once_at_most)
{
    struct got g[8] = {0};
    unsigned before;

    fetch_fx.stub = stub_start(only_first, NULL);
    for (int i = 0; i < 8; i++) /* leaves some connections behind */
        fetch_start(fetch_fx.pool, &(struct fetch_request){.url = fixture_url("/")}, fixture_keep,
                    &g[i]);
    for (int i = 0; i < 8; i++)
        fixture_until(&g[i].done);
    before = stub_requests(fetch_fx.stub);
    g[0] = fixture_send(
        &(struct fetch_request){.url = fixture_url("/again"), .body_kind = FETCH_BODY_FORM});
    ck_assert_uint_eq(g[0].r.transport, USHER_TRANSPORT_BROKEN);
    ck_assert_int_eq(g[0].r.err.kind, ERR_UPSTREAM_BAD);
    ck_assert_uint_le(stub_requests(fetch_fx.stub) - before, 2);
    ck_assert_uint_ge(stub_requests(fetch_fx.stub) - before, 1);
}
END_TEST

Suite *suite_fetch_answer(void)
{
    Suite *s = suite_create("fetch_answer");
    TCase *t = tcase_create("fetch_answer");

    tcase_add_checked_fixture(t, fixture_setup, fixture_teardown);
    tcase_add_test(t, redirects_are_not_followed);
    tcase_add_test(t, gzip_is_not_decoded);
    tcase_add_test(t, truncated_answers_are_broken);
    tcase_add_test(t, answers_without_length_end_with_the_connection);
    tcase_add_test(t, content_type_forms);
    tcase_add_test(t, bodies_stop_at_the_limit);
    tcase_add_test(t, bodies_of_exactly_the_limit_pass);
    tcase_add_test(t, header_floods_are_too_large);
    tcase_add_test(t, trailers_are_counted_and_dropped);
    tcase_add_test(t, slow_answers_end_at_the_deadline);
    tcase_add_test(t, a_request_may_have_its_own_deadline);
    tcase_add_test(t, posts_are_repeated_once_at_most);
    suite_add_tcase(s, t);
    return s;
}
