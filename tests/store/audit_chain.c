/* SPDX-License-Identifier: Apache-2.0 */
/* The chain of the audit shows when somebody rewrote it, and holds when old rows go. */
#include <stdio.h>
#include <string.h>

#include "kit.h"
#include "store/audit_chain.h"

static int walk_step(struct db *db, void *arg, struct err *err)
{
    return audit_walk_step(db, arg, 1000, err) < 0 ? -1 : 0;
}

static struct audit_walk walk_from(const struct audit_head *known)
{
    struct audit_walk w = {.bad = 0};
    if (known)
        w.known = *known;
    kit_read(walk_step, &w);
    return w;
}

static int head_get(struct db *db, void *arg, struct err *err)
{
    return audit_head_get(db, arg, err) < 0 ? -1 : 0;
}

static struct audit_head head(void)
{
    struct audit_head h;
    kit_read(head_get, &h);
    return h;
}

void kit_chain_good(int64_t rows)
{
    struct audit_walk w = walk_from(NULL);
    ck_assert_msg(w.bad == 0, "%lld %s", (long long)w.bad, w.what);
    ck_assert_int_eq(w.rows, rows);
    ck_assert_int_eq(w.last.n, head().n);
    ck_assert_mem_eq(w.last.hash, head().hash, 32);
}

static int add(struct db *db, void *arg, struct err *err)
{
    return audit_add(db, arg, err) < 0 ? -1 : 0;
}

START_TEST(an_empty_trail_is_good)
{
    struct audit_walk w = walk_from(NULL);
    ck_assert_int_eq(w.bad, 0);
    ck_assert_int_eq(w.rows, 0);
    ck_assert_int_eq(w.last.n, 0);
}
END_TEST

static void fill(int n)
{
    for (int i = 0; i < n; i++) {
        struct audit_row row = {.at = NOW + i,
                                .actor_kind = "token",
                                .actor = "t1",
                                .actor_name = "ci",
                                .ip = "192.0.2.1",
                                .request_id = "req",
                                .user_agent = "curl/8",
                                .action = "provider.edit",
                                .object = "google",
                                .provider = "google",
                                .app = "wiki",
                                .was = "{\"a\":1}",
                                .became = "{\"a\":2}",
                                .outcome = "refused",
                                .reason = "because"};
        kit_write(add, &row);
    }
}

/* Each column by each class of change: another byte, one more, one less, empty, gone, and for
 * numbers up and down. */
static const char *const tampered[] = {
    "at = at + 1",
    "at = at - 1",
    "at = -at",
    "actor_kind = 'operator'",
    "actor = 't2'",
    "actor = 'T1'",
    "actor = ''",
    "actor_name = 'cI'",
    "actor_name = ''",
    "actor_name = NULL",
    "ip = '192.0.2.2'",
    "ip = NULL",
    "request_id = 'rep'",
    "request_id = NULL",
    "user_agent = 'curl/9'",
    "user_agent = 'curl/8 '",
    "user_agent = NULL",
    "action = 'provider.add'",
    "object = 'googl'",
    "object = 'google1'",
    "provider = 'discord'",
    "provider = NULL",
    "app = ''",
    "app = NULL",
    "was = '{\"a\":0}'",
    "was = NULL",
    "became = '{\"a\":2 }'",
    "became = NULL",
    "outcome = 'done'",
    "reason = 'Because'",
    "reason = NULL",
    /* the same bytes in neighbouring columns */
    "actor = 't', actor_name = '1ci'",
    "object = 'goog', provider = 'legoogle'",
    "provider = app, app = provider",
    "was = became, became = was",
    "hash = NULL",
    "hash = (SELECT b.hash FROM audit b WHERE b.n = 2)",
};

START_TEST(every_change_of_a_row_is_found)
{
    char sql[200];
    fill(4);
    kit_chain_good(4);
    snprintf(sql, sizeof sql, "UPDATE audit SET %s WHERE n = 3", tampered[_i]);
    kit_sql(sql);
    struct audit_walk w = walk_from(NULL);
    ck_assert_msg(w.bad == 3, "%s: %lld", tampered[_i], (long long)w.bad);
    ck_assert_int_eq(w.last.n, 3);
}
END_TEST

