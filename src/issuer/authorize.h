/* SPDX-License-Identifier: Apache-2.0 */
/*
 * authorize: from an authorization request to a code, or to what the person must do first: sign in,
 * or say yes. A request that has to wait for a person is kept in the store under a random handle
 * that only their browser can use, and only once to the end; so it survives the way upstream and a
 * restart. Who is signed in is asked each time it goes on.
 *
 * "Sign in again" (prompt=login, max_age) is believed when the upstream's own time of
 * authentication says so, and refused with login_required when it does not (OpenID Connect Core
 * 3.1.2.1 and 3.1.2.3).
 */
#ifndef ISSUER_AUTHORIZE_H
#define ISSUER_AUTHORIZE_H

#include "app/rule.h"
#include "issuer/issuer.h"
#include "issuer/request.h"

/* Who is signed in in a browser; borrowed until the loop's next turn. */
struct issuer_person {
    const char *account, *session, *amr;     /* session: its public id */
    const char *provider, *provider_subject; /* the identity it came through */
    int64_t auth_time; /* when the upstream says it asked for a proof; 0: it does not say */
    int64_t created;   /* of the session */
    struct app_subject subject;
};

/* One request of a browser. It lives until it is answered. */
struct issuer_visit {
    struct arena *arena;
    struct str bind; /* value of the browser's binding cookie */
    const char *ip, *user_agent;
    const struct log_ctx *log;
    bool (*person)(void *arg, struct issuer_person *out); /* false: nobody is signed in */
    void *person_arg;
};

enum issuer_next {
    ISSUER_RESPOND = 0, /* to the app: `code`, or `error` with its description */
    ISSUER_PAGE = 1,    /* to the person: the request makes no sense; `description` says why */
    ISSUER_LOGIN = 2,   /* sign in, then go on with `handle` */
    ISSUER_CONSENT = 3, /* ask, then answer with `handle` */
    ISSUER_FAILED = 4,  /* ours, and maybe later */
    ISSUER_GONE = 5,    /* to the person: too late, the app has to ask again; `description` */
};
/* Strings live as long as the visit. */
struct issuer_step {
    enum issuer_next next;
    const struct issuer_request *rq; /* NULL: PAGE, FAILED, GONE */
    const char *error, *description;
    const char *code;
    const char *handle;
    bool again; /* LOGIN: somebody is signed in, and it is to be proven anew */
};
typedef void issuer_step_fn(void *arg, const struct issuer_step *s);

/* A new request; its parameters are those of the query or the form. */
void issuer_authorize(struct issuer *i, const struct issuer_visit *v, const struct fields *f,
                      issuer_step_fn *done, void *arg);
/* One that waited. */
void issuer_continue(struct issuer *i, const struct issuer_visit *v, const char *handle,
                     issuer_step_fn *done, void *arg);

/* What the person said to a request that asked. It counts for `account`, whom the page asked,
 * alone: if somebody else is signed in by now, they are asked. */
struct issuer_answer_of_person {
    const char *handle, *account;
    bool allow;
    const char *scopes; /* of those asked for, parted by blanks; NULL: all */
};
void issuer_consent(struct issuer *i, const struct issuer_visit *v,
                    const struct issuer_answer_of_person *said, issuer_step_fn *done, void *arg);

#endif
