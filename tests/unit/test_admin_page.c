/* SPDX-License-Identifier: Apache-2.0 */
/* The admin's pages on the real routes: who gets in, what is asked back, what is left alone. */
#include "web/admin_page.h"

#include <stdio.h>
#include <stdlib.h>

#include "issuer/issuer.h"
#include "sys/clock.h"
#include "web_fixture.h"

#define OURS "Sec-Fetch-Site: same-origin\r\nOrigin: https://usher.test\r\n"

static char account[64], link_token[64];

struct told {
    bool done;
    const char *pointer;
    char *out; /* 64 bytes */
};

static void tell(void *arg, const struct admin_answer *answer)
{
    struct told *t = arg;
    ck_assert_msg(answer->err == NULL, "%s", answer->err->text);
    const char *text = t->pointer ? jval_text(jval_at(answer->body, t->pointer)) : NULL;
    if (text)
        snprintf(t->out, 64, "%.63s", strrchr(text, '/') ? strrchr(text, '/') + 1 : text);
    t->done = true;
}

/* An operation as the admin socket would call it; the last part of a member of its answer. */
static void run(admin_op_fn *op, const char *id, const char *pointer, char out[64])
{
    const struct admin_actor actor = {
        .kind = "socket", .id = "0", .request_id = "r", .scopes = ADMIN_ALL_SCOPES};
    const bool role = op == admin_role_grant || op == admin_role_revoke;
    const struct admin_request rq = {
        .id = role ? "admin" : id, .sub = role ? id : NULL, .actor = &actor};
    struct told t = {.pointer = pointer, .out = out};
    op(wfx.app.admin, &rq, tell, &t);
    for (int i = 0; i < 2000 && !t.done; i++)
        loop_once(lfx.loop, 5);
    ck_assert(t.done);
}

static void become_admin(void)
{
    struct err err = ERR_INIT;
    web_sign_in();
    ck_assert_int_eq(web_get("/api/v1/me", web_cookies()), 200);
    struct jval *me = jval_parse((struct str){wfx.a.body, wfx.a.body_n}, 65536, 8, &err);
    snprintf(account, sizeof account, "%s", jval_text(jval_get(me, "id")));
    jval_free(&me);
    run(admin_role_grant, account, NULL, NULL);
}

static const char *lines(const char *more)
{
    return arena_printf(lfx.arena, "%s%s", web_cookies(), more);
}

static void later(int64_t seconds)
{
    const struct clock_fake clock = {.wall = {(LOGIN_NOW + seconds) * 1000000LL}, .mono = {1}};
    clock_set_fake(&clock);
}

/* Every route under /admin that asks who is there, with something in the place of '*'. */
static const char *page_at(size_t i)
{
    const struct route *r = &web_routes[i];
    if (strncmp(r->path, "/admin", 6) != 0 || strncmp(r->path, "/admin/setup", 12) == 0 ||
        strcmp(r->path, "/admin/leave") == 0)
        return NULL;
    const char *path = r->path;
    for (const char *star; (star = strchr(path, '*'));)
        path = arena_printf(lfx.arena, "%.*stoy%s", (int)(star - path), path, star + 1);
    return path;
}

static int visit(size_t i, const char *target, const char *more)
{
    const bool post = strcmp(web_routes[i].method, "POST") == 0;
    return post ? web_post(target, lines(more), "name=x&read=yes&account=x&id=x")
                : web_get(target, lines(more));
}

static int64_t changes(void)
{
    return login_fixture_sql("SELECT count(*) FROM audit WHERE action <> 'role.grant' AND "
                             "action NOT LIKE 'login.%'");
}

