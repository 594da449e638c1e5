/* SPDX-License-Identifier: Apache-2.0 */
#include "app/client.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

Suite *suite_client(void);

#define LIST(...) ((const char *const[]){__VA_ARGS__, NULL})

static void wrong(const struct app_common *c, const char *key)
{
    struct err err = ERR_INIT;
    const char *which = NULL;
    ck_assert_int_eq(client_check(c, &which, &err), -1);
    ck_assert_str_eq(which, key);
    ck_assert_int_eq(err.kind, ERR_INVALID);
}

static void right(const struct app_common *c)
{
    struct err err = ERR_INIT;
    const char *which = "";
    ck_assert_msg(client_check(c, &which, &err) == 0, "%s: %s", which, err.text);
    ck_assert_ptr_null(which);
}

START_TEST(settings_that_go_together)
{
    right(&(struct app_common){.label = "no client at all"});
    right(&(struct app_common){.grants = LIST("client_credentials"), .scopes = LIST("a", "b:c")});
    right(&(struct app_common){.client_type = CLIENT_PUBLIC,
                               .grants = LIST("authorization_code", "device_code"),
                               .redirect_uris = LIST("com.example.app:/callback")});
    right(&(struct app_common){.auth_method = CLIENT_AUTH_JWT, .jwks_uri = "https://a.example/k"});
    wrong(&(struct app_common){.grants = LIST("password")}, "grants");
    wrong(&(struct app_common){.grants = LIST("implicit")}, "grants");
    wrong(&(struct app_common){.client_type = CLIENT_PUBLIC, .grants = LIST("client_credentials")},
          "grants"); /* OP-60 */
    wrong(&(struct app_common){.client_type = CLIENT_PUBLIC, .grants = LIST("token_exchange")},
          "grants");
    right(&(struct app_common){.grants = LIST("token_exchange"), .exchange_from = LIST("wiki")});
    wrong(&(struct app_common){.client_type = CLIENT_PUBLIC, .auth_method = CLIENT_AUTH_BASIC},
          "auth_method");
    wrong(&(struct app_common){.auth_method = CLIENT_AUTH_NONE}, "auth_method");
    wrong(&(struct app_common){.auth_method = CLIENT_AUTH_JWT}, "auth_method");
    wrong(&(struct app_common){.jwks = "{}"}, "jwks");
    wrong(&(struct app_common){.jwks = "keys"}, "jwks");
    wrong(&(struct app_common){.jwks = "{\"keys\":[{}]}", .jwks_uri = "https://a.example/"},
          "jwks");
    wrong(&(struct app_common){.scopes = LIST("a\"b")}, "scopes");
    wrong(&(struct app_common){.resources = LIST("api")}, "resources");
    wrong(&(struct app_common){.serves = LIST("https://api.example.com/#x")}, "serves");
}
END_TEST

static void origins_are(const struct app_common *c, const char *expected)
{
    struct arena *a = arena_new();
    const char *text = "";
    for (const char *const *o = client_origins(c, a); *o; o++)
        text = arena_printf(a, "%s%s ", text, *o);
    ck_assert_str_eq(text, expected);
    arena_free(&a);
}

START_TEST(origins_of_pages) /* OP-53 */
{
    const struct app_common spa = {
        .client_type = CLIENT_PUBLIC,
        .redirect_uris = LIST("https://a.example.com/cb", "https://A.example.com:443/other",
                              "com.example.app:/cb", "http://127.0.0.1/cb", "http://[::1]:8080/cb",
                              "https://b.example.com:8443/x?y=1")};
    origins_are(&spa, "https://a.example.com https://b.example.com:8443 ");
    struct app_common c = spa;
    c.client_type = CLIENT_CONFIDENTIAL;
    origins_are(&c, "");
    c.origins = LIST("https://c.example.com", "http://127.0.0.1:3000");
    origins_are(&c, "https://c.example.com http://127.0.0.1:3000 ");
    c.origins = LIST(NULL); /* as good as none */
    origins_are(&c, "");
    origins_are(&(struct app_common){.client_type = CLIENT_PUBLIC}, "");
    right(&(struct app_common){.origins = LIST("https://[2001:db8::1]:8443", "http://[::1]:1")});
    static const char *const bad[] = {"null",
                                      "*",
                                      "https://*.example.com",
                                      "https://a.example.com/",
                                      "https://a.example.com:443",
                                      "https://A.example.com",
                                      "http://a.example.com",
                                      "https://u@a.example.com",
                                      "https://a.example.com?",
                                      "https://a.example.com#",
                                      "app://a.example.com",
                                      "a.example.com",
                                      ""};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        wrong(&(struct app_common){.origins = LIST(bad[i])}, "origins");
}
END_TEST