START_TEST(every_byte_of_a_hash_counts)
{
    static char sql[32][160]; /* a statement is known by its address */
    fill(1);
    const struct audit_head good = head();
    for (int i = 0; i < 32; i++) {
        char hex[65];
        struct audit_head bad = good;
        bad.hash[i] ^= (unsigned char)(1 << i % 8);
        text_hex(bad.hash, sizeof bad.hash, hex);
        snprintf(sql[i], sizeof sql[i], "UPDATE audit SET hash = %s%s'",
                 kit_cluster ? "'\\x" : "x'", hex);
        kit_sql(sql[i]);
        ck_assert_int_eq(walk_from(NULL).bad, 1);
    }
}
END_TEST

START_TEST(a_hash_of_another_length_is_found)
{
    fill(3);
    kit_sql("UPDATE audit SET hash = substr(hash, 1, 31) WHERE n = 3");
    ck_assert_int_eq(walk_from(NULL).bad, 3);
    store_close(&kit_store); /* and keeps nobody out, however little is known of it */
    kit_store = kit_open();
    fill(1);
    ck_assert_int_eq(walk_from(NULL).bad, 3);
}
END_TEST

START_TEST(rows_removed_put_in_or_swapped_are_found)
{
    static const struct {
        const char *sql[4];
        int64_t bad;
    } all[] = {
        {{"DELETE FROM audit WHERE n = 3"}, 3},
        {{"DELETE FROM audit WHERE n = 1"}, 1},
        {{"DELETE FROM audit WHERE n = 3", "UPDATE audit SET n = n - 1 WHERE n > 3"}, 3},
        {{"UPDATE audit SET n = -3 WHERE n = 3", "UPDATE audit SET n = 3 WHERE n = 4",
          "UPDATE audit SET n = 4 WHERE n = -3"},
         3},
        {{"UPDATE audit SET n = 6 WHERE n = 5",
          "INSERT INTO audit (n, at, actor_kind, actor, action, object, outcome) "
          "VALUES (5, 1800000004, 'system', '', 'a', '', 'done')"},
         5},
        /* rows said to be older than the chain */
        {{"UPDATE audit SET hash = NULL WHERE n <= 2"}, 3},
        {{"DELETE FROM audit WHERE n <= 2",
          "INSERT INTO audit_anchor (n, hash, at) SELECT 2, hash, 1 FROM audit WHERE n = 5"},
         3},
        /* an anchor in the middle of what is there */
        {{"DELETE FROM audit WHERE n = 3",
          "INSERT INTO audit_anchor (n, hash, at) SELECT 3, hash, 1 FROM audit WHERE n = 4"},
         4},
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        kit_teardown();
        kit_setup();
        fill(5);
        for (size_t k = 0; all[i].sql[k]; k++)
            kit_sql(all[i].sql[k]);
        struct audit_walk w = walk_from(NULL);
        ck_assert_msg(w.bad == all[i].bad, "%zu: %lld %s", i, (long long)w.bad,
                      w.what ? w.what : "");
    }
}
END_TEST

START_TEST(a_tail_that_was_cut_off_shows_by_what_was_written_down)
{
    fill(5);
    const struct audit_head known = head();
    ck_assert(walk_from(&known).known_met);
    fill(2);
    ck_assert(walk_from(&known).known_met);
    kit_sql("DELETE FROM audit WHERE n >= 5");
    ck_assert_int_eq(walk_from(NULL).bad, 0); /* by itself it looks whole */
    struct audit_walk w = walk_from(&known);
    ck_assert_int_eq(w.bad, 5);
    ck_assert(!w.known_met);
    /* So it is with one that was cut and grew again. */
    store_close(&kit_store);
    kit_store = kit_open();
    fill(3);
    ck_assert_int_eq(walk_from(NULL).bad, 0);
    w = walk_from(&known);
    ck_assert_int_eq(w.bad, 5);
    ck_assert(!w.known_met);
}
END_TEST

/* A daemon that runs meanwhile goes on from what it knows. */
START_TEST(a_cut_under_a_running_usher_is_found)
{
    if (kit_cluster)
        return; /* where others write too, the store is asked each time */
    fill(4);
    kit_sql("DELETE FROM audit WHERE n = 4");
    fill(1);
    ck_assert_int_eq(kit_number("SELECT max(n) FROM audit"), 5);
    ck_assert_int_eq(walk_from(NULL).bad, 4);
}
END_TEST

START_TEST(rows_older_than_the_chain_prove_nothing)
{
    fill(3);
    kit_sql("UPDATE audit SET hash = NULL");
    store_close(&kit_store);
    kit_store = kit_open();
    fill(2);
    struct audit_walk w = walk_from(NULL);
    ck_assert_msg(w.bad == 0, "%lld %s", (long long)w.bad, w.what);
    ck_assert_int_eq(w.older, 3);
    ck_assert_int_eq(w.rows, 5);
}
END_TEST

