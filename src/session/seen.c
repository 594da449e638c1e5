/* SPDX-License-Identifier: Apache-2.0 */
#include "session/seen.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"

#define GONE_MAX 4096

struct seen_gone {
    unsigned char hash[32];
    int64_t seen;
};

void seen_deinit(struct seen *s)
{
    free(s->v);
    free(s->gone);
    *s = (struct seen){.n = 0};
}

size_t seen_bytes(const struct seen *s)
{
    return s->room * sizeof(struct record *) + (s->gone ? GONE_MAX * sizeof *s->gone : 0);
}

void seen_mark(struct seen *s, struct record *r, int64_t now)
{
    r->seen = now;
    if (r->seen_at)
        return;
    if (s->n == s->room) {
        s->room = s->room ? s->room * 2 : 256;
        s->v = mem_grow(s->v, s->room * sizeof(struct record *));
    }
    s->v[s->n++] = r;
    r->seen_at = (uint32_t)s->n;
}

void seen_forget(struct seen *s, struct record *r)
{
    if (!r->seen_at)
        return;
    struct record *last = s->v[--s->n];
    s->v[r->seen_at - 1] = last;
    last->seen_at = r->seen_at;
    r->seen_at = 0;
}

void seen_replace(struct seen *s, struct record *old, struct record *by)
{
    by->seen_at = old->seen_at;
    if (by->seen_at != 0)
        s->v[by->seen_at - 1] = by;
    old->seen_at = 0;
}

bool seen_leave(struct seen *s, const struct record *r)
{
    if (!r->seen_at)
        return true;
    if (s->gone_n == GONE_MAX)
        return false;
    if (s->gone == NULL)
        s->gone = mem_alloc(GONE_MAX * sizeof *s->gone);
    memcpy(s->gone[s->gone_n].hash, r->hash, sizeof r->hash);
    s->gone[s->gone_n++].seen = r->seen;
    return true;
}

void seen_recall(const struct seen *s, struct record *r)
{
    for (size_t i = 0; i < s->gone_n; i++)
        if (s->gone[i].seen > r->seen && memcmp(s->gone[i].hash, r->hash, sizeof r->hash) == 0)
            r->seen = s->gone[i].seen;
}

size_t seen_take(struct seen *s,
                 void (*each)(void *arg, const unsigned char hash[32], int64_t seen), void *arg,
                 size_t max)
{
    size_t n = 0;
    for (; n < max && s->gone_n > 0; n++) {
        const struct seen_gone *g = &s->gone[--s->gone_n];
        each(arg, g->hash, g->seen);
    }
    for (; n < max && s->n > 0; n++) {
        struct record *r = s->v[s->n - 1];
        seen_forget(s, r);
        each(arg, r->hash, r->seen);
    }
    return n;
}
