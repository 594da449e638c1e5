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
const char *view_text(const struct jval *o, const char *key);
int64_t view_int(const struct jval *o, const char *key, int64_t otherwise);
bool view_bool(const struct jval *o, const char *key);

/* "3 days ago", "in 2 hours", "just now". */
const char *view_ago(int64_t seconds, int64_t now, struct arena *a);
/* For admin-time.html: {iso, text, ago}, or null for a time that is not there (below 0). */
struct jval *view_when(int64_t seconds, int64_t now, struct arena *a);
/* Everything in a value as a list of {name, value} for admin-values.html: "user.roles.0". */
void view_flatten(const struct jval *v, struct jval *list, struct arena *a);

/* A provider's secrets for admin-credentials.html; `rows`: the plugin's settings table, for labels.
 */
struct jval *view_secrets(const struct jval *provider, const struct jval *rows, int64_t now,
                          struct arena *a);
/* What it is set to, with labels: list of {label, value}. */
struct jval *view_settings(const struct jval *settings, const struct jval *rows);
/* A test's findings as members of `data`: tested, ok, findings. */
void view_findings(const struct jval *answer, struct jval *data);

#endif
