/* SPDX-License-Identifier: Apache-2.0 */
/*
 * recheck: whom a provider is to be asked about again, and what came of it. Only people who are
 * signed in through the identity and whose tokens are kept; each by one process at a time. What is
 * not answered comes again.
 *
 * Functions run inside a transaction, on its thread.
 */
#ifndef STORE_RECHECK_H
#define STORE_RECHECK_H

#include "store/upstream_token.h"

struct recheck_due {
    const char *provider;
    int64_t before;     /* last asked by then */
    int64_t now, asked; /* what counts as the time of asking: now, give or take */
    int64_t until;      /* nobody else renews their tokens so long */
    size_t max;         /* at most RECHECK_DUE_MAX */
};
#define RECHECK_DUE_MAX 16
/* Who is to be asked about. Tokens are to be freed with upstream_token_deinit. */
struct recheck_person {
    struct upstream_token token;
};
/* How many, or -1. Those with nobody signed in are put off for a period, and count as taken. What
 * cannot be opened is put off likewise. */
struct recheck_batch {
    struct arena *arena; /* the caller's: strings go there */
    struct recheck_person v[RECHECK_DUE_MAX];
    size_t n;
    size_t taken; /* max: there may be more */
};
int recheck_take(struct db *db, const struct keyring *keys, const struct recheck_due *due,
                 struct recheck_batch *out, struct err *err) __attribute__((warn_unused_result));
/* When the one asked about longest ago was asked about; INT64_MAX: there is nobody. */
int recheck_oldest(struct db *db, const char *provider, int64_t *at, struct err *err)
    __attribute__((warn_unused_result));

struct recheck_verdict {
    const char *provider, *subject;
    bool regroup;       /* the groups are these from now on: */
    const char *groups; /* JSON; NULL: none */
    int64_t now;
    char account[24]; /* out: whose it is */
    int64_t sessions; /* out: how many were changed or ended */
};
/* Whoever was asked about signed in meanwhile, and has other tokens than those that were shown. 1:
 * what came of it says nothing of these, and the claim is over; 0: it counts. */
int recheck_overtaken(struct db *db, const struct upstream_token *shown, struct err *err)
    __attribute__((warn_unused_result));
/* They are who they were. 1, or 0: nobody has the identity any more. */
int recheck_passed(struct db *db, struct recheck_verdict *v, struct err *err)
    __attribute__((warn_unused_result));
/* They are not: their sessions through this identity end. Likewise. */
int recheck_failed(struct db *db, struct recheck_verdict *v, struct err *err)
    __attribute__((warn_unused_result));
/* Nobody knows: once more when `asked` is a period ago. */
int recheck_later(struct db *db, const char *provider, const char *subject, int64_t asked,
                  struct err *err) __attribute__((warn_unused_result));

#endif
