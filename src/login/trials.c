/* SPDX-License-Identifier: Apache-2.0 */
/* All tests and rehearsals of a login: how many, how often, and the end of their networks. */
#include <stdlib.h>

#include "login/trial_parts.h"
#include "sys/clock.h"

#define SWEEP_MS 5000
#define A_MINUTE 20 /* tests and rehearsals begun; a person cannot want more */

static void bury_now(struct trials *t)
{
    while (t->n_dead > 0)
        trial_free(&t->dead[--t->n_dead]);
}

static void on_sweep(void *arg)
{
    struct trials *t = arg;
    bury_now(t);
    rehearsals_sweep(t);
    if (t->rehearsals)
        loop_timer_set(t->sweep, t->n_dead > 0 ? 0 : SWEEP_MS);
}

void trials_watch(struct trials *t)
{
    loop_timer_set(t->sweep, t->n_dead > 0 ? 0 : SWEEP_MS);
}

struct trials *trials_new(const struct login_options *o)
{
    struct trials *t = mem_alloc(sizeof *t);
    t->o = o;
    t->sweep = loop_timer_add(o->loop, on_sweep, t);
    t->minute = clock_mono();
    return t;
}

void trials_free(struct trials **tp)
{
    struct trials *t = *tp;
    if (!t)
        return;
    *tp = NULL;
    probes_free(t);
    rehearsals_free(t);
    bury_now(t);
    free(t->dead);
    loop_timer_del(&t->sweep);
    free(t);
}

int trials_admit(struct trials *t, struct err *err)
{
    if (mono_ms(t->minute, clock_mono()) >= 60000) {
        t->minute = clock_mono();
        t->in_minute = 0;
    }
    if (t->in_minute >= A_MINUTE)
        return err_set(err, ERR_LIMITED, "more than %d tests and rehearsals in a minute", A_MINUTE);
    t->in_minute++;
    return 0;
}

struct trial *trials_open(struct trials *t, bool keep_claims)
{
    const struct trial_options o = {
        .loop = t->o->loop, .fetch = t->o->fetch, .io = t->o->io, .keep_claims = keep_claims};
    return trial_new(&o);
}

void trials_bury(struct trials *t, struct trial **trial)
{
    if (!*trial)
        return;
    t->dead = mem_grow(t->dead, (t->n_dead + 1) * sizeof(struct trial *));
    t->dead[t->n_dead++] = *trial;
    *trial = NULL;
    loop_timer_set(t->sweep, 0);
}

struct drive_args trials_args(const struct trials *t, const struct trial *trial,
                              const struct provider *p, const char *redirect_uri)
{
    return (struct drive_args){.io = trial_io(trial),
                               .provider = p,
                               .keys = t->o->keys,
                               .redirect_uri = redirect_uri,
                               .loop = t->o->loop,
                               .deadline_ms = t->o->deadline_ms};
}
