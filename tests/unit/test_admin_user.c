/* SPDX-License-Identifier: Apache-2.0 */
/* Users: found, shown, disabled, enabled, sessions ended, deleted; in memory as in the store. */
#include <stdio.h>
#include <string.h>

#include "admin_fixture.h"
#include "store/oauth_grant.h"
#include "sys/clock.h"

Suite *suite_admin_user(void);

static struct admin_fixture f;
static struct clock_fake clock_now = {.wall = {INT64_C(1800000000) * 1000000}};
#define NOW INT64_C(1800000000)

static char ada[44], ada_too[44], bob[44];

struct session_of {
    const char *account, *id;
    char *token;
};

static int write_session(struct db *db, void *arg, struct err *err)
{
    return session_row_add(db, arg, err);
}

static void sign_in(const struct session_of *s)
{
    struct err err = ERR_INIT;
    struct session_row row = {.id = s->id,
                              .account = s->account,
                              .provider = "toy",
                              .subject = "1",
                              .ip = "192.0.2.7",
                              .user_agent = "Browser/1",
                              .created = NOW,
                              .seen = NOW,
                              .ends = NOW + 86400};
    session_token_make(s->token, row.hash);
    ck_assert_int_eq(sessions_add(f.sessions, &row, &err), 0);
    ck_assert_int_eq(store_write_now(f.store.store, write_session, &row, &err), STORE_DONE);
}

/* Ada has two identities and two sessions, Bob one of each, Eve none at all. */
static void setup(void)
{
    clock_now.wall.us = NOW * 1000000;
    clock_set_fake(&clock_now);
    admin_fixture_open(&f);
    store_fixture_sql(&f.store, "INSERT INTO account (id, created) "
                                "VALUES ('ada', 10), ('bob', 20), ('eve', 30)");
    store_fixture_sql(
        &f.store,
        "INSERT INTO identity (provider, subject, account, username, name, email, email_evidence, "
        "group_names, first_seen, last_seen, linked) VALUES "
        "('toy', '1', 'ada', 'ada', 'Ada', 'ada' || char(64) || 'example.org', 2, "
        "'[\"toy:staff\"]', 10, 50, NULL), "
        "('zoo', '1', 'ada', NULL, 'Ada L.', NULL, 0, NULL, 15, 40, 15), "
        "('toy', '2', 'bob', 'bob_x', 'Bob', 'bob' || char(64) || 'example.org', 1, NULL, 20, 60, "
        "NULL)");
    sign_in(&(struct session_of){"ada", "ada-1", ada});
    sign_in(&(struct session_of){"ada", "ada-2", ada_too});
    sign_in(&(struct session_of){"bob", "bob-1", bob});
}

static void teardown(void)
{
    admin_fixture_close(&f);
    clock_set_fake(NULL);
}

static bool in(const char *token)
{
    struct session_view v;
    return sessions_check(f.sessions, (struct str){token, 43}, NOW, &v) == 1;
}

static void grant(const char *account)
{
    f.sub = account;
    admin_do(&f, admin_role_grant, "admin", NULL);
}

static void list(const char *query, const char *ids)
{
    char found[100] = "";
    f.query = query;
    admin_do(&f, admin_user_list, NULL, NULL);
    const struct jval *users = jval_at(f.body, "/users");
    for (size_t i = 0; i < jval_count(users); i++) {
        strcat(found, i ? " " : "");
        strcat(found, jval_text(jval_get(jval_item(users, i), "id")));
    }
    ck_assert_msg(strcmp(found, ids) == 0, "%s: %s", query, found);
}

