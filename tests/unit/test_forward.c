/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "web_fixture.h"

#define NAVIGATE "Sec-Fetch-Mode: navigate\r\nAccept: text/html\r\n"
#define NGINX(url) "X-Original-URL: " url "\r\nX-Original-Method: GET\r\n"
#define CADDY(host, uri)                                                                           \
    "X-Forwarded-Method: GET\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: " host               \
    "\r\nX-Forwarded-Uri: " uri "\r\n"

static const char *const identity[7] = {"X-Usher-User",    "X-Usher-Name",  "X-Usher-Email",
                                        "X-Usher-Groups",  "X-Usher-Roles", "X-Usher-Permissions",
                                        "X-Usher-Provider"};

static int check(const char *lines)
{
    char all[4096];
    snprintf(all, sizeof all, "%s%s", web_cookies(), lines);
    return web_get("/auth", all);
}

/* FWD-01, FWD-04: each of them, once, and empty. */
static void expect_nobody(void)
{
    for (size_t i = 0; i < 7; i++) {
        ck_assert_uint_eq(http_header_count(&wfx.a, identity[i]), 1);
        ck_assert_str_eq(web_header(identity[i]), "");
    }
    ck_assert_str_eq(web_header("Cache-Control"), "no-store");
}

/* DENY of the case list. */
static void expect_deny(int status, int wanted)
{
    ck_assert_int_eq(status, wanted);
    expect_nobody();
    ck_assert_ptr_null(web_header("Location"));
    ck_assert_ptr_null(web_header("X-Usher-Location"));
    ck_assert_uint_eq(wfx.a.body_n, 0);
}

START_TEST(signed_in)
{
    web_sign_in();
    for (int i = 0; i < 3; i++) { /* made, then kept */
        ck_assert_int_eq(check(NGINX("https://app.example/x")), 200);
        ck_assert_uint_eq(strlen(web_header("X-Usher-User")), 22);
        ck_assert_str_eq(web_header("X-Usher-Name"), "Ada");
        ck_assert_str_eq(web_header("X-Usher-Email"), "ada@example.org");
        ck_assert_str_eq(web_header("X-Usher-Groups"), "toy:staff");
        ck_assert_str_eq(web_header("X-Usher-Provider"), "toy");
        ck_assert_str_eq(web_header("Cache-Control"), "no-store");
        ck_assert_uint_eq(wfx.a.body_n, 0);
    }
    ck_assert_int_eq(check(CADDY("app.example", "/x?y=1")), 200);
    ck_assert_int_eq(check(""), 200);
    ck_assert_int_eq(web_head("/auth", web_cookies()), 200);
    ck_assert_str_eq(web_header("X-Usher-Name"), "Ada");
    for (size_t i = 0; i < 7; i++)
        ck_assert_uint_eq(http_header_count(&wfx.a, identity[i]), 1);
}
END_TEST

/* FWD-01, FWD-02, FWD-03, FWD-10, FWD-18, FWD-26: what a client brings along changes nothing. */
START_TEST(what_clients_bring)
{
    static const char *const brought[] = {
        "X-Usher-User: admin\r\nX-Usher-Groups: admins\r\n",
        "X_Usher_User: admin\r\nx-usher-USER: admin\r\n",
        "X-Usher-: admin\r\n User\r\n",
        "Authorization: Bearer admin\r\n",
        "Authorization: Basic YWRtaW46YWRtaW4=\r\n",
        "Connection: X-Usher-User, Cookie\r\n",
        "User-Agent: kube-probe/1.29\r\n",
        "X-HTTP-Method-Override: OPTIONS\r\n",
        "Origin: https://app.example\r\nAccess-Control-Request-Method: GET\r\n",
    };
    for (size_t i = 0; i < sizeof brought / sizeof *brought; i++)
        expect_deny(check(brought[i]), 401);
    web_sign_in();
    for (size_t i = 0; i < sizeof brought / sizeof *brought; i++) {
        ck_assert_int_eq(check(brought[i]), 200);
        ck_assert_str_eq(web_header("X-Usher-Name"), "Ada");
        ck_assert_str_ne(web_header("X-Usher-User"), "admin");
        ck_assert_uint_eq(http_header_count(&wfx.a, "X-Usher-User"), 1);
    }
}
END_TEST

