/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon: everything usherd consists of, built from a configuration, run on one loop, taken down in
 * order. SIGTERM and SIGINT stop it: no new connections, accepted requests finish, exit status 0.
 */
#ifndef MAIN_DAEMON_H
#define MAIN_DAEMON_H

#include "base/err.h"
#include "live/config.h"

/* Blocks until stopped. 0, or -1 when it could not start. `ready_file` (may be NULL) gets the
 * public URL once requests are answered. The configuration outlives the call. */
int daemon_run(struct config *c, const char *ready_file, struct err *err)
    __attribute__((warn_unused_result));

#endif
