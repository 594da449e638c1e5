/* SPDX-License-Identifier: Apache-2.0 */
#include "net/fetch.h"

#include <stdlib.h>
#include <unistd.h>

#include "net/fetch_parts.h"

#define SYSTEM_BUNDLE "/etc/ssl/certs/ca-certificates.crt"
/* Connections kept for the next login when nothing is under way. Each idle TLS one costs tens of
 * kilobytes, and once a second libcurl looks whether they still stand and closes those that do not:
 * 15 us each, in one call. */
#define CONNECTIONS_KEPT 256u
#define CONNECTIONS_STEP 64u

void call_list_add(struct call_list *l, struct fetch_call *c)
{
    c->list = l;
    c->prev = l->last;
    c->next = NULL;
    if (l->last)
        l->last->next = c;
    else
        l->first = c;
    l->last = c;
}

void call_list_remove(struct fetch_call *c)
{
    if (!c->list)
        return;
    if (c->prev)
        c->prev->next = c->next;
    else
        c->list->first = c->next;
    if (c->next)
        c->next->prev = c->prev;
    else
        c->list->last = c->prev;
    c->prev = c->next = NULL;
    c->list = NULL;
}

static void call_free(struct fetch_call *c)
{
    loop_timer_del(&c->wait_timer);
    fetch_slist_wipe(&c->headers);
    buf_wipe(&c->body);
    buf_wipe(&c->answer);
    arena_free(&c->arena);
    free(c);
}

static void ready_remove(struct fetch_call *c)
{
    call_list_remove(c);
    c->pool->ready_count--;
    c->pool->f->ready_count--;
}

/* Run the callback of a call that is in no list any more, and forget it. */
static void deliver(struct fetch_call *c)
{
    struct fetch_pool *p = c->pool;

    c->result.ms = mono_ms(c->began, clock_mono());
    c->delivering = true;
    p->ready_count++; /* keeps the pool while the callback may free it */
    c->done(c->arg, &c->result);
    p->ready_count--;
    call_free(c);
    fetch_pool_maybe_free(p);
}

static void deliver_ready(struct fetch *f)
{
    /* A few at a time, so that whatever else the loop does comes in between. */
    for (unsigned n = FETCH_DELIVERIES; n > 0 && f->ready.first; n--) {
        struct fetch_call *c = f->ready.first;

        ready_remove(c);
        deliver(c);
    }
    if (f->ready.first)
        loop_timer_set(f->ready_timer, 0);
}

void fetch_end_soon(struct fetch_call *c, uint32_t transport, enum err_kind kind, const char *text)
{
    struct fetch *f = c->pool->f;

    loop_timer_del(&c->wait_timer);
    c->result.transport = transport;
    err_set(&c->result.err, kind, "%s", text);
    call_list_add(&f->ready, c);
    c->pool->ready_count++;
    f->ready_count++;
    loop_timer_set(f->ready_timer, 0);
}

static CURL *easy_take(struct fetch *f)
{
    return f->n_idle > 0 ? f->idle[--f->n_idle] : fetch_easy_new();
}

static void easy_give(struct fetch *f, CURL *easy)
{
    fetch_easy_clear(easy);
    if (f->n_idle < FETCH_IDLE_MAX)
        f->idle[f->n_idle++] = easy;
    else
        curl_easy_cleanup(easy);
}

/* libcurl counts connections in use as well: a limit below them would end each with its transfer.
 */
static void keep_connections(struct fetch *f)
{
    const unsigned room = (f->in_flight / CONNECTIONS_STEP + 2) * CONNECTIONS_STEP;
    const unsigned keep = room > CONNECTIONS_KEPT ? room : CONNECTIONS_KEPT;

    if (keep != f->kept)
        curl_multi_setopt(f->multi, CURLMOPT_MAXCONNECTS, (long)keep);
    f->kept = keep;
}

void fetch_activate(struct fetch_call *c)
{
    struct fetch_pool *p = c->pool;
    struct fetch *f = p->f;
    const int64_t left = c->total_ms - mono_ms(c->began, clock_mono());

    c->easy = easy_take(f);
    fetch_easy_set(c->easy, c, left > 0 ? left : 1);
    if (curl_multi_add_handle(f->multi, c->easy) != CURLM_OK)
        abort(); /* a handle that is in use, or no memory */
    call_list_add(&p->active, c);
    p->in_flight++;
    p->connecting++;
    f->in_flight++;
    keep_connections(f);
}

/* Take a call back from libcurl, complete or not. */
static void deactivate(struct fetch_call *c)
{
    struct fetch_pool *p = c->pool;

    curl_multi_remove_handle(p->f->multi, c->easy);
    easy_give(p->f, c->easy);
    c->easy = NULL;
    call_list_remove(c);
    p->in_flight--;
    if (!c->connected)
        p->connecting--;
    p->f->in_flight--;
    keep_connections(p->f);
}

/* Deliver what libcurl has finished. Callbacks may start and cancel calls and free pools: after
 * each, look again from the start. */
static void deliver_done(struct fetch *f)
{
    const CURLMsg *m;
    int left = 0;

    for (unsigned n = FETCH_DELIVERIES; n > 0 && (m = curl_multi_info_read(f->multi, &left)); n--) {
        struct fetch_call *c = NULL;
        const CURLcode code = m->data.result;
        long status = 0;

        if (m->msg != CURLMSG_DONE)
            continue;
        curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &c);
        curl_easy_getinfo(m->easy_handle, CURLINFO_RESPONSE_CODE, &status);
        deactivate(c);
        fetch_answer_finish(c, code, status);
        fetch_pool_note(c->pool, &c->result);
        deliver(c);
    }
    if (left > 0)
        loop_timer_set(f->ready_timer, 0);
    fetch_pool_dispatch(f);
}

