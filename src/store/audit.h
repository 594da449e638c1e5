/* SPDX-License-Identifier: Apache-2.0 */
/*
 * audit: who did what, when, and with what outcome. Append only: there is no way here to change or
 * delete a row. Numbers ascend without gaps, because a row is added in the transaction of the
 * change it tells of; so the number also serves as the version of what was changed.
 *
 * Functions run inside a transaction, on its thread. `was` and `became` are JSON without secrets.
 */
#ifndef STORE_AUDIT_H
#define STORE_AUDIT_H

#include "store/db.h"

struct audit_row {
    int64_t n;                                /* filled by audit_add */
    int64_t at;                               /* seconds since 1970 */
    const char *actor_kind;                   /* socket, operator, account, token, system */
    const char *actor;                        /* its id */
    const char *actor_name, *ip, *request_id; /* NULL: unknown */
    const char *action;                       /* "provider.replace" */
    const char *object;                       /* id of what it was done to, or "" */
    const char *was, *became;                 /* JSON; NULL: nothing */
    const char *outcome;                      /* "done", "refused" */
    const char *reason;                       /* of a refusal; NULL */
};

/* The row's number, or -1. */
int64_t audit_add(struct db *db, const struct audit_row *row, struct err *err)
    __attribute__((warn_unused_result));

struct audit_filter {
    int64_t before; /* number; 0: from the newest on */
    int64_t limit;
    const char *actor, *action, *object; /* exact; NULL: any. actor: id, name or kind */
};
/* Newest first; the strings live until `each` returns; -1 from it, which then says why in err,
 * stops with -1. */
int audit_each(struct db *db, const struct audit_filter *filter,
               int (*each)(void *arg, const struct audit_row *row, struct err *err), void *arg,
               struct err *err) __attribute__((warn_unused_result));

#endif
