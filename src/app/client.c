/* SPDX-License-Identifier: Apache-2.0 */
#include "app/client.h"

#include "base/arena.h"
#include "base/colour.h"
#include "base/json.h"
#include "base/url.h"

#define REDIRECT_MAX 2048
#define JWKS_MAX (64u * 1024)

const char *const client_grants[] = {"authorization_code", "refresh_token",  "client_credentials",
                                     "device_code",        "token_exchange", NULL};
const char *const client_grant_types[] = {"authorization_code",
                                          "refresh_token",
                                          "client_credentials",
                                          "urn:ietf:params:oauth:grant-type:device_code",
                                          "urn:ietf:params:oauth:grant-type:token-exchange",
                                          NULL};

const char *const client_algs[] = {"RS256", "ES256", "EdDSA", NULL};

bool client_lists(const char *const *list, struct str text)
{
    for (; list && *list; list++)
        if (str_is(text, *list))
            return true;
    return false;
}

bool client_is_public(const struct app_common *c)
{
    return c->client_type == CLIENT_PUBLIC;
}

bool client_needs_pkce(const struct app_common *c)
{
    return c->require_pkce || client_is_public(c);
}

bool client_may(const struct app_common *c, const char *grant_type)
{
    for (size_t i = 0; client_grant_types[i]; i++)
        if (strcmp(client_grant_types[i], grant_type) == 0)
            return client_lists(c->grants, str_of(client_grants[i]));
    return false;
}

bool client_scope_valid(struct str scope)
{
    for (size_t i = 0; i < scope.n; i++) {
        const unsigned char ch = (unsigned char)scope.p[i];
        if (ch < 0x21 || ch > 0x7e || ch == '"' || ch == '\\')
            return false;
    }
    return scope.n > 0;
}

/* A scheme, ':', something; nothing that would have to be encoded, no fragment. Which scheme is
 * left to whoever names the resource: it is compared, never fetched. */
static bool uri_valid(struct str uri, size_t *scheme)
{
    size_t n = 0;
    if (uri.n == 0 || uri.n > REDIRECT_MAX || !text_printable(uri))
        return false;
    while (n < uri.n && ((uri.p[n] >= 'a' && uri.p[n] <= 'z') ||
                         (n > 0 && ((uri.p[n] >= '0' && uri.p[n] <= '9') || uri.p[n] == '.' ||
                                    uri.p[n] == '-' || uri.p[n] == '+'))))
        n++;
    *scheme = n;
    for (size_t i = 0; i < uri.n; i++)
        if (strchr("#\"<>\\^`{|}", uri.p[i]))
            return false;
    return n > 1 && n + 1 < uri.n && uri.p[n] == ':';
}

bool client_resource_valid(struct str uri)
{
    size_t scheme;
    return uri_valid(uri, &scheme);
}

static int web_redirect(const char *uri, struct err *err)
{
    struct arena *a = arena_new();
    struct url u;
    int rc = url_parse(a, str_of(uri), &u, err);
    if (rc == 0 && u.fragment)
        rc = err_set(err, ERR_INVALID, "has a fragment");
    else if (rc == 0 && (strstr(uri, ",https://") || strstr(uri, ",http://"))) /* as people do */
        rc = err_set(err, ERR_INVALID, "is two addresses: blanks part them, not commas");
    else if (rc == 0 && strcmp(u.scheme, "https") != 0 && !url_is_loopback(&u))
        rc = err_set(err, ERR_INVALID,
                     "must be https; plain http is for localhost, 127.0.0.1 and [::1] only");
    arena_free(&a);
    return rc;
}

int client_redirect_check(const char *uri, bool public, struct err *err)
{
    const struct str text = str_of(uri);
    size_t scheme;
    if (str_starts(text, "https:") || str_starts(text, "http:"))
        return text.n <= REDIRECT_MAX ? web_redirect(uri, err)
                                      : err_set(err, ERR_INVALID, "is too long");
    if (!uri_valid(text, &scheme))
        return err_set(err, ERR_INVALID, "is no absolute URI without fragment");
    if (!public || !memchr(uri, '.', scheme))
        return err_set(err, ERR_INVALID,
                       "must be https; only public clients may have a scheme of their own, with a "
                       "dot in it, as com.example.app:/callback");
    return 0;
}

/* ---- pages ---- */

static const char *origin_of(const char *uri, struct arena *a, struct url *u, struct err *err)
{
    struct buf text;
    const char *origin = NULL;
    buf_init(&text, REDIRECT_MAX);
    if (url_parse(a, str_of(uri), u, err) == 0) {
        url_origin(u, &text);
        origin = buf_ok(&text) ? arena_dupn(a, text.p, text.n) : NULL;
    }
    buf_deinit(&text);
    return origin;
}

int client_origin_check(const char *origin, struct err *err)
{
    struct arena *a = arena_new();
    struct url u;
    const char *is = origin_of(origin, a, &u, err);
    if (is && strcmp(is, origin) != 0)
        (void)err_set(err, ERR_INVALID, "is no origin; write it as %.100s", is);
    else if (is && strcmp(u.scheme, "https") != 0 && !url_is_loopback(&u))
        (void)err_set(err, ERR_INVALID, "must be https; plain http is for loopback addresses only");
    arena_free(&a);
    return err->kind == ERR_NONE ? 0 : -1;
}

