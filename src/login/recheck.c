/* SPDX-License-Identifier: Apache-2.0 */
#include "login/recheck.h"

#include <stdio.h>
#include <stdlib.h>

#include "login/login_parts.h"
#include "login/renewal.h"
#include "store/audit.h"
#include "store/recheck.h"
#include "sys/clock.h"
#include "sys/random.h"

#define TICK_MS 1000
#define AT_ONCE 4         /* people of one provider */
#define CLAIM_SECONDS 120 /* nobody else renews their tokens so long */
#define LOOK_SECONDS 60   /* between looks at the store when nobody is due before */
#define RETRY_SECONDS 60  /* when the upstream did not answer */

/* One provider that asks again. */
struct watch {
    struct watch *next;
    struct recheck *recheck; /* NULL: the login is gone, the store's answer frees */
    char *provider;
    const struct keyring *keys;
    int64_t period;
    int64_t not_before; /* the next look */
    size_t in_flight;
    bool writing; /* the store has us */
    bool wanted;  /* the registry in force has it */
    int64_t oldest;
    struct recheck_due due;
    struct recheck_batch batch;
};

/* One person who is asked about. */
struct person {
    struct person *prev, *next;
    struct watch *watch; /* NULL: likewise */
    struct arena *arena;
    struct renewal *renewal;
    struct upstream_token token; /* after the renewal: whose, and which version */
    struct recheck_verdict verdict;
    struct err err;
    int64_t again; /* when it counts as asked, if nobody answered */
    bool writing;
    bool overtaken; /* whoever it is signed in meanwhile: nothing came of it */
};

struct recheck {
    struct login *login;
    struct watch *watches;
    struct person people;
    struct loop_timer *tick;
    size_t in_flight;
    bool draining;
    loop_job_fn *drained; /* NULL: told, or nobody wants to know */
    void *drained_arg;
};

static void count(const struct recheck *k, const char *provider, const char *outcome)
{
    static const struct metric metric = {.name = "usher_rechecks_total",
                                         .help = "People asked about again, and what came of it.",
                                         .type = METRIC_COUNTER,
                                         .labels = {"provider", "outcome"}};
    if (k->login->o.metrics)
        metric_add(metrics_series(k->login->o.metrics, &metric, provider, outcome, NULL), 1);
}

/* ---- one person ---- */

static void person_free(struct person *p)
{
    renewal_free(&p->renewal);
    upstream_token_deinit(&p->token);
    arena_free(&p->arena);
    free(p);
}

static void tell_drained(struct recheck *k)
{
    if (k->in_flight > 0 || !k->drained)
        return;
    loop_post(k->login->o.loop, k->drained, k->drained_arg);
    k->drained = NULL;
}

static void person_close(struct person *p)
{
    struct watch *w = p->watch;
    p->prev->next = p->next;
    p->next->prev = p->prev;
    w->in_flight--;
    w->recheck->in_flight--;
    tell_drained(w->recheck);
    p->watch = NULL;
    renewal_free(&p->renewal);
    if (!p->writing)
        person_free(p);
}

/* Memory follows the store. */
static void let_know(struct person *p)
{
    const struct login_options *o = &p->watch->recheck->login->o;
    const struct recheck_verdict *v = &p->verdict;
    const struct session_identity who = {v->account, v->provider, v->subject};
    struct err err = ERR_INIT;
    if (p->err.kind != ERR_NONE) {
        sessions_end_identity(o->sessions, &who, NULL);
        log_event(NULL, LOG_INFO, "recheck.ended", LF_TEXT("provider", v->provider),
                  LF_TEXT("account", v->account), LF_INT("sessions", v->sessions),
                  LF_TEXT("kind", err_kind_name(p->err.kind)), LF_TEXT("text", p->err.text));
        return;
    }
    if (!v->regroup)
        return;
    const int n = sessions_set_groups(o->sessions, &who, v->groups, &err);
    if (n < 0) { /* groups that cannot be shown must not be those of yesterday */
        log_error(NULL, LOG_WARN, "recheck.not_shown", &err);
        sessions_end_identity(o->sessions, &who, NULL);
    } else if (n > 0) {
        log_event(NULL, LOG_INFO, "recheck.groups", LF_TEXT("provider", v->provider),
                  LF_TEXT("account", v->account), LF_INT("sessions", n));
    }
}

static bool over(const struct person *p)
{
    return p->err.kind == ERR_NOT_ALLOWED || p->err.kind == ERR_EXPIRED ||
           p->err.kind == ERR_DENIED;
}

