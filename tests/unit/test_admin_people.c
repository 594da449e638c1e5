/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens, roles, setup links, and what the audit says of them. */
#include <stdio.h>

#include "admin_fixture.h"
#include "sys/clock.h"

Suite *suite_admin_people(void);

static struct admin_fixture f;
static struct clock_fake clock_now = {.wall = {INT64_C(1800000000) * 1000000}};
#define NOW INT64_C(1800000000)

static void setup(void)
{
    clock_set_fake(&clock_now);
    admin_fixture_open(&f);
}

static void teardown(void)
{
    admin_fixture_close(&f);
    clock_set_fake(NULL);
}

static void later(int64_t seconds)
{
    clock_now.wall.us += seconds * 1000000;
    clock_set_fake(&clock_now);
}

/* ---- tokens ---- */

START_TEST(a_token_is_told_once)
{
    struct admin_actor who;
    char token[60], id[30];
    admin_do(&f, admin_token_add, NULL, "{\"name\":\"ci\",\"scopes\":\"read metrics\"}");
    ck_assert(f.created);
    snprintf(token, sizeof token, "%s", admin_said(&f, "/token"));
    snprintf(id, sizeof id, "%s", admin_said(&f, "/id"));
    ck_assert_uint_eq(strlen(token), 43);
    ck_assert_int_eq(admin_token_check(f.admin, str_of(token), &who), 1);
    ck_assert_str_eq(who.kind, "token");
    ck_assert_str_eq(who.id, id);
    ck_assert_str_eq(who.name, "ci");
    ck_assert_uint_eq(who.scopes, ADMIN_READ | ADMIN_METRICS);

    admin_do(&f, admin_token_list, NULL, NULL);
    ck_assert_ptr_null(strstr(f.text, token));
    ck_assert_str_eq(admin_said(&f, "/tokens/0/scopes"), "read metrics");
    ck_assert_int_eq(admin_number(&f, "/tokens/0/last_used"), clock_now.wall.us / 1000000);
    admin_do(&f, admin_audit_list, NULL, NULL);
    ck_assert_ptr_null(strstr(f.text, token));
    ck_assert_str_eq(admin_said(&f, "/audit/0/action"), "token.add");
    ck_assert_str_eq(admin_said(&f, "/audit/0/object"), id);
    ck_assert_str_eq(admin_said(&f, "/audit/0/after/name"), "ci");
    ck_assert(!admin_stored(&f, token));
    ck_assert(admin_stored(&f, id)); /* the search works */

    admin_fixture_stop(&f); /* and after a restart it is still good */
    admin_fixture_start(&f);
    ck_assert_int_eq(admin_token_check(f.admin, str_of(token), &who), 1);
    admin_do(&f, admin_token_delete, id, NULL);
    ck_assert_int_eq(admin_token_check(f.admin, str_of(token), &who), 0);
    ck_assert_int_eq(admin_call(&f, admin_token_delete, id, NULL), ERR_NOT_FOUND);
    admin_fixture_stop(&f);
    admin_fixture_start(&f);
    ck_assert_int_eq(admin_token_check(f.admin, str_of(token), &who), 0);
}
END_TEST

START_TEST(a_token_ends)
{
    struct admin_actor who;
    char token[60], body[100];
    snprintf(body, sizeof body, "{\"name\":\"x\",\"scopes\":\"read\",\"expires\":%lld}",
             (long long)(clock_now.wall.us / 1000000 + 100));
    admin_do(&f, admin_token_add, NULL, body);
    snprintf(token, sizeof token, "%s", admin_said(&f, "/token"));
    later(99);
    ck_assert_int_eq(admin_token_check(f.admin, str_of(token), &who), 1);
    later(1);
    ck_assert_int_eq(admin_token_check(f.admin, str_of(token), &who), 0);
    ck_assert_int_eq(admin_token_check(f.admin, STR(""), &who), 0);
    token[0] ^= 1;
    ck_assert_int_eq(admin_token_check(f.admin, str_of(token), &who), 0);
}
END_TEST

