/* SPDX-License-Identifier: Apache-2.0 */
#include "session/index.h"

#include <check.h>
#include <stdlib.h>

#include "sys/random.h"

Suite *suite_index(void);

struct thing {
    uint64_t key;
    int n;
};

static bool same(const void *p, const void *what)
{
    return ((const struct thing *)p)->n == *(const int *)what;
}

static uint64_t number(void)
{
    uint64_t n;
    rng_fill(&n, sizeof n);
    return n;
}

static struct thing *things(int n, uint64_t mask)
{
    struct thing *v = calloc((size_t)n, sizeof *v);
    ck_assert_ptr_nonnull(v);
    for (int i = 0; i < n; i++)
        v[i] = (struct thing){.key = number() & mask, .n = i};
    return v;
}

/* No ck_assert in a loop of millions: the library keeps a note of each one that held. */
static void holds(const struct index *x, struct thing *v, int from, int to, bool there)
{
    for (int i = from; i < to; i++)
        if (index_find(x, v[i].key, same, &i) != (there ? &v[i] : NULL))
            ck_abort_msg("%d is %s", i, there ? "lost" : "still there");
}

START_TEST(finds_what_was_put_while_growing)
{
    struct index x;
    struct thing *v = things(5000, UINT64_MAX);
    index_init(&x);
    for (int i = 0; i < 5000; i++) {
        index_put(&x, v[i].key, &v[i]);
        if (i % 97 == 0)
            holds(&x, v, 0, i + 1, true);
    }
    ck_assert_uint_eq(x.n, 5000);
    holds(&x, v, 0, 5000, true);

    size_t walked = 0;
    for (size_t i = 0; i < index_size(&x); i++)
        walked += index_at(&x, i) != NULL;
    ck_assert_uint_eq(walked, 5000);
    index_deinit(&x);
    free(v);
}
END_TEST

/* Few key bits make long runs that wrap around; removing must not break them. */
START_TEST(removing_keeps_the_others_reachable)
{
    for (int round = 0; round < 20; round++) {
        struct index x;
        struct thing *v = things(600, round % 2 ? 0x3f : UINT64_MAX);
        bool in[600] = {false};
        size_t n = 0;
        index_init(&x);
        for (int step = 0; step < 6000; step++) {
            int i = (int)(number() % 600);
            if (in[i]) {
                index_remove(&x, v[i].key, &v[i]);
                n--;
            } else {
                index_put(&x, v[i].key, &v[i]);
                n++;
            }
            in[i] = !in[i];
            if (x.n != n)
                ck_abort_msg("%zu of %zu", x.n, n);
            if (step % 50 == 0)
                for (int k = 0; k < 600; k++)
                    holds(&x, v, k, k + 1, in[k]);
        }
        index_deinit(&x);
        free(v);
    }
}
END_TEST

/* A table that fills and empties for ever stays as fast as new: no tombstones are left. */
START_TEST(churn_leaves_nothing_behind)
{
    struct index x;
    struct thing *v = things(40000, UINT64_MAX);
    index_init(&x);
    for (int i = 0; i < 40000; i++) {
        index_put(&x, v[i].key, &v[i]);
        if (i >= 40)
            index_remove(&x, v[i - 40].key, &v[i - 40]);
    }
    holds(&x, v, 0, 39960, false);
    holds(&x, v, 39960, 40000, true);
    ck_assert_uint_eq(index_size(&x), 64);
    size_t used = 0;
    for (size_t i = 0; i < x.now.size; i++)
        used += x.now.slots[i].p != NULL;
    ck_assert_uint_eq(used, 40);
    index_deinit(&x);
    free(v);
}
END_TEST

START_TEST(removing_while_growing)
{
    struct index x;
    struct thing *v = things(3000, UINT64_MAX);
    index_init(&x);
    int i = 0;
    do
        index_put(&x, v[i].key, &v[i]);
    while (++i < 400 || !x.old.slots);
    for (int k = 0; k < i; k += 2)
        index_remove(&x, v[k].key, &v[k]);
    for (int k = 0; k < i; k++)
        holds(&x, v, k, k + 1, k % 2 == 1);
    index_remove(&x, v[0].key, &v[0]); /* is gone already */
    ck_assert_uint_eq(x.n, (size_t)i / 2);
    index_move(&x, 1 << 20);
    ck_assert_ptr_null(x.old.slots);
    for (int k = 0; k < i; k++)
        holds(&x, v, k, k + 1, k % 2 == 1);
    index_deinit(&x);
    free(v);
}
END_TEST

/* Over 2 MiB of slots come straight from the kernel. */
START_TEST(large_tables)
{
    struct index x;
    struct thing *v = things(220000, UINT64_MAX);
    index_init(&x);
    for (int i = 0; i < 220000; i++)
        index_put(&x, v[i].key, &v[i]);
    holds(&x, v, 0, 220000, true);
    ck_assert_uint_eq(index_bytes(&x), index_size(&x) * sizeof(struct index_slot));
    for (int i = 0; i < 220000; i++)
        index_remove(&x, v[i].key, &v[i]);
    ck_assert_uint_eq(x.n, 0);
    index_deinit(&x);
    free(v);
}
END_TEST

Suite *suite_index(void)
{
    Suite *s = suite_create("index");
    TCase *tc = tcase_create("index");
    tcase_add_test(tc, finds_what_was_put_while_growing);
    tcase_add_test(tc, removing_keeps_the_others_reachable);
    tcase_add_test(tc, churn_leaves_nothing_behind);
    tcase_add_test(tc, removing_while_growing);
    tcase_add_test(tc, large_tables);
    suite_add_tcase(s, tc);
    return s;
}
