/* SPDX-License-Identifier: Apache-2.0 */
/*
 * REDIRECT: the authorization request (RFC 6749 section 4.1.1, RFC 7636, OpenID Connect Core
 * 3.1.2.1). What is ours is added here and nowhere else. The leg refused plugin parameters that are
 * ours; an endpoint's own query is judged here, so nothing of ours can occur twice.
 */
#include "base/url.h"
#include "login/drive_parts.h"

#define REDIRECT_MAX 8000
#define QUERY_FIELDS_MAX 32

static const char *const ours[] = {
    "client_id", "redirect_uri", "response_type",  "response_mode",
    "state",     "nonce",        "scope",          "iss",
    "request",   "request_uri",  "code_challenge", "code_challenge_method"};

/* RFC 8707 and RFC 8693 allow these to be repeated. */
static bool repeatable(const char *name)
{
    return strcmp(name, "resource") == 0 || strcmp(name, "audience") == 0;
}

static int check_endpoint(struct drive *d, const char *url, struct fields *query, struct err *err)
{
    struct url u;
    *query = (struct fields){NULL, 0};
    if (!url || url_parse(d->arena, str_of(url), &u, err) != 0)
        return err_set(err, ERR_MISCONFIGURED, "authorization endpoint is no URL");
    if (u.query && form_parse(d->arena, str_of(u.query), QUERY_FIELDS_MAX, query, err) != 0)
        return -1;
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++) {
        const char *value;
        if (form_get(query, ours[i], &value) != 0)
            return err_set(err, ERR_MISCONFIGURED,
                           "authorization endpoint's query holds %s, which usher sends itself",
                           ours[i]);
    }
    return 0;
}

static int check_params(const struct usher_action *act, const struct fields *query, struct err *err)
{
    for (size_t i = 0; i < act->n_params; i++) {
        const char *name = act->params[i].name;
        const char *in_query;
        bool twice = form_get(query, name, &in_query) != 0;
        if (strcmp(name, "iss") == 0)
            return err_set(err, ERR_MISCONFIGURED, "parameter iss is not for requests");
        for (size_t j = 0; j < i; j++)
            twice = twice || strcmp(name, act->params[j].name) == 0;
        if (twice && !repeatable(name))
            return err_set(err, ERR_MISCONFIGURED, "parameter %s occurs twice", name);
    }
    return 0;
}

static void fill_flow(struct drive *d, const struct usher_action *act)
{
    d->flow.carry = act->carry ? act->carry : "";
    d->flow.issuer = act->issuer;
    d->flow.iss_required = act->redirect_flags & USHER_ISS_ANNOUNCED;
    d->flow.nonce_sent = act->redirect_flags & USHER_SEND_NONCE;
    d->flow.pkce_sent = act->redirect_flags & USHER_SEND_PKCE;
    d->flow.max_age = -1;
    for (size_t i = 0; i < act->n_params; i++) {
        int64_t seconds;
        if (strcmp(act->params[i].name, "max_age") == 0 &&
            text_int(str_of(act->params[i].text), &seconds) && seconds >= 0)
            d->flow.max_age = seconds;
    }
}

static int add_ours(struct drive *d, const struct usher_action *act, struct buf *url,
                    struct err *err)
{
    char verifier[44], text[44];
    struct buf state;
    int rc = -1;
    buf_init(&state, STATE_MAX);
    if (state_seal(d->args.keys, d->bind, &d->flow, &state, err) != 0)
        goto out;
    form_add(url, "response_type", "code");
    form_add(url, "client_id", d->args.provider->common.client_id);
    form_add(url, "redirect_uri", d->args.redirect_uri);
    if (act->scope && *act->scope)
        form_add(url, "scope", act->scope);
    form_add(url, "state", state.p);
    if (act->redirect_flags & USHER_FORM_POST)
        form_add(url, "response_mode", "form_post");
    if (d->flow.nonce_sent) {
        if (state_nonce(d->args.keys, buf_view(&state), d->flow.id, text) != 0)
            goto out;
        form_add(url, "nonce", text);
    }
    if (d->flow.pkce_sent) {
        if (state_verifier(d->args.keys, buf_view(&state), d->flow.id, verifier) != 0)
            goto out;
        state_challenge(verifier, text);
        form_add(url, "code_challenge", text);
        form_add(url, "code_challenge_method", "S256");
    }
    rc = 0;
out:
    if (rc != 0)
        err_set(err, ERR_INTERNAL, "state could not be sealed");
    seal_wipe(verifier, sizeof verifier);
    buf_deinit(&state);
    return rc;
}

int drive_redirect(struct drive *d, const struct usher_action *act, struct err *err)
{
    struct fields query;
    struct buf url;
    if (!d->args.provider->common.client_id || !*d->args.provider->common.client_id)
        return err_set(err, ERR_MISCONFIGURED, "client_id is not set");
    if (check_endpoint(d, act->url, &query, err) != 0 || check_params(act, &query, err) != 0)
        return -1;
    fill_flow(d, act);

    int rc = -1;
    buf_init(&url, REDIRECT_MAX);
    buf_text(&url, act->url);
    if (!strchr(act->url, '?'))
        buf_byte(&url, '?');
    if (add_ours(d, act, &url, err) != 0)
        goto out;
    for (size_t i = 0; i < act->n_params; i++)
        form_add(&url, act->params[i].name, act->params[i].text ? act->params[i].text : "");
    if (!buf_ok(&url)) {
        err_set(err, ERR_MISCONFIGURED, "authorization request is longer than %d bytes",
                REDIRECT_MAX);
        goto out;
    }
    const struct drive_redirect redirect = {.url = arena_str(d->arena, buf_view(&url))};
    rc = 0;
    drive_end(d, &redirect, NULL, NULL);
out:
    buf_deinit(&url);
    return rc;
}
