/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "serve_fixture.h"

static struct http_answer a;

static void advance(int64_t ms)
{
    struct clock_fake f = {{clock_mono().ns + ms * 1000000}, clock_wall()};
    clock_set_fake(&f);
}

static void alive(void)
{
    serve_fixture_ask("GET /plain HTTP/1.1\r\n" HOST "\r\n", &a);
    ck_assert_int_eq(a.status, 200);
    ck_assert_str_eq(a.body, "plain\n");
}

/* ---- where it listens ---- */

START_TEST(listen_errors)
{
    static const struct {
        const char *listen, *text;
    } bad[] = {
        {"", "not ADDRESS:PORT"},
        {"127.0.0.1", "not ADDRESS:PORT"},
        {":80", "not ADDRESS:PORT"},
        {"localhost:80", "not a numeric"},
        {"[]:80", "not a numeric"},
        {"[::1:80", "not a numeric"},
        {"127.0.0.1:http", "not a numeric"},
        {"127.0.0.1:123456789", "not ADDRESS:PORT"},
        {"192.0.2.1:8080", "listen on 192.0.2.1:8080: "},
        {"unix:/nonexistent/x.sock", "listen on /nonexistent/x.sock: "},
        {"unix:/0123456789012345678901234567890123456789012345678901234567890123456789012345678901"
         "234567890123456789012345678901234567890",
         "too long"},
    };
    struct err loop_err = ERR_INIT;
    struct loop *l = loop_new(&loop_err);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct err err = ERR_INIT;
        struct serve_options o;
        serve_fixture_options(&o);
        o.listen = bad[i].listen;
        ck_assert_ptr_null(serve_new(l, &o, NULL, 0, NULL, &err));
        ck_assert_int_eq(err.kind, ERR_MISCONFIGURED);
        ck_assert_msg(strstr(err.text, bad[i].text) != NULL, "%s: %s", bad[i].listen, err.text);
    }
    loop_free(&l);
}
END_TEST

START_TEST(a_proxy_that_is_no_network)
{
    static const char *const proxies[] = {"127.0.0.1", "10.0.0.0/99", NULL};
    struct err err = ERR_INIT;
    struct serve_options o;
    struct loop *l = loop_new(&err);
    serve_fixture_options(&o);
    o.trusted_proxies = proxies;
    ck_assert_ptr_null(serve_new(l, &o, NULL, 0, NULL, &err));
    ck_assert_str_eq(err.text, "trusted_proxies: \"10.0.0.0/99\" is no address or network");
    loop_free(&l);
}
END_TEST

START_TEST(a_port_in_use)
{
    char listen[32];
    struct err err = ERR_INIT;
    struct serve_options o;
    serve_fixture_start();
    serve_fixture_options(&o);
    snprintf(listen, sizeof listen, "127.0.0.1:%d", sf.port);
    o.listen = listen;
    ck_assert_ptr_null(serve_new(sf.loop, &o, NULL, 0, NULL, &err));
    ck_assert_ptr_nonnull(strstr(err.text, "in use"));
    serve_fixture_stop();
}
END_TEST

START_TEST(ipv6_loopback)
{
    struct err err = ERR_INIT;
    struct serve_options o;
    struct loop *l = loop_new(&err);
    serve_fixture_options(&o);
    o.listen = "[::1]:0";
    struct serve *s = serve_new(l, &o, NULL, 0, NULL, &err);
    if (s == NULL) /* a machine without IPv6 */
        ck_assert_ptr_nonnull(strstr(err.text, "listen on [::1]:0: "));
    else
        ck_assert_int_gt(serve_port(s), 0);
    serve_free(&s);
    loop_free(&l);
}
END_TEST

