/* SPDX-License-Identifier: Apache-2.0 */
#include "login/renewal.h"

#include <stdlib.h>

#include "login/login_parts.h"
#include "sys/clock.h"

#define RETRY_MS 500
#define RETRIES 20

struct renewal {
    struct login *login; /* NULL: nobody is interested any more, the store's answer frees */
    struct registry *registry;
    struct arena *arena;
    const struct provider *provider;
    const struct log_ctx *log;
    const struct keyring *keys;
    struct drive *drive;
    struct loop_timer *soon;
    struct upstream_token now, next; /* next: obtained, until it is durable */
    bool writing, waiting, renewed;  /* of next: under way; to be tried again; kept */
    unsigned tries;
    bool inside, over; /* drive_renew has not returned; the drive has ended */
    const struct drive_identity *id;
    struct drive_identity identity;
    struct err err;
    renewal_done_fn *done;
    void *arg;
};

struct upstream_token renewal_kept(const char *provider, const char *subject,
                                   const struct drive_tokens *t)
{
    const int64_t now = wall_seconds(clock_wall());
    return (struct upstream_token){.provider = provider,
                                   .subject = subject,
                                   .scope = *t->scope ? t->scope : NULL,
                                   .access = secret_dup(t->access),
                                   .refresh = t->refresh ? secret_dup(t->refresh) : NULL,
                                   .expires = t->expires_in >= 0 ? now + t->expires_in : 0,
                                   .obtained = now,
                                   .version = upstream_token_version()};
}

static void destroy(struct renewal *r)
{
    drive_free(&r->drive);
    loop_timer_del(&r->soon);
    upstream_token_deinit(&r->now);
    upstream_token_deinit(&r->next);
    registry_free(&r->registry);
    arena_free(&r->arena);
    free(r);
}

void renewal_free(struct renewal **rp)
{
    struct renewal *r = *rp;
    if (!r)
        return;
    *rp = NULL;
    r->login = NULL;
    drive_free(&r->drive);
    if (!r->writing)
        destroy(r);
}

const struct upstream_token *renewal_token(const struct renewal *r)
{
    return &r->now;
}

/* Once nothing is under way. */
static void settle(struct renewal *r)
{
    if (!r->over || r->inside || r->writing || r->waiting)
        return;
    r->done(r->arg, r->err.kind == ERR_NONE ? r->id : NULL,
            r->err.kind == ERR_NONE ? NULL : &r->err);
}

/* ---- what was obtained ---- */

static int write_next(struct db *db, void *arg, struct err *err)
{
    struct renewal *r = arg;
    struct upstream_token there = {.provider = r->next.provider, .subject = r->next.subject};
    int rc = upstream_token_renew(db, r->keys, &r->next, r->now.version, err);
    if (rc == 0) { /* or it was kept the last time, and nobody said so */
        struct arena *a = arena_new();
        rc = upstream_token_get(db, r->keys, a, &there, err);
        if (rc == 1)
            rc = there.version == r->next.version;
        upstream_token_deinit(&there);
        arena_free(&a);
    }
    r->renewed = rc == 1;
    return rc < 0 ? -1 : 0;
}

static void try_write(struct renewal *r);

static void try_later(struct renewal *r)
{
    if (++r->tries < RETRIES) {
        r->waiting = true;
        loop_timer_set(r->soon, RETRY_MS);
        return;
    }
    log_event(r->log, LOG_ERROR, "tokens.lost", LF_TEXT("provider", r->provider->id));
    err_clear(&r->err);
    err_set(&r->err, ERR_INTERNAL, "the store did not keep new tokens of an upstream");
    settle(r);
}

static void on_written(void *arg, enum store_outcome outcome, const struct err *err)
{
    struct renewal *r = arg;
    (void)err; /* the store's error hook has told */
    r->writing = false;
    if (!r->login) {
        destroy(r);
        return;
    }
    if (outcome != STORE_DONE) {
        try_later(r);
        return;
    }
    if (r->renewed) {
        if (!r->next.refresh) { /* the old one still counts */
            r->next.refresh = r->now.refresh;
            r->now.refresh = NULL;
        }
        if (!r->next.scope) /* RFC 6749 section 5.1: the same as before */
            r->next.scope = r->now.scope;
        upstream_token_deinit(&r->now);
        r->now = r->next;
        r->next = (struct upstream_token){.version = 0};
    } else if (r->err.kind == ERR_NONE) {
        err_set(&r->err, ERR_CONFLICT, "somebody signed in or left while tokens were renewed");
    }
    settle(r);
}

