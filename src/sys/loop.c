/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/loop.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/arena.h"

/* Fetched at once, and jobs run at once; what is left is done next round. Few, so that a burst of
 * upstream answers cannot keep session checks waiting: those are served between rounds. */
#define LOOP_EVENTS 16
#define LOOP_JOBS 16
#define LOOP_LATE_NS 1000000 /* after this long, what is due waits for the next round */
#define LOOP_LEAST 2         /* events or jobs that have their turn however late it is */
#define LOOP_SLEEP_MAX_MS (60 * 60 * 1000)
#define LOOP_NEAR_NS 1000000000 /* timers further away may be late by a round */

/* Deleted things stay in memory until the round ends (`next_dead`): events fetched earlier in the
 * round may still point to them. */
struct loop_watch {
    struct loop *loop;
    loop_watch_fn *fn; /* NULL once deleted */
    void *arg;
    int fd;
    unsigned events;
    bool registered; /* known to epoll; not while `events` is 0, or a hang-up would spin */
    struct loop_watch *next_dead;
};

struct loop_timer {
    struct loop *loop;
    loop_timer_fn *fn;
    void *arg;
    int64_t due_ns;
    uint64_t armed; /* order of arming: breaks ties, and keeps a round from firing what it armed */
    size_t at;      /* place in the heap + 1; 0: not armed */
};

struct loop_prepare {
    struct loop *loop;
    loop_prepare_fn *fn; /* NULL once deleted */
    void *arg;
    struct loop_prepare *next;
};

struct loop_job {
    loop_job_fn *fn;
    void *arg;
    struct loop_job *next;
};

struct loop {
    int epoll, wake;
    uint64_t rounds;
    bool in_round, prepare_dead;
    struct mono now;
    struct loop_prepare *prepares;
    struct loop_watch *dead;
    struct loop_timer **heap;
    size_t heap_n, heap_cap;
    uint64_t armed;
    atomic_bool stop;
    void *again;          /* what the job that runs goes on with; NULL: it is done */
    pthread_mutex_t lock; /* the two below; nothing else crosses threads */
    struct loop_job *jobs, **jobs_end;
    struct epoll_event events[LOOP_EVENTS]; /* of this round; on the stack it would be zeroed */
};

/* ---- posted jobs ---------------------------------------------------------------------------- */

static void loop_wake(struct loop *l)
{
    uint64_t one = 1;
    ssize_t n;
    do /* EAGAIN: the counter is full, so it is awake anyway */
        n = write(l->wake, &one, sizeof one);
    while (n < 0 && errno == EINTR);
}

void loop_post(struct loop *l, loop_job_fn *fn, void *arg)
{
    struct loop_job *job = mem_alloc(sizeof *job);
    *job = (struct loop_job){.fn = fn, .arg = arg};
    pthread_mutex_lock(&l->lock);
    bool was_empty = !l->jobs;
    *l->jobs_end = job;
    l->jobs_end = &job->next;
    pthread_mutex_unlock(&l->lock);
    if (was_empty) /* otherwise somebody's wake-up is under way and not yet taken */
        loop_wake(l);
}

void loop_again(struct loop *l, void *arg)
{
    l->again = arg;
}

bool loop_pending(struct loop *l)
{
    pthread_mutex_lock(&l->lock);
    const bool any = l->jobs != NULL;
    pthread_mutex_unlock(&l->lock);
    return any;
}

/* What did not get its turn, back to the front. */
static void loop_put_back(struct loop *l, struct loop_job *job)
{
    struct loop_job **last = &job->next;
    while (*last)
        last = &(*last)->next;
    pthread_mutex_lock(&l->lock);
    *last = l->jobs;
    if (l->jobs == NULL)
        l->jobs_end = last;
    l->jobs = job;
    pthread_mutex_unlock(&l->lock);
}

/* What is there now; jobs posted meanwhile wait for the next call. With UINT_MAX all of it,
 * otherwise at most `max`, and few when it is late. */
