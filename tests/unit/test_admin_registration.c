/* SPDX-License-Identifier: Apache-2.0 */
/* Apps that register themselves: the tokens they need, and what they may do with them. */
#include <stdio.h>
#include <stdlib.h>

#include "admin_fixture.h"
#include "sys/clock.h"

Suite *suite_admin_registration(void);

#define NOW INT64_C(1800000000)
#define METADATA "{\"redirect_uris\":[\"https://rp.example.com/cb\"],\"client_name\":\"Guest\"}"

static struct admin_fixture f;
static struct clock_fake clock_now = {.wall = {NOW * 1000000}};
static struct admin_actor socket_actor;

static void setup(void)
{
    setenv("USHER_ISSUER_REGISTRATION", "token", 1);
    clock_now.wall.us = NOW * 1000000;
    clock_set_fake(&clock_now);
    admin_fixture_open(&f);
    socket_actor = f.actor;
}

static void teardown(void)
{
    admin_fixture_close(&f);
    clock_set_fake(NULL);
    unsetenv("USHER_ISSUER_REGISTRATION");
}

static void later(int64_t seconds)
{
    clock_now.wall.us += seconds * 1000000;
    clock_set_fake(&clock_now);
}

static void as(const struct admin_actor *who)
{
    f.actor = *who;
}

/* A fresh initial token, made by whoever acts. */
static void initial(char token[60], const char *body)
{
    admin_do(&f, admin_registration_token_add, NULL, body);
    snprintf(token, 60, "%s", admin_said(&f, "/token"));
}

/* Registers an app; its id and its own token. */
static void registered(char id[40], char own[60])
{
    struct admin_actor who;
    char token[60];
    as(&socket_actor);
    initial(token, "{\"name\":\"guest\"}");
    ck_assert_int_eq(admin_initial_check(f.admin, str_of(token), &who), 1);
    as(&who);
    admin_do(&f, admin_register, NULL, METADATA);
    ck_assert(f.created);
    snprintf(id, 40, "%s", admin_said(&f, "/client_id"));
    snprintf(own, 60, "%s", admin_said(&f, "/registration_access_token"));
}

START_TEST(an_initial_token_lets_one_app_in)
{
    struct admin_actor who, again;
    char token[60];
    initial(token, "{\"name\":\"guest\"}");
    ck_assert_uint_eq(strlen(token), 47);
    ck_assert_int_eq(admin_number(&f, "/expires"), NOW + 86400);
    ck_assert(!admin_stored(&f, token));
    ck_assert_int_eq(admin_initial_check(f.admin, str_of(token), &who), 1);
    ck_assert_str_eq(who.kind, "registration");
    ck_assert_str_eq(who.name, "guest");
    ck_assert_uint_eq(who.scopes, 0);
    as(&who);
    admin_do(&f, admin_register, NULL, METADATA);
    ck_assert_str_eq(admin_said(&f, "/client_name"), "Guest");
    ck_assert_int_eq(admin_initial_check(f.admin, str_of(token), &again), 0);
    /* Somebody who was let in by memory meanwhile is refused by the store. */
    as(&(struct admin_actor){.kind = "registration", .id = "gone"});
    ck_assert_int_eq(admin_call(&f, admin_register, NULL, METADATA), ERR_DENIED);
    ck_assert_int_eq(store_fixture_number(&f.store, "SELECT count(*) FROM registration"), 1);
    ck_assert_int_eq(store_fixture_number(&f.store, "SELECT count(*) FROM app_secret"), 1);
    admin_fixture_stop(&f);
    admin_fixture_start(&f);
    ck_assert_int_eq(admin_initial_check(f.admin, str_of(token), &again), 0);
}
END_TEST

