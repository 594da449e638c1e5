/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>

#include "web_fixture.h"

#define SITE "Sec-Fetch-Site: same-origin\r\nOrigin: https://usher.test\r\n"
#define OTHER_BIND "Cookie: __Host-usher-bind=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\r\n"

/* A parameter of the hop's Location, or NULL. */
static const char *hop(const char *name)
{
    struct fields f;
    struct err err = ERR_INIT;
    const char *value = NULL, *url = web_header("Location");
    ck_assert_ptr_nonnull(url);
    ck_assert_int_eq(form_parse(lfx.arena, str_of(strchr(url, '?') + 1), 64, &f, &err), 0);
    const int n = form_get(&f, name, &value);
    ck_assert_int_ge(n, 0);
    return n == 1 ? value : NULL;
}

/* ---- the chooser ---- */

START_TEST(chooser)
{
    ck_assert_int_eq(web_get("/login", ""), 200);
    ck_assert(web_says("href=\"/login/toy\""));
    ck_assert(web_says("Continue with Toy"));
    ck_assert(web_says("Usher &lt;Test&gt;"));
    ck_assert_int_eq(web_get("/login?return_to=/a%3Fb%3D1%26c", ""), 200);
    ck_assert(web_says("href=\"/login/toy?return_to=%2Fa%3Fb%3D1%26c\""));
    ck_assert_int_eq(web_get("/", ""), 200);
    ck_assert(web_says("Continue with Toy"));
    ck_assert_ptr_null(web_header("Set-Cookie"));
}
END_TEST

START_TEST(chooser_for_somebody_signed_in)
{
    web_sign_in();
    ck_assert_int_eq(web_get("/login?return_to=https://app.example/x", web_cookies()), 200);
    ck_assert(web_says("You are signed in as <strong><bdi>Ada</bdi></strong>"));
    ck_assert(web_says("href=\"https://app.example/x\""));
}
END_TEST

/* LOGIN-01, LOGIN-02, LOGIN-05 to LOGIN-08, LOGIN-19: refused the same way at the chooser and at
 * the start, with no cookie, no hop, and nothing repeated. */
START_TEST(places_nobody_is_sent_to)
{
    static const char *const bad[] = {
        "?return_to=//evil.example",
        "?return_to=/%5Cevil.example",
        "?return_to=https://evil.example/",
        "?return_to=https:evil.example",
        "?return_to=/%09/evil.example",
        "?return_to=/a%0d%0aSet-Cookie:%20evil=1",
        "?return_to=javascript:evil()",
        "?return_to=https://app.example@evil.example/",
        "?return_to=https://app.example.evil.example/",
        "?return_to=/x&return_to=https://evil.example/",
        "?return_to=/login",
        "?return_to=%zz",
        "?return_to=/%00evil",
        "?return_to=",
    };
    char target[256];
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        for (int start = 0; start < 2; start++) {
            snprintf(target, sizeof target, "/login%s%s", start ? "/toy" : "", bad[i]);
            web_expect_local_400(web_get(target, ""));
            ck_assert_ptr_null(web_header("Set-Cookie"));
            ck_assert(!web_says("evil"));
            ck_assert_uint_eq(lfx.n_waiting, 0);
        }
}
END_TEST

/* ---- the hop ---- */

/* SESS-01 for the binding cookie; LOGIN-17 */
START_TEST(start)
{
    web_start("");
    const char *cookie = strstr(wfx.a.head, "Set-Cookie: ");
    ck_assert_ptr_nonnull(cookie);
    ck_assert_uint_eq(http_header_count(&wfx.a, "Set-Cookie"), 1);
    ck_assert_uint_eq(strlen(wfx.bind), 43);
    static const char *const flags[] = {"; Path=/", "; Secure", "; HttpOnly", "; SameSite=Lax"};
    for (size_t i = 0; i < 4; i++)
        ck_assert_ptr_nonnull(strstr(web_header("Set-Cookie"), flags[i]));
    ck_assert_ptr_null(strstr(web_header("Set-Cookie"), "Domain"));
    ck_assert_str_eq(web_header("Referrer-Policy"), "no-referrer");
    ck_assert_str_eq(web_header("Cache-Control"), "no-store");
    ck_assert_int_eq(strncmp(web_header("Location"), "https://toy.example/authorize?", 30), 0);
    ck_assert_str_eq(hop("redirect_uri"), "https://usher.test/callback/toy");
    ck_assert_ptr_nonnull(hop("state"));
    ck_assert_ptr_nonnull(hop("nonce"));
    ck_assert_str_eq(hop("code_challenge_method"), "S256");
}
END_TEST

