/* SPDX-License-Identifier: Apache-2.0 */
/* What userinfo asks the store, and what it knows. OP-48: never longer than it is so. */
#include <stdio.h>
#include <string.h>

#include "issuer/parts.h"
#include "issuer_fixture.h"
#include "store/access_token.h"

Suite *suite_userinfo(void);

#define SESSION_ENDS (ISSUER_NOW + 50)
#define TOKEN "uat_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

static struct issuer_fixture f;

#define RP                                                                                         \
    "\"redirect_uris\":\"https://rp.example/cb\",\"scopes\":\"openid profile email roles\","       \
    "\"token_format\":\"opaque\""
static const struct issuer_fixture_app apps[] = {{"rp", "{" RP "}"}};
static const struct issuer_fixture_app asking[] = {{"rp", "{" RP ",\"consent\":\"yes\"}"}};

static struct {
    unsigned times;
    int status;
    char body[2048];
} came;

static void on_done(void *arg, const struct issuer_answer *a)
{
    (void)arg;
    came.times++;
    came.status = a->status;
    (void)snprintf(came.body, sizeof came.body, "%.*s", (int)a->body.n, a->body.p ? a->body.p : "");
}

static void start(void)
{
    static const struct fields none = {NULL, 0};
    struct issuer_call *c = arena_alloc(f.arena, sizeof *c);
    *c = (struct issuer_call){
        .arena = f.arena, .form = &none, .authorization = "Bearer " TOKEN, .ip = "192.0.2.1"};
    came.times = 0;
    issuer_userinfo(f.issuer, c, on_done, NULL);
}

/* The store has to be asked, and its answer comes with the loop. */
static int ask(void)
{
    start();
    ck_assert_uint_eq(came.times, 0);
    for (int i = 0; i < 1000 && came.times == 0; i++)
        loop_once(f.loop, 10);
    ck_assert_uint_eq(came.times, 1);
    return came.status;
}

/* Nobody is asked: the answer is there. */
static int known(void)
{
    start();
    ck_assert_uint_eq(came.times, 1);
    return came.status;
}

static bool says(const char *text)
{
    return strstr(came.body, text) != NULL;
}

static const char *account;

static int find_account(struct db *db, void *arg, struct err *err)
{
    (void)arg;
    struct db_stmt *st = db_query(db, "SELECT id FROM account");
    if (db_step(st, err) != 1)
        return -1;
    account = arena_dup(f.arena, db_col_text(st, 0));
    db_end(st);
    return 0;
}

static int add_token(struct db *db, void *arg, struct err *err)
{
    (void)arg;
    struct access_token_row row = {.grant = "g1",
                                   .app = "rp",
                                   .account = account,
                                   .scopes = "openid profile email",
                                   .resource = "[\"" ISSUER_URL "\"]",
                                   .created = ISSUER_NOW,
                                   .expires = ISSUER_NOW + 1000};
    seal_sha256(str_of(TOKEN), row.hash);
    return access_token_add(db, &row, err);
}

static void setup(void)
{
    struct err err = ERR_INIT;
    char token[44];
    f = (struct issuer_fixture){.max_tokens = 10};
    issuer_fixture_open(&f, apps, sizeof apps / sizeof *apps);
    store_fixture_session(&f.store, "ada", ISSUER_NOW, SESSION_ENDS, token);
    store_fixture_sql(&f.store, "INSERT INTO oauth_grant (id, app, account, session, provider, "
                                "subject, scopes, created, ends) SELECT 'g1', 'rp', account, id, "
                                "provider, subject, 'openid profile email', created, "
                                "created + 9000 FROM session");
    ck_assert_int_eq(store_write_now(f.store.store, find_account, NULL, &err), STORE_DONE);
    ck_assert_msg(store_write_now(f.store.store, add_token, NULL, &err) == STORE_DONE, "%s",
                  err.text);
    issuer_fixture_stop(&f);
    issuer_fixture_start(&f);
    ck_assert_int_eq(ask(), 200);
    ck_assert_msg(says("\"name\":\"Ada\""), "%s", came.body);
    ck_assert_int_eq(known(), 200);
}

static void teardown(void)
{
    issuer_fixture_close(&f);
}

START_TEST(the_store_is_asked_once)
{
    char first[sizeof came.body];
    memcpy(first, came.body, sizeof first);
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(known(), 200);
        ck_assert_str_eq(came.body, first);
    }
    ck_assert(says(account));
}
END_TEST

