/* SPDX-License-Identifier: Apache-2.0 */
/*
 * login_parts: the inside of a login, shared by its files: what is under way, and the little that
 * is done with every leg. Nobody else includes it. One loop thread.
 */
#ifndef LOGIN_LOGIN_PARTS_H
#define LOGIN_LOGIN_PARTS_H

#include "login/link.h"
#include "login/login.h"
#include "login/trial_parts.h"

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

/* ---- login_run.c: the life of a leg */
/* The provider of that name, if it can be used and there is room for one leg more; or NULL. */
const struct provider *login_provider(const struct login *l, const char *id, struct err *err);
struct leg_run *run_open(struct login *l, const struct provider *p, const struct log_ctx *log);
void run_close(struct leg_run *r);
struct drive_args run_drive_args(struct leg_run *r);
/* The second leg ends without a session: counted, told, answered, closed. */
void run_fail(struct leg_run *r, const struct err *err);
/* Hand the leg to the store. When its queue is full the leg fails at once. */
void run_write(struct leg_run *r, store_fn *fn, store_done_fn *done);
/* First thing in every answer of the store. false: nobody is interested any more. */
bool run_written(struct leg_run *r);

/* ---- login_tell.c: metrics and logs */
void login_count(const struct login *l, const char *provider, const char *outcome);
/* To whoever keeps an eye on providers. */
void login_tell_outcome(const struct leg_run *r, const struct err *err);
void login_tell_failure(const struct login *l, const struct log_ctx *log, const char *provider,
                        struct mono began, const struct err *err);
/* What a drive tells meanwhile; arg is the leg. */
void login_on_observed(void *arg, const char *step, int64_t ms);
void login_on_fell_over(void *arg, enum provider_slot from, enum provider_slot to);

/* ---- login_finish.c: what comes of the second leg; a drive_done_fn, arg is the leg */
void login_on_identity(void *arg, const struct drive_redirect *redirect,
                       const struct drive_identity *identity, const struct err *err);

#endif
