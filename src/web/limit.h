/* SPDX-License-Identifier: Apache-2.0 */
/*
 * limit: how often one address may ask for what costs something, and how often all together may ask
 * for one provider. A bucket per address and class holds `burst` requests and is filled up again at
 * `per_minute`; IPv4 addresses count one by one, IPv6 addresses by their /64, which is what one
 * customer has (RFC 6177), and IPv4 written as IPv6 is IPv4.
 *
 * Memory is fixed. Where there is no room for another bucket, the fullest one of its corner of the
 * table goes: it had the least to remember, and whoever is held back stays so. Places are found by
 * a hash with a seed of our own. One loop thread owns it; nothing here blocks.
 */
#ifndef WEB_LIMIT_H
#define WEB_LIMIT_H

#include <stdint.h>
#include <sys/socket.h>

#include "sys/clock.h"
#include "sys/log.h"
#include "sys/metrics.h"

/* As in the flags of a route (web/serve.h, ROUTE_CLASS). */
enum limit_class {
    LIMIT_NONE = 0,
    LIMIT_LOGIN,
    LIMIT_CALLBACK,
    LIMIT_API,
    LIMIT_ACCOUNT,
    LIMIT_TOKEN,
    LIMIT_REGISTRATION,
    LIMIT_DEVICE,
    LIMIT_CLASSES
};

struct limit_rate {
    int64_t per_minute; /* 0: no limit */
    int64_t burst;      /* at least 1 */
};

struct limit_rates {
    struct limit_rate of[LIMIT_CLASSES]; /* of one address, by class */
    struct limit_rate provider;          /* of one provider, whoever asks */
};

struct limits;
struct limits *limits_new(struct metrics *m);
void limits_free(struct limits **t);
/* New rates; all buckets are full again if anything differs. */
void limits_set(struct limits *t, const struct limit_rates *rates);
/* Take one from a bucket: 0, or the whole seconds (1 or more) to wait until there is one again. */
int64_t limits_take(struct limits *t, enum limit_class class, const struct sockaddr *client,
                    struct mono now);
int64_t limits_take_provider(struct limits *t, const char *id, struct mono now);
/* Tell that somebody was sent away: counted by class ("provider" for LIMIT_NONE), and logged once a
 * minute at most. */
void limits_refused(struct limits *t, enum limit_class class, const char *client,
                    const struct log_ctx *log, struct mono now);

#endif
