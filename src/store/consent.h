/* SPDX-License-Identifier: Apache-2.0 */
/*
 * consent: what a person said yes to, per app. Remembered until they take it back, or until the app
 * changes in what `terms` covers. Functions run inside a transaction, on its thread; times are
 * seconds since 1970.
 */
#ifndef STORE_CONSENT_H
#define STORE_CONSENT_H

#include "base/arena.h"
#include "store/db.h"

struct consent_row {
    const char *account, *app;
    const char *scopes;         /* JSON array of strings */
    const char *claims;         /* JSON array of claims asked for one by one; NULL: none */
    const unsigned char *terms; /* 32 bytes; NULL: none */
    int64_t created, changed;   /* created: of the first yes, kept by consent_put */
};

/* In place of what was said before. */
int consent_put(struct db *db, const struct consent_row *row, struct err *err)
    __attribute__((warn_unused_result));
/* 1 and *out (strings in the arena), or 0. */
int consent_get(struct db *db, const char *account, const char *app, struct arena *a,
                struct consent_row *out, struct err *err) __attribute__((warn_unused_result));
/* 1, or 0: there was none. What was granted under it is the caller's to end. */
int consent_drop(struct db *db, const char *account, const char *app, struct err *err)
    __attribute__((warn_unused_result));
/* Of an account, by app; strings live until `each` returns; -1 from it, which then says why in err,
 * stops with -1. */
int consent_each(struct db *db, const char *account,
                 int (*each)(void *arg, const struct consent_row *row, struct err *err), void *arg,
                 struct err *err) __attribute__((warn_unused_result));
/* All of one account become another's, where that one has none for the app. */
int consent_move(struct db *db, const char *from, const char *to, struct err *err)
    __attribute__((warn_unused_result));

#endif
