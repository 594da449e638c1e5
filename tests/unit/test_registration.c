/* SPDX-License-Identifier: Apache-2.0 */
#include "issuer/registration.h"

#include <check.h>

#include "app/client.h"
#include "registration_kit.h"

Suite *suite_registration(void);

#define CB "\"redirect_uris\":[\"https://rp.example.com/cb\"]"

static struct arena *arena;
static const char *const algs[] = {"RS256", "ES256", NULL};
static struct registration_rules rules;
static struct registration_problem why;

static void setup(void)
{
    arena = arena_new();
    rules = (struct registration_rules){.algs = algs};
}

static void teardown(void)
{
    arena_free(&arena);
}

static struct jval *read_text(const char *json)
{
    struct err err = ERR_INIT;
    struct jval *metadata = jval_parse(str_of(json), 64u * 1024, JSON_DEPTH_MAX, &err);
    ck_assert_msg(metadata != NULL, "%s: %s", json, err.text);
    struct jval *settings = registration_read(metadata, &rules, arena, &why);
    jval_free(&metadata);
    return settings;
}

/* The app that metadata become. */
static struct apps *made(const char *json)
{
    struct jval *settings = read_text(json);
    ck_assert_msg(settings != NULL, "%s: %s", json, why.text);
    struct apps *apps = kit_app(settings, algs, arena);
    ck_assert_msg(apps != NULL, "%s", json);
    jval_free(&settings);
    return apps;
}

static const char *told(const struct app *app)
{
    struct jval *o = jval_new_object();
    struct buf text;
    registration_tell(app, o);
    buf_init(&text, 64u * 1024);
    jval_render(o, &text);
    const char *out = arena_str(arena, buf_view(&text));
    buf_deinit(&text);
    jval_free(&o);
    return out;
}

START_TEST(what_holds_where_nothing_is_said)
{
    struct apps *apps = made("{" CB "}");
    const struct app_common *c = &apps_at(apps, 0)->common;
    ck_assert(c->consent && !c->require_pkce && c->enabled);
    ck_assert_int_eq(c->client_type, CLIENT_CONFIDENTIAL);
    ck_assert_int_eq(c->auth_method, CLIENT_AUTH_BASIC);
    ck_assert_str_eq(
        told(apps_at(apps, 0)),
        "{\"client_id\":\"dcr-test\"," CB ",\"grant_types\":[\"authorization_code\"],"
        "\"response_types\":[\"code\"],\"scope\":\"openid profile email offline_access\","
        "\"token_endpoint_auth_method\":\"client_secret_basic\",\"subject_type\":\"public\","
        "\"id_token_signed_response_alg\":\"RS256\",\"application_type\":\"web\","
        "\"require_pushed_authorization_requests\":false,\"require_auth_time\":false}");
    apps_free(&apps);
}
END_TEST

START_TEST(null_is_as_if_absent)
{
    struct apps *apps = made("{" CB ",\"client_name\":null,\"jwks\":null,\"grant_types\":null}");
    ck_assert_ptr_null(apps_at(apps, 0)->common.label);
    apps_free(&apps);
}
END_TEST

START_TEST(grants_come_once_and_in_order)
{
    struct apps *apps =
        made("{" CB ",\"grant_types\":[\"urn:ietf:params:oauth:grant-type:device_code\","
             "\"refresh_token\",\"authorization_code\",\"refresh_token\"],"
             "\"scope\":\"email  openid email roles\"}");
    const struct app_common *c = &apps_at(apps, 0)->common;
    ck_assert_str_eq(c->grants[0], "authorization_code");
    ck_assert_str_eq(c->grants[1], "refresh_token");
    ck_assert_str_eq(c->grants[2], "device_code");
    ck_assert_ptr_null(c->grants[3]);
    ck_assert_str_eq(c->scopes[0], "email");
    ck_assert_str_eq(c->scopes[1], "openid");
    ck_assert_ptr_null(c->scopes[2]);
    apps_free(&apps);
}
END_TEST

START_TEST(a_device_needs_no_redirect_uri)
{
    struct apps *apps = made("{\"grant_types\":[\"urn:ietf:params:oauth:grant-type:device_code\"],"
                             "\"token_endpoint_auth_method\":\"none\"}");
    ck_assert(client_is_public(&apps_at(apps, 0)->common));
    ck_assert_ptr_nonnull(strstr(told(apps_at(apps, 0)), "\"response_types\":[],"));
    apps_free(&apps);
}
END_TEST

/* What an admin gave stays within reach; nothing else does. */
START_TEST(more_is_had_only_from_an_admin)
{
    static const char *const grants[] = {"client_credentials", NULL};
    static const char *const scopes[] = {"reports", NULL};
    const struct app_common had = {.grants = grants, .scopes = scopes};
    const char *asked = "{" CB ",\"grant_types\":[\"authorization_code\",\"client_credentials\"],"
                        "\"scope\":\"openid reports roles\"}";
    ck_assert_ptr_null(read_text(asked));
    ck_assert_str_eq(why.error, "invalid_client_metadata");
    rules.had = &had;
    struct jval *settings = read_text(asked);
    ck_assert_ptr_nonnull(settings);
    ck_assert_uint_eq(jval_count(jval_get(settings, "grants")), 2);
    ck_assert_uint_eq(jval_count(jval_get(settings, "scopes")), 2);
    ck_assert_ptr_null(jval_get(settings, "consent")); /* nor what it has no word for */
    ck_assert_ptr_null(jval_get(settings, "enabled"));
    jval_free(&settings);
}
END_TEST

