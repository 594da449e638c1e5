/* SPDX-License-Identifier: Apache-2.0 */
#include "main/keep.h"

#include <stdlib.h>

#include "base/arena.h"
#include "session/load.h"
#include "store/spent.h"
#include "sys/clock.h"
#include "sys/log.h"

#define STEP_MS 1000
#define STEPS_A_MINUTE 60
#define SLOTS_A_STEP 16384 /* of the table: half a millisecond when it is large */
#define SEEN_A_WRITE 2048
#define STEPS_A_SWEEP 4 /* so all slices of the sessions in 17 minutes; 1 while there is more */
/* Rows that may go at once. Sessions lie scattered, with a million of them 25 us each; flows lie in
 * the order they expire, half a microsecond each. Logins wait meanwhile. */
#define SESSIONS_A_SWEEP 500
#define FLOWS_A_SWEEP 4000

struct sweep;
struct keep {
    struct loop *loop;
    struct store *store;
    struct sessions *sessions;
    struct loop_timer *timer;
    struct load *load;   /* NULL: not begun */
    struct sweep *sweep; /* the one under way, or NULL */
    bool sweep_again;    /* the last one left something over */
    unsigned char slice; /* of the stored sessions: the next one to sweep */
    int64_t idle;
    unsigned step;
    int64_t offset;        /* of the wall clock against the steady one, seconds */
    int64_t believe_again; /* steady ns */
    void (*also)(void *arg);
    void *also_arg;
};

/* Belongs to the store until it is answered, which may be after the keep is gone. */
struct sweep {
    struct keep *keep; /* NULL: nobody waits any more */
    int64_t idle;
    unsigned char slice;
    bool slice_left, flows_left; /* as many went as may go at once */
};

struct seen {
    struct {
        unsigned char hash[32];
        int64_t at;
    } v[SEEN_A_WRITE];
    size_t n;
};

/* "Seen" is written up to a minute late, or later when the store is busy; the store keeps rows for
 * longer than memory, which judges exactly. */
#define SEEN_LATE 300

#define LEAP 3600                              /* seconds the wall clock may be adjusted by */
#define BELIEVE_NS (600 * (int64_t)1000000000) /* how long a leap must last to be true */

static int64_t now(void)
{
    return wall_seconds(clock_wall());
}

static void seen_add(void *arg, const unsigned char hash[32], int64_t at)
{
    struct seen *s = arg;
    memcpy(s->v[s->n].hash, hash, 32);
    s->v[s->n++].at = at;
}

static int seen_write(struct db *db, void *arg, struct err *err)
{
    const struct seen *s = arg;
    for (size_t i = 0; i < s->n; i++)
        if (session_row_touch(db, s->v[i].hash, s->v[i].at, err) < 0)
            return -1;
    return 0;
}

static void seen_written(void *arg, enum store_outcome outcome, const struct err *err)
{
    if (outcome != STORE_DONE)
        log_error(NULL, LOG_ERROR, "store.seen_lost", err);
    free(arg);
}

/* true: there may be more. */
static bool write_seen(struct keep *k)
{
    struct seen *s = mem_alloc(sizeof *s);
    sessions_take_seen(k->sessions, seen_add, s, SEEN_A_WRITE);
    const bool more = s->n == SEEN_A_WRITE;
    if (s->n == 0) {
        free(s);
    } else if (!store_write(k->store, seen_write, k->loop, seen_written, s)) {
        log_event(NULL, LOG_WARN, "store.busy", LF_TEXT("job", "seen"));
        free(s);
    }
    return more;
}

static int sweep_rows(struct db *db, void *arg, struct err *err)
{
    struct sweep *s = arg;
    const int64_t rows =
        session_row_sweep(db, s->slice, now(), now() - s->idle - SEEN_LATE, SESSIONS_A_SWEEP, err);
    const int64_t flows = rows < 0 ? -1 : spent_sweep(db, now(), FLOWS_A_SWEEP, err);
    s->slice_left = rows >= SESSIONS_A_SWEEP;
    s->flows_left = flows >= FLOWS_A_SWEEP;
    return flows < 0 ? -1 : 0;
}

