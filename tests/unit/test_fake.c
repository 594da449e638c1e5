/* SPDX-License-Identifier: Apache-2.0 */
/* The look-alikes check what the real ones check. */
#include <check.h>
#include <stdio.h>

#include "fake_kit.h"
#include "sys/jose.h"

Suite *suite_fake(void);

static const struct realm *const realms[] = {&realm_discord, &realm_google, &realm_oidc};
static const char *const scopes[] = {"identify email guilds.members.read", "openid email profile",
                                     "openid email profile"};

static struct jval *parse(const char *text)
{
    return jval_parse(str_of(text), 16u << 20, JSON_DEPTH_MAX, &(struct err)ERR_INIT);
}

static void expect_error(struct reply r, int status, const char *error)
{
    struct jval *o = parse(r.body);

    ck_assert_msg(r.status == status, "%d %s", r.status, r.body);
    ck_assert_str_eq(jval_text(jval_get(o, "error")), error);
    jval_free(&o);
}

static struct reply api(const char *path, const struct jval *tokens, const char *agent)
{
    char headers[300];

    snprintf(headers, sizeof headers, "Authorization: Bearer %s\r\nUser-Agent: %s\r\n",
             jval_text(jval_get(tokens, "access_token")), agent);
    return kit_request("GET", path, headers, "");
}

START_TEST(discord_signs_in)
{
    struct jval *t = kit_tokens(&realm_discord, scopes[0], "ada"), *user, *member;
    const char *agent = "DiscordBot (https://x.example, 1)";
    struct reply r;

    ck_assert_str_eq(jval_text(jval_get(t, "token_type")), "Bearer");
    ck_assert_ptr_nonnull(jval_text(jval_get(t, "refresh_token")));
    ck_assert_ptr_null(jval_get(t, "id_token"));
    user = parse(api("/discord/api/v10/users/%40me", t, agent).body);
    ck_assert_str_eq(jval_text(jval_get(user, "id")), "80351110224678912");
    ck_assert_str_eq(jval_text(jval_get(user, "email")), "ada.lovelace@gmail.com");
    r = api("/discord/api/v10/users/@me/guilds/" PEOPLE_GUILD "/member", t, agent);
    member = parse(r.body);
    ck_assert_uint_eq(jval_count(jval_get(member, "roles")), 2);
    ck_assert_int_eq(api("/discord/api/v10/users/@me/guilds/1/member", t, agent).status, 404);
    ck_assert_int_eq(api("/discord/api/v10/users/@me", t, "curl/8").status, 403);
    ck_assert_int_eq(kit_request("GET", "/discord/api/v10/users/@me",
                                 "User-Agent: DiscordBot (x, 1)\r\nAuthorization: Bearer x\r\n", "")
                         .status,
                     401);
    jval_free(&t);
    jval_free(&user);
    jval_free(&member);
}
END_TEST

START_TEST(scopes_decide_what_is_told)
{
    struct jval *t = kit_tokens(&realm_discord, "identify", "ada");
    const char *agent = "DiscordBot (x, 1)";
    struct jval *user = parse(api("/discord/api/v10/users/@me", t, agent).body);

    ck_assert_ptr_null(jval_get(user, "email"));
    ck_assert_ptr_null(jval_get(user, "verified"));
    ck_assert_int_eq(
        api("/discord/api/v10/users/@me/guilds/" PEOPLE_GUILD "/member", t, agent).status, 403);
    jval_free(&t);
    jval_free(&user);
}
END_TEST

