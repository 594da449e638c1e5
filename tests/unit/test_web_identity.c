/* SPDX-License-Identifier: Apache-2.0 */
#include "web/identity.h"

#include <check.h>
#include <signal.h>
#include <stdio.h>

#include "http_client.h"

static struct loop *loop;
static struct serve *serve;
static struct identities *kept;
static struct http_answer a;
static const char *roles = "";
static uint32_t stamp;

/* /who/<n>: session n, all of them in one set of what is kept. */
static void who(struct request *rq, void *app)
{
    unsigned char hash[32] = {0};
    const char *n = request_rest(rq);
    (void)app;
    snprintf((char *)hash + 2, 30, "%s", n);
    const struct session_view v = {.hash = hash,
                                   .header_user = arena_printf(request_arena(rq), "user-%s", n),
                                   .header_name = "Ada%20L.",
                                   .header_email = "",
                                   .header_groups = "",
                                   .header_provider = "fake",
                                   .roles = roles,
                                   .permissions = "",
                                   .stamp = stamp};
    identity_reply(kept, rq, &v);
}

/* A value that no header may hold: never a split answer, never somebody. */
static void broken(struct request *rq, void *app)
{
    static const unsigned char hash[32] = {1};
    (void)app;
    const struct session_view v = {.hash = hash,
                                   .header_user = "a\r\nX-Usher-Groups: admin",
                                   .header_name = "",
                                   .header_email = "",
                                   .header_groups = "",
                                   .header_provider = "fake",
                                   .roles = "",
                                   .permissions = ""};
    identity_reply(kept, rq, &v);
}

static void nobody(struct request *rq, void *app)
{
    (void)app;
    identity_clear(rq);
    reply_empty(rq, 401);
}

static const struct route routes[] = {{"GET", "/who/*", who, ROUTE_QUIET, 0, NULL},
                                      {"GET", "/broken", broken, 0, 0, NULL},
                                      {"GET", "/nobody", nobody, 0, 0, NULL}};

static void setup(void)
{
    struct err err = ERR_INIT;
    const struct serve_options o = {
        .listen = "127.0.0.1:0", .max_connections = 50, .idle_seconds = 60, .deadline_seconds = 10};
    signal(SIGPIPE, SIG_IGN);
    loop = loop_new(&err);
    kept = identities_new();
    serve = serve_new(loop, &o, routes, 3, NULL, &err);
    ck_assert_ptr_nonnull(serve);
}

static void teardown(void)
{
    identities_free(&kept); /* before what is still being answered */
    serve_free(&serve);
    loop_free(&loop);
}

static void expect(const struct http_answer *answer, const char *user)
{
    ck_assert_int_eq(answer->status, 200);
    ck_assert_str_eq(http_header(answer, "X-Usher-User"), user);
    ck_assert_str_eq(http_header(answer, "X-Usher-Name"), "Ada%20L.");
    ck_assert_str_eq(http_header(answer, "X-Usher-Email"), "");
    ck_assert_str_eq(http_header(answer, "X-Usher-Groups"), "");
    ck_assert_str_eq(http_header(answer, "X-Usher-Roles"), roles);
    ck_assert_str_eq(http_header(answer, "X-Usher-Permissions"), "");
    ck_assert_str_eq(http_header(answer, "X-Usher-Provider"), "fake");
    ck_assert_str_eq(http_header(answer, "Cache-Control"), "no-store");
}

/* FWD-22: more sessions than there is room to keep; each gets its own. */
START_TEST(each_gets_its_own)
{
    struct http_conn *c = http_open(loop, serve_port(serve));
    char request[64], user[32];
    for (int round = 0; round < 5; round++)
        for (int i = 0; i < 4 + round; i++) {
            snprintf(request, sizeof request, "GET /who/%d HTTP/1.1\r\nHost: a\r\n\r\n", i);
            snprintf(user, sizeof user, "user-%d", i);
            http_ask(c, request, &a);
            expect(&a, user);
        }
    http_close(&c);
}
END_TEST

