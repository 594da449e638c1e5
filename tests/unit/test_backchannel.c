/* SPDX-License-Identifier: Apache-2.0 */
/* Apps are told of logouts: by app, in order, again after pauses, and over restarts (OP-59). */
#include "issuer/backchannel.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "issuer/parts.h"
#include "issuer_fixture.h"
#include "stub_server.h"

Suite *suite_backchannel(void);

#define APPS 40
#define DOUBTFUL 8 /* at once */
#define DAY (24 * 3600)

static struct issuer_fixture f;
static struct stub *stub;
static struct issuer_fixture_app apps[APPS];

/* What the apps hear, and what they say. The stub has threads of its own. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct {
    unsigned n, silent;
    char paths[64][32];
    char body[16384]; /* the last */
    int status;
    bool mute; /* /app-N but the last says nothing until the other side goes */
} heard;

static unsigned times(void)
{
    pthread_mutex_lock(&lock);
    const unsigned n = heard.n;
    pthread_mutex_unlock(&lock);
    return n;
}

static bool hear(struct stub_conn *c, const struct stub_request *rq, void *arg)
{
    (void)arg;
    pthread_mutex_lock(&lock);
    char *path = heard.paths[heard.n < 64 ? heard.n : 63];
    (void)sscanf(rq->head, "POST %31s", path);
    (void)snprintf(heard.body, sizeof heard.body, "%s", rq->body);
    const int status = heard.status;
    const bool mute = heard.mute && strcmp(path, "/last") != 0;
    heard.n++;
    heard.silent += mute;
    pthread_mutex_unlock(&lock);
    if (!mute)
        return stub_reply(c, status, "", "");
    stub_wait(c, 20000);
    pthread_mutex_lock(&lock);
    heard.silent--;
    pthread_mutex_unlock(&lock);
    return false;
}

static void setup(void)
{
    stub = stub_start(hear, NULL);
    static char ids[APPS][16], settings[APPS][128];
    for (int i = 0; i < APPS; i++) {
        const bool last = i == APPS - 1;
        (void)snprintf(ids[i], sizeof ids[i], last ? "last" : "app-%02d", i);
        (void)snprintf(settings[i], sizeof settings[i],
                       "{\"backchannel_logout_uri\":\"http://127.0.0.1:%d/%s\"}", stub_port(stub),
                       ids[i]);
        apps[i] = (struct issuer_fixture_app){ids[i], settings[i]};
    }
    memset(&heard, 0, sizeof heard);
    heard.status = 200;
    issuer_fixture_open(&f, apps, APPS);
}

static void teardown(void)
{
    issuer_fixture_close(&f);
    stub_stop(&stub);
}

/* A row as a session leaves it behind. */
struct row {
    const char *id, *app;
    int64_t created, attempts;
};

static int put(struct db *db, void *arg, struct err *err)
{
    const struct row *r = arg;
    struct db_stmt *st =
        db_query(db, "INSERT INTO logout_delivery (id, app, account, sid, attempts, next, created) "
                     "VALUES ($1, $2, 'account-1', $1, $3, 0, $4)");
    db_text(st, 1, r->id);
    db_text(st, 2, r->app);
    db_int(st, 3, r->attempts);
    db_int(st, 4, r->created);
    return db_run(st, err) < 0 ? -1 : 0;
}

static void is_over(const char *id, const char *app, int64_t created, int64_t attempts)
{
    struct row r = {id, app, created, attempts};
    struct err err = ERR_INIT;
    ck_assert_msg(store_write_now(f.store.store, put, &r, &err) == STORE_DONE, "%s", err.text);
    backchannel_wake(f.issuer->backchannel);
}

static int64_t rows(void)
{
    return store_fixture_number(&f.store, "SELECT count(*) FROM logout_delivery");
}

static int64_t attempts(void)
{
    return store_fixture_number(&f.store,
                                "SELECT coalesce(max(attempts), -1) FROM logout_delivery");
}

static bool none_left(void *arg)
{
    (void)arg;
    return rows() == 0;
}

static bool tried(void *arg)
{
    return attempts() == *(int64_t *)arg;
}

static bool heard_so_often(void *arg)
{
    return times() == *(unsigned *)arg;
}

