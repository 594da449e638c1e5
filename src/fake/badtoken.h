/* SPDX-License-Identifier: Apache-2.0 */
/*
 * badtoken: writes compact JWS without asking whether they make sense, and knows every wrong one
 * by the id of its test case, with a letter where a case has several: JWT-03, JWT-03b, … An unknown
 * id writes the right token, so tests should look at what came back.
 */
#ifndef FAKE_BADTOKEN_H
#define FAKE_BADTOKEN_H

#include "fake/fake.h"

enum signature_bend {
    SIGNATURE_FINE = 0,
    SIGNATURE_EMPTY,
    SIGNATURE_DER,
    SIGNATURE_SHORT,
    SIGNATURE_LONG,
    SIGNATURE_96,
    SIGNATURE_ZERO,
    SIGNATURE_R_IS_N,
    SIGNATURE_S_IS_N,
    SIGNATURE_R_OVER_N,
    SIGNATURE_HIGH_S,
    SIGNATURE_ZERO_LED,
    SIGNATURE_FLIPPED,
};

struct draft {
    struct exchange *x;
    uint32_t alg;
    enum key_role role;
    const struct jws_key *key; /* borrowed */
    char kid[32];
    struct jval *header, *claims;
    /* JSON that no library would write, put where the text "@raw@" stands. */
    const char *raw;
    const char *payload;        /* in place of the claims; NULL: the claims */
    const char *before, *after; /* around the payload's bytes */
    enum signature_bend signature;
    bool flip_header, flip_payload; /* after signing */
    const char *parts;              /* printf with header, payload, signature; NULL: "%s.%s.%s" */
};

/* What must be known before the key is chosen: algorithm and whose key. */
void badtoken_prepare(struct draft *d, const char *variant);
void badtoken_bend(struct draft *d, const char *variant);
/* The token; the caller frees it. */
char *badtoken_write(const struct draft *d);
/* Whether there is such a variant. */
bool badtoken_known(const char *variant);

#endif
