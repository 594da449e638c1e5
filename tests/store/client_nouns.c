/* SPDX-License-Identifier: Apache-2.0 */
/* What apps authenticate with and hold, on every backend: secrets, assertions, access tokens; and
 * the keys usher signs them with. */
#include <string.h>

#include "kit.h"
#include "store/access_token.h"
#include "store/app_secret.h"
#include "store/client_assertion.h"
#include "store/oauth_grant.h"
#include "store/signing_key.h"

static struct arena *arena;
static struct kit_login login;

static void setup(void)
{
    kit_setup();
    arena = arena_new();
    kit_sql("DELETE FROM app_secret");
    kit_sql("DELETE FROM client_assertion");
    kit_sql("DELETE FROM access_token");
    kit_sql("DELETE FROM signing_key");
    kit_login_init(&login, 1);
    kit_write(kit_login_fn, &login);
}

static void teardown(void)
{
    arena_free(&arena);
    kit_teardown();
}

static const unsigned char *hash(int c)
{
    unsigned char *h = arena_alloc(arena, 32);
    memset(h, c, 32);
    return h;
}

#define IS(n, call)                                                                                \
    do {                                                                                           \
        struct err must_err = ERR_INIT;                                                            \
        ck_assert_msg((call) == (n), "%s: not %d: %s", #call, n, must_err.text);                   \
    } while (0)

/* ---- secrets ---- */

static struct app_secret_row secret_row(const char *id, int c)
{
    struct app_secret_row row = {.id = id, .app = "wiki", .created = NOW};
    memcpy(row.hash, hash(c), 32);
    return row;
}

static int list_secret(void *arg, const struct app_secret_row *row, struct err *err)
{
    (void)err;
    struct buf *out = arg;
    buf_printf(out, "%s %s %d %lld %lld;", row->id, row->app, row->hash[31],
               (long long)(row->expires ? row->expires - NOW : 0),
               (long long)(row->last_used ? row->last_used - NOW : 0));
    return 0;
}

static const char *secrets(struct db *db, const char *app)
{
    struct buf out;
    buf_init(&out, 1000);
    IS(0, app_secret_each(db, app, list_secret, &out, &must_err));
    const char *text = arena_str(arena, buf_view(&out));
    buf_deinit(&out);
    return text;
}

static int some_secrets(struct db *db, void *arg, struct err *err)
{
    (void)arg, (void)err;
    struct app_secret_row row = secret_row("a", 1);
    IS(1, app_secret_add(db, &row, &must_err));
    row = secret_row("b", 2);
    row.created++;
    row.expires = NOW + 100;
    IS(1, app_secret_add(db, &row, &must_err));
    row = secret_row("c", 3);
    IS(0, app_secret_add(db, &row, &must_err)); /* two are enough */
    row.app = "shop";
    IS(1, app_secret_add(db, &row, &must_err));
    ck_assert_str_eq(secrets(db, "wiki"), "a wiki 1 0 0;b wiki 2 100 0;");
    IS(0, app_secret_touch(db, "a", NOW + 9, &must_err));
    IS(0, app_secret_touch(db, "a", NOW + 5, &must_err)); /* never back */
    IS(1, app_secret_expire(db, "wiki", "b", NOW + 200, &must_err));
    IS(1, app_secret_expire(db, "wiki", "a", NOW + 50, &must_err));
    IS(0, app_secret_expire(db, "shop", "a", NOW + 1, &must_err));
    ck_assert_str_eq(secrets(db, "wiki"), "a wiki 1 50 9;b wiki 2 100 0;");
    row = secret_row("d", 4);
    row.created = NOW + 60; /* the first is over by then */
    IS(1, app_secret_add(db, &row, &must_err));
    IS(0, app_secret_drop(db, "shop", "a", &must_err));
    IS(1, app_secret_drop(db, "wiki", "a", &must_err));
    IS(0, app_secret_drop(db, "wiki", "a", &must_err));
    ck_assert_str_eq(secrets(db, NULL), "c shop 3 0 0;b wiki 2 100 0;d wiki 4 0 0;");
    IS(2, (int)app_secret_drop_of(db, "wiki", &must_err));
    ck_assert_str_eq(secrets(db, NULL), "c shop 3 0 0;");
    return 0;
}

START_TEST(an_app_has_two_secrets_at_most)
{
    kit_write(some_secrets, NULL);
}
END_TEST

static int same_hash_twice(struct db *db, void *arg, struct err *err)
{
    (void)arg;
    struct app_secret_row a = secret_row("a", 1), b = secret_row("b", 1);
    b.app = "shop";
    return app_secret_add(db, &a, err) == 1 && app_secret_add(db, &b, err) == 1 ? 0 : -1;
}

START_TEST(a_secret_is_one_apps)
{
    kit_write_fails(same_hash_twice, NULL);
}
END_TEST

/* ---- assertions ---- */

static int assertions(struct db *db, void *arg, struct err *err)
{
    (void)arg, (void)err;
    IS(1, client_assertion_add(db, hash(1), NOW + 60, &must_err));
    IS(0, client_assertion_add(db, hash(1), NOW + 60, &must_err)); /* OP-29 */
    IS(1, client_assertion_add(db, hash(2), NOW + 60, &must_err));
    IS(1, client_assertion_add(db, hash(3), NOW + 90, &must_err));
    IS(1, (int)client_assertion_sweep(db, NOW + 60, 1, &must_err));
    IS(1, (int)client_assertion_sweep(db, NOW + 60, 10, &must_err));
    IS(0, client_assertion_add(db, hash(3), NOW + 90, &must_err));
    return 0;
}

START_TEST(an_assertion_counts_once)
{
    kit_write(assertions, NULL);
}
END_TEST

/* ---- access tokens ---- */

static struct access_token_row token_row(int c, const char *grant)
{
    struct access_token_row row = {.grant = grant,
                                   .app = "wiki",
                                   .account = grant ? login.account.id : NULL,
                                   .scopes = "openid email",
                                   .resource = "[\"https://api.example\"]",
                                   .created = NOW,
                                   .expires = NOW + 100};
    memcpy(row.hash, hash(c), 32);
    return row;
}

static int list_token(void *arg, const struct access_token_row *row, struct err *err)
{
    (void)err;
    buf_printf(arg, "%d%s;", row->hash[31], row->ended ? " ended" : "");
    if (row->grant)
        ck_assert_str_eq(row->first, "wiki");
    else
        ck_assert_ptr_null(row->first);
    return 0;
}

static const char *tokens(struct db *db, int64_t now)
{
    struct buf out;
    buf_init(&out, 1000);
    IS(0, access_token_each(db, now, list_token, &out, &must_err));
    const char *text = arena_str(arena, buf_view(&out));
    buf_deinit(&out);
    return text;
}

static int some_tokens(struct db *db, void *arg, struct err *err)
{
    (void)arg, (void)err;
    struct oauth_grant_row grant = {.id = "g1",
                                    .app = "wiki",
                                    .account = login.account.id,
                                    .scopes = "openid email",
                                    .created = NOW,
                                    .ends = NOW + 1000};
    struct access_token_row row = token_row(1, "g1"), got;
    IS(0, oauth_grant_add(db, &grant, &must_err));
    row.app = "api"; /* by exchange: the grant is another app's */
    row.more = "{\"auth_time\":1}";
    IS(0, access_token_add(db, &row, &must_err));
    row = token_row(2, NULL);
    IS(0, access_token_add(db, &row, &must_err));
    IS(1, access_token_get(db, hash(1), arena, &got, &must_err));
    ck_assert_mem_eq(got.hash, hash(1), 32);
    ck_assert_str_eq(got.grant, "g1");
    ck_assert_str_eq(got.app, "api");
    ck_assert_str_eq(got.first, "wiki");
    ck_assert_str_eq(got.account, login.account.id);
    ck_assert_str_eq(got.scopes, "openid email");
    ck_assert_str_eq(got.resource, "[\"https://api.example\"]");
    ck_assert_str_eq(got.more, "{\"auth_time\":1}");
    ck_assert_int_eq(got.created, NOW);
    ck_assert_int_eq(got.expires, NOW + 100);
    ck_assert_int_eq(got.ended, 0);
    IS(0, access_token_get(db, hash(9), arena, &got, &must_err));

    /* One that has a row, and a machine's JWT that had none. */
    row.ended = NOW + 1;
    IS(0, access_token_end(db, &row, &must_err));
    row.ended = NOW + 2;
    IS(0, access_token_end(db, &row, &must_err)); /* it keeps the time of its end */
    IS(1, access_token_get(db, hash(2), arena, &got, &must_err));
    ck_assert_int_eq(got.ended, NOW + 1);
    row = token_row(3, NULL);
    row.ended = NOW + 3;
    IS(0, access_token_end(db, &row, &must_err));
    ck_assert_str_eq(tokens(db, NOW), "1;2 ended;3 ended;");
    ck_assert_str_eq(tokens(db, NOW + 100), "");

    IS(1, oauth_grant_end(db, "g1", NOW + 5, &must_err));
    IS(0, access_token_get(db, hash(1), arena, &got, &must_err));
    ck_assert_str_eq(tokens(db, NOW), "2 ended;3 ended;");
    IS(1, (int)access_token_drop_of(db, "g1", &must_err));
    IS(0, (int)access_token_sweep(db, NOW + 99, 10, &must_err));
    IS(1, (int)access_token_sweep(db, NOW + 100, 1, &must_err));
    IS(1, (int)access_token_sweep(db, NOW + 100, 10, &must_err));
    return 0;
}

START_TEST(access_tokens_end_alone_or_with_their_grant)
{
    kit_write(some_tokens, NULL);
}
END_TEST

static int many_tokens(struct db *db, void *arg, struct err *err)
{
    (void)arg;
    struct access_token_row row = token_row(0, NULL);
    for (int i = 0; i < 1234; i++) {
        memcpy(row.hash, &i, sizeof i);
        if (access_token_add(db, &row, err) < 0)
            return -1;
    }
    return 0;
}

static int count_token(void *arg, const struct access_token_row *row, struct err *err)
{
    (void)row, (void)err;
    ++*(int *)arg;
    return 0;
}

static int read_many(struct db *db, void *arg, struct err *err)
{
    return access_token_each(db, NOW, count_token, arg, err);
}

START_TEST(access_tokens_are_read_page_by_page)
{
    int n = 0;
    kit_write(many_tokens, NULL);
    kit_read(read_many, &n);
    ck_assert_int_eq(n, 1234);
}
END_TEST

/* ---- signing keys ---- */

static int list_key(void *arg, const struct signing_key_row *row, struct err *err)
{
    (void)err;
    buf_printf(arg, "%s %s %lld;", row->kid, row->alg,
               (long long)(row->retired_at ? row->retired_at - NOW : 0));
    return 0;
}

static int some_keys(struct db *db, void *arg, struct err *err)
{
    struct keyring *ring = arg;
    struct buf sealed, out;
    (void)err;
    buf_init(&out, 1000);
    buf_init(&sealed, 1000);
    signing_key_seal(ring, "k1", "ES256", STR("a key"), &sealed);
    struct signing_key_row row = {.kid = "k1",
                                  .alg = "ES256",
                                  .sealed = buf_view(&sealed),
                                  .created = NOW,
                                  .active_from = NOW + 1};
    IS(0, signing_key_add(db, &row, &must_err));
    row.kid = "k2";
    row.created++;
    IS(0, signing_key_add(db, &row, &must_err));
    IS(1, signing_key_retire(db, "k1", NOW + 7, &must_err));
    IS(0, signing_key_retire(db, "k1", NOW + 8, &must_err));
    IS(0, signing_key_retire(db, "k3", NOW + 8, &must_err));
    IS(0, signing_key_each(db, list_key, &out, &must_err));
    ck_assert_str_eq(out.p, "k1 ES256 7;k2 ES256 0;");
    unsigned char id[4];
    keyring_current(ring, id);
    IS(2, (int)signing_key_count(db, id, &must_err));
    id[0] ^= 1;
    IS(0, (int)signing_key_count(db, id, &must_err));
    IS(0, (int)signing_key_drop(db, NOW + 7, &must_err));
    IS(1, (int)signing_key_drop(db, NOW + 8, &must_err));
    buf_deinit(&out);
    buf_deinit(&sealed);
    return 0;
}

START_TEST(signing_keys_come_and_go)
{
    struct keyring *ring = keyring_fixed(hash(7));
    kit_write(some_keys, ring);
    keyring_free(&ring);
}
END_TEST

Suite *suite_client_nouns(const char *name)
{
    Suite *s = suite_create(name);
    TCase *tc = tcase_create("client nouns");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, an_app_has_two_secrets_at_most);
    tcase_add_test(tc, a_secret_is_one_apps);
    tcase_add_test(tc, an_assertion_counts_once);
    tcase_add_test(tc, access_tokens_end_alone_or_with_their_grant);
    tcase_add_test(tc, access_tokens_are_read_page_by_page);
    tcase_add_test(tc, signing_keys_come_and_go);
    suite_add_tcase(s, tc);
    return s;
}
