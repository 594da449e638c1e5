/* SPDX-License-Identifier: Apache-2.0 */
/* A new key: everything is sealed again with it, old ones go, and a kill on the way loses nothing.
 */
#include <stdio.h>

#include "admin_fixture.h"
#include "store/account.h"
#include "store/provider_secret.h"
#include "store/settings_row.h"
#include "store/signing_key.h"
#include "store/upstream_token.h"
#include "sys/clock.h"

Suite *suite_admin_key(void);

#define SECRETS 250
#define NOW INT64_C(1800000000)

static struct admin_fixture f;
static struct clock_fake clock_now = {.wall = {NOW * 1000000}};

static int put_secrets(struct db *db, void *arg, struct err *err)
{
    (void)arg;
    for (int i = 0; i < SECRETS; i++) {
        char id[16];
        struct buf sealed;
        snprintf(id, sizeof id, "p%d", i);
        const struct settings_row row = {id, "{}", i + 1, NOW, NOW, 0};
        struct provider_secret_row s = {.provider = id, .key = "client_secret", .created = NOW};
        struct secret *secret = secret_new(id, strlen(id));
        buf_init(&sealed, 1000);
        provider_secret_seal(f.keys, &s, secret, &sealed);
        s.sealed = buf_view(&sealed);
        int rc = settings_row_add(db, SETTINGS_PROVIDER, &row, err) == 1
                     ? provider_secret_put(db, &s, err)
                     : -1;
        buf_deinit(&sealed);
        secret_free(&secret);
        if (rc < 0)
            return -1;
    }
    return 0;
}

static void setup(void)
{
    struct err err = ERR_INIT;
    clock_set_fake(&clock_now);
    admin_fixture_open(&f);
    ck_assert_msg(store_write_now(f.store.store, put_secrets, NULL, &err) == STORE_DONE, "%s",
                  err.text);
}

static void teardown(void)
{
    admin_fixture_close(&f);
    clock_set_fake(NULL);
}

static bool in_state(struct admin_fixture *fx, const char *state)
{
    admin_do(fx, admin_key_list, NULL, NULL);
    return strcmp(admin_said(fx, "/rotation/state"), state) == 0;
}

static bool waiting(struct admin_fixture *fx)
{
    return in_state(fx, "waiting");
}

static bool idle(struct admin_fixture *fx)
{
    return in_state(fx, "idle");
}

static int open_one(void *arg, const struct provider_secret_row *row, struct err *err)
{
    int *n = arg;
    struct secret *s = provider_secret_open(f.keys, row, err);
    if (!s)
        return -1;
    *n += secret_eq(s, str_of(row->provider));
    secret_free(&s);
    return 0;
}

static int open_each(struct db *db, void *arg, struct err *err)
{
    *(int *)arg = 0;
    return provider_secret_each(db, NULL, open_one, arg, err);
}

static void all_open(void)
{
    struct err err = ERR_INIT;
    int n = 0;
    ck_assert_msg(store_read_now(f.store.store, open_each, &n, &err) == STORE_DONE, "%s", err.text);
    ck_assert_int_eq(n, SECRETS);
}

START_TEST(a_ring_of_one_key_has_nothing_to_do)
{
    ck_assert(idle(&f));
    ck_assert_uint_eq(jval_count(jval_at(f.body, "/keys")), 1);
    ck_assert_int_eq(admin_number(&f, "/keys/0/sealed"), SECRETS);
    ck_assert_int_eq(admin_number(&f, "/keys/0/since"), NOW);
}
END_TEST

START_TEST(everything_is_sealed_again)
{
    char old[16];
    ck_assert(idle(&f));
    snprintf(old, sizeof old, "%s", admin_said(&f, "/keys/0/id"));
    admin_do(&f, admin_key_rotate, NULL, NULL);
    ck_assert_uint_eq(jval_count(jval_at(f.body, "/keys")), 2);
    ck_assert_str_eq(admin_said(&f, "/rotation/state"), "sealing");
    ck_assert_str_ne(admin_said(&f, "/keys/1/id"), old);
    admin_until(&f, waiting);
    ck_assert_int_eq(admin_number(&f, "/rotation/done"), SECRETS);
    ck_assert_int_eq(admin_number(&f, "/rotation/stuck"), 0);
    ck_assert_int_eq(admin_number(&f, "/rotation/until"), NOW + 660);
    ck_assert_int_eq(admin_number(&f, "/keys/0/sealed"), 0);
    ck_assert_int_eq(admin_number(&f, "/keys/1/sealed"), SECRETS);
    all_open();
    admin_do(&f, admin_audit_list, NULL, NULL);
    ck_assert_str_eq(admin_said(&f, "/audit/0/action"), "key.rotate");
    ck_assert_str_eq(admin_said(&f, "/audit/0/before/current"), old);

    /* After the last state that the old key sealed it goes, also when a start lies between. */
    clock_now.wall.us += 661 * INT64_C(1000000);
    clock_set_fake(&clock_now);
    admin_fixture_stop(&f);
    admin_fixture_start(&f);
    admin_until(&f, idle);
    ck_assert_uint_eq(jval_count(jval_at(f.body, "/keys")), 1);
    ck_assert_str_ne(admin_said(&f, "/keys/0/id"), old);
    all_open();
    admin_fixture_stop(&f);
    admin_fixture_start(&f);
    all_open();
}
END_TEST

