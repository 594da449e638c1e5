/* SPDX-License-Identifier: Apache-2.0 */
/*
 * backchannel: apps are told that a session is over (OpenID Connect Back-Channel Logout 1.0). What
 * is to be told are rows of the store, written with the end itself, so that a crash loses none; an
 * app may hear of one twice. Each app is told one thing after the other, some apps at a time, each
 * with little time (backchannel_run); one that does not accept it is tried again after growing
 * pauses, for a day, and those that failed before never take up all the room. Nobody who signs out
 * waits for any of it.
 *
 * One loop thread owns it.
 */
#ifndef ISSUER_BACKCHANNEL_H
#define ISSUER_BACKCHANNEL_H

#include "issuer/issuer.h"

struct backchannel;
struct backchannel *backchannel_new(struct issuer *i, struct fetch *f); /* f NULL: none are sent */
/* Sends what is due. Once a second. */
void backchannel_step(struct backchannel *b);
/* There may be new rows. */
void backchannel_wake(struct backchannel *b);
/* No more is begun; what is being sent is left for the next start. Some of it may still be counted
 * in under_way. */
void backchannel_stop(struct backchannel *b);
void backchannel_free(struct backchannel **b);

#endif
