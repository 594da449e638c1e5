/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <stdlib.h>

#include "net/fetch_parts.h"

#ifndef PACKAGE_VERSION
#define PACKAGE_VERSION "0"
#endif

static char **lower_list(const char *const *list)
{
    size_t n = 0;
    char **out;

    while (list && list[n])
        n++;
    out = mem_alloc((n + 1) * sizeof *out);
    for (size_t i = 0; i < n; i++) {
        out[i] = mem_dup(list[i]);
        for (char *p = out[i]; *p; p++)
            *p = (char)tolower((unsigned char)*p);
    }
    return out;
}

struct fetch_pool *fetch_pool_new(struct fetch *f, const struct fetch_pool_options *o)
{
    struct fetch_pool *p = mem_alloc(sizeof *p);

    p->f = f;
    p->next = f->pools;
    f->pools = p;
    p->name = mem_dup(o->name ? o->name : "");
    p->user_agent = mem_dup(o->user_agent ? o->user_agent : "usher/" PACKAGE_VERSION);
    p->ca_file = o->ca_file ? mem_dup(o->ca_file) : NULL;
    p->allow_private = lower_list(o->allow_private);
    p->connect_ms = o->connect_ms > 0 ? o->connect_ms : 5000;
    p->total_ms = o->total_ms > 0 ? o->total_ms : 10000;
    p->body_max = o->body_max ? o->body_max : 256u * 1024;
    p->max_in_flight = o->max_in_flight ? o->max_in_flight : 1024;
    return p;
}

const char *fetch_pool_name(const struct fetch_pool *p)
{
    return p->name;
}

void fetch_pool_unlink(struct fetch_pool *p)
{
    for (struct fetch_pool **at = &p->f->pools; *at; at = &(*at)->next)
        if (*at == p) {
            *at = p->next;
            break;
        }
    p->f = NULL;
}

void fetch_pool_maybe_free(struct fetch_pool *p)
{
    if (!p->released || p->in_flight > 0 || p->waiting_count > 0 || p->ready_count > 0)
        return;
    if (p->f)
        fetch_pool_unlink(p);
    for (char **h = p->allow_private; *h; h++)
        free(*h);
    free(p->allow_private);
    for (size_t i = 0; i < FETCH_AGREED; i++)
        free(p->agreed[i]);
    free(p->name);
    free(p->user_agent);
    free(p->ca_file);
    free(p);
}

void fetch_pool_free(struct fetch_pool **p)
{
    if (!*p)
        return;
    (*p)->released = true;
    fetch_pool_maybe_free(*p);
    *p = NULL;
}

/* Seconds until the pool opens again, rounded up; 0: it is open. */
static int64_t closed_for(struct fetch_pool *p)
{
    int64_t ms;

    if (p->closed_until.ns == 0)
        return 0;
    ms = mono_ms(clock_mono(), p->closed_until);
    if (ms <= 0) {
        p->closed_until.ns = 0;
        return 0;
    }
    return (ms + 999) / 1000;
}

static void end_limited(struct fetch_call *c, int64_t seconds, const char *text)
{
    c->result.retry_after = seconds;
    fetch_end_soon(c, USHER_TRANSPORT_LIMITED, ERR_LIMITED, text);
}

static bool has_room(const struct fetch_pool *p)
{
    return p->in_flight < p->max_in_flight && p->f->in_flight < p->f->max_in_flight &&
           (p->warm || p->connecting < FETCH_COLD_MAX);
}

/* Whether another call may begin in this round; if not, the next one looks again. */
static bool may_start(struct fetch *f)
{
    const uint64_t now = loop_rounds(f->loop);

    if (f->round != now) {
        f->round = now;
        f->started = 0;
    }
    if (f->started < FETCH_STARTS)
        return true;
    loop_timer_set(f->start_timer, 0);
    return false;
}

static void start(struct fetch_call *c)
{
    c->pool->f->started++;
    fetch_activate(c);
}

static void wait_over(void *arg)
{
    struct fetch_call *c = arg;

    call_list_remove(c);
    c->pool->waiting_count--;
    fetch_end_soon(c, USHER_TRANSPORT_TIMEOUT, ERR_UPSTREAM_DOWN,
                   "too many requests were ahead of this one");
}

void fetch_pool_admit(struct fetch_call *c)
{
    struct fetch_pool *p = c->pool;
    const int64_t closed = closed_for(p);

    if (closed > 0) {
        end_limited(c, closed, "the upstream asked for a pause");
    } else if (p->waiting_count == 0 && has_room(p) && may_start(p->f)) {
        start(c);
    } else if (p->waiting_count >= p->max_in_flight) {
        end_limited(c, 1, "too many requests are waiting for this upstream");
    } else {
        call_list_add(&p->waiting, c);
        p->waiting_count++;
        c->wait_timer = loop_timer_add(p->f->loop, wait_over, c);
        loop_timer_set(c->wait_timer, c->total_ms);
    }
}

static struct fetch_call *take_first(struct fetch_pool *p)
{
    struct fetch_call *c = p->waiting.first;

    call_list_remove(c);
    p->waiting_count--;
    loop_timer_del(&c->wait_timer);
    return c;
}

/* The list goes round until this pool is its first. */
static void rotate_to(struct fetch *f, struct fetch_pool *p)
{
    struct fetch_pool *last = f->pools;

    while (last->next)
        last = last->next;
    while (f->pools != p) {
        last->next = f->pools;
        last = f->pools;
        f->pools = last->next;
        last->next = NULL;
    }
}

/* One of each pool in turn, so that no provider's queue starves another's. */
void fetch_pool_dispatch(struct fetch *f)
{
    bool more = true;

    while (more) {
        more = false;
        for (struct fetch_pool *p = f->pools; p; p = p->next)
            if (p->waiting_count > 0 && has_room(p)) {
                if (!may_start(f)) {
                    rotate_to(f, p);
                    return;
                }
                start(take_first(p));
                more = true;
            }
    }
}

void fetch_pool_note(struct fetch_pool *p, const struct fetch_result *r)
{
    int64_t seconds = r->retry_after;
    struct mono until = clock_mono();

    if (r->transport != USHER_TRANSPORT_OK || (r->status != 429 && r->status != 503))
        return;
    if (seconds < 0)
        seconds = r->status == 429 ? 1 : 0;
    if (seconds > FETCH_CLOSED_MAX_S)
        seconds = FETCH_CLOSED_MAX_S;
    until.ns += seconds * 1000000000;
    if (seconds == 0 || until.ns <= p->closed_until.ns)
        return;
    p->closed_until = until;
    while (p->waiting_count > 0)
        end_limited(take_first(p), seconds, "the upstream asked for a pause");
}
