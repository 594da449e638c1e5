/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The authorization response, before anybody acts on it: RFC 6749 section 4.1.2, RFC 9207 section
 * 2.4. Parameters occur at most once (RFC 6749 section 3.1).
 */
#include "login/drive_parts.h"

#define CODE_MAX 4096

/* RFC 6749 4.1.2.1, OpenID Connect Core 3.1.2.6, and what single upstreams say instead. */
static const struct {
    const char *code;
    enum err_kind kind;
} known[] = {
    {"access_denied", ERR_DENIED},
    {"login_required", ERR_DENIED},
    {"consent_required", ERR_DENIED},
    {"interaction_required", ERR_DENIED},
    {"account_selection_required", ERR_DENIED},
    {"user_denied", ERR_DENIED},
    {"user_cancelled_login", ERR_DENIED},     /* LinkedIn */
    {"user_cancelled_authorize", ERR_DENIED}, /* LinkedIn, Apple */
    {"invalid_request", ERR_MISCONFIGURED},
    {"invalid_scope", ERR_MISCONFIGURED},
    {"invalid_client", ERR_MISCONFIGURED},
    {"unauthorized_client", ERR_MISCONFIGURED},
    {"unsupported_response_type", ERR_MISCONFIGURED},
    {"application_suspended", ERR_MISCONFIGURED}, /* GitHub */
    {"request_not_supported", ERR_MISCONFIGURED},
    {"registration_not_supported", ERR_MISCONFIGURED},
    {"server_error", ERR_UPSTREAM_DOWN},
    {"temporarily_unavailable", ERR_UPSTREAM_DOWN},
};

static int answer_error(const char *code, struct err *err)
{
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(code, known[i].code) == 0)
            return err_set(err, known[i].kind, "the upstream answered %s", known[i].code);
    return err_set(err, ERR_UPSTREAM_BAD, "the upstream answered an error code that nobody knows");
}

/* A parameter that may occur once: NULL in *value when it does not. */
static int once(const struct fields *f, const char *name, const char **value, struct err *err)
{
    *value = NULL;
    if (form_get(f, name, value) < 0)
        return err_set(err, ERR_INVALID, "callback: %s occurs twice", name);
    return 0;
}

static int check_issuer(const struct flow *f, const char *iss, struct err *err)
{
    if (!iss)
        return f->iss_required ? err_set(err, ERR_INVALID, "callback: the announced iss is missing")
                               : 0;
    if (f->issuer && strcmp(iss, f->issuer) != 0)
        return err_set(err, ERR_INVALID, "callback: iss is not the issuer this flow went to");
    return 0;
}

int drive_callback_judge(const struct flow *f, const struct fields *callback,
                         const char *redirect_uri, struct err *err)
{
    const char *iss, *error, *code, *state, *description = NULL;
    for (size_t i = 0; i < callback->n; i++)
        for (size_t j = 0; j < i; j++)
            if (strcmp(callback->v[i].name, callback->v[j].name) == 0)
                return err_set(err, ERR_INVALID, "callback: a parameter occurs twice");
    if (once(callback, "iss", &iss, err) || once(callback, "error", &error, err) ||
        once(callback, "code", &code, err) || once(callback, "state", &state, err))
        return -1;
    if (check_issuer(f, iss, err) != 0)
        return -1;
    if (!code == !error)
        return err_set(err, ERR_INVALID, "callback: %s",
                       code ? "code and error at once" : "neither code nor error");
    if (error && form_get(callback, "error_description", &description) == 1 &&
        drive_mismatch(error, description))
        return drive_mismatch_set(redirect_uri, err);
    if (error)
        return drive_mismatch(error, NULL) ? drive_mismatch_set(redirect_uri, err)
                                           : answer_error(error, err);
    size_t n = strlen(code);
    if (n == 0 || n > CODE_MAX || !text_printable((struct str){code, n}))
        return err_set(err, ERR_INVALID, "callback: code is empty, too long or not printable");
    return 0;
}
