/* SPDX-License-Identifier: Apache-2.0 */
/*
 * account_list: accounts as people look at them: one with all its identities, or those that match
 * what somebody typed. Functions run inside a transaction, on its thread, and change nothing; what
 * they find lives in the caller's arena. Times are seconds since 1970, 0 where there is none.
 */
#ifndef STORE_ACCOUNT_LIST_H
#define STORE_ACCOUNT_LIST_H

#include "store/account.h"

struct account_identity {
    const char *provider, *subject;
    const char *username, *name, *email, *picture, *locale; /* NULL: not said */
    int email_evidence;
    const char *groups; /* JSON array; NULL: none */
    int64_t first_seen, last_seen;
    int64_t linked;      /* came to this account then; 0: the account began with it */
    int64_t email_since; /* its provider says this address with this evidence since then */
    int64_t checked;     /* its provider was last asked again */
};

struct account_row {
    const char *id;
    int64_t created;
    bool disabled;                             /* now */
    int64_t disabled_since, disabled_until;    /* until 0: for good */
    const char *disabled_reason;               /* NULL: nobody said */
    const struct account_identity *identities; /* the one seen last comes first */
    size_t n;
};
/* 1 and *out, or 0: there is no such account. */
int account_get(struct db *db, const char *id, int64_t now, struct arena *a,
                struct account_row *out, struct err *err) __attribute__((warn_unused_result));
/* The identity with that handle among an account's, or NULL. */
const struct account_identity *account_identity_of(const struct account_row *row,
                                                   const char *handle);

#define ACCOUNT_PAGE_MAX 200
struct account_filter {
    /* Part of a name, username or e-mail, case ignored (in ASCII; on PostgreSQL as its locale has
     * it); or a whole account id or subject, exactly. NULL or "": any. */
    const char *text;
    const char *provider, *role; /* exactly; NULL: any */
    enum account_state { ACCOUNT_ANY = 0, ACCOUNT_ENABLED, ACCOUNT_DISABLED } state;
    const char *after; /* id of the last one of the page before; NULL: from the beginning */
    size_t limit;      /* 1 … ACCOUNT_PAGE_MAX; 0: as many */
    int64_t now;
};
/* One page in the order of ids: rows in *out, each with all its identities. *n < limit: there are
 * no more. */
int account_search(struct db *db, const struct account_filter *f, struct arena *a,
                   struct account_row **out, size_t *n, struct err *err)
    __attribute__((warn_unused_result));

#endif
