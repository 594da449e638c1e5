/* SPDX-License-Identifier: Apache-2.0 */
#include "issuer/keys.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "store/signing_key.h"
#include "store_fixture.h"
#include "sys/clock.h"

Suite *suite_issuer_keys(void);

#define NOW INT64_C(1800000000)
#define DAY INT64_C(86400)
#define LIFETIME (90 * DAY)

static struct store_fixture fx;
static struct loop *loop;
static struct work *work;
static struct keyring *ring;
static struct issuer_keys *keys;
static struct clock_fake fake;

static void at(int64_t now)
{
    fake.wall.us = now * 1000000;
    clock_set_fake(&fake);
}

static struct issuer_keys *opened(uint32_t algs)
{
    struct err err = ERR_INIT;
    const struct issuer_keys_options o = {.loop = loop,
                                          .store = fx.store,
                                          .work = work,
                                          .ring = ring,
                                          .algs = algs,
                                          .lifetime = LIFETIME};
    struct issuer_keys *k = issuer_keys_new(&o, &err);
    ck_assert_msg(k != NULL, "%s", err.text);
    return k;
}

static void setup(void)
{
    struct err err = ERR_INIT;
    at(NOW);
    store_fixture_open(&fx);
    loop = loop_new(&err);
    work = work_new(1, 16, &err);
    ring = keyring_fixed((const unsigned char *)"0123456789abcdef0123456789abcdef");
    keys = opened(JWS_ES256);
}

static void teardown(void)
{
    issuer_keys_free(&keys);
    work_free(&work);
    keyring_free(&ring);
    store_fixture_close(&fx);
    loop_free(&loop);
    clock_set_fake(NULL);
}

static void restart(uint32_t algs)
{
    issuer_keys_free(&keys);
    store_fixture_reopen(&fx);
    keys = opened(algs);
}

static size_t count(void)
{
    size_t n = 0;
    while (issuer_keys_at(keys, n))
        n++;
    return n;
}

/* A tick, and whatever it sets going. */
static void tick(void)
{
    struct store_stats st;
    issuer_keys_tick(keys);
    for (int i = 0; i < 100; i++) {
        loop_once(loop, 2);
        store_get_stats(fx.store, &st);
    }
}

/* Until there are so many keys: an RSA key takes its time. */
static void tick_until(size_t n)
{
    issuer_keys_tick(keys);
    for (int i = 0; i < 2000 && count() != n; i++)
        loop_once(loop, 10);
    ck_assert_uint_eq(count(), n);
}

static bool published(const char *kid)
{
    return strstr(issuer_keys_document(keys).p, kid) != NULL;
}

static void active(uint32_t alg, char kid[17])
{
    const struct signing_key *key = issuer_keys_active(keys, alg);
    ck_assert_ptr_nonnull(key);
    strcpy(kid, key->kid);
}

/* Signed by the active key, checked by what is remembered. */
static char *sign(uint32_t alg)
{
    struct err err = ERR_INIT;
    struct buf out;
    buf_init(&out, JWS_TOKEN_MAX);
    ck_assert_int_eq(jws_signer_sign(issuer_keys_active(keys, alg)->signer[JWT_ACCESS],
                                     STR("{\"sub\":\"x\"}"), &out, &err),
                     0);
    return buf_take(&out);
}

static int verdict(const char *token, uint32_t alg)
{
    struct err err = ERR_INIT;
    struct jws j;
    ck_assert_int_eq(jws_decode_typ(str_of(token), "at+jwt", &j, &err), 0);
    const int rc = jws_check(&j, str_of(token), issuer_keys_public(keys), alg, &err);
    jws_deinit(&j);
    return rc;
}

START_TEST(made_at_the_first_start_and_there_at_the_next)
{
    char rsa[17], ec[17], again[17];
    ck_assert_uint_eq(count(), 2);
    active(JWS_RS256, rsa);
    active(JWS_ES256, ec);
    ck_assert_ptr_null(issuer_keys_active(keys, JWS_EDDSA));
    ck_assert_str_ne(rsa, ec);
    ck_assert(published(rsa) && published(ec));
    char *token = sign(JWS_RS256);
    restart(JWS_ES256);
    ck_assert_uint_eq(count(), 2);
    active(JWS_RS256, again);
    ck_assert_str_eq(again, rsa);
    active(JWS_ES256, again);
    ck_assert_str_eq(again, ec);
    ck_assert_int_eq(verdict(token, JWS_RS256), 1);
    free(token);
}
END_TEST