static bool loop_run_jobs(struct loop *l, unsigned max)
{
    pthread_mutex_lock(&l->lock);
    struct loop_job *job = l->jobs;
    struct loop_job **last = &l->jobs;
    for (unsigned i = 0; i < max && *last; i++)
        last = &(*last)->next;
    l->jobs = *last;
    *last = NULL;
    if (l->jobs == NULL)
        l->jobs_end = &l->jobs;
    bool left = l->jobs != NULL;
    pthread_mutex_unlock(&l->lock);
    bool any = job != NULL;
    for (unsigned done = 0; job; done++) {
        if (max < UINT_MAX && done >= LOOP_LEAST && loop_late(l)) {
            loop_put_back(l, job);
            left = true;
            break;
        }
        struct loop_job *next = job->next;
        job->fn(job->arg);
        if (l->again) {
            job->arg = l->again;
            l->again = NULL;
            if (max == UINT_MAX)
                continue; /* there may be no next round */
            loop_put_back(l, job);
            left = true;
            break;
        }
        free(job);
        job = next;
    }
    if (left)
        loop_wake(l);
    return any;
}

void loop_stop(struct loop *l)
{
    int saved = errno; /* a signal handler must not change it */
    atomic_store(&l->stop, true);
    loop_wake(l);
    errno = saved;
}

/* ---- descriptors ---------------------------------------------------------------------------- */

static int loop_watch_sync(struct loop_watch *w)
{
    struct loop *l = w->loop;
    if (!w->events) {
        if (w->registered)
            (void)epoll_ctl(l->epoll, EPOLL_CTL_DEL, w->fd, NULL); /* closed already is fine */
        w->registered = false;
        return 0;
    }
    struct epoll_event e = {.data.ptr = w};
    e.events = w->events & LOOP_READ ? (uint32_t)EPOLLIN : 0u;
    e.events |= w->events & LOOP_WRITE ? (uint32_t)EPOLLOUT : 0u;
    int op = w->registered ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
    int r = epoll_ctl(l->epoll, op, w->fd, &e);
    if (r < 0 && errno == ENOENT) /* closed and opened again under the same number */
        r = epoll_ctl(l->epoll, EPOLL_CTL_ADD, w->fd, &e);
    w->registered = r == 0;
    return r;
}

struct loop_watch *loop_watch_add(struct loop *l, int fd, unsigned events, loop_watch_fn *fn,
                                  void *arg)
{
    struct loop_watch *w = mem_alloc(sizeof *w);
    *w = (struct loop_watch){.loop = l, .fn = fn, .arg = arg, .fd = fd, .events = events};
    if (loop_watch_sync(w) < 0) {
        free(w);
        return NULL;
    }
    return w;
}

void loop_watch_set(struct loop_watch *w, unsigned events)
{
    if (w->events == events)
        return;
    w->events = events;
    (void)loop_watch_sync(w); /* fails only for a closed descriptor, which is never ready */
}

void loop_watch_del(struct loop_watch **watch)
{
    struct loop_watch *w = *watch;
    if (!w)
        return;
    *watch = NULL;
    w->events = 0;
    (void)loop_watch_sync(w);
    w->fn = NULL;
    if (!w->loop->in_round) {
        free(w);
        return;
    }
    w->next_dead = w->loop->dead;
    w->loop->dead = w;
}

static void loop_watch_ready(struct loop_watch *w, uint32_t got)
{
    unsigned events = 0;
    if (got & (EPOLLERR | EPOLLHUP))
        events = LOOP_READ | LOOP_WRITE;
    else
        events = ((got & EPOLLIN ? LOOP_READ : 0) | (got & EPOLLOUT ? LOOP_WRITE : 0)) & w->events;
    if (w->fn && w->events && events)
        w->fn(w->arg, w->fd, events);
}

/* ---- timers: a binary heap, the earliest on top -------------------------------------------- */

static bool timer_before(const struct loop_timer *a, const struct loop_timer *b)
{
    return a->due_ns != b->due_ns ? a->due_ns < b->due_ns : a->armed < b->armed;
}

static void heap_put(struct loop *l, size_t i, struct loop_timer *t)
{
    l->heap[i] = t;
    t->at = i + 1;
}

