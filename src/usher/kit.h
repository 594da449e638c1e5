/* SPDX-License-Identifier: Apache-2.0 */
/*
 * usher/kit.h: a ready-made `step` for upstreams that speak plain OAuth 2.0 or OpenID Connect, so
 * that a typical plugin is a table of settings and one function that says who it is. Header-only,
 * on top of usher/provider.h; nothing in here is part of the ABI.
 *
 *     static void step(struct usher_call *call, const struct usher_event *ev, struct usher_action
 * *a)
 *     {
 *         struct usher_kit kit = {.authorize_url = …, .token_url = …, .parse = parse};
 *         kit.source[1] = …;
 *         usher_kit_step(call, &kit, ev, a);
 *     }
 *
 * The flow: metadata (if `issuer` is set; cached by the core, asked again in each leg) ▶ REDIRECT,
 * then metadata ▶ EXCHANGE ▶ VERIFY (if `id_token`) ▶ every source in parallel ▶ parse.
 * Renewals need nothing more: REFRESH is the exchange with the refresh token. RECHECK asks the
 * sources with the access token and has `parse` judge the answers as at a sign-in; where an ID
 * token belongs to them it is renewed first. If no ID token comes, userinfo only has to take the
 * access token: what `parse` would miss in it says nothing. The descriptor's leg_size is
 * sizeof(struct usher_kit_leg), or of a struct that begins with one.
 */
#ifndef USHER_KIT_H
#define USHER_KIT_H

#include "usher/answers.h"
#include "usher/claims.h"
#include "usher/params.h"
#include "usher/provider.h"

#define USHER_KIT_METADATA_SECONDS 3600

struct usher_kit {
    /* Where. Explicit endpoints win over those of the metadata. */
    const char *issuer;          /* metadata is below it; NULL: explicit endpoints only */
    const char *metadata_issuer; /* what the metadata calls itself; NULL: issuer */
    const char *const *issuers;  /* accepted in ID tokens, NULL-ended; NULL: metadata_issuer */
    const char *authorize_url, *token_url, *jwks_uri;
    /* The first leg. */
    uint32_t redirect_flags;     /* enum usher_redirect_flag */
    const char *scope;           /* NULL: the setting `scopes` */
    struct usher_list authorize; /* further parameters */
    /* The exchange. */
    uint32_t client_auth;      /* enum usher_client_auth; 0: as the metadata says, or BASIC */
    uint32_t exchange_flags;   /* enum usher_request_flag */
    struct usher_list token;   /* further parameters */
    const char *assertion_key; /* setting with a PEM key: private_key_jwt, RFC 7523 */
    const char *assertion_alg, *assertion_kid;
    struct usher_list headers; /* for the exchange and the sources */
    /* The ID token. */
    bool id_token; /* there must be one */
    const char *const *algs;
    uint32_t nonce; /* enum usher_nonce_rule */
    /* Afterwards: what is asked with the access token, by source. */
    const char *source[USHER_SOURCES_MAX]; /* URLs; source[0] is the ID token and stays NULL */
    bool userinfo;              /* source 1 is userinfo: its `sub` must be the ID token's; a
                                   NULL source[1] is filled in from the metadata */
    uint32_t source_flags;      /* enum usher_request_flag */
    const char *proof_param;    /* a query parameter with token_proof("client_secret") */
    const char *must_be_true;   /* expression: each answer has it, and it is true */
    const char *must_be_absent; /* expression: no answer has it */
    /* Source i was answered with something else than JSON and 2xx: true if *a is
     * filled, or the source can be done without. May be NULL. Not called when there was no answer
     * or a "later". */
    bool (*refused)(struct usher_call *, size_t source, const struct usher_response *,
                    struct usher_action *a);
    /* Everything is there: DONE or FAIL. In a RECHECK DONE without groups says there are none. */
    void (*parse)(struct usher_call *, const struct usher_sources *, struct usher_action *a);
};

enum usher_kit_stage {
    USHER_KIT_BEGIN = 0,
    USHER_KIT_METADATA_FIRST = 1,
    USHER_KIT_METADATA_SECOND = 2,
    USHER_KIT_SOURCES = 3,
    USHER_KIT_METADATA_RECHECK = 4,
    USHER_KIT_ALIVE = 5,
};

