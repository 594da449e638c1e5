/* SPDX-License-Identifier: Apache-2.0 */
/*
 * load: from a plugin's name to its descriptor. By name, never by path: [a-z0-9_-]+ in the plugin
 * folder. File and folder must be owned by root or by us and not writable by others, checked on the
 * opened descriptor (opened O_NOFOLLOW, dlopen'd through /proc/self/fd). RTLD_NOW | RTLD_LOCAL. The
 * descriptor is copied at the smaller size and every table in it is validated. Loaded plugins stay.
 */
#ifndef PROVIDER_LOAD_H
#define PROVIDER_LOAD_H

#include "base/err.h"
#include "usher/provider.h"

/* Borrowed, valid until the process ends; NULL with ERR_MISCONFIGURED. Thread-safe. */
const struct usher_provider *plugin_load(const char *dir, const char *name, struct err *err) __attribute__((warn_unused_result));
/* Descriptor rules alone, on a descriptor from anywhere: tests. Copies at the smaller size. */
int plugin_check(const struct usher_provider *raw, const char *name, struct usher_provider *out, struct err *err) __attribute__((warn_unused_result));

#endif