START_TEST(an_initial_token_ends)
{
    struct admin_actor who;
    char token[60], id[40];
    initial(token, "{\"name\":\"guest\",\"expires\":1800000100}");
    later(99);
    ck_assert_int_eq(admin_initial_check(f.admin, str_of(token), &who), 1);
    later(1);
    ck_assert_int_eq(admin_initial_check(f.admin, str_of(token), &who), 0);
    initial(token, "{\"name\":\"other\"}"); /* takes what is over along */
    ck_assert_int_eq(store_fixture_number(&f.store, "SELECT count(*) FROM initial_token"), 1);
    snprintf(id, sizeof id, "%s", admin_said(&f, "/id"));
    admin_do(&f, admin_registration_token_delete, id, NULL);
    ck_assert_int_eq(admin_initial_check(f.admin, str_of(token), &who), 0);
    ck_assert_int_eq(admin_call(&f, admin_registration_token_delete, id, NULL), ERR_NOT_FOUND);
    ck_assert_int_eq(
        admin_call(&f, admin_registration_token_add, NULL, "{\"name\":\"x\",\"expires\":5}"),
        ERR_INVALID);
    ck_assert_int_eq(admin_call(&f, admin_registration_token_add, NULL,
                                "{\"name\":\"x\",\"expires\":1900000000}"),
                     ERR_INVALID);
}
END_TEST

/* As an API token is, it is of no use once whoever made it is no admin. */
START_TEST(an_initial_token_goes_with_its_admin)
{
    struct admin_actor who;
    char token[60];
    as(&(struct admin_actor){.kind = "account", .id = "ada", .scopes = ADMIN_ALL_SCOPES});
    initial(token, "{\"name\":\"guest\"}");
    ck_assert_str_eq(admin_said(&f, "/owner"), "ada");
    ck_assert(!admin_is(f.admin, "ada"));
    ck_assert_int_eq(admin_initial_check(f.admin, str_of(token), &who), 0);
}
END_TEST

START_TEST(only_such_tokens_register)
{
    ck_assert_int_eq(admin_call(&f, admin_register, NULL, METADATA), ERR_NOT_ALLOWED);
    as(&(struct admin_actor){.kind = "account", .id = "ada", .scopes = ADMIN_READ | ADMIN_WRITE});
    ck_assert_int_eq(admin_call(&f, admin_registration_token_add, NULL, "{\"name\":\"x\"}"),
                     ERR_NOT_ALLOWED);
    ck_assert_int_eq(store_fixture_number(&f.store, "SELECT count(*) FROM app"), 0);
}
END_TEST

START_TEST(closed_is_closed)
{
    struct admin_actor who;
    char token[60];
    initial(token, "{\"name\":\"guest\"}");
    admin_fixture_stop(&f);
    unsetenv("USHER_ISSUER_REGISTRATION");
    admin_fixture_start(&f);
    admin_do(&f, admin_registration_token_list, NULL, NULL);
    ck_assert_ptr_nonnull(strstr(f.text, "\"open\":false"));
    ck_assert_int_eq(admin_initial_check(f.admin, str_of(token), &who), 1);
    as(&who);
    ck_assert_int_eq(admin_call(&f, admin_register, NULL, METADATA), ERR_NOT_ALLOWED);
    ck_assert_int_eq(
        store_fixture_number(&f.store, "SELECT count(*) FROM initial_token WHERE used IS NULL"), 1);
}
END_TEST

START_TEST(an_app_manages_itself_and_no_other)
{
    struct admin_actor who, other;
    char id[40], own[60], second[40], its[60], body[200];
    registered(id, own);
    registered(second, its);
    ck_assert_int_eq(admin_registration_check(f.admin, id, str_of(its), &who), 0);
    ck_assert_int_eq(admin_registration_check(f.admin, "nothing", str_of(own), &who), 0);
    ck_assert_int_eq(admin_registration_check(f.admin, id, str_of("x"), &who), 0);
    ck_assert_int_eq(admin_registration_check(f.admin, id, str_of(own), &who), 1);
    ck_assert_int_eq(admin_registration_check(f.admin, second, str_of(its), &other), 1);
    as(&who);
    admin_do(&f, admin_registration_show, id, NULL);
    ck_assert_str_eq(admin_said(&f, "/client_name"), "Guest");
    ck_assert_int_eq(admin_number(&f, "/client_id_issued_at"), NOW);
    ck_assert_int_eq(admin_call(&f, admin_registration_show, second, NULL), ERR_DENIED);
    ck_assert_int_eq(admin_call(&f, admin_registration_delete, second, NULL), ERR_DENIED);
    snprintf(body, sizeof body,
             "{\"client_id\":\"%s\",\"redirect_uris\":[\"https://rp.example/\"]}", id);
    admin_do(&f, admin_registration_replace, id, body);
    ck_assert_ptr_null(strstr(f.text, "client_name"));
    ck_assert_str_eq(admin_said(&f, "/redirect_uris/0"), "https://rp.example/");
    ck_assert_int_eq(admin_call(&f, admin_registration_replace, id, METADATA), ERR_INVALID);
    ck_assert_ptr_nonnull(strstr(f.fields, "invalid_client_metadata: client_id: "));
    admin_do(&f, admin_registration_delete, id, NULL);
    ck_assert_int_eq(admin_registration_check(f.admin, id, str_of(own), &who), 0);
    ck_assert_int_eq(store_fixture_number(&f.store, "SELECT count(*) FROM app"), 1);
    as(&socket_actor);
    admin_do(&f, admin_audit_list, NULL, NULL);
    ck_assert_str_eq(admin_said(&f, "/audit/0/action"), "app.delete");
    ck_assert_str_eq(admin_said(&f, "/audit/0/actor_kind"), "registration");
    ck_assert_str_eq(admin_said(&f, "/audit/0/before/redirect_uris"), "https://rp.example/");
}
END_TEST