START_TEST(token_requests_are_judged)
{
    static const struct {
        const char *body, *field;
    } wrong[] = {
        {"{\"scopes\":\"read\"}", "name"},
        {"{\"name\":\"\",\"scopes\":\"read\"}", "name"},
        {"{\"name\":\"a\\u0007b\",\"scopes\":\"read\"}", "name"},
        {"{\"name\":\"a\\nb\",\"scopes\":\"read\"}", "name"},
        {"{\"name\":7,\"scopes\":\"read\"}", "name"},
        {"{\"name\":\"x\"}", "scopes"},
        {"{\"name\":\"x\",\"scopes\":\"\"}", "scopes"},
        {"{\"name\":\"x\",\"scopes\":\"read everything\"}", "scopes"},
        {"{\"name\":\"x\",\"scopes\":[\"read\"]}", "scopes"},
        {"{\"name\":\"x\",\"scopes\":\"read\",\"expires\":1}", "expires"},
        {"{\"name\":\"x\",\"scopes\":\"read\",\"expires\":1e99}", "expires"},
        {"{\"name\":\"x\",\"scopes\":\"read\",\"expires\":\"soon\"}", "expires"},
        {"{\"name\":\"x\",\"scopes\":\"read\",\"admin\":true}", "admin"},
        {"[]", NULL},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        ck_assert_msg(admin_call(&f, admin_token_add, NULL, wrong[i].body) == ERR_INVALID, "%s",
                      wrong[i].body);
        ck_assert_msg(!wrong[i].field ||
                          strncmp(f.fields, wrong[i].field, strlen(wrong[i].field)) == 0,
                      "%s: %s", wrong[i].body, f.fields);
    }
    ck_assert_int_eq(admin_call(&f, admin_token_add, NULL, NULL), ERR_INVALID);
    ck_assert_int_eq(store_fixture_number(&f.store, "SELECT count(*) FROM api_token"), 0);
}
END_TEST

/* Each operation wants its scope, and nobody gives away more than they have. */
START_TEST(scopes_are_judged_here)
{
    static const struct {
        admin_op_fn *op;
        unsigned scope;
    } wants[] = {
        {admin_token_list, ADMIN_READ},
        {admin_token_add, ADMIN_SECRETS},
        {admin_token_delete, ADMIN_SECRETS},
        {admin_role_list, ADMIN_READ},
        {admin_role_show, ADMIN_READ},
        {admin_role_set, ADMIN_SECRETS},
        {admin_role_delete, ADMIN_SECRETS},
        {admin_role_grant, ADMIN_SECRETS},
        {admin_role_revoke, ADMIN_SECRETS},
        {admin_user_list, ADMIN_READ},
        {admin_user_show, ADMIN_READ},
        {admin_user_disable, ADMIN_WRITE},
        {admin_user_enable, ADMIN_WRITE},
        {admin_user_end_sessions, ADMIN_WRITE},
        {admin_user_delete, ADMIN_SECRETS},
        {admin_setup_link, ADMIN_SECRETS},
        {admin_audit_list, ADMIN_READ},
        {admin_key_list, ADMIN_READ},
        {admin_key_rotate, ADMIN_SECRETS},
        {admin_signing_key_list, ADMIN_READ},
        {admin_signing_key_rotate, ADMIN_SECRETS},
        {admin_provider_list, ADMIN_READ},
        {admin_provider_show, ADMIN_READ},
        {admin_provider_add, ADMIN_WRITE},
        {admin_provider_replace, ADMIN_WRITE},
        {admin_provider_edit, ADMIN_WRITE},
        {admin_provider_delete, ADMIN_WRITE},
        {admin_provider_test, ADMIN_WRITE},
        {admin_provider_test_draft, ADMIN_WRITE},
        {admin_provider_rehearse, ADMIN_WRITE},
        {admin_provider_rehearse_draft, ADMIN_WRITE},
        {admin_rehearsal_show, ADMIN_READ},
        {admin_secret_rotate, ADMIN_SECRETS},
        {admin_secret_promote, ADMIN_SECRETS},
        {admin_secret_drop, ADMIN_SECRETS},
        {admin_config_diff, ADMIN_READ},
        {admin_config_reload, ADMIN_WRITE},
        {admin_status, ADMIN_READ},
        {admin_overview, ADMIN_READ},
        {admin_plugin_list, ADMIN_READ},
        {admin_plugin_show, ADMIN_READ},
    };
    for (size_t i = 0; i < sizeof wants / sizeof *wants; i++) {
        f.actor.scopes = ADMIN_ALL_SCOPES & ~wants[i].scope;
        ck_assert_int_eq(admin_call(&f, wants[i].op, "x", NULL), ERR_NOT_ALLOWED);
    }
    f.actor.scopes = ADMIN_READ | ADMIN_SECRETS;
    ck_assert_int_eq(
        admin_call(&f, admin_token_add, NULL, "{\"name\":\"x\",\"scopes\":\"read write\"}"),
        ERR_NOT_ALLOWED);
    ck_assert_int_eq(store_fixture_number(&f.store, "SELECT count(*) FROM api_token"), 0);
}
END_TEST

