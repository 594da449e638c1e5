/* SPDX-License-Identifier: Apache-2.0 */
#include "net/cache.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/buf.h"
#include "usher/provider.h"

struct call_queue {
    struct cache_call *first, *last;
};

struct entry {
    struct entry *next;
    struct fetch_cache *cache;
    char *key;
    struct mono used;
    unsigned pins; /* callbacks that look at the copy right now */
    /* the copy */
    bool has;
    struct mono fetched;
    char *type, *charset;
    struct buf body;
    /* the last failure, if it is newer than the copy */
    bool failed;
    uint32_t transport;
    int status;
    int64_t retry_after;
    struct err err;
    struct mono tried;
    bool was_forced;
    struct mono forced;
    /* a refresh under way */
    struct fetch_call *call;
    bool (*usable)(const struct fetch_result *r);
    unsigned round;
    struct call_queue waiting;
};

struct cache_call {
    struct cache_call *prev, *next;
    struct call_queue *queue;
    struct entry *entry;
    unsigned round;
    int64_t ttl;
    fetch_done_fn *done;
    void *arg;
};

struct fetch_cache {
    struct loop *loop;
    struct loop_timer *timer; /* delivers what is ready */
    struct call_queue ready;
    unsigned ready_count;
    struct entry *entries;
    size_t n, bytes;
};

static void queue_add(struct call_queue *q, struct cache_call *c)
{
    c->queue = q;
    c->prev = q->last;
    c->next = NULL;
    if (q->last)
        q->last->next = c;
    else
        q->first = c;
    q->last = c;
}

static void queue_remove(struct cache_call *c)
{
    if (!c->queue)
        return;
    *(c->prev ? &c->prev->next : &c->queue->first) = c->next;
    *(c->next ? &c->next->prev : &c->queue->last) = c->prev;
    c->queue = NULL;
}

static void ready_remove(struct cache_call *c)
{
    queue_remove(c);
    c->entry->cache->ready_count--;
}

static int64_t age_ms(struct mono since)
{
    return mono_ms(since, clock_mono());
}

static void deliver_ready(void *arg);

struct fetch_cache *cache_new(struct loop *l)
{
    struct fetch_cache *c = mem_alloc(sizeof *c);

    c->loop = l;
    c->timer = loop_timer_add(l, deliver_ready, c);
    return c;
}

static void entry_drop_copy(struct entry *e)
{
    e->cache->bytes -= e->body.n;
    buf_deinit(&e->body);
    free(e->type);
    free(e->charset);
    e->type = e->charset = NULL;
    e->has = false;
}

static void entry_free(struct entry *e)
{
    entry_drop_copy(e);
    fetch_cancel(&e->call);
    while (e->waiting.first) {
        struct cache_call *c = e->waiting.first;
        queue_remove(c);
        free(c);
    }
    free(e->key);
    free(e);
}

void cache_free(struct fetch_cache **cp)
{
    struct fetch_cache *c = *cp;

    if (!c)
        return;
    while (c->ready.first) {
        struct cache_call *call = c->ready.first;
        queue_remove(call);
        free(call);
    }
    while (c->entries) {
        struct entry *e = c->entries;
        c->entries = e->next;
        entry_free(e);
    }
    loop_timer_del(&c->timer);
    free(c);
    *cp = NULL;
}

size_t cache_count(const struct fetch_cache *c)
{
    return c->n;
}

/* Nobody waits for it and nobody looks at it. */
static bool entry_idle(const struct entry *e)
{
    if (e->call || e->pins > 0 || e->waiting.first)
        return false;
    for (const struct cache_call *c = e->cache->ready.first; c; c = c->next)
        if (c->entry == e)
            return false;
    return true;
}

/* Make room: those nobody asked for longest go, except `keep`. Entries with a request under way
 * stay, so for a moment there may be more than the limit. */
static void trim(struct fetch_cache *c, const struct entry *keep)
{
    while (c->n > CACHE_ENTRIES_MAX || c->bytes > CACHE_BYTES_MAX) {
        struct entry **oldest = NULL, *e;

        for (struct entry **at = &c->entries; *at; at = &(*at)->next)
            if (*at != keep && (!oldest || (*at)->used.ns < (*oldest)->used.ns) && entry_idle(*at))
                oldest = at;
        if (!oldest)
            return;
        e = *oldest;
        *oldest = e->next;
        c->n--;
        entry_free(e);
    }
}

static char *key_of(const struct fetch_pool *p, const struct cache_request *rq)
{
    struct buf b;

    buf_init(&b, 64u * 1024);
    buf_text(&b, fetch_pool_name(p));
    buf_byte(&b, '\n');
    buf_text(&b, rq->url);
    for (size_t i = 0; i < rq->n_headers; i++) {
        buf_byte(&b, '\n');
        buf_text(&b, rq->headers[i].name);
        buf_byte(&b, ':');
        buf_text(&b, rq->headers[i].before ? rq->headers[i].before : "");
    }
    return buf_take(&b);
}

static struct entry *entry_for(struct fetch_cache *c, const struct fetch_pool *p,
                               const struct cache_request *rq)
{
    char *key = key_of(p, rq);
    struct entry *e;

    for (e = c->entries; e; e = e->next)
        if (strcmp(e->key, key) == 0) {
            free(key);
            e->used = clock_mono();
            return e;
        }
    e = mem_alloc(sizeof *e);
    e->cache = c;
    e->key = key;
    e->used = clock_mono();
    e->next = c->entries;
    buf_init(&e->body, SIZE_MAX);
    c->entries = e;
    c->n++;
    trim(c, e);
    return e;
}

