/* SPDX-License-Identifier: Apache-2.0 */
/* The fetcher against a server that misbehaves on purpose: CB-17, CB-19, CB-21, CB-34, CB-40 and the
 * addresses of ADM-19. TLS is in test_fetch_tls.c. */
#include <check.h>
#include <dlfcn.h>
#include <netdb.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "net/fetch.h"
#include "stub_server.h"
#include "sys/clock.h"
#include "usher/provider.h"

Suite *suite_fetch(void);

/* A resolver of our own in front of libc's, for names that lead to bad places or nowhere. */
static atomic_uint lookups;

int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **res)
{
    int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **) =
        (int (*)(const char *, const char *, const struct addrinfo *, struct addrinfo **))(uintptr_t)dlsym(RTLD_NEXT, "getaddrinfo");

    atomic_fetch_add(&lookups, 1);
    if (node && strcmp(node, "stall.example") == 0) {
        usleep(1500 * 1000);
        return EAI_AGAIN;
    }
    if (node && strcmp(node, "nothing.example") == 0)
        return EAI_NONAME;
    if (node && strcmp(node, "metadata.example") == 0)
        node = "169.254.169.254";
    if (node && strcmp(node, "inside.example") == 0)
        node = "10.1.2.3";
    if (node && strcmp(node, "loop.example") == 0)
        node = "127.0.0.1";
    return real(node, service, hints, res);
}

static struct loop *loop;
static struct fetch *fetch;
static struct fetch_pool *pool;
static struct stub *stub;
static atomic_int server_says; /* what the handler is to do next, where a test switches it */

struct got {
    bool done;
    bool cookie;
    unsigned calls;
    struct fetch_result r;
    char type[100], charset[100], body[4096], header[200];
};

static void setup_with(const struct fetch_pool_options *po)
{
    const struct fetch_options fo = {.allow_http_loopback = true};
    struct err err = ERR_INIT;

    signal(SIGPIPE, SIG_IGN);
    loop = loop_new(&err);
    ck_assert_ptr_nonnull(loop);
    fetch = fetch_new(loop, &fo, &err);
    ck_assert_msg(fetch != NULL, "%s", err.text);
    pool = fetch_pool_new(fetch, po);
}

static void setup(void)
{
    const struct fetch_pool_options po = {.name = "test", .connect_ms = 400, .total_ms = 800, .body_max = 10000};

    setup_with(&po);
}

static void teardown(void)
{
    fetch_pool_free(&pool);
    fetch_free(&fetch);
    if (stub)
        stub_stop(&stub);
    loop_free(&loop);
}

static void keep(void *arg, const struct fetch_result *r)
{
    struct got *g = arg;

    g->done = true;
    g->calls++;
    g->r = *r;
    snprintf(g->type, sizeof g->type, "%s", r->content_type);
    snprintf(g->charset, sizeof g->charset, "%s", r->charset);
    if (r->transport == USHER_TRANSPORT_OK && r->body.n < sizeof g->body)
        memcpy(g->body, r->body.p, r->body.n);
    for (size_t i = 0; i < r->n_headers; i++) {
        if (strcmp(r->headers[i].name, "x-test") == 0)
            snprintf(g->header, sizeof g->header, "%s", r->headers[i].value);
        else if (strcmp(r->headers[i].name, "set-cookie") == 0)
            g->cookie = true;
    }
}

static void run_until(const bool *flag)
{
    const struct mono start = clock_mono();

    while (!*flag) {
        loop_once(loop, 100);
        ck_assert_int_lt(mono_ms(start, clock_mono()), 20000);
    }
}

static void run_ms(int64_t ms)
{
    const struct mono start = clock_mono();

    while (mono_ms(start, clock_mono()) < ms)
        loop_once(loop, 5);
}

static const char *local(const char *path)
{
    static char url[8][300];
    static unsigned at;
    char *u = url[at++ % 8];

    snprintf(u, sizeof url[0], "http://127.0.0.1:%d%s", stub_port(stub), path);
    return u;
}

static struct got send_request(const struct fetch_request *rq)
{
    struct got g = {0};

    ck_assert_ptr_nonnull(fetch_start(pool, rq, keep, &g));
    ck_assert(!g.done);
    run_until(&g.done);
    return g;
}

static struct got get(const char *url)
{
    const struct fetch_request rq = {.url = url};

    return send_request(&rq);
}

/* ---- what is sent --------------------------------------------------------------------------- */

static char seen_head[16384], seen_body[16384];

