/* SPDX-License-Identifier: Apache-2.0 */
#include "provider/step.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "provider/action.h"
#include "provider/host.h"
#include "provider/schema.h"
#include "sys/conf.h"

#define HELD_MAX 32
#define DECLARED_MAX 16

const struct leg_budget leg_budget_default = {.steps = 16, .requests = 12, .memory = 1u << 20};

struct leg {
    struct host host;
    struct arena *arena;
    unsigned steps, requests; /* left */
    uint32_t expected;        /* the event that answers the last action; 0: the first one */
    size_t expected_responses;
    bool begun, ended;
    bool second; /* began with CALLBACK */
    bool exchanged, tokens_ok, has_id_token;
    bool answered; /* the upstream said something: tokens or a response */
    const char *declared[DECLARED_MAX];
    size_t n_declared;
    struct jval *held[HELD_MAX]; /* JSON the plugin may still look at */
    size_t n_held;
};

struct leg *leg_new(const struct provider *p, enum usher_flow flow, const struct leg_budget *b,
                    const struct log_ctx *log)
{
    struct leg *l = mem_alloc(sizeof *l);
    if (!b)
        b = &leg_budget_default;
    l->arena = arena_new();
    l->steps = b->steps;
    l->requests = b->requests;
    host_init(&l->host, p, flow, l->arena, b->memory);
    l->host.log = log;
    if (p->plugin->leg_size)
        l->host.call.leg = arena_alloc(l->arena, p->plugin->leg_size);
    return l;
}

void leg_free(struct leg **lp)
{
    struct leg *l = *lp;
    if (!l)
        return;
    for (size_t i = 0; i < l->n_held; i++)
        jval_free(&l->held[i]);
    arena_free(&l->arena);
    free(l);
    *lp = NULL;
}

struct arena *leg_arena(struct leg *l)
{
    return l->arena;
}

const struct provider *leg_provider(const struct leg *l)
{
    return l->host.provider;
}

enum usher_flow leg_flow(const struct leg *l)
{
    return (enum usher_flow)l->host.call.flow;
}

void leg_set_access_token(struct leg *l, const struct secret *token)
{
    l->host.token = token;
}

void leg_set_slot(struct leg *l, enum provider_slot slot)
{
    l->host.slot = slot;
}

const struct secret *leg_client_secret(const struct leg *l)
{
    return host_secret(&l->host, "client_secret");
}

bool leg_spend_request(struct leg *l)
{
    if (l->requests == 0)
        return false;
    l->requests--;
    return true;
}

void leg_declare_origin(struct leg *l, const char *origin)
{
    if (l->n_declared < DECLARED_MAX)
        l->declared[l->n_declared++] = arena_dup(l->arena, origin);
}

bool leg_origin_declared(const struct leg *l, const char *url)
{
    const struct provider *p = l->host.provider;
    const char *origin = NULL;
    struct err ignored = ERR_INIT;
    if (schema_url(url, p->allow_http_loopback, l->arena, &origin, NULL, &ignored) < 0)
        return false;
    for (size_t i = 0; p->origins && p->origins[i]; i++)
        if (strcmp(p->origins[i], origin) == 0)
            return true;
    for (size_t i = 0; i < l->n_declared; i++)
        if (strcmp(l->declared[i], origin) == 0)
            return true;
    return false;
}

/* ---- events --------------------------------------------------------------------------------- */

static int hold(struct leg *l, const struct usher_json *json, struct err *err)
{
    if (!json)
        return 0;
    if (l->n_held == HELD_MAX)
        return err_set(err, ERR_INTERNAL, "the leg got more JSON than it can keep");
    l->held[l->n_held++] = jval_ref((struct jval *)(uintptr_t)json);
    return 0;
}

static bool event_complete(const struct usher_event *ev)
{
    switch (ev->kind) {
    case USHER_START:
        return ev->start != NULL;
    case USHER_CALLBACK:
        return ev->callback != NULL;
    case USHER_TOKENS:
        return ev->tokens != NULL;
    case USHER_CLAIMS:
        return ev->claims != NULL && ev->claims->claims != NULL;
    case USHER_RESPONSES:
        return ev->responses != NULL;
    default:
        return false;
    }
}

/* The core's own mistakes end here, before a plugin is confused by them. */
static int take_event(struct leg *l, const struct usher_event *ev, struct err *err)
{
    bool first = ev->kind == USHER_START || ev->kind == USHER_CALLBACK;
    if (l->ended || !event_complete(ev) || (l->begun ? ev->kind != l->expected : !first) ||
        (ev->kind == USHER_RESPONSES && ev->n_responses != l->expected_responses))
        return err_set(err, ERR_INTERNAL, "event %u does not belong here", (unsigned)ev->kind);
    l->begun = true;
    if (ev->kind == USHER_CALLBACK)
        l->second = true;
    if (ev->kind == USHER_TOKENS) {
        l->tokens_ok = ev->tokens->ok;
        l->has_id_token = ev->tokens->ok && ev->tokens->has_id_token;
        l->answered |= ev->tokens->ok;
        return hold(l, ev->tokens->other, err);
    }
    if (ev->kind == USHER_CLAIMS)
        return hold(l, ev->claims->claims, err);
    for (size_t i = 0; ev->kind == USHER_RESPONSES && i < ev->n_responses; i++) {
        l->answered |= ev->responses[i].transport == USHER_TRANSPORT_OK;
        if (hold(l, ev->responses[i].json, err) < 0)
            return -1;
    }
    return 0;
}