static void heap_up(struct loop *l, size_t i, struct loop_timer *t)
{
    for (; i > 0 && timer_before(t, l->heap[(i - 1) / 2]); i = (i - 1) / 2)
        heap_put(l, i, l->heap[(i - 1) / 2]);
    heap_put(l, i, t);
}

static void heap_down(struct loop *l, size_t i, struct loop_timer *t)
{
    for (;;) {
        size_t child = 2 * i + 1;
        if (child + 1 < l->heap_n && timer_before(l->heap[child + 1], l->heap[child]))
            child++;
        if (child >= l->heap_n || !timer_before(l->heap[child], t))
            break;
        heap_put(l, i, l->heap[child]);
        i = child;
    }
    heap_put(l, i, t);
}

static void timer_disarm(struct loop_timer *t)
{
    struct loop *l = t->loop;
    if (!t->at)
        return;
    size_t i = t->at - 1;
    t->at = 0;
    struct loop_timer *last = l->heap[--l->heap_n];
    if (last == t)
        return;
    if (i > 0 && timer_before(last, l->heap[(i - 1) / 2]))
        heap_up(l, i, last);
    else
        heap_down(l, i, last);
}

struct loop_timer *loop_timer_add(struct loop *l, loop_timer_fn *fn, void *arg)
{
    struct loop_timer *t = mem_alloc(sizeof *t);
    *t = (struct loop_timer){.loop = l, .fn = fn, .arg = arg};
    return t;
}

void loop_timer_set(struct loop_timer *t, int64_t ms)
{
    struct loop *l = t->loop;
    timer_disarm(t);
    if (ms < 0)
        return;
    int64_t now = clock_mono().ns;
    t->due_ns = ms > (INT64_MAX - now) / 1000000 ? INT64_MAX : now + ms * 1000000;
    t->armed = ++l->armed;
    if (l->heap_n == l->heap_cap) {
        l->heap_cap = l->heap_cap ? 2 * l->heap_cap : 16;
        l->heap = mem_grow(l->heap, l->heap_cap * sizeof(struct loop_timer *));
    }
    heap_up(l, l->heap_n++, t);
}

void loop_timer_del(struct loop_timer **timer)
{
    struct loop_timer *t = *timer;
    if (!t)
        return;
    *timer = NULL;
    timer_disarm(t); /* nothing but the heap points to it, so it can go at once */
    free(t);
}

static void loop_run_timers(struct loop *l)
{
    uint64_t last = l->armed; /* what a callback arms now waits for the next round */
    while (l->heap_n > 0 && l->heap[0]->due_ns <= l->now.ns && l->heap[0]->armed <= last) {
        struct loop_timer *t = l->heap[0];
        timer_disarm(t);
        t->fn(t->arg);
        if (loop_late(l))
            break;
    }
}

/* ---- before the wait ------------------------------------------------------------------------ */

struct loop_prepare *loop_prepare_add(struct loop *l, loop_prepare_fn *fn, void *arg)
{
    struct loop_prepare *p = mem_alloc(sizeof *p), **end = &l->prepares;
    *p = (struct loop_prepare){.loop = l, .fn = fn, .arg = arg};
    while (*end)
        end = &(*end)->next;
    *end = p;
    return p;
}

static void loop_sweep_prepares(struct loop *l)
{
    l->prepare_dead = false;
    for (struct loop_prepare **p = &l->prepares; *p;) {
        struct loop_prepare *gone = *p;
        if (gone->fn) {
            p = &gone->next;
            continue;
        }
        *p = gone->next;
        free(gone);
    }
}

void loop_prepare_del(struct loop_prepare **prepare)
{
    struct loop_prepare *p = *prepare;
    if (!p)
        return;
    *prepare = NULL;
    p->fn = NULL;
    p->loop->prepare_dead = true;
    if (!p->loop->in_round)
        loop_sweep_prepares(p->loop);
}

