/* SPDX-License-Identifier: Apache-2.0 */
#include "issuer/hint.h"

#include "issuer/parts.h"

#define ALGS (JWS_RS256 | JWS_ES256 | JWS_EDDSA)

static const char *member(const struct jws *j, const char *name, struct arena *a)
{
    const char *text = jval_text(jval_get(j->payload, name));
    return text ? arena_dup(a, text) : NULL;
}

static bool fill(const struct issuer *i, const struct jws *j, struct arena *a, struct hint *out)
{
    int64_t ends; /* userinfo, signed, never ends, and is no ID token */
    const char *issuer = jval_text(jval_get(j->payload, "iss"));
    *out = (struct hint){
        .account = member(j, "sub", a), .app = member(j, "aud", a), .session = member(j, "sid", a)};
    return issuer && strcmp(issuer, i->o.public_url) == 0 && out->account && out->app &&
           jval_int(jval_get(j->payload, "exp"), &ends);
}

bool hint_read(const struct issuer *i, const char *token, struct arena *a, struct hint *out)
{
    struct err err = ERR_INIT;
    struct jws j;
    if (jws_decode_typ(str_of(token), jwt_typ[JWT_ID], &j, &err) < 0)
        return false;
    const bool ours = jws_check(&j, str_of(token), issuer_keys_public(i->keys), ALGS, &err) == 1 &&
                      fill(i, &j, a, out);
    jws_deinit(&j);
    return ours;
}
