/* SPDX-License-Identifier: Apache-2.0 */
#include "login/login.h"

#include <stdlib.h>

#include "login/behind.h"
#include "login/link.h"
#include "login/trial_parts.h"
#include "login/used.h"
#include "store/spent.h"
#include "sys/clock.h"
#include "sys/random.h"

#define IN_FLIGHT 4096
#define USER_AGENT_MAX 256

/* One leg of one login, from the browser's request to its answer. */
struct leg_run {
    struct leg_run *prev, *next;
    struct login *login;
    struct arena *arena;
    struct drive *drive;
    struct registry *registry; /* a reference: a reload may replace it under way */
    const struct provider *provider;
    const struct log_ctx *log;
    const char *redirect_uri;
    struct mono began;
    bool inside, over; /* drive_* has not returned yet; the leg ended meanwhile */
    bool writing;      /* the store has us; `login` is NULL when it went away meanwhile */
    bool spent;        /* the flow is used up */
    /* first leg */
    login_started_fn *started;
    /* second leg */
    login_done_fn *done;
    void *arg;
    struct flow flow;
    struct str state;
    struct fields fields;
    struct link link;
    unsigned char old_hash[32];
    char token[44], session_id[24];
};

struct login {
    struct login_options o;
    struct registry *registry;
    struct used *used;
    struct trials *trials; /* made when first needed */
    struct leg_run list;
    size_t in_flight;
};

/* ---- counting and telling */

static void count(const struct login *l, const char *provider, const char *outcome)
{
    static const struct metric metric = {.name = "usher_logins_total",
                                         .help = "Logins by provider and how they ended.",
                                         .type = METRIC_COUNTER,
                                         .labels = {"provider", "outcome"}};
    if (l->o.metrics)
        metric_add(metrics_series(l->o.metrics, &metric, provider, outcome, NULL), 1);
}

/* To whoever keeps an eye on providers. */
static void tell_outcome(const struct leg_run *r, const struct err *err)
{
    const struct login_options *o = &r->login->o;
    if (o->on_outcome)
        o->on_outcome(o->on_outcome_arg, r->provider->id, err);
}

static void on_observed(void *arg, const char *step, int64_t ms)
{
    static const struct metric metric = {.name = "usher_upstream_seconds",
                                         .help = "Time of upstream answers by provider and step.",
                                         .type = METRIC_HISTOGRAM,
                                         .labels = {"provider", "step"},
                                         .bounds = metrics_latency_bounds};
    const struct leg_run *r = arg;
    if (r->login->o.metrics)
        metric_observe(metrics_series(r->login->o.metrics, &metric, r->provider->id, step, NULL),
                       (double)ms / 1000);
}

static void on_fell_over(void *arg, enum provider_slot from, enum provider_slot to)
{
    static const struct metric metric = {
        .name = "usher_credential_fallovers_total",
        .help = "Changes to another client secret because the upstream refused the one in use.",
        .type = METRIC_COUNTER,
        .labels = {"provider"}};
    const struct leg_run *r = arg;
    const struct login_options *o = &r->login->o;
    if (o->metrics)
        metric_add(metrics_series(o->metrics, &metric, r->provider->id, NULL, NULL), 1);
    log_event(r->log, LOG_WARN, "credentials.fell_over", LF_TEXT("provider", r->provider->id),
              LF_TEXT("from", slots_name(from)), LF_TEXT("to", slots_name(to)));
    if (o->on_fallover)
        o->on_fallover(o->on_fallover_arg, r->provider->id, from, to);
}

/* Whose fault it was decides how loudly it is said. */
static enum log_level level_of(enum err_kind kind)
{
    switch (kind) {
    case ERR_MISCONFIGURED:
    case ERR_INTERNAL:
        return LOG_ERROR;
    case ERR_UPSTREAM_DOWN:
    case ERR_UPSTREAM_BAD:
    case ERR_LIMITED:
        return LOG_WARN;
    default:
        return LOG_INFO;
    }
}

static void tell_failure(const struct login *l, const struct log_ctx *log, const char *provider,
                         struct mono began, const struct err *err)
{
    count(l, provider, err_kind_name(err->kind));
    log_event(log, level_of(err->kind), "login.failed", LF_TEXT("provider", provider),
              LF_TEXT("kind", err_kind_name(err->kind)), LF_TEXT("text", err->text),
              LF_INT("ms", mono_ms(began, clock_mono())));
}

/* ---- legs */

