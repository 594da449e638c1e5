/* SPDX-License-Identifier: Apache-2.0 */
#include "login/recheck.h"

#include <check.h>
#include <stdio.h>

#include "login_fixture.h"
#include "main/keep.h"
#include "sys/clock.h"

Suite *suite_recheck(void);

#define PERIOD 900
#define CONF                                                                                       \
    "plugin = oauth2\nclient_id = app\nclient_secret = s3cret\n"                                   \
    "authorize_url = https://toy.example/authorize\ntoken_url = https://toy.example/token\n"       \
    "profile_url = https://toy.example/me\nsubject = /sub\ngroups = /groups\n"                     \
    "require = /member=true\nkeep_tokens = yes\nrecheck = 15m\n"
#define TOKENS(n, life)                                                                            \
    "{\"access_token\":\"t0k" #n "\",\"token_type\":\"Bearer\",\"expires_in\":" #life ","          \
    "\"refresh_token\":\"again" #n "\"}"
#define ME(groups) "{\"sub\":\"1234\",\"member\":true,\"groups\":" groups "}"

static const char *token_answer, *me_answer;
static int me_status;
static unsigned asked;
static struct clock_fake now_is;

static void bend(const char *url, struct fetch_result *r)
{
    const bool me = strstr(url, "/me") != NULL;
    r->body = str_of(me ? me_answer : token_answer);
    r->status = me ? me_status : r->status;
    asked += me;
}

static struct came first;

static void setup(void)
{
    login_fixture_conf = CONF;
    login_fixture_open();
    now_is = (struct clock_fake){.wall = {LOGIN_NOW * 1000000LL}, .mono = {1}};
    lfx.bend = bend;
    token_answer = TOKENS(1, 36000);
    me_answer = ME("[\"staff\"]");
    me_status = 200;
    login_fixture_sign_in(&first);
    ck_assert_int_eq(first.kind, ERR_NONE);
    asked = lfx.token_requests = 0;
}

static void second(void)
{
    now_is.wall.us += 1000000;
    now_is.mono.ns += 1000000000;
    clock_set_fake(&now_is);
    login_fixture_pump();
}

/* The clock jumps; then a few seconds go by, as ticks need them. */
static void later(int64_t seconds)
{
    now_is.wall.us += seconds * 1000000;
    now_is.mono.ns += seconds * 1000000000;
    for (int i = 0; i < 4; i++)
        second();
}

/* "" when the session is over. */
static const char *groups(void)
{
    struct session_view v;
    if (sessions_check(lfx.sessions, str_of(first.token), wall_seconds(clock_wall()), &v) != 1)
        return "over";
    return arena_dup(lfx.arena, v.header_groups);
}

START_TEST(asked_when_it_is_time)
{
    later(PERIOD - 10);
    ck_assert_uint_eq(asked, 0);
    later(20 + 60);
    ck_assert_uint_eq(asked, 1);
    ck_assert_uint_eq(lfx.token_requests, 0);
    ck_assert_str_eq(groups(), "toy:staff");
    ck_assert_int_gt(login_fixture_sql("SELECT checked FROM identity"), LOGIN_NOW + PERIOD);
    ck_assert_int_eq(login_fixture_sql("SELECT busy FROM upstream_token"), 0);
    later(60);
    ck_assert_uint_eq(asked, 1);
    later(PERIOD + 60);
    ck_assert_uint_eq(asked, 2);
}
END_TEST

START_TEST(groups_follow)
{
    me_answer = ME("[\"math\",\"staff\"]");
    later(PERIOD + 120);
    ck_assert_str_eq(groups(), "toy:math,toy:staff");
    ck_assert_int_eq(login_fixture_sql("SELECT count(*) FROM session WHERE group_names = "
                                       "'[\"toy:math\",\"toy:staff\"]'"),
                     1);
    ck_assert_int_eq(
        login_fixture_sql("SELECT count(*) FROM audit WHERE action = 'session.recheck_groups'"), 1);
    me_answer = "{\"sub\":\"1234\",\"member\":true}"; /* the last one is gone */
    later(PERIOD + 120);
    ck_assert_str_eq(groups(), "");
}
END_TEST