static bool remember(struct stub_conn *c, const struct stub_request *rq, void *arg)
{
    (void)arg;
    memcpy(seen_head, rq->head, sizeof seen_head);
    memcpy(seen_body, rq->body, sizeof seen_body);
    return stub_reply(c, 200,
                      "Content-Type: Application/JSON; Charset=\"UTF-8\"\r\nX-Test:  a\tb \r\nSet-Cookie: s=1\r\n",
                      "{\"a\":1}");
}

START_TEST(get_carries_what_was_asked)
{
    struct secret *token = secret_new("tok", 3);
    const struct fetch_part headers[] = {{.name = "Authorization", .before = "Bearer ", .secret = token},
                                         {.name = "X-Extra", .before = "1"}};
    struct got g;

    stub = stub_start(remember, NULL);
    g = send_request(&(struct fetch_request){.url = local("/a/../b?x=%20y"), .headers = headers, .n_headers = 2});
    ck_assert_uint_eq(g.r.transport, USHER_TRANSPORT_OK);
    ck_assert_int_eq(g.r.status, 200);
    ck_assert_str_eq(g.body, "{\"a\":1}");
    ck_assert_str_eq(g.type, "application/json");
    ck_assert_str_eq(g.charset, "utf-8");
    ck_assert_str_eq(g.header, "a\tb");
    ck_assert_int_eq(g.r.retry_after, -1);
    ck_assert(!g.cookie); /* CB-40: cookies are nobody's business */
    ck_assert_ptr_nonnull(strstr(seen_head, "GET /a/../b?x=%20y HTTP/1.1\r\n"));
    ck_assert_ptr_nonnull(strstr(seen_head, "\r\nAuthorization: Bearer tok\r\n"));
    ck_assert_ptr_nonnull(strstr(seen_head, "\r\nX-Extra: 1\r\n"));
    ck_assert_ptr_nonnull(strstr(seen_head, "\r\nUser-Agent: usher/"));
    ck_assert_ptr_nonnull(strstr(seen_head, "\r\nAccept: application/json\r\n"));
    ck_assert_ptr_null(strstr(seen_head, "Cookie"));
    ck_assert_ptr_null(strstr(seen_head, "Accept-Encoding"));
    g = get(local("/again"));
    ck_assert_ptr_null(strstr(seen_head, "Cookie"));
    ck_assert_ptr_null(strstr(seen_head, "tok"));
    ck_assert_uint_eq(stub_connections(stub), 1); /* kept alive */
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

    stub = stub_start(remember, NULL);
    g = send_request(&(struct fetch_request){.url = local("/t"), .body_kind = FETCH_BODY_FORM, .form = form, .n_form = 4});
    ck_assert_int_eq(g.r.status, 200);
    ck_assert_ptr_nonnull(strstr(seen_head, "POST /t HTTP/1.1\r\n"));
    ck_assert_ptr_nonnull(strstr(seen_head, "\r\nContent-Type: application/x-www-form-urlencoded\r\n"));
    ck_assert_ptr_null(strstr(seen_head, "Expect"));
    ck_assert_str_eq(seen_body, "grant_type=authorization_code&code=a%20b%2Bc%2520%26d%3D%E2%82%AC&"
                                "client_secret=p%26%3D%25%2B%20%C3%A9&empty=");
    g = send_request(&(struct fetch_request){.url = local("/t"), .body_kind = FETCH_BODY_FORM});
    ck_assert_int_eq(g.r.status, 200);
    ck_assert_ptr_nonnull(strstr(seen_head, "Content-Length: 0\r\n"));
    secret_free(&s);
}
END_TEST

START_TEST(json_and_basic)
{
    struct secret *s = secret_new("se:cr et\xc3\xa9", 10);
    struct got g;

    stub = stub_start(remember, NULL);
    g = send_request(&(struct fetch_request){.url = local("/j"), .body_kind = FETCH_BODY_JSON, .json = "{\"q\":1}",
                                     .basic_user = "id:1", .basic_password = s});
    ck_assert_int_eq(g.r.status, 200);
    ck_assert_ptr_nonnull(strstr(seen_head, "\r\nContent-Type: application/json\r\n"));
    /* base64("id%3A1:se%3Acr%20et%C3%A9"), RFC 6749 section 2.3.1 */
    ck_assert_ptr_nonnull(strstr(seen_head, "\r\nAuthorization: Basic aWQlM0ExOnNlJTNBY3IlMjBldCVDMyVBOQ==\r\n"));
    ck_assert_str_eq(seen_body, "{\"q\":1}");
    secret_free(&s);
}
END_TEST

