/* SPDX-License-Identifier: Apache-2.0 */
/*
 * oauth_grant: what an app was granted: one sign-in of one person there, or one delegation. Codes,
 * refresh tokens and access tokens hang on it and end with it. An ended grant stays until its
 * absolute limit, so that what comes late is known. Functions run inside a transaction, on its
 * thread; times are seconds since 1970.
 */
#ifndef STORE_OAUTH_GRANT_H
#define STORE_OAUTH_GRANT_H

#include "base/arena.h"
#include "store/db.h"

struct oauth_grant_row {
    const char *id; /* rng_id */
    const char *app;
    const char *account;            /* NULL: the app itself */
    const char *session;            /* public id of the session it goes with; NULL: of none */
    const char *sid;                /* the one it came from, as its app knows it; NULL */
    const char *provider, *subject; /* the identity that came through; NULL */
    const char *scopes;             /* parted by blanks */
    const char *resource, *claims;  /* JSON; NULL: none */
    int64_t auth_time;              /* 0: unknown */
    const char *amr, *acr;          /* NULL: unknown */
    const char *ip, *user_agent;    /* of the person, as rules saw them; NULL: unknown */
    int64_t created, ends;          /* ends: the absolute limit of all that hangs on it */
    int64_t ended;                  /* 0: it stands */
};

int oauth_grant_add(struct db *db, const struct oauth_grant_row *row, struct err *err)
    __attribute__((warn_unused_result));
/* 1 and *out (strings in the arena), or 0. */
int oauth_grant_get(struct db *db, const char *id, struct arena *a, struct oauth_grant_row *out,
                    struct err *err) __attribute__((warn_unused_result));
/* 1 ended by this call, 0: it was over, or there was none. */
int oauth_grant_end(struct db *db, const char *id, int64_t now, struct err *err)
    __attribute__((warn_unused_result));

/* Which grants. Exactly one of account and session is set. */
struct oauth_grant_filter {
    const char *account, *session;
    const char *app; /* with account: of this app only; NULL: of all */
};
/* All that stand; how many were ended. */
int64_t oauth_grant_end_all(struct db *db, const struct oauth_grant_filter *f, int64_t now,
                            struct err *err) __attribute__((warn_unused_result));
/* Those that stand, newest first; strings live until `each` returns; -1 from it, which then says
 * why in err, stops with -1. */
int oauth_grant_each(struct db *db, const struct oauth_grant_filter *f, int64_t now,
                     int (*each)(void *arg, const struct oauth_grant_row *row, struct err *err),
                     void *arg, struct err *err) __attribute__((warn_unused_result));
/* 1: there is one that stands; 0. */
int oauth_grant_any(struct db *db, struct err *err) __attribute__((warn_unused_result));
/* The person goes on in another session, and what they granted with them; how many. */
int64_t oauth_grant_follow(struct db *db, const char *session, const char *next, struct err *err)
    __attribute__((warn_unused_result));
/* Those beyond their limit, with all that hangs on them, at most `max`; how many went. */
int64_t oauth_grant_sweep(struct db *db, int64_t now, int64_t max, struct err *err)
    __attribute__((warn_unused_result));

#endif
