/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which app asks (RFC 6749 2.3, RFC 7523): by Basic, by a secret in the body, by a signed
 * assertion, or by its name alone where it can keep no secret. One way at a time, and only the one
 * that the app registered. Whoever is refused learns only that it was so.
 */
#include <strings.h>

#include "app/client.h"
#include "issuer/parts.h"
#include "sys/seal.h"

#define BASIC_MAX 4096

/* What the request brought. */
struct credentials {
    const char *id, *secret, *assertion, *assertion_type; /* NULL: not there */
    bool basic;
};

const struct app *client_find(const struct call *c, const char *id)
{
    const struct app *app = c->apps ? apps_find(c->apps, id) : NULL;
    return app && app->usable ? app : NULL;
}

/* RFC 4648 4, by way of the alphabet that base/text knows. */
static char *base64_decode(struct arena *a, struct str text, size_t *n)
{
    char *digits = arena_dupn(a, text.p, text.n);
    char *out = arena_alloc(a, text.n + 1);
    size_t length = text.n, padding = 0;
    for (; length > 0 && digits[length - 1] == '=' && padding < 2; length--)
        padding++;
    if (padding > 0 && text.n % 4 != 0)
        return NULL;
    for (size_t i = 0; i < length; i++) {
        if (digits[i] == '-' || digits[i] == '_')
            return NULL;
        digits[i] = digits[i] == '+' ? '-' : digits[i] == '/' ? '_' : digits[i];
    }
    return text_b64url_decode((struct str){digits, length}, out, text.n, n) ? out : NULL;
}

/* Each half was form-encoded before it was joined (RFC 6749 2.3.1). NULL: it was not. */
static const char *form_decode(struct arena *a, struct str half)
{
    const char *out;
    size_t n;
    char *text = arena_dupn(a, half.p, half.n);
    for (size_t i = 0; i < half.n; i++)
        if (text[i] == '+')
            text[i] = ' ';
    return form_unescape(a, (struct str){text, half.n}, &out, &n) == 0 && n == strlen(out) ? out
                                                                                           : NULL;
}

/* 1; 0: there is no such header; -1: it makes no sense. */
static int read_basic(struct call *c, struct credentials *got)
{
    const char *header = c->in->authorization;
    size_t n;
    if (header == NULL)
        return 0;
    if (strncasecmp(header, "Basic ", 6) != 0)
        return -1;
    const struct str text = str_trim(str_of(header + 6));
    char *pair = text.n > 0 && text.n < BASIC_MAX ? base64_decode(c->a, text, &n) : NULL;
    const char *colon = pair ? memchr(pair, ':', n) : NULL;
    if (colon == NULL || memchr(pair, '\0', n))
        return -1;
    got->id = form_decode(c->a, (struct str){pair, (size_t)(colon - pair)});
    got->secret = form_decode(c->a, (struct str){colon + 1, n - (size_t)(colon - pair) - 1});
    got->basic = true;
    return got->id && got->secret && got->id[0] ? 1 : -1;
}

/* false: the call is over. */
static bool read_credentials(struct call *c, struct credentials *got)
{
    const char *id = NULL, *secret = NULL;
    const int basic = read_basic(c, got);
    if (basic < 0) {
        call_refuse(c, "invalid_client", "the Authorization header makes no sense");
        return false;
    }
    if (call_get(c, "client_id", &id) < 0 || call_get(c, "client_secret", &secret) < 0 ||
        call_get(c, "client_assertion", &got->assertion) < 0 ||
        call_get(c, "client_assertion_type", &got->assertion_type) < 0)
        return false;
    if (basic + (secret != NULL) + (got->assertion != NULL) > 1) {
        call_refuse(c, "invalid_request", "only one way to authenticate at a time");
        return false;
    }
    if (basic && id && strcmp(id, got->id) != 0) {
        call_refuse(c, "invalid_request", "client_id is not who the Authorization header names");
        return false;
    }
    if (!basic) {
        got->id = id;
        got->secret = secret;
    }
    return true;
}

static bool method_fits(const struct app *app, const struct credentials *got)
{
    switch ((enum client_auth)app->common.auth_method) {
    case CLIENT_AUTH_SECRET:
        return true;
    case CLIENT_AUTH_BASIC:
        return got->basic;
    case CLIENT_AUTH_POST:
        return !got->basic;
    case CLIENT_AUTH_JWT:
    case CLIENT_AUTH_NONE:
        return false;
    }
    return false;
}

/* Unknown apps and wrong secrets take the same way, down to the hash. */
static bool secret_good(struct call *c, const struct app *app, const struct credentials *got)
{
    const bool good =
        app_secrets_check(c->issuer->o.secrets, app ? app->id : "", str_of(got->secret), c->now);
    return good && app && !client_is_public(&app->common) && method_fits(app, got);
}

void client_authenticate(struct call *c, call_next_fn *next)
{
    struct credentials got = {.id = NULL};
    if (!read_credentials(c, &got))
        return;
    if (got.assertion || got.assertion_type) {
        static const char type[] = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
        if (!got.assertion || !got.assertion_type || strcmp(got.assertion_type, type) != 0)
            call_refuse(c, "invalid_client", "this kind of assertion is not known here");
        else
            client_assert(c, got.id, got.assertion, next);
        return;
    }
    const struct app *app = got.id ? client_find(c, got.id) : NULL;
    const bool named = !got.secret && app && client_is_public(&app->common);
    if (!got.id || !(named || (got.secret && secret_good(c, app, &got)))) {
        call_refuse(c, "invalid_client", "the app is not known here, or did not prove who it is");
        return;
    }
    c->app = app;
    c->public = named;
    next(c);
}
