/* SPDX-License-Identifier: Apache-2.0 */
#include "provider/action.h"

#include <string.h>

#include "base/text.h"
#include "provider/host.h"
#include "provider/schema.h"
#include "sys/conf.h"
#include "sys/jose.h"

/* What the core puts into requests itself; a plugin that sets one of these would break the flow or
 * its protection. */
static const char *const redirect_denied[] = {"state",          "nonce",
                                              "redirect_uri",   "client_id",
                                              "client_secret",  "response_type",
                                              "response_mode",  "scope",
                                              "code_challenge", "code_challenge_method",
                                              "request",        "request_uri",
                                              "code",           NULL};
static const char *const exchange_denied[] = {"grant_type",    "code",          "redirect_uri",
                                              "code_verifier", "refresh_token", NULL};
static const char *const client_denied[] = {"client_id", "client_secret", "client_assertion",
                                            "client_assertion_type", NULL};
static const char *const headers_denied[] = {"host",
                                             "content-length",
                                             "content-type",
                                             "transfer-encoding",
                                             "connection",
                                             "keep-alive",
                                             "cookie",
                                             "expect",
                                             "te",
                                             "trailer",
                                             "upgrade",
                                             "accept-encoding",
                                             "proxy-authorization",
                                             "proxy-connection",
                                             NULL};

static bool listed(const char *word, const char *const *list)
{
    for (; *list; list++)
        if (str_is_nocase(str_of(word), *list))
            return true;
    return false;
}

const char *action_word(struct arena *a, const char *text, size_t max)
{
    struct str s = {text, text ? strnlen(text, max + 1) : 0};
    return s.n && s.n <= max && text_printable(s) ? arena_str(a, s) : NULL;
}

static bool token_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c && strchr("!#$%&'*+-.^_`|~", c));
}

/* Text that fits into a form, a query or a header: UTF-8 (ASCII in headers), no control bytes. */
static const char *take_text(struct arena *a, const char *text, size_t max, bool ascii)
{
    struct str s = {text, text ? strnlen(text, max + 1) : 0};
    if (!text || s.n > max || !text_utf8(s))
        return NULL;
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c < 0x20 || c == 0x7f || (ascii && c > 0x7e))
            return NULL;
    }
    return arena_str(a, s);
}

static const char *take_url(struct leg *l, const char *url, const char *what, struct err *err)
{
    struct err why = ERR_INIT;
    if (!url)
        err_set(err, ERR_INTERNAL, "the plugin gave no %s", what);
    else if (schema_url(url, leg_provider(l)->allow_http_loopback, leg_arena(l), NULL, NULL, &why) <
             0)
        err_set(err, ERR_UPSTREAM_BAD, "%s %s", what, why.text);
    else
        return arena_dup(leg_arena(l), url);
    return NULL;
}

/* ---- parameters ----------------------------------------------------------------------------- */

enum param_place { PLACE_QUERY, PLACE_FORM, PLACE_HEADER };

struct params_in {
    const struct usher_param *raw;
    size_t n;
    enum param_place place;
    const char *const *denied;  /* or NULL */
    const char *const *denied2; /* or NULL */
};

static int check_kind(struct leg *l, struct usher_param *p, bool *secret, struct err *err)
{
    switch (p->kind) {
    case USHER_VALUE_TEXT:
        return 0;
    case USHER_VALUE_ACCESS_TOKEN:
        *secret = true;
        return 0;
    case USHER_VALUE_SETTING:
        if (conf_secrets_get(leg_provider(l)->secrets, p->text))
            *secret = true;
        else if (!host_setting(leg_provider(l), p->text, leg_arena(l)))
            return err_set(err, ERR_MISCONFIGURED, "setting %.48s is needed, and not set", p->text);
        return 0;
    default:
        return err_set(err, ERR_INTERNAL, "the plugin gave a value of unknown kind %u",
                       (unsigned)p->kind);
    }
}

