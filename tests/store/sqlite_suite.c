/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is peculiar to the embedded store: its file. SQLite itself, used directly, plays the other
 * program that has the file open, wrote it, or broke it.
 */
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kit.h"

static char path[160];

static const char *beside(const char *ending)
{
    static char name[200];
    snprintf(name, sizeof name, "%s%s", path, ending);
    return name;
}

/* A folder of its own for every test; no store is open. */
static void setup(void)
{
    char dir[128];
    snprintf(dir, sizeof dir, "%s/own-XXXXXX", kit_dir);
    ck_assert_ptr_nonnull(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/usher.db", dir);
    snprintf(kit_url, sizeof kit_url, "sqlite:%s", path);
}

static void teardown(void)
{
    store_close(&kit_store);
}

static void make(void)
{
    kit_store = kit_open();
    kit_sql("INSERT INTO account (id, created) VALUES ('x', 1)");
    store_close(&kit_store);
}

static void refused(const char *why)
{
    struct err err = ERR_INIT;
    ck_assert_msg(store_open(kit_url, &err) == NULL, "opened, though: %s", why);
    ck_assert_msg(strstr(err.text, why) != NULL, "%s, not: %s", why, err.text);
}

static mode_t mode_of(const char *file)
{
    struct stat st;
    ck_assert_msg(lstat(file, &st) == 0, "%s", file);
    return st.st_mode & 07777;
}

static void outside(const char *sql)
{
    sqlite3 *h;
    char *why = NULL;
    ck_assert_int_eq(sqlite3_open(path, &h), SQLITE_OK);
    ck_assert_msg(sqlite3_exec(h, sql, NULL, NULL, &why) == SQLITE_OK, "%s", why);
    sqlite3_close(h);
}

static void put(const char *file, const void *p, size_t n, off_t at, int flags)
{
    int fd = open(file, O_WRONLY | flags, 0600);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(pwrite(fd, p, n, at), (ssize_t)n);
    close(fd);
}

/* ---- modes --------------------------------------------------------------------------------------
 */

/* DB-04 */
START_TEST(every_file_is_for_the_owner_only)
{
    umask(0); /* the worst case */
    kit_store = kit_open();
    kit_sql("INSERT INTO account (id, created) VALUES ('x', 1)");
    ck_assert_uint_eq(mode_of(path), 0600);
    ck_assert_uint_eq(mode_of(beside("-wal")), 0600);
    ck_assert_uint_eq(mode_of(beside("-shm")), 0600);
    ck_assert_uint_eq(mode_of(beside("-lock")), 0600);
    store_close(&kit_store);
    ck_assert_int_ne(access(beside("-wal"), F_OK), 0); /* moved and removed */
    ck_assert_int_ne(access(beside(".new"), F_OK), 0);
}
END_TEST

/* DB-04 */
START_TEST(what_others_can_read_is_refused)
{
    static const mode_t modes[] = {0640, 0604, 0620, 0602, 0660, 0644};
    make();
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        ck_assert_int_eq(chmod(path, modes[i]), 0);
        refused("can be read by others");
    }
    ck_assert_int_eq(chmod(path, 0600), 0);
    put(beside("-wal"), "", 0, 0, O_CREAT);
    ck_assert_int_eq(chmod(beside("-wal"), 0644), 0);
    refused("-wal file");
    ck_assert_int_eq(remove(beside("-wal")), 0);

    char dir[160];
    snprintf(dir, sizeof dir, "%s", path);
    *strrchr(dir, '/') = '\0';
    ck_assert_int_eq(chmod(dir, 0770), 0);
    refused("folder that others may write to");
    ck_assert_int_eq(chmod(dir, 01777), 0);
    refused("folder that others may write to");
    ck_assert_int_eq(chmod(dir, 0755), 0);
    kit_store = kit_open();
}
END_TEST

/* ---- kinds of file ------------------------------------------------------------------------------
 */

