/* SPDX-License-Identifier: Apache-2.0 */
#include "store/keeper.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/arena.h"

enum keeper_state { KEEPER_IDLE = 0, KEEPER_ASKED, KEEPER_MOVED };

struct keeper {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    struct db *db;
    enum keeper_state state; /* under the lock */
    bool stop;               /* under the lock */
    int64_t threshold;       /* the writer's: pages from which to ask */
};

static void *keep(void *arg)
{
    struct keeper *k = arg;

    pthread_mutex_lock(&k->lock);
    while (!k->stop) {
        if (k->state != KEEPER_ASKED) {
            pthread_cond_wait(&k->wake, &k->lock);
            continue;
        }
        pthread_mutex_unlock(&k->lock);
        /* A failure leaves the log as it was: nothing is lost, and the writer asks again. */
        struct err err = ERR_INIT;
        int rc = k->db->driver->checkpoint(k->db, &err);
        pthread_mutex_lock(&k->lock);
        k->state = rc == 0 ? KEEPER_MOVED : KEEPER_IDLE;
    }
    pthread_mutex_unlock(&k->lock);
    return NULL;
}

struct keeper *keeper_start(struct db *db, struct err *err)
{
    struct keeper *k = mem_alloc(sizeof *k);
    k->db = db;
    k->threshold = KEEPER_PAGES;
    pthread_mutex_init(&k->lock, NULL);
    pthread_cond_init(&k->wake, NULL);
    if (pthread_create(&k->thread, NULL, keep, k) == 0)
        return k;
    pthread_cond_destroy(&k->wake);
    pthread_mutex_destroy(&k->lock);
    free(k);
    err_set(err, ERR_INTERNAL, "no thread for the store's log");
    return NULL;
}

void keeper_committed(struct keeper *k, struct db *writer)
{
    int64_t pages = writer->driver->log_pages(writer);
    if (pages < KEEPER_PAGES)
        k->threshold = KEEPER_PAGES;
    if (pages < k->threshold)
        return;

    pthread_mutex_lock(&k->lock);
    enum keeper_state was = k->state;
    k->state = was == KEEPER_MOVED ? KEEPER_IDLE : KEEPER_ASKED;
    if (was == KEEPER_IDLE)
        pthread_cond_signal(&k->wake);
    pthread_mutex_unlock(&k->lock);

    if (was == KEEPER_MOVED) {
        struct err err = ERR_INIT; /* as in keep() */
        if (writer->driver->checkpoint(writer, &err) < 0)
            err_clear(&err);
        /* If a reader still holds on to the log it goes on growing: try again a stretch later. */
        k->threshold = pages + KEEPER_PAGES;
    }
}

void keeper_stop(struct keeper **k)
{
    if (!*k)
        return;
    pthread_mutex_lock(&(*k)->lock);
    (*k)->stop = true;
    pthread_cond_signal(&(*k)->wake);
    pthread_mutex_unlock(&(*k)->lock);
    pthread_join((*k)->thread, NULL);
    pthread_cond_destroy(&(*k)->wake);
    pthread_mutex_destroy(&(*k)->lock);
    free(*k);
    *k = NULL;
}
