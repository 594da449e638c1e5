/* SPDX-License-Identifier: Apache-2.0 */
/* What an app's request to sign somebody out is worth (OP-57). */
#include "issuer/logout.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "issuer/parts.h"
#include "issuer_fixture.h"
#include "store/account.h"
#include "store/oauth_grant.h"

Suite *suite_logout(void);

#define BACK "https://rp.example.com/logged-out"
#define SESSION "session-1"

static struct issuer_fixture f;
static struct account account;
static struct issuer_logout last;
static unsigned answers;

static const struct issuer_fixture_app apps[] = {
    {"rp", "{\"label\":\"The RP\",\"post_logout_redirect_uris\":\"" BACK "\"}"},
    {"other", "{\"post_logout_redirect_uris\":\"https://other.example.com/\"}"},
    {"off", "{\"post_logout_redirect_uris\":\"" BACK "\",\"enabled\":\"no\"}"},
};

static int put_person(struct db *db, void *arg, struct err *err)
{
    const struct account_profile p = {.provider = "discord", .subject = "1"};
    (void)arg;
    return account_sign_in(db, &p, ISSUER_NOW, &account, err) < 0 ? -1 : 0;
}

static void setup(void)
{
    struct err err = ERR_INIT;
    issuer_fixture_open(&f, apps, sizeof apps / sizeof *apps);
    ck_assert_int_eq(store_write_now(f.store.store, put_person, NULL, &err), STORE_DONE);
}

static void teardown(void)
{
    issuer_fixture_close(&f);
}

static int put_grant(struct db *db, void *arg, struct err *err)
{
    return oauth_grant_add(db, arg, err);
}

static void granted(const char *app, const char *session, const char *sid)
{
    struct err err = ERR_INIT;
    struct oauth_grant_row row = {.id = "g1",
                                  .app = app,
                                  .account = account.id,
                                  .session = session,
                                  .sid = sid,
                                  .scopes = "openid",
                                  .created = ISSUER_NOW,
                                  .ends = ISSUER_NOW + 1000};
    ck_assert_msg(store_write_now(f.store.store, put_grant, &row, &err) == STORE_DONE, "%s",
                  err.text);
}

/* An ID token as it was signed for that app and session. */
static const char *hint(const char *app, const char *whose, const char *sid, int64_t expires)
{
    struct err err = ERR_INIT;
    struct buf out;
    const char *payload = arena_printf(
        f.arena,
        "{\"iss\":\"" ISSUER_URL "\",\"aud\":\"%s\",\"sub\":\"%s\",\"sid\":\"%s\",\"exp\":%lld}",
        app, whose, sid, (long long)expires);
    buf_init(&out, JWS_TOKEN_MAX);
    ck_assert_int_eq(jws_signer_sign(issuer_keys_active(f.issuer->keys, JWS_ES256)->signer[JWT_ID],
                                     str_of(payload), &out, &err),
                     0);
    const char *token = arena_dupn(f.arena, out.p, out.n);
    buf_deinit(&out);
    return token;
}

static void on_judged(void *arg, const struct issuer_logout *l)
{
    (void)arg;
    last = *l;
    answers++;
}

/* `more` begins with '&', or is "". */
static enum issuer_logout_verdict judge_as(const char *session, const char *token, const char *more)
{
    struct err err = ERR_INIT;
    struct fields *form = arena_alloc(f.arena, sizeof *form);
    const char *text =
        arena_printf(f.arena, "%s%s%s", token ? "id_token_hint=" : "x=", token ? token : "", more);
    ck_assert_int_eq(form_parse(f.arena, str_of(text), 20, form, &err), 0);
    const struct issuer_logout_call call = {
        .arena = f.arena, .form = form, .account = session ? account.id : NULL, .session = session};
    answers = 0;
    issuer_logout_judge(f.issuer, &call, on_judged, NULL);
    for (int i = 0; i < 500 && answers == 0; i++)
        loop_once(f.loop, 10);
    ck_assert_uint_eq(answers, 1);
    return last.verdict;
}

