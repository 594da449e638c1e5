/* SPDX-License-Identifier: Apache-2.0 */
/* Who is behind a request, tried on the real routes with real sessions, tokens and operators. */
#include "web/caller.h"

#include <stdio.h>
#include <stdlib.h>

#include "sys/clock.h"
#include "web_fixture.h"

#define OURS "Sec-Fetch-Site: same-origin\r\nOrigin: https://usher.test\r\n"
#define TOKEN_NAME "{\"name\":\"t\",\"scopes\":\"read\"}"

static char account[64], token[64], operator_cookie[64];

/* ---- operations as the admin socket would call them ---- */

struct told {
    bool done;
    char text[256]; /* the member that was asked for */
    const char *pointer;
};

static void tell(void *arg, const struct admin_answer *answer)
{
    struct told *t = arg;
    ck_assert_msg(answer->err == NULL, "%s", answer->err->text);
    const char *text = jval_text(jval_at(answer->body, t->pointer));
    snprintf(t->text, sizeof t->text, "%s", text ? text : "");
    t->done = true;
}

static void run(admin_op_fn *op, const char *id, const char *body, struct told *t)
{
    struct err err = ERR_INIT;
    const struct admin_actor actor = {
        .kind = "socket", .id = "0", .request_id = "r", .scopes = ADMIN_ALL_SCOPES};
    struct jval *v = body ? jval_parse(str_of(body), 4096, 4, &err) : NULL;
    const bool role = op == admin_role_grant || op == admin_role_revoke;
    const struct admin_request rq = {
        .id = role ? "admin" : id, .sub = role ? id : NULL, .body = v, .actor = &actor};
    t->done = false;
    op(wfx.app.admin, &rq, tell, t);
    for (int i = 0; i < 2000 && !t->done; i++)
        loop_once(lfx.loop, 5);
    ck_assert(t->done);
    jval_free(&v);
}

static void token_make(const char *scopes, char out[64])
{
    struct told t = {.pointer = "/token"};
    run(admin_token_add, NULL, web_fill("{\"name\":\"t\",\"scopes\":\"$\"}", scopes), &t);
    snprintf(out, 64, "%.63s", t.text);
    ck_assert_uint_eq(strlen(out), 43);
}

/* Ada is signed in, and an admin. */
static void become_admin(void)
{
    struct err err = ERR_INIT;
    struct told t = {.pointer = "/account"};
    web_sign_in();
    ck_assert_int_eq(web_get("/api/v1/me", web_cookies()), 200);
    struct jval *me = jval_parse((struct str){wfx.a.body, wfx.a.body_n}, 65536, 8, &err);
    snprintf(account, sizeof account, "%s", jval_text(jval_get(me, "id")));
    jval_free(&me);
    ck_assert_int_eq(web_get("/api/v1/tokens", web_cookies()), 403);
    run(admin_role_grant, account, NULL, &t);
}

static void become_operator(void)
{
    struct told t = {.pointer = "/url"};
    run(admin_setup_link, NULL, NULL, &t);
    const char *link = strrchr(t.text, '/') + 1;
    t.pointer = "/operator";
    run(admin_setup_use, NULL, web_fill("{\"token\":\"$\"}", link), &t);
    snprintf(operator_cookie, sizeof operator_cookie, "%.63s", t.text);
}

static const char *bearer(const char *text)
{
    return web_fill("Authorization: Bearer $\r\n", text);
}

static const char *operator_line(const char *more)
{
    const char *line = web_fill("Cookie: __Host-usher-operator=$\r\n", operator_cookie);
    return arena_printf(lfx.arena, "%s%s", line, more);
}

static int post_token(const char *lines)
{
    char request[4096];
    snprintf(request, sizeof request,
             "POST /api/v1/tokens HTTP/1.1\r\n" WEB_HOST "%sContent-Type: application/json\r\n"
             "Content-Length: %zu\r\n\r\n%s",
             lines, strlen(TOKEN_NAME), TOKEN_NAME);
    http_once(lfx.loop, wfx.port, request, &wfx.a);
    return wfx.a.status;
}

static bool error_is(const char *kind)
{
    return web_says(web_fill("{\"error\":{\"kind\":\"$\"", kind));
}

