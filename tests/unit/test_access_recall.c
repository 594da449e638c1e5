/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens that memory does not know: the store is asked, once and not for ever, and a good one is
 * never called bad. */
#include "issuer/access_recall.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "issuer/parts.h"
#include "issuer_fixture.h"
#include "store/account.h"
#include "store/oauth_grant.h"

Suite *suite_access_recall(void);

#define DAY (24 * 3600)
#define GET_TOKEN "grant_type=client_credentials"
#define TOKENS 6

static struct issuer_fixture f;
static const char *tokens[TOKENS];

static const struct issuer_fixture_app apps[] = {
    {"api",
     "{\"grants\":\"client_credentials\",\"scopes\":\"openid a\",\"token_format\":\"opaque\"}"},
    {"other", "{\"grants\":\"client_credentials\",\"scopes\":\"a\",\"token_format\":\"opaque\"}"},
};

/* What calls came to, in the order they were asked. */
static struct {
    unsigned asked, answered;
    struct {
        int status;
        char body[2048];
    } v[8];
} came;

static void on_done(void *arg, const struct issuer_answer *a)
{
    const size_t at = (size_t)(uintptr_t)arg;
    came.answered++;
    came.v[at].status = a->status;
    (void)snprintf(came.v[at].body, sizeof came.v[at].body, "%.*s", (int)a->body.n,
                   a->body.p ? a->body.p : "");
}

static void begin(issuer_call_fn *fn, const char *app, const char *form)
{
    struct err err = ERR_INIT;
    struct fields *fields = arena_alloc(f.arena, sizeof *fields);
    struct issuer_call *c = arena_alloc(f.arena, sizeof *c);
    const char *text = arena_printf(f.arena, "client_id=%s&client_secret=%s&%s", app, app, form);
    ck_assert_int_eq(form_parse(f.arena, str_of(text), 20, fields, &err), 0);
    *c = (struct issuer_call){.arena = f.arena, .form = fields, .ip = "192.0.2.1"};
    fn(f.issuer, c, on_done, (void *)(uintptr_t)came.asked++);
}

static void wait_all(void)
{
    for (int i = 0; i < 1000 && came.answered < came.asked; i++)
        loop_once(f.loop, 10);
    ck_assert_uint_eq(came.answered, came.asked);
}

static int ask(issuer_call_fn *fn, const char *app, const char *form)
{
    memset(&came, 0, sizeof came);
    begin(fn, app, form);
    wait_all();
    return came.v[0].status;
}

static const char *form_of(const char *token)
{
    return arena_printf(f.arena, "token=%s", token);
}

static bool is_active(const char *token)
{
    ck_assert_int_eq(ask(issuer_introspect, "api", form_of(token)), 200);
    return strstr(came.v[0].body, "\"active\":true") != NULL;
}

static const char *new_token(const char *app)
{
    struct err err = ERR_INIT;
    ck_assert_int_eq(ask(issuer_token, app, GET_TOKEN), 200);
    struct jval *v = jval_parse(str_of(came.v[0].body), 4096, 4, &err);
    const char *text = arena_dup(f.arena, jval_text(jval_get(v, "access_token")));
    jval_free(&v);
    return text;
}

static void restart(size_t max)
{
    issuer_fixture_stop(&f);
    f.max_tokens = max;
    issuer_fixture_start(&f);
}

/* A table with room for two of six. */
static void setup(void)
{
    memset(&f, 0, sizeof f);
    issuer_fixture_open(&f, apps, 2);
    for (int i = 0; i < TOKENS; i++)
        tokens[i] = new_token("api");
    restart(2);
    ck_assert_uint_eq(access_count(f.issuer->access), 2);
}

static void teardown(void)
{
    issuer_fixture_close(&f);
}

static void break_store(void)
{
    store_fixture_sql(&f.store, "ALTER TABLE access_token RENAME TO elsewhere");
}

static void mend_store(void)
{
    store_fixture_sql(&f.store, "ALTER TABLE elsewhere RENAME TO access_token");
}

START_TEST(what_did_not_fit_is_good_all_the_same)
{
    for (int round = 0; round < 2; round++)
        for (int i = 0; i < TOKENS; i++)
            ck_assert(is_active(tokens[i]));
    ck_assert_uint_eq(access_count(f.issuer->access), 2);
    ck_assert_ptr_nonnull(strstr(came.v[0].body, "\"client_id\":\"api\""));
    ck_assert_ptr_nonnull(strstr(came.v[0].body, "\"scope\":\"a\""));
}
END_TEST

/* ... and ends as well. */
START_TEST(it_can_be_given_back)
{
    for (int i = 0; i < TOKENS; i++) {
        ck_assert_int_eq(ask(issuer_revoke, "api", form_of(tokens[i])), 200);
        for (int k = 0; k < TOKENS; k++)
            ck_assert(is_active(tokens[k]) == (k > i));
    }
    restart(2);
    for (int i = 0; i < TOKENS; i++)
        ck_assert(!is_active(tokens[i]));
}
END_TEST

