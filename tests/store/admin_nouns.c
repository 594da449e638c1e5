/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens and apps, on every backend. */
#include <stdio.h>
#include <string.h>

#include "kit.h"
#include "store/api_token.h"
#include "store/settings_row.h"

static struct arena *arena;

static void setup(void)
{
    kit_setup();
    arena = arena_new();
}

static void teardown(void)
{
    arena_free(&arena);
    kit_teardown();
}

/* ---- tokens -----------------------------------------------------------------------------------
 */

struct on_token {
    struct api_token_row row, out;
    char scopes[64];
    int64_t used;
    int result, n;
};

static int token_add(struct db *db, void *arg, struct err *err)
{
    return api_token_add(db, &((struct on_token *)arg)->row, err);
}

static int token_drop(struct db *db, void *arg, struct err *err)
{
    struct on_token *c = arg;
    c->result = api_token_drop(db, c->row.id, err);
    return c->result < 0 ? -1 : 0;
}

static int token_touch(struct db *db, void *arg, struct err *err)
{
    struct on_token *c = arg;
    return api_token_touch(db, c->row.id, c->used, err);
}

static int take_token(void *arg, const struct api_token_row *row, struct err *err)
{
    (void)err;
    struct on_token *c = arg;
    c->out = *row;
    snprintf(c->scopes, sizeof c->scopes, "%s/%s/%s", row->id, row->name, row->scopes);
    c->n++;
    return 0;
}

static int token_each(struct db *db, void *arg, struct err *err)
{
    ((struct on_token *)arg)->n = 0;
    return api_token_each(db, take_token, arg, err);
}

START_TEST(tokens_are_kept_by_their_hash)
{
    struct on_token c = {.row = {.id = "t1", .name = "ci", .scopes = "read write", .created = NOW}};
    memset(c.row.hash, 0xab, sizeof c.row.hash);
    kit_write(token_add, &c);
    kit_read(token_each, &c);
    ck_assert_int_eq(c.n, 1);
    ck_assert_str_eq(c.scopes, "t1/ci/read write");
    ck_assert_mem_eq(c.out.hash, c.row.hash, 32);
    ck_assert_int_eq(c.out.created, NOW);
    ck_assert_int_eq(c.out.expires, 0);
    ck_assert_int_eq(c.out.last_used, 0);
    c.used = NOW + 9;
    kit_write(token_touch, &c);
    c.used = NOW + 4;
    kit_write(token_touch, &c);
    kit_read(token_each, &c);
    ck_assert_int_eq(c.out.last_used, NOW + 9);

    struct on_token twin = c;
    twin.row.id = "t2";
    kit_write_fails(token_add, &twin); /* one hash, one token */
    kit_write(token_drop, &c);
    ck_assert_int_eq(c.result, 1);
    kit_write(token_drop, &c);
    ck_assert_int_eq(c.result, 0);
    twin.row.expires = NOW + 100;
    kit_write(token_add, &twin);
    kit_read(token_each, &twin);
    ck_assert_int_eq(twin.out.expires, NOW + 100);
}
END_TEST

static int token_drop_of(struct db *db, void *arg, struct err *err)
{
    return api_token_drop_of(db, ((struct on_token *)arg)->row.owner, err);
}

START_TEST(tokens_have_owners)
{
    struct on_token c = {.row = {.id = "t1", .name = "ci", .scopes = "read", .created = NOW}};
    struct on_token hers = c, more = c;
    hers.row.id = "t2";
    more.row.id = "t3";
    hers.row.owner = more.row.owner = "ada";
    c.row.hash[0] = 1;
    hers.row.hash[0] = 2;
    kit_write(token_add, &c);
    kit_write(token_add, &hers);
    kit_write(token_add, &more);
    kit_read(token_each, &c);
    ck_assert_int_eq(c.n, 3);
    ck_assert_int_eq(kit_number("SELECT count(*) FROM api_token WHERE owner IS NULL"), 1);
    ck_assert_int_eq(kit_number("SELECT count(*) FROM api_token WHERE owner = 'ada'"), 2);
    kit_write(token_drop_of, &hers);
    kit_read(token_each, &c);
    ck_assert_int_eq(c.n, 1);
    ck_assert_ptr_null(c.out.owner);
    kit_write(token_drop_of, &hers); /* there are none: fine */
}
END_TEST

