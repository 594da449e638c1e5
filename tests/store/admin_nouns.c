/* SPDX-License-Identifier: Apache-2.0 */
/* Roles, tokens and the audit, on every backend. */
#include <stdio.h>
#include <string.h>

#include "kit.h"
#include "store/account_role.h"
#include "store/api_token.h"
#include "store/audit.h"

static struct arena *arena;

static void setup(void)
{
    kit_setup();
    arena = arena_new();
}

static void teardown(void)
{
    arena_free(&arena);
    kit_teardown();
}

/* ---- roles ------------------------------------------------------------------------------------
 */

struct on_role {
    struct account_role_row row;
    struct account_person person;
    int result, n;
};

static int role_grant(struct db *db, void *arg, struct err *err)
{
    struct on_role *c = arg;
    c->result = account_role_grant(db, &c->row, err);
    return c->result < 0 ? -1 : 0;
}

static int role_revoke(struct db *db, void *arg, struct err *err)
{
    struct on_role *c = arg;
    c->result = account_role_revoke(db, c->row.account, c->row.role, err);
    return c->result < 0 ? -1 : 0;
}

static int role_person(struct db *db, void *arg, struct err *err)
{
    struct on_role *c = arg;
    c->result = account_person(db, c->row.account, arena, &c->person, err);
    return c->result < 0 ? -1 : 0;
}

static int count_role(void *arg, const struct account_role_row *row, struct err *err)
{
    (void)err;
    struct on_role *c = arg;
    ck_assert_str_eq(row->account, c->row.account);
    ck_assert_str_eq(row->role, ROLE_ADMIN);
    ck_assert_int_eq(row->since, NOW);
    c->n++;
    return 0;
}

static int role_each(struct db *db, void *arg, struct err *err)
{
    ((struct on_role *)arg)->n = 0;
    return account_role_each(db, count_role, arg, err);
}

START_TEST(roles_are_granted_once_and_go_with_the_account)
{
    struct kit_login l;
    kit_login_init(&l, 1);
    kit_write(kit_login_fn, &l);
    struct on_role c = {.row = {l.account.id, ROLE_ADMIN, NOW}};
    kit_write(role_grant, &c);
    ck_assert_int_eq(c.result, 1);
    c.row.since = NOW + 5;
    kit_write(role_grant, &c);
    ck_assert_int_eq(c.result, 0);
    kit_read(role_each, &c);
    ck_assert_int_eq(c.n, 1);
    kit_read(role_person, &c);
    ck_assert_int_eq(c.result, 1);
    ck_assert_ptr_nonnull(c.person.provider);
    ck_assert_int_eq(c.person.last_seen, NOW);
    kit_write(role_revoke, &c);
    ck_assert_int_eq(c.result, 1);
    kit_write(role_revoke, &c);
    ck_assert_int_eq(c.result, 0);
    kit_write(role_grant, &c);
    kit_sql("DELETE FROM account");
    ck_assert_int_eq(kit_number("SELECT count(*) FROM account_role"), 0);
    kit_read(role_person, &c);
    ck_assert_int_eq(c.result, 0);
    kit_write_fails(role_grant, &c); /* nobody to have it */
}
END_TEST

/* ---- tokens -----------------------------------------------------------------------------------
 */

struct on_token {
    struct api_token_row row, out;
    char scopes[64];
    int64_t used;
    int result, n;
};

static int token_add(struct db *db, void *arg, struct err *err)
{
    return api_token_add(db, &((struct on_token *)arg)->row, err);
}

static int token_drop(struct db *db, void *arg, struct err *err)
{
    struct on_token *c = arg;
    c->result = api_token_drop(db, c->row.id, err);
    return c->result < 0 ? -1 : 0;
}

static int token_touch(struct db *db, void *arg, struct err *err)
{
    struct on_token *c = arg;
    return api_token_touch(db, c->row.id, c->used, err);
}

static int take_token(void *arg, const struct api_token_row *row, struct err *err)
{
    (void)err;
    struct on_token *c = arg;
    c->out = *row;
    snprintf(c->scopes, sizeof c->scopes, "%s/%s/%s", row->id, row->name, row->scopes);
    c->n++;
    return 0;
}

static int token_each(struct db *db, void *arg, struct err *err)
{
    ((struct on_token *)arg)->n = 0;
    return api_token_each(db, take_token, arg, err);
}

START_TEST(tokens_are_kept_by_their_hash)
{
    struct on_token c = {.row = {.id = "t1", .name = "ci", .scopes = "read write", .created = NOW}};
    memset(c.row.hash, 0xab, sizeof c.row.hash);
    kit_write(token_add, &c);
    kit_read(token_each, &c);
    ck_assert_int_eq(c.n, 1);
    ck_assert_str_eq(c.scopes, "t1/ci/read write");
    ck_assert_mem_eq(c.out.hash, c.row.hash, 32);
    ck_assert_int_eq(c.out.created, NOW);
    ck_assert_int_eq(c.out.expires, 0);
    ck_assert_int_eq(c.out.last_used, 0);
    c.used = NOW + 9;
    kit_write(token_touch, &c);
    c.used = NOW + 4;
    kit_write(token_touch, &c);
    kit_read(token_each, &c);
    ck_assert_int_eq(c.out.last_used, NOW + 9);

    struct on_token twin = c;
    twin.row.id = "t2";
    kit_write_fails(token_add, &twin); /* one hash, one token */
    kit_write(token_drop, &c);
    ck_assert_int_eq(c.result, 1);
    kit_write(token_drop, &c);
    ck_assert_int_eq(c.result, 0);
    twin.row.expires = NOW + 100;
    kit_write(token_add, &twin);
    kit_read(token_each, &twin);
    ck_assert_int_eq(twin.out.expires, NOW + 100);
}
END_TEST

