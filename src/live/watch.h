/* SPDX-License-Identifier: Apache-2.0 */
/*
 * watch: notices that usher.conf or a file of a folder of providers or apps changed, however it was
 * changed: written in place, renamed over, removed, made readable, the whole folder exchanged.
 * Folders are watched, not files, because editors replace files. A burst of changes is told once,
 * when it has been quiet for a moment.
 *
 * Secrets in files elsewhere (client_secret_file = /run/secrets/x) are not watched: that is what
 * SIGHUP is for.
 */
#ifndef LIVE_WATCH_H
#define LIVE_WATCH_H

#include "base/err.h"
#include "sys/loop.h"

#define WATCH_QUIET_MS 300    /* this long without another change */
#define WATCH_LONGEST_MS 2000 /* but told after this long in any case */

struct watch;
typedef void watch_fn(void *arg); /* on the loop */
/* NULL: the kernel has none left to give; then only SIGHUP and the API reload. */
struct watch *watch_new(struct loop *l, watch_fn *fn, void *arg, struct err *err)
    __attribute__((warn_unused_result));
/* No cover may be under way. */
void watch_free(struct watch **w);
/* Watch these from now on, instead of what was watched before; to be called before they are read,
 * so that no change is missed. Any thread, one at a time. -1: part of it cannot be watched, the
 * rest is; err names it. */
#define WATCH_FOLDERS 2
struct watch_folder {
    const char *path; /* NULL: none */
    bool optional;    /* it may be missing; noticed when it appears */
};
int watch_cover(struct watch *w, const char *file, const struct watch_folder folders[WATCH_FOLDERS],
                struct err *err) __attribute__((warn_unused_result));

#endif
