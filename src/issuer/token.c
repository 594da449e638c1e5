/* SPDX-License-Identifier: Apache-2.0 */
/* POST /oauth2/token: which grant, which app, whether it may; then the grant's own function. */
#include "app/client.h"
#include "issuer/parts.h"

static const struct {
    const char *type;
    call_next_fn *run;
} grants[] = {
    {"authorization_code", grant_code},
    {"refresh_token", grant_refresh},
    {"client_credentials", grant_client},
    {"urn:ietf:params:oauth:grant-type:device_code", grant_device},
    {"urn:ietf:params:oauth:grant-type:token-exchange", grant_exchange},
};
#define GRANTS (sizeof grants / sizeof *grants)

const char *token_grant_type(size_t i)
{
    return i < GRANTS ? grants[i].type : NULL;
}

static void go_on(struct call *c)
{
    if (!client_may(&c->app->common, c->grant)) {
        call_refuse(c, "unauthorized_client", "this app may not ask for tokens in this way");
        return;
    }
    for (size_t i = 0; i < GRANTS; i++)
        if (grants[i].type == c->grant)
            grants[i].run(c);
}

void issuer_token(struct issuer *i, const struct issuer_call *in, issuer_done_fn *done, void *arg)
{
    struct call *c = call_open(i, "token", in, done, arg);
    const char *type;
    const int rc = call_get(c, "grant_type", &type);
    if (rc == 0)
        call_refuse(c, "invalid_request", "grant_type is missing");
    if (rc != 1)
        return;
    for (size_t n = 0; n < GRANTS; n++)
        if (strcmp(grants[n].type, type) == 0)
            c->grant = grants[n].type;
    if (c->grant == NULL)
        call_refuse(c, "unsupported_grant_type", "there is no such way to ask for tokens here");
    else
        client_authenticate(c, go_on);
}