/* FWD-23: scripts are told, people are led. */
START_TEST(people_and_scripts)
{
    static const char *const scripts[] = {
        "",
        "Accept: */*\r\n",
        "Sec-Fetch-Mode: cors\r\nAccept: text/html\r\n",
        "Sec-Fetch-Mode: no-cors\r\n",
        "Accept: text/html\r\nX-Requested-With: XMLHttpRequest\r\n",
        "Sec-Fetch-Mode: navigate\r\nSec-Fetch-Mode: navigate\r\n",
    };
    char lines[1024];
    for (size_t i = 0; i < sizeof scripts / sizeof *scripts; i++) {
        snprintf(lines, sizeof lines, "%s" CADDY("app.example", "/"), scripts[i]);
        expect_deny(check(lines), 401);
        snprintf(lines, sizeof lines, "%s" NGINX("https://app.example/"), scripts[i]);
        expect_deny(check(lines), 401);
    }
    expect_deny(
        check("X-Original-URL: https://app.example/\r\nX-Original-Method: POST\r\n" NAVIGATE), 401);

    ck_assert_int_eq(check(NAVIGATE CADDY("app.example", "/a?b=c%20d&e")), 303);
    ck_assert_str_eq(web_header("Location"), "https://usher.test/login?return_to="
                                             "https%3A%2F%2Fapp.example%2Fa%3Fb%3Dc%2520d%26e");
    expect_nobody();
    ck_assert_int_eq(check("Accept: text/html,*/*\r\n" NGINX("https://app.example/a?b")), 401);
    ck_assert_ptr_null(web_header("Location"));
    ck_assert_str_eq(web_header("X-Usher-Location"),
                     "https://usher.test/login?return_to=https%3A%2F%2Fapp.example%2Fa%3Fb");
    expect_nobody();
    ck_assert_int_eq(check(NAVIGATE), 401); /* no proxy said from where */
    ck_assert_str_eq(web_header("X-Usher-Location"), "https://usher.test/login");
    /* Our own pages need no host in front. */
    ck_assert_int_eq(check(NAVIGATE CADDY("usher.test", "/x")), 303);
    ck_assert_str_eq(web_header("Location"), "https://usher.test/login?return_to=%2Fx");
}
END_TEST

/* FWD-17, FWD-29, LOGIN-11, LOGIN-12, LOGIN-16: hosts nobody listed get nobody, signed in or not.
 */
START_TEST(apps_that_are_not_ours)
{
    static const char *const hosts[] = {
        NGINX("https://other.example/"),    CADDY("other.example", "/"),
        NGINX("https://app.example.evil/"), NGINX("https://evil-app.example/"),
        NGINX("https://app.example:8443/"), NGINX("http://app.example/"),
        NGINX("https://apps.example/"),     NGINX("https://192.0.2.1/"),
    };
    static const char *const odd[] = {
        CADDY("app.example, evil.example", "/"),
        CADDY("app.example@evil.example", "/"),
        CADDY("app.example.", "/"),
        CADDY("", "/"),
        CADDY("app.example", "x"),
        NGINX("app.example/x"),
        NGINX("/x"),
        NGINX("javascript:alert(1)"),
        NGINX("https://app.example:0/"),
        NGINX("https://app.example:99999/"),
        NGINX("https://[::1%25eth0]/"),
        NGINX("https:///x"),
        "X-Forwarded-Uri: /x\r\n",
        "X-Forwarded-Uri: /x\r\nX-Forwarded-Host: app.example\r\n",
        "X-Forwarded-Uri: /x\r\nX-Forwarded-Host: app.example\r\nX-Forwarded-Proto: https,http\r\n",
    };
    for (int in = 0; in < 2; in++) {
        for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++)
            expect_deny(check(hosts[i]), 403);
        for (size_t i = 0; i < sizeof odd / sizeof *odd; i++)
            expect_deny(check(odd[i]), 400);
        web_sign_in();
    }
    ck_assert_int_eq(check(NGINX("https://APP.example/")), 200);
    ck_assert_int_eq(check(NGINX("https://app.example:443/")), 200);
    ck_assert_int_eq(check(NGINX("https://deep.in.apps.example/")), 200);
}
END_TEST

/* FWD-15, FWD-16 */
START_TEST(addresses_that_make_no_sense)
{
    static const char *const odd[] = {
        NGINX("https://app.example/secret#/public"),
        NGINX("https://app.example/a%00b"),
        NGINX("https://app.example/a%zzb"),
        NGINX("https://app.example/a%4"),
        NGINX("https://app.example/\xc3\xab"),
        NGINX("https://app.example/a b"),
        NGINX("https://app.example/a\\b"),
        CADDY("app.example", "/a%zz"),
        CADDY("app.example", "/a#b"),
        CADDY("app.example", "/?a=%00"),
    };
    web_sign_in();
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++)
        expect_deny(check(odd[i]), 400);
    ck_assert_int_eq(check(NGINX("https://app.example/secret%23/public")), 200);
}
END_TEST

/* FWD-26 */
START_TEST(methods_of_the_original)
{
    web_sign_in();
    static const char *const known[] = {"GET", "HEAD", "POST", "DELETE", "OPTIONS", "PROPFIND"};
    static const char *const unknown[] = {"FOO",     "get",      "TRACE",
                                          "CONNECT", "GET POST", "G\xc3\x8b"};
    for (int dialect = 0; dialect < 2; dialect++) {
        const char *form = dialect ? "X-Forwarded-Method: $\r\nX-Forwarded-Proto: https\r\n"
                                     "X-Forwarded-Host: app.example\r\nX-Forwarded-Uri: /\r\n"
                                   : "X-Original-Method: $\r\n"
                                     "X-Original-URL: https://app.example/\r\n";
        for (size_t i = 0; i < sizeof known / sizeof *known; i++)
            ck_assert_int_eq(check(web_fill(form, known[i])), 200);
        for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++)
            expect_deny(check(web_fill(form, unknown[i])), 403);
    }
}
END_TEST

