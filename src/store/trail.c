/* SPDX-License-Identifier: Apache-2.0 */
#include "store/trail.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/buf.h"
#include "sys/clock.h"
#include "sys/log.h"

#define BURST 64     /* rows at once, */
#define A_SECOND 4   /* and in the long run; what goes beyond is counted */
#define ROWS 64      /* that wait while others are being written */
#define TALLIES 64   /* kinds that are told apart; the rest of an action counts as one */
#define TEXT_MAX 240 /* bytes of what a row says */
#define TICK_MS 1000
#define TICKS_A_TALLY 60

/* Rows that are written together. The store's while it writes them, which may be longer than the
 * trail lives. */
struct batch {
    struct trail *trail; /* NULL: gone */
    struct arena *arena;
    struct audit_row rows[ROWS];
    size_t n;
};

struct tally {
    struct audit_row row; /* strings in the arena */
    int64_t count, from, to;
};

struct trail {
    struct loop *loop;
    struct store *store;
    struct loop_timer *timer;
    struct batch *filling, *writing; /* NULL: none */
    struct arena *arena;             /* of the tallies; NULL: there are none */
    struct tally tallies[TALLIES];
    size_t n_tallies;
    unsigned ticks;
    int64_t tokens; /* rows that may still be written as they are, in thousandths */
    struct mono since;
    bool over;
};

/* ---- copies ----------------------------------------------------------------------------------
 */

static const char *shown(struct arena *a, const char *text)
{
    char out[TEXT_MAX + 1];
    if (!text)
        return NULL;
    text_display(str_of(text), out, TEXT_MAX);
    return arena_dup(a, out);
}

static struct audit_row copy(struct arena *a, const struct audit_row *row)
{
    return (struct audit_row){.at = row->at ? row->at : wall_seconds(clock_wall()),
                              .actor_kind = shown(a, row->actor_kind),
                              .actor = shown(a, row->actor),
                              .actor_name = shown(a, row->actor_name),
                              .ip = shown(a, row->ip),
                              .request_id = shown(a, row->request_id),
                              .user_agent = shown(a, row->user_agent),
                              .action = shown(a, row->action),
                              .object = shown(a, row->object),
                              .provider = shown(a, row->provider),
                              .app = shown(a, row->app),
                              .was = row->was ? arena_dup(a, row->was) : NULL,
                              .became = row->became ? arena_dup(a, row->became) : NULL,
                              .outcome = shown(a, row->outcome),
                              .reason = shown(a, row->reason)};
}

static void batch_free(struct batch *b)
{
    arena_free(&b->arena);
    free(b);
}

/* ---- writing ---------------------------------------------------------------------------------
 */

static int write_rows(struct db *db, void *arg, struct err *err)
{
    const struct batch *b = arg;
    for (size_t i = 0; i < b->n; i++)
        if (audit_add(db, &b->rows[i], err) < 0)
            return -1;
    return 0;
}

static void told(const struct batch *b, enum store_outcome outcome, const struct err *err)
{
    if (outcome != STORE_DONE)
        log_event(NULL, LOG_ERROR, "audit.lost", LF_INT("n", (int64_t)b->n),
                  LF_TEXT("text", err ? err->text : "nobody says why"));
}

static void flush(struct trail *t);

static void written(void *arg, enum store_outcome outcome, const struct err *err)
{
    struct batch *b = arg;
    told(b, outcome, err);
    if (b->trail) {
        b->trail->writing = NULL;
        flush(b->trail);
    }
    batch_free(b);
}

/* One batch at a time; a store that is busy gets it a second later. */
static void flush(struct trail *t)
{
    if (t->over || t->writing || !t->filling)
        return;
    if (!store_write(t->store, write_rows, t->loop, written, t->filling)) {
        loop_timer_set(t->timer, TICK_MS);
        return;
    }
    t->writing = t->filling;
    t->filling = NULL;
}

/* false: there is no room. */
static bool put(struct trail *t, const struct audit_row *row)
{
    if (!t->filling) {
        t->filling = mem_alloc(sizeof *t->filling);
        *t->filling = (struct batch){.trail = t, .arena = arena_new()};
    }
    if (t->filling->n == ROWS)
        return false;
    t->filling->rows[t->filling->n++] = copy(t->filling->arena, row);
    return true;
}

/* ---- counting --------------------------------------------------------------------------------
 */

