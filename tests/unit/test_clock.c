/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>

#include "sys/clock.h"

START_TEST(mono_never_goes_back)
{
    struct mono a = clock_mono();
    for (int i = 0; i < 1000; i++) {
        struct mono b = clock_mono();
        ck_assert(b.ns >= a.ns);
        a = b;
    }
}
END_TEST

START_TEST(fake_replaces_both_and_goes)
{
    struct clock_fake f = {{5000000}, {1234567890123456}};
    struct mono from = {0};
    clock_set_fake(&f);
    ck_assert_int_eq(clock_mono().ns, 5000000);
    ck_assert_int_eq(mono_ms(from, clock_mono()), 5);
    ck_assert_int_eq(clock_wall().us, 1234567890123456);
    ck_assert_int_eq(wall_seconds(clock_wall()), 1234567890);
    clock_set_fake(NULL);
    ck_assert_int_gt(wall_seconds(clock_wall()), 1700000000);
}
END_TEST

static const struct {
    int64_t us;
    const char *text;
} walls[] = {
    {0, "1970-01-01T00:00:00.000Z"},
    {1763633472123999, "2025-11-20T10:11:12.123Z"},
    {951782400000000, "2000-02-29T00:00:00.000Z"},
    {2147483648000000, "2038-01-19T03:14:08.000Z"}, /* past 32 bits */
    {-1, "1969-12-31T23:59:59.999Z"},
    {-1000000, "1969-12-31T23:59:59.000Z"},
    {253402300799999999, "9999-12-31T23:59:59.999Z"},
    {INT64_MAX, "9999-12-31T23:59:59.000Z"},
    {INT64_MIN, "0000-01-01T00:00:00.000Z"},
};

START_TEST(wall_reads_as_rfc3339)
{
    char out[32];
    wall_text((struct wall){walls[_i].us}, out);
    ck_assert_str_eq(out, walls[_i].text);
}
END_TEST

Suite *suite_clock(void);
Suite *suite_clock(void)
{
    Suite *s = suite_create("clock");
    TCase *t = tcase_create("clock");
    tcase_add_test(t, mono_never_goes_back);
    tcase_add_test(t, fake_replaces_both_and_goes);
    tcase_add_loop_test(t, wall_reads_as_rfc3339, 0, (int)(sizeof walls / sizeof *walls));
    suite_add_tcase(s, t);
    return s;
}
