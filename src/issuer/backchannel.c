/* SPDX-License-Identifier: Apache-2.0 */
#include "issuer/backchannel.h"

#include <stdlib.h>

#include "issuer/backchannel_run.h"
#include "issuer/parts.h"
#include "net/fetch.h"
#include "store/logout_delivery.h"
#include "sys/clock.h"
#include "sys/log.h"

#define AT_ONCE 32         /* apps that are being told */
#define DOUBTFUL_AT_ONCE 8 /* ... of those that did not hear the last time */
#define TOTAL_MS 5000
#define CONNECT_MS 3000
#define BODY_MAX (16u * 1024) /* of an answer, which nobody reads */
#define LOOK_AGAIN 60         /* for rows that nobody told us of */

/* An app that is to be told something. */
struct waiting {
    const char *app;
    int64_t next, created;
    bool doubtful;
};

/* At the store for whom there is something to tell. */
struct look {
    struct backchannel *owner;
    struct arena *a;
    struct waiting *v;
    size_t n, room;
    int64_t now;
};

struct backchannel {
    struct issuer *issuer;
    struct fetch_pool *pool;
    struct look *look; /* under way; or NULL */
    struct {
        struct backchannel_run *run; /* NULL: free */
        bool doubtful;
    } slot[AT_ONCE];
    int64_t next; /* nothing to be done before */
    bool again;   /* there may be more than the look finds */
    bool stopped;
};

struct backchannel *backchannel_new(struct issuer *i, struct fetch *f)
{
    struct backchannel *b = mem_alloc(sizeof *b);
    const struct fetch_pool_options o = {.name = "back-channel logout",
                                         .connect_ms = CONNECT_MS,
                                         .total_ms = TOTAL_MS,
                                         .body_max = BODY_MAX,
                                         .max_in_flight = AT_ONCE};
    *b = (struct backchannel){.issuer = i, .pool = f ? fetch_pool_new(f, &o) : NULL};
    return b;
}

void backchannel_free(struct backchannel **bp)
{
    struct backchannel *b = *bp;
    *bp = NULL;
    if (b && b->pool)
        fetch_pool_free(&b->pool);
    free(b);
}

/* ---- one app after the other, several at a time ---- */

static void look(struct backchannel *b);

static void wanted(struct backchannel *b, int64_t at)
{
    if (at < b->next)
        b->next = at;
}

static void on_over(void *arg, struct backchannel_run *r, bool settled)
{
    struct backchannel *b = arg;
    for (size_t i = 0; i < AT_ONCE; i++)
        if (b->slot[i].run == r)
            b->slot[i].run = NULL;
    if (!settled) {
        wanted(b, wall_seconds(clock_wall()) + LOOK_AGAIN);
        return;
    }
    b->next = 0; /* it may have more rows, and others may wait for its place */
    b->again = true;
    if (!b->look && !b->stopped)
        look(b);
}

static bool is_busy(const struct backchannel *b, const char *app)
{
    for (size_t i = 0; i < AT_ONCE; i++)
        if (b->slot[i].run && strcmp(backchannel_run_app(b->slot[i].run), app) == 0)
            return true;
    return false;
}

/* A slot, or AT_ONCE. Apps that are dead for all we know leave room for those that live. */
static size_t slot_for(const struct backchannel *b, bool doubtful)
{
    size_t at = AT_ONCE, doubts = 0;
    for (size_t i = 0; i < AT_ONCE; i++) {
        if (b->slot[i].run)
            doubts += b->slot[i].doubtful;
        else
            at = i;
    }
    return doubtful && doubts >= DOUBTFUL_AT_ONCE ? AT_ONCE : at;
}

static void begin(struct backchannel *b, const struct waiting *w)
{
    const size_t at = slot_for(b, w->doubtful);
    if (at == AT_ONCE)
        return; /* on_over looks again */
    b->slot[at].doubtful = w->doubtful;
    b->slot[at].run = backchannel_run_new(b->issuer, b->pool, w->app, on_over, b);
    if (!b->slot[at].run)
        wanted(b, wall_seconds(clock_wall()) + 1);
}

/* ---- whom there is something to tell ---- */

static void take(void *arg, const struct logout_delivery_row *row)
{
    struct look *l = arg;
    if (l->n == l->room) {
        l->room = l->room ? 2 * l->room : 64;
        l->v = mem_grow(l->v, l->room * sizeof *l->v);
    }
    l->v[l->n++] = (struct waiting){.app = arena_dup(l->a, row->app),
                                    .next = row->next,
                                    .created = row->created,
                                    .doubtful = row->attempts > 0};
}

static int read_heads(struct db *db, void *arg, struct err *err)
{
    struct look *l = arg;
    l->n = 0;
    return logout_delivery_heads(db, take, l, err);
}

static void look_free(struct look **lp)
{
    struct look *l = *lp;
    *lp = NULL;
    l->owner->issuer->under_way--;
    arena_free(&l->a);
    free(l->v);
    free(l);
}

static int by_age(const void *x, const void *y)
{
    const struct waiting *a = x, *b = y;
    return (a->created > b->created) - (a->created < b->created);
}

static void on_look(void *arg, enum store_outcome outcome, const struct err *err)
{
    struct look *l = arg;
    struct backchannel *b = l->owner;
    if (outcome != STORE_DONE)
        log_error(NULL, LOG_ERROR, "issuer.logout_unwritten", err);
    if (outcome != STORE_DONE || b->stopped)
        l->n = 0;
    if (l->n > 0)
        qsort(l->v, l->n, sizeof *l->v, by_age);
    for (size_t i = 0; i < l->n; i++) {
        if (l->v[i].next > l->now)
            wanted(b, l->v[i].next);
        else if (!is_busy(b, l->v[i].app))
            begin(b, &l->v[i]);
    }
    look_free(&b->look);
}

static void look(struct backchannel *b)
{
    struct issuer *i = b->issuer;
    struct look *l = mem_alloc(sizeof *l);
    *l = (struct look){.owner = b, .a = arena_new(), .now = wall_seconds(clock_wall())};
    b->look = l;
    b->again = false;
    b->next = l->now + LOOK_AGAIN;
    i->under_way++;
    if (store_read(i->o.store, read_heads, i->o.loop, on_look, l))
        return;
    wanted(b, l->now + 1);
    look_free(&b->look);
}

void backchannel_wake(struct backchannel *b)
{
    b->next = 0;
    b->again = true;
}

void backchannel_step(struct backchannel *b)
{
    const bool due = b->again || wall_seconds(clock_wall()) >= b->next;
    if (b->pool && !b->stopped && !b->look && due)
        look(b);
}

void backchannel_stop(struct backchannel *b)
{
    b->stopped = true;
    for (size_t i = 0; i < AT_ONCE; i++)
        if (b->slot[i].run)
            backchannel_run_stop(b->slot[i].run);
}
