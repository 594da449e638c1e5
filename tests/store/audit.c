/* SPDX-License-Identifier: Apache-2.0 */
/* The audit: numbers without gaps, found again, and what a row may hold. */
#include <stdio.h>
#include <string.h>

#include "kit.h"
#include "store/audit.h"

/* ---- adding and reading ---- */

struct on_audit {
    struct audit_row row;
    struct audit_filter filter;
    struct audit_page page;
    int64_t n;
    char seen[128];
    bool fail;
};

static int audit_one(struct db *db, void *arg, struct err *err)
{
    struct on_audit *c = arg;
    c->n = audit_add(db, &c->row, err);
    return c->fail ? err_set(err, ERR_INTERNAL, "undone") : c->n < 0 ? -1 : 0;
}

static int take_audit(void *arg, const struct audit_row *row, struct err *err)
{
    (void)err;
    struct on_audit *c = arg;
    snprintf(c->seen + strlen(c->seen), sizeof c->seen - strlen(c->seen), "%lld%s ",
             (long long)row->n, row->action);
    return 0;
}

static int audit_read(struct db *db, void *arg, struct err *err)
{
    struct on_audit *c = arg;
    c->seen[0] = '\0';
    return audit_each(db, &c->filter, take_audit, c, &c->page, err);
}

static struct audit_row plain(const char *action)
{
    return (struct audit_row){.at = NOW,
                              .actor_kind = "system",
                              .actor = "",
                              .action = action,
                              .object = "",
                              .outcome = "done"};
}

static int64_t note(const char *actor, const char *action, const char *object)
{
    struct on_audit c = {.row = plain(action)};
    c.row.actor_kind = "token";
    c.row.actor = actor;
    c.row.actor_name = "Ada";
    c.row.ip = "127.0.0.1";
    c.row.request_id = "r";
    c.row.object = object;
    c.row.became = "{}";
    kit_write(audit_one, &c);
    return c.n;
}

static struct on_audit last_read;
static const char *seen(struct audit_filter filter)
{
    last_read = (struct on_audit){.filter = filter};
    kit_read(audit_read, &last_read);
    return last_read.seen;
}

START_TEST(rows_are_numbered_without_gaps)
{
    ck_assert_int_eq(note("x", "a", "p"), 1);
    struct on_audit undone = {.fail = true, .row = plain("b")};
    kit_write_fails(audit_one, &undone);
    ck_assert_int_eq(note("y", "b", "p"), 2);
    ck_assert_int_eq(note("x", "b", "q"), 3);
    ck_assert_str_eq(seen((struct audit_filter){.limit = 10}), "3b 2b 1a ");
    ck_assert_str_eq(seen((struct audit_filter){.limit = 2}), "3b 2b ");
    ck_assert_int_eq(last_read.page.next, 2);
    ck_assert_str_eq(seen((struct audit_filter){.limit = 9, .from = 3}), "2b 1a ");
    ck_assert_int_eq(last_read.page.next, 0);
    ck_assert_str_eq(seen((struct audit_filter){.limit = 9, .from = 1}), "");
    ck_assert_str_eq(seen((struct audit_filter){.limit = 9, .actor = "x"}), "3b 1a ");
    ck_assert_str_eq(seen((struct audit_filter){.limit = 9, .actor = "Ada"}), "3b 2b 1a ");
    ck_assert_str_eq(seen((struct audit_filter){.limit = 9, .actor = "token"}), "3b 2b 1a ");
    ck_assert_str_eq(seen((struct audit_filter){.limit = 9, .action = "b"}), "3b 2b ");
    ck_assert_str_eq(seen((struct audit_filter){.limit = 9, .object = "p"}), "2b 1a ");
    ck_assert_str_eq(seen((struct audit_filter){.limit = 9, .object = "P"}), "");
}
END_TEST

START_TEST(rows_are_read_forward)
{
    struct audit_filter f = {.forward = true, .limit = 2};
    ck_assert_str_eq(seen(f), "");
    ck_assert_int_eq(last_read.page.looked, 0);
    note("x", "a", "p");
    note("x", "b", "p");
    note("x", "c", "p");
    ck_assert_str_eq(seen(f), "1a 2b ");
    ck_assert_int_eq(last_read.page.next, 2);
    f.from = 2;
    ck_assert_str_eq(seen(f), "3c ");
    ck_assert_int_eq(last_read.page.next, 0);
    ck_assert_int_eq(last_read.page.looked, 3);
    f.from = 3;
    ck_assert_str_eq(seen(f), "");
    ck_assert_int_eq(last_read.page.looked, 3);
    f.from = 0;
    f.action = "nothing";
    ck_assert_str_eq(seen(f), "");
    ck_assert_int_eq(last_read.page.looked, 3); /* whoever waits for more goes on from there */
}
END_TEST