START_TEST(headers_that_cannot_be_sent_are_refused)
{
    static const struct fetch_part bad[] = {
        {.name = "X", .before = "a\r\nY: b"}, {.name = "X", .before = "a\nb"},   {.name = "X y", .before = "a"},
        {.name = "", .before = "a"},          {.name = "Host", .before = "evil"}, {.name = "content-LENGTH", .before = "3"},
        {.name = "Cookie", .before = "a=b"},  {.name = "Accept-Encoding", .before = "gzip"},
        {.name = "X:", .before = "a"},        {.name = "X", .before = "a\x7f"},
    };

    stub = stub_start(remember, NULL);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const struct got g = send_request(&(struct fetch_request){.url = local("/"), .headers = &bad[i], .n_headers = 1});
        ck_assert_msg(g.r.transport == USHER_TRANSPORT_REFUSED, "%zu", i);
        ck_assert_int_eq(g.r.err.kind, ERR_MISCONFIGURED);
    }
    ck_assert_uint_eq(stub_connections(stub), 0);
}
END_TEST

START_TEST(secrets_with_line_ends_are_refused)
{
    struct secret *s = secret_new("a\r\nX: y", 7), *nul = secret_new("a\0b", 3);
    const struct fetch_part h[] = {{.name = "Authorization", .before = "Bearer ", .secret = s}};
    const struct fetch_part f[] = {{.name = "code", .secret = nul}};
    struct got g;

    stub = stub_start(remember, NULL);
    g = send_request(&(struct fetch_request){.url = local("/"), .headers = h, .n_headers = 1});
    ck_assert_uint_eq(g.r.transport, USHER_TRANSPORT_REFUSED);
    ck_assert_ptr_null(strstr(g.r.err.text, "a\r"));
    g = send_request(&(struct fetch_request){.url = local("/"), .body_kind = FETCH_BODY_FORM, .form = f, .n_form = 1});
    ck_assert_uint_eq(g.r.transport, USHER_TRANSPORT_REFUSED);
    ck_assert_uint_eq(stub_requests(stub), 0);
    secret_free(&s);
    secret_free(&nul);
}
END_TEST

/* ---- what comes back ------------------------------------------------------------------------ */

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

    stub = stub_start(raw, (void *)(uintptr_t)bytes);
    g = get(local("/"));
    stub_stop(&stub);
    return g;
}

START_TEST(redirects_are_not_followed)
{
    struct got g;

    g = raw_answer("HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n");
    ck_assert_uint_eq(g.r.transport, USHER_TRANSPORT_OK);
    ck_assert_int_eq(g.r.status, 302);
}
END_TEST

START_TEST(gzip_is_not_decoded)
{
    const struct got g = raw_answer("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 5\r\n\r\n\x1f\x8b\x08gz");

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
        ck_assert_msg(g.r.transport == USHER_TRANSPORT_BROKEN, "%zu: %u %s", i, g.r.transport, g.r.err.text);
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
    g = raw_answer("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nContent-Type: a/b\r\nContent-Type: c/d\r\n\r\n");
    ck_assert_str_eq(g.type, "");
    g = raw_answer("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nContent-Type: application/json ; x=y; charset = UTF-16\r\n\r\n");
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

    stub = stub_start(endless, NULL);
    g = get(local("/"));
    ck_assert_uint_eq(g.r.transport, USHER_TRANSPORT_TOO_LARGE);
    ck_assert_int_eq(g.r.err.kind, ERR_UPSTREAM_BAD);
    stub_stop(&stub);
    stub = stub_start(announced_huge, NULL);
    g = get(local("/"));
    ck_assert_uint_eq(g.r.transport, USHER_TRANSPORT_TOO_LARGE);
    ck_assert_int_lt(g.r.ms, 500);
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

    stub = stub_start(exact, NULL);
    g = get(local("/fits"));
    ck_assert_uint_eq(g.r.transport, USHER_TRANSPORT_OK);
    ck_assert_uint_eq(g.r.body.n, 10000);
    ck_assert_uint_eq(get(local("/over")).r.transport, USHER_TRANSPORT_TOO_LARGE);
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
    const int n = atoi(strstr(rq->head, "?n=") + 3);

    (void)arg;
    for (int i = 0; i < n; i++)
        stub_send(c, "HTTP/1.1 103 Early Hints\r\nX-Test: early\r\nContent-Type: early/hint\r\n\r\n");
    return stub_reply(c, 200, "Content-Type: application/json\r\n", "{}");
}

