/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any OpenID Connect provider, by configuration. Sources of values: 0 the ID token, 1 userinfo,
 * 2 and 3 profile2_url and profile3_url (usher/claims.h).
 */
#include "usher/kit.h"

struct config {
    struct usher_map map; /* first: its rows count from 0 */
    const char *issuer, *issuer_template;
    const char *const *issuer_aliases;
    const char *authorize_url, *token_url, *userinfo_url, *jwks_url;
    const char *profile2_url, *profile3_url;
    bool userinfo, any_content_type;
    int client_auth, assertion_alg, nonce, response_mode, scope_separator;
    struct usher_secret private_key;
    const char *private_key_id;
    const char *prompt, *claims, *must_be_true, *must_be_absent;
    const char *const *extra_params, *const *token_params, *const *headers, *const *algs;
};
_Static_assert(offsetof(struct config, map) == 0, "the rows of the map count from 0");

enum { CLIENT_AUTO, CLIENT_BASIC, CLIENT_POST, CLIENT_NONE, CLIENT_PRIVATE_KEY };
static const char *const client_auths[] = {"auto", "basic",           "post",
                                           "none", "private_key_jwt", NULL};
static const char *const assertion_algs[] = {"RS256", "PS256", "ES256", "ES384", "EdDSA", NULL};
static const char *const nonces[] = {"require", "if_present", "skip", NULL};
static const char *const response_modes[] = {"query", "form_post", NULL};
static const char *const separators[] = {"blank", "comma", NULL};

#define TEXT(m, ...) USHER_SET_TEXT(struct config, m, .flags = USHER_ADVANCED, __VA_ARGS__)
#define URL(m, ...)                                                                                \
    USHER_SET_URL(struct config, m, .flags = USHER_ORIGIN | USHER_ADVANCED, __VA_ARGS__)
#define LIST(m, ...) USHER_SET_LIST(struct config, m, .flags = USHER_ADVANCED, __VA_ARGS__)
#define CHOICE(m, ...) USHER_SET_CHOICE(struct config, m, __VA_ARGS__)
#define BOOL(m, ...) USHER_SET_BOOL(struct config, m, .flags = USHER_ADVANCED, __VA_ARGS__)