/* DB-12 */
START_TEST(only_a_plain_file_will_do)
{
    make();
    char real[200];
    snprintf(real, sizeof real, "%s.real", path);
    ck_assert_int_eq(rename(path, real), 0);
    ck_assert_int_eq(symlink(real, path), 0);
    refused("symbolic link");
    ck_assert_int_eq(unlink(path), 0);
    ck_assert_int_eq(symlink("/nowhere/at/all", path), 0);
    refused("symbolic link");
    ck_assert_int_eq(unlink(path), 0);

    ck_assert_int_eq(link(real, path), 0);
    refused("second name");
    ck_assert_int_eq(unlink(path), 0);

    ck_assert_int_eq(mkfifo(path, 0600), 0);
    refused("no regular file"); /* and does not hang */
    ck_assert_int_eq(unlink(path), 0);

    ck_assert_int_eq(mkdir(path, 0700), 0);
    refused("no regular file");
    ck_assert_int_eq(rmdir(path), 0);

    snprintf(kit_url, sizeof kit_url, "sqlite:/dev/null");
    refused("/dev/null");
    snprintf(kit_url, sizeof kit_url, "sqlite:%s/deeper/usher.db", path);
    refused("folder");

    snprintf(kit_url, sizeof kit_url, "sqlite:%s", path);
    ck_assert_int_eq(symlink("/nowhere", beside("-lock.not")), 0);
    ck_assert_int_eq(unlink(beside("-lock")), 0);
    ck_assert_int_eq(symlink("/nowhere", beside("-lock")), 0);
    refused("lock");
}
END_TEST

/* DB-12: a folder reached through a link is fine, as with systemd's private state folders. */
START_TEST(the_folder_may_be_a_link)
{
    make();
    char dir[160], alias[200];
    snprintf(dir, sizeof dir, "%s", path);
    *strrchr(dir, '/') = '\0';
    snprintf(alias, sizeof alias, "%s-alias", dir);
    ck_assert_int_eq(symlink(dir, alias), 0);
    snprintf(kit_url, sizeof kit_url, "sqlite:%s/usher.db", alias);
    kit_store = kit_open();
    ck_assert_int_eq(kit_number("SELECT count(*) FROM account"), 1);
}
END_TEST

/* ---- contents -----------------------------------------------------------------------------------
 */

/* DB-11 */
START_TEST(what_is_no_usher_database_is_refused)
{
    put(path, "", 0, 0, O_CREAT);
    refused("is empty");
    put(path, "hello", 5, 0, 0);
    refused("no SQLite database");
    static char noise[8192];
    memset(noise, 0x55, sizeof noise);
    put(path, noise, sizeof noise, 0, 0);
    refused("no SQLite database");
    struct stat st;
    ck_assert_int_eq(stat(path, &st), 0);
    ck_assert_int_eq(st.st_size, sizeof noise); /* nothing was made anew */

    ck_assert_int_eq(remove(path), 0);
    umask(077);
    outside("CREATE TABLE account (id); CREATE TABLE session (id)");
    refused("no usher database");
}
END_TEST

/* DB-11 */
START_TEST(foreign_code_in_the_schema_is_refused)
{
    make();
    outside("CREATE TRIGGER t AFTER INSERT ON session BEGIN DELETE FROM account; END");
    refused("triggers or views");
    outside("DROP TRIGGER t; CREATE VIEW v AS SELECT * FROM account");
    refused("triggers or views");
    outside("DROP VIEW v");
    kit_store = kit_open();
}
END_TEST

/* DB-11 */
START_TEST(cut_short_or_damaged)
{
    make();
    struct stat st;
    ck_assert_int_eq(stat(path, &st), 0);
    for (off_t size = st.st_size - 4096; size > 4096; size -= 8192) {
        ck_assert_int_eq(truncate(path, size), 0);
        refused("cut short");
    }
    ck_assert_int_eq(truncate(path, 50), 0);
    refused("no SQLite database");

    for (off_t at = 4096 + 1; at < st.st_size; at += 4096) {
        ck_assert_int_eq(remove(path), 0);
        make();
        put(path, "\xde\xad\xbe\xef\xde\xad\xbe\xef", 8, at, 0);
        struct err err = ERR_INIT;
        ck_assert_ptr_null(store_open(kit_url, &err));
        ck_assert_ptr_nonnull(strstr(err.text, "damaged"));
    }
}
END_TEST

/* DB-11: the log is there but the database is not. */
START_TEST(a_missing_file_is_not_made_anew_beside_its_log)
{
    put(beside("-wal"), "something", 9, 0, O_CREAT);
    refused("-wal file is there");
    ck_assert_int_ne(access(path, F_OK), 0);
}
END_TEST

