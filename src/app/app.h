/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app: what is behind usher: its hosts, its paths, and who may come in. From a file of apps.d/ or
 * a row of the store; app/apps.h has all of them. Immutable once made; any thread may read. An app
 * that something is wrong with is there, keeps the hosts that could be read, and lets nobody in.
 */
#ifndef APP_APP_H
#define APP_APP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "app/path.h"
#include "app/rule.h"
#include "usher/provider.h"

/* What an admin sets: one row each in app_settings. "" and absent are alike: NULL. Whoever needs
 * more of an app appends a row. */
struct app_common {
    const char *label;
    bool enabled;
    const char *const *hosts; /* as in [login] return_hosts */
    const char *require;
    const char *const *upstream_tokens; /* providers whose tokens it may ask for */

    /* The app as a client of OpenID Connect and OAuth 2; judged in app/client.h. */
    int client_type; /* enum client_type */
    int auth_method; /* enum client_auth */
    const char *const *redirect_uris, *const *post_logout_redirect_uris;
    const char *const *origins; /* whose pages may read its token answers; NULL: app->origins */
    const char *backchannel_logout_uri;
    const char *const *grants; /* short names: client_grants */
    const char *const *scopes;
    const char *const *resources; /* what its tokens may be for; the first, if it asks for none */
    const char *const *serves;    /* resources that this app is */
    const char *const *exchange_from; /* apps whose tokens for it, it may exchange */
    const char *const *providers;     /* that people may come through; NULL: all */
    bool require_pkce, require_pushed, consent;
    int token_format;            /* enum client_token */
    int token_alg, id_token_alg; /* enum client_alg */
    int64_t access_lifetime, refresh_lifetime;
    const char *jwks, *jwks_uri; /* its public keys */
    const char *home_uri, *logo_uri, *policy_uri, *tos_uri;
    const char *accent;      /* "rrggbb", hexadecimal */
    int userinfo_alg;        /* enum client_userinfo */
    bool id_token_claims;    /* by scope, as userinfo has them */
    int64_t default_max_age; /* seconds; 0: none */
    bool require_auth_time;
    const char *initiate_login_uri;
    const char *const *contacts;
    const char *software_id, *software_version;
};
enum client_type { CLIENT_CONFIDENTIAL = 0, CLIENT_PUBLIC = 1 };
enum client_auth {
    CLIENT_AUTH_SECRET = 0, /* basic or post */
    CLIENT_AUTH_BASIC = 1,
    CLIENT_AUTH_POST = 2,
    CLIENT_AUTH_JWT = 3,
    CLIENT_AUTH_NONE = 4,
};
enum client_token { CLIENT_TOKEN_JWT = 0, CLIENT_TOKEN_OPAQUE = 1 };
enum client_alg { CLIENT_RS256 = 0, CLIENT_ES256 = 1, CLIENT_EDDSA = 2 };
enum client_userinfo { CLIENT_USERINFO_JSON = 0 }; /* others: enum client_alg, and one */
extern const struct usher_setting app_settings[];
extern const size_t app_settings_n;

/* What an admin sets for a path. */
struct app_path_common {
    const char *const *methods; /* NULL: all; GET stands for HEAD, too */
    const char *require;
};
extern const struct usher_setting app_path_settings[];
extern const size_t app_path_settings_n;

struct app_path {
    struct path_pattern pattern;
    struct app_path_common common;
    const struct rule *rule;
};

struct app {
    const char *id; /* [a-z0-9-]{1,32} */
    const char *label;
    const char *source; /* the file it comes from, or "database" */
    bool from_row;
    bool registered; /* by itself: nobody here vouches for what it says of itself */
    int64_t version; /* of the row */
    bool faulty, usable;
    const char *reason; /* why not usable */
    struct app_common common;
    const char *const *origins;   /* "https://app.example.com": its own pages, in a browser */
    const struct rule *rule;      /* the whole app's; NULL: none */
    const struct app_path *paths; /* the one that wins first: exact, then by length */
    size_t n_paths;
};

#endif
