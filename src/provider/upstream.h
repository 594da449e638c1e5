/* SPDX-License-Identifier: Apache-2.0 */
/*
 * upstream: the providers usher knows by name: Discord, GitHub, Microsoft … For each there are, in
 * the program, the sample file (providers.d/<name>.conf.sample: which plugin, which settings) and
 * the steps an admin takes there (src/provider/steps/<name>.txt): how to register an application,
 * and how to change its secret. Pages, prompts and docs/providers/<name>.md show the same text.
 *
 * A steps file: the name for people on the first line; then "# register" and "# rotate", and under
 * each its steps in order, parted by blank lines. {callback} stands for the callback URL.
 *
 * Loads no plugin and reads no file. Safe on any thread.
 */
#ifndef PROVIDER_UPSTREAM_H
#define PROVIDER_UPSTREAM_H

#include "base/json.h"
#include "usher/provider.h"

/* Every one, sorted by name, as {name, label, plugin}; the caller's. */
struct jval *upstream_list(void);
/* Everything about one, or NULL if the name is not known; the caller's. Members:
 *   name, label, plugin      text
 *   steps                    {"register": […], "rotate": […]}: lists of text, a step each, with
 *                            `callback` in the place of {callback}; NULL leaves it standing
 *   settings                 key → text: what the sample sets, without plugin and credentials */
struct jval *upstream_json(const char *name, const char *callback);
/* Its steps alone, or NULL. */
struct jval *upstream_steps(const char *name, const char *callback);
/* The sample file's text, or NULL if the name is not known. */
const char *upstream_sample(const char *name);

/* The steps and what the sample sets, as Markdown, under headings of the second level. `p` is the
 * plugin upstream_json names. -1 ERR_INVALID if the name is not known, or the sample sets what
 * the plugin does not know. */
int upstream_markdown(const char *name, const struct usher_provider *p, struct buf *out,
                      struct err *err) __attribute__((warn_unused_result));

#endif
