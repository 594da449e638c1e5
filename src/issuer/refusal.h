/* SPDX-License-Identifier: Apache-2.0 */
/*
 * refusal: whom an app does not let in, and who does not let an app have anything: on record, and
 * in the log. Nobody waits for it, and a flood becomes one row (store/trail.h).
 */
#ifndef ISSUER_REFUSAL_H
#define ISSUER_REFUSAL_H

#include "issuer/issuer.h"

struct refusal {
    const char *app;
    const char *account, *provider; /* the person */
    const char *asker;              /* the app that asks; NULL: the person's browser does */
    const char *ip, *user_agent;    /* of whoever asks */
    const char *reason;             /* our own words */
    const struct log_ctx *log;
};
/* The app's providers or rules say no. */
void refusal_by_app(struct issuer *i, const struct refusal *r);
/* The person was asked and said no. */
void refusal_by_person(struct issuer *i, const struct refusal *r);

#endif