START_TEST(scopes) /* OP-38 */
{
    ck_assert(client_scope_valid(STR("reports:read/all~!#[]")));
    static const char *const bad[] = {"", " ", "a b", "a\"", "a\\", "a\n", "\x7f", "é"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        ck_assert(!client_scope_valid(str_of(bad[i])));
    ck_assert(!client_scope_valid((struct str){"a\0b", 3}));
}
END_TEST

START_TEST(resources) /* OP-39 */
{
    ck_assert(client_resource_valid(STR("https://api.example.com")));
    ck_assert(client_resource_valid(STR("urn:example:api")));
    static const char *const bad[] = {"",           "api",         "/api",      "https:",   "a:b",
                                      "https://a#", "https://a b", "HTTPS://A", "https://é"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        ck_assert_msg(!client_resource_valid(str_of(bad[i])), "%s", bad[i]);
}
END_TEST

/* OP-03, OP-06, OP-08 at registration. */
START_TEST(redirect_uris)
{
    static const struct {
        const char *uri;
        bool web, native;
    } all[] = {
        {"https://app.example/cb", true, true},
        {"https://app.example/cb?x=1", true, true},
        {"https://app.example:8443/", true, true},
        {"https://app.example/a,b", true, true},
        {"https://app.example/cb,https://app.example/other", false, false},
        {"http://localhost:3000/cb,http://localhost:3001/cb", false, false},
        {"http://127.0.0.1/cb", true, true},
        {"http://localhost:3000/cb", true, true},
        {"http://[::1]:4711/cb", true, true},
        {"com.example.app:/cb", false, true},
        {"http://app.example/cb", false, false},
        {"https://app.example/cb#x", false, false},
        {"https://app.example@evil.example/", false, false},
        {"https://app.example\\@evil.example/", false, false},
        {"https://app.example%2eevil.example/", false, false},
        {"https://*.example/cb", false, false},
        {"https:///cb", false, false},
        {"javascript:alert(1)", false, false},
        {"data:text/html,x", false, false},
        {"vbscript:x", false, false},
        {"file:///etc/passwd", false, false},
        {"myapp:/cb", false, false},
        {"app.example/cb", false, false},
        {"/cb", false, false},
        {"", false, false},
        {"com.example.app:/c b", false, false},
        {"com.example.app:/c\tb", false, false},
        {"com.example.app:/cb#x", false, false},
        {"com.example.app:", false, false},
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        struct err err = ERR_INIT;
        ck_assert_msg((client_redirect_check(all[i].uri, false, &err) == 0) == all[i].web, "%s",
                      all[i].uri);
        err_clear(&err);
        ck_assert_msg((client_redirect_check(all[i].uri, true, &err) == 0) == all[i].native, "%s",
                      all[i].uri);
    }
    char *big = malloc(4000);
    struct err err = ERR_INIT;
    memset(big, 'a', 3999);
    memcpy(big, "https://a.example/", 18);
    big[3999] = '\0';
    ck_assert_int_eq(client_redirect_check(big, false, &err), -1);
    free(big);
    wrong(&(struct app_common){.redirect_uris = LIST("com.example.app:/cb")}, "redirect_uris");
    wrong(&(struct app_common){.post_logout_redirect_uris = LIST("javascript:x.y")},
          "post_logout_redirect_uris");
}
END_TEST

START_TEST(grants) /* OP-37 */
{
    const struct app_common c = {.grants = LIST("client_credentials", "device_code")};
    ck_assert(client_may(&c, "client_credentials"));
    ck_assert(client_may(&c, "urn:ietf:params:oauth:grant-type:device_code"));
    ck_assert(!client_may(&c, "device_code"));
    ck_assert(!client_may(&c, "refresh_token"));
    ck_assert(!client_may(&c, "password"));
    ck_assert(!client_may(&(struct app_common){.label = "x"}, "authorization_code"));
}
END_TEST

Suite *suite_client(void)
{
    Suite *s = suite_create("client");
    TCase *t = tcase_create("all");
    tcase_add_test(t, settings_that_go_together);
    tcase_add_test(t, origins_of_pages);
    tcase_add_test(t, scopes);
    tcase_add_test(t, resources);
    tcase_add_test(t, redirect_uris);
    tcase_add_test(t, grants);
    suite_add_tcase(s, t);
    return s;
}
