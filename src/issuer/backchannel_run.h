/* SPDX-License-Identifier: Apache-2.0 */
/*
 * backchannel_run: what one app is to be told of sessions that are over, one after the other, the
 * oldest first: a few rows of the store are read, each is signed and sent, and what came of it is
 * written down together. The first that fails ends the run, and all of the app's rows wait.
 *
 * One loop thread. A run is counted in under_way until it is over.
 */
#ifndef ISSUER_BACKCHANNEL_RUN_H
#define ISSUER_BACKCHANNEL_RUN_H

#include "issuer/issuer.h"

#define BACKCHANNEL_ROWS 16 /* of one run */

struct fetch_pool;
struct backchannel_run;
/* The run is gone when it returns. settled: what came of it is written down. */
typedef void backchannel_run_fn(void *arg, struct backchannel_run *r, bool settled);

/* NULL: the store has no room. Never over within the call. */
struct backchannel_run *backchannel_run_new(struct issuer *i, struct fetch_pool *pool,
                                            const char *app, backchannel_run_fn *over, void *arg);
const char *backchannel_run_app(const struct backchannel_run *r);
/* No more is sent; what the app has heard is written down. May be over within the call. */
void backchannel_run_stop(struct backchannel_run *r);

#endif
