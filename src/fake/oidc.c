/* SPDX-License-Identifier: Apache-2.0 */
/* UserInfo and discovery of the two OpenID providers. OpenID Connect Core 5.3, Discovery 3. */
#include <stdio.h>

#include "fake/fake.h"
#include "fake/idtoken.h"

void oidc_userinfo(struct exchange *x)
{
    const char *header = http_request_header(x->rq, "authorization");
    struct jval *o;
    struct grant g;

    if (!header || !str_starts(str_of(header), "Bearer ") ||
        grants_find(x->f->grants, GRANT_ACCESS, header + 7, x->rq->arena, &g) != 1 ||
        strcmp(g.realm, x->realm->id) != 0) {
        http_reply_header(x->r, "WWW-Authenticate", "Bearer error=\"invalid_token\"");
        exchange_error(x, 401, "invalid_token", "The access token is unknown or has ended.");
        return;
    }
    o = jval_new_object();
    idtoken_person(x, &g, o);
    exchange_json(x, 200, o);
}

static void set_url(const struct exchange *x, struct jval *o, const char *name, const char *path)
{
    jval_set_text(o, name, arena_printf(x->rq->arena, "%s%s", x->f->base, path));
}

static void set_list(struct jval *o, const char *name, const char *words)
{
    struct jval *list = jval_new_array();
    struct str rest = str_of(words), piece;

    while (str_split(&rest, ' ', &piece)) {
        char text[64];
        snprintf(text, sizeof text, "%.*s", (int)piece.n, piece.p);
        jval_push(list, jval_new_text(text));
    }
    jval_set(o, name, list);
}

/* A document that must not be believed. */
static void bend_discovery(const struct exchange *x, struct jval *o)
{
    static const struct {
        const char *variant, *member, *value;
    } lies[] = {
        {"issuer-host", "issuer", "https://evil.example"},
        {"http", "token_endpoint", "http://accounts.example/token"},
        {"http-jwks", "jwks_uri", "http://accounts.example/jwks"},
        {"userinfo-in-url", "token_endpoint", "https://accounts.google.com@evil.example/token"},
        {"private", "token_endpoint", "https://10.0.0.1/token"},
        {"metadata", "jwks_uri", "https://169.254.169.254/jwks"},
        {"other-host", "token_endpoint", "https://evil.example/token"},
        {"file", "jwks_uri", "file:///etc/passwd"},
        {"javascript", "authorization_endpoint", "javascript:alert(1)"},
        {"relative", "token_endpoint", "/token"},
    };
    const struct fault *f = fault_hit(x->hits, "discovery");
    const char *issuer = exchange_issuer(x);

    if (!f)
        return;
    for (size_t i = 0; i < sizeof lies / sizeof *lies; i++)
        if (strcmp(lies[i].variant, f->variant) == 0)
            jval_set_text(o, lies[i].member, lies[i].value);
    if (strcmp(f->variant, "issuer-slash") == 0)
        jval_set_text(o, "issuer", arena_printf(x->rq->arena, "%s/", issuer));
    else if (strcmp(f->variant, "issuer-case") == 0)
        jval_set_text(o, "issuer", arena_printf(x->rq->arena, "HTTP%s", issuer + 4));
    else if (strcmp(f->variant, "no-issuer") == 0)
        jval_remove(o, "issuer");
    else if (strcmp(f->variant, "no-token") == 0)
        jval_remove(o, "token_endpoint");
    else if (strcmp(f->variant, "no-iss") == 0)
        jval_remove(o, "authorization_response_iss_parameter_supported");
}

void oidc_discovery(struct exchange *x)
{
    struct jval *o = jval_new_object();

    jval_set_text(o, "issuer", exchange_issuer(x));
    set_url(x, o, "authorization_endpoint", x->realm->authorize);
    set_url(x, o, "token_endpoint", x->realm->token);
    set_url(x, o, "userinfo_endpoint", x->realm->userinfo);
    set_url(x, o, "revocation_endpoint", x->realm->revoke);
    set_url(x, o, "jwks_uri", x->realm->jwks);
    set_list(o, "response_types_supported", "code");
    set_list(o, "response_modes_supported", "query form_post");
    set_list(o, "grant_types_supported", "authorization_code refresh_token");
    set_list(o, "subject_types_supported", "public");
    set_list(o, "id_token_signing_alg_values_supported",
             x->realm == &realm_google ? "RS256" : "RS256 PS256 ES256 ES384 ES512 EdDSA");
    set_list(o, "scopes_supported", "openid email profile");
    set_list(o, "token_endpoint_auth_methods_supported", "client_secret_post client_secret_basic");
    set_list(o, "code_challenge_methods_supported", "S256");
    jval_set_bool(o, "authorization_response_iss_parameter_supported", x->realm->announces_iss);
    bend_discovery(x, o);
    http_reply_header(x->r, "Cache-Control", "public, max-age=3600");
    exchange_json(x, 200, o);
}

