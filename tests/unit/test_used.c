/* SPDX-License-Identifier: Apache-2.0 */
#include "login/used.h"

#include <check.h>

#include "sys/random.h"

Suite *suite_used(void);

START_TEST(each_id_once)
{
    enum { N = 5000 };
    static unsigned char ids[N][16];
    struct used *u = used_new(600);
    rng_fill(ids, sizeof ids);
    for (size_t i = 0; i < N; i++)
        ck_assert_int_eq(used_add(u, ids[i], 1000), 1);
    for (size_t i = 0; i < N; i++)
        ck_assert_int_eq(used_add(u, ids[i], 1000), 0);
    ck_assert_uint_eq(used_count(u), N);
    used_free(&u);
    ck_assert_ptr_null(u);
}
END_TEST

/* STATE-08: remembered for a lifetime at least, also when the clock is set back. */
START_TEST(remembered_for_a_lifetime)
{
    unsigned char a[16], b[16];
    struct used *u = used_new(600);
    rng_fill(a, sizeof a);
    rng_fill(b, sizeof b);
    ck_assert_int_eq(used_add(u, a, 10000), 1);
    ck_assert_int_eq(used_add(u, a, 10599), 0);
    ck_assert_int_eq(used_add(u, b, 10600), 1);
    ck_assert_int_eq(used_add(u, a, 10600), 0);
    ck_assert_int_eq(used_add(u, b, 11199), 0);
    ck_assert_int_eq(used_add(u, b, 7000), 0);
    ck_assert_int_eq(used_add(u, a, 11801), 1);
    used_free(&u);
}
END_TEST

/* A flood fills the table and is refused; what was remembered stays. */
START_TEST(bounded)
{
    unsigned char id[16] = {1};
    struct used *u = used_new(600);
    for (uint32_t i = 0; i < USED_MAX; i++) {
        for (int k = 0; k < 4; k++)
            id[k] = (unsigned char)(i >> (8 * k));
        id[8] = 1;
        ck_assert_int_eq(used_add(u, id, 1000), 1);
    }
    id[9] = 1;
    ck_assert_int_eq(used_add(u, id, 1000), -1);
    id[9] = 0;
    ck_assert_int_eq(used_add(u, id, 1000), 0);
    used_free(&u);
}
END_TEST

Suite *suite_used(void)
{
    Suite *s = suite_create("used");
    TCase *tc = tcase_create("used");
    tcase_add_test(tc, each_id_once);
    tcase_add_test(tc, remembered_for_a_lifetime);
    tcase_add_test(tc, bounded);
    suite_add_tcase(s, tc);
    return s;
}
