/* SPDX-License-Identifier: Apache-2.0 */
/* Calls of apps where the daemon tests do not reach: stores that fail, tables that are full, ends
 * that come in between. */
#include "issuer/issuer.h"

#include <stdio.h>
#include <stdlib.h>

#include "app/source.h"
#include "issuer/key_parts.h"
#include "issuer/parts.h"
#include "session/session.h"
#include "store/oauth_grant.h"
#include "store/session_row.h"
#include "store_fixture.h"
#include "sys/clock.h"

Suite *suite_issuer(void);

#define NOW INT64_C(1800000000)
#define URL "https://login.example.test"

static struct store_fixture fx;
static struct loop *loop;
static struct keyring *ring;
static struct apps *apps;
static struct app_secrets *secrets;
static struct sessions *sessions;
static struct issuer *issuer;
static struct arena *arena;
static struct clock_fake fake;

/* What a call came to. */
static struct {
    unsigned times;
    int status;
    int64_t retry;
    char body[4096];
} came;

static void at(int64_t now)
{
    fake.wall.us = now * 1000000;
    clock_set_fake(&fake);
}

static struct apps *make_apps(void)
{
    static const char *const settings[] = {
        "{\"grants\":\"client_credentials\",\"scopes\":\"a b\"}",
        "{\"grants\":\"client_credentials\",\"scopes\":\"a b\",\"token_format\":\"opaque\"}",
        "{\"grants\":\"client_credentials\",\"token_alg\":\"ES256\",\"scopes\":\"openid a b\","
        "\"resources\":\"https://a.example\"}",
        "{\"grants\":\"token_exchange\",\"scopes\":\"a\",\"exchange_from\":\"ec\","
        "\"serves\":\"https://a.example\",\"resources\":\"https://b.example\"}",
    };
    static const char *const ids[] = {"rsa", "opaque", "ec", "api"};
    enum { N = sizeof ids / sizeof *ids };
    struct app_source rows[N];
    struct err err = ERR_INIT;
    struct conf_problems problems;
    for (int i = 0; i < N; i++) {
        ck_assert_int_eq(app_source_parse(str_of(settings[i]), arena, &rows[i], &err), 0);
        rows[i].id = ids[i];
        rows[i].version = 1;
    }
    conf_problems_init(&problems);
    struct apps *a = apps_load(&(struct apps_options){.rows = rows, .n_rows = N}, &problems);
    ck_assert_msg(problems.n == 0, "%s", problems.text.p);
    conf_problems_deinit(&problems);
    return a;
}

static void open_issuer(size_t max)
{
    static const char *const algs[] = {"ES256", NULL};
    struct err err = ERR_INIT;
    const struct issuer_options o = {.loop = loop,
                                     .store = fx.store,
                                     .keys = ring,
                                     .sessions = sessions,
                                     .apps = apps,
                                     .secrets = secrets,
                                     .public_url = URL,
                                     .algs = algs,
                                     .key_lifetime = 90 * 86400,
                                     .max_tokens = max};
    issuer = issuer_new(&o, &err);
    ck_assert_msg(issuer != NULL, "%s", err.text);
}

static void put_secret(const char *app)
{
    struct app_secret_row row = {.id = app, .app = app, .created = NOW};
    seal_sha256(str_of(app), row.hash); /* the app's name is its secret */
    app_secrets_put(secrets, &row);
}

static void setup(void)
{
    struct err err = ERR_INIT;
    at(NOW);
    arena = arena_new();
    store_fixture_open(&fx);
    loop = loop_new(&err);
    ring = keyring_fixed((const unsigned char *)"0123456789abcdef0123456789abcdef");
    apps = make_apps();
    secrets = app_secrets_new(fx.store, &err);
    put_secret("rsa");
    put_secret("opaque");
    put_secret("ec");
    put_secret("api");
    sessions = sessions_new(&(struct sessions_options){3600, 86400, 10, 0});
    open_issuer(1000);
}

static void teardown(void)
{
    issuer_free(&issuer);
    sessions_free(&sessions);
    app_secrets_free(&secrets);
    apps_free(&apps);
    keyring_free(&ring);
    store_fixture_close(&fx);
    loop_free(&loop);
    arena_free(&arena);
    clock_set_fake(NULL);
}

