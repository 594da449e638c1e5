/* SPDX-License-Identifier: Apache-2.0 */
#include "session_fixture.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "session/chain.h"
#include "sys/random.h"

Suite *suite_session(void);

START_TEST(a_check_tells_who_it_is)
{
    struct ticket t;
    struct session_view v;
    add(&t, "account-1");
    ck_assert_int_eq(sessions_check(table, str_of(t.token), NOW + 5, &v), 1);
    ck_assert_mem_eq(v.hash, t.hash, 32);
    ck_assert_str_eq(v.account, "account-1");
    ck_assert_str_eq(v.header_user, "account-1");
    ck_assert_str_eq(v.provider, "discord");
    ck_assert_str_eq(v.header_provider, "discord");
    ck_assert_str_eq(v.subject, "80351110224678912");
    ck_assert_str_eq(v.name, "Nelly");
    ck_assert_str_eq(v.header_email, "nelly@example.com");
    ck_assert_str_eq(v.username, "");
    ck_assert_int_eq(v.seen, NOW + 5);
    ck_assert_int_eq(v.created, NOW);
    ck_assert_int_eq(v.ends, NOW + ABSOLUTE);
    ck_assert_uint_eq(sessions_count(table), 1);
}
END_TEST

/* SESS-05 */
START_TEST(any_changed_character_is_somebody_else)
{
    struct ticket t;
    add(&t, "a");
    for (int i = 0; i < SESSION_TOKEN_LEN; i++) {
        for (int c = 1; c < 256; c++) {
            struct ticket changed = t;
            if ((char)c == t.token[i])
                continue;
            changed.token[i] = (char)c;
            ck_assert_int_eq(check_at(&changed, NOW), 0);
        }
    }
    struct session_view v;
    char longer[SESSION_TOKEN_LEN + 2];
    snprintf(longer, sizeof longer, "%sA", t.token);
    ck_assert_int_eq(sessions_check(table, str_of(longer), NOW, &v), 0);
    ck_assert_int_eq(sessions_check(table, (struct str){t.token, 42}, NOW, &v), 0);
    ck_assert_int_eq(sessions_check(table, (struct str){"", 0}, NOW, &v), 0);
    ck_assert_int_eq(sessions_check(table, (struct str){(const char *)t.hash, 32}, NOW, &v), 0);
    ck_assert_int_eq(check_at(&t, NOW), 1);
}
END_TEST

/* SESS-09: 256 random bits; only the hash is anywhere. */
START_TEST(tokens_are_random_and_only_hashes_are_kept)
{
    enum { MANY = 2000 };
    static struct ticket t[MANY];
    unsigned seen_at[SESSION_TOKEN_LEN] = {0};
    for (int i = 0; i < MANY; i++) {
        unsigned char raw[32], hash[32];
        size_t n;
        session_token_make(t[i].token, t[i].hash);
        ck_assert_uint_eq(strlen(t[i].token), SESSION_TOKEN_LEN);
        ck_assert(text_b64url_decode(str_of(t[i].token), raw, sizeof raw, &n) && n == 32);
        session_token_hash(str_of(t[i].token), hash);
        ck_assert_mem_eq(hash, t[i].hash, 32);
        ck_assert_mem_ne(raw, t[i].hash, 32);
        for (int k = 0; k < SESSION_TOKEN_LEN; k++)
            seen_at[k] += t[i].token[k] != t[0].token[k];
        for (int k = 0; k < i; k++)
            ck_assert_str_ne(t[i].token, t[k].token);
    }
    for (int k = 0; k < SESSION_TOKEN_LEN; k++)
        ck_assert_uint_gt(seen_at[k], MANY / 2);
}
END_TEST

/* SESS-10, SESS-13 */
START_TEST(an_ended_session_is_over_at_once)
{
    struct ticket a, b;
    add(&a, "a");
    add(&b, "a");
    ck_assert_int_eq(check_at(&a, NOW), 1);
    ck_assert_int_eq(sessions_end(table, a.hash), 1);
    ck_assert_int_eq(check_at(&a, NOW), 0);
    ck_assert_int_eq(sessions_end(table, a.hash), 0);
    ck_assert_int_eq(check_at(&b, NOW), 1);
}
END_TEST

