/* SPDX-License-Identifier: Apache-2.0 */
/* Which addresses are talked to (ADM-19), and name servers that stall (CB-19). */
#include <dlfcn.h>
#include <netdb.h>
#include <stdatomic.h>
#include <unistd.h>

#include "fetch_fixture.h"

Suite *suite_fetch_easy(void);

/* A resolver of our own in front of libc's, for names that lead to bad places or nowhere. */
static atomic_uint lookups, stalled; /* so far; at present */
static atomic_bool go_on;            /* those that stall */

__attribute__((visibility("default"))) int getaddrinfo(const char *node, const char *service,
                                                       const struct addrinfo *hints,
                                                       struct addrinfo **res)
{
    int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **) =
        (int (*)(const char *, const char *, const struct addrinfo *, struct addrinfo **))(
            uintptr_t)dlsym(RTLD_NEXT, "getaddrinfo");

    atomic_fetch_add(&lookups, 1);
    if (node && strcmp(node, "stall.example") == 0) {
        atomic_fetch_add(&stalled, 1);
        while (!atomic_load(&go_on))
            usleep(1000);
        atomic_fetch_sub(&stalled, 1);
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

/* ADM-19: by number, in every spelling, and by name */
START_TEST(special_addresses_are_refused)
{
    static const char *const list[] = {
        "https://10.1.2.3/",
        "https://169.254.169.254/latest/meta-data/",
        "https://0.0.0.0/",
        "https://192.168.1.1/",
        "https://100.64.0.1/",
        "https://[fc00::1]/",
        "https://[fe80::1]/",
        "https://[64:ff9b::a00:1]/",
        "https://[::ffff:10.0.0.1]/",
        "https://224.0.0.1/",
        "https://127.1/",
        "https://0x7f.1/",
        "https://0177.0.0.1/",
        "https://2130706433/",
        "https://metadata.example/",
        "https://inside.example/",
        "https://loop.example/",
        "http://loop.example/",
        "http://10.1.2.3/",
        "http://example.com/",
        "http://metadata.example/",
        "http://[::ffff:169.254.169.254]/",
        "file:///etc/passwd",
        "ftp://127.0.0.1/",
        "gopher://127.0.0.1/",
        "http://127.0.0.1:1\\@example.com/",
        "http://user@127.0.0.1/",
        "http://user:pw@127.0.0.1/",
        "https://example.com@127.0.0.1/",
        "http://127.0.0.1/#frag",
        "http://127.0.0.1/a b",
        "http://127.0.0.1/\t",
        "//127.0.0.1/",
        "",
        "127.0.0.1",
        "http://127.0.0.1:0/",
        "http://127.0.0.1:99999/",
        "https://localhost./",
    };

    for (size_t i = 0; i < sizeof list / sizeof *list; i++) {
        const struct got g = fixture_get(list[i]);
        ck_assert_msg(g.r.transport == USHER_TRANSPORT_REFUSED, "%s: %u %s", list[i], g.r.transport,
                      g.r.err.text);
        ck_assert_msg(g.r.err.kind == ERR_MISCONFIGURED, "%s: %s", list[i], g.r.err.text);
    }
}
END_TEST

START_TEST(loopback_needs_development)
{
    static const char *const list[] = {"https://127.0.0.1/", "https://[::1]/", "https://localhost/",
                                       "https://loop.example/", "https://[::ffff:127.0.0.1]/"};
    struct fetch *strict;
    struct err err = ERR_INIT;

    strict = fetch_new(fetch_fx.loop, &(struct fetch_options){0}, &err);
    fetch_pool_free(&fetch_fx.pool);
    fetch_fx.pool = fetch_pool_new(strict, &(struct fetch_pool_options){.name = "strict"});
    for (size_t i = 0; i < sizeof list / sizeof *list; i++)
        ck_assert_msg(fixture_get(list[i]).r.transport == USHER_TRANSPORT_REFUSED, "%s", list[i]);
    fetch_fx.stub = stub_start(fixture_echo, NULL);
    ck_assert_uint_eq(fixture_get(fixture_url("/")).r.transport,
                      USHER_TRANSPORT_REFUSED); /* plain http */
    ck_assert_uint_eq(stub_connections(fetch_fx.stub), 0);
    fetch_pool_free(&fetch_fx.pool);
    fetch_free(&strict);
}
END_TEST

START_TEST(listed_hosts_may_be_private)
{
    static const char *const hosts[] = {"Loop.Example", NULL};
    struct got g;
    char url[100];

    fixture_pool(
        &(struct fetch_pool_options){.name = "listed", .allow_private = hosts, .connect_ms = 300});
    fetch_fx.stub = stub_start(fixture_echo, NULL);
    snprintf(url, sizeof url, "https://loop.example:%d/", stub_port(fetch_fx.stub));
    g = fixture_get(url);
    ck_assert_uint_ne(g.r.transport, USHER_TRANSPORT_REFUSED); /* it speaks no TLS */
    ck_assert_uint_eq(stub_connections(fetch_fx.stub), 1);
    ck_assert_uint_eq(fixture_get("https://inside.example/").r.transport, USHER_TRANSPORT_REFUSED);
}
END_TEST

START_TEST(localhost_by_name_works_in_development)
{
    char url[100];

    fetch_fx.stub = stub_start(fixture_echo, NULL);
    snprintf(url, sizeof url, "http://localhost:%d/", stub_port(fetch_fx.stub));
    ck_assert_int_eq(fixture_get(url).r.status, 200);
}
END_TEST

/* Of threads that were left behind. */
static void end_stalls(void)
{
    atomic_store(&go_on, true);
    while (atomic_load(&stalled) > 0)
        usleep(1000);
}

/* CB-19: a stalled name server holds nothing up but its own request */
START_TEST(dns_stall_does_not_block_the_loop)
{
    struct got slow = {0}, fast = {0};
    const struct fetch_request asked = {.url = "https://stall.example/"};
    struct fetch_pool *other;

    atomic_store(&go_on, false);
    fixture_pool(&(struct fetch_pool_options){.name = "short", .connect_ms = 400, .total_ms = 800});
    fetch_fx.stub = stub_start(fixture_echo, NULL);
    other = fetch_pool_new(fetch_fx.fetch, &(struct fetch_pool_options){.name = "other"});
    fetch_start(fetch_fx.pool, &asked, fixture_keep, &slow);
    fetch_start(other, &(struct fetch_request){.url = fixture_url("/")}, fixture_keep, &fast);
    fixture_until(&fast.done);
    ck_assert_uint_eq(fast.r.transport, USHER_TRANSPORT_OK);
    fixture_until(&slow.done);
    ck_assert_uint_eq(slow.r.transport, USHER_TRANSPORT_TIMEOUT);
    fetch_pool_free(&other);
    end_stalls();
}
END_TEST

/* While nobody knows whether the upstream is there, few try: a thread each in the resolver. */
START_TEST(a_cold_pool_starts_few)
{
    enum { N = 200 };
    static struct got g[N];
    const unsigned before = atomic_load(&lookups);

    atomic_store(&go_on, false);
    fixture_pool(&(struct fetch_pool_options){.name = "short", .connect_ms = 400, .total_ms = 800});
    memset(g, 0, sizeof g);
    for (int i = 0; i < N; i++)
        fetch_start(fetch_fx.pool, &(struct fetch_request){.url = "https://stall.example/"},
                    fixture_keep, &g[i]);
    fixture_ms(200);
    ck_assert_uint_le(atomic_load(&lookups) - before, 32);
    for (int i = 0; i < N; i++) {
        fixture_until(&g[i].done);
        ck_assert_uint_eq(g[i].r.transport, USHER_TRANSPORT_TIMEOUT);
    }
    end_stalls();
}
END_TEST

START_TEST(unreachable_hosts)
{
    struct got g = fixture_get("http://127.0.0.1:1/");

    ck_assert_uint_eq(g.r.transport, USHER_TRANSPORT_UNREACHABLE);
    ck_assert_int_eq(g.r.err.kind, ERR_UPSTREAM_DOWN);
    g = fixture_get("https://nothing.example/");
    ck_assert_uint_eq(g.r.transport, USHER_TRANSPORT_UNREACHABLE);
}
END_TEST

Suite *suite_fetch_easy(void)
{
    Suite *s = suite_create("fetch_easy");
    TCase *t = tcase_create("fetch_easy");

    tcase_add_checked_fixture(t, fixture_setup, fixture_teardown);
    tcase_add_test(t, special_addresses_are_refused);
    tcase_add_test(t, loopback_needs_development);
    tcase_add_test(t, listed_hosts_may_be_private);
    tcase_add_test(t, localhost_by_name_works_in_development);
    tcase_add_test(t, dns_stall_does_not_block_the_loop);
    tcase_add_test(t, a_cold_pool_starts_few);
    tcase_add_test(t, unreachable_hosts);
    suite_add_tcase(s, t);
    return s;
}
