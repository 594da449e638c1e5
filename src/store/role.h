/* SPDX-License-Identifier: Apache-2.0 */
/*
 * role: what roles allow, and who has them. "admin" needs no row. A role without a row is one all
 * the same to whoever has it, but allows nothing. Names are judged by the caller (rights_name).
 * Functions run inside a transaction, on its thread; times are seconds since 1970.
 */
#ifndef STORE_ROLE_H
#define STORE_ROLE_H

#include "base/arena.h"
#include "store/db.h"

struct role_row {
    const char *name;
    const char *permissions; /* JSON array of names */
    const char *description; /* "" for none */
    int64_t version;         /* number of the audit row that tells of the last change */
    int64_t created, changed;
};

/* In the order of their names; strings live until `each` returns; -1 from it, which then says why
 * in err, stops with -1. */
typedef int role_each_fn(void *arg, const struct role_row *row, int64_t holders, struct err *err);
int role_each(struct db *db, role_each_fn *each, void *arg, struct err *err)
    __attribute__((warn_unused_result));
/* 1 and *out in the arena, or 0. */
int role_get(struct db *db, const char *name, struct arena *a, struct role_row *out,
             struct err *err) __attribute__((warn_unused_result));
/* A new one, or all but `created` of one that is there. */
int role_put(struct db *db, const struct role_row *row, struct err *err)
    __attribute__((warn_unused_result));
/* The row; everybody who has the role keeps it (role_take_from_all). 1, or 0: there is none. */
int role_drop(struct db *db, const char *name, struct err *err) __attribute__((warn_unused_result));
/* How many had it. */
int64_t role_take_from_all(struct db *db, const char *name, struct err *err)
    __attribute__((warn_unused_result));

int64_t role_count(struct db *db, struct err *err) __attribute__((warn_unused_result));
int64_t role_holder_count(struct db *db, const char *name, struct err *err)
    __attribute__((warn_unused_result));

/* Who has a role, and who that is, by the identity that was seen last. */
struct role_holder {
    const char *account;
    int64_t since;
    const char *provider, *username, *name, *email; /* NULL: unknown */
};
/* In the order in which they got it, at most `max`; as role_each. */
int role_each_holder(struct db *db, const char *name, int64_t max,
                     int (*each)(void *arg, const struct role_holder *h, struct err *err),
                     void *arg, struct err *err) __attribute__((warn_unused_result));

#endif