/* SESS-16: each check is a sign of life, to the second. */
START_TEST(idle_limit_is_exact)
{
    struct ticket t;
    add(&t, "a");
    ck_assert_int_eq(check_at(&t, NOW + IDLE - 1), 1);
    ck_assert_int_eq(check_at(&t, NOW + 2 * IDLE - 2), 1);
    ck_assert_int_eq(check_at(&t, NOW + 3 * IDLE - 2), 0);

    struct ticket u;
    struct err err = ERR_INIT;
    struct session_row row = row_of("b");
    row.created = row.seen = NOW + 4 * IDLE;
    row.ends = row.created + ABSOLUTE;
    ck_assert_int_eq(add_row(table, &u, row, &err), 0);
    ck_assert_int_eq(check_at(&u, NOW + 5 * IDLE), 0);
}
END_TEST

/* SESS-17 */
START_TEST(absolute_limit_holds_for_the_busy)
{
    struct ticket t;
    add(&t, "a");
    for (int64_t now = NOW; now < NOW + ABSOLUTE; now += IDLE / 2)
        ck_assert_int_eq(check_at(&t, now), 1);
    ck_assert_int_eq(check_at(&t, NOW + ABSOLUTE - 1), 1);
    ck_assert_int_eq(check_at(&t, NOW + ABSOLUTE), 0);
    ck_assert_int_eq(check_at(&t, NOW + ABSOLUTE + 1), 0);
}
END_TEST

/* SESS-17: a limit that was shortened holds for the sessions that are there. */
START_TEST(a_row_cannot_outlive_the_configured_limit)
{
    struct ticket t;
    struct session_view v;
    struct err err = ERR_INIT;
    struct session_row row = row_of("a");
    row.ends = NOW + 10 * ABSOLUTE;
    ck_assert_int_eq(add_row(table, &t, row, &err), 0);
    ck_assert_int_eq(sessions_check(table, str_of(t.token), NOW, &v), 1);
    ck_assert_int_eq(v.ends, NOW + ABSOLUTE);
}
END_TEST

/* SESS-19, SESS-20 */
START_TEST(a_clock_set_back_revives_nothing)
{
    struct ticket old, fresh;
    add(&old, "a");
    ck_assert_int_eq(check_at(&old, NOW + ABSOLUTE), 0);
    ck_assert_int_eq(check_at(&old, NOW + 10), 0);
    ck_assert_int_eq(check_at(&old, NOW - ABSOLUTE), 0);

    /* What would be over at once is refused loudly, not signed in and out again. */
    struct err err = ERR_INIT;
    ck_assert_int_eq(add_row(table, &fresh, row_of("a"), &err), -1);
    ck_assert_ptr_nonnull(strstr(err.text, "clock"));

    /* A small step back harms nobody. */
    struct session_row row = row_of("a");
    row.created = row.seen = NOW + ABSOLUTE - 5;
    row.ends = row.created + ABSOLUTE;
    err_clear(&err);
    ck_assert_int_eq(add_row(table, &fresh, row, &err), 0);
    ck_assert_int_eq(check_at(&fresh, NOW + ABSOLUTE - 5), 1);
}
END_TEST

/* SESS-20: expired and not yet swept is expired, for every way to ask. */
START_TEST(expired_before_the_sweep)
{
    struct ticket t;
    add(&t, "a");
    ck_assert_uint_eq(sessions_count(table), 1);
    ck_assert_int_eq(check_at(&t, NOW + IDLE), 0);
    ck_assert_uint_eq(sessions_count(table), 1);
    size_t went = 0;
    for (int i = 0; i < 10; i++)
        went += sessions_sweep(table, NOW + IDLE, 20);
    ck_assert_uint_eq(went, 1);
    ck_assert_uint_eq(sessions_count(table), 0);
    ck_assert_int_eq(sessions_end(table, t.hash), 0);
}
END_TEST