START_TEST(found)
{
    list(NULL, "ada bob eve");
    ck_assert_str_eq(admin_said(&f, "/users/0/name"), "Ada");
    ck_assert_str_eq(admin_said(&f, "/users/0/email"), "ada@example.org");
    ck_assert_str_eq(admin_said(&f, "/users/0/provider"), "toy");
    ck_assert_str_eq(admin_said(&f, "/users/0/providers/1"), "zoo");
    ck_assert_int_eq(admin_number(&f, "/users/0/created"), 10);
    ck_assert_int_eq(admin_number(&f, "/users/0/last_seen"), 50);
    ck_assert_int_eq(jval_type(jval_at(f.body, "/users/2/name")), JVAL_NULL);
    ck_assert_int_eq(jval_type(jval_at(f.body, "/users/2/last_seen")), JVAL_NULL);
    ck_assert_int_eq(jval_type(jval_at(f.body, "/next")), JVAL_NULL);
    list("search=ADA", "ada");
    list("search=b_", "bob"); /* not any character */
    list("search=%25", "");
    list("search=eve", "eve");
    list("provider=zoo", "ada");
    list("provider=nobody", "");
    list("search=", "ada bob eve");
    grant("bob");
    list("role=admin", "bob");
    ck_assert_str_eq(admin_said(&f, "/users/0/roles/0"), "admin");
    list("role=admin&search=ada", "");
    admin_do(&f, admin_user_disable, "eve", "{\"reason\":\"gone\"}");
    list("disabled=true", "eve");
    list("disabled=false", "ada bob");
}
END_TEST

START_TEST(page_by_page)
{
    list("limit=2", "ada bob");
    ck_assert_str_eq(admin_said(&f, "/next"), "bob");
    list("limit=2&after=bob", "eve");
    ck_assert_int_eq(jval_type(jval_at(f.body, "/next")), JVAL_NULL);
    static const char *const bad[] = {"limit=0",         "limit=201",        "limit=x",
                                      "limit=1&limit=2", "disabled=",        "disabled=yes",
                                      "what=ever",       "search=a&search=b"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        f.query = bad[i];
        ck_assert_msg((admin_call(&f, admin_user_list, NULL, NULL) == ERR_INVALID) == (i != 4),
                      "%s", bad[i]);
    }
}
END_TEST

START_TEST(shown)
{
    grant("ada");
    admin_do(&f, admin_role_set, "admin", "{\"permissions\":[\"all\"]}");
    admin_do(&f, admin_user_show, "ada", NULL);
    ck_assert_str_eq(admin_said(&f, "/roles/0"), "admin");
    ck_assert_str_eq(admin_said(&f, "/permissions/0"), "all");
    ck_assert_str_eq(admin_said(&f, "/identities/0/subject"), "1");
    ck_assert_str_eq(admin_said(&f, "/identities/0/groups/0"), "toy:staff");
    ck_assert_str_eq(admin_said(&f, "/identities/0/email_evidence"), "primary_verified");
    ck_assert_int_eq(admin_number(&f, "/identities/1/linked"), 15);
    ck_assert_uint_eq(jval_count(jval_at(f.body, "/sessions")), 2);
    ck_assert_str_eq(admin_said(&f, "/sessions/0/ip"), "192.0.2.7");
    ck_assert_str_eq(admin_said(&f, "/sessions/0/user_agent"), "Browser/1");
    ck_assert_ptr_null(strstr(f.text, ada)); /* SESS-04: no cookie, nor what it is known by */
    ck_assert_ptr_null(strstr(f.text, "hash"));
    static const char *const nobody[] = {"nobody", "", "a\nb", NULL};
    for (size_t i = 0; i < sizeof nobody / sizeof *nobody; i++)
        ck_assert_int_eq(admin_call(&f, admin_user_show, nobody[i], NULL), ERR_NOT_FOUND);
}
END_TEST

/* ACCT-18, and at once. */
START_TEST(disabled_and_enabled)
{
    ck_assert_int_eq(admin_call(&f, admin_user_enable, "ada", NULL), ERR_CONFLICT);
    admin_do(&f, admin_user_disable, "ada", "{\"reason\":\"left\",\"until\":1800003600}");
    ck_assert(!in(ada) && !in(ada_too) && in(bob));
    ck_assert_uint_eq(jval_count(jval_at(f.body, "/sessions")), 0);
    ck_assert_str_eq(admin_said(&f, "/disabled_reason"), "left");
    ck_assert_int_eq(admin_number(&f, "/disabled_since"), NOW);
    ck_assert_int_eq(admin_number(&f, "/disabled_until"), NOW + 3600);
    ck_assert_int_eq(store_fixture_number(&f.store, "SELECT count(*) FROM session"), 1);

    clock_now.wall.us += INT64_C(3600) * 1000000; /* over by itself */
    clock_set_fake(&clock_now);
    admin_do(&f, admin_user_show, "ada", NULL);
    ck_assert_int_eq(jval_type(jval_at(f.body, "/disabled_since")), JVAL_NULL);
    admin_do(&f, admin_user_disable, "ada", "{\"reason\":\"left\"}");
    ck_assert_int_eq(jval_type(jval_at(f.body, "/disabled_until")), JVAL_NULL);
    admin_do(&f, admin_user_enable, "ada", NULL);
    ck_assert_int_eq(jval_type(jval_at(f.body, "/disabled_since")), JVAL_NULL);
    ck_assert(!in(ada)); /* what ended does not come back */
    admin_do(&f, admin_audit_list, NULL, NULL);
    ck_assert_str_eq(admin_said(&f, "/audit/0/action"), "user.enable");
    ck_assert_str_eq(admin_said(&f, "/audit/1/after/reason"), "left");
    ck_assert_str_eq(admin_said(&f, "/audit/1/object"), "ada");
}
END_TEST

