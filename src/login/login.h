/* SPDX-License-Identifier: Apache-2.0 */
/*
 * login: the main job from start to session, as the web room calls it: judge return_to, seal state,
 * drive the plugin, spend the flow, map the identity to an account, open the session. Counts
 * outcomes and upstream latency per provider and logs each flow once.
 */
#ifndef LOGIN_LOGIN_H
#define LOGIN_LOGIN_H

#include "base/arena.h"
#include "base/err.h"
#include "base/form.h"
#include "login/drive.h"
#include "login/return_to.h"
#include "session/session.h"
#include "store/store.h"
#include "store/trail.h"
#include "sys/metrics.h"

struct login;
struct login_options {
    struct loop *loop;
    struct registry *registry;
    struct store *store;
    struct sessions *sessions;
    const struct keyring *keys;
    struct metrics *metrics;
    const struct drive_io *io;
    struct fetch *fetch; /* for tests of providers, which have a network of their own; NULL: io */
    const char *public_url;
    int64_t deadline_ms;     /* of one leg; 20 000 */
    int64_t session_seconds; /* absolute */
    unsigned max_in_flight;  /* legs under way; 0: 4096; over it LIMITED */
    struct trail *trail;     /* where attempts that failed are recorded; NULL: nowhere */
    struct slots *slots;     /* the caller's; NULL: the active client secret always comes first */
    /* An upstream refused the client secret of one slot and took that of another: once for each
     * change, whatever number of logins found it out. May be NULL; the arguments are borrowed. */
    void (*on_fallover)(void *arg, const char *provider, enum provider_slot from,
                        enum provider_slot to);
    void *on_fallover_arg;
    /* A login through a provider ended: err NULL, somebody signed in. May be NULL; borrowed. */
    void (*on_outcome)(void *arg, const char *provider, const struct err *err);
    void *on_outcome_arg;
    /* An account is gone: part of `into` now, or deleted (NULL), or may be. For whoever keeps
     * something of accounts in memory. May be NULL; borrowed. */
    void (*on_gone)(void *arg, const char *account, const char *into);
    void *on_gone_arg;
    /* The store does not say whether it kept a change of an account, whose roles may be others now.
     * Likewise. */
    void (*on_doubt)(void *arg, const char *account);
    void *on_doubt_arg;
    /* What an app was granted by way of an identity is over, or may be: that identity was taken
     * away. Likewise. */
    void (*on_grant_over)(void *arg, const char *grant);
    void *on_grant_over_arg;
};
/* Loads unexpired spent flow ids from the store. */
struct login *login_new(const struct login_options *o, struct err *err)
    __attribute__((warn_unused_result));
/* Asks on its own behalf about nobody else; `done` is posted when what it has asked is kept: an
 * upstream that gave new tokens takes the old ones no more. Logins go on. */
void login_drain(struct login *l, loop_job_fn *done, void *arg);
void login_free(struct login **l); /* cancels legs under way */
size_t login_in_flight(const struct login *l);
/* Tests and rehearsals under way; nobody is called back. Not from within one's callback. */
void login_end_tests(struct login *l);
/* Its tests (login/probe.h), for the files of this room. */
struct trials *login_trials(struct login *l);
/* What counts from the next request on: a reference is taken. Legs under way end with the provider
 * they began with. */
void login_set_registry(struct login *l, struct registry *r);
void login_set_limits(struct login *l, int64_t deadline_ms, unsigned max_in_flight);

struct login_start {
    const char *provider;
    uint32_t purpose;
    const char *return_to; /* judged */
    struct str bind;       /* value of the binding cookie */
    /* Who asks, for USHER_FLOW_LINK: the identity that comes back may join this account
     * (login/join.h). Copied. */
    const struct session_view *session;
    /* A sign-in that proves a join of kind ASK: its id; return_to is then the join's. NULL */
    const char *join;
    const char *login_hint, *prompt, *locale;
    const char *ip, *user_agent, *request_id; /* for the record; copied; may be NULL */
    const struct log_ctx *log;
};
/* Called once, maybe from within login_start_flow. url on success. */
typedef void login_started_fn(void *arg, const char *url, const struct err *err);
void login_start_flow(struct login *l, const struct login_start *s, login_started_fn *done,
                      void *arg);

struct login_callback {
    const char *provider;
    const struct fields *fields; /* all of them, undecided */
    struct str bind;
    const struct session_view *session; /* of the browser, ended on success; NULL: none; copied */
    const char *ip, *user_agent, *request_id;
    const struct log_ctx *log;
};
struct login_result {
    const char *return_to; /* where to go; judged */
    const char *token;     /* new session cookie; NULL: replay with a live session, just go on */
    int64_t max_age;
    /* Go to the page of this join first (/account/join/ID, login/join.h); with a token or, when
     * there is something to prove, without. NULL: there is none. */
    const char *join;
    const char *rehearsal; /* it was none but a rehearsal, of this id; all else is NULL */
};
/* Called once, maybe from within. On error err->kind picks the page. Only the log context of a
 * start or callback must live until then; everything else is copied. */
typedef void login_done_fn(void *arg, const struct login_result *r, const struct err *err);
void login_finish_flow(struct login *l, const struct login_callback *c, login_done_fn *done,
                       void *arg);

#endif
