/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"

Suite *suite_arena(void);

/* Not an assertion for each byte: Check writes every one of them to a file. */
static bool all_are(const unsigned char *p, size_t n, size_t byte)
{
    for (size_t i = 0; i < n; i++)
        if (p[i] != byte)
            return false;
    return true;
}

START_TEST(test_zeroed_and_aligned)
{
    struct arena *a = arena_new();
    for (int round = 0; round < 3; round++) {
        for (size_t n = 0; n < 600; n++) {
            unsigned char *p = arena_alloc(a, n);
            ck_assert_uint_eq((uintptr_t)p % _Alignof(max_align_t), 0);
            ck_assert(all_are(p, n, 0));
            memset(p, 0xff, n); /* what the next round must not see */
        }
        arena_reset(a);
    }
    arena_free(&a);
    ck_assert_ptr_null(a);
    arena_free(&a);
}
END_TEST

/* Small, large and very large in every order: nothing overlaps, and all of it stays as written. */
START_TEST(test_nothing_overlaps)
{
    struct arena *a = arena_new();
    struct {
        unsigned char *p;
        size_t n;
    } made[400];
    uint32_t seed = 1;
    for (int round = 0; round < 5; round++) {
        size_t used = 0;
        for (size_t i = 0; i < 400; i++) {
            seed = seed * 1664525u + 1013904223u;
            size_t n = (seed >> 8) % 300;
            if (i % 17 == 0)
                n = (seed >> 8) % 30000;
            if (i % 97 == 0)
                n = 100000 + (seed >> 8) % 100000;
            made[i].p = arena_alloc(a, n);
            made[i].n = n;
            memset(made[i].p, (int)(i & 255), n);
            used += n;
        }
        ck_assert_uint_eq(arena_used(a), used);
        for (size_t i = 0; i < 400; i++)
            ck_assert(all_are(made[i].p, made[i].n, i & 255));
        arena_reset(a);
        ck_assert_uint_eq(arena_used(a), 0);
    }
    arena_free(&a);
}
END_TEST

START_TEST(test_reset_gives_the_first_block_again)
{
    struct arena *a = arena_new();
    void *first = arena_alloc(a, 100);
    arena_alloc(a, 1000000); /* a block of its own while the first is the top */
    arena_alloc(a, 3000);
    arena_alloc(a, 3000);
    arena_reset(a);
    ck_assert_ptr_eq(arena_alloc(a, 100), first);
    arena_free(&a);
}
END_TEST

START_TEST(test_copies)
{
    struct arena *a = arena_new();
    ck_assert_str_eq(arena_dup(a, ""), "");
    ck_assert_str_eq(arena_dup(a, "discord"), "discord");
    ck_assert_str_eq(arena_dupn(a, "discord", 4), "disc");
    ck_assert_str_eq(arena_dupn(a, NULL, 0), "");
    ck_assert_str_eq(arena_str(a, (struct str){NULL, 0}), "");
    ck_assert_str_eq(arena_str(a, STR("google")), "google");
    ck_assert_int_eq(memcmp(arena_dupn(a, "a\0b", 3), "a\0b", 4), 0);
    arena_free(&a);
}
END_TEST

START_TEST(test_printf_of_every_length)
{
    struct arena *a = arena_new();
    char text[2000];
    for (size_t n = 0; n < sizeof(text) - 1; n += n < 300 ? 1 : 97) {
        memset(text, 'y', n);
        text[n] = '\0';
        char *made = arena_printf(a, "%s-%d", text, 7);
        ck_assert_uint_eq(strlen(made), n + 2);
        ck_assert_int_eq(memcmp(made, text, n), 0);
        ck_assert_str_eq(made + n, "-7");
    }
    ck_assert_str_eq(arena_printf(a, "%s", "%n"), "%n");
    arena_free(&a);
}
END_TEST

START_TEST(test_absurd_size_aborts)
{
    struct arena *a = arena_new();
    arena_alloc(a, SIZE_MAX / 2);
}
END_TEST

START_TEST(test_heap_helpers)
{
    unsigned char *p = mem_alloc(100);
    ck_assert(all_are(p, 100, 0));
    p[99] = 9;
    p = mem_grow(p, 10000);
    ck_assert_uint_eq(p[99], 9);
    free(p);
    p = mem_grow(NULL, 0);
    ck_assert_ptr_nonnull(p);
    free(p);
    p = mem_alloc(0);
    ck_assert_ptr_nonnull(p);
    free(p);
    char *text = mem_dup("text");
    ck_assert_str_eq(text, "text");
    free(text);
    text = mem_dupn("text", 2);
    ck_assert_str_eq(text, "te");
    free(text);
    text = mem_dupn(NULL, 0);
    ck_assert_str_eq(text, "");
    free(text);
}
END_TEST

Suite *suite_arena(void)
{
    Suite *s = suite_create("arena");
    TCase *t = tcase_create("arena");
    tcase_add_test(t, test_zeroed_and_aligned);
    tcase_add_test(t, test_nothing_overlaps);
    tcase_add_test(t, test_reset_gives_the_first_block_again);
    tcase_add_test(t, test_copies);
    tcase_add_test(t, test_printf_of_every_length);
    tcase_add_test(t, test_heap_helpers);
    tcase_add_test_raise_signal(t, test_absurd_size_aborts, 6);
    suite_add_tcase(s, t);
    return s;
}
