/* SPDX-License-Identifier: Apache-2.0 */
#include "session/recall.h"

#include <stdlib.h>

#include "base/arena.h"
#include "sys/clock.h"
#include "sys/log.h"

#define BATCH 64         /* tokens a reading */
#define READINGS 2       /* at once */
#define TRIES 8          /* when the account changes while its row is read */
#define PATIENCE_MS 5000 /* then whoever waits is told that nobody knows */
#define BUCKETS 1024     /* of what is being looked up */
#define ABSENT 4096      /* tokens that are nobody's, remembered */
#define ABSENT_MS 10000  /* for so long */

struct waiter {
    struct waiter *next;
    recall_done_fn *done;
    void *arg;
    struct mono since;
};

/* A token that is asked for: in a bucket, and either in the queue or in a reading. */
struct wanted {
    struct wanted *next_bucket, *next_queue;
    unsigned char hash[32];
    struct waiter *first, **last;
    unsigned tries;
};

struct absent {
    unsigned char hash[32];
    int64_t until; /* ns */
};

/* Belongs to the store until it is answered, which may be after the recall is gone. */
struct reading {
    struct recall *recall; /* NULL: nobody waits any more */
    struct reading *next;
    struct arena *arena;
    struct session_read read;
    size_t n;
    struct wanted *wanted[BATCH];
    unsigned char hash[BATCH][32];
    struct {
        int found;
        struct session_row row;
    } out[BATCH];
};

enum came_to { FOUND, NOBODY, NOT_KNOWN, CAME_TO };

struct recall {
    struct loop *loop;
    struct store *store;
    struct sessions *sessions;
    struct loop_timer *timer;
    bool ticking; /* it is set: whoever else comes does not put it off */
    struct wanted *buckets[BUCKETS];
    struct wanted *queue, **queue_end;
    struct reading *readings;
    unsigned n_readings;
    size_t waiting;
    struct metric_series *counts[CAME_TO];
    struct absent absent[ABSENT];
};

/* Hashes are random: any bytes of them will do. */
static size_t number_of(const unsigned char hash[32])
{
    return hash[8] | (size_t)hash[9] << 8;
}

/* ---- what is wanted ---- */

static struct wanted *wanted_find(const struct recall *r, const unsigned char hash[32])
{
    struct wanted *w = r->buckets[number_of(hash) % BUCKETS];
    while (w && memcmp(w->hash, hash, sizeof w->hash) != 0)
        w = w->next_bucket;
    return w;
}

static void queue_put(struct recall *r, struct wanted *w)
{
    w->next_queue = NULL;
    *r->queue_end = w;
    r->queue_end = &w->next_queue;
}

static struct wanted *queue_take(struct recall *r)
{
    struct wanted *w = r->queue;
    r->queue = w->next_queue;
    if (r->queue == NULL)
        r->queue_end = &r->queue;
    return w;
}

static struct wanted *wanted_new(struct recall *r, const unsigned char hash[32])
{
    struct wanted *w = mem_alloc(sizeof *w);
    struct wanted **bucket = &r->buckets[number_of(hash) % BUCKETS];
    memcpy(w->hash, hash, sizeof w->hash);
    w->last = &w->first;
    w->next_bucket = *bucket;
    *bucket = w;
    queue_put(r, w);
    return w;
}

static void bucket_take(struct recall *r, const struct wanted *w)
{
    struct wanted **at = &r->buckets[number_of(w->hash) % BUCKETS];
    while (*at != w)
        at = &(*at)->next_bucket;
    *at = w->next_bucket;
}

/* Out of the bucket first: who is answered may ask again. */
static void wanted_end(struct recall *r, struct wanted *w, enum came_to how)
{
    bucket_take(r, w);
    metric_add(r->counts[how], 1);
    for (struct waiter *one = w->first, *next; one; one = next) {
        next = one->next;
        r->waiting--;
        one->done(one->arg, how != NOT_KNOWN);
        free(one);
    }
    free(w);
}

/* ---- tokens that are nobody's ---- */

static bool is_absent(const struct recall *r, const unsigned char hash[32])
{
    const struct absent *a = &r->absent[number_of(hash) % ABSENT];
    return a->until > loop_now(r->loop).ns && memcmp(a->hash, hash, sizeof a->hash) == 0;
}

static void set_absent(struct recall *r, const unsigned char hash[32])
{
    struct absent *a = &r->absent[number_of(hash) % ABSENT];
    memcpy(a->hash, hash, sizeof a->hash);
    a->until = loop_now(r->loop).ns + (int64_t)ABSENT_MS * 1000000;
}

/* ---- reading ---- */

static int read_rows(struct db *db, void *arg, struct err *err)
{
    struct reading *g = arg;
    arena_reset(g->arena); /* of an earlier try */
    for (size_t i = 0; i < g->n; i++) {
        g->out[i].found = session_row_get(db, g->hash[i], g->arena, &g->out[i].row, err);
        if (g->out[i].found < 0)
            return -1;
    }
    return 0;
}

static void start_readings(struct recall *r);

static void settle(struct recall *r, const struct reading *g, size_t i)
{
    struct err err = ERR_INIT;
    struct wanted *w = g->wanted[i];
    const int is = g->out[i].found ? sessions_restore(r->sessions, &g->out[i].row, &g->read, &err)
                                   : SESSION_OVER;
    if (is == SESSION_CHANGED && ++w->tries < TRIES) {
        queue_put(r, w);
    } else if (is == SESSION_HERE) {
        wanted_end(r, w, FOUND);
    } else if (is == SESSION_OVER) {
        set_absent(r, w->hash);
        wanted_end(r, w, NOBODY);
    } else {
        log_error(NULL, LOG_WARN, "session.not_recalled", &err);
        wanted_end(r, w, NOT_KNOWN);
    }
}