static void swept(void *arg, enum store_outcome outcome, const struct err *err)
{
    struct sweep *s = arg;
    if (outcome != STORE_DONE)
        log_error(NULL, LOG_ERROR, "store.sweep_failed", err);
    if (s->keep) {
        s->keep->sweep = NULL;
        if (outcome == STORE_DONE) {
            s->keep->slice = (unsigned char)(s->slice + !s->slice_left);
            s->keep->sweep_again = s->slice_left || s->flows_left;
        }
    }
    free(s);
}

static void start_sweep(struct keep *k)
{
    k->sweep = mem_alloc(sizeof *k->sweep);
    *k->sweep = (struct sweep){.keep = k, .idle = k->idle, .slice = k->slice};
    if (store_write(k->store, sweep_rows, k->loop, swept, k->sweep))
        return;
    log_event(NULL, LOG_WARN, "store.busy", LF_TEXT("job", "sweep"));
    free(k->sweep);
    k->sweep = NULL;
}

static int64_t clock_offset(const struct keep *k)
{
    return now() - loop_now(k->loop).ns / 1000000000;
}

/* A wall clock that leapt ahead makes everything look expired. Nothing is removed until it has
 * stood by its word for a while; what it says meanwhile only keeps people out. */
static bool clock_doubtful(struct keep *k)
{
    const int64_t leap = clock_offset(k) - k->offset;
    if (leap > LEAP || leap < -LEAP) {
        log_event(NULL, LOG_WARN, "clock.leapt", LF_INT("seconds", leap));
        k->offset += leap;
        k->believe_again = loop_now(k->loop).ns + BELIEVE_NS;
    }
    return loop_now(k->loop).ns < k->believe_again;
}

bool keep_doubts_clock(const struct keep *k)
{
    return loop_now(k->loop).ns < k->believe_again;
}

static void on_step(void *arg)
{
    struct keep *k = arg;
    if (clock_doubtful(k)) {
        loop_timer_set(k->timer, STEP_MS);
        return;
    }
    sessions_sweep(k->sessions, now(), SLOTS_A_STEP);
    if (k->also)
        k->also(k->also_arg);
    k->step++;
    if (k->step % STEPS_A_MINUTE == 0 && write_seen(k))
        k->step--; /* the rest next second */
    if (k->step % STEPS_A_SWEEP == STEPS_A_SWEEP / 2)
        k->sweep_again = true;
    if (k->sweep_again && k->sweep == NULL) {
        k->sweep_again = false;
        start_sweep(k);
    }
    loop_timer_set(k->timer, STEP_MS);
}

struct keep *keep_new(struct loop *l, struct store *s, struct sessions *t, int64_t idle_seconds)
{
    struct keep *k = mem_alloc(sizeof *k);
    *k = (struct keep){.loop = l, .store = s, .sessions = t, .idle = idle_seconds};
    k->timer = loop_timer_add(l, on_step, k);
    return k;
}

void keep_also(struct keep *k, void (*step)(void *arg), void *arg)
{
    k->also = step;
    k->also_arg = arg;
}

void keep_start(struct keep *k)
{
    k->offset = clock_offset(k);
    k->load = load_start(k->loop, k->store, k->sessions, k->idle + SEEN_LATE);
    loop_timer_set(k->timer, STEP_MS);
}

static void write_last(struct keep *k)
{
    struct err err = ERR_INIT;
    struct seen *s = mem_alloc(sizeof *s);
    do {
        s->n = 0;
        sessions_take_seen(k->sessions, seen_add, s, SEEN_A_WRITE);
        if (s->n > 0 && store_write_now(k->store, seen_write, s, &err) != STORE_DONE) {
            log_error(NULL, LOG_ERROR, "store.seen_lost", &err);
            break;
        }
    } while (s->n == SEEN_A_WRITE);
    free(s);
}

void keep_free(struct keep **kp)
{
    struct keep *k = *kp;
    if (k == NULL)
        return;
    write_last(k);
    load_free(&k->load);
    if (k->sweep)
        k->sweep->keep = NULL;
    loop_timer_del(&k->timer);
    free(k);
    *kp = NULL;
}
