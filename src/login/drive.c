/* SPDX-License-Identifier: Apache-2.0 */
#include "login/drive_parts.h"

#include <stdlib.h>

static const char *dup_or_null(struct arena *a, const char *text)
{
    return text ? arena_dup(a, text) : NULL;
}

static enum usher_flow told_purpose(const struct flow *f)
{
    return f->purpose == FLOW_REHEARSE ? USHER_FLOW_LOGIN : (enum usher_flow)f->purpose;
}

struct drive *drive_new(const struct drive_args *args, const struct flow *f, drive_done_fn *done,
                        void *arg)
{
    struct drive *d = mem_alloc(sizeof *d);
    d->leg = leg_new(args->provider, told_purpose(f), &leg_budget_default, args->log);
    struct arena *a = d->arena = leg_arena(d->leg);
    d->args = *args;
    d->done = done;
    d->arg = arg;
    d->flow = *f;
    d->flow.provider = dup_or_null(a, f->provider);
    d->flow.return_to = dup_or_null(a, f->return_to);
    d->flow.account = dup_or_null(a, f->account);
    d->flow.pending = dup_or_null(a, f->pending);
    d->flow.issuer = dup_or_null(a, f->issuer);
    d->flow.carry = arena_dup(a, f->carry ? f->carry : "");
    for (size_t i = 0; i < USHER_REQUESTS_MAX; i++)
        d->calls[i] = (struct drive_call){.d = d, .index = i};
    return d;
}

static void cancel_calls(struct drive *d)
{
    for (size_t i = 0; i < USHER_REQUESTS_MAX; i++) {
        if (d->calls[i].handle)
            d->args.io->cancel(d->args.io->ctx, d->calls[i].handle);
        d->calls[i].handle = NULL;
    }
    d->under_way = 0;
}

void drive_free(struct drive **drive)
{
    struct drive *d = *drive;
    if (!d)
        return;
    *drive = NULL;
    cancel_calls(d);
    if (d->deadline)
        loop_timer_del(&d->deadline);
    secret_free(&d->code);
    secret_free(&d->verifier);
    secret_free(&d->access_token);
    secret_free(&d->id_token);
    secret_free(&d->refresh_sent);
    secret_free(&d->refresh_token);
    jws_deinit(&d->token);
    for (size_t i = 0; i < d->n_kept; i++)
        jval_free(&d->kept[i]);
    free(d->kept);
    leg_free(&d->leg); /* and the arena */
    free(d);
}

void drive_end(struct drive *d, const struct drive_redirect *redirect,
               const struct drive_identity *identity, const struct err *err)
{
    if (d->ended)
        return;
    d->ended = true;
    cancel_calls(d);
    if (d->deadline)
        loop_timer_del(&d->deadline);
    d->done(d->arg, redirect, identity, err);
}

void drive_fail(struct drive *d, const struct err *err)
{
    /* What came back empty-handed is a fault of ours, never a success. */
    struct err e = *err;
    if (e.kind == ERR_NONE)
        err_set(&e, ERR_INTERNAL, "a step failed without saying why");
    drive_end(d, NULL, NULL, &e);
}

static void on_deadline(void *arg)
{
    struct err err = ERR_INIT;
    err_set(&err, ERR_UPSTREAM_DOWN, "the upstream took too long");
    drive_fail(arg, &err);
}

/* When the person was asked for a proof, from what was signed; a plugin's word does not count. */
static int64_t proven_time(const struct drive *d)
{
    double at;
    const double now = (double)wall_seconds(clock_wall());
    if (!d->verified || !jval_number(jval_get(d->token.payload, "auth_time"), &at) || at < 1)
        return 0;
    return (int64_t)(at < now ? at : now);
}

/* The leg has judged it already: order, sizes, bytes. */
static struct drive_identity identity_of(const struct drive *d, const struct usher_identity *who)
{
    return (struct drive_identity){
        .subject = who->subject,
        .email = who->email,
        .username = who->username,
        .name = who->name,
        .picture = who->picture,
        .locale = who->locale,
        .email_evidence = who->email_evidence,
        .groups = who->groups,
        .amr = who->amr,
        .auth_time = proven_time(d),
        .claims = d->verified ? d->token.payload : NULL,
    };
}

static int act_done(struct drive *d, const struct usher_identity *who, struct err *err)
{
    struct drive_identity id = {.subject = NULL};
    if (who)
        id = identity_of(d, who);
    if (d->renewal && drive_renewed(d, &id, err) != 0)
        return -1;
    drive_end(d, NULL, &id, NULL);
    return 0;
}

