/* SPDX-License-Identifier: Apache-2.0 */
/* What lets apps register themselves, and what they hold afterwards, on every backend. */
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "kit.h"
#include "store/app_secret.h"
#include "store/consent.h"
#include "store/initial_token.h"
#include "store/registration.h"
#include "store/settings_row.h"

static struct arena *arena;
static struct kit_login login;

static void setup(void)
{
    kit_setup();
    arena = arena_new();
    kit_sql("DELETE FROM app");
    kit_sql("DELETE FROM app_secret");
    kit_sql("DELETE FROM initial_token");
    kit_login_init(&login, 1);
    kit_write(kit_login_fn, &login);
}

static void teardown(void)
{
    kit_sql("DELETE FROM app");
    arena_free(&arena);
    kit_teardown();
}

#define IS(n, call)                                                                                \
    do {                                                                                           \
        struct err must_err = ERR_INIT;                                                            \
        ck_assert_msg((call) == (n), "%s: not %d: %s", #call, n, must_err.text);                   \
    } while (0)

/* ---- initial tokens ---- */

static int list_token(void *arg, const struct initial_token_row *row, struct err *err)
{
    (void)err;
    buf_printf(arg, "%s %s %s %d %lld %lld;", row->id, row->name, row->owner ? row->owner : "-",
               row->hash[31], (long long)(row->expires - NOW),
               (long long)(row->used ? row->used - NOW : 0));
    return 0;
}

static const char *tokens(struct db *db)
{
    struct buf out;
    buf_init(&out, 1000);
    IS(0, initial_token_each(db, list_token, &out, &must_err));
    const char *text = arena_str(arena, buf_view(&out));
    buf_deinit(&out);
    return text;
}

static struct initial_token_row token_row(const char *id, int c)
{
    struct initial_token_row row = {
        .id = id, .name = "for a wiki", .created = NOW, .expires = NOW + 100};
    memset(row.hash, c, sizeof row.hash);
    return row;
}

static int some_tokens(struct db *db, void *arg, struct err *err)
{
    (void)arg, (void)err;
    struct initial_token_row row = token_row("a", 1);
    IS(0, initial_token_add(db, &row, &must_err));
    row = token_row("b", 2);
    row.owner = "ada";
    row.expires = NOW + 200;
    IS(0, initial_token_add(db, &row, &must_err));
    ck_assert_str_eq(tokens(db), "a for a wiki - 1 100 0;b for a wiki ada 2 200 0;");
    IS(0, initial_token_use(db, "c", NOW, &must_err));
    IS(0, initial_token_use(db, "a", NOW + 100, &must_err)); /* over */
    IS(1, initial_token_use(db, "a", NOW + 99, &must_err));
    IS(0, initial_token_use(db, "a", NOW + 99, &must_err)); /* once */
    ck_assert_str_eq(tokens(db), "a for a wiki - 1 100 99;b for a wiki ada 2 200 0;");
    IS(1, (int)initial_token_sweep(db, NOW + 100, &must_err));
    ck_assert_str_eq(tokens(db), "b for a wiki ada 2 200 0;");
    IS(1, initial_token_drop(db, "b", &must_err));
    IS(0, initial_token_drop(db, "b", &must_err));
    ck_assert_str_eq(tokens(db), "");
    return 0;
}

START_TEST(a_token_lets_one_app_in)
{
    kit_write(some_tokens, NULL);
}
END_TEST

static int same_token_twice(struct db *db, void *arg, struct err *err)
{
    (void)arg;
    const struct initial_token_row a = token_row("a", 1), b = token_row("b", 1);
    return initial_token_add(db, &a, err) < 0 || initial_token_add(db, &b, err) < 0 ? -1 : 0;
}

START_TEST(a_token_is_one_of_a_kind)
{
    struct err err = ERR_INIT;
    ck_assert_int_eq(store_write_now(kit_store, same_token_twice, NULL, &err), STORE_FAILED);
    ck_assert_int_eq(kit_number("SELECT count(*) FROM initial_token"), 0);
}
END_TEST

/* ---- apps that registered ---- */

static void app(struct db *db, const char *id, int c, int64_t created)
{
    const struct settings_row row = {
        .id = id, .settings = "{}", .version = c, .created = created, .changed = created};
    struct registration_row own = {.app = id, .created = created};
    memset(own.hash, c, sizeof own.hash);
    IS(1, settings_row_add(db, SETTINGS_APP, &row, &must_err));
    if (c > 0)
        IS(0, registration_add(db, &own, &must_err));
}

static int list_app(void *arg, const struct registration_row *row, struct err *err)
{
    (void)err;
    buf_printf(arg, "%s %d %lld;", row->app, row->hash[31], (long long)(row->created - NOW));
    return 0;
}

static const char *apps(struct db *db, int64_t unused_before)
{
    struct buf out;
    buf_init(&out, 1000);
    if (unused_before)
        IS(0, registration_unused(db, unused_before, list_app, &out, &must_err));
    else
        IS(0, registration_each(db, list_app, &out, &must_err));
    const char *text = arena_str(arena, buf_view(&out));
    buf_deinit(&out);
    return text;
}

static int64_t registered(struct db *db, const char *id)
{
    struct settings_row row;
    IS(1, settings_row_get(db, SETTINGS_APP, id, arena, &row, &must_err));
    return row.registered;
}

static int some_apps(struct db *db, void *arg, struct err *err)
{
    (void)arg, (void)err;
    app(db, "wiki", 0, NOW);
    app(db, "own", 1, NOW);
    app(db, "other", 2, NOW + 5);
    ck_assert_str_eq(apps(db, 0), "other 2 5;own 1 0;");
    IS(2, (int)registration_count(db, &must_err));
    IS(1, registration_has(db, "own", &must_err));
    IS(0, registration_has(db, "wiki", &must_err));
    ck_assert_int_eq(registered(db, "wiki"), 0);
    ck_assert_int_eq(registered(db, "own"), NOW);
    IS(1, settings_row_drop(db, SETTINGS_APP, "own", 1, &must_err)); /* its row goes along */
    ck_assert_str_eq(apps(db, 0), "other 2 5;");
    IS(0, registration_has(db, "own", &must_err));
    return 0;
}

START_TEST(a_registration_goes_with_its_app)
{
    kit_write(some_apps, NULL);
}
END_TEST

static int used_apps(struct db *db, void *arg, struct err *err)
{
    (void)arg, (void)err;
    struct app_secret_row secret = {.id = "s", .app = "c", .created = NOW};
    const struct consent_row yes = {.account = login.account.id,
                                    .app = "b",
                                    .scopes = "[\"openid\"]",
                                    .created = NOW,
                                    .changed = NOW};
    app(db, "a", 1, NOW);
    app(db, "b", 2, NOW);
    app(db, "c", 3, NOW);
    app(db, "d", 4, NOW + 10);
    IS(1, app_secret_add(db, &secret, &must_err));
    ck_assert_str_eq(apps(db, NOW + 10), "a 1 0;b 2 0;c 3 0;");
    IS(0, app_secret_touch(db, "s", NOW + 1, &must_err));
    IS(0, consent_put(db, &yes, &must_err));
    ck_assert_str_eq(apps(db, NOW + 10), "a 1 0;");
    return 0;
}

START_TEST(what_nobody_used_is_known)
{
    kit_write(used_apps, NULL);
}
END_TEST

Suite *suite_registration_nouns(const char *name)
{
    Suite *s = suite_create(name);
    TCase *tc = tcase_create("registration nouns");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, a_token_lets_one_app_in);
    tcase_add_test(tc, a_token_is_one_of_a_kind);
    tcase_add_test(tc, a_registration_goes_with_its_app);
    tcase_add_test(tc, what_nobody_used_is_known);
    suite_add_tcase(s, tc);
    return s;
}
