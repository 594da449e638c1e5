/* SPDX-License-Identifier: Apache-2.0 */
/* Jobs of a loop that go on in the next round. */
#include <check.h>

#include "sys/loop.h"

Suite *suite_loop_again(void);

static struct loop *loop;

static void setup(void)
{
    struct err err = ERR_INIT;
    loop = loop_new(&err);
    ck_assert_msg(loop != NULL, "%s", err.text);
}

static void teardown(void)
{
    loop_free(&loop);
}

struct going_on {
    struct loop *loop;
    int left, *ran; /* how often any of them ran */
    int from, to;   /* when it did first and last */
};

static void go_on(void *arg)
{
    struct going_on *g = arg;
    const int now = ++*g->ran;
    g->from = g->from ? g->from : now;
    g->to = now;
    if (--g->left > 0)
        loop_again(g->loop, g);
}

START_TEST(a_job_that_goes_on_keeps_its_place)
{
    int ran = 0;
    struct going_on all[3] = {{loop, 3, &ran, 0, 0}, {loop, 1, &ran, 0, 0}, {loop, 2, &ran, 0, 0}};
    for (int i = 0; i < 3; i++)
        loop_post(loop, go_on, &all[i]);
    loop_once(loop, -1); /* one turn a round: others are served in between */
    ck_assert_int_eq(ran, 1);
    struct going_on late = {loop, 1, &ran, 0, 0};
    loop_post(loop, go_on, &late);
    for (int i = 0; i < 10 && ran < 7; i++)
        loop_once(loop, 100);
    ck_assert_int_eq(all[0].to, 3);
    ck_assert_int_eq(all[1].from, 4);
    ck_assert_int_eq(all[2].from, 5);
    ck_assert_int_eq(all[2].to, 6);
    ck_assert_int_eq(late.from, 7);
    struct going_on last = {loop, 100, &ran, 0, 0};
    loop_post(loop, go_on, &last);
    loop_free(&loop); /* to its end */
    ck_assert_int_eq(last.left, 0);
}
END_TEST

Suite *suite_loop_again(void)
{
    Suite *s = suite_create("loop_again");
    TCase *tc = tcase_create("all");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, a_job_that_goes_on_keeps_its_place);
    suite_add_tcase(s, tc);
    return s;
}
