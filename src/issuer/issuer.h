/* SPDX-License-Identifier: Apache-2.0 */
/*
 * issuer: usher as a provider of its own, for apps that speak OpenID Connect or OAuth 2. This room
 * knows nothing of HTTP but what the specifications say of it: web/oauth_*.c reads requests into a
 * struct issuer_call and sends the struct issuer_answer that comes back.
 *
 * The files, and what each is alone in knowing:
 *   issuer       life; which apps there are; what expires
 *   parts.h      the inside, shared by the files of this room: one pointer for each part
 *   answer       errors of RFC 6749, and what an answer looks like
 *   keys         what usher signs with: made, published, used, retired, by the clock
 *   sign         a JWT out of a payload; RSA on threads of its own
 *   metadata     discovery (OIDC, RFC 8414) and JWKS, kept ready
 *   client       which app asks: Basic, body, none
 *   assertion    the same by private_key_jwt
 *   scope        lists of scopes and resources, judged against an app
 *   access       access tokens in memory; mint: a new one, as JWT or opaque
 *   token        POST /oauth2/token: client, then the grant's own function by a table
 *   grant_*      one file for each grant type; grant_client is the machine's
 *   bearer       tokens shown to usher itself
 *   refusal      whom an app does not let in, on record
 *   introspect   RFC 7662;  revoke: RFC 7009, by a table of token prefixes
 * and, each a line in parts.h and in the tables above:
 *   request      authorization requests: read, judged, pushed (RFC 9126), pending
 *   authorize    from a pending request to a code, or to what the person must do first
 *   consent      what people said yes to;  code: authorization codes;  grant_code
 *   refresh      rotation, reuse, the grace window;  grant_refresh
 *   device       RFC 8628: both codes;  device_person: what is said to one;  user_code;
 *   grant_device;  grant_exchange: RFC 8693
 *   claims       what is said of a person: ID token and userinfo
 *   userinfo;  logout: RP-initiated;  backchannel: deliveries;  registration: RFC 7591, 7592
 * The store has a noun for each table of 0004-issuer.sql. What usher hands out begins with its kind
 * (issuer_prefix_*), so that no token is ever taken for one of another kind.
 *
 * One loop thread owns an issuer; nothing here blocks it. Every function that answers does so
 * exactly once, maybe from within the call. What is granted is durable before it is told; what is
 * ended is out of memory and out of the store before that is told (else 503, never 200).
 */
#ifndef ISSUER_ISSUER_H
#define ISSUER_ISSUER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/form.h"
#include "base/text.h"

struct app_secrets;
struct apps;
struct fetch;
struct issuer;
struct issuer_keys;
struct keyring;
struct log_ctx;
struct loop;
struct metrics;
struct sessions;
struct store;
struct trail;

struct issuer_options {
    struct loop *loop;
    struct store *store;
    struct trail *trail;         /* refusals; NULL: nowhere */
    const struct keyring *keys;  /* seals what we sign with */
    struct metrics *metrics;     /* NULL: nothing is counted */
    struct sessions *sessions;   /* NULL: nobody ever signs in */
    struct fetch *fetch;         /* for jwks_uri and back-channel logout; NULL: neither */
    struct apps *apps;           /* a reference is taken; NULL: there are none */
    struct app_secrets *secrets; /* what they authenticate with */
    const char *public_url;      /* the issuer, as it is written in tokens */
    const char *const *algs;     /* beside RS256; NULL-ended */
    int64_t key_lifetime;        /* seconds a key signs for */
    size_t max_tokens;           /* access tokens in memory */
    unsigned threads;            /* for RSA; 0: as many as suit the machine */
};

/* Reads and, at the first start, makes the keys, and reads live access tokens; waits for that, so:
 * before the loop runs. Everything in `o` is borrowed until issuer_free. */
struct issuer *issuer_new(const struct issuer_options *o, struct err *err)
    __attribute__((warn_unused_result));
