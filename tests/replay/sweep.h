/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sweep: the script again and again, each time with one reply bent. A login must never come out of
 * an answer that is not there, and a member of the wrong type must not pass for one that matters:
 * if leaving it out fails the login, so must every odd value in its place.
 */
#ifndef REPLAY_SWEEP_H
#define REPLAY_SWEEP_H

#include "replay/run.h"

/* The number of faults that did not end as they must; each is told on standard error. */
size_t sweep_script(const struct run *base, const struct run_outcome *good, size_t *runs);

#endif