START_TEST(header_floods_are_too_large)
{
    static const char *const paths[] = {"/many", "/long"};
    struct got g;

    stub = stub_start(many_headers, NULL);
    for (size_t i = 0; i < 2; i++) {
        g = get(local(paths[i]));
        ck_assert_msg(g.r.transport == USHER_TRANSPORT_TOO_LARGE, "%s %u", paths[i], g.r.transport);
    }
    stub_stop(&stub);
    stub = stub_start(interim, NULL);
    g = get(local("/?n=2"));
    ck_assert_uint_eq(g.r.transport, USHER_TRANSPORT_OK);
    ck_assert_str_eq(g.type, "application/json");
    ck_assert_str_eq(g.header, "");
    ck_assert_uint_eq(get(local("/?n=900")).r.transport, USHER_TRANSPORT_TOO_LARGE);
}
END_TEST

static bool trailers(struct stub_conn *c, const struct stub_request *rq, void *arg)
{
    (void)arg;
    stub_send(c, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Test\r\n\r\n2\r\n{}\r\n0\r\n");
    for (int i = 0; i < (strstr(rq->head, "/flood") ? 5000 : 1); i++)
        if (!stub_send(c, "X-Test: late-trailer\r\n"))
            return false;
    stub_send(c, "\r\n");
    return false;
}

START_TEST(trailers_are_counted_and_dropped)
{
    struct got g;

    stub = stub_start(trailers, NULL);
    g = get(local("/"));
    ck_assert_uint_eq(g.r.transport, USHER_TRANSPORT_OK);
    ck_assert_str_eq(g.header, "");
    ck_assert_uint_eq(get(local("/flood")).r.transport, USHER_TRANSPORT_TOO_LARGE);
}
END_TEST

/* ---- time ----------------------------------------------------------------------------------- */

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

    stub = stub_start(drip, NULL);
    for (size_t i = 0; i < 2; i++) {
        const struct got g = get(local(paths[i]));
        ck_assert_uint_eq(g.r.transport, USHER_TRANSPORT_TIMEOUT);
        ck_assert_int_eq(g.r.err.kind, ERR_UPSTREAM_DOWN);
        ck_assert_int_ge(g.r.ms, 700);
        ck_assert_int_lt(g.r.ms, 2500);
    }
}
END_TEST

START_TEST(a_request_may_have_its_own_deadline)
{
    struct got g;

    stub = stub_start(drip, NULL);
    g = send_request(&(struct fetch_request){.url = local("/silent"), .total_ms = 150});
    ck_assert_uint_eq(g.r.transport, USHER_TRANSPORT_TIMEOUT);
    ck_assert_int_lt(g.r.ms, 700);
}
END_TEST

/* CB-19: a stalled name server holds nothing up but its own request */
START_TEST(dns_stall_does_not_block_the_loop)
{
    struct got slow = {0}, fast = {0};
    const struct fetch_request stalled = {.url = "https://stall.example/"};
    struct mono start = clock_mono();
    struct fetch_pool *other;

    stub = stub_start(remember, NULL);
    other = fetch_pool_new(fetch, &(struct fetch_pool_options){.name = "other"});
    fetch_start(pool, &stalled, keep, &slow);
    fetch_start(other, &(struct fetch_request){.url = local("/")}, keep, &fast);
    run_until(&fast.done);
    ck_assert_int_lt(mono_ms(start, clock_mono()), 300);
    run_until(&slow.done);
    ck_assert_uint_eq(slow.r.transport, USHER_TRANSPORT_TIMEOUT);
    ck_assert_int_lt(mono_ms(start, clock_mono()), 1200); /* connect_ms is 400 */
    fetch_pool_free(&other);
    usleep(1300 * 1000); /* let the thread that was left behind end */
}
END_TEST

/* While nobody knows whether the upstream is there, few try: a thread each in the resolver. */
START_TEST(a_cold_pool_starts_few)
{
    enum { N = 200 };
    static struct got g[N];
    const unsigned before = atomic_load(&lookups);

    memset(g, 0, sizeof g);
    for (int i = 0; i < N; i++)
        fetch_start(pool, &(struct fetch_request){.url = "https://stall.example/"}, keep, &g[i]);
    run_ms(200);
    ck_assert_uint_le(atomic_load(&lookups) - before, 32);
    for (int i = 0; i < N; i++) {
        run_until(&g[i].done);
        ck_assert_uint_eq(g[i].r.transport, USHER_TRANSPORT_TIMEOUT);
        ck_assert_int_lt(g[i].r.ms, 1500);
    }
    usleep(1600 * 1000);
}
END_TEST

