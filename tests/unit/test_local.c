/* SPDX-License-Identifier: Apache-2.0 */
#include "main/local.h"

#include <check.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char top[32], folder[48], path[64];

static void setup(void)
{
    snprintf(top, sizeof top, "/tmp/usher-local-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(top));
    snprintf(folder, sizeof folder, "%s/run", top);
    snprintf(path, sizeof path, "%s/admin.sock", folder);
}

static void teardown(void)
{
    rmdir(folder);
    ck_assert_int_eq(rmdir(top), 0);
}

static void refused(const char *user, const char *text)
{
    struct err err = ERR_INIT;
    ck_assert_int_eq(local_folder(path, user, &err), -1);
    ck_assert_int_eq(err.kind, ERR_MISCONFIGURED);
    ck_assert_msg(strstr(err.text, text) != NULL, "%s", err.text);
}

START_TEST(makes_its_folder_and_finds_it)
{
    struct err err = ERR_INIT;
    struct stat st;
    for (int i = 0; i < 2; i++) {
        ck_assert_msg(local_folder(path, NULL, &err) == 0, "%s", err.text);
        ck_assert_int_eq(stat(folder, &st), 0);
        ck_assert_uint_eq(st.st_uid, geteuid());
        ck_assert_uint_eq(st.st_mode & 07777, 0755);
    }
    snprintf(path, sizeof path, "/admin.sock"); /* in / */
    ck_assert_msg(local_folder(path, NULL, &err) == 0, "%s", err.text);
}
END_TEST

/* ADM-03: nobody else can put a socket of his own there. */
START_TEST(folders_that_will_not_do)
{
    static const mode_t modes[] = {0775, 0757, 0777, 01777, 02770};
    ck_assert_int_eq(mkdir(folder, 0700), 0);
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        ck_assert_int_eq(chmod(folder, modes[i]), 0);
        refused(NULL, "others may write to ");
    }
    ck_assert_int_eq(rmdir(folder), 0);
    FILE *f = fopen(folder, "w");
    ck_assert_ptr_nonnull(f);
    fclose(f);
    refused(NULL, "/run: Not a directory");
    ck_assert_int_eq(unlink(folder), 0);
    snprintf(path, sizeof path, "%s/not/there/admin.sock", top);
    refused(NULL, "/not/there: No such file or directory");
}
END_TEST

/* As root for another: what is made is his, what is there is left as it is. */
START_TEST(folders_of_the_service_user)
{
    struct err err = ERR_INIT;
    struct stat st;
    const struct passwd *pw = getpwnam("nobody");
    if (geteuid() != 0 || pw == NULL)
        return;
    const uid_t nobody = pw->pw_uid;
    refused("nobody-of-that-name", "there is no user");
    for (int i = 0; i < 2; i++) {
        ck_assert_msg(local_folder(path, "nobody", &err) == 0, "%s", err.text);
        ck_assert_int_eq(stat(folder, &st), 0);
        ck_assert_uint_eq(st.st_uid, nobody);
        ck_assert_uint_eq(st.st_mode & 07777, 0755);
    }
    refused(NULL, "belongs to somebody else");
    ck_assert_int_eq(chown(folder, 0, 0), 0);
    ck_assert_msg(local_folder(path, "nobody", &err) == 0, "%s", err.text);
    ck_assert_int_eq(stat(folder, &st), 0);
    ck_assert_uint_eq(st.st_uid, 0);
}
END_TEST

Suite *suite_local(void);
Suite *suite_local(void)
{
    Suite *s = suite_create("local");
    TCase *tc = tcase_create("local");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, makes_its_folder_and_finds_it);
    tcase_add_test(tc, folders_that_will_not_do);
    tcase_add_test(tc, folders_of_the_service_user);
    suite_add_tcase(s, tc);
    return s;
}
