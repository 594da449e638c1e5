/* SPDX-License-Identifier: Apache-2.0 */
/* What tokens and grants are worth after something changed that daemon tests cannot time. */
#include "issuer/granting.h"
#include "issuer/key_parts.h"
#include "issuer/parts.h"
#include "issuer_fixture.h"
#include "store/consent.h"
#include "store/oauth_grant.h"

Suite *suite_standing(void);

#define API "https://api.example.test"

static struct issuer_fixture f;

static const struct issuer_fixture_app apps[] = {
    {"api", "{\"grants\":\"client_credentials\",\"scopes\":\"read\",\"resources\":\"" API "\"}"},
    {"third", "{\"redirect_uris\":\"https://rp.example.test/cb\",\"scopes\":\"openid email\","
              "\"consent\":\"yes\",\"require_pkce\":\"no\"}"},
};

static void setup(void)
{
    f.max_tokens = 1000;
    issuer_fixture_open(&f, apps, sizeof apps / sizeof *apps);
}

static void teardown(void)
{
    issuer_fixture_close(&f);
}

/* ---- keys --------------------------------------------------------------------------------------
 */

static struct {
    unsigned times;
    bool active;
} told;

static void on_told(void *arg, const struct issuer_answer *a)
{
    (void)arg;
    ck_assert_int_eq(a->status, 200);
    told.active = memmem(a->body.p, a->body.n, "\"active\":true", 13) != NULL;
    told.times++;
}

static bool is_told(void *arg)
{
    (void)arg;
    return told.times > 0;
}

static bool is_active(struct str token)
{
    struct err err = ERR_INIT;
    struct fields fields;
    const char *text =
        arena_printf(f.arena, "client_id=api&client_secret=api&token=%.*s", (int)token.n, token.p);
    ck_assert_int_eq(form_parse(f.arena, str_of(text), 20, &fields, &err), 0);
    const struct issuer_call c = {.arena = f.arena, .form = &fields, .ip = "192.0.2.1"};
    told.times = 0;
    issuer_introspect(f.issuer, &c, on_told, NULL);
    ck_assert(issuer_fixture_until(&f, is_told, NULL));
    return told.active;
}

/* What somebody who has the key could write. */
static struct str forged(const struct signing_key *key, int64_t expires)
{
    struct err err = ERR_INIT;
    struct buf out;
    const char *payload =
        arena_printf(f.arena,
                     "{\"iss\":\"" ISSUER_URL "\",\"sub\":\"api\",\"client_id\":\"api\","
                     "\"aud\":\"" API "\",\"iat\":%lld,\"exp\":%lld,\"jti\":\"j\","
                     "\"scope\":\"read\"}",
                     (long long)ISSUER_NOW, (long long)expires);
    buf_init(&out, JWS_TOKEN_MAX);
    ck_assert_int_eq(jws_signer_sign(key->signer[JWT_ACCESS], str_of(payload), &out, &err), 0);
    const struct str token = {arena_dupn(f.arena, out.p, out.n), out.n};
    buf_deinit(&out);
    return token;
}

/* A machine's JWT is good by its signature alone: so the key has to be one that may still sign. */
START_TEST(a_key_that_is_over_vouches_for_nothing)
{
    struct signing_key *key = issuer_keys_active(f.issuer->keys, JWS_ES256);
    const int64_t over = ISSUER_NOW + 60;
    const struct str token = forged(key, ISSUER_NOW + 3600);
    ck_assert(is_active(token));
    issuer_keys_mark_retired(f.issuer->keys, key->kid, over);
    issuer_keys_render(f.issuer->keys);
    ck_assert(is_active(token)); /* it is still published */
    issuer_fixture_at(&f, over);
    issuer_keys_render(f.issuer->keys);
    ck_assert(!is_active(token));
}
END_TEST

/* No access token of ours lasts longer than a day. */
START_TEST(a_token_that_lasts_too_long_is_not_ours)
{
    const struct signing_key *key = issuer_keys_active(f.issuer->keys, JWS_ES256);
    ck_assert(is_active(forged(key, ISSUER_NOW + ISSUER_KEYS_TOKEN_LIFE)));
    ck_assert(!is_active(forged(key, ISSUER_NOW + 2 * ISSUER_KEYS_TOKEN_LIFE)));
    ck_assert(!is_active(forged(key, INT64_MAX)));
}
END_TEST

/* ---- consent -----------------------------------------------------------------------------------
 */

enum meanwhile { NOTHING, TAKEN_BACK, NARROWED, SOMEBODY_ELSE, SIGNED_OUT };

static struct {
    unsigned looks, times;
    enum meanwhile meanwhile;
    struct issuer_step step;
} came;

static int change_consent(struct db *db, void *arg, struct err *err)
{
    const struct consent_row less = {.account = "acc",
                                     .app = "third",
                                     .scopes = "[\"email\"]",
                                     .created = ISSUER_NOW,
                                     .changed = ISSUER_NOW};
    (void)arg;
    return came.meanwhile == TAKEN_BACK ? consent_drop(db, "acc", "third", err) - 1
                                        : consent_put(db, &less, err);
}

