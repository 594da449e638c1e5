/* SPDX-License-Identifier: Apache-2.0 */
/*
 * harden: what the process gives up. No core dumps, no tracing, no new privileges, no more root,
 * and no settings left in the environment for children or /proc to show.
 */
#ifndef MAIN_HARDEN_H
#define MAIN_HARDEN_H

#include <sys/types.h>

#include "base/err.h"

/* At start: limits and flags. */
void harden_process(void);
/* Who we shall be after harden_drop_root. */
int harden_target(const char *user, uid_t *uid, gid_t *gid, struct err *err)
    __attribute__((warn_unused_result));
/* Once the port is open: become `user` for good, if we are root and it is set. */
int harden_drop_root(const char *user, struct err *err) __attribute__((warn_unused_result));
/* Remove every USHER_ variable once configuration has been read. */
void harden_environment(void);

#endif
