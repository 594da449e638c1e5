/* SPDX-License-Identifier: Apache-2.0 */
#include "store/query.h"

#include <check.h>
#include <stdlib.h>

#include "base/embed.h"

Suite *suite_query(void);

static const struct query_word words[] = {{"INT", "BIGINT"}, {"NONE", ""}, {NULL, NULL}};

START_TEST(words_are_replaced)
{
    static const struct {
        const char *sql, *expected;
    } cases[] = {
        {"", ""},
        {"SELECT 1", "SELECT 1"},
        {"a @INT@, b @INT@@NONE@;", "a BIGINT, b BIGINT;"},
        {"@INT@", "BIGINT"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct err err = ERR_INIT;
        char *text = query_expand(str_of(cases[i].sql), words, &err);
        ck_assert_ptr_nonnull(text);
        ck_assert_str_eq(text, cases[i].expected);
        free(text);
    }
}
END_TEST

START_TEST(unknown_words_are_errors)
{
    static const char *const wrong[] = {"@", "@INT", "a@b", "@@", "@int@", "@WHAT@", "@INT@ @"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct err err = ERR_INIT;
        ck_assert_ptr_null(query_expand(str_of(wrong[i]), words, &err));
        ck_assert_int_eq(err.kind, ERR_INTERNAL);
    }
}
END_TEST

START_TEST(sections_are_found_by_name)
{
    struct str first = query_find("account.refresh"), last = query_find("account.add_identity");
    ck_assert_ptr_nonnull(first.p);
    ck_assert_ptr_nonnull(last.p);
    ck_assert_ptr_nonnull(memmem(first.p, first.n, "UPDATE identity", 15));
    ck_assert_ptr_null(memmem(first.p, first.n, "-- name:", 8));
    ck_assert_ptr_nonnull(memmem(last.p, last.n, "ON CONFLICT (provider, subject)", 31));

    static const char *const absent[] = {"account",
                                         "account.",
                                         "account.ref",
                                         "account.refresh_",
                                         "accoun.refresh",
                                         "account.sql.refresh",
                                         ".refresh",
                                         "",
                                         "0001-accounts-and-sessions.x"};
    for (size_t i = 0; i < sizeof absent / sizeof *absent; i++)
        ck_assert_msg(query_find(absent[i]).p == NULL, "%s", absent[i]);
}
END_TEST

START_TEST(migrations_are_numbered_without_gaps)
{
    int64_t n = 0, files = 0;
    ck_assert_ptr_null(query_migration(0).p);
    while (query_migration(n + 1).p)
        n++;
    for (const struct embedded *e = embedded_sql; e->name; e++)
        files += strchr(e->name, '-') != NULL;
    ck_assert_int_ge(n, 1);
    ck_assert_int_eq(n, files);
}
END_TEST

Suite *suite_query(void)
{
    Suite *s = suite_create("query");
    TCase *tc = tcase_create("query");
    tcase_add_test(tc, words_are_replaced);
    tcase_add_test(tc, unknown_words_are_errors);
    tcase_add_test(tc, sections_are_found_by_name);
    tcase_add_test(tc, migrations_are_numbered_without_gaps);
    suite_add_tcase(s, tc);
    return s;
}
