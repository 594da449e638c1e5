/* SPDX-License-Identifier: Apache-2.0 */
#include "session/cookie_jar.h"

#include <check.h>
#include <string.h>

Suite *suite_cookie_jar(void);

static void jar(struct cookie_jar *j, const char *url, const char *domain)
{
    struct err err = ERR_INIT;
    ck_assert_msg(cookie_jar_init(j, url, domain, &err) == 0, "%s", err.text);
}

static void refused(const char *url, const char *domain, const char *why)
{
    struct cookie_jar j;
    struct err err = ERR_INIT;
    ck_assert_msg(cookie_jar_init(&j, url, domain, &err) == -1, "%s with %s", url,
                  domain ? domain : "no domain");
    ck_assert_msg(strstr(err.text, why) != NULL, "%s with %s: %s", url, domain, err.text);
}

static void check_session(const struct cookie_jar *j, int64_t max_age, const char *expected)
{
    struct buf b;
    buf_init(&b, 512);
    cookie_jar_session(j, "T0ken", max_age, &b);
    ck_assert_str_eq(b.p, expected);
    buf_deinit(&b);
}

static void check_bind(const struct cookie_jar *j, int64_t max_age, const char *expected)
{
    struct buf b;
    buf_init(&b, 512);
    cookie_jar_bind(j, "B1nd", max_age, &b);
    ck_assert_str_eq(b.p, expected);
    buf_deinit(&b);
}

/* SESS-01 */
START_TEST(https_has_host_prefix_and_every_flag)
{
    struct cookie_jar j;
    jar(&j, "https://login.example.com", NULL);
    check_session(&j, 3600,
                  "__Host-usher=T0ken; Path=/; Max-Age=3600; Secure; HttpOnly; SameSite=Lax");
    check_session(&j, -1, "__Host-usher=T0ken; Path=/; Secure; HttpOnly; SameSite=Lax");
    check_session(&j, 0, "__Host-usher=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Lax");
    check_bind(&j, 600,
               "__Host-usher-bind=B1nd; Path=/; Max-Age=600; Secure; HttpOnly; SameSite=Lax");
    /* Beyond 2038, SESS-21. */
    check_session(&j, 5000000000,
                  "__Host-usher=T0ken; Path=/; Max-Age=5000000000; Secure; HttpOnly; SameSite=Lax");
}
END_TEST

/* SESS-02: the binding cookie stays with the host, or any sibling could set it (SESS-18). */
START_TEST(domain_goes_to_the_session_cookie_only)
{
    struct cookie_jar j;
    jar(&j, "https://login.example.com/", "example.com");
    check_session(&j, 60,
                  "__Secure-usher=T0ken; Path=/; Domain=example.com; Max-Age=60; Secure; HttpOnly; "
                  "SameSite=Lax");
    check_session(&j, 0,
                  "__Secure-usher=; Path=/; Domain=example.com; Max-Age=0; Secure; HttpOnly; "
                  "SameSite=Lax");
    check_bind(&j, -1, "__Host-usher-bind=B1nd; Path=/; Secure; HttpOnly; SameSite=Lax");
    jar(&j, "https://example.com", "example.com");
    ck_assert_str_eq(j.session_name, "__Secure-usher");
}
END_TEST

