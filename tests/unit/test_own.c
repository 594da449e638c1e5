/* SPDX-License-Identifier: Apache-2.0 */
#include "login/own.h"

#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "login_fixture.h"
#include "store/account.h"
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

/* The disk takes no more, so nobody knows what becomes of a commit. */
static void set_disk(bool full)
{
    struct rlimit limit;
    struct stat st;
    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &limit), 0);
    ck_assert_int_eq(stat(arena_printf(lfx.arena, "%s/usher.db-wal", lfx.folder), &st), 0);
    sigaction(SIGXFSZ, &(struct sigaction){.sa_handler = SIG_IGN}, NULL);
    limit.rlim_cur = full ? (rlim_t)st.st_size : limit.rlim_max;
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
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

    set_disk(true);
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
    set_disk(false);
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
