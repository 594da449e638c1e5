/* SPDX-License-Identifier: Apache-2.0 */
/*
 * apps: every app there is, from files of apps.d/ and rows of the store, and which of them a URL
 * belongs to. Built whole and then immutable; a reload builds another beside it. An app whose
 * settings are wrong lets nobody in and harms no other. Building reads files: not on a loop.
 * References are counted, from any thread; what is handed out lives as long as the reference it was
 * asked through.
 *
 * The longest name wins: "wiki.example.com" before ".example.com". A host can be one app's only;
 * who comes second is faulty.
 */
#ifndef APP_APPS_H
#define APP_APPS_H

#include "app/app.h"
#include "base/url.h"
#include "sys/conf_roster.h"

#define APPS_MAX 1000 /* what is beyond is a problem */
#define APP_PATHS_MAX 200
extern const struct conf_kind apps_kind;

/* An app that is kept as a row. Borrowed while apps are built. */
struct app_path_source {
    const char *path;
    const struct conf_pair *settings;
    size_t n;
};
struct app_source {
    const char *id;
    int64_t version;
    bool registered; /* by itself */
    const struct conf_pair *settings;
    size_t n;
    const struct app_path_source *paths;
    size_t n_paths;
};

struct apps;
struct apps_options {
    const char *dir;               /* "*.conf"; NULL: none */
    bool dir_optional;             /* it may be missing */
    const struct conf_env *env;    /* NULL: the process's own */
    const struct app_source *rows; /* a file of the same id wins, and it is said */
    size_t n_rows;
    /* Take apps of files over from here instead of reading any; NULL: read. */
    const struct apps *files_of;
    const char *const *hosts; /* NULL-ended: others that people may be sent back to; copied */
    const char *const *algs;  /* NULL-ended: what usher signs with beside RS256; NULL: not judged */
};
/* Problems go to `p`; the apps are there in any case. */
struct apps *apps_load(const struct apps_options *o, struct conf_problems *p);
/* One app from what would become its row, to be judged or explained before it is saved. Hosts of
 * `beside` (may be NULL) are taken, but for those of an app of this id. */
struct apps *apps_draft(const struct apps_options *o, const struct app_source *s,
                        const struct apps *beside, struct conf_problems *p);
struct apps *apps_ref(struct apps *a);
void apps_free(struct apps **a);

size_t apps_count(const struct apps *a);
const struct app *apps_at(const struct apps *a, size_t i); /* by conf_id_order */
const struct app *apps_find(const struct apps *a, const char *id);
/* The app whose host this is, or NULL. The scheme is not judged. */
const struct app *apps_of(const struct apps *a, const struct url *u);
/* Whether its host is an app's on any port. A proxy may pass on whatever port a client writes
 * behind the host, so another port is no other place. */
bool apps_claim(const struct apps *a, const struct url *u);
/* Whether any app has a host, or may have: then a proxy must say what it asks about. */
bool apps_guard_hosts(const struct apps *a);
/* All hosts that people may be sent back to, for struct return_rules; NULL-ended. */
const char *const *apps_hosts(const struct apps *a);
/* Whether it is an origin of any app that may be used. */
bool apps_have_origin(const struct apps *a, const char *origin);

#endif