/* ADM-01, ADM-04 */
START_TEST(only_admins_get_in)
{
    size_t pages = 0;
    for (size_t i = 0; i < web_routes_n; i++)
        if (page_at(i)) {
            ck_assert_int_eq(visit(i, page_at(i), OURS), 303);
            ck_assert_int_eq(strncmp(web_header("Location"), "/login?return_to=%2Fadmin", 25), 0);
            pages++;
        }
    ck_assert_uint_gt(pages, 25);
    web_sign_in();
    for (size_t i = 0; i < web_routes_n; i++)
        if (page_at(i)) {
            ck_assert_int_eq(visit(i, page_at(i), OURS), 403);
            ck_assert(web_says("This is for admins"));
            ck_assert(!web_says("aria-label=\"Administration\""));
        }
    become_admin();
    for (size_t i = 0; i < web_routes_n; i++)
        if (page_at(i) && strcmp(web_routes[i].method, "POST") == 0) {
            ck_assert_int_eq(visit(i, page_at(i), ""), 403);
            ck_assert_int_eq(visit(i, page_at(i),
                                   "Sec-Fetch-Site: same-site\r\n"
                                   "Origin: https://evil.usher.test\r\n"),
                             403);
        }
    ck_assert_int_eq(changes(), 0);
}
END_TEST

/* Every page answers, whatever is in the place of '*', with headers that hold it together (ADM-25).
 */
START_TEST(every_page_answers)
{
    struct err err = ERR_INIT;
    const struct issuer_options o = {.loop = lfx.loop,
                                     .store = lfx.store,
                                     .keys = lfx.keys,
                                     .public_url = wfx.app.public_url,
                                     .key_lifetime = 90 * 86400,
                                     .max_tokens = 16};
    struct issuer *issuer = issuer_new(&o, &err); /* some pages are about its keys */
    ck_assert_msg(issuer != NULL, "%s", err.text);
    admin_set_issuer(wfx.app.admin, issuer);
    become_admin();
    for (size_t i = 0; i < web_routes_n; i++) {
        if (!page_at(i) || strcmp(web_routes[i].method, "GET") != 0)
            continue;
        const int status = visit(i, page_at(i), "");
        ck_assert_msg(status == 200 || status == 404 || status == 409, "%s: %d", page_at(i),
                      status);
        ck_assert(web_says("<!doctype html>") && web_says("aria-label=\"Administration\""));
        ck_assert_str_eq(web_header("Cache-Control"), "no-store");
        ck_assert_str_eq(web_header("X-Frame-Options"), "DENY");
        ck_assert_ptr_nonnull(strstr(web_header("Content-Security-Policy"), "default-src 'none'"));
        ck_assert_ptr_null(strstr(web_header("Content-Security-Policy"), "unsafe"));
    }
    ck_assert_int_eq(web_get("/admin?did=evil", web_cookies()), 200);
    ck_assert(!web_says("evil"));
    ck_assert_int_eq(web_get("/admin?did=deleted", web_cookies()), 200);
    ck_assert(web_says("The provider is deleted."));
    admin_set_issuer(wfx.app.admin, NULL);
    issuer_free(&issuer);
}
END_TEST

/* ADM-07 */
START_TEST(secrets_want_a_fresh_sign_in)
{
    become_admin();
    ck_assert_int_eq(web_get("/admin/tokens", web_cookies()), 200);
    ck_assert(web_says("Make the token") && !web_says("Sign in again"));
    later(31 * 60);
    ck_assert_int_eq(web_get("/admin/tokens", web_cookies()), 200);
    ck_assert(!web_says("Make the token"));
    ck_assert(web_says("href=\"/login?return_to=%2Fadmin%2Ftokens\">Sign in again"));
    ck_assert_int_eq(web_post("/admin/tokens", lines(OURS), "name=x&read=yes"), 403);
    ck_assert(web_says("Sign in again first"));
    ck_assert_int_eq(web_post("/admin/roles/admin/grant", lines(OURS), "account=x"), 403);
    ck_assert_int_eq(web_post("/admin/providers/toy/rotate", lines(OURS), "secret=canary"), 403);
    ck_assert(!web_says("canary"));
    ck_assert_int_eq(web_get("/admin/providers", web_cookies()), 200);
    ck_assert_int_eq(changes(), 0);
    clock_set_fake(NULL);
}
END_TEST

