/* SPDX-License-Identifier: Apache-2.0 */
#include "serve_fixture.h"

static struct http_answer a;

/* So many are begun in one round: the most while it is not late; once it is, only the least. */
static const struct {
    int64_t ns; /* that one of them takes; a millisecond makes a round late */
    unsigned most;
} paces[] = {{0, 16}, {2000000, 4}};

/* A crowd before slow routes is let in a few a round; whoever asks for something else, and one that
 * comes alone, does not stand in line. The clock stands still but for them. */
START_TEST(slow_routes_take_turns)
{
    enum { MANY = 60 };
    struct http_conn *c[MANY];
    const struct clock_fake now = {clock_mono(), clock_wall()};
    clock_set_fake(&now);
    sf.slow_ns = paces[_i].ns;
    for (int i = 0; i < MANY; i++)
        c[i] = http_open(sf.loop, sf.port);
    struct http_conn *other = http_open(sf.loop, sf.port);
    for (int i = 0; i < MANY; i++) /* all of them are let in before anybody speaks */
        loop_once(sf.loop, 1);
    for (int i = 0; i < MANY; i++)
        http_send(c[i], "GET /slow HTTP/1.1\r\n" HOST "\r\n");
    http_send(other, "GET /plain HTTP/1.1\r\n" HOST "\r\n");
    ck_assert(http_read(other, false, &a));
    ck_assert_int_eq(a.status, 200);
    ck_assert_uint_lt(sf.handled, MANY);
    http_close(&other);
    for (int i = 0; i < MANY; i++) {
        ck_assert(http_read(c[i], false, &a));
        ck_assert_str_eq(a.body, "plain\n");
    }
    ck_assert_uint_eq(sf.handled, MANY + 1);
    ck_assert_uint_eq(sf.slow_most, paces[_i].most);
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
    tcase_add_loop_test(tc, slow_routes_take_turns, 0, sizeof paces / sizeof *paces);
    tcase_add_test(tc, freed_while_requests_wait_their_turn);
    suite_add_tcase(s, tc);
    return s;
}
