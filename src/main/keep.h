/* SPDX-License-Identifier: Apache-2.0 */
/*
 * keep: housekeeping on the loop, in small steps: loads the live sessions after a start, drops
 * expired ones from memory, writes "last seen" behind once a minute, and sweeps the store every
 * four seconds: flow ids that expired, and a 256th of the sessions, so that a session's row goes
 * within twenty minutes of its end. Nothing depends on when: whoever reads judges by the clock.
 */
#ifndef MAIN_KEEP_H
#define MAIN_KEEP_H

#include "session/session.h"
#include "store/store.h"
#include "sys/loop.h"

struct keep;
struct keep *keep_new(struct loop *l, struct store *s, struct sessions *t, int64_t idle_seconds);
/* Called once a second as well, while the clock can be believed. */
void keep_also(struct keep *k, void (*step)(void *arg), void *arg);
void keep_start(struct keep *k);
/* The wall clock leapt and has not stood by its word for long enough: nothing may be removed by it.
 */
bool keep_doubts_clock(const struct keep *k);
/* Writes what was seen since the last time, waits for it, then frees. */
void keep_free(struct keep **k);

#endif
