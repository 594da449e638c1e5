/* SPDX-License-Identifier: Apache-2.0 */
#include "store/trail.h"

#include <stdio.h>

#include "store_fixture.h"
#include "sys/clock.h"

Suite *suite_trail(void);

static struct store_fixture sx;
static struct loop *loop;
static struct trail *trail;

static void setup(void)
{
    struct err err = ERR_INIT;
    const struct clock_fake f = {{INT64_C(5000000000)}, {INT64_C(1800000000000000)}};
    clock_set_fake(&f);
    store_fixture_open(&sx);
    loop = loop_new(&err);
    trail = trail_new(loop, sx.store);
}

static void teardown(void)
{
    trail_free(&trail);
    loop_once(loop, 0);
    store_fixture_close(&sx);
    loop_once(loop, 0);
    loop_free(&loop);
    clock_set_fake(NULL);
}

static int64_t number(const char *sql)
{
    return store_fixture_number(&sx, sql);
}

static void settle(void)
{
    number("SELECT 1"); /* what was queued is done */
    number("SELECT 1"); /* and answered, if it was in one batch with that */
    loop_once(loop, 0);
}

static void run_seconds(int n)
{
    while (n-- > 0) {
        struct clock_fake f = {{clock_mono().ns + 1000000000}, {clock_wall().us + 1000000}};
        clock_set_fake(&f);
        loop_once(loop, 0);
        settle();
    }
}

static struct audit_row failed(const char *provider, const char *reason)
{
    return (struct audit_row){.actor_kind = "nobody",
                              .actor = "",
                              .ip = "192.0.2.1",
                              .action = "login.failed",
                              .object = "",
                              .provider = provider,
                              .outcome = "failed",
                              .reason = reason};
}

START_TEST(a_row_is_written_behind)
{
    const struct audit_row row = failed("google", "denied: the person\r\nsaid \x1b[31mno");
    trail_add(trail, &row);
    settle();
    ck_assert_int_eq(number("SELECT count(*) FROM audit WHERE at = 1800000000 AND ip = '192.0.2.1' "
                            "AND provider = 'google' AND reason LIKE 'denied: the person%'"),
                     1);
    ck_assert_int_eq(number("SELECT count(*) FROM audit WHERE instr(reason, char(10)) + "
                            "instr(reason, char(13)) + instr(reason, char(27)) > 0"),
                     0);
    trail_add(NULL, &row);
    trail_count(NULL, &row);
}
END_TEST

START_TEST(a_flood_is_counted)
{
    const struct audit_row google = failed("google", "denied: so"),
                           discord = failed("discord", "invalid: 17 of them");
    for (int i = 0; i < 10000; i++)
        trail_add(trail, i % 4 ? &google : &discord);
    settle();
    settle();
    const int64_t plain = number("SELECT count(*) FROM audit");
    ck_assert_int_gt(plain, 0);
    ck_assert_int_le(plain, 64);
    run_seconds(59);
    ck_assert_int_eq(number("SELECT count(*) FROM audit"), plain);
    run_seconds(3);
    ck_assert_int_eq(number("SELECT count(*) FROM audit"), plain + 2);
    ck_assert_int_eq(number("SELECT sum(json_extract(became, '$.count')) FROM audit"),
                     10000 - plain);
    ck_assert_int_eq(number("SELECT count(*) FROM audit WHERE became IS NOT NULL AND provider = "
                            "'discord' AND reason = 'invalid' AND ip = '192.0.2.1'"),
                     1);
    run_seconds(100); /* and that is all */
    ck_assert_int_eq(number("SELECT count(*) FROM audit"), plain + 2);
    trail_add(trail, &google); /* the next one is a row again */
    settle();
    ck_assert_int_eq(number("SELECT count(*) FROM audit"), plain + 3);
}
END_TEST

START_TEST(a_slow_stream_is_kept_row_by_row)
{
    const struct audit_row row = failed("google", "denied: so");
    for (int i = 0; i < 200; i++) {
        trail_add(trail, &row);
        run_seconds(1);
    }
    ck_assert_int_eq(number("SELECT count(*) FROM audit WHERE became IS NULL"), 200);
}
END_TEST

/* Whoever can name things cannot make memory or rows grow with it. */
START_TEST(many_kinds_become_one)
{
    char name[16];
    for (int i = 0; i < 1000; i++) {
        snprintf(name, sizeof name, "p%d", i);
        const struct audit_row row = failed(name, "denied: so");
        trail_count(trail, &row);
    }
    run_seconds(62);
    ck_assert_int_eq(number("SELECT count(*) FROM audit"), 64);
    ck_assert_int_eq(number("SELECT json_extract(became, '$.count') FROM audit WHERE action = "
                            "'audit.others'"),
                     1000 - 63);
}
END_TEST

START_TEST(a_busy_store_gets_it_later)
{
    const struct audit_row row = failed("google", "denied: so");
    store_fixture_fill(&sx);
    for (int i = 0; i < 500; i++)
        trail_add(trail, &row);
    store_fixture_go_on(&sx);
    ck_assert_int_eq(number("SELECT count(*) FROM audit"), 0);
    run_seconds(2);
    const int64_t plain = number("SELECT count(*) FROM audit");
    ck_assert_int_eq(plain, 64);
    run_seconds(62);
    ck_assert_int_eq(number("SELECT sum(json_extract(became, '$.count')) FROM audit"), 500 - plain);
}
END_TEST

START_TEST(the_end_writes_what_is_left)
{
    const struct audit_row row = failed("google", "denied: so");
    for (int i = 0; i < 300; i++)
        trail_add(trail, &row);
    trail_end(trail);
    ck_assert_int_eq(number("SELECT count(*) FROM audit WHERE became IS NULL") +
                         number("SELECT sum(json_extract(became, '$.count')) FROM audit"),
                     300);
    trail_add(trail, &row);
    trail_count(trail, &row);
    trail_end(trail);
    settle();
    ck_assert_int_eq(number("SELECT count(*) FROM audit WHERE became IS NULL") +
                         number("SELECT sum(json_extract(became, '$.count')) FROM audit"),
                     300);
}
END_TEST

Suite *suite_trail(void)
{
    Suite *s = suite_create("trail");
    TCase *tc = tcase_create("trail");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, a_row_is_written_behind);
    tcase_add_test(tc, a_flood_is_counted);
    tcase_add_test(tc, a_slow_stream_is_kept_row_by_row);
    tcase_add_test(tc, many_kinds_become_one);
    tcase_add_test(tc, a_busy_store_gets_it_later);
    tcase_add_test(tc, the_end_writes_what_is_left);
    suite_add_tcase(s, tc);
    return s;
}
