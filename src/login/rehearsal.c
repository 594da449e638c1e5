/* SPDX-License-Identifier: Apache-2.0 */
#include "login/rehearsal.h"

#include <stdlib.h>

#include "base/header.h"
#include "login/link.h"
#include "login/rehearsal_report.h"
#include "login/trial_parts.h"
#include "session/session.h"
#include "store/account_role.h"
#include "sys/clock.h"
#include "sys/random.h"

#define IN_ALL 64
#define OF_ONE_OWNER 8

enum stage { STARTING = 0, WAITING, RUNNING, DONE, FAILED };
static const char *const stage_names[] = {"starting", "waiting", "running", "done", "failed"};

struct rehearsal {
    struct rehearsal *next;
    struct trials *all; /* NULL: dropped while the store has us */
    char id[23];
    char *owner;
    enum stage stage;
    struct mono began;
    int64_t expires; /* wall seconds */
    struct arena *arena;
    struct registry *registry; /* until the sign-in has ended */
    struct apps *apps;         /* or NULL */
    const struct provider *provider;
    const char *provider_id, *redirect_uri;
    struct trial *trial;
    struct drive *drive;
    struct flow flow;
    struct str bind, state;
    struct fields fields;
    const char *url; /* of the authorization request */
    size_t before_hop;
    bool inside, over; /* drive_* has not returned yet; the leg ended meanwhile */
    bool reading;      /* the store has us */
    struct err err;    /* of the leg that ended, if it failed */
    rehearsal_started_fn *started;
    login_done_fn *finished;
    void *arg; /* of whichever is set */
    /* linking */
    struct link link;      /* what a real sign-in would do */
    struct arena *looking; /* the store's, while it has us */
    int found;             /* enum link_outcome */
    struct account account;
    /* what is told */
    const char *roles; /* of that account, a JSON array; NULL: none */
    struct jval *requests, *claims, *identity, *evidence, *linking, *rules, *failure;
};

/* ---- life ------------------------------------------------------------------------------------ */

/* What may hold secrets goes as soon as the sign-in is over. */
static void let_go(struct rehearsal *r)
{
    drive_free(&r->drive);
    trials_bury(r->all, &r->trial);
    registry_free(&r->registry);
    r->provider = NULL;
}

static void release(struct rehearsal *r)
{
    jval_free(&r->requests);
    jval_free(&r->claims);
    jval_free(&r->identity);
    jval_free(&r->evidence);
    jval_free(&r->linking);
    jval_free(&r->rules);
    apps_free(&r->apps);
    jval_free(&r->failure);
    arena_free(&r->arena);
    arena_free(&r->looking);
    free(r->owner);
    free(r);
}

/* Out of the list; nobody is told. The store's answer frees what it still holds. */
static void drop(struct rehearsal *r)
{
    struct trials *t = r->all;
    for (struct rehearsal **at = &t->rehearsals; *at; at = &(*at)->next)
        if (*at == r) {
            *at = r->next;
            t->n_rehearsals--;
            break;
        }
    let_go(r);
    r->all = NULL;
    if (!r->reading)
        release(r);
}

/* Whoever waits hears that it is over. */
static void expire(struct rehearsal *r)
{
    struct err err = ERR_INIT;
    rehearsal_started_fn *started = r->started;
    login_done_fn *finished = r->finished;
    void *arg = r->arg;
    err_set(&err, ERR_EXPIRED, "the rehearsal is over");
    drop(r);
    if (started)
        started(arg, NULL, NULL, &err);
    if (finished)
        finished(arg, NULL, &err);
}

void rehearsals_free(struct trials *t)
{
    while (t->rehearsals)
        drop(t->rehearsals);
}

void rehearsals_sweep(struct trials *t)
{
    for (struct rehearsal *r = t->rehearsals, *next; r; r = next) {
        next = r->next;
        if (mono_ms(r->began, clock_mono()) < REHEARSAL_SECONDS * 1000)
            continue;
        expire(r);
        next = t->rehearsals; /* whoever was told may have done anything */
    }
}

