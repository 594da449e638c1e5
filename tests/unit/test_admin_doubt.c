/* SPDX-License-Identifier: Apache-2.0 */
/* Changes of which the store does not say whether it kept them: memory finds out by itself. That
 * one was kept is played by changing the store behind usher's back once the disk is well again. */
#include <stdio.h>

#include "admin_fixture.h"
#include "app/secrets.h"
#include "store/account_role.h"
#include "sys/clock.h"

Suite *suite_admin_doubt(void);

static struct admin_fixture f;
static struct app_secrets *secrets;
static struct clock_fake clock_now = {.wall = {INT64_C(1800000000) * 1000000}};
#define NOW INT64_C(1800000000)

static char ada[44], bob[44];

static void sign_in(const char *account, char *token)
{
    struct err err = ERR_INIT;
    struct session_row row = {.id = account,
                              .account = account,
                              .provider = "toy",
                              .subject = "1",
                              .created = NOW,
                              .seen = NOW,
                              .ends = NOW + 86400};
    session_token_make(token, row.hash);
    ck_assert_int_eq(sessions_add(f.sessions, &row, &err), 0);
}

static void grant(const char *account, const char *role)
{
    f.sub = account;
    admin_do(&f, admin_role_grant, role, NULL);
}

/* Both write; Ada is an admin, too. */
static void setup(void)
{
    struct err err = ERR_INIT;
    clock_set_fake(&clock_now);
    admin_fixture_open(&f);
    secrets = app_secrets_new(f.store.store, &err);
    ck_assert_ptr_nonnull(secrets);
    f.secrets = secrets;
    admin_fixture_stop(&f);
    admin_fixture_start(&f);
    store_fixture_sql(&f.store,
                      "INSERT INTO account (id, created) VALUES ('ada', 10), ('bob', 20)");
    sign_in("ada", ada);
    sign_in("bob", bob);
    admin_do(&f, admin_role_set, "writer", "{\"permissions\":[\"read\",\"write\"]}");
    grant("ada", "writer");
    grant("bob", "writer");
    grant("ada", "admin");
}

static void teardown(void)
{
    admin_fixture_close(&f);
    app_secrets_free(&secrets);
    clock_set_fake(NULL);
}

/* The store cannot say what became of it. */
static void in_doubt(admin_op_fn *op, const char *id, const char *body)
{
    store_fixture_disk(f.store.folder, true);
    ck_assert_int_eq(admin_call(&f, op, id, body), ERR_INTERNAL);
    ck_assert_ptr_nonnull(strstr(f.err.text, "does not say"));
    /* What is tried at once fails, before this one has its turn; then a second has to pass. */
    ck_assert_int_eq(admin_call(&f, admin_role_set, "other", "{\"permissions\":[]}"), ERR_INTERNAL);
    store_fixture_disk(f.store.folder, false);
}

/* The next call is about what is there now. */
static void match(admin_op_fn *show, const char *id)
{
    static char etag[sizeof f.etag];
    admin_do(&f, show, id, NULL);
    snprintf(etag, sizeof etag, "%s", f.etag);
    f.if_match = etag;
}

/* It came to nothing, or to this. */
static void kept(const char *sql)
{
    store_fixture_sql(&f.store, sql);
}

static void tenth(void)
{
    clock_now.mono.ns += 100000000;
    clock_set_fake(&clock_now);
    loop_once(f.loop, 1);
}

static void until(bool (*fn)(void))
{
    while (!fn())
        tenth();
}

static struct session_view view_of(const char *token)
{
    struct session_view v;
    ck_assert_int_eq(sessions_check(f.sessions, (struct str){token, 43}, NOW, &v), 1);
    return v;
}

static bool may(const char *token, const char *permissions)
{
    return strcmp(view_of(token).permissions, permissions) == 0;
}

static int64_t settled(void)
{
    return store_fixture_number(
        &f.store, "SELECT count(*) FROM audit WHERE action = 'store.settle' AND outcome = 'done'");
}

static bool is_settled(void)
{
    return settled() == 1;
}

static bool only_reads(void)
{
    return may(ada, "read") && may(bob, "read");
}

START_TEST(a_role_that_allows_less)
{
    in_doubt(admin_role_set, "writer", "{\"permissions\":[\"read\"]}");
    ck_assert(may(ada, "read,write"));
    kept("UPDATE role SET permissions = '[\"read\"]' WHERE name = 'writer'");
    until(only_reads);
    ck_assert_int_eq(settled(), 1);

    /* And that is that: nothing goes on reading. */
    kept("UPDATE role SET permissions = '[]' WHERE name = 'writer'");
    for (int i = 0; i < 50; i++)
        tenth();
    ck_assert(only_reads());
    ck_assert_int_eq(settled(), 1);
}
END_TEST