START_TEST(unreachable_hosts)
{
    struct got g = get("http://127.0.0.1:1/");

    ck_assert_uint_eq(g.r.transport, USHER_TRANSPORT_UNREACHABLE);
    ck_assert_int_eq(g.r.err.kind, ERR_UPSTREAM_DOWN);
    g = get("https://nothing.example/");
    ck_assert_uint_eq(g.r.transport, USHER_TRANSPORT_UNREACHABLE);
}
END_TEST

/* ---- addresses ------------------------------------------------------------------------------ */

/* ADM-19: by number, in every spelling, and by name */
START_TEST(special_addresses_are_refused)
{
    static const char *const list[] = {
        "https://10.1.2.3/", "https://169.254.169.254/latest/meta-data/", "https://0.0.0.0/", "https://192.168.1.1/",
        "https://100.64.0.1/", "https://[fc00::1]/", "https://[fe80::1]/", "https://[64:ff9b::a00:1]/",
        "https://[::ffff:10.0.0.1]/", "https://224.0.0.1/", "https://127.1/", "https://0x7f.1/", "https://0177.0.0.1/",
        "https://2130706433/", "https://metadata.example/", "https://inside.example/", "https://loop.example/",
        "http://loop.example/", "http://10.1.2.3/", "http://example.com/", "http://metadata.example/",
        "http://[::ffff:169.254.169.254]/", "file:///etc/passwd", "ftp://127.0.0.1/", "gopher://127.0.0.1/",
        "http://127.0.0.1:1\\@example.com/", "http://user@127.0.0.1/", "http://user:pw@127.0.0.1/",
        "https://example.com@127.0.0.1/", "http://127.0.0.1/#frag", "http://127.0.0.1/a b", "http://127.0.0.1/\t",
        "//127.0.0.1/", "", "127.0.0.1", "http://127.0.0.1:0/", "http://127.0.0.1:99999/", "https://localhost./",
    };

    for (size_t i = 0; i < sizeof list / sizeof *list; i++) {
        const struct got g = get(list[i]);
        ck_assert_msg(g.r.transport == USHER_TRANSPORT_REFUSED, "%s: %u %s", list[i], g.r.transport, g.r.err.text);
        ck_assert_msg(g.r.err.kind == ERR_MISCONFIGURED, "%s: %s", list[i], g.r.err.text);
    }
}
END_TEST

START_TEST(loopback_needs_development)
{
    static const char *const list[] = {"https://127.0.0.1/", "https://[::1]/", "https://localhost/", "https://loop.example/",
                                       "https://[::ffff:127.0.0.1]/"};
    struct fetch *strict;
    struct err err = ERR_INIT;

    strict = fetch_new(loop, &(struct fetch_options){0}, &err);
    fetch_pool_free(&pool);
    pool = fetch_pool_new(strict, &(struct fetch_pool_options){.name = "strict"});
    for (size_t i = 0; i < sizeof list / sizeof *list; i++)
        ck_assert_msg(get(list[i]).r.transport == USHER_TRANSPORT_REFUSED, "%s", list[i]);
    stub = stub_start(remember, NULL);
    ck_assert_uint_eq(get(local("/")).r.transport, USHER_TRANSPORT_REFUSED); /* plain http */
    ck_assert_uint_eq(stub_connections(stub), 0);
    fetch_pool_free(&pool);
    fetch_free(&strict);
}
END_TEST

START_TEST(listed_hosts_may_be_private)
{
    static const char *const hosts[] = {"Loop.Example", NULL};
    struct got g;
    char url[100];

    fetch_pool_free(&pool);
    pool = fetch_pool_new(fetch, &(struct fetch_pool_options){.name = "listed", .allow_private = hosts, .connect_ms = 300});
    stub = stub_start(remember, NULL);
    snprintf(url, sizeof url, "https://loop.example:%d/", stub_port(stub));
    g = get(url);
    ck_assert_uint_ne(g.r.transport, USHER_TRANSPORT_REFUSED); /* it speaks no TLS */
    ck_assert_uint_eq(stub_connections(stub), 1);
    ck_assert_uint_eq(get("https://inside.example/").r.transport, USHER_TRANSPORT_REFUSED);
}
END_TEST

START_TEST(localhost_by_name_works_in_development)
{
    char url[100];

    stub = stub_start(remember, NULL);
    snprintf(url, sizeof url, "http://localhost:%d/", stub_port(stub));
    ck_assert_int_eq(get(url).r.status, 200);
}
END_TEST

