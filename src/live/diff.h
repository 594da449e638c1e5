/* SPDX-License-Identifier: Apache-2.0 */
/*
 * diff: what differs between two configurations, in words for people and scripts. Secrets are never
 * told: of them it says "set" and "changed".
 *
 * A change is {"what": "provider", "app" or "setting", "id", "change": "added", "removed" or
 * "changed", "label" (but of a setting), "plugin" (of a provider), "fields": [{"key", "before",
 * "after"}]}; before and after are texts as an admin writes them, or null.
 */
#ifndef LIVE_DIFF_H
#define LIVE_DIFF_H

#include "app/apps.h"
#include "base/json.h"
#include "live/config.h"
#include "provider/registry.h"

struct diff_count {
    size_t added, removed, changed;
};

/* Arrays of changes, the caller's. */
struct jval *diff_registries(const struct registry *now, const struct registry *next);
struct jval *diff_apps(const struct apps *now, const struct apps *next);
struct jval *diff_configs(const struct config *now, const struct config *next);
void diff_count(const struct jval *changes, struct diff_count *out);

#endif
