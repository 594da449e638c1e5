/* SPDX-License-Identifier: Apache-2.0 */
/* Providers that admins make, and their secrets, on every backend. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kit.h"
#include "store/provider_people.h"
#include "store/provider_secret.h"
#include "store/settings_row.h"

#define CANARY "canary-1f9a0c"

/* ---- one call in a transaction of its own -----------------------------------------------------
 */

static struct arena *arena;
static struct keyring *keys;
static char key_dir[64], key_path[96];

static void setup(void)
{
    struct err err = ERR_INIT;
    kit_setup();
    arena = arena_new();
    snprintf(key_dir, sizeof key_dir, "/tmp/usher-keys-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(key_dir));
    snprintf(key_path, sizeof key_path, "%s/keys", key_dir);
    keys = keyring_open(key_path, true, &err);
    ck_assert_msg(keys != NULL, "%s", err.text);
}

static void teardown(void)
{
    keyring_free(&keys);
    unlink(key_path);
    rmdir(key_dir);
    arena_free(&arena);
    kit_teardown();
}

struct on_row {
    int (*fn)(struct on_row *c, struct db *db, struct err *err);
    struct settings_row row, out;
    struct provider_people people;
    int64_t was;
    int result;
};

static int call_row(struct db *db, void *arg, struct err *err)
{
    struct on_row *c = arg;
    c->result = c->fn(c, db, err);
    return c->result < 0 ? -1 : 0;
}

static int row_add(struct on_row *c, struct db *db, struct err *err)
{
    return settings_row_add(db, SETTINGS_PROVIDER, &c->row, err);
}
static int row_set(struct on_row *c, struct db *db, struct err *err)
{
    return settings_row_set(db, SETTINGS_PROVIDER, &c->row, c->was, err);
}
static int row_drop(struct on_row *c, struct db *db, struct err *err)
{
    return settings_row_drop(db, SETTINGS_PROVIDER, c->row.id, c->was, err);
}
static int row_get(struct on_row *c, struct db *db, struct err *err)
{
    return settings_row_get(db, SETTINGS_PROVIDER, c->row.id, arena, &c->out, err);
}
static int row_people(struct on_row *c, struct db *db, struct err *err)
{
    return provider_people_count(db, c->row.id, &c->people, err);
}

static int row_write(int (*fn)(struct on_row *, struct db *, struct err *), struct settings_row row,
                     int64_t was)
{
    struct on_row c = {.fn = fn, .row = row, .was = was};
    kit_write(call_row, &c);
    return c.result;
}

static int look(const char *id, struct settings_row *out)
{
    struct on_row c = {.fn = row_get, .row = {.id = id}};
    kit_read(call_row, &c);
    *out = c.out;
    return c.result;
}

START_TEST(a_provider_is_made_changed_and_dropped)
{
    struct settings_row row = {"a", "{\"client_id\":\"x\"}", 7, NOW, NOW, 0}, got;
    ck_assert_int_eq(look("a", &got), 0);
    ck_assert_int_eq(row_write(row_add, row, 0), 1);
    ck_assert_int_eq(row_write(row_add, row, 0), 0);
    ck_assert_int_eq(look("a", &got), 1);
    ck_assert_str_eq(got.id, "a");
    ck_assert_str_eq(got.settings, row.settings);
    ck_assert_int_eq(got.version, 7);
    ck_assert_int_eq(got.created, NOW);

    row = (struct settings_row){"a", "{}", 9, 0, NOW + 5, 0};
    ck_assert_int_eq(row_write(row_set, row, 6), 0); /* from another version */
    ck_assert_int_eq(row_write(row_set, row, 7), 1);
    ck_assert_int_eq(row_write(row_set, row, 7), 0);
    ck_assert_int_eq(look("a", &got), 1);
    ck_assert_str_eq(got.settings, "{}");
    ck_assert_int_eq(got.version, 9);
    ck_assert_int_eq(got.created, NOW);
    ck_assert_int_eq(got.changed, NOW + 5);

    ck_assert_int_eq(row_write(row_drop, row, 7), 0);
    ck_assert_int_eq(row_write(row_drop, row, 9), 1);
    ck_assert_int_eq(row_write(row_drop, row, 9), 0);
    ck_assert_int_eq(look("a", &got), 0);
}
END_TEST

static int append_id(void *arg, const struct settings_row *row, struct err *err)
{
    char *ids = arg;
    if (strcmp(row->id, "stop") == 0)
        return err_set(err, ERR_LIMITED, "enough");
    snprintf(ids + strlen(ids), 60 - strlen(ids), "%s=%lld ", row->id, (long long)row->version);
    return 0;
}

static int all_rows(struct db *db, void *arg, struct err *err)
{
    ((char *)arg)[0] = '\0';
    return settings_row_each(db, SETTINGS_PROVIDER, append_id, arg, err);
}

START_TEST(providers_come_in_the_order_of_their_ids)
{
    char ids[60];
    kit_read(all_rows, ids);
    ck_assert_str_eq(ids, "");
    row_write(row_add, (struct settings_row){"b", "{}", 1, NOW, NOW, 0}, 0);
    row_write(row_add, (struct settings_row){"a-1", "{}", 2, NOW, NOW, 0}, 0);
    row_write(row_add, (struct settings_row){"a", "{}", 3, NOW, NOW, 0}, 0);
    kit_read(all_rows, ids);
    ck_assert_str_eq(ids, "a=3 a-1=2 b=1 ");
    row_write(row_add, (struct settings_row){"stop", "{}", 4, NOW, NOW, 0}, 0);
    struct err err = ERR_INIT;
    ck_assert_int_eq(store_read_now(kit_store, all_rows, ids, &err), STORE_FAILED);
    ck_assert_int_eq(err.kind, ERR_LIMITED);
}
END_TEST

START_TEST(people_of_a_provider_are_counted)
{
    struct on_row c = {.fn = row_people, .row = {.id = "google"}};
    kit_read(call_row, &c);
    ck_assert_int_eq(c.people.accounts, 0);
    for (int i = 0; i < 3; i++) {
        struct kit_login l;
        kit_login_init(&l, i);
        kit_write(kit_login_fn, &l);
    }
    struct kit_login again;
    kit_login_init(&again, 2);
    kit_write(kit_login_fn, &again);
    struct session_row row = kit_row(&again);
    c.row.id = row.provider;
    kit_read(call_row, &c);
    ck_assert_int_eq(c.people.accounts, 3);
    ck_assert_int_eq(c.people.sessions, 4);
}
END_TEST

/* ---- secrets ------------------------------------------------------------------------------------
 */

struct on_secret {
    struct provider_secret_row at;
    const char *text;
    enum secret_slot to;
    int64_t expires;
    int result;
    char opened[64];
};

static int secret_put(struct db *db, void *arg, struct err *err)
{
    struct on_secret *c = arg;
    struct secret *secret = secret_new(c->text, strlen(c->text));
    struct buf sealed;
    buf_init(&sealed, 1000);
    provider_secret_seal(keys, &c->at, secret, &sealed);
    c->at.sealed = buf_view(&sealed);
    int rc = provider_secret_put(db, &c->at, err);
    buf_deinit(&sealed);
    secret_free(&secret);
    return rc;
}

static int secret_get(struct db *db, void *arg, struct err *err)
{
    struct on_secret *c = arg;
    struct provider_secret_row got;
    c->opened[0] = '\0';
    c->result = provider_secret_get(db, &c->at, arena, &got, err);
    if (c->result != 1)
        return c->result;
    struct secret *secret = provider_secret_open(keys, &got, err);
    if (!secret)
        return -1;
    snprintf(c->opened, sizeof c->opened, "%s", secret_reveal(secret).p);
    c->expires = got.expires;
    secret_free(&secret);
    return 0;
}

static int secret_move(struct db *db, void *arg, struct err *err)
{
    struct on_secret *c = arg;
    c->result = provider_secret_move(db, keys, &c->at, c->to, err);
    return c->result < 0 ? -1 : 0;
}

static int secret_drop(struct db *db, void *arg, struct err *err)
{
    struct on_secret *c = arg;
    c->result = provider_secret_drop(db, &c->at, err);
    return c->result < 0 ? -1 : 0;
}

static struct provider_secret_row place(const char *provider, enum secret_slot slot)
{
    return (struct provider_secret_row){
        .provider = provider, .key = "client_secret", .slot = slot, .created = NOW};
}

static void put(const char *provider, enum secret_slot slot, const char *text, int64_t expires)
{
    struct on_secret c = {.at = place(provider, slot), .text = text};
    c.at.expires = expires;
    kit_write(secret_put, &c);
}

static const char *get(const char *provider, enum secret_slot slot)
{
    static struct on_secret c;
    c = (struct on_secret){.at = place(provider, slot)};
    kit_read(secret_get, &c);
    return c.result == 1 ? c.opened : NULL;
}

static void two_providers(void)
{
    row_write(row_add, (struct settings_row){"a", "{}", 1, NOW, NOW, 0}, 0);
    row_write(row_add, (struct settings_row){"b", "{}", 2, NOW, NOW, 0}, 0);
}

START_TEST(a_secret_lies_in_its_slot)
{
    two_providers();
    ck_assert_ptr_null(get("a", SLOT_ACTIVE));
    put("a", SLOT_ACTIVE, "one", 0);
    put("a", SLOT_NEXT, "two", NOW + 9);
    ck_assert_str_eq(get("a", SLOT_ACTIVE), "one");
    ck_assert_str_eq(get("a", SLOT_NEXT), "two");
    ck_assert_ptr_null(get("a", SLOT_RETIRING));
    ck_assert_ptr_null(get("b", SLOT_ACTIVE));
    put("a", SLOT_ACTIVE, "three", 0);
    ck_assert_str_eq(get("a", SLOT_ACTIVE), "three");
    ck_assert_int_eq(kit_number("SELECT count(*) FROM provider_secret"), 2);
    ck_assert_int_eq(kit_number("SELECT expires FROM provider_secret WHERE slot = 1"), NOW + 9);
    ck_assert_int_eq(
        kit_number("SELECT count(*) FROM provider_secret WHERE slot = 0 AND expires IS NULL"), 1);

    struct on_secret c = {.at = place("a", SLOT_NEXT)};
    kit_write(secret_drop, &c);
    ck_assert_int_eq(c.result, 1);
    kit_write(secret_drop, &c);
    ck_assert_int_eq(c.result, 0);
    row_write(row_drop, (struct settings_row){.id = "a"}, 1);
    ck_assert_int_eq(kit_number("SELECT count(*) FROM provider_secret"), 0);
}
END_TEST

START_TEST(a_secret_moves_with_its_times)
{
    two_providers();
    put("a", SLOT_ACTIVE, "old", 0);
    put("a", SLOT_NEXT, "new", NOW + 9);
    struct on_secret c = {.at = place("a", SLOT_ACTIVE), .to = SLOT_RETIRING};
    kit_write(secret_move, &c);
    ck_assert_int_eq(c.result, 1);
    c = (struct on_secret){.at = place("a", SLOT_NEXT), .to = SLOT_ACTIVE};
    kit_write(secret_move, &c);
    ck_assert_int_eq(c.result, 1);
    kit_write(secret_move, &c);
    ck_assert_int_eq(c.result, 0);
    ck_assert_str_eq(get("a", SLOT_ACTIVE), "new");
    ck_assert_str_eq(get("a", SLOT_RETIRING), "old");
    ck_assert_ptr_null(get("a", SLOT_NEXT));
    ck_assert_int_eq(kit_number("SELECT expires FROM provider_secret WHERE slot = 0"), NOW + 9);
}
END_TEST

/* DB-07: a database admin who moves rows gets nothing that opens. */
START_TEST(a_secret_opens_nowhere_else)
{
    static const char *const moves[] = {
        "UPDATE provider_secret SET provider = 'b'",
        "UPDATE provider_secret SET key = 'client_secre'",
        "UPDATE provider_secret SET slot = 1",
    };
    two_providers();
    for (size_t i = 0; i < sizeof moves / sizeof *moves; i++) {
        kit_sql("DELETE FROM provider_secret");
        put("a", SLOT_ACTIVE, CANARY, 0);
        kit_sql(moves[i]);
        struct on_secret c = {.at = place(i == 0 ? "b" : "a", i == 2 ? SLOT_NEXT : SLOT_ACTIVE)};
        c.at.key = i == 1 ? "client_secre" : "client_secret";
        struct err err = ERR_INIT;
        ck_assert_int_eq(store_read_now(kit_store, secret_get, &c, &err), STORE_FAILED);
        ck_assert_int_eq(err.kind, ERR_INVALID);
        ck_assert_ptr_null(strstr(err.text, CANARY));
    }
}
END_TEST

static int count_secrets(void *arg, const struct provider_secret_row *row, struct err *err)
{
    (void)err;
    int *n = arg;
    ck_assert_str_eq(row->key, "client_secret");
    ck_assert_uint_gt(row->sealed.n, 32);
    (*n)++;
    return 0;
}

static int secrets_of_a(struct db *db, void *arg, struct err *err)
{
    return provider_secret_each(db, "a", count_secrets, arg, err);
}

static int secrets_of_all(struct db *db, void *arg, struct err *err)
{
    return provider_secret_each(db, NULL, count_secrets, arg, err);
}

START_TEST(secrets_are_walked_by_provider_or_all)
{
    int n = 0;
    two_providers();
    put("a", SLOT_ACTIVE, "1", 0);
    put("a", SLOT_NEXT, "2", 0);
    put("b", SLOT_ACTIVE, "3", 0);
    kit_read(secrets_of_a, &n);
    ck_assert_int_eq(n, 2);
    n = 0;
    kit_read(secrets_of_all, &n);
    ck_assert_int_eq(n, 3);
}
END_TEST

START_TEST(slots_have_names)
{
    for (int i = 0; i < SECRET_SLOTS; i++)
        ck_assert_int_eq(secret_slot_of(secret_slot_name((enum secret_slot)i)), i);
    ck_assert_int_eq(secret_slot_of("Active"), -1);
    ck_assert_int_eq(secret_slot_of(""), -1);
}
END_TEST

/* ---- sealing again ---- */

struct again {
    struct provider_secret_reseal from, to;
    bool fail; /* after the work, as a neighbour in the commit may */
    int result;
    int64_t count;
    unsigned char key[4];
};

static int reseal(struct db *db, void *arg, struct err *err)
{
    struct again *g = arg;
    g->result = provider_secret_reseal(db, keys, &g->from, &g->to, err);
    if (g->fail)
        return err_set(err, ERR_INTERNAL, "undone");
    return g->result < 0 ? -1 : 0;
}

static int count_key(struct db *db, void *arg, struct err *err)
{
    struct again *g = arg;
    g->count = provider_secret_count(db, g->key, err);
    return g->count < 0 ? -1 : 0;
}

START_TEST(rows_are_sealed_again_in_batches)
{
    enum { MANY = 2 * PROVIDER_SECRET_BATCH + 50 };
    struct again g = {.fail = false}, undone;
    struct err err = ERR_INIT;
    char id[16];
    keyring_current(keys, g.key);
    for (int i = 0; i < MANY; i++) {
        snprintf(id, sizeof id, "p%d", i);
        row_write(row_add, (struct settings_row){id, "{}", i + 1, NOW, NOW, 0}, 0);
        put(id, SLOT_ACTIVE, id, 0);
    }
    ck_assert_int_eq(keyring_rotate(keys, NOW, &err), 0);
    kit_read(count_key, &g);
    ck_assert_int_eq(g.count, MANY);
    kit_write(reseal, &g);
    ck_assert_int_eq(g.result, 1);
    ck_assert_int_eq(g.to.done, PROVIDER_SECRET_BATCH);

    /* Undone half-way, then begun again from nothing, as after a kill: nothing is lost. */
    undone = g;
    undone.from = g.to;
    undone.fail = true;
    ck_assert_int_eq(kit_write_fails(reseal, &undone).kind, ERR_INTERNAL);
    kit_read(count_key, &g);
    ck_assert_int_eq(g.count, MANY - PROVIDER_SECRET_BATCH);
    g.from = (struct provider_secret_reseal){.done = 0};
    int64_t done = 0;
    do {
        kit_write(reseal, &g);
        done = g.to.done;
        g.from = g.to;
    } while (g.result == 1);
    ck_assert_int_eq(done, MANY - PROVIDER_SECRET_BATCH);
    ck_assert_int_eq(g.to.stuck, 0);
    kit_read(count_key, &g);
    ck_assert_int_eq(g.count, 0);
    ck_assert_int_eq(keyring_retire(keys, g.key, &err), 0);
    for (int i = 0; i < MANY; i++) {
        snprintf(id, sizeof id, "p%d", i);
        ck_assert_str_eq(get(id, SLOT_ACTIVE), id);
    }
}
END_TEST

/* What nobody can open stands in nobody's way. */
START_TEST(a_row_that_does_not_open_is_left_alone)
{
    struct again g = {.fail = false};
    struct err err = ERR_INIT;
    two_providers();
    put("a", SLOT_ACTIVE, "1", 0);
    put("b", SLOT_ACTIVE, "2", 0);
    kit_sql("UPDATE provider_secret SET key = 'moved' WHERE provider = 'a'");
    ck_assert_int_eq(keyring_rotate(keys, NOW, &err), 0);
    kit_write(reseal, &g);
    ck_assert_int_eq(g.result, 0);
    ck_assert_int_eq(g.to.done, 1);
    ck_assert_int_eq(g.to.stuck, 1);
    ck_assert_str_eq(get("b", SLOT_ACTIVE), "2");
}
END_TEST

Suite *suite_provider_nouns(const char *name)
{
    Suite *s = suite_create(name);
    TCase *tc = tcase_create("provider nouns");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, a_provider_is_made_changed_and_dropped);
    tcase_add_test(tc, providers_come_in_the_order_of_their_ids);
    tcase_add_test(tc, people_of_a_provider_are_counted);
    tcase_add_test(tc, a_secret_lies_in_its_slot);
    tcase_add_test(tc, a_secret_moves_with_its_times);
    tcase_add_test(tc, a_secret_opens_nowhere_else);
    tcase_add_test(tc, secrets_are_walked_by_provider_or_all);
    tcase_add_test(tc, slots_have_names);
    tcase_add_test(tc, rows_are_sealed_again_in_batches);
    tcase_add_test(tc, a_row_that_does_not_open_is_left_alone);
    suite_add_tcase(s, tc);
    return s;
}