START_TEST(nonsense)
{
    static const char *const bodies[] = {
        "{}",
        "{\"reason\":\"\"}",
        "{\"reason\":7}",
        "{\"reason\":\"a\\u0007\"}",
        "{\"reason\":\"x\",\"until\":1}",
        "{\"reason\":\"x\",\"until\":\"tomorrow\"}",
        "{\"reason\":\"x\",\"for\":1}",
    };
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++)
        ck_assert_msg(admin_call(&f, admin_user_disable, "ada", bodies[i]) == ERR_INVALID, "%s",
                      bodies[i]);
    ck_assert(in(ada));
    ck_assert_int_eq(admin_call(&f, admin_user_disable, "no", "{\"reason\":\"x\"}"), ERR_NOT_FOUND);
    ck_assert_int_eq(admin_call(&f, admin_user_enable, "no", NULL), ERR_NOT_FOUND);
    ck_assert_int_eq(admin_call(&f, admin_user_end_sessions, "no", NULL), ERR_NOT_FOUND);
    ck_assert_int_eq(admin_call(&f, admin_user_delete, "no", NULL), ERR_NOT_FOUND);
    ck_assert_int_eq(admin_call(&f, admin_user_end_sessions, "ada", "{\"session\":1}"),
                     ERR_INVALID);
    ck_assert_int_eq(admin_call(&f, admin_user_delete, "ada", "{\"bar\":1}"), ERR_INVALID);
    ck_assert(in(ada));
}
END_TEST

START_TEST(some_or_all_sessions)
{
    ck_assert_int_eq(admin_call(&f, admin_user_end_sessions, "ada", "{\"session\":\"bob-1\"}"),
                     ERR_NOT_FOUND);
    ck_assert(in(ada) && in(ada_too) && in(bob));
    admin_do(&f, admin_user_end_sessions, "ada", "{\"session\":\"ada-1\"}");
    ck_assert_int_eq(admin_number(&f, "/ended"), 1);
    ck_assert(!in(ada) && in(ada_too));
    admin_do(&f, admin_user_end_sessions, "ada", "{}");
    ck_assert_int_eq(admin_number(&f, "/ended"), 1);
    ck_assert(!in(ada_too) && in(bob));
    admin_do(&f, admin_user_end_sessions, "ada", NULL);
    ck_assert_int_eq(admin_number(&f, "/ended"), 0);
    ck_assert_int_eq(store_fixture_number(&f.store, "SELECT count(*) FROM session"), 1);
    admin_do(&f, admin_audit_list, NULL, NULL);
    ck_assert_str_eq(admin_said(&f, "/audit/1/action"), "user.end_sessions");
    ck_assert_int_eq(admin_number(&f, "/audit/1/before/sessions"), 1);
}
END_TEST

