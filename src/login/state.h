/* SPDX-License-Identifier: Apache-2.0 */
/*
 * state: a login flow sealed into the `state` parameter, so that nothing is kept for logins that
 * never finish. base64url(key id || nonce || AEAD(flow)); the browser-binding cookie's hash is the
 * associated data. PKCE verifier and nonce are derived from the flow id and the sealing key, and
 * never travel. At most 1800 characters: return_to gives way first (to its path, then to "/").
 */
#ifndef LOGIN_STATE_H
#define LOGIN_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "sys/seal.h"

#define STATE_MAX 1800
#define STATE_LIFETIME 600 /* seconds */
/* A sign-in that is only rehearsed; to the plugin it is one like any other. `pending` is the
 * rehearsal's id. */
#define FLOW_REHEARSE 0x80u

struct flow {
    unsigned char id[16];
    const char *provider;
    uint32_t purpose;      /* enum usher_flow, or FLOW_REHEARSE */
    int64_t started;       /* wall seconds */
    const char *return_to; /* judged */
    const char *account;   /* LINK: who asked; NULL */
    const char *pending;   /* LINK: the session that asked; LOGIN: a join to prove; NULL */
    const char *carry;     /* the plugin's; "" */
    const char *issuer;    /* expected `iss`; NULL */
    int64_t max_age;       /* seconds that were asked for, -1: none */
    bool iss_required, nonce_sent, pkce_sent;
};

void flow_new_id(unsigned char id[16]);
/* Into out; may shorten f->return_to (the state holds the short one). */
int state_seal(const struct keyring *k, struct str bind, const struct flow *f, struct buf *out,
               struct err *err) __attribute__((warn_unused_result));
/* The flow, in `a`. NULL with ERR_INVALID: not ours, altered or another browser's; with
 * ERR_EXPIRED: too old or from the future. */
struct flow *state_unseal(const struct keyring *k, struct str bind, struct str state, int64_t now,
                          struct arena *a, struct err *err) __attribute__((warn_unused_result));
/* 43 characters each plus NUL. The key is found by the state's key id. */
int state_verifier(const struct keyring *k, struct str state, const unsigned char id[16],
                   char out[44]) __attribute__((warn_unused_result));
int state_nonce(const struct keyring *k, struct str state, const unsigned char id[16], char out[44])
    __attribute__((warn_unused_result));
void state_challenge(const char *verifier, char out[44]); /* S256 */

#endif
