/* SPDX-License-Identifier: Apache-2.0 */
#include "login/refresh.h"

#include <stdlib.h>

#include "login/login_parts.h"
#include "login/renewal.h"
#include "store/audit.h"
#include "sys/clock.h"

#define RUNS_MAX 1024
#define CLAIM_SECONDS 60
#define BUSY_MS 200
#define BUSY_TRIES 100

struct waiter {
    refresh_done_fn *done;
    void *arg;
    struct waiter *next;
};

/* Somebody's token on its way, and all who wait for it. */
struct refresh_run {
    struct refresh_run *prev, *next;
    struct login *login; /* NULL: nobody is interested any more, the store's answer frees */
    struct arena *arena;
    const struct keyring *keys;
    struct refresh_ask ask;
    struct waiter *waiters;
    struct upstream_token token;
    struct renewal *renewal;
    struct loop_timer *soon;
    unsigned tries;
    bool writing; /* the store has us */
    int result;   /* of what it did */
    struct err err;
};

struct refreshes {
    struct refresh_run list;
    size_t n;
};

static void count(const struct refresh_run *r, const char *outcome)
{
    static const struct metric metric = {.name = "usher_upstream_refreshes_total",
                                         .help = "Upstream tokens that had to be renewed.",
                                         .type = METRIC_COUNTER,
                                         .labels = {"provider", "outcome"}};
    if (r->login->o.metrics)
        metric_add(metrics_series(r->login->o.metrics, &metric, r->ask.provider, outcome, NULL), 1);
}

/* ---- the life of a run ---- */

static void destroy(struct refresh_run *r)
{
    while (r->waiters) {
        struct waiter *w = r->waiters;
        r->waiters = w->next;
        free(w);
    }
    upstream_token_deinit(&r->token);
    loop_timer_del(&r->soon);
    arena_free(&r->arena);
    free(r);
}

static void drop(struct refresh_run *r)
{
    r->prev->next = r->next;
    r->next->prev = r->prev;
    r->login->refreshes->n--;
    renewal_free(&r->renewal);
    r->login = NULL;
    if (!r->writing)
        destroy(r);
}

void refreshes_free(struct refreshes **rp)
{
    struct refreshes *all = *rp;
    if (!all)
        return;
    while (all->list.next != &all->list)
        drop(all->list.next);
    free(all);
    *rp = NULL;
}

/* Everybody hears it; whoever asks from now on begins anew. */
static void answer(struct refresh_run *r, const struct err *err)
{
    const int64_t now = wall_seconds(clock_wall());
    const struct refresh_token t = {.access = r->token.access,
                                    .scope = r->token.scope,
                                    .expires_in =
                                        r->token.expires > 0 ? r->token.expires - now : -1};
    struct waiter *list = r->waiters;
    r->waiters = NULL;
    r->prev->next = r->next;
    r->next->prev = r->prev;
    r->login->refreshes->n--;
    renewal_free(&r->renewal);
    while (list) {
        struct waiter *w = list;
        list = w->next;
        w->done(w->arg, err ? NULL : &t, err);
        free(w);
    }
    destroy(r);
}

static void fail(struct refresh_run *r, enum err_kind kind, const char *text)
{
    struct err err = ERR_INIT;
    err_set(&err, kind, "%s", text);
    answer(r, &err);
}

/* First thing in every answer of the store. false: the run is over. */
static bool stored(struct refresh_run *r, enum store_outcome outcome)
{
    r->writing = false;
    if (!r->login) {
        destroy(r);
        return false;
    }
    if (outcome == STORE_DONE)
        return true;
    fail(r, ERR_INTERNAL, "the store did not answer about an upstream's tokens");
    return false;
}

static void hand_over(struct refresh_run *r, bool write, store_fn *fn, store_done_fn *done)
{
    const struct login_options *o = &r->login->o;
    r->writing = write ? store_write(o->store, fn, o->loop, done, r)
                       : store_read(o->store, fn, o->loop, done, r);
    if (!r->writing)
        fail(r, ERR_LIMITED, "the store's queue is full");
}

