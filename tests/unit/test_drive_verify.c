/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "drive_fixture.h"

Suite *suite_drive_verify(void);

#define JSON "application/json"

static struct jws_key *key, *next_key;
static const char *const issuers[] = {FIXTURE_ORIGIN, NULL};
static const char *const es256[] = {"ES256", NULL};
static struct usher_verify rules;

static void step(struct usher_call *c, const struct usher_event *ev, struct usher_action *act)
{
    switch (ev->kind) {
    case USHER_CALLBACK:
        drive_fixture_exchange(act);
        return;
    case USHER_TOKENS:
        act->kind = USHER_VERIFY;
        act->verify = &rules;
        return;
    default:
        ck_assert_uint_eq(ev->kind, USHER_CLAIMS);
        ck_assert_str_eq(c->host->json_text(c, ev->claims->claims, "/sub"), "42");
        drive_fixture_done(act);
    }
}

static void setup(void)
{
    drive_fixture_open(step);
    key = jws_key_make(JWS_ES256);
    next_key = jws_key_make(JWS_ES256);
    rules = (struct usher_verify){.size = sizeof rules,
                                  .issuers = issuers,
                                  .jwks_uri = FIXTURE_ORIGIN "/keys",
                                  .algs = es256};
    dfx.flow.nonce_sent = true;
}

static void teardown(void)
{
    jws_key_free(&key);
    jws_key_free(&next_key);
    drive_fixture_close();
}

static const char *set_of(const struct jws_key *k, const char *kid)
{
    struct jval *set = jval_new_object(), *list = jval_new_array();
    struct buf b;
    jval_push(list, jws_key_public(k, JWS_ES256, kid));
    jval_set(set, "keys", list);
    buf_init(&b, 8192);
    jval_render(set, &b);
    const char *text = arena_dup(dfx.arena, b.p);
    buf_deinit(&b);
    jval_free(&set);
    return text;
}

/* A token answer with an ID token; nonce NULL: this flow's own. */
static const char *answer(const struct jws_key *k, const char *kid, const char *nonce)
{
    char own[44];
    struct jval *claims = jval_new_object();
    struct buf b;
    struct err err = ERR_INIT;
    const struct jws_head head = {.alg = JWS_ES256, .kid = kid, .typ = "JWT"};
    ck_assert_int_eq(state_nonce(dfx.keys, str_of(dfx.state), dfx.flow.id, own), 0);
    jval_set_text(claims, "iss", FIXTURE_ORIGIN);
    jval_set_text(claims, "aud", "app");
    jval_set_text(claims, "sub", "42");
    jval_set_int(claims, "iat", FIXTURE_NOW);
    jval_set_int(claims, "exp", FIXTURE_NOW + 300);
    if (!nonce || *nonce)
        jval_set_text(claims, "nonce", nonce ? nonce : own);
    buf_init(&b, 8192);
    ck_assert_int_eq(jws_sign(k, &head, claims, &b, &err), 0);
    const char *text = arena_printf(
        dfx.arena, "{\"access_token\":\"t0k\",\"token_type\":\"Bearer\",\"id_token\":\"%s\"}", b.p);
    buf_deinit(&b);
    jval_free(&claims);
    return text;
}

/* Up to the question for the key set, which is request 1. */
static void exchange(const struct jws_key *k, const char *kid, const char *nonce)
{
    dfx.n_asked = 0;
    drive_fixture_finish("code=c0de");
    drive_fixture_answer(0, 200, JSON, answer(k, kid, nonce));
}

START_TEST(good_token)
{
    exchange(key, "k1", NULL);
    ck_assert_uint_eq(dfx.n_asked, 2);
    ck_assert_str_eq(dfx.asked[1].url, FIXTURE_ORIGIN "/keys");
    ck_assert(dfx.asked[1].cached && !dfx.asked[1].force);
    drive_fixture_answer(1, 200, JSON, set_of(key, "k1"));
    ck_assert_str_eq(dfx.subject, "42");
    ck_assert(dfx.claims);
}
END_TEST

/* JWT-40: rotation. An unknown key id asks once for a fresh set. */
START_TEST(jwt_40_rotation)
{
    exchange(next_key, "k2", NULL);
    drive_fixture_answer(1, 200, JSON, set_of(key, "k1"));
    ck_assert_uint_eq(dfx.n_asked, 3);
    ck_assert(dfx.asked[2].cached && dfx.asked[2].force);
    drive_fixture_answer(2, 200, JSON, set_of(next_key, "k2"));
    ck_assert_str_eq(dfx.subject, "42");
}
END_TEST

/* JWT-05: one refresh, then refused. */
START_TEST(jwt_05_unknown_key)
{
    exchange(next_key, "k2", NULL);
    drive_fixture_answer(1, 200, JSON, set_of(key, "k1"));
    drive_fixture_answer(2, 200, JSON, set_of(key, "k1"));
    ck_assert_uint_eq(dfx.n_asked, 3);
    ck_assert_int_eq(dfx.err.kind, ERR_UPSTREAM_BAD);
}
END_TEST

