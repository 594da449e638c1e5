/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trial_parts: what the files of a trial share, and the table in which a login's probes and
 * rehearsals are kept. Nobody else includes it, but login.c.
 */
#ifndef LOGIN_TRIAL_PARTS_H
#define LOGIN_TRIAL_PARTS_H

#include "login/login.h"
#include "login/trial.h"

/* ---- trial_text.c */
struct jval *trial_param(const char *name, const char *value); /* {"name","value"}, masked */
struct jval *trial_params(const struct fetch_part *v, size_t n);
void trial_put_url(struct jval *entry, const char *url); /* "url" and "query" */

/* ---- trials.c: all of a login's */
struct probe;
struct rehearsal;
struct trials {
    const struct login_options *o;
    struct loop_timer *sweep; /* frees what is dead, forgets rehearsals that are too old */
    struct trial **dead;      /* ended within a callback of their own network */
    size_t n_dead;
    struct probe *probes;
    size_t n_probes;
    struct rehearsal *rehearsals; /* newest first */
    size_t n_rehearsals;
    struct mono minute; /* when the current one began */
    unsigned in_minute;
};
struct trials *trials_new(const struct login_options *o); /* which must outlive it */
void trials_free(struct trials **t); /* ends everything; nobody is called back */
/* One more test or rehearsal, out of so many a minute. -1: ERR_LIMITED. */
int trials_admit(struct trials *t, struct err *err) __attribute__((warn_unused_result));
struct trial *trials_open(struct trials *t, bool keep_claims);
void trials_bury(struct trials *t, struct trial **trial); /* freed soon; any place */
/* The arguments of a leg; nothing of logins' hooks. */
struct drive_args trials_args(const struct trials *t, const struct trial *trial,
                              const struct provider *p, const char *redirect_uri);

void trials_watch(struct trials *t); /* there is something that gets old */

void probes_free(struct trials *t);
void rehearsals_free(struct trials *t);
void rehearsals_sweep(struct trials *t);
/* A callback whose state is a rehearsal's: taken care of. false: it is none of those. */
bool rehearsal_callback(struct trials *t, const struct login_callback *c, login_done_fn *done,
                        void *arg);

#endif