static void on_ready_timer(void *arg)
{
    deliver_ready(arg);
    deliver_done(arg);
}

void fetch_socket_ready(struct fetch *f, int fd, unsigned events)
{
    int running;
    const int mask =
        (events & LOOP_READ ? CURL_CSELECT_IN : 0) | (events & LOOP_WRITE ? CURL_CSELECT_OUT : 0);

    curl_multi_socket_action(f->multi, fd, mask, &running);
    deliver_done(f);
}

static void on_curl_timer(void *arg)
{
    struct fetch *f = arg;
    int running;

    curl_multi_socket_action(f->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    deliver_done(f);
}

static void on_start_timer(void *arg)
{
    fetch_pool_dispatch(arg);
}

/* libcurl says when it wants to be called. Never call it from here: it is in the middle of things.
 */
static int set_timer(CURLM *multi, long ms, void *arg)
{
    struct fetch *f = arg;

    (void)multi;
    loop_timer_set(f->curl_timer, ms);
    return 0;
}

struct fetch *fetch_new(struct loop *l, const struct fetch_options *o, struct err *err)
{
    const char *ca = o->ca_file ? o->ca_file : SYSTEM_BUNDLE;
    struct fetch *f;

    if (access(ca, R_OK) != 0) {
        err_set(err, ERR_MISCONFIGURED, "the file of trusted certificates %s cannot be read", ca);
        return NULL;
    }
    /* Counted and safe from several threads (7.84); never undone, as other loops may use it. */
    if (fetch_easy_global() != CURLE_OK) {
        err_set(err, ERR_INTERNAL, "libcurl does not start");
        return NULL;
    }
    f = mem_alloc(sizeof *f);
    f->loop = l;
    f->ca_file = mem_dup(ca);
    f->allow_http_loopback = o->allow_http_loopback;
    f->max_in_flight = o->max_in_flight ? o->max_in_flight : 4096;
    f->curl_timer = loop_timer_add(l, on_curl_timer, f);
    f->ready_timer = loop_timer_add(l, on_ready_timer, f);
    f->start_timer = loop_timer_add(l, on_start_timer, f);
    f->multi = curl_multi_init();
    if (!f->multi)
        abort();
    curl_multi_setopt(f->multi, CURLMOPT_SOCKETFUNCTION, fetch_socket_watch);
    curl_multi_setopt(f->multi, CURLMOPT_SOCKETDATA, f);
    curl_multi_setopt(f->multi, CURLMOPT_TIMERFUNCTION, set_timer);
    curl_multi_setopt(f->multi, CURLMOPT_TIMERDATA, f);
    keep_connections(f);
    curl_multi_setopt(f->multi, CURLMOPT_PIPELINING, CURLPIPE_NOTHING);
    return f;
}

static void pool_cancel_all(struct fetch_pool *p)
{
    while (p->active.first) {
        struct fetch_call *c = p->active.first;
        deactivate(c);
        call_free(c);
    }
    while (p->waiting.first) {
        struct fetch_call *c = p->waiting.first;
        call_list_remove(c);
        p->waiting_count--;
        call_free(c);
    }
}

void fetch_free(struct fetch **fp)
{
    struct fetch *f = *fp;

    if (!f)
        return;
    while (f->ready.first) {
        struct fetch_call *c = f->ready.first;
        ready_remove(c);
        call_free(c);
    }
    while (f->pools) {
        struct fetch_pool *p = f->pools;
        pool_cancel_all(p);
        fetch_pool_unlink(p);
        fetch_pool_maybe_free(p);
    }
    while (f->n_idle > 0)
        curl_easy_cleanup(f->idle[--f->n_idle]);
    curl_multi_cleanup(f->multi);
    fetch_sockets_free(f);
    loop_timer_del(&f->curl_timer);
    loop_timer_del(&f->ready_timer);
    loop_timer_del(&f->start_timer);
    free(f->ca_file);
    free(f);
    *fp = NULL;
}

struct fetch_call *fetch_start(struct fetch_pool *p, const struct fetch_request *rq,
                               fetch_done_fn *done, void *arg)
{
    struct fetch_call *c = mem_alloc(sizeof *c);
    struct err err = ERR_INIT;

    c->pool = p;
    c->done = done;
    c->arg = arg;
    c->arena = arena_new();
    c->began = clock_mono();
    c->result.retry_after = -1;
    c->result.content_type = c->result.charset = "";
    c->result.body = STR("");
    if (fetch_request_take(c, rq, &err) < 0)
        fetch_end_soon(c, USHER_TRANSPORT_REFUSED, err.kind, err.text);
    else
        fetch_pool_admit(c);
    return c;
}

void fetch_cancel(struct fetch_call **cp)
{
    struct fetch_call *c = *cp;
    struct fetch_pool *p;

    *cp = NULL;
    if (!c || c->delivering)
        return; /* its callback is running: nothing more will come anyway */
    p = c->pool;
    if (c->easy) {
        deactivate(c);
        fetch_pool_dispatch(p->f);
    } else if (c->list == &p->waiting) {
        call_list_remove(c);
        p->waiting_count--;
    } else {
        ready_remove(c);
    }
    call_free(c);
    fetch_pool_maybe_free(p);
}