/* SESS-21: past 2038, past 2^53, and at the end of 64 bits. */
START_TEST(times_are_64_bits_wide)
{
    static const int64_t at[] = {INT64_C(2147483648), INT64_C(4294967296),
                                 INT64_C(9007199254740993), INT64_MAX - ABSOLUTE - 10};
    for (size_t i = 0; i < sizeof at / sizeof *at; i++) {
        struct ticket t;
        struct session_view v;
        struct err err = ERR_INIT;
        struct session_row row = row_of("a");
        row.created = row.seen = at[i];
        row.ends = at[i] + ABSOLUTE;
        ck_assert_int_eq(add_row(table, &t, row, &err), 0);
        ck_assert_int_eq(sessions_check(table, str_of(t.token), at[i] + IDLE - 1, &v), 1);
        ck_assert_int_eq(v.ends, at[i] + ABSOLUTE);
        ck_assert_int_eq(v.seen, at[i] + IDLE - 1);
    }
    struct ticket t;
    struct err err = ERR_INIT;
    struct session_row row = row_of("a");
    row.created = row.seen = row.ends = INT64_MAX;
    ck_assert_int_eq(add_row(table, &t, row, &err), 0);
    ck_assert_int_eq(check_at(&t, INT64_MAX - 1), 1);
    ck_assert_int_eq(check_at(&t, INT64_MAX), 0);
}
END_TEST

START_TEST(sign_out_everywhere_else)
{
    struct ticket mine[5], other;
    for (int i = 0; i < 5; i++)
        add(&mine[i], "me");
    add(&other, "other");
    struct session_view v;
    ck_assert_int_eq(sessions_check(table, str_of(mine[2].token), NOW, &v), 1);
    ck_assert_uint_eq(sessions_end_others(table, "me", v.hash), 4);
    for (int i = 0; i < 5; i++)
        ck_assert_int_eq(check_at(&mine[i], NOW), i == 2);
    ck_assert_int_eq(check_at(&other, NOW), 1);
    ck_assert_uint_eq(sessions_end_others(table, "me", v.hash), 0);
    /* Somebody else's does not save any. */
    ck_assert_int_eq(sessions_check(table, str_of(other.token), NOW, &v), 1);
    ck_assert_uint_eq(sessions_end_others(table, "me", v.hash), 1);
    ck_assert_uint_eq(sessions_count(table), 1);
}
END_TEST

/* SESS-23: a cookie that was replaced at a new sign-in keeps nothing alive. */
START_TEST(an_old_cookie_does_not_keep_the_new_session)
{
    struct ticket old, new;
    add(&old, "me");
    add(&new, "me");
    ck_assert_int_eq(sessions_end(table, old.hash), 1); /* as the new sign-in does */
    for (int i = 1; i < 10; i++)
        ck_assert_int_eq(check_at(&old, NOW + i * IDLE / 10), 0);
    ck_assert_int_eq(check_at(&new, NOW + IDLE), 0);
}
END_TEST

/* SESS-22: bounded for one person, and all gone in one call. */
START_TEST(sign_out_everywhere)
{
    enum { MANY = 10000 };
    struct sessions_options o = {.idle_seconds = IDLE, .max = 100000, .max_per_account = MANY};
    sessions_free(&table);
    table = sessions_new(&o);
    static struct ticket mine[MANY], others[100];
    for (int i = 0; i < MANY; i++) {
        add(&mine[i], "me");
        if (i % 100 == 0) {
            char account[16];
            snprintf(account, sizeof account, "other%d", i);
            add(&others[i / 100], account);
        }
    }
    struct ticket more;
    struct err err = ERR_INIT;
    ck_assert_int_eq(add_row(table, &more, row_of("me"), &err), -1);
    ck_assert_int_eq(err.kind, ERR_LIMITED);

    ck_assert_uint_eq(sessions_end_account(table, "me"), MANY);
    for (int i = 0; i < MANY; i++)
        ck_assert_int_eq(check_at(&mine[i], NOW), 0);
    for (int i = 0; i < 100; i++)
        ck_assert_int_eq(check_at(&others[i], NOW), 1);
    ck_assert_uint_eq(sessions_end_account(table, "me"), 0);
    ck_assert_uint_eq(sessions_count(table), 100);
    add(&more, "me");
}
END_TEST