static int token_drop_of(struct db *db, void *arg, struct err *err)
{
    return api_token_drop_of(db, ((struct on_token *)arg)->row.owner, err);
}

START_TEST(tokens_have_owners)
{
    struct on_token c = {.row = {.id = "t1", .name = "ci", .scopes = "read", .created = NOW}};
    struct on_token hers = c, more = c;
    hers.row.id = "t2";
    more.row.id = "t3";
    hers.row.owner = more.row.owner = "ada";
    c.row.hash[0] = 1;
    hers.row.hash[0] = 2;
    kit_write(token_add, &c);
    kit_write(token_add, &hers);
    kit_write(token_add, &more);
    kit_read(token_each, &c);
    ck_assert_int_eq(c.n, 3);
    ck_assert_int_eq(kit_number("SELECT count(*) FROM api_token WHERE owner IS NULL"), 1);
    ck_assert_int_eq(kit_number("SELECT count(*) FROM api_token WHERE owner = 'ada'"), 2);
    kit_write(token_drop_of, &hers);
    kit_read(token_each, &c);
    ck_assert_int_eq(c.n, 1);
    ck_assert_ptr_null(c.out.owner);
    kit_write(token_drop_of, &hers); /* there are none: fine */
}
END_TEST

/* ---- audit ------------------------------------------------------------------------------------
 */

struct on_audit {
    struct audit_row row;
    struct audit_filter filter;
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

static int audit_walk(struct db *db, void *arg, struct err *err)
{
    struct on_audit *c = arg;
    c->seen[0] = '\0';
    return audit_each(db, &c->filter, take_audit, c, err);
}

static int64_t note(const char *actor, const char *action, const char *object)
{
    struct on_audit c = {.row = {.at = NOW,
                                 .actor_kind = "account",
                                 .actor = actor,
                                 .actor_name = "Ada",
                                 .ip = "127.0.0.1",
                                 .request_id = "r",
                                 .action = action,
                                 .object = object,
                                 .became = "{}",
                                 .outcome = "done"}};
    kit_write(audit_one, &c);
    return c.n;
}

static const char *seen(struct audit_filter filter)
{
    static struct on_audit c;
    c = (struct on_audit){.filter = filter};
    kit_read(audit_walk, &c);
    return c.seen;
}

START_TEST(audit_rows_are_numbered_without_gaps)
{
    ck_assert_int_eq(note("x", "a", "p"), 1);
    struct on_audit undone = {.fail = true,
                              .row = {.at = NOW,
                                      .actor_kind = "system",
                                      .actor = "",
                                      .action = "b",
                                      .object = "",
                                      .outcome = "done"}};
    kit_write_fails(audit_one, &undone);
    ck_assert_int_eq(note("y", "b", "p"), 2);
    ck_assert_int_eq(note("x", "b", "q"), 3);
    ck_assert_str_eq(seen((struct audit_filter){.limit = 10}), "3b 2b 1a ");
    ck_assert_str_eq(seen((struct audit_filter){.limit = 2}), "3b 2b ");
    ck_assert_str_eq(seen((struct audit_filter){.limit = 9, .before = 3}), "2b 1a ");
    ck_assert_str_eq(seen((struct audit_filter){.limit = 9, .actor = "x"}), "3b 1a ");
    ck_assert_str_eq(seen((struct audit_filter){.limit = 9, .actor = "Ada"}), "3b 2b 1a ");
    ck_assert_str_eq(seen((struct audit_filter){.limit = 9, .action = "b"}), "3b 2b ");
    ck_assert_str_eq(seen((struct audit_filter){.limit = 9, .object = "p"}), "2b 1a ");
    ck_assert_str_eq(seen((struct audit_filter){.limit = 9, .object = "P"}), "");
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

/* Several writers at once, on PostgreSQL really at once. */
START_TEST(audit_numbers_are_never_shared)
{
    enum { MANY = 24 };
    static struct racer all[MANY];
    struct kit_answers a = {.n = 0};
    for (int i = 0; i < MANY; i++) {
        all[i] = (struct racer){&a,
                                {.row = {.at = NOW,
                                         .actor_kind = "system",
                                         .actor = "",
                                         .action = "a",
                                         .object = "",
                                         .outcome = "done"}}};
        ck_assert(store_write(kit_store, race, kit_loop, race_done, &all[i]));
    }
    kit_wait(&a.n, MANY);
    int64_t made = kit_number("SELECT count(*) FROM audit");
    ck_assert_int_eq(made, a.by[STORE_DONE]);
    ck_assert_int_eq(kit_number("SELECT max(n) FROM audit"), made);
    ck_assert_msg(a.by[STORE_DONE] == MANY, "%s", a.last.text);
}
END_TEST

Suite *suite_admin_nouns(const char *name)
{
    Suite *s = suite_create(name);
    TCase *tc = tcase_create("admin nouns");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, roles_are_granted_once_and_go_with_the_account);
    tcase_add_test(tc, tokens_are_kept_by_their_hash);
    tcase_add_test(tc, tokens_have_owners);
    tcase_add_test(tc, audit_rows_are_numbered_without_gaps);
    tcase_add_test(tc, audit_numbers_are_never_shared);
    suite_add_tcase(s, tc);
    return s;
}