START_TEST(what_is_left_out_is_default_again)
{
    struct jval *settings = read_text("{" CB "}");
    ck_assert_int_eq(jval_type(jval_get(settings, "label")), JVAL_NULL);
    ck_assert_int_eq(jval_type(jval_get(settings, "jwks_uri")), JVAL_NULL);
    ck_assert_int_eq(jval_type(jval_get(settings, "default_max_age")), JVAL_NULL);
    jval_free(&settings);
}
END_TEST

START_TEST(http_is_for_loopback_and_only_if_allowed)
{
    const char *here = "{" CB ",\"jwks_uri\":\"http://127.0.0.1:1/jwks\"}";
    ck_assert_ptr_null(read_text(here));
    rules.http_loopback = true;
    struct jval *settings = read_text(here);
    ck_assert_ptr_nonnull(settings);
    jval_free(&settings);
    ck_assert_ptr_null(read_text("{" CB ",\"jwks_uri\":\"http://10.0.0.1/jwks\"}"));
    ck_assert_ptr_null(read_text("{" CB ",\"initiate_login_uri\":\"http://127.0.0.1/\"}"));
}
END_TEST

START_TEST(settings_have_the_names_of_their_members)
{
    ck_assert_str_eq(registration_member("label"), "client_name");
    ck_assert_str_eq(registration_member("id_token_alg"), "id_token_signed_response_alg");
    ck_assert_ptr_null(registration_member("consent"));
}
END_TEST

static const struct {
    const char *json, *error, *member;
} refused[] = {
    {"[]", "invalid_client_metadata", "a JSON object"},
    {"{}", "invalid_redirect_uri", "redirect_uris: "},
    {"{\"redirect_uris\":[null]}", "invalid_redirect_uri", "redirect_uris: "},
    {"{\"redirect_uris\":[\"https://a/,https://b/\"]}", "invalid_redirect_uri", "redirect_uris: "},
    {"{\"redirect_uris\":[\"com.example:/x\"]}", "invalid_redirect_uri", "redirect_uris: "},
    {"{" CB ",\"post_logout_redirect_uris\":[\"https://a/#b\"]}", "invalid_redirect_uri",
     "post_logout_redirect_uris: "},
    {"{" CB ",\"client_name\":\"a\\u202eb\"}", "invalid_client_metadata",
     "client_name: a text of at most 60 bytes, all of them fit"},
    {"{" CB ",\"client_name\":\" a\"}", "invalid_client_metadata", "client_name: "},
    {"{" CB ",\"response_types\":[\"token\"]}", "invalid_client_metadata", "response_types: "},
    {"{\"grant_types\":[\"refresh_token\"],\"response_types\":[\"code\"]}",
     "invalid_client_metadata", "response_types: "},
    {"{" CB ",\"jwks\":{\"keys\":[{\"kty\":\"EC\",\"d\":\"x\"}]}}", "invalid_client_metadata",
     "jwks: "},
    {"{" CB ",\"token_endpoint_auth_method\":\"private_key_jwt\"}", "invalid_client_metadata",
     "jwks: "},
    {"{" CB ",\"jwks\":{\"keys\":[{\"kty\":\"EC\"}]},\"jwks_uri\":\"https://a/\"}",
     "invalid_client_metadata", "jwks: "},
    {"{" CB ",\"id_token_signed_response_alg\":\"none\"}", "invalid_client_metadata",
     "id_token_signed_response_alg: "},
    {"{" CB ",\"id_token_signed_response_alg\":\"EdDSA\"}", "invalid_client_metadata",
     "id_token_signed_response_alg: "},
    {"{" CB ",\"userinfo_signed_response_alg\":\"none\"}", "invalid_client_metadata",
     "userinfo_signed_response_alg: "},
    {"{" CB ",\"subject_type\":\"pairwise\"}", "invalid_client_metadata", "subject_type: "},
    {"{" CB ",\"default_max_age\":0}", "invalid_client_metadata", "default_max_age: "},
};

START_TEST(what_is_wrong_is_named)
{
    const size_t i = (size_t)_i;
    ck_assert_ptr_null(read_text(refused[i].json));
    ck_assert_str_eq(why.error, refused[i].error);
    ck_assert_msg(strncmp(why.text, refused[i].member, strlen(refused[i].member)) == 0, "%s",
                  why.text);
}
END_TEST

Suite *suite_registration(void)
{
    Suite *s = suite_create("registration");
    TCase *tc = tcase_create("registration");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, what_holds_where_nothing_is_said);
    tcase_add_test(tc, null_is_as_if_absent);
    tcase_add_test(tc, grants_come_once_and_in_order);
    tcase_add_test(tc, a_device_needs_no_redirect_uri);
    tcase_add_test(tc, more_is_had_only_from_an_admin);
    tcase_add_test(tc, what_is_left_out_is_default_again);
    tcase_add_test(tc, http_is_for_loopback_and_only_if_allowed);
    tcase_add_test(tc, settings_have_the_names_of_their_members);
    tcase_add_loop_test(tc, what_is_wrong_is_named, 0, (int)(sizeof refused / sizeof *refused));
    suite_add_tcase(s, tc);
    return s;
}
