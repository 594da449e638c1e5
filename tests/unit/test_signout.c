/* SPDX-License-Identifier: Apache-2.0 */
#include <pthread.h>
#include <stdio.h>

#include "web_fixture.h"

#define SITE "Sec-Fetch-Site: same-origin\r\nOrigin: https://usher.test\r\n"

static const char *ours(void)
{
    static char lines[512];
    snprintf(lines, sizeof lines, "%s" SITE, web_cookies());
    return lines;
}

static void expect_goodbye(int status)
{
    ck_assert_int_eq(status, 200);
    ck_assert(web_says("Signed out"));
    ck_assert_str_eq(web_header("Set-Cookie"),
                     "__Host-usher=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Lax");
}

/* SESS-10, SESS-13 */
START_TEST(signs_out)
{
    web_sign_in();
    ck_assert_int_eq(web_get("/logout", web_cookies()), 200);
    ck_assert(web_says("<form method=\"post\" action=\"/logout\""));
    ck_assert_str_eq(web_header("Referrer-Policy"), "same-origin");
    ck_assert(web_signed_in());
    expect_goodbye(web_post("/logout", ours(), ""));
    ck_assert(!web_signed_in());
    ck_assert_int_eq(web_get("/auth", web_cookies()), 401);
    ck_assert_int_eq(login_fixture_sql("SELECT count(*) FROM session"), 0);
    expect_goodbye(web_post("/logout", ours(), "")); /* the saved cookie changes nothing */
    ck_assert_int_eq(web_get("/logout", web_cookies()), 200);
    ck_assert(web_says("You are not signed in"));
}
END_TEST

/* SESS-12, STATE-21, STATE-22 */
START_TEST(nobody_else_signs_out)
{
    static const char *const others[] = {
        "",
        "Origin: null\r\n",
        "Origin: https://evil.example\r\n",
        "Origin: http://usher.test\r\n",
        "Sec-Fetch-Site: cross-site\r\n",
        "Sec-Fetch-Site: same-site\r\nOrigin: https://app.usher.test\r\n",
        "Referer: https://usher.test/\r\n",
    };
    char lines[512];
    web_sign_in();
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        snprintf(lines, sizeof lines, "%s%s", web_cookies(), others[i]);
        ck_assert_int_eq(web_post("/logout", lines, ""), 403);
        ck_assert_ptr_null(web_header("Set-Cookie"));
    }
    web_get("/logout", web_cookies());
    web_head("/logout", web_cookies());
    ck_assert(web_signed_in());
}
END_TEST

/* STATE-13: with a planted second cookie nobody is signed in, but signing out means both. */
START_TEST(two_cookies)
{
    char first[64], lines[512];
    web_sign_in();
    snprintf(first, sizeof first, "%s", wfx.session);
    wfx.session[0] = 0;
    web_sign_in();
    ck_assert_int_eq(login_fixture_sql("SELECT count(*) FROM session"), 2);
    static const char *const between[] = {"; a=b; __Host-usher=", "\r\nCookie: __Host-usher="};
    for (size_t i = 0; i < 2; i++) {
        snprintf(lines, sizeof lines, "Cookie: __Host-usher=%s%s%s\r\n" SITE, first, between[i],
                 wfx.session);
        ck_assert_int_eq(web_get("/api/v1/me", lines), 401);
        ck_assert_int_eq(web_get("/auth", lines), 401);
    }
    expect_goodbye(web_post("/logout", lines, ""));
    ck_assert_int_eq(login_fixture_sql("SELECT count(*) FROM session"), 0);
    ck_assert(!web_signed_in());
}
END_TEST

/* ---- a store that does not write ---- */

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;

static int wait_at_gate(struct db *db, void *arg, struct err *err)
{
    (void)db, (void)arg, (void)err;
    pthread_mutex_lock(&gate);
    pthread_mutex_unlock(&gate);
    return 0;
}

/* A full queue: over in memory at once, but nobody is told that it is over for good; the next try
 * is a real one. */
START_TEST(full_queue)
{
    web_sign_in();
    pthread_mutex_lock(&gate);
    while (store_write(lfx.store, wait_at_gate, NULL, NULL, NULL))
        continue;
    /* The writer may have taken some meanwhile. */
    for (int i = 0; i < 100; i++) {
        http_spin(lfx.loop, 1);
        while (store_write(lfx.store, wait_at_gate, NULL, NULL, NULL))
            continue;
    }
    ck_assert_int_eq(web_post("/logout", ours(), ""), 503);
    ck_assert(web_says("could not be recorded"));
    ck_assert_str_eq(web_header("Retry-After"), "5");
    ck_assert_ptr_null(web_header("Set-Cookie"));
    ck_assert(!web_signed_in());
    pthread_mutex_unlock(&gate);
    struct store_stats st;
    do
        store_get_stats(lfx.store, &st);
    while (st.queued > 0);
    ck_assert_int_eq(login_fixture_sql("SELECT count(*) FROM session"), 1);
    expect_goodbye(web_post("/logout", ours(), ""));
    ck_assert_int_eq(login_fixture_sql("SELECT count(*) FROM session"), 0);
}
END_TEST

START_TEST(failing_write)
{
    web_sign_in();
    login_fixture_sql("ALTER TABLE session RENAME TO stuck");
    ck_assert_int_eq(web_post("/logout", ours(), ""), 503);
    ck_assert(web_says("could not be recorded"));
    ck_assert(!web_says("stuck"));
    ck_assert(!web_signed_in());
    login_fixture_sql("ALTER TABLE stuck RENAME TO session");
    ck_assert_int_eq(login_fixture_sql("SELECT count(*) FROM session"), 1);
    expect_goodbye(web_post("/logout", ours(), ""));
    ck_assert_int_eq(login_fixture_sql("SELECT count(*) FROM session"), 0);
}
END_TEST

Suite *suite_signout(void);
Suite *suite_signout(void)
{
    Suite *s = suite_create("signout");
    TCase *tc = tcase_create("signout");
    tcase_add_checked_fixture(tc, web_fixture_open, web_fixture_close);
    tcase_add_test(tc, signs_out);
    tcase_add_test(tc, nobody_else_signs_out);
    tcase_add_test(tc, two_cookies);
    tcase_add_test(tc, full_queue);
    tcase_add_test(tc, failing_write);
    suite_add_tcase(s, tc);
    return s;
}
