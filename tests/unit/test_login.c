/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdio.h>

#include "login_fixture.h"
#include "sys/clock.h"

Suite *suite_login(void);

static bool signed_in(const char *token, struct session_view *v)
{
    return sessions_check(lfx.sessions, str_of(token), wall_seconds(clock_wall()), v) == 1;
}

static void finish(const char *query, struct came *came)
{
    const struct finish_args f = {.query = query};
    login_fixture_finish(&f, came);
    login_fixture_pump();
    ck_assert_uint_eq(came->times, 1);
}

/* A login that was started, and the callback that belongs to it. */
static const char *started_query(struct came *started)
{
    login_fixture_start("/home", started);
    ck_assert_int_eq(started->kind, ERR_NONE);
    return login_fixture_callback(started);
}

START_TEST(signs_in)
{
    struct came c;
    struct session_view v;
    login_fixture_sign_in(&c);
    ck_assert_int_eq(c.kind, ERR_NONE);
    ck_assert_str_eq(c.return_to, "/home");
    ck_assert_uint_eq(strlen(c.token), 43);
    ck_assert(signed_in(c.token, &v));
    ck_assert_str_eq(v.provider, "toy");
    ck_assert_str_eq(v.subject, "1234");
    ck_assert_str_eq(v.email, "ada@example.org");
    ck_assert_str_eq(v.groups, "[\"toy:staff\"]");
    ck_assert_int_eq(login_fixture_sql("SELECT count(*) FROM session"), 1);
    ck_assert_int_eq(login_fixture_sql("SELECT count(*) FROM account"), 1);
    ck_assert_int_eq(login_fixture_sql("SELECT count(*) FROM spent"), 1);
    ck_assert_int_eq(login_fixture_outcomes("done"), 1);
    ck_assert_uint_eq(login_in_flight(lfx.login), 0);

    struct came again;
    login_fixture_sign_in(&again);
    ck_assert_str_ne(c.token, again.token);
    ck_assert_int_eq(login_fixture_sql("SELECT count(*) FROM account"), 1);
}
END_TEST

/* ACCT-05, ACCT-03: another subject is another account, whatever the e-mail. */
START_TEST(acct_03_email_never_selects)
{
    struct came c;
    login_fixture_sign_in(&c);
    lfx.subject = "9999";
    login_fixture_sign_in(&c);
    ck_assert_int_eq(c.kind, ERR_NONE);
    ck_assert_int_eq(login_fixture_sql("SELECT count(*) FROM account"), 2);
}
END_TEST

/* STATE-01, STATE-02, STATE-03, CB-35: without a state of ours nothing is asked of the upstream. */
START_TEST(state_01_no_state)
{
    static const char *const queries[] = {
        "code=c0de",           "state=&code=c0de",
        "state=%20&code=c0de", "state=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA&code=c0de",
        "error=access_denied", "state=a&state=b&code=c0de"};
    struct came c;
    for (size_t i = 0; i < sizeof queries / sizeof *queries; i++) {
        finish(queries[i], &c);
        ck_assert_int_eq(c.kind, ERR_INVALID);
    }
    ck_assert_uint_eq(lfx.token_requests, 0);
    ck_assert_int_eq(login_fixture_sql("SELECT count(*) FROM spent"), 0);
}
END_TEST

/* STATE-06: a replay after success asks nobody; a browser that is signed in just goes on. */
START_TEST(state_06_replay_after_success)
{
    struct came started, c;
    const char *query = started_query(&started);
    finish(query, &c);
    ck_assert_int_eq(c.kind, ERR_NONE);
    const char *token = arena_dup(lfx.arena, c.token);
    finish(query, &c);
    ck_assert_int_eq(c.kind, ERR_EXPIRED);
    const struct finish_args with = {.query = query, .session = token};
    login_fixture_finish(&with, &c);
    ck_assert_int_eq(c.kind, ERR_NONE);
    ck_assert(!c.has_token);
    ck_assert_str_eq(c.return_to, "/home");
    ck_assert_uint_eq(lfx.token_requests, 1);
    ck_assert_int_eq(login_fixture_outcomes("replayed"), 1);
    login_fixture_restart();
    finish(query, &c);
    ck_assert_int_eq(c.kind, ERR_EXPIRED);
    ck_assert_uint_eq(lfx.token_requests, 1);
}
END_TEST

