/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions and spent flows: what each promises, on every backend, and how what is over goes. */
#include <string.h>

#include "kit.h"

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
    ck_assert_int_eq(g.row.auth_time, row.auth_time);
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
    struct session_row_page page = {.now = w->now, .idle_before = w->idle_before, .max = 500};
    unsigned char after[32];
    int64_t n;
    w->n = w->sum = 0;
    do {
        n = session_row_read(db, &page, each_row, w, err);
        memcpy(after, w->last, sizeof after);
        page.after = after;
    } while (n == page.max);
    return n < 0 ? -1 : 0;
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
    unsigned char slice;
};

static int sweep_rows(struct db *db, void *arg, struct err *err)
{
    struct sweep *s = arg;
    s->went = session_row_sweep(db, s->slice, s->now, s->idle_before, s->max, err);
    return s->went < 0 ? -1 : 0;
}

/* All slices, one after the other. */
static int64_t sweep_all(struct sweep *s)
{
    int64_t went = 0;
    for (int slice = 0; slice < 256; slice++) {
        s->slice = (unsigned char)slice;
        kit_write(sweep_rows, s);
        went += s->went;
    }
    return went;
}

/* DB-14: by stored absolute times, each row by the slice it is in. */
START_TEST(sweeping_goes_by_slices)
{
    struct kit_login l;
    have_rows(&l);
    struct sweep s = {.now = NOW, .idle_before = NOW - 1, .max = 1000};
    ck_assert_int_eq(sweep_all(&s), 0);

    s.now = NOW + 10000 - 1133; /* rows 1133 … 1233 are over: a hundred and one */
    s.idle_before = NOW + 9;    /* rows 0 … 9 were idle */
    s.slice = 3;                /* row i is in slice i % 251: of these, 3 */
    kit_write(sweep_rows, &s);
    ck_assert_int_eq(s.went, 1);
    s.slice = 251;
    kit_write(sweep_rows, &s);
    ck_assert_int_eq(s.went, 0);
    ck_assert_int_eq(sweep_all(&s), 110);
    ck_assert_int_eq(sweep_all(&s), 0);
    ck_assert_int_eq(kit_number("SELECT count(*) FROM session"), 1234 - 111);
    struct walk w = {.now = s.now, .idle_before = s.idle_before};
    kit_read(walk_rows, &w);
    ck_assert_int_eq(w.n, 1234 - 111);
}
END_TEST

static int add_slice(struct db *db, void *arg, struct err *err)
{
    struct kit_login *l = arg;
    struct session_row row = kit_row(l);
    for (int i = 0; i < 100; i++) {
        memset(row.hash, i < 50 ? 0x00 : 0xff, sizeof row.hash);
        row.hash[0] = 0xff;
        row.hash[20] = (unsigned char)(100 + i);
        if (session_row_add(db, &row, err) < 0)
            return -1;
    }
    return 0;
}

/* DB-16: so many at a time; and the edges of a slice belong to it. */
START_TEST(sweeping_is_bounded)
{
    struct kit_login l;
    kit_login_init(&l, 1);
    kit_write(kit_login_fn, &l);
    kit_sql("DELETE FROM session");
    kit_write(add_slice, &l);
    kit_sql("UPDATE session SET ends = 5");
    struct sweep s = {.now = NOW, .idle_before = 0, .max = 60, .slice = 0xfe};
    kit_write(sweep_rows, &s);
    ck_assert_int_eq(s.went, 0);
    s.slice = 0xff;
    kit_write(sweep_rows, &s);
    ck_assert_int_eq(s.went, 60);
    kit_write(sweep_rows, &s);
    ck_assert_int_eq(s.went, 40);
    ck_assert_int_eq(kit_number("SELECT count(*) FROM session"), 0);
}
END_TEST

/* ---- one account's sessions
 * -----------------------------------------------------------------------
 */

struct listed {
    struct session_row_of of;
    struct arena *arena;
    struct session_row *rows;
    size_t n;
};

static int list_rows(struct db *db, void *arg, struct err *err)
{
    struct listed *l = arg;
    return session_row_list(db, &l->of, l->arena, &l->rows, &l->n, err);
}

/* Six sign-ins of two people: 0, 2, 4 of the one, 1, 3, 5 of the other; a later one seen later. */
static void have_two(struct kit_login login[6])
{
    for (int i = 0; i < 6; i++) {
        kit_login_init(&login[i], i % 2);
        login[i].at = NOW + i;
        kit_write(kit_login_fn, &login[i]);
    }
    ck_assert_str_ne(login[0].account.id, login[1].account.id);
    ck_assert_str_eq(login[0].account.id, login[4].account.id);
}

