/* SPDX-License-Identifier: Apache-2.0 */
/* Roles: made, changed, given, taken, deleted; each counts at once, in memory as in the store. */
#include <stdio.h>
#include <string.h>

#include "admin_fixture.h"
#include "sys/clock.h"

Suite *suite_admin_role(void);

static struct admin_fixture f;
static struct clock_fake clock_now = {.wall = {INT64_C(1800000000) * 1000000}};
#define NOW INT64_C(1800000000)

static char token[44], other[44];

/* Statements are known by their address, so these are literals. */
static void setup(void)
{
    struct err err = ERR_INIT;
    struct session_row row = {
        .id = "s", .account = "a", .provider = "toy", .subject = "1", .ends = NOW + 3600};
    clock_set_fake(&clock_now);
    admin_fixture_open(&f);
    store_fixture_sql(&f.store, "INSERT INTO account (id, created) VALUES ('a', 1), ('b', 1)");
    store_fixture_sql(
        &f.store, "INSERT INTO identity (provider, subject, account, name, email, "
                  "email_evidence, first_seen, last_seen) "
                  "VALUES ('toy', '1', 'a', 'Ada', 'ada' || char(64) || 'example.org', 2, 1, 5)");
    row.created = row.seen = NOW;
    session_token_make(token, row.hash);
    ck_assert_int_eq(sessions_add(f.sessions, &row, &err), 0);
    row.account = "b";
    session_token_make(other, row.hash);
    ck_assert_int_eq(sessions_add(f.sessions, &row, &err), 0);
}

static void teardown(void)
{
    admin_fixture_close(&f);
    clock_set_fake(NULL);
}

static void may(const char *who, const char *roles, const char *permissions)
{
    struct session_view v;
    ck_assert_int_eq(sessions_check(f.sessions, (struct str){who, 43}, NOW, &v), 1);
    ck_assert_str_eq(v.roles, roles);
    ck_assert_str_eq(v.permissions, permissions);
}

static enum err_kind grant(const char *role, const char *account)
{
    f.sub = account;
    return admin_call(&f, admin_role_grant, role, NULL);
}

static enum err_kind take(const char *role, const char *account)
{
    f.sub = account;
    return admin_call(&f, admin_role_revoke, role, NULL);
}

START_TEST(made_given_changed_taken)
{
    admin_do(&f, admin_role_set, "wiki",
             "{\"permissions\":[\"wiki.read\",\"wiki.edit\",\"wiki.read\"],"
             "\"description\":\"Writes\"}");
    ck_assert(f.created);
    ck_assert_str_eq(admin_said(&f, "/permissions/0"), "wiki.edit");
    ck_assert_uint_eq(jval_count(jval_at(f.body, "/permissions")), 2);
    may(token, "", "");
    ck_assert_int_eq(grant("wiki", "a"), ERR_NONE);
    may(token, "wiki", "wiki.edit,wiki.read");
    may(other, "", "");
    admin_do(&f, admin_role_set, "wiki", "{\"permissions\":[\"wiki.read\"]}");
    ck_assert(!f.created);
    may(token, "wiki", "wiki.read");
    ck_assert_str_eq(admin_said(&f, "/description"), "");
    ck_assert_str_eq(admin_said(&f, "/accounts/0/account"), "a");
    ck_assert_str_eq(admin_said(&f, "/accounts/0/name"), "Ada");
    ck_assert_int_eq(admin_number(&f, "/holders"), 1);

    ck_assert_int_eq(grant("admin", "a"), ERR_NONE);
    may(token, "admin,wiki", "wiki.read");
    ck_assert_int_eq(take("wiki", "a"), ERR_NONE);
    may(token, "admin", "");
    ck_assert_int_eq(take("wiki", "a"), ERR_NOT_FOUND);
}
END_TEST

START_TEST(after_a_restart)
{
    struct session_row row = {.id = "s",
                              .account = "a",
                              .provider = "toy",
                              .subject = "1",
                              .roles = "[\"wiki\"]",
                              .created = NOW,
                              .seen = NOW,
                              .ends = NOW + 3600};
    struct err err = ERR_INIT;
    admin_do(&f, admin_role_set, "wiki", "{\"permissions\":[\"wiki.read\"]}");
    admin_fixture_stop(&f);
    sessions_free(&f.sessions);
    f.sessions = sessions_new(
        &(struct sessions_options){.idle_seconds = 3600, .absolute_seconds = 86400, .max = 10});
    session_token_hash((struct str){token, 43}, row.hash);
    ck_assert_int_eq(sessions_add(f.sessions, &row, &err), 0); /* in whatever order */
    may(token, "wiki", "");
    admin_fixture_start(&f);
    may(token, "wiki", "wiki.read");
}
END_TEST