/* STATE-07: used up before the exchange, also for the next process. */
START_TEST(state_07_replay_after_failure)
{
    struct came started, c;
    const char *query = started_query(&started);
    lfx.token_status = 500;
    finish(query, &c);
    ck_assert_int_eq(c.kind, ERR_UPSTREAM_DOWN);
    lfx.token_status = 200;
    finish(query, &c);
    ck_assert_int_eq(c.kind, ERR_EXPIRED);
    login_fixture_restart();
    finish(query, &c);
    ck_assert_int_eq(c.kind, ERR_EXPIRED);
    ck_assert_uint_eq(lfx.token_requests, 1);
    ck_assert_int_eq(login_fixture_sql("SELECT count(*) FROM session"), 0);
}
END_TEST

/* STATE-08: older than its lifetime. */
START_TEST(state_08_too_old)
{
    static const struct clock_fake later = {.wall = {(LOGIN_NOW + 601) * 1000000LL}, .mono = {1}};
    struct came started, c;
    const char *query = started_query(&started);
    clock_set_fake(&later);
    finish(query, &c);
    ck_assert_int_eq(c.kind, ERR_EXPIRED);
    ck_assert_uint_eq(lfx.token_requests, 0);
}
END_TEST

/* STATE-09, STATE-12: somebody else's flow in this browser. */
START_TEST(state_09_another_browser)
{
    struct came started, c;
    const char *query = started_query(&started);
    const struct finish_args other = {.query = query, .bind = "bind-of-another-one"};
    const struct finish_args none = {.query = query, .bind = ""};
    login_fixture_finish(&other, &c);
    ck_assert_int_eq(c.kind, ERR_INVALID);
    login_fixture_finish(&none, &c);
    ck_assert_int_eq(c.kind, ERR_INVALID);
    finish(query, &c); /* and it did not use the flow up */
    ck_assert_int_eq(c.kind, ERR_NONE);
}
END_TEST

/* STATE-14, LOGIN-33: several logins at once, finished in the other order. */
START_TEST(state_14_two_tabs)
{
    struct came first, second, c;
    const char *query_1 = started_query(&first);
    const char *nonce_1 = lfx.nonce;
    finish(started_query(&second), &c);
    ck_assert_int_eq(c.kind, ERR_NONE);
    lfx.nonce = nonce_1;
    finish(query_1, &c);
    ck_assert_int_eq(c.kind, ERR_NONE);
    ck_assert_uint_eq(sessions_count(lfx.sessions), 2);
}
END_TEST

static const char *state_of(const struct flow *f)
{
    struct buf b;
    struct err err = ERR_INIT;
    buf_init(&b, STATE_MAX);
    ck_assert_int_eq(state_seal(lfx.keys, STR(LOGIN_BIND), f, &b, &err), 0);
    const char *query = arena_printf(lfx.arena, "state=%s&code=c0de", b.p);
    buf_deinit(&b);
    return query;
}

/* STATE-19, CB-04: a state of another purpose or provider. */
START_TEST(state_19_other_flows)
{
    struct flow f = {.provider = "toy",
                     .purpose = USHER_FLOW_LINK,
                     .started = LOGIN_NOW,
                     .return_to = "/",
                     .carry = "",
                     .max_age = -1};
    struct came c;
    flow_new_id(f.id);
    finish(state_of(&f), &c);
    ck_assert_int_eq(c.kind, ERR_INVALID);
    f.purpose = USHER_FLOW_LOGIN;
    f.provider = "other";
    finish(state_of(&f), &c);
    ck_assert_int_eq(c.kind, ERR_INVALID);
    ck_assert_uint_eq(lfx.token_requests, 0);
}
END_TEST

/* CB-05: a refusal uses the flow up. CB-06, CB-07: what makes no sense does not. */
START_TEST(cb_05_refusals_use_the_flow)
{
    struct came started, c;
    const char *query = started_query(&started);
    const char *state = arena_dupn(lfx.arena, query, strlen(query) - strlen("&code=c0de"));
    finish(arena_printf(lfx.arena, "%s&error=access_denied&code=c0de", state), &c);
    ck_assert_int_eq(c.kind, ERR_INVALID);
    finish(state, &c);
    ck_assert_int_eq(c.kind, ERR_INVALID);
    finish(arena_printf(lfx.arena, "%s&code=c0de&iss=https://evil.example", state), &c);
    ck_assert_int_eq(c.kind, ERR_INVALID);
    finish(arena_printf(lfx.arena, "%s&error=access_denied", state), &c);
    ck_assert_int_eq(c.kind, ERR_DENIED);
    finish(query, &c);
    ck_assert_int_eq(c.kind, ERR_EXPIRED);
    ck_assert_uint_eq(lfx.token_requests, 0);
    ck_assert_int_eq(login_fixture_outcomes("denied"), 1);
}
END_TEST