/* ---- apps -------------------------------------------------------------------------------------
 */

struct on_app {
    struct settings_row row, out;
    int64_t was;
    int result;
    char ids[64];
};

static int app_add(struct db *db, void *arg, struct err *err)
{
    struct on_app *c = arg;
    c->result = settings_row_add(db, SETTINGS_APP, &c->row, err);
    return c->result < 0 ? -1 : 0;
}

static int app_set(struct db *db, void *arg, struct err *err)
{
    struct on_app *c = arg;
    c->result = settings_row_set(db, SETTINGS_APP, &c->row, c->was, err);
    return c->result < 0 ? -1 : 0;
}

static int app_drop(struct db *db, void *arg, struct err *err)
{
    struct on_app *c = arg;
    c->result = settings_row_drop(db, SETTINGS_APP, c->row.id, c->was, err);
    return c->result < 0 ? -1 : 0;
}

static int app_get(struct db *db, void *arg, struct err *err)
{
    struct on_app *c = arg;
    c->result = settings_row_get(db, SETTINGS_APP, c->row.id, arena, &c->out, err);
    return c->result < 0 ? -1 : 0;
}

static int take_app(void *arg, const struct settings_row *row, struct err *err)
{
    struct on_app *c = arg;
    (void)err;
    const size_t n = strlen(c->ids);
    snprintf(c->ids + n, sizeof c->ids - n, "%s ", row->id);
    return 0;
}

static int app_each(struct db *db, void *arg, struct err *err)
{
    ((struct on_app *)arg)->ids[0] = 0;
    return settings_row_each(db, SETTINGS_APP, take_app, arg, err);
}

/* A change counts only for who has seen the version it was made from. */
START_TEST(apps_change_by_version)
{
    struct on_app c = {.row = {"wiki", "{}", 7, 100, 100, 0}};
    struct on_app other = {.row = {"blog", "{\"hosts\":\"b.example\"}", 8, 101, 101, 0}};
    kit_write(app_add, &c);
    ck_assert_int_eq(c.result, 1);
    kit_write(app_add, &c);
    ck_assert_int_eq(c.result, 0); /* it is there */
    kit_write(app_add, &other);
    kit_read(app_each, &c);
    ck_assert_str_eq(c.ids, "blog wiki ");
    c.row.settings = "{\"label\":\"W\"}";
    c.row.version = 9;
    c.row.changed = 200;
    c.was = 6;
    kit_write(app_set, &c);
    ck_assert_int_eq(c.result, 0);
    c.was = 7;
    kit_write(app_set, &c);
    ck_assert_int_eq(c.result, 1);
    kit_read(app_get, &c);
    ck_assert_int_eq(c.result, 1);
    ck_assert_str_eq(c.out.settings, "{\"label\":\"W\"}");
    ck_assert_int_eq(c.out.version, 9);
    ck_assert_int_eq(c.out.created, 100);
    ck_assert_int_eq(c.out.changed, 200);
    kit_write(app_drop, &c);
    ck_assert_int_eq(c.result, 0); /* that version is gone */
    c.was = 9;
    kit_write(app_drop, &c);
    ck_assert_int_eq(c.result, 1);
    kit_read(app_get, &c);
    ck_assert_int_eq(c.result, 0);
}
END_TEST

Suite *suite_admin_nouns(const char *name)
{
    Suite *s = suite_create(name);
    TCase *tc = tcase_create("admin nouns");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, tokens_are_kept_by_their_hash);
    tcase_add_test(tc, tokens_have_owners);
    tcase_add_test(tc, apps_change_by_version);
    suite_add_tcase(s, tc);
    return s;
}
