/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/text.h"
#include "sys/random.h"

#define IDS 100000

static int compare(const void *a, const void *b)
{
    return memcmp(a, b, 23);
}

START_TEST(ids_are_128_bits_and_never_repeat)
{
    char(*ids)[23] = malloc(IDS * sizeof *ids);
    ck_assert_ptr_nonnull(ids);
    for (size_t i = 0; i < IDS; i++) {
        unsigned char raw[16];
        size_t n = 0;
        rng_id(ids[i]);
        ck_assert_uint_eq(strlen(ids[i]), 22);
        ck_assert(text_b64url_decode(str_of(ids[i]), raw, sizeof raw, &n));
        ck_assert_uint_eq(n, 16);
    }
    qsort(ids, IDS, sizeof *ids, compare);
    for (size_t i = 1; i < IDS; i++)
        ck_assert(memcmp(ids[i - 1], ids[i], 23) != 0);
    free(ids);
}
END_TEST

START_TEST(fill_writes_all_and_no_more)
{
    /* Larger than one call to the generator takes. */
    size_t n = (3u << 20) + 5;
    unsigned char *p = calloc(1, n + 1);
    ck_assert_ptr_nonnull(p);
    p[n] = 0xa5;
    rng_fill(p, n);
    size_t zeros = 0;
    for (size_t i = 0; i < n; i++)
        zeros += p[i] == 0;
    ck_assert_uint_gt(zeros, n / 512);
    ck_assert_uint_lt(zeros, n / 128);
    size_t tail = 0;
    for (size_t i = n - 32; i < n; i++)
        tail += p[i] != 0;
    ck_assert_uint_gt(tail, 16);
    ck_assert_uint_eq(p[n], 0xa5);
    rng_fill(p, 0);
    free(p);
}
END_TEST

START_TEST(a_forked_child_draws_its_own)
{
    unsigned char ours[32], theirs[32];
    int ends[2], status = -1;
    rng_fill(ours, sizeof ours); /* leaves bytes drawn that a child must not give */
    ck_assert_int_eq(pipe(ends), 0);
    const pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        rng_fill(theirs, sizeof theirs);
        _exit(write(ends[1], theirs, sizeof theirs) == sizeof theirs ? 0 : 1);
    }
    rng_fill(ours, sizeof ours);
    ck_assert_int_eq(read(ends[0], theirs, sizeof theirs), sizeof theirs);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
    ck_assert(memcmp(ours, theirs, sizeof ours) != 0);
    close(ends[0]);
    close(ends[1]);
}
END_TEST

START_TEST(sizes_of_every_kind_follow_each_other)
{
    unsigned char seen[600][4];
    size_t n = 0;
    for (size_t i = 1; n < 600; i = i % 100 + 1) { /* in and over the pool, and across its end */
        unsigned char p[128] = {0};
        rng_fill(p, i);
        for (size_t k = i; k < sizeof p; k++)
            ck_assert_uint_eq(p[k], 0);
        if (i >= 4)
            memcpy(seen[n++], p + i - 4, 4);
    }
    size_t same = 0;
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < i; k++)
            same += memcmp(seen[i], seen[k], 4) == 0;
    ck_assert_uint_le(same, 1);
}
END_TEST

static void count_up(void *ctx, void *out, size_t n)
{
    unsigned char *next = ctx, *p = out;
    while (n--)
        *p++ = (*next)++;
}

START_TEST(a_test_source_replaces_the_generator)
{
    unsigned char next = 0, got[4];
    char id[23];
    rng_set_source(count_up, &next);
    rng_id(id);
    rng_fill(got, sizeof got);
    rng_set_source(NULL, NULL);
    ck_assert_str_eq(id, "AAECAwQFBgcICQoLDA0ODw");
    ck_assert_mem_eq(got, "\x10\x11\x12\x13", 4);
    unsigned char again[16];
    rng_fill(again, sizeof again);
    ck_assert_uint_eq(next, 20);
}
END_TEST

Suite *suite_random(void);
Suite *suite_random(void)
{
    Suite *s = suite_create("random");
    TCase *t = tcase_create("random");
    tcase_add_test(t, ids_are_128_bits_and_never_repeat);
    tcase_add_test(t, fill_writes_all_and_no_more);
    tcase_add_test(t, a_forked_child_draws_its_own);
    tcase_add_test(t, sizes_of_every_kind_follow_each_other);
    tcase_add_test(t, a_test_source_replaces_the_generator);
    suite_add_tcase(s, t);
    return s;
}
