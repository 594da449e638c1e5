/* SPDX-License-Identifier: Apache-2.0 */
/*
 * account: local accounts and the upstream identities that lead to them. The key is (provider,
 * subject), both exact text; e-mail never selects an account. Rows: account(id TEXT, …),
 * identity(provider, subject → account, profile, e-mail with its evidence, first and last seen).
 */
#ifndef STORE_ACCOUNT_H
#define STORE_ACCOUNT_H

#include "base/arena.h"
#include "store/db.h"

struct account_profile {
    const char *provider, *subject;
    const char *username, *name, *email, *picture, *locale; /* NULL: not said */
    int email_evidence;                                     /* enum usher_evidence */
    const char *groups; /* JSON array of strings, namespaced by provider; NULL: none */
};

struct account {
    char id[24];  /* rng_id */
    bool created; /* by this call */
    bool disabled;
};

/* Find or make the account of (provider, subject) and refresh its profile. now: seconds since 1970.
 */
int account_sign_in(struct db *db, const struct account_profile *p, int64_t now,
                    struct account *out, struct err *err) __attribute__((warn_unused_result));
/* Whose account (provider, subject) leads to, changing nothing. 1, or 0: to none yet. */
int account_find(struct db *db, const char *provider, const char *subject, int64_t now,
                 struct account *out, struct err *err) __attribute__((warn_unused_result));

#endif