const char *const *client_origins(const struct app_common *c, struct arena *a)
{
    const char *const *from = c->redirect_uris;
    size_t room = 0, n = 0;
    if (c->origins && c->origins[0])
        return c->origins;
    while (from && from[room])
        room++;
    const char **list = arena_alloc(a, (room + 1) * sizeof *list);
    for (size_t i = 0; client_is_public(c) && i < room; i++) {
        struct err err = ERR_INIT; /* judged elsewhere */
        struct url u;
        const char *origin = origin_of(from[i], a, &u, &err);
        if (origin && strcmp(u.scheme, "https") == 0 && !client_lists(list, str_of(origin)))
            list[n++] = origin;
    }
    return list;
}

/* ---- what goes together ---- */

static int wrong(const char **key, const char *which)
{
    *key = which;
    return -1;
}

static int check_auth(const struct app_common *c, const char **key, struct err *err)
{
    const bool none = c->auth_method == CLIENT_AUTH_NONE;
    if (client_is_public(c) && !none && c->auth_method != CLIENT_AUTH_SECRET) {
        (void)err_set(err, ERR_INVALID, "a public client cannot authenticate");
        return wrong(key, "auth_method");
    }
    if (!client_is_public(c) && none) {
        (void)err_set(err, ERR_INVALID, "none is for client_type = public");
        return wrong(key, "auth_method");
    }
    if (client_is_public(c) && client_may(c, "client_credentials")) {
        (void)err_set(err, ERR_INVALID, "client_credentials is for confidential clients");
        return wrong(key, "grants");
    }
    if (client_is_public(c) && client_lists(c->grants, STR("token_exchange"))) {
        (void)err_set(err, ERR_INVALID, "token_exchange is for confidential clients");
        return wrong(key, "grants");
    }
    if (c->auth_method == CLIENT_AUTH_JWT && !c->jwks && !c->jwks_uri) {
        (void)err_set(err, ERR_INVALID, "private_key_jwt needs jwks or jwks_uri");
        return wrong(key, "auth_method");
    }
    return 0;
}

static int check_jwks(const struct app_common *c, const char **key, struct err *err)
{
    struct err why = ERR_INIT;
    struct jval *set = c->jwks ? jval_parse(str_of(c->jwks), JWKS_MAX, 8, &why) : NULL;
    const bool good = !c->jwks || jval_count(jval_get(set, "keys")) > 0;
    jval_free(&set);
    if (!good)
        (void)err_set(err, ERR_INVALID, "is no JWK set in JSON: {\"keys\":[…]}");
    else if (c->jwks && c->jwks_uri)
        (void)err_set(err, ERR_INVALID, "and jwks_uri: one of them");
    return err->kind == ERR_NONE ? 0 : wrong(key, "jwks");
}

static int check_lists(const struct app_common *c, const char **key, struct err *err)
{
    for (const char *const *g = c->grants; g && *g; g++)
        if (!client_lists(client_grants, str_of(*g))) {
            (void)err_set(err, ERR_INVALID, "there is no grant \"%s\"", *g);
            return wrong(key, "grants");
        }
    for (const char *const *s = c->scopes; s && *s; s++)
        if (!client_scope_valid(str_of(*s))) {
            (void)err_set(err, ERR_INVALID, "visible ASCII without quotes and backslashes only");
            return wrong(key, "scopes");
        }
    const char *const *const uris[] = {c->resources, c->serves};
    for (int i = 0; i < 2; i++)
        for (const char *const *u = uris[i]; u && *u; u++)
            if (!client_resource_valid(str_of(*u))) {
                (void)err_set(err, ERR_INVALID, "\"%s\" is no absolute URI without fragment", *u);
                return wrong(key, i ? "serves" : "resources");
            }
    return 0;
}

static int check_looks(const struct app_common *c, const char **key, struct err *err)
{
    if (!c->accent || colour_valid(c->accent))
        return 0;
    (void)err_set(err, ERR_INVALID, "is no colour; six hexadecimal digits, as 3355aa");
    return wrong(key, "accent");
}

static int check_redirects(const struct app_common *c, const char **key, struct err *err)
{
    const char *const *const lists[] = {c->redirect_uris, c->post_logout_redirect_uris};
    for (int i = 0; i < 2; i++)
        for (const char *const *u = lists[i]; u && *u; u++)
            if (client_redirect_check(*u, client_is_public(c), err) < 0) {
                err_context(err, "\"%s\"", *u);
                return wrong(key, i ? "post_logout_redirect_uris" : "redirect_uris");
            }
    return 0;
}

static int check_origins(const struct app_common *c, const char **key, struct err *err)
{
    for (const char *const *o = c->origins; o && *o; o++)
        if (client_origin_check(*o, err) < 0) {
            err_context(err, "\"%.200s\"", *o);
            return wrong(key, "origins");
        }
    return 0;
}

int client_check(const struct app_common *c, const char **key, struct err *err)
{
    *key = NULL;
    return check_lists(c, key, err) < 0 || check_auth(c, key, err) < 0 ||
                   check_jwks(c, key, err) < 0 || check_redirects(c, key, err) < 0 ||
                   check_origins(c, key, err) < 0 || check_looks(c, key, err) < 0
               ? -1
               : 0;
}
