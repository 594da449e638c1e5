/* SPDX-License-Identifier: Apache-2.0 */
/* sys/conf_roster: which things a configuration has, and what makes each. */
#include "sys/conf_roster.h"

#include <unistd.h>

#include "conf_fixture.h"

Suite *suite_conf_roster(void);

static const struct conf_kind kind = {"app", "an app", "apps", 3};
static const int row, other; /* what a row is, is the caller's */
static int kept;
static struct conf_roster *roster;
static const char *const files[] = {"wiki.conf", "a.conf", ".hidden.conf", "note.txt", "Bad.conf"};

static void setup(void)
{
    cx_setup();
    roster = conf_roster_new(&kind, &cx.problems);
}

static void teardown(void)
{
    conf_roster_free(&roster);
    ck_assert_ptr_null(roster);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        unlink(arena_printf(cx.arena, "%s/%s", cx.folder, files[i]));
    cx_teardown();
}

/* "a c": the ids in their order. */
static void ids_are(const char *want)
{
    const size_t n = conf_roster_sort(roster);
    const char *got = "";
    for (size_t i = 0; i < n; i++)
        got = arena_printf(cx.arena, "%s%s%s", got, i ? " " : "", conf_roster_at(roster, i)->id);
    ck_assert_str_eq(got, want);
    ck_assert_ptr_null(conf_roster_at(roster, n));
}

START_TEST(a_folder_makes_one_of_each_file)
{
    const char *bad = arena_printf(cx.arena, "%s/Bad.conf", cx.folder);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        cx_write_file(files[i], "", 0, 0600);
    conf_roster_add_folder(roster, cx.folder, false);
    ids_are("a wiki");
    const struct conf_made *wiki = conf_roster_at(roster, 1);
    ck_assert_str_eq(wiki->path, arena_printf(cx.arena, "%s/wiki.conf", cx.folder));
    ck_assert_str_eq(wiki->by, wiki->path);
    ck_assert(!wiki->row && !wiki->kept);
    cx_expect(arena_printf(cx.arena,
                           "%s: the file's name is the app's id: at most 32 of a-z, 0-9 and '-', "
                           "then .conf\n",
                           bad));
}
END_TEST

/* Each before all behind it, and the other way round; none is the same as another. */
START_TEST(ids_are_ordered_as_people_count)
{
    static const char *const ids[] = {"1",    "2",      "10",       "a",        "a-1b", "a-2a",
                                      "a-2b", "a-10a",  "a-b",      "a0",       "a1",   "a01-a",
                                      "a1-b", "a9",     "a10",      "a100",     "ab",   "ab2c",
                                      "b",    "tenant", "tenant-2", "tenant-10"};
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++)
        for (size_t j = 0; j < sizeof ids / sizeof *ids; j++) {
            const int order = conf_id_order(ids[i], ids[j]);
            ck_assert_msg((i < j && order < 0) || (i == j && order == 0) || (i > j && order > 0),
                          "%s and %s: %d", ids[i], ids[j], order);
        }
    ck_assert_int_lt(conf_id_order("a01", "a1"), 0);
    ck_assert_int_gt(conf_id_order("a1", "a01"), 0);
    ck_assert_int_lt(conf_id_order("a99999999999999999999998", "a99999999999999999999999"), 0);
}
END_TEST

START_TEST(in_the_order_of_their_ids)
{
    static const char *const ids[] = {"tenant-10", "tenant-9", "tenant-1"};
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++)
        conf_roster_add(roster, &(struct conf_made){.id = ids[i], .by = "environment"});
    ids_are("tenant-1 tenant-9 tenant-10");
}
END_TEST

START_TEST(a_folder_that_is_not_there)
{
    const char *gone = arena_printf(cx.arena, "%s/gone", cx.folder);
    conf_roster_add_folder(roster, gone, true);
    cx_expect("");
    conf_roster_add_folder(roster, gone, false);
    cx_expect(arena_printf(
        cx.arena, "%s: cannot read the folder of apps: No such file or directory\n", gone));
    ids_are("");
}
END_TEST