/* ---- actions -------------------------------------------------------------------------------- */

static bool uses_token(const struct usher_action *a)
{
    for (size_t i = 0; i < a->n_requests; i++) {
        for (size_t k = 0; k < a->requests[i].n_headers; k++)
            if (a->requests[i].headers[k].kind == USHER_VALUE_ACCESS_TOKEN)
                return true;
        for (size_t k = 0; k < a->requests[i].n_form; k++)
            if (a->requests[i].form[k].kind == USHER_VALUE_ACCESS_TOKEN)
                return true;
    }
    return false;
}

/* A login that ends without having asked the upstream anything would take the browser's word for
 * it; a recheck, its own of yesterday. */
static int check_done(const struct leg *l, struct err *err)
{
    bool confirmed = l->answered && (!l->exchanged || l->tokens_ok);
    switch (leg_flow(l)) {
    case USHER_FLOW_LOGIN:
    case USHER_FLOW_LINK:
        confirmed = confirmed && l->second;
        break;
    case USHER_FLOW_REFRESH:
        confirmed = l->tokens_ok;
        break;
    case USHER_FLOW_RECHECK:
        break;
    default:
        return 0;
    }
    return confirmed ? 0
                     : err_set(err, ERR_INTERNAL,
                               "the plugin is done before the upstream confirmed anything");
}

/* Is this action in order now? */
static int check_order(const struct leg *l, const struct usher_action *a, struct err *err)
{
    const enum usher_flow flow = leg_flow(l);
    bool browser = flow == USHER_FLOW_LOGIN || flow == USHER_FLOW_LINK;
    switch (a->kind) {
    case USHER_REDIRECT:
        if (flow == USHER_FLOW_REFRESH || flow == USHER_FLOW_RECHECK)
            return err_set(err, ERR_INTERNAL, "the plugin redirects where there is no browser");
        return l->second ? err_set(err, ERR_INTERNAL, "the plugin redirects in the second leg") : 0;
    case USHER_EXCHANGE:
        if ((browser && !l->second) || l->exchanged)
            return err_set(err, ERR_INTERNAL, "the plugin exchanges without a callback, or twice");
        return 0;
    case USHER_VERIFY:
        return l->has_id_token ? 0
                               : err_set(err, ERR_UPSTREAM_BAD, "there is no ID token to verify");
    case USHER_FETCH:
        if (uses_token(a) && !l->host.token)
            return err_set(err, ERR_INTERNAL, "the plugin uses an access token that is not there");
        return a->n_requests <= l->requests
                   ? 0
                   : err_set(err, ERR_INTERNAL, "the plugin made too many requests");
    case USHER_DONE:
        return check_done(l, err);
    default:
        return 0;
    }
}

static void note_action(struct leg *l, const struct usher_action *a)
{
    l->expected = 0;
    switch (a->kind) {
    case USHER_EXCHANGE:
        l->exchanged = true;
        l->requests -= l->requests > 0;
        l->expected = USHER_TOKENS;
        break;
    case USHER_VERIFY:
        l->expected = USHER_CLAIMS;
        break;
    case USHER_FETCH:
        l->requests -= (unsigned)a->n_requests;
        l->expected = USHER_RESPONSES;
        l->expected_responses = a->n_requests;
        break;
    default:
        l->ended = true;
    }
}

struct step_args {
    const struct usher_event *ev;
    struct usher_action raw;
};

static void run_step(struct host *h, void *arg)
{
    struct step_args *s = arg;
    h->provider->plugin->step(&h->call, s->ev, &s->raw);
}

int leg_step(struct leg *l, const struct usher_event *ev, struct usher_action *out, struct err *err)
{
    struct step_args s = {.ev = ev, .raw = {.size = sizeof s.raw}};
    int rc = -1;
    if (take_event(l, ev, err) < 0)
        goto out;
    if (l->steps == 0) {
        err_set(err, ERR_INTERNAL, "the plugin took too many steps");
        goto out;
    }
    l->steps--;
    if (host_run(&l->host, run_step, &s, err) < 0 || action_copy(l, &s.raw, out, err) < 0 ||
        check_order(l, out, err) < 0)
        goto out;
    note_action(l, out);
    rc = 0;
out:
    if (rc < 0) {
        l->ended = true;
        err_context(err, "provider %s", l->host.provider->id);
    }
    return rc;
}

const struct secret *leg_value(struct leg *l, const struct usher_param *v, const char **text)
{
    *text = v->text;
    if (v->kind == USHER_VALUE_ACCESS_TOKEN)
        return l->host.token;
    if (v->kind != USHER_VALUE_SETTING)
        return NULL;
    const struct secret *secret = host_secret(&l->host, v->text);
    *text = secret ? "" : host_setting(l->host.provider, v->text, l->arena);
    return secret;
}
