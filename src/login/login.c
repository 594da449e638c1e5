/* SPDX-License-Identifier: Apache-2.0 */
#include "login/login.h"

#include <stdlib.h>

#include "login/login_parts.h"
#include "login/recheck.h"
#include "login/unkept.h"
#include "login/used.h"
#include "store/spent.h"
#include "sys/clock.h"

#define IN_FLIGHT 4096

/* ---- first leg */

static void on_redirect(void *arg, const struct drive_redirect *redirect,
                        const struct drive_identity *identity, const struct err *err)
{
    struct leg_run *r = arg;
    (void)identity;
    if (redirect) {
        log_event(r->log, LOG_DEBUG, "login.start", LF_TEXT("provider", r->provider->id));
        r->started(r->arg, redirect->url, NULL);
    } else {
        login_tell_failure(r->login, r->log, r->provider->id, r->began, err);
        login_record_failure(r->login, &r->who, "", err);
        login_tell_outcome(r, err);
        r->started(r->arg, NULL, err);
    }
    run_close(r);
}

/* Linking is for people who are signed in, and for providers that may be linked at all. */
static bool may_link(const struct login *l, const struct provider *p, const struct session_view *v,
                     struct err *err)
{
    if (v == NULL)
        err_set(err, ERR_INVALID, "nobody is signed in who could link an identity");
    else if (!login_links(l, p, v->provider))
        err_set(err, ERR_NOT_ALLOWED, "identities of this provider are not linked");
    return err->kind == ERR_NONE;
}

/* What the way back has to know, sealed: whose account and session, or what is to be proven. */
static void fill_joining(struct leg_run *r, const struct login_start *s)
{
    if (s->purpose == USHER_FLOW_LINK) {
        r->flow.account = arena_dup(r->arena, s->session->account);
        r->flow.pending = arena_dup(r->arena, s->session->id);
        return;
    }
    const char *return_to = s->join ? joins_asked(r->login->joins, s->join, s->bind) : NULL;
    if (return_to) {
        r->flow.pending = arena_dup(r->arena, s->join);
        r->flow.return_to = arena_dup(r->arena, return_to);
    }
}

static const char *kept(struct arena *a, const char *text)
{
    return text ? arena_dup(a, text) : NULL;
}

void login_start_flow(struct login *l, const struct login_start *s, login_started_fn *done,
                      void *arg)
{
    struct err err = ERR_INIT;
    const struct provider *p = login_provider(l, s->provider, &err);
    if (p && s->purpose == USHER_FLOW_LINK && !may_link(l, p, s->session, &err))
        p = NULL;
    if (p == NULL) {
        const struct attempt who = {NULL, s->ip, s->user_agent, s->request_id, false};
        login_tell_failure(l, s->log, "none", clock_mono(), &err);
        login_record_failure(l, &who, "", &err);
        done(arg, NULL, &err);
        return;
    }
    struct leg_run *r = run_open(l, p, s->log);
    r->started = done;
    r->arg = arg;
    r->who = (struct attempt){p->id, kept(r->arena, s->ip), kept(r->arena, s->user_agent),
                              kept(r->arena, s->request_id), true};
    r->flow = (struct flow){.provider = p->id,
                            .purpose = s->purpose,
                            .started = wall_seconds(clock_wall()),
                            .return_to = arena_dup(r->arena, s->return_to),
                            .carry = "",
                            .max_age = -1};
    flow_new_id(r->flow.id);
    fill_joining(r, s);
    const struct drive_args args = run_drive_args(r);
    const struct drive_start hints = {
        .login_hint = s->login_hint, .prompt = s->prompt, .locale = s->locale, .max_age = -1};
    r->inside = true;
    r->drive = drive_begin(&args, &r->flow, s->bind, &hints, on_redirect, r);
    r->inside = false;
    if (r->over)
        run_close(r);
}

/* ---- life */

static int load_spent(void *arg, const unsigned char flow[16], int64_t expires)
{
    struct login *l = arg;
    (void)expires;
    (void)used_add(l->used, flow, wall_seconds(clock_wall()));
    return 0;
}

static int load(struct db *db, void *arg, struct err *err)
{
    return spent_each(db, wall_seconds(clock_wall()), load_spent, arg, err);
}

struct login *login_new(const struct login_options *o, struct err *err)
{
    struct login *l = mem_alloc(sizeof *l);
    l->o = *o;
    if (l->o.max_in_flight == 0)
        l->o.max_in_flight = IN_FLIGHT;
    l->registry = registry_ref(o->registry);
    l->used = used_new(STATE_LIFETIME + 60);
    l->list.next = l->list.prev = &l->list;
    l->tasks.next = l->tasks.prev = &l->tasks;
    l->joins = joins_new(o->loop);
    if (store_read_now(o->store, load, l, err) != STORE_DONE)
        login_free(&l);
    if (l) {
        l->recheck = recheck_new(l);
        recheck_wake(l->recheck);
        l->unkept = unkept_new(o->store, o->loop);
        unkept_forget(l->unkept, l->registry);
    }
    return l;
}

void login_drain(struct login *l, loop_job_fn *done, void *arg)
{
    recheck_drain(l->recheck, done, arg);
}

void login_free(struct login **lp)
{
    struct login *l = *lp;
    if (l == NULL)
        return;
    while (l->list.next != &l->list)
        run_close(l->list.next);
    tasks_orphan(l);
    joins_free(&l->joins);
    recheck_free(&l->recheck);
    unkept_free(&l->unkept);
    refreshes_free(&l->refreshes);
    trials_free(&l->trials);
    used_free(&l->used);
    registry_free(&l->registry);
    free(l);
    *lp = NULL;
}

void login_set_registry(struct login *l, struct registry *r)
{
    struct registry *old = l->registry;
    l->registry = registry_ref(r);
    registry_free(&old);
    recheck_wake(l->recheck);
    unkept_forget(l->unkept, r);
}

void login_set_limits(struct login *l, int64_t deadline_ms, unsigned max_in_flight)
{
    l->o.deadline_ms = deadline_ms;
    l->o.max_in_flight = max_in_flight ? max_in_flight : IN_FLIGHT;
}

struct trials *login_trials(struct login *l)
{
    if (l->trials == NULL)
        l->trials = trials_new(&l->o);
    return l->trials;
}

void login_end_tests(struct login *l)
{
    trials_free(&l->trials);
}

size_t login_in_flight(const struct login *l)
{
    return l->in_flight;
}