static bool copy_serves(const struct entry *e, int64_t ttl)
{
    return e->has && age_ms(e->fetched) <= (ttl + CACHE_STALE_S) * 1000;
}

/* The copy, or else the failure that is remembered. */
static void fill_result(const struct entry *e, int64_t ttl, struct fetch_result *r)
{
    *r = (struct fetch_result){
        .retry_after = -1, .content_type = "", .charset = "", .body = STR("")};
    if (copy_serves(e, ttl)) {
        r->status = 200;
        r->content_type = e->type;
        r->charset = e->charset;
        r->body = buf_view(&e->body);
        return;
    }
    r->transport = e->transport;
    r->status = e->status;
    r->retry_after = e->retry_after;
    r->err = e->err;
}

/* Call back and forget a call that is in no queue any more. r == NULL: from the copy. */
static void deliver(struct cache_call *c, const struct fetch_result *r)
{
    struct entry *e = c->entry;
    struct fetch_result own;

    if (!r) {
        fill_result(e, c->ttl, &own);
        r = &own;
    }
    e->pins++;
    c->done(c->arg, r);
    e->pins--;
    free(c);
}

static void deliver_ready(void *arg)
{
    struct fetch_cache *c = arg;

    /* A few at a time, so that whatever else the loop does comes in between. */
    for (unsigned n = 16; n > 0 && c->ready.first; n--) {
        struct cache_call *call = c->ready.first;

        ready_remove(call);
        deliver(call, NULL);
    }
    if (c->ready.first)
        loop_timer_set(c->timer, 0);
}

static void keep_copy(struct entry *e, const struct fetch_result *r)
{
    entry_drop_copy(e);
    e->has = true;
    e->failed = false;
    e->fetched = clock_mono();
    e->type = mem_dup(r->content_type);
    e->charset = mem_dup(r->charset);
    buf_str(&e->body, r->body);
    e->cache->bytes += e->body.n;
    trim(e->cache, e);
}

static void keep_failure(struct entry *e, const struct fetch_result *r)
{
    e->failed = true;
    e->transport = r->transport;
    e->status = r->status;
    e->retry_after = r->retry_after;
    e->err = r->err;
    if (r->transport == USHER_TRANSPORT_OK && r->status == 200) {
        e->transport = USHER_TRANSPORT_BROKEN;
        e->status = 0;
        err_set(&e->err, ERR_UPSTREAM_BAD, "the last answer could not be used");
    }
}

static void on_fetched(void *arg, const struct fetch_result *r)
{
    struct entry *e = arg;
    const unsigned round = e->round;
    const bool good =
        r->transport == USHER_TRANSPORT_OK && r->status == 200 && (!e->usable || e->usable(r));

    e->call = NULL;
    e->tried = clock_mono();
    if (good)
        keep_copy(e, r);
    else
        keep_failure(e, r);
    /* Callbacks may cancel others and ask again: those who do belong to another round. */
    e->pins++;
    while (e->waiting.first && e->waiting.first->round == round) {
        struct cache_call *c = e->waiting.first;

        queue_remove(c);
        deliver(c, !good && copy_serves(e, c->ttl) ? NULL : r);
    }
    e->pins--;
}

static void refresh(struct entry *e, struct fetch_pool *p, const struct cache_request *rq)
{
    const struct fetch_request fr = {
        .url = rq->url, .headers = rq->headers, .n_headers = rq->n_headers};

    e->usable = rq->usable;
    e->round++;
    if (rq->force) {
        e->was_forced = true;
        e->forced = clock_mono();
    }
    e->call = fetch_start(p, &fr, on_fetched, e);
}

/* Whether a request may be made now, were one wanted. */
static bool may_refresh(const struct entry *e, bool force)
{
    if (e->call || (e->failed && age_ms(e->tried) < CACHE_RETRY_S * 1000))
        return false;
    return !force || !e->was_forced || age_ms(e->forced) >= CACHE_FORCE_S * 1000;
}

struct cache_call *cache_fetch(struct fetch_cache *c, struct fetch_pool *p,
                               const struct cache_request *rq, fetch_done_fn *done, void *arg)
{
    struct entry *e = entry_for(c, p, rq);
    struct cache_call *call = mem_alloc(sizeof *call);
    const int64_t age = e->has ? age_ms(e->fetched) : INT64_MAX;
    const bool fresh = age < rq->ttl_seconds * 1000 && !rq->force;
    const bool soon = fresh && age >= rq->ttl_seconds * 800;

    if ((!fresh || soon) && may_refresh(e, rq->force))
        refresh(e, p, rq);
    call->entry = e;
    call->ttl = rq->ttl_seconds;
    call->round = e->round;
    call->done = done;
    call->arg = arg;
    if (e->call && !fresh) {
        queue_add(&e->waiting, call);
    } else {
        queue_add(&c->ready, call);
        c->ready_count++;
        loop_timer_set(c->timer, 0);
    }
    return call;
}

bool cache_at_hand(struct fetch_cache *c, struct fetch_pool *p, const struct cache_request *rq,
                   fetch_done_fn *done, void *arg)
{
    struct entry *e = entry_for(c, p, rq);
    struct fetch_result r;

    if (rq->force || !e->has || age_ms(e->fetched) >= rq->ttl_seconds * 800)
        return false;
    fill_result(e, rq->ttl_seconds, &r);
    e->pins++;
    done(arg, &r);
    e->pins--;
    return true;
}

void cache_cancel(struct cache_call **call)
{
    struct cache_call *c = *call;

    *call = NULL;
    if (!c || !c->queue)
        return; /* its callback is running */
    if (c->queue == &c->entry->cache->ready)
        ready_remove(c);
    else
        queue_remove(c);
    free(c);
}
