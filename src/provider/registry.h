/* SPDX-License-Identifier: Apache-2.0 */
/*
 * registry: the configured providers: plugin, settings, secrets, and why one is not usable. Built
 * whole from providers.d/, the environment and rows of the store, then immutable; a reload builds
 * another one beside it. A provider whose plugin does not load or whose settings are wrong is there
 * but disabled, with a reason, and harms nothing else. `--check` reports the same problems and
 * fails. Building reads files and may take long: not on a loop. References are counted, from any
 * thread; what a registry hands out lives as long as the reference it was asked through.
 */
#ifndef PROVIDER_REGISTRY_H
#define PROVIDER_REGISTRY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"
#include "sys/conf_roster.h"
#include "usher/provider.h"

enum provider_pkce { PKCE_AUTO = 0, PKCE_ON, PKCE_OFF };
enum provider_link { LINK_NEVER = 0, LINK_ASK, LINK_VERIFIED };

/* What the core itself wants to know of every provider. */
struct provider_common {
    const char *plugin; /* default: the id */
    const char *label;  /* default: the plugin's */
    bool enabled;
    const char *client_id;
    struct usher_secret client_secret, client_secret_next;
    const char *const *scopes; /* NULL: the plugin's */
    int pkce;                  /* enum provider_pkce; AUTO: what the plugin asks for */
    int link;
    const char *const *allow_private; /* hosts that may resolve to private addresses */
    const char *ca_file;
    int64_t timeout; /* seconds for one request */
    const char *user_agent;
    bool keep_tokens; /* the upstream's, sealed */
    int64_t recheck;  /* seconds; 0: never */
};
extern const struct usher_setting provider_common_settings[];
extern const size_t provider_common_n;

/* A credential has places for three secrets: the one in use, the one that takes over once the
 * provider asks for it, and the one that was in use before. */
enum provider_slot { PROVIDER_ACTIVE = 0, PROVIDER_NEXT = 1, PROVIDER_RETIRING = 2 };
#define PROVIDER_SLOTS 3
struct provider_slots {
    struct {
        bool set;
        int64_t created, expires; /* seconds since 1970; 0: not known */
    } v[PROVIDER_SLOTS];
};

struct provider {
    const char *id; /* [a-z0-9-]{1,32} */
    const char *label;
    const char *source; /* file it comes from, "environment" or "database" */
    bool from_row;      /* from the database */
    int64_t version;    /* of the row */
    bool faulty;        /* something is wrong with it, whether it is enabled or not */
    bool usable;
    const char *reason;                  /* why not usable, for logs and admins */
    const struct usher_provider *plugin; /* NULL when not loaded */
    const char *plugin_label;
    struct provider_common common;
    const void *config; /* the plugin's struct */
    const struct conf_secrets *secrets;
    const struct provider_slots *slots; /* of client_secret; never NULL */
    const char *const *origins;         /* NULL-ended: where secrets may go */
    const char *const *insecure; /* NULL-ended: INSECURE settings that are not at their default */
    bool allow_http_loopback;
    bool fake; /* every ORIGIN setting is http on loopback, as with usher-fake: pages say so */
};

/* The secret in a slot of a setting; NULL: there is none. */
const struct secret *provider_secret(const struct provider *p, const char *key,
                                     enum provider_slot slot);

/* A provider that is kept as a row. Borrowed while a registry is built. */
struct provider_secret_in {
    const char *key;
    int slot;                    /* enum provider_slot */
    const struct secret *secret; /* NULL: there is one, but it could not be opened */
    int64_t created, expires;
};
struct provider_source {
    const char *id;
    int64_t version;
    const struct conf_pair *settings; /* without secrets */
    size_t n;
    const struct provider_secret_in *secrets;
    size_t n_secrets;
};

#define REGISTRY_MAX 256 /* providers; what is beyond is a problem */
extern const struct conf_kind registry_kind;
struct registry;
struct registry_options {
    const char *providers_dir; /* "*.conf", sorted; NULL: none */
    const char *plugin_dir;
    bool environment; /* also take USHER_PROVIDER_<ID>_CLIENT_ID for plugins without a file */
    const struct conf_env *env; /* NULL: the process's own */
    bool allow_http_loopback;
    const struct provider_source *rows; /* a file or variable of the same id wins, and it is said */
    size_t n_rows;
    /* Take providers of files and of the environment over from here instead of reading any; NULL:
     * read. */
    const struct registry *files_of;
    /* NULL-ended: plugins that are part of the program (fuzz targets), before those in files. */
    const struct usher_provider *const *builtin;
};
/* Problems go to `p`; the registry is there in any case. */
struct registry *registry_load(const struct registry_options *o, struct conf_problems *p);
struct registry *registry_ref(struct registry *r);
void registry_free(struct registry **r);
size_t registry_count(const struct registry *r);
const struct provider *registry_at(const struct registry *r, size_t i); /* in display order */
const struct provider *registry_find(const struct registry *r, const char *id);
/* One provider from what would become its row: to judge, test or rehearse what is not saved. The
 * options' folder and rows are not looked at, and of the environment only whether a variable would
 * be in its way. */
struct registry *registry_draft(const struct registry_options *o, const struct provider_source *s,
                                struct conf_problems *p);
/* One provider from text instead of files: the replay harness. */
struct registry *registry_text(const struct registry_options *o, const char *id, struct str conf,
                               struct conf_problems *p);

#endif