/* LOGIN-23 */
START_TEST(what_a_visitor_may_add)
{
    web_start("?scope=evil&client_id=evil&redirect_uri=https://evil.example&response_type=token"
              "&claims=evil&state=evil&nonce=evil&code_challenge=evil&response_mode=evil");
    ck_assert_ptr_null(strstr(web_header("Location"), "evil"));
    web_start("?prompt=evil&login_hint=ada%40example.org");
    ck_assert_ptr_null(hop("prompt"));
    web_start("?prompt=select_account");
    web_start("?login_hint=%01&prompt=login&prompt=none");
    ck_assert_ptr_null(hop("login_hint"));
    ck_assert_ptr_null(hop("prompt"));
}
END_TEST

/* STATE-24, STATE-14: one cookie for every flow of a browser. */
START_TEST(one_binding_for_a_browser)
{
    char first[64];
    web_start("");
    snprintf(first, sizeof first, "%s", wfx.bind);
    for (int i = 0; i < 20; i++) {
        web_start("");
        ck_assert_ptr_null(web_header("Set-Cookie"));
    }
    ck_assert_str_eq(wfx.bind, first);
}
END_TEST

/* STATE-16: what is no binding of ours is replaced. */
START_TEST(odd_bindings)
{
    static const char *const odd[] = {
        "Cookie: __Host-usher-bind=\r\n",
        "Cookie: __Host-usher-bind\r\n",
        "Cookie: __Host-usher-bind=short\r\n",
        "Cookie: __Host-usher-bind=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB\r\n",
        "Cookie: __Host-usher-bind=!AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\r\n",
        OTHER_BIND OTHER_BIND,
    };
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
        ck_assert_int_eq(web_get("/login/toy", odd[i]), 303);
        ck_assert_ptr_nonnull(strstr(wfx.a.head, "Set-Cookie: __Host-usher-bind="));
        lfx.n_waiting = lfx.next = 0;
    }
}
END_TEST

/* LOGIN-26 */
START_TEST(previews_begin_nothing)
{
    ck_assert_int_eq(web_head("/login/toy", ""), 204);
    ck_assert_ptr_null(web_header("Set-Cookie"));
    ck_assert_int_eq(web_get("/login/toy", "Sec-Purpose: prefetch;prerender\r\n"), 204);
    ck_assert_ptr_null(web_header("Set-Cookie"));
    ck_assert_int_eq(web_get("/login/toy", "Purpose: prefetch\r\n"), 204);
    ck_assert_uint_eq(lfx.n_waiting, 0);
}
END_TEST

/* LOGIN-22, LOGIN-28 */
START_TEST(no_such_provider)
{
    static const char *const targets[] = {"/login/other", "/login/TOY",      "/login/toy.",
                                          "/login/toy/",  "/login/..%2ftoy", "/login/toy%00"};
    for (size_t i = 0; i < sizeof targets / sizeof *targets; i++) {
        ck_assert_int_eq(web_get(targets[i], ""), 404);
        ck_assert(!web_says("other"));
    }
    ck_assert_int_eq(web_post("/login/toy", "", ""), 405);
}
END_TEST

/* ---- the way back ---- */

/* SESS-01, CB-32 */
START_TEST(signs_in)
{
    web_start("?return_to=https://app.example/x%3Fy%3D1");
    const char *target = web_callback();
    ck_assert_int_eq(web_get(target, web_cookies()), 303);
    ck_assert_str_eq(web_header("Location"), "https://app.example/x?y=1");
    ck_assert_str_eq(web_header("Referrer-Policy"), "no-referrer");
    ck_assert_uint_eq(http_header_count(&wfx.a, "Set-Cookie"), 2);
    ck_assert_ptr_nonnull(strstr(web_header("Set-Cookie"),
                                 "; Path=/; Max-Age=86400; Secure; HttpOnly; SameSite=Lax"));
    ck_assert_ptr_nonnull(strstr(wfx.a.head, "\r\nSet-Cookie: __Host-usher-last=toy; Path=/; "
                                             "Max-Age=31536000; Secure; HttpOnly; SameSite=Lax"));
    web_take_cookies();
    ck_assert(web_signed_in());
    ck_assert_uint_eq(lfx.token_requests, 1);
}
END_TEST

