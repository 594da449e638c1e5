/* SPDX-License-Identifier: Apache-2.0 */
#include "login/link.h"

#include <stdio.h>

#include "base/json.h"
#include "store_fixture.h"

#define NOW 1800000000

static struct store_fixture sx;
static struct arena *arena;

static void setup(void)
{
    store_fixture_open(&sx);
    arena = arena_new();
}

static void teardown(void)
{
    arena_free(&arena);
    store_fixture_close(&sx);
}

static const struct drive_identity ada = {.subject = "42",
                                          .email = "ada@a.example",
                                          .username = "ada",
                                          .name = "Ada",
                                          .picture = "https://a.example/ada.png",
                                          .locale = "en",
                                          .email_evidence = USHER_EVIDENCE_PROVIDER_ASSERTED};

static struct link filled(const char *provider, const struct drive_identity *id)
{
    static unsigned char next;
    static unsigned char flow[16];
    struct link l = {.flow = flow, .flow_expires = NOW + 600};
    link_fill(&l, provider, id, arena);
    memset(flow, ++next, sizeof flow);
    memset(l.row.hash, next, sizeof l.row.hash);
    l.row.id = arena_printf(arena, "session-%d", next);
    l.row.created = l.row.seen = NOW;
    l.row.ends = NOW + 3600;
    return l;
}

static int write_one(struct db *db, void *arg, struct err *err)
{
    return link_write(db, arg, err);
}

static void write_well(struct link *l)
{
    struct err err = ERR_INIT;
    ck_assert_msg(store_write_now(sx.store, write_one, l, &err) == STORE_DONE, "%s", err.text);
}

static int64_t rows(const char *table)
{
    return store_fixture_number(&sx, arena_printf(arena, "SELECT count(*) FROM %s", table));
}

/* ---- filling ---- */

START_TEST(fills_profile_and_row)
{
    static const char *const groups[] = {"staff", "a \"b\"", NULL}, *const amr[] = {"pwd", "otp",
                                                                                    NULL};
    struct drive_identity id = ada;
    id.groups = groups;
    id.amr = amr;
    const struct link l = filled("fake", &id);
    ck_assert_str_eq(l.profile.provider, "fake");
    ck_assert_str_eq(l.profile.subject, "42");
    ck_assert_str_eq(l.profile.locale, "en");
    ck_assert_int_eq(l.profile.email_evidence, USHER_EVIDENCE_PROVIDER_ASSERTED);
    ck_assert_str_eq(l.row.subject, "42");
    ck_assert_str_eq(l.row.name, "Ada");
    ck_assert_str_eq(l.row.groups, "[\"fake:staff\",\"fake:a \\\"b\\\"\"]");
    ck_assert_str_eq(l.profile.groups, l.row.groups);
    ck_assert_str_eq(l.row.amr, "pwd otp");
    ck_assert_uint_eq(l.groups_left_out, 0);
}
END_TEST

START_TEST(nothing_known_is_nothing)
{
    static const char *const none[] = {NULL};
    struct drive_identity id = {.subject = "42"};
    struct link l = filled("fake", &id);
    ck_assert_ptr_null(l.row.groups);
    ck_assert_ptr_null(l.row.amr);
    ck_assert_ptr_null(l.row.email);
    id.groups = id.amr = none;
    l = filled("fake", &id);
    ck_assert_ptr_null(l.row.groups);
    ck_assert_ptr_null(l.row.amr);
    write_well(&l);
}
END_TEST

/* DOS-09: what does not fit is left out and counted; what is there is whole. */
START_TEST(groups_beyond_the_limit)
{
    const char *groups[601];
    struct err err = ERR_INIT;
    struct drive_identity id = ada;
    for (int i = 0; i < 600; i++)
        groups[i] = arena_printf(arena, "\"group\\%03d", i);
    groups[600] = NULL;
    id.groups = groups;
    struct link l = filled("fake", &id);
    ck_assert_uint_gt(l.groups_left_out, 0);
    ck_assert_uint_le(strlen(l.row.groups), LINK_GROUPS_MAX);
    struct jval *list = jval_parse(str_of(l.row.groups), JSON_SIZE_MAX, 4, &err);
    ck_assert_ptr_nonnull(list);
    ck_assert_uint_eq(jval_count(list) + l.groups_left_out, 600);
    ck_assert_str_eq(jval_text(jval_item(list, 0)), "fake:\"group\\000");
    jval_free(&list);

    char *longest = arena_alloc(arena, LINK_GROUPS_MAX + 1);
    memset(longest, 'x', LINK_GROUPS_MAX);
    const char *const one[] = {longest, NULL};
    id.groups = one;
    l = filled("fake", &id);
    ck_assert_ptr_null(l.row.groups);
    ck_assert_uint_eq(l.groups_left_out, 1);
}
END_TEST