/* How long this round may sleep: the least of what the caller, the prepares and the timers say. */
static int loop_sleep(struct loop *l, int ms)
{
    int64_t sleep = ms < 0 ? LOOP_SLEEP_MAX_MS : ms;
    for (struct loop_prepare *p = l->prepares; p; p = p->next) {
        int64_t say = p->fn ? p->fn(p->arg) : -1;
        if (say >= 0 && say < sleep)
            sleep = say;
    }
    if (sleep > 0 && l->heap_n > 0) {
        int64_t left = l->heap[0]->due_ns - l->now.ns;
        if (left <
            LOOP_NEAR_NS) /* else a round's length does not matter, but reading the clock does */
            left = l->heap[0]->due_ns - clock_mono().ns;
        int64_t say = left <= 0 ? 0 : left / 1000000 + (left % 1000000 != 0);
        if (say < sleep)
            sleep = say;
    }
    if (atomic_load_explicit(&l->stop, memory_order_relaxed))
        return 0;
    return sleep > LOOP_SLEEP_MAX_MS ? LOOP_SLEEP_MAX_MS : (int)sleep;
}

/* ---- the round ------------------------------------------------------------------------------ */

static void loop_round(struct loop *l, int ms)
{
    struct epoll_event *events = l->events;
    l->in_round = true;
    int n = epoll_wait(l->epoll, events, LOOP_EVENTS, loop_sleep(l, ms));
    l->now = clock_mono();
    l->rounds++;
    bool posted = false;
    int done = 0;
    for (int i = 0; i < n; i++) { /* n is -1 after a signal */
        if (!events[i].data.ptr)
            posted = true;
        else if (done++ < LOOP_LEAST || !loop_late(l)) /* the kernel says the others again */
            loop_watch_ready(events[i].data.ptr, events[i].events);
    }
    if (l->heap_n > 0)
        loop_run_timers(l);
    if (posted) {
        uint64_t count;
        while (read(l->wake, &count, sizeof count) < 0 && errno == EINTR)
            continue;
        (void)loop_run_jobs(l, LOOP_JOBS);
    }
    l->in_round = false;
    while (l->dead) {
        struct loop_watch *w = l->dead;
        l->dead = w->next_dead;
        free(w);
    }
    if (l->prepare_dead)
        loop_sweep_prepares(l);
}

void loop_once(struct loop *l, int ms)
{
    loop_round(l, ms);
}

void loop_run(struct loop *l)
{
    while (!atomic_load_explicit(&l->stop, memory_order_relaxed))
        loop_round(l, -1);
    (void)loop_run_jobs(l, UINT_MAX);
    atomic_store(&l->stop, false);
}

struct mono loop_now(const struct loop *l)
{
    return l->now;
}

bool loop_late(const struct loop *l)
{
    return clock_mono().ns - l->now.ns > LOOP_LATE_NS;
}

uint64_t loop_rounds(const struct loop *l)
{
    return l->rounds;
}

struct loop *loop_new(struct err *err)
{
    struct loop *l = mem_alloc(sizeof *l);
    pthread_mutex_init(&l->lock, NULL);
    atomic_init(&l->stop, false);
    l->jobs_end = &l->jobs;
    l->now = clock_mono();
    l->epoll = epoll_create1(EPOLL_CLOEXEC);
    l->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    struct epoll_event e = {.events = EPOLLIN, .data.ptr = NULL};
    if (l->epoll < 0 || l->wake < 0 || epoll_ctl(l->epoll, EPOLL_CTL_ADD, l->wake, &e) < 0) {
        (void)err_set(err, ERR_INTERNAL, "cannot make an event loop: %s", strerror(errno));
        loop_free(&l);
    }
    return l;
}

void loop_free(struct loop **loop)
{
    struct loop *l = *loop;
    if (!l)
        return;
    *loop = NULL;
    while (loop_run_jobs(l, UINT_MAX)) /* their arguments have no other owner */
        continue;
    loop_sweep_prepares(l);
    if (l->epoll >= 0)
        close(l->epoll);
    if (l->wake >= 0)
        close(l->wake);
    pthread_mutex_destroy(&l->lock);
    free(l->heap);
    free(l);
}
