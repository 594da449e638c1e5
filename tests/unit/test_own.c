/* SPDX-License-Identifier: Apache-2.0 */
#include "login/own.h"

#include <check.h>
#include <stdio.h>

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
    const char *account = arena_dup(lfx.arena, me.account);
    kind = ERR_NONE;
    own_delete(lfx.login, &c, on_done, &kind);
    login_fixture_pump();
    ck_assert_int_eq(kind, ERR_INTERNAL);
    ck_assert(!is_in(&mine, &v));
    ck_assert_str_eq(gone, account); /* and what else is in memory, as its API tokens */
    store_fixture_disk(lfx.folder, false);
}
END_TEST

Suite *suite_own(void)
{
    Suite *s = suite_create("own");
    TCase *tc = tcase_create("own");
    tcase_add_checked_fixture(tc, login_fixture_open, login_fixture_close);
    tcase_add_test(tc, in_doubt_they_are_out);
    suite_add_tcase(s, tc);
    return s;
}