/* Signature by the published key, claims as a client expects them. */
START_TEST(id_tokens_are_good)
{
    const struct realm *r = realms[_i + 1];
    struct jval *t = kit_tokens(r, "openid email profile", "grace");
    const char *token = jval_text(jval_get(t, "id_token")), *aud;
    struct err err = ERR_INIT;
    struct jwks *set = jwks_parse(str_of(kit_get(r->jwks).body), &err);
    struct jws j;
    char at_hash[64], issuer[120];

    ck_assert_msg(set != NULL, "%s", err.text);
    ck_assert_msg(jws_decode(str_of(token), &j, &err) == 0, "%s", err.text);
    ck_assert_int_eq(jws_check(&j, str_of(token), set, JWS_RS256, &err), 1);
    snprintf(issuer, sizeof issuer, "%s/%s", kit_fake->base, r->id);
    ck_assert_str_eq(jval_text(jval_get(j.payload, "iss")), issuer);
    aud = jval_text(jval_get(j.payload, "aud"));
    ck_assert_str_eq(aud, "usher-dev");
    ck_assert_str_eq(jval_text(jval_get(j.payload, "nonce")), "nonce-1");
    ck_assert_str_eq(jval_text(jval_get(j.payload, "hd")), "navy.example");
    ck_assert_int_eq(jws_half_hash(JWS_RS256, str_of(jval_text(jval_get(t, "access_token"))),
                                   at_hash, sizeof at_hash),
                     0);
    ck_assert_str_eq(jval_text(jval_get(j.payload, "at_hash")), at_hash);
    ck_assert_int_eq(api(r->userinfo, t, "x").status, 200);
    ck_assert_int_eq(kit_get(r->userinfo).status, 401);
    jws_deinit(&j);
    jwks_free(&set);
    jval_free(&t);
}
END_TEST

/* The crowd: everybody another person, and nobody beyond it. */
START_TEST(guests_are_many)
{
    const char *const nobody[] = {"guest-", "guest-1000", "guest--1", "guest-007", "guest-1x"};
    const char *const ids[] = {"guest-0", "guest-7", "guest-999"};

    for (size_t i = 0; i < 5; i++)
        ck_assert_ptr_null(people_find(nobody[i]));
    for (size_t i = 0; i < 3; i++)
        ck_assert_str_eq(people_find(ids[i])->id, ids[i]);
    ck_assert_str_eq(people_find("guest-7")->sub, "880000000000000000007");
    ck_assert_str_ne(people_find("guest-7")->snowflake, people_find("guest-999")->snowflake);
    struct jval *t = kit_tokens(&realm_discord, scopes[0], "guest-7");
    struct reply r = api("/discord/api/v10/users/@me", t, "DiscordBot (x.example, 1)");
    struct jval *user = parse(r.body);
    ck_assert_str_eq(jval_text(jval_get(user, "email")), "guest-7@mail.example");
    jval_free(&t);
    jval_free(&user);
}
END_TEST

START_TEST(codes_are_used_once)
{
    const struct realm *r = realms[_i];
    const char *code = kit_code(r, scopes[_i], "ada", "");
    struct reply got = kit_exchange(r, code, "");
    struct jval *t = parse(got.body);

    ck_assert_int_eq(got.status, 200);
    expect_error(kit_exchange(r, code, ""), 400, "invalid_grant");
    /* what came of it has ended too, RFC 6749 section 4.1.2 */
    ck_assert_int_eq(api(r->userinfo, t, "DiscordBot (x, 1)").status, 401);
    expect_error(kit_exchange(r, "made-up", ""), 400, "invalid_grant");
    jval_free(&t);
}
END_TEST

START_TEST(codes_belong_to_a_realm_and_a_redirect_uri)
{
    const char *code = kit_code(&realm_google, "openid", "ada", "");
    char form[600];
    int n;

    expect_error(kit_exchange(&realm_oidc, code, ""), 400, "invalid_grant");
    code = kit_code(&realm_oidc, "openid", "ada", "");
    n = snprintf(form, sizeof form,
                 "grant_type=authorization_code&client_id=usher-dev&client_secret=usher-dev-secret&"
                 "code=%s&code_verifier=" KIT_VERIFIER
                 "&redirect_uri=http%%3A%%2F%%2F127.0.0.1%%3A9%%2Fcb%%2F",
                 code);
    ck_assert_int_lt(n, (int)sizeof form);
    expect_error(kit_post("/oidc/token", form), 400, "invalid_grant");
}
END_TEST