/* A missing folder may be let pass; one that is no folder never. */
START_TEST(a_folder_that_is_none)
{
    const char *file = arena_printf(cx.arena, "%s/note.txt", cx.folder);
    cx_write_file("note.txt", "", 0, 0600);
    conf_roster_add_folder(roster, file, true);
    cx_expect(
        arena_printf(cx.arena, "%s: cannot read the folder of apps: Not a directory\n", file));
}
END_TEST

START_TEST(rows_give_way)
{
    conf_roster_add(roster, &(struct conf_made){.id = "a", .by = "/x/a.conf", .path = "/x/a.conf"});
    conf_roster_add(roster, &(struct conf_made){.id = "k", .by = "/x/k.conf", .kept = &kept});
    conf_roster_add_row(roster, "k", &other);
    conf_roster_add_row(roster, "b", &row);
    cx_expect(
        "app k: /x/k.conf makes an app of this name, too: the one in the database is not used\n");
    ids_are("a b k");
    ck_assert_ptr_eq(conf_roster_at(roster, 1)->row, &row);
    ck_assert_str_eq(conf_roster_at(roster, 1)->by, "app b");
    ck_assert_ptr_eq(conf_roster_at(roster, 2)->kept, &kept);
    ck_assert_ptr_null(conf_roster_at(roster, 2)->row);
}
END_TEST

/* Variables beside a file say more about the same thing. */
START_TEST(the_environment_is_no_other)
{
    conf_roster_add(roster, &(struct conf_made){.id = "a", .by = "/x/a.conf", .path = "/x/a.conf"});
    conf_roster_add(roster, &(struct conf_made){.id = "a", .by = "environment"});
    cx_expect("");
    ids_are("a");
    ck_assert_str_eq(conf_roster_at(roster, 0)->by, "/x/a.conf");
}
END_TEST

START_TEST(too_many_are_a_problem)
{
    static const char *const ids[] = {"c", "a", "d", "b"};
    for (size_t i = 0; i < 4; i++)
        conf_roster_add_row(roster, ids[i], &row);
    cx_expect("app b: more than 3 apps\n");
    ids_are("a c d");
}
END_TEST

START_TEST(ids_are_plain)
{
    ck_assert(conf_id_valid(STR("discord")));
    ck_assert(conf_id_valid(STR("my-idp-2")));
    ck_assert(conf_id_valid(STR("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")));
    ck_assert(!conf_id_valid(STR("")));
    ck_assert(!conf_id_valid(STR("-a")));
    ck_assert(!conf_id_valid(STR("a-")));
    ck_assert(!conf_id_valid(STR("a_b")));
    ck_assert(!conf_id_valid(STR("A")));
    ck_assert(!conf_id_valid(STR("..")));
    ck_assert(!conf_id_valid(STR("a/b")));
    ck_assert(!conf_id_valid(STR("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")));
    conf_roster_add_row(roster, "../x", &row);
    cx_expect("app ../x: an app's id is at most 32 of a-z, 0-9 and '-'\n");
    ids_are("");
    ck_assert_str_eq(conf_id_variables("USHER_APP_", "my-wiki-2", cx.arena), "USHER_APP_MY_WIKI_2");
}
END_TEST

Suite *suite_conf_roster(void)
{
    Suite *s = suite_create("conf_roster");
    TCase *tc = tcase_create("conf_roster");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, a_folder_makes_one_of_each_file);
    tcase_add_test(tc, ids_are_ordered_as_people_count);
    tcase_add_test(tc, in_the_order_of_their_ids);
    tcase_add_test(tc, a_folder_that_is_not_there);
    tcase_add_test(tc, a_folder_that_is_none);
    tcase_add_test(tc, rows_give_way);
    tcase_add_test(tc, the_environment_is_no_other);
    tcase_add_test(tc, too_many_are_a_problem);
    tcase_add_test(tc, ids_are_plain);
    suite_add_tcase(s, tc);
    return s;
}
