/* SPDX-License-Identifier: Apache-2.0 */
/*
 * audit_chain: what makes the audit tamper-evident. A row's hash is the SHA-256 of a fixed word,
 * the hash of the row before it and every column of the row, each with its length, so that no two
 * rows read alike. The chain begins with 32 zero bytes, or, once old rows were let go, with the
 * anchor: number and hash of the last one that went.
 *
 * There is no secret in it. Whoever may write to the database and knows the program can make a new
 * chain, so the newest number and hash have to be known elsewhere too: they are logged once a day
 * (audit.head), and a walk can be told what the hash of a row has to be.
 *
 * Functions run inside a transaction, on its thread.
 */
#ifndef STORE_AUDIT_CHAIN_H
#define STORE_AUDIT_CHAIN_H

#include "store/audit.h"

struct audit_head {
    int64_t n; /* 0: there was never a row */
    unsigned char hash[32];
};
/* The newest row, or the anchor. */
int audit_head_get(struct db *db, struct audit_head *out, struct err *err)
    __attribute__((warn_unused_result));

void audit_hash(const unsigned char before[32], const struct audit_row *row, unsigned char out[32]);

/* A walk over all of it, in steps so that none takes long. Start with everything zero but `known`.
 * Rows may be added and let go meanwhile. */
struct audit_walk {
    struct audit_head known; /* what somebody wrote down: n 0 for nothing */
    struct audit_head last;  /* how far it is good */
    bool begun;
    int64_t first;    /* the first row there is; 0: none */
    int64_t rows;     /* looked at */
    int64_t older;    /* rows from before there was a chain, which prove nothing */
    int64_t bad;      /* the number at which it breaks; 0: it does not */
    const char *what; /* is wrong there, a static text */
    bool known_met;   /* the row of `known` was there, with that hash */
};
/* Up to `max` rows more. 1: go on; 0: it is over, at the end or at the first break; -1: err. */
int audit_walk_step(struct db *db, struct audit_walk *w, int64_t max, struct err *err)
    __attribute__((warn_unused_result));

/* Lets up to `max` rows go, from the oldest on while they are from before `before`, and moves the
 * anchor; the newest always stays. How many went, or -1. */
int64_t audit_trim(struct db *db, int64_t before, int64_t now, int64_t max, struct err *err)
    __attribute__((warn_unused_result));

#endif