static struct rehearsal *find(const struct trials *t, const char *id)
{
    for (struct rehearsal *r = t ? t->rehearsals : NULL; r; r = r->next)
        if (strcmp(r->id, id) == 0 && mono_ms(r->began, clock_mono()) < REHEARSAL_SECONDS * 1000)
            return r;
    return NULL;
}

/* An owner's oldest makes way for a new one. */
static void make_place(struct trials *t, const char *owner)
{
    struct rehearsal *oldest = NULL;
    size_t n = 0;
    for (struct rehearsal *r = t->rehearsals; r; r = r->next)
        if (strcmp(r->owner, owner) == 0) {
            oldest = r;
            n++;
        }
    if (n >= OF_ONE_OWNER)
        expire(oldest);
}

/* ---- the end --------------------------------------------------------------------------------- */

static void end(struct rehearsal *r, const struct err *err)
{
    char id[sizeof r->id]; /* whoever is told may drop us */
    const struct login_result result = {.rehearsal = id};
    rehearsal_started_fn *started = r->started;
    login_done_fn *finished = r->finished;
    memcpy(id, r->id, sizeof id);
    r->started = NULL;
    r->finished = NULL;
    r->stage = err ? FAILED : DONE;
    r->failure = err ? rehearsal_failure(err) : NULL;
    r->requests = rehearsal_requests(r->trial, r->url, r->before_hop);
    r->claims = r->claims ? r->claims : trial_claims(r->trial);
    if (err)
        log_event(NULL, LOG_INFO, "rehearsal.failed", LF_TEXT("provider", r->provider_id),
                  LF_TEXT("kind", err_kind_name(err->kind)), LF_TEXT("text", err->text));
    else
        log_event(NULL, LOG_INFO, "rehearsal.done", LF_TEXT("provider", r->provider_id),
                  LF_BOOL("known", r->found == LINK_IS_KNOWN));
    let_go(r);
    if (started)
        started(r->arg, id, NULL, err);
    else if (finished)
        finished(r->arg, &result, NULL);
}

/* ---- linking --------------------------------------------------------------------------------- */

static int look_up(struct db *db, void *arg, struct err *err)
{
    struct rehearsal *r = arg;
    arena_reset(r->looking);
    r->link.arena = r->looking;
    r->found = link_foresee(db, &r->link, wall_seconds(clock_wall()), &r->account, err);
    r->roles = NULL;
    return r->found < 0 || account_roles(db, r->account.id, r->looking, &r->roles, err) < 0 ? -1
                                                                                            : 0;
}

/* What apps would say of who signed in, from an address that is not known. */
static struct jval *judge_apps(struct rehearsal *r)
{
    const struct account_profile *p = &r->link.profile;
    struct rights *rights = r->all->o->sessions ? sessions_rights(r->all->o->sessions) : NULL;
    struct app_subject s = app_nobody(NULL);
    struct err err = ERR_INIT; /* roles that make no sense are none */
    uint32_t set = 0;
    s.signed_in = true;
    s.account = r->account.id;
    s.provider = p->provider;
    s.email = p->email ? p->email : "";
    s.email_evidence = p->email_evidence;
    s.groups = header_list(r->arena, p->groups);
    if (rights && rights_take(rights, r->roles, &set, &err) == 0) {
        s.roles = rights_show(rights, set).roles;
        s.permissions = rights_show(rights, set).permissions;
    }
    struct jval *rules = rehearsal_rules(r->apps, &s);
    if (rights)
        rights_drop(rights, set);
    return rules;
}