START_TEST(who_may_not_any_more_is_out)
{
    me_answer = "{\"sub\":\"1234\",\"member\":false}";
    later(PERIOD + 120);
    ck_assert_str_eq(groups(), "over");
    ck_assert_int_eq(login_fixture_sql("SELECT count(*) FROM session"), 0);
    ck_assert_int_eq(login_fixture_sql("SELECT count(*) FROM upstream_token"), 0);
    ck_assert_int_eq(login_fixture_sql("SELECT count(*) FROM audit WHERE action = "
                                       "'session.recheck_end' AND provider = 'toy' AND object = "
                                       "(SELECT account FROM identity)"),
                     1);
}
END_TEST

START_TEST(a_token_that_is_refused_is_renewed_once)
{
    me_status = 401;
    me_answer = "{}";
    token_answer = TOKENS(2, 36000);
    later(PERIOD + 120);
    ck_assert_uint_eq(lfx.token_requests, 1);
    ck_assert_str_eq(groups(), "toy:staff"); /* a new token refused says nothing about the person */
    me_status = 200;
    me_answer = ME("[\"staff\"]");
    later(PERIOD + 180);
    ck_assert_str_eq(groups(), "toy:staff");
    ck_assert_uint_eq(lfx.token_requests, 1);
}
END_TEST

START_TEST(tokens_that_are_not_honoured_end_it)
{
    static const char *const no[] = {"{\"error\":\"invalid_grant\"}",
                                     "{\"error\":\"access_denied\"}"};
    me_status = 401;
    me_answer = "{}";
    token_answer = no[_i];
    lfx.token_status = 400;
    later(PERIOD + 120);
    ck_assert_str_eq(groups(), "over");
    ck_assert_int_eq(login_fixture_sql("SELECT count(*) FROM upstream_token"), 0);
}
END_TEST

START_TEST(an_upstream_that_is_down_ends_nobody)
{
    me_status = 503;
    later(PERIOD + 120);
    ck_assert_str_eq(groups(), "toy:staff");
    const unsigned before = asked;
    ck_assert_uint_ge(before, 1);
    me_status = 200;
    me_answer = ME("[\"math\"]");
    later(200); /* not only after a whole period */
    ck_assert_uint_gt(asked, before);
    ck_assert_str_eq(groups(), "toy:math");
}
END_TEST

START_TEST(nobody_signed_in_nobody_asked)
{
    login_fixture_sql("DELETE FROM session");
    later(PERIOD + 120);
    ck_assert_uint_eq(asked, 0);
}
END_TEST

static void answer(const struct waiting *held, int status, const char *body)
{
    const struct fetch_result r = {.status = status,
                                   .content_type = "application/json",
                                   .charset = "",
                                   .body = str_of(body),
                                   .retry_after = -1};
    held->done(held->arg, &r);
}

/* The upstream takes its time to say no about the old tokens. Whoever signs in meanwhile is let in
 * by the same upstream, after that question: what is said of tokens that are no more ends nothing.
 */
START_TEST(who_signed_in_meanwhile_stays)
{
    static const char *const late[] = {"{\"sub\":\"1234\",\"member\":false}", ME("[\"math\"]")};
    struct came again;
    now_is.wall.us += (PERIOD + 120) * 1000000LL;
    now_is.mono.ns += (PERIOD + 120) * 1000000000LL;
    clock_set_fake(&now_is);
    const struct waiting held = login_fixture_hold();
    second();
    token_answer = TOKENS(2, 36000);
    login_fixture_sign_in(&again);
    ck_assert_int_eq(again.kind, ERR_NONE);
    answer(&held, 200, late[_i]);
    login_fixture_pump();
    struct session_view v;
    ck_assert_int_eq(
        sessions_check(lfx.sessions, str_of(again.token), wall_seconds(clock_wall()), &v), 1);
    ck_assert_str_eq(v.header_groups, "toy:staff");
    ck_assert_int_eq(login_fixture_sql("SELECT count(*) FROM session"), 2);
    ck_assert_int_eq(login_fixture_sql("SELECT count(*) FROM upstream_token WHERE busy = 0"), 1);
    ck_assert_int_eq(
        login_fixture_sql("SELECT count(*) FROM audit WHERE action LIKE 'session.recheck%'"), 0);
    later(PERIOD + 120); /* about the new ones the next question is asked in its time */
    ck_assert_uint_eq(asked, 2);
}
END_TEST

START_TEST(the_login_may_go_meanwhile)
{
    now_is.wall.us += (PERIOD + 120) * 1000000LL;
    now_is.mono.ns += (PERIOD + 120) * 1000000000LL;
    clock_set_fake(&now_is);
    for (int i = 0; i < 6; i++) {
        loop_once(lfx.loop, 2);
        login_fixture_restart();
    }
    later(240);
    ck_assert_str_eq(groups(), "toy:staff");
}
END_TEST