static void count_seen(void *arg, const unsigned char hash[32], int64_t seen)
{
    (void)hash;
    int64_t *sum = arg;
    sum[0]++;
    sum[1] += seen - NOW;
}

static void ignore_seen(void *arg, const unsigned char hash[32], int64_t seen)
{
    (void)arg, (void)hash, (void)seen;
}

START_TEST(groups_follow_the_identity)
{
    struct ticket t[3];
    struct session_view v;
    struct err err = ERR_INIT;
    const struct session_identity who = {"a", "discord", "80351110224678912"};
    struct session_row other = row_of("a");
    other.subject = "1";
    struct session_row proven = row_of("a");
    proven.auth_time = NOW - 3;
    ck_assert_int_eq(add_row(table, &t[0], proven, &err), 0);
    add(&t[1], "a");
    ck_assert_int_eq(add_row(table, &t[2], other, &err), 0);
    ck_assert_int_eq(check_at(&t[0], NOW + 5), 1);
    const size_t bytes = sessions_bytes(table);
    ck_assert_int_eq(sessions_set_groups(table, &who, "[\"discord:1\"]", &err), 2);
    ck_assert_int_eq(sessions_set_groups(table, &who, "[\"discord:1\"]", &err), 0);
    ck_assert_uint_gt(sessions_bytes(table), bytes);
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(sessions_check(table, str_of(t[i].token), NOW + 6, &v), 1);
        ck_assert_str_eq(v.header_groups, i < 2 ? "discord:1" : "");
        ck_assert_str_eq(v.groups, i < 2 ? "[\"discord:1\"]" : "");
        ck_assert_str_eq(v.name, "Nelly");
        ck_assert_str_eq(v.provider, "discord");
        ck_assert_int_eq(v.ends, NOW + ABSOLUTE);
        ck_assert_int_eq(v.auth_time, i == 0 ? NOW - 3 : 0);
    }
    ck_assert_uint_eq(sessions_take_seen(table, ignore_seen, NULL, 10), 3); /* none twice */
    ck_assert_int_eq(sessions_set_groups(table, &who, "{}", &err), -1);
    ck_assert_int_eq(sessions_set_groups(table, &who, NULL, &err), 2);
    ck_assert_int_eq(sessions_check(table, str_of(t[0].token), NOW + 7, &v), 1);
    ck_assert_str_eq(v.header_groups, "");
    ck_assert_uint_eq(sessions_count(table), 3);
    ck_assert_uint_eq(sessions_end_account(table, "a"), 3);
}
END_TEST

START_TEST(seen_is_told_once)
{
    struct ticket t[10];
    int64_t sum[2] = {0, 0};
    for (int i = 0; i < 10; i++)
        add(&t[i], "a");
    for (int i = 0; i < 8; i++) {
        check_at(&t[i], NOW + 1);
        check_at(&t[i], NOW + 7);
    }
    ck_assert_int_eq(sessions_end(table, t[3].hash), 1); /* nothing to tell any more */
    ck_assert_int_eq(sessions_end(table, t[9].hash), 1);
    ck_assert_uint_eq(sessions_take_seen(table, count_seen, sum, 5), 5);
    ck_assert_uint_eq(sessions_take_seen(table, count_seen, sum, 5), 2);
    ck_assert_uint_eq(sessions_take_seen(table, count_seen, sum, 5), 0);
    ck_assert_int_eq(sum[0], 7);
    ck_assert_int_eq(sum[1], 49);
    check_at(&t[0], NOW + 8);
    ck_assert_uint_eq(sessions_take_seen(table, count_seen, sum, 5), 1);
    ck_assert_int_eq(sum[1], 49 + 8);
}
END_TEST