START_TEST(deleted)
{
    grant("ada");
    grant("bob");
    admin_do(&f, admin_user_delete, "ada", NULL);
    ck_assert(!in(ada) && !in(ada_too) && in(bob));
    ck_assert(!admin_is(f.admin, "ada"));
    ck_assert_int_eq(
        store_fixture_number(&f.store, "SELECT count(*) FROM identity WHERE account = 'ada'"), 0);
    ck_assert_int_eq(store_fixture_number(&f.store, "SELECT count(*) FROM barred_identity"), 0);
    ck_assert_int_eq(admin_call(&f, admin_user_show, "ada", NULL), ERR_NOT_FOUND);
    ck_assert_int_eq(admin_call(&f, admin_user_delete, "bob", "{\"bar\":true}"), ERR_CONFLICT);
    admin_do(&f, admin_user_delete, "bob", "{\"bar\":true,\"force\":true}");
    ck_assert(!in(bob) && !admin_is(f.admin, "bob"));
    ck_assert_int_eq(store_fixture_number(&f.store, "SELECT count(*) FROM barred_identity"), 1);
    admin_do(&f, admin_user_delete, "eve", "{\"bar\":true}");
    admin_do(&f, admin_audit_list, NULL, NULL);
    ck_assert_str_eq(admin_said(&f, "/audit/0/action"), "user.delete");
    ck_assert_str_eq(admin_said(&f, "/audit/2/outcome"), "refused");
    ck_assert_ptr_null(strstr(f.text, "example.org")); /* PRIV-11 */
}
END_TEST

/* Whoever could undo it must still get in. */
START_TEST(nobody_is_locked_out)
{
    grant("ada");
    ck_assert_int_eq(admin_call(&f, admin_user_disable, "ada", "{\"reason\":\"x\"}"), ERR_CONFLICT);
    ck_assert_int_eq(admin_call(&f, admin_user_delete, "ada", NULL), ERR_CONFLICT);
    ck_assert(in(ada) && admin_is(f.admin, "ada"));
    grant("bob");
    admin_do(&f, admin_user_disable, "bob", "{\"reason\":\"x\"}");
    /* A disabled admin is none to fall back on. */
    ck_assert_int_eq(admin_call(&f, admin_user_disable, "ada", "{\"reason\":\"x\"}"), ERR_CONFLICT);
    admin_do(&f, admin_user_enable, "bob", NULL);
    f.actor.kind = "account";
    f.actor.id = "ada";
    ck_assert_int_eq(admin_call(&f, admin_user_disable, "ada", "{\"reason\":\"x\"}"), ERR_CONFLICT);
    ck_assert_ptr_nonnull(strstr(f.err.text, "your own"));
    ck_assert_int_eq(admin_call(&f, admin_user_delete, "ada", "{\"force\":false}"), ERR_CONFLICT);
    ck_assert(in(ada));
    admin_do(&f, admin_user_end_sessions, "ada", NULL); /* signing in again helps */
    admin_do(&f, admin_user_disable, "ada", "{\"reason\":\"x\",\"force\":true}");
}
END_TEST

/* What is an admin's is changed by those who may change who is one. */
START_TEST(admins_are_out_of_reach)
{
    static const struct {
        admin_op_fn *op;
        const char *body;
    } all[] = {{admin_user_disable, "{\"reason\":\"x\"}"},
               {admin_user_end_sessions, NULL},
               {admin_user_enable, NULL}};
    grant("ada");
    grant("bob");
    f.actor.scopes = ADMIN_READ | ADMIN_WRITE;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        ck_assert_int_eq(admin_call(&f, all[i].op, "ada", all[i].body), ERR_NOT_ALLOWED);
    ck_assert(in(ada));
    admin_do(&f, admin_user_disable, "eve", "{\"reason\":\"x\"}");
}
END_TEST

/* Tokens that the account made go with it, whatever happens to it. */
START_TEST(tokens_end_too)
{
    struct admin_actor who;
    char token[60];
    grant("ada");
    grant("bob");
    f.actor.kind = "account";
    f.actor.id = "ada";
    admin_do(&f, admin_token_add, NULL, "{\"name\":\"x\",\"scopes\":\"read\"}");
    snprintf(token, sizeof token, "%s", admin_said(&f, "/token"));
    f.actor.id = "bob";
    ck_assert_int_eq(admin_token_check(f.admin, str_of(token), &who), 1);
    admin_do(&f, admin_user_disable, "ada", "{\"reason\":\"x\"}");
    ck_assert_int_eq(admin_token_check(f.admin, str_of(token), &who), 0);
    ck_assert_int_eq(store_fixture_number(&f.store, "SELECT count(*) FROM api_token"), 0);
}
END_TEST

/* When nobody knows whether it is on the disk, they are out all the same; but what was refused ends
 * nothing. */
