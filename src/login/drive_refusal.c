/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a refused request says about our registration at the upstream: not this client secret, so
 * another slot's may be the one (fall-over: a secret is replaced without an outage, whoever of the
 * two sides goes first); or not this callback URL.
 */
#include "login/drive_parts.h"

/* RFC 6749 section 5.2 calls it invalid_client, and 401 is for nothing else. */
static const char *const not_this_client[] = {
    "invalid_client", "incorrect_client_credentials", /* GitHub */
    "bad_client_secret",                              /* Slack */
};

bool drive_client_refused(const struct fetch_result *r, const struct jval *answer)
{
    const char *error = jval_text(jval_get(answer, "error"));
    if (r->transport != USHER_TRANSPORT_OK)
        return false;
    for (size_t i = 0; error && i < sizeof not_this_client / sizeof *not_this_client; i++)
        if (strcmp(error, not_this_client[i]) == 0)
            return true;
    /* Keycloak calls a wrong secret unauthorized_client; elsewhere, with 400, that is a grant type
     * the client may not use. */
    return r->status == 401 && (!error || strcmp(error, "unauthorized_client") == 0);
}

static bool names_secret(const struct usher_param *v, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (v[i].kind == USHER_VALUE_SETTING && strcmp(v[i].text, "client_secret") == 0)
            return true;
    return false;
}

/* Whether the token request shows a client secret at all: it does not for public clients and signed
 * assertions. */
static bool secret_was_sent(const struct usher_action *act)
{
    if (act->client_auth == USHER_AUTH_BASIC || act->client_auth == USHER_AUTH_POST)
        return true;
    return names_secret(act->params, act->n_params) || names_secret(act->headers, act->n_headers);
}

int drive_other_slot(struct drive *d, struct err *err)
{
    enum provider_slot other;
    const bool first = d->refused == 0;
    if (d->args.only_slot || !secret_was_sent(&d->exchange))
        return 0;
    d->refused |= 1u << d->slot;
    if (!slots_other(d->args.provider, d->refused, &other) || !leg_spend_request(d->leg))
        return first ? 0
                     : err_set(err, ERR_MISCONFIGURED,
                               "the upstream refuses client_id with each of its client secrets: "
                               "%s%s%s",
                               d->refused & 1u << PROVIDER_ACTIVE ? "active" : "",
                               d->refused & 1u << PROVIDER_NEXT ? " next" : "",
                               d->refused & 1u << PROVIDER_RETIRING ? " retiring" : "");
    d->slot = other;
    leg_set_slot(d->leg, other);
    return 1;
}

void drive_slot_worked(struct drive *d)
{
    if (d->refused == 0 || !slots_fell_over(d->args.slots, d->args.provider, d->slot))
        return;
    if (d->args.fell_over)
        d->args.fell_over(d->args.observe_arg, d->first_slot, d->slot);
}

/* ---- the callback URL ------------------------------------------------------------------------ */

static bool mentions(const char *text, const char *words)
{
    const size_t n = strlen(words);
    for (; *text; text++)
        if (str_is_nocase((struct str){text, strnlen(text, n)}, words))
            return true;
    return false;
}

bool drive_mismatch(const char *error, const char *description)
{
    static const char *const names[] = {"redirect_uri", "redirect uri", "redirect url",
                                        "callback url"};
    bool named = false;
    if (strcmp(error, "redirect_uri_mismatch") == 0) /* GitHub, Google */
        return true;
    if (!description ||
        (strcmp(error, "invalid_request") != 0 && strcmp(error, "invalid_grant") != 0))
        return false;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        named = named || mentions(description, names[i]);
    /* Not the RFC's own sentence about all that may be wrong with a grant. */
    return named && !mentions(description, "expired") && !mentions(description, "revoked");
}

int drive_mismatch_set(const char *redirect_uri, struct err *err)
{
    return err_set(err, ERR_MISCONFIGURED,
                   "the upstream does not know this callback URL: register exactly %s there",
                   redirect_uri);
}