/* ADM-03: the admin socket has routes of its own, and only those. */
START_TEST(admin_socket)
{
    char folder[] = "/tmp/usher-serve-XXXXXX", path[64], listen[80];
    struct serve_options o = {.admin = true,
                              .mode = 0600,
                              .max_connections = 10,
                              .idle_seconds = 60,
                              .deadline_seconds = 10};
    struct stat st;
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/s", folder);
    snprintf(listen, sizeof listen, "unix:%s", path);
    o.listen = listen;
    serve_fixture_start_with(&o);
    ck_assert_int_eq(stat(path, &st), 0);
    ck_assert_uint_eq(st.st_mode & 07777, 0600);

    struct http_conn *c = http_open_unix(sf.loop, path);
    http_ask(c, "GET /json/a HTTP/1.1\r\nHost: localhost\r\n\r\n", &a);
    ck_assert_str_eq(a.body, "GET a,, data=show local=1 peer=1 json=0:");
    http_ask(c, "POST /json/a/sub HTTP/1.1\r\nHost: x\r\n\r\n", &a);
    ck_assert_str_eq(a.body, "POST a,, data=sub local=1 peer=1 json=0:");
    http_ask(c, "GET /json/a/part/b HTTP/1.1\r\nHost: x\r\n\r\n", &a);
    ck_assert_int_eq(a.status, 200);
    http_ask(c, "GET /plain HTTP/1.1\r\nHost: x\r\n\r\n", &a);
    ck_assert_int_eq(a.status, 404);
    http_ask(c, "PATCH /json/a HTTP/1.1\r\nHost: x\r\n\r\n", &a);
    ck_assert_int_eq(a.status, 405);
    ck_assert_str_eq(http_header(&a, "Allow"), "GET, HEAD, PUT");
    http_close(&c);
    serve_fixture_stop();
    ck_assert_int_eq(unlink(path), 0);
    ck_assert_int_eq(rmdir(folder), 0);
}
END_TEST

START_TEST(socket_file)
{
    char folder[] = "/tmp/usher-serve-XXXXXX", path[64], listen[80];
    struct serve_options o;
    struct stat st;
    struct err err = ERR_INIT;
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/s", folder);
    snprintf(listen, sizeof listen, "unix:%s", path);
    serve_fixture_options(&o);
    o.listen = listen;
    serve_fixture_start_with(&o);
    ck_assert_int_eq(sf.port, 0);
    ck_assert_int_eq(stat(path, &st), 0);
    ck_assert_uint_eq(st.st_mode & 0777, 0660);

    struct http_conn *c = http_open_unix(sf.loop, path);
    http_ask(c, "GET /look HTTP/1.1\r\n" HOST "\r\n", &a);
    ck_assert_ptr_nonnull(strstr(sf.seen, "client=local trusted=1"));
    http_ask(c, "GET /json/a HTTP/1.1\r\n" HOST "\r\n", &a);
    ck_assert_str_eq(a.body, "GET a,, data=show local=0 peer=1 json=0:");
    http_ask(c, "POST /json/a/sub HTTP/1.1\r\n" HOST "\r\n", &a);
    ck_assert_int_eq(a.status, 404); /* a socket file alone is not the admin socket */
    http_close(&c);

    /* One that somebody answers on is left alone; one that was left over is replaced. */
    ck_assert_ptr_null(serve_new(sf.loop, &o, NULL, 0, NULL, &err));
    ck_assert_ptr_nonnull(strstr(err.text, "in use"));
    serve_fixture_stop();
    ck_assert_int_eq(access(path, F_OK), 0);
    serve_fixture_start_with(&o);
    serve_fixture_stop();
    ck_assert_int_eq(unlink(path), 0);
    ck_assert_int_eq(rmdir(folder), 0);
}
END_TEST

/* ---- connections ---- */

/* HTTP-09 */
START_TEST(pipelined_requests_keep_their_order)
{
    struct http_conn *c = http_open(sf.loop, sf.port);
    char text[128];
    for (int i = 0; i < 1000; i++) {
        snprintf(text, sizeof text, "GET /item/%d HTTP/1.1\r\n" HOST "\r\n", i);
        http_send(c, text);
    }
    for (int i = 0; i < 1000; i++) {
        ck_assert(http_read(c, false, &a));
        snprintf(text, sizeof text, "GET /item/%d rest=%d ", i, i);
        ck_assert_int_eq(strncmp(a.body, text, strlen(text)), 0);
    }
    http_close(&c);
}
END_TEST

