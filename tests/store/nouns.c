/* SPDX-License-Identifier: Apache-2.0 */
/* Accounts, sessions and spent flows: what each noun promises, on every backend. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kit.h"
#include "sys/random.h"

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

/* ---- sessions -----------------------------------------------------------------------------------
 */

static int add_rows(struct db *db, void *arg, struct err *err)
{
    struct kit_login *l = arg;
    struct session_row row = kit_row(l);
    for (int i = 0; i < 1234; i++) {
        memset(row.hash, 0, sizeof row.hash);
        row.hash[0] = (unsigned char)(i % 251);
        memcpy(row.hash + 1, &i, sizeof i);
        row.created = i;
        row.seen = NOW + i;
        row.ends = NOW + 10000 - i;
        if (session_row_add(db, &row, err) < 0)
            return -1;
    }
    return 0;
}

static void have_rows(struct kit_login *l)
{
    kit_login_init(l, 1);
    kit_write(kit_login_fn, l);
    kit_sql("DELETE FROM session");
    kit_write(add_rows, l);
}

struct got {
    unsigned char hash[32];
    struct session_row row;
    struct arena *arena;
    int rc;
};

static int get_row(struct db *db, void *arg, struct err *err)
{
    struct got *g = arg;
    g->rc = session_row_get(db, g->hash, g->arena, &g->row, err);
    return g->rc < 0 ? -1 : 0;
}

START_TEST(a_session_row_comes_back_whole)
{
    struct kit_login l;
    kit_login_init(&l, 1);
    kit_write(kit_login_fn, &l);
    struct session_row row = kit_row(&l);
    struct got g = {.arena = arena_new()};
    memcpy(g.hash, l.hash, 32);
    kit_read(get_row, &g);
    ck_assert_int_eq(g.rc, 1);
    ck_assert_mem_eq(g.row.hash, row.hash, 32);
    ck_assert_str_eq(g.row.id, row.id);
    ck_assert_str_eq(g.row.account, row.account);
    ck_assert_str_eq(g.row.provider, row.provider);
    ck_assert_str_eq(g.row.subject, row.subject);
    ck_assert_ptr_null(g.row.username);
    ck_assert_str_eq(g.row.name, row.name);
    ck_assert_str_eq(g.row.email, row.email);
    ck_assert_int_eq(g.row.email_evidence, row.email_evidence);
    ck_assert_str_eq(g.row.picture, row.picture);
    ck_assert_str_eq(g.row.groups, row.groups);
    ck_assert_str_eq(g.row.amr, row.amr);
    ck_assert_str_eq(g.row.ip, row.ip);
    ck_assert_str_eq(g.row.user_agent, row.user_agent);
    ck_assert_int_eq(g.row.created, row.created);
    ck_assert_int_eq(g.row.seen, row.seen);
    ck_assert_int_eq(g.row.ends, row.ends);
    g.hash[0] ^= 1;
    kit_read(get_row, &g);
    ck_assert_int_eq(g.rc, 0);
    arena_free(&g.arena);
}
END_TEST

static int add_again(struct db *db, void *arg, struct err *err)
{
    struct session_row row = kit_row(arg);
    return session_row_add(db, &row, err);
}

static int end_row(struct db *db, void *arg, struct err *err)
{
    struct got *g = arg;
    g->rc = session_row_end(db, g->hash, err);
    return g->rc < 0 ? -1 : 0;
}

/* SESS-10 */
START_TEST(a_session_ends_once)
{
    struct kit_login l;
    kit_login_init(&l, 1);
    kit_write(kit_login_fn, &l);
    kit_write_fails(add_again, &l); /* the hash is unique */
    struct got g = {.rc = -1};
    memcpy(g.hash, l.hash, 32);
    kit_write(end_row, &g);
    ck_assert_int_eq(g.rc, 1);
    kit_write(end_row, &g);
    ck_assert_int_eq(g.rc, 0);
    ck_assert_int_eq(kit_number("SELECT count(*) FROM session"), 0);
}
END_TEST

struct walk {
    int64_t now, idle_before, sum, n, stop_at;
    unsigned char last[32];
};

static int each_row(void *arg, const struct session_row *row, struct err *err)
{
    struct walk *w = arg;
    ck_assert(row->ends > w->now && row->seen > w->idle_before);
    ck_assert(w->n == 0 || memcmp(w->last, row->hash, 32) < 0);
    ck_assert_str_eq(row->provider, "google");
    memcpy(w->last, row->hash, 32);
    w->sum += row->created;
    return ++w->n == w->stop_at ? err_set(err, ERR_DENIED, "enough") : 0;
}

