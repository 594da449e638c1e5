/* SPDX-License-Identifier: Apache-2.0 */
/* What the daemon's tests cannot bring about: a store that is busy, and one that breaks; half an
 * hour between two clicks. */
#include <pthread.h>
#include <stdio.h>

#include "sys/clock.h"
#include "web/account_page.h"
#include "web_fixture.h"

#define SITE "Sec-Fetch-Site: same-origin\r\nOrigin: https://usher.test\r\n"

static const char *ours(void)
{
    static char lines[512];
    snprintf(lines, sizeof lines, "%s" SITE, web_cookies());
    return lines;
}

/* Two browsers of one person: this one, and another whose session is the result. */
static void sign_in_twice(char other[64], char id[32])
{
    web_sign_in();
    snprintf(other, 64, "%s", wfx.session);
    ck_assert_int_eq(web_get("/api/v1/me", web_cookies()), 200);
    const char *at = strstr(wfx.a.body, "\"session\":{\"id\":\"");
    ck_assert_ptr_nonnull(at);
    snprintf(id, 32, "%.22s", at + strlen("\"session\":{\"id\":\""));
    wfx.session[0] = 0;
    web_sign_in();
}

static bool lives(const char *session)
{
    char line[128];
    snprintf(line, sizeof line, "Cookie: __Host-usher=%s\r\n", session);
    return web_get("/auth", line) == 200;
}

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;

static int wait_at_gate(struct db *db, void *arg, struct err *err)
{
    (void)db, (void)arg, (void)err;
    pthread_mutex_lock(&gate);
    pthread_mutex_unlock(&gate);
    return 0;
}

static void fill(bool (*ask)(struct store *, store_fn *, struct loop *, store_done_fn *, void *))
{
    while (ask(lfx.store, wait_at_gate, NULL, NULL, NULL))
        continue;
    /* The other thread may have taken some meanwhile. */
    for (int i = 0; i < 100; i++) {
        http_spin(lfx.loop, 1);
        while (ask(lfx.store, wait_at_gate, NULL, NULL, NULL))
            continue;
    }
}

/* SESS-28: busy is no reason to sign anybody out, nor to claim what was not done. */
START_TEST(a_store_that_is_busy)
{
    char other[64], id[32], target[96];
    sign_in_twice(other, id);
    snprintf(target, sizeof target, "/account/sessions/%s/end", id);
    pthread_mutex_lock(&gate);
    fill(store_write);
    ck_assert_int_eq(web_post(target, ours(), ""), 503);
    ck_assert_str_eq(web_header("Retry-After"), "5");
    ck_assert(web_says("Nothing was changed."));
    ck_assert_int_eq(web_post("/account/sessions/end-others", ours(), ""), 503);
    fill(store_read);
    ck_assert_int_eq(web_get("/account", web_cookies()), 503);
    ck_assert_ptr_null(web_header("Set-Cookie"));
    pthread_mutex_unlock(&gate);
    ck_assert(lives(other));
    ck_assert(web_signed_in());
}
END_TEST

/* What could not be written down is over in memory all the same, and it is said that it broke. */
START_TEST(a_store_that_breaks)
{
    char other[64], id[32], target[96];
    sign_in_twice(other, id);
    snprintf(target, sizeof target, "/account/sessions/%s/end", id);
    login_fixture_sql("DROP TABLE audit");
    ck_assert_int_eq(web_post(target, ours(), ""), 500);
    ck_assert(web_says("Something broke on our side"));
    ck_assert(!web_says("audit"));
    ck_assert(!lives(other));
    ck_assert(web_signed_in());
    ck_assert_int_eq(login_fixture_sql("SELECT count(*) FROM session"), 2);
    ck_assert_int_eq(web_post("/account/sessions/end-others", ours(), ""), 500);
    ck_assert(web_signed_in());
    login_fixture_sql("DROP TABLE session");
    ck_assert_int_eq(web_get("/account", web_cookies()), 500);
    ck_assert(web_signed_in());
}
END_TEST

/* What a form says is not asked for; that it is one is. */
START_TEST(odd_forms)
{
    static const char *const odd[] = {"%", "a=%zz", "\xff", "a=%00"};
    web_sign_in();
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++)
        ck_assert_int_eq(web_post("/account/sessions/end-others", ours(), odd[i]), 400);
    ck_assert_int_eq(web_post("/account/sessions/end-others", ours(), "anything=else"), 303);
    ck_assert_str_eq(web_header("Location"), "/account?did=ended-others");
    ck_assert_int_eq(web_get("/account?did=nonsense", web_cookies()), 200);
    ck_assert(!web_says("role=\"status\""));
    ck_assert_int_eq(web_get("/account?did=ended&did=ended", web_cookies()), 200);
    ck_assert(!web_says("role=\"status\""));
    ck_assert_int_eq(web_get("/account?did=%zz", web_cookies()), 200);
    ck_assert_int_eq(web_get("/account?did=ended", web_cookies()), 200);
    ck_assert(web_says("role=\"status\""));
}
END_TEST

/* From the button on the account's page to the question whether to link: its path. */
static const char *linking(const char *subject)
{
    struct came c = {.kind = ERR_NONE};
    ck_assert_int_eq(web_post("/account/link/toy", ours(), ""), 200);
    const char *to = web_header("Refresh");
    ck_assert_ptr_nonnull(to);
    snprintf(c.url, sizeof c.url, "%s", to + strlen("0; url="));
    lfx.subject = subject;
    const char *back = arena_printf(lfx.arena, "/callback/toy?%s", login_fixture_callback(&c));
    ck_assert_int_eq(web_get(back, web_cookies()), 303);
    const char *page = arena_dup(lfx.arena, web_header("Location"));
    ck_assert_ptr_nonnull(strstr(page, "/account/join/"));
    return page;
}

static void now_is(int64_t seconds_later)
{
    static struct clock_fake clock;
    clock = (struct clock_fake){.wall = {(LOGIN_NOW + seconds_later) * 1000000LL}, .mono = {1}};
    clock_set_fake(&clock);
}

/* ACCT-27: a question that was answered late takes signing in again, and is not used up by that. */
START_TEST(acct_27_yes_takes_a_recent_sign_in)
{
    web_sign_in();
    const char *page = linking("9999");
    now_is(ACCOUNT_FRESH_SECONDS + 1);
    ck_assert_int_eq(web_get(page, web_cookies()), 200);
    ck_assert_int_eq(web_post(page, ours(), "answer=accept"), 403);
    ck_assert(web_says("Sign in again first"));
    ck_assert_int_eq(login_fixture_sql("SELECT count(*) FROM identity"), 1);
    now_is(ACCOUNT_FRESH_SECONDS);
    ck_assert_int_eq(web_post(page, ours(), "answer=accept"), 303);
    ck_assert_int_eq(login_fixture_sql("SELECT count(*) FROM identity"), 2);
}
END_TEST

Suite *suite_account_page(void);
Suite *suite_account_page(void)
{
    Suite *s = suite_create("account_page");
    TCase *tc = tcase_create("account_page");
    tcase_set_timeout(tc, 30);
    tcase_add_checked_fixture(tc, web_fixture_open, web_fixture_close);
    tcase_add_test(tc, a_store_that_is_busy);
    tcase_add_test(tc, a_store_that_breaks);
    tcase_add_test(tc, odd_forms);
    tcase_add_test(tc, acct_27_yes_takes_a_recent_sign_in);
    suite_add_tcase(s, tc);
    return s;
}