static int record(struct db *db, const struct person *p, const char *action, struct err *err)
{
    const struct recheck_verdict *v = &p->verdict;
    char became[48];
    (void)snprintf(became, sizeof became, "{\"sessions\":%lld}", (long long)v->sessions);
    struct audit_row row = {
        .at = v->now,
        .actor_kind = "system",
        .actor = "",
        .action = action,
        .object = v->account,
        .provider = v->provider,
        .became = became,
        .outcome = "done",
        .reason = p->err.kind == ERR_NONE ? NULL : "asked again, the provider says no"};
    return audit_add(db, &row, err) < 0 ? -1 : 0;
}

static int write_verdict(struct db *db, void *arg, struct err *err)
{
    struct person *p = arg;
    struct recheck_verdict *v = &p->verdict;
    int rc = recheck_overtaken(db, &p->token, err);
    p->overtaken = rc == 1;
    if (rc != 0)
        return rc < 0 ? -1 : 0;
    if (p->err.kind != ERR_NONE && !over(p))
        return recheck_later(db, v->provider, v->subject, p->again, err);
    rc = over(p) ? recheck_failed(db, v, err) : recheck_passed(db, v, err);
    if (rc <= 0)
        return rc;
    if (over(p) && upstream_token_forget(db, &p->token, err) < 0)
        return -1;
    if (v->sessions == 0)
        return 0;
    return record(db, p, over(p) ? "session.recheck_end" : "session.recheck_groups", err);
}

/* Whether memory has to hear of it. When nobody knows whether sessions ended in the store, they end
 * there all the same. */
static bool counts(const struct person *p, enum store_outcome outcome)
{
    if (p->overtaken)
        return false;
    return outcome == STORE_DONE ? p->err.kind == ERR_NONE || over(p)
                                 : outcome == STORE_UNKNOWN && over(p);
}

static void on_written(void *arg, enum store_outcome outcome, const struct err *err)
{
    struct person *p = arg;
    (void)err; /* the store's error hook has told; the claim ends by itself */
    p->writing = false;
    if (!p->watch) {
        person_free(p);
        return;
    }
    if (counts(p, outcome))
        let_know(p);
    person_close(p);
}

static void on_renewed(void *arg, const struct drive_identity *id, const struct err *err)
{
    struct person *p = arg;
    struct watch *w = p->watch;
    struct recheck *k = w->recheck;
    const struct upstream_token *t = renewal_token(p->renewal);
    const int64_t now = wall_seconds(clock_wall());
    unsigned left_out = 0;
    p->token = (struct upstream_token){.provider = arena_dup(p->arena, t->provider),
                                       .subject = arena_dup(p->arena, t->subject),
                                       .version = t->version};
    if (err)
        p->err = *err;
    p->verdict = (struct recheck_verdict){.provider = p->token.provider,
                                          .subject = p->token.subject,
                                          .now = now,
                                          .regroup = id && id->groups};
    if (p->verdict.regroup)
        p->verdict.groups = link_groups(w->provider, id->groups, p->arena, &left_out);
    count(k, w->provider, id ? "passed" : over(p) ? "ended" : err_kind_name(p->err.kind));
    if (!id && !over(p)) {
        log_event(NULL, LOG_WARN, "recheck.failed", LF_TEXT("provider", w->provider),
                  LF_TEXT("kind", err_kind_name(p->err.kind)), LF_TEXT("text", p->err.text));
        p->again = now - w->period + RETRY_SECONDS;
        w->not_before = now + RETRY_SECONDS; /* the others would hear the same */
    }
    p->writing = store_write(k->login->o.store, write_verdict, k->login->o.loop, on_written, p);
    if (!p->writing)
        person_close(p); /* comes again when its claim has ended */
}

static void person_start(struct watch *w, struct upstream_token *token)
{
    struct recheck *k = w->recheck;
    struct person *p = mem_alloc(sizeof *p);
    p->watch = w;
    p->arena = arena_new();
    p->prev = k->people.prev;
    p->next = &k->people;
    p->prev->next = p;
    k->people.prev = p;
    w->in_flight++;
    k->in_flight++;
    const struct renewal_args args = {
        .provider = w->provider, .flow = USHER_FLOW_RECHECK, .token = token};
    p->renewal = renewal_start(k->login, &args, on_renewed, p);
}

/* ---- one provider ---- */

static void watch_free(struct watch *w)
{
    arena_free(&w->batch.arena);
    free(w->provider);
    free(w);
}

/* First thing in every answer of the store. */
static bool watch_stored(struct watch *w)
{
    w->writing = false;
    if (w->recheck)
        return true;
    watch_free(w);
    return false;
}

static int take(struct db *db, void *arg, struct err *err)
{
    struct watch *w = arg;
    for (size_t i = 0; i < w->batch.n; i++)
        upstream_token_deinit(&w->batch.v[i].token);
    return recheck_take(db, w->keys, &w->due, &w->batch, err);
}

