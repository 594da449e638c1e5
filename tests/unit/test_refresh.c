/* SPDX-License-Identifier: Apache-2.0 */
#include "login/refresh.h"

#include <check.h>
#include <stdio.h>

#include "login_fixture.h"
#include "sys/clock.h"

Suite *suite_refresh(void);

#define CONF                                                                                       \
    "plugin = oauth2\nclient_id = app\nclient_secret = s3cret\n"                                   \
    "authorize_url = https://toy.example/authorize\ntoken_url = https://toy.example/token\n"       \
    "profile_url = https://toy.example/me\nsubject = /sub\n"
#define FIRST                                                                                      \
    "{\"access_token\":\"canary-1\",\"token_type\":\"Bearer\",\"expires_in\":3600,"                \
    "\"refresh_token\":\"again-1\",\"scope\":\"a b\"}"
#define SECOND                                                                                     \
    "{\"access_token\":\"canary-2\",\"token_type\":\"Bearer\",\"expires_in\":3600,"                \
    "\"refresh_token\":\"again-2\"}"
#define THIRD "{\"access_token\":\"canary-3\",\"token_type\":\"Bearer\",\"expires_in\":90}"

static const char *token_answer;
static struct clock_fake now_is;

static void bend(const char *url, struct fetch_result *r)
{
    if (strstr(url, "/token"))
        r->body = str_of(token_answer);
}

static void open_with(const char *conf)
{
    login_fixture_conf = conf;
    login_fixture_open();
    now_is = (struct clock_fake){.wall = {LOGIN_NOW * 1000000LL}, .mono = {1}};
    lfx.bend = bend;
    token_answer = FIRST;
}

static void setup(void)
{
    open_with(CONF "keep_tokens = yes\n");
}

static void later(int64_t seconds)
{
    now_is.wall.us += seconds * 1000000;
    now_is.mono.ns += seconds * 1000000000;
    clock_set_fake(&now_is);
}

static const char *sign_in(void)
{
    struct came came;
    login_fixture_sign_in(&came);
    ck_assert_int_eq(came.kind, ERR_NONE);
    struct session_view v;
    ck_assert_int_eq(
        sessions_check(lfx.sessions, str_of(came.token), wall_seconds(clock_wall()), &v), 1);
    lfx.token_requests = 0;
    return arena_dup(lfx.arena, v.account);
}

struct got {
    unsigned times;
    enum err_kind kind;
    char text[100];
};

static void on_got(void *arg, const struct refresh_token *t, const struct err *err)
{
    struct got *g = arg;
    ck_assert((t != NULL) != (err != NULL));
    g->times++;
    g->kind = err ? err->kind : ERR_NONE;
    g->text[0] = '\0';
    if (t)
        snprintf(g->text, sizeof g->text, "%s %s %lld", secret_reveal(t->access).p,
                 t->scope ? t->scope : "-", (long long)t->expires_in);
}

static void ask(const char *account, struct got *g)
{
    const struct refresh_ask a = {.provider = "toy", .account = account, .subject = ""};
    refresh_get(lfx.login, &a, on_got, g);
}

static struct got get(const char *account)
{
    struct got g = {.times = 0};
    ask(account, &g);
    ck_assert_uint_eq(g.times, 0);
    for (int i = 0; i < 50 && g.times == 0; i++)
        login_fixture_pump();
    login_fixture_pump();
    ck_assert_uint_eq(g.times, 1);
    return g;
}

static void gives(const char *account, const char *text)
{
    const struct got g = get(account);
    ck_assert_int_eq(g.kind, ERR_NONE);
    ck_assert_str_eq(g.text, text);
}

START_TEST(a_token_that_works_is_given)
{
    const char *account = sign_in();
    gives(account, "canary-1 a b 3600");
    later(3500);
    gives(account, "canary-1 a b 100");
    ck_assert_uint_eq(lfx.token_requests, 0);
}
END_TEST

START_TEST(one_that_ran_out_is_renewed)
{
    const char *account = sign_in();
    later(3550);
    token_answer = SECOND;
    gives(account, "canary-2 a b 3600");
    gives(account, "canary-2 a b 3600");
    ck_assert_uint_eq(lfx.token_requests, 1);
    later(3550);
    token_answer = THIRD; /* no refresh token: the last one still counts */
    gives(account, "canary-3 a b 90");
    later(40);
    token_answer = FIRST;
    gives(account, "canary-1 a b 3600");
    ck_assert_uint_eq(lfx.token_requests, 3);
    ck_assert_int_eq(login_fixture_sql("SELECT busy FROM upstream_token"), 0);
}
END_TEST

