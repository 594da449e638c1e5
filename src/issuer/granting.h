/* SPDX-License-Identifier: Apache-2.0 */
/*
 * granting: a grant and its code, with everything that goes with it, in one transaction: the
 * request that waited is used up, what the person said is remembered, the audit knows. The code is
 * told once all of it is durable. Whoever signed out or was disabled meanwhile grants nothing. A
 * device gets no code, it has one already: its row is allowed.
 */
#ifndef ISSUER_GRANTING_H
#define ISSUER_GRANTING_H

#include "issuer/authorize.h"
#include "issuer/handle.h"
#include "store/authorization_code.h"
#include "store/consent.h"
#include "store/oauth_grant.h"

#define GRANTING_SKEW 5       /* seconds an upstream's clock may be behind ours */
#define GRANTING_CODE_LIFE 60 /* seconds */

struct granting {
    struct issuer *issuer;
    struct arena *arena; /* stays until it is answered */
    const struct issuer_request *rq;
    const struct issuer_person *who; /* only until granting_write returns */
    const char *ip, *user_agent;
    const char *request_id;
    int64_t now;
    const unsigned char *waited; /* hash of the request that waited; NULL: it did not */
    const unsigned char *device; /* hash of the device code that is allowed; NULL: it is none */
    const char *consent;         /* the scopes the person said yes to just now; NULL: not asked */
    const struct consent_row *relies; /* what they said before and was read; NULL: not needed */
    void (*done)(void *arg, const char *code); /* NULL: it did not work out; a device: "" */
    void (*gone)(void *arg); /* the request was used, the device answered, the session or the
                                consent ended */
    void *arg;
    /* granting's own */
    struct oauth_grant_row grant;
    struct authorization_code_row code;
    struct consent_row remembered;
    unsigned char terms[32];
    const char *session; /* who says so says it in this one */
    char text[HANDLE_LEN + 1], id[23];
    bool used, hears; /* hears: the app wants to know when the session ends */
};
void granting_write(struct granting *g);

/* What of an app, when changed, has to be agreed to again: SHA-256 of where people are sent to and
 * what it may ask for. */
void granting_terms(const struct app *app, unsigned char terms[32]);

#endif
