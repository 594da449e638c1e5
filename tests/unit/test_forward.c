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

/* HTTP-12: Envoy asks with the original's method, without its body. */
START_TEST(any_method_and_no_body)
{
    static const char *const methods[] = {"POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND"};
    static const char *const paths[] = {"/auth", "/auth/cookies"};
    char raw[512];
    web_sign_in();
    for (size_t i = 0; i < 2 * sizeof methods / sizeof *methods; i++) {
        snprintf(raw, sizeof raw, "%s %s HTTP/1.1\r\n" WEB_HOST "Content-Length: 0\r\n%s\r\n",
                 methods[i / 2], paths[i % 2], web_cookies());
        http_once(lfx.loop, wfx.port, raw, &wfx.a);
        ck_assert_msg(wfx.a.status == 200, "%s %s: %d", methods[i / 2], paths[i % 2], wfx.a.status);
        ck_assert_str_eq(web_header("X-Usher-Name"), "Ada");
    }
    ck_assert_int_eq(web_post("/auth", "", "a=b"), 413);
    ck_assert_int_eq(web_post("/auth/other", "", ""), 404);
}
END_TEST

/* PRIV-09: what the proxy may put in the place of the Cookie header, in every answer that lets
 * somebody in, and in no other. */
START_TEST(cookies_without_our_own)
{
    char lines[1024];
    ck_assert_int_eq(web_get("/auth/cookies", "Cookie: a=1\r\n"), 401);
    ck_assert_ptr_null(web_header("Cookie"));
    web_sign_in();
    ck_assert_int_eq(web_get("/auth/cookies", web_cookies()), 200);
    ck_assert_str_eq(web_header("Cookie"), "");
    snprintf(lines, sizeof lines, "%sCookie: a=1\r\nCookie: usher=x; b=\t2\r\n", web_cookies());
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(web_get("/auth", lines), 200); /* kept, and without */
        ck_assert_ptr_null(web_header("Cookie"));
        ck_assert_int_eq(web_get("/auth/cookies", lines), 200);
        ck_assert_str_eq(web_header("X-Usher-Name"), "Ada");
        ck_assert_uint_eq(http_header_count(&wfx.a, "Cookie"), 1);
        ck_assert_str_eq(web_header("Cookie"), "a=1; b=\t2");
    }
    web_fixture_app("wiki", "{\"hosts\":\"wiki.example\",\"require\":\"anyone\"}");
    ck_assert_int_eq(
        web_get("/auth/cookies", "Cookie: usher-bind=b; a=1\r\n" NGINX("https://wiki.example/")),
        200);
    expect_nobody();
    ck_assert_str_eq(web_header("Cookie"), "a=1");
}
END_TEST

/* As many as have room twice, and a plain answer to more. */
START_TEST(cookies_that_are_too_long)
{
    static char lines[32 * 1024];
    int last = 200, fitted = 0;
    web_sign_in();
    for (int n = 1000; n <= 16000; n += 100) {
        snprintf(lines, sizeof lines, "%sCookie: a=%0*d\r\n", web_cookies(), n, 7);
        const int status = web_get("/auth/cookies", lines);
        if (status == 200) {
            ck_assert_int_eq(last, 200);
            ck_assert_uint_eq(strlen(web_header("Cookie")), (size_t)n + 2);
            fitted = n;
        }
        ck_assert_msg(status == 200 || status == 431, "%d: %d", n, status);
        last = status;
    }
    ck_assert_int_eq(last, 431);
    ck_assert_int_ge(fitted, 8000);
}
END_TEST

Suite *suite_forward(void);
/* ---- apps ---- */

static const char wiki[] =
    "{\"label\":\"The <wiki>\",\"hosts\":\"wiki.example\",\"require\":\"signed_in\",\"rules\":["
    "{\"path\":\"/public/*\",\"require\":\"anyone\"},"
    "{\"path\":\"/staff/*\",\"require\":\"group:toy:staff\",\"methods\":\"GET\"},"
    "{\"path\":\"/admin/*\",\"require\":\"role:admin\"},"
    "{\"path\":\"/house/*\",\"require\":\"network:198.51.100.0/24\"}]}";