static void on_done(void *arg, const struct issuer_answer *a)
{
    (void)arg;
    came.times++;
    came.status = a->status;
    came.retry = a->retry_after;
    snprintf(came.body, sizeof came.body, "%.*s", (int)a->body.n, a->body.p ? a->body.p : "");
}

static void start(issuer_call_fn *fn, const char *app, const char *form)
{
    struct err err = ERR_INIT;
    struct fields *f = arena_alloc(arena, sizeof *f);
    struct issuer_call *c = arena_alloc(arena, sizeof *c);
    char *text = arena_printf(arena, "client_id=%s&client_secret=%s&%s", app, app, form);
    ck_assert_int_eq(form_parse(arena, str_of(text), 20, f, &err), 0);
    *c = (struct issuer_call){.arena = arena, .form = f, .ip = "192.0.2.1"};
    came.times = 0;
    fn(issuer, c, on_done, NULL);
}

static int ask(issuer_call_fn *fn, const char *app, const char *form)
{
    start(fn, app, form);
    for (int i = 0; i < 1000 && came.times == 0; i++)
        loop_once(loop, 10);
    ck_assert_uint_eq(came.times, 1);
    return came.status;
}

#define GET_TOKEN "grant_type=client_credentials"

/* Out of the last answer. */
static const char *token(void)
{
    struct err err = ERR_INIT;
    struct jval *v = jval_parse(str_of(came.body), 4096, 4, &err);
    ck_assert_ptr_nonnull(jval_text(jval_get(v, "access_token")));
    const char *text = arena_dup(arena, jval_text(jval_get(v, "access_token")));
    jval_free(&v);
    return text;
}

static const char *form_of(const char *t)
{
    return arena_printf(arena, "token=%s", t);
}

static bool is_active(const char *app, const char *t)
{
    ck_assert_int_eq(ask(issuer_introspect, app, form_of(t)), 200);
    return strstr(came.body, "\"active\":true") != NULL;
}

/* ---- stores that fail ---- */

/* OP-44: what could not be ended is never told as ended. */
START_TEST(revocation_without_a_store)
{
    static const char *const all[] = {"rsa", "opaque"};
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(ask(issuer_token, all[i], GET_TOKEN), 200);
        const char *t = token();
        store_fixture_sql(&fx, "ALTER TABLE access_token RENAME TO elsewhere");
        ck_assert_int_eq(ask(issuer_revoke, all[i], form_of(t)), 503);
        ck_assert(strstr(came.body, "temporarily_unavailable") && came.retry > 0);
        ck_assert(is_active(all[i], t));
        store_fixture_sql(&fx, "ALTER TABLE elsewhere RENAME TO access_token");
        ck_assert_int_eq(ask(issuer_revoke, all[i], form_of(t)), 200);
        ck_assert(!is_active(all[i], t));
    }
}
END_TEST

START_TEST(an_opaque_token_without_a_store)
{
    store_fixture_sql(&fx, "ALTER TABLE access_token RENAME TO elsewhere");
    ck_assert_int_eq(ask(issuer_token, "opaque", GET_TOKEN), 503);
    ck_assert_ptr_null(strstr(came.body, "uat_"));
    ck_assert_uint_eq(access_count(issuer->access), 0);
    ck_assert_int_eq(ask(issuer_token, "rsa", GET_TOKEN), 200); /* needs none */
    store_fixture_sql(&fx, "ALTER TABLE elsewhere RENAME TO access_token");
}
END_TEST

START_TEST(a_store_with_a_full_queue)
{
    ck_assert_int_eq(ask(issuer_token, "opaque", GET_TOKEN), 200);
    const char *t = token();
    store_fixture_fill(&fx);
    ck_assert_int_eq(ask(issuer_token, "opaque", GET_TOKEN), 503);
    ck_assert_int_eq(ask(issuer_revoke, "opaque", form_of(t)), 503);
    ck_assert(is_active("opaque", t));
    store_fixture_go_on(&fx);
    ck_assert_int_eq(ask(issuer_revoke, "opaque", form_of(t)), 200);
}
END_TEST

