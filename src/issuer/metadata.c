/* SPDX-License-Identifier: Apache-2.0 */
/*
 * metadata: what others may know of us (OpenID Connect Discovery 1.0, RFC 8414; one document serves
 * both). Made of the tables below; whoever adds an endpoint adds its line, so the document
 * never promises what is not there.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/json.h"
#include "issuer/claims.h"
#include "issuer/parts.h"

#define DOCUMENT_MAX (32u * 1024)

static const struct {
    const char *name, *path;
} endpoints[] = {
    {"authorization_endpoint", "/oauth2/authorize"},
    {"token_endpoint", "/oauth2/token"},
    {"userinfo_endpoint", "/oauth2/userinfo"},
    {"device_authorization_endpoint", "/oauth2/device_authorization"},
    {"pushed_authorization_request_endpoint", "/oauth2/par"},
    {"introspection_endpoint", "/oauth2/introspect"},
    {"revocation_endpoint", "/oauth2/revoke"},
    {"jwks_uri", "/oauth2/jwks"},
    {"end_session_endpoint", "/oauth2/logout"},
};

/* Words parted by blanks. */
static const struct {
    const char *name, *words;
} lists[] = {
    {"response_types_supported", "code"},
    {"response_modes_supported", "query form_post"},
    {"code_challenge_methods_supported", "S256"},
    {"prompt_values_supported", "none login consent select_account"},
    {"claim_types_supported", "normal"},
    {"subject_types_supported", "public"},
    {"token_endpoint_auth_methods_supported",
     "client_secret_basic client_secret_post private_key_jwt none"},
    {"token_endpoint_auth_signing_alg_values_supported", "RS256 PS256 ES256 EdDSA"},
    {"introspection_endpoint_auth_methods_supported",
     "client_secret_basic client_secret_post private_key_jwt"},
    {"introspection_endpoint_auth_signing_alg_values_supported", "RS256 PS256 ES256 EdDSA"},
    {"revocation_endpoint_auth_methods_supported",
     "client_secret_basic client_secret_post private_key_jwt none"},
    {"revocation_endpoint_auth_signing_alg_values_supported", "RS256 PS256 ES256 EdDSA"},
};

static struct jval *words_json(const char *words)
{
    struct jval *list = jval_new_array();
    char word[64];
    for (size_t n = 0; *words; words += n, words += *words == ' ') {
        n = strcspn(words, " ");
        if (n >= sizeof word) /* ours */
            abort();
        memcpy(word, words, n);
        word[n] = '\0';
        jval_push(list, jval_new_text(word));
    }
    return list;
}

static struct jval *list_json(const char *const *list)
{
    struct jval *o = jval_new_array();
    for (; *list; list++)
        jval_push(o, jval_new_text(*list));
    return o;
}

static struct jval *algs_json(uint32_t algs)
{
    static const uint32_t order[] = {JWS_RS256, JWS_ES256, JWS_EDDSA};
    struct jval *list = jval_new_array();
    for (size_t i = 0; i < sizeof order / sizeof *order; i++)
        if (algs & order[i])
            jval_push(list, jval_new_text(jws_alg_name(order[i])));
    return list;
}

void metadata_render(struct issuer *i)
{
    struct jval *o = jval_new_object();
    char url[1024];
    jval_set_text(o, "issuer", i->o.public_url);
    for (size_t n = 0; n < sizeof endpoints / sizeof *endpoints; n++) {
        (void)snprintf(url, sizeof url, "%s%s", i->o.public_url, endpoints[n].path);
        jval_set_text(o, endpoints[n].name, url);
    }
    if (i->registration) {
        (void)snprintf(url, sizeof url, "%s/oauth2/register", i->o.public_url);
        jval_set_text(o, "registration_endpoint", url);
    }
    for (size_t n = 0; n < sizeof lists / sizeof *lists; n++)
        jval_set(o, lists[n].name, words_json(lists[n].words));
    struct jval *grants = jval_new_array();
    for (size_t n = 0; token_grant_type(n); n++)
        jval_push(grants, jval_new_text(token_grant_type(n)));
    jval_set(o, "grant_types_supported", grants);
    jval_set(o, "id_token_signing_alg_values_supported", algs_json(issuer_keys_algs(i->keys)));
    jval_set(o, "userinfo_signing_alg_values_supported", algs_json(issuer_keys_algs(i->keys)));
    jval_set(o, "scopes_supported", list_json(claims_scopes));
    jval_set(o, "claims_supported", list_json(claims_names));
    jval_set_bool(o, "claims_parameter_supported", true);
    jval_set_bool(o, "authorization_response_iss_parameter_supported", true);
    jval_set_bool(o, "backchannel_logout_supported", true);
    jval_set_bool(o, "backchannel_logout_session_supported", true);
    jval_set_bool(o, "request_parameter_supported", false);
    jval_set_bool(o, "request_uri_parameter_supported", false);
    buf_init(&i->discovery, DOCUMENT_MAX);
    jval_render(o, &i->discovery);
    jval_free(&o);
    if (!buf_ok(&i->discovery)) /* nothing in it is anybody else's */
        abort();
}
