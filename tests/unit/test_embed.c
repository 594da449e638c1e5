/* SPDX-License-Identifier: Apache-2.0 */
#include "base/embed.h"

#include <check.h>
#include <string.h>

Suite *suite_embed(void);

static void check_table(const struct embedded *table)
{
    for (const struct embedded *e = table; e->name; e++) {
        ck_assert_ptr_null(strchr(e->name, '/'));
        ck_assert_uint_gt(e->n, 0);
        ck_assert_int_eq(e->p[e->n], 0);
        ck_assert_uint_gt(strlen(e->version), 2);
        ck_assert_uint_eq(strspn(e->version, "0123456789-"), strlen(e->version));
        for (const struct embedded *other = table; other != e; other++) {
            ck_assert_str_ne(other->name, e->name);
            if (other->n != e->n || memcmp(other->p, e->p, e->n) != 0)
                ck_assert_str_ne(other->version, e->version);
        }
    }
}

START_TEST(names_are_plain_and_unique)
{
    check_table(embedded_sql);
    check_table(embedded_html);
    check_table(embedded_assets);
    check_table(embedded_samples);
    check_table(embedded_steps);
}
END_TEST

Suite *suite_embed(void)
{
    Suite *s = suite_create("embed");
    TCase *tc = tcase_create("embed");
    tcase_add_test(tc, names_are_plain_and_unique);
    suite_add_tcase(s, tc);
    return s;
}
