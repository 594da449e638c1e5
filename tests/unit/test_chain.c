/* SPDX-License-Identifier: Apache-2.0 */
#include "session/chain.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

Suite *suite_chain(void);

static struct record *record_of(int account)
{
    char name[24];
    snprintf(name, sizeof name, "account-%d", account);
    struct session_row row = {.account = name, .provider = "p"};
    struct err err = ERR_INIT;
    struct record *r = record_new(&row, &err);
    ck_assert_ptr_nonnull(r);
    return r;
}

static int count(const struct chain *c, int account)
{
    char name[24];
    int n = 0;
    snprintf(name, sizeof name, "account-%d", account);
    for (struct record *r = chain_next(c, name, NULL); r; r = chain_next(c, name, r)) {
        ck_assert_str_eq(record_string(r, RECORD_ACCOUNT), name);
        n++;
    }
    return n;
}

START_TEST(every_account_keeps_its_own)
{
    enum { ACCOUNTS = 700, EACH = 3 };
    static struct record *all[ACCOUNTS * EACH];
    struct chain c;
    chain_init(&c);
    for (int i = 0; i < ACCOUNTS * EACH; i++) {
        all[i] = record_of(i % ACCOUNTS);
        chain_add(&c, all[i]);
        if (i % 53 == 0)
            ck_assert_int_eq(count(&c, i % ACCOUNTS), i / ACCOUNTS + 1);
    }
    ck_assert_uint_eq(c.n, ACCOUNTS * EACH);
    ck_assert_uint_ge(chain_bytes(&c), ACCOUNTS * EACH * sizeof(void *));
    for (int i = 0; i < ACCOUNTS; i++)
        ck_assert_int_eq(count(&c, i), EACH);
    ck_assert_int_eq(count(&c, ACCOUNTS), 0);

    /* First, middle and last of a chain. */
    for (int i = 0; i < ACCOUNTS; i++) {
        int k = i % EACH * ACCOUNTS + i;
        chain_remove(&c, all[k]);
        free(all[k]);
        all[k] = NULL;
        ck_assert_int_eq(count(&c, i), EACH - 1);
    }
    for (int i = 0; i < ACCOUNTS * EACH; i++) {
        if (all[i]) {
            chain_remove(&c, all[i]);
            free(all[i]);
        }
    }
    ck_assert_uint_eq(c.n, 0);
    for (int i = 0; i < ACCOUNTS; i++)
        ck_assert_int_eq(count(&c, i), 0);
    chain_deinit(&c);
}
END_TEST

Suite *suite_chain(void)
{
    Suite *s = suite_create("chain");
    TCase *tc = tcase_create("chain");
    tcase_add_test(tc, every_account_keeps_its_own);
    suite_add_tcase(s, tc);
    return s;
}