static int copy_param(struct leg *l, const struct usher_param *raw, const struct params_in *in,
                      struct usher_param *p, bool *secret, struct err *err)
{
    struct arena *a = leg_arena(l);
    bool header = in->place == PLACE_HEADER;
    const char *name = action_word(a, raw->name, 128);
    for (size_t i = 0; header && name && name[i]; i++)
        if (!token_char(name[i]))
            name = NULL;
    if (!name)
        return err_set(err, ERR_INTERNAL,
                       "the plugin gave a parameter or header without a valid name");
    if ((in->denied && listed(name, in->denied)) || (in->denied2 && listed(name, in->denied2)))
        return err_set(err, ERR_INTERNAL, "the plugin sets %.60s, which is usher's own", name);
    bool optional = raw->kind == USHER_VALUE_ACCESS_TOKEN && !raw->text;
    const char *text = take_text(a, optional ? "" : raw->text, ACTION_TEXT_MAX, header);
    if (!text)
        return err_set(err, ERR_UPSTREAM_BAD,
                       "the value of %.60s is missing, too long, or has odd bytes", name);
    *p = (struct usher_param){.size = sizeof *p, .name = name, .kind = raw->kind, .text = text};
    if (in->place == PLACE_QUERY && p->kind != USHER_VALUE_TEXT)
        return err_set(err, ERR_INTERNAL,
                       "the plugin puts something else than text into the address: %.60s", name);
    return check_kind(l, p, secret, err);
}

/* *out is an array with our stride; *secret is set when one of the values is secret. */
static int copy_params(struct leg *l, const struct params_in *in, const struct usher_param **out,
                       bool *secret, struct err *err)
{
    const size_t least = offsetof(struct usher_param, text) + sizeof(const char *);
    *out = NULL;
    if (in->n == 0)
        return 0;
    if (in->n > ACTION_PARAMS_MAX || !in->raw || in->raw->size < least || in->raw->size > 4096)
        return err_set(err, ERR_INTERNAL,
                       "the plugin gave a list of parameters that is not usable");
    struct usher_param *v = arena_alloc(leg_arena(l), in->n * sizeof *v);
    for (size_t i = 0; i < in->n; i++) {
        const void *raw = (const char *)in->raw + i * in->raw->size;
        if (copy_param(l, raw, in, &v[i], secret, err) < 0)
            return -1;
    }
    *out = v;
    return 0;
}

static int check_secret_origin(const struct leg *l, const char *url, struct err *err)
{
    if (leg_origin_declared(l, url))
        return 0;
    return err_set(err, ERR_MISCONFIGURED,
                   "a secret would go to an address that provider %s did not declare",
                   leg_provider(l)->id);
}

/* ---- one function per action ---------------------------------------------------------------- */

static int copy_redirect(struct leg *l, const struct usher_action *raw, struct usher_action *out,
                         struct err *err)
{
    struct arena *a = leg_arena(l);
    const struct params_in in = {raw->params, raw->n_params, PLACE_QUERY, redirect_denied, NULL};
    bool secret = false;
    out->url = take_url(l, raw->url, "the authorization endpoint", err);
    if (!out->url || copy_params(l, &in, &out->params, &secret, err) < 0)
        return -1;
    out->n_params = raw->n_params;
    if (raw->scope && !schema_scopes_valid(raw->scope))
        return err_set(err, ERR_INTERNAL, "the plugin asks for scopes that are no tokens");
    out->scope = raw->scope && *raw->scope ? arena_dup(a, raw->scope) : NULL;
    if (raw->carry && !(out->carry = take_text(a, raw->carry, USHER_CARRY_MAX, false)))
        return err_set(err, ERR_INTERNAL, "the plugin carries more than %d bytes, or odd ones",
                       USHER_CARRY_MAX);
    if (raw->issuer && !(out->issuer = action_word(a, raw->issuer, 512)))
        return err_set(err, ERR_UPSTREAM_BAD, "the issuer is not usable");
    out->redirect_flags = raw->redirect_flags & (USHER_SEND_NONCE | USHER_SEND_PKCE |
                                                 USHER_FORM_POST | USHER_ISS_ANNOUNCED);
    if ((out->redirect_flags & USHER_ISS_ANNOUNCED) && !out->issuer)
        return err_set(err, ERR_INTERNAL, "the plugin announces `iss` and names no issuer");
    if (leg_provider(l)->common.pkce == PKCE_ON)
        out->redirect_flags |= USHER_SEND_PKCE;
    else if (leg_provider(l)->common.pkce == PKCE_OFF)
        out->redirect_flags &= ~(uint32_t)USHER_SEND_PKCE;
    return 0;
}