/* OP-63: no private members, and the store holds nothing in the clear. */
START_TEST(nothing_private_leaves)
{
    static const char *const members[] = {"d", "p", "q", "dp", "dq", "qi", "k", "oth"};
    struct err err = ERR_INIT;
    struct jval *doc = jval_parse(issuer_keys_document(keys), JSON_SIZE_MAX, 8, &err);
    const struct jval *list = jval_get(doc, "keys");
    ck_assert_uint_eq(jval_count(list), 2);
    for (size_t i = 0; i < jval_count(list); i++) {
        const struct jval *key = jval_item(list, i);
        ck_assert_str_eq(jval_text(jval_get(key, "use")), "sig");
        ck_assert_ptr_nonnull(jval_text(jval_get(key, "kid")));
        ck_assert_ptr_nonnull(jval_text(jval_get(key, "alg")));
        for (size_t m = 0; m < sizeof members / sizeof *members; m++)
            ck_assert_ptr_null(jval_get(key, members[m]));
    }
    jval_free(&doc);
    ck_assert_int_eq(
        store_fixture_number(&fx,
                             "SELECT count(*) FROM signing_key WHERE instr(sealed, 'PRIVATE') > 0"),
        0);
}
END_TEST

/* OP-63: published before use; the old one stays for as long as what it signed, and is known for
 * longer. All of it across restarts. */
START_TEST(rotation_by_the_clock)
{
    char old[17], next[17];
    active(JWS_RS256, old);
    char *token = sign(JWS_RS256);

    at(NOW + LIFETIME - DAY - 1);
    tick();
    ck_assert_uint_eq(count(), 2);
    at(NOW + LIFETIME - DAY);
    tick_until(4);
    active(JWS_RS256, next);
    ck_assert_str_eq(next, old); /* published, not used */
    const struct signing_key *young = issuer_keys_at(keys, 3);
    if (young->alg != JWS_RS256)
        young = issuer_keys_at(keys, 2);
    strcpy(next, young->kid);
    ck_assert_int_eq(young->active_from, NOW + LIFETIME);
    ck_assert(published(next) && published(old));
    restart(JWS_ES256);
    tick();
    ck_assert_uint_eq(count(), 4); /* no second successor */

    char now_signs[17];
    at(NOW + LIFETIME);
    active(JWS_RS256, now_signs);
    ck_assert_str_eq(now_signs, next);
    tick();
    restart(JWS_ES256);
    ck_assert_int_eq(verdict(token, JWS_RS256), 1);
    ck_assert(published(old) && published(next));
    at(NOW + LIFETIME + ISSUER_KEYS_TOKEN_LIFE - 1);
    tick();
    ck_assert(published(old));
    at(NOW + LIFETIME + ISSUER_KEYS_TOKEN_LIFE);
    tick();
    ck_assert(!published(old) && published(next));
    ck_assert_int_eq(verdict(token, JWS_RS256), 1); /* as a hint */
    active(JWS_RS256, now_signs);
    ck_assert_str_eq(now_signs, next);

    at(NOW + LIFETIME + ISSUER_KEYS_TOKEN_LIFE + ISSUER_KEYS_REMEMBERED + 1);
    tick();
    ck_assert_uint_eq(count(), 2);
    ck_assert_int_eq(verdict(token, JWS_RS256), 0);
    ck_assert_int_eq(store_fixture_number(&fx, "SELECT count(*) FROM signing_key"), 2);
    free(token);
}
END_TEST

/* A daemon that was off for a year goes on with what it has, and rotates properly. */
START_TEST(rotation_after_a_long_sleep)
{
    char old[17], now_signs[17];
    active(JWS_ES256, old);
    at(NOW + 365 * DAY);
    restart(JWS_ES256);
    tick_until(4);
    active(JWS_ES256, now_signs);
    ck_assert_str_eq(now_signs, old);
    ck_assert_int_eq(issuer_keys_at(keys, 3)->active_from, NOW + 366 * DAY);
    at(NOW + 366 * DAY);
    active(JWS_ES256, now_signs);
    ck_assert_str_ne(now_signs, old);
}
END_TEST

/* ---- by hand ---- */

static int store_rotation(struct db *db, void *arg, struct err *err)
{
    return issuer_rotation_store(db, arg, err);
}

static void rotate(bool at_once)
{
    struct err err = ERR_INIT;
    struct issuer_rotation *r = issuer_keys_rotate(keys, at_once, &err);
    ck_assert_msg(r != NULL, "%s", err.text);
    ck_assert_int_eq(issuer_rotation_make(r, &err), 0);
    ck_assert_int_eq(store_write_now(fx.store, store_rotation, r, &err), STORE_DONE);
    issuer_rotation_end(&r, true);
    ck_assert_ptr_null(r);
}

static enum err_kind rotation_refused(bool at_once)
{
    struct err err = ERR_INIT;
    ck_assert_ptr_null(issuer_keys_rotate(keys, at_once, &err));
    return err.kind;
}

/* CS:oidcc-server-rotate-keys, OP-63: at once the new key signs; the old one stays for what it
 * signed, across two restarts. */