/* ---- looking ---- */

static int look(struct db *db, void *arg, struct err *err)
{
    struct refresh_run *r = arg;
    const struct upstream_token_of of = {r->ask.account, r->ask.provider, r->ask.subject};
    upstream_token_deinit(&r->token);
    r->result = upstream_token_of_account(db, r->keys, r->arena, &of, &r->token, err);
    return r->result < 0 ? -1 : 0;
}

static void claim(struct refresh_run *r);

static void on_looked(void *arg, enum store_outcome outcome, const struct err *err)
{
    struct refresh_run *r = arg;
    (void)err; /* the store's error hook has told */
    if (!stored(r, outcome))
        return;
    if (r->result == 0)
        fail(r, ERR_NOT_FOUND, "no tokens of this provider are kept for this account");
    else if (upstream_token_fresh(&r->token, wall_seconds(clock_wall())))
        answer(r, NULL);
    else if (!r->token.refresh)
        fail(r, ERR_EXPIRED, "the access token ran out, and there is no refresh token");
    else
        claim(r);
}

static void on_soon(void *arg)
{
    struct refresh_run *r = arg;
    if (r->err.kind != ERR_NONE)
        answer(r, &r->err);
    else
        hand_over(r, false, look, on_looked);
}

/* Somebody else is at it, or was: the next look tells. */
static void look_later(struct refresh_run *r)
{
    if (++r->tries < BUSY_TRIES)
        loop_timer_set(r->soon, BUSY_MS);
    else
        fail(r, ERR_UPSTREAM_DOWN, "renewing the tokens takes too long");
}

/* ---- renewing ---- */

static int forget(struct db *db, void *arg, struct err *err)
{
    struct refresh_run *r = arg;
    struct audit_row row = {.at = wall_seconds(clock_wall()),
                            .actor_kind = "system",
                            .actor = "",
                            .action = "upstream_token.forget",
                            .object = r->ask.account,
                            .provider = r->ask.provider,
                            .outcome = "done",
                            .reason = "the provider does not honour the refresh token any more"};
    r->result = upstream_token_forget(db, &r->token, err);
    if (r->result <= 0)
        return r->result;
    return audit_add(db, &row, err) < 0 ? -1 : 0;
}

static void on_forgotten(void *arg, enum store_outcome outcome, const struct err *err)
{
    struct refresh_run *r = arg;
    (void)err;
    if (!stored(r, outcome))
        return;
    if (r->result == 0) { /* somebody signed in or left meanwhile */
        err_clear(&r->err);
        look_later(r);
        return;
    }
    log_event(NULL, LOG_INFO, "tokens.forgotten", LF_TEXT("provider", r->ask.provider),
              LF_TEXT("account", r->ask.account));
    fail(r, ERR_EXPIRED, "the provider does not honour the refresh token any more");
}

static int release(struct db *db, void *arg, struct err *err)
{
    return upstream_token_release(db, &((struct refresh_run *)arg)->token, err);
}

static void on_released(void *arg, enum store_outcome outcome, const struct err *err)
{
    struct refresh_run *r = arg;
    (void)outcome, (void)err; /* a claim ends by itself, too */
    if (stored(r, STORE_DONE))
        answer(r, r->err.kind == ERR_NONE ? NULL : &r->err);
}

/* What the store has of them now; the renewal goes. */
static void take_back(struct refresh_run *r)
{
    const struct upstream_token *t = renewal_token(r->renewal);
    upstream_token_deinit(&r->token);
    r->token = *t;
    r->token.provider = arena_dup(r->arena, t->provider);
    r->token.subject = arena_dup(r->arena, t->subject);
    r->token.scope = t->scope ? arena_dup(r->arena, t->scope) : NULL;
    r->token.access = t->access ? secret_dup(t->access) : NULL;
    r->token.refresh = NULL;
    renewal_free(&r->renewal);
}