START_TEST(listed)
{
    admin_do(&f, admin_role_list, NULL, NULL);
    ck_assert_uint_eq(jval_count(jval_at(f.body, "/roles")), 1);
    ck_assert_str_eq(admin_said(&f, "/roles/0/name"), "admin");
    ck_assert_int_eq(admin_number(&f, "/roles/0/holders"), 0);
    ck_assert_int_eq(jval_type(jval_at(f.body, "/roles/0/version")), JVAL_NULL);
    admin_do(&f, admin_role_set, "zoo", "{\"permissions\":[]}");
    ck_assert_int_eq(grant("admin", "b"), ERR_NONE);
    ck_assert_int_eq(grant("zoo", "b"), ERR_NONE);
    admin_do(&f, admin_role_set, "admin", "{\"permissions\":[\"everything\"]}"); /* it may, too */
    admin_do(&f, admin_role_list, NULL, NULL);
    ck_assert_uint_eq(jval_count(jval_at(f.body, "/roles")), 2);
    ck_assert_str_eq(admin_said(&f, "/roles/0/permissions/0"), "everything");
    ck_assert_int_eq(admin_number(&f, "/roles/0/holders"), 1);
    ck_assert_str_eq(admin_said(&f, "/roles/1/name"), "zoo");
    ck_assert_int_eq(admin_number(&f, "/roles/1/holders"), 1);
    may(other, "admin,zoo", "everything");
    admin_do(&f, admin_role_show, "admin", NULL);
    ck_assert_str_eq(admin_said(&f, "/accounts/0/account"), "b");
    ck_assert_int_eq(jval_type(jval_at(f.body, "/accounts/0/name")), JVAL_NULL);
    ck_assert_int_eq(admin_call(&f, admin_role_show, "nothing", NULL), ERR_NOT_FOUND);
}
END_TEST

START_TEST(deleted)
{
    admin_do(&f, admin_role_set, "wiki", "{\"permissions\":[\"read\"]}");
    admin_do(&f, admin_role_set, "ops", "{\"permissions\":[\"deploy\"]}");
    ck_assert_int_eq(grant("wiki", "a"), ERR_NONE);
    ck_assert_int_eq(grant("ops", "a"), ERR_NONE);
    ck_assert_int_eq(admin_call(&f, admin_role_delete, "wiki", NULL), ERR_CONFLICT);
    ck_assert_ptr_nonnull(strstr(f.err.text, "role: 1;"));
    may(token, "ops,wiki", "deploy,read");
    admin_do(&f, admin_role_delete, "wiki", "{\"force\":true}");
    may(token, "ops", "deploy");
    ck_assert_int_eq(store_fixture_number(&f.store, "SELECT count(*) FROM account_role"), 1);
    ck_assert_int_eq(admin_call(&f, admin_role_delete, "wiki", NULL), ERR_NOT_FOUND);
    ck_assert_int_eq(grant("wiki", "a"), ERR_NOT_FOUND);
    ck_assert_int_eq(admin_call(&f, admin_role_delete, "admin", "{\"force\":true}"), ERR_CONFLICT);

    /* What it was does not come back with the name. */
    admin_do(&f, admin_role_set, "wiki", "{\"permissions\":[\"new\"]}");
    may(token, "ops", "deploy");
}
END_TEST

START_TEST(versions)
{
    char first[40];
    f.if_match = "\"1\"";
    ck_assert_int_eq(admin_call(&f, admin_role_set, "wiki", "{\"permissions\":[]}"), ERR_STALE);
    admin_do(&f, admin_role_set, "wiki", "{\"permissions\":[]}");
    snprintf(first, sizeof first, "%s", f.etag);
    ck_assert_uint_gt(strlen(first), 2);
    f.if_match = first;
    admin_do(&f, admin_role_set, "wiki", "{\"permissions\":[\"a\"]}");
    ck_assert_str_ne(f.etag, first);
    f.if_match = first;
    ck_assert_int_eq(admin_call(&f, admin_role_set, "wiki", "{\"permissions\":[\"b\"]}"),
                     ERR_STALE);
    f.if_match = first;
    ck_assert_int_eq(admin_call(&f, admin_role_delete, "wiki", NULL), ERR_STALE);
    admin_do(&f, admin_role_show, "wiki", NULL);
    ck_assert_str_eq(admin_said(&f, "/permissions/0"), "a");
    f.if_match = f.etag;
    admin_do(&f, admin_role_delete, "wiki", NULL);
}
END_TEST

START_TEST(nonsense)
{
    static const char *const bodies[] = {
        "{}",
        "{\"permissions\":null}",
        "{\"permissions\":\"read\"}",
        "{\"permissions\":[1]}",
        "{\"permissions\":[\"\"]}",
        "{\"permissions\":[\"No\"]}",
        "{\"permissions\":[\"a,b\"]}",
        "{\"permissions\":[],\"description\":7}",
        "{\"permissions\":[],\"description\":\"a\\nb\"}",
        "{\"permissions\":[],\"name\":\"x\"}",
    };
    static const char *const names[] = {"", "Wiki", "a b", "a/b", "a,b", "\xc3\xa4", NULL};
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++)
        ck_assert_msg(admin_call(&f, admin_role_set, "wiki", bodies[i]) == ERR_INVALID, "%s",
                      bodies[i]);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        ck_assert_int_eq(admin_call(&f, admin_role_set, names[i], "{\"permissions\":[]}"),
                         ERR_INVALID);
        ck_assert_int_eq(admin_call(&f, admin_role_show, names[i], NULL), ERR_INVALID);
        ck_assert_int_eq(admin_call(&f, admin_role_delete, names[i], NULL), ERR_INVALID);
        ck_assert_int_eq(grant(names[i], "a"), ERR_INVALID);
    }
    ck_assert_int_eq(store_fixture_number(&f.store, "SELECT count(*) FROM role"), 0);
    admin_do(&f, admin_role_set, "wiki", "{\"permissions\":[]}");
    ck_assert_int_eq(grant("wiki", "nobody"), ERR_NOT_FOUND);
    ck_assert_int_eq(take("wiki", "a"), ERR_NOT_FOUND);
}
END_TEST