START_TEST(pkce_is_checked)
{
    static const struct {
        const char *verifier, *error;
    } t[] = {{"abcdefghijklmnopqrstuvwxyz0123456789-._~ABD", "invalid_grant"},
             {"short", "invalid_grant"},
             {NULL, "invalid_grant"},
             {"abcdefghijklmnopqrstuvwxyz0123456789-._~AB%2B", "invalid_grant"}};

    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        const char *code = kit_code(&realm_oidc, "openid", "ada", "");
        char form[600];

        snprintf(form, sizeof form,
                 "grant_type=authorization_code&client_id=usher-dev&client_secret=usher-dev-secret&"
                 "code=%s&redirect_uri="
                 "http%%3A%%2F%%2F127.0.0.1%%3A9%%2Fcb%s%s",
                 code, t[i].verifier ? "&code_verifier=" : "", t[i].verifier ? t[i].verifier : "");
        expect_error(kit_post("/oidc/token", form), 400, t[i].error);
        kit_fault("path=/oidc/token&fault=no-pkce-check&times=1");
        code = kit_code(&realm_oidc, "openid", "ada", "");
        snprintf(form, sizeof form,
                 "grant_type=authorization_code&client_id=usher-dev&client_secret=usher-dev-secret&"
                 "code=%s&redirect_uri="
                 "http%%3A%%2F%%2F127.0.0.1%%3A9%%2Fcb",
                 code);
        ck_assert_int_eq(kit_post("/oidc/token", form).status, 200);
    }
}
END_TEST

START_TEST(clients_are_checked)
{
    static const char form[] = "grant_type=authorization_code&code=x&redirect_uri=y";
    static const char type[] = "Content-Type: application/x-www-form-urlencoded\r\n";
    const struct realm *r = realms[_i];
    char headers[300];
    struct reply got;

    expect_error(kit_post(r->token, form), 401, "invalid_client");
    expect_error(
        kit_post(r->token,
                 "grant_type=authorization_code&code=x&redirect_uri=y&client_id=usher-dev&client_"
                 "secret=wrong"),
        401, "invalid_client");
    /* good credentials with a made-up code: what "test this provider" relies on */
    expect_error(
        kit_post(r->token,
                 "grant_type=authorization_code&code=x&redirect_uri=y&client_id=usher-dev&client_"
                 "secret=usher-dev-secret"),
        400, "invalid_grant");
    snprintf(headers, sizeof headers,
             "%sAuthorization: Basic dXNoZXItZGV2OnVzaGVyLWRldi1zZWNyZXQ=\r\n", type);
    expect_error(kit_request("POST", r->token, headers, form), 400, "invalid_grant");
    snprintf(headers, sizeof headers, "%sAuthorization: Basic dXNoZXItZGV2Ondyb25n\r\n", type);
    got = kit_request("POST", r->token, headers, form);
    expect_error(got, 401, "invalid_client");
    ck_assert_int_eq(
        kit_request("POST", r->token, "Content-Type: application/json\r\n", "{}").status, 400);
    ck_assert_int_eq(kit_get(r->token).status, 405);
    kit_fault("fault=secret-switch&value=new%20secret");
    expect_error(kit_exchange(r, "x", ""), 401, "invalid_client");
    expect_error(
        kit_post(r->token,
                 "grant_type=authorization_code&code=x&redirect_uri=y&client_id=usher-dev&client_"
                 "secret=new%20secret"),
        400, "invalid_grant");
    kit_post("/fake/reset", "");
    expect_error(kit_exchange(r, "x", ""), 400, "invalid_grant");
}
END_TEST