START_TEST(rotation_at_once)
{
    char old[17], now_signs[17], again[17];
    active(JWS_RS256, old);
    char *token = sign(JWS_RS256);
    at(NOW + 10);
    rotate(true);
    active(JWS_RS256, now_signs);
    ck_assert_str_ne(now_signs, old);
    for (int i = 0; i < 2; i++) {
        ck_assert_uint_eq(count(), 4);
        ck_assert(published(old) && published(now_signs));
        ck_assert_int_eq(verdict(token, JWS_RS256), 1);
        restart(JWS_ES256);
        active(JWS_RS256, again);
        ck_assert_str_eq(again, now_signs);
        tick();
    }
    at(NOW + 10 + ISSUER_KEYS_TOKEN_LIFE);
    tick();
    ck_assert(!published(old) && published(now_signs));
    ck_assert_int_eq(verdict(token, JWS_RS256), 1); /* as a hint */
    at(NOW + 10 + LIFETIME - DAY);                  /* the clock goes on from there */
    tick_until(4);
    free(token);
}
END_TEST

/* OP-63: published a day before it signs; asked for twice it is one. */
START_TEST(rotation_in_a_day)
{
    char old[17], now_signs[17];
    active(JWS_ES256, old);
    at(NOW + 10);
    rotate(false);
    ck_assert_uint_eq(count(), 4);
    ck_assert_int_eq(rotation_refused(false), ERR_CONFLICT);
    restart(JWS_ES256);
    ck_assert_int_eq(rotation_refused(false), ERR_CONFLICT);
    for (size_t i = 2; i < 4; i++) {
        ck_assert_int_eq(issuer_keys_at(keys, i)->active_from, NOW + 10 + DAY);
        ck_assert(published(issuer_keys_at(keys, i)->kid));
    }
    active(JWS_ES256, now_signs);
    ck_assert_str_eq(now_signs, old);
    at(NOW + 10 + DAY);
    active(JWS_ES256, now_signs);
    ck_assert_str_ne(now_signs, old);
    tick();
    ck_assert(published(old));
    ck_assert_int_eq(store_fixture_number(&fx, "SELECT count(*) FROM signing_key "
                                               "WHERE retired_at IS NOT NULL"),
                     2);
}
END_TEST

/* What is published and did not sign yet may have leaked with the rest. */
START_TEST(rotation_at_once_takes_the_next_one_along)
{
    char now_signs[17], next[17], later[17];
    rotate(false);
    strcpy(next, issuer_keys_at(keys, 3)->kid);
    const uint32_t alg = issuer_keys_at(keys, 3)->alg;
    at(NOW + 60);
    rotate(true);
    active(alg, now_signs);
    ck_assert(!published(next) && published(now_signs));
    restart(JWS_ES256);
    ck_assert(!published(next));
    at(NOW + 2 * DAY); /* when it would have begun */
    tick();
    active(alg, later);
    ck_assert_str_eq(later, now_signs);
}
END_TEST

/* Nothing of a rotation that was not stored counts, and the next one may begin. */
START_TEST(rotation_that_fails)
{
    struct err err = ERR_INIT;
    char old[17], now_signs[17];
    active(JWS_RS256, old);
    struct issuer_rotation *r = issuer_keys_rotate(keys, true, &err);
    ck_assert_ptr_nonnull(r);
    ck_assert_int_eq(rotation_refused(true), ERR_CONFLICT); /* one at a time */
    tick();                                                 /* nor by the clock */
    ck_assert_int_eq(issuer_rotation_make(r, &err), 0);
    store_fixture_sql(&fx, "ALTER TABLE signing_key RENAME TO elsewhere");
    ck_assert_int_eq(store_write_now(fx.store, store_rotation, r, &err), STORE_FAILED);
    store_fixture_sql(&fx, "ALTER TABLE elsewhere RENAME TO signing_key");
    issuer_rotation_end(&r, false);
    active(JWS_RS256, now_signs);
    ck_assert_str_eq(now_signs, old);
    ck_assert_uint_eq(count(), 2);
    rotate(true);
}
END_TEST

/* Where many came one after the other the oldest go early, but never what is still published; and
 * the next start takes as many as there can be. */
START_TEST(rotation_again_and_again)
{
    char first[17];
    active(JWS_ES256, first);
    for (int i = 0; i < 40; i++) {
        at(NOW + (i + 1) * (DAY + 1));
        rotate(true);
        ck_assert_uint_le(count(), JWKS_KEYS_MAX);
    }
    ck_assert_int_eq(store_fixture_number(&fx, "SELECT count(*) FROM signing_key"),
                     (int64_t)count());
    restart(JWS_ES256);
    size_t rounds = 0;
    while (count() + 2 <= JWKS_KEYS_MAX && rounds++ < 40)
        rotate(true); /* all in one second, and all still published */
    ck_assert_int_eq(rotation_refused(true), ERR_LIMITED);
    ck_assert_uint_gt(rounds, 3);
    const size_t full = count();
    restart(JWS_ES256);
    ck_assert_uint_eq(count(), full);
    ck_assert(!published(first));
}
END_TEST

