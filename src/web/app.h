/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app: what the pages need of the rest of the house, put together by main/ and borrowed by every
 * handler. Registry and apps may be replaced by a reload; handlers take them from here on each
 * request.
 */
#ifndef WEB_APP_H
#define WEB_APP_H

#include "app/apps.h"
#include "login/login.h"
#include "login/return_to.h"
#include "provider/registry.h"
#include "session/cookie_jar.h"
#include "session/recall.h"
#include "sys/metrics.h"
#include "web/identity.h"
#include "web/serve.h"

struct admin;
struct app_secrets;
struct limits;
struct issuer;
struct oauth_again;
struct oauth_kept;

struct web_app {
    const char *public_url;    /* without a slash at the end */
    const char *public_origin; /* scheme://host[:port] */
    const char *site_name;
    const char *default_return; /* "/" */
    struct return_rules return_rules;
    struct loop *loop;
    struct cookie_jar jar;
    const struct secret *metrics_token; /* a bearer token for /metrics; NULL: none */
    struct registry *registry;
    struct apps *apps;
    struct app_secrets *secrets;
    struct login *login;
    struct sessions *sessions;
    struct recall *recall; /* for what they do not know; NULL: they know all */
    struct store *store;
    struct trail *trail; /* accesses that were refused */
    struct metrics *metrics;
    struct identities *identities;
    struct limits *limits; /* NULL: none */
    struct admin *admin;
    struct issuer *issuer;
    struct oauth_kept *oauth;  /* documents as answers (web/oauth_metadata.c) */
    struct oauth_again *again; /* answers of theirs (web/oauth_again.c); NULL: none are kept */
    const char *user;          /* who we run as, for the record; NULL: nobody knows */
    const char *version;
    int64_t idle_seconds; /* after which a session that was not seen is over */
    bool ready;           /* false while stopping */
};

/* Every path there is. */
extern const struct route web_routes[];
extern const size_t web_routes_n;

/* For serve_set_before. */
serve_before_fn web_before; /* before.c */

/* The session behind a request: 1, 0 not signed in, -1 the cookie came more than once. */
int web_session(const struct web_app *app, struct request *rq, struct session_view *out);
/* As it was sent, once; or NULL. */
const char *web_user_agent(struct request *rq);

/* Who asks, as an app's rules see them; v NULL: nobody is signed in. What it says is borrowed from
 * the view and the request. */
struct app_subject web_subject(struct request *rq, const struct session_view *v);

/* The value of this browser's binding cookie, made and sent along when there was no good one. */
struct str web_bind(struct request *rq, const struct web_app *app);

/* 1 and its value; 0: there is none; -1: it came twice or is not one of ours. */
int web_bind_get(struct request *rq, const struct web_app *app, struct str *out);

/* The cookies of a browser whose sign-in through `provider` came to this; none without a token. */
void web_set_session(struct request *rq, const struct web_app *app, const struct login_result *r,
                     const char *provider);

/* Ends the sessions of this browser, in memory at once; when the store has it, too, the cookie is
 * taken away and `done` answers. What could not be recorded is answered here (signout.c). */
void signout_end(struct request *rq, const struct web_app *app, void (*done)(void *arg), void *arg);
void signout_say_goodbye(struct request *rq, const struct web_app *app);

/* Handlers, one file per area. */
serve_handler signin_chooser, signin_start, signin_callback, signin_repost; /* signin.c */
serve_handler signout_page, signout_post;                                   /* signout.c */
serve_handler home_page, home_me;                                           /* home.c */
serve_handler me_token;                                                     /* me_token.c */
serve_handler account_overview;                                             /* account.c */
serve_handler account_join_page, account_join_post;                         /* account_join.c */
serve_handler account_link, account_unlink_post;                            /* account_identity.c */
serve_handler account_data_get;                                             /* account_data.c */
serve_handler account_delete_page, account_delete_post;                     /* account_delete.c */
serve_handler account_session_end, account_session_end_others;              /* account_session.c */
serve_handler denied_page;                                                  /* denied.c */
serve_handler forward_check;                                                /* forward.c */
serve_handler ops_health, ops_ready, ops_metrics;                           /* ops.c */
serve_handler account_app_revoke;                                           /* account_app.c */
serve_handler oauth_authorize, oauth_continue, oauth_consent;               /* oauth_authorize.c */
serve_handler oauth_logout, oauth_logout_confirm;                           /* oauth_logout.c */
serve_handler oauth_device_page, oauth_device_post;                         /* oauth_device.c */
serve_handler asset_get;                                                    /* asset.c */
serve_handler brand_css;                                                    /* brand.c */
serve_handler oauth_metadata, oauth_jwks;                                   /* oauth_metadata.c */
serve_handler oauth_register;                                               /* oauth_register.c */
serve_handler oauth_call, oauth_preflight;                                  /* oauth_call.c */
serve_handler api_call;                                                     /* api.c */
serve_handler admin_page_overview;                                          /* admin_overview.c */
serve_handler admin_page_providers, admin_page_provider;                    /* admin_provider.c */
serve_handler admin_page_services, admin_page_add;                          /* admin_add.c */
serve_handler admin_page_settings, admin_page_delete;                       /* admin_settings.c */
serve_handler admin_page_enable, admin_page_disable;                        /* admin_settings.c */
serve_handler admin_page_rotate, admin_page_promote, admin_page_drop;       /* admin_secret.c */
serve_handler admin_page_test;                                              /* admin_try.c */
serve_handler admin_page_rehearse, admin_page_rehearsal;                    /* admin_rehearsal.c */
serve_handler admin_page_status, admin_page_reload, admin_page_rotate_key;  /* admin_status.c */
serve_handler admin_page_signing_keys, admin_page_signing_keys_now;     /* admin_signing_key.c */
serve_handler admin_page_users, admin_page_user;                        /* admin_user.c */
serve_handler admin_page_user_disable, admin_page_user_enable;          /* admin_user_change.c */
serve_handler admin_page_user_end, admin_page_user_grant;               /* admin_user_change.c */
serve_handler admin_page_user_delete;                                   /* admin_user_change.c */
serve_handler admin_page_roles, admin_page_role, admin_page_role_grant; /* admin_role.c */
serve_handler admin_page_role_delete, admin_page_role_take;             /* admin_role.c */
serve_handler admin_page_tokens, admin_page_token_end;                  /* admin_token.c */
serve_handler admin_page_registration, admin_page_registration_end;     /* admin_registration.c */
serve_handler admin_page_apps, admin_page_app;                          /* admin_app.c */
serve_handler admin_page_app_secret, admin_page_app_secret_end;         /* admin_app.c */
serve_handler admin_page_app_add, admin_page_app_settings;              /* admin_app_change.c */
serve_handler admin_page_app_rules, admin_page_app_delete;              /* admin_app_change.c */
serve_handler admin_page_app_enable, admin_page_app_disable;            /* admin_app_change.c */
serve_handler admin_page_audit;                                         /* admin_audit.c */
serve_handler admin_page_setup, admin_page_setup_use, admin_page_leave; /* admin_setup.c */

#endif
