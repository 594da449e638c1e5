/* SPDX-License-Identifier: Apache-2.0 */
#include "app/app.h"

#include "app/client.h"

#define AGE_MAX (10 * 365 * 86400)
#define TOKEN_LIFE_MAX (24 * 3600)
#define REFRESH_LIFE_MAX (400 * 86400)

static const char *const type_choices[] = {"confidential", "public", NULL};
static const char *const auth_choices[] = {"secret",          "basic", "post",
                                           "private_key_jwt", "none",  NULL};
static const char *const format_choices[] = {"jwt", "opaque", NULL};
static const char *const userinfo_choices[] = {"none", "RS256", "ES256", "EdDSA", NULL};

const struct usher_setting app_settings[] = {
    USHER_SET_TEXT(struct app_common, label, .label = "Label",
                   .help = "What people see. Default: the app's id."),
    USHER_SET_BOOL(struct app_common, enabled, .label = "Enabled", .value = "true",
                   .help = "Off: nobody gets in, whoever they are."),
    USHER_SET_LIST(struct app_common, hosts, .label = "Hosts",
                   .help = "Where the app is: host, host:port, or .domain for all below it. The "
                           "reverse proxy may ask about them, and people may be sent back there.",
                   .example = "wiki.example.com"),
    USHER_SET_TEXT(struct app_common, require, .label = "Require",
                   .help = "Who may come in, wherever no path says otherwise. Default: whoever is "
                           "signed in; in an app with paths of its own, nobody.",
                   .example = "role:admin or email_domain:example.com"),
    USHER_SET_LIST(struct app_common, upstream_tokens, .label = "Upstream tokens",
                   .flags = USHER_ADVANCED,
                   .help = "Providers whose access tokens the app may ask for on behalf of who is "
                           "signed in.",
                   .example = "discord"),
    USHER_SET_CHOICE(struct app_common, client_type, .label = "Client type",
                     .value = "confidential", .choices = type_choices,
                     .help =
                         "confidential: it runs on a server and keeps a secret. public: it runs "
                         "in a browser or on people's devices and cannot."),
    USHER_SET_CHOICE(struct app_common, auth_method, .label = "How it authenticates",
                     .flags = USHER_ADVANCED, .value = "secret", .choices = auth_choices,
                     .help = "secret: a secret, by HTTP Basic (basic) or in the body (post); "
                             "private_key_jwt: by its key; none: public clients."),
    USHER_SET_LIST(struct app_common, redirect_uris, .label = "Redirect URIs",
                   .help = "Where people come back to after signing in; compared byte for byte. Of "
                           "http://127.0.0.1 and http://[::1] the port does not count.",
                   .example = "https://wiki.example.com/callback"),
    USHER_SET_LIST(struct app_common, grants, .label = "Grants",
                   .value = "authorization_code refresh_token",
                   .help = "What it may ask for tokens with: authorization_code, refresh_token, "
                           "client_credentials, device_code, token_exchange.",
                   .example = "client_credentials"),
    USHER_SET_LIST(struct app_common, scopes, .label = "Scopes",
                   .value = "openid profile email offline_access",
                   .help = "What it may ask for: of people openid, profile, email and "
                           "offline_access, and whatever else its APIs know. A machine that asks "
                           "for nothing gets all of them that are not about people.",
                   .example = "reports:read reports:write"),
    USHER_SET_LIST(struct app_common, resources, .label = "Resources", .flags = USHER_ADVANCED,
                   .help = "APIs its tokens may be for, as URIs. The first counts when it asks for "
                           "none; without any, tokens are for usher itself.",
                   .example = "https://api.example.com"),
    USHER_SET_LIST(struct app_common, serves, .label = "Serves", .flags = USHER_ADVANCED,
                   .help = "Resources that this app is: it may look at tokens that are for them.",
                   .example = "https://api.example.com"),
    USHER_SET_LIST(
        struct app_common, exchange_from, .label = "Exchanges tokens of", .flags = USHER_ADVANCED,
        .help = "Apps that may send it people's access tokens for it to go on with: with "
                "the grant token_exchange it gets tokens for its resources instead. "
                "Default: none.",
        .example = "wiki"),
    USHER_SET_LIST(struct app_common, providers, .label = "Providers", .flags = USHER_ADVANCED,
                   .help = "People may come through these only. Default: all.",
                   .example = "google"),
    USHER_SET_BOOL(struct app_common, require_pushed, .value = "no", .flags = USHER_ADVANCED,
                   .label = "Require pushed requests",
                   .help = "Authorization requests come by PAR (RFC 9126) only."),
    USHER_SET_BOOL(struct app_common, require_pkce, .label = "PKCE required",
                   .flags = USHER_ADVANCED, .value = "yes",
                   .help = "Public clients must use it in any case."),
    USHER_SET_BOOL(struct app_common, consent, .label = "Ask for consent", .value = "no",
                   .help = "Yes for apps of others: people are asked what they let it know."),
    USHER_SET_CHOICE(struct app_common, token_format, .label = "Access tokens",
                     .flags = USHER_ADVANCED, .value = "jwt", .choices = format_choices,
                     .help = "jwt: an API checks them by itself. opaque: it asks usher."),
    USHER_SET_CHOICE(struct app_common, token_alg, .label = "Access tokens signed with",
                     .flags = USHER_ADVANCED, .value = "RS256", .choices = client_algs,
                     .help = "One of [issuer] algs."),
    USHER_SET_CHOICE(struct app_common, id_token_alg, .label = "ID tokens signed with",
                     .flags = USHER_ADVANCED, .value = "RS256", .choices = client_algs,
                     .help = "One of [issuer] algs."),
    USHER_SET_DURATION(struct app_common, access_lifetime, .label = "Life of access tokens",
                       .flags = USHER_ADVANCED, .value = "30m", .min = 10, .max = TOKEN_LIFE_MAX,
                       .help = "An API that checks JWTs by itself believes them for so long."),
    USHER_SET_DURATION(struct app_common, refresh_lifetime, .label = "Life of refresh tokens",
                       .flags = USHER_ADVANCED, .value = "30d", .min = 60, .max = REFRESH_LIFE_MAX,
                       .help = "Each use begins anew, but a grant ends after it in any case."),
    USHER_SET_TEXT(struct app_common, jwks, .label = "Public keys", .flags = USHER_ADVANCED,
                   .help = "Its keys for private_key_jwt: a JWK set, on one line."),
    USHER_SET_URL(struct app_common, jwks_uri, .label = "Address of its public keys",
                  .flags = USHER_ADVANCED, .help = "Where its keys are, if not here."),
    USHER_SET_LIST(struct app_common, post_logout_redirect_uris, .flags = USHER_ADVANCED,
                   .label = "Redirect URIs after signing out", .help = "Compared byte for byte.",
                   .example = "https://wiki.example.com/"),
    USHER_SET_LIST(struct app_common, origins, .flags = USHER_ADVANCED,
                   .label = "Origins of its pages",
                   .help = "Pages there may ask for tokens and userinfo by script (CORS). Default: "
                           "of public clients those of the https redirect URIs, else none.",
                   .example = "https://wiki.example.com"),
    USHER_SET_URL(struct app_common, backchannel_logout_uri, .flags = USHER_ADVANCED,
                  .label = "Address to tell of sign-outs",
                  .help = "OpenID Connect Back-Channel Logout."),
    USHER_SET_URL(struct app_common, home_uri, .label = "Home page", .flags = USHER_ADVANCED,
                  .help = "Shown where people decide about the app."),
    USHER_SET_URL(struct app_common, logo_uri, .label = "Logo", .flags = USHER_ADVANCED,
                  .help =
                      "A picture for the pages where people sign in to it. Of apps that ask for "
                      "consent only a link is shown."),
    USHER_SET_TEXT(struct app_common, accent, .label = "Colour", .flags = USHER_ADVANCED,
                   .help = "Of the pages where people sign in to it; not for apps that ask for "
                           "consent.",
                   .example = "3355aa"),
    USHER_SET_URL(struct app_common, policy_uri, .label = "Privacy policy", .flags = USHER_ADVANCED,
                  .help = "Shown where people decide about the app."),
    USHER_SET_URL(struct app_common, tos_uri, .label = "Terms of service", .flags = USHER_ADVANCED,
                  .help = "Shown where people decide about the app."),
    USHER_SET_CHOICE(struct app_common, userinfo_alg, .label = "Userinfo signed with",
                     .flags = USHER_ADVANCED, .value = "none", .choices = userinfo_choices,
                     .help = "One of [issuer] algs. none: plain JSON, which TLS protects."),
    USHER_SET_BOOL(struct app_common, id_token_claims, .value = "no", .flags = USHER_ADVANCED,
                   .label = "ID tokens say all",
                   .help = "What the granted scopes mean is in ID tokens, too, for apps that never "
                           "ask userinfo."),
    USHER_SET_DURATION(struct app_common, default_max_age, .value = "0", .flags = USHER_ADVANCED,
                       .label = "How long ago people may have signed in", .max = AGE_MAX,
                       .help = "Where a request does not say it by max_age. 0: it does not matter.",
                       .example = "1h"),
    USHER_SET_BOOL(struct app_common, require_auth_time, .value = "no", .flags = USHER_ADVANCED,
                   .label = "Needs the time of sign-in",
                   .help = "ID tokens always say auth_time: where the provider says none, people "
                           "cannot sign in to the app."),
    USHER_SET_URL(struct app_common, initiate_login_uri, .flags = USHER_ADVANCED,
                  .label = "Address that begins a sign-in", .help = "Kept, and told to the app."),
    USHER_SET_LIST(struct app_common, contacts, .label = "Contacts", .flags = USHER_ADVANCED,
                   .help = "Who answers for the app; admins see it.",
                   .example = "admin@wiki.example.com"),
    USHER_SET_TEXT(struct app_common, software_id, .label = "Software", .flags = USHER_ADVANCED,
                   .help = "What the app says it is made of (RFC 7591)."),
    USHER_SET_TEXT(struct app_common, software_version, .flags = USHER_ADVANCED,
                   .label = "Version of its software", .help = "Kept, and told to the app."),
};
const size_t app_settings_n = sizeof app_settings / sizeof *app_settings;

const struct usher_setting app_path_settings[] = {
    USHER_SET_LIST(struct app_path_common, methods, .label = "Methods",
                   .help = "Methods this is about; others are refused. GET stands for HEAD, too. "
                           "Default: all.",
                   .example = "GET POST"),
    USHER_SET_TEXT(struct app_path_common, require, .label = "Require", .flags = USHER_REQUIRED,
                   .help = "Who may come in here.", .example = "group:discord:81384788765712384"),
};
const size_t app_path_settings_n = sizeof app_path_settings / sizeof *app_path_settings;