static struct leg_run *run_open(struct login *l, const struct provider *p,
                                const struct log_ctx *log)
{
    struct leg_run *r = mem_alloc(sizeof *r);
    r->login = l;
    r->registry = registry_ref(l->registry);
    r->provider = p;
    r->log = log;
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
    registry_free(&r->registry);
    arena_free(&r->arena);
    seal_wipe(r->token, sizeof r->token);
    free(r);
}

static void run_close(struct leg_run *r)
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

static struct drive_args drive_args_of(struct leg_run *r)
{
    const struct login_options *o = &r->login->o;
    return (struct drive_args){.io = o->io,
                               .provider = r->provider,
                               .keys = o->keys,
                               .redirect_uri = r->redirect_uri,
                               .log = r->log,
                               .loop = o->loop,
                               .deadline_ms = o->deadline_ms,
                               .observe = on_observed,
                               .fell_over = on_fell_over,
                               .observe_arg = r,
                               .slots = o->slots};
}

static const struct provider *provider_for(const struct login *l, const char *id, struct err *err)
{
    const struct provider *p = registry_find(l->registry, id);
    if (p == NULL || !p->usable)
        err_set(err, ERR_INVALID, "there is no usable provider of that name");
    else if (l->in_flight >= l->o.max_in_flight)
        err_set(err, ERR_LIMITED, "%zu logins are under way already", l->in_flight);
    return err->kind == ERR_NONE ? p : NULL;
}

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
        tell_failure(r->login, r->log, r->provider->id, r->began, err);
        tell_outcome(r, err);
        r->started(r->arg, NULL, err);
    }
    run_close(r);
}

void login_start_flow(struct login *l, const struct login_start *s, login_started_fn *done,
                      void *arg)
{
    struct err err = ERR_INIT;
    const struct provider *p = provider_for(l, s->provider, &err);
    if (p == NULL) {
        tell_failure(l, s->log, "none", clock_mono(), &err);
        done(arg, NULL, &err);
        return;
    }
    struct leg_run *r = run_open(l, p, s->log);
    r->started = done;
    r->arg = arg;
    r->flow = (struct flow){.provider = p->id,
                            .purpose = s->purpose,
                            .started = wall_seconds(clock_wall()),
                            .return_to = arena_dup(r->arena, s->return_to),
                            .carry = "",
                            .max_age = -1};
    flow_new_id(r->flow.id);
    const struct drive_args args = drive_args_of(r);
    const struct drive_start hints = {
        .login_hint = s->login_hint, .prompt = s->prompt, .locale = s->locale, .max_age = -1};
    r->inside = true;
    r->drive = drive_begin(&args, &r->flow, s->bind, &hints, on_redirect, r);
    r->inside = false;
    if (r->over)
        run_close(r);
}

/* ---- second leg */

static void fail(struct leg_run *r, const struct err *err)
{
    const struct login_options *o = &r->login->o;
    if (r->spent && !store_shared(o->store))
        behind_spend(o->store, o->loop, r->flow.id, r->link.flow_expires);
    tell_failure(r->login, r->log, r->provider->id, r->began, err);
    tell_outcome(r, err);
    r->done(r->arg, NULL, err);
    run_close(r);
}

static void succeed(struct leg_run *r)
{
    const struct login_result result = {
        .return_to = r->flow.return_to, .token = r->token, .max_age = r->login->o.session_seconds};
    count(r->login, r->provider->id, "done");
    tell_outcome(r, NULL);
    log_event(r->log, LOG_INFO, "login.done", LF_TEXT("provider", r->provider->id),
              LF_TEXT("account", r->link.account.id), LF_TEXT("session", r->session_id),
              LF_BOOL("created", r->link.account.created), LF_TEXT("client", r->link.row.ip),
              LF_INT("groups_left_out", r->link.groups_left_out),
              LF_INT("ms", mono_ms(r->began, clock_mono())));
    r->done(r->arg, &result, NULL);
    run_close(r);
}

static int write_link(struct db *db, void *arg, struct err *err)
{
    return link_write(db, &((struct leg_run *)arg)->link, err);
}

/* Hand the leg to the store. When its queue is full the leg fails at once. */
static void run_write(struct leg_run *r, store_fn *fn, store_done_fn *done)
{
    const struct login_options *o = &r->login->o;
    struct err full = ERR_INIT;
    r->writing = store_write(o->store, fn, o->loop, done, r);
    if (r->writing)
        return;
    err_set(&full, ERR_LIMITED, "the store's queue is full");
    fail(r, &full);
}

