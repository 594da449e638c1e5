/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon: everything usherd consists of, built from a configuration, run on one loop, taken down in
 * order. SIGTERM and SIGINT stop it: no new connections, accepted requests finish, exit status 0.
 * SIGHUP reads the settings again, as a changed file does (live/live.h).
 */
#ifndef MAIN_DAEMON_H
#define MAIN_DAEMON_H

#include "base/err.h"
#include "live/config.h"

struct daemon_args {
    struct config *config; /* outlives the call */
    const char *config_path;
    bool config_required;   /* it was asked for by name */
    const char *ready_file; /* gets the public URL once requests are answered; NULL: none */
};
/* Blocks until stopped. 0, or -1 when it could not start. */
int daemon_run(const struct daemon_args *args, struct err *err) __attribute__((warn_unused_result));

#endif