static bool same(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

/* "kind: words" → "kind". */
static const char *kind_of(struct arena *a, const char *reason)
{
    const char *end = reason ? strstr(reason, ": ") : NULL;
    return end ? arena_dupn(a, reason, (size_t)(end - reason)) : reason;
}

static struct tally *find(struct trail *t, const struct audit_row *key)
{
    for (size_t i = 0; i < t->n_tallies; i++) {
        const struct audit_row *r = &t->tallies[i].row;
        if (same(r->action, key->action) && same(r->provider, key->provider) &&
            same(r->app, key->app) && same(r->outcome, key->outcome) &&
            same(r->reason, key->reason))
            return &t->tallies[i];
    }
    return NULL;
}

/* When there are too many kinds the last place is for all the others, whatever they are. */
static struct tally *tally_for(struct trail *t, const struct audit_row *key)
{
    struct tally *found = find(t, key);
    if (found || t->n_tallies == TALLIES)
        return found ? found : &t->tallies[TALLIES - 1];
    const bool last = t->n_tallies == TALLIES - 1;
    found = &t->tallies[t->n_tallies++];
    *found = (struct tally){.row = copy(t->arena, key)};
    if (last) {
        found->row.action = "audit.others";
        found->row.provider = found->row.app = found->row.reason = NULL;
    }
    return found;
}

void trail_count(struct trail *t, const struct audit_row *row)
{
    if (!t || t->over)
        return;
    if (!t->arena) {
        t->arena = arena_new();
        t->ticks = 0;
        loop_timer_set(t->timer, TICK_MS);
    }
    struct audit_row key = {.at = row->at ? row->at : wall_seconds(clock_wall()),
                            .actor_kind = "nobody",
                            .actor = "",
                            .action = row->action,
                            .object = "",
                            .ip = row->ip,
                            .provider = row->provider,
                            .app = row->app,
                            .outcome = row->outcome,
                            .reason = row->reason};
    struct arena *scratch = arena_new();
    key.reason = kind_of(scratch, row->reason);
    struct tally *tally = tally_for(t, &key);
    arena_free(&scratch);
    if (tally->count++ == 0)
        tally->from = key.at;
    tally->to = key.at;
}

/* The counts become rows. What finds no room waits for the next time. */
static void settle(struct trail *t)
{
    char became[128];
    size_t done = 0;
    for (; done < t->n_tallies; done++) {
        struct tally *tally = &t->tallies[done];
        struct buf text;
        buf_init(&text, sizeof became);
        buf_printf(&text, "{\"count\":%lld,\"from\":%lld,\"to\":%lld}", (long long)tally->count,
                   (long long)tally->from, (long long)tally->to);
        tally->row.became = text.p;
        tally->row.at = tally->to;
        const bool fits = put(t, &tally->row);
        tally->row.became = NULL;
        buf_deinit(&text);
        if (!fits)
            break;
    }
    t->n_tallies -= done;
    memmove(t->tallies, t->tallies + done, t->n_tallies * sizeof *t->tallies);
    if (t->n_tallies == 0)
        arena_free(&t->arena);
    flush(t);
}

static void on_tick(void *arg)
{
    struct trail *t = arg;
    flush(t);
    if (t->arena && ++t->ticks >= TICKS_A_TALLY) {
        t->ticks = 0;
        settle(t);
    }
    if (t->arena || (t->filling && !t->writing))
        loop_timer_set(t->timer, TICK_MS);
}

/* ---- adding ----------------------------------------------------------------------------------
 */

static bool may_write(struct trail *t)
{
    const struct mono now = clock_mono();
    const int64_t more = t->tokens + mono_ms(t->since, now) * A_SECOND;
    t->tokens = more < BURST * 1000 ? more : BURST * 1000;
    t->since = now;
    if (t->tokens < 1000)
        return false;
    t->tokens -= 1000;
    return true;
}

void trail_add(struct trail *t, const struct audit_row *row)
{
    if (!t || t->over)
        return;
    if (may_write(t) && put(t, row))
        flush(t);
    else
        trail_count(t, row);
}

struct trail *trail_new(struct loop *l, struct store *s)
{
    struct trail *t = mem_alloc(sizeof *t);
    *t = (struct trail){.loop = l, .store = s, .tokens = BURST * 1000, .since = clock_mono()};
    t->timer = loop_timer_add(l, on_tick, t);
    return t;
}

static void write_now(struct trail *t)
{
    struct err err = ERR_INIT;
    if (!t->filling)
        return;
    told(t->filling, store_write_now(t->store, write_rows, t->filling, &err), &err);
    batch_free(t->filling);
    t->filling = NULL;
}

void trail_end(struct trail *t)
{
    if (!t || t->over)
        return;
    t->over = true;
    write_now(t);
    while (t->n_tallies > 0) {
        settle(t);
        write_now(t);
    }
    arena_free(&t->arena);
    loop_timer_del(&t->timer);
}

void trail_free(struct trail **t)
{
    if (!*t)
        return;
    trail_end(*t);
    if ((*t)->writing)
        (*t)->writing->trail = NULL;
    free(*t);
    *t = NULL;
}