/* CB-30, CB-31: the same callback twice while the first is under way. */
START_TEST(cb_30_race)
{
    struct came started, first, second;
    const struct finish_args f = {.query = started_query(&started)};
    login_fixture_finish(&f, &first);
    login_fixture_finish(&f, &second);
    ck_assert_uint_eq(first.times, 0);
    ck_assert_int_eq(second.kind, ERR_EXPIRED);
    login_fixture_pump();
    ck_assert_int_eq(first.kind, ERR_NONE);
    ck_assert_uint_eq(lfx.token_requests, 1);
}
END_TEST

/* LOGIN-32, SESS-04: the old session lives until the new one is there, and not longer. */
START_TEST(login_32_old_session_is_replaced)
{
    struct came old, started, c;
    struct session_view v;
    login_fixture_sign_in(&old);
    lfx.subject = "9999";
    lfx.token_status = 500;
    struct finish_args f = {.query = started_query(&started), .session = old.token};
    login_fixture_finish(&f, &c);
    login_fixture_pump();
    ck_assert_int_eq(c.kind, ERR_UPSTREAM_DOWN);
    ck_assert(signed_in(old.token, &v));
    lfx.token_status = 200;
    f.query = started_query(&started);
    login_fixture_finish(&f, &c);
    login_fixture_pump();
    ck_assert_int_eq(c.kind, ERR_NONE);
    ck_assert(!signed_in(old.token, &v));
    ck_assert(signed_in(c.token, &v));
    ck_assert_str_eq(v.subject, "9999");
    ck_assert_int_eq(login_fixture_sql("SELECT count(*) FROM session"), 1);
}
END_TEST

/* SESS-04: what the store ended is over, even if memory cannot take what came in its place. */
START_TEST(old_session_ends_where_the_new_one_finds_no_room)
{
    struct came old, started, c;
    struct session_view v;
    login_fixture_sign_in(&old);
    login_fixture_sql("WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 33) "
                      "INSERT INTO account_role SELECT account.id, 'r' || i, 1 FROM account, n");
    const struct finish_args f = {.query = started_query(&started), .session = old.token};
    login_fixture_finish(&f, &c);
    login_fixture_pump();
    ck_assert_int_eq(c.kind, ERR_LIMITED);
    ck_assert_int_eq(login_fixture_sql("SELECT count(*) FROM session"), 0);
    ck_assert(!signed_in(old.token, &v));
}
END_TEST

/* ACCT-18: a disabled account does not sign in, and nothing is enabled by trying. */
START_TEST(acct_18_disabled_account)
{
    struct came c;
    login_fixture_sign_in(&c);
    login_fixture_sql("UPDATE account SET disabled_since = 1");
    login_fixture_sign_in(&c);
    ck_assert_int_eq(c.kind, ERR_NOT_ALLOWED);
    ck_assert_int_eq(login_fixture_sql("SELECT disabled_since FROM account"), 1);
    ck_assert_int_eq(login_fixture_sql("SELECT count(*) FROM session"), 1);
    ck_assert_uint_eq(sessions_count(lfx.sessions), 1);
    /* The flow that led there is used up all the same. */
    ck_assert_int_eq(login_fixture_sql("SELECT count(*) FROM spent"), 2);
}
END_TEST

/* What the store did not keep is not answered as made. */
START_TEST(a_store_that_fails)
{
    struct came c;
    login_fixture_sql("DROP TABLE session");
    login_fixture_sign_in(&c);
    ck_assert_int_eq(c.kind, ERR_INTERNAL);
    ck_assert_uint_eq(sessions_count(lfx.sessions), 0);
    ck_assert_int_eq(login_fixture_sql("SELECT count(*) FROM account"), 0);
}
END_TEST