/* It is asked for the last time right before the grant is written. */
static bool person(void *arg, struct issuer_person *out)
{
    struct err err = ERR_INIT;
    const bool last = ++came.looks == 2;
    const bool other = last && came.meanwhile == SOMEBODY_ELSE;
    const char *account = other ? "other" : "acc";
    (void)arg;
    *out = (struct issuer_person){.account = account,
                                  .session = other ? "s2" : "s1",
                                  .provider = "oidc",
                                  .created = ISSUER_NOW,
                                  .subject = {.signed_in = true, .account = account}};
    if (last && (came.meanwhile == TAKEN_BACK || came.meanwhile == NARROWED))
        ck_assert_int_eq(store_write_now(f.store.store, change_consent, NULL, &err), STORE_DONE);
    return !last || came.meanwhile != SIGNED_OUT;
}

static void on_step(void *arg, const struct issuer_step *s)
{
    (void)arg;
    came.step = *s;
    came.times++;
}

static bool has_come(void *arg)
{
    (void)arg;
    return came.times > 0;
}

static int put_consent(struct db *db, void *arg, struct err *err)
{
    return consent_put(db, arg, err);
}

/* Somebody who said yes before, and is signed in. */
static void agreed(const char *account, const char *session)
{
    struct err err = ERR_INIT;
    unsigned char terms[32];
    struct consent_row row = {.account = account,
                              .app = "third",
                              .scopes = "[\"openid\",\"email\"]",
                              .terms = terms,
                              .created = ISSUER_NOW,
                              .changed = ISSUER_NOW};
    store_fixture_sql(
        &f.store,
        arena_printf(f.arena, "INSERT INTO account (id, created) VALUES ('%s', 1)", account));
    store_fixture_sql(
        &f.store,
        arena_printf(f.arena,
                     "INSERT INTO session (hash, id, account, provider, subject, email_evidence, "
                     "created, seen, ends) VALUES (randomblob(32), '%s', '%s', 'oidc', '%s', 0, "
                     "1, 1, 1800009999)",
                     session, account, account));
    granting_terms(apps_find(f.apps, "third"), terms);
    ck_assert_int_eq(store_write_now(f.store.store, put_consent, &row, &err), STORE_DONE);
}

/* Signing in to the app again: a yes that is taken back while the code is on its way is no yes, and
 * nobody gets a code for what somebody else was judged by. */
START_TEST(what_changes_before_the_code)
{
    struct err err = ERR_INIT;
    struct fields fields;
    const struct issuer_visit v = {
        .arena = f.arena, .bind = STR("browser"), .ip = "192.0.2.1", .person = person};
    agreed("acc", "s1");
    agreed("other", "s2");
    ck_assert_int_eq(form_parse(f.arena,
                                STR("client_id=third&response_type=code&scope=openid%20email"), 20,
                                &fields, &err),
                     0);
    memset(&came, 0, sizeof came);
    came.meanwhile = (enum meanwhile)_i;
    issuer_authorize(f.issuer, &v, &fields, on_step, NULL);
    ck_assert(issuer_fixture_until(&f, has_come, NULL));
    ck_assert_uint_eq(came.looks, 2);
    ck_assert_int_eq(came.step.code != NULL, _i == NOTHING);
    ck_assert_int_eq(came.step.next, _i == NOTHING ? ISSUER_RESPOND : ISSUER_GONE);
    ck_assert_int_eq(store_fixture_number(&f.store, "SELECT count(*) FROM oauth_grant"),
                     _i == NOTHING);
}
END_TEST

/* ---- sessions ----------------------------------------------------------------------------------
 */

static bool has_ended(void *arg)
{
    (void)arg;
    return store_fixture_number(&f.store, "SELECT count(*) FROM oauth_grant WHERE ended IS NULL") ==
           0;
}

static bool is_tried(void *arg)
{
    (void)arg;
    return f.issuer->endings != NULL;
}

/* What a broken store did not write is written when it works again. */
START_TEST(an_end_that_a_broken_store_did_not_write)
{
    store_fixture_sql(&f.store, "INSERT INTO account (id, created) VALUES ('acc', 1)");
    store_fixture_sql(&f.store,
                      "INSERT INTO oauth_grant (id, app, account, session, scopes, created, ends) "
                      "VALUES ('g', 'third', 'acc', 's1', 'openid', 1, 1800009999)");
    issuer_fixture_stop(&f);
    issuer_fixture_start(&f); /* knows that there are grants */
    store_fixture_sql(&f.store, "ALTER TABLE oauth_grant RENAME TO elsewhere");
    issuer_session_over(f.issuer, "acc", "s1", NULL);
    ck_assert(issuer_fixture_until(&f, is_tried, NULL));
    store_fixture_sql(&f.store, "ALTER TABLE elsewhere RENAME TO oauth_grant");
    ck_assert(issuer_fixture_until(&f, has_ended, NULL));
}
END_TEST

Suite *suite_standing(void)
{
    Suite *s = suite_create("standing");
    TCase *tc = tcase_create("standing");
    tcase_set_timeout(tc, 60);
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, a_key_that_is_over_vouches_for_nothing);
    tcase_add_test(tc, a_token_that_lasts_too_long_is_not_ours);
    tcase_add_loop_test(tc, what_changes_before_the_code, NOTHING, SIGNED_OUT + 1);
    tcase_add_test(tc, an_end_that_a_broken_store_did_not_write);
    suite_add_tcase(s, tc);
    return s;
}
