/* SPDX-License-Identifier: Apache-2.0 */
#include "issuer/access_recall.h"

#include <stdlib.h>

#include "base/arena.h"
#include "issuer/parts.h"
#include "sys/clock.h"
#include "sys/log.h"

#define READINGS 64    /* at once: tokens, whoever asks for them */
#define WAITING 1024   /* who asks; more are told that nobody knows */
#define TRIES 8        /* when something ends while a row is read */
#define ABSENT 1024    /* tokens that are none, remembered */
#define ABSENT_SECS 10 /* for so long */

struct waiter {
    struct waiter *next;
    access_recall_fn *done;
    void *arg;
};

/* Belongs to the store until it is answered. */
struct reading {
    struct access_recall *owner;
    struct reading *next;
    struct arena *arena;
    unsigned char hash[32];
    struct access_token_row row;
    int found;
    uint64_t changes; /* of the table, when the reading began */
    unsigned tries;
    struct waiter *first, **last;
};

struct access_recall {
    struct issuer *issuer;
    struct reading *readings;
    size_t n_readings, waiting;
    struct {
        unsigned char hash[32];
        int64_t until;
    } absent[ABSENT];
};

struct access_recall *access_recall_new(struct issuer *i)
{
    struct access_recall *r = mem_alloc(sizeof *r);
    r->issuer = i;
    return r;
}

void access_recall_free(struct access_recall **r)
{
    free(*r);
    *r = NULL;
}

static int64_t now_seconds(void)
{
    return wall_seconds(clock_wall());
}

static void count(const struct access_recall *r, int found)
{
    static const struct metric metric = {
        .name = "usher_access_recalls_total",
        .help = "Access tokens that were not in memory, looked up in the store, by what it said.",
        .type = METRIC_COUNTER,
        .labels = {"outcome"}};
    static const char *const outcomes[] = {"unknown", "nobody", "found"};
    if (r->issuer->o.metrics)
        metric_add(metrics_series(r->issuer->o.metrics, &metric, outcomes[found + 1], NULL, NULL),
                   1);
}

/* Hashes are random: any bytes of them will do. */
static size_t slot_of(const unsigned char hash[32])
{
    return (hash[8] | (size_t)hash[9] << 8) % ABSENT;
}

static bool is_absent(const struct access_recall *r, const unsigned char hash[32])
{
    const size_t at = slot_of(hash);
    return r->absent[at].until > now_seconds() && memcmp(r->absent[at].hash, hash, 32) == 0;
}

static void set_absent(struct access_recall *r, const unsigned char hash[32])
{
    const size_t at = slot_of(hash);
    memcpy(r->absent[at].hash, hash, 32);
    r->absent[at].until = now_seconds() + ABSENT_SECS;
}

/* ---- one reading ---- */

static void end(struct reading *g, int found)
{
    struct access_recall *r = g->owner;
    struct reading **at = &r->readings;
    while (*at != g)
        at = &(*at)->next;
    *at = g->next; /* first: who is answered may ask again */
    r->n_readings--;
    count(r, found);
    for (struct waiter *w = g->first, *next; w; w = next) {
        next = w->next;
        r->waiting--;
        w->done(w->arg, found, found == 1 ? &g->row : NULL);
        free(w);
    }
    r->issuer->under_way--;
    arena_free(&g->arena);
    free(g);
}

static int read_row(struct db *db, void *arg, struct err *err)
{
    struct reading *g = arg;
    arena_reset(g->arena); /* of an earlier try */
    g->found = access_token_get(db, g->hash, g->arena, &g->row, err);
    return g->found < 0 ? -1 : 0;
}

static void was_read(void *arg, enum store_outcome outcome, const struct err *err);

static bool begin(struct reading *g)
{
    struct issuer *i = g->owner->issuer;
    g->changes = access_changes(i->access);
    g->tries++;
    return store_read(i->o.store, read_row, i->o.loop, was_read, g);
}

/* It is good, and memory has it from now on where there is room. */
static void keep(struct reading *g)
{
    struct issuer *i = g->owner->issuer;
    struct err full = ERR_INIT;
    if (ending_is_due(i, g->row.account)) {
        end(g, -1);
        return;
    }
    if (access_offer(i->access, &g->row, now_seconds(), &full) < 0)
        err_clear(&full); /* it is asked for again the next time */
    end(g, 1);
}

static void was_read(void *arg, enum store_outcome outcome, const struct err *err)
{
    struct reading *g = arg;
    struct access_recall *r = g->owner;
    if (outcome != STORE_DONE) {
        log_error(NULL, LOG_WARN, "issuer.token_not_recalled", err);
        end(g, -1);
    } else if (g->found == 1 && g->changes != access_changes(r->issuer->access)) {
        if (g->tries == TRIES || !begin(g)) /* maybe it was this one that ended */
            end(g, -1);
    } else if (g->found == 1 && g->row.ended == 0 && g->row.expires > now_seconds()) {
        keep(g);
    } else {
        set_absent(r, g->hash);
        end(g, 0);
    }
}

/* ---- asking ---- */

static struct reading *reading_of(struct access_recall *r, const unsigned char hash[32])
{
    struct reading *g = r->readings;
    while (g && memcmp(g->hash, hash, 32) != 0)
        g = g->next;
    if (g || r->n_readings == READINGS)
        return g;
    g = mem_alloc(sizeof *g);
    g->owner = r;
    g->arena = arena_new();
    g->last = &g->first;
    memcpy(g->hash, hash, 32);
    if (!begin(g)) {
        arena_free(&g->arena);
        free(g);
        return NULL;
    }
    g->next = r->readings;
    r->readings = g;
    r->n_readings++;
    r->issuer->under_way++;
    return g;
}

void access_recall_ask(struct access_recall *r, const unsigned char hash[32],
                       access_recall_fn *done, void *arg)
{
    if (is_absent(r, hash)) {
        done(arg, 0, NULL);
        return;
    }
    struct reading *g = r->waiting < WAITING ? reading_of(r, hash) : NULL;
    if (!g) {
        count(r, -1);
        done(arg, -1, NULL);
        return;
    }
    struct waiter *w = mem_alloc(sizeof *w);
    *w = (struct waiter){.done = done, .arg = arg};
    *g->last = w;
    g->last = &w->next;
    r->waiting++;
}
