/* SPDX-License-Identifier: Apache-2.0 */
/*
 * describe: a plugin told to people and programs, from its descriptor and its settings table.
 * Forms, prompts, samples, pages and manuals come from here, so there is nothing to keep in step.
 * Knows no configured provider and no value in force. Safe on any thread.
 */
#ifndef PROVIDER_DESCRIBE_H
#define PROVIDER_DESCRIBE_H

#include "base/json.h"
#include "sys/conf.h"
#include "usher/provider.h"

/* How an id stands in the name of an environment variable, where there is no provider yet. */
#define DESCRIBE_ENV_PREFIX "USHER_PROVIDER_{ID}"

/* The plugin as GET /api/v1/plugins/<name> gives it; the caller's. Every member is always there:
 *   name, label, version        text
 *   home                        text or null: where to register an application
 *   steps                       {"register": […], "rotate": […]} as in upstream.h, or what the
 *                               plugin itself says in "register"; {callback} stands for the
 *                               callback URL
 *   client_secret               "required", "optional" or "none"
 *   settings                    list, in the order of a form: the rows of sys/conf_doc.h.
 *                               group "usher": what usher asks of every provider, with this
 *                               plugin's defaults; group "plugin": its own. client_id and
 *                               client_secret are "required" where this plugin needs them; without
 *                               a client secret, its rows are not there. `environment` has {ID}
 *                               where the provider's id goes. */
struct jval *describe_plugin(const struct usher_provider *p);
/* The same rows as tables: usher's, then the plugin's own. They live as long as both. */
struct describe_tables {
    struct conf_table common, own;
};
struct describe_tables describe_tables(const struct usher_provider *p, struct arena *a);

/* A commented <id>.conf with every setting. */
void describe_sample(const struct usher_provider *p, struct buf *out);
/* Tables of all settings, under headings of the second level. */
void describe_markdown(const struct usher_provider *p, struct buf *out);
/* A subsection of man(7) with the plugin's own settings. */
void describe_man(const struct usher_provider *p, struct buf *out);

#endif