/* ---- rate budget and queue ------------------------------------------------------------------ */

static bool limited(struct stub_conn *c, const struct stub_request *rq, void *arg)
{
    char headers[100] = "";
    time_t at = time(NULL) + 90;

    (void)arg;
    (void)rq;
    switch (atomic_load(&server_says)) {
    case 1:
        return stub_reply(c, 429, "Retry-After: 2\r\n", "{}");
    case 2:
        strftime(headers, sizeof headers, "Retry-After: %a, %d %b %Y %H:%M:%S GMT\r\n", gmtime(&at));
        return stub_reply(c, 503, headers, "{}");
    case 3:
        return stub_reply(c, 429, "Retry-After: 99999999999\r\n", "{}");
    case 4:
        return stub_reply(c, 429, "Retry-After: 0.35\r\n", "{}");
    case 5:
        return stub_reply(c, 429, "Retry-After: soon\r\n", "{}");
    case 6:
        return stub_reply(c, 503, "", "{}");
    case 7:
        return stub_reply(c, 401, "Retry-After: 60\r\n", "{}");
    default:
        return stub_reply(c, 200, "", "{}");
    }
}

/* CB-34: while the upstream wants a pause there are no requests */
START_TEST(retry_after_closes_the_pool)
{
    struct got g;

    stub = stub_start(limited, NULL);
    atomic_store(&server_says, 1);
    g = get(local("/"));
    ck_assert_uint_eq(g.r.transport, USHER_TRANSPORT_OK);
    ck_assert_int_eq(g.r.status, 429);
    ck_assert_int_eq(g.r.retry_after, 2);
    atomic_store(&server_says, 0);
    for (int i = 0; i < 3; i++) {
        g = get(local("/"));
        ck_assert_uint_eq(g.r.transport, USHER_TRANSPORT_LIMITED);
        ck_assert_int_eq(g.r.err.kind, ERR_LIMITED);
        ck_assert_int_ge(g.r.retry_after, 1);
        ck_assert_int_le(g.r.retry_after, 2);
    }
    ck_assert_uint_eq(stub_requests(stub), 1);
    run_ms(2050);
    ck_assert_int_eq(get(local("/")).r.status, 200);
}
END_TEST

START_TEST(retry_after_forms)
{
    static const struct {
        int says, status, least, most, then; /* then: what LIMITED tells; 0: the pool stays open */
    } t[] = {{2, 503, 88, 90, 90}, {3, 429, 99999999, 2000000000, 300}, {4, 429, 1, 1, 1},
             {5, 429, -1, -1, 1},  {6, 503, -1, -1, 0},                 {7, 401, 60, 60, 0}};

    stub = stub_start(limited, NULL);
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        struct got g;

        fetch_pool_free(&pool);
        pool = fetch_pool_new(fetch, &(struct fetch_pool_options){.name = "test"});
        atomic_store(&server_says, t[i].says);
        g = get(local("/"));
        ck_assert_int_eq(g.r.status, t[i].status);
        ck_assert_int_ge(g.r.retry_after, t[i].least);
        if (t[i].most < 2000000000)
            ck_assert_int_le(g.r.retry_after, t[i].most);
        g = get(local("/"));
        if (t[i].then > 0) {
            ck_assert_uint_eq(g.r.transport, USHER_TRANSPORT_LIMITED);
            ck_assert_int_le(g.r.retry_after, t[i].then);
            ck_assert_int_ge(g.r.retry_after, t[i].then - 3);
        } else {
            ck_assert_uint_eq(g.r.transport, USHER_TRANSPORT_OK);
        }
    }
}
END_TEST

static bool slow(struct stub_conn *c, const struct stub_request *rq, void *arg)
{
    (void)arg;
    stub_wait(c, strstr(rq->head, "/slower") ? 5000 : 300);
    return stub_reply(c, 200, "", "{}");
}

START_TEST(calls_wait_for_room_in_order)
{
    struct got g[6] = {0};
    unsigned limited_n = 0;

    fetch_pool_free(&pool);
    pool = fetch_pool_new(fetch, &(struct fetch_pool_options){.name = "small", .max_in_flight = 2, .total_ms = 5000});
    stub = stub_start(slow, NULL);
    for (int i = 0; i < 6; i++)
        fetch_start(pool, &(struct fetch_request){.url = local("/")}, keep, &g[i]);
    run_ms(150);
    ck_assert_uint_eq(stub_requests(stub), 2);
    for (int i = 0; i < 6; i++) {
        run_until(&g[i].done);
        limited_n += g[i].r.transport == USHER_TRANSPORT_LIMITED;
    }
    ck_assert_uint_eq(limited_n, 2); /* two run, two wait, the rest is told at once */
    ck_assert_uint_eq(g[4].r.transport, USHER_TRANSPORT_LIMITED);
    ck_assert_uint_eq(g[5].r.transport, USHER_TRANSPORT_LIMITED);
    ck_assert_uint_eq(stub_requests(stub), 4);
}
END_TEST

