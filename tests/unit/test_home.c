/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "base/json.h"
#include "sys/clock.h"
#include "web_fixture.h"

static struct jval *me(void)
{
    struct err err = ERR_INIT;
    struct jval *o = jval_parse((struct str){wfx.a.body, wfx.a.body_n}, JSON_SIZE_MAX, 8, &err);
    ck_assert_msg(o != NULL, "%s", wfx.a.body);
    ck_assert_str_eq(web_header("Content-Type"), "application/json");
    ck_assert_str_eq(web_header("Cache-Control"), "no-store");
    return o;
}

static const char *text(const struct jval *o, const char *pointer)
{
    const char *t = jval_text(jval_at(o, pointer));
    return t ? t : "(none)";
}

START_TEST(nobody)
{
    ck_assert_int_eq(web_get("/api/v1/me", ""), 401);
    struct jval *o = me();
    ck_assert_str_eq(text(o, "/error/kind"), "not_signed_in");
    ck_assert_str_eq(text(o, "/error/request_id"), web_header("X-Request-Id"));
    jval_free(&o);
    ck_assert_int_eq(web_get("/", ""), 200);
    ck_assert(web_says("Continue with Toy"));
}
END_TEST

/* PRIV-04: what an app gets, and nothing else. */
START_TEST(somebody_as_json)
{
    int64_t n = 0;
    web_sign_in();
    ck_assert_int_eq(web_get("/api/v1/me", web_cookies()), 200);
    struct jval *o = me();
    ck_assert_uint_eq(strlen(text(o, "/id")), 22);
    ck_assert_str_eq(text(o, "/provider"), "toy");
    ck_assert_str_eq(text(o, "/name"), "Ada");
    ck_assert_int_eq(jval_type(jval_get(o, "username")), JVAL_NULL);
    ck_assert_str_eq(text(o, "/email"), "ada@example.org");
    ck_assert_str_eq(text(o, "/email_evidence"), "none");
    ck_assert_int_eq(jval_type(jval_get(o, "picture")), JVAL_NULL);
    ck_assert_str_eq(text(o, "/groups/0"), "toy:staff");
    ck_assert(jval_int(jval_at(o, "/session/created"), &n) && n == LOGIN_NOW);
    ck_assert(jval_int(jval_at(o, "/session/ends"), &n) && n == LOGIN_NOW + 86400);
    ck_assert_uint_eq(jval_count(jval_get(o, "roles")), 0);
    ck_assert_uint_eq(jval_count(jval_get(o, "permissions")), 0);
    ck_assert_uint_eq(jval_count(o), 12);
    ck_assert_ptr_null(strstr(wfx.a.body, wfx.session));
    ck_assert_ptr_null(strstr(wfx.a.body, "t0k"));
    jval_free(&o);
}
END_TEST

START_TEST(roles_as_json)
{
    struct err err = ERR_INIT;
    web_sign_in();
    ck_assert_int_eq(web_get("/api/v1/me", web_cookies()), 200);
    struct jval *o = me();
    ck_assert_int_eq(rights_define(sessions_rights(lfx.sessions), "staff", "[\"b\",\"a:c\"]", &err),
                     0);
    ck_assert_int_eq(sessions_set_roles(lfx.sessions, text(o, "/id"), "[\"x\",\"staff\"]", &err),
                     1);
    jval_free(&o);
    ck_assert_int_eq(web_get("/api/v1/me", web_cookies()), 200);
    o = me();
    ck_assert_str_eq(text(o, "/roles/0"), "staff");
    ck_assert_str_eq(text(o, "/roles/1"), "x");
    ck_assert_str_eq(text(o, "/permissions/0"), "a:c");
    ck_assert_str_eq(text(o, "/permissions/1"), "b");
    ck_assert_uint_eq(jval_count(jval_get(o, "permissions")), 2);
    jval_free(&o);
}
END_TEST