START_TEST(an_interrupted_creation_is_no_obstacle)
{
    put(beside(".new"), "half a database", 15, 0, O_CREAT);
    make();
    ck_assert_int_ne(access(beside(".new"), F_OK), 0);
    kit_store = kit_open();
    ck_assert_int_eq(kit_number("SELECT count(*) FROM account"), 1);
}
END_TEST

/* ---- others -------------------------------------------------------------------------------------
 */

START_TEST(one_daemon_at_a_time)
{
    kit_store = kit_open();
    refused("in use by another usherd");
    store_close(&kit_store);
    kit_store = kit_open();
}
END_TEST

static int add(struct db *db, void *arg, struct err *err)
{
    unsigned char id[16] = {0};
    memcpy(id, &((struct kit_answers *)arg)->n, sizeof(int));
    return spent_add(db, id, NOW, err) < 0 ? -1 : 0;
}

/* DB-10: a bounded wait, one for all that queue, and life goes on afterwards. */
START_TEST(locked_by_another_program)
{
    kit_store = kit_open();
    struct err err = ERR_INIT;
    kit_loop = loop_new(&err);
    sqlite3 *h;
    ck_assert_int_eq(sqlite3_open(path, &h), SQLITE_OK);
    ck_assert_int_eq(sqlite3_exec(h, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);

    enum { MANY = 1000 };
    struct kit_answers a = {.n = 0};
    for (int i = 0; i < MANY; i++)
        ck_assert(store_write(kit_store, add, kit_loop, kit_answer, &a));
    kit_wait(&a.n, MANY); /* a minute at most; one after the other: 5000 s */
    ck_assert_int_eq(a.by[STORE_FAILED], MANY);
    ck_assert_int_eq(a.last.kind, ERR_LIMITED);
    ck_assert_int_eq(kit_number("SELECT count(*) FROM spent"), 0); /* reads are not held up */

    ck_assert_int_eq(sqlite3_exec(h, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(h);
    kit_write(add, &a);
    ck_assert_int_eq(kit_number("SELECT count(*) FROM spent"), 1);
    loop_free(&kit_loop);
}
END_TEST

/* ---- the disk -----------------------------------------------------------------------------------
 */

static int add_much(struct db *db, void *arg, struct err *err)
{
    (void)arg;
    for (int i = 0; i < 2000; i++) {
        unsigned char id[16] = {1};
        memcpy(id + 1, &i, sizeof i);
        if (spent_add(db, id, NOW + i, err) < 0)
            return -1;
    }
    return 0;
}

/* The third answer: writing failed during COMMIT, so what is on the disk is anybody's guess. */
START_TEST(a_commit_that_fails_on_disk_is_unknown)
{
    kit_store = kit_open();
    kit_sql("INSERT INTO account (id, created) VALUES ('x', 1)");
    struct stat st;
    ck_assert_int_eq(stat(beside("-wal"), &st), 0);
    sigaction(SIGXFSZ, &(struct sigaction){.sa_handler = SIG_IGN}, NULL);
    struct rlimit limit, old;
    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &old), 0);
    limit = old;
    limit.rlim_cur = (rlim_t)st.st_size + 8192;
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);

    struct err err = ERR_INIT;
    ck_assert_int_eq(store_write_now(kit_store, add_much, NULL, &err), STORE_UNKNOWN);
    ck_assert_int_eq(err.kind, ERR_INTERNAL);

    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &old), 0);
    struct kit_answers a = {.n = 7};
    kit_write(add, &a);
    ck_assert_int_eq(kit_number("SELECT count(*) FROM spent"), 1);
    store_close(&kit_store);
    kit_store = kit_open();
    ck_assert_int_eq(kit_number("SELECT count(*) FROM spent"), 1);
    ck_assert_int_eq(kit_number("SELECT count(*) FROM account"), 1);
}
END_TEST