START_TEST(the_same_row_twice_is_one_session)
{
    struct ticket t;
    struct err err = ERR_INIT;
    struct session_row row = row_of("a");
    add(&t, "a");
    memcpy(row.hash, t.hash, 32);
    row.name = "Nelly the Second";
    ck_assert_int_eq(sessions_add(table, &row, &err), 0);
    struct session_view v;
    ck_assert_int_eq(sessions_check(table, str_of(t.token), NOW, &v), 1);
    ck_assert_str_eq(v.name, "Nelly the Second");
    ck_assert_uint_eq(sessions_count(table), 1);
    ck_assert_uint_eq(sessions_end_account(table, "a"), 1);
}
END_TEST

/* Everything at random against a plain array that does the same. */
START_TEST(agrees_with_a_simple_model)
{
    enum { MANY = 3000, STEPS = 30000, PEOPLE = 40 };
    static struct ticket t[MANY];
    static int owner[MANY]; /* 0: no session */
    size_t live = 0;
    for (int step = 0; step < STEPS; step++) {
        uint32_t dice[3];
        rng_fill(dice, sizeof dice);
        uint32_t i = dice[0] % MANY;
        if (dice[1] % 1000 == 0) {
            char account[16];
            int who = (int)(dice[2] % PEOPLE) + 1;
            size_t n = 0;
            for (int k = 0; k < MANY; k++) {
                if (owner[k] == who) {
                    owner[k] = 0;
                    n++;
                }
            }
            snprintf(account, sizeof account, "person%d", who);
            ck_assert_uint_eq(sessions_end_account(table, account), n);
            live -= n;
        } else if (owner[i]) {
            ck_assert_int_eq(check_at(&t[i], NOW), 1);
            if (dice[1] % 3 == 0) {
                ck_assert_int_eq(sessions_end(table, t[i].hash), 1);
                owner[i] = 0;
                live--;
            }
        } else {
            char account[16];
            if (t[i].token[0])
                ck_assert_int_eq(check_at(&t[i], NOW), 0);
            owner[i] = (int)(dice[2] % PEOPLE) + 1;
            snprintf(account, sizeof account, "person%d", owner[i]);
            add(&t[i], account);
            live++;
        }
        ck_assert_uint_eq(sessions_count(table), live);
    }
    for (int i = 0; i < MANY; i++)
        if (t[i].token[0])
            ck_assert_int_eq(check_at(&t[i], NOW), owner[i] != 0);
}
END_TEST

START_TEST(memory_is_accounted_for)
{
    size_t empty = sessions_bytes(table);
    struct ticket t[1000];
    for (int i = 0; i < 1000; i++) {
        char account[24];
        snprintf(account, sizeof account, "account-number-%06d", i);
        add(&t[i], account);
    }
    size_t each = (sessions_bytes(table) - empty) / 1000;
    ck_assert_uint_gt(each, sizeof(struct record));
    ck_assert_uint_le(each, 400);
    for (int i = 0; i < 1000; i++)
        sessions_end(table, t[i].hash);
    ck_assert_uint_le(sessions_bytes(table), empty + 1000 * 64);
}
END_TEST

static struct session_view seen_as(const struct ticket *t)
{
    struct session_view v;
    ck_assert_int_eq(sessions_check(table, (struct str){t->token, SESSION_TOKEN_LEN}, NOW, &v), 1);
    return v;
}

