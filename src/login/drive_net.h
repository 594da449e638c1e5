/* SPDX-License-Identifier: Apache-2.0 */
/*
 * drive_net: the daemon's drive_io: requests through net/fetch, shared ones through net/cache, and
 * parsed key sets. One fetch pool per provider, made when first used and kept by the provider's id
 * and the settings it was made from, so that connections, rate budget and time-outs are the
 * provider's own, and a reload of other settings finds its connections again. One loop thread.
 */
#ifndef LOGIN_DRIVE_NET_H
#define LOGIN_DRIVE_NET_H

#include "login/drive.h"

struct drive_net;
struct drive_net *drive_net_new(struct loop *l, struct fetch *f);
void drive_net_free(struct drive_net **n); /* cancels what is under way, without callbacks */
const struct drive_io *drive_net_io(const struct drive_net *n);
/* After a reload: pools of providers that are not there like this any more go. Requests under way
 * end as they would have. */
void drive_net_keep(struct drive_net *n, const struct registry *r);
size_t drive_net_pools(const struct drive_net *n);

#endif
