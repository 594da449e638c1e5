/* SPDX-License-Identifier: Apache-2.0 */
/*
 * toy: a provider for the tests of the driver and the replay harness. It walks every kind of
 * action: issuer metadata, redirect, exchange, ID token, two requests at once. Not installed.
 */
#include "usher/provider.h"

#include <string.h>

struct config {
    const char *issuer;
    const char *group;
    int auth;
};

static const char *const auths[] = {"basic", "post", "none", NULL};

static const struct usher_setting settings[] = {
    USHER_SET_URL(struct config, issuer, .flags = USHER_REQUIRED | USHER_ORIGIN, .label = "Issuer"),
    USHER_SET_TEXT(struct config, group, .label = "Group that is needed"),
    USHER_SET_CHOICE(struct config, auth, .value = "basic", .choices = auths, .label = "Auth"),
};

enum stage { STAGE_METADATA = 0, STAGE_PROFILE };

struct leg {
    int stage;
    bool second;
    const struct usher_json *metadata, *claims;
};

static void fail(struct usher_action *act, uint32_t kind, const char *text)
{
    act->kind = USHER_FAIL;
    act->fail = kind;
    act->fail_text = text;
}

static void fetch_metadata(struct usher_call *c, struct usher_action *act)
{
    const struct config *cfg = c->config;
    struct usher_request *rq = c->host->alloc(c, sizeof *rq);
    *rq = (struct usher_request){
        .size = sizeof *rq,
        .url = c->host->text(c, "%s/.well-known/openid-configuration", cfg->issuer),
        .cache_seconds = 3600,
        .metadata_issuer = cfg->issuer};
    act->kind = USHER_FETCH;
    act->requests = rq;
    act->n_requests = 1;
}

static void redirect(struct usher_call *c, struct usher_action *act)
{
    const struct config *cfg = c->config;
    const struct leg *leg = c->leg;
    act->kind = USHER_REDIRECT;
    act->url = c->host->json_text(c, leg->metadata, "/authorization_endpoint");
    act->scope = "openid";
    act->redirect_flags = USHER_SEND_NONCE | USHER_SEND_PKCE;
    act->issuer = cfg->issuer;
    act->carry = "toy carry";
    if (c->host->json_bool(c, leg->metadata, "/authorization_response_iss_parameter_supported") ==
        1)
        act->redirect_flags |= USHER_ISS_ANNOUNCED;
}

static void exchange(struct usher_call *c, struct usher_action *act)
{
    const struct config *cfg = c->config;
    const struct leg *leg = c->leg;
    act->kind = USHER_EXCHANGE;
    act->url = c->host->json_text(c, leg->metadata, "/token_endpoint");
    act->client_auth = USHER_AUTH_BASIC + (uint32_t)cfg->auth;
}

static void on_tokens(struct usher_call *c, const struct usher_tokens *t, struct usher_action *act)
{
    const struct config *cfg = c->config;
    const struct leg *leg = c->leg;
    struct usher_verify *v = c->host->alloc(c, sizeof *v);
    const char **issuers = c->host->alloc(c, 2 * sizeof *issuers);
    if (!t->ok) {
        bool mine = strcmp(t->error, "invalid_client") == 0;
        fail(act, mine ? USHER_MISCONFIGURED : USHER_UPSTREAM_BAD, "the code was refused");
        return;
    }
    issuers[0] = cfg->issuer;
    *v = (struct usher_verify){.size = sizeof *v,
                               .issuers = issuers,
                               .jwks_uri = c->host->json_text(c, leg->metadata, "/jwks_uri")};
    act->kind = USHER_VERIFY;
    act->verify = v;
}

static void fetch_profile(struct usher_call *c, struct usher_action *act)
{
    const struct config *cfg = c->config;
    struct usher_request *rq = c->host->alloc(c, 2 * sizeof *rq);
    struct usher_param *bearer = c->host->alloc(c, sizeof *bearer);
    *bearer = (struct usher_param){.size = sizeof *bearer,
                                   .name = "authorization",
                                   .kind = USHER_VALUE_ACCESS_TOKEN,
                                   .text = "Bearer "};
    for (int i = 0; i < 2; i++)
        rq[i] = (struct usher_request){
            .size = sizeof *rq,
            .url = c->host->text(c, "%s/%s", cfg->issuer, i ? "groups" : "me"),
            .headers = bearer,
            .n_headers = 1};
    act->kind = USHER_FETCH;
    act->requests = rq;
    act->n_requests = 2;
}

