/* SPDX-License-Identifier: Apache-2.0 */
/*
 * health: how logins through each provider went of late: last success, failures in words, counts of
 * the day (UTC). In memory, bounded, one loop thread. Only failures that are a provider's or an
 * admin's to mend count: not that somebody changed their mind, or was not let in.
 */
#ifndef ADMIN_HEALTH_H
#define ADMIN_HEALTH_H

#include <stdint.h>

#include "base/err.h"
#include "base/json.h"

struct health;
struct health *health_new(void);
void health_free(struct health **h);
/* err NULL: somebody signed in. */
void health_note(struct health *h, const char *provider, const struct err *err, int64_t now);
/* The member "health" of a provider; the caller's. */
struct jval *health_json(const struct health *h, const char *provider, int64_t now);
struct health_day {
    int64_t signed_in, failed;
};
/* Of one provider, or of all (NULL). */
struct health_day health_today(const struct health *h, const char *provider, int64_t now);

#endif