/* ---- room ---- */

START_TEST(a_full_table_refuses_and_forgets_nobody)
{
    issuer_free(&issuer);
    open_issuer(2);
    ck_assert_int_eq(ask(issuer_token, "opaque", GET_TOKEN), 200);
    const char *first = token();
    ck_assert_int_eq(ask(issuer_token, "opaque", GET_TOKEN), 200);
    ck_assert_int_eq(ask(issuer_token, "opaque", GET_TOKEN), 503);
    ck_assert_int_eq(store_fixture_number(&fx, "SELECT count(*) FROM access_token"), 2);
    ck_assert(is_active("opaque", first));
    ck_assert_int_eq(ask(issuer_token, "ec", GET_TOKEN), 200);
    const char *jwt = token();
    ck_assert_int_eq(ask(issuer_revoke, "ec", form_of(jwt)), 200); /* an end always finds room */
    ck_assert(!is_active("ec", jwt));
    at(NOW + 1800);
    ck_assert_int_eq(ask(issuer_token, "opaque", GET_TOKEN), 200);
}
END_TEST

START_TEST(what_expired_goes_from_the_store)
{
    ck_assert_int_eq(ask(issuer_token, "opaque", GET_TOKEN), 200);
    for (int i = 0; i < 8; i++)
        issuer_step(issuer);
    while (issuer->sweep)
        loop_once(loop, 10);
    ck_assert_int_eq(store_fixture_number(&fx, "SELECT count(*) FROM access_token"), 1);
    at(NOW + 1800);
    for (int i = 0; i < 4; i++)
        issuer_step(issuer);
    while (issuer->sweep)
        loop_once(loop, 10);
    ck_assert_int_eq(store_fixture_number(&fx, "SELECT count(*) FROM access_token"), 0);
    ck_assert_uint_eq(access_count(issuer->access), 0);
}
END_TEST

/* ---- tokens of people, as the other grants will make them ---- */

static struct minted person;
static void on_minted(struct call *c, const struct minted *m, const struct err *err)
{
    ck_assert_ptr_null(err);
    ck_assert(m->stored);
    person = *m;
    mint_answer(c, m, ",\"more\":1");
}

/* OP-46: a person's JWT is good only while its entry stands; its signature alone says nothing. */
START_TEST(a_persons_token_ends_with_the_person)
{
    static const struct fields none = {NULL, 0};
    struct err err = ERR_INIT;
    const struct issuer_call in = {.arena = arena, .form = &none};
    struct call *c = call_open(issuer, "token", &in, on_done, NULL);
    c->app = apps_find(apps, "ec");
    mint_access(c,
                &(struct mint_args){.account = "acc1",
                                    .grant = "g1",
                                    .scopes = "openid",
                                    .resource = "[\"" URL "\"]",
                                    .more = "{\"auth_time\":7}",
                                    .lifetime = 60},
                on_minted);
    ck_assert_int_eq(came.status, 200);
    ck_assert_ptr_nonnull(strstr(came.body, "\"expires_in\":60,"));
    ck_assert_ptr_nonnull(strstr(came.body, ",\"more\":1}"));
    const char *t = token();
    ck_assert(!is_active("ec", t));
    ck_assert_int_eq(access_add(issuer->access, &person.row, NOW, &err), 0);
    ck_assert(is_active("ec", t));
    ck_assert_ptr_nonnull(strstr(came.body, "\"sub\":\"acc1\""));
    ck_assert_ptr_nonnull(strstr(came.body, "\"auth_time\":7"));
    issuer_end_account(issuer, "acc1");
    ck_assert(!is_active("ec", t));
    ck_assert_int_eq(access_add(issuer->access, &person.row, NOW, &err), 0);
    ck_assert(is_active("ec", t));
    issuer_end_grant(issuer, "g1");
    ck_assert(!is_active("ec", t));
}
END_TEST

/* ---- exchanged (RFC 8693) ---- */

static int keep_person(struct db *db, void *arg, struct err *err)
{
    (void)arg;
    return access_token_add(db, &person.row, err);
}

