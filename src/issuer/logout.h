/* SPDX-License-Identifier: Apache-2.0 */
/*
 * logout: what an app's request to sign somebody out is worth (OpenID Connect RP-Initiated Logout
 * 1.0). Whether the request itself proves whose session it is about, so that nobody has to be
 * asked; and where the browser may go afterwards: to an address that the app registered, byte for
 * byte, if an ID token of ours names the app, or the app named itself and the person is signed in
 * to it. An ID token proves even when it is over; one that is not ours counts against the request.
 *
 * One loop thread. The sessions themselves are ended by whoever asks, not here.
 */
#ifndef ISSUER_LOGOUT_H
#define ISSUER_LOGOUT_H

#include "issuer/issuer.h"

/* Borrowed until the answer. */
struct issuer_logout_call {
    struct arena *arena;
    const struct fields *form;     /* the request's parameters */
    const char *account, *session; /* who is signed in here; NULL: nobody */
};

enum issuer_logout_verdict {
    LOGOUT_INVALID, /* a parameter came twice: nothing may be made of it */
    LOGOUT_ASK,     /* only the person knows */
    LOGOUT_PROVEN,  /* it is about this very session, and leads nowhere it may not */
    LOGOUT_FAILED,  /* the store could not say */
};
struct issuer_logout {
    enum issuer_logout_verdict verdict;
    const char *app;    /* how people know it; NULL: nobody named one */
    const char *target; /* where to go afterwards; NULL: nowhere */
    const char *state;  /* to be added there; NULL: none */
};

/* Once, maybe from within; strings are in the arena. */
typedef void issuer_logout_fn(void *arg, const struct issuer_logout *l);
void issuer_logout_judge(struct issuer *i, const struct issuer_logout_call *c,
                         issuer_logout_fn *done, void *arg);

#endif