START_TEST(a_hundred_callers_make_one_request)
{
    const char *account = sign_in();
    struct got all[100] = {{0}};
    later(7200);
    token_answer = SECOND;
    for (int i = 0; i < 100; i++)
        ask(account, &all[i]);
    login_fixture_pump();
    login_fixture_pump();
    for (int i = 0; i < 100; i++) {
        ck_assert_uint_eq(all[i].times, 1);
        ck_assert_str_eq(all[i].text, "canary-2 a b 3600");
    }
    ck_assert_uint_eq(lfx.token_requests, 1);
}
END_TEST

START_TEST(a_refused_one_is_forgotten)
{
    const char *account = sign_in();
    later(7200);
    token_answer = "{\"error\":\"invalid_grant\"}";
    lfx.token_status = 400;
    ck_assert_int_eq(get(account).kind, ERR_EXPIRED);
    ck_assert_int_eq(login_fixture_sql("SELECT count(*) FROM upstream_token"), 0);
    ck_assert_int_eq(login_fixture_sql("SELECT count(*) FROM audit WHERE action = "
                                       "'upstream_token.forget' AND provider = 'toy'"),
                     1);
    ck_assert_int_eq(get(account).kind, ERR_NOT_FOUND);
    ck_assert_uint_eq(lfx.token_requests, 1);
}
END_TEST

START_TEST(an_upstream_that_is_down_loses_nothing)
{
    const char *account = sign_in();
    later(7200);
    token_answer = "{}";
    lfx.token_status = 503;
    ck_assert_int_eq(get(account).kind, ERR_UPSTREAM_DOWN);
    ck_assert_int_eq(login_fixture_sql("SELECT busy FROM upstream_token"), 0);
    token_answer = SECOND;
    lfx.token_status = 200;
    gives(account, "canary-2 a b 3600");
}
END_TEST

START_TEST(who_has_none_gets_none)
{
    const char *account = sign_in();
    ck_assert_int_eq(get("somebody").kind, ERR_NOT_FOUND);
    token_answer = THIRD;
    login_fixture_sql("DELETE FROM upstream_token");
    ck_assert_int_eq(get(account).kind, ERR_NOT_FOUND);
    sign_in();
    gives(account, "canary-3 - 90");
    later(30); /* nothing to renew it with */
    ck_assert_int_eq(get(account).kind, ERR_EXPIRED);
    ck_assert_uint_eq(lfx.token_requests, 0);
}
END_TEST

START_TEST(not_kept_unless_told)
{
    login_fixture_close();
    open_with(CONF);
    const char *account = sign_in();
    ck_assert_int_eq(login_fixture_sql("SELECT count(*) FROM upstream_token"), 0);
    ck_assert_int_eq(get(account).kind, ERR_NOT_FOUND);
}
END_TEST

static struct registry *registry_of(const char *conf)
{
    struct conf_problems problems;
    const struct registry_options o = {.plugin_dir = "plugins/.libs"};
    conf_problems_init(&problems);
    struct registry *r = registry_text(&o, "toy", str_of(conf), &problems);
    ck_assert_uint_eq(problems.n, 0);
    conf_problems_deinit(&problems);
    return r;
}

START_TEST(forgotten_when_not_kept_any_more)
{
    struct registry *r = registry_of(CONF);
    sign_in();
    ck_assert_int_eq(login_fixture_sql("SELECT count(*) FROM upstream_token"), 1);
    login_set_registry(lfx.login, r);
    login_fixture_pump();
    ck_assert_int_eq(login_fixture_sql("SELECT count(*) FROM upstream_token"), 0);
    registry_free(&r);
}
END_TEST

/* Two reloads, one right after the other: what is in force decides, not what was when it began. */
START_TEST(kept_again_before_they_were_forgotten)
{
    struct registry *off = registry_of(CONF), *on = registry_of(CONF "keep_tokens = yes\n");
    sign_in();
    login_set_registry(lfx.login, off);
    login_set_registry(lfx.login, on);
    login_fixture_pump();
    ck_assert_int_eq(login_fixture_sql("SELECT count(*) FROM upstream_token"), 1);
    login_set_registry(lfx.login, on);
    login_set_registry(lfx.login, on);
    login_set_registry(lfx.login, off);
    login_fixture_pump();
    ck_assert_int_eq(login_fixture_sql("SELECT count(*) FROM upstream_token"), 0);
    login_set_registry(lfx.login, off); /* with an answer to come, that nobody waits for */
    registry_free(&off);
    registry_free(&on);
}
END_TEST

