/* SPDX-License-Identifier: Apache-2.0 */
/*
 * verify: which claims make an ID token good (OpenID Connect Core 1.0 section 3.1.3.7). Pure: no
 * clock, no keys, no network. The signature is judged before, by jws_check; what the claims mean is
 * the plugin's business afterwards.
 *
 * Always: issuer and audience exact, azp ours if there is one and there if the audiences are
 * several; exp and iat present; sub of 1 to 255 bytes without control bytes; no `events` (that is a
 * logout or security event token); header typ absent or "JWT". Times are JSON numbers from 0 to the
 * year 9999, fractions allowed; anything else is refused even where the claim is optional. A token
 * may be up to a day old, because some upstreams answer with the token of an earlier sign-in.
 */
#ifndef LOGIN_VERIFY_H
#define LOGIN_VERIFY_H

#include <stdint.h>

#include "base/err.h"
#include "base/text.h"
#include "sys/jose.h"
#include "usher/provider.h"

#define VERIFY_SKEW 60   /* seconds their clock may differ from ours */
#define VERIFY_AGE 86400 /* seconds since iat, beside the skew */
#define VERIFY_AUD_MAX 32

struct verify_rules {
    const char *const *issuers; /* NULL-ended, exact; "{tenantid}" is the token's tid, a GUID */
    const char *audience;       /* our client id */
    const char *nonce;          /* what this flow sent; NULL: none */
    uint32_t nonce_rule;     /* enum usher_nonce_rule; a nonce where none was sent is refused too */
    int64_t max_age;         /* what this flow asked for; -1: nothing */
    struct str access_token; /* for at_hash, if the token has one; n == 0: not checked */
    const char *acr;         /* what this flow requires; NULL: nothing */
    int64_t now;             /* wall seconds */
    int64_t skew;            /* 0: VERIFY_SKEW; -1: none */
};

/* ERR_UPSTREAM_BAD with a text that names the rule and quotes nothing of the token. */
int verify_claims(const struct jws *token, const struct verify_rules *r, struct err *err)
    __attribute__((warn_unused_result));

#endif
