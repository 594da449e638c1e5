/* SPDX-License-Identifier: Apache-2.0 */
/*
 * used: flow ids that were used in this process, each remembered for at least one state lifetime.
 * Two generations that turn over, so forgetting costs nothing. One thread. The store's `spent`
 * table is what survives a restart.
 */
#ifndef LOGIN_USED_H
#define LOGIN_USED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct used;
/* `lifetime` in seconds. */
struct used *used_new(int64_t lifetime);
void used_free(struct used **u);
/* true: new, and remembered from now on; false: used before. `now`: wall seconds. */
bool used_add(struct used *u, const unsigned char id[16], int64_t now);
size_t used_count(const struct used *u);

#endif