/* LOGIN-32, SESS-04: the old session goes when the new one is there, and not before. */
START_TEST(a_new_session_replaces_the_old_one)
{
    char old[64], current[64];
    web_sign_in();
    snprintf(old, sizeof old, "%s", wfx.session);
    web_start("");
    const char *target = web_callback();
    ck_assert(web_signed_in());
    ck_assert_int_eq(web_get(target, web_cookies()), 303);
    web_take_cookies();
    ck_assert_str_ne(wfx.session, old);
    ck_assert(web_signed_in());
    snprintf(current, sizeof current, "%s", wfx.session);
    snprintf(wfx.session, sizeof wfx.session, "%s", old);
    ck_assert(!web_signed_in());
    ck_assert_int_eq(login_fixture_sql("SELECT count(*) FROM session"), 1);
}
END_TEST

/* STATE-01 to STATE-05, STATE-09, STATE-13, STATE-16, CB-03, CB-07, CB-08, CB-11, CB-12 */
START_TEST(callbacks_that_make_no_sense)
{
    char query[4096], with[4200];
    web_start("");
    snprintf(query, sizeof query, "%s", web_callback());
    static const char *const bare[] = {
        "/callback/toy",
        "/callback/toy?code=c0de",
        "/callback/toy?state=&code=c0de",
        "/callback/toy?state=AAAA&code=c0de",
        "/callback/toy?code=%zz",
        "/callback/other?state=AAAA&code=c0de",
        "/callback/toy?error=access_denied",
    };
    for (size_t i = 0; i < sizeof bare / sizeof *bare; i++)
        web_expect_local_400(web_get(bare[i], web_cookies()));
    static const char *const added[] = {"&code=again", "&state=again", "&iss=https://evil.example",
                                        "&error=access_denied", "&x=1&x=2"};
    for (size_t i = 0; i < sizeof added / sizeof *added; i++) {
        snprintf(with, sizeof with, "%s%s", query, added[i]);
        web_expect_local_400(web_get(with, web_cookies()));
    }
    static const char *const cookies[] = {
        "",
        OTHER_BIND,
        OTHER_BIND OTHER_BIND,
        "Cookie: __Host-usher-bind=\r\n",
        "Cookie: usher-bind=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\r\n",
    };
    for (size_t i = 0; i < sizeof cookies / sizeof *cookies; i++)
        web_expect_local_400(web_get(query, cookies[i]));
    snprintf(with, sizeof with, "%s" OTHER_BIND, web_cookies());
    web_expect_local_400(web_get(query, with));

    /* None of that used the flow up. */
    ck_assert_int_eq(web_get(query, web_cookies()), 303);
}
END_TEST

/* CB-05, CB-09 */
START_TEST(denied)
{
    char target[4096];
    web_start("");
    const char *state = hop("state");
    snprintf(target, sizeof target,
             "/callback/toy?state=%s&error=access_denied&error_description=%%3Cscript%%3Eevil"
             "%%0d%%0a&error_uri=https://evil.example/",
             state);
    ck_assert_int_eq(web_get(target, web_cookies()), 403);
    ck_assert(web_says("Sign-in cancelled"));
    ck_assert(web_says("href=\"/login/toy\""));
    ck_assert(!web_says("evil"));
    ck_assert_ptr_null(strstr(wfx.a.head, "evil"));
    ck_assert_uint_eq(lfx.token_requests, 0);
}
END_TEST

START_TEST(upstream_fails)
{
    web_start("");
    const char *target = web_callback();
    lfx.token_status = 500;
    ck_assert_int_eq(web_get(target, web_cookies()), 502);
    ck_assert(web_says("does not answer"));
    ck_assert_ptr_null(web_header("Set-Cookie"));
}
END_TEST

/* STATE-06 */
START_TEST(reloaded_callback)
{
    web_start("?return_to=/home");
    const char *target = web_callback();
    ck_assert_int_eq(web_get(target, web_cookies()), 303);
    ck_assert_int_eq(web_get(target, web_cookies()), 400); /* the cookie was not taken */
    ck_assert_int_eq(login_fixture_sql("SELECT count(*) FROM session"), 1);
    web_sign_in();
    ck_assert_int_eq(web_get(target, web_cookies()), 303);
    ck_assert_str_eq(web_header("Location"), "/home");
    ck_assert_ptr_null(web_header("Set-Cookie"));
    ck_assert_uint_eq(lfx.token_requests, 2);
}
END_TEST

