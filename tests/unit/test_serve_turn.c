/* SPDX-License-Identifier: Apache-2.0 */
#include "serve_fixture.h"

static struct http_answer a;

/* A crowd before slow routes is let in a few a round; whoever asks for something else, and one that
 * comes alone, does not stand in line. */
START_TEST(slow_routes_take_turns)
{
    enum { MANY = 60 };
    struct http_conn *c[MANY];
    for (int i = 0; i < MANY; i++)
        c[i] = http_open(sf.loop, sf.port);
    for (int i = 0; i < MANY; i++)
        http_send(c[i], "GET /slow HTTP/1.1\r\n" HOST "\r\n");
    serve_fixture_ask("GET /plain HTTP/1.1\r\n" HOST "\r\n", &a);
    ck_assert_int_eq(a.status, 200);
    ck_assert_uint_lt(sf.handled, MANY);
    for (int i = 0; i < MANY; i++) {
        ck_assert(http_read(c[i], false, &a));
        ck_assert_str_eq(a.body, "plain\n");
    }
    ck_assert_uint_eq(sf.handled, MANY + 1);
    ck_assert_uint_le(sf.slow_most, 4);
    for (int i = 0; i < MANY; i++)
        http_close(&c[i]);
}
END_TEST

START_TEST(freed_while_requests_wait_their_turn)
{
    enum { MANY = 30 };
    struct http_conn *c[MANY];
    for (int i = 0; i < MANY; i++)
        c[i] = http_open(sf.loop, sf.port);
    for (int i = 0; i < MANY; i++)
        http_send(c[i], "GET /slow HTTP/1.1\r\n" HOST "\r\n");
    while (sf.handled == 0)
        loop_once(sf.loop, 10);
    ck_assert_uint_lt(sf.handled, MANY);
    serve_free(&sf.serve);
    for (int i = 0; i < MANY; i++)
        http_close(&c[i]);
}
END_TEST

Suite *suite_serve_turn(void);
Suite *suite_serve_turn(void)
{
    Suite *s = suite_create("serve_turn");
    TCase *tc = tcase_create("turns");
    tcase_add_checked_fixture(tc, serve_fixture_start, serve_fixture_stop);
    tcase_add_test(tc, slow_routes_take_turns);
    tcase_add_test(tc, freed_while_requests_wait_their_turn);
    suite_add_tcase(s, tc);
    return s;
}
