/* SPDX-License-Identifier: Apache-2.0 */
/* Accounts and the identities that lead to them: what they promise, on every backend. */
#include <stdio.h>
#include <string.h>

#include "kit.h"

/* ---- accounts -----------------------------------------------------------------------------------
 */

struct sign_in {
    struct account_profile profile;
    int64_t at;
    struct account out;
};

static int sign_in(struct db *db, void *arg, struct err *err)
{
    struct sign_in *s = arg;
    return account_sign_in(db, &s->profile, s->at, &s->out, err);
}

static struct account of(const char *provider, const char *subject, const char *email)
{
    struct sign_in s = {.profile = {.provider = provider, .subject = subject, .email = email},
                        .at = NOW};
    kit_write(sign_in, &s);
    ck_assert_uint_eq(strlen(s.out.id), 22);
    return s.out;
}

START_TEST(the_same_identity_is_the_same_account)
{
    struct account first = of("google", "1", "a@example.com"), again = of("google", "1", NULL);
    ck_assert(first.created);
    ck_assert(!again.created);
    ck_assert(!first.disabled && !again.disabled);
    ck_assert_str_eq(first.id, again.id);
    ck_assert_int_eq(kit_number("SELECT count(*) FROM account"), 1);
}
END_TEST

/* DB-13: exact text, whatever it looks like. */
START_TEST(subjects_are_exact_text)
{
    static char long_a[256], long_b[256];
    memset(long_a, 'x', 255);
    memset(long_b, 'x', 255);
    long_b[254] = 'y';
    const char *const subjects[] = {
        "0123",
        "123",
        "123.0",
        "1.23e2",
        " 123",
        "123 ",
        "+123",
        "-0",
        "0",
        "00",
        "110169484474386276334",
        "110169484474386276335",
        "Alice",
        "alice",
        "ALICE",
        "\xc3\xa9",
        "\xc3\x89",
        "e\xcc\x81",
        "a",
        "a\t",
        "%",
        "_",
        "NULL",
        "null",
        "''",
        long_a,
        long_b,
    };
    enum { N = sizeof subjects / sizeof *subjects };
    struct account made[N];
    for (size_t i = 0; i < N; i++) {
        made[i] = of("google", subjects[i], NULL);
        ck_assert_msg(made[i].created, "%s", subjects[i]);
        for (size_t k = 0; k < i; k++)
            ck_assert_str_ne(made[i].id, made[k].id);
    }
    for (size_t i = 0; i < N; i++) {
        struct account again = of("google", subjects[i], NULL);
        ck_assert(!again.created);
        ck_assert_str_eq(again.id, made[i].id);
    }
    ck_assert_int_eq(kit_number("SELECT count(*) FROM account"), N);
}
END_TEST

/* DB-13: 256 bytes and none are refused, never cut. */
START_TEST(subjects_have_a_length)
{
    static char too_long[257];
    memset(too_long, 'x', 256);
    const char *const wrong[] = {too_long, "", NULL};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct sign_in s = {.profile = {.provider = "google", .subject = wrong[i]}, .at = NOW};
        ck_assert_int_eq(kit_write_fails(sign_in, &s).kind, ERR_UPSTREAM_BAD);
    }
    struct sign_in s = {.profile = {.provider = "", .subject = "1"}, .at = NOW};
    kit_write_fails(sign_in, &s);
    ck_assert_int_eq(kit_number("SELECT count(*) FROM account"), 0);
}
END_TEST

/* ACCT-01, ACCT-03, ACCT-05, ACCT-06, ACCT-22 */
START_TEST(only_provider_and_subject_select_an_account)
{
    struct account a = of("google", "1", "victim@example.com");
    struct account b = of("discord", "1", "victim@example.com");
    struct account c = of("google", "2", "victim@example.com");
    ck_assert(a.created && b.created && c.created);
    ck_assert_str_ne(a.id, b.id);
    ck_assert_str_ne(a.id, c.id);
    /* No e-mail, or an empty one, is nobody's in particular. */
    struct account d = of("discord", "3", NULL), e = of("discord", "4", NULL),
                   f = of("discord", "5", "");
    ck_assert(d.created && e.created && f.created);
    /* Another e-mail later on: still the same person. */
    ck_assert_str_eq(of("google", "1", "new@example.com").id, a.id);
}
END_TEST

static int look_profile(struct db *db, void *arg, struct err *err)
{
    (void)arg;
    struct db_stmt *st =
        db_query(db, "SELECT username, name, email, email_evidence, picture, locale, "
                     "group_names, first_seen, last_seen FROM identity");
    ck_assert_int_eq(db_step(st, err), 1);
    ck_assert(db_col_null(st, 0));
    ck_assert_str_eq(db_col_text(st, 1), "New Name");
    ck_assert_str_eq(db_col_text(st, 2), "new@example.com");
    ck_assert_int_eq(db_col_int(st, 3), 3);
    ck_assert_str_eq(db_col_text(st, 4), "https://p.example/1.png");
    ck_assert_str_eq(db_col_text(st, 5), "fr");
    ck_assert_str_eq(db_col_text(st, 6), "[\"google:x\"]");
    ck_assert_int_eq(db_col_int(st, 7), NOW);
    ck_assert_int_eq(db_col_int(st, 8), NOW + 60);
    ck_assert_int_eq(db_step(st, err), 0);
    return 0;
}

