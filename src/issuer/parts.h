/* SPDX-License-Identifier: Apache-2.0 */
/* parts: the inside of an issuer, shared by the files of this room and nobody else. */
#ifndef ISSUER_PARTS_H
#define ISSUER_PARTS_H

#include "app/apps.h"
#include "app/secrets.h"
#include "issuer/access.h"
#include "issuer/access_recall.h"
#include "issuer/app_keys.h"
#include "issuer/backchannel.h"
#include "issuer/issuer.h"
#include "issuer/keys.h"
#include "issuer/known.h"
#include "issuer/sign.h"
#include "store/session_app.h"
#include "sys/metrics.h"

#define ISSUER_COUNTS 16

struct issuer {
    struct issuer_options o;
    struct apps *apps; /* a reference */
    uint64_t replaced; /* how often they were */
    struct work *work; /* RSA */
    struct issuer_keys *keys;
    struct access *access;
    struct access_recall *recall;
    struct known *known; /* of grants and people, for userinfo */
    struct app_keys *app_keys;
    struct sweep *sweep;             /* of the store, under way; or NULL */
    struct session_app_sweep silent; /* sessions that went without a word: where to go on */
    struct backchannel *backchannel;
    struct buf discovery;
    bool registration;      /* apps may register themselves */
    unsigned step;          /* seconds, more or less */
    struct ending *endings; /* that the store had no room for */
    struct ending *ends;    /* all of them */
    bool granted;           /* there may be grants about people in the store */
    size_t under_way;       /* calls and signatures that somebody waits for */
    struct {
        const char *what, *grant, *outcome; /* by address: they are constants */
        struct metric_series *series;
    } counts[ISSUER_COUNTS]; /* those asked for first, which are those asked for most */
};

/* A call of an endpoint that programs use, from its request to its answer; in the call's arena. */
struct call {
    struct issuer *issuer;
    const struct issuer_call *in;
    struct arena *a;
    struct apps *apps; /* a reference: a reload may replace them under way */
    const char *what;  /* for log and metrics: "token", "introspect", "revoke" */
    const char *grant; /* token: its grant_type, once it is known */
    int64_t now;
    issuer_done_fn *done;
    void *arg;
    /* Once it is known who asks. */
    const struct app *app;
    bool public;
    void *more; /* the grant's own */
};

/* ---- answer.c ---- */

struct call *call_open(struct issuer *i, const char *what, const struct issuer_call *in,
                       issuer_done_fn *done, void *arg);
/* Each ends the call. `body` lives as long as its arena. */
void call_answer(struct call *c, int status, struct str body);
void call_answer_jwt(struct call *c, struct str token); /* 200 */
/* The same with 200, for what the same call would be told again. */
void call_answer_again(struct call *c, struct str body);
/* RFC 6749 5.2. `description` is ours: one sentence in ASCII without quotes. */
void call_refuse(struct call *c, const char *error, const char *description);
/* RFC 6750 section 3: to whoever holds a token rather than a secret. error NULL: none was sent. */
void call_challenge(struct call *c, int status, const char *header, const char *error,
                    const char *description);
/* Something of ours failed; `err` goes to the log. LIMITED: come back later. */
void call_fail(struct call *c, const struct err *err);
void call_store_failed(struct call *c, enum store_outcome outcome, const struct err *err);
/* A parameter: 1 and *value; 0 it is not there or empty; -1: it came twice, and the call is over.
 * (RFC 6749 3.2) */
int call_get(struct call *c, const char *name, const char **value)
    __attribute__((warn_unused_result));

/* ---- client.c ---- */

typedef void call_next_fn(struct call *c);
/* Finds out which app asks, then goes on; or answers itself. */
void client_authenticate(struct call *c, call_next_fn *next);
/* assertion.c: by private_key_jwt; `id` is what the request says besides, or NULL. */
void client_assert(struct call *c, const char *id, const char *assertion, call_next_fn *next);
/* An app that may be used now, or NULL. */
const struct app *client_find(const struct call *c, const char *id);