static int copy_exchange(struct leg *l, const struct usher_action *raw, struct usher_action *out,
                         struct err *err)
{
    bool own_auth = raw->client_auth == USHER_AUTH_PARAMS, secret = false;
    const struct params_in form = {raw->params, raw->n_params, PLACE_FORM, exchange_denied,
                                   own_auth ? NULL : client_denied};
    const struct params_in headers = {raw->headers, raw->n_headers, PLACE_HEADER, headers_denied,
                                      NULL};
    if (raw->client_auth < USHER_AUTH_BASIC || raw->client_auth > USHER_AUTH_PARAMS)
        return err_set(err, ERR_INTERNAL, "the plugin asks for unknown client authentication %u",
                       (unsigned)raw->client_auth);
    out->client_auth = raw->client_auth;
    if ((raw->client_auth == USHER_AUTH_BASIC || raw->client_auth == USHER_AUTH_POST) &&
        !leg_provider(l)->common.client_secret.set) {
        if (!(leg_provider(l)->plugin->flags & USHER_PUBLIC_CLIENT))
            return err_set(err, ERR_MISCONFIGURED, "client_secret is not set");
        out->client_auth = USHER_AUTH_NONE;
    }
    out->url = take_url(l, raw->url, "the token endpoint", err);
    if (!out->url || copy_params(l, &form, &out->params, &secret, err) < 0 ||
        copy_params(l, &headers, &out->headers, &secret, err) < 0)
        return -1;
    out->n_params = raw->n_params;
    out->n_headers = raw->n_headers;
    out->exchange_flags =
        raw->exchange_flags & (USHER_ANY_CONTENT_TYPE | USHER_FORM_ANSWER | USHER_ERROR_IN_OK);
    return check_secret_origin(l, out->url, err); /* the code itself is one */
}

static int copy_request(struct leg *l, const struct usher_request *raw, struct usher_request *out,
                        struct err *err)
{
    const struct params_in form = {raw->form, raw->n_form, PLACE_FORM, NULL, NULL};
    const struct params_in headers = {raw->headers, raw->n_headers, PLACE_HEADER, headers_denied,
                                      NULL};
    bool secret = false;
    *out = (struct usher_request){.size = sizeof *out,
                                  .n_headers = raw->n_headers,
                                  .n_form = raw->n_form,
                                  .flags = raw->flags & USHER_ANY_CONTENT_TYPE};
    out->url = take_url(l, raw->url, "an address to fetch", err);
    if (!out->url || copy_params(l, &form, &out->form, &secret, err) < 0 ||
        copy_params(l, &headers, &out->headers, &secret, err) < 0)
        return -1;
    if (raw->metadata_issuer &&
        !(out->metadata_issuer = action_word(leg_arena(l), raw->metadata_issuer, 512)))
        return err_set(err, ERR_INTERNAL, "the plugin names an issuer that is not usable");
    if (raw->cache_seconds > 0 && (secret || raw->n_form || raw->n_headers))
        return err_set(err, ERR_INTERNAL,
                       "the plugin wants an answer cached that is not the same for everybody");
    out->cache_seconds = raw->cache_seconds > 86400 ? 86400
                         : raw->cache_seconds > 0   ? raw->cache_seconds
                                                    : 0;
    return secret ? check_secret_origin(l, out->url, err) : 0;
}