static const struct usher_setting settings[] = {
    USHER_SET_URL(struct config, issuer, .label = "Issuer", .flags = USHER_REQUIRED | USHER_ORIGIN,
                  .help = "The provider's address, exactly as it writes it itself (mind a slash at "
                          "the end). Its metadata is below it, at "
                          "/.well-known/openid-configuration.",
                  .example = "https://idp.example.com"),
    TEXT(issuer_template, .label = "Issuer as written in tokens",
         .help = "Where the metadata and the tokens name another issuer than the address above; "
                 "{tenantid} stands for the token's own `tid` (Entra).",
         .example = "https://login.microsoftonline.com/{tenantid}/v2.0"),
    LIST(issuer_aliases, .label = "Other spellings",
         .help = "Further issuers to accept in tokens."),
    URL(authorize_url, .label = "Authorization endpoint", .help = "In place of the metadata's."),
    URL(token_url, .label = "Token endpoint", .help = "In place of the metadata's."),
    URL(userinfo_url, .label = "Userinfo endpoint", .help = "In place of the metadata's."),
    URL(jwks_url, .label = "Key set", .help = "In place of the metadata's."),
    BOOL(userinfo, .label = "Ask userinfo", .value = "true",
         .help = "Off: what the ID token says is enough."),
    URL(profile2_url, .label = "Second profile",
        .help = "Asked with the access token as well: source 2."),
    URL(profile3_url, .label = "Third profile", .help = "Likewise: source 3."),
    CHOICE(client_auth, .label = "Client authentication", .flags = USHER_ADVANCED, .value = "auto",
           .choices = client_auths,
           .help = "How usher proves itself to the token endpoint. auto: as the metadata says, "
                   "basic if it is silent."),
    USHER_SET_SECRET(struct config, private_key, .label = "Private key", .flags = USHER_ADVANCED,
                     .help = "PEM, for client_auth = private_key_jwt."),
    TEXT(private_key_id, .label = "Private key id", .help = "The `kid` the provider knows it by."),
    CHOICE(assertion_alg, .label = "Assertion algorithm", .flags = USHER_ADVANCED, .value = "RS256",
           .choices = assertion_algs, .help = "What the private key signs with."),
    CHOICE(nonce, .label = "Nonce", .flags = USHER_ADVANCED | USHER_INSECURE, .value = "require",
           .choices = nonces,
           .help = "if_present and skip are for providers that leave it out of their tokens; they "
                   "take away a protection against stolen tokens."),
    LIST(algs, .label = "Algorithms", .value = "RS256, PS256, ES256, EdDSA",
         .help = "Signature algorithms to accept in ID tokens."),
    TEXT(prompt, .label = "Prompt", .help = "What the provider shows.",
         .example = "select_account"),
    TEXT(claims, .label = "Claims parameter",
         .help = "JSON of OpenID Connect Core 5.5, for providers that want to be asked for each "
                 "claim (Twitch).",
         .example = "{\"id_token\":{\"email\":null}}"),
    CHOICE(response_mode, .label = "Response mode", .flags = USHER_ADVANCED, .value = "query",
           .choices = response_modes, .help = "How the browser brings the answer back."),
    CHOICE(scope_separator, .label = "Scope separator", .flags = USHER_ADVANCED, .value = "blank",
           .choices = separators, .help = "What the provider wants between scopes."),
    LIST(extra_params, .label = "Further parameters", .example = "domain_hint=example.com",
         .help = "name=value, for the authorization request."),
    LIST(token_params, .label = "Token parameters", .example = "resource=https://api.example.com",
         .help = "name=value, for the token request; {key} as value stands for that setting."),
    LIST(headers, .label = "Headers", .example = "Client-Id:{client_id}",
         .help = "Name:value, for the token, userinfo and profile requests; {key} as value stands "
                 "for that setting."),
    TEXT(must_be_true, .label = "Sign of success", .example = "/ok",
         .help = "Where each answer says true if it is none of an error (Slack)."),
    TEXT(must_be_absent, .label = "Sign of failure", .example = "/error",
         .help = "What no answer may have, for providers that say 200 and mean no."),
    BOOL(any_content_type, .label = "Any content type", .value = "false",
         .help = "Take answers for JSON whatever they call themselves."),
    USHER_MAP_ROWS("/sub"),
};

static void parse(struct usher_call *call, const struct usher_sources *s, struct usher_action *a)
{
    const struct config *c = call->config;
    usher_map_identity(call, &c->map, 0, s, a);
}

/* The issuer as tokens write it, then its other spellings. */
static const char *const *issuers(struct usher_call *call, const struct config *c)
{
    size_t n = 0;
    while (c->issuer_aliases && c->issuer_aliases[n] && n < 7)
        n++;
    const char **list = call->host->alloc(call, (n + 2) * sizeof *list);
    list[0] = c->issuer_template ? c->issuer_template : c->issuer;
    for (size_t i = 0; i < n; i++)
        list[1 + i] = c->issuer_aliases[i];
    return list;
}

static uint32_t client_auth(const struct config *c)
{
    switch (c->client_auth) {
    case CLIENT_BASIC:
        return USHER_AUTH_BASIC;
    case CLIENT_POST:
        return USHER_AUTH_POST;
    case CLIENT_NONE:
        return USHER_AUTH_NONE;
    default:
        return 0;
    }
}

