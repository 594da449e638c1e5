/* SPDX-License-Identifier: Apache-2.0 */
#include "store/store.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "base/arena.h"
#include "store/batch.h"
#include "store/keeper.h"

#define QUEUE_MAX 8192
#define THREADS_MAX 8
#define DELIVER_LEAST 2 /* answers handed back however late the loop is */
#define COMPANY_MS 3    /* how long a busy writer waits for more to share its next commit */
#define BUSY_COMMITS 8  /* how many lone ones make it a writer that is not busy */
#define SPAN 8          /* commits; see struct company */

/* A queue and the threads that serve it. */
struct lane {
    pthread_mutex_t lock;
    pthread_cond_t wake;
    pthread_cond_t together;        /* as many as are wanted */
    struct store_job *head, **tail; /* under the lock, as is the rest */
    size_t n;
    size_t wanted; /* how many a writer waits for; 0: none does */
    bool stop;
};

struct worker {
    struct store *store;
    struct lane *lane;
    struct db *db;
    pthread_t thread;
    bool started;
};

struct store {
    const struct store_driver *driver;
    struct store_site *site;
    struct lane writes, reads;
    struct worker workers[THREADS_MAX];
    size_t n_workers;
    struct keeper *keeper;
    struct db *keeper_db;
    store_error_fn *on_error;
    void *on_error_arg;
    atomic_bool short_ips;
    atomic_uint_fast64_t commits, changes, jobs_done, failures, under_way;
};

struct store_wait {
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool over;
};

/* ---- queues -------------------------------------------------------------------------------------
 */

static void lane_init(struct lane *q)
{
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&q->lock, NULL);
    pthread_cond_init(&q->wake, NULL);
    pthread_cond_init(&q->together, &monotonic);
    pthread_condattr_destroy(&monotonic);
    q->tail = &q->head;
}

static void lane_deinit(struct lane *q)
{
    pthread_cond_destroy(&q->wake);
    pthread_cond_destroy(&q->together);
    pthread_mutex_destroy(&q->lock);
}

static bool lane_put(struct lane *q, struct store_job *job)
{
    pthread_mutex_lock(&q->lock);
    bool fits = q->n < QUEUE_MAX && !q->stop;
    if (fits) {
        job->next = NULL;
        *q->tail = job;
        q->tail = &job->next;
        q->n++;
        pthread_cond_signal(&q->wake);
        if (q->wanted > 0 && q->n >= q->wanted)
            pthread_cond_broadcast(&q->together);
    }
    pthread_mutex_unlock(&q->lock);
    return fits;
}

/* Up to `max` jobs as a list, *n of them. NULL: none, and if `wait`, none will ever come. */
static struct store_job *lane_take(struct lane *q, size_t max, bool wait, size_t *n)
{
    pthread_mutex_lock(&q->lock);
    while (!q->head && !q->stop && wait)
        pthread_cond_wait(&q->wake, &q->lock);
    struct store_job *first = q->head, **end = &q->head;
    for (*n = 0; *n < max && *end; ++*n)
        end = &(*end)->next;
    q->n -= *n;
    q->head = *end;
    if (!q->head)
        q->tail = &q->head;
    if (first)
        *end = NULL;
    pthread_mutex_unlock(&q->lock);
    return first;
}

static void lane_stop(struct lane *q)
{
    pthread_mutex_lock(&q->lock);
    q->stop = true;
    pthread_cond_broadcast(&q->wake);
    pthread_cond_broadcast(&q->together);
    pthread_mutex_unlock(&q->lock);
}

/* ---- answers ------------------------------------------------------------------------------------
 */

/* On the loop: a list of jobs that all asked from it. A large batch is spread over rounds, and what
 * was committed later waits for the rest of it. */
static void deliver(void *arg)
{
    struct store_job *job = arg, *next;

    for (unsigned n = 0; job; job = next, n++) {
        if (n >= DELIVER_LEAST && loop_late(job->loop)) {
            loop_again(job->loop, job);
            return;
        }
        next = job->next;
        job->done(job->arg, job->outcome, job->outcome == STORE_DONE ? NULL : &job->err);
        free(job);
    }
}

