/* SPDX-License-Identifier: Apache-2.0 */
/*
 * session_row: sessions as the store keeps them: the SHA-256 of the cookie, never the cookie. The
 * truth behind session/session.h's table.
 */
#ifndef STORE_SESSION_ROW_H
#define STORE_SESSION_ROW_H

#include "base/arena.h"
#include "store/db.h"

struct session_row {
    unsigned char hash[32];
    const char *id;      /* public id, 22 characters */
    const char *account; /* account id */
    const char *provider, *subject;
    const char *username, *name, *email, *picture; /* as of this sign-in; NULL: unknown */
    int email_evidence;
    const char *groups; /* JSON array; NULL: none */
    const char *amr;    /* space separated; NULL */
    const char *roles;  /* the account's as of now, a JSON array; NULL: none. Read, never written */
    const char *ip, *user_agent;
    int64_t created, seen, ends; /* seconds since 1970; ends: the absolute limit */
    int64_t auth_time; /* when the upstream says it asked for a proof; 0: it does not say */
};

int session_row_add(struct db *db, const struct session_row *row, struct err *err)
    __attribute__((warn_unused_result));
/* 1 ended, 0 there was none. */
int session_row_end(struct db *db, const unsigned char hash[32], struct err *err)
    __attribute__((warn_unused_result));
int session_row_touch(struct db *db, const unsigned char hash[32], int64_t seen, struct err *err)
    __attribute__((warn_unused_result));
/* Delete what ended before `now` or was idle since `idle_before`, at most `max` rows of one slice:
 * those whose hash begins with the byte `slice`. Hashes are random, so it is a 256th of the table
 * that is read, and no index has to be kept for it. How many went; `max`: there may be more. */
int64_t session_row_sweep(struct db *db, unsigned char slice, int64_t now, int64_t idle_before,
                          int64_t max, struct err *err) __attribute__((warn_unused_result));
/* Live rows in the order of their hash, from the first (after NULL) or behind one, at most `max`; a
 * row's strings last until `each` returns. How many there were; -1 from `each` stops with -1. */
struct session_row_page {
    const unsigned char *after; /* 32 bytes */
    int64_t now, idle_before, max;
};
int64_t session_row_read(struct db *db, const struct session_row_page *page,
                         int (*each)(void *arg, const struct session_row *row, struct err *err),
                         void *arg, struct err *err) __attribute__((warn_unused_result));
/* A copy in the arena. */
void session_row_copy(struct arena *a, const struct session_row *row, struct session_row *out);
/* An account's live rows, the one seen last first, at most SESSION_ROW_LIST of them; all of it in
 * the arena. */
#define SESSION_ROW_LIST 200
struct session_row_of {
    const char *account;
    int64_t now, idle_before;
};
int session_row_list(struct db *db, const struct session_row_of *of, struct arena *a,
                     struct session_row **out, size_t *n, struct err *err)
    __attribute__((warn_unused_result));
/* End the session of that public id, if it is this account's: 1 and its hash, for memory to end it
 * as well, or 0. */
int session_row_end_of(struct db *db, const char *account, const char *id, unsigned char hash[32],
                       struct err *err) __attribute__((warn_unused_result));
/* End all of an account but the one with this hash (NULL: all). How many, or -1. */
int64_t session_row_end_others(struct db *db, const char *account, const unsigned char *but,
                               struct err *err) __attribute__((warn_unused_result));
/* 1 and *out (strings in the arena), or 0. */
int session_row_get(struct db *db, const unsigned char hash[32], struct arena *a,
                    struct session_row *out, struct err *err) __attribute__((warn_unused_result));

/* Whether an account's session, by its public id, has not reached its absolute limit: 1 and *ends,
 * which is that limit, or 0. One that was idle for too long stands until it is swept. */
struct session_key {
    const char *account, *id;
};
int session_row_stands(struct db *db, const struct session_key *key, int64_t now, int64_t *ends,
                       struct err *err) __attribute__((warn_unused_result));

#endif