START_TEST(waiting_has_a_deadline_too)
{
    struct got g[2] = {0};

    fetch_pool_free(&pool);
    pool = fetch_pool_new(fetch, &(struct fetch_pool_options){.name = "one", .max_in_flight = 1, .total_ms = 5000});
    stub = stub_start(slow, NULL);
    fetch_start(pool, &(struct fetch_request){.url = local("/")}, keep, &g[0]);
    fetch_start(pool, &(struct fetch_request){.url = local("/"), .total_ms = 100}, keep, &g[1]);
    run_until(&g[1].done);
    ck_assert_uint_eq(g[1].r.transport, USHER_TRANSPORT_TIMEOUT);
    ck_assert(!g[0].done);
    run_until(&g[0].done);
    ck_assert_uint_eq(g[0].r.transport, USHER_TRANSPORT_OK);
    ck_assert_uint_eq(stub_requests(stub), 1);
}
END_TEST

START_TEST(a_thousand_at_once)
{
    enum { N = 1000 };
    static struct got g[N];
    struct rlimit files;
    struct mono start = clock_mono();

    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    fetch_pool_free(&pool);
    pool = fetch_pool_new(fetch, &(struct fetch_pool_options){.name = "many", .total_ms = 30000, .connect_ms = 20000});
    stub = stub_start(slow, NULL);
    memset(g, 0, sizeof g);
    for (int i = 0; i < N; i++)
        fetch_start(pool, &(struct fetch_request){.url = local("/")}, keep, &g[i]);
    for (int i = 0; i < N; i++) {
        run_until(&g[i].done);
        ck_assert_msg(g[i].r.transport == USHER_TRANSPORT_OK, "%d: %s", i, g[i].r.err.text);
        ck_assert_uint_eq(g[i].calls, 1);
    }
    ck_assert_uint_eq(stub_requests(stub), N);
    ck_assert_int_lt(mono_ms(start, clock_mono()), 15000); /* one after the other: 300 s */
}
END_TEST

/* ---- cancelling ----------------------------------------------------------------------------- */

START_TEST(cancelled_calls_never_call_back)
{
    struct got g[4] = {0};
    struct fetch_call *c[4];

    fetch_pool_free(&pool);
    pool = fetch_pool_new(fetch, &(struct fetch_pool_options){.name = "one", .max_in_flight = 1});
    stub = stub_start(slow, NULL);
    c[0] = fetch_start(pool, &(struct fetch_request){.url = local("/active")}, keep, &g[0]);
    c[1] = fetch_start(pool, &(struct fetch_request){.url = local("/waiting")}, keep, &g[1]);
    c[2] = fetch_start(pool, &(struct fetch_request){.url = "nonsense"}, keep, &g[2]);
    run_ms(50);
    ck_assert(g[2].done);
    c[2] = fetch_start(pool, &(struct fetch_request){.url = "nonsense"}, keep, &g[3]); /* ready */
    for (int i = 0; i < 3; i++) {
        fetch_cancel(&c[i]);
        ck_assert_ptr_null(c[i]);
    }
    run_ms(500);
    ck_assert(!g[0].done && !g[1].done && !g[3].done);
    c[0] = fetch_start(pool, &(struct fetch_request){.url = local("/after")}, keep, &g[0]);
    run_until(&g[0].done);
    ck_assert_int_eq(g[0].r.status, 200);
}
END_TEST

START_TEST(cancelling_makes_room)
{
    struct got g[2] = {0};
    struct fetch_call *c;

    fetch_pool_free(&pool);
    pool = fetch_pool_new(fetch, &(struct fetch_pool_options){.name = "one", .max_in_flight = 1});
    stub = stub_start(slow, NULL);
    c = fetch_start(pool, &(struct fetch_request){.url = local("/")}, keep, &g[0]);
    fetch_start(pool, &(struct fetch_request){.url = local("/")}, keep, &g[1]);
    fetch_cancel(&c);
    run_until(&g[1].done);
    ck_assert_uint_eq(g[1].r.transport, USHER_TRANSPORT_OK);
}
END_TEST