#define TOKENS 150

static void token_of(struct upstream_token *t, int i, char subject[16])
{
    snprintf(subject, 16, "s%d", i);
    *t = (struct upstream_token){
        .provider = "discord", .subject = subject, .obtained = NOW, .version = i + 1};
}

static int put_tokens(struct db *db, void *arg, struct err *err)
{
    (void)arg;
    for (int i = 0; i < TOKENS; i++) {
        char subject[16];
        struct account account;
        struct upstream_token t;
        token_of(&t, i, subject);
        const struct account_profile p = {.provider = t.provider, .subject = subject};
        t.access = secret_new(subject, strlen(subject));
        t.refresh = i % 2 ? secret_dup(t.access) : NULL;
        int rc = account_sign_in(db, &p, NOW, &account, err) == 0
                     ? upstream_token_put(db, f.keys, &t, err)
                     : -1;
        upstream_token_deinit(&t);
        if (rc < 0)
            return -1;
    }
    return 0;
}

static int open_tokens(struct db *db, void *arg, struct err *err)
{
    struct arena *a = arena_new();
    int *n = arg;
    *n = 0;
    for (int i = 0; i < TOKENS; i++) {
        char subject[16];
        struct upstream_token t;
        token_of(&t, i, subject);
        if (upstream_token_get(db, f.keys, a, &t, err) != 1)
            break;
        *n += secret_eq(t.access, str_of(subject)) && (t.refresh != NULL) == (i % 2);
        upstream_token_deinit(&t);
    }
    arena_free(&a);
    return 0;
}

START_TEST(tokens_of_people_are_sealed_again)
{
    struct err err = ERR_INIT;
    int n = 0;
    ck_assert_int_eq(store_write_now(f.store.store, put_tokens, NULL, &err), STORE_DONE);
    ck_assert(idle(&f));
    ck_assert_int_eq(admin_number(&f, "/keys/0/sealed"), SECRETS + TOKENS);
    admin_do(&f, admin_key_rotate, NULL, NULL);
    admin_until(&f, waiting);
    ck_assert_int_eq(admin_number(&f, "/rotation/done"), SECRETS + TOKENS);
    ck_assert_int_eq(admin_number(&f, "/keys/0/sealed"), 0);
    clock_now.wall.us += 661 * INT64_C(1000000);
    clock_set_fake(&clock_now);
    admin_fixture_stop(&f);
    admin_fixture_start(&f);
    admin_until(&f, idle);
    ck_assert_uint_eq(jval_count(jval_at(f.body, "/keys")), 1);
    ck_assert_int_eq(store_read_now(f.store.store, open_tokens, &n, &err), STORE_DONE);
    ck_assert_int_eq(n, TOKENS);
}
END_TEST

/* Killed after the key was made and before any row was touched, then after the first batch. */
START_TEST(a_kill_on_the_way_loses_nothing)
{
    struct err err = ERR_INIT;
    admin_fixture_stop(&f);
    f.keys = keyring_open(f.key_path, false, &err);
    ck_assert_ptr_nonnull(f.keys);
    ck_assert_int_eq(keyring_rotate(f.keys, NOW, &err), 0);
    keyring_free(&f.keys);
    store_fixture_reopen(&f.store);
    admin_fixture_start(&f);
    admin_fixture_stop(&f); /* at most one batch was done */
    int64_t new = store_fixture_number(
        &f.store, "SELECT count(DISTINCT substr(sealed, 1, 4)) FROM provider_secret");
    ck_assert_int_eq(new, 2);
    store_fixture_reopen(&f.store);
    admin_fixture_start(&f);
    all_open();
    admin_until(&f, waiting);
    all_open();
    ck_assert_int_eq(
        store_fixture_number(&f.store,
                             "SELECT count(DISTINCT substr(sealed, 1, 4)) FROM provider_secret"),
        1);
}
END_TEST

START_TEST(a_second_rotation_begins_anew)
{
    admin_do(&f, admin_key_rotate, NULL, NULL);
    admin_do(&f, admin_key_rotate, NULL, NULL);
    ck_assert_uint_eq(jval_count(jval_at(f.body, "/keys")), 3);
    admin_until(&f, waiting);
    ck_assert_int_eq(admin_number(&f, "/keys/2/sealed"), SECRETS);
    all_open();
}
END_TEST

