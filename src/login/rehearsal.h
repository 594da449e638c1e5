/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rehearsal: a whole sign-in with a saved provider or a draft, in an admin's browser, that creates
 * nothing: no account, no session, no row, no count. Its state is sealed for its own purpose, so it
 * is good for nothing else, and no login's state is good for it. What happened is kept in memory
 * for its owner, ten minutes long, and the registry (with a draft's secrets) only until the
 * sign-in has ended. One loop thread.
 */
#ifndef LOGIN_REHEARSAL_H
#define LOGIN_REHEARSAL_H

#include "base/json.h"
#include "login/login.h"

#define REHEARSAL_SECONDS 600

/* Everything is copied; a reference to the registry is taken. */
struct rehearsal_start {
    struct registry *registry; /* the one in force, or a draft */
    struct apps *apps;         /* in force; a reference is taken. NULL: none */
    const char *provider;
    const char *owner; /* who may see the report: any text that names one admin */
    struct str bind;   /* value of the binding cookie of the browser that will go there */
    const char *login_hint;
};
/* id and url: send that browser there; it comes back to /callback/<provider>, and its answer is
 * a login_result with `rehearsal` set. id and err: it failed before that, the report says more.
 * Only err: ERR_NOT_FOUND, ERR_MISCONFIGURED (the settings are wrong) or ERR_LIMITED. Exactly once,
 * maybe from within; never after login_free. */
typedef void rehearsal_started_fn(void *arg, const char *id, const char *url,
                                  const struct err *err);
void rehearsal_begin(struct login *l, const struct rehearsal_start *s, rehearsal_started_fn *done,
                     void *arg);

/* The caller's reference; NULL: there is none of that id, or it is another owner's. Members:
 * id, provider, state (starting, waiting, running, done, failed), expires, callback_url,
 * requests [{step, method, url, query, headers, form, status, content_type, size, ms, problem}],
 * claims [{source, claims}], identity {…} or null, email_evidence {value, text} or null,
 * linking {decision (existing, new, disabled), account, text} or null,
 * rules [{app, label, verdict, reason, path, require, terms}]: each app as a whole, app/decide.h,
 * failure {kind, text} or null. */
struct jval *rehearsal_report(struct login *l, const char *id, const char *owner);
/* Whether one waits for a callback of this provider, which may be a draft. */
bool rehearsal_expected(struct login *l, const char *provider);

#endif