START_TEST(it_runs_out)
{
    issuer_fixture_at(&f, ISSUER_NOW + 1800);
    for (int i = 0; i < TOKENS; i++)
        ck_assert(!is_active(tokens[i]));
}
END_TEST

/* Two who ask for one token wait for one reading. */
START_TEST(one_reading_for_all_who_wait)
{
    const char *cold = NULL;
    break_store(); /* what is cold cannot be told now */
    for (int i = 0; i < TOKENS && !cold; i++)
        cold = ask(issuer_introspect, "api", form_of(tokens[i])) == 503 ? tokens[i] : NULL;
    ck_assert_ptr_nonnull(cold);
    mend_store();
    memset(&came, 0, sizeof came);
    const size_t idle = f.issuer->under_way;
    for (int i = 0; i < 4; i++)
        begin(issuer_introspect, i % 2 ? "api" : "other", form_of(cold));
    ck_assert_uint_eq(f.issuer->under_way, idle + 4 + 1);
    wait_all();
    for (int i = 0; i < 4; i++) /* the other app learns nothing of it */
        ck_assert((strstr(came.v[i].body, "\"active\":true") != NULL) == (i % 2 == 1));
}
END_TEST

/* Nobody knows is not no. */
START_TEST(a_store_that_fails)
{
    unsigned unknown = 0;
    break_store();
    for (int i = 0; i < TOKENS; i++) {
        const int status = ask(issuer_introspect, "api", form_of(tokens[i]));
        ck_assert(status == 503 || strstr(came.v[0].body, "\"active\":true"));
        unknown += status == 503;
        if (status == 503)
            ck_assert_int_eq(ask(issuer_revoke, "api", form_of(tokens[i])), 503);
    }
    ck_assert_uint_eq(unknown, TOKENS - 2);
    mend_store();
    for (int i = 0; i < TOKENS; i++)
        ck_assert(is_active(tokens[i]));
}
END_TEST

/* Guesses cost one reading in ten seconds. */
START_TEST(what_is_none_is_remembered)
{
    static const char guess[] = "uat_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    ck_assert(!is_active(guess));
    break_store();
    ck_assert(!is_active(guess));
    ck_assert(!is_active("uat_short"));
    ck_assert(!is_active("nonsense"));
    issuer_fixture_at(&f, ISSUER_NOW + 11);
    ck_assert_int_eq(ask(issuer_introspect, "api", form_of(guess)), 503);
    /* A day later nothing that was left out can be good. */
    issuer_fixture_at(&f, ISSUER_NOW + DAY);
    ck_assert(!is_active(guess));
    mend_store();
}
END_TEST

/* ---- ends meanwhile ---- */

static struct account account;
static const char person_token[] = "uat_BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB";

static int put_person(struct db *db, void *arg, struct err *err)
{
    (void)arg;
    const struct account_profile p = {.provider = "discord", .subject = "1"};
    if (account_sign_in(db, &p, ISSUER_NOW, &account, err) < 0)
        return -1;
    const struct oauth_grant_row grant = {.id = "g1",
                                          .app = "api",
                                          .account = account.id,
                                          .scopes = "openid",
                                          .created = ISSUER_NOW,
                                          .ends = ISSUER_NOW + 1000};
    struct access_token_row row = {.grant = "g1",
                                   .app = "api",
                                   .account = account.id,
                                   .scopes = "openid",
                                   .resource = "[\"" ISSUER_URL "\"]",
                                   .created = ISSUER_NOW,
                                   .expires = ISSUER_NOW + 1000};
    seal_sha256(str_of(person_token), row.hash);
    return oauth_grant_add(db, &grant, err) < 0 ? -1 : access_token_add(db, &row, err);
}

static int end_grant(struct db *db, void *arg, struct err *err)
{
    return oauth_grant_end(db, arg, ISSUER_NOW, err) < 0 ? -1 : 0;
}

static void with_person(void)
{
    struct err err = ERR_INIT;
    ck_assert_int_eq(store_write_now(f.store.store, put_person, NULL, &err), STORE_DONE);
    ck_assert(is_active(person_token));
    issuer_fixture_at(&f, ISSUER_NOW + 1);
}

/* Memory takes it in where there is room. */
START_TEST(it_is_kept_where_there_is_room)
{
    restart(1000);
    access_lack(f.issuer->access, ISSUER_NOW + DAY);
    const size_t before = access_count(f.issuer->access);
    with_person();
    ck_assert_uint_eq(access_count(f.issuer->access), before + 1);
    break_store();
    ck_assert(is_active(person_token));
    mend_store();
}
END_TEST