static bool ada_reads_not(void)
{
    return may(ada, "");
}

static bool ada_writes_again(void)
{
    return may(ada, "read,write");
}

static bool both_write_again(void)
{
    return may(ada, "read,write") && may(bob, "read,write");
}

/* It is taken at once, and given back if the store has it still. */
START_TEST(a_role_taken_from_one)
{
    f.sub = "ada";
    in_doubt(admin_role_revoke, "writer", NULL);
    ck_assert(may(ada, "") && may(bob, "read,write"));
    until(ada_writes_again);

    f.sub = "ada";
    admin_do(&f, admin_role_revoke, "writer", NULL);
    f.sub = "ada";
    in_doubt(admin_role_grant, "writer", NULL);
    ck_assert(may(ada, ""));
    kept("INSERT INTO account_role (account, role, since) VALUES ('ada', 'writer', 1)");
    until(ada_writes_again);
    f.sub = "ada";
    in_doubt(admin_role_revoke, "writer", NULL);
    kept("DELETE FROM account_role WHERE account = 'ada' AND role = 'writer'");
    until(ada_reads_not);
    ck_assert(may(bob, "read,write"));
}
END_TEST

START_TEST(a_role_that_goes)
{
    in_doubt(admin_role_delete, "writer", "{\"force\":true}");
    ck_assert(may(ada, "") && may(bob, ""));
    until(both_write_again);
    ck_assert_str_eq(view_of(bob).roles, "writer");
    ck_assert_str_eq(view_of(ada).roles, "admin,writer");
}
END_TEST

static bool ada_is_admin(void)
{
    return admin_is(f.admin, "ada");
}

static bool bob_is_admin(void)
{
    return admin_is(f.admin, "bob");
}

START_TEST(who_is_an_admin)
{
    struct admin_actor who;
    char token[60];
    f.actor.kind = "account";
    f.actor.id = "ada";
    admin_do(&f, admin_token_add, NULL, "{\"name\":\"x\",\"scopes\":\"read\"}");
    snprintf(token, sizeof token, "%s", admin_said(&f, "/token"));
    f.actor.kind = "socket";
    f.sub = "ada";
    in_doubt(admin_role_revoke, "admin", "{\"force\":true}");
    ck_assert(!ada_is_admin());
    ck_assert_int_eq(admin_token_check(f.admin, str_of(token), &who), 0);
    until(ada_is_admin);
    ck_assert_int_eq(admin_token_check(f.admin, str_of(token), &who), 1);

    f.sub = "bob";
    in_doubt(admin_role_grant, "admin", NULL);
    kept("INSERT INTO account_role (account, role, since) VALUES ('bob', 'admin', 1)");
    until(bob_is_admin);
}
END_TEST

static bool bob_is_shown_as_admin(void)
{
    return bob_is_admin() && strcmp(view_of(bob).roles, "admin,writer") == 0;
}

/* By the owner's hand: what logins are in doubt of. */
START_TEST(an_account_that_went_or_not)
{
    struct admin_actor who;
    char token[60];
    f.actor.kind = "account";
    f.actor.id = "ada";
    admin_do(&f, admin_token_add, NULL, "{\"name\":\"x\",\"scopes\":\"read\"}");
    snprintf(token, sizeof token, "%s", admin_said(&f, "/token"));
    admin_on_gone(f.admin, "ada", NULL);
    ck_assert(!ada_is_admin());
    kept("UPDATE account_role SET account = 'bob' WHERE account = 'ada' AND role = 'admin'");
    kept("UPDATE api_token SET owner = 'bob'");
    admin_on_doubt(f.admin, "ada");
    admin_on_doubt(f.admin, "bob");
    until(bob_is_shown_as_admin);
    ck_assert(!ada_is_admin());
    ck_assert_str_eq(view_of(ada).roles, "writer");
    ck_assert_int_eq(admin_token_check(f.admin, str_of(token), &who), 1);
}
END_TEST

static char secret[APP_SECRET_LEN + 1];

static bool app_is_gone(void)
{
    return !apps_find(live_apps(f.live), "wiki") &&
           !app_secrets_check(secrets, "wiki", str_of(secret), NOW);
}

static bool app_has_secret(void)
{
    return app_secrets_check(secrets, "wiki", str_of(secret), NOW);
}

