/* SPDX-License-Identifier: Apache-2.0 */
/*
 * build: the next configuration beside the one in force. A configuration has two halves. What comes
 * from files and the environment (usher.conf, providers.d, apps.d) is taken as a whole; if anything
 * in it is wrong that was right before, none of it is, and what is in force stays. Rows of the
 * store are taken in any case: they were judged before they were written, and an admin must be able
 * to act while a file is broken. What was wrong from the beginning harms nobody and is only told.
 *
 * Blocks: not on a loop. One build owns its result until somebody takes it.
 */
#ifndef LIVE_BUILD_H
#define LIVE_BUILD_H

#include "live/config.h"
#include "live/rows.h"
#include "live/watch.h"

struct build_args {
    const char *path; /* of usher.conf */
    bool required;    /* it was asked for by name */
    const struct conf_env *env;
    struct config *config;     /* in force */
    struct registry *registry; /* in force; NULL: the first one, made from `config` as it is */
    struct apps *apps;         /* in force, with the registry */
    const struct rows *rows;
    struct watch *watch; /* NULL: nobody is told of changes */
};

struct build {
    struct config *config;
    struct registry *registry;
    struct apps *apps;
    bool refused;                  /* the files' half is still the one in force */
    struct conf_problems problems; /* refused or not */
    struct arena *arena;
    const char **restart; /* NULL-ended "section.key": differ, and take a restart */
    size_t n_restart;
    const char *unwatched; /* what cannot be watched, and why; NULL */
};

void build_run(const struct build_args *args, struct build *out);
void build_clear(struct build *b);
/* How a registry is made from a configuration. Strings are borrowed from it. */
struct registry_options build_registry_options(const struct config *c, const struct conf_env *env);
/* And apps; `now` are those in force, or NULL. */
struct apps_options build_apps_options(const struct config *c, const struct conf_env *env,
                                       const struct apps *now);

#endif
