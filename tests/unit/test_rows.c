/* SPDX-License-Identifier: Apache-2.0 */
#include "live/rows.h"

#include "live_fixture.h"

Suite *suite_rows(void);

struct reading {
    struct rows rows;
    const struct keyring *keys;
};

static int read_rows(struct db *db, void *arg, struct err *err)
{
    struct reading *r = arg;
    return rows_read(&r->rows, db, r->keys, err);
}

static void read_with(struct reading *r, const struct keyring *keys)
{
    struct err err = ERR_INIT;
    r->keys = keys;
    ck_assert_msg(store_read_now(lx.sx.store, read_rows, r, &err) == STORE_DONE, "%s", err.text);
}

START_TEST(rows_come_with_their_secrets)
{
    struct reading r;
    rows_init(&r.rows);
    read_with(&r, lx.keys);
    ck_assert_uint_eq(r.rows.n, 0);
    live_fixture_row("google", "{\"client_id\":\"g\",\"label\":\"Work\"}", 4);
    live_fixture_row("discord", "{}", 9);
    read_with(&r, lx.keys); /* afresh */
    ck_assert_uint_eq(r.rows.n, 2);
    const struct provider_source *d = &r.rows.v[0], *g = &r.rows.v[1];
    ck_assert_str_eq(d->id, "discord");
    ck_assert_int_eq(d->version, 9);
    ck_assert_uint_eq(d->n, 0);
    ck_assert_str_eq(g->settings[1].key, "label");
    ck_assert_str_eq(g->settings[1].value, "Work");
    for (size_t i = 0; i < 2; i++) {
        ck_assert_uint_eq(r.rows.v[i].n_secrets, 1);
        ck_assert_str_eq(r.rows.v[i].secrets[0].key, "client_secret");
        ck_assert_int_eq(r.rows.v[i].secrets[0].created, 17);
        ck_assert(secret_eq(r.rows.v[i].secrets[0].secret, STR("row-secret-of-some-length")));
    }
    rows_clear(&r.rows);
}
END_TEST

/* A lost key, or a sealed value moved from another row, opens nothing; the rest is there. */
START_TEST(secrets_that_do_not_open)
{
    static const unsigned char other[32] = "another-key-of-thirty-two-bytes";
    struct keyring *lost = keyring_fixed(other);
    struct reading r;
    rows_init(&r.rows);
    live_fixture_row("discord", LIVE_ROW, 1);
    live_fixture_row("google", LIVE_ROW, 2);
    read_with(&r, lost);
    ck_assert_ptr_null(r.rows.v[0].secrets[0].secret);
    store_fixture_sql(&lx.sx, "UPDATE provider_secret SET sealed = (SELECT sealed FROM "
                              "provider_secret WHERE provider = 'discord') WHERE provider = "
                              "'google'");
    read_with(&r, lx.keys);
    ck_assert_ptr_nonnull(r.rows.v[0].secrets[0].secret);
    ck_assert_ptr_null(r.rows.v[1].secrets[0].secret);
    rows_clear(&r.rows);
    keyring_free(&lost);
}
END_TEST

START_TEST(settings_that_are_none)
{
    static const char *const bad[] = {"", "[]", "{\"a\":1}", "{\"a\":{}}", "{\"a\":\"b\"", "null"};
    struct reading r;
    rows_init(&r.rows);
    live_fixture_row("google", LIVE_ROW, 1);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        live_fixture_row("discord", bad[i], (int64_t)i + 2);
        read_with(&r, lx.keys);
        ck_assert_uint_eq(r.rows.n, 1);
        ck_assert_str_eq(r.rows.v[0].id, "google");
        ck_assert_uint_eq(r.rows.v[0].n_secrets, 1);
        ck_assert_uint_eq(r.rows.problems.n, 1);
        ck_assert_str_eq(conf_problems_at(&r.rows.problems, 0)->file, "provider discord");
    }
    rows_clear(&r.rows);
}
END_TEST

Suite *suite_rows(void)
{
    Suite *s = suite_create("rows");
    TCase *tc = tcase_create("rows");
    tcase_add_checked_fixture(tc, live_fixture_open, live_fixture_close);
    tcase_add_test(tc, rows_come_with_their_secrets);
    tcase_add_test(tc, secrets_that_do_not_open);
    tcase_add_test(tc, settings_that_are_none);
    suite_add_tcase(s, tc);
    return s;
}
