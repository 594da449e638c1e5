/* SPDX-License-Identifier: Apache-2.0 */
/*
 * settings: of a provider or an app: shown, and taken from options; a provider's from questions,
 * too, by the plugin's own table as the API gives it.
 */
#ifndef CTL_SETTINGS_H
#define CTL_SETTINGS_H

#include "ctl/ctl.h"

/* "key = value" lines of those that are texts. */
void settings_print(const struct jval *settings);
/* --set and --unset into an object of texts and nulls. */
int settings_options(const struct ctl_args *a, struct jval *into)
    __attribute__((warn_unused_result));
/* What --set gave, and what is required and missing: asked for, secrets without echo. *out is the
 * caller's. */
int settings_gather(struct ctl *c, const struct ctl_args *a, const char *plugin, struct jval **out)
    __attribute__((warn_unused_result));

#endif