/* The log starts over again and again: it does not grow with what was ever written. */
START_TEST(the_log_stays_bounded)
{
    enum { LOGINS = 12000, AT_ONCE = 64 };
    static struct kit_login all[AT_ONCE];
    struct kit_answers a = {.n = 0};
    struct err err = ERR_INIT;
    off_t most = 0;

    kit_store = kit_open();
    kit_loop = loop_new(&err);
    for (int sent = 0; sent < LOGINS; sent += AT_ONCE) {
        for (int i = 0; i < AT_ONCE; i++) {
            kit_login_init(&all[i], i);
            ck_assert(store_write(kit_store, kit_login_fn, NULL, NULL, &all[i]));
        }
        kit_number("SELECT 1");
        /* The last of the round: all are done with. */
        kit_write(add, &a);
        a.n++;
        struct stat st;
        ck_assert_int_eq(stat(beside("-wal"), &st), 0);
        most = st.st_size > most ? st.st_size : most;
    }
    ck_assert_int_ge(kit_number("SELECT count(*) FROM session"), LOGINS);
    ck_assert_int_gt(most, 1 << 20);
    ck_assert_int_le(most, 24 << 20);
    loop_free(&kit_loop);
}
END_TEST

/* DB-18 */
START_TEST(what_is_deleted_is_overwritten)
{
    static const char needle[] = "a-needle-in-free-pages";
    kit_store = kit_open();
    kit_sql("INSERT INTO account (id, created, disabled_reason) VALUES ('x', 1, "
            "'a-needle-in-free-pages')");
    kit_sql("DELETE FROM account");
    store_close(&kit_store);
    static char all[1 << 20];
    int fd = open(path, O_RDONLY);
    ssize_t n = read(fd, all, sizeof all);
    close(fd);
    ck_assert_int_gt(n, 4096);
    ck_assert_ptr_null(memmem(all, (size_t)n, needle, sizeof needle - 1));
}
END_TEST

static int pragma(struct db *db, void *arg, struct err *err)
{
    struct db_stmt *st = db_query(db, arg);
    if (db_step(st, err) != 1)
        return -1;
    int64_t n = db_col_int(st, 0);
    db_end(st);
    return n == 1 ? 0 : err_set(err, ERR_INTERNAL, "%lld", (long long)n);
}

START_TEST(the_schema_is_strict_and_connections_are_hardened)
{
    kit_store = kit_open();
    kit_write(pragma, "SELECT min(strict) FROM pragma_table_list WHERE schema = 'main' AND type = "
                      "'table' AND name NOT LIKE 'sqlite_%'");
    kit_write_fails(pragma, "PRAGMA trusted_schema");
    kit_write(pragma, "PRAGMA foreign_keys");
    kit_write(pragma, "PRAGMA secure_delete");
    kit_write(pragma, "SELECT 1 FROM pragma_synchronous WHERE synchronous = 2");
    kit_write(pragma, "SELECT 1 FROM pragma_journal_mode WHERE journal_mode = 'wal'");
    /* Storing what is no number in a number's column fails instead of guessing. */
    kit_write_fails(pragma, "INSERT INTO account (id, created) VALUES ('y', 'soon') RETURNING 1");
    kit_write_fails(pragma, "UPDATE sqlite_schema SET sql = 'x' RETURNING 1");
    kit_write_fails(pragma, "SELECT load_extension('x')");
    kit_write_fails(pragma, "ATTACH '/tmp/x' AS x");
    kit_write_fails(pragma, "SELECT \"no such column\"");
}
END_TEST

Suite *suite_sqlite(void)
{
    Suite *s = suite_create("sqlite");
    TCase *tc = tcase_create("file");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, every_file_is_for_the_owner_only);
    tcase_add_test(tc, what_others_can_read_is_refused);
    tcase_add_test(tc, only_a_plain_file_will_do);
    tcase_add_test(tc, the_folder_may_be_a_link);
    tcase_add_test(tc, what_is_no_usher_database_is_refused);
    tcase_add_test(tc, foreign_code_in_the_schema_is_refused);
    tcase_add_test(tc, cut_short_or_damaged);
    tcase_add_test(tc, a_missing_file_is_not_made_anew_beside_its_log);
    tcase_add_test(tc, an_interrupted_creation_is_no_obstacle);
    tcase_add_test(tc, one_daemon_at_a_time);
    tcase_add_test(tc, locked_by_another_program);
    tcase_add_test(tc, a_commit_that_fails_on_disk_is_unknown);
    tcase_add_test(tc, the_log_stays_bounded);
    tcase_add_test(tc, what_is_deleted_is_overwritten);
    tcase_add_test(tc, the_schema_is_strict_and_connections_are_hardened);
    suite_add_tcase(s, tc);
    return s;
}