START_TEST(scopes_have_words)
{
    struct err err = ERR_INIT;
    char text[32];
    ck_assert_uint_eq(admin_scopes_parse("write read", &err), ADMIN_READ | ADMIN_WRITE);
    admin_scopes_text(ADMIN_ALL_SCOPES, text);
    ck_assert_str_eq(text, "read write secrets metrics");
    ck_assert_uint_eq(admin_scopes_parse(text, &err), ADMIN_ALL_SCOPES);
    ck_assert_uint_eq(admin_scopes_parse("", &err), 0);
    ck_assert_int_eq(err.kind, ERR_INVALID);
}
END_TEST

/* ---- roles ---- */

/* Statements are known by their address, so these are literals. */
static void make_accounts(void)
{
    store_fixture_sql(&f.store, "INSERT INTO account (id, created) VALUES ('a', 1), ('b', 1)");
}

static void grant(const char *account, const char *body)
{
    f.sub = account;
    admin_do(&f, admin_role_grant, "admin", body);
}

static enum err_kind revoke(const char *account, const char *body)
{
    f.sub = account;
    return admin_call(&f, admin_role_revoke, "admin", body);
}

START_TEST(an_admin_is_one_at_once)
{
    make_accounts();
    ck_assert(!admin_is(f.admin, "a"));
    grant("a", NULL);
    ck_assert(admin_is(f.admin, "a"));
    ck_assert(!admin_is(f.admin, "b"));
    ck_assert(!admin_is(f.admin, ""));
    ck_assert(!admin_is(f.admin, NULL));
    grant("a", "{}"); /* again */
    grant("b", NULL);
    admin_do(&f, admin_role_show, "admin", NULL);
    ck_assert_str_eq(admin_said(&f, "/accounts/0/account"), "a");
    ck_assert_str_eq(admin_said(&f, "/accounts/1/account"), "b");
    ck_assert_int_eq(admin_number(&f, "/holders"), 2);
    ck_assert_int_eq(revoke("a", NULL), ERR_NONE);
    ck_assert(!admin_is(f.admin, "a"));
    admin_fixture_stop(&f);
    admin_fixture_start(&f);
    ck_assert(!admin_is(f.admin, "a") && admin_is(f.admin, "b"));
}
END_TEST

START_TEST(the_last_admin_stays)
{
    make_accounts();
    grant("a", NULL);
    ck_assert_int_eq(revoke("a", NULL), ERR_CONFLICT);
    ck_assert_int_eq(revoke("a", "{\"force\":false}"), ERR_CONFLICT);
    ck_assert(admin_is(f.admin, "a"));
    admin_do(&f, admin_audit_list, NULL, NULL); /* that it was tried is on record */
    ck_assert_str_eq(admin_said(&f, "/audit/0/outcome"), "refused");
    ck_assert_str_eq(admin_said(&f, "/audit/2/outcome"), "done");
    ck_assert_int_eq(revoke("a", "{\"force\":true}"), ERR_NONE);
    ck_assert(!admin_is(f.admin, "a"));
}
END_TEST

static void make_token(const char *kind, const char *id, char text[60], char token_id[30])
{
    const struct admin_actor before = f.actor;
    f.actor.kind = kind;
    f.actor.id = id;
    admin_do(&f, admin_token_add, NULL, "{\"name\":\"x\",\"scopes\":\"read secrets\"}");
    snprintf(text, 60, "%s", admin_said(&f, "/token"));
    snprintf(token_id, 30, "%s", admin_said(&f, "/id"));
    f.actor = before;
}

