/* SPDX-License-Identifier: Apache-2.0 */
#include "issuer/issuer.h"

#include <stdlib.h>
#include <unistd.h>

#include "issuer/parts.h"
#include "store/oauth_grant.h"
#include "store/session_app.h"
#include "sys/clock.h"
#include "sys/log.h"

#define STEPS_A_TICK 60 /* a step is a second */
#define STEPS_A_SWEEP 4
#define SLOTS_A_STEP 16384  /* of the table: half a millisecond when it is large */
#define SIGNATURES_MAX 4096 /* waiting; a second's worth */
#define THREADS_MAX 16

/* Beside the loop; one, where that leaves the machine's other processor to it. */
static unsigned threads_of(const struct issuer_options *o)
{
    const long cores = sysconf(_SC_NPROCESSORS_ONLN);
    if (o->threads > 0)
        return o->threads;
    return cores <= 2 ? 1 : cores > THREADS_MAX ? THREADS_MAX : (unsigned)cores - 1;
}

static uint32_t algs_of(const char *const *names)
{
    uint32_t algs = JWS_RS256;
    for (; names && *names; names++)
        algs |= jws_alg_by_name(*names);
    return algs;
}

static int open_keys(struct issuer *i, struct err *err)
{
    const struct issuer_keys_options o = {.loop = i->o.loop,
                                          .store = i->o.store,
                                          .work = i->work,
                                          .ring = i->o.keys,
                                          .algs = algs_of(i->o.algs),
                                          .lifetime = i->o.key_lifetime};
    i->keys = issuer_keys_new(&o, err);
    return i->keys ? 0 : -1;
}

/* ---- tokens ---- */

struct load {
    struct issuer *issuer;
    int64_t now;
    size_t left_out;
    struct err why; /* of the first */
};

static int load_one(void *arg, const struct access_token_row *row, struct err *err)
{
    struct load *l = arg;
    (void)err;
    l->left_out += access_offer(l->issuer->access, row, l->now, &l->why) < 0;
    return 0;
}

/* May run again: what is there already is replaced. */
static int load_all(struct db *db, void *arg, struct err *err)
{
    struct load *l = arg;
    const int granted = oauth_grant_any(db, err);
    const int apps = granted < 0 ? -1 : session_app_any(db, err);
    l->left_out = 0;
    l->issuer->granted = granted > 0 || apps > 0;
    return apps < 0 ? -1 : access_token_each(db, l->now, load_one, l, err);
}

static int open_access(struct issuer *i, struct err *err)
{
    struct load l = {.issuer = i, .now = wall_seconds(clock_wall()), .why = ERR_INIT};
    i->access = access_new(i->o.max_tokens);
    if (store_read_now(i->o.store, load_all, &l, err) != STORE_DONE)
        return -1;
    if (l.left_out > 0) /* none lives longer */
        access_lack(i->access, l.now + ISSUER_KEYS_TOKEN_LIFE);
    if (l.left_out > 0)
        log_event(NULL, LOG_WARN, "issuer.tokens_left_out", LF_INT("n", l.left_out),
                  LF_TEXT("text", l.why.text));
    return 0;
}

void issuer_end_account(struct issuer *i, const char *account)
{
    access_end_account(i->access, account);
    backchannel_wake(i->backchannel);
}

void issuer_end_grant(struct issuer *i, const char *grant)
{
    access_end_grant(i->access, grant);
}

/* ---- life ---- */

struct issuer *issuer_new(const struct issuer_options *o, struct err *err)
{
    struct issuer *i = mem_alloc(sizeof *i);
    i->o = *o;
    i->apps = o->apps ? apps_ref(o->apps) : NULL;
    i->app_keys = app_keys_new(o->loop, o->fetch);
    i->backchannel = backchannel_new(i, o->fetch);
    i->recall = access_recall_new(i);
    i->known = known_new();
    i->work = work_new(threads_of(o), SIGNATURES_MAX, err);
    if (!i->work || open_keys(i, err) < 0 || open_access(i, err) < 0) {
        issuer_free(&i);
        return NULL;
    }
    metadata_render(i);
    issuer_keys_tick(i->keys);
    return i;
}

