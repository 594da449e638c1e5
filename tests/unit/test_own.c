/* SPDX-License-Identifier: Apache-2.0 */
#include "login/own.h"

#include <check.h>
#include <stdio.h>

#include "login/join.h"
#include "login_fixture.h"
#include "store/account.h"
#include "store_fixture.h"
#include "sys/clock.h"

Suite *suite_own(void);

static struct session_view me;

static struct came signed_in_as(const char *subject)
{
    struct came c;
    lfx.subject = subject;
    login_fixture_sign_in(&c);
    ck_assert_int_eq(c.kind, ERR_NONE);
    ck_assert(c.has_token);
    return c;
}

static bool is_in(const struct came *c, struct session_view *v)
{
    return sessions_check(lfx.sessions, str_of(c->token), wall_seconds(clock_wall()), v) == 1;
}

static int attach(struct db *db, void *arg, struct err *err)
{
    const struct account_profile p = {.provider = "toy", .subject = arg};
    return account_attach(db, me.account, &p, LOGIN_NOW, err) == 1 ? 0 : -1;
}

static char gone[24];

static void note_gone(void *arg, const char *account, const char *into)
{
    (void)arg;
    ck_assert_ptr_null(into);
    snprintf(gone, sizeof gone, "%s", account);
}

static char doubted[64];

static void note_doubt(void *arg, const char *account)
{
    (void)arg;
    snprintf(doubted + strlen(doubted), sizeof doubted - strlen(doubted), "%s ", account);
}

static void on_done(void *arg, const struct err *err)
{
    *(enum err_kind *)arg = err ? err->kind : ERR_NONE;
}

START_TEST(in_doubt_they_are_out)
{
    struct err err = ERR_INIT;
    struct session_view v;
    char handle[23], more[] = "more";
    enum err_kind kind = ERR_NONE;
    lfx.options.on_gone = note_gone;
    lfx.options.on_doubt = note_doubt;
    login_fixture_restart();
    const struct came mine = signed_in_as("me");
    ck_assert(is_in(&mine, &me));
    ck_assert_int_eq(store_write_now(lfx.store, attach, more, &err), STORE_DONE);
    const struct came by_more = signed_in_as(more);
    ck_assert(is_in(&by_more, &v));
    ck_assert_str_eq(v.account, me.account);
    account_handle("toy", more, handle);

    store_fixture_disk(lfx.folder, true);
    ck_assert(is_in(&mine, &me));
    const struct own_caller c = {.session = &me};
    own_unlink(lfx.login, &c, handle, on_done, &kind);
    login_fixture_pump();
    ck_assert_int_eq(kind, ERR_INTERNAL);
    ck_assert(!is_in(&by_more, &v));
    ck_assert(is_in(&mine, &me)); /* who asked */

    ck_assert_str_eq(gone, "");
    ck_assert_str_eq(doubted, "");
    const char *account = arena_dup(lfx.arena, me.account);
    kind = ERR_NONE;
    own_delete(lfx.login, &c, on_done, &kind);
    login_fixture_pump();
    ck_assert_int_eq(kind, ERR_INTERNAL);
    ck_assert(!is_in(&mine, &v));
    ck_assert_str_eq(gone, account); /* and what else is in memory, as its API tokens */
    ck_assert_str_eq(doubted, arena_printf(lfx.arena, "%s ", account));
    store_fixture_disk(lfx.folder, false);
}
END_TEST

/* The merge with the account of another identity, which signs in on the way. */
static enum err_kind merged(const struct came *c, const char *subject, bool broken)
{
    struct came started, back, done = {.kind = ERR_NONE};
    const struct login_start s = {.provider = "toy",
                                  .purpose = USHER_FLOW_LINK,
                                  .return_to = "/account",
                                  .session = &me,
                                  .bind = STR(LOGIN_BIND)};
    lfx.subject = subject;
    login_fixture_start_with(&s, &started);
    const struct finish_args f = {.query = login_fixture_callback(&started), .session = c->token};
    login_fixture_finish(&f, &back);
    login_fixture_pump();
    ck_assert(is_in(c, &me));
    const struct join_caller who = {.id = back.join, .bind = STR(LOGIN_BIND), .session = &me};
    if (broken)
        store_fixture_disk(lfx.folder, true);
    join_accept(lfx.login, &who, login_fixture_done, &done);
    login_fixture_pump();
    if (broken)
        store_fixture_disk(lfx.folder, false);
    return done.kind;
}

/* The other account is out at once; whose its roles and tokens are is to be found out. */
START_TEST(a_merge_in_doubt)
{
    struct session_view v;
    lfx.options.on_gone = note_gone;
    lfx.options.on_doubt = note_doubt;
    login_fixture_restart();
    const struct came other = signed_in_as("other"), mine = signed_in_as("me");
    ck_assert(is_in(&other, &v) && is_in(&mine, &me));
    const char *both = arena_printf(lfx.arena, "%s %s ", v.account, me.account);
    const char *theirs = arena_dup(lfx.arena, v.account);
    ck_assert_int_eq(merged(&mine, "other", true), ERR_INTERNAL);
    ck_assert(!is_in(&other, &v));
    ck_assert_str_eq(gone, theirs);
    ck_assert_str_eq(doubted, both);
}
END_TEST

/* What an account may do fits into a header, or two do not become one: nothing is left out of it
 * without a word. */
START_TEST(a_merge_of_too_many_permissions)
{
    struct session_view v;
    const struct came both[] = {signed_in_as("other"), signed_in_as("me")};
    for (int i = 0; i < 2; i++) {
        const char *list = "";
        for (int k = 0; k < 40; k++)
            list = arena_printf(lfx.arena, "%s%s\"in-%d.%045d\"", list, k > 0 ? "," : "", i, k);
        ck_assert(is_in(&both[i], &v));
        login_fixture_sql(arena_printf(lfx.arena,
                                       "INSERT INTO role (name, permissions, description, version, "
                                       "created, changed) VALUES ('role-%d', '[%s]', '', 1, 1, 1)",
                                       i, list));
        login_fixture_sql(arena_printf(lfx.arena,
                                       "INSERT INTO account_role (account, role, since) "
                                       "VALUES ('%s', 'role-%d', 1)",
                                       v.account, i));
    }
    ck_assert(is_in(&both[1], &me));
    ck_assert_int_eq(merged(&both[1], "other", false), ERR_CONFLICT);
    ck_assert(is_in(&both[0], &v) && is_in(&both[1], &me));
    login_fixture_sql("UPDATE role SET permissions = '[\"in\"]' WHERE name = 'role-0'");
    ck_assert_int_eq(merged(&both[1], "other", false), ERR_NONE);
    ck_assert(!is_in(&both[0], &v));
}
END_TEST

Suite *suite_own(void)
{
    Suite *s = suite_create("own");
    TCase *tc = tcase_create("own");
    tcase_add_checked_fixture(tc, login_fixture_open, login_fixture_close);
    tcase_add_test(tc, in_doubt_they_are_out);
    tcase_add_test(tc, a_merge_in_doubt);
    tcase_add_test(tc, a_merge_of_too_many_permissions);
    suite_add_tcase(s, tc);
    return s;
}