static void on_looked_up(void *arg, enum store_outcome outcome, const struct err *stored)
{
    struct rehearsal *r = arg;
    struct err err = ERR_INIT;
    r->reading = false;
    if (!r->all) {
        release(r);
        return;
    }
    if (outcome == STORE_DONE) {
        r->linking = rehearsal_linking((enum link_outcome)r->found, &r->account);
        r->rules = judge_apps(r);
        end(r, NULL);
        return;
    }
    err_set(&err, ERR_INTERNAL, "whose account it is could not be looked up: %s",
            stored ? stored->text : "the store did not answer");
    end(r, &err);
}

/* The ID token's claims come before those of other answers. */
static void keep_claims(struct rehearsal *r, const struct jval *verified)
{
    struct jval *others = trial_claims(r->trial);
    r->claims = jval_new_array();
    if (verified) {
        struct jval *one = jval_new_object();
        jval_set_text(one, "source", "id_token");
        jval_set(one, "claims", trial_redact(r->trial, verified));
        jval_push(r->claims, one);
    }
    for (size_t i = 0; i < jval_count(others); i++)
        jval_push(r->claims, jval_ref((struct jval *)(uintptr_t)jval_item(others, i)));
    jval_free(&others);
}

/* ---- the second leg -------------------------------------------------------------------------- */

static void after_identity(struct rehearsal *r)
{
    const struct login_options *o = r->all->o;
    if (r->err.kind == ERR_NONE) {
        r->looking = arena_new();
        r->reading = store_read(o->store, look_up, o->loop, on_looked_up, r);
        if (r->reading)
            return;
        err_set(&r->err, ERR_LIMITED, "the store's queue is full");
    }
    const struct err err = r->err;
    end(r, &err);
}

static void on_identity(void *arg, const struct drive_redirect *redirect,
                        const struct drive_identity *identity, const struct err *err)
{
    struct rehearsal *r = arg;
    unsigned left_out = 0;
    (void)redirect;
    if (identity) {
        keep_claims(r, identity->claims);
        r->identity = rehearsal_identity(r->trial, identity);
        r->evidence = rehearsal_evidence(identity->email ? identity->email_evidence : 0);
        r->link.policy = r->provider->common.link;
        r->link.profile = (struct account_profile){
            .provider = r->provider_id,
            .subject = arena_dup(r->arena, identity->subject),
            .email = identity->email ? arena_dup(r->arena, identity->email) : NULL,
            .email_evidence = (int)identity->email_evidence,
            .groups = link_groups(r->provider_id, identity->groups, r->arena, &left_out)};
    } else {
        r->err = *err;
    }
    r->over = true;
    if (!r->inside)
        after_identity(r);
}

static void copy_request(struct rehearsal *r, const struct login_callback *c, struct str state)
{
    struct field *v = arena_alloc(r->arena, (c->fields->n + 1) * sizeof *v);
    for (size_t i = 0; i < c->fields->n; i++) {
        v[i] = c->fields->v[i];
        v[i].name = arena_dupn(r->arena, v[i].name, v[i].name_len);
        v[i].value = arena_dupn(r->arena, v[i].value, v[i].value_len);
    }
    r->fields = (struct fields){v, c->fields->n};
    r->state = (struct str){arena_str(r->arena, state), state.n};
}

/* The flow as the state has it; its strings go to the rehearsal's arena. */
static int open_state(struct trials *t, const struct login_callback *c, struct arena *a,
                      struct flow *out, struct str *state)
{
    const char *text;
    struct err ignored = ERR_INIT; /* then it is for logins to say what is wrong with it */
    if (form_get(c->fields, "state", &text) != 1)
        return -1;
    *state = str_of(text);
    const struct flow *f =
        state_unseal(t->o->keys, c->bind, *state, wall_seconds(clock_wall()), a, &ignored);
    if (!f || f->purpose != FLOW_REHEARSE || !f->pending)
        return -1;
    *out = *f;
    return 0;
}

static void second_leg(struct rehearsal *r, const struct login_callback *c, struct str state)
{
    copy_request(r, c, state);
    r->stage = RUNNING;
    const struct drive_args args = trials_args(r->all, r->trial, r->provider, r->redirect_uri);
    r->over = false;
    r->inside = true;
    r->drive = drive_finish(&args, &r->flow, r->state, &r->fields, on_identity, r);
    r->inside = false;
    if (r->over)
        after_identity(r);
}