START_TEST(rules_decide)
{
    web_fixture_app("wiki", wiki);
    ck_assert_int_eq(check(NGINX("https://wiki.example/public/x")), 200);
    expect_nobody(); /* let in, and told that nobody is there */
    expect_deny(check(NGINX("https://wiki.example/")), 401);
    expect_deny(check(NGINX("https://wiki.example/staff/x")), 401);
    web_sign_in();
    ck_assert_int_eq(check(NGINX("https://wiki.example/public/x")), 200);
    ck_assert_str_eq(web_header("X-Usher-Name"), "Ada");
    ck_assert_int_eq(check(NGINX("https://wiki.example/")), 200);
    ck_assert_int_eq(check(NGINX("https://wiki.example/staff/x?y=1")), 200);
    ck_assert_int_eq(check(CADDY("wiki.example", "/staff/x")), 200);
    expect_deny(check("X-Original-URL: https://wiki.example/staff/x\r\n"
                      "X-Original-Method: POST\r\n"),
                403);
    expect_deny(check(NGINX("https://wiki.example/admin/x")), 403);
    ck_assert_int_eq(check(NGINX("https://app.example/admin/x")), 200); /* no app's host */
}
END_TEST

/* FWD-14, FWD-15, FWD-16: the query decides nothing, and odd paths are no paths. */
START_TEST(fwd_14_paths_only)
{
    web_fixture_app("wiki", wiki);
    web_sign_in();
    expect_deny(check(NGINX("https://wiki.example/admin/x?y=/public/")), 403);
    expect_deny(check(CADDY("wiki.example", "/admin?/public/")), 403);
    expect_deny(check(NGINX("https://wiki.example/public/%2e%2e/admin")), 400);
    expect_deny(check(NGINX("https://wiki.example/public/..;/admin")), 400);
    expect_deny(check(NGINX("https://wiki.example//admin")), 400);
    expect_deny(check(NGINX("https://wiki.example/a%2fb")), 400);
    expect_deny(check(NGINX("https://wiki.example/public/x#/admin")), 400);
}
END_TEST

/* Whoever does not say what is asked for would walk around the rules. */
START_TEST(no_silent_proxy)
{
    web_sign_in();
    ck_assert_int_eq(check(""), 200);
    web_fixture_app("wiki", wiki);
    expect_deny(check(""), 403);
    expect_deny(check("X-Original-Method: GET\r\n"), 403);
}
END_TEST

START_TEST(people_are_told)
{
    static const char to[] = "https://usher.test/denied?app=wiki&return_to="
                             "https%3A%2F%2Fwiki.example%2Fadmin%2Fx";
    web_fixture_app("wiki", wiki);
    web_sign_in();
    ck_assert_int_eq(check(NGINX("https://wiki.example/admin/x") NAVIGATE), 403);
    ck_assert_str_eq(web_header("X-Usher-Location"), to);
    expect_nobody();
    ck_assert_int_eq(check(CADDY("wiki.example", "/admin/x") NAVIGATE), 303);
    ck_assert_str_eq(web_header("Location"), to);
    expect_nobody();
    expect_deny(check(CADDY("wiki.example", "/admin/x")), 403); /* a script */
    ck_assert_int_eq(web_get(to + strlen("https://usher.test"), web_cookies()), 403);
    ck_assert(web_says("The &lt;wiki&gt; is not open to you"));
    ck_assert(web_says("signed in as <strong><bdi>Ada</bdi></strong>, with Toy"));
    ck_assert(web_says("/login?prompt=select_account&amp;return_to=https%3A%2F%2Fwiki.example"));
    ck_assert_int_eq(
        web_get("/login?prompt=select_account&return_to=https%3A%2F%2Fwiki.example", web_cookies()),
        200);
    ck_assert(
        web_says("/login/toy?return_to=https%3A%2F%2Fwiki.example&amp;prompt=select_account"));
}
END_TEST

/* What stands in the page's address is looked up or judged, never repeated. */
START_TEST(denied_repeats_nothing)
{
    web_fixture_app("wiki", wiki);
    ck_assert_int_eq(web_get("/denied?app=%3Cscript%3E&return_to=https%3A%2F%2Fevil.example", ""),
                     403);
    ck_assert(!web_says("script"));
    ck_assert(!web_says("evil"));
    ck_assert(web_says("You are not signed in"));
    ck_assert_int_eq(web_get("/denied?app=wiki&app=wiki", ""), 403);
    ck_assert(web_says("This is not open to you"));
    ck_assert_int_eq(web_get("/denied", ""), 403);
}
END_TEST