START_TEST(and_again_after_a_write)
{
    store_fixture_sql(&f.store, "UPDATE identity SET name = 'Countess'");
    ck_assert_int_eq(ask(), 200);
    ck_assert(says("\"name\":\"Countess\""));
    ck_assert_int_eq(known(), 200);
    store_fixture_sql(&f.store, "UPDATE account SET disabled_since = 1");
    ck_assert_int_eq(ask(), 401);
    ck_assert_int_eq(ask(), 401); /* a no is not kept */
    store_fixture_sql(&f.store, "UPDATE account SET disabled_since = NULL");
    ck_assert_int_eq(ask(), 200);
    store_fixture_sql(&f.store, "UPDATE oauth_grant SET ended = 1");
    ck_assert_int_eq(ask(), 401);
}
END_TEST

START_TEST(a_session_ends_by_the_clock)
{
    issuer_fixture_at(&f, SESSION_ENDS - 1);
    ck_assert_int_eq(known(), 200);
    issuer_fixture_at(&f, SESSION_ENDS);
    ck_assert_int_eq(ask(), 401);
    ck_assert_int_eq(ask(), 401);
}
END_TEST

START_TEST(a_grant_that_outlives_its_session)
{
    store_fixture_sql(&f.store, "UPDATE oauth_grant SET scopes = 'openid offline_access'");
    ck_assert_int_eq(ask(), 200);
    issuer_fixture_at(&f, SESSION_ENDS);
    ck_assert_int_eq(known(), 200);
}
END_TEST

START_TEST(what_nobody_asks_for_is_forgotten)
{
    store_fixture_sql(&f.store, "UPDATE oauth_grant SET session = NULL");
    ck_assert_int_eq(ask(), 200);
    issuer_step(f.issuer);
    ck_assert_int_eq(known(), 200);
    issuer_fixture_at(&f, ISSUER_NOW + 60);
    issuer_step(f.issuer);
    ck_assert_int_eq(ask(), 200);
}
END_TEST

START_TEST(what_a_write_overtakes_is_not_kept)
{
    store_fixture_sql(&f.store, "UPDATE identity SET name = 'Countess'");
    start(); /* while it is read somebody writes */
    store_fixture_sql(&f.store, "UPDATE identity SET name = 'Lady'");
    for (int i = 0; i < 1000 && came.times == 0; i++)
        loop_once(f.loop, 10);
    ck_assert_int_eq(came.status, 200);
    ck_assert_int_eq(ask(), 200);
    ck_assert(says("\"name\":\"Lady\""));
}
END_TEST

/* Who goes by the app's old settings is told by them, and nobody else. */
START_TEST(an_app_that_is_replaced_while_the_store_is_read)
{
    store_fixture_sql(&f.store, "INSERT INTO role (name, permissions, description, version, "
                                "created, changed) VALUES ('editor', '[]', '', 1, 1, 1)");
    store_fixture_sql(&f.store, "INSERT INTO account_role (account, role, since) "
                                "SELECT id, 'editor', 1 FROM account");
    store_fixture_sql(&f.store,
                      "UPDATE oauth_grant SET claims = '{\"userinfo\":{\"roles\":null}}'");
    ck_assert_int_eq(ask(), 200);
    ck_assert_msg(says("editor"), "%s", came.body);
    issuer_fixture_apps(&f, asking, 1);
    ck_assert_int_eq(known(), 200);
    ck_assert(!says("editor"));
    issuer_fixture_apps(&f, apps, 1);
    ck_assert_int_eq(known(), 200);
    ck_assert(says("editor"));

    store_fixture_sql(&f.store, "UPDATE identity SET name = 'Countess'");
    start();
    issuer_fixture_apps(&f, asking, 1);
    for (int i = 0; i < 1000 && came.times == 0; i++)
        loop_once(f.loop, 10);
    ck_assert(says("editor"));
    ck_assert_int_eq(known(), 200);
    ck_assert(says("Countess"));
    ck_assert_msg(!says("editor"), "%s", came.body);
}
END_TEST

Suite *suite_userinfo(void)
{
    Suite *s = suite_create("userinfo");
    TCase *c = tcase_create("known");
    tcase_add_checked_fixture(c, setup, teardown);
    tcase_add_test(c, the_store_is_asked_once);
    tcase_add_test(c, and_again_after_a_write);
    tcase_add_test(c, a_session_ends_by_the_clock);
    tcase_add_test(c, a_grant_that_outlives_its_session);
    tcase_add_test(c, what_nobody_asks_for_is_forgotten);
    tcase_add_test(c, what_a_write_overtakes_is_not_kept);
    tcase_add_test(c, an_app_that_is_replaced_while_the_store_is_read);
    suite_add_tcase(s, c);
    return s;
}
