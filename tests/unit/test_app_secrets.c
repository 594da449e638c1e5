/* SPDX-License-Identifier: Apache-2.0 */
#include "app/secrets.h"

#include <stdio.h>

#include "store_fixture.h"

Suite *suite_app_secrets(void);

#define NOW INT64_C(1800000000)

static struct store_fixture fx;
static struct app_secrets *secrets;

static void setup(void)
{
    struct err err = ERR_INIT;
    store_fixture_open(&fx);
    secrets = app_secrets_new(fx.store, &err);
    ck_assert_msg(secrets != NULL, "%s", err.text);
}

static void teardown(void)
{
    app_secrets_free(&secrets);
    store_fixture_close(&fx);
}

static struct app_secret_row row_of(const char *id, const char *app, char *secret)
{
    struct app_secret_row row = {.id = id, .app = app, .created = NOW};
    app_secret_make(secret, row.hash);
    return row;
}

static bool good(const char *app, const char *secret, int64_t now)
{
    return app_secrets_check(secrets, app, str_of(secret), now);
}

/* OP-27 */
START_TEST(what_is_good)
{
    char a[APP_SECRET_LEN + 1], b[APP_SECRET_LEN + 1], c[APP_SECRET_LEN + 1];
    struct app_secret_row ra = row_of("a", "wiki", a), rb = row_of("b", "wiki", b),
                          rc = row_of("c", "shop", c);
    rb.expires = NOW + 10;
    ck_assert_uint_eq(strlen(a), APP_SECRET_LEN);
    ck_assert(!good("wiki", a, NOW));
    app_secrets_put(secrets, &ra);
    app_secrets_put(secrets, &rb);
    app_secrets_put(secrets, &rc);
    ck_assert(good("wiki", a, NOW) && good("wiki", b, NOW + 9) && good("shop", c, NOW));
    ck_assert(!good("shop", a, NOW));      /* another app's */
    ck_assert(!good("wiki", b, NOW + 10)); /* over */
    ck_assert(!good("wiki", "", NOW));
    ck_assert(!good("wiki", "uas_", NOW));
    a[APP_SECRET_LEN - 1] = a[APP_SECRET_LEN - 1] == 'A' ? 'B' : 'A';
    ck_assert(!good("wiki", a, NOW));
    app_secrets_drop(secrets, "a");
    ck_assert(app_secrets_has(secrets, "wiki", NOW));
    ck_assert(!app_secrets_has(secrets, "wiki", NOW + 10));
    rb.expires = NOW + 20; /* changed */
    app_secrets_put(secrets, &rb);
    ck_assert(good("wiki", b, NOW + 19));
    app_secrets_drop_of(secrets, "wiki");
    ck_assert(!good("wiki", b, NOW));
    ck_assert(good("shop", c, NOW));
}
END_TEST

static int add_row(struct db *db, void *arg, struct err *err)
{
    return app_secret_add(db, arg, err) == 1 ? 0 : -1;
}

START_TEST(they_are_there_at_the_next_start)
{
    static char secret[300][APP_SECRET_LEN + 1];
    struct err err = ERR_INIT;
    char id[300][8], app[300][8];
    for (int i = 0; i < 300; i++) {
        snprintf(id[i], sizeof id[i], "%d", i);
        snprintf(app[i], sizeof app[i], "app-%d", i / 2);
        struct app_secret_row row = row_of(id[i], app[i], secret[i]);
        ck_assert_int_eq(store_write_now(fx.store, add_row, &row, &err), STORE_DONE);
    }
    app_secrets_free(&secrets);
    secrets = app_secrets_new(fx.store, &err);
    for (int i = 0; i < 300; i++) {
        ck_assert(good(app[i], secret[i], NOW));
        ck_assert(!good(app[(i + 2) % 300], secret[i], NOW));
    }
}
END_TEST

static void list(void *arg, const char *id, int64_t used)
{
    char *out = arg;
    sprintf(out + strlen(out), "%s %lld;", id, (long long)(used - NOW));
}

START_TEST(use_is_noted_once)
{
    char a[APP_SECRET_LEN + 1], b[APP_SECRET_LEN + 1], seen[64] = "";
    struct app_secret_row ra = row_of("a", "wiki", a), rb = row_of("b", "shop", b);
    app_secrets_put(secrets, &ra);
    app_secrets_put(secrets, &rb);
    ck_assert_uint_eq(app_secrets_take_used(secrets, list, seen, 10), 0);
    ck_assert(good("wiki", a, NOW + 1) && good("wiki", a, NOW + 2) && !good("shop", a, NOW + 3));
    ck_assert_uint_eq(app_secrets_take_used(secrets, list, seen, 10), 1);
    ck_assert_str_eq(seen, "a 2;");
    ck_assert(good("wiki", a, NOW + 4) && good("shop", b, NOW + 4));
    ck_assert_uint_eq(app_secrets_take_used(secrets, list, seen, 1), 1);
    ck_assert_uint_eq(app_secrets_take_used(secrets, list, seen, 1), 1);
    ck_assert_uint_eq(app_secrets_take_used(secrets, list, seen, 1), 0);
}
END_TEST

Suite *suite_app_secrets(void)
{
    Suite *s = suite_create("app_secrets");
    TCase *t = tcase_create("all");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, what_is_good);
    tcase_add_test(t, they_are_there_at_the_next_start);
    tcase_add_test(t, use_is_noted_once);
    suite_add_tcase(s, t);
    return s;
}