/* `n` permissions of 50 bytes. */
static const char *many(char letter, int n)
{
    static char body[8192];
    size_t at = (size_t)sprintf(body, "{\"permissions\":[");
    for (int i = 0; i < n; i++)
        at += (size_t)sprintf(body + at, "%s\"%c%049d\"", i ? "," : "", letter, i);
    strcpy(body + at, "]}");
    return body;
}

/* What somebody may do fits into a header, however it came to be. */
START_TEST(bounds)
{
    char name[20];
    ck_assert_int_eq(admin_call(&f, admin_role_set, "big", many('a', 59)), ERR_INVALID);
    admin_do(&f, admin_role_set, "big", many('a', 40));
    admin_do(&f, admin_role_set, "also-big", many('b', 40));
    ck_assert_int_eq(grant("big", "a"), ERR_NONE);
    ck_assert_int_eq(grant("also-big", "a"), ERR_LIMITED);
    may(other, "", "");
    ck_assert_int_eq(store_fixture_number(&f.store, "SELECT count(*) FROM account_role"), 1);
    admin_do(&f, admin_role_set, "also-big", many('b', 10));
    ck_assert_int_eq(grant("also-big", "a"), ERR_NONE);
    ck_assert_int_eq(admin_call(&f, admin_role_set, "also-big", many('b', 40)), ERR_INVALID);
    admin_do(&f, admin_role_set, "big", "{\"permissions\":[]}");
    admin_do(&f, admin_role_set, "also-big", many('b', 40));

    for (int i = 0; i < 30; i++) {
        snprintf(name, sizeof name, "r%d", i);
        admin_do(&f, admin_role_set, name, "{\"permissions\":[]}");
        ck_assert_int_eq(grant(name, "a"), ERR_NONE);
    }
    ck_assert_int_eq(grant("admin", "a"), ERR_LIMITED); /* the 33rd */
    ck_assert(!admin_is(f.admin, "a"));
    for (int i = 30; i < 198; i++) {
        snprintf(name, sizeof name, "r%d", i);
        admin_do(&f, admin_role_set, name, "{\"permissions\":[]}");
    }
    ck_assert_int_eq(admin_call(&f, admin_role_set, "one-more", "{\"permissions\":[]}"),
                     ERR_LIMITED);
}
END_TEST

START_TEST(on_record)
{
    admin_do(&f, admin_role_set, "wiki", "{\"permissions\":[\"read\"]}");
    ck_assert_int_eq(grant("wiki", "a"), ERR_NONE);
    ck_assert_int_eq(take("wiki", "a"), ERR_NONE);
    admin_do(&f, admin_role_delete, "wiki", NULL);
    admin_do(&f, admin_audit_list, NULL, NULL);
    ck_assert_str_eq(admin_said(&f, "/audit/0/action"), "role.delete");
    ck_assert_str_eq(admin_said(&f, "/audit/0/object"), "wiki");
    ck_assert_str_eq(admin_said(&f, "/audit/0/before/permissions/0"), "read");
    ck_assert_str_eq(admin_said(&f, "/audit/1/action"), "role.revoke");
    ck_assert_str_eq(admin_said(&f, "/audit/1/object"), "a");
    ck_assert_str_eq(admin_said(&f, "/audit/1/before/role"), "wiki");
    ck_assert_str_eq(admin_said(&f, "/audit/2/action"), "role.grant");
    ck_assert_str_eq(admin_said(&f, "/audit/2/after/role"), "wiki");
    ck_assert_str_eq(admin_said(&f, "/audit/3/action"), "role.set");
    ck_assert_str_eq(admin_said(&f, "/audit/3/after/permissions/0"), "read");
}
END_TEST

Suite *suite_admin_role(void)
{
    Suite *s = suite_create("admin_role");
    TCase *tc = tcase_create("roles");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, made_given_changed_taken);
    tcase_add_test(tc, after_a_restart);
    tcase_add_test(tc, listed);
    tcase_add_test(tc, deleted);
    tcase_add_test(tc, versions);
    tcase_add_test(tc, nonsense);
    tcase_add_test(tc, bounds);
    tcase_add_test(tc, on_record);
    suite_add_tcase(s, tc);
    return s;
}