static const char *const *read_groups(struct usher_call *c, const struct usher_json *json)
{
    if (c->host->json_type(c, json, "/groups") != USHER_JSON_ARRAY)
        return NULL;
    size_t n = c->host->json_count(c, json, "/groups");
    const char **v = c->host->alloc(c, (n + 1) * sizeof *v);
    for (size_t i = 0; i < n; i++) {
        v[i] = c->host->json_text(c, json, c->host->text(c, "/groups/%zu", i));
        if (!v[i])
            return NULL;
    }
    return v;
}

/* NULL: an answer that is no use. */
static bool usable(const struct usher_response *r, struct usher_action *act)
{
    if (r->transport == USHER_TRANSPORT_OK && r->status == 200 && r->json)
        return true;
    bool down = r->transport == USHER_TRANSPORT_TIMEOUT ||
                r->transport == USHER_TRANSPORT_UNREACHABLE ||
                r->transport == USHER_TRANSPORT_LIMITED || r->status == 429 || r->status >= 500;
    fail(act, down ? USHER_UPSTREAM_DOWN : USHER_UPSTREAM_BAD, "no profile");
    return false;
}

static void done(struct usher_call *c, const struct usher_response *r, struct usher_action *act)
{
    const struct config *cfg = c->config;
    const struct leg *leg = c->leg;
    struct usher_identity *id = c->host->alloc(c, sizeof *id);
    if (!usable(&r[0], act) || !usable(&r[1], act))
        return;
    const char *const *groups = read_groups(c, r[1].json);
    bool member = !cfg->group;
    for (size_t i = 0; groups && groups[i] && cfg->group; i++)
        member = member || strcmp(groups[i], cfg->group) == 0;
    *id = (struct usher_identity){.size = sizeof *id,
                                  .subject = c->host->json_text(c, r[0].json, "/sub"),
                                  .email = c->host->json_text(c, r[0].json, "/email"),
                                  .name = c->host->json_text(c, r[0].json, "/name"),
                                  .picture = c->host->json_text(c, r[0].json, "/picture"),
                                  .groups = groups};
    const char *sub = c->host->json_text(c, leg->claims, "/sub");
    if (c->host->json_bool(c, r[0].json, "/email_verified") == 1)
        id->email_evidence = USHER_EVIDENCE_PROVIDER_ASSERTED;
    if (!groups || !sub || !id->subject || strcmp(sub, id->subject) != 0) {
        fail(act, USHER_UPSTREAM_BAD, "the profile is of somebody else, or has no groups");
        return;
    }
    if (!member) {
        fail(act, USHER_NOT_ALLOWED, "not in the group");
        return;
    }
    act->kind = USHER_DONE;
    act->identity = id;
}

static void on_responses(struct usher_call *c, const struct usher_event *ev,
                         struct usher_action *act)
{
    struct leg *leg = c->leg;
    if (leg->stage == STAGE_PROFILE) {
        done(c, ev->responses, act);
        return;
    }
    leg->stage = STAGE_PROFILE;
    if (!usable(&ev->responses[0], act))
        return;
    leg->metadata = ev->responses[0].json;
    if (!c->host->json_text(c, leg->metadata, "/authorization_endpoint") ||
        !c->host->json_text(c, leg->metadata, "/token_endpoint") ||
        !c->host->json_text(c, leg->metadata, "/jwks_uri")) {
        fail(act, USHER_UPSTREAM_BAD, "the metadata lacks an endpoint");
        return;
    }
    if (leg->second)
        exchange(c, act);
    else
        redirect(c, act);
}

static void step(struct usher_call *c, const struct usher_event *ev, struct usher_action *act)
{
    struct leg *leg = c->leg;
    switch (ev->kind) {
    case USHER_START:
        fetch_metadata(c, act);
        return;
    case USHER_CALLBACK:
        leg->second = true;
        if (strcmp(ev->callback->carry, "toy carry") != 0)
            fail(act, USHER_INTERNAL, "the carry got lost");
        else
            fetch_metadata(c, act);
        return;
    case USHER_TOKENS:
        on_tokens(c, ev->tokens, act);
        return;
    case USHER_CLAIMS:
        leg->claims = ev->claims->claims;
        fetch_profile(c, act);
        return;
    default:
        on_responses(c, ev, act);
    }
}

USHER_EXPORT const struct usher_provider usher_provider = {
    USHER_PROVIDER_HEAD,
    .name = "toy",
    .label = "Toy",
    .version = "1",
    .settings = settings,
    .n_settings = sizeof settings / sizeof *settings,
    .config_size = sizeof(struct config),
    .leg_size = sizeof(struct leg),
    .step = step,
};
