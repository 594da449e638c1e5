/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config: usherd's own settings, by section, from usher.conf and the environment. Built whole and
 * then immutable; a reload builds another beside it. References are counted, from any thread. Rules
 * between settings are judged here, so that --check and a start say the same.
 */
#ifndef LIVE_CONFIG_H
#define LIVE_CONFIG_H

#include <stdatomic.h>

#include "base/arena.h"
#include "sys/conf.h"

struct config_server {
    const char *listen, *public_url, *site_name, *user;
    const char *const *trusted_proxies;
    int64_t max_connections, idle_timeout, request_deadline;
};
struct config_login {
    const char *const *return_hosts;
    const char *default_return;
    int64_t deadline, max_in_flight;
};
struct config_session {
    int64_t idle, absolute, max;
    const char *domain;
};
struct config_store {
    const char *url, *key_file;
};
struct config_providers {
    const char *dir, *plugin_dir, *ca_file;
    bool allow_http_loopback;
};
struct config_apps {
    const char *dir;
};
struct config_log {
    int level, format;
};
struct config_metrics {
    struct usher_secret token;
};
struct config_admin {
    const char *socket;
};
struct config_limits { /* requests a minute, 0: no limit; and how many at once */
    int64_t login, login_burst;
    int64_t callback, callback_burst;
    int64_t api, api_burst;
    int64_t account, account_burst;
    int64_t token, token_burst;
    int64_t registration, registration_burst;
    int64_t device, device_burst;
    int64_t provider, provider_burst;
};

struct config_issuer {
    const char *const *algs;
    int64_t key_lifetime, max_tokens;
    int registration; /* enum config_registration */
    int64_t max_registrations;
    int64_t registration_unused; /* seconds; 0: for ever */
};
enum config_registration { CONFIG_REGISTRATION_CLOSED = 0, CONFIG_REGISTRATION_TOKEN = 1 };

struct config_audit {
    int64_t keep; /* seconds; 0: for ever */
    bool truncate_ips;
};

struct config {
    atomic_uint refs;
    struct arena *arena;
    struct conf_secrets *secrets;
    struct config_server server;
    struct config_login login;
    struct config_session session;
    struct config_store store;
    struct config_providers providers;
    struct config_apps apps;
    struct config_log log;
    struct config_metrics metrics;
    struct config_admin admin;
    struct config_limits limits;
    struct config_issuer issuer;
    struct config_audit audit;
    const char *host;   /* of public_url, with the port unless it is the default */
    const char *origin; /* of public_url */
    bool https;
};

/* Where apps are looked for if nobody says otherwise; there, a missing folder is none. */
#define CONFIG_APPS_DIR USHER_CONF_DIR "/apps.d"

/* NULL when anything is wrong; `p` says what. `path` may be missing only if it was not asked for.
 * env NULL: the process's own. */
struct config *config_load(const char *path, bool required, const struct conf_env *env,
                           struct conf_problems *p);
struct config *config_ref(struct config *c);
void config_free(struct config **c); /* one reference */
/* Each section's table in the order of the file, without values: for samples and manuals. */
typedef void config_table_fn(const struct conf_table *table, void *arg);
void config_tables(config_table_fn *fn, void *arg);
/* The same, with the configuration's structs to read values from. */
#define CONFIG_TABLES 12
void config_fill_tables(const struct config *c, struct conf_table tables[CONFIG_TABLES]);

#endif