static void later(int64_t seconds)
{
    const struct clock_fake clock = {.wall = {(LOGIN_NOW + seconds) * 1000000LL}, .mono = {1}};
    clock_set_fake(&clock);
}

/* ---- tests ---- */

/* ADM-01, ADM-10 */
START_TEST(nobody_and_plain_users)
{
    ck_assert_int_eq(web_get("/api/v1/tokens", ""), 401);
    ck_assert(error_is("unauthenticated"));
    ck_assert_str_eq(web_header("WWW-Authenticate"), "Bearer realm=\"usher\"");
    ck_assert_int_eq(web_get("/api/v1/tokens", "Cookie: __Host-usher=x\r\n"), 401);
    web_sign_in();
    ck_assert_int_eq(web_get("/api/v1/tokens", web_cookies()), 403);
    ck_assert(error_is("not_allowed"));
    ck_assert_int_eq(post_token(arena_printf(lfx.arena, "%s" OURS, web_cookies())), 403);
    ck_assert_int_eq(web_get(web_fill("/api/v1/tokens?account=$&role=admin", "x"), web_cookies()),
                     403);
    ck_assert_int_eq(login_fixture_sql("SELECT count(*) FROM api_token"), 0);
}
END_TEST

/* ADM-04 */
START_TEST(admins_and_their_pages)
{
    static const char *const elsewhere[] = {
        "",
        "Origin: https://evil.example\r\n",
        "Origin: null\r\n",
        "Sec-Fetch-Site: cross-site\r\n",
        "Sec-Fetch-Site: same-site\r\n",
        "Sec-Fetch-Site: none\r\n",
        "Sec-Fetch-Site: same-origin\r\nOrigin: https://evil.example\r\n",
        "Sec-Fetch-Site: same-site\r\nOrigin: https://usher.test\r\n",
        "Referer: https://usher.test/admin\r\n",
        "X-Requested-With: XMLHttpRequest\r\n",
    };
    become_admin();
    ck_assert_int_eq(web_get("/api/v1/tokens", web_cookies()), 200);
    ck_assert_int_eq(
        web_get("/api/v1/tokens", arena_printf(lfx.arena, "%sOrigin: null\r\n", web_cookies())),
        200); /* changes nothing, and who asked cannot read the answer */
    for (size_t i = 0; i < sizeof elsewhere / sizeof *elsewhere; i++) {
        ck_assert_int_eq(post_token(arena_printf(lfx.arena, "%s%s", web_cookies(), elsewhere[i])),
                         403);
        ck_assert_msg(error_is("not_allowed"), "%s", elsewhere[i]);
    }
    ck_assert_int_eq(login_fixture_sql("SELECT count(*) FROM api_token"), 0);
    ck_assert_int_eq(post_token(arena_printf(lfx.arena, "%s" OURS, web_cookies())), 201);
    ck_assert_int_eq(login_fixture_sql("SELECT count(*) FROM audit WHERE action = 'token.add' AND "
                                       "actor_kind = 'account' AND ip = '127.0.0.1'"),
                     1);
}
END_TEST

/* ADM-07: a sign-in of long ago shows, and handles no secrets. */
START_TEST(secrets_need_a_fresh_sign_in)
{
    become_admin();
    const char *lines = arena_printf(lfx.arena, "%s" OURS, web_cookies());
    later(CALLER_FRESH_SECONDS);
    ck_assert_int_eq(post_token(lines), 201);
    later(CALLER_FRESH_SECONDS + 1);
    ck_assert_int_eq(post_token(lines), 403);
    ck_assert(error_is("reauthenticate"));
    ck_assert_int_eq(web_get("/api/v1/tokens", web_cookies()), 200);
    ck_assert_int_eq(login_fixture_sql("SELECT count(*) FROM api_token"), 1);
}
END_TEST

/* ADM-07: what ends, ends at once. */
START_TEST(admins_that_are_none_any_more)
{
    struct told t = {.pointer = "/account"};
    become_admin();
    ck_assert_int_eq(web_get("/api/v1/tokens", web_cookies()), 200);
    run(admin_role_revoke, account, "{\"force\":true}", &t);
    ck_assert_int_eq(web_get("/api/v1/tokens", web_cookies()), 403);
    run(admin_role_grant, account, NULL, &t);
    later(3601); /* idle too long */
    ck_assert_int_eq(web_get("/api/v1/tokens", web_cookies()), 401);
}
END_TEST

