/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hint: an ID token that comes back to us, as id_token_hint (OpenID Connect Core 3.1.2.1,
 * RP-Initiated Logout 2). It proves nothing but that we issued it once: it may have expired, and
 * the key that signed it may have retired.
 */
#ifndef ISSUER_HINT_H
#define ISSUER_HINT_H

#include "base/arena.h"
#include "issuer/issuer.h"

struct hint {
    const char *account, *app; /* sub; the one aud, or azp */
    const char *session;       /* sid; NULL: none */
};
/* false: not ours, altered, or no ID token. */
bool hint_read(const struct issuer *i, const char *token, struct arena *a, struct hint *out);

#endif