START_TEST(roles_count_at_once)
{
    struct ticket mine, mine_too, yours;
    struct err err = ERR_INIT;
    struct session_row row = row_of("me");
    row.roles = "[\"staff\"]";
    ck_assert_int_eq(add_row(table, &mine, row, &err), 0);
    ck_assert_int_eq(add_row(table, &mine_too, row, &err), 0);
    add(&yours, "you");
    const uint32_t before = seen_as(&mine).stamp, other = seen_as(&yours).stamp;
    ck_assert_str_eq(seen_as(&mine).roles, "staff");
    ck_assert_str_eq(seen_as(&mine).permissions, "");
    ck_assert_str_eq(seen_as(&yours).roles, "");

    ck_assert_int_eq(rights_define(sessions_rights(table), "staff", "[\"read\"]", &err), 0);
    ck_assert_str_eq(seen_as(&mine).permissions, "read");
    const uint32_t defined = seen_as(&mine).stamp;
    ck_assert_uint_gt(defined, before);

    ck_assert_int_eq(sessions_set_roles(table, "me", "[\"staff\",\"admin\"]", &err), 2);
    ck_assert_str_eq(seen_as(&mine).roles, "admin,staff");
    ck_assert_str_eq(seen_as(&mine_too).roles, "admin,staff");
    ck_assert_uint_gt(seen_as(&mine_too).stamp, defined);

    ck_assert_int_eq(sessions_set_roles(table, "me", "{}", &err), -1);
    ck_assert_str_eq(seen_as(&mine).roles, "admin,staff");
    ck_assert_int_eq(sessions_set_roles(table, "me", NULL, &err), 2);
    ck_assert_str_eq(seen_as(&mine).roles, "");
    ck_assert_str_eq(seen_as(&mine).permissions, "");
    ck_assert_int_eq(sessions_set_roles(table, "nobody", "[\"staff\"]", &err), 0);

    ck_assert_str_eq(seen_as(&yours).roles, "");
    ck_assert_uint_eq(seen_as(&yours).stamp, other);
    ck_assert_uint_eq(rights_sets(sessions_rights(table)), 0);
}
END_TEST

/* A row that comes again may say something else: what was kept of the session is not its. */
START_TEST(told_again_is_another_stamp)
{
    struct ticket t;
    struct err err = ERR_INIT;
    struct session_row row = row_of("me");
    row.roles = "[\"staff\"]";
    ck_assert_int_eq(add_row(table, &t, row, &err), 0);
    const uint32_t before = seen_as(&t).stamp;
    memcpy(row.hash, t.hash, sizeof row.hash);
    row.roles = NULL;
    ck_assert_int_eq(sessions_add(table, &row, &err), 0);
    ck_assert_uint_gt(seen_as(&t).stamp, before);
    ck_assert_uint_eq(rights_sets(sessions_rights(table)), 0);

    row.roles = "[\"No\"]";
    ck_assert_int_eq(sessions_add(table, &row, &err), -1);
    ck_assert_uint_eq(sessions_count(table), 0);
}
END_TEST

Suite *suite_session(void)
{
    Suite *s = suite_create("session");
    TCase *tc = tcase_create("session");
    tcase_add_checked_fixture(tc, session_setup, session_teardown);
    tcase_add_test(tc, a_check_tells_who_it_is);
    tcase_add_test(tc, any_changed_character_is_somebody_else);
    tcase_add_test(tc, tokens_are_random_and_only_hashes_are_kept);
    tcase_add_test(tc, an_ended_session_is_over_at_once);
    tcase_add_test(tc, idle_limit_is_exact);
    tcase_add_test(tc, absolute_limit_holds_for_the_busy);
    tcase_add_test(tc, a_row_cannot_outlive_the_configured_limit);
    tcase_add_test(tc, a_clock_set_back_revives_nothing);
    tcase_add_test(tc, expired_before_the_sweep);
    tcase_add_test(tc, times_are_64_bits_wide);
    tcase_add_test(tc, sign_out_everywhere_else);
    tcase_add_test(tc, an_old_cookie_does_not_keep_the_new_session);
    tcase_add_test(tc, sign_out_everywhere);
    tcase_add_test(tc, groups_follow_the_identity);
    tcase_add_test(tc, seen_is_told_once);
    tcase_add_test(tc, the_same_row_twice_is_one_session);
    tcase_add_test(tc, agrees_with_a_simple_model);
    tcase_add_test(tc, memory_is_accounted_for);
    tcase_add_test(tc, roles_count_at_once);
    tcase_add_test(tc, told_again_is_another_stamp);
    suite_add_tcase(s, tc);
    return s;
}