/* Keys that must not be used, beside or instead of good ones. JWT-10, JWT-12, JWT-31, JWT-41. */
static const char *const bad_keys[][2] = {
    {"off-curve", "{\"kty\":\"EC\",\"crv\":\"P-256\",\"kid\":\"bad\",\"x\":"
                  "\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE\",\"y\":"
                  "\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE\"}"},
    {"infinity", "{\"kty\":\"EC\",\"crv\":\"P-256\",\"kid\":\"bad\",\"x\":"
                 "\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\",\"y\":"
                 "\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}"},
    {"short-coordinate",
     "{\"kty\":\"EC\",\"crv\":\"P-256\",\"kid\":\"bad\",\"x\":\"AQ\",\"y\":\"AQ\"}"},
    {"rsa-512",
     "{\"kty\":\"RSA\",\"kid\":\"bad\",\"e\":\"AQAB\",\"n\":"
     "\"v2nxKKNhoUBmlBi4m8Ixi8GMkdSoqqMJVkKLQ8Y9mCDQXVlpzrm6z1lqZ9m0vK8aZQqVlYwFhRrwW1Z1bQ2d5w\"}"},
    {"rsa-e1", "{\"kty\":\"RSA\",\"kid\":\"bad\",\"e\":\"AQ\",\"n\":\"AQAB\"}"},
    {"oct", "{\"kty\":\"oct\",\"kid\":\"bad\",\"k\":\"c2VjcmV0\"}"},
    {"unknown-kty", "{\"kty\":\"XX\",\"kid\":\"bad\"}"},
    {"no-kty", "{\"kid\":\"bad\"}"},
    {"not-object", "7"},
};

static void each_key(const struct jval *set, const char *member, const char *value)
{
    const struct jval *list = jval_get(set, "keys");

    for (size_t i = 0; i < jval_count(list); i++) {
        struct jval *key = jval_ref((struct jval *)(uintptr_t)jval_item(list, i));

        if (value)
            jval_set_text(key, member, value);
        else
            jval_remove(key, member);
        jval_free(&key);
    }
}

static void bend_jwks(struct exchange *x, struct jval *set)
{
    const struct fault *f = fault_hit(x->hits, "jwks");
    struct jval *list;

    if (!f)
        return;
    if (strcmp(f->variant, "use-enc") == 0)
        each_key(set, "use", "enc");
    else if (strcmp(f->variant, "no-kid") == 0)
        each_key(set, "kid", NULL);
    else if (strcmp(f->variant, "alg-ps512") == 0)
        each_key(set, "alg", "PS512");
    else if (strcmp(f->variant, "no-alg") == 0)
        each_key(set, "alg", NULL);
    else if (strcmp(f->variant, "empty") == 0)
        jval_set(set, "keys", jval_new_array());
    else if (strcmp(f->variant, "no-keys") == 0)
        jval_remove(set, "keys");
    for (size_t i = 0; i < sizeof bad_keys / sizeof *bad_keys; i++) {
        if (strcmp(bad_keys[i][0], f->variant) != 0)
            continue;
        list = jval_ref((struct jval *)(uintptr_t)jval_get(set, "keys"));
        jval_push(list, jval_parse(str_of(bad_keys[i][1]), JSON_SIZE_MAX, JSON_DEPTH_MAX,
                                   &(struct err)ERR_INIT));
        jval_free(&list);
    }
}

void oidc_jwks(struct exchange *x)
{
    struct jval *set = keys_published(x->f->keys, x->realm != &realm_google);

    bend_jwks(x, set);
    http_reply_header(x->r, "Cache-Control", "public, max-age=3600");
    exchange_json(x, 200, set);
}