static void on_taken(void *arg, enum store_outcome outcome, const struct err *err)
{
    struct watch *w = arg;
    const bool interested = w->recheck && !w->recheck->draining; /* else their claims run out */
    (void)err;
    for (size_t i = 0; outcome == STORE_DONE && i < w->batch.n; i++) {
        if (interested)
            person_start(w, &w->batch.v[i].token);
        upstream_token_deinit(&w->batch.v[i].token);
    }
    w->batch.n = 0;
    if (watch_stored(w) && outcome != STORE_DONE)
        w->not_before = w->due.now + RETRY_SECONDS;
}

static int64_t by_chance(int64_t most)
{
    uint32_t n;
    rng_fill(&n, sizeof n);
    return most > 0 ? (int64_t)(n % (uint64_t)most) : 0;
}

static void take_some(struct watch *w, int64_t now)
{
    const struct login_options *o = &w->recheck->login->o;
    arena_free(&w->batch.arena);
    w->batch.arena = arena_new();
    w->due = (struct recheck_due){.provider = w->provider,
                                  .before = now - w->period,
                                  .now = now,
                                  .asked = now - by_chance(w->period / 8),
                                  .until = now + CLAIM_SECONDS,
                                  .max = AT_ONCE - w->in_flight};
    w->writing = store_write(o->store, take, o->loop, on_taken, w);
}

static int look(struct db *db, void *arg, struct err *err)
{
    struct watch *w = arg;
    return recheck_oldest(db, w->provider, &w->oldest, err);
}

static void on_looked(void *arg, enum store_outcome outcome, const struct err *err)
{
    struct watch *w = arg;
    const int64_t now = wall_seconds(clock_wall());
    (void)err;
    if (!watch_stored(w))
        return;
    if (outcome == STORE_DONE && w->oldest <= now - w->period && !w->recheck->draining) {
        take_some(w, now);
        return;
    }
    w->not_before = now + LOOK_SECONDS;
    if (outcome == STORE_DONE && w->oldest < w->not_before - w->period)
        w->not_before = w->oldest + w->period;
}

static void watch_tick(struct watch *w, int64_t now)
{
    const struct login_options *o = &w->recheck->login->o;
    if (w->writing || now < w->not_before || w->in_flight >= AT_ONCE)
        return;
    w->writing = store_read(o->store, look, o->loop, on_looked, w);
}

/* ---- all of them ---- */

static struct watch *watch_of(struct recheck *k, const char *provider)
{
    struct watch *w = k->watches;
    while (w && strcmp(w->provider, provider) != 0)
        w = w->next;
    if (w)
        return w;
    w = mem_alloc(sizeof *w);
    w->recheck = k;
    w->provider = mem_dup(provider);
    w->keys = k->login->o.keys;
    w->next = k->watches;
    k->watches = w;
    return w;
}

static void on_tick(void *arg)
{
    struct recheck *k = arg;
    const int64_t now = wall_seconds(clock_wall());
    bool any = false;
    if (k->draining)
        return;
    for (struct watch *w = k->watches; w; w = w->next) {
        any = any || w->wanted;
        if (w->wanted)
            watch_tick(w, now);
    }
    loop_timer_set(k->tick, any ? TICK_MS : -1);
}

void recheck_wake(struct recheck *k)
{
    const struct registry *r = k->login->registry;
    for (struct watch *w = k->watches; w; w = w->next)
        w->wanted = false;
    for (size_t i = 0; i < registry_count(r); i++) {
        const struct provider *p = registry_at(r, i);
        if (!p->usable || p->common.recheck <= 0)
            continue;
        struct watch *w = watch_of(k, p->id);
        w->wanted = true;
        w->period = p->common.recheck;
        w->not_before = 0;
    }
    on_tick(k);
}

struct recheck *recheck_new(struct login *l)
{
    struct recheck *k = mem_alloc(sizeof *k);
    k->login = l;
    k->people.next = k->people.prev = &k->people;
    k->tick = loop_timer_add(l->o.loop, on_tick, k);
    return k;
}

void recheck_free(struct recheck **kp)
{
    struct recheck *k = *kp;
    if (!k)
        return;
    *kp = NULL;
    k->drained = NULL;
    while (k->people.next != &k->people)
        person_close(k->people.next);
    for (struct watch *w = k->watches, *next; w; w = next) {
        next = w->next;
        w->recheck = NULL;
        if (!w->writing)
            watch_free(w);
    }
    loop_timer_del(&k->tick);
    free(k);
}

size_t recheck_in_flight(const struct recheck *k)
{
    return k->in_flight;
}

void recheck_drain(struct recheck *k, loop_job_fn *done, void *arg)
{
    k->draining = true;
    k->drained = done;
    k->drained_arg = arg;
    tell_drained(k);
}