static struct fetch_call *chain[3];
static struct got chain_got[3];

/* A callback that cancels itself and another, frees the pool, and asks again elsewhere. */
static void chain_done(void *arg, const struct fetch_result *r)
{
    keep(arg, r);
    fetch_cancel(&chain[0]);
    fetch_cancel(&chain[1]);
    chain[2] = fetch_start(pool, &(struct fetch_request){.url = local("/")}, keep, &chain_got[2]);
    fetch_pool_free(&pool);
}

START_TEST(callbacks_may_do_as_they_like)
{
    memset(chain_got, 0, sizeof chain_got);
    stub = stub_start(slow, NULL);
    chain[0] = fetch_start(pool, &(struct fetch_request){.url = local("/")}, chain_done, &chain_got[0]);
    chain[1] = fetch_start(pool, &(struct fetch_request){.url = local("/slower")}, keep, &chain_got[1]);
    run_until(&chain_got[2].done);
    ck_assert(chain_got[0].done);
    ck_assert(!chain_got[1].done);
    ck_assert_uint_eq(chain_got[2].r.transport, USHER_TRANSPORT_OK);
}
END_TEST

START_TEST(free_cancels_what_is_under_way)
{
    struct got g[3] = {0};

    fetch_pool_free(&pool);
    pool = fetch_pool_new(fetch, &(struct fetch_pool_options){.name = "one", .max_in_flight = 1});
    stub = stub_start(slow, NULL);
    fetch_start(pool, &(struct fetch_request){.url = local("/")}, keep, &g[0]);
    fetch_start(pool, &(struct fetch_request){.url = local("/")}, keep, &g[1]);
    fetch_start(pool, &(struct fetch_request){.url = "nonsense"}, keep, &g[2]);
    loop_once(loop, 20);
    g[2].done = false;
    fetch_start(pool, &(struct fetch_request){.url = "nonsense"}, keep, &g[2]);
    fetch_free(&fetch);
    run_ms(50);
    ck_assert(!g[0].done && !g[1].done && !g[2].done);
}
END_TEST

START_TEST(missing_certificates_are_told)
{
    struct err err = ERR_INIT;

    ck_assert_ptr_null(fetch_new(loop, &(struct fetch_options){.ca_file = "/nonexistent"}, &err));
    ck_assert_int_eq(err.kind, ERR_MISCONFIGURED);
}
END_TEST

static void add(Suite *s, const char *name, const TTest *const *tests, size_t n)
{
    TCase *t = tcase_create(name);

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 60);
    for (size_t i = 0; i < n; i++)
        tcase_add_test(t, tests[i]);
    suite_add_tcase(s, t);
}

Suite *suite_fetch(void)
{
    const TTest *const sent[] = {get_carries_what_was_asked, forms_are_encoded_once, json_and_basic,
                                 headers_that_cannot_be_sent_are_refused, secrets_with_line_ends_are_refused};
    const TTest *const answers[] = {redirects_are_not_followed, gzip_is_not_decoded, truncated_answers_are_broken,
                                    answers_without_length_end_with_the_connection, content_type_forms,
                                    bodies_stop_at_the_limit, bodies_of_exactly_the_limit_pass,
                                    header_floods_are_too_large, trailers_are_counted_and_dropped};
    const TTest *const times[] = {slow_answers_end_at_the_deadline, a_request_may_have_its_own_deadline,
                                  dns_stall_does_not_block_the_loop, a_cold_pool_starts_few, unreachable_hosts};
    const TTest *const addresses[] = {special_addresses_are_refused, loopback_needs_development,
                                      listed_hosts_may_be_private, localhost_by_name_works_in_development};
    const TTest *const budget[] = {retry_after_closes_the_pool, retry_after_forms, calls_wait_for_room_in_order,
                                   waiting_has_a_deadline_too, a_thousand_at_once};
    const TTest *const cancel[] = {cancelled_calls_never_call_back, cancelling_makes_room, callbacks_may_do_as_they_like,
                                   free_cancels_what_is_under_way, missing_certificates_are_told};
    Suite *s = suite_create("fetch");

    add(s, "sent", sent, sizeof sent / sizeof *sent);
    add(s, "answers", answers, sizeof answers / sizeof *answers);
    add(s, "times", times, sizeof times / sizeof *times);
    add(s, "addresses", addresses, sizeof addresses / sizeof *addresses);
    add(s, "budget", budget, sizeof budget / sizeof *budget);
    add(s, "cancel", cancel, sizeof cancel / sizeof *cancel);
    return s;
}
