/* SPDX-License-Identifier: Apache-2.0 */
/* The way back: what is registered of an app, in the words of its metadata. */
#include "app/client.h"
#include "issuer/registration.h"

static void tell_list(struct jval *out, const char *name, const char *const *list)
{
    struct jval *all = jval_new_array();
    for (; list && *list; list++)
        jval_push(all, jval_new_text(*list));
    if (jval_count(all) > 0)
        jval_set(out, name, all);
    else
        jval_free(&all);
}

static void tell_text(struct jval *out, const char *name, const char *text)
{
    if (text)
        jval_set_text(out, name, text);
}

static void tell_grants(const struct app_common *c, struct jval *out)
{
    struct jval *grants = jval_new_array(), *responses = jval_new_array();
    for (size_t i = 0; client_grants[i]; i++)
        if (client_lists(c->grants, str_of(client_grants[i])))
            jval_push(grants, jval_new_text(client_grant_types[i]));
    if (client_may(c, "authorization_code"))
        jval_push(responses, jval_new_text("code"));
    jval_set(out, "grant_types", grants);
    jval_set(out, "response_types", responses);
}

static void tell_scope(const struct app_common *c, struct jval *out)
{
    struct buf text;
    buf_init(&text, 16u * 1024);
    for (const char *const *s = c->scopes; s && *s; s++)
        buf_printf(&text, "%s%s", text.n ? " " : "", *s);
    if (buf_ok(&text) && text.n > 0)
        jval_set_text(out, "scope", text.p);
    buf_deinit(&text);
}

static void tell_keys(const struct app_common *c, struct jval *out)
{
    static const char *const methods[] = {[CLIENT_AUTH_SECRET] = "client_secret_basic",
                                          [CLIENT_AUTH_BASIC] = "client_secret_basic",
                                          [CLIENT_AUTH_POST] = "client_secret_post",
                                          [CLIENT_AUTH_JWT] = "private_key_jwt",
                                          [CLIENT_AUTH_NONE] = "none"};
    static const char *const algs[] = {
        [CLIENT_RS256] = "RS256", [CLIENT_ES256] = "ES256", [CLIENT_EDDSA] = "EdDSA"};
    struct err err = ERR_INIT; /* what makes no sense is not told */
    struct jval *keys =
        c->jwks ? jval_parse(str_of(c->jwks), 64u * 1024, JSON_DEPTH_MAX, &err) : NULL;
    jval_set_text(out, "token_endpoint_auth_method",
                  client_is_public(c) ? "none" : methods[c->auth_method]);
    if (keys)
        jval_set(out, "jwks", keys);
    tell_text(out, "jwks_uri", c->jwks_uri);
    jval_set_text(out, "subject_type", "public");
    jval_set_text(out, "id_token_signed_response_alg", algs[c->id_token_alg]);
    if (c->userinfo_alg != CLIENT_USERINFO_JSON)
        jval_set_text(out, "userinfo_signed_response_alg", algs[c->userinfo_alg - 1]);
}

static const char *kind_of(const struct app_common *c)
{
    for (const char *const *u = c->redirect_uris; u && *u; u++)
        if (!str_starts(str_of(*u), "https:"))
            return "native";
    return "web";
}

void registration_tell(const struct app *app, struct jval *out)
{
    const struct app_common *c = &app->common;
    jval_set_text(out, "client_id", app->id);
    tell_text(out, "client_name", c->label);
    tell_list(out, "redirect_uris", c->redirect_uris);
    tell_list(out, "post_logout_redirect_uris", c->post_logout_redirect_uris);
    tell_grants(c, out);
    tell_scope(c, out);
    tell_keys(c, out);
    jval_set_text(out, "application_type", kind_of(c));
    tell_text(out, "client_uri", c->home_uri);
    tell_text(out, "logo_uri", c->logo_uri);
    tell_text(out, "policy_uri", c->policy_uri);
    tell_text(out, "tos_uri", c->tos_uri);
    tell_list(out, "contacts", c->contacts);
    tell_text(out, "software_id", c->software_id);
    tell_text(out, "software_version", c->software_version);
    tell_text(out, "initiate_login_uri", c->initiate_login_uri);
    tell_text(out, "backchannel_logout_uri", c->backchannel_logout_uri);
    if (c->backchannel_logout_uri)
        jval_set_bool(out, "backchannel_logout_session_required", true); /* sid is always there */
    jval_set_bool(out, "require_pushed_authorization_requests", c->require_pushed);
    if (c->default_max_age > 0)
        jval_set_int(out, "default_max_age", c->default_max_age);
    jval_set_bool(out, "require_auth_time", c->require_auth_time);
}
