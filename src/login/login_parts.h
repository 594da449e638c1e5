/* SPDX-License-Identifier: Apache-2.0 */
/*
 * login_parts: the inside of a login, shared by its files: what is under way, and the little that
 * is done with every leg. Nobody else includes it. One loop thread.
 */
#ifndef LOGIN_LOGIN_PARTS_H
#define LOGIN_LOGIN_PARTS_H

#include "login/join.h"
#include "login/link.h"
#include "login/login.h"
#include "login/trial_parts.h"

/* A session about to be opened: what is written, and its cookie. */
struct opening {
    struct link link;
    unsigned char old_hash[32]; /* of the session it replaces */
    char token[44], id[24];
};

/* Something the store does for somebody who waits, other than a leg. What it needs lives in its
 * arena, and so does what embeds it; freed after `done`, which is not called once the login is
 * gone. */
struct task {
    struct task *prev, *next;
    struct login *login;
    struct arena *arena;
    void (*done)(struct task *t, enum store_outcome outcome, const struct err *err);
    void (*deinit)(struct task *t); /* what the arena does not hold; always called; NULL */
};

/* Whose session a browser has. */
struct mine {
    const char *account, *session, *provider; /* ids; NULL: none */
};

/* Who tries, for the record of a failure. */
struct attempt {
    const char *provider;                     /* NULL: there is none of that name */
    const char *ip, *user_agent, *request_id; /* NULL: unknown */
    bool begun; /* here, by a browser that was sent away or is about to be: anybody can claim to
                   come back from somewhere */
};

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
    struct attempt who;
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
    struct opening open;
    struct mine mine;
    struct str bind;            /* value of the binding cookie */
    char join[JOIN_ID_MAX + 1]; /* what this leg ended in; "" */
    int64_t found_at;           /* when the store was asked whose the identity is */
};

struct login {
    struct login_options o;
    struct registry *registry;
    struct used *used;
    struct trials *trials;       /* made when first needed */
    struct refreshes *refreshes; /* likewise: refresh.c */
    struct recheck *recheck;
    struct unkept *unkept;
    struct leg_run list;
    size_t in_flight;
    struct task tasks;
    struct joins *joins;
};

/* ---- login_run.c: the life of a leg */
/* The provider of that name, if it can be used and there is room for one leg more; or NULL. */
const struct provider *login_provider(const struct login *l, const char *id, struct err *err);
/* Whether identities of `p` may join the account of who is signed in through `via`. */
bool login_links(const struct login *l, const struct provider *p, const char *via);
struct leg_run *run_open(struct login *l, const struct provider *p, const struct log_ctx *log);
void run_close(struct leg_run *r);
struct drive_args run_drive_args(struct leg_run *r);
/* The second leg ends without a session: counted, told, answered, closed. */
void run_fail(struct leg_run *r, const struct err *err);
/* Hand the leg to the store. When its queue is full the leg fails at once. */
void run_write(struct leg_run *r, store_fn *fn, store_done_fn *done);
/* First thing in every answer of the store. false: nobody is interested any more. */
bool run_written(struct leg_run *r);

/* ---- login_open.c: sessions */
/* Fresh cookie and id; `link` is filled already. */
void opening_begin(struct opening *o, int64_t now, int64_t seconds);
/* Who asks; copied into the link's arena. `replaces`: the session of the same browser, or NULL. */
void opening_client(struct opening *o, const char *ip, const char *user_agent,
                    const struct session_view *replaces);
/* In memory the old one ends, if there is one that did not yet; whoever's it was goes on. */
void opening_replace(struct login *l, struct opening *o);
/* Once it is durable: into memory, where the old one ends. -1: it is not open after all. */
int opening_enter(struct login *l, struct opening *o, const struct log_ctx *log, struct err *err)
    __attribute__((warn_unused_result));
/* What the store's answer is to whoever asked: a refusal keeps its kind, all else is INTERNAL. */
void login_store_failure(enum store_outcome outcome, const struct err *stored, const char *what,
                         struct err *err);

/* ---- login_task.c */
void *task_new(struct login *l, size_t size); /* embeds a struct task in front */
/* Hand it to the store. false: its queue is full; the caller answers, and task_free. */
bool task_start(struct task *t, store_fn *fn) __attribute__((warn_unused_result));
void task_free(struct task *t);
void tasks_orphan(struct login *l);

/* ---- join.c */
struct joins *joins_new(struct loop *loop);
void joins_free(struct joins **j);
/* What a leg of ours came to. Into id; ERR_LIMITED when there are too many, then the tokens stay
 * with the caller. */
struct join_made {
    enum join_kind kind;
    const struct account_profile *profile;
    const char *amr, *other, *return_to;
    int64_t auth_time;
    struct upstream_token *tokens; /* to be kept once the person said yes; moved; NULL: none */
    const struct mine *mine;       /* NULL: ASK */
    struct str bind;
};
int joins_add(struct joins *all, const struct join_made *m, char id[JOIN_ID_MAX + 1],
              struct err *err) __attribute__((warn_unused_result));
/* Whether this browser has an ASK of that id; its return_to, borrowed, or NULL. */
const char *joins_asked(struct joins *all, const char *id, struct str bind);
/* It was proven: it becomes a LINK to that account. false: it is not there any more. */
bool joins_prove(struct joins *all, const char *id, struct str bind, const struct mine *mine);
/* Who tried to prove it has no account either. */
bool joins_try(struct joins *all, const char *id, struct str bind);
/* Out of memory's hands, for whoever it was made for; copied into `a`, and the tokens, which name
 * the profile's identity, are the caller's to free. false: there is none. */
struct join_taken {
    enum join_kind kind;
    struct account_profile profile;
    const char *amr, *other, *return_to;
    int64_t auth_time;
    struct upstream_token tokens; /* access NULL: none */
    struct mine mine;
};
bool joins_take(struct joins *all, const struct join_caller *c, struct arena *a,
                struct join_taken *out);

/* ---- login_tell.c: metrics, logs, and the record of what failed */
void login_count(const struct login *l, const char *provider, const char *outcome);
/* To whoever keeps an eye on providers. */
void login_tell_outcome(const struct leg_run *r, const struct err *err);
void login_tell_failure(const struct login *l, const struct log_ctx *log, const char *provider,
                        struct mono began, const struct err *err);
/* What drives tell meanwhile. */
void login_observe(const struct login *l, const char *provider, const char *step, int64_t ms);
void login_fell_over(const struct login *l, const struct log_ctx *log, const char *provider,
                     enum provider_slot from, enum provider_slot to);
/* `account`: whose identity it turned out to be, or "". */
void login_record_failure(const struct login *l, const struct attempt *who, const char *account,
                          const struct err *err);
/* What drives tell, of a leg: arg. */
void login_on_observed(void *arg, const char *step, int64_t ms);
void login_on_fell_over(void *arg, enum provider_slot from, enum provider_slot to);

/* ---- login_finish.c: what comes of the second leg; a drive_done_fn, arg is the leg */
void login_on_identity(void *arg, const struct drive_redirect *redirect,
                       const struct drive_identity *identity, const struct err *err);

/* ---- refresh.c */
void refreshes_free(struct refreshes **r);

#endif
