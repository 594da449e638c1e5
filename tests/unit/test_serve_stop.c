/* SPDX-License-Identifier: Apache-2.0 */
/* The end of a serve: what is under way is answered, nothing new begins. */
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "serve_fixture.h"

static struct http_answer a;

START_TEST(freed_while_requests_are_held)
{
    struct http_conn *c[2] = {http_open(sf.loop, sf.port), http_open(sf.loop, sf.port)};
    for (int i = 0; i < 2; i++)
        http_send(c[i], "GET /hold HTTP/1.1\r\n" HOST "\r\n");
    serve_fixture_wait_held(2);
    reply_empty(sf.held[0], 204); /* answered, but nothing sent yet */
    serve_free(&sf.serve);
    for (int i = 0; i < 2; i++) {
        ck_assert(!http_read(c[i], false, &a));
        http_close(&c[i]);
    }
}
END_TEST

START_TEST(draining_waits_for_what_is_under_way)
{
    struct http_conn *held = http_open(sf.loop, sf.port), *idle = http_open(sf.loop, sf.port);
    http_ask(idle, "GET /plain HTTP/1.1\r\n" HOST "\r\n", &a);
    http_send(held, "GET /hold HTTP/1.1\r\n" HOST "\r\n");
    serve_fixture_wait_held(1);
    serve_drain(sf.serve, serve_fixture_drained, NULL);
    http_spin(sf.loop, 5);
    ck_assert_uint_eq(sf.drained, 0);

    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    const struct sockaddr_in sa = {.sin_family = AF_INET,
                                   .sin_port = htons((unsigned short)sf.port),
                                   .sin_addr = {htonl(INADDR_LOOPBACK)}};
    ck_assert_int_ne(connect(fd, (const struct sockaddr *)&sa, sizeof sa), 0);
    close(fd);

    /* A kept-alive connection gets one more answer, and is told to go. */
    http_ask(idle, "GET /plain HTTP/1.1\r\n" HOST "\r\n", &a);
    ck_assert_str_eq(http_header(&a, "Connection"), "close");
    ck_assert(http_wait_end(idle));

    reply_send(sf.held[0], 200, "text/plain", STR("late"));
    ck_assert(http_read(held, false, &a));
    ck_assert_str_eq(a.body, "late");
    ck_assert_str_eq(http_header(&a, "Connection"), "close");
    http_spin(sf.loop, 5);
    ck_assert_uint_eq(sf.drained, 1);
    http_close(&held);
    http_close(&idle);
}
END_TEST

START_TEST(draining_with_nothing_to_wait_for)
{
    ck_assert_int_eq(serve_fixture_status("GET /plain HTTP/1.1\r\n" HOST "\r\n"), 200);
    serve_drain(sf.serve, serve_fixture_drained, NULL);
    http_spin(sf.loop, 3);
    ck_assert_uint_eq(sf.drained, 1);
}
END_TEST

/* Connections that the kernel has taken already are ours: they are answered. */
START_TEST(draining_takes_what_has_arrived)
{
    enum { MANY = 40 };
    struct http_conn *c[MANY];
    for (int i = 0; i < MANY; i++) {
        c[i] = http_open(sf.loop, sf.port);
        http_send(c[i], "GET /plain HTTP/1.1\r\n" HOST "\r\n");
    }
    serve_drain(sf.serve, serve_fixture_drained, NULL);
    for (int i = 0; i < MANY; i++) {
        ck_assert_msg(http_read(c[i], false, &a), "connection %d", i);
        http_close(&c[i]);
    }
    http_spin(sf.loop, 3);
    ck_assert_uint_eq(sf.drained, 1);
}
END_TEST

/* Impatient: freed while draining. Nobody may be told any more, for nobody may be there. */
START_TEST(freed_while_draining)
{
    struct http_conn *c = http_open(sf.loop, sf.port);
    http_send(c, "GET /hold HTTP/1.1\r\n" HOST "\r\n");
    serve_fixture_wait_held(1);
    serve_drain(sf.serve, serve_fixture_drained, NULL);
    serve_free(&sf.serve);
    http_spin(sf.loop, 3);
    ck_assert_uint_eq(sf.drained, 0);
    http_close(&c);
}
END_TEST

/* What handlers need is going away, one part after the other; some connections are still there. */
START_TEST(nothing_is_handled_after_the_end)
{
    struct http_conn *kept = http_open(sf.loop, sf.port), *held = http_open(sf.loop, sf.port);
    http_ask(kept, "GET /plain HTTP/1.1\r\n" HOST "\r\n", &a);
    http_send(held, "GET /hold HTTP/1.1\r\n" HOST "\r\n");
    serve_fixture_wait_held(1);
    const unsigned handled = sf.handled;
    serve_drain(sf.serve, serve_fixture_drained, NULL);
    serve_end(sf.serve);
    http_ask(kept, "GET /plain HTTP/1.1\r\n" HOST "\r\n", &a);
    ck_assert_int_eq(a.status, 503);
    ck_assert_str_eq(a.body, "usher is stopping. Try again in a moment.");
    ck_assert(http_wait_end(kept));
    ck_assert_uint_eq(sf.handled, handled);
    reply_send(sf.held[0], 200, "text/plain", STR("late"));
    ck_assert(http_read(held, false, &a));
    ck_assert_str_eq(a.body, "late");
    http_close(&kept);
    http_close(&held);
}
END_TEST

Suite *suite_serve_stop(void);
Suite *suite_serve_stop(void)
{
    Suite *s = suite_create("serve_stop");
    TCase *tc = tcase_create("stopping");
    tcase_add_checked_fixture(tc, serve_fixture_start, serve_fixture_stop);
    tcase_add_test(tc, freed_while_requests_are_held);
    tcase_add_test(tc, draining_waits_for_what_is_under_way);
    tcase_add_test(tc, draining_with_nothing_to_wait_for);
    tcase_add_test(tc, draining_takes_what_has_arrived);
    tcase_add_test(tc, freed_while_draining);
    tcase_add_test(tc, nothing_is_handled_after_the_end);
    suite_add_tcase(s, tc);
    return s;
}
