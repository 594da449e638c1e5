/* SPDX-License-Identifier: Apache-2.0 */
/* What a login leaves in the audit. */
#include <check.h>

#include "login_fixture.h"
#include "sys/clock.h"

Suite *suite_login_tell(void);

static int64_t rows(const char *where)
{
    return login_fixture_sql(arena_printf(lfx.arena, "SELECT count(*) FROM audit WHERE %s", where));
}

/* What is written behind is written. */
static void settle(void)
{
    trail_end(lfx.trail);
}

static void come_back(const char *query, struct came *came)
{
    const struct finish_args f = {.query = query};
    login_fixture_finish(&f, came);
    login_fixture_pump();
}

START_TEST(a_sign_in_is_on_record)
{
    struct came c;
    login_fixture_sign_in(&c);
    ck_assert_int_eq(rows("action = 'login.done' AND outcome = 'done' AND actor_kind = 'account' "
                          "AND actor = (SELECT id FROM account) AND object = (SELECT id FROM "
                          "session) AND provider = 'toy' AND ip = '192.0.2.1' AND user_agent = "
                          "'Test/1.0' AND request_id = 'req-7' AND length(hash) = 32 AND "
                          "became = '{\"account\":\"new\"}'"),
                     1);
    login_fixture_sign_in(&c);
    ck_assert_int_eq(rows("action = 'login.done' AND became IS NULL"), 1);
    ck_assert_int_eq(rows("1"), 2);
}
END_TEST

/* PRIV-11: nobody is named. */
START_TEST(priv_11_nobody_is_named)
{
    struct came c;
    login_fixture_sign_in(&c);
    ck_assert_int_eq(login_fixture_sql("SELECT count(*) FROM identity i, audit a WHERE instr("
                                       "coalesce(a.actor_name, '') || a.actor || a.object || "
                                       "coalesce(a.was, '') || coalesce(a.became, '') || "
                                       "coalesce(a.reason, ''), coalesce(i.name, i.username, "
                                       "i.email)) + instr(a.actor || a.object || "
                                       "coalesce(a.became, ''), i.subject) > 0"),
                     0);
    ck_assert_int_eq(rows("actor_name IS NOT NULL"), 0);
}
END_TEST

START_TEST(a_replaced_session_is_on_record)
{
    struct came first, started, second;
    login_fixture_sign_in(&first);
    login_fixture_start("/", &started);
    const struct finish_args f = {.query = login_fixture_callback(&started),
                                  .session = first.token};
    login_fixture_finish(&f, &second);
    login_fixture_pump();
    ck_assert_int_eq(rows("action = 'login.done' AND became LIKE '%earlier_session%'"), 1);
}
END_TEST

START_TEST(a_refusal_is_on_record)
{
    struct came started, c;
    login_fixture_start("/", &started);
    const char *query = login_fixture_callback(&started);
    const char *state = arena_dupn(lfx.arena, query, strlen(query) - strlen("&code=c0de"));
    come_back(
        arena_printf(lfx.arena, "%s&error=access_denied&error_description=evil%%0d%%0aword", state),
        &c);
    ck_assert_int_eq(c.kind, ERR_DENIED);
    settle();
    ck_assert_int_eq(rows("action = 'login.failed' AND outcome = 'failed' AND actor_kind = "
                          "'nobody' AND provider = 'toy' AND ip = '192.0.2.1' AND request_id = "
                          "'req-7' AND user_agent = 'Test/1.0' AND reason LIKE 'denied: %'"),
                     1);
    ck_assert_int_eq(rows("reason LIKE '%evil%'"), 0);
}
END_TEST

START_TEST(an_upstream_that_fails_is_on_record)
{
    struct came c;
    lfx.token_status = 500;
    login_fixture_sign_in(&c);
    settle();
    ck_assert_int_eq(rows("action = 'login.failed' AND reason LIKE 'upstream_%: %'"), 1);
}
END_TEST

/* The transaction that found it out is undone; whose account it was is known all the same. */
START_TEST(a_disabled_account_is_on_record)
{
    struct came c;
    login_fixture_sign_in(&c);
    login_fixture_sql("UPDATE account SET disabled_since = 1");
    login_fixture_sign_in(&c);
    ck_assert_int_eq(c.kind, ERR_NOT_ALLOWED);
    settle();
    ck_assert_int_eq(rows("action = 'login.failed' AND actor_kind = 'account' AND actor = (SELECT "
                          "id FROM account) AND reason = 'not_allowed: the account is disabled'"),
                     1);
}
END_TEST

/* DOS-01, DOS-07: anybody can claim to come back. It is counted, and written a minute later. */
START_TEST(dos_07_made_up_callbacks_are_counted)
{
    struct came c;
    for (int i = 0; i < 1000; i++)
        come_back("state=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA&code=c0de", &c);
    ck_assert_int_eq(rows("1"), 0);
    settle();
    ck_assert_int_eq(rows("1"), 1);
    ck_assert_int_eq(rows("action = 'login.failed' AND provider = 'toy' AND reason = 'invalid' AND "
                          "json_extract(became, '$.count') = 1000"),
                     1);
}
END_TEST

START_TEST(a_provider_that_there_is_not_is_counted)
{
    struct came c = {.kind = ERR_NONE};
    struct registry *empty = login_fixture_draft("other", "plugin = toy\nclient_id = 1\n");
    login_set_registry(lfx.login, empty);
    come_back("state=x&code=c0de", &c);
    settle();
    ck_assert_int_eq(rows("action = 'login.failed' AND provider IS NULL"), 1);
    registry_free(&empty);
}
END_TEST

Suite *suite_login_tell(void)
{
    Suite *s = suite_create("login_tell");
    TCase *tc = tcase_create("login_tell");
    tcase_add_checked_fixture(tc, login_fixture_open, login_fixture_close);
    tcase_add_test(tc, a_sign_in_is_on_record);
    tcase_add_test(tc, priv_11_nobody_is_named);
    tcase_add_test(tc, a_replaced_session_is_on_record);
    tcase_add_test(tc, a_refusal_is_on_record);
    tcase_add_test(tc, an_upstream_that_fails_is_on_record);
    tcase_add_test(tc, a_disabled_account_is_on_record);
    tcase_add_test(tc, dos_07_made_up_callbacks_are_counted);
    tcase_add_test(tc, a_provider_that_there_is_not_is_counted);
    suite_add_tcase(s, tc);
    return s;
}
