/* SPDX-License-Identifier: Apache-2.0 */
/*
 * link: from a verified identity to an account and a session row, in one transaction. (provider,
 * subject) decides. An e-mail address is looked at once in an identity's life, when nobody knows it
 * yet, and decides alone only where the provider's `link` says so, both sides vouch for the address
 * strongly, and nothing suggests that it changed hands; else the person is asked, or nothing is
 * said and a new account made. docs/accounts.md tells admins the same rules.
 */
#ifndef LOGIN_LINK_H
#define LOGIN_LINK_H

#include "base/header.h"
#include "login/drive.h"
#include "store/account.h"
#include "store/session_row.h"
#include "store/upstream_token.h"

/* Groups in headers and rows: what goes beyond is left out, and rules know it (app/rule.c). */
#define LINK_GROUPS_MAX HEADER_ROOM /* bytes as JSON */
/* An address that was not confirmed for so long may be somebody else's by now. */
#define LINK_FRESH (90 * 86400) /* seconds */

enum link_outcome {
    LINK_IS_KNOWN = 0, /* signed in to the identity's account */
    LINK_IS_NEW,       /* signed in to a new account */
    LINK_IS_JOINED,    /* signed in to the account that has the same address */
    LINK_IS_ASKED,   /* nobody is signed in: somebody has the address, who may be the same person */
    LINK_IS_UNKNOWN, /* nobody is signed in: a proof was wanted, and nobody knows the identity */
    LINK_IS_BARRED,  /* foreseen only: it may not come back, which link_write refuses */
};

/* All that the transaction of a sign-in does. */
struct link {
    struct account_profile profile;
    struct session_row row;
    int policy;                         /* enum provider_link, for an identity nobody knows */
    bool proof;                         /* of a join: an identity nobody knows makes nothing */
    const unsigned char *ends_session;  /* hash of the session this one replaces, or NULL */
    const char *ends_account, *ends_id; /* whose that is, and its public id; NULL: nobody knows */
    const unsigned char *flow;          /* spent with it; NULL: none */
    int64_t flow_expires;
    const char *request_id; /* for the record; NULL: unknown */
    struct arena *arena;    /* of the strings; scratch of the transaction */
    /* What the upstream gave, where its provider keeps it; the link's. access NULL: nothing. */
    struct upstream_token tokens;
    const struct keyring *keys;
    /* out */
    enum link_outcome outcome;
    struct account account;
    unsigned groups_left_out;
};

/* "provider:group" as a JSON array in `a`; NULL for none. *left_out counts what was too much. */
const char *link_groups(const char *provider, const char *const *groups, struct arena *a,
                        unsigned *left_out);
/* Everything but ids, times, the policy and the client; strings live in `a`. Groups become
 * "provider:group". */
void link_fill(struct link *l, const char *provider, const struct drive_identity *id,
               struct arena *a);
/* The same from a profile that was filled before; borrowed. */
void link_refill(struct link *l, const struct account_profile *p, const char *amr, struct arena *a);
/* Inside a transaction. ERR_NOT_ALLOWED for a disabled account and an identity that is barred. */
int link_write(struct db *db, struct link *l, struct err *err) __attribute__((warn_unused_result));

/* What link_write would do with this profile, changing nothing; *out is the account, if there is
 * one. -1, or an enum link_outcome. */
int link_foresee(struct db *db, const struct link *l, int64_t now, struct account *out,
                 struct err *err) __attribute__((warn_unused_result));

/* The rule for an identity nobody knows: NEW, ASKED, or JOINED to the account of holders[0]. */
enum link_outcome link_judge(int policy, const struct account_profile *p,
                             const struct account_holder *holders, int n, int64_t now);

#endif
