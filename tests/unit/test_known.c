/* SPDX-License-Identifier: Apache-2.0 */
#include "issuer/known.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

#include "issuer/standing.h"

Suite *suite_known(void);

#define NOW INT64_C(1800000000)
#define MANY 20000
#define PLACES 4096

static struct known *t;

static void setup(void)
{
    t = known_new();
}

static void teardown(void)
{
    known_free(&t);
}

static struct standing facts_of(const char *grant, const char *account)
{
    return (struct standing){.good = true,
                             .grant = {.id = grant,
                                       .app = "wiki",
                                       .account = account,
                                       .provider = "google",
                                       .claims = "{\"userinfo\":{}}",
                                       .ip = "192.0.2.7"},
                             .until = INT64_MAX,
                             .person = {.account = account,
                                        .provider = "google",
                                        .name = "Ada",
                                        .email = "ada@example.com",
                                        .email_evidence = 2,
                                        .roles = "[\"editor\"]",
                                        .updated = NOW - 5}};
}

static void keep(const char *grant, uint64_t changes, int64_t now)
{
    const struct known_at at = {changes, now};
    const struct standing f = facts_of(grant, grant);
    known_keep(t, &at, &f);
}

static const struct standing *find(const char *grant, uint64_t changes, int64_t now)
{
    const struct known_at at = {changes, now};
    const struct known_one *one = known_find(t, grant, &at);
    return one ? known_standing(one) : NULL;
}

static size_t sweep(uint64_t changes, int64_t now)
{
    const struct known_at at = {changes, now};
    return known_sweep(t, &at);
}

START_TEST(what_was_kept_is_found_as_it_was)
{
    char account[] = "acc", groups[] = "[\"g\"]";
    struct standing f = facts_of("g1", account);
    const struct known_at at = {7, NOW};
    f.person.groups = groups;
    ck_assert_ptr_null(find("g1", 7, NOW));
    known_keep(t, &at, &f);
    memset(account, 'x', 3); /* it was copied */
    memset(groups, 'x', 5);
    const struct standing *got = find("g1", 7, NOW);
    ck_assert_ptr_nonnull(got);
    ck_assert(got->good);
    ck_assert_str_eq(got->grant.id, "g1");
    ck_assert_str_eq(got->grant.app, "wiki");
    ck_assert_str_eq(got->grant.account, "acc");
    ck_assert_str_eq(got->grant.provider, "google");
    ck_assert_str_eq(got->grant.ip, "192.0.2.7");
    ck_assert_str_eq(got->grant.claims, "{\"userinfo\":{}}");
    ck_assert_str_eq(got->person.account, "acc");
    ck_assert_str_eq(got->person.provider, "google");
    ck_assert_str_eq(got->person.name, "Ada");
    ck_assert_str_eq(got->person.email, "ada@example.com");
    ck_assert_int_eq(got->person.email_evidence, 2);
    ck_assert_str_eq(got->person.groups, "[\"g\"]");
    ck_assert_str_eq(got->person.roles, "[\"editor\"]");
    ck_assert_int_eq(got->person.updated, NOW - 5);
    ck_assert_ptr_null(got->person.username);
    ck_assert_ptr_null(got->person.picture);
    ck_assert_ptr_null(got->person.locale);
    ck_assert_ptr_null(got->person.permissions);
    ck_assert_ptr_null(find("g2", 7, NOW));
    ck_assert_ptr_null(find("g", 7, NOW));
}
END_TEST

START_TEST(a_write_ends_it)
{
    keep("g1", 7, NOW);
    ck_assert_ptr_null(find("g1", 8, NOW));
    ck_assert_ptr_null(find("g1", 7, NOW)); /* gone, not put by */
    keep("g1", 8, NOW);
    ck_assert_ptr_nonnull(find("g1", 8, NOW));
}
END_TEST

START_TEST(its_second_ends_it)
{
    const struct known_at at = {7, NOW};
    struct standing f = facts_of("g1", "acc");
    f.until = NOW + 10;
    known_keep(t, &at, &f);
    ck_assert_ptr_nonnull(find("g1", 7, NOW + 9));
    ck_assert_ptr_null(find("g1", 7, NOW + 10));
}
END_TEST

START_TEST(what_is_kept_again_takes_its_own_place)
{
    const struct known_at at = {7, NOW};
    struct standing f = facts_of("g1", "acc");
    keep("g1", 7, NOW);
    f.person.name = "Countess of Lovelace";
    known_keep(t, &at, &f);
    ck_assert_str_eq(find("g1", 7, NOW)->person.name, "Countess of Lovelace");
    ck_assert_uint_eq(sweep(8, NOW), 1);
}
END_TEST