/* HTTP-09: after an error of framing nothing behind it is looked at. */
START_TEST(closed_after_a_framing_error)
{
    struct http_conn *c = http_open(sf.loop, sf.port);
    http_send(c, "POST /form HTTP/1.1\r\n" HOST "Content-Length: 5\r\n"
                 "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /plain HTTP/1.1\r\n" HOST "\r\n");
    ck_assert(http_read(c, false, &a));
    ck_assert_int_eq(a.status, 400);
    ck_assert_str_eq(http_header(&a, "Connection"), "close");
    ck_assert(!http_read(c, false, &a));
    ck_assert_uint_eq(sf.handled, 0);
    http_close(&c);
}
END_TEST

/* HTTP-13: what is refused without a framing error keeps the connection, unless a body follows. */
START_TEST(refused_and_kept_alive)
{
    struct http_conn *c = http_open(sf.loop, sf.port);
    http_ask(c, "GET /nothing HTTP/1.1\r\n" HOST "\r\n", &a);
    ck_assert_int_eq(a.status, 404);
    http_ask(c, "DELETE /plain HTTP/1.1\r\n" HOST "\r\n", &a);
    ck_assert_int_eq(a.status, 405);
    http_ask(c, "GET /plain HTTP/1.1\r\n" HOST "\r\n", &a);
    ck_assert_int_eq(a.status, 200);
    http_send(c, "PUT /plain HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nabc");
    ck_assert(http_read(c, false, &a));
    ck_assert_int_eq(a.status, 405);
    ck_assert(http_wait_end(c));
    http_close(&c);
}
END_TEST

/* HTTP-22, HTTP-23 */
START_TEST(clients_that_go_away)
{
    static const char *const begun[] = {
        "",
        "GET /pl",
        "GET /plain HTTP/1.1\r\nHo",
        "POST /form HTTP/1.1\r\n" HOST "Content-Length: 40\r\n"
        "Content-Type: application/x-www-form-urlencoded\r\n\r\na=b",
        "POST /form HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n"
        "Content-Type: application/x-www-form-urlencoded\r\n\r\n3\r\na=b\r\n",
        "GET /hold HTTP/1.1\r\n" HOST "\r\n",
        "GET /big HTTP/1.1\r\n" HOST "\r\n",
        "GET /plain HTTP/1.1\r\n" HOST "\r\nGET /plain HTTP/1.1\r\n" HOST "\r\n",
    };
    for (int reset = 0; reset < 2; reset++)
        for (size_t i = 0; i < sizeof begun / sizeof *begun; i++) {
            struct http_conn *c = http_open(sf.loop, sf.port);
            const struct linger hard = {.l_onoff = reset, .l_linger = 0};
            setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
            http_send(c, begun[i]);
            http_spin(sf.loop, 3);
            http_close(&c);
            http_spin(sf.loop, 3);
        }
    ck_assert_uint_eq(sf.n_held, 2);
    reply_empty(sf.held[0], 204); /* nobody is there to read it */
    reply_error(sf.held[1], 500, "Late.");
    alive();
}
END_TEST

START_TEST(half_closed_client_gets_its_answer)
{
    struct http_conn *c = http_open(sf.loop, sf.port);
    http_send(c, "GET /plain HTTP/1.1\r\n" HOST "\r\n");
    shutdown(c->fd, SHUT_WR);
    ck_assert(http_read(c, false, &a));
    ck_assert_int_eq(a.status, 200);
    /* The library does not see the end that came with the request. We do, in time. */
    advance(11000);
    ck_assert(http_wait_end(c));
    http_close(&c);
}
END_TEST

/* HTTP-02 */
START_TEST(a_slow_request_is_cut)
{
    static const char *const begun[] = {
        "G",
        "GET /plain HTTP/1.1\r\nX: y",
        "POST /form HTTP/1.1\r\n" HOST "Content-Length: 40\r\n"
        "Content-Type: application/x-www-form-urlencoded\r\n\r\na=b",
        "POST /form HTTP/1.1\r\n" HOST "Content-Length: 4\r\nExpect: 100-continue\r\n"
        "Content-Type: application/x-www-form-urlencoded\r\n\r\n",
        "POST /form HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n"
        "Content-Type: application/x-www-form-urlencoded\r\n\r\n",
    };
    for (size_t i = 0; i < sizeof begun / sizeof *begun; i++) {
        struct http_conn *c = http_open(sf.loop, sf.port);
        http_send(c, begun[i]);
        http_spin(sf.loop, 3);
        advance(5000);
        http_spin(sf.loop, 3);
        ck_assert(!c->ended);
        advance(8000);
        ck_assert_msg(http_wait_end(c), "%s", begun[i]);
        ck_assert_uint_eq(sf.handled, 0);
        http_close(&c);
    }
    alive();
}
END_TEST

