/* SPDX-License-Identifier: Apache-2.0 */
#include "session/recent.h"

/* FNV-1a. Two accounts of one key cost a second reading, nothing else. */
static uint64_t account_key(const char *account)
{
    uint64_t key = 14695981039346656037u;
    for (const char *p = account; *p; p++)
        key = (key ^ (unsigned char)*p) * 1099511628211u;
    return key;
}

void recent_end(struct recent *r, uint64_t key)
{
    r->ended[r->ended_n++ % RECENT_ENDED] = key;
}

bool recent_has_ended(const struct recent *r, uint64_t key)
{
    const uint64_t n = r->ended_n < RECENT_ENDED ? r->ended_n : RECENT_ENDED;
    for (uint64_t i = 0; i < n; i++)
        if (r->ended[i] == key)
            return true;
    return false;
}

void recent_change(struct recent *r, const char *account)
{
    r->changes[r->changes_n++ % RECENT_CHANGES] = account_key(account);
}

/* For whoever read before, it is too long ago to tell. */
void recent_change_all(struct recent *r)
{
    r->changes_n += RECENT_CHANGES + 1;
}

bool recent_has_changed(const struct recent *r, const char *account, uint64_t since)
{
    if (r->changes_n - since > RECENT_CHANGES)
        return true;
    const uint64_t key = r->changes_n > since ? account_key(account) : 0;
    for (uint64_t i = since; i < r->changes_n; i++)
        if (r->changes[i % RECENT_CHANGES] == key)
            return true;
    return false;
}
