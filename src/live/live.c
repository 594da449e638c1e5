/* SPDX-License-Identifier: Apache-2.0 */
#include "live/live.h"

#include <stdlib.h>
#include <string.h>

#include "live/build.h"
#include "live/diff.h"
#include "live/report.h"
#include "store/provider_people.h"
#include "sys/clock.h"
#include "sys/log.h"
#include "sys/work.h"

#define LISTENERS_MAX 8

/* Somebody who waits for a reload or for a diff. */
struct waiter {
    struct waiter *next;
    live_done_fn *done; /* a reload's; may be NULL */
    live_diff_fn *diff;
    void *arg;
};

struct waiters {
    struct waiter *first, **end;
};

/* One build on its way: rows from the store, then the build on the worker, then, for a diff, who is
 * touched from the store again. Holds what it needs itself, because `live` may go meanwhile. */
struct job {
    struct live *live; /* NULL: nobody is interested any more */
    bool diff;
    const char *why;
    struct waiters waiters;
    struct mono began;
    const struct keyring *keys;
    struct rows rows;
    struct build_args args;
    struct build build;
    struct jval *report; /* of a diff */
};

struct live {
    struct live_options o;
    char *path;
    struct work *work;
    struct watch *watch;
    struct config *first, *config; /* what is bound to the start borrows from the first one */
    struct registry *registry;
    struct apps *apps;
    struct job *job; /* the one under way, or NULL */
    struct waiters reloads, diffs;
    bool reload_wanted;
    const char *why; /* of the next reload */
    struct {
        live_changed_fn *fn;
        void *arg;
    } listeners[LISTENERS_MAX];
    size_t n_listeners;
    struct report report; /* what the last build said, and since when */
};

/* ---- who waits ------------------------------------------------------------------------------- */

static void waiters_init(struct waiters *w)
{
    w->first = NULL;
    w->end = &w->first;
}

static void waiters_add(struct waiters *w, const struct waiter *one)
{
    struct waiter *copy = mem_alloc(sizeof *copy);
    *copy = *one;
    copy->next = NULL;
    *w->end = copy;
    w->end = &copy->next;
}

static void waiters_move(struct waiters *from, struct waiters *to)
{
    waiters_init(to);
    if (!from->first)
        return;
    *to = *from;
    waiters_init(from);
}

static struct waiter *waiters_take(struct waiters *w)
{
    struct waiter *one = w->first;
    if (one && !(w->first = one->next))
        w->end = &w->first;
    return one;
}

static void waiters_drop(struct waiters *w)
{
    for (struct waiter *one; (one = waiters_take(w));)
        free(one);
}

/* ---- life ------------------------------------------------------------------------------------ */

static void on_files(void *arg)
{
    live_reload(arg, "file", NULL, NULL);
}

struct live *live_new(const struct live_options *o, struct err *err)
{
    struct err unwatched = ERR_INIT;
    struct live *l = mem_alloc(sizeof *l);
    l->o = *o;
    l->path = mem_dup(o->config_path);
    l->first = config_ref(o->config);
    l->config = config_ref(o->config);
    waiters_init(&l->reloads);
    waiters_init(&l->diffs);
    report_init(&l->report, o->metrics);
    l->watch = watch_new(o->loop, on_files, l, &unwatched);
    if (!l->watch)
        report_unwatched(&l->report, unwatched.text);
    l->work = work_new(1, 4, err);
    if (!l->work)
        live_free(&l);
    return l;
}

static void job_free(struct job *j)
{
    waiters_drop(&j->waiters);
    rows_clear(&j->rows);
    build_clear(&j->build);
    config_free(&j->args.config);
    registry_free(&j->args.registry);
    apps_free(&j->args.apps);
    jval_free(&j->report);
    free(j);
}

void live_free(struct live **live)
{
    struct live *l = *live;
    if (!l)
        return;
    *live = NULL;
    work_free(&l->work); /* the job's answer is on its way to the loop, or the store has it */
    if (l->job)
        l->job->live = NULL;
    waiters_drop(&l->reloads);
    waiters_drop(&l->diffs);
    watch_free(&l->watch);
    report_deinit(&l->report);
    registry_free(&l->registry);
    apps_free(&l->apps);
    config_free(&l->config);
    config_free(&l->first);
    conf_env_free(&l->o.env);
    free(l->path);
    free(l);
}