START_TEST(what_is_long_is_not_kept)
{
    char long_text[5000];
    const struct known_at at = {7, NOW};
    struct standing f = facts_of("g1", "acc");
    memset(long_text, 'x', sizeof long_text - 1);
    long_text[sizeof long_text - 1] = '\0';
    f.person.groups = long_text;
    known_keep(t, &at, &f);
    ck_assert_ptr_null(find("g1", 7, NOW));
    ck_assert_uint_eq(sweep(8, NOW), 0);
}
END_TEST

START_TEST(what_was_told_is_for_the_same_hearer)
{
    const struct known_at at = {7, NOW};
    const struct known_hearer wiki = {"wiki", "openid email", 3};
    const struct known_hearer others[] = {
        {"wik", "openid email", 3}, {"wiki", "openid", 3}, {"wiki", "openid email", 4}};
    const struct standing f = facts_of("g1", "acc");
    struct known_one *one = known_keep(t, &at, &f);
    struct str text;
    char long_text[5000] = "";
    ck_assert_int_eq(known_told(one, &wiki, &text), 0);
    known_tell(one, &wiki, STR("{\"sub\":1}"));
    ck_assert_int_eq(known_told(one, &wiki, &text), 1);
    ck_assert(str_is(text, "{\"sub\":1}"));
    for (size_t i = 0; i < 3; i++)
        ck_assert_int_eq(known_told(one, &others[i], &text), 0);
    known_tell(one, &others[1], STR("less"));
    ck_assert_int_eq(known_told(one, &wiki, &text), 0);
    ck_assert_int_eq(known_told(one, &others[1], &text), 1);
    ck_assert(str_is(text, "less"));
    known_tell(one, &wiki, (struct str){long_text, sizeof long_text});
    ck_assert_int_eq(known_told(one, &wiki, &text), 0);
    ck_assert_int_eq(known_told(one, &others[1], &text), 0);
    known_tell(one, &wiki, STR("again"));
    one = known_keep(t, &at, &f); /* nobody was told of what is new */
    ck_assert_int_eq(known_told(one, &wiki, &text), 0);
}
END_TEST

START_TEST(it_is_bounded_and_what_is_asked_for_stays)
{
    char grant[16];
    size_t n = 0;
    keep("asked", 7, NOW);
    for (int i = 0; i < MANY; i++) {
        snprintf(grant, sizeof grant, "g%d", i);
        keep(grant, 7, NOW + i / 1000);
        ck_assert_ptr_nonnull(find(grant, 7, NOW + i / 1000));
        ck_assert_ptr_nonnull(find("asked", 7, NOW + 1 + i / 1000));
    }
    for (int i = 0; i < MANY; i++) {
        snprintf(grant, sizeof grant, "g%d", i);
        n += find(grant, 7, NOW + 30) != NULL;
    }
    ck_assert_uint_le(n, PLACES);
    ck_assert_uint_gt(n, PLACES / 2);
    ck_assert_uint_eq(sweep(8, NOW + 30), n + 1);
}
END_TEST

START_TEST(what_nobody_asks_for_goes)
{
    keep("g1", 7, NOW);
    keep("g2", 7, NOW);
    ck_assert_uint_eq(sweep(7, NOW + 59), 0);
    ck_assert_ptr_nonnull(find("g2", 7, NOW + 59));
    ck_assert_uint_eq(sweep(7, NOW + 60), 1);
    ck_assert_ptr_null(find("g1", 7, NOW + 60));
    ck_assert_ptr_nonnull(find("g2", 7, NOW + 60));
}
END_TEST

Suite *suite_known(void)
{
    Suite *s = suite_create("known");
    TCase *c = tcase_create("facts");
    tcase_add_checked_fixture(c, setup, teardown);
    tcase_add_test(c, what_was_kept_is_found_as_it_was);
    tcase_add_test(c, a_write_ends_it);
    tcase_add_test(c, its_second_ends_it);
    tcase_add_test(c, what_is_kept_again_takes_its_own_place);
    tcase_add_test(c, what_is_long_is_not_kept);
    tcase_add_test(c, what_was_told_is_for_the_same_hearer);
    tcase_add_test(c, it_is_bounded_and_what_is_asked_for_stays);
    tcase_add_test(c, what_nobody_asks_for_goes);
    suite_add_tcase(s, c);
    return s;
}
