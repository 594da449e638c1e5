/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any OAuth 2.0 provider with a JSON profile, by configuration. Sources of values: 1 profile_url,
 * 2 and 3 profile2_url and profile3_url (usher/claims.h). Who somebody is comes from the profile,
 * over TLS, with the access token that the code gave.
 */
#include "usher/kit.h"

struct config {
    struct usher_map map; /* first: its rows count from 0 */
    const char *authorize_url, *token_url;
    const char *profile_url, *profile2_url, *profile3_url;
    int client_auth, response_mode, scope_separator;
    bool form_answer, any_content_type;
    const char *prompt, *must_be_true, *must_be_absent, *proof_param;
    const char *const *extra_params, *const *token_params, *const *headers;
};
_Static_assert(offsetof(struct config, map) == 0, "the rows of the map count from 0");

enum { CLIENT_BASIC, CLIENT_POST, CLIENT_NONE };
static const char *const client_auths[] = {"basic", "post", "none", NULL};
static const char *const response_modes[] = {"query", "form_post", NULL};
static const char *const separators[] = {"blank", "comma", NULL};

#define TEXT(m, ...) USHER_SET_TEXT(struct config, m, .flags = USHER_ADVANCED, __VA_ARGS__)
#define URL(m, f, ...) USHER_SET_URL(struct config, m, .flags = USHER_ORIGIN | (f), __VA_ARGS__)
#define LIST(m, ...) USHER_SET_LIST(struct config, m, .flags = USHER_ADVANCED, __VA_ARGS__)
#define CHOICE(m, ...) USHER_SET_CHOICE(struct config, m, .flags = USHER_ADVANCED, __VA_ARGS__)
#define BOOL(m, ...) USHER_SET_BOOL(struct config, m, .flags = USHER_ADVANCED, __VA_ARGS__)

static const struct usher_setting settings[] = {
    URL(authorize_url, USHER_REQUIRED, .label = "Authorization endpoint",
        .help = "Where people sign in.", .example = "https://idp.example.com/oauth/authorize"),
    URL(token_url, USHER_REQUIRED, .label = "Token endpoint",
        .help = "Where the code becomes a token.",
        .example = "https://idp.example.com/oauth/token"),
    URL(profile_url, USHER_REQUIRED, .label = "Profile",
        .help = "A JSON document about the person, asked with the access token: source 1.",
        .example = "https://api.example.com/user"),
    URL(profile2_url, USHER_ADVANCED, .label = "Second profile", .help = "Likewise: source 2.",
        .example = "https://api.example.com/user/emails"),
    URL(profile3_url, USHER_ADVANCED, .label = "Third profile", .help = "Likewise: source 3."),
    CHOICE(client_auth, .label = "Client authentication", .value = "basic", .choices = client_auths,
           .help = "How usher proves itself to the token endpoint."),
    BOOL(form_answer, .label = "Form answer", .value = "false",
         .help = "The token endpoint answers in form encoding."),
    BOOL(any_content_type, .label = "Any content type", .value = "false",
         .help = "Take answers for JSON whatever they call themselves."),
    TEXT(prompt, .label = "Prompt", .help = "What the provider shows.", .example = "consent"),
    CHOICE(response_mode, .label = "Response mode", .value = "query", .choices = response_modes,
           .help = "How the browser brings the answer back."),
    CHOICE(scope_separator, .label = "Scope separator", .value = "blank", .choices = separators,
           .help = "What the provider wants between scopes."),
    LIST(extra_params, .label = "Further parameters", .example = "allow_signup=false",
         .help = "name=value, for the authorization request."),
    LIST(token_params, .label = "Token parameters",
         .help = "name=value, for the token request; {key} as value stands for that setting."),
    LIST(headers, .label = "Headers", .example = "Accept:application/vnd.github+json",
         .help = "Name:value, for the token and profile requests; {key} as value stands for that "
                 "setting."),
    TEXT(must_be_true, .label = "Sign of success", .example = "/ok",
         .help = "Where each answer says true if it is none of an error."),
    TEXT(must_be_absent, .label = "Sign of failure", .example = "/error",
         .help = "What no answer may have, for providers that say 200 and mean no."),
    TEXT(proof_param, .label = "Proof parameter", .example = "appsecret_proof",
         .help = "A query parameter for the profile requests: hex HMAC-SHA256 of the access token "
                 "under the client secret (Facebook)."),
    USHER_MAP_ROWS("/id"),
};

static void parse(struct usher_call *call, const struct usher_sources *s, struct usher_action *a)
{
    const struct config *c = call->config;
    usher_map_identity(call, &c->map, USHER_MAP_NUMBERS, s, a);
}

static void step(struct usher_call *call, const struct usher_event *ev, struct usher_action *a)
{
    static const uint32_t auths[] = {USHER_AUTH_BASIC, USHER_AUTH_POST, USHER_AUTH_NONE};
    const struct config *c = call->config;
    uint32_t any = c->any_content_type ? USHER_ANY_CONTENT_TYPE : 0;
    struct usher_kit kit = {
        .authorize_url = c->authorize_url,
        .token_url = c->token_url,
        .redirect_flags = USHER_SEND_PKCE | (c->response_mode ? USHER_FORM_POST : 0u),
        .scope = usher_scope(call, c->scope_separator ? ',' : ' '),
        .client_auth = auths[c->client_auth],
        .exchange_flags = USHER_ERROR_IN_OK | any | (c->form_answer ? USHER_FORM_ANSWER : 0u),
        .source = {NULL, c->profile_url, c->profile2_url, c->profile3_url},
        .source_flags = any,
        .proof_param = c->proof_param,
        .must_be_true = c->must_be_true,
        .must_be_absent = c->must_be_absent,
        .parse = parse,
    };
    usher_add(call, &kit.authorize, "prompt", c->prompt);
    usher_add_pairs(call, &kit.authorize, c->extra_params, '=');
    usher_add_pairs(call, &kit.token, c->token_params, '=');
    usher_add_pairs(call, &kit.headers, c->headers, ':');
    usher_kit_step(call, &kit, ev, a);
}

static const char *check(struct usher_call *call)
{
    const struct config *c = call->config;
    const char *said;
    bool secret = call->host->setting(call, "client_secret") != NULL;
    if (secret == (c->client_auth == CLIENT_NONE))
        return secret ? "client_auth = none, but client_secret is set: remove one of them"
                      : "client_secret is not set: set client_secret_file, or client_auth = none "
                        "for a public client";
    if (c->proof_param && !usher_url_safe(c->proof_param))
        return "proof_param is no name of a parameter";
    if ((said = usher_check_pairs(call, "extra_params", c->extra_params, '=')) ||
        (said = usher_check_pairs(call, "token_params", c->token_params, '=')) ||
        (said = usher_check_pairs(call, "headers", c->headers, ':')))
        return said;
    return usher_map_check(call, &c->map);
}

USHER_EXPORT const struct usher_provider usher_provider = {
    USHER_PROVIDER_HEAD,
    .name = "oauth2",
    .label = "OAuth 2.0",
    .version = "1.0",
    .flags = USHER_PUBLIC_CLIENT,
    .settings = settings,
    .n_settings = sizeof settings / sizeof *settings,
    .config_size = sizeof(struct config),
    .leg_size = sizeof(struct usher_kit_leg),
    .check = check,
    .step = step,
};