/* The rehearsal that the state belongs to has its say. */
static void called_back(struct rehearsal *r, const struct login_callback *c, struct str state,
                        login_done_fn *done, void *arg)
{
    const struct login_result again = {.rehearsal = r->id};
    struct err err = ERR_INIT;
    if (r->stage == DONE || r->stage == FAILED) { /* a reload, the back button */
        done(arg, &again, NULL);
        return;
    }
    if (r->stage != WAITING) {
        err_set(&err, ERR_EXPIRED, "this rehearsal is under way already");
        done(arg, NULL, &err);
        return;
    }
    const int judged = drive_callback_judge(&r->flow, c->fields, r->redirect_uri, &err);
    if (judged != 0 && err.kind == ERR_INVALID) { /* makes no sense: it uses nothing up */
        done(arg, NULL, &err);
        return;
    }
    r->finished = done;
    r->arg = arg;
    if (judged != 0)
        end(r, &err);
    else
        second_leg(r, c, state);
}

bool rehearsal_callback(struct trials *t, const struct login_callback *c, login_done_fn *done,
                        void *arg)
{
    struct err err = ERR_INIT;
    struct flow f;
    struct str state;
    if (!t->rehearsals) /* logins pay nothing for what is not there */
        return false;
    struct arena *a = arena_new();
    const bool ours = open_state(t, c, a, &f, &state) == 0;
    struct rehearsal *r = ours ? find(t, f.pending) : NULL;
    if (ours && strcmp(f.provider, c->provider) != 0) {
        err_set(&err, ERR_INVALID, "the state belongs to another provider");
        done(arg, NULL, &err);
    } else if (ours && (!r || !seal_equal(f.id, r->flow.id, sizeof f.id))) {
        err_set(&err, ERR_EXPIRED, "the rehearsal is over");
        done(arg, NULL, &err);
    } else if (ours) {
        r->flow.issuer = f.issuer ? arena_dup(r->arena, f.issuer) : NULL;
        r->flow.carry = arena_dup(r->arena, f.carry);
        r->flow.max_age = f.max_age;
        r->flow.iss_required = f.iss_required;
        r->flow.nonce_sent = f.nonce_sent;
        r->flow.pkce_sent = f.pkce_sent;
        called_back(r, c, state, done, arg);
    }
    arena_free(&a);
    return ours;
}

/* ---- the first leg --------------------------------------------------------------------------- */

static void after_redirect(struct rehearsal *r)
{
    char id[sizeof r->id];
    rehearsal_started_fn *started = r->started;
    const struct err err = r->err;
    drive_free(&r->drive);
    if (!r->url) {
        end(r, &err);
        return;
    }
    memcpy(id, r->id, sizeof id);
    r->before_hop = trial_count(r->trial);
    r->stage = WAITING;
    r->started = NULL;
    started(r->arg, id, r->url, NULL);
}

static void on_redirect(void *arg, const struct drive_redirect *redirect,
                        const struct drive_identity *identity, const struct err *err)
{
    struct rehearsal *r = arg;
    (void)identity;
    if (redirect)
        r->url = arena_dup(r->arena, redirect->url);
    else
        r->err = *err;
    r->over = true;
    if (!r->inside)
        after_redirect(r);
}

static void first_leg(struct rehearsal *r, const struct rehearsal_start *s)
{
    const struct drive_args args = trials_args(r->all, r->trial, r->provider, r->redirect_uri);
    const struct drive_start hints = {.login_hint = s->login_hint, .max_age = -1};
    r->flow = (struct flow){.provider = r->provider_id,
                            .purpose = FLOW_REHEARSE,
                            .started = wall_seconds(clock_wall()),
                            .return_to = "/",
                            .pending = r->id,
                            .carry = "",
                            .max_age = -1};
    flow_new_id(r->flow.id);
    r->inside = true;
    r->drive = drive_begin(&args, &r->flow, s->bind, &hints, on_redirect, r);
    r->inside = false;
    if (r->over)
        after_redirect(r);
}

