/* SPDX-License-Identifier: Apache-2.0 */
#include "main/harden.h"

#include <check.h>
#include <grp.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/* Each test has a process of its own, which it may spoil. */
static bool alone(void)
{
    const char *fork_mode = getenv("CK_FORK");
    return fork_mode == NULL || strcmp(fork_mode, "no") != 0;
}

/* PRIV-07 */
START_TEST(settings_leave_the_environment)
{
    if (!alone())
        return;
    char first[] = "USHER_A_SECRET=first", second[] = "USHER_A_SECRET=twice", bare[] = "USHER_BARE";
    char kept[] = "PATH=/bin", other[] = "XUSHER_A=1", empty[] = "USHER_=", lower[] = "usher_a=1";
    char longest[600] = "USHER_";
    char *entries[] = {first, kept, second, bare, other, empty, longest, lower, NULL};
    memset(longest + 6, 'X', sizeof longest - 7);
    memcpy(longest + 400, "=value", 6);
    char **const before = environ;
    environ = entries;
    harden_environment();
    ck_assert_ptr_eq(environ[0], kept);
    ck_assert_ptr_eq(environ[1], other);
    ck_assert_ptr_eq(environ[2], lower);
    ck_assert_ptr_null(environ[3]);
    ck_assert_str_eq(kept, "PATH=/bin");
    for (size_t i = 0; i < sizeof first; i++)
        ck_assert_int_eq(first[i] | second[i], 0);
    for (size_t i = 0; i < sizeof longest; i++)
        ck_assert_int_eq(longest[i], 0);
    ck_assert_ptr_null(getenv("USHER_A_SECRET"));
    environ = before;
}
END_TEST

START_TEST(empty_environment)
{
    if (!alone())
        return;
    char *none[] = {NULL};
    char **const before = environ;
    environ = none;
    harden_environment();
    ck_assert_ptr_null(environ[0]);
    environ = before;
}
END_TEST

START_TEST(process_limits)
{
    struct rlimit l;
    if (!alone())
        return;
    harden_process();
    ck_assert_int_eq(getrlimit(RLIMIT_CORE, &l), 0);
    ck_assert_uint_eq(l.rlim_cur, 0);
    ck_assert_uint_eq(l.rlim_max, 0);
    ck_assert_int_eq(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0), 0);
    ck_assert_int_eq(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 1);
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &l), 0);
    ck_assert_uint_eq(l.rlim_cur, l.rlim_max);
    ck_assert_uint_eq(umask(0), 077);
    prctl(PR_SET_DUMPABLE, 1, 0, 0, 0); /* the leak checker looks from outside */
}
END_TEST

START_TEST(no_user_is_asked_for)
{
    struct err err = ERR_INIT;
    const uid_t before = geteuid();
    ck_assert_int_eq(harden_drop_root(NULL, &err), 0);
    ck_assert_int_eq(harden_drop_root("", &err), 0);
    ck_assert_uint_eq(geteuid(), before);
    if (before != 0) /* nothing to give up, whoever is named */
        ck_assert_int_eq(harden_drop_root("nobody-of-that-name", &err), 0);
}
END_TEST

START_TEST(users_that_will_not_do)
{
    static const struct {
        const char *user, *text;
    } bad[] = {
        {"nobody-of-that-name", "[server] user: there is no user \"nobody-of-that-name\""},
        {"root", "[server] user: \"root\" is root"},
    };
    if (geteuid() != 0)
        return;
    for (size_t i = 0; i < 2; i++) {
        struct err err = ERR_INIT;
        ck_assert_int_eq(harden_drop_root(bad[i].user, &err), -1);
        ck_assert_str_eq(err.text, bad[i].text);
        ck_assert_uint_eq(geteuid(), 0);
    }
}
END_TEST

START_TEST(root_is_given_up_for_good)
{
    struct err err = ERR_INIT;
    gid_t groups[64];
    const struct passwd *pw = getpwnam("nobody");
    if (geteuid() != 0 || pw == NULL || !alone())
        return;
    const uid_t uid = pw->pw_uid;
    const gid_t gid = pw->pw_gid;
    ck_assert_msg(harden_drop_root("nobody", &err) == 0, "%s", err.text);
    ck_assert_uint_eq(getuid(), uid);
    ck_assert_uint_eq(geteuid(), uid);
    ck_assert_uint_eq(getgid(), gid);
    ck_assert_uint_eq(getegid(), gid);
    ck_assert_int_ne(setuid(0), 0);
    ck_assert_int_ne(setgid(0), 0);
    ck_assert_int_eq(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0), 0);
    const int n = getgroups(64, groups);
    for (int i = 0; i < n; i++)
        ck_assert_uint_ne(groups[i], 0);
    prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
}
END_TEST

Suite *suite_harden(void);
Suite *suite_harden(void)
{
    Suite *s = suite_create("harden");
    TCase *tc = tcase_create("harden");
    tcase_add_test(tc, settings_leave_the_environment);
    tcase_add_test(tc, empty_environment);
    tcase_add_test(tc, process_limits);
    tcase_add_test(tc, no_user_is_asked_for);
    tcase_add_test(tc, users_that_will_not_do);
    tcase_add_test(tc, root_is_given_up_for_good);
    suite_add_tcase(s, tc);
    return s;
}
