/* SPDX-License-Identifier: Apache-2.0 */
#include "login/used.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"

/* Open addressing at half load at most. Ids are random, so their first bytes are the hash. */
struct table {
    unsigned char (*slot)[16];
    size_t size, n; /* size: a power of two, or 0 */
};

struct used {
    struct table now, before;
    int64_t lifetime, turned;
};

static const unsigned char empty[16];

static unsigned char *find(const struct table *t, const unsigned char id[16])
{
    uint64_t hash;
    memcpy(&hash, id, sizeof hash);
    for (size_t i = hash & (t->size - 1);; i = (i + 1) & (t->size - 1))
        if (memcmp(t->slot[i], id, 16) == 0 || memcmp(t->slot[i], empty, 16) == 0)
            return t->slot[i];
}

static bool has(const struct table *t, const unsigned char id[16])
{
    return t->size > 0 && memcmp(find(t, id), id, 16) == 0;
}

static void grow(struct table *t)
{
    struct table bigger = {.size = t->size ? t->size * 2 : 256, .n = t->n};
    bigger.slot = mem_alloc(bigger.size * 16);
    for (size_t i = 0; i < t->size; i++)
        if (memcmp(t->slot[i], empty, 16) != 0)
            memcpy(find(&bigger, t->slot[i]), t->slot[i], 16);
    free(t->slot);
    *t = bigger;
}

struct used *used_new(int64_t lifetime)
{
    struct used *u = mem_alloc(sizeof *u);
    u->lifetime = lifetime;
    return u;
}

void used_free(struct used **up)
{
    struct used *u = *up;
    if (u == NULL)
        return;
    free(u->now.slot);
    free(u->before.slot);
    free(u);
    *up = NULL;
}

/* A clock set back only makes ids stay longer. */
static void turn(struct used *u, int64_t now)
{
    if (now - u->turned < u->lifetime)
        return;
    free(u->before.slot);
    u->before = u->now;
    u->now = (struct table){NULL, 0, 0};
    u->turned = now;
}

int used_add(struct used *u, const unsigned char id[16], int64_t now)
{
    turn(u, now);
    if (has(&u->now, id) || has(&u->before, id))
        return 0;
    if (u->now.n >= USED_MAX)
        return -1;
    if (u->now.n * 2 >= u->now.size)
        grow(&u->now);
    memcpy(find(&u->now, id), id, 16);
    u->now.n++;
    return 1;
}

size_t used_count(const struct used *u)
{
    return u->now.n + u->before.n;
}