/* Long enough for whatever is wrong to show. */
static void a_while(void)
{
    for (int i = 0; i < 60; i++) {
        issuer_step(f.issuer);
        loop_once(f.loop, 5);
    }
}

static void told_until(unsigned n)
{
    ck_assert(issuer_fixture_until(&f, heard_so_often, &n));
}

static void failed_until(int64_t n)
{
    ck_assert(issuer_fixture_until(&f, tried, &n));
}

START_TEST(told_once_by_a_token_that_is_for_nothing_else)
{
    struct err err = ERR_INIT;
    struct jws j;
    is_over("sid-1", "last", ISSUER_NOW, 0);
    ck_assert(issuer_fixture_until(&f, none_left, NULL));
    a_while();
    ck_assert_uint_eq(times(), 1);
    ck_assert_str_eq(heard.paths[0], "/last");
    static const char field[] = "logout_token=";
    ck_assert_int_eq(strncmp(heard.body, field, sizeof field - 1), 0);
    const struct str token = str_of(heard.body + sizeof field - 1);
    ck_assert_int_eq(jws_decode_typ(token, "logout+jwt", &j, &err), 0);
    ck_assert_int_eq(jws_check(&j, token, issuer_keys_public(f.issuer->keys), JWS_RS256, &err), 1);
    ck_assert_str_eq(jval_text(jval_get(j.payload, "iss")), ISSUER_URL);
    ck_assert_str_eq(jval_text(jval_get(j.payload, "aud")), "last");
    ck_assert_str_eq(jval_text(jval_get(j.payload, "sub")), "account-1");
    ck_assert_str_eq(jval_text(jval_get(j.payload, "sid")), "sid-1");
    ck_assert_ptr_nonnull(jval_get(j.payload, "jti"));
    ck_assert_ptr_null(jval_get(j.payload, "nonce"));
    jws_deinit(&j);
}
END_TEST

/* An app has many sessions that end at once: each is told, the oldest first. */
START_TEST(one_after_the_other)
{
    char ids[40][16];
    for (int i = 39; i >= 0; i--) {
        (void)snprintf(ids[i], sizeof ids[i], "sid-%d", i);
        is_over(ids[i], "app-07", ISSUER_NOW - 100 + i, 0);
    }
    ck_assert(issuer_fixture_until(&f, none_left, NULL));
    ck_assert_uint_eq(times(), 40);
    ck_assert_uint_eq(stub_connections(stub), 1);
}
END_TEST

START_TEST(again_after_growing_pauses)
{
    static const int64_t pauses[] = {2, 10, 60, 300, 1800, 3600, 3600};
    int64_t now = ISSUER_NOW;
    heard.status = 500;
    is_over("sid-1", "last", ISSUER_NOW, 0);
    for (unsigned i = 0; i < sizeof pauses / sizeof *pauses; i++) {
        failed_until(i + 1);
        ck_assert_uint_eq(times(), i + 1);
        issuer_fixture_at(&f, now + pauses[i] - 1);
        a_while();
        ck_assert_uint_eq(times(), i + 1);
        now += pauses[i];
        issuer_fixture_at(&f, now);
    }
    heard.status = 204;
    ck_assert(issuer_fixture_until(&f, none_left, NULL));
}
END_TEST

/* Redirects and whatever else is no 2xx are none. */
START_TEST(given_up_after_a_day)
{
    static const int statuses[] = {302, 404};
    for (int i = 0; i < 2; i++) {
        heard.status = statuses[i];
        is_over("old", "last", ISSUER_NOW - DAY, 5);
        is_over("young", "last", ISSUER_NOW - DAY + 1, 5);
        failed_until(6);
        ck_assert_int_eq(rows(), 1); /* both were in vain, one of them for the last time */
        store_fixture_sql(&f.store, "DELETE FROM logout_delivery");
    }
}
END_TEST

START_TEST(what_is_new_waits_with_what_is_old)
{
    heard.status = 503;
    is_over("sid-1", "last", ISSUER_NOW, 0);
    failed_until(1);
    is_over("sid-2", "last", ISSUER_NOW + 1, 0);
    a_while();
    ck_assert_uint_eq(times(), 1);
    heard.status = 200;
    issuer_fixture_at(&f, ISSUER_NOW + 2);
    ck_assert(issuer_fixture_until(&f, none_left, NULL));
    ck_assert_uint_eq(times(), 3);
}
END_TEST