/* ADM-07: an operator can do more, so his cookie travels less. */
START_TEST(the_operators_cookie)
{
    static const struct {
        const char *url, *domain;
        int64_t max_age;
        const char *cookie;
    } rows[] = {
        {"https://login.example.com", NULL, 3600,
         "__Host-usher-operator=0p; Path=/; Max-Age=3600; Secure; HttpOnly; SameSite=Strict"},
        {"https://login.example.com", "example.com", 0,
         "__Host-usher-operator=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Strict"},
        {"http://127.0.0.1:8080", NULL, 3600,
         "usher-operator=0p; Path=/; Max-Age=3600; HttpOnly; SameSite=Strict"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct cookie_jar j;
        struct buf b;
        buf_init(&b, 512);
        jar(&j, rows[i].url, rows[i].domain);
        cookie_jar_operator(&j, "0p", rows[i].max_age, &b);
        ck_assert_str_eq(b.p, rows[i].cookie);
        buf_deinit(&b);
    }
}
END_TEST

/* Which button this browser's person pressed last: of the host alone, and no secret. */
START_TEST(the_last_providers_cookie)
{
    struct cookie_jar j;
    struct buf b;
    buf_init(&b, 512);
    jar(&j, "https://login.example.com", "example.com");
    cookie_jar_last(&j, "google", 60, &b);
    ck_assert_str_eq(
        b.p, "__Host-usher-last=google; Path=/; Max-Age=60; Secure; HttpOnly; SameSite=Lax");
    buf_clear(&b);
    jar(&j, "http://127.0.0.1:8080", NULL);
    cookie_jar_last(&j, "google", 0, &b);
    ck_assert_str_eq(b.p, "usher-last=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax");
    buf_deinit(&b);
}
END_TEST

/* SESS-02, SESS-18 */
START_TEST(wrong_domains_are_refused)
{
    static const char url[] = "https://login.example.com";
    refused(url, "com", "public suffix");
    refused(url, "", "host name");
    refused(url, ".example.com", "leading dot");
    refused(url, "ample.com", "does not lie");
    refused(url, "evil.example", "does not lie");
    refused(url, "a.login.example.com", "does not lie");
    refused(url, "example.com.", "host name");
    refused(url, "Example.com", "host name");
    refused(url, "example.com; Secure", "host name");
    refused("https://192.0.2.7", "2.7", "address");
    refused("https://[2001:db8::1]", "db8.1", "address");
    refused("http://localhost:8080", "localhost", "public suffix");
}
END_TEST

/* SESS-01 */
START_TEST(plain_http_is_for_loopback_only)
{
    static const char *const here[] = {"http://127.0.0.1:8080", "http://localhost",
                                       "http://[::1]:9"};
    for (size_t i = 0; i < sizeof here / sizeof *here; i++) {
        struct cookie_jar j;
        jar(&j, here[i], NULL);
        check_session(&j, 5, "usher=T0ken; Path=/; Max-Age=5; HttpOnly; SameSite=Lax");
        check_bind(&j, -1, "usher-bind=B1nd; Path=/; HttpOnly; SameSite=Lax");
    }
    refused("http://login.example.com", NULL, "https");
    refused("http://login.example.com", "example.com", "https");
    refused("ftp://login.example.com", NULL, "public URL");
    refused("login.example.com", NULL, "public URL");
}
END_TEST

/* PRIV-09 */
START_TEST(others_are_left_as_they_came)
{
    static const struct {
        const char *header, *others;
    } v[] = {
        {"", ""},
        {"a=1", "a=1"},
        {"usher=s", ""},
        {"a=1; __Host-usher=s; b=2", "a=1; b=2"},
        {"a=1;__Secure-usher=s;b=2", "a=1;b=2"},
        {"a=1; b=2;\t__Host-usher-bind=s ", "a=1; b=2"},
        {"usher;a=1;", "usher;a=1;"},
        {"usher=;;a=1;", ";a=1;"},
        {"__Host-usher-last=l; __Host-usher-operator=o; usher-bind=b; usher-last=l; "
         "usher-operator=o",
         ""},
        {"Usher=1; usher2=2; usher-=3; xusher=4; __Secure-usher-bind=5; usher =6",
         "Usher=1; usher2=2; usher-=3; xusher=4; __Secure-usher-bind=5; usher =6"},
        {"a=usher=1; b=x usher=2; c=\"y z\"", "a=usher=1; b=x usher=2; c=\"y z\""},
        {"a=x,y,=;b", "a=x,y,=;b"},
        /* two headers that somebody joined with a comma */
        {"a=1,usher=s", "a=1"},
        {"usher=s, a=1", "a=1"},
        {"a=1,usher=s; b=2", "a=1; b=2"},
        {"a=1; usher=s,b=2", "a=1;b=2"},
        {"a=1,usher=s,b=2", "a=1,b=2"},
    };
    struct buf b;
    for (size_t i = 0; i < sizeof v / sizeof *v; i++) {
        buf_init(&b, 512);
        cookie_jar_others(str_of(v[i].header), &b);
        ck_assert_msg(strcmp(b.p, v[i].others) == 0, "%s: %s", v[i].header, b.p);
        buf_deinit(&b);
    }
    buf_init(&b, 512);
    cookie_jar_others(str_of("usher=s"), &b);
    cookie_jar_others(str_of("a=1; usher=s"), &b);
    cookie_jar_others(str_of("usher=s"), &b);
    cookie_jar_others(str_of("usher=s; b=2"), &b);
    ck_assert_str_eq(b.p, "a=1; b=2");
    buf_deinit(&b);
}
END_TEST

Suite *suite_cookie_jar(void)
{
    Suite *s = suite_create("cookie_jar");
    TCase *tc = tcase_create("cookie_jar");
    tcase_add_test(tc, https_has_host_prefix_and_every_flag);
    tcase_add_test(tc, domain_goes_to_the_session_cookie_only);
    tcase_add_test(tc, the_operators_cookie);
    tcase_add_test(tc, the_last_providers_cookie);
    tcase_add_test(tc, wrong_domains_are_refused);
    tcase_add_test(tc, plain_http_is_for_loopback_only);
    tcase_add_test(tc, others_are_left_as_they_came);
    suite_add_tcase(s, tc);
    return s;
}