/* Merged or deleted elsewhere: memory follows what the store has done. */
START_TEST(accounts_that_are_gone)
{
    char token[60], id[30];
    struct admin_actor who;
    make_accounts();
    grant("a", NULL);
    make_token("account", "a", token, id);
    admin_on_gone(f.admin, "a", "b");
    ck_assert(!admin_is(f.admin, "a") && admin_is(f.admin, "b"));
    ck_assert_int_eq(admin_token_check(f.admin, str_of(token), &who), 1);
    admin_on_gone(f.admin, "a", "nobody"); /* was no admin any more */
    ck_assert(!admin_is(f.admin, "nobody"));
    admin_on_gone(f.admin, "b", NULL);
    ck_assert(!admin_is(f.admin, "b"));
    ck_assert_int_eq(admin_token_check(f.admin, str_of(token), &who), 0);
}
END_TEST

/* ADM-08: tokens are not a way to stay. */
START_TEST(tokens_end_with_the_role_of_their_maker)
{
    char first[60], second[60], other[60], ours[60], id[30], unused[30];
    struct admin_actor who;
    make_accounts();
    grant("a", NULL);
    grant("b", NULL);
    make_token("account", "a", first, id);
    make_token("token", id, second, unused); /* by means of the first */
    make_token("account", "b", other, unused);
    make_token("socket", "0", ours, unused);
    admin_do(&f, admin_token_list, NULL, NULL);
    ck_assert_uint_eq(jval_count(jval_at(f.body, "/tokens")), 4);
    ck_assert_int_eq(
        store_fixture_number(&f.store, "SELECT count(*) FROM api_token WHERE owner = 'a'"), 2);
    for (int restarted = 0; restarted < 2; restarted++) {
        ck_assert_int_eq(admin_token_check(f.admin, str_of(first), &who), 1);
        ck_assert_int_eq(admin_token_check(f.admin, str_of(second), &who), 1);
        admin_fixture_stop(&f);
        admin_fixture_start(&f);
    }
    ck_assert_int_eq(revoke("a", NULL), ERR_NONE);
    for (int restarted = 0; restarted < 2; restarted++) {
        ck_assert_int_eq(admin_token_check(f.admin, str_of(first), &who), 0);
        ck_assert_int_eq(admin_token_check(f.admin, str_of(second), &who), 0);
        ck_assert_int_eq(admin_token_check(f.admin, str_of(other), &who), 1);
        ck_assert_int_eq(admin_token_check(f.admin, str_of(ours), &who), 1);
        admin_fixture_stop(&f);
        admin_fixture_start(&f);
    }
    grant("a", NULL); /* nothing comes back with it */
    ck_assert_int_eq(admin_token_check(f.admin, str_of(first), &who), 0);
    ck_assert_int_eq(store_fixture_number(&f.store, "SELECT count(*) FROM api_token"), 2);
}
END_TEST

/* Nor is letting apps in. */
START_TEST(initial_tokens_end_with_the_role_of_their_maker)
{
    char token[60], id[30], first[60], second[60];
    const struct admin_actor before = f.actor;
    struct admin_actor who;
    make_accounts();
    grant("a", NULL);
    grant("b", NULL);
    make_token("account", "a", token, id);
    f.actor.kind = "account";
    f.actor.id = "a";
    admin_do(&f, admin_registration_token_add, NULL, "{\"name\":\"x\"}");
    snprintf(first, sizeof first, "%s", admin_said(&f, "/token"));
    f.actor.kind = "token";
    f.actor.id = id;
    admin_do(&f, admin_registration_token_add, NULL, "{\"name\":\"y\"}");
    snprintf(second, sizeof second, "%s", admin_said(&f, "/token"));
    ck_assert_str_eq(admin_said(&f, "/owner"), "a");
    f.actor = before;
    ck_assert_int_eq(admin_initial_check(f.admin, str_of(first), &who), 1);
    ck_assert_int_eq(admin_initial_check(f.admin, str_of(second), &who), 1);
    ck_assert_int_eq(revoke("a", NULL), ERR_NONE);
    for (int restarted = 0; restarted < 2; restarted++) {
        ck_assert_int_eq(admin_initial_check(f.admin, str_of(first), &who), 0);
        ck_assert_int_eq(admin_initial_check(f.admin, str_of(second), &who), 0);
        admin_fixture_stop(&f);
        admin_fixture_start(&f);
    }
}
END_TEST

/* One that was made in the very moment its maker lost the role is no good either. */
START_TEST(tokens_of_who_is_no_admin)
{
    char text[60], id[30];
    struct admin_actor who;
    make_accounts();
    make_token("account", "a", text, id);
    ck_assert_int_eq(admin_token_check(f.admin, str_of(text), &who), 0);
}
END_TEST