START_TEST(an_app_that_goes)
{
    admin_do(&f, admin_app_add, NULL,
             "{\"id\":\"wiki\",\"settings\":{\"redirect_uris\":\"https://wiki.example/cb\"}}");
    admin_do(&f, admin_app_secret_add, "wiki", NULL);
    snprintf(secret, sizeof secret, "%s", admin_said(&f, "/secret"));
    char id[64];
    snprintf(id, sizeof id, "%s", admin_said(&f, "/id"));
    ck_assert(app_has_secret());

    f.sub = id;
    in_doubt(admin_app_secret_delete, "wiki", NULL);
    ck_assert(!app_has_secret());
    until(app_has_secret);

    match(admin_app_show, "wiki");
    in_doubt(admin_app_delete, "wiki", NULL);
    ck_assert_ptr_nonnull(apps_find(live_apps(f.live), "wiki"));
    kept("DELETE FROM app WHERE id = 'wiki'");
    kept("DELETE FROM app_secret WHERE app = 'wiki'");
    until(app_is_gone);
}
END_TEST

static bool provider_is_off(void)
{
    return !registry_find(live_registry(f.live), "discord")->common.enabled;
}

START_TEST(a_provider_switched_off)
{
    admin_do(
        &f, admin_provider_add, NULL,
        "{\"id\":\"discord\",\"settings\":{\"client_id\":\"4\",\"client_secret\":\"s3cr3t\"}}");
    match(admin_provider_show, "discord");
    in_doubt(admin_provider_edit, "discord", "{\"settings\":{\"enabled\":false},\"force\":true}");
    ck_assert(!provider_is_off());
    kept("UPDATE provider SET settings = json_set(settings, '$.enabled', 'false')");
    until(provider_is_off);
}
END_TEST

/* The next change waits for its turn behind what is found out, and the store may be away for long.
 */
START_TEST(the_store_is_asked_until_it_answers)
{
    store_fixture_disk(f.store.folder, true);
    ck_assert_int_eq(admin_call(&f, admin_role_set, "writer", "{\"permissions\":[\"read\"]}"),
                     ERR_INTERNAL);
    for (int i = 0; i < 60; i++)
        tenth();
    ck_assert_int_eq(admin_call(&f, admin_role_set, "more", "{\"permissions\":[]}"), ERR_INTERNAL);
    store_fixture_disk(f.store.folder, false);
    kept("UPDATE role SET permissions = '[\"read\"]' WHERE name = 'writer'");
    until(only_reads);
    admin_do(&f, admin_role_set, "more", "{\"permissions\":[]}");
}
END_TEST

/* Nothing is lost of what happens in the middle, and an end in the middle is one. */
START_TEST(the_end_comes_before_the_answer)
{
    store_fixture_disk(f.store.folder, true);
    ck_assert_int_eq(admin_call(&f, admin_role_set, "writer", "{\"permissions\":[\"read\"]}"),
                     ERR_INTERNAL);
    admin_fixture_stop(&f);
    store_fixture_disk(f.store.folder, false);
    admin_fixture_start(&f);
    ck_assert(!is_settled());
}
END_TEST

/* Told once, however often it is tried. */
START_TEST(what_was_refused_is_no_doubt)
{
    store_fixture_disk(f.store.folder, true);
    f.sub = "nobody";
    ck_assert_int_eq(admin_call(&f, admin_role_grant, "writer", NULL), ERR_INTERNAL);
    store_fixture_disk(f.store.folder, false);
    for (int i = 0; i < 30; i++)
        tenth();
    ck_assert_int_eq(settled(), 0);
    ck_assert_int_eq(admin_call(&f, admin_role_delete, "nosuch", NULL), ERR_NOT_FOUND);
}
END_TEST

Suite *suite_admin_doubt(void)
{
    Suite *s = suite_create("admin_doubt");
    TCase *tc = tcase_create("doubt");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, a_role_that_allows_less);
    tcase_add_test(tc, a_role_taken_from_one);
    tcase_add_test(tc, a_role_that_goes);
    tcase_add_test(tc, who_is_an_admin);
    tcase_add_test(tc, an_account_that_went_or_not);
    tcase_add_test(tc, an_app_that_goes);
    tcase_add_test(tc, a_provider_switched_off);
    tcase_add_test(tc, the_store_is_asked_until_it_answers);
    tcase_add_test(tc, the_end_comes_before_the_answer);
    tcase_add_test(tc, what_was_refused_is_no_doubt);
    suite_add_tcase(s, tc);
    return s;
}
