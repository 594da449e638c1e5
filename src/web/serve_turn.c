/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests that take much of the loop's time wait their turn when many come at once: a few are
 * begun a round, and what is quick is answered between rounds. Alone, none of them waits.
 */
#include <microhttpd.h>

#include "sys/log.h"
#include "web/serve_int.h"

#define TURNS 4       /* of some 100 µs each, in any round */
#define TURNS_MOST 16 /* in one that is not late */

static bool has_turn(struct serve *s)
{
    const uint64_t now = loop_rounds(s->loop);
    if (s->turns.round != now) {
        s->turns.round = now;
        s->turns.taken = 0;
    }
    return s->turns.taken < (loop_late(s->loop) ? TURNS : TURNS_MOST);
}

bool serve_turn_take(struct request *rq)
{
    struct serve *s = rq->serve;
    if (!(rq->route->flags & ROUTE_SLOW))
        return true;
    if (s->turns.first == NULL && has_turn(s)) {
        s->turns.taken++;
        return true;
    }
    rq->next_turn = NULL;
    *(s->turns.first ? &s->turns.last->next_turn : &s->turns.first) = rq;
    s->turns.last = rq;
    loop_timer_set(s->turns.timer, 0);
    return false;
}

static void on_turn(void *arg)
{
    struct serve *s = arg;
    while (s->turns.first && has_turn(s)) {
        struct request *rq = s->turns.first;
        s->turns.first = rq->next_turn;
        s->turns.taken++;
        rq->held = false;
        serve_handle(rq);
    }
    if (s->turns.first)
        loop_timer_set(s->turns.timer, 0);
}

void serve_turn_open(struct serve *s)
{
    s->turns.timer = loop_timer_add(s->loop, on_turn, s);
}

void serve_turn_close(struct serve *s)
{
    loop_timer_del(&s->turns.timer);
    s->turns.first = NULL; /* their connections end with the rest */
}
