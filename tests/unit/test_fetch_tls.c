/* SPDX-License-Identifier: Apache-2.0 */
/* CB-22: whom the fetcher trusts. Not a byte of a request may reach those it does not. */
#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "net/fetch.h"
#include "stub_server.h"
#include "sys/clock.h"
#include "usher/provider.h"

Suite *suite_fetch_tls(void);

static bool hello(struct stub_conn *c, const struct stub_request *rq, void *arg)
{
    (void)rq;
    (void)arg;
    return stub_reply(c, 200, "Content-Type: application/json\r\n", "{}");
}

struct got {
    bool done;
    struct fetch_result r;
};

static void keep(void *arg, const struct fetch_result *r)
{
    struct got *g = arg;

    g->r = *r;
    g->done = true;
}

/* One request to a server with this certificate; trusted: it is in our bundle. */
static struct got attempt(const struct stub_cert *cert, bool trusted, unsigned *requests)
{
    char pem[] = "/tmp/usher-test-ca-XXXXXX", url[100];
    const int fd = mkstemp(pem);
    struct stub *stub = stub_start_tls(hello, NULL, cert, pem);
    struct err err = ERR_INIT;
    struct loop *loop = loop_new(&err);
    const struct fetch_options fo = {.allow_http_loopback = true, .ca_file = trusted ? pem : NULL};
    struct fetch *f = fetch_new(loop, &fo, &err);
    struct fetch_pool *p;
    struct got g = {0};

    ck_assert_msg(f != NULL, "%s", err.text);
    p = fetch_pool_new(f, &(struct fetch_pool_options){.name = "tls", .connect_ms = 1500});
    snprintf(url, sizeof url, "https://127.0.0.1:%d/", stub_port(stub));
    for (int i = 0; i < 2; i++) {
        g.done = false;
        fetch_start(p, &(struct fetch_request){.url = url}, keep, &g);
        while (!g.done)
            loop_once(loop, 100);
    }
    *requests = stub_requests(stub);
    if (trusted && g.r.transport == USHER_TRANSPORT_OK)
        ck_assert_uint_eq(stub_connections(stub), 1); /* used again */
    fetch_pool_free(&p);
    fetch_free(&f);
    loop_free(&loop);
    stub_stop(&stub);
    unlink(pem);
    close(fd);
    return g;
}

static void refused(const struct stub_cert *cert, bool trusted, uint32_t transport)
{
    unsigned requests = 99;
    const struct got g = attempt(cert, trusted, &requests);

    ck_assert_msg(g.r.transport == transport, "%u %s", g.r.transport, g.r.err.text);
    ck_assert_int_eq(g.r.err.kind, ERR_UPSTREAM_DOWN);
    ck_assert_uint_eq(requests, 0);
}

START_TEST(a_trusted_certificate_is_fine)
{
    const struct stub_cert cert = {.host = "127.0.0.1", .from_s = -60, .until_s = 3600};
    unsigned requests = 0;
    const struct got g = attempt(&cert, true, &requests);

    ck_assert_msg(g.r.transport == USHER_TRANSPORT_OK, "%s", g.r.err.text);
    ck_assert_int_eq(g.r.status, 200);
    ck_assert_uint_eq(requests, 2);
}
END_TEST

/* One provider may have a bundle of its own, which no other provider's requests trust. */
START_TEST(a_pool_has_its_own_bundle)
{
    const struct stub_cert cert = {.host = "127.0.0.1", .from_s = -60, .until_s = 3600};
    char pem[] = "/tmp/usher-test-ca-XXXXXX", url[100];
    const int fd = mkstemp(pem);
    struct stub *stub = stub_start_tls(hello, NULL, &cert, pem);
    struct err err = ERR_INIT;
    struct loop *loop = loop_new(&err);
    struct fetch *f = fetch_new(loop, &(struct fetch_options){.allow_http_loopback = true}, &err);
    struct fetch_pool *own, *other, *lost;

    ck_assert_ptr_nonnull(f);
    own = fetch_pool_new(f, &(struct fetch_pool_options){.name = "own", .ca_file = pem});
    other = fetch_pool_new(f, &(struct fetch_pool_options){.name = "other"});
    lost =
        fetch_pool_new(f, &(struct fetch_pool_options){.name = "lost", .ca_file = "/nonexistent"});
    snprintf(url, sizeof url, "https://127.0.0.1:%d/", stub_port(stub));
    for (int i = 0; i < 6; i++) {
        struct got g = {0};

        fetch_start(i % 3 == 0   ? own
                    : i % 3 == 1 ? other
                                 : lost,
                    &(struct fetch_request){.url = url}, keep, &g);
        while (!g.done)
            loop_once(loop, 100);
        ck_assert_msg((g.r.transport == USHER_TRANSPORT_OK) == (i % 3 == 0), "%d %s", i,
                      g.r.err.text);
        if (i % 3 == 2)
            ck_assert_int_eq(g.r.err.kind, ERR_MISCONFIGURED);
    }
    ck_assert_uint_eq(stub_requests(stub), 2);
    fetch_pool_free(&own);
    fetch_pool_free(&other);
    fetch_pool_free(&lost);
    fetch_free(&f);
    loop_free(&loop);
    stub_stop(&stub);
    unlink(pem);
    close(fd);
}
END_TEST

START_TEST(self_signed)
{
    refused(&(struct stub_cert){.host = "127.0.0.1", .from_s = -60, .until_s = 3600}, false,
            USHER_TRANSPORT_UNREACHABLE);
}
END_TEST

START_TEST(another_host)
{
    refused(&(struct stub_cert){.host = "accounts.example", .from_s = -60, .until_s = 3600}, true,
            USHER_TRANSPORT_UNREACHABLE);
}
END_TEST

START_TEST(expired)
{
    refused(&(struct stub_cert){.host = "127.0.0.1", .from_s = -7200, .until_s = -3600}, true,
            USHER_TRANSPORT_UNREACHABLE);
}
END_TEST

START_TEST(not_yet_valid)
{
    refused(&(struct stub_cert){.host = "127.0.0.1", .from_s = 3600, .until_s = 7200}, true,
            USHER_TRANSPORT_UNREACHABLE);
}
END_TEST

START_TEST(old_protocol)
{
    const struct stub_cert cert = {
        .host = "127.0.0.1", .from_s = -60, .until_s = 3600, .old_tls = true};

    refused(&cert, true, USHER_TRANSPORT_UNREACHABLE);
}
END_TEST

/* CB-19 */
START_TEST(stalled_handshake)
{
    const struct stub_cert cert = {
        .host = "127.0.0.1", .from_s = -60, .until_s = 3600, .stall = true};

    refused(&cert, true, USHER_TRANSPORT_TIMEOUT);
}
END_TEST

/* The server's writes to a client that has left. */
static void ignore_pipes(void)
{
    sigaction(SIGPIPE, &(struct sigaction){.sa_handler = SIG_IGN}, NULL);
}

Suite *suite_fetch_tls(void)
{
    Suite *s = suite_create("fetch_tls");
    TCase *t = tcase_create("tls");

    tcase_add_checked_fixture(t, ignore_pipes, NULL);
    tcase_add_test(t, a_trusted_certificate_is_fine);
    tcase_add_test(t, a_pool_has_its_own_bundle);
    tcase_add_test(t, self_signed);
    tcase_add_test(t, another_host);
    tcase_add_test(t, expired);
    tcase_add_test(t, not_yet_valid);
    tcase_add_test(t, old_protocol);
    tcase_add_test(t, stalled_handshake);
    suite_add_tcase(s, t);
    return s;
}