/* LOGIN-25, LOGIN-22: no such provider. */
START_TEST(login_25_unknown_provider)
{
    struct came c, started;
    const char *query = started_query(&started);
    struct registry *empty = NULL;
    struct conf_problems problems;
    const struct registry_options none = {.plugin_dir = "/nonexistent"};
    conf_problems_init(&problems);
    empty = registry_load(&none, &problems);
    struct registry *kept = lfx.options.registry;
    lfx.options.registry = empty;
    login_fixture_restart();
    finish(query, &c);
    ck_assert_int_eq(c.kind, ERR_INVALID);
    login_fixture_start("/", &c);
    ck_assert_int_eq(c.kind, ERR_INVALID);
    ck_assert_uint_eq(lfx.token_requests, 0);
    lfx.options.registry = kept;
    registry_free(&empty);
    conf_problems_deinit(&problems);
}
END_TEST

static struct registry *empty_registry(void)
{
    struct conf_problems problems;
    const struct registry_options none = {.plugin_dir = "/nonexistent"};
    conf_problems_init(&problems);
    struct registry *empty = registry_load(&none, &problems);
    conf_problems_deinit(&problems);
    return empty;
}

/* CONF-09: the provider goes while a login is with the upstream, and again while the store has it:
 * the login ends as it began; the next one ends cleanly. */
START_TEST(conf_09_removed_while_under_way)
{
    struct came started, c;
    const struct finish_args f = {.query = started_query(&started)};
    struct registry *empty = empty_registry();
    login_fixture_finish(&f, &c);
    login_set_registry(lfx.login, empty);
    registry_free(&lfx.registry); /* the last one but the leg's own */
    lfx.options.registry = NULL;
    login_fixture_answer_upstream();
    ck_assert_uint_eq(login_in_flight(lfx.login), 1);
    while (c.times == 0)
        login_fixture_pump();
    ck_assert_int_eq(c.kind, ERR_NONE);
    ck_assert(c.has_token);
    ck_assert_int_eq(login_fixture_outcomes("done"), 1);
    finish(f.query, &c);
    ck_assert_int_eq(c.kind, ERR_INVALID);
    registry_free(&empty);
}
END_TEST

START_TEST(limits_change_for_the_next)
{
    struct came started, second, first, c;
    const struct finish_args f = {.query = started_query(&started)};
    const char *nonce = lfx.nonce;
    const struct finish_args g = {.query = started_query(&second)};
    login_fixture_finish(&f, &first);
    login_set_limits(lfx.login, 20000, 1);
    login_fixture_finish(&g, &c);
    ck_assert_int_eq(c.kind, ERR_LIMITED);
    lfx.nonce = nonce;
    while (first.times == 0)
        login_fixture_pump();
    ck_assert_int_eq(first.kind, ERR_NONE);
}
END_TEST

START_TEST(too_many_at_once)
{
    struct came started, second, first, c;
    lfx.options.max_in_flight = 1;
    login_fixture_restart();
    const struct finish_args f = {.query = started_query(&started)};
    const char *nonce = lfx.nonce;
    const struct finish_args g = {.query = started_query(&second)};
    login_fixture_finish(&f, &first);
    ck_assert_uint_eq(login_in_flight(lfx.login), 1);
    login_fixture_finish(&g, &c);
    ck_assert_int_eq(c.kind, ERR_LIMITED);
    lfx.nonce = nonce;
    login_fixture_pump();
    ck_assert_int_eq(first.kind, ERR_NONE);
    finish(login_fixture_callback(&second), &c); /* being refused did not use it up */
    ck_assert_int_eq(c.kind, ERR_NONE);
}
END_TEST

/* Stopping while the upstream, or the store, has a login: no answer comes, nothing leaks. */
START_TEST(freed_while_the_upstream_is_asked)
{
    struct came started, c;
    const struct finish_args f = {.query = started_query(&started)};
    login_fixture_finish(&f, &c);
    ck_assert_uint_eq(login_in_flight(lfx.login), 1);
    login_free(&lfx.login);
    ck_assert(!lfx.waiting[0].open);
    ck_assert_uint_eq(c.times, 0);
}
END_TEST

