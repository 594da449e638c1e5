/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "login/behind.h"
#include "login/login_parts.h"
#include "sys/clock.h"

bool login_links(const struct login *l, const struct provider *p, const char *via)
{
    const struct provider *q = registry_find(l->registry, via);
    return p->common.link != LINK_NEVER && !(q && q->common.link == LINK_NEVER);
}

struct leg_run *run_open(struct login *l, const struct provider *p, const struct log_ctx *log)
{
    struct leg_run *r = mem_alloc(sizeof *r);
    r->login = l;
    r->registry = registry_ref(l->registry);
    r->provider = p;
    r->log = log;
    r->who.provider = p->id;
    r->began = clock_mono();
    r->arena = arena_new();
    r->redirect_uri = arena_printf(r->arena, "%s/callback/%s", l->o.public_url, p->id);
    r->prev = l->list.prev;
    r->next = &l->list;
    r->prev->next = r;
    l->list.prev = r;
    l->in_flight++;
    return r;
}

static void run_free(struct leg_run *r)
{
    drive_free(&r->drive);
    upstream_token_deinit(&r->open.link.tokens);
    registry_free(&r->registry);
    arena_free(&r->arena);
    seal_wipe(r->open.token, sizeof r->open.token);
    free(r);
}

void run_close(struct leg_run *r)
{
    if (r->inside) {
        r->over = true; /* whoever called into the drive closes */
        return;
    }
    r->prev->next = r->next;
    r->next->prev = r->prev;
    r->login->in_flight--;
    r->login = NULL;
    /* The store's threads read what the drive and the arena hold: then its answer frees. */
    if (!r->writing)
        run_free(r);
}

struct drive_args run_drive_args(struct leg_run *r)
{
    const struct login_options *o = &r->login->o;
    return (struct drive_args){.io = o->io,
                               .provider = r->provider,
                               .keys = o->keys,
                               .redirect_uri = r->redirect_uri,
                               .log = r->log,
                               .loop = o->loop,
                               .deadline_ms = o->deadline_ms,
                               .observe = login_on_observed,
                               .fell_over = login_on_fell_over,
                               .observe_arg = r,
                               .slots = o->slots};
}

const struct provider *login_provider(const struct login *l, const char *id, struct err *err)
{
    const struct provider *p = registry_find(l->registry, id);
    if (p == NULL || !p->usable)
        err_set(err, ERR_INVALID, "there is no usable provider of that name");
    else if (l->in_flight >= l->o.max_in_flight)
        err_set(err, ERR_LIMITED, "%zu logins are under way already", l->in_flight);
    return err->kind == ERR_NONE ? p : NULL;
}

void run_fail(struct leg_run *r, const struct err *err)
{
    const struct login_options *o = &r->login->o;
    if (r->spent && !store_shared(o->store))
        behind_spend(o->store, o->loop, r->flow.id, r->open.link.flow_expires);
    login_tell_failure(r->login, r->log, r->provider->id, r->began, err);
    login_record_failure(r->login, &r->who, r->open.link.account.id, err);
    login_tell_outcome(r, err);
    r->done(r->arg, NULL, err);
    run_close(r);
}

void run_write(struct leg_run *r, store_fn *fn, store_done_fn *done)
{
    const struct login_options *o = &r->login->o;
    struct err full = ERR_INIT;
    r->writing = store_write(o->store, fn, o->loop, done, r);
    if (r->writing)
        return;
    err_set(&full, ERR_LIMITED, "the store's queue is full");
    run_fail(r, &full);
}

bool run_written(struct leg_run *r)
{
    r->writing = false;
    if (r->login)
        return true;
    run_free(r);
    return false;
}