static enum issuer_logout_verdict judge(const char *token, const char *more)
{
    return judge_as(SESSION, token, more);
}

static const char *mine(void)
{
    return hint("rp", account.id, SESSION, ISSUER_NOW + 60);
}

#define URI "&post_logout_redirect_uri=https%3A%2F%2Frp.example.com%2Flogged-out"

START_TEST(proven_by_its_own_id_token)
{
    ck_assert_int_eq(judge(mine(), ""), LOGOUT_PROVEN);
    ck_assert_ptr_null(last.target);
    ck_assert_str_eq(last.app, "The RP");
    ck_assert_int_eq(judge(mine(), URI "&state=s%201"), LOGOUT_PROVEN);
    ck_assert_str_eq(last.target, BACK);
    ck_assert_str_eq(last.state, "s 1");
    /* One that is over proves as well; so does one whose key has been replaced. */
    ck_assert_int_eq(judge(hint("rp", account.id, SESSION, ISSUER_NOW - 1000), URI), LOGOUT_PROVEN);
    ck_assert_str_eq(last.target, BACK);
}
END_TEST

START_TEST(nothing_is_proven_by_nothing)
{
    ck_assert_int_eq(judge(NULL, ""), LOGOUT_ASK);
    ck_assert_ptr_null(last.app);
    ck_assert_int_eq(judge(NULL, URI), LOGOUT_ASK);
    ck_assert_ptr_null(last.target);
    ck_assert_int_eq(judge(NULL, "&client_id=nobody" URI), LOGOUT_ASK);
    ck_assert_ptr_null(last.target);
    ck_assert_int_eq(judge(NULL, "&client_id=off" URI), LOGOUT_ASK);
    ck_assert_ptr_null(last.target);
    ck_assert_ptr_null(last.app);
}
END_TEST

/* Byte for byte, and nobody is asked less because of it. */
START_TEST(an_address_that_is_not_registered)
{
    static const char *const other[] = {
        "&post_logout_redirect_uri=https%3A%2F%2Frp.example.com%2Flogged-out%2F",
        "&post_logout_redirect_uri=https%3A%2F%2Frp.example.com%2Flogged-out%3Fx%3D1",
        "&post_logout_redirect_uri=https%3A%2F%2Fother.example.com%2F",
        "&post_logout_redirect_uri=HTTPS%3A%2F%2Frp.example.com%2Flogged-out",
        "&post_logout_redirect_uri=https%3A%2F%2Frp.example.com%2Flogged-ou",
    };
    for (size_t i = 0; i < sizeof other / sizeof *other; i++) {
        ck_assert_int_eq(judge(mine(), other[i]), LOGOUT_ASK);
        ck_assert_ptr_null(last.target);
    }
}
END_TEST

START_TEST(id_tokens_that_do_not_prove)
{
    const char *good = mine();
    char *altered = arena_dup(f.arena, good);
    char *dot = strchr(altered, '.') + 5;
    *dot = *dot == 'A' ? 'B' : 'A';
    const char *const tokens[] = {altered,
                                  arena_dupn(f.arena, good, strlen(good) - 4),
                                  "eyJhbGciOiJub25lIn0.e30.",
                                  "nonsense",
                                  hint("nobody", account.id, SESSION, ISSUER_NOW + 60),
                                  hint("off", account.id, SESSION, ISSUER_NOW + 60)};
    for (size_t i = 0; i < sizeof tokens / sizeof *tokens; i++) {
        ck_assert_int_eq(judge(tokens[i], URI), LOGOUT_ASK);
        ck_assert_ptr_null(last.target);
        /* ... and take all trust from the rest. */
        ck_assert_int_eq(judge(tokens[i], "&client_id=rp" URI), LOGOUT_ASK);
        ck_assert_ptr_null(last.target);
    }
    ck_assert_int_eq(judge(good, "&client_id=other" URI), LOGOUT_ASK);
    ck_assert_ptr_null(last.target);
}
END_TEST

