/* SPDX-License-Identifier: Apache-2.0 */
#include "session/rights.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

Suite *suite_rights(void);

static struct rights *r;
static struct err err;

static void setup(void)
{
    r = rights_new();
    err = (struct err)ERR_INIT;
}

static void teardown(void)
{
    rights_free(&r);
}

static uint32_t take(const char *roles)
{
    uint32_t set;
    ck_assert_msg(rights_take(r, roles, &set, &err) == 0, "%s", err.text);
    return set;
}

static void define(const char *role, const char *permissions)
{
    ck_assert_msg(rights_define(r, role, permissions, &err) == 0, "%s", err.text);
}

static void shows(uint32_t set, const char *roles, const char *permissions)
{
    const struct rights_view v = rights_show(r, set);
    ck_assert_str_eq(v.roles, roles);
    ck_assert_str_eq(v.permissions, permissions);
}

START_TEST(no_roles)
{
    ck_assert_uint_eq(take(NULL), 0);
    ck_assert_uint_eq(take("[]"), 0);
    ck_assert_uint_eq(take("[ ]"), 0);
    shows(0, "", "");
    rights_drop(r, 0);
    ck_assert_uint_eq(rights_again(r, 0), 0);
    ck_assert_uint_eq(rights_sets(r), 0);
}
END_TEST

START_TEST(one_set_for_the_same_roles)
{
    const uint32_t one = take("[\"staff\",\"admin\"]");
    ck_assert_uint_eq(take("[\"admin\",\"staff\",\"admin\"]"), one);
    ck_assert_uint_ne(take("[\"admin\"]"), one);
    shows(one, "admin,staff", "");
    ck_assert_uint_eq(rights_sets(r), 2);
}
END_TEST

START_TEST(sets_go_with_the_last_who_has_them)
{
    const uint32_t one = take("[\"a\"]"), two = take("[\"b\"]");
    ck_assert_uint_eq(rights_again(r, one), one);
    rights_drop(r, one);
    shows(one, "a", "");
    rights_drop(r, one);
    ck_assert_uint_eq(rights_sets(r), 1);
    ck_assert_uint_eq(take("[\"c\"]"), one); /* the number is free again */
    shows(one, "c", "");
    shows(two, "b", "");
    ck_assert_uint_eq(rights_sets(r), 2);
}
END_TEST

/* More than the room there is at first, and found again by their roles. */
START_TEST(many_sets)
{
    uint32_t set[500];
    char roles[40];
    for (int i = 0; i < 500; i++) {
        snprintf(roles, sizeof roles, "[\"role-%d\",\"x\"]", i);
        set[i] = take(roles);
    }
    ck_assert_uint_eq(rights_sets(r), 500);
    for (int i = 0; i < 500; i++) {
        snprintf(roles, sizeof roles, "[\"x\",\"role-%d\"]", i);
        ck_assert_uint_eq(take(roles), set[i]);
    }
}
END_TEST

START_TEST(permissions_of_all_roles)
{
    define("wiki", "[\"wiki.read\",\"wiki.edit\"]");
    define("ops", "[\"wiki.read\",\"deploy:prod\"]");
    const uint32_t both = take("[\"wiki\",\"ops\",\"unheard-of\"]");
    shows(both, "ops,unheard-of,wiki", "deploy:prod,wiki.edit,wiki.read");
}
END_TEST

START_TEST(definitions_count_at_once)
{
    const uint32_t wiki = take("[\"wiki\"]"), wikis = take("[\"wikis\"]");
    const uint32_t before = rights_show(r, wiki).stamp, other = rights_show(r, wikis).stamp;
    define("wiki", "[\"read\"]");
    shows(wiki, "wiki", "read");
    ck_assert_uint_gt(rights_show(r, wiki).stamp, before);
    ck_assert_uint_eq(rights_show(r, wikis).stamp, other);

    define("wiki", "[\"read\",\"edit\"]");
    shows(wiki, "wiki", "edit,read");
    define("wiki", "[]");
    shows(wiki, "wiki", "");
    define("wiki", "[\"read\"]");
    define("wiki", NULL);
    shows(wiki, "wiki", "");
    define("wiki", NULL);
}
END_TEST

START_TEST(a_role_is_taken_from_all)
{
    define("a", "[\"pa\"]");
    define("b", "[\"pb\"]");
    const uint32_t a = take("[\"a\"]"), b = take("[\"b\"]"), ab = take("[\"a\",\"b\"]");
    const uint32_t before = rights_show(r, b).stamp;
    rights_forget(r, "a");
    shows(a, "", "");
    shows(ab, "b", "pb");
    shows(b, "b", "pb");
    ck_assert_uint_eq(rights_show(r, b).stamp, before);
    ck_assert_uint_gt(rights_show(r, ab).stamp, before);

    /* Two sets of the same roles: both live, and go, on their own. */
    const uint32_t again = take("[\"b\"]");
    ck_assert(again == b || again == ab);
    define("b", "[\"more\"]");
    shows(b, "b", "more");
    shows(ab, "b", "more");
    rights_drop(r, again);
    rights_drop(r, b);
    shows(ab, "b", "more");
    ck_assert_uint_eq(take("[\"b\"]"), ab);
    rights_drop(r, a);
    define("a", "[\"pa\"]");
    shows(take("[\"a\"]"), "a", "pa");
    rights_forget(r, "never-heard-of");
}
END_TEST