START_TEST(refresh_tokens_rotate)
{
    struct jval *t = kit_tokens(&realm_discord, "identify", "ada");
    char form[300];
    struct reply r;

    snprintf(form, sizeof form,
             "grant_type=refresh_token&client_id=usher-dev&client_secret=usher-dev-secret&refresh_"
             "token=%s",
             jval_text(jval_get(t, "refresh_token")));
    r = kit_post("/discord/api/v10/oauth2/token", form);
    ck_assert_int_eq(r.status, 200);
    expect_error(kit_post("/discord/api/oauth2/token", form), 400, "invalid_grant");
    jval_free(&t);
    t = kit_tokens(&realm_google, "openid", "ada"); /* without access_type=offline */
    ck_assert_ptr_null(jval_get(t, "refresh_token"));
    jval_free(&t);
}
END_TEST

START_TEST(authorization_requests_are_judged)
{
    static const struct {
        const char *query, *error; /* NULL: a page with 400 */
    } t[] = {
        {"", NULL},
        {"client_id=nobody&redirect_uri=" KIT_REDIRECT "&response_type=code&scope=openid", NULL},
        {"client_id=usher-dev&response_type=code&scope=openid", NULL},
        {"client_id=usher-dev&redirect_uri=http://evil.example/&response_type=code&scope=openid",
         NULL},
        {"client_id=usher-dev&redirect_uri=" KIT_REDIRECT "%23f&response_type=code&scope=openid",
         NULL},
        {"client_id=usher-dev&client_id=usher-dev&redirect_uri=" KIT_REDIRECT
         "&response_type=code&scope=openid",
         NULL},
        {"client_id=usher-dev&redirect_uri=" KIT_REDIRECT "&response_type=token&scope=openid",
         "unsupported_response_type"},
        {"client_id=usher-dev&redirect_uri=" KIT_REDIRECT "&response_type=code", "invalid_scope"},
        {"client_id=usher-dev&redirect_uri=" KIT_REDIRECT
         "&response_type=code&scope=openid&code_challenge=x",
         "invalid_request"},
        {"client_id=usher-dev&redirect_uri=" KIT_REDIRECT
         "&response_type=code&scope=openid&code_challenge=x&code_challenge_method=plain",
         "invalid_request"},
        {"client_id=usher-dev&redirect_uri=" KIT_REDIRECT
         "&response_type=code&scope=openid&fake_cancel=1",
         "access_denied"},
        {"client_id=usher-dev&redirect_uri=" KIT_REDIRECT
         "&response_type=code&scope=openid&prompt=none",
         "login_required"},
        {"client_id=usher-dev&redirect_uri=" KIT_REDIRECT
         "&response_type=code&scope=openid&response_mode=fragment",
         "invalid_request"},
    };

    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        char path[400];
        struct reply r;

        snprintf(path, sizeof path, "/oidc/authorize?%s&state=a%%20b", t[i].query);
        r = kit_get(path);
        ck_assert_msg(r.status == (t[i].error ? 302 : 400), "%s: %d", t[i].query, r.status);
        if (!t[i].error)
            continue;
        ck_assert_str_eq(kit_param(kit_header(&r, "Location"), "error"), t[i].error);
        ck_assert_str_eq(kit_param(kit_header(&r, "Location"), "state"), "a b");
        ck_assert(str_ends(str_of(kit_param(kit_header(&r, "Location"), "iss")), "/oidc"));
    }
}
END_TEST

START_TEST(the_page_says_what_it_is)
{
    const struct reply r = kit_get(
        "/discord/oauth2/authorize?response_type=code&client_id=usher-dev&scope=identify&state="
        "%22%3E%3Cscript%3E&redirect_uri=" KIT_REDIRECT);

    ck_assert_int_eq(r.status, 200);
    ck_assert_ptr_nonnull(strstr(r.body, "a look-alike for development, not Discord"));
    ck_assert_ptr_nonnull(strstr(r.body, "Ada Lovelace"));
    ck_assert_ptr_nonnull(strstr(r.body, "fake_cancel"));
    ck_assert_ptr_nonnull(strstr(r.body, "value=\"&quot;&gt;&lt;script&gt;\""));
    ck_assert_ptr_null(strstr(r.body, "{{"));
    ck_assert_int_eq(kit_get("/").status, 200);
}
END_TEST