START_TEST(a_slow_second_request_is_cut)
{
    struct http_conn *c = http_open(sf.loop, sf.port);
    http_ask(c, "GET /plain HTTP/1.1\r\n" HOST "\r\n", &a);
    for (int i = 0; i < 4 && !c->ended; i++) { /* a byte now and then */
        http_send(c, "G");
        http_spin(sf.loop, 3);
        advance(11000);
        http_spin(sf.loop, 5);
    }
    ck_assert(http_wait_end(c));
    http_close(&c);
}
END_TEST

START_TEST(silent_connections_stay)
{
    struct http_conn *fresh = http_open(sf.loop, sf.port), *used = http_open(sf.loop, sf.port);
    http_ask(used, "GET /plain HTTP/1.1\r\n" HOST "\r\n", &a);
    for (int i = 0; i < 4; i++) {
        advance(11000);
        http_spin(sf.loop, 3);
    }
    http_ask(fresh, "GET /plain HTTP/1.1\r\n" HOST "\r\n", &a);
    http_ask(used, "GET /plain HTTP/1.1\r\n" HOST "\r\n", &a);
    http_close(&fresh);
    http_close(&used);
}
END_TEST

/* HTTP-03 */
START_TEST(a_slow_reader_is_cut)
{
    struct http_conn *c = http_open(sf.loop, sf.port);
    for (int i = 0; i < 60; i++) /* 12 MB: more than the kernel keeps for it */
        http_send(c, "GET /big HTTP/1.1\r\n" HOST "\r\n");
    http_spin(sf.loop, 20);
    advance(12000);
    http_spin(sf.loop, 5);
    alive();
    char piece[4096];
    size_t n = 0;
    for (ssize_t got; (got = recv(c->fd, piece, sizeof piece, 0)) > 0; n += (size_t)got)
        continue;
    ck_assert_uint_lt(n, 60 * (size_t)BIG_BYTES);
    http_close(&c);
}
END_TEST

/* HTTP-10 */
START_TEST(connections_over_the_limit_wait)
{
    struct serve_options o;
    struct http_conn *c[5];
    serve_fixture_options(&o);
    o.max_connections = 4;
    serve_fixture_start_with(&o);
    for (int i = 0; i < 5; i++)
        c[i] = http_open(sf.loop, sf.port);
    for (int i = 0; i < 4; i++)
        http_ask(c[i], "GET /plain HTTP/1.1\r\n" HOST "\r\n", &a);
    http_send(c[4], "GET /plain HTTP/1.1\r\n" HOST "\r\n");
    http_spin(sf.loop, 20);
    ck_assert_uint_eq(sf.handled, 4);
    http_ask(c[0], "GET /plain HTTP/1.1\r\n" HOST "\r\n", &a);
    http_close(&c[1]);
    ck_assert(http_read(c[4], false, &a));
    for (int i = 0; i < 5; i++)
        http_close(&c[i]);
    serve_fixture_stop();
}
END_TEST

/* More than one call of the library takes at once (128 events). */
START_TEST(many_connections_at_once)
{
    enum { MANY = 180 };
    struct http_conn *c[MANY];
    for (int i = 0; i < MANY; i++)
        c[i] = http_open(sf.loop, sf.port);
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < MANY; i++)
            http_send(c[i], "GET /plain HTTP/1.1\r\n" HOST "\r\n");
        for (int i = 0; i < MANY; i++)
            ck_assert(http_read(c[i], false, &a));
    }
    ck_assert_uint_eq(sf.handled, 3 * MANY);
    for (int i = 0; i < MANY; i++)
        http_close(&c[i]);
}
END_TEST

/* ---- answering later ---- */