/* A token of acc1 that the app called api may exchange; as a form. */
static const char *exchangeable(void)
{
    static const struct fields none = {NULL, 0};
    struct err err = ERR_INIT;
    const struct issuer_call in = {.arena = arena, .form = &none};
    struct call *c = call_open(issuer, "token", &in, on_done, NULL);
    store_fixture_sql(&fx, "INSERT INTO account (id, created) VALUES ('acc1', 1)");
    store_fixture_sql(&fx,
                      "INSERT INTO session (hash, id, account, provider, subject, "
                      "email_evidence, created, seen, ends) VALUES (zeroblob(32), 's1', 'acc1', "
                      "'oidc', 'ada', 0, 1, 1, 1800009999)");
    store_fixture_sql(&fx, "INSERT INTO oauth_grant (id, app, account, session, scopes, created, "
                           "ends) VALUES ('g1', 'ec', 'acc1', 's1', 'a b', 1, 1800000100)");
    c->app = apps_find(apps, "ec");
    mint_access(c,
                &(struct mint_args){.account = "acc1",
                                    .grant = "g1",
                                    .scopes = "a b",
                                    .resource = "[\"https://a.example\"]"},
                on_minted);
    ck_assert_int_eq(store_write_now(fx.store, keep_person, NULL, &err), STORE_DONE);
    ck_assert_int_eq(access_add(issuer->access, &person.row, NOW, &err), 0);
    return arena_printf(arena,
                        "grant_type=urn:ietf:params:oauth:grant-type:token-exchange"
                        "&subject_token_type=urn:ietf:params:oauth:token-type:access_token"
                        "&subject_token=%s",
                        token());
}

static int64_t exchanged(void)
{
    return store_fixture_number(&fx, "SELECT count(*) FROM access_token WHERE app = 'api'");
}

/* Nothing is told that is not written down, and nothing is written that is not told. */
START_TEST(an_exchange_without_a_store)
{
    static const char *const tables[] = {"oauth_grant", "access_token", "audit"};
    const char *form = exchangeable();
    for (int i = 0; i < 3; i++) {
        store_fixture_sql(&fx,
                          arena_printf(arena, "ALTER TABLE %s RENAME TO elsewhere", tables[i]));
        ck_assert_int_eq(ask(issuer_token, "api", form), 503);
        ck_assert_ptr_null(strstr(came.body, "access_token"));
        ck_assert(came.retry > 0);
        store_fixture_sql(&fx,
                          arena_printf(arena, "ALTER TABLE elsewhere RENAME TO %s", tables[i]));
        ck_assert_int_eq(exchanged(), 0);
        ck_assert_uint_eq(access_count(issuer->access), 1);
    }
    store_fixture_fill(&fx);
    ck_assert_int_eq(ask(issuer_token, "api", form), 503);
    store_fixture_go_on(&fx);
    ck_assert_int_eq(exchanged(), 0);
    ck_assert_int_eq(ask(issuer_token, "api", form), 200);
    ck_assert_int_eq(exchanged(), 1);
    /* as long as the grant, which is shorter than either app's tokens; and no scope of the other */
    ck_assert_ptr_nonnull(strstr(came.body, "\"expires_in\":100,\"scope\":\"a\""));
    ck_assert_uint_eq(access_count(issuer->access), 2);
}
END_TEST

START_TEST(an_exchange_without_room)
{
    issuer_free(&issuer);
    open_issuer(1);
    const char *form = exchangeable();
    ck_assert_int_eq(ask(issuer_token, "api", form), 503);
    ck_assert_int_eq(exchanged(), 0);
    ck_assert_uint_eq(access_count(issuer->access), 1);
}
END_TEST

static int end_grant(struct db *db, void *arg, struct err *err)
{
    (void)arg;
    return oauth_grant_end(db, "g1", NOW, err) < 0 ? -1 : 0;
}

static int end_subject(struct db *db, void *arg, struct err *err)
{
    struct access_token_row row = person.row;
    (void)arg;
    row.ended = NOW;
    return access_token_end(db, &row, err);
}

static int end_session(struct db *db, void *arg, struct err *err)
{
    unsigned char hash[32];
    (void)arg;
    return session_row_end_of(db, "acc1", "s1", hash, err) < 0 ? -1 : 0;
}

