/* SPDX-License-Identifier: Apache-2.0 */
#include "login/probe.h"

#include <stdlib.h>

#include "login/probe_words.h"
#include "login/trial_parts.h"
#include "provider/host.h"
#include "sys/clock.h"
#include "sys/jose.h"
#include "sys/random.h"

#define AT_ONCE 8
#define KEYS_TTL 3600

/* One test, from the first request to the report. */
struct probe {
    struct probe *next;
    struct trials *all;
    struct registry *registry;
    const struct provider *provider;
    enum provider_slot slot;
    struct trial *trial;
    struct arena *arena;
    struct drive *drive;
    void *keys_call;   /* under way; NULL: not */
    bool inside, over; /* drive_* has not returned yet; the leg ended meanwhile */
    const char *redirect_uri, *bind;
    struct flow flow;
    const char *url;    /* of the authorization request; NULL: the leg failed */
    enum err_kind kind; /* of the leg that ended */
    bool signed_in;
    struct words words;
    probe_done_fn *done;
    void *arg;
};

static void probe_free(struct probe *p)
{
    struct trials *all = p->all;
    for (struct probe **at = &all->probes; *at; at = &(*at)->next)
        if (*at == p) {
            *at = p->next;
            all->n_probes--;
            break;
        }
    drive_free(&p->drive);
    if (p->keys_call)
        trial_io(p->trial)->cancel(trial_io(p->trial)->ctx, p->keys_call);
    trials_bury(all, &p->trial);
    words_deinit(&p->words);
    registry_free(&p->registry);
    arena_free(&p->arena);
    free(p);
}

void probes_free(struct trials *t)
{
    while (t->probes)
        probe_free(t->probes);
}

static void finish(struct probe *p)
{
    probe_done_fn *done = p->done;
    void *arg = p->arg;
    words_clock(&p->words, p->trial);
    words_callback(&p->words, p->redirect_uri);
    struct jval *report = words_report(&p->words);
    probe_free(p);
    done(arg, report, NULL);
    jval_free(&report);
}

/* ---- the token endpoint ---------------------------------------------------------------------- */

static void after_token(struct probe *p)
{
    drive_free(&p->drive);
    words_token(&p->words, trial_last(p->trial, TRIAL_TOKEN), p->signed_in, p->kind,
                p->redirect_uri);
    finish(p);
}

static void on_identity(void *arg, const struct drive_redirect *redirect,
                        const struct drive_identity *identity, const struct err *err)
{
    struct probe *p = arg;
    (void)redirect;
    p->signed_in = identity != NULL;
    p->kind = err ? err->kind : ERR_NONE;
    p->over = true;
    if (!p->inside)
        after_token(p);
}

/* What a browser would bring, with a code that nobody gave out. */
static int made_up_callback(struct probe *p, struct fields *f, const char **state, struct err *err)
{
    struct fields query;
    char id[23];
    struct field *v = arena_alloc(p->arena, 3 * sizeof *v);
    const char *from = strchr(p->url, '?');
    if (!from || form_parse(p->arena, str_of(from + 1), 64, &query, err) != 0 ||
        form_get(&query, "state", state) != 1)
        return err_set(err, ERR_INTERNAL, "the redirect carries no state");
    const struct flow *opened = state_unseal(p->all->o->keys, str_of(p->bind), str_of(*state),
                                             wall_seconds(clock_wall()), p->arena, err);
    if (!opened)
        return -1;
    p->flow = *opened;
    rng_id(id);
    v[0] = (struct field){.name = "state", .value = *state};
    v[1] = (struct field){.name = "code", .value = arena_printf(p->arena, "usher-test-%s", id)};
    v[2] = (struct field){.name = "iss", .value = p->flow.issuer};
    for (int i = 0; i < 3; i++) {
        v[i].name_len = strlen(v[i].name);
        v[i].value_len = v[i].value ? strlen(v[i].value) : 0;
    }
    *f = (struct fields){v, p->flow.iss_required && p->flow.issuer ? 3 : 2};
    return 0;
}

static void ask_token(struct probe *p)
{
    struct fields f;
    struct err err = ERR_INIT;
    const char *state;
    if (!p->url || made_up_callback(p, &f, &state, &err) != 0) {
        words_token_unasked(&p->words);
        finish(p);
        return;
    }
    struct drive_args args = trials_args(p->all, p->trial, p->provider, p->redirect_uri);
    args.only_slot = &p->slot;
    p->inside = true;
    p->over = false;
    p->drive = drive_finish(&args, &p->flow, str_of(state), &f, on_identity, p);
    p->inside = false;
    if (p->over)
        after_token(p);
}

/* ---- the key set ----------------------------------------------------------------------------- */

