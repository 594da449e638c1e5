/* SPDX-License-Identifier: Apache-2.0 */
#include "session_fixture.h"

Suite *suite_session_restore(void);

static void forget(void *arg, const unsigned char hash[32], int64_t seen)
{
    (void)arg, (void)hash, (void)seen;
}

/* Expired ones go first; then, of the live ones, the one not seen for the longest, from memory
 * only: from then on a miss is a question to the store. */
START_TEST(full_makes_way_for_the_new)
{
    sessions_free(&table);
    table = table_of(50);
    struct ticket t[50], more;
    for (int i = 0; i < 50; i++)
        add(&t[i], "a");
    for (int i = 0; i < 50; i++)
        if (i != 31)
            ck_assert_int_eq(check_at(&t[i], NOW + 100), 1);
    ck_assert_uint_eq(sessions_take_seen(table, forget, NULL, 100), 49);
    ck_assert(sessions_complete(table));
    add(&more, "b");
    ck_assert_uint_eq(sessions_count(table), 50);
    ck_assert(!sessions_complete(table));
    ck_assert_int_eq(check_at(&more, NOW + 100), 1);
    for (int i = 0; i < 50; i++)
        ck_assert_int_eq(check_at(&t[i], NOW + 100), i != 31);

    /* All but one have expired: those go now. */
    struct session_row row = row_of("c");
    struct err err = ERR_INIT;
    row.created = row.seen = NOW + 100 + IDLE;
    ck_assert_int_eq(check_at(&t[0], NOW + 99 + IDLE), 1);
    ck_assert_int_eq(check_at(&t[0], NOW + 100 + IDLE), 1);
    ck_assert_uint_eq(sessions_take_seen(table, forget, NULL, 100), 50);
    ck_assert_int_eq(add_row(table, &more, row, &err), 0);
    ck_assert_int_eq(check_at(&t[0], NOW + 100 + IDLE), 1);
    ck_assert_uint_lt(sessions_count(table), 50);
}
END_TEST

struct seen_one {
    const unsigned char *hash;
    int64_t seen;
};

static void look_for(void *arg, const unsigned char hash[32], int64_t seen)
{
    struct seen_one *one = arg;
    if (memcmp(hash, one->hash, 32) == 0)
        one->seen = seen;
}

/* A session whose last use is only in memory makes way last; when it has to, that is told all the
 * same, and known should it come back before it was told. */
START_TEST(who_was_just_seen_makes_way_last)
{
    sessions_free(&table);
    table = table_of(20);
    struct ticket t[20], more;
    for (int i = 0; i < 20; i++)
        add(&t[i], "a");
    for (int i = 0; i < 20; i++)
        if (i != 7)
            ck_assert_int_eq(check_at(&t[i], NOW + 10 + i), 1);
    add(&more, "b");
    ck_assert(!sessions_has(table, t[7].hash));
    ck_assert_int_eq(check_at(&more, NOW + 100), 1);
    add(&more, "c");
    ck_assert_int_eq(check_at(&more, NOW + 100), 1);
    ck_assert(!sessions_has(table, t[0].hash)); /* all were just seen: it for the longest time */
    struct session_row row = row_of("a");
    struct session_view v;
    struct err err = ERR_INIT;
    memcpy(row.hash, t[0].hash, sizeof row.hash);
    row.seen = NOW + 10 - IDLE; /* the store is that late */
    const struct session_read read = {0, NOW + 100, true};
    ck_assert_int_eq(sessions_restore(table, &row, &read, &err), SESSION_HERE);
    ck_assert_int_eq(sessions_check(table, str_of(t[0].token), NOW + 100, &v), 1);

    struct seen_one last = {t[1].hash, 0}; /* it went when the other came back */
    ck_assert(!sessions_has(table, t[1].hash));
    ck_assert_uint_gt(sessions_take_seen(table, look_for, &last, 100), 0);
    ck_assert_int_eq(last.seen, NOW + 11);
}
END_TEST

/* ---- rows that come from the store later ---- */

static int restore_at(const struct session_row *row, uint64_t since, int64_t now, bool crowd_out)
{
    struct err err = ERR_INIT;
    const struct session_read read = {since, now, crowd_out};
    return sessions_restore(table, row, &read, &err);
}

static struct session_row stored(struct ticket *t, const char *account)
{
    struct session_row row = row_of(account);
    session_token_make(t->token, t->hash);
    memcpy(row.hash, t->hash, sizeof row.hash);
    return row;
}

START_TEST(rows_are_restored)
{
    struct ticket t;
    struct session_row row = stored(&t, "a");
    ck_assert(sessions_complete(table));
    sessions_loading(table);
    ck_assert(!sessions_complete(table));
    ck_assert(!sessions_has(table, t.hash));
    ck_assert_int_eq(restore_at(&row, 0, NOW, false), SESSION_HERE);
    ck_assert(sessions_has(table, t.hash));
    ck_assert_int_eq(check_at(&t, NOW + 50), 1);
    row.seen = NOW - 50; /* read before: memory knows better */
    row.name = "Old";
    ck_assert_int_eq(restore_at(&row, 0, NOW, false), SESSION_HERE);
    struct session_view v;
    ck_assert_int_eq(sessions_check(table, str_of(t.token), NOW + 60, &v), 1);
    ck_assert_str_eq(v.name, "Nelly");
    sessions_loaded(table);
    ck_assert(sessions_complete(table));
}
END_TEST