START_TEST(only_accounts_get_roles)
{
    static const char *const nobody[] = {"nobody", "", "a\nb", NULL};
    for (size_t i = 0; i < sizeof nobody / sizeof *nobody; i++) {
        f.sub = nobody[i];
        ck_assert_int_eq(admin_call(&f, admin_role_grant, "admin", NULL), ERR_NOT_FOUND);
        ck_assert_int_eq(revoke(nobody[i], NULL), ERR_NOT_FOUND);
    }
    f.sub = "x";
    ck_assert_int_eq(admin_call(&f, admin_role_grant, "admin", "{\"role\":\"god\"}"), ERR_INVALID);
}
END_TEST

/* ---- setup links ---- */

static void link_token(char out[60])
{
    static const char before[] = "https://usher.example/admin/setup/";
    admin_do(&f, admin_setup_link, NULL, NULL);
    ck_assert_int_eq(strncmp(admin_said(&f, "/url"), before, sizeof before - 1), 0);
    snprintf(out, 60, "%s", admin_said(&f, "/url") + sizeof before - 1);
}

static enum err_kind use(const char *token)
{
    char body[100];
    const struct admin_actor socket = f.actor;
    f.actor = (struct admin_actor){.kind = "", .id = "", .ip = "192.0.2.1", .request_id = "r"};
    snprintf(body, sizeof body, "{\"token\":\"%s\"}", token);
    enum err_kind kind = admin_call(&f, admin_setup_use, NULL, body);
    f.actor = socket;
    return kind;
}

START_TEST(a_setup_link_works_once)
{
    struct admin_actor who;
    char token[60], cookie[60];
    link_token(token);
    ck_assert_int_eq(use("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"), ERR_EXPIRED);
    ck_assert_int_eq(use(token), ERR_NONE);
    snprintf(cookie, sizeof cookie, "%s", admin_said(&f, "/operator"));
    ck_assert_int_eq(use(token), ERR_EXPIRED);
    ck_assert_int_eq(admin_operator_check(f.admin, str_of(cookie), &who), 1);
    ck_assert_str_eq(who.kind, "operator");
    ck_assert_uint_eq(who.scopes, ADMIN_ALL_SCOPES);
    ck_assert_int_eq(admin_operator_check(f.admin, str_of(token), &who), 0);
    ck_assert_int_eq(admin_operator_check(f.admin, STR(""), &who), 0);
    admin_do(&f, admin_audit_list, NULL, NULL);
    ck_assert_str_eq(admin_said(&f, "/audit/0/action"), "setup.use");
    ck_assert_str_eq(admin_said(&f, "/audit/0/ip"), "192.0.2.1");
    ck_assert_str_eq(admin_said(&f, "/audit/0/object"), who.id);
    ck_assert_str_eq(admin_said(&f, "/audit/1/action"), "setup.link");
    ck_assert(!admin_stored(&f, token) && !admin_stored(&f, cookie));
    later(3599);
    ck_assert_int_eq(admin_operator_check(f.admin, str_of(cookie), &who), 1);
    later(1);
    ck_assert_int_eq(admin_operator_check(f.admin, str_of(cookie), &who), 0);
}
END_TEST

START_TEST(a_setup_link_ends)
{
    struct admin_actor who;
    char token[60], cookie[60];
    link_token(token);
    later(600);
    ck_assert_int_eq(use(token), ERR_EXPIRED);
    link_token(token);
    later(599);
    ck_assert_int_eq(use(token), ERR_NONE);
    snprintf(cookie, sizeof cookie, "%s", admin_said(&f, "/operator"));
    admin_operator_end(f.admin, str_of(cookie));
    ck_assert_int_eq(admin_operator_check(f.admin, str_of(cookie), &who), 0);
    link_token(token);
    admin_fixture_stop(&f);
    admin_fixture_start(&f);
    ck_assert_int_eq(use(token), ERR_EXPIRED);
}
END_TEST

START_TEST(setup_links_are_made_on_the_machine)
{
    static const char *const others[] = {"account", "token", "operator", "system"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        f.actor.kind = others[i];
        ck_assert_int_eq(admin_call(&f, admin_setup_link, NULL, NULL), ERR_NOT_ALLOWED);
    }
}
END_TEST