START_TEST(an_algorithm_comes_and_goes)
{
    char ec[17];
    active(JWS_ES256, ec);
    restart(JWS_EDDSA);
    ck_assert_ptr_nonnull(issuer_keys_active(keys, JWS_EDDSA));
    ck_assert_uint_eq(issuer_keys_algs(keys), JWS_RS256 | JWS_EDDSA);
    tick();
    ck_assert_ptr_null(issuer_keys_active(keys, JWS_ES256));
    ck_assert(published(ec)); /* tokens it signed are still about */
    at(NOW + ISSUER_KEYS_TOKEN_LIFE);
    tick();
    ck_assert(!published(ec));
    restart(JWS_ES256 | JWS_EDDSA);
    char again[17];
    active(JWS_ES256, again);
    ck_assert_str_ne(again, ec);
}
END_TEST

/* A clock that leaps ahead for a moment neither retires what signs nor stops the rotation. */
START_TEST(a_clock_that_leaps)
{
    char old[17], now_signs[17];
    active(JWS_RS256, old);
    at(NOW + 1000 * DAY);
    tick_until(4);
    at(NOW + 60);
    tick();
    active(JWS_RS256, now_signs);
    ck_assert_str_eq(now_signs, old);
    at(NOW + LIFETIME - DAY);
    tick_until(6);
    at(NOW + LIFETIME);
    active(JWS_RS256, now_signs);
    ck_assert_str_ne(now_signs, old);
    at(NOW - 10 * DAY); /* set back before the first key: better that one than none */
    ck_assert_ptr_nonnull(issuer_keys_active(keys, JWS_RS256));
}
END_TEST

/* What the store would not take is not used; the next tick tries again. */
START_TEST(a_store_that_refuses)
{
    at(NOW + LIFETIME - DAY);
    store_fixture_sql(&fx, "ALTER TABLE signing_key RENAME TO elsewhere");
    tick();
    for (int i = 0; i < 300; i++)
        loop_once(loop, 5);
    ck_assert_uint_eq(count(), 2);
    store_fixture_sql(&fx, "ALTER TABLE elsewhere RENAME TO signing_key");
    tick_until(4);
}
END_TEST

START_TEST(a_lost_key_file)
{
    char rsa[17], again[17];
    active(JWS_RS256, rsa);
    issuer_keys_free(&keys);
    keyring_free(&ring);
    ring = keyring_fixed((const unsigned char *)"another-key-of-32-bytes-in-length");
    keys = opened(JWS_ES256);
    active(JWS_RS256, again);
    ck_assert_str_ne(again, rsa);
    ck_assert(!published(rsa));
    ck_assert_int_eq(store_fixture_number(&fx, "SELECT count(*) FROM signing_key"), 4);
}
END_TEST

static int swap(struct db *db, void *arg, struct err *err)
{
    (void)arg;
    return db_run(db_query(db, "UPDATE signing_key SET sealed = (SELECT sealed FROM signing_key "
                               "WHERE alg = 'ES256') WHERE alg = 'RS256'"),
                  err) < 0
               ? -1
               : 0;
}

/* A row that holds another's key does not open. */
START_TEST(swapped_rows)
{
    struct err err = ERR_INIT;
    char rsa[17], again[17];
    active(JWS_RS256, rsa);
    ck_assert_int_eq(store_write_now(fx.store, swap, NULL, &err), STORE_DONE);
    restart(JWS_ES256);
    active(JWS_RS256, again);
    ck_assert_str_ne(again, rsa);
}
END_TEST

Suite *suite_issuer_keys(void)
{
    Suite *s = suite_create("issuer_keys");
    TCase *t = tcase_create("all");
    tcase_set_timeout(t, 60);
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, made_at_the_first_start_and_there_at_the_next);
    tcase_add_test(t, nothing_private_leaves);
    tcase_add_test(t, rotation_by_the_clock);
    tcase_add_test(t, rotation_after_a_long_sleep);
    tcase_add_test(t, rotation_at_once);
    tcase_add_test(t, rotation_in_a_day);
    tcase_add_test(t, rotation_at_once_takes_the_next_one_along);
    tcase_add_test(t, rotation_that_fails);
    tcase_add_test(t, rotation_again_and_again);
    tcase_add_test(t, an_algorithm_comes_and_goes);
    tcase_add_test(t, a_clock_that_leaps);
    tcase_add_test(t, a_store_that_refuses);
    tcase_add_test(t, a_lost_key_file);
    tcase_add_test(t, swapped_rows);
    suite_add_tcase(s, t);
    return s;
}