static void on_keys(void *arg, const struct fetch_result *r)
{
    struct probe *p = arg;
    struct err ignored = ERR_INIT; /* what is wrong with it is told in other words */
    p->keys_call = NULL;
    const bool there = r->transport == USHER_TRANSPORT_OK && r->status == 200;
    struct jwks *set = there ? jwks_parse(r->body, &ignored) : NULL;
    words_keys(&p->words, trial_last(p->trial, TRIAL_KEYS), set ? jwks_count(set) : 0);
    jwks_free(&set);
    ask_token(p);
}

static void ask_keys(struct probe *p)
{
    static const struct fetch_part accept = {.name = "accept", .before = "application/json"};
    const struct drive_io *io = trial_io(p->trial);
    const char *url = host_setting(p->provider, "jwks_url", p->arena);
    if (!url || !*url)
        url = jval_text(jval_get(trial_metadata(p->trial), "jwks_uri"));
    if (!url || !p->url) {
        words_keys_unasked(&p->words, trial_last(p->trial, TRIAL_METADATA) != NULL);
        ask_token(p);
        return;
    }
    const struct cache_request rq = {
        .url = url, .headers = &accept, .n_headers = 1, .ttl_seconds = KEYS_TTL};
    p->keys_call = io->cached(io->ctx, p->provider, &rq, on_keys, p);
}

/* ---- the first leg --------------------------------------------------------------------------- */

static void after_redirect(struct probe *p)
{
    drive_free(&p->drive);
    words_discovery(&p->words, trial_last(p->trial, TRIAL_METADATA), p->url != NULL, p->kind);
    ask_keys(p);
}

static void on_redirect(void *arg, const struct drive_redirect *redirect,
                        const struct drive_identity *identity, const struct err *err)
{
    struct probe *p = arg;
    (void)identity;
    p->url = redirect ? arena_dup(p->arena, redirect->url) : NULL;
    p->kind = err ? err->kind : ERR_NONE;
    p->over = true;
    if (!p->inside)
        after_redirect(p);
}

static void begin(struct probe *p)
{
    const struct drive_args args = trials_args(p->all, p->trial, p->provider, p->redirect_uri);
    const struct drive_start hints = {.max_age = -1};
    char id[23];
    rng_id(id);
    p->bind = arena_dup(p->arena, id);
    p->flow = (struct flow){.provider = p->provider->id,
                            .purpose = USHER_FLOW_LOGIN,
                            .started = wall_seconds(clock_wall()),
                            .return_to = "/",
                            .carry = "",
                            .max_age = -1};
    flow_new_id(p->flow.id);
    p->inside = true;
    p->drive = drive_begin(&args, &p->flow, str_of(p->bind), &hints, on_redirect, p);
    p->inside = false;
    if (p->over)
        after_redirect(p);
}

static int admit(struct trials *t, const struct provider *p, int slot, struct err *err)
{
    if (!p)
        return err_set(err, ERR_NOT_FOUND, "there is no provider of that name");
    if (slot != PROBE_ANY_SLOT && (slot < 0 || slot >= PROVIDER_SLOTS ||
                                   !provider_secret(p, "client_secret", (enum provider_slot)slot)))
        return err_set(err, ERR_INVALID, "there is no client secret in that slot");
    if (t->n_probes >= AT_ONCE)
        return err_set(err, ERR_LIMITED, "%d tests are under way already", AT_ONCE);
    return trials_admit(t, err);
}

void probe_start(struct login *l, struct registry *r, const char *id, int slot, probe_done_fn *done,
                 void *arg)
{
    struct trials *t = login_trials(l);
    const struct provider *provider = registry_find(r, id);
    struct err err = ERR_INIT;
    if (admit(t, provider, slot, &err) != 0) {
        done(arg, NULL, &err);
        return;
    }
    struct probe *p = mem_alloc(sizeof *p);
    p->all = t;
    p->registry = registry_ref(r);
    p->provider = provider;
    p->slot =
        slot == PROBE_ANY_SLOT ? slots_first(t->o->slots, provider) : (enum provider_slot)slot;
    p->trial = trials_open(t, false);
    p->arena = arena_new();
    p->redirect_uri = arena_printf(p->arena, "%s/callback/%s", t->o->public_url, provider->id);
    p->done = done;
    p->arg = arg;
    p->next = t->probes;
    t->probes = p;
    t->n_probes++;
    words_init(&p->words);
    if (words_settings(&p->words, provider)) {
        begin(p);
        return;
    }
    words_discovery_unasked(&p->words);
    words_keys_unasked(&p->words, true);
    words_token_unasked(&p->words);
    finish(p);
}