/* What lies in the store is of no use to who reads it. */
START_TEST(nothing_is_kept_in_clear)
{
    sign_in();
    ck_assert_int_eq(login_fixture_sql("SELECT count(*) FROM upstream_token WHERE "
                                       "instr(access, CAST('canary' AS BLOB)) > 0 OR "
                                       "instr(refresh, CAST('again' AS BLOB)) > 0"),
                     0);
    ck_assert_int_eq(
        login_fixture_sql("SELECT count(*) FROM upstream_token WHERE refresh IS NOT NULL"), 1);
}
END_TEST

START_TEST(somebody_else_is_at_it)
{
    const char *account = sign_in();
    struct got g = {.times = 0};
    later(7200);
    char sql[100];
    snprintf(sql, sizeof sql, "UPDATE upstream_token SET busy = %lld",
             (long long)wall_seconds(clock_wall()) + 30);
    login_fixture_sql(sql);
    token_answer = SECOND;
    ask(account, &g);
    login_fixture_pump();
    ck_assert_uint_eq(g.times, 0);
    ck_assert_uint_eq(lfx.token_requests, 0);
    login_fixture_sql("UPDATE upstream_token SET busy = 0");
    for (int i = 0; i < 100 && g.times == 0; i++) {
        later(1);
        login_fixture_pump();
    }
    ck_assert_str_eq(g.text, "canary-2 a b 3600");
}
END_TEST

/* The old refresh token is refused while its owner signs in: the new ones are given. */
START_TEST(who_signed_in_meanwhile_has_new_ones)
{
    const char *account = sign_in();
    struct got g = {.times = 0};
    later(7200);
    ask(account, &g);
    const struct waiting held = login_fixture_hold();
    token_answer = SECOND;
    sign_in();
    const struct fetch_result no = {.status = 400,
                                    .content_type = "application/json",
                                    .charset = "",
                                    .body = STR("{\"error\":\"invalid_grant\"}"),
                                    .retry_after = -1};
    held.done(held.arg, &no);
    for (int i = 0; i < 10 && g.times == 0; i++) {
        login_fixture_pump();
        later(1);
    }
    ck_assert_uint_eq(g.times, 1);
    ck_assert_int_eq(g.kind, ERR_NONE);
    ck_assert_int_eq(strncmp(g.text, "canary-2 ", 9), 0);
    ck_assert_int_eq(login_fixture_sql("SELECT count(*) FROM audit WHERE action = "
                                       "'upstream_token.forget'"),
                     0);
}
END_TEST

START_TEST(the_login_may_go_meanwhile)
{
    const char *account = sign_in();
    struct got g = {.times = 0};
    later(7200);
    ask(account, &g);
    loop_once(lfx.loop, 5);
    loop_once(lfx.loop, 5);
    login_fixture_restart(); /* in whatever state it was; nobody is told, nothing leaks */
    login_fixture_pump();
    ck_assert_uint_eq(g.times, 0);
    ck_assert_int_eq(login_fixture_sql("SELECT count(*) FROM upstream_token"), 1);
}
END_TEST

Suite *suite_refresh(void)
{
    Suite *s = suite_create("refresh");
    TCase *tc = tcase_create("refresh");
    tcase_add_checked_fixture(tc, setup, login_fixture_close);
    tcase_add_test(tc, a_token_that_works_is_given);
    tcase_add_test(tc, one_that_ran_out_is_renewed);
    tcase_add_test(tc, a_hundred_callers_make_one_request);
    tcase_add_test(tc, a_refused_one_is_forgotten);
    tcase_add_test(tc, an_upstream_that_is_down_loses_nothing);
    tcase_add_test(tc, who_has_none_gets_none);
    tcase_add_test(tc, not_kept_unless_told);
    tcase_add_test(tc, forgotten_when_not_kept_any_more);
    tcase_add_test(tc, kept_again_before_they_were_forgotten);
    tcase_add_test(tc, nothing_is_kept_in_clear);
    tcase_add_test(tc, somebody_else_is_at_it);
    tcase_add_test(tc, who_signed_in_meanwhile_has_new_ones);
    tcase_add_test(tc, the_login_may_go_meanwhile);
    suite_add_tcase(s, tc);
    return s;
}