START_TEST(an_admin_sees_and_ends_it)
{
    struct admin_actor who;
    char id[40], own[60], etag[40];
    registered(id, own);
    as(&socket_actor);
    admin_do(&f, admin_app_show, id, NULL);
    ck_assert_int_eq(admin_number(&f, "/registered"), NOW);
    snprintf(etag, sizeof etag, "%s", f.etag);
    f.if_match = etag; /* what it is asked about stays, unless it is said in so many words */
    admin_do(&f, admin_app_replace, id, "{\"settings\":{\"label\":\"G\"}}");
    ck_assert_str_eq(admin_said(&f, "/settings/consent"), "true");
    snprintf(etag, sizeof etag, "%s", f.etag);
    f.if_match = etag;
    admin_do(&f, admin_app_replace, id, "{\"settings\":{\"consent\":false}}");
    ck_assert_str_eq(admin_said(&f, "/settings/consent"), "false");
    snprintf(etag, sizeof etag, "%s", f.etag);
    f.if_match = etag;
    admin_do(&f, admin_app_delete, id, NULL);
    ck_assert_int_eq(admin_registration_check(f.admin, id, str_of(own), &who), 0);
    ck_assert_int_eq(store_fixture_number(&f.store, "SELECT count(*) FROM registration"), 0);
}
END_TEST

START_TEST(what_nobody_used_goes)
{
    struct admin_actor who;
    char id[40], own[60], young[40], its[60];
    registered(id, own);
    later(90 * 86400);
    registered(young, its);
    later(1);
    for (int i = 0; i < 10; i++)
        admin_step(f.admin);
    for (int i = 0; i < 200 && admin_registration_check(f.admin, id, str_of(own), &who); i++)
        loop_once(f.loop, 10);
    ck_assert_int_eq(admin_registration_check(f.admin, id, str_of(own), &who), 0);
    ck_assert_int_eq(admin_registration_check(f.admin, young, str_of(its), &who), 1);
    ck_assert_int_eq(store_fixture_number(&f.store, "SELECT count(*) FROM app"), 1);
    ck_assert_int_eq(store_fixture_number(&f.store, "SELECT count(*) FROM audit WHERE action = "
                                                    "'app.delete' AND actor_kind = 'system'"),
                     1);
}
END_TEST

Suite *suite_admin_registration(void)
{
    Suite *s = suite_create("admin_registration");
    TCase *tc = tcase_create("admin_registration");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, an_initial_token_lets_one_app_in);
    tcase_add_test(tc, an_initial_token_ends);
    tcase_add_test(tc, an_initial_token_goes_with_its_admin);
    tcase_add_test(tc, only_such_tokens_register);
    tcase_add_test(tc, closed_is_closed);
    tcase_add_test(tc, an_app_manages_itself_and_no_other);
    tcase_add_test(tc, an_admin_sees_and_ends_it);
    tcase_add_test(tc, what_nobody_used_goes);
    suite_add_tcase(s, tc);
    return s;
}