START_TEST(later_logins_refresh_the_profile)
{
    struct sign_in s = {.profile = {.provider = "google",
                                    .subject = "1",
                                    .username = "old",
                                    .name = "Old Name",
                                    .email = "old@example.com"},
                        .at = NOW};
    kit_write(sign_in, &s);
    s.at = NOW + 60;
    s.profile = (struct account_profile){.provider = "google",
                                         .subject = "1",
                                         .name = "New Name",
                                         .email = "new@example.com",
                                         .email_evidence = 3,
                                         .picture = "https://p.example/1.png",
                                         .locale = "fr",
                                         .groups = "[\"google:x\"]"};
    kit_write(sign_in, &s);
    kit_read(look_profile, NULL);
}
END_TEST

/* ACCT-18 */
START_TEST(a_login_does_not_enable_anybody)
{
    of("google", "1", NULL);
    kit_sql("UPDATE account SET disabled_since = 1, disabled_reason = 'spam'");
    ck_assert(of("google", "1", NULL).disabled);
    ck_assert(of("google", "1", NULL).disabled);
    kit_sql("UPDATE account SET disabled_until = 1800000000"); /* NOW */
    ck_assert(!of("google", "1", NULL).disabled);
    kit_sql("UPDATE account SET disabled_until = 1800000001");
    ck_assert(of("google", "1", NULL).disabled);
    ck_assert_int_eq(kit_number("SELECT disabled_since FROM account"), 1);
}
END_TEST

struct found {
    const char *provider, *subject;
    int is;
    struct account out;
};

static int find(struct db *db, void *arg, struct err *err)
{
    struct found *f = arg;
    f->is = account_find(db, f->provider, f->subject, NOW, &f->out, err);
    return f->is < 0 ? -1 : 0;
}

/* Read-only: nobody is made or refreshed by being looked for. */
START_TEST(whose_account_it_would_be)
{
    struct found f = {.provider = "google", .subject = "1"};
    kit_read(find, &f);
    ck_assert_int_eq(f.is, 0);
    ck_assert_int_eq(kit_number("SELECT count(*) FROM account"), 0);
    const struct account a = of("google", "1", NULL);
    kit_sql("UPDATE identity SET last_seen = 7");
    kit_read(find, &f);
    ck_assert_int_eq(f.is, 1);
    ck_assert_str_eq(f.out.id, a.id);
    ck_assert(!f.out.disabled && !f.out.created);
    ck_assert_int_eq(kit_number("SELECT last_seen FROM identity"), 7);
    kit_sql("UPDATE account SET disabled_since = 1");
    kit_read(find, &f);
    ck_assert(f.is == 1 && f.out.disabled);
    f.provider = "discord";
    kit_read(find, &f);
    ck_assert_int_eq(f.is, 0);
}
END_TEST

struct racer {
    struct kit_answers *answers;
    struct sign_in s;
};

static int race(struct db *db, void *arg, struct err *err)
{
    return sign_in(db, &((struct racer *)arg)->s, err);
}

static void race_done(void *arg, enum store_outcome outcome, const struct err *err)
{
    kit_answer(((struct racer *)arg)->answers, outcome, err);
}

/* ACCT-17, DB-15: many first logins of one identity in the same instant. */
START_TEST(first_logins_at_once_make_one_account)
{
    enum { MANY = 64, ROUNDS = 5 };
    for (int round = 0; round < ROUNDS; round++) {
        static struct racer all[MANY];
        struct kit_answers a = {.n = 0};
        char subject[32];
        snprintf(subject, sizeof subject, "race-%d", round);
        struct store *second = kit_cluster ? kit_open() : NULL;
        for (int i = 0; i < MANY; i++) {
            all[i] = (struct racer){.answers = &a};
            all[i].s =
                (struct sign_in){.profile = {.provider = "google", .subject = subject}, .at = NOW};
        }
        for (int i = 0; i < MANY; i++)
            ck_assert(store_write(second && i % 2 ? second : kit_store, race, kit_loop, race_done,
                                  &all[i]));
        kit_wait(&a.n, MANY);
        ck_assert_msg(a.by[STORE_DONE] == MANY, "%s", a.last.text);
        int created = 0;
        for (int i = 0; i < MANY; i++) {
            created += all[i].s.out.created;
            ck_assert_str_eq(all[i].s.out.id, all[0].s.out.id);
        }
        ck_assert_int_eq(created, 1);
        store_close(&second);
    }
    ck_assert_int_eq(kit_number("SELECT count(*) FROM account"), ROUNDS);
    ck_assert_int_eq(kit_number("SELECT count(*) FROM identity"), ROUNDS);
}
END_TEST

Suite *suite_nouns(const char *name)
{
    Suite *s = suite_create(name);
    TCase *tc = tcase_create("nouns");
    tcase_add_checked_fixture(tc, kit_setup, kit_teardown);
    tcase_add_test(tc, the_same_identity_is_the_same_account);
    tcase_add_test(tc, whose_account_it_would_be);
    tcase_add_test(tc, subjects_are_exact_text);
    tcase_add_test(tc, subjects_have_a_length);
    tcase_add_test(tc, only_provider_and_subject_select_an_account);
    tcase_add_test(tc, later_logins_refresh_the_profile);
    tcase_add_test(tc, a_login_does_not_enable_anybody);
    tcase_add_test(tc, first_logins_at_once_make_one_account);
    suite_add_tcase(s, tc);
    return s;
}