START_TEST(many_links_push_out_the_oldest)
{
    char first[60], last[60];
    link_token(first);
    for (int i = 0; i < 8; i++) {
        later(1);
        link_token(last);
    }
    ck_assert_int_eq(use(first), ERR_EXPIRED);
    ck_assert_int_eq(use(last), ERR_NONE);
}
END_TEST

/* ---- audit ---- */

START_TEST(the_audit_is_read_in_pages)
{
    make_accounts();
    grant("a", NULL);
    grant("b", NULL);
    f.actor.id = "7";
    ck_assert_int_eq(revoke("a", NULL), ERR_NONE);
    f.query = "limit=2";
    admin_do(&f, admin_audit_list, NULL, NULL);
    ck_assert_int_eq(admin_number(&f, "/audit/0/n"), 3);
    ck_assert_int_eq(admin_number(&f, "/next"), 2);
    f.query = "limit=2&before=2";
    admin_do(&f, admin_audit_list, NULL, NULL);
    ck_assert_int_eq(admin_number(&f, "/audit/0/n"), 1);
    ck_assert_int_eq(jval_type(jval_at(f.body, "/next")), JVAL_NULL);
    f.query = "actor=7&action=role.revoke&object=a";
    admin_do(&f, admin_audit_list, NULL, NULL);
    ck_assert_uint_eq(jval_count(jval_at(f.body, "/audit")), 1);
    ck_assert_str_eq(admin_said(&f, "/audit/0/request_id"), "req-1");
    ck_assert_str_eq(admin_said(&f, "/audit/0/before/role"), "admin");

    static const char *const wrong[] = {"limit=0",        "limit=501",       "limit=x",
                                        "before=-1",      "limit=1&limit=2", "since=yesterday",
                                        "actor=a&actor=b"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        f.query = wrong[i];
        ck_assert_msg(admin_call(&f, admin_audit_list, NULL, NULL) == ERR_INVALID, "%s", wrong[i]);
    }
}
END_TEST

/* A change that cannot be recorded is not made. */
START_TEST(no_change_without_its_audit)
{
    make_accounts();
    store_fixture_sql(&f.store, "ALTER TABLE audit RENAME TO elsewhere");
    f.sub = "a";
    ck_assert_int_ne(admin_call(&f, admin_role_grant, "admin", NULL), ERR_NONE);
    ck_assert(!admin_is(f.admin, "a"));
    ck_assert_int_eq(store_fixture_number(&f.store, "SELECT count(*) FROM account_role"), 0);
    ck_assert_int_ne(admin_call(&f, admin_token_add, NULL, "{\"name\":\"x\",\"scopes\":\"read\"}"),
                     ERR_NONE);
    ck_assert_int_eq(store_fixture_number(&f.store, "SELECT count(*) FROM api_token"), 0);
    admin_do(&f, admin_token_list, NULL, NULL);
    ck_assert_str_eq(f.text, "{\"tokens\":[]}");
}
END_TEST

Suite *suite_admin_people(void)
{
    Suite *s = suite_create("admin_people");
    TCase *tc = tcase_create("people");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, a_token_is_told_once);
    tcase_add_test(tc, a_token_ends);
    tcase_add_test(tc, token_requests_are_judged);
    tcase_add_test(tc, scopes_are_judged_here);
    tcase_add_test(tc, scopes_have_words);
    tcase_add_test(tc, an_admin_is_one_at_once);
    tcase_add_test(tc, accounts_that_are_gone);
    tcase_add_test(tc, the_last_admin_stays);
    tcase_add_test(tc, tokens_end_with_the_role_of_their_maker);
    tcase_add_test(tc, tokens_of_who_is_no_admin);
    tcase_add_test(tc, initial_tokens_end_with_the_role_of_their_maker);
    tcase_add_test(tc, only_accounts_get_roles);
    tcase_add_test(tc, a_setup_link_works_once);
    tcase_add_test(tc, a_setup_link_ends);
    tcase_add_test(tc, setup_links_are_made_on_the_machine);
    tcase_add_test(tc, many_links_push_out_the_oldest);
    tcase_add_test(tc, the_audit_is_read_in_pages);
    tcase_add_test(tc, no_change_without_its_audit);
    suite_add_tcase(s, tc);
    return s;
}