/* The token, its grant, or the session that goes with it, ends while the new one is signed: after
 * it was looked at, before the new one is written. */
START_TEST(an_exchange_of_what_ends_meanwhile)
{
    struct store_stats stats = {.queued = 0};
    static store_fn *const ends[] = {end_grant, end_subject, end_session};
    const char *form = exchangeable();
    store_fixture_stall(&fx);
    ck_assert(store_write(fx.store, ends[_i], NULL, NULL, NULL));
    start(issuer_token, "api", form);
    for (int i = 0; i < 1000 && stats.queued < 2; i++) {
        loop_once(loop, 10);
        store_get_stats(fx.store, &stats);
    }
    ck_assert_uint_eq(stats.queued, 2);
    ck_assert_uint_eq(came.times, 0);
    store_fixture_go_on(&fx);
    for (int i = 0; i < 1000 && came.times == 0; i++)
        loop_once(loop, 10);
    ck_assert_int_eq(came.status, 400);
    ck_assert_ptr_nonnull(strstr(came.body, "invalid_request"));
    ck_assert_int_eq(exchanged(), 0);
    ck_assert_uint_eq(access_count(issuer->access), 1);
}
END_TEST

/* ---- ends in between ---- */

/* The apps are replaced, and then all is taken down, while a thread signs. */
START_TEST(ends_while_a_thread_signs)
{
    start(issuer_token, "rsa", GET_TOKEN);
    ck_assert_uint_eq(came.times, 0);
    issuer_set_apps(issuer, NULL);
    apps_free(&apps);
    issuer_free(&issuer);
    ck_assert_uint_eq(came.times, 1);
    ck_assert_int_eq(came.status, 200);
    apps = make_apps();
    open_issuer(10);
}
END_TEST

/* More signatures than may wait: some are told to come back, and all are answered. */
START_TEST(too_many_signatures)
{
    struct err err = ERR_INIT;
    unsigned good = 0, busy = 0, n;
    static struct fields f;
    ck_assert_int_eq(
        form_parse(arena, STR("client_id=rsa&client_secret=rsa&" GET_TOKEN), 20, &f, &err), 0);
    came.times = 0;
    for (n = 0; n < 60000 && busy < 10; n++) {
        struct issuer_call *c = arena_alloc(arena, sizeof *c);
        *c = (struct issuer_call){.arena = arena, .form = &f};
        const unsigned before = came.times;
        issuer_token(issuer, c, on_done, NULL);
        busy += came.times > before && came.status == 503;
    }
    while (issuer->under_way > 0)
        loop_once(loop, 10);
    good = came.times - busy;
    ck_assert_uint_eq(came.times, n);
    ck_assert(busy > 0 && good >= 4096);
}
END_TEST

/* A store without room is asked again: what went with the session does not outlive it. */
static int write_nothing(struct db *db, void *arg, struct err *err)
{
    (void)db, (void)arg, (void)err;
    return 0;
}

/* Whether the moment of both kinds is another one than it was when this was last asked. */
static int moments_over(void)
{
    static struct issuer_moment was[ISSUER_ABOUTS];
    int over = 0;
    for (int about = ISSUER_MEMORY; about <= ISSUER_STORE; about++) {
        const struct issuer_moment now = issuer_moment(issuer, (enum issuer_about)about);
        over += now.second != was[about].second || now.changes != was[about].changes;
        was[about] = now;
    }
    return over;
}

