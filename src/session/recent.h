/* SPDX-License-Identifier: Apache-2.0 */
/*
 * recent: what happened to sessions of late, for rows that were read from the store just before:
 * sessions that ended, and accounts of which something changed. The last few thousand of each.
 */
#ifndef SESSION_RECENT_H
#define SESSION_RECENT_H

#include <stdbool.h>
#include <stdint.h>

#define RECENT_ENDED 4096
#define RECENT_CHANGES 1024

struct recent {
    uint64_t ended_n, changes_n; /* so far */
    uint64_t ended[RECENT_ENDED], changes[RECENT_CHANGES];
};

/* A token is never given out twice, so what ended stays ended. `key`: of its hash. */
void recent_end(struct recent *r, uint64_t key);
bool recent_has_ended(const struct recent *r, uint64_t key);
void recent_change(struct recent *r, const char *account);
/* Something of every account did. */
void recent_change_all(struct recent *r);
/* Whether the account changed since there were so many changes; true as well when that is too long
 * ago to tell. */
bool recent_has_changed(const struct recent *r, const char *account, uint64_t since);

#endif
