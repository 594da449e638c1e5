/* SPDX-License-Identifier: Apache-2.0 */
#include "issuer/act.h"

#include <check.h>
#include <stdio.h>

#include "base/json.h"

Suite *suite_act(void);

static struct arena *a;

static void setup(void)
{
    a = arena_new();
}

static void teardown(void)
{
    arena_free(&a);
}

static const char *over(const char *claims, const char *app)
{
    const char *why = "";
    const char *out = act_over(a, claims, app, &why);
    ck_assert_msg(out != NULL, "%s", why);
    ck_assert_ptr_null(why);
    return out;
}

static void never(const char *claims, const char *app, const char *reason)
{
    const char *why = NULL;
    ck_assert_ptr_null(act_over(a, claims, app, &why));
    ck_assert_str_eq(why, reason);
}

/* RFC 8693 4.1: the newest is outermost. */
START_TEST(one_over_the_other)
{
    const char *first = over(NULL, "b");
    ck_assert_str_eq(first, "{\"act\":{\"sub\":\"b\"}}");
    const char *second = over(first, "c");
    ck_assert_str_eq(second, "{\"act\":{\"sub\":\"c\",\"act\":{\"sub\":\"b\"}}}");
    ck_assert_str_eq(over("{}", "b"), first);
}
END_TEST

START_TEST(other_claims_stay)
{
    ck_assert_str_eq(over("{\"auth_time\":7}", "b"), "{\"auth_time\":7,\"act\":{\"sub\":\"b\"}}");
    ck_assert_str_eq(over("{\"act\":{\"sub\":\"b\"},\"auth_time\":7}", "c"),
                     "{\"act\":{\"sub\":\"c\",\"act\":{\"sub\":\"b\"}},\"auth_time\":7}");
}
END_TEST

START_TEST(nobody_acts_twice)
{
    static const char again[] = "this app acts in this token already";
    const char *chain = over(over(over(NULL, "b"), "c"), "d");
    never(chain, "b", again);
    never(chain, "c", again);
    never(chain, "d", again);
    over(chain, "bb");
}
END_TEST

START_TEST(a_chain_ends)
{
    const char *chain = NULL;
    char app[8];
    for (int i = 0; i < ACT_MAX; i++) {
        snprintf(app, sizeof app, "app-%d", i);
        chain = over(chain, app);
    }
    never(chain, "one-more", "this token went through too many apps");
    never(chain, "app-0", "this app acts in this token already");
}
END_TEST

/* What a store holds that somebody else wrote to. */
START_TEST(broken_claims)
{
    static const char *const bad[] = {"", "[]", "7", "{", "{\"act\":{\"sub\":\"b\"}", "null"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        never(bad[i], "c", "the token's claims are broken");
    static const char *const acts[] = {"{\"act\":7}", "{\"act\":null}", "{\"act\":{}}",
                                       "{\"act\":{\"sub\":7}}",
                                       "{\"act\":{\"sub\":\"b\",\"act\":\"x\"}}"};
    for (size_t i = 0; i < sizeof acts / sizeof *acts; i++)
        never(acts[i], "c", "the claim act is broken");
}
END_TEST

/* The first who acted comes first. */
START_TEST(the_way_it_came)
{
    const char *via[ACT_MAX];
    ck_assert_int_eq(act_chain(a, NULL, via), 0);
    ck_assert_int_eq(act_chain(a, "{\"auth_time\":7}", via), 0);
    ck_assert_int_eq(act_chain(a, "{\"x\":\"\\\"act\\\":\"}", via), 0);
    ck_assert_int_eq(act_chain(a, "{\"x\":{\"act\":{\"sub\":\"b\"}}}", via), 0);
    ck_assert_int_eq(act_chain(a, "{\"act\":{\"sub\":\"b\"}}", via), 1);
    ck_assert_str_eq(via[0], "b");
    const char *chain = NULL, *why;
    for (int i = 0; i < ACT_MAX; i++) {
        chain = act_over(a, chain, arena_printf(a, "app-%d", i), &why);
        ck_assert_int_eq(act_chain(a, chain, via), i + 1);
        for (int k = 0; k <= i; k++)
            ck_assert_str_eq(via[k], arena_printf(a, "app-%d", k));
    }
    const size_t inner = strlen(chain) - strlen("{\"act\":") - 1;
    ck_assert_int_eq(act_chain(a,
                               arena_printf(a, "{\"act\":{\"sub\":\"x\",\"act\":%.*s}}", (int)inner,
                                            chain + strlen("{\"act\":")),
                               via),
                     -1); /* one too many */
    static const char *const bad[] = {"{\"act\":7}",  "{\"act\":null}",
                                      "{\"act\":{}}", "{\"act\":{\"sub\":\"b\"}",
                                      "[\"act\":]",   "{\"act\":{\"sub\":\"b\",\"act\":\"x\"}}"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        ck_assert_msg(act_chain(a, bad[i], via) == -1, "%s", bad[i]);
}
END_TEST

START_TEST(too_long)
{
    struct buf big;
    buf_init(&big, 64u * 1024);
    buf_text(&big, "{\"x\":\"");
    while (big.n < 16u * 1024 - 10)
        buf_byte(&big, 'x');
    buf_text(&big, "\"}");
    never(arena_str(a, buf_view(&big)), "c", "the token says too much");
    buf_deinit(&big);
}
END_TEST

Suite *suite_act(void)
{
    Suite *s = suite_create("act");
    TCase *tc = tcase_create("all");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, one_over_the_other);
    tcase_add_test(tc, other_claims_stay);
    tcase_add_test(tc, nobody_acts_twice);
    tcase_add_test(tc, a_chain_ends);
    tcase_add_test(tc, broken_claims);
    tcase_add_test(tc, the_way_it_came);
    tcase_add_test(tc, too_long);
    suite_add_tcase(s, tc);
    return s;
}
