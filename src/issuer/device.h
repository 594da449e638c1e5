/* SPDX-License-Identifier: Apache-2.0 */
/*
 * device: devices without a browser (RFC 8628). One asks for two codes (issuer_device); a person
 * types the short one on a page of ours, sees which app and which device it is, and allows or
 * denies; the device polls with the long one meanwhile (grant_device). What the person says counts
 * for the row that holds both codes and for no other. What is granted so is the device's own: it
 * does not end with the session of the browser it was allowed in.
 *
 * One loop thread; each function answers exactly once, maybe from within the call, and blocks
 * nothing. Strings of an answer live as long as the visit.
 */
#ifndef ISSUER_DEVICE_H
#define ISSUER_DEVICE_H

#include "issuer/authorize.h"

#define DEVICE_LIFE 600 /* seconds both codes are good */
#define DEVICE_EVERY 5  /* seconds between two polls, at first */
#define DEVICE_SLOWER 5 /* seconds more after each that came too soon (RFC 8628 section 3.5) */

enum issuer_device_next {
    ISSUER_DEVICE_UNKNOWN = 0, /* no device waits with this code, or not any more */
    ISSUER_DEVICE_LOGIN = 1,   /* sign in first */
    ISSUER_DEVICE_OTHER = 2,   /* ... as somebody whom the app takes from that provider */
    ISSUER_DEVICE_CLOSED = 3,  /* this person may not use the app */
    ISSUER_DEVICE_ASK = 4,
    ISSUER_DEVICE_ALLOWED = 5,
    ISSUER_DEVICE_DENIED = 6,
    ISSUER_DEVICE_FAILED = 7, /* ours, and maybe later */
};
struct issuer_device_step {
    enum issuer_device_next next;
    const char *code;            /* as it is shown; NULL: it cannot be one */
    const struct app *app;       /* NULL: UNKNOWN, FAILED; only until the answer returns */
    const char *scopes;          /* parted by blanks */
    const char *ip, *user_agent; /* the device's; NULL: unknown */
    int64_t created;
};
typedef void issuer_device_fn(void *arg, const struct issuer_device_step *s);

/* Which device waits with the code a person typed. */
void issuer_device_look(struct issuer *i, const struct issuer_visit *v, const char *typed,
                        issuer_device_fn *done, void *arg);

struct issuer_device_said {
    const char *code;
    const char *account; /* whom the page asked */
    bool allow;
};
void issuer_device_say(struct issuer *i, const struct issuer_visit *v,
                       const struct issuer_device_said *said, issuer_device_fn *done, void *arg);

#endif
