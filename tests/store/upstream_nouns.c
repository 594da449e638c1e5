/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens of people at their providers, and who is to be asked about again, on every backend. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kit.h"
#include "store/recheck.h"

#define CANARY "canary-77d1e0"
#define SECRET_OF(text) secret_new((text), strlen(text))

static struct arena *arena;
static struct keyring *keys;
static char key_dir[64], key_path[96];
static struct kit_login ada;

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
    kit_login_init(&ada, 1);
    kit_write(kit_login_fn, &ada);
}

static void teardown(void)
{
    keyring_free(&keys);
    unlink(key_path);
    rmdir(key_dir);
    arena_free(&arena);
    kit_teardown();
}

/* ---- one call in a transaction of its own ---- */

enum what { PUT, PUT_LATE, GET, OF_ACCOUNT, CLAIM, RENEW, RELEASE, FORGET, FORGET_PROVIDER };

struct call {
    enum what what;
    struct upstream_token in, out;
    struct upstream_token_of of;
    int64_t now, until, was;
    int64_t result;
};

static int run(struct db *db, void *arg, struct err *err)
{
    struct call *c = arg;
    upstream_token_deinit(&c->out);
    switch (c->what) {
    case PUT:
        c->result = upstream_token_put(db, keys, &c->in, err);
        break;
    case PUT_LATE:
        c->result = upstream_token_put_late(db, keys, &c->in, err);
        break;
    case GET:
        c->out = (struct upstream_token){.provider = c->in.provider, .subject = c->in.subject};
        c->result = upstream_token_get(db, keys, arena, &c->out, err);
        break;
    case OF_ACCOUNT:
        c->result = upstream_token_of_account(db, keys, arena, &c->of, &c->out, err);
        break;
    case CLAIM:
        c->result = upstream_token_claim(db, &c->in, c->now, c->until, err);
        break;
    case RENEW:
        c->result = upstream_token_renew(db, keys, &c->in, c->was, err);
        break;
    case RELEASE:
        c->result = upstream_token_release(db, &c->in, err);
        break;
    case FORGET:
        c->result = upstream_token_forget(db, &c->in, err);
        break;
    case FORGET_PROVIDER:
        c->result = upstream_token_forget_provider(db, c->in.provider, 10, err);
        break;
    }
    return c->result < 0 ? -1 : 0;
}

static struct upstream_token token(const char *access, const char *refresh, int64_t version)
{
    const struct session_row row = kit_row(&ada);
    return (struct upstream_token){.provider = arena_dup(arena, row.provider),
                                   .subject = arena_dup(arena, row.subject),
                                   .scope = "a b",
                                   .access = access ? SECRET_OF(access) : NULL,
                                   .refresh = refresh ? SECRET_OF(refresh) : NULL,
                                   .expires = NOW + 3600,
                                   .obtained = NOW,
                                   .version = version};
}

static int64_t with(struct call c)
{
    kit_write(run, &c);
    upstream_token_deinit(&c.in);
    upstream_token_deinit(&c.out);
    return c.result;
}

static void put(const char *access, const char *refresh, int64_t version)
{
    ck_assert_int_eq(with((struct call){.what = PUT, .in = token(access, refresh, version)}), 0);
}

static int64_t claim(int64_t version, int64_t now, int64_t until)
{
    return with(
        (struct call){.what = CLAIM, .in = token(NULL, NULL, version), .now = now, .until = until});
}

static int64_t renew(const char *access, const char *refresh, int64_t was, int64_t version)
{
    return with((struct call){.what = RENEW, .in = token(access, refresh, version), .was = was});
}

/* "access refresh version", or "" for none. */
static const char *kept(void)
{
    struct call c = {.what = GET, .in = token(NULL, NULL, 0)};
    kit_read(run, &c);
    const char *text = "";
    if (c.result == 1)
        text = arena_printf(arena, "%s %s %lld", secret_reveal(c.out.access).p,
                            c.out.refresh ? secret_reveal(c.out.refresh).p : "-",
                            (long long)c.out.version);
    upstream_token_deinit(&c.out);
    return text;
}

/* ---- tokens ---- */

START_TEST(tokens_come_back_as_they_were)
{
    ck_assert_str_eq(kept(), "");
    put(CANARY, CANARY "-2", 7);
    ck_assert_str_eq(kept(), CANARY " " CANARY "-2 7");
    put("second", NULL, 8); /* no refresh token this time: the old one still counts */
    ck_assert_str_eq(kept(), "second " CANARY "-2 8");
    put("third", NULL, 6); /* a clock that was set back: what comes now counts */
    ck_assert_str_eq(kept(), "third " CANARY "-2 6");
}
END_TEST

static void put_late(const char *access, const char *refresh, int64_t version)
{
    ck_assert_int_eq(with((struct call){.what = PUT_LATE, .in = token(access, refresh, version)}),
                     0);
}

