/* SPDX-License-Identifier: Apache-2.0 */
/*
 * device: what a User-Agent header says of a browser and its system, in words a person knows:
 * "Firefox on Windows". A small table and no guessing: what it does not know stays unknown, and of
 * what the client sent nothing but a choice among our own words is ever shown. Pure.
 */
#ifndef WEB_DEVICE_H
#define WEB_DEVICE_H

#include "base/arena.h"

/* NULL: unknown, also for a NULL or empty header. */
const char *device_text(const char *user_agent, struct arena *a);

#endif