START_TEST(in_doubt_they_are_out)
{
    struct admin_actor who;
    char token[60];
    grant("ada");
    f.actor.kind = "account";
    f.actor.id = "ada";
    admin_do(&f, admin_token_add, NULL, "{\"name\":\"x\",\"scopes\":\"read\"}");
    snprintf(token, sizeof token, "%s", admin_said(&f, "/token"));
    f.actor.kind = "socket";
    store_fixture_disk(f.store.folder, true);
    ck_assert_int_eq(admin_call(&f, admin_user_disable, "ada", "{\"reason\":\"x\"}"), ERR_INTERNAL);
    f.sub = "ada";
    ck_assert_int_eq(admin_call(&f, admin_role_revoke, "admin", NULL), ERR_INTERNAL);
    ck_assert(in(ada) && in(ada_too) && admin_is(f.admin, "ada")); /* the last one */
    ck_assert_int_eq(admin_token_check(f.admin, str_of(token), &who), 1);

    ck_assert_int_eq(admin_call(&f, admin_user_end_sessions, "ada", "{\"session\":\"ada-1\"}"),
                     ERR_INTERNAL);
    ck_assert(!in(ada) && in(ada_too));
    ck_assert_int_eq(admin_call(&f, admin_user_disable, "ada", "{\"reason\":\"x\",\"force\":true}"),
                     ERR_INTERNAL);
    ck_assert(!in(ada_too) && in(bob));
    ck_assert_int_eq(admin_token_check(f.admin, str_of(token), &who), 0);
    f.sub = "ada";
    ck_assert_int_eq(admin_call(&f, admin_role_revoke, "admin", "{\"force\":true}"), ERR_INTERNAL);
    ck_assert(!admin_is(f.admin, "ada"));
    ck_assert_int_eq(admin_call(&f, admin_user_delete, "bob", NULL), ERR_INTERNAL);
    ck_assert(!in(bob));
    store_fixture_disk(f.store.folder, false);
}
END_TEST

static int add_grants(struct db *db, void *arg, struct err *err)
{
    static const char *const who[] = {"ada", "bob"};
    (void)arg;
    for (int i = 0; i < 2; i++) {
        const struct oauth_grant_row row = {.id = who[i],
                                            .app = "wiki",
                                            .account = who[i],
                                            .scopes = "openid",
                                            .created = NOW,
                                            .ends = NOW + 1000};
        if (oauth_grant_add(db, &row, err) < 0)
            return -1;
    }
    return 0;
}

/* OP-42: what apps were granted ends with whoever granted it, and does not come back. */
START_TEST(grants_end_too)
{
    struct err err = ERR_INIT;
    ck_assert_int_eq(store_write_now(f.store.store, add_grants, NULL, &err), STORE_DONE);
    admin_do(&f, admin_user_disable, "ada", "{\"reason\":\"x\"}");
    ck_assert_int_eq(
        store_fixture_number(&f.store, "SELECT ended FROM oauth_grant WHERE account = 'ada'"), NOW);
    ck_assert_int_eq(
        store_fixture_number(&f.store, "SELECT count(*) FROM oauth_grant WHERE ended IS NULL"), 1);
    admin_do(&f, admin_user_enable, "ada", NULL);
    ck_assert_int_eq(
        store_fixture_number(&f.store, "SELECT count(*) FROM oauth_grant WHERE ended IS NULL"), 1);
    admin_do(&f, admin_user_delete, "bob", "{\"force\":true}");
    ck_assert_int_eq(store_fixture_number(&f.store, "SELECT count(*) FROM oauth_grant"), 1);
}
END_TEST

Suite *suite_admin_user(void)
{
    Suite *s = suite_create("admin_user");
    TCase *tc = tcase_create("users");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, found);
    tcase_add_test(tc, page_by_page);
    tcase_add_test(tc, shown);
    tcase_add_test(tc, disabled_and_enabled);
    tcase_add_test(tc, nonsense);
    tcase_add_test(tc, some_or_all_sessions);
    tcase_add_test(tc, deleted);
    tcase_add_test(tc, nobody_is_locked_out);
    tcase_add_test(tc, admins_are_out_of_reach);
    tcase_add_test(tc, tokens_end_too);
    tcase_add_test(tc, grants_end_too);
    tcase_add_test(tc, in_doubt_they_are_out);
    suite_add_tcase(s, tc);
    return s;
}
