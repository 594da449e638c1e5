/* SPDX-License-Identifier: Apache-2.0 */
/*
 * access: access tokens in memory, by the SHA-256 of an opaque one or of a JWT's jti: what
 * introspection and userinfo say, answered without the store, which is the truth behind it. Rows
 * are added after their commit and ended before the answer that says so.
 *
 * A machine's JWT is good by its signature; it is here only when it was ended before its time, and
 * then says so. Of every other token the entry is what makes it good.
 *
 * One loop thread owns a table. When it is full, what expired goes, live ones never: adding
 * fails, but for an end. No app takes all of it: each may have four times as many entries as are
 * free, so that one alone fills four fifths, and there is always room for the next. A table that
 * does not hold all there is says so, and who misses a token asks access_recall.
 */
#ifndef ISSUER_ACCESS_H
#define ISSUER_ACCESS_H

#include <stdbool.h>

#include "store/access_token.h"

struct access;

/* Borrowed until the table changes. */
struct access_view {
    const char *app, *grant, *account; /* the last two NULL: none */
    const char *first;                 /* as rows have it */
    const char *scopes, *resource, *more;
    int64_t created, expires;
    bool ended;
};

struct access *access_new(size_t max);
void access_free(struct access **t);
/* ERR_LIMITED: full. One that is there already is replaced; an end stays an end. */
int access_add(struct access *t, const struct access_token_row *row, int64_t now, struct err *err)
    __attribute__((warn_unused_result));
/* The same for a row nobody waits for: LIMITED as well if the app has its share. */
int access_offer(struct access *t, const struct access_token_row *row, int64_t now, struct err *err)
    __attribute__((warn_unused_result));
/* A place for a row that is on its way to the store: nothing else takes it. Given back right before
 * the row is added, or when it came to nothing. LIMITED: full, or the app has its share; err says
 * which. */
int access_reserve(struct access *t, const char *app, int64_t now, struct err *err)
    __attribute__((warn_unused_result));
void access_release(struct access *t, const char *app);
/* 1 and *out, which may have been ended; 0: nobody here knows it, or it expired. */
int access_find(const struct access *t, const unsigned char hash[32], int64_t now,
                struct access_view *out);
size_t access_end_grant(struct access *t, const char *grant);
size_t access_end_account(struct access *t, const char *account);
/* Drop expired ones, at most `budget` slots a call; how many went. */
size_t access_sweep(struct access *t, int64_t now, size_t budget);
/* Some that are good until then at most are not here. */
void access_lack(struct access *t, int64_t until);
bool access_is_complete(const struct access *t, int64_t now);
/* Grows with every end that is told, whether or not it is of something that is here, and whenever
 * something that was good is replaced. Not with time. */
uint64_t access_changes(const struct access *t);
size_t access_count(const struct access *t);

#endif