static int act_fail(const struct usher_action *act, struct err *err)
{
    const char *text = act->fail_text ? act->fail_text : "the plugin gave up";
    bool hint = act->fail_hint && *act->fail_hint;
    return err_set(err, (enum err_kind)act->fail, "%s%s%s%s", text, hint ? " (" : "",
                   hint ? act->fail_hint : "", hint ? ")" : "");
}

static int act(struct drive *d, const struct usher_action *action, struct err *err)
{
    switch (action->kind) {
    case USHER_REDIRECT:
        return drive_redirect(d, action, err);
    case USHER_EXCHANGE:
        return drive_exchange(d, action, err);
    case USHER_VERIFY:
        return drive_verify(d, action, err);
    case USHER_FETCH:
        return drive_requests(d, action, err);
    case USHER_DONE:
        return act_done(d, action->identity, err);
    case USHER_FAIL:
        return act_fail(action, err);
    default:
        return err_set(err, ERR_INTERNAL, "plugin: no such action");
    }
}

void drive_step(struct drive *d, const struct usher_event *ev)
{
    struct usher_action action;
    struct err err = ERR_INIT;
    if (leg_step(d->leg, ev, &action, &err) != 0 || act(d, &action, &err) != 0)
        drive_fail(d, &err);
}

void drive_arm(struct drive *d)
{
    if (!d->args.loop || d->args.deadline_ms <= 0)
        return;
    d->deadline = loop_timer_add(d->args.loop, on_deadline, d);
    loop_timer_set(d->deadline, d->args.deadline_ms);
}

struct drive *drive_begin(const struct drive_args *a, const struct flow *f, struct str bind,
                          const struct drive_start *hints, drive_done_fn *done, void *arg)
{
    struct drive *d = drive_new(a, f, done, arg);
    d->bind = (struct str){arena_str(d->arena, bind), bind.n};
    d->flow.max_age = -1;
    drive_arm(d);

    const struct usher_start start = {
        .size = sizeof start,
        .flow = told_purpose(f),
        .redirect_uri = a->redirect_uri,
        .login_hint = hints ? hints->login_hint : NULL,
        .prompt = hints ? hints->prompt : NULL,
        .locale = hints ? hints->locale : NULL,
        .max_age = hints ? hints->max_age : -1,
    };
    const struct usher_event ev = {.size = sizeof ev, .kind = USHER_START, .start = &start};
    drive_step(d, &ev);
    return d;
}

/* What the plugin sees of the callback: all but what the core has dealt with. */
static struct usher_callback callback_event(struct drive *d, const struct fields *callback)
{
    struct usher_field *v = arena_alloc(d->arena, (callback->n + 1) * sizeof *v);
    size_t n = 0;
    for (size_t i = 0; i < callback->n; i++) {
        const struct field *f = &callback->v[i];
        if (strcmp(f->name, "state") == 0 || strcmp(f->name, "code") == 0 ||
            strcmp(f->name, "iss") == 0)
            continue;
        v[n++] = (struct usher_field){arena_dup(d->arena, f->name), arena_dup(d->arena, f->value)};
    }
    return (struct usher_callback){
        .size = sizeof(struct usher_callback), .fields = v, .n_fields = n, .carry = d->flow.carry};
}

static int take_code(struct drive *d, const struct fields *callback, struct err *err)
{
    const char *code = NULL;
    char verifier[44];
    if (form_get(callback, "code", &code) != 1)
        return err_set(err, ERR_INVALID, "callback: no code");
    d->code = secret_new(code, strlen(code));
    if (!d->flow.pkce_sent)
        return 0;
    if (state_verifier(d->args.keys, d->state, d->flow.id, verifier) != 0)
        return err_set(err, ERR_EXPIRED, "the key that sealed this flow is gone");
    d->verifier = secret_new(verifier, strlen(verifier));
    seal_wipe(verifier, sizeof verifier);
    return 0;
}

struct drive *drive_finish(const struct drive_args *a, const struct flow *f, struct str state,
                           const struct fields *callback, drive_done_fn *done, void *arg)
{
    struct drive *d = drive_new(a, f, done, arg);
    struct err err = ERR_INIT;
    d->second = true;
    d->state = (struct str){arena_str(d->arena, state), state.n};
    drive_arm(d);
    if (drive_callback_judge(&d->flow, callback, a->redirect_uri, &err) != 0 ||
        take_code(d, callback, &err) != 0) {
        drive_fail(d, &err);
        return d;
    }
    const struct usher_callback cb = callback_event(d, callback);
    const struct usher_event ev = {.size = sizeof ev, .kind = USHER_CALLBACK, .callback = &cb};
    drive_step(d, &ev);
    return d;
}