START_TEST(what_comes_late_is_no_newer_for_that)
{
    put_late("first", "r1", 7);
    ck_assert_str_eq(kept(), "first r1 7");
    put_late("second", NULL, 8);
    ck_assert_str_eq(kept(), "second r1 8");
    put("third", "r3", 9);
    put_late("between", "r2", 8);
    ck_assert_str_eq(kept(), "third r3 9");
}
END_TEST

START_TEST(a_sealed_token_opens_in_its_place_only)
{
    put(CANARY, "again", 1);
    ck_assert_int_eq(kit_number("SELECT count(*) FROM upstream_token WHERE "
                                "length(access) > 32 AND length(refresh) > 32"),
                     1);
    kit_sql("UPDATE upstream_token SET access = refresh");
    struct call c = {.what = GET, .in = token(NULL, NULL, 0)};
    struct err err = kit_write_fails(run, &c);
    ck_assert_int_eq(err.kind, ERR_INVALID);
    ck_assert_ptr_null(strstr(err.text, "again"));
}
END_TEST

/* DB-07: nor in the row of another person, nor of another provider. */
START_TEST(a_sealed_token_opens_for_its_owner_only)
{
    static const char *const swaps[] = {
        "UPDATE upstream_token SET access = (SELECT access FROM upstream_token o WHERE "
        "o.provider = upstream_token.provider AND o.subject <> upstream_token.subject) "
        "WHERE provider = 'toy' AND subject = '1'",
        "UPDATE upstream_token SET refresh = (SELECT refresh FROM upstream_token o WHERE "
        "o.provider <> upstream_token.provider AND o.subject = upstream_token.subject) "
        "WHERE provider = 'toy' AND subject = '1'"};
    static const char *const who[][2] = {{"toy", "1"}, {"toy", "2"}, {"zoo", "1"}};
    kit_sql("INSERT INTO account (id, created) VALUES ('a', 1)");
    for (size_t i = 0; i < 3; i++)
        kit_sql(arena_printf(arena,
                             "INSERT INTO identity (provider, subject, account, email_evidence, "
                             "first_seen, last_seen) VALUES ('%s', '%s', 'a', 0, 1, 1)",
                             who[i][0], who[i][1]));
    for (size_t i = 0; i < 2; i++) {
        for (size_t k = 0; k < 3; k++) {
            struct upstream_token t = token(k == 0 ? "mine" : CANARY, k == 0 ? "mine" : CANARY, 1);
            t.provider = who[k][0];
            t.subject = who[k][1];
            with((struct call){.what = PUT, .in = t});
        }
        struct call c = {.what = GET, .in = {.provider = "toy", .subject = "1"}};
        kit_read(run, &c);
        ck_assert_int_eq(c.result, 1);
        kit_sql(swaps[i]);
        struct err err = kit_write_fails(run, &c);
        ck_assert_int_eq(err.kind, ERR_INVALID);
        ck_assert_ptr_null(strstr(err.text, CANARY));
        upstream_token_deinit(&c.out);
    }
}
END_TEST

START_TEST(an_account_finds_its_own)
{
    struct call c = {.what = OF_ACCOUNT};
    put("one", NULL, 1);
    c.of = (struct upstream_token_of){ada.account.id, kit_row(&ada).provider, "somebody"};
    kit_read(run, &c);
    ck_assert_int_eq(c.result, 1);
    ck_assert_str_eq(c.out.subject, kit_row(&ada).subject);
    upstream_token_deinit(&c.out);
    c.of.account = "nobody";
    kit_read(run, &c);
    ck_assert_int_eq(c.result, 0);
    c.of = (struct upstream_token_of){ada.account.id, "other", ""};
    kit_read(run, &c);
    ck_assert_int_eq(c.result, 0);
}
END_TEST

START_TEST(one_at_a_time_renews)
{
    put("one", "again", 1);
    ck_assert_int_eq(claim(1, NOW, NOW + 30), 1);
    ck_assert_int_eq(claim(1, NOW + 29, NOW + 60), 0);
    ck_assert_int_eq(renew("two", "again2", 1, 2), 1);
    ck_assert_str_eq(kept(), "two again2 2");
    ck_assert_int_eq(claim(2, NOW + 29, NOW + 60), 0); /* until it is released */
    with((struct call){.what = RELEASE, .in = token(NULL, NULL, 2)});
    ck_assert_int_eq(claim(2, NOW + 29, NOW + 60), 1);
    ck_assert_int_eq(claim(2, NOW + 61, NOW + 90), 1); /* who claimed it died */
    ck_assert_int_eq(renew("three", NULL, 2, 3), 1);
    ck_assert_str_eq(kept(), "three again2 3"); /* Google: the refresh token stays */
}
END_TEST

