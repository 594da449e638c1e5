/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "session/recall.h"
#include "web_fixture.h"

static struct sessions *fresh;

/* Somebody is signed in, and then memory is as after a restart: it knows nobody yet. */
static void setup(void)
{
    const struct sessions_options o = {
        .idle_seconds = 3600, .absolute_seconds = 86400, .max = 1000};
    web_fixture_open();
    serve_set_before(wfx.serve, web_before);
    web_sign_in();
    fresh = sessions_new(&o);
    sessions_loading(fresh);
    wfx.app.sessions = fresh;
    wfx.app.recall = recall_new(lfx.loop, lfx.store, fresh, lfx.metrics);
}

static void teardown(void)
{
    recall_free(&wfx.app.recall);
    web_fixture_close();
    sessions_free(&fresh);
}

static const char *session_cookie(void)
{
    return web_fill("Cookie: __Host-usher=$\r\n", wfx.session);
}

static void break_store(void)
{
    ck_assert_int_eq(login_fixture_sql("ALTER TABLE session RENAME TO elsewhere"), -1);
}

START_TEST(a_session_that_memory_does_not_know)
{
    ck_assert_int_eq(web_get("/auth", session_cookie()), 200);
    ck_assert_str_ne(web_header("X-Usher-User"), "");
    ck_assert_uint_eq(sessions_count(fresh), 1);
    ck_assert_int_eq(web_get("/api/v1/me", session_cookie()), 200);
    ck_assert_int_eq(web_get("/", session_cookie()), 200);
    ck_assert(web_says("Sign out"));
}
END_TEST

START_TEST(nobody_is_still_nobody)
{
    char other[44];
    unsigned char hash[32];
    session_token_make(other, hash);
    const char *guess = web_fill("Cookie: __Host-usher=$\r\n", other);
    ck_assert_int_eq(web_get("/auth", guess), 401);
    ck_assert_int_eq(web_get("/auth", ""), 401);
    ck_assert_int_eq(web_get("/auth", "Cookie: __Host-usher=short\r\n"), 401);
    ck_assert_int_eq(
        web_get("/auth", web_fill("Cookie: __Host-usher=$; __Host-usher=x\r\n", wfx.session)), 401);
    ck_assert_uint_eq(sessions_count(fresh), 0);
}
END_TEST

/* What waits for its turn as well, and what has a body. */
START_TEST(all_kinds_of_requests_wait)
{
    ck_assert_int_eq(web_get("/login/toy", session_cookie()), 303);
    ck_assert_uint_eq(sessions_count(fresh), 1);
    ck_assert_int_eq(web_post("/logout",
                              web_fill("Origin: https://usher.test\r\nSec-Fetch-Site: "
                                       "same-origin\r\nCookie: __Host-usher=$\r\n",
                                       wfx.session),
                              ""),
                     200);
    ck_assert_uint_eq(sessions_count(fresh), 0);
    ck_assert_int_eq(login_fixture_sql("SELECT count(*) FROM session"), 0);
    ck_assert_int_eq(web_get("/auth", session_cookie()), 401);
}
END_TEST

/* SESS-28, FWD-25: nobody is let in, nobody is told that they are signed out, no cookie goes. */
START_TEST(a_store_that_fails)
{
    break_store();
    ck_assert_int_eq(web_get("/auth", session_cookie()), 503);
    ck_assert_str_eq(web_header("X-Usher-User"), "");
    ck_assert_ptr_null(web_header("Set-Cookie"));
    ck_assert_int_eq(web_get("/", session_cookie()), 503);
    ck_assert_ptr_null(web_header("Set-Cookie"));
    ck_assert_str_eq(web_header("Retry-After"), "5");
    ck_assert(web_says("still signed in"));
    ck_assert_int_eq(web_get("/api/v1/me", session_cookie()), 503);
    ck_assert(web_says("\"kind\":\"unavailable\""));
    /* Who claims no session, and what everybody may see, is not kept waiting. */
    ck_assert_int_eq(web_get("/login", ""), 200);
    ck_assert_int_eq(web_get("/auth", ""), 401);
    ck_assert_int_eq(web_get("/assets/usher.css", session_cookie()), 200);
    ck_assert_int_eq(web_get("/healthz", session_cookie()), 200);
    ck_assert_int_eq(login_fixture_sql("ALTER TABLE elsewhere RENAME TO session"), -1);
    ck_assert_int_eq(web_get("/auth", session_cookie()), 200);
}
END_TEST

/* Between the answer to a request that waited and its way out the loop goes on. In that moment the
 * session ends here, and others write where it was in memory. */
static void end_session(void)
{
    unsigned char hash[32];
    login_fixture_answer_upstream();
    session_token_hash(str_of(wfx.session), hash);
    if (!sessions_has(fresh, hash))
        return;
    ck_assert_int_eq(sessions_end(fresh, hash), 1);
    for (size_t n = 64; n < 4096; n += 16) {
        char *volatile p = malloc(n);
        memset(p, 'z', n);
        free(p);
    }
}

START_TEST(an_answer_that_waited_stays_what_it_was)
{
    struct session_view v;
    ck_assert_int_eq(sessions_check(lfx.sessions, str_of(wfx.session), LOGIN_NOW, &v), 1);
    http_idle = end_session;
    ck_assert_int_eq(web_get("/auth", session_cookie()), 200);
    ck_assert_str_eq(web_header("X-Usher-User"), v.account);
    ck_assert_str_eq(web_header("X-Usher-Email"), v.header_email);
    ck_assert_uint_eq(sessions_count(fresh), 0);
}
END_TEST

Suite *suite_before(void);
Suite *suite_before(void)
{
    Suite *s = suite_create("before");
    TCase *t = tcase_create("before");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, a_session_that_memory_does_not_know);
    tcase_add_test(t, nobody_is_still_nobody);
    tcase_add_test(t, all_kinds_of_requests_wait);
    tcase_add_test(t, a_store_that_fails);
    tcase_add_test(t, an_answer_that_waited_stays_what_it_was);
    suite_add_tcase(s, t);
    return s;
}
