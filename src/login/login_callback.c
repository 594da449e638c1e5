/* SPDX-License-Identifier: Apache-2.0 */
/* The way back: whose flow it is, that it was not used before, and what the browser brought. */
#include "login/login_parts.h"
#include "login/used.h"
#include "store/spent.h"
#include "sys/clock.h"

static void drive_on(struct leg_run *r)
{
    const struct drive_args args = run_drive_args(r);
    r->inside = true;
    r->drive = drive_finish(&args, &r->flow, r->state, &r->fields, login_on_identity, r);
    r->inside = false;
    if (r->over)
        run_close(r);
}

/* ---- single use */

static int spend_row(struct db *db, void *arg, struct err *err)
{
    const struct leg_run *r = arg;
    const int added = spent_add(db, r->flow.id, r->open.link.flow_expires, err);
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
    run_fail(r, &failure);
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

static bool same_session(const struct flow *f, const struct session_view *v)
{
    return v && strcmp(v->account, f->account) == 0 && strcmp(v->id, f->pending) == 0;
}

/* ACCT-09: who proves an identity to link it is who asked to, in the same session. */
static int judge_purpose(const struct flow *f, const struct session_view *session, struct err *err)
{
    const bool linking = f->purpose == USHER_FLOW_LINK && f->account && f->pending;
    if (f->purpose != USHER_FLOW_LOGIN && !linking)
        return err_set(err, ERR_INVALID, "the state belongs to another kind of flow");
    if (linking && !same_session(f, session))
        return err_set(err, ERR_EXPIRED, "the session that asked for this is over");
    return 0;
}

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
    return judge_purpose(f, c->session, err);
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
    r->bind = (struct str){arena_str(r->arena, c->bind), c->bind.n};
    r->open.link.arena = r->arena;
    r->open.link.flow = r->flow.id;
    r->open.link.flow_expires = r->flow.started + STATE_LIFETIME;
    opening_client(&r->open, c->ip, c->user_agent, c->session);
    r->open.link.request_id = c->request_id ? arena_dup(r->arena, c->request_id) : NULL;
    r->who = (struct attempt){r->provider->id, r->open.link.row.ip, r->open.link.row.user_agent,
                              r->open.link.request_id, true};
    if (c->session)
        r->mine = (struct mine){arena_dup(r->arena, c->session->account),
                                arena_dup(r->arena, c->session->id),
                                arena_dup(r->arena, c->session->provider)};
}

/* A replay by a browser that is signed in is a reload or the back button: it just goes on. */
static void replayed(struct leg_run *r, const struct login_callback *c)
{
    struct err err = ERR_INIT;
    if (!c->session) {
        err_set(&err, ERR_EXPIRED, "this flow was used before");
        run_fail(r, &err);
        return;
    }
    const struct login_result result = {.return_to = r->flow.return_to};
    login_count(r->login, r->provider->id, "replayed");
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
        run_fail(r, &full);
    } else if (refusal) {
        run_fail(r, refusal);
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
    const struct provider *p = login_provider(l, c->provider, &err);
    if (p == NULL) {
        const struct attempt who = {NULL, c->ip, c->user_agent, c->request_id, false};
        login_tell_failure(l, c->log, "none", clock_mono(), &err);
        login_record_failure(l, &who, "", &err);
        done(arg, NULL, &err);
        return;
    }
    struct leg_run *r = run_open(l, p, c->log);
    r->done = done;
    r->arg = arg;
    r->who = (struct attempt){p->id, c->ip, c->user_agent, c->request_id, false};
    if (read_state(l, c, r->arena, &r->flow, &r->state, &err) != 0) {
        run_fail(r, &err);
        return;
    }
    copy_request(r, c);
    const int judged = drive_callback_judge(&r->flow, &r->fields, r->redirect_uri, &err);
    if (judged != 0 && err.kind == ERR_INVALID)
        run_fail(r, &err); /* makes no sense, so it uses nothing up */
    else
        use_flow(r, c, judged == 0 ? NULL : &err);
}