static void wait_over(struct store_wait *w)
{
    pthread_mutex_lock(&w->lock);
    w->over = true;
    pthread_cond_signal(&w->wake);
    pthread_mutex_unlock(&w->lock);
}

/* Hands every job back to whoever waits, in the order of their turns: what memory is told of an
 * end must come after what it is told of things that were made before it. Neighbours of one loop
 * share one wake-up. */
static void answer(struct store *s, struct store_job *jobs)
{
    struct store_job *chain = NULL, **tail = &chain;
    struct loop *loop = NULL;
    uint64_t n = 0;

    for (struct store_job *job = jobs, *next; job; job = next, n++) {
        next = job->next;
        job->next = NULL;
        atomic_fetch_add_explicit(&s->jobs_done, 1, memory_order_relaxed);
        if (job->outcome != STORE_DONE) {
            atomic_fetch_add_explicit(&s->failures, 1, memory_order_relaxed);
            if (s->on_error)
                s->on_error(s->on_error_arg, &job->err);
        }
        if (!job->wait && !job->done) {
            free(job);
            continue;
        }
        if (chain && (job->wait || job->loop != loop)) {
            loop_post(loop, deliver, chain);
            chain = NULL;
            tail = &chain;
        }
        if (job->wait) { /* the waiter owns it, and may be gone right after */
            wait_over(job->wait);
            continue;
        }
        loop = job->loop;
        *tail = job;
        tail = &job->next;
    }
    if (chain)
        loop_post(loop, deliver, chain);
    atomic_fetch_sub(&s->under_way, n);
}

/* ---- threads ------------------------------------------------------------------------------------
 */

/* No transaction can be begun, and that took a while to find out. Whoever queued up meanwhile has
 * waited as long: they get the same answer instead of a turn each. */
static void give_up(struct worker *w, struct store_job *jobs)
{
    struct err why = jobs->err;
    answer(w->store, jobs);
    size_t n;
    struct store_job *rest = lane_take(w->lane, SIZE_MAX, false, &n);
    if (!rest)
        return;
    for (struct store_job *job = rest; job; job = job->next) {
        job->outcome = STORE_FAILED;
        job->err = why;
    }
    answer(w->store, rest);
}

/* How many write at the same time: the most that shared a commit or were waiting right after it, of
 * the last SPAN commits or two. */
struct company {
    size_t most, before;
    unsigned commits;
};

static size_t company_note(struct company *c, size_t n)
{
    if (++c->commits == SPAN) {
        c->before = c->most;
        c->most = 0;
        c->commits = 0;
    }
    if (n > c->most)
        c->most = n;
    return c->most > c->before ? c->most : c->before;
}

/* Most of what a commit costs is paid once for all who share it, and whoever shares one is rarely
 * the last to come: so for some time after a shared commit the next ones wait a moment for company,
 * until there are as many as ever of late. Writes that come alone wait for nothing, neither the
 * first nor one after the other. `done`: how many shared the last commit. */
static void wait_for_company(struct lane *q, struct company *c, size_t done, size_t enough)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += COMPANY_MS * 1000000L;
    until.tv_sec += until.tv_nsec / 1000000000L;
    until.tv_nsec %= 1000000000L;

    pthread_mutex_lock(&q->lock);
    const size_t usual = company_note(c, done + q->n);
    if (usual < enough)
        enough = usual;
    q->wanted = enough;
    while (q->n < enough && !q->stop &&
           pthread_cond_timedwait(&q->together, &q->lock, &until) != ETIMEDOUT)
        continue;
    q->wanted = 0;
    pthread_mutex_unlock(&q->lock);
}

