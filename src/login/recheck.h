/* SPDX-License-Identifier: Apache-2.0 */
/*
 * recheck: asks providers, every now and then, whether people who are signed in through them are
 * still who they were and may still sign in (the setting `recheck`). Groups follow. Who is not
 * allowed any more, or whose tokens the upstream does not honour, is signed out of the sessions
 * that came through that identity; an upstream that is down ends nobody's.
 *
 * A few at a time for each provider, oldest first, so that its rate budget is for people who sign
 * in; spread by when each signed in, and a little by chance. Costs nothing where no provider has
 * it. One loop thread; belongs to a login.
 */
#ifndef LOGIN_RECHECK_H
#define LOGIN_RECHECK_H

#include "login/login.h"

struct recheck;
/* Made with the login's options; looks at its registry from now on. */
struct recheck *recheck_new(struct login *l);
void recheck_free(struct recheck **r); /* cancels what is under way */
/* The registry is another one. */
void recheck_wake(struct recheck *r);
size_t recheck_in_flight(const struct recheck *r);
/* Nobody else is asked about; `done` is posted when what is under way is through, and kept. */
void recheck_drain(struct recheck *r, loop_job_fn *done, void *arg);

#endif