START_TEST(an_account_lists_its_own_live_rows)
{
    struct kit_login login[6];
    have_two(login);
    struct listed l = {.of = {.account = login[0].account.id, .now = NOW + 6},
                       .arena = arena_new()};
    kit_read(list_rows, &l);
    ck_assert_uint_eq(l.n, 3);
    for (size_t i = 0; i < 3; i++) {
        ck_assert_str_eq(l.rows[i].id, login[4 - 2 * i].id);
        ck_assert_str_eq(l.rows[i].account, login[0].account.id);
        ck_assert_str_eq(l.rows[i].user_agent, "Mozilla/5.0");
    }
    l.of.idle_before = NOW; /* the first was idle */
    kit_read(list_rows, &l);
    ck_assert_uint_eq(l.n, 2);
    l.of.now = NOW + 2 + 86400; /* and the second is over */
    kit_read(list_rows, &l);
    ck_assert_uint_eq(l.n, 1);
    l.of.account = "nobody";
    kit_read(list_rows, &l);
    ck_assert_uint_eq(l.n, 0);
    arena_free(&l.arena);
}
END_TEST

struct ending {
    const char *account, *id;
    const unsigned char *but;
    unsigned char hash[32];
    int64_t rc;
};

static int end_one(struct db *db, void *arg, struct err *err)
{
    struct ending *e = arg;
    e->rc = session_row_end_of(db, e->account, e->id, e->hash, err);
    return e->rc < 0 ? -1 : 0;
}

static int end_others(struct db *db, void *arg, struct err *err)
{
    struct ending *e = arg;
    e->rc = session_row_end_others(db, e->account, e->but, err);
    return e->rc < 0 ? -1 : 0;
}

/* ACCT-16's kin: an id of somebody else's session is worth nothing. */
START_TEST(a_session_ends_by_its_id_for_its_owner_alone)
{
    struct kit_login login[6];
    have_two(login);
    struct ending e = {.account = login[0].account.id, .id = login[1].id};
    kit_write(end_one, &e);
    ck_assert_int_eq(e.rc, 0);
    e.id = "";
    kit_write(end_one, &e);
    ck_assert_int_eq(e.rc, 0);
    ck_assert_int_eq(kit_number("SELECT count(*) FROM session"), 6);
    e.id = login[2].id;
    kit_write(end_one, &e);
    ck_assert_int_eq(e.rc, 1);
    ck_assert_mem_eq(e.hash, login[2].hash, 32);
    kit_write(end_one, &e);
    ck_assert_int_eq(e.rc, 0);
    ck_assert_int_eq(kit_number("SELECT count(*) FROM session"), 5);
}
END_TEST

/* SESS-22 */
START_TEST(all_others_of_an_account_end)
{
    struct kit_login login[6];
    have_two(login);
    struct ending e = {.account = login[0].account.id, .but = login[2].hash};
    kit_write(end_others, &e);
    ck_assert_int_eq(e.rc, 2);
    struct got g = {.arena = arena_new()};
    memcpy(g.hash, login[2].hash, 32);
    kit_read(get_row, &g);
    ck_assert_int_eq(g.rc, 1);
    arena_free(&g.arena);
    ck_assert_int_eq(kit_number("SELECT count(*) FROM session"), 4);
    e.but = NULL;
    kit_write(end_others, &e);
    ck_assert_int_eq(e.rc, 1);
    ck_assert_int_eq(kit_number("SELECT count(*) FROM session"), 3);
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
        if (spent_add(db, id, NOW + i / 3, err) != 1)
            return -1;
    }
    return 0;
}

static int each_flow(void *arg, const unsigned char id[16], int64_t expires)
{
    struct walk *w = arg;
    int i;
    memcpy(&i, id, sizeof i);
    ck_assert_int_eq(expires, NOW + i / 3);
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

    struct sweep s = {.now = NOW + 332, .max = 600}; /* three flows expire at a time */
    kit_write(sweep_flows, &s);
    ck_assert_int_eq(s.went, 600);
    kit_write(sweep_flows, &s);
    ck_assert_int_eq(s.went, 399);
    kit_write(sweep_flows, &s);
    ck_assert_int_eq(s.went, 0);
    w = (struct walk){.now = NOW - 1};
    kit_read(walk_flows, &w);
    ck_assert_int_eq(w.n, 201);
    w = (struct walk){.now = NOW + 399 - 1};
    kit_read(walk_flows, &w);
    ck_assert_int_eq(w.n, 3);
}
END_TEST

Suite *suite_expiring(const char *name)
{
    Suite *s = suite_create(name);
    TCase *tc = tcase_create("expiring");
    tcase_add_checked_fixture(tc, kit_setup, kit_teardown);
    tcase_add_test(tc, a_session_row_comes_back_whole);
    tcase_add_test(tc, a_session_ends_once);
    tcase_add_test(tc, live_rows_are_walked_once_each);
    tcase_add_test(tc, touching_never_goes_back);
    tcase_add_test(tc, sweeping_goes_by_slices);
    tcase_add_test(tc, sweeping_is_bounded);
    tcase_add_test(tc, an_account_lists_its_own_live_rows);
    tcase_add_test(tc, a_session_ends_by_its_id_for_its_owner_alone);
    tcase_add_test(tc, all_others_of_an_account_end);
    tcase_add_test(tc, a_flow_is_spent_once);
    tcase_add_test(tc, one_spender_wins);
    tcase_add_test(tc, spent_flows_are_walked_and_swept);
    suite_add_tcase(s, tc);
    return s;
}
