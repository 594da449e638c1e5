/* SPDX-License-Identifier: Apache-2.0 */
/* Rings that change while they are in use. What a key file may look like: test_seal.c. */
#include <check.h>
#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sys/seal.h"

Suite *suite_keyfile(void);

#define NOW INT64_C(1800000000)

static char dir[64], path[96];
static struct keyring *ring;

static void setup(void)
{
    struct err err = ERR_INIT;
    snprintf(dir, sizeof dir, "/tmp/usher-keys-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/keys", dir);
    ring = keyring_open(path, true, &err);
    ck_assert_msg(ring != NULL, "%s", err.text);
}

static void teardown(void)
{
    keyring_free(&ring);
    chmod(dir, 0700);
    unlink(path);
    ck_assert_int_eq(rmdir(dir), 0); /* nothing else was left there */
}

static void seal(struct buf *out)
{
    buf_init(out, 200);
    keyring_seal(ring, "test", STR("aad"), STR("text"), out);
}

static int opens(const struct keyring *k, const struct buf *sealed)
{
    struct err err = ERR_INIT;
    struct buf plain;
    buf_init(&plain, 200);
    int rc = keyring_unseal(k, "test", STR("aad"), buf_view(sealed), &plain, &err);
    ck_assert(rc < 0 || str_is(buf_view(&plain), "text"));
    buf_deinit(&plain);
    return rc;
}

static void again(void)
{
    struct err err = ERR_INIT;
    keyring_free(&ring);
    ring = keyring_open(path, false, &err);
    ck_assert_msg(ring != NULL, "%s", err.text);
}

START_TEST(a_new_key_seals_and_the_old_one_opens)
{
    struct err err = ERR_INIT;
    struct keyring_key keys[KEYRING_KEYS_MAX];
    struct buf before, after;
    struct stat st;
    unsigned char id[4];

    seal(&before);
    ck_assert_int_eq(keyring_rotate(ring, NOW, &err), 0);
    seal(&after);
    ck_assert_int_ne(memcmp(before.p, after.p, 4), 0);
    ck_assert_int_eq(opens(ring, &before), 0);
    ck_assert_uint_eq(keyring_list(ring, keys), 2);
    ck_assert_mem_eq(keys[0].id, before.p, 4);
    ck_assert(!keys[0].current && keys[1].current);
    ck_assert_int_eq(keys[1].made, NOW);
    keyring_current(ring, id);
    ck_assert_mem_eq(id, after.p, 4);
    ck_assert_int_eq(stat(path, &st), 0);
    ck_assert_uint_eq(st.st_mode & 0777, 0600);

    again(); /* and the file says the same */
    ck_assert_int_eq(opens(ring, &before), 0);
    ck_assert_int_eq(opens(ring, &after), 0);
    ck_assert_uint_eq(keyring_list(ring, keys), 2);
    ck_assert_int_eq(keys[1].made, NOW);
    buf_deinit(&before);
    buf_deinit(&after);
}
END_TEST

START_TEST(a_retired_key_opens_nothing)
{
    struct err err = ERR_INIT;
    struct keyring_key keys[KEYRING_KEYS_MAX];
    struct buf before, after;

    seal(&before);
    ck_assert_int_eq(keyring_rotate(ring, NOW, &err), 0);
    seal(&after);
    const unsigned char *old = (const unsigned char *)before.p;
    ck_assert_int_eq(keyring_retire(ring, old, &err), 0);
    ck_assert_uint_eq(keyring_list(ring, keys), 1);
    ck_assert_int_eq(opens(ring, &before), -1);
    ck_assert_int_eq(opens(ring, &after), 0);
    ck_assert_int_eq(keyring_retire(ring, old, &err), 0); /* gone is gone */
    ck_assert_int_eq(keyring_retire(ring, (const unsigned char *)after.p, &err), -1);
    ck_assert_int_eq(err.kind, ERR_CONFLICT);
    again();
    ck_assert_int_eq(opens(ring, &before), -1);
    ck_assert_int_eq(opens(ring, &after), 0);
    buf_deinit(&before);
    buf_deinit(&after);
}
END_TEST

/* What an admin wrote beside the keys stays, and keys added by hand meanwhile count. */
START_TEST(the_file_is_read_anew)
{
    static const char by_hand[] =
        "# for the second site\n"
        "aabbccdd 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"; /* no newline
                                                                                      */
    struct err err = ERR_INIT;
    struct keyring_key keys[KEYRING_KEYS_MAX];
    char text[2000];

    int fd = open(path, O_WRONLY | O_APPEND);
    ck_assert_int_eq(write(fd, by_hand, sizeof by_hand - 1), (ssize_t)sizeof by_hand - 1);
    close(fd);
    ck_assert_int_eq(keyring_rotate(ring, NOW, &err), 0);
    ck_assert_uint_eq(keyring_list(ring, keys), 3);
    ck_assert_int_eq(keys[1].made, 0);
    ck_assert_int_eq(keyring_retire(ring, keys[0].id, &err), 0);
    fd = open(path, O_RDONLY);
    ssize_t n = read(fd, text, sizeof text - 1);
    close(fd);
    text[n > 0 ? n : 0] = '\0';
    ck_assert_ptr_nonnull(strstr(text, by_hand));
    ck_assert_uint_eq(keyring_list(ring, keys), 2);
    again();
    ck_assert_uint_eq(keyring_list(ring, keys), 2);
}
END_TEST