/* It is ours, and about somebody else's session: back is allowed, but the person is asked. */
START_TEST(an_id_token_of_another_session)
{
    ck_assert_int_eq(judge(hint("rp", account.id, "session-2", ISSUER_NOW + 60), URI), LOGOUT_ASK);
    ck_assert_str_eq(last.target, BACK);
    ck_assert_int_eq(judge(hint("rp", "somebody", SESSION, ISSUER_NOW + 60), URI), LOGOUT_ASK);
    ck_assert_int_eq(judge_as(NULL, mine(), URI), LOGOUT_ASK);
    ck_assert_str_eq(last.target, BACK);
}
END_TEST

/* The session was renewed since: the grant knows by which name the app knew it. */
START_TEST(a_session_that_was_renewed)
{
    granted("rp", SESSION, "session-0");
    ck_assert_int_eq(judge(hint("rp", account.id, "session-0", ISSUER_NOW + 60), URI),
                     LOGOUT_PROVEN);
    ck_assert_int_eq(judge(hint("rp", account.id, "session-9", ISSUER_NOW + 60), URI), LOGOUT_ASK);
    ck_assert_int_eq(judge(hint("rp", "somebody", "session-0", ISSUER_NOW + 60), URI), LOGOUT_ASK);
}
END_TEST

START_TEST(an_app_that_names_itself)
{
    ck_assert_int_eq(judge(NULL, "&client_id=rp" URI), LOGOUT_ASK);
    ck_assert_ptr_null(last.target); /* the person is not signed in to it */
    granted("rp", SESSION, SESSION);
    ck_assert_int_eq(judge(NULL, "&client_id=rp" URI), LOGOUT_ASK);
    ck_assert_str_eq(last.target, BACK);
    ck_assert_int_eq(judge(NULL, "&client_id=other" URI), LOGOUT_ASK);
    ck_assert_ptr_null(last.target);
    ck_assert_int_eq(judge_as(NULL, NULL, "&client_id=rp" URI), LOGOUT_ASK);
    ck_assert_ptr_null(last.target); /* nobody is signed in at all */
}
END_TEST

START_TEST(parameters_that_come_twice)
{
    static const char *const twice[] = {"&client_id=rp&client_id=rp", "&state=a&state=b", URI URI};
    for (size_t i = 0; i < sizeof twice / sizeof *twice; i++)
        ck_assert_int_eq(judge(NULL, twice[i]), LOGOUT_INVALID);
    ck_assert_int_eq(judge(mine(), "&id_token_hint=x"), LOGOUT_INVALID);
}
END_TEST

/* What the store cannot say is not guessed. */
START_TEST(a_store_that_fails)
{
    store_fixture_sql(&f.store, "ALTER TABLE oauth_grant RENAME TO elsewhere");
    ck_assert_int_eq(judge(NULL, "&client_id=rp" URI), LOGOUT_FAILED);
    ck_assert_ptr_null(last.target);
    ck_assert_int_eq(judge(mine(), URI), LOGOUT_PROVEN); /* needs none */
    store_fixture_sql(&f.store, "ALTER TABLE elsewhere RENAME TO oauth_grant");
    ck_assert_int_eq(judge(NULL, "&client_id=rp" URI), LOGOUT_ASK);
}
END_TEST

Suite *suite_logout(void)
{
    Suite *s = suite_create("logout");
    TCase *t = tcase_create("all");
    tcase_set_timeout(t, 30);
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, proven_by_its_own_id_token);
    tcase_add_test(t, nothing_is_proven_by_nothing);
    tcase_add_test(t, an_address_that_is_not_registered);
    tcase_add_test(t, id_tokens_that_do_not_prove);
    tcase_add_test(t, an_id_token_of_another_session);
    tcase_add_test(t, a_session_that_was_renewed);
    tcase_add_test(t, an_app_that_names_itself);
    tcase_add_test(t, parameters_that_come_twice);
    tcase_add_test(t, a_store_that_fails);
    suite_add_tcase(s, t);
    return s;
}
