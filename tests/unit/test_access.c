/* SPDX-License-Identifier: Apache-2.0 */
#include "issuer/access.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

#include "sys/seal.h"

Suite *suite_access(void);

#define NOW INT64_C(1800000000)

static struct access *t;

static void setup(void)
{
    t = access_new(1000);
}

static void teardown(void)
{
    access_free(&t);
}

static struct access_token_row row_of(int n, const char *grant, const char *account)
{
    struct access_token_row row = {.grant = grant,
                                   .app = "wiki",
                                   .account = account,
                                   .scopes = "a b",
                                   .resource = "[\"https://api.example\"]",
                                   .created = NOW,
                                   .expires = NOW + 100};
    char text[16];
    snprintf(text, sizeof text, "%d", n);
    seal_sha256(str_of(text), row.hash);
    return row;
}

static void add(const struct access_token_row *row)
{
    struct err err = ERR_INIT;
    ck_assert_msg(access_add(t, row, NOW, &err) == 0, "%s", err.text);
}

static int find(int n, int64_t now, struct access_view *v)
{
    const struct access_token_row row = row_of(n, NULL, NULL);
    return access_find(t, row.hash, now, v);
}

static bool reserve(const char *app, int64_t now)
{
    struct err err = ERR_INIT;
    const int rc = access_reserve(t, app, now, &err);
    ck_assert_int_eq(err.kind, rc == 0 ? ERR_NONE : ERR_LIMITED);
    return rc == 0;
}

START_TEST(what_was_added_is_found_until_it_expires)
{
    struct access_view v;
    struct access_token_row row = row_of(1, "g1", "acc1");
    row.more = "{\"act\":1}";
    ck_assert_int_eq(find(1, NOW, &v), 0);
    add(&row);
    ck_assert_int_eq(find(1, NOW + 99, &v), 1);
    ck_assert_str_eq(v.app, "wiki");
    ck_assert_str_eq(v.grant, "g1");
    ck_assert_str_eq(v.account, "acc1");
    ck_assert_str_eq(v.scopes, "a b");
    ck_assert_str_eq(v.resource, "[\"https://api.example\"]");
    ck_assert_str_eq(v.more, "{\"act\":1}");
    ck_assert_int_eq(v.created, NOW);
    ck_assert_int_eq(v.expires, NOW + 100);
    ck_assert(!v.ended);
    ck_assert_int_eq(find(1, NOW + 100, &v), 0);
    ck_assert_int_eq(find(2, NOW, &v), 0);
    row = row_of(2, NULL, NULL);
    add(&row);
    ck_assert_int_eq(find(2, NOW, &v), 1);
    ck_assert_ptr_null(v.grant);
    ck_assert_ptr_null(v.account);
    ck_assert_ptr_null(v.more);
}
END_TEST

/* The app that the grant is of: most often the token's own. */
START_TEST(whose_the_grant_is)
{
    struct access_view v;
    struct access_token_row row = row_of(1, "g1", "acc");
    add(&row);
    ck_assert_int_eq(find(1, NOW, &v), 1);
    ck_assert_str_eq(v.first, "wiki");
    row = row_of(2, "g1", "acc");
    row.first = "shop";
    add(&row);
    ck_assert_int_eq(find(2, NOW, &v), 1);
    ck_assert_str_eq(v.app, "wiki");
    ck_assert_str_eq(v.first, "shop");
    row = row_of(3, NULL, NULL);
    add(&row);
    ck_assert_int_eq(find(3, NOW, &v), 1);
    ck_assert_ptr_null(v.first);
}
END_TEST

START_TEST(an_end_stays_an_end)
{
    struct access_view v;
    struct access_token_row row = row_of(1, "g1", "acc1");
    add(&row);
    row.ended = NOW + 1;
    add(&row);
    ck_assert_int_eq(find(1, NOW, &v), 1);
    ck_assert(v.ended);
    row.ended = 0;
    add(&row);
    ck_assert_int_eq(find(1, NOW, &v), 1);
    ck_assert(v.ended);
    ck_assert_uint_eq(access_count(t), 1);
}
END_TEST