START_TEST(previews_use_no_code)
{
    web_start("");
    const char *target = web_callback();
    ck_assert_int_eq(web_head(target, web_cookies()), 204);
    char lines[512];
    snprintf(lines, sizeof lines, "%sSec-Purpose: prefetch\r\n", web_cookies());
    ck_assert_int_eq(web_get(target, lines), 204);
    ck_assert_uint_eq(lfx.token_requests, 0);
    ck_assert_int_eq(web_get(target, web_cookies()), 303);
}
END_TEST

/* ---- form_post ---- */

static const char *posted(const char *more)
{
    return arena_printf(lfx.arena, "%s%s", strchr(web_callback(), '?') + 1, more);
}

/* STATE-23, CB-33: without our cookie, the same fields come back as a page of ours. */
START_TEST(form_post)
{
    web_start("?return_to=https://app.example/x");
    const char *form = posted("");
    const char *again = arena_printf(lfx.arena, "%s&usher_repost=1", form);
    const char *hostile = arena_printf(
        lfx.arena, "%s&%%22%%3E%%3Cscript%%3E=%%27%%22%%3C%%2Fscript%%3E%%E2%%80%%A8", form);

    ck_assert_int_eq(web_post("/callback/toy", "Origin: https://toy.example\r\n", hostile), 200);
    ck_assert(web_says("<form method=\"post\" action=\"/callback/toy\""));
    ck_assert(web_says("name=\"code\" value=\"c0de\""));
    ck_assert(web_says("name=\"usher_repost\" value=\"1\""));
    ck_assert(web_says("name=\"&quot;&gt;&lt;script&gt;\" value=\"&#39;&quot;&lt;/script&gt;"));
    ck_assert_ptr_nonnull(strstr(web_header("Content-Security-Policy"),
                                 "script-src 'self'; img-src 'self'; "
                                 "form-action 'self' https:; "));
    ck_assert_ptr_null(strstr(web_header("Content-Security-Policy"), "http:"));
    ck_assert_str_eq(web_header("Referrer-Policy"), "same-origin");
    ck_assert_uint_eq(lfx.token_requests, 0);

    char lines[512];
    snprintf(lines, sizeof lines, "%s" SITE, web_cookies());
    ck_assert_int_eq(web_post("/callback/toy", lines, again), 303);
    ck_assert_str_eq(web_header("Location"), "https://app.example/x");
    web_take_cookies();
    ck_assert(web_signed_in());
}
END_TEST

/* What says it was posted again comes from our own page, with our cookie, or is refused; it is
 * never sent round once more. */
START_TEST(form_post_that_pretends)
{
    char lines[512];
    web_start("");
    const char *again = posted("&usher_repost=1"),
               *twice = posted("&usher_repost=1&usher_repost=2");
    web_expect_local_400(web_post("/callback/toy", SITE, again));
    snprintf(lines, sizeof lines, "%sOrigin: https://evil.example\r\n", web_cookies());
    web_expect_local_400(web_post("/callback/toy", lines, again));
    snprintf(lines, sizeof lines, "%sSec-Fetch-Site: cross-site\r\n", web_cookies());
    web_expect_local_400(web_post("/callback/toy", lines, again));
    web_expect_local_400(web_post("/callback/toy", web_cookies(), again));
    web_expect_local_400(web_post("/callback/toy", "", twice));
    web_expect_local_400(web_post("/callback/toy", SITE, twice));
    snprintf(lines, sizeof lines, "%s" SITE, web_cookies());
    web_expect_local_400(web_post("/callback/toy", lines, twice));
}
END_TEST

/* CB-13 */
START_TEST(form_posts_of_other_kinds)
{
    struct buf b;
    web_expect_local_400(web_post("/callback/toy", "", ""));
    web_expect_local_400(web_post("/callback/toy", "", "%zz"));
    web_expect_local_400(web_post("/callback/other", "", "code=a"));
    ck_assert_int_eq(web_post("/callback/toy", "Content-Type: text/plain\r\n", NULL), 400);
    buf_init(&b, 64 * 1024);
    buf_text(&b, "a=");
    while (b.n <= 16 * 1024)
        buf_byte(&b, 'x');
    ck_assert_int_eq(web_post("/callback/toy", "", b.p), 413);
    buf_deinit(&b);
}
END_TEST

/* ---- while waiting ---- */

