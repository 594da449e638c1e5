/* SPDX-License-Identifier: Apache-2.0 */
/*
 * session: who is signed in, answered from memory. A table keyed by the SHA-256 of the cookie, with
 * everything an answer needs already rendered: identity header values and the account's facts. The
 * store is the truth behind it; rows are added after their commit and ended before the answer.
 * One loop thread owns a table.
 *
 * Usually all live sessions are here. While they are being loaded, or when there are more than fit,
 * some are in the store alone: the table is not complete, and session/recall.h fetches what it does
 * not know. When it is full, expired sessions make way, then the one not seen for the longest (of
 * some that are looked at): in memory only, the session lives on in the store.
 *
 * Validity is one function for all endpoints: not ended, before the absolute end, not idle too
 * long. Times are wall seconds; a clock set back never revives a session (the latest time seen
 * counts).
 */
#ifndef SESSION_SESSION_H
#define SESSION_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/text.h"
#include "session/rights.h"
#include "store/session_row.h"

#define SESSION_TOKEN_LEN 43 /* base64url of 32 random bytes */

struct sessions;
struct sessions_options {
    int64_t idle_seconds, absolute_seconds;
    size_t max;             /* sessions in memory; grows up to it */
    size_t max_per_account; /* 0: 100; adding one more fails */
};

/* One session, borrowed until the table changes (add, end, sweep). Strings are NUL-terminated, ""
 * when unknown; header_* are valid header values (percent-encoded where needed, see record.h). */
struct session_view {
    const unsigned char *hash;
    const char *id, *account, *provider, *subject;
    const char *username, *name, *email, *picture, *groups, *amr; /* raw, for pages and JSON */
    const char *header_user, *header_name, *header_email, *header_groups, *header_provider;
    const char *roles, *permissions; /* as header values (session/rights.h) */
    /* Another one whenever anything above may be another: what is kept of a session is good while
     * hash and stamp are the same. */
    uint32_t stamp;
    int email_evidence;
    int64_t created, seen, ends;
    int64_t auth_time; /* when the upstream says it asked for a proof; 0: it does not say */
};

struct sessions *sessions_new(const struct sessions_options *o);
void sessions_free(struct sessions **t);
/* A fresh token (into token[44]) and its hash. */
void session_token_make(char *token, unsigned char hash[32]);
void session_token_hash(struct str token, unsigned char hash[32]);

int sessions_add(struct sessions *t, const struct session_row *row, struct err *err)
    __attribute__((warn_unused_result));
/* The hot path: 1 and *out, 0 not signed in. Marks the session seen. */
int sessions_check(struct sessions *t, struct str token, int64_t now, struct session_view *out);
/* 1 ended, 0 was not there. Takes effect at once, and for good: a row of the store that is read
 * before its own end is written does not bring it back. */
int sessions_end(struct sessions *t, const unsigned char hash[32]);
/* The same of a session that is known to be that account's, under that public id: whoever is told
 * of ends is told of this one, also when it was in the store alone. */
struct session_was {
    const unsigned char *hash;
    const char *account, *id; /* NULL: nobody knows but memory */
};
int sessions_end_of(struct sessions *t, const struct session_was *old);
/* The same; if it is `account`'s, the person goes on in the session `next`. */
int sessions_replace(struct sessions *t, const struct session_was *old, const char *account,
                     const char *next);
/* Who is told of every end, once, before it returns: of one session by its public id, or with id
 * NULL of all of an account. next: the session the person goes on in; NULL: none. What expires is
 * not told. */
typedef void sessions_ended_fn(void *arg, const char *account, const char *id, const char *next);
void sessions_on_end(struct sessions *t, sessions_ended_fn *fn, void *arg);
/* Whether an account has all the sessions it may have; then hash is the one not seen for the
 * longest, which the caller may end. */
bool sessions_crowded(const struct sessions *t, const char *account, unsigned char hash[32]);
size_t sessions_end_account(struct sessions *t, const char *account);
/* All of an account but this one. */
size_t sessions_end_others(struct sessions *t, const char *account, const unsigned char but[32]);
/* All of an account that came through one identity, but the one with the hash `but` (or NULL). */
struct session_identity {
    const char *account, *provider, *subject;
};
size_t sessions_end_identity(struct sessions *t, const struct session_identity *who,
                             const unsigned char *but);
/* What an account may do from now on: a JSON array of its roles, NULL for none. How many sessions
 * know now, or -1: then they are as they were. */
int sessions_set_roles(struct sessions *t, const char *account, const char *roles, struct err *err)
    __attribute__((warn_unused_result));
/* There is no such role any more: nobody has it, nor whose row is on its way. */
void sessions_forget_role(struct sessions *t, const char *role);
/* What roles allow (rights_define, rights_fits). */
struct rights *sessions_rights(const struct sessions *t);
/* Its groups from now on: a JSON array, or NULL for none. How many sessions have others now, or -1:
 * not all that should. */
int sessions_set_groups(struct sessions *t, const struct session_identity *who, const char *groups,
                        struct err *err) __attribute__((warn_unused_result));
/* Drop expired ones, at most `budget` slots a call; returns how many went. */
size_t sessions_sweep(struct sessions *t, int64_t now, size_t budget);
/* Sessions seen since the last call: for the minutely write-behind of `seen`. */
size_t sessions_take_seen(struct sessions *t,
                          void (*each)(void *arg, const unsigned char hash[32], int64_t seen),
                          void *arg, size_t max);

/* ---- rows that come from the store later */

/* Whether every live session is here, so that one that is not is nobody's. */
bool sessions_complete(const struct sessions *t);
/* All rows are about to be read, from the first; they have been. In between, and when some did not
 * fit, the table is not complete. */
void sessions_loading(struct sessions *t);
void sessions_loaded(struct sessions *t);
bool sessions_has(const struct sessions *t, const unsigned char hash[32]);
/* How far things are: to be asked before a row is read. */
uint64_t sessions_changes(const struct sessions *t);
/* Whoever changes what all sessions of an account show says so: rows read before are out of date.
 * What ends them does so by itself. */
void sessions_changed(struct sessions *t, const char *account);
struct session_read {
    uint64_t since; /* sessions_changes before it was read */
    int64_t now;
    bool crowd_out; /* when the table is full, another one makes way */
};
/* What became of a row that was read; -1: it makes no sense, or could not be kept. */
enum session_restored {
    SESSION_OVER = 0,    /* by its row, or since it was read */
    SESSION_HERE = 1,    /* it may have been already */
    SESSION_CHANGED = 2, /* something of its account changed meanwhile: read it again */
    SESSION_NO_ROOM = 3, /* it stays outside */
};
int sessions_restore(struct sessions *t, const struct session_row *row,
                     const struct session_read *read, struct err *err)
    __attribute__((warn_unused_result));

size_t sessions_count(const struct sessions *t);
size_t sessions_bytes(const struct sessions *t); /* memory in use, for metrics and the bench */

#endif