START_TEST(grants_and_accounts_end_with_all_they_have)
{
    struct access_view v;
    char grant[16], account[16];
    for (int i = 0; i < 300; i++) {
        snprintf(grant, sizeof grant, "g%d", i % 30);
        snprintf(account, sizeof account, "acc%d", i % 10);
        struct access_token_row row = row_of(i, grant, account);
        add(&row);
    }
    struct access_token_row machine = row_of(300, NULL, NULL);
    add(&machine);
    ck_assert_uint_eq(access_end_grant(t, "g7"), 10);
    ck_assert_uint_eq(access_end_grant(t, "g7"), 0);
    ck_assert_uint_eq(access_end_account(t, "acc7"), 20);
    ck_assert_uint_eq(access_end_account(t, "acc99"), 0);
    for (int i = 0; i < 300; i++)
        ck_assert_int_eq(find(i, NOW, &v), i % 10 != 7);
    ck_assert_int_eq(find(300, NOW, &v), 1);
    ck_assert_uint_eq(access_count(t), 271);
}
END_TEST

/* Of one grant there may be any number: each costs what the first did. */
START_TEST(many_of_one_grant)
{
    enum { MANY = 200000 };
    struct access_view v;
    access_free(&t);
    t = access_new(MANY + 10);
    for (int i = 0; i < MANY; i++) {
        const struct access_token_row row = row_of(i, i % 4 ? "g1" : "g2", i % 3 ? "acc1" : "acc2");
        add(&row);
    }
    ck_assert_uint_eq(access_end_grant(t, "g2"), MANY / 4);
    ck_assert_int_eq(find(4, NOW, &v), 0);
    ck_assert_int_eq(find(3, NOW, &v), 1);
    ck_assert_uint_eq(access_end_account(t, "acc1"), MANY / 2);
    ck_assert_int_eq(find(5, NOW, &v), 0);
    ck_assert_int_eq(find(3, NOW, &v), 1);
    ck_assert_uint_eq(access_sweep(t, NOW + 100, MANY * 4), MANY / 4);
    ck_assert_uint_eq(access_count(t), 0);
    ck_assert_uint_eq(access_end_grant(t, "g1"), 0);
    ck_assert_uint_eq(access_end_account(t, "acc2"), 0);
}
END_TEST

/* However they come and go: what ends is what belongs to it. */
START_TEST(chains_agree_with_a_plain_list)
{
    enum { N = 600, IDS = 5, ROUNDS = 20000 };
    static int grant_of[N], account_of[N]; /* 0: not there */
    unsigned seed = 1;
    for (int round = 0; round < ROUNDS; round++) {
        struct access_view v;
        char grant[8], account[8];
        size_t n = 0;
        seed = seed * 1103515245u + 12345u;
        const int i = (int)(seed >> 8) % N, id = (int)(seed >> 4) % IDS + 1;
        snprintf(grant, sizeof grant, "g%d", id);
        snprintf(account, sizeof account, "a%d", (int)(seed >> 20) % IDS + 1);
        if (round % 97 == 0) {
            for (int k = 0; k < N; k++) {
                n += grant_of[k] == id;
                grant_of[k] = grant_of[k] == id ? 0 : grant_of[k];
            }
            ck_assert_uint_eq(access_end_grant(t, grant), n);
        } else if (round % 101 == 0) {
            for (int k = 0; k < N; k++)
                if (grant_of[k] && account_of[k] == account[1] - '0') {
                    grant_of[k] = 0;
                    n++;
                }
            ck_assert_uint_eq(access_end_account(t, account), n);
        } else { /* one that is there is replaced, and may move to another grant */
            const struct access_token_row row = row_of(i, grant, account);
            add(&row);
            grant_of[i] = id;
            account_of[i] = account[1] - '0';
        }
        ck_assert_int_eq(find(i, NOW, &v), grant_of[i] != 0);
    }
    size_t left = 0;
    for (int k = 0; k < N; k++)
        left += grant_of[k] != 0;
    ck_assert_uint_eq(access_count(t), left);
    ck_assert_uint_gt(left, 0);
}
END_TEST