/* ADM-06, ADM-08 */
START_TEST(tokens)
{
    struct told t = {.pointer = "/id"};
    char cut[64], long_one[64], low[64];
    token_make("read secrets", token);
    token_make("metrics", low);
    snprintf(cut, sizeof cut, "%.42s", token);
    snprintf(long_one, sizeof long_one, "%.43sA", token);
    const char *const wrong[] = {"",
                                 cut,
                                 long_one,
                                 "x",
                                 "0000000000000000000000000000000000000000000",
                                 web_fill("$ ,", token)};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        ck_assert_msg(web_get("/api/v1/tokens", bearer(wrong[i])) == 401, "%s", wrong[i]);
        ck_assert(error_is("unauthenticated"));
    }
    ck_assert_int_eq(web_get("/api/v1/tokens", web_fill("Authorization: $\r\n", token)), 401);
    ck_assert_int_eq(web_get(web_fill("/api/v1/tokens?access_token=$&token=$", token), ""), 401);
    ck_assert_int_eq(web_get("/api/v1/tokens", web_fill("Cookie: __Host-usher=$\r\n", token)), 401);
    ck_assert_int_eq(web_get("/api/v1/tokens", bearer(token)), 200);
    ck_assert_int_eq(web_get("/api/v1/tokens", web_fill("authorization: bEARER $\r\n", token)),
                     200);
    ck_assert_int_eq(post_token(bearer(token)), 201); /* no browser sends that by itself */
    /* ADM-09: a low scope stays low. */
    ck_assert_int_eq(web_get("/api/v1/tokens", bearer(low)), 403);
    ck_assert(error_is("not_allowed"));
    ck_assert_int_eq(web_get("/metrics", bearer(low)), 200);
    ck_assert_int_eq(web_get("/metrics", bearer(token)), 401);
    /* A wrong token is not made good by a cookie. */
    become_admin();
    ck_assert_int_eq(
        web_get("/api/v1/tokens", arena_printf(lfx.arena, "%s%s", web_cookies(), bearer(cut))),
        401);
    ck_assert_int_eq(
        web_get("/api/v1/tokens",
                arena_printf(lfx.arena, "%sAuthorization: Basic eA==\r\n", web_cookies())),
        200);
    run(admin_token_list, NULL, NULL, &t);
}
END_TEST

START_TEST(operators)
{
    become_operator();
    ck_assert_int_eq(web_get("/api/v1/tokens", operator_line("")), 200);
    ck_assert_int_eq(post_token(operator_line("")), 403);
    ck_assert_int_eq(post_token(operator_line("Origin: https://evil.example\r\n")), 403);
    ck_assert_int_eq(post_token(operator_line(OURS)), 201);
    ck_assert_int_eq(
        login_fixture_sql("SELECT count(*) FROM audit WHERE actor_kind = 'operator' AND "
                          "action = 'token.add'"),
        1);
    ck_assert_int_eq(web_get("/api/v1/me", operator_line("")), 401); /* nobody's account */
    later(3600);
    ck_assert_int_eq(web_get("/api/v1/tokens", operator_line("")), 401);
}
END_TEST

/* ADM-03: what only the socket may is not here for anybody. */
START_TEST(setup_links_are_local)
{
    become_operator();
    token_make("read write secrets metrics", token);
    ck_assert_int_eq(web_post("/api/v1/setup-links", operator_line(OURS), NULL), 404);
    ck_assert_int_eq(web_post("/api/v1/setup-links", bearer(token), NULL), 404);
}
END_TEST

Suite *suite_caller(void);
Suite *suite_caller(void)
{
    Suite *s = suite_create("caller");
    TCase *tc = tcase_create("caller");
    tcase_add_checked_fixture(tc, web_fixture_open, web_fixture_close);
    tcase_add_test(tc, nobody_and_plain_users);
    tcase_add_test(tc, admins_and_their_pages);
    tcase_add_test(tc, secrets_need_a_fresh_sign_in);
    tcase_add_test(tc, admins_that_are_none_any_more);
    tcase_add_test(tc, tokens);
    tcase_add_test(tc, operators);
    tcase_add_test(tc, setup_links_are_local);
    suite_add_tcase(s, tc);
    return s;
}