START_TEST(what_goes_wrong_changes_nothing)
{
    struct err err = ERR_INIT;
    struct keyring_key keys[KEYRING_KEYS_MAX];
    struct buf sealed;

    seal(&sealed);
    ck_assert_int_eq(chmod(path, 0644), 0); /* others may read it */
    ck_assert_int_eq(keyring_rotate(ring, NOW, &err), -1);
    ck_assert_int_eq(err.kind, ERR_MISCONFIGURED);
    ck_assert_int_eq(chmod(path, 0600), 0);
    if (geteuid() != 0) {
        err_clear(&err);
        ck_assert_int_eq(chmod(dir, 0500), 0); /* no room for the new file */
        ck_assert_int_eq(keyring_rotate(ring, NOW, &err), -1);
        ck_assert_int_eq(chmod(dir, 0700), 0);
    }
    ck_assert_uint_eq(keyring_list(ring, keys), 1);
    ck_assert_int_eq(opens(ring, &sealed), 0);
    ck_assert_int_eq(unlink(path), 0);
    err_clear(&err);
    ck_assert_int_eq(keyring_rotate(ring, NOW, &err), -1);
    ck_assert_ptr_nonnull(strstr(err.text, "is gone"));
    ck_assert_int_eq(opens(ring, &sealed), 0);
    buf_deinit(&sealed);

    static const unsigned char key[32] = "0123456789abcdef0123456789abcde";
    struct keyring *fixed = keyring_fixed(key);
    err_clear(&err);
    ck_assert_int_eq(keyring_rotate(fixed, NOW, &err), -1);
    keyring_free(&fixed);
}
END_TEST

/* Killed between writing and renaming: what lies there may hold a key that was retired since. */
START_TEST(what_was_left_by_a_kill_goes)
{
    struct err err = ERR_INIT;
    char left[110];
    snprintf(left, sizeof left, "%s.new", path);
    FILE *f = fopen(left, "w");
    ck_assert_ptr_nonnull(f);
    ck_assert_int_gt(fputs("half a key", f), 0);
    ck_assert_int_eq(fclose(f), 0);
    ck_assert_int_eq(keyring_rotate(ring, NOW, &err), 0);
    ck_assert_int_ne(access(left, F_OK), 0);
    again();
}
END_TEST

START_TEST(a_ring_has_an_end)
{
    struct err err = ERR_INIT;
    for (int i = 1; i < KEYRING_KEYS_MAX; i++)
        ck_assert_int_eq(keyring_rotate(ring, NOW + i, &err), 0);
    ck_assert_int_eq(keyring_rotate(ring, NOW, &err), -1);
    ck_assert_int_eq(err.kind, ERR_CONFLICT);
    again();
}
END_TEST

static atomic_bool stop;

static void *seal_and_open(void *arg)
{
    atomic_int *n = arg;
    while (!atomic_load(&stop)) {
        struct buf sealed;
        seal(&sealed);
        ck_assert_int_eq(opens(ring, &sealed), 0);
        buf_deinit(&sealed);
        atomic_fetch_add(n, 1);
    }
    return NULL;
}

START_TEST(others_go_on_sealing)
{
    struct err err = ERR_INIT;
    struct keyring_key keys[KEYRING_KEYS_MAX];
    pthread_t threads[3];
    atomic_int n[3] = {0, 0, 0};
    for (size_t i = 0; i < 3; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, seal_and_open, &n[i]), 0);
    for (int i = 0; i < 12; i++) {
        ck_assert_int_eq(keyring_rotate(ring, NOW + i, &err), 0);
        for (size_t t = 0; t < 3; t++) { /* whoever sealed with the old one has opened it */
            int before = atomic_load(&n[t]);
            while (atomic_load(&n[t]) < before + 2)
                sched_yield();
        }
        ck_assert_uint_eq(keyring_list(ring, keys), 2);
        ck_assert_int_eq(keyring_retire(ring, keys[0].id, &err), 0);
        if (i == 11)
            atomic_store(&stop, true);
    }
    for (size_t i = 0; i < 3; i++)
        ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
}
END_TEST

Suite *suite_keyfile(void)
{
    Suite *s = suite_create("keyfile");
    TCase *tc = tcase_create("rotation");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, a_new_key_seals_and_the_old_one_opens);
    tcase_add_test(tc, a_retired_key_opens_nothing);
    tcase_add_test(tc, the_file_is_read_anew);
    tcase_add_test(tc, what_goes_wrong_changes_nothing);
    tcase_add_test(tc, what_was_left_by_a_kill_goes);
    tcase_add_test(tc, a_ring_has_an_end);
    tcase_add_test(tc, others_go_on_sealing);
    suite_add_tcase(s, tc);
    return s;
}