START_TEST(full_is_full_but_for_ends_and_the_expired)
{
    struct err err = ERR_INIT;
    struct access_view v;
    for (int i = 0; i < 1000; i++) {
        struct access_token_row row = row_of(i, NULL, NULL);
        row.expires = NOW + 10 + i % 2 * 100;
        add(&row);
    }
    struct access_token_row one = row_of(5000, NULL, NULL);
    ck_assert(!reserve("other", NOW));
    ck_assert_int_eq(access_add(t, &one, NOW, &err), -1);
    ck_assert_int_eq(err.kind, ERR_LIMITED);
    one.ended = NOW;
    add(&one);
    ck_assert_int_eq(find(5000, NOW, &v), 1);
    ck_assert(reserve("other", NOW + 10)); /* half of them are over */
    access_release(t, "other");
    for (int i = 0; i < 100; i++)
        (void)access_sweep(t, NOW + 10, 100);
    ck_assert_uint_eq(access_count(t), 501);
    for (int i = 0; i < 1000; i++)
        ck_assert_int_eq(find(i, NOW + 10, &v), i % 2);
}
END_TEST

START_TEST(a_place_that_is_kept_is_nobody_elses)
{
    struct err err = ERR_INIT;
    for (int i = 0; i < 998; i++) {
        struct access_token_row row = row_of(i, NULL, NULL);
        add(&row);
    }
    ck_assert(reserve("one", NOW) && reserve("two", NOW) && !reserve("three", NOW));
    struct access_token_row one = row_of(5000, NULL, NULL), two = row_of(5001, NULL, NULL);
    one.app = "one";
    ck_assert_int_eq(access_add(t, &one, NOW, &err), -1);
    access_release(t, "one");
    add(&one); /* whose place it was */
    ck_assert(!reserve("three", NOW));
    ck_assert_int_eq(access_add(t, &two, NOW, &err), -1);
    access_release(t, "two"); /* it came to nothing */
    add(&two);
    ck_assert(!reserve("three", NOW));
}
END_TEST

/* One app alone fills four fifths; the next finds room, and who is refused is told why. */
START_TEST(no_app_pushes_out_the_others)
{
    struct err err = ERR_INIT;
    int n = 0, others = 0;
    for (struct access_token_row row = row_of(0, NULL, NULL);
         access_offer(t, &row, NOW, &err) == 0;)
        row = row_of(++n, NULL, NULL);
    ck_assert_int_eq(n, 800);
    ck_assert_int_eq(err.kind, ERR_LIMITED);
    ck_assert_ptr_nonnull(strstr(err.text, "app wiki has 800 of 1000 access tokens"));
    ck_assert_ptr_nonnull(strstr(err.text, "max_tokens"));
    ck_assert(!reserve("wiki", NOW));
    while (reserve("shop", NOW))
        others++;
    ck_assert_int_eq(others, 160);
    ck_assert(reserve("third", NOW));
    access_release(t, "third");
    /* What is kept for it counts as well, and comes back. */
    for (; others > 0; others--)
        access_release(t, "shop");
    for (struct access_token_row row; others < 160; others++) {
        row = row_of(2000 + others, NULL, NULL);
        row.app = "shop";
        add(&row);
    }
    ck_assert(!reserve("shop", NOW));
    struct access_view v;
    ck_assert_int_eq(find(799, NOW, &v), 1);
    /* What ended, ran out or was replaced is nobody's share. */
    struct access_token_row again = row_of(1, "g1", NULL);
    add(&again);
    ck_assert_uint_eq(access_count(t), 960);
    ck_assert_uint_eq(access_end_grant(t, "g1"), 1);
    ck_assert(!reserve("wiki", NOW));
    for (int i = 0; i < 100; i++)
        (void)access_sweep(t, NOW + 100, 100);
    ck_assert_uint_eq(access_count(t), 0);
    for (n = 0; reserve("wiki", NOW + 100); n++)
        ;
    ck_assert_int_eq(n, 800);
}
END_TEST

/* So that whoever reads a row meanwhile reads it again. */
START_TEST(every_end_is_counted)
{
    const uint64_t before = access_changes(t);
    access_end_grant(t, "nobody's");
    access_end_account(t, "nobody");
    struct access_token_row row = row_of(1, NULL, NULL);
    add(&row);
    ck_assert_uint_eq(access_changes(t), before + 2);
    row.ended = NOW;
    add(&row);
    ck_assert_uint_gt(access_changes(t), before + 2);
    ck_assert(access_is_complete(t, NOW));
    access_lack(t, NOW + 10);
    ck_assert(!access_is_complete(t, NOW + 9));
    ck_assert(access_is_complete(t, NOW + 10));
}
END_TEST

/* ---- a model: whatever is done, an answer that was given stays right or is told to be over ----
 */

#define TOKENS 40
enum worth { UNKNOWN, GOOD, ENDED };
struct said {
    enum worth worth;
    char scopes[16];
};

