/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sign: a JWT out of a payload. An RSA signature takes a fifth of a millisecond, in which a loop
 * answers thirty session checks: those are made on threads of their own, and the answer comes
 * later. ES256 and EdDSA take less than handing them over and back; they are made at once.
 */
#ifndef ISSUER_SIGN_H
#define ISSUER_SIGN_H

#include "base/arena.h"
#include "issuer/keys.h"

struct issuer;

struct sign_args {
    uint32_t alg;
    enum jwt_kind kind;
    struct str payload;  /* a JSON object; stays until done */
    struct arena *arena; /* for the token, and for what it takes until then */
};

/* Once, maybe from within. token.p == NULL: err says why; ERR_LIMITED: too many at once. */
typedef void sign_done_fn(void *arg, struct str token, const struct err *err);
void sign_jwt(struct issuer *i, const struct sign_args *a, sign_done_fn *done, void *arg);

#endif