struct usher_kit_leg {
    uint32_t stage;
    const char *authorize_url, *token_url, *userinfo_url, *jwks_uri;
    bool iss_announced, post_only;
    const struct usher_json *claims;
    /* START's wishes, for after the metadata */
    const char *prompt, *login_hint, *locale;
    int64_t max_age;
    /* Of a renewal. */
    const char *subject;
    bool has_access, has_refresh, renewed;
};

/* ---- the steps ------------------------------------------------------------------------------ */

static inline const char *usher_kit_issuer(const struct usher_kit *k)
{
    return k->metadata_issuer ? k->metadata_issuer : k->issuer;
}

/* OpenID Connect Discovery 1.0 section 4. */
static inline void usher_kit_metadata(struct usher_call *call, const struct usher_kit *k,
                                      uint32_t stage, struct usher_action *a)
{
    struct usher_kit_leg *leg = call->leg;
    struct usher_request *rq = call->host->alloc(call, sizeof *rq);
    leg->stage = stage;
    rq->size = sizeof *rq;
    rq->url = usher_join(call, k->issuer, "/.well-known/openid-configuration");
    rq->cache_seconds = USHER_KIT_METADATA_SECONDS;
    rq->metadata_issuer = usher_kit_issuer(k);
    a->kind = USHER_FETCH;
    a->requests = rq;
    a->n_requests = 1;
}

static inline bool usher_kit_listed(struct usher_call *call, const struct usher_json *json,
                                    const char *array, const char *word)
{
    size_t n = call->host->json_count(call, json, array), end = strlen(array);
    char item[128];
    if (end > sizeof item - 4)
        return false;
    memcpy(item, array, end);
    for (size_t i = 0; i < n && i < 64; i++) {
        const char digits[] = {(char)('0' + i / 10), (char)('0' + i % 10), 0};
        size_t skip = i < 10; /* no leading zero in a pointer's index */
        item[end] = '/';
        memcpy(item + end + 1, digits + skip, sizeof digits - skip);
        const char *found = call->host->json_text(call, json, item);
        if (found && strcmp(found, word) == 0)
            return true;
    }
    return false;
}

/* Endpoints into the leg: explicit ones, then those of the metadata. */
static inline void usher_kit_endpoints(struct usher_call *call, const struct usher_kit *k,
                                       const struct usher_json *meta)
{
    struct usher_kit_leg *leg = call->leg;
    static const char methods[] = "/token_endpoint_auth_methods_supported";
    leg->authorize_url = k->authorize_url && *k->authorize_url
                             ? k->authorize_url
                             : call->host->json_text(call, meta, "/authorization_endpoint");
    leg->token_url = k->token_url && *k->token_url
                         ? k->token_url
                         : call->host->json_text(call, meta, "/token_endpoint");
    leg->userinfo_url = k->source[1] && *k->source[1]
                            ? k->source[1]
                            : call->host->json_text(call, meta, "/userinfo_endpoint");
    leg->jwks_uri =
        k->jwks_uri && *k->jwks_uri ? k->jwks_uri : call->host->json_text(call, meta, "/jwks_uri");
    leg->iss_announced =
        call->host->json_bool(call, meta, "/authorization_response_iss_parameter_supported") == 1;
    leg->post_only = usher_kit_listed(call, meta, methods, "client_secret_post") &&
                     !usher_kit_listed(call, meta, methods, "client_secret_basic");
}

static inline void usher_kit_redirect(struct usher_call *call, const struct usher_kit *k,
                                      struct usher_action *a)
{
    const struct usher_kit_leg *leg = call->leg;
    struct usher_list params = k->authorize;
    const char *issuer = usher_kit_issuer(k);
    if (!leg->authorize_url) {
        usher_fail(a, USHER_UPSTREAM_BAD, "the metadata has no authorization_endpoint", NULL);
        return;
    }
    usher_put(call, &params, "prompt", leg->prompt);
    if (k->id_token) {
        usher_put(call, &params, "login_hint", leg->login_hint);
        usher_put(call, &params, "ui_locales", leg->locale);
        if (leg->max_age >= 0)
            usher_put(call, &params, "max_age", call->host->text(call, "%" PRId64, leg->max_age));
    }
    a->kind = USHER_REDIRECT;
    a->url = leg->authorize_url;
    a->params = params.v;
    a->n_params = params.n;
    a->scope = k->scope ? k->scope : call->host->setting(call, "scopes");
    a->redirect_flags = k->redirect_flags;
    a->issuer = issuer && !strchr(issuer, '{') ? issuer : NULL;
    if (a->issuer && leg->iss_announced)
        a->redirect_flags |= USHER_ISS_ANNOUNCED;
}