static void *write_thread(void *arg)
{
    struct worker *w = arg;
    struct store *s = w->store;
    struct company company = {.commits = 0};
    struct store_job *jobs;
    unsigned busy = 0;
    size_t n;

    while ((jobs = lane_take(w->lane, s->driver->batch_max, true, &n))) {
        busy = n > 1 ? BUSY_COMMITS : busy > 0 ? busy - 1 : 0;
        const bool begun = batch_write(w->db, jobs);
        atomic_fetch_add_explicit(&s->changes, 1, memory_order_release);
        if (begun) {
            atomic_fetch_add_explicit(&s->commits, 1, memory_order_relaxed);
            answer(s, jobs);
        } else {
            give_up(w, jobs);
        }
        if (s->keeper)
            keeper_committed(s->keeper, w->db);
        if (busy > 0)
            wait_for_company(w->lane, &company, n, s->driver->batch_max);
    }
    return NULL;
}

static void *read_thread(void *arg)
{
    struct worker *w = arg;
    struct store_job *job;
    size_t n;

    while ((job = lane_take(w->lane, 1, true, &n))) {
        batch_read(w->db, job);
        answer(w->store, job);
    }
    return NULL;
}

static int start(struct store *s, enum store_role role, struct err *err)
{
    struct worker *w = &s->workers[s->n_workers];
    w->store = s;
    w->lane = role == STORE_WRITER ? &s->writes : &s->reads;
    if (!(w->db = s->driver->connect(s->site, role, err)))
        return -1;
    w->db->short_ips = &s->short_ips;
    s->n_workers++;
    if (role == STORE_WRITER && s->n_workers == 1 && migrate_run(w->db, err) < 0)
        return -1;
    if (pthread_create(&w->thread, NULL, role == STORE_WRITER ? write_thread : read_thread, w) != 0)
        return err_set(err, ERR_INTERNAL, "no thread for the store");
    w->started = true;
    return 0;
}

static int start_all(struct store *s, struct err *err)
{
    const struct store_driver *d = s->driver;

    for (unsigned i = 0; i < d->writers; i++) {
        /* The writers' first act may need the keeper, so it comes before them. */
        if (i == 0 && d->checkpoint) {
            if (!(s->keeper_db = d->connect(s->site, STORE_KEEPER, err)) ||
                !(s->keeper = keeper_start(s->keeper_db, err)))
                return -1;
        }
        if (start(s, STORE_WRITER, err) < 0)
            return -1;
    }
    for (unsigned i = 0; i < d->readers; i++)
        if (start(s, STORE_READER, err) < 0)
            return -1;
    return 0;
}

/* ---- the room's door ----------------------------------------------------------------------------
 */

static const struct store_driver *driver_of(const char *url, const char **where, struct err *err)
{
    struct str u = str_of(url);
    if (str_starts(u, "sqlite:")) {
        *where = url + strlen("sqlite:");
        return &store_sqlite;
    }
    if (str_starts(u, "postgresql://") || str_starts(u, "postgres://")) {
        *where = url;
#ifdef HAVE_LIBPQ
        return &store_pgsql;
#else
        err_set(err, ERR_MISCONFIGURED, "this usher was built without PostgreSQL");
        return NULL;
#endif
    }
    /* The rest may hold a password: it is not repeated. */
    err_set(err, ERR_MISCONFIGURED, "a store is \"sqlite:/path/to/file\" or \"postgresql://...\"");
    return NULL;
}

struct store *store_open(const char *url, struct err *err)
{
    const char *where = NULL;
    const struct store_driver *driver = driver_of(url, &where, err);
    if (!driver)
        return NULL;

    struct store *s = mem_alloc(sizeof *s);
    s->driver = driver;
    lane_init(&s->writes);
    lane_init(&s->reads);
    if ((s->site = driver->site_open(where, err)) && start_all(s, err) == 0)
        return s;
    err_context(err, "store");
    store_close(&s);
    return NULL;
}

static void hang_up(struct db *db)
{
    db_forget_statements(db);
    db->driver->disconnect(db);
}

void store_stop(struct store *s)
{
    lane_stop(&s->reads);
    lane_stop(&s->writes);
    for (size_t i = 0; i < s->n_workers; i++) {
        if (s->workers[i].started)
            pthread_join(s->workers[i].thread, NULL);
        s->workers[i].started = false;
    }
}