static void step(struct usher_call *call, const struct usher_event *ev, struct usher_action *a)
{
    const struct config *c = call->config;
    struct usher_kit kit = {
        .issuer = c->issuer,
        .metadata_issuer = c->issuer_template,
        .issuers = issuers(call, c),
        .authorize_url = c->authorize_url,
        .token_url = c->token_url,
        .jwks_uri = c->jwks_url,
        .redirect_flags = USHER_SEND_PKCE | (c->response_mode ? USHER_FORM_POST : 0u) |
                          (c->nonce == USHER_NONCE_SKIPPED ? 0u : USHER_SEND_NONCE),
        .scope = usher_scope(call, c->scope_separator ? ',' : ' '),
        .client_auth = client_auth(c),
        .exchange_flags = c->any_content_type ? USHER_ANY_CONTENT_TYPE : 0,
        .id_token = true,
        .algs = c->algs,
        .nonce = (uint32_t)c->nonce,
        .source = {NULL, c->userinfo ? c->userinfo_url : NULL, c->profile2_url, c->profile3_url},
        .userinfo = c->userinfo,
        .source_flags = c->any_content_type ? USHER_ANY_CONTENT_TYPE : 0,
        .must_be_true = c->must_be_true,
        .must_be_absent = c->must_be_absent,
        .parse = parse,
    };
    if (c->client_auth == CLIENT_PRIVATE_KEY) {
        kit.assertion_key = "private_key";
        kit.assertion_alg = assertion_algs[c->assertion_alg];
        kit.assertion_kid = c->private_key_id;
    }
    usher_add(call, &kit.authorize, "prompt", c->prompt);
    usher_add(call, &kit.authorize, "claims", c->claims);
    usher_add_pairs(call, &kit.authorize, c->extra_params, '=');
    usher_add_pairs(call, &kit.token, c->token_params, '=');
    usher_add_pairs(call, &kit.headers, c->headers, ':');
    usher_kit_step(call, &kit, ev, a);
}

/* With an issuer for each tenant, anybody's tenant could sign in as anybody: the tenant has to be
 * part of who they are, or of what is required. */
static bool tenant_told(const struct config *c)
{
    for (size_t i = 0; c->map.subject && c->map.subject[i]; i++)
        if (strstr(c->map.subject[i], "/tid"))
            return true;
    for (size_t i = 0; c->map.require && c->map.require[i]; i++)
        if (strncmp(c->map.require[i], "/tid=", 5) == 0 && c->map.require[i][5] != '*')
            return true;
    return false;
}

static const char *check(struct usher_call *call)
{
    const struct config *c = call->config;
    const char *said;
    bool secret = call->host->setting(call, "client_secret") != NULL;
    if (c->issuer && strchr(c->issuer, '?'))
        return "issuer has a query: an issuer is a plain address (OpenID Connect Discovery 3)";
    if (secret && c->client_auth == CLIENT_NONE)
        return "client_auth = none, but client_secret is set: remove one of them";
    if (!secret && c->client_auth < CLIENT_NONE)
        return "client_secret is not set: set client_secret_file, or client_auth = none for a "
               "public client";
    if (c->client_auth == CLIENT_PRIVATE_KEY && !c->private_key.set)
        return "client_auth = private_key_jwt needs private_key_file: set it";
    if (c->private_key.set && c->client_auth != CLIENT_PRIVATE_KEY)
        return "private_key is there, but client_auth is not private_key_jwt: set it, or remove "
               "the key";
    if (c->issuer_template && strstr(c->issuer_template, "{tenantid}") && !tenant_told(c))
        return "issuer_template stands for every tenant: put /tid into `subject`, or require the "
               "tenants you know (require = /tid=…)";
    if (c->claims && c->claims[0] != '{')
        return "claims is no JSON object";
    if ((said = usher_check_pairs(call, "extra_params", c->extra_params, '=')) ||
        (said = usher_check_pairs(call, "token_params", c->token_params, '=')) ||
        (said = usher_check_pairs(call, "headers", c->headers, ':')))
        return said;
    return usher_map_check(call, &c->map);
}

USHER_EXPORT const struct usher_provider usher_provider = {
    USHER_PROVIDER_HEAD,
    .name = "oidc",
    .label = "OpenID Connect",
    .version = "1.0",
    .flags = USHER_PUBLIC_CLIENT,
    .scopes = "openid email profile",
    .settings = settings,
    .n_settings = sizeof settings / sizeof *settings,
    .config_size = sizeof(struct config),
    .leg_size = sizeof(struct usher_kit_leg),
    .check = check,
    .step = step,
};