struct config *live_config(const struct live *l)
{
    return l->config;
}

struct registry *live_registry(const struct live *l)
{
    return l->registry;
}

struct apps *live_apps(const struct live *l)
{
    return l->apps;
}

struct apps_options live_draft_app_options(const struct live *l, struct config **hold)
{
    *hold = config_ref(l->config);
    return build_apps_options(*hold, l->o.env, l->apps);
}

struct registry_options live_draft_options(const struct live *l, struct config **hold)
{
    *hold = config_ref(l->config);
    return build_registry_options(*hold, l->o.env);
}

void live_on_change(struct live *l, live_changed_fn *fn, void *arg)
{
    if (l->n_listeners == LISTENERS_MAX)
        abort(); /* they are a list in the program's text */
    l->listeners[l->n_listeners].fn = fn;
    l->listeners[l->n_listeners++].arg = arg;
}

bool live_busy(const struct live *l)
{
    return l->job != NULL;
}

void live_status(const struct live *l, struct live_status *out)
{
    report_status(&l->report, out);
}

/* ---- putting in force ------------------------------------------------------------------------ */

static void swap(struct live *l, struct job *j)
{
    struct config *config = l->config;
    struct registry *registry = l->registry;
    struct apps *apps = l->apps;
    l->config = j->build.config;
    l->registry = j->build.registry;
    l->apps = j->build.apps;
    j->build.config = NULL;
    j->build.registry = NULL;
    j->build.apps = NULL;
    for (size_t i = 0; i < l->n_listeners; i++)
        l->listeners[i].fn(l->listeners[i].arg, l->config, l->registry);
    registry_free(&registry);
    apps_free(&apps);
    config_free(&config);
}

static void take(struct live *l, struct job *j)
{
    report_build(&l->report, &(struct report_args){.build = &j->build,
                                                   .config = l->config,
                                                   .registry = l->registry,
                                                   .apps = l->apps,
                                                   .why = j->why,
                                                   .ms = mono_ms(j->began, clock_mono())});
    swap(l, j);
}

/* ---- one job after the other ----------------------------------------------------------------- */

static void next_job(struct live *l);

static void answer_reload(struct job *j, const struct live_outcome *outcome)
{
    for (struct waiter *one; (one = waiters_take(&j->waiters));) {
        if (one->done)
            one->done(one->arg, outcome);
        free(one);
    }
}

static void answer_diff(struct job *j, const struct err *err)
{
    for (struct waiter *one; (one = waiters_take(&j->waiters));) {
        one->diff(one->arg, err ? NULL : j->report, err);
        free(one);
    }
}

static void finish(struct live *l, struct job *j)
{
    l->job = NULL;
    job_free(j);
    next_job(l);
}

/* It could not be built at all: what is in force stays. */
static void fail(struct job *j, const struct err *err)
{
    struct live *l = j->live;
    if (j->diff) {
        answer_diff(j, err);
    } else {
        struct live_status status;
        report_failed(&l->report, j->why, err);
        report_status(&l->report, &status);
        answer_reload(j, &(struct live_outcome){.err = err,
                                                .problems = status.problems,
                                                .generation = status.generation});
    }
    finish(l, j);
}

static void succeed(struct job *j)
{
    struct live *l = j->live;
    struct live_status status;
    struct err err = ERR_INIT;
    const bool refused = j->build.refused;
    take(l, j);
    report_status(&l->report, &status);
    if (refused)
        (void)err_set(&err, ERR_MISCONFIGURED,
                      "%u problem%s in the files: what they said before stays in force",
                      status.problems->n, status.problems->n == 1 ? "" : "s");
    answer_reload(j, &(struct live_outcome){.err = refused ? &err : NULL,
                                            .rows = true,
                                            .problems = status.problems,
                                            .generation = status.generation});
    finish(l, j);
}

/* On a store thread. */
static int count_people(struct db *db, void *arg, struct err *err)
{
    const struct job *j = arg;
    struct provider_people people;
    const struct jval *changes = jval_get(j->report, "changes");
    for (size_t i = 0; i < jval_count(changes); i++) {
        struct jval *change = (struct jval *)(uintptr_t)jval_item(changes, i);
        if (strcmp(jval_text(jval_get(change, "what")), "provider") != 0 ||
            strcmp(jval_text(jval_get(change, "change")), "added") == 0)
            continue;
        if (provider_people_count(db, jval_text(jval_get(change, "id")), &people, err) < 0)
            return -1;
        jval_set_int(change, "accounts", people.accounts);
        jval_set_int(change, "sessions", people.sessions);
    }
    return 0;
}

