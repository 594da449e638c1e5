/* SPDX-License-Identifier: Apache-2.0 */
#include "live/watch.h"

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sys/clock.h"

Suite *suite_watch(void);

static char root[64], dir[96], conf[96];
static struct loop *loop;
static struct watch *watch;
static unsigned told;

static void on_change(void *arg)
{
    (void)arg;
    told++;
}

static void put(const char *name)
{
    char path[160];
    snprintf(path, sizeof path, "%s/%s", root, name);
    const int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, "x", 1), 1);
    close(fd);
}

static void move(const char *from, const char *to)
{
    char a[160], b[160];
    snprintf(a, sizeof a, "%s/%s", root, from);
    snprintf(b, sizeof b, "%s/%s", root, to);
    ck_assert_int_eq(rename(a, b), 0);
}

static int cover(const char *file, const char *folder, struct err *err)
{
    const struct watch_folder folders[WATCH_FOLDERS] = {{folder, false}, {NULL, false}};
    return watch_cover(watch, file, folders, err);
}

static void setup(void)
{
    struct err err = ERR_INIT;
    strcpy(root, "/tmp/usher-watch-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(root));
    snprintf(dir, sizeof dir, "%s/providers.d", root);
    snprintf(conf, sizeof conf, "%s/usher.conf", root);
    ck_assert_int_eq(mkdir(dir, 0700), 0);
    put("usher.conf");
    loop = loop_new(&err);
    watch = watch_new(loop, on_change, NULL, &err);
    ck_assert_msg(watch != NULL, "%s", err.text);
    ck_assert_msg(cover(conf, dir, &err) == 0, "%s", err.text);
    told = 0;
}

static void teardown(void)
{
    watch_free(&watch);
    loop_free(&loop);
    static const char *const names[] = {"providers.d/a.conf",
                                        "providers.d/b.conf",
                                        "providers.d/.a.conf",
                                        "providers.d/a.conf~",
                                        "old/a.conf",
                                        "usher.conf",
                                        "usher.db",
                                        "apps.d/wiki.conf",
                                        "other",
                                        "apps.d",
                                        "providers.d",
                                        "old"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char path[160];
        snprintf(path, sizeof path, "%s/%s", root, names[i]);
        (void)remove(path);
    }
    ck_assert_int_eq(rmdir(root), 0);
}

/* How long until it is told; fails when it never is. */
static int64_t until_told(void)
{
    const struct mono began = clock_mono();
    const unsigned before = told;
    while (told == before && mono_ms(began, clock_mono()) < 20000)
        loop_once(loop, 100);
    ck_assert_uint_eq(told, before + 1);
    return mono_ms(began, clock_mono());
}

/* Whatever is on its way comes before something that is told for sure. */
static void nothing(void)
{
    const struct mono began = clock_mono();
    const unsigned before = told;
    while (mono_ms(began, clock_mono()) < 2 * WATCH_QUIET_MS)
        loop_once(loop, 50);
    ck_assert_uint_eq(told, before);
}

START_TEST(writes_are_told_when_it_is_quiet)
{
    put("providers.d/a.conf");
    ck_assert_int_ge(until_told(), WATCH_QUIET_MS - 10);
    put("usher.conf");
    until_told();
    move("providers.d/a.conf", "providers.d/b.conf");
    until_told();
    char path[160];
    snprintf(path, sizeof path, "%s/b.conf", dir);
    chmod(path, 0644);
    until_told();
    unlink(path);
    until_told();
    nothing(); /* each of them once */
}
END_TEST

START_TEST(a_burst_is_told_once_and_not_put_off_for_ever)
{
    const struct mono began = clock_mono();
    while (told == 0) {
        put("providers.d/a.conf");
        loop_once(loop, 10);
        ck_assert_int_lt(mono_ms(began, clock_mono()), 20000);
    }
    ck_assert_int_ge(mono_ms(began, clock_mono()), WATCH_LONGEST_MS - 10);
    ck_assert_uint_eq(told, 1);
}
END_TEST

START_TEST(other_files_wake_nobody)
{
    put("usher.db");
    put("providers.d/.a.conf");
    put("providers.d/a.conf~");
    nothing();
}
END_TEST

/* The folder is exchanged as a whole, as deployments do. */
START_TEST(an_exchanged_folder_is_told)
{
    struct err err = ERR_INIT;
    put("providers.d/a.conf");
    until_told();
    move("providers.d", "old");
    until_told();
    ck_assert_int_eq(cover(conf, dir, &err), -1);
    ck_assert_ptr_nonnull(strstr(err.text, "providers.d cannot be watched: No such file"));
    ck_assert_int_eq(mkdir(dir, 0700), 0);
    until_told();
    err_clear(&err);
    ck_assert_int_eq(cover(conf, dir, &err), 0);
    put("providers.d/b.conf");
    until_told();
    put("old/a.conf"); /* that one is nothing to us any more */
    nothing();
}
END_TEST

/* A folder that may be missing is noticed when it appears. */
START_TEST(an_optional_folder)
{
    struct err err = ERR_INIT;
    char apps[80];
    snprintf(apps, sizeof apps, "%s/apps.d", root);
    const struct watch_folder folders[WATCH_FOLDERS] = {{dir, false}, {apps, true}};
    ck_assert_msg(watch_cover(watch, conf, folders, &err) == 0, "%s", err.text);
    ck_assert_int_eq(mkdir(apps, 0700), 0);
    until_told();
    ck_assert_msg(watch_cover(watch, conf, folders, &err) == 0, "%s", err.text);
    put("apps.d/wiki.conf");
    until_told();
    put("providers.d/a.conf");
    until_told();
    put("other");
    nothing();
}
END_TEST

START_TEST(what_cannot_be_watched_is_said)
{
    struct err err = ERR_INIT;
    ck_assert_int_eq(cover("/nonexistent/usher.conf", dir, &err), -1);
    ck_assert_ptr_nonnull(strstr(err.text, "/nonexistent/ cannot be watched"));
    put("providers.d/a.conf"); /* the rest is watched all the same */
    until_told();
    err_clear(&err);
    ck_assert_int_eq(cover(conf, NULL, &err), 0);
    put("providers.d/a.conf");
    nothing();
    put("usher.conf");
    until_told();
}
END_TEST

Suite *suite_watch(void)
{
    Suite *s = suite_create("watch");
    TCase *tc = tcase_create("watch");
    tcase_set_timeout(tc, 60);
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, writes_are_told_when_it_is_quiet);
    tcase_add_test(tc, a_burst_is_told_once_and_not_put_off_for_ever);
    tcase_add_test(tc, other_files_wake_nobody);
    tcase_add_test(tc, an_exchanged_folder_is_told);
    tcase_add_test(tc, an_optional_folder);
    tcase_add_test(tc, what_cannot_be_watched_is_said);
    suite_add_tcase(s, tc);
    return s;
}