START_TEST(rows_are_found_by_what_they_say)
{
    struct on_audit c = {.row = plain("login.done")};
    c.row.actor_kind = "account";
    c.row.actor = "acc1";
    c.row.provider = "google";
    c.row.ip = "192.0.2.1";
    kit_write(audit_one, &c);
    c.row = plain("login.failed");
    c.row.actor_kind = "nobody";
    c.row.at = NOW + 10;
    c.row.provider = "discord";
    c.row.outcome = "failed";
    kit_write(audit_one, &c);
    c.row = plain("account.disable");
    c.row.at = NOW + 20;
    c.row.object = "acc1";
    c.row.app = "wiki";
    kit_write(audit_one, &c);
    const char *all = "3account.disable 2login.failed 1login.done ";
    ck_assert_str_eq(seen((struct audit_filter){.limit = 9}), all);
    ck_assert_str_eq(seen((struct audit_filter){.limit = 9, .account = "acc1"}),
                     "3account.disable 1login.done ");
    ck_assert_str_eq(seen((struct audit_filter){.limit = 9, .action = "login."}),
                     "2login.failed 1login.done ");
    ck_assert_str_eq(seen((struct audit_filter){.limit = 9, .action = "login"}), "");
    ck_assert_str_eq(seen((struct audit_filter){.limit = 9, .action = "%."}), ""); /* DB-01 */
    ck_assert_str_eq(seen((struct audit_filter){.limit = 9, .provider = "google"}), "1login.done ");
    ck_assert_str_eq(seen((struct audit_filter){.limit = 9, .app = "wiki"}), "3account.disable ");
    ck_assert_str_eq(seen((struct audit_filter){.limit = 9, .ip = "192.0.2.1"}), "1login.done ");
    ck_assert_str_eq(seen((struct audit_filter){.limit = 9, .outcome = "failed"}),
                     "2login.failed ");
    ck_assert_str_eq(seen((struct audit_filter){.limit = 9, .since = NOW + 10}),
                     "3account.disable 2login.failed ");
    ck_assert_str_eq(seen((struct audit_filter){.limit = 9, .until = NOW + 10}),
                     "2login.failed 1login.done ");
    ck_assert_str_eq(
        seen((struct audit_filter){.limit = 9, .since = NOW + 1, .until = NOW + 19, .action = "'"}),
        "");
}
END_TEST

struct racer {
    struct kit_answers *answers;
    struct on_audit c;
};

static int race(struct db *db, void *arg, struct err *err)
{
    return audit_one(db, &((struct racer *)arg)->c, err);
}

static void race_done(void *arg, enum store_outcome outcome, const struct err *err)
{
    kit_answer(((struct racer *)arg)->answers, outcome, err);
}

/* Several writers at once, from two stores on PostgreSQL. Some fail in the middle of it. */
START_TEST(numbers_are_never_shared)
{
    enum { MANY = 96 };
    static struct racer all[MANY];
    struct kit_answers a = {.n = 0};
    struct store *second = kit_cluster ? kit_open() : NULL;
    for (int i = 0; i < MANY; i++) {
        all[i] = (struct racer){&a, {.row = plain("a"), .fail = i % 12 == 5}};
        ck_assert(
            store_write(second && i % 2 ? second : kit_store, race, kit_loop, race_done, &all[i]));
    }
    kit_wait(&a.n, MANY);
    store_close(&second);
    ck_assert_msg(a.by[STORE_DONE] == MANY - MANY / 12, "%s", a.last.text);
    ck_assert_int_eq(kit_number("SELECT count(*) FROM audit"), a.by[STORE_DONE]);
    ck_assert_int_eq(kit_number("SELECT max(n) FROM audit"), a.by[STORE_DONE]);
    kit_chain_good(a.by[STORE_DONE]);
}
END_TEST

/* ---- what a row may hold ---- */