static int admit(struct trials *t, const struct rehearsal_start *s, const struct provider *p,
                 struct err *err)
{
    if (!p)
        return err_set(err, ERR_NOT_FOUND, "there is no provider of that name");
    if (!p->plugin || p->faulty)
        return err_set(err, ERR_MISCONFIGURED, "%s", p->reason ? p->reason : "wrong settings");
    if (s->bind.n == 0)
        return err_set(err, ERR_INVALID, "a rehearsal needs a browser");
    if (trials_admit(t, err) != 0)
        return -1;
    make_place(t, s->owner);
    if (t->n_rehearsals >= IN_ALL)
        return err_set(err, ERR_LIMITED, "%d rehearsals are kept already", IN_ALL);
    return 0;
}

void rehearsal_begin(struct login *l, const struct rehearsal_start *s, rehearsal_started_fn *done,
                     void *arg)
{
    struct trials *t = login_trials(l);
    const struct provider *p = registry_find(s->registry, s->provider);
    struct err err = ERR_INIT;
    if (admit(t, s, p, &err) != 0) {
        done(arg, NULL, NULL, &err);
        return;
    }
    struct rehearsal *r = mem_alloc(sizeof *r);
    r->all = t;
    rng_id(r->id);
    r->owner = mem_dup(s->owner);
    r->began = clock_mono();
    r->expires = wall_seconds(clock_wall()) + REHEARSAL_SECONDS;
    r->arena = arena_new();
    r->registry = registry_ref(s->registry);
    r->apps = s->apps ? apps_ref(s->apps) : NULL;
    r->provider = p;
    r->provider_id = arena_dup(r->arena, p->id);
    r->redirect_uri = arena_printf(r->arena, "%s/callback/%s", t->o->public_url, p->id);
    r->trial = trials_open(t, true);
    r->started = done;
    r->arg = arg;
    r->next = t->rehearsals;
    t->rehearsals = r;
    t->n_rehearsals++;
    trials_watch(t);
    first_leg(r, s);
}

/* ---- what is told ---------------------------------------------------------------------------- */

static struct jval *ref_or_null(struct jval *v)
{
    return v ? jval_ref(v) : jval_new_null();
}

struct jval *rehearsal_report(struct login *l, const char *id, const char *owner)
{
    struct rehearsal *r = find(login_trials(l), id);
    if (!r || strcmp(r->owner, owner) != 0)
        return NULL;
    struct jval *o = jval_new_object();
    jval_set_text(o, "id", r->id);
    jval_set_text(o, "provider", r->provider_id);
    jval_set_text(o, "state", stage_names[r->stage]);
    jval_set_int(o, "expires", r->expires);
    jval_set_text(o, "callback_url", r->redirect_uri);
    jval_set(o, "requests",
             r->requests ? jval_ref(r->requests)
                         : rehearsal_requests(r->trial, r->url, r->before_hop));
    jval_set(o, "claims", r->claims ? jval_ref(r->claims) : jval_new_array());
    jval_set(o, "identity", ref_or_null(r->identity));
    jval_set(o, "email_evidence", ref_or_null(r->evidence));
    jval_set(o, "linking", ref_or_null(r->linking));
    jval_set(o, "rules", r->rules ? jval_ref(r->rules) : jval_new_array());
    jval_set(o, "failure", ref_or_null(r->failure));
    return o;
}

bool rehearsal_expected(struct login *l, const char *provider)
{
    const struct trials *t = login_trials(l);
    for (const struct rehearsal *r = t->rehearsals; r; r = r->next)
        if (r->stage == WAITING && strcmp(r->provider_id, provider) == 0)
            return true;
    return false;
}
