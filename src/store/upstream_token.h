/* SPDX-License-Identifier: Apache-2.0 */
/*
 * upstream_token: access and refresh tokens of people, where their provider keeps them. In the
 * database they are sealed (sys/seal.h) for exactly one identity and kind, so a row that was moved
 * or copied elsewhere does not open. They go with the identity.
 *
 * Refresh tokens often work once, and whoever uses one twice may lose them all. So whoever renews
 * claims the row first, for a while, and what comes back replaces only what was sent: `version`
 * says which tokens a row holds, and a sign-in meanwhile wins.
 *
 * Functions run inside a transaction, on its thread, where sealing belongs as well: a key that is
 * replaced meanwhile finds every row.
 */
#ifndef STORE_UPSTREAM_TOKEN_H
#define STORE_UPSTREAM_TOKEN_H

#include "base/arena.h"
#include "store/db.h"
#include "sys/seal.h"

struct upstream_token {
    const char *provider, *subject;
    const char *scope;               /* NULL: not said */
    struct secret *access, *refresh; /* refresh NULL: none */
    int64_t expires, obtained;       /* seconds since 1970; expires 0: not said */
    int64_t version, busy;           /* of the row */
};
/* The secrets of what a look-up filled. */
void upstream_token_deinit(struct upstream_token *t);
/* Whether the access token can be used for a while yet. */
bool upstream_token_fresh(const struct upstream_token *t, int64_t now);

/* What a sign-in obtained, in place of what is there; a refresh token that is there stays when none
 * came. The identity must be there. */
int upstream_token_put(struct db *db, const struct keyring *keys, const struct upstream_token *t,
                       struct err *err) __attribute__((warn_unused_result));
/* The same, when it took a while until it was to be kept: newer ones stay. */
int upstream_token_put_late(struct db *db, const struct keyring *keys,
                            const struct upstream_token *t, struct err *err)
    __attribute__((warn_unused_result));
/* Those of t->provider and t->subject: 1, or 0. Strings live in the arena. */
int upstream_token_get(struct db *db, const struct keyring *keys, struct arena *a,
                       struct upstream_token *t, struct err *err)
    __attribute__((warn_unused_result));
/* The same by account: of several identities of that provider this subject's, else the one who was
 * seen last. */
struct upstream_token_of {
    const char *account, *provider, *subject; /* subject "": no matter */
};
int upstream_token_of_account(struct db *db, const struct keyring *keys, struct arena *a,
                              const struct upstream_token_of *of, struct upstream_token *out,
                              struct err *err) __attribute__((warn_unused_result));

/* Nobody else renews these until `until`. 1, or 0: somebody does, or they are others by now. */
int upstream_token_claim(struct db *db, const struct upstream_token *t, int64_t now, int64_t until,
                         struct err *err) __attribute__((warn_unused_result));
/* What came in place of version `was`, with t->version as its new one; still claimed. 1, or 0: it
 * is not there any more. */
int upstream_token_renew(struct db *db, const struct keyring *keys, const struct upstream_token *t,
                         int64_t was, struct err *err) __attribute__((warn_unused_result));
/* By provider, subject and version: not claimed any more. */
int upstream_token_release(struct db *db, const struct upstream_token *t, struct err *err)
    __attribute__((warn_unused_result));
/* Likewise: forgotten. 1, or 0: it is not there any more. */
int upstream_token_forget(struct db *db, const struct upstream_token *t, struct err *err)
    __attribute__((warn_unused_result));
/* Whether there are any of a provider: 1, 0. */
int upstream_token_any(struct db *db, const char *provider, struct err *err)
    __attribute__((warn_unused_result));
/* Some of a provider that keeps none any more: how many. */
int64_t upstream_token_forget_provider(struct db *db, const char *provider, int64_t max,
                                       struct err *err) __attribute__((warn_unused_result));
/* A version nobody had: microseconds since 1970, so it rises. */
int64_t upstream_token_version(void);

#define UPSTREAM_TOKEN_BATCH 100
/* Sealing again with the ring's current key, a batch at a time, as provider_secret_reseal. */
struct upstream_token_reseal {
    char provider[65], subject[256];
    int64_t done, stuck;
};
int upstream_token_reseal(struct db *db, const struct keyring *keys,
                          const struct upstream_token_reseal *from,
                          struct upstream_token_reseal *to, struct err *err)
    __attribute__((warn_unused_result));
/* How many are sealed with that key. -1: err. */
int64_t upstream_token_count(struct db *db, const unsigned char key_id[4], struct err *err)
    __attribute__((warn_unused_result));

#endif