START_TEST(known_id_wrong_key)
{
    exchange(next_key, "k1", NULL);
    drive_fixture_answer(1, 200, JSON, set_of(key, "k1"));
    if (dfx.n_asked == 3)
        drive_fixture_answer(2, 200, JSON, set_of(key, "k1"));
    ck_assert_int_eq(dfx.err.kind, ERR_UPSTREAM_BAD);
}
END_TEST

/* JWT-41: key sets that are none. */
START_TEST(jwt_41_no_key_set)
{
    static const struct {
        int status;
        const char *type, *body;
        enum err_kind kind;
    } cases[] = {
        {200, "text/html", "<h1>oops</h1>", ERR_UPSTREAM_BAD},
        {200, JSON, "<h1>oops</h1>", ERR_UPSTREAM_BAD},
        {200, JSON, "{\"keys\":[]}", ERR_UPSTREAM_BAD},
        {200, JSON, "{}", ERR_UPSTREAM_BAD},
        {404, JSON, "{\"keys\":[]}", ERR_UPSTREAM_BAD},
        {429, JSON, "{}", ERR_UPSTREAM_DOWN},
        {500, JSON, "{}", ERR_UPSTREAM_DOWN},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        exchange(key, "k1", NULL);
        drive_fixture_answer(1, cases[i].status, cases[i].type, cases[i].body);
        ck_assert_int_eq(dfx.err.kind, cases[i].kind);
    }
    exchange(key, "k1", NULL);
    drive_fixture_transport(1, USHER_TRANSPORT_UNREACHABLE);
    ck_assert_int_eq(dfx.err.kind, ERR_UPSTREAM_DOWN);
}
END_TEST

/* CB-29, JWT-18: the nonce of this flow, and no other. */
START_TEST(cb_29_nonce)
{
    exchange(key, "k1", "");
    drive_fixture_answer(1, 200, JSON, set_of(key, "k1"));
    ck_assert_int_eq(dfx.err.kind, ERR_UPSTREAM_BAD);
    exchange(key, "k1", "of-another-flow");
    drive_fixture_answer(1, 200, JSON, set_of(key, "k1"));
    ck_assert_int_eq(dfx.err.kind, ERR_UPSTREAM_BAD);
    dfx.flow.nonce_sent = false;
    dfx.url = NULL;
    exchange(key, "k1", "");
    ck_assert_uint_eq(dfx.n_asked, 1);
    ck_assert_int_eq(dfx.err.kind, ERR_MISCONFIGURED);
    rules.nonce = USHER_NONCE_IF_PRESENT;
    exchange(key, "k1", "");
    drive_fixture_answer(1, 200, JSON, set_of(key, "k1"));
    ck_assert_str_eq(dfx.subject, "42");
}
END_TEST

/* JWT-04: an algorithm that is fine in general, but not the one this provider pins. */
START_TEST(jwt_04_pinned_algorithm)
{
    rules.algs = NULL; /* RS256 */
    exchange(key, "k1", NULL);
    if (dfx.ends == 0)
        drive_fixture_answer(1, 200, JSON, set_of(key, "k1"));
    ck_assert_int_eq(dfx.err.kind, ERR_UPSTREAM_BAD);
}
END_TEST

START_TEST(no_id_token)
{
    drive_fixture_finish("code=c0de");
    drive_fixture_answer(0, 200, JSON, "{\"access_token\":\"t0k\",\"token_type\":\"Bearer\"}");
    ck_assert_int_eq(dfx.err.kind, ERR_UPSTREAM_BAD);
    drive_fixture_finish("code=c0de");
    dfx.asked[0] = dfx.asked[1];
    dfx.n_asked = 1;
    drive_fixture_answer(
        0, 200, JSON,
        "{\"access_token\":\"t0k\",\"token_type\":\"Bearer\",\"id_token\":\"not.a.token\"}");
    ck_assert_int_eq(dfx.err.kind, ERR_UPSTREAM_BAD);
    ck_assert_uint_eq(dfx.n_asked, 1);
}
END_TEST

Suite *suite_drive_verify(void)
{
    Suite *s = suite_create("drive_verify");
    TCase *tc = tcase_create("drive_verify");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, good_token);
    tcase_add_test(tc, jwt_40_rotation);
    tcase_add_test(tc, jwt_05_unknown_key);
    tcase_add_test(tc, known_id_wrong_key);
    tcase_add_test(tc, jwt_41_no_key_set);
    tcase_add_test(tc, cb_29_nonce);
    tcase_add_test(tc, jwt_04_pinned_algorithm);
    tcase_add_test(tc, no_id_token);
    suite_add_tcase(s, tc);
    return s;
}
