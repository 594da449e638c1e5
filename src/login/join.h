/* SPDX-License-Identifier: Apache-2.0 */
/*
 * join: what a person has proven and not yet said yes to: an identity that may become part of an
 * account. Made by a login that ends in one (login_result.join), shown on a page that names both
 * sides, ended by one click there. In memory, bounded, ten minutes, used once. Each is bound to the
 * browser (binding cookie) and, but for ASK, to the session and account it was made for: anybody
 * else does not find it. What it says comes from the provider's answer of that login; nothing of it
 * can be changed by the browser. One loop thread.
 *
 * A restart forgets joins, and so does a replica that did not make them: the person begins again.
 */
#ifndef LOGIN_JOIN_H
#define LOGIN_JOIN_H

#include "login/login.h"

#define JOIN_SECONDS 600
#define JOIN_ID_MAX 23 /* characters */

enum join_kind {
    JOIN_LINK = 0, /* the identity is nobody's: it becomes part of my account */
    JOIN_MERGE,    /* it leads to another account: that account becomes part of mine */
    JOIN_ASK,      /* somebody has the same address; nobody is signed in by it yet: prove that it is
                      you by signing in as you did before (login_start.join), or make an account */
    JOIN_LINKED,   /* it was linked by the address just now: to be shown, nothing to decide */
};

/* Who asks: a request, its browser and session. */
struct join_caller {
    const char *id;                           /* of the join */
    struct str bind;                          /* value of the binding cookie */
    const struct session_view *session;       /* NULL: not signed in */
    const char *ip, *user_agent, *request_id; /* for a session and for the record; may be NULL */
    const struct log_ctx *log;                /* must live until done is called */
};

/* Borrowed until something is done with the join or the loop goes on. */
struct join_view {
    enum join_kind kind;
    const char *id;
    const char *provider, *subject, *username, *name, *email, *picture; /* NULL: not said */
    int email_evidence;
    const char *account; /* mine; NULL: ASK */
    const char *other;   /* MERGE: the account that becomes part of mine; else NULL */
    bool tried;          /* ASK: the sign-in that should have proven it led to no account either */
    const char *return_to; /* where all this leads in the end; judged */
    int64_t expires;       /* seconds since 1970 */
};
/* 1 and *out, 0: there is none for this caller. */
int join_show(struct login *l, const struct join_caller *c, struct join_view *out)
    __attribute__((warn_unused_result));

/* Yes to LINK or MERGE; "go on" for LINKED. `done` once, maybe from within: the result has
 * return_to, and a token only when a new session was opened. ERR_NOT_FOUND: there is no such join
 * for this caller, or it is used up; ERR_CONFLICT: the identity is somebody's by now, or an account
 * has gone; ERR_EXPIRED: the session has ended; ERR_NOT_ALLOWED: barred or disabled, or the
 * provider is not in use any more or not for linking; ERR_INVALID for ASK, which must be proven. */
void join_accept(struct login *l, const struct join_caller *c, login_done_fn *done, void *arg);
/* ASK: it is not me, or I want another account: makes one and opens its session (token). */
void join_new_account(struct login *l, const struct join_caller *c, login_done_fn *done, void *arg);
/* No. Forgets it; return_to in *out (in `a`), or "/" when there was none. */
void join_drop(struct login *l, const struct join_caller *c, struct arena *a, const char **out);

#endif