static void on_people(void *arg, enum store_outcome outcome, const struct err *err)
{
    struct job *j = arg;
    if (!j->live) {
        job_free(j);
        return;
    }
    answer_diff(j, outcome == STORE_DONE ? NULL : err);
    finish(j->live, j);
}

/* Nobody is answered from within his question. */
static void on_full(void *arg)
{
    struct job *j = arg;
    struct err full = ERR_INIT;
    if (!j->live) {
        job_free(j);
        return;
    }
    (void)err_set(&full, ERR_LIMITED, "the store's queue is full");
    fail(j, &full);
}

static void diff_on(struct job *j)
{
    struct live *l = j->live;
    j->report = report_diff(&j->build, l->config, l->registry, l->apps);
    if (!store_read(l->o.store, count_people, l->o.loop, on_people, j))
        loop_post(l->o.loop, on_full, j);
}

/* On the worker. */
static void job_build(void *arg)
{
    struct job *j = arg;
    build_run(&j->args, &j->build);
}

static void on_built(void *arg)
{
    struct job *j = arg;
    if (!j->live)
        job_free(j);
    else if (j->diff)
        diff_on(j);
    else
        succeed(j);
}

/* On a store thread. */
static int job_read(struct db *db, void *arg, struct err *err)
{
    struct job *j = arg;
    return rows_read(&j->rows, db, j->keys, err);
}

static void on_rows(void *arg, enum store_outcome outcome, const struct err *err)
{
    struct job *j = arg;
    struct err why = ERR_INIT;
    if (!j->live) {
        job_free(j);
        return;
    }
    if (outcome == STORE_DONE &&
        work_submit(j->live->work, job_build, j->live->o.loop, on_built, j))
        return;
    (void)err_set(&why, outcome == STORE_DONE ? ERR_LIMITED : ERR_INTERNAL,
                  "the providers and apps in the store cannot be read: %s",
                  outcome == STORE_DONE ? "the queue is full"
                  : err                 ? err->text
                                        : "it did not say why");
    fail(j, &why);
}

static struct job *job_new(struct live *l, const char *why)
{
    struct job *j = mem_alloc(sizeof *j);
    j->live = l;
    j->why = why;
    j->began = clock_mono();
    j->keys = l->o.keys;
    waiters_init(&j->waiters);
    rows_init(&j->rows);
    j->args = (struct build_args){.path = l->path,
                                  .required = l->o.config_required,
                                  .env = l->o.env,
                                  .config = config_ref(l->config),
                                  .registry = l->registry ? registry_ref(l->registry) : NULL,
                                  .apps = l->apps ? apps_ref(l->apps) : NULL,
                                  .rows = &j->rows,
                                  .watch = l->watch};
    return j;
}

/* Reloads first: they are what somebody is out for. */
static void next_job(struct live *l)
{
    if (l->job || (!l->reload_wanted && !l->diffs.first))
        return;
    struct job *j = l->job = job_new(l, l->reload_wanted ? l->why : "diff");
    j->diff = !l->reload_wanted;
    l->reload_wanted = false;
    waiters_move(j->diff ? &l->diffs : &l->reloads, &j->waiters);
    if (!store_read(l->o.store, job_read, l->o.loop, on_rows, j))
        loop_post(l->o.loop, on_full, j);
}

/* ---- asking ---------------------------------------------------------------------------------- */

void live_reload(struct live *l, const char *why, live_done_fn *done, void *arg)
{
    if (done)
        waiters_add(&l->reloads, &(struct waiter){.done = done, .arg = arg});
    if (!l->reload_wanted)
        l->why = why;
    l->reload_wanted = true;
    next_job(l);
}

void live_diff(struct live *l, live_diff_fn *done, void *arg)
{
    waiters_add(&l->diffs, &(struct waiter){.diff = done, .arg = arg});
    next_job(l);
}

int live_load_now(struct live *l, struct err *err)
{
    struct job *j = job_new(l, "start");
    int result = -1;
    if (store_read_now(l->o.store, job_read, j, err) == STORE_DONE) {
        job_build(j);
        take(l, j);
        result = 0;
    }
    job_free(j);
    return result;
}