/* FWD-07, FWD-08: the client as our proxies tell it; unreadable is in no network. */
START_TEST(fwd_08_networks)
{
    static const char url[] = NGINX("https://wiki.example/house/x");
    char lines[512];
    static const struct {
        const char *from;
        int status;
    } v[] = {
        {"198.51.100.7", 200},
        {"198.51.101.7", 403},
        {"198.51.100.7, 203.0.113.9", 403},
        {"203.0.113.9, 198.51.100.7", 200},
        {"unknown", 401},
        {"198.51.100.7, unknown", 401},
        {"", 401},
    };
    web_fixture_app("wiki", wiki);
    for (size_t i = 0; i < sizeof v / sizeof *v; i++) {
        snprintf(lines, sizeof lines, "%sX-Forwarded-For: %s\r\n", url, v[i].from);
        const int status = check(lines);
        ck_assert_msg(status == v[i].status, "%s: %d", v[i].from, status);
    }
    ck_assert_int_eq(check(url), 401);
    web_sign_in();
    expect_deny(check(url), 403);
}
END_TEST

/* FWD-08: a proxy that does not say for whom it asks does not ask for itself, though its own
 * address is the last one that can be read. */
START_TEST(fwd_08_our_proxies_are_no_clients)
{
    static const char url[] = NGINX("https://inner.example/");
    char lines[512];
    static const struct {
        const char *from;
        int status;
    } v[] = {
        {"127.0.0.1", 200},
        {"198.51.100.7, 127.0.0.1", 403},
        {"unknown, 127.0.0.1", 401},
        {"198.51.100.7, unknown, 127.0.0.1", 401},
        {"198.51.100.7:80, 127.0.0.1, 127.0.0.1", 401},
        {", 127.0.0.1", 401},
        {"", 401},
    };
    web_fixture_app("inner", "{\"hosts\":\"inner.example\",\"require\":\"network:127.0.0.0/8\"}");
    for (size_t i = 0; i < sizeof v / sizeof *v; i++) {
        snprintf(lines, sizeof lines, "%sX-Forwarded-For: %s\r\n", url, v[i].from);
        const int status = check(lines);
        ck_assert_msg(status == v[i].status, "%s: %d", v[i].from, status);
    }
}
END_TEST

/* FWD-25: an app that something is wrong with lets nobody in. */
START_TEST(fwd_25_switched_off)
{
    web_fixture_app("wiki",
                    "{\"hosts\":\"wiki.example\",\"enabled\":\"no\",\"require\":\"anyone\"}");
    expect_deny(check(NGINX("https://wiki.example/")), 403);
    web_sign_in();
    expect_deny(check(NGINX("https://wiki.example/")), 403);
}
END_TEST

/* Who came through a provider the app does not take is nobody there, on open paths as well. */
START_TEST(nobody_by_provider)
{
    web_fixture_app("wiki", "{\"hosts\":\"wiki.example\",\"providers\":\"corp\","
                            "\"require\":\"signed_in\",\"rules\":["
                            "{\"path\":\"/public/*\",\"require\":\"anyone\"}]}");
    web_sign_in();
    expect_deny(check(NGINX("https://wiki.example/")), 403);
    ck_assert_int_eq(check(NGINX("https://wiki.example/public/x")), 200);
    expect_nobody();
}
END_TEST

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
    tcase_add_test(tc, any_method_and_no_body);
    tcase_add_test(tc, cookies_without_our_own);
    tcase_add_test(tc, cookies_that_are_too_long);
    tcase_add_test(tc, rules_decide);
    tcase_add_test(tc, fwd_14_paths_only);
    tcase_add_test(tc, no_silent_proxy);
    tcase_add_test(tc, people_are_told);
    tcase_add_test(tc, denied_repeats_nothing);
    tcase_add_test(tc, fwd_08_networks);
    tcase_add_test(tc, fwd_08_our_proxies_are_no_clients);
    tcase_add_test(tc, fwd_25_switched_off);
    tcase_add_test(tc, nobody_by_provider);
    suite_add_tcase(s, tc);
    return s;
}