static int walk_rows(struct db *db, void *arg, struct err *err)
{
    struct walk *w = arg;
    w->n = w->sum = 0;
    return session_row_each(db, w->now, w->idle_before, each_row, w, err);
}

START_TEST(live_rows_are_walked_once_each)
{
    struct kit_login l;
    have_rows(&l);
    struct walk w = {.now = NOW, .idle_before = NOW - 1};
    kit_read(walk_rows, &w);
    ck_assert_int_eq(w.n, 1234);
    ck_assert_int_eq(w.sum, 1234 * 1233 / 2);

    w = (struct walk){.now = NOW + 10000 - 100, .idle_before = NOW + 9}; /* row i: i < 100, i > 9 */
    kit_read(walk_rows, &w);
    ck_assert_int_eq(w.n, 90);

    w = (struct walk){.now = NOW, .idle_before = 0, .stop_at = 700};
    struct err err = ERR_INIT;
    ck_assert_int_eq(store_read_now(kit_store, walk_rows, &w, &err), STORE_FAILED);
    ck_assert_int_eq(err.kind, ERR_DENIED);
    ck_assert_int_eq(w.n, 700);
}
END_TEST

struct touch {
    unsigned char hash[32];
    int64_t seen;
};

static int touch_row(struct db *db, void *arg, struct err *err)
{
    struct touch *t = arg;
    return session_row_touch(db, t->hash, t->seen, err);
}

START_TEST(touching_never_goes_back)
{
    struct kit_login l;
    kit_login_init(&l, 1);
    kit_write(kit_login_fn, &l);
    struct touch t = {.seen = NOW + 50};
    memcpy(t.hash, l.hash, 32);
    kit_write(touch_row, &t);
    ck_assert_int_eq(kit_number("SELECT seen FROM session"), NOW + 50);
    t.seen = NOW + 20;
    kit_write(touch_row, &t);
    ck_assert_int_eq(kit_number("SELECT seen FROM session"), NOW + 50);
    t.hash[5] ^= 1; /* nobody: no error */
    kit_write(touch_row, &t);
}
END_TEST

struct sweep {
    int64_t now, idle_before, max, went;
};

static int sweep_rows(struct db *db, void *arg, struct err *err)
{
    struct sweep *s = arg;
    s->went = session_row_sweep(db, s->now, s->idle_before, s->max, err);
    return s->went < 0 ? -1 : 0;
}

/* DB-14, DB-16: by stored absolute times, so many at a time. */
START_TEST(sweeping_is_bounded)
{
    struct kit_login l;
    have_rows(&l);
    struct sweep s = {.now = NOW, .idle_before = NOW - 1, .max = 1000};
    kit_write(sweep_rows, &s);
    ck_assert_int_eq(s.went, 0);

    s.now = NOW + 10000 - 1133; /* rows 1133 … 1233 are over: a hundred and one */
    s.idle_before = NOW + 9;    /* rows 0 … 9 were idle */
    s.max = 60;
    kit_write(sweep_rows, &s);
    ck_assert_int_eq(s.went, 60);
    kit_write(sweep_rows, &s);
    ck_assert_int_eq(s.went, 51);
    kit_write(sweep_rows, &s);
    ck_assert_int_eq(s.went, 0);
    ck_assert_int_eq(kit_number("SELECT count(*) FROM session"), 1234 - 111);
    struct walk w = {.now = s.now, .idle_before = s.idle_before};
    kit_read(walk_rows, &w);
    ck_assert_int_eq(w.n, 1234 - 111);
}
END_TEST

/* ---- spent flows --------------------------------------------------------------------------------
 */

struct flow {
    unsigned char id[16];
    int64_t expires;
    int rc;
};

static int spend(struct db *db, void *arg, struct err *err)
{
    struct flow *f = arg;
    f->rc = spent_add(db, f->id, f->expires, err);
    return f->rc < 0 ? -1 : 0;
}

START_TEST(a_flow_is_spent_once)
{
    struct flow f = {.id = "0123456789abcde", .expires = NOW + 600};
    kit_write(spend, &f);
    ck_assert_int_eq(f.rc, 1);
    f.expires = NOW + 900;
    kit_write(spend, &f);
    ck_assert_int_eq(f.rc, 0);
    f.id[15] = 1;
    kit_write(spend, &f);
    ck_assert_int_eq(f.rc, 1);
}
END_TEST

