/* SPDX-License-Identifier: Apache-2.0 */
/*
 * load: from a plugin's name to its descriptor. By name, never by path: [a-z0-9_-]+ in the plugin
 * folder. File and folder must be owned by root or by us and not writable by others, checked on the
 * opened descriptor (opened O_NOFOLLOW, dlopen'd through /proc/self/fd). RTLD_NOW | RTLD_LOCAL. The
 * descriptor is copied at the smaller size and every table in it is validated. Loaded plugins stay.
 */
#ifndef PROVIDER_LOAD_H
#define PROVIDER_LOAD_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/err.h"
#include "usher/provider.h"

/* Borrowed, valid until the process ends; NULL with ERR_MISCONFIGURED. Thread-safe. A file that was
 * replaced since (another inode) is loaded beside the old one. */
const struct usher_provider *plugin_load(const char *dir, const char *name, struct err *err)
    __attribute__((warn_unused_result));
/* Descriptor rules alone, on a descriptor from anywhere. Copies at the smaller size; the settings
 * table goes to the arena, the texts stay where they are. */
int plugin_check(const struct usher_provider *raw, const char *name, struct arena *a,
                 struct usher_provider *out, struct err *err) __attribute__((warn_unused_result));
/* [a-z0-9_-]{1,32}: what may become a file name. */
bool plugin_name_valid(const char *name);

#endif
