/* SPDX-License-Identifier: Apache-2.0 */
/*
 * admin_view: what operations answer, in the words of a page: times as ages, kinds of failure as
 * sentences, states as a word and a tone. Answers are borrowed, views are the caller's. A member
 * of a view is always there, null where there is nothing, for a template would look further out.
 * Pure but for memory.
 */
#ifndef WEB_ADMIN_VIEW_H
#define WEB_ADMIN_VIEW_H

#include <stdint.h>

#include "base/arena.h"
#include "base/json.h"

/* Text of a member, "" when there is none; the integer of a member, or `otherwise`. */
const char *show_text(const struct jval *o, const char *key);
int64_t show_int(const struct jval *o, const char *key, int64_t otherwise);
bool show_bool(const struct jval *o, const char *key);
/* What stands beside a name: the user name, unless it says the same; NULL: nothing. */
const char *show_username(const char *name, const char *username);

/* "3 days ago", "in 2 hours", "just now". */
const char *show_ago(int64_t seconds, int64_t now, struct arena *a);
/* For admin-time.html: {iso, text, ago}, or null for a time that is not there (below 0). */
struct jval *show_when(int64_t seconds, int64_t now, struct arena *a);
/* A day as <input type=date> sends it, to its end in UTC. "" is fine and leaves *out. */
bool show_day(const char *text, int64_t *out);
/* Texts with blanks between, whether it is a list or a text already. */
const char *show_list(const struct jval *v, struct arena *a);
/* What is not the same before and after: list of {name, before, after}. */
struct jval *show_changes(const struct jval *before, const struct jval *after, struct arena *a);
/* Everything in a value as a list of {name, value} for admin-values.html: "user.roles.0". */
void show_flatten(const struct jval *v, struct jval *list, struct arena *a);
/* Names and values, as an object or as a list of {name, value}, in the same shape. */
void show_pairs(const struct jval *v, struct jval *list, struct arena *a);
/* What an admin can do about a kind of failure; "" if nothing. */
const char *show_advice(const char *kind);

/* A provider as a row of admin-provider-table.html and as the head of its page: id, label, plugin,
 * state and its tone, reason, today, failed, success, secret (how old, and what to know of it). */
struct jval *show_provider(const struct jval *provider, int64_t now, struct arena *a);
/* Its failures, appended for admin-failures.html. */
void show_failures(const struct jval *provider, int64_t now, struct jval *list, struct arena *a);
/* Whether a secret in use is over, or will be soon. */
bool show_must_renew(const struct jval *provider, int64_t now);
/* A provider's secrets for admin-credentials.html; `rows`: the plugin's settings table, for labels.
 */
struct jval *show_secrets(const struct jval *provider, const struct jval *rows, int64_t now,
                          struct arena *a);
/* What it is set to, with labels: list of {label, value}. */
struct jval *show_settings(const struct jval *settings, const struct jval *rows);
/* A test's findings as members of `data`: tested, ok, findings. */
void show_findings(const struct jval *answer, struct jval *data);

#endif