/* Both in the place it had, and when all places around it are taken. */
START_TEST(changes_are_told)
{
    struct http_conn *c = http_open(loop, serve_port(serve));
    char request[64], user[32];
    for (int i = 0; i < 12; i++) {
        stamp = (uint32_t)i / 4;
        roles = i < 4 ? "" : i < 8 ? "admin" : "admin,staff";
        snprintf(request, sizeof request, "GET /who/%d HTTP/1.1\r\nHost: a\r\n\r\n", i % 4);
        snprintf(user, sizeof user, "user-%d", i % 4);
        http_ask(c, request, &a);
        expect(&a, user);
    }
    roles = "";
    stamp = 0;
    http_close(&c);
}
END_TEST

/* Kept answers that are being sent outlive their place. */
START_TEST(replaced_while_under_way)
{
    struct http_conn *c = http_open(loop, serve_port(serve));
    char request[64], user[32];
    for (int i = 0; i < 40; i++) {
        snprintf(request, sizeof request, "GET /who/%d HTTP/1.1\r\nHost: a\r\n\r\n", i % 9);
        http_send(c, request);
    }
    for (int i = 0; i < 40; i++) {
        snprintf(user, sizeof user, "user-%d", i % 9);
        ck_assert(http_read(c, false, &a));
        expect(&a, user);
    }
    http_close(&c);
}
END_TEST

/* While stopping, connections are told to go: a kept answer cannot say that. */
START_TEST(while_stopping)
{
    struct http_conn *c = http_open(loop, serve_port(serve));
    http_ask(c, "GET /who/1 HTTP/1.1\r\nHost: a\r\n\r\n", &a);
    ck_assert_ptr_null(http_header(&a, "Connection"));
    serve_drain(serve, NULL, NULL);
    http_ask(c, "GET /who/1 HTTP/1.1\r\nHost: a\r\n\r\n", &a);
    expect(&a, "user-1");
    ck_assert_str_eq(http_header(&a, "Connection"), "close");
    http_close(&c);
}
END_TEST

/* FWD-11 */
START_TEST(values_that_are_no_header)
{
    struct http_conn *c = http_open(loop, serve_port(serve));
    http_ask(c, "GET /broken HTTP/1.1\r\nHost: a\r\n\r\n", &a);
    ck_assert_int_eq(a.status, 500);
    ck_assert_ptr_null(http_header(&a, "X-Usher-User"));
    ck_assert_ptr_null(http_header(&a, "X-Usher-Groups"));
    http_close(&c);
}
END_TEST

/* FWD-01, FWD-09 */
START_TEST(cleared)
{
    static const char *const names[] = {"X-Usher-User",    "X-Usher-Name",  "X-Usher-Email",
                                        "X-Usher-Groups",  "X-Usher-Roles", "X-Usher-Permissions",
                                        "X-Usher-Provider"};
    struct http_conn *c = http_open(loop, serve_port(serve));
    http_ask(c, "GET /nobody HTTP/1.1\r\nHost: a\r\nX-Usher-User: admin\r\n\r\n", &a);
    ck_assert_int_eq(a.status, 401);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        ck_assert_uint_eq(http_header_count(&a, names[i]), 1);
        ck_assert_str_eq(http_header(&a, names[i]), "");
    }
    http_close(&c);
}
END_TEST

Suite *suite_web_identity(void);
Suite *suite_web_identity(void)
{
    Suite *s = suite_create("web_identity");
    TCase *tc = tcase_create("identity");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, each_gets_its_own);
    tcase_add_test(tc, changes_are_told);
    tcase_add_test(tc, replaced_while_under_way);
    tcase_add_test(tc, while_stopping);
    tcase_add_test(tc, values_that_are_no_header);
    tcase_add_test(tc, cleared);
    suite_add_tcase(s, tc);
    return s;
}