void issuer_stop(struct issuer *i)
{
    backchannel_stop(i->backchannel);
    ending_again(i); /* nobody will in a second */
}

bool issuer_busy(const struct issuer *i)
{
    return i->under_way > 0 || i->sweep || (i->keys && issuer_keys_busy(i->keys));
}

void issuer_free(struct issuer **ip)
{
    struct issuer *i = *ip;
    if (i == NULL)
        return;
    issuer_stop(i);
    while (issuer_busy(i))
        loop_once(i->o.loop, 10);
    ending_forget(i);
    *ip = NULL;
    issuer_keys_free(&i->keys);
    work_free(&i->work);
    app_keys_free(&i->app_keys);
    backchannel_free(&i->backchannel);
    access_recall_free(&i->recall);
    known_free(&i->known);
    access_free(&i->access);
    apps_free(&i->apps);
    buf_deinit(&i->discovery);
    free(i);
}

void issuer_set_apps(struct issuer *i, struct apps *apps)
{
    struct apps *old = i->apps;
    i->apps = apps ? apps_ref(apps) : NULL;
    i->replaced++;
    apps_free(&old);
}

void issuer_set_registration(struct issuer *i, bool open)
{
    if (i->registration == open)
        return;
    i->registration = open;
    buf_deinit(&i->discovery);
    metadata_render(i);
}

/* ---- moments: what an answer that comes again is made of is here, or it may not come again ------
 */

static uint64_t apps_changes(const struct issuer *i)
{
    return i->replaced;
}
static uint64_t tokens_changes(const struct issuer *i)
{
    return access_changes(i->access);
}
static uint64_t keys_changes(const struct issuer *i)
{
    return issuer_keys_changes(i->keys);
}
static uint64_t secrets_changes(const struct issuer *i)
{
    return app_secrets_changes(i->o.secrets);
}
static uint64_t rows_changes(const struct issuer *i)
{
    return store_changes(i->o.store);
}

/* None of them ever goes back, so their sum says whether one went on. Each is counted where its
 * table is changed (test_access proves it of tokens). */
static const struct {
    enum issuer_about least; /* answers about this, and all that depends on more */
    uint64_t (*changes)(const struct issuer *i);
} depends[] = {
    {ISSUER_MEMORY, apps_changes}, {ISSUER_MEMORY, tokens_changes},
    {ISSUER_MEMORY, keys_changes}, {ISSUER_MEMORY, secrets_changes},
    {ISSUER_STORE, rows_changes},
};

struct issuer_moment issuer_moment(const struct issuer *i, enum issuer_about about)
{
    struct issuer_moment m = {.second = wall_seconds(clock_wall())};
    for (size_t n = 0; n < sizeof depends / sizeof *depends; n++)
        if (about >= depends[n].least)
            m.changes += depends[n].changes(i);
    return m;
}

void issuer_step(void *arg)
{
    struct issuer *i = arg;
    const struct known_at at = {store_changes(i->o.store), wall_seconds(clock_wall())};
    ending_again(i);
    access_sweep(i->access, at.now, SLOTS_A_STEP);
    known_sweep(i->known, &at);
    backchannel_step(i->backchannel);
    i->step++;
    if (i->step % STEPS_A_SWEEP == 0)
        sweep_start(i);
    if (i->step % STEPS_A_TICK == 0)
        issuer_keys_tick(i->keys);
}

bool issuer_knows_origin(const struct issuer *i, const char *origin)
{
    return i->apps && apps_have_origin(i->apps, origin);
}

struct issuer_keys *issuer_signing_keys(struct issuer *i)
{
    return i->keys;
}

struct str issuer_discovery(struct issuer *i)
{
    return buf_view(&i->discovery);
}

struct str issuer_jwks(struct issuer *i)
{
    return issuer_keys_document(i->keys);
}
