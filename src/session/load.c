/* SPDX-License-Identifier: Apache-2.0 */
#include "session/load.h"

#include <stdlib.h>

#include "base/arena.h"
#include "sys/clock.h"
#include "sys/log.h"

#define ROWS 128   /* a slice: the loop takes them in within a third of a millisecond */
#define PAUSE_MS 1 /* between slices: whoever waits for a session of their own comes first */
#define AGAIN_MS 1000

/* Belongs to the store until it is answered, which may be after the load is gone. */
struct slice {
    struct load *load; /* NULL: nobody waits any more */
    struct arena *arena;
    struct session_read read;
    struct session_row_page page;
    unsigned char after[32];
    size_t n;
    struct session_row rows[ROWS];
};

struct load {
    struct loop *loop;
    struct store *store;
    struct sessions *sessions;
    struct loop_timer *timer;
    struct slice *slice; /* NULL: through */
    bool reading;
    int64_t idle;
    uint64_t broken; /* rows that make no sense */
    struct mono began;
    struct err why; /* the first of them is broken */
};

static int keep_row(void *arg, const struct session_row *row, struct err *err)
{
    struct slice *s = arg;
    (void)err;
    session_row_copy(s->arena, row, &s->rows[s->n++]);
    return 0;
}

static int read_slice(struct db *db, void *arg, struct err *err)
{
    struct slice *s = arg;
    arena_reset(s->arena); /* of an earlier try */
    s->n = 0;
    return session_row_read(db, &s->page, keep_row, s, err) < 0 ? -1 : 0;
}

static void slice_free(struct slice **sp)
{
    if (*sp)
        arena_free(&(*sp)->arena);
    free(*sp);
    *sp = NULL;
}

static void load_end(struct load *l)
{
    sessions_loaded(l->sessions);
    log_event(NULL, LOG_INFO, "session.loaded", LF_INT("n", sessions_count(l->sessions)),
              LF_BOOL("complete", sessions_complete(l->sessions)),
              LF_INT("ms", mono_ms(l->began, clock_mono())));
    if (l->broken > 0)
        log_event(NULL, LOG_WARN, "session.left_out", LF_INT("n", l->broken),
                  LF_TEXT("text", l->why.text));
    slice_free(&l->slice);
}

/* What became of a slice's rows. */
struct taken {
    uint64_t broken;
    bool again, full;
};

static struct taken take_in(struct load *l)
{
    struct taken t = {0, false, false};
    for (size_t i = 0; i < l->slice->n; i++) {
        struct err err = ERR_INIT;
        const int is = sessions_restore(l->sessions, &l->slice->rows[i], &l->slice->read, &err);
        t.again = t.again || is == SESSION_CHANGED;
        t.full = t.full || is == SESSION_NO_ROOM;
        if (is < 0 && l->broken + t.broken++ == 0)
            l->why = err;
    }
    return t;
}

static void was_read(void *arg, enum store_outcome outcome, const struct err *err)
{
    struct slice *s = arg;
    struct load *l = s->load;
    (void)err; /* told by the store's error hook */
    if (l == NULL) {
        slice_free(&s);
        return;
    }
    l->reading = false;
    if (outcome != STORE_DONE) {
        loop_timer_set(l->timer, AGAIN_MS);
        return;
    }
    const struct taken t = take_in(l);
    if (!t.again) {
        l->broken += t.broken;
        if (t.full || s->n < ROWS) {
            load_end(l);
            return;
        }
        memcpy(s->after, s->rows[s->n - 1].hash, sizeof s->after);
        s->page.after = s->after;
    }
    loop_timer_set(l->timer, PAUSE_MS);
}

static void next_slice(struct load *l)
{
    const int64_t now = wall_seconds(clock_wall());
    struct slice *s = l->slice;
    s->page.now = s->read.now = now;
    s->page.idle_before = now - l->idle;
    s->read.since = sessions_changes(l->sessions);
    l->reading = store_read(l->store, read_slice, l->loop, was_read, s);
    if (!l->reading)
        loop_timer_set(l->timer, AGAIN_MS);
}

static void on_again(void *arg)
{
    next_slice(arg);
}

struct load *load_start(struct loop *l, struct store *s, struct sessions *t, int64_t idle_seconds)
{
    struct load *load = mem_alloc(sizeof *load);
    *load = (struct load){.loop = l,
                          .store = s,
                          .sessions = t,
                          .idle = idle_seconds,
                          .began = clock_mono(),
                          .why = ERR_INIT};
    load->timer = loop_timer_add(l, on_again, load);
    load->slice = mem_alloc(sizeof *load->slice);
    load->slice->load = load;
    load->slice->arena = arena_new();
    load->slice->page.max = ROWS;
    sessions_loading(t);
    next_slice(load);
    return load;
}

bool load_done(const struct load *l)
{
    return l->slice == NULL;
}

void load_free(struct load **lp)
{
    struct load *l = *lp;
    if (l == NULL)
        return;
    loop_timer_del(&l->timer);
    if (l->reading)
        l->slice->load = NULL;
    else
        slice_free(&l->slice);
    free(l);
    *lp = NULL;
}
