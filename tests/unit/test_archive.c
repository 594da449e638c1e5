/* SPDX-License-Identifier: Apache-2.0 */
#include "main/archive.h"

#include <stdio.h>
#include <stdlib.h>

#include "store/audit_chain.h"
#include "store_fixture.h"
#include "sys/clock.h"

#define DAY 86400
#define NOW INT64_C(1800000000)

Suite *suite_archive(void);

static struct store_fixture sx;
static struct loop *loop;
static struct sessions *sessions;
static struct keep *keep;
static struct archive *archive;

static void clock_at(int64_t second)
{
    const struct clock_fake f = {{(second - NOW + 1000) * 1000000000}, {second * 1000000}};
    clock_set_fake(&f);
}

static void setup(void)
{
    struct err err = ERR_INIT;
    const struct sessions_options o = {
        .idle_seconds = DAY, .absolute_seconds = DAY, .max = 10, .max_per_account = 3};
    clock_at(NOW);
    store_fixture_open(&sx);
    loop = loop_new(&err);
    sessions = sessions_new(&o);
    keep = keep_new(loop, sx.store, sessions, DAY);
    keep_start(keep);
    archive = archive_new(loop, sx.store, keep);
}

static void settle(void)
{
    store_fixture_number(&sx, "SELECT 1");
    store_fixture_number(&sx, "SELECT 1");
    loop_once(loop, 0);
}

static void teardown(void)
{
    archive_free(&archive);
    archive_free(&archive);
    keep_free(&keep);
    settle();
    store_fixture_close(&sx);
    sessions_free(&sessions);
    loop_free(&loop);
    clock_set_fake(NULL);
}

/* In steps of at most a minute. */
static void run_until(int64_t second)
{
    for (int64_t now = wall_seconds(clock_wall()); now < second;) {
        now = now + 30 < second ? now + 30 : second;
        clock_at(now);
        loop_once(loop, 0);
        settle();
    }
}

struct filling {
    int64_t from;
    int n;
};

static int fill_rows(struct db *db, void *arg, struct err *err)
{
    const struct filling *f = arg;
    for (int i = 0; i < f->n; i++) {
        const struct audit_row row = {.at = f->from + i,
                                      .actor_kind = "system",
                                      .actor = "",
                                      .action = "a",
                                      .object = "",
                                      .outcome = "done"};
        if (audit_add(db, &row, err) < 0)
            return -1;
    }
    return 0;
}

static void fill(int64_t from, int n)
{
    struct err err = ERR_INIT;
    struct filling f = {from, n};
    ck_assert_int_eq(store_write_now(sx.store, fill_rows, &f, &err), STORE_DONE);
}

static int64_t rows(void)
{
    return store_fixture_number(&sx, "SELECT count(*) FROM audit");
}

static int walk(struct db *db, void *arg, struct err *err)
{
    return audit_walk_step(db, arg, 100000, err) < 0 ? -1 : 0;
}

static void expect_good(void)
{
    struct audit_walk w = {.bad = 0};
    struct err err = ERR_INIT;
    ck_assert_int_eq(store_read_now(sx.store, walk, &w, &err), STORE_DONE);
    ck_assert_msg(w.bad == 0, "%lld %s", (long long)w.bad, w.what);
}

START_TEST(old_rows_go_by_and_by)
{
    fill(NOW - 2 * DAY, 100);
    fill(NOW, 10);
    archive_set_keep(archive, DAY);
    archive_start(archive);
    run_until(NOW + 50);
    ck_assert_int_eq(rows(), 110);
    run_until(NOW + 130);
    ck_assert_int_eq(rows(), 10);
    expect_good();
    run_until(NOW + DAY + 120);
    ck_assert_int_eq(rows(), 1); /* the newest stays */
    expect_good();
}
END_TEST

/* DB-16: many at once are many steps. */
START_TEST(a_great_many_go_in_steps)
{
    fill(NOW - 2 * DAY, 9000);
    fill(NOW, 1);
    archive_set_keep(archive, DAY);
    archive_start(archive);
    int64_t before = rows();
    for (int64_t at = NOW; at < NOW + 200; at++) {
        run_until(at);
        const int64_t now = rows();
        ck_assert_int_le(before - now, 2000);
        before = now;
    }
    ck_assert_int_eq(before, 1);
    expect_good();
}
END_TEST

START_TEST(for_ever_is_for_ever)
{
    fill(NOW - 9999 * (int64_t)DAY, 10);
    archive_start(archive);
    run_until(NOW + 500);
    ck_assert_int_eq(rows(), 10);
}
END_TEST

/* A clock that leaps ahead takes nothing with it until it has stood by its word. */
START_TEST(a_leap_takes_nothing)
{
    struct clock_fake f;
    fill(NOW - 100, 10);
    archive_set_keep(archive, DAY);
    archive_start(archive);
    run_until(NOW + 20);
    f = (struct clock_fake){{clock_mono().ns + 61000000000}, {(NOW + 30 * DAY) * 1000000}};
    clock_set_fake(&f);
    loop_once(loop, 0);
    settle();
    loop_once(loop, 0);
    settle();
    ck_assert_int_eq(rows(), 10);
}
END_TEST

static const char *log_path(void)
{
    static char path[96];
    snprintf(path, sizeof path, "%s/log", sx.folder);
    return path;
}

static int heads(void)
{
    char line[1000];
    int n = 0;
    (void)fflush(stderr);
    FILE *f = fopen(log_path(), "r");
    ck_assert_ptr_nonnull(f);
    while (fgets(line, sizeof line, f))
        n += strstr(line, "audit.head") != NULL;
    (void)fclose(f);
    return n;
}

/* Which of the readers answers first is anybody's guess. */
static void expect_heads(int n)
{
    for (int i = 0; i < 500 && heads() < n; i++)
        loop_once(loop, 10);
    ck_assert_int_eq(heads(), n);
}

START_TEST(the_head_is_told_at_start_and_once_a_day)
{
    fill(NOW, 3);
    ck_assert_ptr_nonnull(freopen(log_path(), "w", stderr));
    archive_start(archive);
    expect_heads(1);
    run_until(NOW + DAY - 120);
    expect_heads(1);
    run_until(NOW + DAY + 120);
    expect_heads(2);
}
END_TEST

Suite *suite_archive(void)
{
    Suite *s = suite_create("archive");
    TCase *tc = tcase_create("archive");
    tcase_set_timeout(tc, 60);
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, old_rows_go_by_and_by);
    tcase_add_test(tc, a_great_many_go_in_steps);
    tcase_add_test(tc, for_ever_is_for_ever);
    tcase_add_test(tc, a_leap_takes_nothing);
    tcase_add_test(tc, the_head_is_told_at_start_and_once_a_day);
    suite_add_tcase(s, tc);
    return s;
}