START_TEST(what_came_late_changes_nothing)
{
    put("one", "again", 1);
    put("two", "again2", 2); /* a sign-in meanwhile */
    ck_assert_int_eq(renew("old", "old", 1, 3), 0);
    ck_assert_int_eq(with((struct call){.what = FORGET, .in = token(NULL, NULL, 1)}), 0);
    ck_assert_str_eq(kept(), "two again2 2");
    ck_assert_int_eq(with((struct call){.what = FORGET, .in = token(NULL, NULL, 2)}), 1);
    ck_assert_str_eq(kept(), "");
    ck_assert_int_eq(renew("old", "old", 2, 3), 0);
    ck_assert_str_eq(kept(), "");
}
END_TEST

START_TEST(tokens_go_with_the_identity)
{
    put("one", "again", 1);
    kit_sql("DELETE FROM account");
    ck_assert_str_eq(kept(), "");
    struct call c = {.what = PUT, .in = token("one", "again", 1)};
    struct err err = kit_write_fails(run, &c); /* nobody is there to have them */
    ck_assert_int_ne(err.kind, ERR_NONE);
    upstream_token_deinit(&c.in);
}
END_TEST

START_TEST(a_provider_that_keeps_none_any_more)
{
    put("one", "again", 1);
    ck_assert_int_eq(with((struct call){.what = FORGET_PROVIDER, .in = {.provider = "other"}}), 0);
    ck_assert_int_eq(
        with((struct call){.what = FORGET_PROVIDER, .in = {.provider = kit_row(&ada).provider}}),
        1);
    ck_assert_str_eq(kept(), "");
}
END_TEST

static struct upstream_token_reseal from, to;
static int more;

static int reseal(struct db *db, void *arg, struct err *err)
{
    (void)arg;
    more = upstream_token_reseal(db, keys, &from, &to, err);
    return more < 0 ? -1 : 0;
}

static int count(struct db *db, void *arg, struct err *err)
{
    struct keyring_key *key = arg;
    more = (int)upstream_token_count(db, key->id, err);
    return more < 0 ? -1 : 0;
}

START_TEST(another_key)
{
    struct keyring_key list[KEYRING_KEYS_MAX];
    struct err err = ERR_INIT;
    put("one", "again", 1);
    ck_assert_int_eq(keyring_rotate(keys, NOW, &err), 0);
    ck_assert_uint_eq(keyring_list(keys, list), 2);
    kit_read(count, &list[0]);
    ck_assert_int_eq(more, 1);
    kit_write(reseal, NULL);
    ck_assert_int_eq(more, 0);
    ck_assert_int_eq(to.done, 1);
    kit_read(count, &list[0]);
    ck_assert_int_eq(more, 0);
    ck_assert_int_eq(keyring_retire(keys, list[0].id, &err), 0);
    ck_assert_str_eq(kept(), "one again 1");
    memset(&from, 0, sizeof from);
    kit_write(reseal, NULL); /* nothing is left to do */
    ck_assert_int_eq(to.done + to.stuck, 0);
}
END_TEST

/* ---- who is asked about ---- */

static struct recheck_due due;
static struct recheck_batch batch;

static int take(struct db *db, void *arg, struct err *err)
{
    (void)arg;
    return recheck_take(db, keys, &due, &batch, err);
}

static size_t take_at(int64_t now)
{
    due = (struct recheck_due){.provider = kit_row(&ada).provider,
                               .before = now - 900,
                               .now = now,
                               .asked = now,
                               .until = now + 60,
                               .max = 4};
    batch.arena = arena;
    kit_write(take, NULL);
    for (size_t i = 0; i < batch.n; i++)
        upstream_token_deinit(&batch.v[i].token);
    return batch.n;
}

static int still(struct db *db, void *arg, struct err *err)
{
    return recheck_passed(db, arg, err) < 0 ? -1 : 0;
}

static int end_all(struct db *db, void *arg, struct err *err)
{
    return recheck_failed(db, arg, err) < 0 ? -1 : 0;
}

static int later(struct db *db, void *arg, struct err *err)
{
    const struct recheck_verdict *v = arg;
    return recheck_later(db, v->provider, v->subject, NOW, err);
}

struct shown {
    struct upstream_token token;
    int overtaken;
};

static int look_for_others(struct db *db, void *arg, struct err *err)
{
    struct shown *s = arg;
    s->overtaken = recheck_overtaken(db, &s->token, err);
    return s->overtaken < 0 ? -1 : 0;
}

/* How many sessions it concerned. */
static int64_t verdict(store_fn *fn, const char *groups, int64_t now)
{
    const struct session_row row = kit_row(&ada);
    struct recheck_verdict v = {.provider = row.provider,
                                .subject = row.subject,
                                .regroup = groups != NULL,
                                .groups = groups,
                                .now = now};
    kit_write(fn, &v);
    if (fn != later)
        ck_assert_str_eq(v.account, ada.account.id);
    return v.sessions;
}