static void try_write(struct renewal *r)
{
    const struct login_options *o = &r->login->o;
    r->waiting = false;
    r->writing = store_write(o->store, write_next, o->loop, on_written, r);
    if (!r->writing)
        try_later(r);
}

static void on_soon(void *arg)
{
    struct renewal *r = arg;
    if (r->waiting)
        try_write(r);
    else
        settle(r);
}

static void on_obtained(void *arg, const struct drive_tokens *t)
{
    struct renewal *r = arg;
    r->next = renewal_kept(r->now.provider, r->now.subject, t);
    if (r->next.scope)
        r->next.scope = arena_dup(r->arena, r->next.scope);
    try_write(r);
}

/* ---- the leg ---- */

static void on_observed(void *arg, const char *step, int64_t ms)
{
    const struct renewal *r = arg;
    login_observe(r->login, r->provider->id, step, ms);
}

static void on_fell_over(void *arg, enum provider_slot from, enum provider_slot to)
{
    const struct renewal *r = arg;
    login_fell_over(r->login, r->log, r->provider->id, from, to);
}

static void on_end(void *arg, const struct drive_redirect *redirect,
                   const struct drive_identity *identity, const struct err *err)
{
    struct renewal *r = arg;
    (void)redirect;
    r->over = true;
    if (identity) {
        r->identity = *identity;
        r->id = &r->identity;
    } else if (r->err.kind == ERR_NONE) {
        r->err = *err;
    }
    settle(r);
}

static struct drive_args args_of(struct renewal *r)
{
    const struct login_options *o = &r->login->o;
    return (struct drive_args){
        .io = o->io,
        .provider = r->provider,
        .keys = o->keys,
        .redirect_uri = arena_printf(r->arena, "%s/callback/%s", o->public_url, r->provider->id),
        .log = r->log,
        .loop = o->loop,
        .deadline_ms = o->deadline_ms,
        .observe = on_observed,
        .fell_over = on_fell_over,
        .obtained = on_obtained,
        .observe_arg = r,
        .slots = o->slots};
}

static void take_token(struct renewal *r, struct upstream_token *t)
{
    r->now = *t;
    r->now.provider = arena_dup(r->arena, t->provider);
    r->now.subject = arena_dup(r->arena, t->subject);
    r->now.scope = t->scope ? arena_dup(r->arena, t->scope) : NULL;
    t->access = t->refresh = NULL;
}

struct renewal *renewal_start(struct login *l, const struct renewal_args *a, renewal_done_fn *done,
                              void *arg)
{
    struct renewal *r = mem_alloc(sizeof *r);
    r->login = l;
    r->registry = registry_ref(l->registry);
    r->arena = arena_new();
    r->log = a->log;
    r->done = done;
    r->arg = arg;
    r->keys = l->o.keys;
    r->soon = loop_timer_add(l->o.loop, on_soon, r);
    take_token(r, a->token);
    r->provider = registry_find(r->registry, a->provider);
    r->inside = true;
    if (!r->provider || !r->provider->usable || r->provider->plugin->abi_minor < 1) {
        r->over = true;
        err_set(&r->err, ERR_MISCONFIGURED, "there is no provider of that name that can renew");
    } else {
        const struct drive_args args = args_of(r);
        const bool fresh = upstream_token_fresh(&r->now, wall_seconds(clock_wall()));
        const struct drive_renewal renewal = {a->flow, r->now.subject, fresh ? r->now.access : NULL,
                                              r->now.refresh};
        r->drive = drive_renew(&args, &renewal, on_end, r);
    }
    r->inside = false;
    if (r->over && !r->writing && !r->waiting)
        loop_timer_set(r->soon, 0);
    return r;
}