/* What was answered may be answered again until anything happens that it depends on. */
START_TEST(a_moment_is_over_when_something_changes)
{
    struct err err = ERR_INIT;
    struct access_token_row row = {.app = "opaque", .account = "person", .grant = "g1"};
    row.scopes = row.resource = "";
    row.created = NOW;
    row.expires = NOW + 60;
    (void)moments_over();
    ck_assert_int_eq(moments_over(), 0);
    ck_assert_int_eq(ask(issuer_token, "rsa", GET_TOKEN), 200);
    ck_assert_int_eq(ask(issuer_introspect, "rsa", arena_printf(arena, "token=%s", token())), 200);
    ck_assert_int_eq(access_add(issuer->access, &row, NOW, &err), 0);
    ck_assert_int_eq(moments_over(), 0); /* what is new is in nobody's answer */
    at(NOW + 1);
    ck_assert_int_eq(moments_over(), 2);
    issuer_end_grant(issuer, "other"); /* whose tokens may be in the store only */
    ck_assert_int_eq(moments_over(), 2);
    issuer_end_grant(issuer, "g1");
    ck_assert_int_eq(moments_over(), 2);
    ck_assert_int_eq(access_add(issuer->access, &row, NOW, &err), 0);
    ck_assert_int_eq(access_add(issuer->access, &row, NOW, &err), 0); /* in place of itself */
    ck_assert_int_eq(moments_over(), 2);
    issuer_end_account(issuer, "person");
    ck_assert_int_eq(moments_over(), 2);
    row.ended = NOW;
    ck_assert_int_eq(access_add(issuer->access, &row, NOW, &err), 0);
    ck_assert_int_eq(moments_over(), 2);
    put_secret("rsa");
    ck_assert_int_eq(moments_over(), 2);
    app_secrets_drop(secrets, "rsa");
    ck_assert_int_eq(moments_over(), 2);
    app_secrets_drop_of(secrets, "opaque");
    ck_assert_int_eq(moments_over(), 2);
    issuer_set_apps(issuer, apps);
    ck_assert_int_eq(moments_over(), 2);
    issuer_keys_render(issuer->keys);
    ck_assert_int_eq(moments_over(), 2);
    ck_assert_int_eq(store_write_now(fx.store, write_nothing, NULL, &err), STORE_DONE);
    ck_assert_int_eq(moments_over(), 1);
    ck_assert_int_eq(moments_over(), 0);
}
END_TEST

START_TEST(a_busy_store_ends_grants_later)
{
    store_fixture_sql(&fx, "INSERT INTO account (id, created) VALUES ('acc', 1)");
    store_fixture_sql(
        &fx, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 70) "
             "INSERT INTO oauth_grant (id, app, account, session, scopes, created, ends) "
             "SELECT 'g' || i, 'rsa', 'acc', 's', 'openid', 1, 1800009999 FROM n");
    store_fixture_sql(&fx, "INSERT INTO oauth_grant (id, app, account, session, scopes, created, "
                           "ends) VALUES ('off', 'rsa', 'acc', 's', 'openid offline_access', 1, "
                           "1800009999)");
    issuer_free(&issuer);
    open_issuer(100); /* knows that there are grants */
    store_fixture_fill(&fx);
    issuer_session_over(issuer, "acc", "s", NULL);
    store_fixture_go_on(&fx);
    ck_assert_int_eq(
        store_fixture_number(&fx, "SELECT count(*) FROM oauth_grant WHERE ended IS NULL"), 71);
    for (int i = 0; i < 200; i++) {
        issuer_step(issuer);
        loop_once(loop, 5);
    }
    ck_assert_int_eq(
        store_fixture_number(&fx, "SELECT count(*) FROM oauth_grant WHERE ended IS NULL"), 1);
}
END_TEST

Suite *suite_issuer(void)
{
    Suite *s = suite_create("issuer");
    TCase *tc = tcase_create("all");
    tcase_set_timeout(tc, 60);
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, a_moment_is_over_when_something_changes);
    tcase_add_test(tc, a_busy_store_ends_grants_later);
    tcase_add_test(tc, revocation_without_a_store);
    tcase_add_test(tc, an_opaque_token_without_a_store);
    tcase_add_test(tc, a_store_with_a_full_queue);
    tcase_add_test(tc, a_full_table_refuses_and_forgets_nobody);
    tcase_add_test(tc, what_expired_goes_from_the_store);
    tcase_add_test(tc, a_persons_token_ends_with_the_person);
    tcase_add_test(tc, an_exchange_without_a_store);
    tcase_add_test(tc, an_exchange_without_room);
    tcase_add_loop_test(tc, an_exchange_of_what_ends_meanwhile, 0, 3);
    tcase_add_test(tc, ends_while_a_thread_signs);
    tcase_add_test(tc, too_many_signatures);
    suite_add_tcase(s, tc);
    return s;
}