/* Two dialects at once must say the same; a header said twice says nothing. */
START_TEST(contradictions)
{
    web_sign_in();
    ck_assert_int_eq(check(NGINX("https://app.example/x") CADDY("app.example", "/x")), 200);
    expect_deny(check(NGINX("https://app.example/x") CADDY("app.example", "/y")), 400);
    expect_deny(check("X-Original-URL: https://app.example/x\r\nX-Original-Method: POST\r\n" CADDY(
                    "app.example", "/x")),
                400);
    static const char *const twice[] = {
        NGINX("https://app.example/") "X-Original-URL: https://app.example/\r\n",
        NGINX("https://app.example/") "X-Original-Method: GET\r\n",
        CADDY("app.example", "/") "X-Forwarded-Uri: /\r\n",
        CADDY("app.example", "/") "X-Forwarded-Host: app.example\r\n",
        CADDY("app.example", "/") "X-Forwarded-Proto: https\r\n",
        CADDY("app.example", "/") "X-Forwarded-Method: GET\r\n",
    };
    for (size_t i = 0; i < sizeof twice / sizeof *twice; i++)
        expect_deny(check(twice[i]), 400);
}
END_TEST

/* A long address is no reason to lock anybody out; signed out, it is not carried along. */
START_TEST(long_addresses)
{
    struct buf b;
    buf_init(&b, 16 * 1024);
    buf_text(&b, NAVIGATE "X-Original-URL: https://app.example/?q=");
    for (int i = 0; i < 3000; i++)
        buf_byte(&b, 'x');
    buf_text(&b, "\r\n");
    ck_assert_int_eq(check(b.p), 401);
    ck_assert_str_eq(web_header("X-Usher-Location"), "https://usher.test/login");
    web_sign_in();
    ck_assert_int_eq(check(b.p), 200);
    buf_deinit(&b);
}
END_TEST

/* FWD-07: from anybody but a proxy of ours these headers are noise. */
START_TEST(no_proxy_of_ours)
{
    struct err err = ERR_INIT;
    web_sign_in();
    serve_free(&wfx.serve);
    const struct serve_options o = {.listen = "127.0.0.1:0",
                                    .host = "usher.test",
                                    .max_connections = 100,
                                    .idle_seconds = 60,
                                    .deadline_seconds = 10};
    wfx.serve = serve_new(lfx.loop, &o, web_routes, web_routes_n, &wfx.app, &err);
    wfx.port = serve_port(wfx.serve);
    ck_assert_int_eq(check(NGINX("https://other.example/")), 200);
    wfx.session[0] = 0;
    ck_assert_int_eq(check(NAVIGATE CADDY("app.example", "/x")), 401);
    ck_assert_str_eq(web_header("X-Usher-Location"), "https://usher.test/login");
}
END_TEST

/* FWD-22: nothing kept outlives the session, and sessions do not share what is kept. */
START_TEST(kept_answers_end_with_the_session)
{
    char first[64];
    web_sign_in();
    ck_assert_int_eq(check(""), 200);
    ck_assert_int_eq(check(""), 200);
    snprintf(first, sizeof first, "%s", wfx.session);
    lfx.subject = "9999";
    wfx.session[0] = 0;
    web_sign_in();
    ck_assert_int_eq(check(""), 200);
    char user[64];
    snprintf(user, sizeof user, "%s", web_header("X-Usher-User"));
    char lines[256];
    snprintf(lines, sizeof lines, "Cookie: __Host-usher=%s\r\n", first);
    ck_assert_int_eq(web_get("/auth", lines), 200);
    ck_assert_str_ne(web_header("X-Usher-User"), user);
    snprintf(lines, sizeof lines, "%sSec-Fetch-Site: same-origin\r\n", web_cookies());
    ck_assert_int_eq(web_post("/logout", lines, ""), 200);
    expect_deny(check(""), 401);
}
END_TEST

/* HTTP-12 */
START_TEST(only_get)
{
    ck_assert_int_eq(web_post("/auth", "", "a=b"), 405);
    ck_assert_str_eq(web_header("Allow"), "GET, HEAD");
}
END_TEST

Suite *suite_forward(void);
Suite *suite_forward(void)
{
    Suite *s = suite_create("forward");
    TCase *tc = tcase_create("forward");
    tcase_add_checked_fixture(tc, web_fixture_open, web_fixture_close);
    tcase_add_test(tc, signed_in);
    tcase_add_test(tc, what_clients_bring);
    tcase_add_test(tc, people_and_scripts);
    tcase_add_test(tc, apps_that_are_not_ours);
    tcase_add_test(tc, addresses_that_make_no_sense);
    tcase_add_test(tc, methods_of_the_original);
    tcase_add_test(tc, contradictions);
    tcase_add_test(tc, long_addresses);
    tcase_add_test(tc, no_proxy_of_ours);
    tcase_add_test(tc, kept_answers_end_with_the_session);
    tcase_add_test(tc, only_get);
    suite_add_tcase(s, tc);
    return s;
}
