/* SPDX-License-Identifier: Apache-2.0 */
/*
 * request: an authorization request read and judged (RFC 6749 section 4.1.1, RFC 7636, RFC 8707,
 * OpenID Connect Core 3.1.2.1). Pure: what the browser brought and what the app is allowed go in;
 * out comes the request, or what is wrong with it and who may be told. Nobody is sent anywhere
 * before client and redirect URI are known to belong together.
 *
 * What was judged can be written down as JSON and read again, so that a request may wait for a
 * person, a page or a restart. Everything lives in the caller's arena.
 */
#ifndef ISSUER_REQUEST_H
#define ISSUER_REQUEST_H

#include <stdbool.h>
#include <stdint.h>

#include "app/app.h"
#include "base/arena.h"
#include "base/form.h"
#include "base/json.h"

/* How a pushed request is named: this and a handle (RFC 9126 section 2.2). */
#define ISSUER_PUSHED_URN "urn:ietf:params:oauth:request_uri:"

enum request_prompt {
    PROMPT_NONE = 1,
    PROMPT_LOGIN = 2,
    PROMPT_CONSENT = 4,
    PROMPT_SELECT_ACCOUNT = 8,
};

struct issuer_request {
    const struct app *app;
    const char *redirect_uri; /* as it was asked for, or the only one there is */
    bool redirect_given;
    bool form_post;            /* response_mode */
    const char *state, *nonce; /* NULL: none */
    const char *challenge;     /* S256; NULL: none */
    const char *scopes;        /* parted by blanks: of those asked for, the ones it may have */
    const char *resource;      /* JSON array of strings; NULL: none */
    const char *claims;        /* JSON object of OIDC Core 5.5; NULL: none */
    unsigned prompt;           /* enum request_prompt */
    int64_t max_age;           /* seconds, the app's own if it asked for none; -1: none */
    const char *login_hint;    /* NULL; as the others below */
    const char *ui_locales, *acr_values, *id_token_hint;
    bool pushed; /* it came by PAR */
};

/* What is wrong. `page`: with client or redirect URI, so the person is told and nobody else. */
struct issuer_problem {
    bool page;
    const char *error;       /* of RFC 6749 4.1.2.1 and OIDC Core 3.1.2.6 */
    const char *description; /* ASCII, one sentence, ours */
};

/* `app` is the one named by client_id; NULL: there is none. 0, or -1 with *why; then out has what
 * is needed to send the error: app, redirect_uri, form_post and state. */
int issuer_request_read(struct arena *a, const struct app *app, const struct fields *f,
                        struct issuer_request *out, struct issuer_problem *why)
    __attribute__((warn_unused_result));

/* A device's: which scopes and resources, by the same rules (RFC 8628 section 3.1). It is sent back
 * nowhere. */
int issuer_request_read_device(struct arena *a, const struct app *app, const struct fields *f,
                               struct issuer_request *out, struct issuer_problem *why)
    __attribute__((warn_unused_result));

/* To wait, and back; `app` as it is by then. -1: the app may not ask this any more. */
struct jval *issuer_request_write(const struct issuer_request *rq);
int issuer_request_again(struct arena *a, const struct app *app, const struct jval *json,
                         struct issuer_request *out) __attribute__((warn_unused_result));

/* Whether an app registered this URI: byte for byte, but for the port of a loopback address where
 * the app is a native one (RFC 8252 section 7.3). */
bool issuer_request_redirect_fits(const struct app *app, const char *uri);
/* Whether a scope is among those parted by blanks. */
bool issuer_request_has_scope(const char *scopes, const char *scope);

#endif