/* ---- a day ---------------------------------------------------------------------------------- */

#define STEP 20
#define DAY 86400
#define HOUR 3600

static void step(void)
{
    now_is.wall.us += STEP * 1000000;
    now_is.mono.ns += STEP * 1000000000LL;
    clock_set_fake(&now_is);
    for (int quiet = 0; quiet < 3;) {
        struct store_stats stats;
        const size_t before = lfx.next;
        login_fixture_answer_upstream();
        store_get_stats(lfx.store, &stats);
        loop_once(lfx.loop, 0);
        quiet = lfx.next == before && stats.under_way == 0 ? quiet + 1 : 0;
    }
    lfx.n_waiting = lfx.next = 0;
}

static bool visit(const struct came *c)
{
    struct session_view v;
    return sessions_check(lfx.sessions, str_of(c->token), wall_seconds(clock_wall()), &v) == 1;
}

/* Every hour another browser of the same person, which stays away from then on; one comes back
 * every five minutes. Groups change at three, six, nine …; at twenty the person is thrown out
 * upstream. The daemon's sweep runs beside it. */
START_TEST(a_day_of_asking_and_sweeping)
{
    static struct came hourly[24];
    struct keep *keep = keep_new(lfx.loop, lfx.store, lfx.sessions, HOUR);
    int64_t most = 0;
    unsigned by_evening = 0;
    keep_start(keep);
    for (int t = STEP; t < DAY; t += STEP) {
        step();
        const int hour = t / HOUR;
        if (t % HOUR == 0 && hour < 20)
            login_fixture_sign_in(&hourly[hour]);
        if (t % HOUR == 0 && hour % 3 == 0)
            me_answer = hour % 6 ? ME("[\"math\"]") : ME("[\"staff\"]");
        if (t == 20 * HOUR)
            me_answer = "{\"sub\":\"1234\",\"member\":false}";
        if (t == 21 * HOUR)
            by_evening = asked;
        if (t % 300 == 0 && t < 20 * HOUR)
            ck_assert_msg(visit(&first), "out at %d s", t);
        if (t % (3 * HOUR) == 2 * HOUR && t < 20 * HOUR)
            ck_assert_str_eq(groups(), hour / 3 % 2 ? "toy:math" : "toy:staff");
        if (t % HOUR == 0) {
            const int64_t rows = login_fixture_sql("SELECT count(*) FROM session");
            most = rows > most ? rows : most;
        }
    }
    ck_assert(!visit(&first));
    for (int i = 0; i < 24; i++)
        ck_assert(!visit(&hourly[i]));
    /* Four times an hour or a little more often, until it was over; then nobody is asked. */
    ck_assert_uint_ge(asked, 60);
    ck_assert_uint_le(asked, 110);
    ck_assert_uint_eq(asked, by_evening);
    ck_assert_int_eq(login_fixture_sql("SELECT count(*) FROM session"), 0);
    ck_assert_int_eq(login_fixture_sql("SELECT count(*) FROM upstream_token"), 0);
    ck_assert_int_le(most, 12); /* what nobody used goes, by and by */
    ck_assert_uint_eq(sessions_count(lfx.sessions), 0);
    keep_free(&keep);
}
END_TEST

Suite *suite_recheck(void)
{
    Suite *s = suite_create("recheck");
    TCase *tc = tcase_create("recheck");
    tcase_set_timeout(tc, 300);
    tcase_add_checked_fixture(tc, setup, login_fixture_close);
    tcase_add_test(tc, asked_when_it_is_time);
    tcase_add_test(tc, groups_follow);
    tcase_add_test(tc, who_may_not_any_more_is_out);
    tcase_add_test(tc, a_token_that_is_refused_is_renewed_once);
    tcase_add_loop_test(tc, tokens_that_are_not_honoured_end_it, 0, 2);
    tcase_add_test(tc, an_upstream_that_is_down_ends_nobody);
    tcase_add_test(tc, nobody_signed_in_nobody_asked);
    tcase_add_loop_test(tc, who_signed_in_meanwhile_stays, 0, 2);
    tcase_add_test(tc, the_login_may_go_meanwhile);
    tcase_add_test(tc, a_day_of_asking_and_sweeping);
    suite_add_tcase(s, tc);
    return s;
}
