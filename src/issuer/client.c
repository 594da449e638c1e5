/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which app asks (RFC 6749 2.3, RFC 7523): by Basic, by a secret in the body, by a signed
 * assertion, or by its name alone where it can keep no secret. One way at a time, and only the one
 * that the app registered. Whoever is refused learns only that it was so.
 */
#include "app/client.h"
#include "base/basic.h"
#include "issuer/parts.h"
#include "sys/seal.h"

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

/* 1; 0: there is no such header; -1: it makes no sense. */
static int read_basic(struct call *c, struct credentials *got)
{
    if (c->in->authorization == NULL)
        return 0;
    got->basic = basic_read(c->in->authorization, c->a, &got->id, &got->secret);
    return got->basic ? 1 : -1;
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
    if (got->secret && !got->secret[0])
        got->secret = NULL; /* RFC 6749 2.3.1: who has an empty one may leave it out */
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