/* ---- writing ---- */

START_TEST(writes_all_of_it)
{
    struct link l = filled("fake", &ada), again = filled("fake", &ada);
    write_well(&l);
    ck_assert(l.account.created);
    ck_assert_int_eq(rows("account"), 1);
    ck_assert_int_eq(rows("identity"), 1);
    ck_assert_int_eq(rows("session"), 1);
    ck_assert_int_eq(rows("spent"), 1);
    again.profile.name = "Ada L.";
    write_well(&again);
    ck_assert(!again.account.created);
    ck_assert_str_eq(again.account.id, l.account.id);
    ck_assert_int_eq(rows("account"), 1);
    ck_assert_int_eq(rows("session"), 2);
    ck_assert_int_eq(rows("identity WHERE name = 'Ada L.'"), 1);
}
END_TEST

/* ACCT-03, ACCT-05: provider and subject, both exact, and nothing else. */
START_TEST(who_is_who)
{
    struct drive_identity other = ada, number = ada;
    other.subject = "43";
    number.subject = "042";
    struct link l[] = {filled("fake", &ada), filled("fake", &other), filled("fake", &number),
                       filled("toy", &ada)};
    for (size_t i = 0; i < 4; i++)
        write_well(&l[i]);
    ck_assert_int_eq(rows("account"), 4);
}
END_TEST

START_TEST(replaces_the_old_session)
{
    struct link old = filled("fake", &ada), next = filled("fake", &ada);
    write_well(&old);
    next.ends_session = old.row.hash;
    write_well(&next);
    ck_assert_int_eq(rows("session"), 1);
    next.ends_session = old.row.hash; /* gone already: no reason to fail */
    memset(next.row.hash, 99, sizeof next.row.hash);
    write_well(&next);
}
END_TEST

/* Refused or broken half way, nothing of it stays. */
START_TEST(all_or_nothing)
{
    struct err err = ERR_INIT;
    struct drive_identity other = ada;
    other.subject = "43";
    struct link first = filled("fake", &ada), clash = filled("fake", &other);
    write_well(&first);
    memcpy(clash.row.hash, first.row.hash, sizeof clash.row.hash);
    ck_assert_int_eq(store_write_now(sx.store, write_one, &clash, &err), STORE_FAILED);
    ck_assert_int_eq(rows("account"), 1);
    ck_assert_int_eq(rows("spent"), 1);

    store_fixture_sql(&sx, "UPDATE account SET disabled_since = 1");
    struct link refused = filled("fake", &ada);
    refused.ends_session = first.row.hash;
    err_clear(&err);
    ck_assert_int_eq(store_write_now(sx.store, write_one, &refused, &err), STORE_FAILED);
    ck_assert_int_eq(err.kind, ERR_NOT_ALLOWED);
    ck_assert_int_eq(rows("session"), 1);
    ck_assert_int_eq(rows("spent"), 1);
}
END_TEST

Suite *suite_link(void);
Suite *suite_link(void)
{
    Suite *s = suite_create("link");
    TCase *tc = tcase_create("link");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, fills_profile_and_row);
    tcase_add_test(tc, nothing_known_is_nothing);
    tcase_add_test(tc, groups_beyond_the_limit);
    tcase_add_test(tc, writes_all_of_it);
    tcase_add_test(tc, who_is_who);
    tcase_add_test(tc, replaces_the_old_session);
    tcase_add_test(tc, all_or_nothing);
    suite_add_tcase(s, tc);
    return s;
}