static int copy_fetch(struct leg *l, const struct usher_action *raw, struct usher_action *out,
                      struct err *err)
{
    const size_t least = offsetof(struct usher_request, metadata_issuer) + sizeof(const char *);
    size_t n = raw->n_requests;
    if (n == 0 || n > USHER_REQUESTS_MAX || !raw->requests || raw->requests->size < least ||
        raw->requests->size > 4096)
        return err_set(err, ERR_INTERNAL, "the plugin fetches nothing, or too much at once");
    struct usher_request *v = arena_alloc(leg_arena(l), n * sizeof *v);
    for (size_t i = 0; i < n; i++)
        if (copy_request(l, (const void *)((const char *)raw->requests + i * raw->requests->size),
                         &v[i], err) < 0)
            return -1;
    out->requests = v;
    out->n_requests = n;
    return 0;
}

/* A NULL-ended list of words into the arena; NULL when it is empty, too long or has a bad one. */
static const char *const *copy_words(struct arena *a, const char *const *raw, size_t max,
                                     size_t max_each)
{
    const char **v = arena_alloc(a, (max + 1) * sizeof *v);
    size_t n = 0;
    for (; raw && raw[n]; n++)
        if (n == max || !(v[n] = action_word(a, raw[n], max_each)))
            return NULL;
    return n ? v : NULL;
}

static int copy_verify(struct leg *l, const struct usher_verify *raw, struct usher_action *out,
                       struct err *err)
{
    struct arena *a = leg_arena(l);
    if (!raw || raw->size < offsetof(struct usher_verify, nonce) + sizeof raw->nonce)
        return err_set(err, ERR_INTERNAL, "the plugin did not say how to verify the ID token");
    struct usher_verify *v = arena_alloc(a, sizeof *v);
    *v = (struct usher_verify){.size = sizeof *v, .nonce = raw->nonce};
    v->jwks_uri = take_url(l, raw->jwks_uri, "the key set's address", err);
    if (!v->jwks_uri)
        return -1;
    if (!(v->issuers = copy_words(a, raw->issuers, 8, 512)))
        return err_set(err, ERR_INTERNAL,
                       "the plugin names no issuer, too many, or one that is not usable");
    if (raw->audience && !(v->audience = action_word(a, raw->audience, 255)))
        return err_set(err, ERR_INTERNAL, "the plugin names an audience that is not usable");
    if (raw->algs && !(v->algs = copy_words(a, raw->algs, 10, 16)))
        return err_set(err, ERR_INTERNAL, "the plugin gave an empty list of algorithms");
    for (size_t i = 0; v->algs && v->algs[i]; i++)
        if (!jws_alg_by_name(v->algs[i]))
            return err_set(err, ERR_MISCONFIGURED, "algorithm %s is not one to trust", v->algs[i]);
    if (v->nonce > USHER_NONCE_SKIPPED)
        return err_set(err, ERR_INTERNAL, "the plugin gave an unknown nonce rule");
    out->verify = v;
    return 0;
}

static const char *shown(struct arena *a, const char *text)
{
    char clean[201];
    if (!text)
        return NULL;
    text_display((struct str){text, strnlen(text, 200)}, clean, 200);
    return arena_dup(a, clean);
}

int action_copy(struct leg *l, const struct usher_action *raw, struct usher_action *out,
                struct err *err)
{
    *out = (struct usher_action){.size = sizeof *out, .kind = raw->kind};
    switch (raw->kind) {
    case USHER_REDIRECT:
        return copy_redirect(l, raw, out, err);
    case USHER_EXCHANGE:
        return copy_exchange(l, raw, out, err);
    case USHER_VERIFY:
        return copy_verify(l, raw->verify, out, err);
    case USHER_FETCH:
        return copy_fetch(l, raw, out, err);
    case USHER_DONE:
        if (leg_flow(l) == USHER_FLOW_REFRESH)
            return 0; /* whose tokens they are is known */
        return (out->identity = action_identity(l, raw->identity, err)) ? 0 : -1;
    case USHER_FAIL:
        out->fail =
            raw->fail >= USHER_DENIED && raw->fail <= USHER_INTERNAL ? raw->fail : USHER_INTERNAL;
        out->fail_text = shown(leg_arena(l), raw->fail_text);
        out->fail_hint = shown(leg_arena(l), raw->fail_hint);
        return 0;
    default:
        return err_set(err, ERR_INTERNAL, "the plugin answered with unknown action %u",
                       (unsigned)raw->kind);
    }
}