/* A client assertion for this token endpoint, RFC 7523 section 2.2. NULL: *a says why. */
static inline const char *usher_kit_assertion(struct usher_call *call, const struct usher_kit *k,
                                              const char *audience, struct usher_action *a)
{
    const char *client = call->host->setting(call, "client_id");
    uint64_t id[2];
    int64_t now = call->host->now(call);
    call->host->random(call, id, sizeof id);
    if (!client || strpbrk(client, "\"\\") || strpbrk(audience, "\"\\")) {
        usher_fail(a, USHER_MISCONFIGURED, "client_id cannot be signed", "check client_id");
        return NULL;
    }
    const char *claims =
        call->host->text(call,
                         "{\"iss\":\"%s\",\"sub\":\"%s\",\"aud\":\"%s\",\"jti\":\"%016" PRIx64
                         "%016" PRIx64 "\",\"iat\":%" PRId64 ",\"exp\":%" PRId64 "}",
                         client, client, audience, id[0], id[1], now, now + 60);
    const char *token =
        call->host->jws_sign(call, k->assertion_key, k->assertion_alg, k->assertion_kid, claims);
    if (!token)
        usher_fail(a, USHER_MISCONFIGURED, "the client assertion could not be signed", NULL);
    return token;
}

static inline void usher_kit_exchange(struct usher_call *call, const struct usher_kit *k,
                                      struct usher_action *a)
{
    struct usher_kit_leg *leg = call->leg;
    leg->renewed = true;
    if (!leg->token_url) {
        usher_fail(a, USHER_UPSTREAM_BAD, "the metadata has no token_endpoint", NULL);
        return;
    }
    struct usher_list params = k->token;
    if (k->assertion_key) {
        const char *assertion = usher_kit_assertion(call, k, leg->token_url, a);
        if (!assertion)
            return;
        usher_add(call, &params, "client_id", call->host->setting(call, "client_id"));
        usher_add(call, &params, "client_assertion_type",
                  "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
        usher_add(call, &params, "client_assertion", assertion);
    }
    a->kind = USHER_EXCHANGE;
    a->url = leg->token_url;
    a->client_auth = k->assertion_key ? USHER_AUTH_PARAMS
                     : k->client_auth ? k->client_auth
                     : leg->post_only ? USHER_AUTH_POST
                                      : USHER_AUTH_BASIC;
    a->exchange_flags = k->exchange_flags;
    a->params = params.v;
    a->n_params = params.n;
    a->headers = k->headers.v;
    a->n_headers = k->headers.n;
}

static inline void usher_kit_verify(struct usher_call *call, const struct usher_kit *k,
                                    struct usher_action *a)
{
    const struct usher_kit_leg *leg = call->leg;
    struct usher_verify *v = call->host->alloc(call, sizeof *v);
    const char **issuers = call->host->alloc(call, 2 * sizeof *issuers);
    issuers[0] = usher_kit_issuer(k);
    *v = (struct usher_verify){.size = sizeof *v,
                               .issuers = k->issuers ? k->issuers : issuers,
                               .jwks_uri = leg->jwks_uri,
                               .algs = k->algs,
                               .nonce = k->nonce};
    if (call->flow == USHER_FLOW_RECHECK) /* the sign-in's was judged then, and is gone */
        v->nonce = USHER_NONCE_SKIPPED;
    if (!leg->jwks_uri) {
        usher_fail(a, USHER_UPSTREAM_BAD, "the metadata has no jwks_uri", NULL);
        return;
    }
    a->kind = USHER_VERIFY;
    a->verify = v;
}

static inline const char *usher_kit_source(const struct usher_kit *k,
                                           const struct usher_kit_leg *leg, size_t i)
{
    const char *url = i == 1 && k->userinfo ? leg->userinfo_url : k->source[i];
    return url && *url ? url : NULL;
}

static inline const char *usher_kit_source_url(struct usher_call *call, const struct usher_kit *k,
                                               const char *url)
{
    const char *proof = k->proof_param ? call->host->token_proof(call, "client_secret") : NULL;
    if (!proof)
        return url;
    return call->host->text(call, "%s%c%s=%s", url, strchr(url, '?') ? '&' : '?', k->proof_param,
                            proof);
}

/* The verdict of `parse`. Now that all has been asked again, no groups means none. */
static inline void usher_kit_parse(struct usher_call *call, const struct usher_kit *k,
                                   const struct usher_sources *s, struct usher_action *a)
{
    k->parse(call, s, a);
    if (call->flow != USHER_FLOW_RECHECK || a->kind != USHER_DONE || !a->identity ||
        a->identity->groups)
        return;
    struct usher_identity *id = call->host->alloc(call, sizeof *id);
    *id = *a->identity;
    id->groups = call->host->alloc(call, sizeof *id->groups);
    a->identity = id;
}

/* Ask every source, or parse at once when there is none. */
static inline void usher_kit_ask(struct usher_call *call, const struct usher_kit *k,
                                 struct usher_action *a)
{
    struct usher_kit_leg *leg = call->leg;
    struct usher_request *rq = call->host->alloc(call, USHER_REQUESTS_MAX * sizeof *rq);
    struct usher_list headers = {NULL, 0};
    size_t n = 0;
    usher_list_add(call, &headers, "Authorization", USHER_VALUE_ACCESS_TOKEN, "Bearer ");
    for (size_t i = 0; i < k->headers.n; i++)
        usher_list_add(call, &headers, k->headers.v[i].name, k->headers.v[i].kind,
                       k->headers.v[i].text);
    for (size_t i = 1; i < USHER_SOURCES_MAX; i++) {
        const char *url = usher_kit_source(k, leg, i);
        if (url)
            rq[n++] = (struct usher_request){.size = sizeof *rq,
                                             .headers = headers.v,
                                             .url = usher_kit_source_url(call, k, url),
                                             .n_headers = headers.n,
                                             .flags = k->source_flags};
    }
    leg->stage = USHER_KIT_SOURCES;
    if (n == 0) {
        const struct usher_sources s = {{leg->claims}};
        usher_kit_parse(call, k, &s, a);
        return;
    }
    a->kind = USHER_FETCH;
    a->requests = rq;
    a->n_requests = n;
}

/* Does userinfo take the access token still? */
static inline void usher_kit_ask_alive(struct usher_call *call, const struct usher_kit *k,
                                       struct usher_action *a)
{
    struct usher_kit_leg *leg = call->leg;
    struct usher_kit only = {.source = {NULL, leg->userinfo_url},
                             .headers = k->headers,
                             .source_flags = k->source_flags,
                             .proof_param = k->proof_param};
    if (!leg->userinfo_url || !*leg->userinfo_url) {
        usher_fail(a, USHER_MISCONFIGURED, "neither an ID token nor userinfo to check again with",
                   "set recheck = 0, or have the provider give refresh tokens");
        return;
    }
    usher_kit_ask(call, &only, a);
    leg->stage = USHER_KIT_ALIVE;
}

/* Whose tokens these are is known, and they are good. */
static inline void usher_kit_alive(struct usher_call *call, const struct usher_response *r,
                                   struct usher_action *a)
{
    const struct usher_kit_leg *leg = call->leg;
    if (!usher_kit_answered(call, r, "userinfo", a))
        return;
    const char *sub = call->host->json_text(call, r->json, "/sub");
    struct usher_identity *id = call->host->alloc(call, sizeof *id);
    if (!sub || !*sub) {
        usher_fail(a, USHER_UPSTREAM_BAD, "userinfo is about nobody", NULL);
        return;
    }
    *id = (struct usher_identity){.size = sizeof *id, .subject = leg->subject};
    a->kind = USHER_DONE;
    a->identity = id;
}

/* An access token that was refused is renewed once, if it can be. Refused when it is a moment old,
 * it says nothing about the person. true: *a is filled. */
static inline bool usher_kit_token_refused(struct usher_call *call, const struct usher_kit *k,
                                           const struct usher_event *ev, struct usher_action *a)
{
    const struct usher_kit_leg *leg = call->leg;
    bool refused = false;
    for (size_t i = 0; i < ev->n_responses; i++) {
        const struct usher_response *r = usher_response_at(ev, i);
        refused = refused || (r->transport == USHER_TRANSPORT_OK && r->status == 401);
    }
    if (!refused || call->flow != USHER_FLOW_RECHECK)
        return false;
    if (leg->renewed)
        usher_fail(a, USHER_UPSTREAM_BAD, "an access token that is new is refused", NULL);
    else if (leg->has_refresh)
        usher_kit_exchange(call, k, a);
    else
        usher_fail(a, USHER_EXPIRED, "the access token is refused", NULL);
    return true;
}

/* OpenID Connect Core 1.0 section 5.3.2: userinfo must be about the same subject. */
static inline bool usher_kit_same_subject(struct usher_call *call, const struct usher_json *claims,
                                          const struct usher_json *userinfo)
{
    const char *sub = call->host->json_text(call, userinfo, "/sub");
    const char *token_sub = call->host->json_text(call, claims, "/sub");
    return sub && *sub && (!claims || (token_sub && strcmp(sub, token_sub) == 0));
}

/* Some say 200 and mean no. */
static inline bool usher_kit_means_no(struct usher_call *call, const struct usher_kit *k,
                                      const struct usher_json *json)
{
    const struct usher_sources s = {{json}};
    return (k->must_be_true && usher_claim_bool(call, &s, k->must_be_true) != 1) ||
           (k->must_be_absent && usher_claim(call, &s, k->must_be_absent));
}

/* One answer: its JSON, or NULL; then *a may hold the end. */
static inline const struct usher_json *usher_kit_answer(struct usher_call *call,
                                                        const struct usher_kit *k, size_t source,
                                                        const struct usher_response *r,
                                                        struct usher_action *a)
{
    const char *what = call->host->text(call, "source %zu", source);
    struct usher_action wrong = {.size = sizeof wrong};
    if (!usher_kit_answered(call, r, what, &wrong)) {
        if (wrong.fail == USHER_UPSTREAM_DOWN || r->transport != USHER_TRANSPORT_OK ||
            !k->refused || !k->refused(call, source, r, a))
            *a = wrong;
        return NULL;
    }
    if (usher_kit_means_no(call, k, r->json)) {
        usher_fail(a, USHER_UPSTREAM_BAD, call->host->text(call, "%s: an error as 200", what),
                   NULL);
        return NULL;
    }
    return r->json;
}

static inline void usher_kit_sources(struct usher_call *call, const struct usher_kit *k,
                                     const struct usher_event *ev, struct usher_action *a)
{
    const struct usher_kit_leg *leg = call->leg;
    struct usher_sources s = {{leg->claims}};
    size_t answered = 0;
    if (usher_kit_token_refused(call, k, ev, a))
        return;
    if (leg->stage == USHER_KIT_ALIVE) {
        usher_kit_alive(call, usher_response_at(ev, 0), a);
        return;
    }
    for (size_t i = 1; i < USHER_SOURCES_MAX && answered < ev->n_responses; i++) {
        if (!usher_kit_source(k, leg, i))
            continue;
        s.v[i] = usher_kit_answer(call, k, i, usher_response_at(ev, answered++), a);
        if (a->kind)
            return;
    }
    if (k->userinfo && leg->userinfo_url && !usher_kit_same_subject(call, leg->claims, s.v[1]))
        usher_fail(a, USHER_UPSTREAM_BAD, "userinfo is about somebody else", NULL);
    else
        usher_kit_parse(call, k, &s, a);
}

static inline void usher_kit_tokens(struct usher_call *call, const struct usher_kit *k,
                                    const struct usher_tokens *t, struct usher_action *a)
{
    if (!t->ok)
        usher_kit_token_error(call, t, a);
    else if (call->flow == USHER_FLOW_REFRESH)
        a->kind = USHER_DONE;
    else if (!k->id_token)
        usher_kit_ask(call, k, a);
    else if (!t->has_id_token && call->flow == USHER_FLOW_RECHECK)
        usher_kit_ask_alive(call, k, a);
    else if (!t->has_id_token)
        usher_fail(a, USHER_UPSTREAM_BAD, "the token endpoint gave no ID token",
                   "check that `scopes` has openid");
    else
        usher_kit_verify(call, k, a);
}

/* What comes first in a RECHECK, with all endpoints known. */
static inline void usher_kit_recheck(struct usher_call *call, const struct usher_kit *k,
                                     struct usher_action *a)
{
    const struct usher_kit_leg *leg = call->leg;
    if (leg->has_refresh && (k->id_token || !leg->has_access))
        usher_kit_exchange(call, k, a);
    else if (!leg->has_access)
        usher_fail(a, USHER_EXPIRED, "the access token has expired, and there is no other", NULL);
    else if (k->id_token)
        usher_kit_ask_alive(call, k, a);
    else
        usher_kit_ask(call, k, a);
}

/* The endpoints are known. */
static inline void usher_kit_go(struct usher_call *call, const struct usher_kit *k, uint32_t stage,
                                struct usher_action *a)
{
    if (stage == USHER_KIT_METADATA_FIRST)
        usher_kit_redirect(call, k, a);
    else if (stage == USHER_KIT_METADATA_RECHECK)
        usher_kit_recheck(call, k, a);
    else
        usher_kit_exchange(call, k, a);
}

static inline void usher_kit_begin(struct usher_call *call, const struct usher_kit *k,
                                   uint32_t stage, struct usher_action *a)
{
    bool complete = k->authorize_url && *k->authorize_url && k->token_url && *k->token_url &&
                    (!k->id_token || (k->jwks_uri && *k->jwks_uri)) &&
                    (!k->userinfo || (k->source[1] && *k->source[1]));
    if (k->issuer && *k->issuer && !complete) {
        usher_kit_metadata(call, k, stage, a);
        return;
    }
    usher_kit_endpoints(call, k, NULL);
    usher_kit_go(call, k, stage, a);
}

static inline void usher_kit_discovered(struct usher_call *call, const struct usher_kit *k,
                                        const struct usher_response *r, struct usher_action *a)
{
    const struct usher_kit_leg *leg = call->leg;
    if (!usher_kit_answered(call, r, "metadata", a)) {
        if (a->fail == USHER_UPSTREAM_BAD && r->status >= 400)
            usher_fail(a, USHER_MISCONFIGURED, "the issuer has no metadata", "check `issuer`");
        return;
    }
    usher_kit_endpoints(call, k, r->json);
    usher_kit_go(call, k, leg->stage, a);
}

static inline void usher_kit_start(struct usher_call *call, const struct usher_kit *k,
                                   const struct usher_start *start, struct usher_action *a)
{
    struct usher_kit_leg *leg = call->leg;
    bool renewal = start->flow == USHER_FLOW_REFRESH || start->flow == USHER_FLOW_RECHECK;
    if (renewal) {
        leg->subject = call->host->text(call, "%s", start->subject);
        leg->has_access = start->has_access_token;
        leg->has_refresh = start->has_refresh_token;
        usher_kit_begin(call, k,
                        start->flow == USHER_FLOW_REFRESH ? USHER_KIT_METADATA_SECOND
                                                          : USHER_KIT_METADATA_RECHECK,
                        a);
        return;
    }
    if (start->flow != USHER_FLOW_LOGIN && start->flow != USHER_FLOW_LINK) {
        usher_fail(a, USHER_INTERNAL, "this plugin knows no such flow", NULL);
        return;
    }
    leg->prompt = start->prompt ? call->host->text(call, "%s", start->prompt) : NULL;
    leg->login_hint = start->login_hint ? call->host->text(call, "%s", start->login_hint) : NULL;
    leg->locale = start->locale ? call->host->text(call, "%s", start->locale) : NULL;
    leg->max_age = start->max_age;
    usher_kit_begin(call, k, USHER_KIT_METADATA_FIRST, a);
}

static inline void usher_kit_step(struct usher_call *call, const struct usher_kit *k,
                                  const struct usher_event *ev, struct usher_action *a)
{
    struct usher_kit_leg *leg = call->leg;
    switch (ev->kind) {
    case USHER_START:
        usher_kit_start(call, k, ev->start, a);
        break;
    case USHER_CALLBACK:
        usher_kit_begin(call, k, USHER_KIT_METADATA_SECOND, a);
        break;
    case USHER_TOKENS:
        usher_kit_tokens(call, k, ev->tokens, a);
        break;
    case USHER_CLAIMS:
        leg->claims = ev->claims->claims;
        usher_kit_ask(call, k, a);
        break;
    case USHER_RESPONSES:
        if (leg->stage == USHER_KIT_SOURCES || leg->stage == USHER_KIT_ALIVE) {
            usher_kit_sources(call, k, ev, a);
        } else {
            usher_kit_discovered(call, k, usher_response_at(ev, 0), a);
        }
        break;
    default:
        usher_fail(a, USHER_INTERNAL, "an event this plugin does not know", NULL);
    }
}

#endif