void store_close(struct store **s)
{
    struct store *store = *s;
    if (!store)
        return;
    store_stop(store);
    keeper_stop(&store->keeper);
    if (store->keeper_db)
        hang_up(store->keeper_db);
    /* The writer was first and goes last: SQLite's last connection moves the log and removes it. */
    for (size_t i = store->n_workers; i > 0; i--)
        hang_up(store->workers[i - 1].db);
    if (store->site)
        store->driver->site_close(store->site);
    lane_deinit(&store->writes);
    lane_deinit(&store->reads);
    free(store);
    *s = NULL;
}

uint64_t store_changes(const struct store *s)
{
    return atomic_load_explicit(&s->changes, memory_order_acquire);
}

bool store_shared(const struct store *s)
{
    return s->driver->shared;
}

void store_on_error(struct store *s, store_error_fn *fn, void *arg)
{
    s->on_error = fn;
    s->on_error_arg = arg;
}

void store_set_short_ips(struct store *s, bool on)
{
    atomic_store_explicit(&s->short_ips, on, memory_order_relaxed);
}

static bool put(struct store *s, struct lane *lane, struct store_job *job)
{
    atomic_fetch_add(&s->under_way, 1);
    const bool fits = lane_put(lane, job);
    if (!fits)
        atomic_fetch_sub(&s->under_way, 1);
    return fits;
}

static bool ask(struct store *s, struct lane *lane, store_fn *fn, struct loop *loop,
                store_done_fn *done, void *arg)
{
    struct store_job *job = mem_alloc(sizeof *job);
    job->fn = fn;
    job->arg = arg;
    job->loop = loop;
    job->done = done;
    if (put(s, lane, job))
        return true;
    free(job);
    return false;
}

bool store_write(struct store *s, store_fn *fn, struct loop *loop, store_done_fn *done, void *arg)
{
    return ask(s, &s->writes, fn, loop, done, arg);
}

bool store_read(struct store *s, store_fn *fn, struct loop *loop, store_done_fn *done, void *arg)
{
    return ask(s, &s->reads, fn, loop, done, arg);
}

static enum store_outcome ask_now(struct store *s, struct lane *lane, store_fn *fn, void *arg,
                                  struct err *err)
{
    struct store_wait wait = {.over = false};
    struct store_job job = {.fn = fn, .arg = arg, .wait = &wait};

    pthread_mutex_init(&wait.lock, NULL);
    pthread_cond_init(&wait.wake, NULL);
    if (put(s, lane, &job)) {
        pthread_mutex_lock(&wait.lock);
        while (!wait.over)
            pthread_cond_wait(&wait.wake, &wait.lock);
        pthread_mutex_unlock(&wait.lock);
    } else {
        job.outcome = STORE_FAILED;
        err_set(&job.err, ERR_LIMITED, "the store's queue is full");
    }
    pthread_cond_destroy(&wait.wake);
    pthread_mutex_destroy(&wait.lock);
    if (job.outcome != STORE_DONE && err && err->kind == ERR_NONE)
        *err = job.err;
    return job.outcome;
}

enum store_outcome store_write_now(struct store *s, store_fn *fn, void *arg, struct err *err)
{
    return ask_now(s, &s->writes, fn, arg, err);
}

enum store_outcome store_read_now(struct store *s, store_fn *fn, void *arg, struct err *err)
{
    return ask_now(s, &s->reads, fn, arg, err);
}

void store_get_stats(struct store *s, struct store_stats *out)
{
    out->commits = atomic_load_explicit(&s->commits, memory_order_relaxed);
    out->writes = atomic_load_explicit(&s->jobs_done, memory_order_relaxed);
    out->failures = atomic_load_explicit(&s->failures, memory_order_relaxed);
    out->under_way = atomic_load(&s->under_way);
    pthread_mutex_lock(&s->writes.lock);
    out->queued = s->writes.n;
    pthread_mutex_unlock(&s->writes.lock);
}