/* What does not open keeps its key: somebody may still mend it. */
START_TEST(a_needed_key_stays)
{
    store_fixture_sql(&f.store, "UPDATE provider_secret SET key = 'moved' WHERE provider = 'p7'");
    admin_do(&f, admin_key_rotate, NULL, NULL);
    admin_until(&f, waiting);
    ck_assert_int_eq(admin_number(&f, "/rotation/stuck"), 1);
    clock_now.wall.us += 661 * INT64_C(1000000);
    clock_set_fake(&clock_now);
    admin_fixture_stop(&f);
    admin_fixture_start(&f);
    admin_until(&f, idle);
    ck_assert_uint_eq(jval_count(jval_at(f.body, "/keys")), 2);
    ck_assert_int_eq(admin_number(&f, "/keys/0/sealed"), 1);
}
END_TEST

#define PEM "what would be a private key"

static int put_signing_key(struct db *db, void *arg, struct err *err)
{
    struct signing_key_row row = {.kid = arg, .alg = "ES256", .created = NOW, .active_from = NOW};
    struct buf sealed;
    buf_init(&sealed, SIGNING_KEY_SEALED_MAX);
    signing_key_seal(f.keys, strcmp(arg, "stuck") == 0 ? "other" : arg, "ES256", STR(PEM), &sealed);
    row.sealed = buf_view(&sealed);
    const int rc = signing_key_add(db, &row, err);
    buf_deinit(&sealed);
    return rc;
}

static int open_signing_key(void *arg, const struct signing_key_row *row, struct err *err)
{
    struct buf pem;
    buf_init(&pem, SIGNING_KEY_SEALED_MAX);
    struct err why = ERR_INIT;
    (void)err;
    if (signing_key_open(f.keys, row, &pem, &why) == 0)
        *(int *)arg += str_is(buf_view(&pem), PEM);
    buf_wipe(&pem);
    return 0;
}

static int open_signing_keys(struct db *db, void *arg, struct err *err)
{
    *(int *)arg = 0;
    return signing_key_each(db, open_signing_key, arg, err);
}

/* What we sign with is sealed again, too; what of it does not open keeps its key. */
START_TEST(signing_keys_go_along)
{
    struct err err = ERR_INIT;
    char kid[8];
    int n = 0;
    for (int i = 0; i < 3; i++) {
        snprintf(kid, sizeof kid, "k%d", i);
        ck_assert_int_eq(store_write_now(f.store.store, put_signing_key, kid, &err), STORE_DONE);
    }
    admin_do(&f, admin_key_list, NULL, NULL);
    ck_assert_int_eq(admin_number(&f, "/keys/0/sealed"), SECRETS + 3);
    admin_do(&f, admin_key_rotate, NULL, NULL);
    admin_until(&f, waiting);
    ck_assert_int_eq(admin_number(&f, "/keys/0/sealed"), 0);
    ck_assert_int_eq(admin_number(&f, "/keys/1/sealed"), SECRETS + 3);
    ck_assert_int_eq(store_read_now(f.store.store, open_signing_keys, &n, &err), STORE_DONE);
    ck_assert_int_eq(n, 3);

    ck_assert_int_eq(store_write_now(f.store.store, put_signing_key, "stuck", &err), STORE_DONE);
    admin_do(&f, admin_key_rotate, NULL, NULL);
    admin_until(&f, waiting);
    clock_now.wall.us += 661 * INT64_C(1000000);
    clock_set_fake(&clock_now);
    admin_fixture_stop(&f);
    admin_fixture_start(&f);
    admin_until(&f, idle);
    ck_assert_uint_eq(jval_count(jval_at(f.body, "/keys")), 2);
    ck_assert_int_eq(admin_number(&f, "/keys/0/sealed"), 1);
    ck_assert_int_eq(store_read_now(f.store.store, open_signing_keys, &n, &err), STORE_DONE);
    ck_assert_int_eq(n, 3);
}
END_TEST

START_TEST(a_key_file_that_cannot_change_says_so)
{
    char before[16];
    ck_assert(idle(&f));
    snprintf(before, sizeof before, "%s", admin_said(&f, "/keys/0/id"));
    ck_assert_int_eq(remove(f.key_path), 0);
    ck_assert_int_eq(admin_call(&f, admin_key_rotate, NULL, NULL), ERR_MISCONFIGURED);
    ck_assert_int_eq(admin_call(&f, admin_key_rotate, NULL, "{\"now\":true}"), ERR_INVALID);
    ck_assert(idle(&f));
    ck_assert_str_eq(admin_said(&f, "/keys/0/id"), before);
    all_open();
}
END_TEST

Suite *suite_admin_key(void)
{
    Suite *s = suite_create("admin_key");
    TCase *tc = tcase_create("rotation");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, a_ring_of_one_key_has_nothing_to_do);
    tcase_add_test(tc, everything_is_sealed_again);
    tcase_add_test(tc, tokens_of_people_are_sealed_again);
    tcase_add_test(tc, a_kill_on_the_way_loses_nothing);
    tcase_add_test(tc, a_second_rotation_begins_anew);
    tcase_add_test(tc, a_needed_key_stays);
    tcase_add_test(tc, signing_keys_go_along);
    tcase_add_test(tc, a_key_file_that_cannot_change_says_so);
    suite_add_tcase(s, tc);
    return s;
}