START_TEST(freed_while_the_store_writes)
{
    struct came started, c;
    const struct finish_args f = {.query = started_query(&started)};
    login_fixture_finish(&f, &c);
    login_fixture_answer_upstream();
    ck_assert_uint_eq(login_in_flight(lfx.login), 1);
    login_free(&lfx.login);
    login_fixture_pump();
    ck_assert_uint_eq(c.times, 0);
    ck_assert_uint_eq(sessions_count(lfx.sessions), 0);
}
END_TEST

/* A plugin that needs no code: what it asks for lies there already, so it is done before anybody
 * has the drive in hand. */
static void at_once(struct usher_call *c, const struct usher_event *ev, struct usher_action *act)
{
    static const struct usher_identity who = {.size = sizeof who, .subject = "1234"};
    static const struct usher_request document = {
        .size = sizeof document, .url = "https://toy.example/me", .cache_seconds = 60};
    (void)c;
    if (ev->kind == USHER_START) {
        act->kind = USHER_REDIRECT;
        act->url = "https://toy.example/authorize";
        act->redirect_flags = USHER_SEND_NONCE;
    } else if (ev->kind == USHER_CALLBACK) {
        act->kind = USHER_FETCH;
        act->requests = &document;
        act->n_requests = 1;
    } else {
        act->kind = USHER_DONE;
        act->identity = &who;
    }
}

static bool at_hand(void *ctx, const struct provider *p, const struct cache_request *rq,
                    fetch_done_fn *done, void *arg)
{
    const struct fetch_result r = {
        .status = 200, .content_type = "application/json", .charset = "", .body = STR("{}")};
    (void)ctx, (void)p, (void)rq;
    done(arg, &r);
    return true;
}

START_TEST(done_before_the_drive_is_there)
{
    static const char *const origins[] = {"https://toy.example", NULL};
    static const struct usher_provider eager = {USHER_PROVIDER_HEAD, .name = "eager",
                                                .label = "Eager",    .version = "1",
                                                .origins = origins,  .step = at_once};
    static const struct usher_provider *const builtin[] = {&eager, NULL};
    const struct registry_options o = {.builtin = builtin};
    struct conf_problems problems;
    struct came c;
    conf_problems_init(&problems);
    struct registry *r = registry_text(
        &o, "toy",
        str_of("plugin = eager\nclient_id = app\nclient_secret = s3cret\nkeep_tokens = yes\n"),
        &problems);
    ck_assert_msg(problems.n == 0, "%s", problems.text.p);
    conf_problems_deinit(&problems);
    login_set_registry(lfx.login, r);
    registry_free(&r);
    lfx.io.at_hand = at_hand;
    login_fixture_sign_in(&c);
    ck_assert_int_eq(c.kind, ERR_NONE);
    ck_assert(c.has_token);
    ck_assert_int_eq(login_fixture_sql("SELECT count(*) FROM upstream_token"), 0);
}
END_TEST

Suite *suite_login(void)
{
    Suite *s = suite_create("login");
    TCase *tc = tcase_create("login");
    tcase_add_checked_fixture(tc, login_fixture_open, login_fixture_close);
    tcase_add_test(tc, signs_in);
    tcase_add_test(tc, done_before_the_drive_is_there);
    tcase_add_test(tc, acct_03_email_never_selects);
    tcase_add_test(tc, state_01_no_state);
    tcase_add_test(tc, state_06_replay_after_success);
    tcase_add_test(tc, state_07_replay_after_failure);
    tcase_add_test(tc, state_08_too_old);
    tcase_add_test(tc, state_09_another_browser);
    tcase_add_test(tc, state_14_two_tabs);
    tcase_add_test(tc, state_19_other_flows);
    tcase_add_test(tc, cb_05_refusals_use_the_flow);
    tcase_add_test(tc, cb_30_race);
    tcase_add_test(tc, login_32_old_session_is_replaced);
    tcase_add_test(tc, old_session_ends_where_the_new_one_finds_no_room);
    tcase_add_test(tc, acct_18_disabled_account);
    tcase_add_test(tc, a_store_that_fails);
    tcase_add_test(tc, login_25_unknown_provider);
    tcase_add_test(tc, conf_09_removed_while_under_way);
    tcase_add_test(tc, limits_change_for_the_next);
    tcase_add_test(tc, too_many_at_once);
    tcase_add_test(tc, freed_while_the_upstream_is_asked);
    tcase_add_test(tc, freed_while_the_store_writes);
    suite_add_tcase(s, tc);
    return s;
}
