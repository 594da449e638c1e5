/* SPDX-License-Identifier: Apache-2.0 */
/*
 * live: the configuration in force, and the next one. It is built whole beside the old one, on a
 * thread of its own (live/build.h says of what, and what a broken file does), and put in force
 * between two events of the loop: whoever asks afterwards gets the new one, and what began before
 * keeps the old one by its reference. A signal, a changed file and an admin all call live_reload.
 *
 * Everything here is called on the loop's thread, and calls back there. Secrets come from files,
 * rows or the environment and leave by the registry only.
 */
#ifndef LIVE_LIVE_H
#define LIVE_LIVE_H

#include "app/apps.h"
#include "base/json.h"
#include "live/config.h"
#include "provider/registry.h"
#include "store/store.h"
#include "sys/loop.h"
#include "sys/metrics.h"
#include "sys/seal.h"

struct live;
struct live_options {
    struct loop *loop;
    struct store *store; /* where rows of providers and apps are */
    const struct keyring *keys;
    struct metrics *metrics; /* may be NULL */
    const char *config_path;
    bool config_required;  /* it was asked for by name */
    struct config *config; /* what the program started with; live takes a reference */
    struct conf_env *env;  /* live takes it; NULL: the process's own environment */
};
/* Nothing is in force yet but the configuration's own settings. */
struct live *live_new(const struct live_options *o, struct err *err)
    __attribute__((warn_unused_result));
/* The first registry and apps; before the loop runs, blocks. Problems are logged; -1: rows cannot
 * be read.
 */
int live_load_now(struct live *l, struct err *err) __attribute__((warn_unused_result));
/* Waits for a build under way; whoever waits for an answer is not called any more. */
void live_free(struct live **l);

/* Borrowed until the next change; config_ref, registry_ref and apps_ref keep them. */
struct config *live_config(const struct live *l);
struct registry *live_registry(const struct live *l);
struct apps *live_apps(const struct live *l);
/* For registry_draft: options as of now, the caller's `hold` keeps their strings (config_free it),
 * also on another thread, but not for longer than the live. */
struct registry_options live_draft_options(const struct live *l, struct config **hold);
/* The same for apps_draft. */
struct apps_options live_draft_app_options(const struct live *l, struct config **hold);

/* After each change, in the order they asked; at most eight; live_apps has the new ones then, too.
 * The old configuration, registry and apps are still there until all were told. */
typedef void live_changed_fn(void *arg, struct config *config, struct registry *registry);
void live_on_change(struct live *l, live_changed_fn *fn, void *arg);
/* Whether a reload or a diff is under way. */
bool live_busy(const struct live *l);

/* What became of a reload. Borrowed. */
struct live_outcome {
    const struct err *err; /* NULL: everything is in force; else why not everything */
    bool rows;             /* rows of the store, as of the call or later, are in force */
    const struct conf_problems *problems;
    uint64_t generation; /* in force now */
};
typedef void live_done_fn(void *arg, const struct live_outcome *outcome);
/* `why` is a word for log and status ("signal", "file", "api", …) and stays the caller's. `done`
 * (may be NULL) is called once, after a build that began after this call; calls in between share
 * one. */
void live_reload(struct live *l, const char *why, live_done_fn *done, void *arg);

/* What a reload would change now: {"changes": […] as live/diff.h, of those removed or changed with
 * "accounts" and "sessions" that came through the provider, "problems": [{"file", "line", "key",
 * "text"}], "restart": ["section.key"], "refused": whether the files would be}. Borrowed; NULL with
 * err. */
typedef void live_diff_fn(void *arg, const struct jval *diff, const struct err *err);
void live_diff(struct live *l, live_diff_fn *done, void *arg);

/* Borrowed until the next change. */
struct live_status {
    uint64_t generation; /* counts what was in force, from 1 */
    int64_t loaded;      /* seconds since 1970: since when this is in force */
    const char *why;
    bool refused;                         /* files are broken: what they made before is in force */
    const struct conf_problems *problems; /* of the last build; n == 0: all is well */
    int64_t problems_since;               /* seconds since 1970; 0: there are none */
    const char *const *restart;           /* NULL-ended: changed, but a restart is needed */
    const char *unwatched;                /* what is not watched for changes, and why; NULL */
};
void live_status(const struct live *l, struct live_status *out);

#endif
