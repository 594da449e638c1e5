/* SPDX-License-Identifier: Apache-2.0 */
/*
 * settle: two configurations side by side: which settings differ, and which of those count at once.
 * The others are bound to what was opened at start (the port, the store, the cookies' names): a
 * reload leaves them as they are and says that a restart is needed, so that the configuration in
 * force is always the one that is really acted upon.
 */
#ifndef LIVE_SETTLE_H
#define LIVE_SETTLE_H

#include "live/config.h"

/* false: takes a restart. */
bool settle_at_once(const char *section, const char *key);

/* A setting that is not the same. Texts are NULL when it is not set; of secrets, and of what may
 * hold one, they only say so: "set", "changed". Borrowed. */
struct settle_change {
    const char *section, *key;
    const char *before, *after;
    bool at_once;
};
typedef void settle_fn(void *arg, const struct settle_change *change);
void settle_compare(const struct config *now, const struct config *next, settle_fn *fn, void *arg);
/* Put what takes a restart back to what it is in `now`. `next` is not in use yet. */
void settle_keep(struct config *next, const struct config *now);

#endif
