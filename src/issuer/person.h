/* SPDX-License-Identifier: Apache-2.0 */
/*
 * person: an account as tokens and userinfo speak of it: what was said of the identity that the
 * grant came through, or, when that is gone, of another one of its provider, or of the one seen
 * last. Read inside a transaction.
 */
#ifndef ISSUER_PERSON_H
#define ISSUER_PERSON_H

#include "base/arena.h"
#include "issuer/claims.h"
#include "session/rights.h"
#include "store/db.h"

struct person_key {
    const char *account;
    const char *provider, *subject; /* NULL: whichever was seen last */
    int64_t now;
};
/* 1 and *out (in the arena); 0: there is no such account, or it is disabled. */
int person_read(struct db *db, const struct person_key *key, struct arena *a,
                struct claims_person *out, struct err *err) __attribute__((warn_unused_result));

struct person_at {
    const struct app *app;
    const char *client; /* the address they are judged by; NULL: unknown */
    struct rights *rights;
};
/* Whether the app would let this person in today, by its providers and by its rule, as the gate
 * would: what is not known admits nobody. Loop thread; the arena is for what is said of them. */
bool person_may(const struct claims_person *p, const struct person_at *at, struct arena *a);

#endif