START_TEST(held_requests_wait_without_blocking)
{
    struct http_conn *c = http_open(sf.loop, sf.port);
    http_send(c, "GET /hold HTTP/1.1\r\n" HOST "\r\nGET /plain HTTP/1.1\r\n" HOST "\r\n");
    serve_fixture_wait_held(1);
    alive();
    advance(60000); /* no deadline while we are the slow ones */
    http_spin(sf.loop, 3);
    reply_send(sf.held[0], 200, "text/plain", STR("late"));
    ck_assert(http_read(c, false, &a));
    ck_assert_str_eq(a.body, "late");
    ck_assert(http_read(c, false, &a)); /* what came behind it */
    ck_assert_str_eq(a.body, "plain\n");
    http_close(&c);
}
END_TEST

START_TEST(held_post_keeps_its_form)
{
    struct http_conn *c = http_open(sf.loop, sf.port);
    const char *value = "";
    http_send(c, "POST /hold HTTP/1.1\r\n" HOST "Content-Length: 3\r\n"
                 "Content-Type: application/x-www-form-urlencoded\r\n\r\na=b");
    serve_fixture_wait_held(1);
    alive();
    ck_assert_int_eq(form_get(request_form(sf.held[0]), "a", &value), 1);
    ck_assert_str_eq(value, "b");
    reply_redirect(sf.held[0], "/next");
    ck_assert(http_read(c, false, &a));
    ck_assert_str_eq(http_header(&a, "Location"), "/next");
    http_close(&c);
}
END_TEST

/* Neither answered nor held: a mistake of ours, which must not leave the browser waiting. */
START_TEST(a_handler_that_says_nothing)
{
    serve_fixture_ask("GET /silent HTTP/1.1\r\n" HOST "\r\n", &a);
    ck_assert_int_eq(a.status, 500);
    alive();
}
END_TEST

START_TEST(answers_are_counted)
{
    struct buf out;
    alive();
    alive();
    serve_fixture_ask("GET /fault HTTP/1.1\r\n" HOST "\r\n", &a);
    serve_fixture_ask("GET /nothing HTTP/1.1\r\n" HOST "\r\n", &a);
    http_spin(sf.loop, 3);
    buf_init(&out, 65536);
    metrics_render(sf.metrics, &out);
    static const char *const wanted[] = {
        "usher_http_requests_total{route=\"/plain\",status=\"2xx\"} 2\n",
        "usher_http_requests_total{route=\"/fault\",status=\"5xx\"} 1\n",
        "usher_http_requests_total{route=\"none\",status=\"4xx\"} 1\n",
    };
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
        ck_assert_msg(strstr(out.p, wanted[i]) != NULL, "%s in %s", wanted[i], out.p);
    buf_deinit(&out);
}
END_TEST

Suite *suite_serve(void);
Suite *suite_serve(void)
{
    Suite *s = suite_create("serve");
    TCase *alone = tcase_create("listening"), *tc = tcase_create("serving");
    tcase_add_test(alone, listen_errors);
    tcase_add_test(alone, a_proxy_that_is_no_network);
    tcase_add_test(alone, a_port_in_use);
    tcase_add_test(alone, ipv6_loopback);
    tcase_add_test(alone, socket_file);
    tcase_add_test(alone, admin_socket);
    tcase_add_test(alone, connections_over_the_limit_wait);
    tcase_add_checked_fixture(tc, serve_fixture_start, serve_fixture_stop);
    tcase_add_test(tc, pipelined_requests_keep_their_order);
    tcase_add_test(tc, closed_after_a_framing_error);
    tcase_add_test(tc, refused_and_kept_alive);
    tcase_add_test(tc, clients_that_go_away);
    tcase_add_test(tc, half_closed_client_gets_its_answer);
    tcase_add_test(tc, a_slow_request_is_cut);
    tcase_add_test(tc, a_slow_second_request_is_cut);
    tcase_add_test(tc, silent_connections_stay);
    tcase_add_test(tc, a_slow_reader_is_cut);
    tcase_add_test(tc, many_connections_at_once);
    tcase_add_test(tc, held_requests_wait_without_blocking);
    tcase_add_test(tc, held_post_keeps_its_form);
    tcase_add_test(tc, a_handler_that_says_nothing);
    tcase_add_test(tc, answers_are_counted);
    suite_add_tcase(s, alone);
    suite_add_tcase(s, tc);
    return s;
}