START_TEST(what_is_over_is_not_restored)
{
    struct ticket t;
    struct session_row row = stored(&t, "a");
    ck_assert_int_eq(restore_at(&row, 0, NOW + IDLE, true), SESSION_OVER);
    row.seen = NOW + ABSOLUTE - 1;
    ck_assert_int_eq(restore_at(&row, 0, NOW + ABSOLUTE, true), SESSION_OVER);
    ck_assert_uint_eq(sessions_count(table), 0);
}
END_TEST

/* The row was read, then the session ended: here first, as signing out does, or there first. */
START_TEST(an_ended_session_does_not_come_back)
{
    struct ticket t;
    struct session_row row = stored(&t, "a");
    ck_assert_int_eq(sessions_end(table, t.hash), 0); /* not in memory, and yet */
    ck_assert_int_eq(restore_at(&row, sessions_changes(table), NOW, true), SESSION_OVER);
    ck_assert_int_eq(check_at(&t, NOW), 0);
}
END_TEST

START_TEST(a_row_read_before_a_change_is_read_again)
{
    struct ticket t, other;
    struct session_row row = stored(&t, "a"), bystander = stored(&other, "b");
    const uint64_t since = sessions_changes(table);
    ck_assert_uint_eq(sessions_end_account(table, "a"), 0);
    ck_assert_int_eq(restore_at(&row, since, NOW, true), SESSION_CHANGED);
    ck_assert_int_eq(restore_at(&bystander, since, NOW, true), SESSION_HERE);
    ck_assert_int_eq(restore_at(&row, sessions_changes(table), NOW, true), SESSION_HERE);
    struct err err = ERR_INIT;
    struct session_row third = stored(&other, "a");
    const uint64_t then = sessions_changes(table);
    ck_assert_int_eq(sessions_set_roles(table, "a", "[\"admin\"]", &err), 1);
    ck_assert_int_eq(restore_at(&third, then, NOW, true), SESSION_CHANGED);
    const struct session_identity who = {"a", "discord", "80351110224678912"};
    const uint64_t grouped = sessions_changes(table);
    ck_assert_int_eq(sessions_set_groups(table, &who, "[\"staff\"]", &err), 1);
    ck_assert_int_eq(restore_at(&third, grouped, NOW, true), SESSION_CHANGED);
    /* More changes than are remembered: any of them may have been of this account. */
    struct session_row late = stored(&t, "c");
    const uint64_t before = sessions_changes(table);
    for (int i = 0; i < 1025; i++)
        sessions_changed(table, "somebody");
    ck_assert_int_eq(restore_at(&late, before, NOW, true), SESSION_CHANGED);
    ck_assert_int_eq(restore_at(&late, before + 1, NOW, true), SESSION_HERE);
}
END_TEST

/* The row was read with a role that is gone when it arrives. */
START_TEST(a_role_that_is_gone_does_not_come_back)
{
    struct ticket t;
    struct session_view v;
    struct session_row row = stored(&t, "a");
    row.roles = "[\"editor\",\"staff\"]";
    const uint64_t since = sessions_changes(table);
    sessions_forget_role(table, "staff");
    ck_assert_int_eq(restore_at(&row, since, NOW, true), SESSION_CHANGED);
    row.roles = "[\"editor\"]"; /* read again */
    ck_assert_int_eq(restore_at(&row, sessions_changes(table), NOW, true), SESSION_HERE);
    ck_assert_int_eq(sessions_check(table, str_of(t.token), NOW, &v), 1);
    ck_assert_str_eq(v.roles, "editor");
    sessions_forget_role(table, "editor"); /* of those that are here as well */
    ck_assert_int_eq(sessions_check(table, str_of(t.token), NOW, &v), 1);
    ck_assert_str_eq(v.roles, "");
}
END_TEST

START_TEST(a_full_table_leaves_rows_outside)
{
    sessions_free(&table);
    table = table_of(20);
    struct ticket t[20], more;
    for (int i = 0; i < 20; i++)
        add(&t[i], "a");
    struct session_row row = stored(&more, "b");
    sessions_loading(table);
    ck_assert_int_eq(restore_at(&row, 0, NOW, false), SESSION_NO_ROOM);
    sessions_loaded(table);
    ck_assert(!sessions_complete(table));
    ck_assert_int_eq(restore_at(&row, 0, NOW, true), SESSION_HERE);
    ck_assert_uint_eq(sessions_count(table), 20);
    ck_assert_int_eq(check_at(&more, NOW), 1);
}
END_TEST

Suite *suite_session_restore(void)
{
    Suite *s = suite_create("session_restore");
    TCase *tc = tcase_create("session_restore");
    tcase_add_checked_fixture(tc, session_setup, session_teardown);
    tcase_add_test(tc, full_makes_way_for_the_new);
    tcase_add_test(tc, who_was_just_seen_makes_way_last);
    tcase_add_test(tc, rows_are_restored);
    tcase_add_test(tc, what_is_over_is_not_restored);
    tcase_add_test(tc, an_ended_session_does_not_come_back);
    tcase_add_test(tc, a_row_read_before_a_change_is_read_again);
    tcase_add_test(tc, a_full_table_leaves_rows_outside);
    tcase_add_test(tc, a_role_that_is_gone_does_not_come_back);
    suite_add_tcase(s, tc);
    return s;
}