START_TEST(stamps_only_grow)
{
    const uint32_t a = rights_stamp(r), set = take("[\"a\"]");
    ck_assert_uint_gt(rights_show(r, set).stamp, a);
    ck_assert_uint_gt(rights_stamp(r), rights_show(r, set).stamp);
}
END_TEST

/* What is wrong changes nothing. */
START_TEST(nonsense)
{
    static const char *const bad[] = {"",          "{}",        "\"a\"",  "[1]",
                                      "[\"A\"]",   "[\"a,b\"]", "[\"\"]", "[\"a b\"]",
                                      "[[\"a\"]]", "[\"a\"",    "null"};
    define("a", "[\"p\"]");
    const uint32_t good = take("[\"a\"]");
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        uint32_t set = 7;
        err = (struct err)ERR_INIT;
        ck_assert_msg(rights_take(r, bad[i], &set, &err) < 0, "%s", bad[i]);
        ck_assert_uint_eq(set, 0);
        err = (struct err)ERR_INIT;
        ck_assert_msg(rights_define(r, "a", bad[i], &err) < 0, "%s", bad[i]);
    }
    err = (struct err)ERR_INIT;
    ck_assert_int_lt(rights_define(r, "not a name", "[]", &err), 0);
    shows(good, "a", "p");
    ck_assert_uint_eq(rights_sets(r), 1);
}
END_TEST

START_TEST(names)
{
    static const char *const good[] = {"a", "0", "wiki.read", "app:wiki:edit", "a_b-c"};
    static const char *const bad[] = {"", "A", "a b", "a,b", "a/b", "\xc3\xa4", "a\"", "*", "a\n"};
    char name[RIGHTS_NAME_MAX + 2] = "";
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        ck_assert(rights_name(str_of(good[i])));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        ck_assert(!rights_name(str_of(bad[i])));
    memset(name, 'x', RIGHTS_NAME_MAX);
    ck_assert(rights_name(str_of(name)));
    name[RIGHTS_NAME_MAX] = 'x';
    ck_assert(!rights_name(str_of(name)));
}
END_TEST

/* `n` permissions of 50 bytes and a comma each. */
static const char *fifties(char letter, int n)
{
    static char json[2][8192];
    static int which;
    char *text = json[which ^= 1];
    size_t at = 0;
    text[at++] = '[';
    for (int i = 0; i < n; i++) {
        at += (size_t)sprintf(text + at, "%s\"%c%03d.", i ? "," : "", letter, i);
        memset(text + at, 'x', 45);
        at += 45;
        text[at++] = '"';
    }
    memcpy(text + at, "]", 2);
    return text;
}

START_TEST(too_many_permissions)
{
    char room[RIGHTS_PERMISSIONS_MAX + 1];
    define("many", fifties('a', 30));
    define("more", fifties('b', 40));
    const uint32_t set = take("[\"many\",\"more\"]"), many = take("[\"many\"]");

    /* 58 * 51 = 2958, and one more is 3009: whole names, the first ones. */
    const struct rights_view v = rights_show(r, set);
    ck_assert_uint_eq(strlen(v.permissions), 58 * 51 - 1);
    snprintf(room, sizeof room, "%s", v.permissions);
    ck_assert_ptr_nonnull(strstr(room, "b027."));
    ck_assert_ptr_null(strstr(room, "b028."));
    ck_assert_uint_eq(strlen(rights_show(r, many).permissions), 30 * 51 - 1);
    ck_assert(v.cut && !rights_show(r, many).cut && !rights_show(r, 0).cut);

    ck_assert(rights_fits(r, "more", fifties('b', 28)));
    ck_assert(!rights_fits(r, "more", fifties('b', 29)));
    ck_assert(rights_fits(r, "more", fifties('a', 30))); /* the same ones */
    ck_assert(rights_fits(r, "nobodys", fifties('c', 58)));
    ck_assert(!rights_fits(r, "nobodys", fifties('c', 59)));
    ck_assert(!rights_fits(r, "more", "[\"NO\"]"));
}
END_TEST

START_TEST(too_many_roles)
{
    char json[1024] = "[\"a\"";
    uint32_t set;
    for (int i = 1; i < RIGHTS_ROLES_MAX; i++)
        sprintf(json + strlen(json), ",\"r%d\"", i);
    strcat(json, "]");
    ck_assert_uint_ne(take(json), 0);
    strcpy(json + strlen(json) - 1, ",\"b\"]");
    ck_assert_int_lt(rights_take(r, json, &set, &err), 0);
    ck_assert_int_eq(err.kind, ERR_LIMITED);
}
END_TEST

Suite *suite_rights(void)
{
    Suite *s = suite_create("rights");
    TCase *tc = tcase_create("rights");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, no_roles);
    tcase_add_test(tc, one_set_for_the_same_roles);
    tcase_add_test(tc, sets_go_with_the_last_who_has_them);
    tcase_add_test(tc, many_sets);
    tcase_add_test(tc, permissions_of_all_roles);
    tcase_add_test(tc, definitions_count_at_once);
    tcase_add_test(tc, a_role_is_taken_from_all);
    tcase_add_test(tc, stamps_only_grow);
    tcase_add_test(tc, nonsense);
    tcase_add_test(tc, names);
    tcase_add_test(tc, too_many_permissions);
    tcase_add_test(tc, too_many_roles);
    suite_add_tcase(s, tc);
    return s;
}