static void on_renewed(void *arg, const struct drive_identity *id, const struct err *err)
{
    struct refresh_run *r = arg;
    if (err)
        r->err = *err;
    count(r, id ? "done" : err_kind_name(r->err.kind));
    take_back(r);
    if (r->err.kind == ERR_CONFLICT) {
        err_clear(&r->err);
        look_later(r);
    } else if (r->err.kind == ERR_EXPIRED) {
        hand_over(r, true, forget, on_forgotten);
    } else {
        if (!id)
            log_event(NULL, LOG_WARN, "tokens.failed", LF_TEXT("provider", r->ask.provider),
                      LF_TEXT("kind", err_kind_name(r->err.kind)), LF_TEXT("text", r->err.text));
        hand_over(r, true, release, on_released);
    }
}

static int claim_row(struct db *db, void *arg, struct err *err)
{
    struct refresh_run *r = arg;
    const int64_t now = wall_seconds(clock_wall());
    r->result = upstream_token_claim(db, &r->token, now, now + CLAIM_SECONDS, err);
    return r->result < 0 ? -1 : 0;
}

static void on_claimed(void *arg, enum store_outcome outcome, const struct err *err)
{
    struct refresh_run *r = arg;
    (void)err;
    if (!stored(r, outcome))
        return;
    if (r->result == 0) {
        look_later(r);
        return;
    }
    const struct renewal_args args = {
        .provider = r->ask.provider, .flow = USHER_FLOW_REFRESH, .token = &r->token};
    r->renewal = renewal_start(r->login, &args, on_renewed, r);
}

static void claim(struct refresh_run *r)
{
    hand_over(r, true, claim_row, on_claimed);
}

/* ---- asking ---- */

static struct refresh_run *find(const struct refreshes *all, const struct refresh_ask *ask)
{
    for (struct refresh_run *r = all->list.next; r != &all->list; r = r->next)
        if (strcmp(r->ask.account, ask->account) == 0 &&
            strcmp(r->ask.provider, ask->provider) == 0 &&
            strcmp(r->ask.subject, ask->subject) == 0)
            return r;
    return NULL;
}

static struct refresh_run *run_new(struct login *l, const struct refresh_ask *ask)
{
    struct refreshes *all = l->refreshes;
    struct refresh_run *r = mem_alloc(sizeof *r);
    r->login = l;
    r->keys = l->o.keys;
    r->arena = arena_new();
    r->ask =
        (struct refresh_ask){arena_dup(r->arena, ask->provider), arena_dup(r->arena, ask->account),
                             arena_dup(r->arena, ask->subject)};
    r->soon = loop_timer_add(l->o.loop, on_soon, r);
    r->prev = all->list.prev;
    r->next = &all->list;
    r->prev->next = r;
    all->list.prev = r;
    all->n++;
    return r;
}

void refresh_get(struct login *l, const struct refresh_ask *ask, refresh_done_fn *done, void *arg)
{
    const struct provider *p = registry_find(l->registry, ask->provider);
    if (!l->refreshes) {
        l->refreshes = mem_alloc(sizeof *l->refreshes);
        l->refreshes->list.next = l->refreshes->list.prev = &l->refreshes->list;
    }
    struct refresh_run *r = find(l->refreshes, ask);
    const bool first = r == NULL;
    if (first)
        r = run_new(l, ask);
    struct waiter *w = mem_alloc(sizeof *w);
    *w = (struct waiter){done, arg, r->waiters};
    r->waiters = w;
    if (!first)
        return;
    /* The timer answers from outside of this call, whatever comes of it. */
    if (!p || !p->usable || !p->common.keep_tokens)
        err_set(&r->err, ERR_NOT_FOUND, "there is no provider of that name that keeps tokens");
    else if (l->refreshes->n > RUNS_MAX)
        err_set(&r->err, ERR_LIMITED, "too many upstream tokens are asked for at once");
    loop_timer_set(r->soon, 0);
}
