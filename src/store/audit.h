/* SPDX-License-Identifier: Apache-2.0 */
/*
 * audit: who did what, when, and with what outcome. Append only: there is no way here to change a
 * row, and rows go only from the oldest on, as a whole (store/audit_chain.h). Numbers ascend
 * without gaps, because a row is added in the transaction of the change it tells of; so the number
 * also serves as the version of what was changed. Every row carries a hash over itself and the hash
 * of the row before it, so that whoever knows one hash can tell whether anything before it was
 * changed, removed or put in.
 *
 * Functions run inside a transaction, on its thread. A row that nobody waits for, or that somebody
 * outside can cause at will, goes through store/trail.h instead.
 *
 * What a row may hold: no secrets, no text of an upstream; people by the id of their account, never
 * by name or address (a deleted account leaves a number that leads nowhere). `was` and `became` are
 * JSON under the same rule.
 */
#ifndef STORE_AUDIT_H
#define STORE_AUDIT_H

#include "store/db.h"

#define AUDIT_AGENT_MAX 256 /* bytes of a user agent that are kept */

struct audit_row {
    int64_t n;  /* filled by audit_add */
    int64_t at; /* seconds since 1970 */
    const char
        *actor_kind;   /* socket, operator, account, token, app, registration, system, nobody */
    const char *actor; /* its id; "" for system and nobody */
    const char *actor_name;      /* of operators and tokens; of accounts only when it is read */
    const char *ip, *request_id; /* NULL: unknown */
    const char *user_agent;      /* NULL: unknown; made fit for display, and cut */
    const char *action;          /* "provider.replace": noun and verb */
    const char *object;          /* id of what it was done to, or "" */
    const char *provider;        /* through which, or NULL */
    const char *app;             /* for which, or NULL */
    const char *was, *became;    /* JSON; NULL: nothing */
    const char *outcome;         /* done, refused, failed */
    const char *reason;          /* of what did not succeed, in our own words; NULL */
    unsigned char hash[32];      /* filled by audit_add */
    bool chained;                /* read: `hash` is there; rows older than the chain have none */
};

/* The row's number, or -1. */
int64_t audit_add(struct db *db, const struct audit_row *row, struct err *err)
    __attribute__((warn_unused_result));

/* NULL and 0 are "any". */
struct audit_filter {
    bool forward; /* oldest first, those after `from`; else newest first, those before it */
    int64_t from; /* number; 0: from that end on */
    int64_t limit;
    int64_t since, until;        /* seconds since 1970, inclusive */
    const char *actor;           /* id, kind, or name of an operator or token */
    const char *account;         /* its id, as actor or as object */
    const char *action, *object; /* "login." is all actions that begin so */
    const char *provider, *app, *ip, *outcome;
};
/* How many rows one call looks at, whether they fit or not: nothing but their number is indexed. */
#define AUDIT_LOOK_MAX INT64_C(250000)
struct audit_page {
    int64_t next;   /* `from` of the next call; 0: there is no more at present */
    int64_t looked; /* rows up to this one, in the direction asked for, were looked at */
};
/* The strings live until `each` returns; -1 from it, which then says why in err, stops with -1. */
int audit_each(struct db *db, const struct audit_filter *filter,
               int (*each)(void *arg, const struct audit_row *row, struct err *err), void *arg,
               struct audit_page *page, struct err *err) __attribute__((warn_unused_result));

#endif