/* ---- letting go ---- */

struct on_trim {
    int64_t before, max, gone;
};

static int trim(struct db *db, void *arg, struct err *err)
{
    struct on_trim *t = arg;
    t->gone = audit_trim(db, t->before, NOW, t->max, err);
    return t->gone < 0 ? -1 : 0;
}

static int64_t trimmed(int64_t before, int64_t max)
{
    struct on_trim t = {before, max, 0};
    kit_write(trim, &t);
    return t.gone;
}

START_TEST(old_rows_go_and_the_chain_holds)
{
    ck_assert_int_eq(trimmed(NOW, 10), 0);
    fill(6); /* at NOW … NOW + 5 */
    const struct audit_head known = head();
    ck_assert_int_eq(trimmed(NOW, 10), 0);
    ck_assert_int_eq(trimmed(NOW + 3, 2), 2); /* no more at once than one wants */
    kit_chain_good(4);
    ck_assert_int_eq(trimmed(NOW + 3, 2), 1);
    ck_assert_int_eq(walk_from(NULL).first, 4);
    ck_assert_int_eq(trimmed(NOW + 3, 2), 0);
    kit_chain_good(3);
    ck_assert_int_eq(trimmed(NOW + 1000, 10), 2);
    ck_assert_int_eq(trimmed(NOW + 1000, 10), 0); /* the newest stays */
    kit_chain_good(1);
    ck_assert_int_eq(kit_number("SELECT count(*) FROM audit_anchor"), 1);
    ck_assert(walk_from(&known).known_met);
    store_close(&kit_store);
    kit_store = kit_open();
    fill(2);
    kit_chain_good(3);
    ck_assert(walk_from(&known).known_met);
    kit_sql("DELETE FROM audit");
    ck_assert_int_eq(walk_from(NULL).bad, 6);
}
END_TEST

/* A clock that was wrong for a while takes nothing with it. */
START_TEST(a_row_from_a_wrong_clock_keeps_the_rest)
{
    fill(2);
    struct audit_row row = {
        .actor_kind = "system", .actor = "", .action = "a", .object = "", .outcome = "done"};
    kit_write(add, &row);
    fill(1);
    ck_assert_int_eq(trimmed(NOW, 10), 0);
    kit_chain_good(4);
}
END_TEST

static int step_two(struct db *db, void *arg, struct err *err)
{
    return audit_walk_step(db, arg, 2, err) < 0 ? -1 : 0;
}

START_TEST(rows_may_go_and_come_while_the_chain_is_walked)
{
    struct audit_walk w = {.bad = 0};
    fill(8);
    kit_read(step_two, &w);
    ck_assert_int_eq(w.last.n, 2);
    trimmed(NOW + 5, 100);
    fill(1);
    while (w.last.n < 9 && w.bad == 0)
        kit_read(step_two, &w);
    kit_read(step_two, &w);
    ck_assert_msg(w.bad == 0, "%lld %s", (long long)w.bad, w.what);
    ck_assert_mem_eq(w.last.hash, head().hash, 32);
}
END_TEST

Suite *suite_audit_chain(const char *name)
{
    Suite *s = suite_create(name);
    TCase *tc = tcase_create("audit chain");
    tcase_set_timeout(tc, 60);
    tcase_add_checked_fixture(tc, kit_setup, kit_teardown);
    tcase_add_loop_test(tc, every_change_of_a_row_is_found, 0, sizeof tampered / sizeof *tampered);
    tcase_add_test(tc, an_empty_trail_is_good);
    tcase_add_test(tc, every_byte_of_a_hash_counts);
    tcase_add_test(tc, a_hash_of_another_length_is_found);
    tcase_add_test(tc, rows_removed_put_in_or_swapped_are_found);
    tcase_add_test(tc, a_tail_that_was_cut_off_shows_by_what_was_written_down);
    tcase_add_test(tc, a_cut_under_a_running_usher_is_found);
    tcase_add_test(tc, rows_older_than_the_chain_prove_nothing);
    tcase_add_test(tc, old_rows_go_and_the_chain_holds);
    tcase_add_test(tc, a_row_from_a_wrong_clock_keeps_the_rest);
    tcase_add_test(tc, rows_may_go_and_come_while_the_chain_is_walked);
    suite_add_tcase(s, tc);
    return s;
}