/* No app is told of logouts any more; busy until every call under way has answered. */
void issuer_stop(struct issuer *i);
bool issuer_busy(const struct issuer *i);
/* Stops, and drives the loop until it is not busy; the store must still be there. */
void issuer_free(struct issuer **i);
/* The apps from the next call on; a reference is taken. Calls under way end with theirs. */
void issuer_set_apps(struct issuer *i, struct apps *apps);
/* Whether apps may register themselves, for the metadata; they may not until this says so. */
void issuer_set_registration(struct issuer *i, bool open);
/* Whoever is no longer who they were: their grants and tokens no longer count, from the next
 * request on. The store's rows are the caller's, in the transaction that decided it. */
void issuer_end_account(struct issuer *i, const char *account);
void issuer_end_grant(struct issuer *i, const char *grant);
/* For sessions_on_end: grants that go with a session end with it, or follow the person into the
 * next one; of an account (session NULL) all end. The store is written, nobody waits. */
void issuer_session_over(void *issuer, const char *account, const char *session, const char *next);
/* Once a second, while the clock can be believed: what is due by then. */
void issuer_step(void *issuer);

/* ---- endpoints ---- */

/* A request as web read it. It lives until it is answered. */
struct issuer_call {
    struct arena *arena;
    const struct fields *form; /* the body's; never NULL */
    const char *authorization; /* the header; NULL: none */
    const char *ip, *user_agent;
    const char *origin; /* the header, where pages may ask; NULL: none, or nobody may */
    const char *client; /* the address that rules go by; NULL: unknown, as of a silent proxy */
    const struct log_ctx *log;
};

/* Every one goes out with Cache-Control: no-store. Strings live as long as the call. */
struct issuer_answer {
    int status;
    struct str body;              /* JSON; n == 0: none */
    bool jwt;                     /* no JSON but a JWT */
    const char *www_authenticate; /* NULL: no such header */
    int64_t retry_after;          /* seconds; 0: no such header */
    const char *origin;           /* pages there may read it; NULL: no page may */
    bool again;                   /* 200, and good for whoever asks the same in the same moment */
};

/* What answers depend on: memory and the clock, or the store as well. As long as a moment is what
 * it was, the same call gets the same answer. */
enum issuer_about { ISSUER_NOTHING = 0, ISSUER_MEMORY, ISSUER_STORE };
#define ISSUER_ABOUTS 3
struct issuer_moment {
    int64_t second;
    uint64_t changes; /* so far, of all that counts */
};
struct issuer_moment issuer_moment(const struct issuer *i, enum issuer_about about);
/* An answer was given again: counts it. */
void issuer_repeated(struct issuer *i, enum issuer_about about);

typedef void issuer_done_fn(void *arg, const struct issuer_answer *a);
typedef void issuer_call_fn(struct issuer *i, const struct issuer_call *c, issuer_done_fn *done,
                            void *arg);

issuer_call_fn issuer_token, issuer_introspect, issuer_revoke, issuer_userinfo, issuer_push,
    issuer_device;

/* A token that a machine shows to usher itself. It counts when it is good, for usher, about nobody,
 * and its app may still have `scope`; an ask of memory, not of the store. */
enum issuer_bearer {
    ISSUER_BEARER_UNKNOWN, /* the store does not answer: later */
    ISSUER_BEARER_NONE,    /* no access token of ours, or not for us: 401 */
    ISSUER_BEARER_SCOPE,   /* one that does not hold the scope: 403 */
    ISSUER_BEARER_GOOD
};
struct issuer_shown {
    struct arena *arena; /* lives, like the rest, until it is answered */
    struct str token;
    const char *scope;
};
/* Once, maybe from within. */
typedef void issuer_bearer_fn(void *arg, enum issuer_bearer worth);
void issuer_bearer(struct issuer *i, const struct issuer_shown *shown, issuer_bearer_fn *done,
                   void *arg);

/* What usher signs with: issuer/keys.h, for whoever administers it. */
struct issuer_keys *issuer_signing_keys(struct issuer *i);

/* Whether pages there are of an app, whichever: before it is known who asks. */
bool issuer_knows_origin(const struct issuer *i, const char *origin);

/* Documents kept ready, borrowed until the next turn of the loop. */
struct str issuer_discovery(struct issuer *i);
struct str issuer_jwks(struct issuer *i);

#endif