static void reading_free(struct reading *g)
{
    arena_free(&g->arena);
    free(g);
}

static void was_read(void *arg, enum store_outcome outcome, const struct err *err)
{
    struct reading *g = arg;
    struct recall *r = g->recall;
    (void)err; /* told by the store's error hook */
    if (r == NULL) {
        reading_free(g);
        return;
    }
    struct reading **at = &r->readings;
    while (*at != g)
        at = &(*at)->next;
    *at = g->next;
    r->n_readings--;
    for (size_t i = 0; i < g->n; i++) {
        if (outcome == STORE_DONE)
            settle(r, g, i);
        else
            wanted_end(r, g->wanted[i], NOT_KNOWN);
    }
    reading_free(g);
    start_readings(r);
}

static bool start_reading(struct recall *r)
{
    struct reading *g = mem_alloc(sizeof *g);
    g->recall = r;
    g->arena = arena_new();
    g->read = (struct session_read){.since = sessions_changes(r->sessions),
                                    .now = wall_seconds(clock_wall()),
                                    .crowd_out = true};
    for (; g->n < BATCH && r->queue; g->n++) {
        g->wanted[g->n] = queue_take(r);
        memcpy(g->hash[g->n], g->wanted[g->n]->hash, sizeof g->hash[0]);
    }
    if (!store_read(r->store, read_rows, r->loop, was_read, g)) {
        for (size_t i = 0; i < g->n; i++) /* the store has no place: the next second, perhaps */
            queue_put(r, g->wanted[i]);
        reading_free(g);
        return false;
    }
    g->next = r->readings;
    r->readings = g;
    r->n_readings++;
    return true;
}

static void start_readings(struct recall *r)
{
    while (r->queue && r->n_readings < READINGS && start_reading(r))
        ;
}

/* ---- asking ---- */

/* Who has waited too long; what is being read goes on without them. */
static void lose_patience(struct recall *r, struct wanted *w)
{
    const struct mono now = loop_now(r->loop);
    while (w->first && mono_ms(w->first->since, now) >= PATIENCE_MS) {
        struct waiter *one = w->first;
        w->first = one->next;
        if (w->first == NULL)
            w->last = &w->first;
        r->waiting--;
        metric_add(r->counts[NOT_KNOWN], 1);
        one->done(one->arg, false);
        free(one);
    }
}

/* What nobody waits for any more and is not being read. */
static void queue_thin(struct recall *r)
{
    struct wanted **at = &r->queue;
    while (*at) {
        struct wanted *w = *at;
        if (w->first) {
            at = &w->next_queue;
            continue;
        }
        *at = w->next_queue;
        bucket_take(r, w);
        free(w);
    }
    r->queue_end = at;
}

static void on_second(void *arg)
{
    struct recall *r = arg;
    bool any = false;
    for (size_t i = 0; i < BUCKETS; i++)
        for (struct wanted *w = r->buckets[i]; w; w = w->next_bucket) {
            lose_patience(r, w);
            any = true;
        }
    queue_thin(r);
    start_readings(r);
    r->ticking = any;
    if (any)
        loop_timer_set(r->timer, 1000);
}

enum recall_answer recall_ask(struct recall *r, const unsigned char hash[32], recall_done_fn *done,
                              void *arg)
{
    if (sessions_complete(r->sessions) || sessions_has(r->sessions, hash) || is_absent(r, hash))
        return RECALL_KNOWN;
    if (r->waiting >= RECALL_WAITING_MAX) {
        metric_add(r->counts[NOT_KNOWN], 1);
        return RECALL_UNKNOWN;
    }
    struct wanted *w = wanted_find(r, hash);
    if (w == NULL) {
        w = wanted_new(r, hash);
        if (!r->ticking)
            loop_timer_set(r->timer, 1000);
        r->ticking = true;
    }
    struct waiter *one = mem_alloc(sizeof *one);
    *one = (struct waiter){.done = done, .arg = arg, .since = loop_now(r->loop)};
    *w->last = one;
    w->last = &one->next;
    r->waiting++;
    start_readings(r);
    return RECALL_WAIT;
}

struct recall *recall_new(struct loop *l, struct store *s, struct sessions *t, struct metrics *m)
{
    static const char *const outcomes[CAME_TO] = {"found", "nobody", "unknown"};
    static const struct metric metric = {
        .name = "usher_session_recalls_total",
        .help = "Sessions that were not in memory, looked up in the store, by what it said.",
        .type = METRIC_COUNTER,
        .labels = {"outcome"}};
    struct recall *r = mem_alloc(sizeof *r);
    r->loop = l;
    r->store = s;
    r->sessions = t;
    r->queue_end = &r->queue;
    r->timer = loop_timer_add(l, on_second, r);
    for (size_t i = 0; i < CAME_TO; i++)
        r->counts[i] = metrics_series(m, &metric, outcomes[i], NULL, NULL);
    return r;
}

void recall_free(struct recall **rp)
{
    struct recall *r = *rp;
    if (r == NULL)
        return;
    *rp = NULL; /* who is answered now asks nobody any more */
    for (struct reading *g = r->readings; g; g = g->next)
        g->recall = NULL;
    for (size_t i = 0; i < BUCKETS; i++)
        while (r->buckets[i])
            wanted_end(r, r->buckets[i], NOT_KNOWN);
    loop_timer_del(&r->timer);
    free(r);
}