/* First thing in every answer of the store. false: nobody is interested any more. */
static bool run_written(struct leg_run *r)
{
    r->writing = false;
    if (r->login)
        return true;
    run_free(r);
    return false;
}

/* One person holds only so many sessions; the one not seen for the longest makes way, and it is
 * said. Turning the person away instead would let forgotten sessions lock them out. */
static void make_place(struct leg_run *r)
{
    const struct login_options *o = &r->login->o;
    unsigned char hash[32];
    if (!sessions_crowded(o->sessions, r->link.account.id, hash))
        return;
    log_event(r->log, LOG_INFO, "session.made_way", LF_TEXT("account", r->link.account.id));
    sessions_end(o->sessions, hash);
    behind_end_session(o->store, o->loop, hash);
}

/* Only what is durable is answered as made. */
static void on_written(void *arg, enum store_outcome outcome, const struct err *stored)
{
    struct leg_run *r = arg;
    struct err err = ERR_INIT;
    if (!run_written(r))
        return;
    if (outcome != STORE_DONE) {
        err_set(&err, stored && stored->kind == ERR_NOT_ALLOWED ? ERR_NOT_ALLOWED : ERR_INTERNAL,
                "%s",
                outcome == STORE_UNKNOWN ? "the store did not say whether it kept the session"
                : stored                 ? stored->text
                                         : "the store refused");
        fail(r, &err);
        return;
    }
    const struct login_options *o = &r->login->o;
    make_place(r);
    if (sessions_add(o->sessions, &r->link.row, &err) == 0) {
        if (r->link.ends_session)
            sessions_end(o->sessions, r->link.ends_session);
        succeed(r);
        return;
    }
    behind_end_session(o->store, o->loop, r->link.row.hash);
    fail(r, &err);
}

static void on_identity(void *arg, const struct drive_redirect *redirect,
                        const struct drive_identity *identity, const struct err *err)
{
    struct leg_run *r = arg;
    const int64_t now = wall_seconds(clock_wall());
    (void)redirect;
    if (identity == NULL) {
        fail(r, err);
        return;
    }
    link_fill(&r->link, r->provider->id, identity, r->arena);
    session_token_make(r->token, r->link.row.hash);
    rng_id(r->session_id);
    r->link.row.id = r->session_id;
    r->link.row.created = r->link.row.seen = now;
    r->link.row.ends = now + r->login->o.session_seconds;
    run_write(r, write_link, on_written);
}

static void drive_on(struct leg_run *r)
{
    const struct drive_args args = drive_args_of(r);
    r->inside = true;
    r->drive = drive_finish(&args, &r->flow, r->state, &r->fields, on_identity, r);
    r->inside = false;
    if (r->over)
        run_close(r);
}

/* ---- single use */

static int spend_row(struct db *db, void *arg, struct err *err)
{
    const struct leg_run *r = arg;
    const int added = spent_add(db, r->flow.id, r->link.flow_expires, err);
    if (added == 0)
        return err_set(err, ERR_EXPIRED, "this flow was used on another replica");
    return added < 0 ? -1 : 0;
}

static void on_spent(void *arg, enum store_outcome outcome, const struct err *err)
{
    struct leg_run *r = arg;
    struct err failure = ERR_INIT;
    if (!run_written(r))
        return;
    if (outcome == STORE_DONE) {
        drive_on(r);
        return;
    }
    err_set(&failure, err && err->kind == ERR_EXPIRED ? ERR_EXPIRED : ERR_INTERNAL, "%s",
            err ? err->text : "the store did not say whether the flow was used");
    fail(r, &failure);
}

/* One process that owns its store decides in memory and records the id with what the flow leads to;
 * replicas that share one must ask it before the code goes anywhere. */
static void spend(struct leg_run *r)
{
    if (store_shared(r->login->o.store))
        run_write(r, spend_row, on_spent);
    else
        drive_on(r);
}

/* ---- the callback */

static int read_state(struct login *l, const struct login_callback *c, struct arena *a,
                      struct flow *f, struct str *state, struct err *err)
{
    const char *text;
    if (form_get(c->fields, "state", &text) != 1)
        return err_set(err, ERR_INVALID, "state is missing or came twice");
    *state = str_of(text);
    const struct flow *opened =
        state_unseal(l->o.keys, c->bind, *state, wall_seconds(clock_wall()), a, err);
    if (!opened)
        return -1;
    *f = *opened;
    if (strcmp(f->provider, c->provider) != 0)
        return err_set(err, ERR_INVALID, "the state belongs to another provider");
    if (f->purpose != USHER_FLOW_LOGIN)
        return err_set(err, ERR_INVALID, "the state belongs to another kind of flow");
    return 0;
}