START_TEST(apps_that_do_not_want_to_know_any_more)
{
    const struct issuer_fixture_app changed[] = {{"last", "{}"}};
    is_over("sid-1", "last", ISSUER_NOW, 0);
    is_over("sid-2", "app-01", ISSUER_NOW, 0); /* gone altogether */
    issuer_fixture_apps(&f, changed, 1);
    ck_assert(issuer_fixture_until(&f, none_left, NULL));
    ck_assert_uint_eq(times(), 0);
}
END_TEST

/* 39 apps that take the connection and say nothing, and one that lives. */
START_TEST(dead_apps_leave_room)
{
    char ids[APPS][16];
    heard.mute = true;
    for (int i = 0; i < APPS - 1; i++) {
        (void)snprintf(ids[i], sizeof ids[i], "sid-%d", i);
        is_over(ids[i], apps[i].id, ISSUER_NOW - 100, 3); /* older, and failed before */
    }
    told_until(DOUBTFUL);
    a_while();
    ck_assert_uint_eq(times(), DOUBTFUL);
    is_over("sid-last", "last", ISSUER_NOW, 0);
    told_until(DOUBTFUL + 1);
    ck_assert_str_eq(heard.paths[DOUBTFUL], "/last");
}
END_TEST

/* What was being sent is told again by the next process. */
START_TEST(a_stop_in_the_middle)
{
    heard.mute = true;
    is_over("sid-1", "app-03", ISSUER_NOW, 0);
    told_until(1);
    issuer_fixture_stop(&f);
    ck_assert_int_eq(rows(), 1);
    ck_assert_int_eq(attempts(), 0);
    pthread_mutex_lock(&lock);
    heard.mute = false;
    pthread_mutex_unlock(&lock);
    issuer_fixture_start(&f);
    ck_assert(issuer_fixture_until(&f, none_left, NULL));
    ck_assert_uint_eq(times(), 2);
}
END_TEST

/* Nothing is lost with a store that fails; something may be told twice. */
START_TEST(a_store_that_fails)
{
    is_over("sid-1", "last", ISSUER_NOW, 0);
    store_fixture_sql(&f.store, "ALTER TABLE logout_delivery RENAME TO elsewhere");
    a_while();
    ck_assert_uint_eq(times(), 0);
    store_fixture_sql(&f.store, "ALTER TABLE elsewhere RENAME TO logout_delivery");
    issuer_fixture_at(&f, ISSUER_NOW + 61);
    ck_assert(issuer_fixture_until(&f, none_left, NULL));
    ck_assert_uint_eq(times(), 1);
}
END_TEST

START_TEST(a_store_that_is_too_busy)
{
    unsigned once = 1;
    is_over("sid-1", "last", ISSUER_NOW, 0);
    store_fixture_fill(&f.store);
    ck_assert(issuer_fixture_until(&f, heard_so_often, &once)); /* reads go on */
    a_while();
    store_fixture_go_on(&f.store);
    ck_assert_int_eq(rows(), 1); /* nobody could write it down */
    issuer_fixture_at(&f, ISSUER_NOW + 61);
    ck_assert(issuer_fixture_until(&f, none_left, NULL));
    ck_assert_uint_eq(times(), 2);
}
END_TEST

Suite *suite_backchannel(void)
{
    Suite *s = suite_create("backchannel");
    TCase *t = tcase_create("all");
    tcase_set_timeout(t, 60);
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, told_once_by_a_token_that_is_for_nothing_else);
    tcase_add_test(t, one_after_the_other);
    tcase_add_test(t, again_after_growing_pauses);
    tcase_add_test(t, given_up_after_a_day);
    tcase_add_test(t, what_is_new_waits_with_what_is_old);
    tcase_add_test(t, apps_that_do_not_want_to_know_any_more);
    tcase_add_test(t, dead_apps_leave_room);
    tcase_add_test(t, a_stop_in_the_middle);
    tcase_add_test(t, a_store_that_fails);
    tcase_add_test(t, a_store_that_is_too_busy);
    suite_add_tcase(s, t);
    return s;
}