START_TEST(people_are_kept_by_id_and_networks_if_one_likes)
{
    struct on_audit c = {.row = plain("a")};
    c.row.actor_kind = "account";
    c.row.actor = "acc";
    c.row.actor_name = "Alice Example"; /* PRIV-11 */
    c.row.ip = "203.0.113.77";
    kit_write(audit_one, &c);
    ck_assert_int_eq(
        kit_number("SELECT count(*) FROM audit WHERE actor_name IS NULL AND ip = '203.0.113.77'"),
        1);
    store_set_short_ips(kit_store, true);
    kit_write(audit_one, &c);
    ck_assert_int_eq(kit_number("SELECT count(*) FROM audit WHERE ip = '203.0.113.0/24'"), 1);
    c.row.ip = "2001:db8:1:2:3::4";
    kit_write(audit_one, &c);
    ck_assert_int_eq(kit_number("SELECT count(*) FROM audit WHERE ip = '2001:db8:1::/48'"), 1);
    c.row.ip = "::ffff:198.51.100.9";
    kit_write(audit_one, &c);
    ck_assert_int_eq(kit_number("SELECT count(*) FROM audit WHERE ip = '198.51.100.0/24'"), 1);
    c.row.ip = "no address";
    kit_write(audit_one, &c);
    ck_assert_int_eq(kit_number("SELECT count(*) FROM audit WHERE ip IS NULL"), 1);
    store_set_short_ips(kit_store, false);
    kit_write(audit_one, &c);
    ck_assert_int_eq(kit_number("SELECT count(*) FROM audit WHERE ip = 'no address'"), 1);
    kit_chain_good(6);
}
END_TEST

static int take_agent(void *arg, const struct audit_row *row, struct err *err)
{
    (void)err;
    snprintf(arg, 600, "%s", row->user_agent);
    return 0;
}

static int read_agent(struct db *db, void *arg, struct err *err)
{
    const struct audit_filter f = {.limit = 1};
    struct audit_page page;
    return audit_each(db, &f, take_agent, arg, &page, err);
}

START_TEST(a_user_agent_is_made_fit_for_display)
{
    char long_one[1000], kept[600];
    struct on_audit c = {.row = plain("a")};
    c.row.user_agent = "a\r\nb\x1b[31m \xff\xe2\x80\xaeq";
    kit_write(audit_one, &c);
    kit_read(read_agent, kept);
    for (const char *p = kept; *p; p++)
        ck_assert((unsigned char)*p >= 0x20 && *p != 0x7f);
    ck_assert_ptr_null(strstr(kept, "\xe2\x80\xae"));
    memset(long_one, 'x', sizeof long_one - 1);
    long_one[sizeof long_one - 1] = 0;
    c.row.user_agent = long_one;
    kit_write(audit_one, &c);
    kit_read(read_agent, kept);
    ck_assert_uint_eq(strlen(kept), AUDIT_AGENT_MAX);
    kit_chain_good(2);
}
END_TEST

static int take_name(void *arg, const struct audit_row *row, struct err *err)
{
    (void)err;
    snprintf(arg, 100, "%s", row->actor_name ? row->actor_name : "-");
    return 0;
}

static int read_name(struct db *db, void *arg, struct err *err)
{
    const struct audit_filter f = {.limit = 1};
    struct audit_page page;
    return audit_each(db, &f, take_name, arg, &page, err);
}

START_TEST(an_accounts_name_is_looked_up_and_goes_with_it)
{
    struct kit_login l;
    char name[100];
    kit_login_init(&l, 1);
    kit_write(kit_login_fn, &l);
    struct on_audit c = {.row = plain("a")};
    c.row.actor_kind = "account";
    c.row.actor = l.account.id;
    kit_write(audit_one, &c);
    kit_read(read_name, name);
    ck_assert_str_eq(name, "Alice Example");
    kit_sql("DELETE FROM session");
    kit_sql("DELETE FROM identity");
    kit_read(read_name, name);
    ck_assert_str_eq(name, "-");
    kit_chain_good(1);
}
END_TEST

Suite *suite_audit(const char *name)
{
    Suite *s = suite_create(name);
    TCase *tc = tcase_create("audit");
    tcase_add_checked_fixture(tc, kit_setup, kit_teardown);
    tcase_add_test(tc, rows_are_numbered_without_gaps);
    tcase_add_test(tc, rows_are_read_forward);
    tcase_add_test(tc, rows_are_found_by_what_they_say);
    tcase_add_test(tc, numbers_are_never_shared);
    tcase_add_test(tc, people_are_kept_by_id_and_networks_if_one_likes);
    tcase_add_test(tc, a_user_agent_is_made_fit_for_display);
    tcase_add_test(tc, an_accounts_name_is_looked_up_and_goes_with_it);
    suite_add_tcase(s, tc);
    return s;
}
