/* SPDX-License-Identifier: Apache-2.0 */
/*
 * used: flow ids that were used in this process, each remembered for at least one state lifetime.
 * Two generations that turn over, so forgetting costs nothing; bounded. One thread. The store's
 * `spent` table is what survives a restart.
 */
#ifndef LOGIN_USED_H
#define LOGIN_USED_H

#include <stddef.h>
#include <stdint.h>

#define USED_MAX (1u << 20) /* ids in a generation: 32 MiB */

struct used;
/* `lifetime` in seconds. */
struct used *used_new(int64_t lifetime);
void used_free(struct used **u);
/* 1: new, and remembered from now on; 0: used before; -1: new, but there is no room to remember it,
 * so it must not be used. `now`: wall seconds. */
int used_add(struct used *u, const unsigned char id[16], int64_t now);
size_t used_count(const struct used *u);

#endif