START_TEST(form_post_posts)
{
    const struct reply r = kit_get(
        "/oidc/authorize?response_type=code&client_id=usher-dev&scope=openid&state=s&fake_person="
        "ada&response_mode=form_post&redirect_uri=" KIT_REDIRECT);

    ck_assert_int_eq(r.status, 200);
    ck_assert_ptr_nonnull(strstr(r.body, "action=\"" KIT_REDIRECT "\""));
    ck_assert_ptr_nonnull(strstr(r.body, "name=\"code\""));
    ck_assert_ptr_nonnull(strstr(r.body, "name=\"state\" value=\"s\""));
    ck_assert_ptr_nonnull(strstr(r.body, "<button"));
}
END_TEST

START_TEST(it_listens_on_loopback_only)
{
    static const char *const bad[] = {"0.0.0.0:0",       "[::]:0",      "192.0.2.1:80",
                                      "10.0.0.1:0",      "localhost:0", "127.0.0.1",
                                      "127.0.0.1:99999", ":80",         ""};

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct err err = ERR_INIT;

        ck_assert_msg(!fake_new(&(struct fake_options){.listen = bad[i]}, &err), "%s", bad[i]);
        ck_assert_int_eq(err.kind, ERR_MISCONFIGURED);
    }
}
END_TEST

START_TEST(the_server_reads_http_strictly)
{
    static const struct {
        const char *bytes;
        int status;
    } t[] = {{"GET /%zz HTTP/1.1\r\n\r\n", 400},
             {"nonsense\r\n\r\n", 400},
             {"POST /oidc/token HTTP/1.1\r\nContent-Length: x\r\n\r\n", 400},
             {"POST /oidc/token HTTP/1.1\r\nContent-Length: 999999999\r\n\r\n", 413},
             {"POST /oidc/token HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", 411},
             {"GET /nothing HTTP/1.1\r\nConnection: close\r\n\r\n", 404}};
    struct reply r;

    for (size_t i = 0; i < sizeof t / sizeof *t; i++)
        ck_assert_msg(kit_raw(t[i].bytes, 1u << 20, 3000).status == t[i].status, "%s", t[i].bytes);
    /* two requests in one piece: both are answered */
    r = kit_raw("GET /oidc/jwks HTTP/1.1\r\n\r\nGET /nothing HTTP/1.1\r\nConnection: close\r\n\r\n",
                1u << 20, 5000);
    ck_assert_int_eq(r.status, 200);
    ck_assert_ptr_nonnull(strstr(r.body, "HTTP/1.1 404"));
}
END_TEST

Suite *suite_fake(void)
{
    Suite *s = suite_create("fake");
    TCase *t = tcase_create("fake");

    tcase_add_checked_fixture(t, kit_start, kit_stop);
    tcase_add_test(t, discord_signs_in);
    tcase_add_test(t, scopes_decide_what_is_told);
    tcase_add_loop_test(t, id_tokens_are_good, 0, 2);
    tcase_add_test(t, guests_are_many);
    tcase_add_loop_test(t, codes_are_used_once, 0, 3);
    tcase_add_test(t, codes_belong_to_a_realm_and_a_redirect_uri);
    tcase_add_test(t, pkce_is_checked);
    tcase_add_loop_test(t, clients_are_checked, 0, 3);
    tcase_add_test(t, refresh_tokens_rotate);
    tcase_add_test(t, authorization_requests_are_judged);
    tcase_add_test(t, the_page_says_what_it_is);
    tcase_add_test(t, form_post_posts);
    tcase_add_test(t, it_listens_on_loopback_only);
    tcase_add_test(t, the_server_reads_http_strictly);
    suite_add_tcase(s, t);
    return s;
}