/* ADM-02: looking uses nothing up, a click does, and it is a click on our own page. */
START_TEST(a_setup_link_works_once)
{
    char cookie[256];
    run(admin_setup_link, NULL, "/url", link_token);
    ck_assert_uint_eq(strlen(link_token), 43);
    const char *path = arena_printf(lfx.arena, "/admin/setup/%s", link_token);
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(web_get(path, ""), 200);
        ck_assert(web_says(path));
    }
    ck_assert_int_eq(web_post(path, "", ""), 403);
    ck_assert_int_eq(web_post(path, OURS, ""), 303);
    ck_assert_str_eq(web_header("Location"), "/admin?did=welcome");
    const char *set = web_header("Set-Cookie");
    ck_assert_ptr_nonnull(strstr(set, "SameSite=Strict"));
    ck_assert_ptr_nonnull(strstr(set, "HttpOnly"));
    snprintf(cookie, sizeof cookie, "Cookie: %.*s\r\n", (int)strcspn(set, ";"), set);
    ck_assert_int_eq(web_post(path, OURS, ""), 410);
    ck_assert_int_eq(web_get("/admin", cookie), 200);
    ck_assert(web_says("Operator"));
    ck_assert_int_eq(web_post("/admin/leave", cookie, ""), 403);
    ck_assert_int_eq(web_get("/admin", cookie), 200);
    ck_assert_int_eq(web_post("/admin/leave", arena_printf(lfx.arena, "%s" OURS, cookie), ""), 303);
    ck_assert_int_eq(web_get("/admin", cookie), 303);
}
END_TEST

START_TEST(forms_that_no_page_sends)
{
    become_admin();
    ck_assert_int_eq(web_post("/admin/tokens", lines(OURS), "name=%zz"), 400);
    ck_assert_int_eq(web_post("/admin/tokens", lines(OURS), "name=a&name=b&read=yes"), 400);
    ck_assert_int_eq(web_post("/admin/tokens", lines(OURS), "name=a&read=yes&expires=never"), 400);
    ck_assert(web_says("a day is wanted") && web_says("value=\"never\""));
    ck_assert_int_eq(web_post("/admin/roles/admin/grant", lines(OURS), "account=nobody"), 404);
    ck_assert_int_eq(changes(), 0);
}
END_TEST

/* How many rows there are is said by the form, and believed as far as a page has any. */
START_TEST(a_form_that_counts_its_rules_wrong)
{
    static const char *const rows[] = {"-1", "0", "x", "4096", "9223372036854775807"};
    become_admin();
    ck_assert_int_eq(web_post("/admin/new-app", lines(OURS), "id=wiki&hosts=wiki.example.com"),
                     303);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *form = arena_printf(
            lfx.arena, "version=1&add=yes&rows=%s&path-1=/a&require-1=anyone", rows[i]);
        ck_assert_int_eq(web_post("/admin/apps/wiki/rules", lines(OURS), form), 200);
        ck_assert(web_says("value=\"/a\"") == (strcmp(rows[i], "0") != 0));
    }
}
END_TEST

Suite *suite_admin_page(void);
Suite *suite_admin_page(void)
{
    Suite *s = suite_create("admin_page");
    TCase *tc = tcase_create("admin_page");
    tcase_add_checked_fixture(tc, web_fixture_open, web_fixture_close);
    tcase_add_test(tc, only_admins_get_in);
    tcase_add_test(tc, every_page_answers);
    tcase_add_test(tc, secrets_want_a_fresh_sign_in);
    tcase_add_test(tc, a_setup_link_works_once);
    tcase_add_test(tc, forms_that_no_page_sends);
    tcase_add_test(tc, a_form_that_counts_its_rules_wrong);
    suite_add_tcase(s, tc);
    return s;
}