struct spender {
    struct kit_answers *answers;
    struct flow flow;
};

static int spend_shared(struct db *db, void *arg, struct err *err)
{
    return spend(db, &((struct spender *)arg)->flow, err);
}

static void spend_done(void *arg, enum store_outcome outcome, const struct err *err)
{
    kit_answer(((struct spender *)arg)->answers, outcome, err);
}

/* STATE replay at the store: of many at once one wins. */
START_TEST(one_spender_wins)
{
    enum { MANY = 64 };
    static struct spender all[MANY];
    struct kit_answers a = {.n = 0};
    for (int i = 0; i < MANY; i++) {
        all[i] = (struct spender){.answers = &a, .flow = {.id = "same", .expires = NOW}};
        ck_assert(store_write(kit_store, spend_shared, kit_loop, spend_done, &all[i]));
    }
    kit_wait(&a.n, MANY);
    ck_assert_msg(a.by[STORE_DONE] == MANY, "%s", a.last.text);
    int won = 0;
    for (int i = 0; i < MANY; i++)
        won += all[i].flow.rc;
    ck_assert_int_eq(won, 1);
}
END_TEST

static int spend_many(struct db *db, void *arg, struct err *err)
{
    (void)arg;
    for (int i = 0; i < 1200; i++) {
        unsigned char id[16] = {0};
        memcpy(id, &i, sizeof i);
        if (spent_add(db, id, NOW + i, err) != 1)
            return -1;
    }
    return 0;
}

static int each_flow(void *arg, const unsigned char id[16], int64_t expires)
{
    struct walk *w = arg;
    int i;
    memcpy(&i, id, sizeof i);
    ck_assert_int_eq(expires, NOW + i);
    w->sum += i;
    return ++w->n == w->stop_at ? -1 : 0;
}

static int walk_flows(struct db *db, void *arg, struct err *err)
{
    struct walk *w = arg;
    w->n = w->sum = 0;
    return spent_each(db, w->now, each_flow, w, err);
}

static int sweep_flows(struct db *db, void *arg, struct err *err)
{
    struct sweep *s = arg;
    s->went = spent_sweep(db, s->now, s->max, err);
    return s->went < 0 ? -1 : 0;
}

START_TEST(spent_flows_are_walked_and_swept)
{
    kit_write(spend_many, NULL);
    struct walk w = {.now = NOW - 1};
    kit_read(walk_flows, &w);
    ck_assert_int_eq(w.n, 1200);
    ck_assert_int_eq(w.sum, 1200 * 1199 / 2);
    w = (struct walk){.now = NOW, .stop_at = 3};
    struct err err = ERR_INIT;
    ck_assert_int_eq(store_read_now(kit_store, walk_flows, &w, &err), STORE_FAILED);

    struct sweep s = {.now = NOW + 999, .max = 600};
    kit_write(sweep_flows, &s);
    ck_assert_int_eq(s.went, 600);
    kit_write(sweep_flows, &s);
    ck_assert_int_eq(s.went, 400);
    w = (struct walk){.now = NOW - 1};
    kit_read(walk_flows, &w);
    ck_assert_int_eq(w.n, 200);
}
END_TEST

Suite *suite_nouns(const char *name)
{
    Suite *s = suite_create(name);
    TCase *tc = tcase_create("nouns");
    tcase_add_checked_fixture(tc, kit_setup, kit_teardown);
    tcase_add_test(tc, the_same_identity_is_the_same_account);
    tcase_add_test(tc, subjects_are_exact_text);
    tcase_add_test(tc, subjects_have_a_length);
    tcase_add_test(tc, only_provider_and_subject_select_an_account);
    tcase_add_test(tc, later_logins_refresh_the_profile);
    tcase_add_test(tc, a_login_does_not_enable_anybody);
    tcase_add_test(tc, first_logins_at_once_make_one_account);
    tcase_add_test(tc, a_session_row_comes_back_whole);
    tcase_add_test(tc, a_session_ends_once);
    tcase_add_test(tc, live_rows_are_walked_once_each);
    tcase_add_test(tc, touching_never_goes_back);
    tcase_add_test(tc, sweeping_is_bounded);
    tcase_add_test(tc, a_flow_is_spent_once);
    tcase_add_test(tc, one_spender_wins);
    tcase_add_test(tc, spent_flows_are_walked_and_swept);
    suite_add_tcase(s, tc);
    return s;
}
