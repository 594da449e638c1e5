/* SPDX-License-Identifier: Apache-2.0 */
/* What apps hold of usher as a provider, on every backend: grants, codes, refresh tokens, consents,
 * requests that wait, devices. */
#include <stdio.h>
#include <string.h>

#include "kit.h"
#include "store/authorization_code.h"
#include "store/authorization_request.h"
#include "store/consent.h"
#include "store/device_code.h"
#include "store/logout_delivery.h"
#include "store/oauth_grant.h"
#include "store/refresh_token.h"
#include "store/session_app.h"
#include "store/session_row.h"

static struct arena *arena;
static struct kit_login login;

static void setup(void)
{
    kit_setup();
    arena = arena_new();
    kit_sql("DELETE FROM logout_delivery");
    kit_sql("DELETE FROM session_app");
    kit_login_init(&login, 1);
    kit_write(kit_login_fn, &login);
}

static void teardown(void)
{
    arena_free(&arena);
    kit_teardown();
}

/* A 32-byte hash that is all `c`. */
static const unsigned char *hash(char c)
{
    unsigned char *h = arena_alloc(arena, 32);
    memset(h, c, 32);
    return h;
}

#define MUST(call)                                                                                 \
    do {                                                                                           \
        struct err must_err = ERR_INIT;                                                            \
        const long long must_rc = (call);                                                          \
        ck_assert_msg(must_rc >= 0, "%s: %s", #call, must_err.text);                               \
    } while (0)
#define IS(n, call)                                                                                \
    do {                                                                                           \
        struct err must_err = ERR_INIT;                                                            \
        ck_assert_msg((call) == (n), "%s: not %d: %s", #call, n, must_err.text);                   \
    } while (0)

static struct oauth_grant_row grant_row(const char *id)
{
    return (struct oauth_grant_row){.id = id,
                                    .app = "wiki",
                                    .account = login.account.id,
                                    .session = "session-1",
                                    .sid = "sid-1",
                                    .provider = "discord",
                                    .subject = "80351110224678912",
                                    .scopes = "openid email",
                                    .resource = "[\"https://api.example\"]",
                                    .auth_time = NOW - 5,
                                    .amr = "pwd",
                                    .ip = "192.0.2.1",
                                    .user_agent = "Browser",
                                    .created = NOW,
                                    .ends = NOW + 1000};
}

static int grants(struct db *db, void *arg, struct err *err)
{
    (void)arg, (void)err;
    struct oauth_grant_row row = grant_row("g1"), got;
    MUST(oauth_grant_add(db, &row, &must_err));
    IS(1, oauth_grant_get(db, "g1", arena, &got, &must_err));
    ck_assert_str_eq(got.app, "wiki");
    ck_assert_str_eq(got.account, login.account.id);
    ck_assert_str_eq(got.session, "session-1");
    ck_assert_str_eq(got.sid, "sid-1");
    ck_assert_str_eq(got.provider, "discord");
    ck_assert_str_eq(got.subject, "80351110224678912");
    ck_assert_str_eq(got.scopes, "openid email");
    ck_assert_str_eq(got.resource, "[\"https://api.example\"]");
    ck_assert_ptr_null(got.claims);
    ck_assert_ptr_null(got.acr);
    ck_assert_str_eq(got.amr, "pwd");
    ck_assert_str_eq(got.ip, "192.0.2.1");
    ck_assert_str_eq(got.user_agent, "Browser");
    ck_assert_int_eq(got.auth_time, NOW - 5);
    ck_assert_int_eq(got.created, NOW);
    ck_assert_int_eq(got.ends, NOW + 1000);
    ck_assert_int_eq(got.ended, 0);
    IS(1, oauth_grant_end(db, "g1", NOW + 1, &must_err));
    IS(0, oauth_grant_end(db, "g1", NOW + 2, &must_err)); /* it keeps the time of its end */
    IS(1, oauth_grant_get(db, "g1", arena, &got, &must_err));
    ck_assert_int_eq(got.ended, NOW + 1);
    IS(0, oauth_grant_get(db, "g2", arena, &got, &must_err));
    IS(0, oauth_grant_end(db, "g2", NOW, &must_err));
    return 0;
}

START_TEST(a_grant_comes_back_whole_and_ends_once)
{
    kit_write(grants, NULL);
}
END_TEST

static int count_grant(void *arg, const struct oauth_grant_row *row, struct err *err)
{
    (void)err;
    char *seen = arg;
    strcat(seen, row->id);
    return 0;
}

static const char *listed(struct db *db, const struct oauth_grant_filter *f)
{
    char *seen = arena_alloc(arena, 64);
    seen[0] = 0;
    IS(0, oauth_grant_each(db, f, NOW, count_grant, seen, &must_err));
    return seen;
}

static int many_grants(struct db *db, void *arg, struct err *err)
{
    (void)arg, (void)err;
    const struct oauth_grant_filter account = {.account = login.account.id},
                                    wiki = {.account = login.account.id, .app = "wiki"},
                                    session = {.session = "session-1"};
    struct oauth_grant_row row = grant_row("a");
    MUST(oauth_grant_add(db, &row, &must_err));
    row = grant_row("b");
    row.app = "shop";
    row.created++;
    MUST(oauth_grant_add(db, &row, &must_err));
    row = grant_row("c");
    row.session = "session-2";
    row.created += 2;
    MUST(oauth_grant_add(db, &row, &must_err));
    row = grant_row("d");
    row.account = row.session = NULL; /* the app itself */
    MUST(oauth_grant_add(db, &row, &must_err));
    row = grant_row("e");
    row.ends = NOW; /* over */
    MUST(oauth_grant_add(db, &row, &must_err));

    ck_assert_str_eq(listed(db, &account), "cba");
    ck_assert_str_eq(listed(db, &wiki), "ca");
    ck_assert_str_eq(listed(db, &session), "ba");
    IS(1, oauth_grant_any(db, &must_err));
    IS(3, (int)oauth_grant_follow(db, "session-1", "session-3", &must_err));
    ck_assert_str_eq(listed(db, &session), "");
    IS(3, (int)oauth_grant_follow(db, "session-3", "session-1", &must_err));
    IS(3, (int)oauth_grant_end_all(db, &session, NOW, &must_err)); /* a, b and e */
    ck_assert_str_eq(listed(db, &account), "c");
    IS(1, (int)oauth_grant_end_all(db, &wiki, NOW, &must_err));
    ck_assert_str_eq(listed(db, &account), "");
    IS(1, (int)oauth_grant_sweep(db, NOW, 10, &must_err));
    IS(2, (int)oauth_grant_sweep(db, NOW + 1000, 2, &must_err));
    return 0;
}

START_TEST(grants_by_account_app_and_session)
{
    kit_write(many_grants, NULL);
    kit_sql("DELETE FROM account");
    ck_assert_int_eq(kit_number("SELECT count(*) FROM oauth_grant WHERE account IS NOT NULL"), 0);
}
END_TEST

/* ---- codes and refresh tokens: one of two wins -------------------------------------------------
 */

static void note_delivery(void *arg, const struct logout_delivery_row *row)
{
    char *seen = arg;
    strcat(seen, row->app);
    strcat(seen, row->attempts == 0 ? "0" : "+");
    ck_assert_str_eq(row->account, login.account.id);
    ck_assert_str_eq(row->sid, "sid-1");
    ck_assert_int_eq(row->created, NOW);
}

static const char *to_tell(struct db *db)
{
    char *seen = arena_alloc(arena, 256);
    MUST(logout_delivery_heads(db, note_delivery, seen, &must_err));
    return seen;
}

static void hears(struct db *db, const char *session, const char *app, const char *id)
{
    const struct session_app_row row = {
        .session = session, .account = login.account.id, .app = app, .sid = "sid-1", .id = id};
    MUST(session_app_add(db, &row, &must_err));
}

static int deliveries(struct db *db, void *arg, struct err *err)
{
    (void)arg, (void)err;
    const char *account = login.account.id;
    IS(0, session_app_any(db, &must_err));
    hears(db, "session-1", "wiki", "g1");
    hears(db, "session-1", "wiki", "g2"); /* the same app once more: told once */
    hears(db, "session-1", "chat", "g3");
    hears(db, "session-2", "mail", "g4");
    IS(1, session_app_any(db, &must_err));
    IS(2, (int)session_app_over(db, "session-1", NOW, &must_err));
    IS(0, (int)session_app_over(db, "session-1", NOW + 1, &must_err));
    ck_assert_str_eq(to_tell(db), "chat0wiki0");
    IS(1, (int)session_app_over_account(db, account, NOW, &must_err));
    IS(0, (int)session_app_over_account(db, account, NOW, &must_err));
    IS(0, session_app_any(db, &must_err));
    ck_assert_str_eq(to_tell(db), "chat0mail0wiki0");
    /* What keeps an app from hearing one thing keeps it from all. */
    hears(db, "session-3", "wiki", "g0");
    IS(1, (int)session_app_over(db, "session-3", NOW, &must_err));
    MUST(logout_delivery_postpone(db, "wiki", NOW + 2, &must_err));
    char *seen = arena_alloc(arena, 256);
    MUST(logout_delivery_of_app(db, "wiki", 10, note_delivery, seen, &must_err));
    ck_assert_str_eq(seen, "wiki+wiki+");
    ck_assert_str_eq(to_tell(db), "chat0mail0wiki+");
    MUST(logout_delivery_done(db, "g3", &must_err));
    IS(0, (int)logout_delivery_give_up(db, "wiki", NOW - 1, &must_err));
    IS(2, (int)logout_delivery_give_up(db, "wiki", NOW, &must_err));
    ck_assert_str_eq(to_tell(db), "mail0");
    return 0;
}

START_TEST(apps_that_are_to_be_told_are_kept_once)
{
    kit_write(deliveries, NULL);
}
END_TEST

static int renewed(struct db *db, void *arg, struct err *err)
{
    (void)arg, (void)err;
    hears(db, "session-1", "wiki", "g1");
    IS(1, (int)session_app_follow(db, "session-1", "session-2", &must_err));
    IS(0, (int)session_app_over(db, "session-1", NOW, &must_err));
    struct session_app_row row = {.session = "session-2", /* signed in again: it knows two names */
                                  .account = login.account.id,
                                  .app = "wiki",
                                  .sid = "sid-2",
                                  .id = "g2"};
    MUST(session_app_add(db, &row, &must_err));
    IS(2, (int)session_app_over(db, "session-2", NOW, &must_err));
    return 0;
}

START_TEST(apps_follow_into_the_next_session)
{
    kit_write(renewed, NULL);
}
END_TEST

#define SESSIONS (SESSION_APP_PAGE + 10)

/* One of them is there; the others went without a word. */
static int silent(struct db *db, void *arg, struct err *err)
{
    (void)arg, (void)err;
    struct session_app_sweep s = {.told = 0};
    char session[SESSION_APP_ID + 1], id[32];
    struct session_row row = kit_row(&login);
    row.id = "s-0000000000000000007";
    memcpy(row.hash, hash('7'), 32);
    MUST(session_row_add(db, &row, &must_err));
    for (int i = 0; i < SESSIONS; i++) {
        snprintf(session, sizeof session, "s-%019d", i);
        snprintf(id, sizeof id, "g%d", i);
        hears(db, session, "wiki", id);
    }
    MUST(session_app_sweep(db, NOW, &s, &must_err));
    ck_assert_str_eq(s.after, "s-0000000000000000255");
    MUST(session_app_sweep(db, NOW, &s, &must_err));
    ck_assert_str_eq(s.after, "");
    /* Too early: they may be on their way into another session. */
    MUST(session_app_sweep(db, NOW + SESSION_APP_MISSING - 1, &s, &must_err));
    MUST(session_app_sweep(db, NOW + SESSION_APP_MISSING - 1, &s, &must_err));
    ck_assert_int_eq(s.told, 0);
    IS(1, (int)session_app_follow(db, "s-0000000000000000003", "s-9999999999999999999", &must_err));
    MUST(session_app_sweep(db, NOW + SESSION_APP_MISSING, &s, &must_err));
    MUST(session_app_sweep(db, NOW + SESSION_APP_MISSING, &s, &must_err));
    ck_assert_int_eq(s.told, SESSIONS - 2);
    IS(1, (int)session_app_over(db, row.id, NOW, &must_err));
    IS(1, (int)session_app_over(db, "s-9999999999999999999", NOW, &must_err));
    IS(0, session_app_any(db, &must_err));
    return 0;
}

START_TEST(sessions_that_went_without_a_word)
{
    kit_write(silent, NULL);
}
END_TEST

static int codes(struct db *db, void *arg, struct err *err)
{
    (void)arg, (void)err;
    struct oauth_grant_row grant = grant_row("g");
    struct authorization_code_row row = {.grant = "g",
                                         .redirect_uri = "https://rp.example/cb",
                                         .challenge = "abc",
                                         .nonce = "n",
                                         .expires = NOW + 60},
                                  got;
    MUST(oauth_grant_add(db, &grant, &must_err));
    memcpy(row.hash, hash('a'), 32);
    MUST(authorization_code_add(db, &row, &must_err));
    IS(1, authorization_code_use(db, hash('a'), NOW, arena, &got, &must_err));
    ck_assert_str_eq(got.grant, "g");
    ck_assert_str_eq(got.redirect_uri, "https://rp.example/cb");
    ck_assert_str_eq(got.challenge, "abc");
    ck_assert_str_eq(got.nonce, "n");
    ck_assert_ptr_null(got.claims);
    ck_assert_int_eq(got.expires, NOW + 60);
    ck_assert_int_eq(got.used, 0);
    IS(1, authorization_code_use(db, hash('a'), NOW + 5, arena, &got, &must_err));
    ck_assert_int_eq(got.used, NOW);
    IS(0, authorization_code_use(db, hash('b'), NOW, arena, &got, &must_err));
    IS(0, (int)authorization_code_sweep(db, NOW + 59, 10, &must_err));
    IS(1, (int)authorization_code_sweep(db, NOW + 60, 10, &must_err));
    return 0;
}

START_TEST(a_code_is_used_once)
{
    kit_write(codes, NULL);
}
END_TEST

static int refreshes(struct db *db, void *arg, struct err *err)
{
    (void)arg, (void)err;
    struct oauth_grant_row grant = grant_row("g");
    struct refresh_token_row row = {.grant = "g", .created = NOW, .expires = NOW + 60}, got;
    MUST(oauth_grant_add(db, &grant, &must_err));
    memcpy(row.hash, hash('a'), 32);
    MUST(refresh_token_add(db, &row, &must_err));
    IS(1, refresh_token_get(db, hash('a'), arena, &got, &must_err));
    ck_assert_str_eq(got.grant, "g");
    ck_assert_int_eq(got.used, 0);
    ck_assert_uint_eq(got.successor.n, 0);
    IS(1, refresh_token_use(db, hash('a'), NOW + 1, STR("sealed"), &must_err));
    IS(0, refresh_token_use(db, hash('a'), NOW + 2, STR("other"), &must_err));
    IS(1, refresh_token_get(db, hash('a'), arena, &got, &must_err));
    ck_assert_int_eq(got.used, NOW + 1);
    ck_assert(str_is(got.successor, "sealed"));
    IS(0, (int)refresh_token_forget(db, NOW, 10, &must_err));
    IS(1, (int)refresh_token_forget(db, NOW + 1, 10, &must_err));
    IS(1, refresh_token_get(db, hash('a'), arena, &got, &must_err));
    ck_assert_uint_eq(got.successor.n, 0);
    ck_assert_int_eq(got.used, NOW + 1);
    IS(0, refresh_token_get(db, hash('b'), arena, &got, &must_err));
    IS(1, (int)refresh_token_sweep(db, NOW + 60, 10, &must_err));
    return 0;
}

START_TEST(a_refresh_token_is_used_once_and_remembers_its_answer)
{
    kit_write(refreshes, NULL);
}
END_TEST

static int hang_on(struct db *db, void *arg, struct err *err)
{
    (void)arg, (void)err;
    struct oauth_grant_row grant = grant_row("g");
    struct refresh_token_row refresh = {.grant = "g", .created = NOW, .expires = NOW + 60};
    struct authorization_code_row code = {.grant = "g", .redirect_uri = "x", .expires = NOW + 60};
    MUST(oauth_grant_add(db, &grant, &must_err));
    MUST(refresh_token_add(db, &refresh, &must_err));
    MUST(authorization_code_add(db, &code, &must_err));
    return 0;
}

START_TEST(what_hangs_on_a_grant_goes_with_it)
{
    kit_write(hang_on, NULL);
    kit_sql("DELETE FROM oauth_grant");
    ck_assert_int_eq(kit_number("SELECT count(*) FROM refresh_token"), 0);
    ck_assert_int_eq(kit_number("SELECT count(*) FROM authorization_code"), 0);
}
END_TEST

/* ---- requests, consents, devices ---------------------------------------------------------------
 */

static int requests(struct db *db, void *arg, struct err *err)
{
    (void)arg, (void)err;
    struct authorization_request_row row = {.app = "wiki",
                                            .kind = REQUEST_PENDING,
                                            .params = "{\"state\":\"x\"}",
                                            .bind = hash('q'),
                                            .created = NOW,
                                            .expires = NOW + 600},
                                     got;
    memcpy(row.hash, hash('a'), 32);
    MUST(authorization_request_add(db, &row, &must_err));
    memcpy(row.hash, hash('b'), 32);
    row.kind = REQUEST_PUSHED;
    row.bind = NULL;
    MUST(authorization_request_add(db, &row, &must_err));
    IS(2, (int)authorization_request_count(db, &must_err));
    IS(1, authorization_request_get(db, hash('a'), NOW, arena, &got, &must_err));
    ck_assert_str_eq(got.params, "{\"state\":\"x\"}");
    ck_assert_mem_eq(got.bind, hash('q'), 32);
    ck_assert_str_eq(got.kind, REQUEST_PENDING);
    IS(1, authorization_request_get(db, hash('b'), NOW, arena, &got, &must_err));
    ck_assert_ptr_null(got.bind);
    IS(0, authorization_request_get(db, hash('b'), NOW + 600, arena, &got, &must_err));
    IS(1, authorization_request_drop(db, hash('b'), &must_err));
    IS(0, authorization_request_drop(db, hash('b'), &must_err));
    IS(1, (int)authorization_request_sweep(db, NOW + 600, 10, &must_err));
    return 0;
}

START_TEST(a_request_waits_until_it_expires)
{
    kit_write(requests, NULL);
}
END_TEST

static int take_consent(void *arg, const struct consent_row *row, struct err *err)
{
    (void)err;
    strcat(arg, row->app);
    return 0;
}

static int consents(struct db *db, void *arg, struct err *err)
{
    (void)err;
    const char *other = arg;
    char seen[64] = "";
    struct consent_row row = {.account = login.account.id,
                              .app = "wiki",
                              .scopes = "[\"openid\"]",
                              .created = NOW,
                              .changed = NOW},
                       got;
    MUST(consent_put(db, &row, &must_err));
    row.scopes = "[\"openid\",\"email\"]";
    row.terms = hash('t');
    row.created = row.changed = NOW + 9;
    MUST(consent_put(db, &row, &must_err));
    IS(1, consent_get(db, login.account.id, "wiki", arena, &got, &must_err));
    ck_assert_str_eq(got.scopes, "[\"openid\",\"email\"]");
    ck_assert_mem_eq(got.terms, hash('t'), 32);
    ck_assert_int_eq(got.created, NOW);
    ck_assert_int_eq(got.changed, NOW + 9);
    row.app = "shop";
    MUST(consent_put(db, &row, &must_err));
    IS(0, consent_each(db, login.account.id, take_consent, seen, &must_err));
    ck_assert_str_eq(seen, "shopwiki");
    IS(1, consent_drop(db, login.account.id, "shop", &must_err));
    IS(0, consent_drop(db, login.account.id, "shop", &must_err));
    MUST(consent_move(db, login.account.id, other, &must_err));
    IS(0, consent_get(db, login.account.id, "wiki", arena, &got, &must_err));
    IS(1, consent_get(db, other, "wiki", arena, &got, &must_err));
    return 0;
}

START_TEST(a_consent_is_replaced_taken_back_and_moved)
{
    struct kit_login other;
    kit_login_init(&other, 2);
    kit_write(kit_login_fn, &other);
    kit_write(consents, other.account.id);
    kit_sql("DELETE FROM account");
    ck_assert_int_eq(kit_number("SELECT count(*) FROM consent"), 0);
}
END_TEST

static int devices(struct db *db, void *arg, struct err *err)
{
    (void)arg, (void)err;
    struct oauth_grant_row grant = grant_row("g");
    struct device_code_row row = {.app = "tv",
                                  .scopes = "openid",
                                  .poll_every = 5,
                                  .ip = "192.0.2.7",
                                  .created = NOW,
                                  .expires = NOW + 600},
                           got;
    MUST(oauth_grant_add(db, &grant, &must_err));
    memcpy(row.hash, hash('a'), 32);
    memcpy(row.user_code, hash('u'), 32);
    MUST(device_code_add(db, &row, &must_err));
    IS(1, device_code_typed(db, hash('u'), arena, &got, &must_err));
    ck_assert_int_eq(got.state, DEVICE_WAITING);
    ck_assert_mem_eq(got.hash, hash('a'), 32);
    IS(0, device_code_typed(db, hash('a'), arena, &got, &must_err));
    MUST(device_code_polled(db, hash('a'), NOW + 3, 10, &must_err));
    IS(0, device_code_use(db, hash('a'), &must_err));
    IS(1, device_code_decide(db, hash('a'), "g", &must_err));
    IS(0, device_code_decide(db, hash('a'), NULL, &must_err));
    IS(1, device_code_get(db, hash('a'), arena, &got, &must_err));
    ck_assert_int_eq(got.state, DEVICE_ALLOWED);
    ck_assert_str_eq(got.grant, "g");
    ck_assert_str_eq(got.ip, "192.0.2.7");
    ck_assert_int_eq(got.poll_every, 10);
    ck_assert_int_eq(got.last_poll, NOW + 3);
    IS(1, device_code_use(db, hash('a'), &must_err));
    IS(0, device_code_use(db, hash('a'), &must_err));
    memcpy(row.hash, hash('b'), 32);
    memcpy(row.user_code, hash('v'), 32);
    MUST(device_code_add(db, &row, &must_err));
    IS(1, device_code_decide(db, hash('b'), NULL, &must_err));
    IS(1, device_code_get(db, hash('b'), arena, &got, &must_err));
    ck_assert_int_eq(got.state, DEVICE_DENIED);
    IS(0, (int)device_code_sweep(db, NOW + 600 + DEVICE_CODE_KEPT - 1, 10, &must_err));
    IS(2, (int)device_code_sweep(db, NOW + 600 + DEVICE_CODE_KEPT, 10, &must_err));
    return 0;
}

START_TEST(a_device_is_let_in_once)
{
    kit_write(devices, NULL);
}
END_TEST

Suite *suite_oauth_nouns(const char *name)
{
    Suite *s = suite_create(name);
    TCase *tc = tcase_create("oauth nouns");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, a_grant_comes_back_whole_and_ends_once);
    tcase_add_test(tc, apps_that_are_to_be_told_are_kept_once);
    tcase_add_test(tc, apps_follow_into_the_next_session);
    tcase_add_test(tc, sessions_that_went_without_a_word);
    tcase_add_test(tc, grants_by_account_app_and_session);
    tcase_add_test(tc, a_code_is_used_once);
    tcase_add_test(tc, a_refresh_token_is_used_once_and_remembers_its_answer);
    tcase_add_test(tc, what_hangs_on_a_grant_goes_with_it);
    tcase_add_test(tc, a_request_waits_until_it_expires);
    tcase_add_test(tc, a_consent_is_replaced_taken_back_and_moved);
    tcase_add_test(tc, a_device_is_let_in_once);
    suite_add_tcase(s, tc);
    return s;
}