START_TEST(who_is_due)
{
    ck_assert_uint_eq(take_at(NOW + 1000), 0); /* no tokens */
    put("one", "again", 1);
    ck_assert_uint_eq(take_at(NOW + 899), 0);
    ck_assert_uint_eq(take_at(NOW + 900), 1);
    ck_assert_str_eq(batch.v[0].token.subject, kit_row(&ada).subject);
    ck_assert_uint_eq(take_at(NOW + 900), 0); /* taken */
    verdict(still, NULL, NOW + 900);
    ck_assert_int_eq(kit_number("SELECT checked FROM identity"), NOW + 900);
    ck_assert_uint_eq(take_at(NOW + 1799), 0);
    ck_assert_uint_eq(take_at(NOW + 1800), 1);
    verdict(later, NULL, 0);
    ck_assert_uint_eq(take_at(NOW + 1801), 1); /* nobody answered */
}
END_TEST

START_TEST(other_tokens_came_meanwhile)
{
    struct shown s = {.token = token(NULL, NULL, 1)};
    kit_write(look_for_others, &s);
    ck_assert_int_eq(s.overtaken, 0); /* none at all */
    put("one", "again", 1);
    ck_assert_uint_eq(take_at(NOW + 900), 1);
    kit_write(look_for_others, &s);
    ck_assert_int_eq(s.overtaken, 0);
    ck_assert_int_eq(kit_number("SELECT count(*) FROM upstream_token WHERE busy = 0"), 0);
    put("two", "again2", 2);
    kit_write(look_for_others, &s);
    ck_assert_int_eq(s.overtaken, 1);
    ck_assert_int_eq(kit_number("SELECT count(*) FROM upstream_token WHERE busy = 0"), 1);
}
END_TEST

START_TEST(nobody_signed_in_nobody_asked)
{
    put("one", "again", 1);
    kit_sql("DELETE FROM session");
    ck_assert_uint_eq(take_at(NOW + 900), 0);
    ck_assert_uint_eq(batch.taken, 1); /* put off, and not in the way of others */
    ck_assert_uint_eq(take_at(NOW + 1000), 0);
    ck_assert_uint_eq(batch.taken, 0);
    ck_assert_int_eq(kit_number("SELECT count(*) FROM upstream_token WHERE busy = 0"), 1);
}
END_TEST

START_TEST(groups_follow)
{
    put("one", "again", 1);
    ck_assert_int_eq(verdict(still, "[\"p:a\"]", NOW), 1);
    ck_assert_int_eq(verdict(still, "[\"p:a\"]", NOW), 0); /* the same */
    ck_assert_int_eq(kit_number("SELECT count(*) FROM session s JOIN identity i ON "
                                "i.account = s.account WHERE s.group_names = '[\"p:a\"]' AND "
                                "i.group_names = s.group_names"),
                     1);
    ck_assert_int_eq(verdict(still, NULL, NOW), 0); /* nothing was said about them */
    ck_assert_int_eq(kit_number("SELECT count(*) FROM session WHERE group_names IS NOT NULL"), 1);
}
END_TEST

START_TEST(sessions_end)
{
    struct kit_login other;
    kit_login_init(&other, 2);
    kit_write(kit_login_fn, &other);
    put("one", "again", 1);
    ck_assert_int_eq(verdict(end_all, NULL, NOW), 1);
    ck_assert_int_eq(kit_number("SELECT count(*) FROM session"), 1); /* the other's */
}
END_TEST

Suite *suite_upstream_nouns(const char *name)
{
    Suite *s = suite_create(name);
    TCase *tc = tcase_create("tokens");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, tokens_come_back_as_they_were);
    tcase_add_test(tc, what_comes_late_is_no_newer_for_that);
    tcase_add_test(tc, a_sealed_token_opens_in_its_place_only);
    tcase_add_test(tc, a_sealed_token_opens_for_its_owner_only);
    tcase_add_test(tc, an_account_finds_its_own);
    tcase_add_test(tc, one_at_a_time_renews);
    tcase_add_test(tc, what_came_late_changes_nothing);
    tcase_add_test(tc, tokens_go_with_the_identity);
    tcase_add_test(tc, a_provider_that_keeps_none_any_more);
    tcase_add_test(tc, another_key);
    suite_add_tcase(s, tc);
    tc = tcase_create("rechecks");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, who_is_due);
    tcase_add_test(tc, other_tokens_came_meanwhile);
    tcase_add_test(tc, nobody_signed_in_nobody_asked);
    tcase_add_test(tc, groups_follow);
    tcase_add_test(tc, sessions_end);
    suite_add_tcase(s, tc);
    return s;
}