/* ---- scope.c ---- */

/* What a machine gets: what it asked for, or all of it. NULL: the call is over. */
const char *scope_machine(struct call *c);
/* Which resources a token of this app is for (RFC 8707): those that were asked for, else the app's
 * first, else usher itself; as a JSON array. NULL: the call is over. */
const char *scope_resources(struct call *c);
/* The resources that are asked for, each of which must be among `allowed`: *out as a JSON array,
 * NULL if none is. false: the call is over. */
struct scope_targets {
    const char *const *allowed; /* NULL-ended; NULL: none */
    bool audience;              /* that parameter names them, too (RFC 8693 section 2.1) */
    const char *refusal;        /* what is said to whoever asks for another */
};
bool scope_named(struct call *c, const struct scope_targets *t, const char **out);
/* URIs as a JSON array, as rows have them. NULL: too many. */
const char *scope_text(struct arena *a, const char *const *list);
/* The same; NULL: the call is over. */
const char *scope_json(struct call *c, const char *const *list);
/* Whether any of what rows have as a JSON array is in a NULL-ended list, which may be NULL. */
bool scope_any(const char *json, const char *const *list);
/* Whether this is all that rows have there: most tokens are for one API, and need no parsing to
 * tell. */
bool scope_only(const char *json, const char *one);

/* ---- mint.c ---- */

#define MINT_PREFIX "uat_"
#define MINT_OPAQUE_LEN 47

/* A new access token of c->app. */
struct mint_args {
    const char *account, *grant; /* NULL: the app itself */
    const char *first;           /* the app that the grant is of; NULL: the one that asks */
    const char *scopes;
    const char *resource; /* JSON array */
    const char *more;     /* JSON object of further claims; NULL */
    int64_t lifetime;     /* at most; 0: the app's */
};
struct minted {
    struct str token;
    struct access_token_row row; /* what stands for it; strings are the call's */
    bool stored;                 /* it is good only once the row is in the store and in memory */
};
/* err NULL on success. */
typedef void mint_done_fn(struct call *c, const struct minted *m, const struct err *err);
void mint_access(struct call *c, const struct mint_args *args, mint_done_fn *done);
/* {"access_token", "token_type", "expires_in", "scope" and members of `more`, which begins with ','
 * or is ""}: 200. */
void mint_answer(struct call *c, const struct minted *m, const char *more);
/* The same as text, for whoever may have to say it again. p NULL: too long. */
struct str mint_text(struct call *c, const struct minted *m, const char *more);
/* The signed part of a JWT access token of ours: 1 and *row (and the payload's strings in the
 * arena), 0: it is none, or altered, or over. Whether it was ended is not looked at. */
int mint_read(struct call *c, struct str token, struct access_token_row *row);
/* Any access token of ours that was not ended and is not over: `found` once, maybe from within,
 * with 1 and *row (in the arena), or 0; or -1, when nobody knows. What it is still worth:
 * standing.h. */
typedef void mint_found_fn(void *arg, int found);
void mint_find(struct call *c, struct str token, struct access_token_row *row, mint_found_fn *found,
               void *arg);
/* Ends a call after -1. */
void mint_unknown(struct call *c);

/* ---- grants, by the table of token.c: each answers ---- */

call_next_fn grant_client, grant_code, grant_refresh, grant_device, grant_exchange;
/* The i-th there is; NULL at the end. */
const char *token_grant_type(size_t i);

/* metadata.c: into i->discovery. */
void metadata_render(struct issuer *i);
/* ending.c: what the store had no room for, once more; and never, because the daemon stops. */
void ending_again(struct issuer *i);
/* Whether what an account granted is about to end, and the store does not know yet. */
bool ending_is_due(const struct issuer *i, const char *account);
void ending_forget(struct issuer *i);
/* sweep.c: what expired, out of the store; nothing if that is under way. */
void sweep_start(struct issuer *i);

#endif