static void copy_request(struct leg_run *r, const struct login_callback *c)
{
    struct field *v = arena_alloc(r->arena, (c->fields->n + 1) * sizeof *v);
    for (size_t i = 0; i < c->fields->n; i++) {
        v[i] = c->fields->v[i];
        v[i].name = arena_dupn(r->arena, v[i].name, v[i].name_len);
        v[i].value = arena_dupn(r->arena, v[i].value, v[i].value_len);
    }
    r->fields = (struct fields){v, c->fields->n};
    r->state = (struct str){arena_str(r->arena, r->state), r->state.n};
    r->link.row.ip = c->ip ? arena_dup(r->arena, c->ip) : NULL;
    if (c->user_agent) {
        char agent[USER_AGENT_MAX + 1];
        text_display(str_of(c->user_agent), agent, USER_AGENT_MAX);
        r->link.row.user_agent = arena_dup(r->arena, agent);
    }
    if (c->has_session && c->old_session.n > 0) {
        session_token_hash(c->old_session, r->old_hash);
        r->link.ends_session = r->old_hash;
    }
    r->link.flow = r->flow.id;
    r->link.flow_expires = r->flow.started + STATE_LIFETIME;
}

/* A replay by a browser that is signed in is a reload or the back button: it just goes on. */
static void replayed(struct leg_run *r, const struct login_callback *c)
{
    struct err err = ERR_INIT;
    if (!c->has_session) {
        err_set(&err, ERR_EXPIRED, "this flow was used before");
        fail(r, &err);
        return;
    }
    const struct login_result result = {.return_to = r->flow.return_to};
    count(r->login, r->provider->id, "replayed");
    log_event(r->log, LOG_INFO, "login.replayed", LF_TEXT("provider", r->provider->id));
    r->done(r->arg, &result, NULL);
    run_close(r);
}

/* The callback makes sense: from here on the flow is used up, whatever comes of it. `refusal`: the
 * upstream's, NULL when there is a code. */
static void use_flow(struct leg_run *r, const struct login_callback *c, const struct err *refusal)
{
    struct err full = ERR_INIT;
    const int added = used_add(r->login->used, r->flow.id, wall_seconds(clock_wall()));
    /* A refusal is used up in memory only: replaying it gains nothing, and anybody can make one
     * without an upstream, so it is not worth a write. */
    r->spent = added > 0 && !refusal;
    if (added == 0) {
        replayed(r, c);
    } else if (added < 0) {
        err_set(&full, ERR_LIMITED, "too many flows were used lately");
        fail(r, &full);
    } else if (refusal) {
        fail(r, refusal);
    } else {
        spend(r);
    }
}

void login_finish_flow(struct login *l, const struct login_callback *c, login_done_fn *done,
                       void *arg)
{
    struct err err = ERR_INIT;
    if (l->trials && rehearsal_callback(l->trials, c, done, arg))
        return;
    const struct provider *p = provider_for(l, c->provider, &err);
    if (p == NULL) {
        tell_failure(l, c->log, "none", clock_mono(), &err);
        done(arg, NULL, &err);
        return;
    }
    struct leg_run *r = run_open(l, p, c->log);
    r->done = done;
    r->arg = arg;
    if (read_state(l, c, r->arena, &r->flow, &r->state, &err) != 0) {
        fail(r, &err);
        return;
    }
    copy_request(r, c);
    const int judged = drive_callback_judge(&r->flow, &r->fields, r->redirect_uri, &err);
    if (judged != 0 && err.kind == ERR_INVALID)
        fail(r, &err); /* makes no sense, so it uses nothing up */
    else
        use_flow(r, c, judged == 0 ? NULL : &err);
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
    if (store_read_now(o->store, load, l, err) != STORE_DONE)
        login_free(&l);
    return l;
}

void login_free(struct login **lp)
{
    struct login *l = *lp;
    if (l == NULL)
        return;
    while (l->list.next != &l->list)
        run_close(l->list.next);
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

size_t login_in_flight(const struct login *l)
{
    return l->in_flight;
}
