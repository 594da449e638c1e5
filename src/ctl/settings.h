/* SPDX-License-Identifier: Apache-2.0 */
/*
 * settings: a provider's settings from options and from questions, by the plugin's own table as the
 * API gives it.
 */
#ifndef CTL_SETTINGS_H
#define CTL_SETTINGS_H

#include "ctl/ctl.h"

/* --set and --unset into an object of texts and nulls. */
int settings_options(const struct ctl_args *a, struct jval *into)
    __attribute__((warn_unused_result));
/* What --set gave, and what is required and missing: asked for, secrets without echo. *out is the
 * caller's. */
int settings_gather(struct ctl *c, const struct ctl_args *a, const char *plugin, struct jval **out)
    __attribute__((warn_unused_result));

#endif
