/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trial: a drive_io that looks on, for tests and rehearsals: requests leave through a network of
 * its own (own pools, own cache), so that a draft learns nothing from what logins have in store and
 * leaves nothing behind for them. What is asked and answered is written down without what is
 * secret: values of parameters are masked unless they are known to be harmless, queries and bodies
 * are left out; only JSON about a person is kept, for the rehearsal's owner, with every secret that
 * was seen taken out. One loop thread.
 */
#ifndef LOGIN_TRIAL_H
#define LOGIN_TRIAL_H

#include "base/json.h"
#include "login/drive.h"

enum trial_role { TRIAL_METADATA = 0, TRIAL_KEYS, TRIAL_TOKEN, TRIAL_PROFILE };

/* An answer, as far as the probe wants to know. */
struct trial_call {
    enum trial_role role;
    bool answered;
    uint32_t transport; /* enum usher_transport */
    int status;
    bool json;           /* a JSON object came back */
    const char *problem; /* no answer: why, in our words; else NULL */
    bool tokens;         /* TOKEN: there is an access token in it */
    const char *error;   /* TOKEN: the OAuth error if it is one of the known words; else "" */
    bool error_other;    /* TOKEN: some other error */
    bool client_refused; /* TOKEN: it says that we are not this client */
    bool mismatch;       /* TOKEN: it says that the callback URL is another */
    bool dated;          /* `skew` is known */
    int64_t skew;        /* seconds its clock is ahead of ours */
};

struct trial;
struct trial_options {
    struct loop *loop;
    struct fetch *fetch;       /* for a network of its own */
    const struct drive_io *io; /* when fetch is NULL: this one (suites) */
    bool keep_claims;          /* keep what profile answers say about a person */
};
struct trial *trial_new(const struct trial_options *o);
void trial_free(struct trial **t); /* cancels what is under way; not from within a callback */
const struct drive_io *trial_io(const struct trial *t);

size_t trial_count(const struct trial *t);
const struct trial_call *trial_at(const struct trial *t, size_t i); /* in the order of asking */
const struct trial_call *trial_last(const struct trial *t, enum trial_role role); /* or NULL */
/* The issuer's metadata, or NULL. Borrowed. */
const struct jval *trial_metadata(const struct trial *t);
/* An array of what was asked and answered, and one of {"source","claims"}; the caller's reference.
 */
struct jval *trial_requests(const struct trial *t);
struct jval *trial_claims(const struct trial *t);
/* A copy of JSON without the secrets that were seen and members that are named like some. */
struct jval *trial_redact(const struct trial *t, const struct jval *v);

/* An entry as in trial_requests for the browser's redirect to `url`. */
struct jval *trial_redirect_entry(const char *url);
/* RFC 9110 section 5.6.7, IMF-fixdate: seconds since 1970, or -1. */
int64_t trial_date(const char *text);

#endif