static struct http_conn *waiting_callback(void)
{
    web_start("");
    const char *target = web_callback();
    struct http_conn *c = http_open(lfx.loop, wfx.port);
    http_idle = NULL; /* the upstream says nothing */
    http_send(
        c, arena_printf(lfx.arena, "GET %s HTTP/1.1\r\n" WEB_HOST "%s\r\n", target, web_cookies()));
    http_spin(lfx.loop, 5);
    ck_assert_uint_eq(login_in_flight(lfx.login), 1);
    return c;
}

/* HTTP-22, CB-31: whoever does not wait for the end is signed in all the same, and nothing leaks.
 */
START_TEST(visitor_goes_away)
{
    struct http_conn *c = waiting_callback();
    http_close(&c);
    http_spin(lfx.loop, 3);
    login_fixture_pump();
    ck_assert_uint_eq(login_in_flight(lfx.login), 0);
    ck_assert_int_eq(login_fixture_sql("SELECT count(*) FROM session"), 1);
}
END_TEST

/* An impatient stop: the login is dropped, then its held request. */
START_TEST(stopped_while_waiting)
{
    struct http_conn *c = waiting_callback();
    admin_set_login(wfx.app.admin, NULL); /* before it goes, as its header says */
    login_free(&lfx.login);
    serve_free(&wfx.serve);
    ck_assert(http_wait_end(c));
    http_close(&c);
}
END_TEST

/* The same, with the session already on its way into the store: its answer still arrives. */
START_TEST(stopped_while_writing)
{
    struct http_conn *c = waiting_callback();
    while (login_in_flight(lfx.login) && lfx.next < lfx.n_waiting)
        login_fixture_answer_upstream();
    store_stop(lfx.store);
    loop_once(lfx.loop, 0);
    loop_once(lfx.loop, 0);
    ck_assert_uint_eq(login_in_flight(lfx.login), 0);
    admin_set_login(wfx.app.admin, NULL); /* before it goes, as its header says */
    login_free(&lfx.login);
    serve_free(&wfx.serve);
    ck_assert(http_read(c, false, &wfx.a));
    ck_assert_int_eq(wfx.a.status, 303);
    ck_assert_ptr_nonnull(strstr(wfx.a.head, "Set-Cookie: __Host-usher="));
    http_close(&c);
}
END_TEST

START_TEST(plain_http_on_this_machine)
{
    web_fixture_open_http();
    ck_assert_int_eq(web_get("/login/toy", "Host: localhost\r\n"), 303);
    ck_assert_int_eq(strncmp(web_header("Set-Cookie"), "usher-bind=", 11), 0);
    ck_assert_ptr_null(strstr(web_header("Set-Cookie"), "Secure"));
    ck_assert_int_eq(web_post("/callback/toy", "Host: localhost\r\n", "code=a&state=b"), 200);
    ck_assert_ptr_nonnull(
        strstr(web_header("Content-Security-Policy"), "form-action 'self' https: http:;"));
    web_fixture_close();
}
END_TEST

Suite *suite_signin(void);
Suite *suite_signin(void)
{
    Suite *s = suite_create("signin");
    TCase *tc = tcase_create("signin"), *alone = tcase_create("http");
    tcase_add_checked_fixture(tc, web_fixture_open, web_fixture_close);
    tcase_add_test(tc, chooser);
    tcase_add_test(tc, chooser_for_somebody_signed_in);
    tcase_add_test(tc, places_nobody_is_sent_to);
    tcase_add_test(tc, start);
    tcase_add_test(tc, what_a_visitor_may_add);
    tcase_add_test(tc, one_binding_for_a_browser);
    tcase_add_test(tc, odd_bindings);
    tcase_add_test(tc, previews_begin_nothing);
    tcase_add_test(tc, no_such_provider);
    tcase_add_test(tc, signs_in);
    tcase_add_test(tc, a_new_session_replaces_the_old_one);
    tcase_add_test(tc, callbacks_that_make_no_sense);
    tcase_add_test(tc, denied);
    tcase_add_test(tc, upstream_fails);
    tcase_add_test(tc, reloaded_callback);
    tcase_add_test(tc, previews_use_no_code);
    tcase_add_test(tc, form_post);
    tcase_add_test(tc, form_post_that_pretends);
    tcase_add_test(tc, form_posts_of_other_kinds);
    tcase_add_test(tc, visitor_goes_away);
    tcase_add_test(tc, stopped_while_waiting);
    tcase_add_test(tc, stopped_while_writing);
    tcase_add_test(alone, plain_http_on_this_machine);
    suite_add_tcase(s, tc);
    suite_add_tcase(s, alone);
    return s;
}
