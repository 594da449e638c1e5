/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/work.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"

struct work_item {
    work_fn *fn;
    struct loop *loop;
    loop_job_fn *done;
    void *arg;
};

struct work {
    pthread_mutex_t lock;
    pthread_cond_t more;
    bool closing;
    struct work_item *ring; /* `max` places, `n` used, the oldest at `first` */
    size_t max, first, n;
    pthread_t *threads;
    unsigned n_threads;
};

static bool work_next(struct work *w, struct work_item *out)
{
    pthread_mutex_lock(&w->lock);
    while (w->n == 0 && !w->closing)
        pthread_cond_wait(&w->more, &w->lock);
    bool got = w->n > 0;
    if (got) {
        *out = w->ring[w->first];
        w->first = (w->first + 1) % w->max;
        w->n--;
    }
    pthread_mutex_unlock(&w->lock);
    return got;
}

static void *work_main(void *arg)
{
    struct work *w = arg;
    struct work_item item;
    while (work_next(w, &item)) {
        item.fn(item.arg);
        if (item.done)
            loop_post(item.loop, item.done, item.arg);
    }
    return NULL;
}

struct work *work_new(unsigned threads, size_t queue_max, struct err *err)
{
    struct work *w = mem_alloc(sizeof *w);
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->more, NULL);
    w->max = queue_max ? queue_max : 1;
    w->ring = mem_alloc(w->max * sizeof *w->ring);
    threads = threads ? threads : 1;
    w->threads = mem_alloc(threads * sizeof *w->threads);

    sigset_t all, before; /* signals are for the main thread */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed = 0;
    while (w->n_threads < threads && !failed) {
        failed = pthread_create(&w->threads[w->n_threads], NULL, work_main, w);
        if (!failed)
            w->n_threads++;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failed) {
        (void)err_set(err, ERR_INTERNAL, "cannot start worker thread %u of %u: %s",
                      w->n_threads + 1, threads, strerror(failed));
        work_free(&w);
    }
    return w;
}

void work_free(struct work **work)
{
    struct work *w = *work;
    if (!w)
        return;
    *work = NULL;
    pthread_mutex_lock(&w->lock);
    w->closing = true;
    pthread_cond_broadcast(&w->more);
    pthread_mutex_unlock(&w->lock);
    for (unsigned i = 0; i < w->n_threads; i++)
        pthread_join(w->threads[i], NULL);
    pthread_cond_destroy(&w->more);
    pthread_mutex_destroy(&w->lock);
    free(w->threads);
    free(w->ring);
    free(w);
}

bool work_submit(struct work *w, work_fn *fn, struct loop *loop, loop_job_fn *done, void *arg)
{
    pthread_mutex_lock(&w->lock);
    bool room = w->n < w->max && !w->closing;
    if (room) {
        w->ring[(w->first + w->n) % w->max] = (struct work_item){fn, loop, done, arg};
        w->n++;
        pthread_cond_signal(&w->more);
    }
    pthread_mutex_unlock(&w->lock);
    return room;
}
