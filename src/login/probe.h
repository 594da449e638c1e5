/* SPDX-License-Identifier: Apache-2.0 */
/*
 * probe: proves a provider's settings without a person: the plugin is driven through a whole
 * sign-in with a made-up code, over a network of its own. What comes back is told in our words
 * alone: no status, timing or text of the upstream, so that it is no way to read or scan what
 * usher's host can reach. Nothing is written anywhere, no login is counted. One loop thread.
 */
#ifndef LOGIN_PROBE_H
#define LOGIN_PROBE_H

#include "base/json.h"
#include "login/login.h"

/* {"ok":bool,"findings":[{"check","result":"ok|warn|fail|skipped","text","advice"}]}, borrowed; the
 * checks are settings, discovery, keys, token, clock, callback_url, always all of them. Or an
 * error: ERR_NOT_FOUND (no such provider), ERR_INVALID (no secret in that slot), ERR_LIMITED. */
typedef void probe_done_fn(void *arg, const struct jval *report, const struct err *err);

#define PROBE_ANY_SLOT (-1)
/* A reference to the registry is taken: the one in force, or a draft. `slot`: enum provider_slot,
 * tried and no other; PROBE_ANY_SLOT: the one logins use. `done` exactly once, maybe from within;
 * never after login_free. */
void probe_start(struct login *l, struct registry *r, const char *id, int slot, probe_done_fn *done,
                 void *arg);

#endif