/* PRIV-05: the page of a person is theirs alone. */
START_TEST(somebody_as_a_page)
{
    web_sign_in();
    ck_assert_int_eq(web_get("/", web_cookies()), 200);
    ck_assert(web_says("<h1><bdi>Ada</bdi></h1>"));
    ck_assert(web_says("Signed in with Toy"));
    ck_assert(web_says("ada@example.org <span class=\"tag\">not verified</span>"));
    ck_assert(web_says("2027-01-15 08:00 UTC"));
    ck_assert(web_says("<span class=\"avatar initial\" aria-hidden=\"true\">A</span>"));
    ck_assert(!web_says(wfx.session));
    ck_assert_str_eq(web_header("Cache-Control"), "no-store");
    ck_assert_str_eq(web_header("Referrer-Policy"), "same-origin");
}
END_TEST

/* On the page as for apps: an upstream's word alone verifies nothing. */
START_TEST(an_upstreams_word)
{
    bool is = true;
    lfx.verified = true;
    web_sign_in();
    ck_assert_int_eq(web_get("/api/v1/me", web_cookies()), 200);
    struct jval *o = me();
    ck_assert_str_eq(text(o, "/email_evidence"), "provider_asserted");
    ck_assert(jval_bool(jval_get(o, "email_verified"), &is) && !is);
    jval_free(&o);
    ck_assert_int_eq(web_get("/", web_cookies()), 200);
    ck_assert(web_says("ada@example.org <span class=\"tag\">not verified</span>"));
}
END_TEST

/* SESS-05, SESS-08, SESS-20: every way not to be signed in, on every endpoint. */
START_TEST(cookies_that_are_worth_nothing)
{
    char lines[256];
    web_sign_in();
    for (size_t i = 0; i < 43; i++) {
        char other[64];
        memcpy(other, wfx.session, 44);
        other[i] = other[i] == 'A' ? 'B' : 'A';
        snprintf(lines, sizeof lines, "Cookie: __Host-usher=%s\r\n", other);
        ck_assert_int_eq(web_get("/api/v1/me", lines), 401);
    }
    static const char *const forms[] = {
        "Cookie: __Host-usher=A$\r\n",
        "Cookie: __Host-usher=$A\r\n",
        "Cookie: __Host-usher=\"$\"\r\n",
        "Cookie: __Host-usher =$\r\n",
        "Cookie: usher=$\r\n",
        "Cookie: __host-usher=$\r\n",
        "Cookie: __Secure-usher=$\r\n",
        "Cookie: __Host-usher-bind=$\r\n",
        "Cookie: __Host-usher=$; __Host-usher=x\r\n",
        "Cookie: __Host-usher=$\r\nCookie: __Host-usher=x\r\n",
        "Authorization: Bearer $\r\n",
    };
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        const char *cookie = web_fill(forms[i], wfx.session);
        ck_assert_int_eq(web_get("/api/v1/me", cookie), 401);
        ck_assert_int_eq(web_get("/auth", cookie), 401);
        ck_assert_int_eq(web_get("/", cookie), 200);
        ck_assert(web_says("Continue with Toy"));
    }
    ck_assert(web_signed_in());
}
END_TEST

/* SESS-16, SESS-17 through the door. */
START_TEST(time_runs_out)
{
    struct clock_fake f = {{1}, {(LOGIN_NOW + 3599) * INT64_C(1000000)}};
    web_sign_in();
    clock_set_fake(&f);
    ck_assert(web_signed_in());
    f.wall.us += 3600 * INT64_C(1000000);
    clock_set_fake(&f);
    ck_assert(!web_signed_in());
    f.wall.us -= 3600 * INT64_C(1000000); /* SESS-19: a clock set back revives nothing */
    clock_set_fake(&f);
    ck_assert(!web_signed_in());
}
END_TEST

Suite *suite_home(void);
Suite *suite_home(void)
{
    Suite *s = suite_create("home");
    TCase *tc = tcase_create("home");
    tcase_add_checked_fixture(tc, web_fixture_open, web_fixture_close);
    tcase_add_test(tc, nobody);
    tcase_add_test(tc, somebody_as_json);
    tcase_add_test(tc, roles_as_json);
    tcase_add_test(tc, somebody_as_a_page);
    tcase_add_test(tc, an_upstreams_word);
    tcase_add_test(tc, cookies_that_are_worth_nothing);
    tcase_add_test(tc, time_runs_out);
    suite_add_tcase(s, tc);
    return s;
}