/* The row may have been read before its grant ended; told was the end first. */
START_TEST(a_grant_that_ends_while_its_token_is_read)
{
    struct err err = ERR_INIT;
    char id[] = "g1";
    with_person();
    memset(&came, 0, sizeof came);
    begin(issuer_introspect, "api", form_of(person_token));
    ck_assert_uint_eq(came.answered, 0);
    ck_assert_int_eq(store_write_now(f.store.store, end_grant, id, &err), STORE_DONE);
    issuer_end_grant(f.issuer, id);
    wait_all();
    ck_assert_ptr_nonnull(strstr(came.v[0].body, "\"active\":false"));
}
END_TEST

/* The account is ended in memory; the store has no room to hear of it yet. */
START_TEST(an_end_that_the_store_has_not_heard_of)
{
    with_person();
    f.issuer->granted = true;
    store_fixture_fill(&f.store);
    issuer_session_over(f.issuer, account.id, NULL, NULL);
    ck_assert_int_eq(ask(issuer_introspect, "api", form_of(person_token)), 503);
    store_fixture_go_on(&f.store);
    for (int i = 0; i < 100 && f.issuer->ends; i++) {
        issuer_step(f.issuer);
        loop_once(f.loop, 10);
    }
    ck_assert_ptr_null(f.issuer->ends);
    ck_assert(!is_active(person_token));
}
END_TEST

/* What was said of a token that memory does not hold is not said again after its end. */
START_TEST(an_end_is_another_moment)
{
    const struct issuer_moment before = issuer_moment(f.issuer, ISSUER_MEMORY);
    ck_assert_uint_eq(access_end_grant(f.issuer->access, "of no token here"), 0);
    const struct issuer_moment between = issuer_moment(f.issuer, ISSUER_MEMORY);
    ck_assert_uint_eq(access_end_account(f.issuer->access, "of none either"), 0);
    ck_assert_uint_ne(between.changes, before.changes);
    ck_assert_uint_ne(issuer_moment(f.issuer, ISSUER_MEMORY).changes, between.changes);
}
END_TEST

START_TEST(it_all_ends_while_somebody_waits)
{
    memset(&came, 0, sizeof came);
    for (int i = 0; i < TOKENS; i++)
        begin(issuer_introspect, "api", form_of(tokens[i]));
    issuer_fixture_stop(&f);
    ck_assert_uint_eq(came.answered, TOKENS);
    for (int i = 0; i < TOKENS; i++)
        ck_assert_ptr_nonnull(strstr(came.v[i].body, "\"active\":true"));
}
END_TEST

/* ---- shares ---- */

START_TEST(one_app_leaves_room_for_another)
{
    issuer_fixture_stop(&f);
    store_fixture_sql(&f.store, "DELETE FROM access_token");
    f.max_tokens = 10;
    issuer_fixture_start(&f);
    for (int i = 0; i < 8; i++)
        (void)new_token("api");
    ck_assert_int_eq(ask(issuer_token, "api", GET_TOKEN), 503);
    ck_assert_ptr_nonnull(strstr(came.v[0].body, "temporarily_unavailable"));
    ck_assert_int_eq(store_fixture_number(&f.store, "SELECT count(*) FROM access_token"), 8);
    (void)new_token("other");
}
END_TEST

START_TEST(one_app_leaves_room_for_another_at_the_start)
{
    restart(1000);
    for (int i = 0; i < 20; i++)
        (void)new_token("api");
    restart(10);
    ck_assert_uint_eq(access_count(f.issuer->access), 8);
    ck_assert_int_eq(ask(issuer_token, "api", GET_TOKEN), 503);
    (void)new_token("other");
    (void)new_token("other");
    for (int i = 0; i < TOKENS; i++)
        ck_assert(is_active(tokens[i]));
}
END_TEST

Suite *suite_access_recall(void)
{
    Suite *s = suite_create("access_recall");
    TCase *t = tcase_create("all");
    tcase_set_timeout(t, 60);
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, what_did_not_fit_is_good_all_the_same);
    tcase_add_test(t, it_can_be_given_back);
    tcase_add_test(t, it_runs_out);
    tcase_add_test(t, it_is_kept_where_there_is_room);
    tcase_add_test(t, one_reading_for_all_who_wait);
    tcase_add_test(t, a_store_that_fails);
    tcase_add_test(t, what_is_none_is_remembered);
    tcase_add_test(t, a_grant_that_ends_while_its_token_is_read);
    tcase_add_test(t, an_end_that_the_store_has_not_heard_of);
    tcase_add_test(t, an_end_is_another_moment);
    tcase_add_test(t, it_all_ends_while_somebody_waits);
    tcase_add_test(t, one_app_leaves_room_for_another);
    tcase_add_test(t, one_app_leaves_room_for_another_at_the_start);
    suite_add_tcase(s, t);
    return s;
}