static void look_at_all(struct said *said)
{
    struct access_view v;
    for (int n = 0; n < TOKENS; n++) {
        const int rc = find(n, NOW, &v);
        said[n].worth = rc == 0 ? UNKNOWN : v.ended ? ENDED : GOOD;
        snprintf(said[n].scopes, sizeof said[n].scopes, "%s", rc == 0 ? "" : v.scopes);
    }
}

static unsigned drawn;
static int draw(int n)
{
    drawn = drawn * 1103515245u + 12345u;
    return (int)((drawn >> 16) % (unsigned)n);
}

static struct access_token_row some_row(void)
{
    static const char *const grants[] = {NULL, "g1", "g2", "g3"};
    static const char *const accounts[] = {NULL, "a1", "a2"};
    struct access_token_row row = row_of(draw(TOKENS), grants[draw(4)], accounts[draw(3)]);
    row.scopes = draw(2) ? "a b" : "a";
    row.ended = draw(4) == 0 ? NOW : 0;
    return row;
}

static void do_add(void)
{
    const struct access_token_row row = some_row();
    add(&row);
}
static void do_offer(void)
{
    struct err err = ERR_INIT;
    const struct access_token_row row = some_row();
    ck_assert_int_eq(access_offer(t, &row, NOW, &err), 0);
}
static void do_reserve(void)
{
    ck_assert(reserve("wiki", NOW));
    access_release(t, "wiki");
}
static void do_end_grant(void)
{
    access_end_grant(t, draw(2) ? "g1" : "g2");
}
static void do_end_account(void)
{
    access_end_account(t, draw(2) ? "a1" : "a2");
}
static void do_sweep(void)
{
    access_sweep(t, NOW, 10);
}
static void do_lack(void)
{
    access_lack(t, NOW + draw(2));
}

/* All that changes a table, of access.h. */
static void (*const doings[])(void) = {do_add,         do_offer, do_reserve, do_end_grant,
                                       do_end_account, do_sweep, do_lack};

START_TEST(what_was_said_is_right_or_told_to_be_over)
{
    static struct said before[TOKENS], now[TOKENS];
    drawn = 1;
    look_at_all(before);
    for (int i = 0; i < 5000; i++) {
        const uint64_t changes = access_changes(t);
        bool over = false;
        doings[draw(sizeof doings / sizeof *doings)]();
        look_at_all(now);
        for (int n = 0; n < TOKENS; n++) {
            /* a machine's JWT is good as long as nothing is known of it */
            over |= before[n].worth != ENDED && now[n].worth == ENDED;
            over |= before[n].worth == GOOD &&
                    (now[n].worth != GOOD || strcmp(before[n].scopes, now[n].scopes) != 0);
        }
        ck_assert_msg(!over || access_changes(t) != changes, "step %d is not counted", i);
        memcpy(before, now, sizeof now);
    }
}
END_TEST

START_TEST(what_says_too_much_is_refused)
{
    static char big[20000];
    struct err err = ERR_INIT;
    struct access_token_row row = row_of(1, NULL, NULL);
    memset(big, 'x', sizeof big - 1);
    row.scopes = big;
    ck_assert_int_eq(access_add(t, &row, NOW, &err), -1);
    ck_assert_int_eq(err.kind, ERR_LIMITED);
    ck_assert_uint_eq(access_count(t), 0);
}
END_TEST

Suite *suite_access(void)
{
    Suite *s = suite_create("access");
    TCase *tc = tcase_create("all");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, what_was_added_is_found_until_it_expires);
    tcase_add_test(tc, whose_the_grant_is);
    tcase_add_test(tc, an_end_stays_an_end);
    tcase_add_test(tc, grants_and_accounts_end_with_all_they_have);
    tcase_add_test(tc, many_of_one_grant);
    tcase_add_test(tc, chains_agree_with_a_plain_list);
    tcase_add_test(tc, full_is_full_but_for_ends_and_the_expired);
    tcase_add_test(tc, a_place_that_is_kept_is_nobody_elses);
    tcase_add_test(tc, no_app_pushes_out_the_others);
    tcase_add_test(tc, every_end_is_counted);
    tcase_add_test(tc, what_was_said_is_right_or_told_to_be_over);
    tcase_add_test(tc, what_says_too_much_is_refused);
    suite_add_tcase(s, tc);
    return s;
}
