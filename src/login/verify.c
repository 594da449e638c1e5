/* SPDX-License-Identifier: Apache-2.0 */
#include "login/verify.h"

#include <string.h>

#include "sys/seal.h"

#define TIME_MAX INT64_C(253402300799) /* 9999-12-31T23:59:59Z */
#define TENANT "{tenantid}"
#define GUID_LEN 36
#define HASH_ROOM 64 /* base64url of half a SHA-512 needs 44 */

#define bad(err, ...) err_set((err), ERR_UPSTREAM_BAD, "ID token: " __VA_ARGS__)

static bool text_is(const struct jval *v, const char *text)
{
    const char *have = jval_text(v);

    return have && strcmp(have, text) == 0;
}

/* 1 and whole seconds, 0: absent, -1: refused. NaN fails the first comparison, and what passes
 * both fits into the integer. */
static int claim_time(const struct jws *token, const char *name, int64_t *out, struct err *err)
{
    const struct jval *claim = jval_get(token->payload, name);
    double number = 0;

    if (!claim)
        return 0;
    if (!jval_number(claim, &number) || !(number >= 0) || !(number <= (double)TIME_MAX))
        return bad(err, "%s is not a time", name);
    *out = (int64_t)number;
    return 1;
}

static bool guid(const char *text)
{
    if (!text || strlen(text) != GUID_LEN)
        return false;
    for (size_t i = 0; i < GUID_LEN; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;

        if (dash ? text[i] != '-' : text_hex_digit(text[i]) < 0)
            return false;
    }
    return true;
}

/* `pattern` with the tenant put in, compared without building it. */
static bool issuer_fits(const char *pattern, const char *iss, const char *tid)
{
    const char *hole = strstr(pattern, TENANT);

    if (!hole)
        return strcmp(pattern, iss) == 0;

    size_t before = (size_t)(hole - pattern);
    return guid(tid) && strncmp(pattern, iss, before) == 0 &&
           strncmp(iss + before, tid, GUID_LEN) == 0 &&
           strcmp(iss + before + GUID_LEN, hole + strlen(TENANT)) == 0;
}

static int issuer_judge(const struct jws *token, const struct verify_rules *r, struct err *err)
{
    const char *iss = jval_text(jval_get(token->payload, "iss"));
    const char *tid = jval_text(jval_get(token->payload, "tid"));

    if (!iss)
        return bad(err, "issuer is missing or no string");
    for (const char *const *i = r->issuers; i && *i; i++)
        if (issuer_fits(*i, iss, tid))
            return 0;
    return bad(err, "issuer is not the expected one");
}

static int audience_judge(const struct jws *token, const struct verify_rules *r, struct err *err)
{
    const struct jval *aud = jval_get(token->payload, "aud"),
                      *azp = jval_get(token->payload, "azp");
    size_t n = 1;
    bool ours = text_is(aud, r->audience);

    if (jval_type(aud) == JVAL_ARRAY) {
        n = jval_count(aud);
        if (n > VERIFY_AUD_MAX)
            return bad(err, "more than %d audiences", VERIFY_AUD_MAX);
        for (size_t i = 0; i < n; i++) {
            if (!jval_text(jval_item(aud, i)))
                return bad(err, "an audience is no string");
            ours = ours || text_is(jval_item(aud, i), r->audience);
        }
    }
    if (!ours)
        return bad(err, "audience is missing or another client");
    if (n > 1 && !azp)
        return bad(err, "several audiences and no authorized party");
    if (azp && !text_is(azp, r->audience))
        return bad(err, "authorized party is another client");
    return 0;
}

static int times_judge(const struct jws *token, const struct verify_rules *r, int64_t skew,
                       struct err *err)
{
    int64_t exp = 0, iat = 0, nbf = 0;
    int has_exp = claim_time(token, "exp", &exp, err);
    int has_iat = claim_time(token, "iat", &iat, err);
    int has_nbf = claim_time(token, "nbf", &nbf, err);

    if (has_exp < 0 || has_iat < 0 || has_nbf < 0)
        return -1;
    if (!has_exp)
        return bad(err, "expiry is missing");
    if (exp <= r->now - skew)
        return bad(err, "expired");
    if (!has_iat)
        return bad(err, "time of issue is missing");
    if (iat > r->now + skew)
        return bad(err, "issued in the future");
    if (iat < r->now - skew - VERIFY_AGE)
        return bad(err, "issued too long ago");
    if (has_nbf && nbf > r->now + skew)
        return bad(err, "not valid yet");
    return 0;
}

static int nonce_judge(const struct jws *token, const struct verify_rules *r, struct err *err)
{
    const struct jval *claim = jval_get(token->payload, "nonce");
    const char *nonce = jval_text(claim);

    if (r->nonce_rule == USHER_NONCE_SKIPPED)
        return 0;
    if (!claim && (!r->nonce || r->nonce_rule == USHER_NONCE_IF_PRESENT))
        return 0;
    if (!claim)
        return bad(err, "nonce is missing");
    if (!r->nonce || !nonce || strlen(nonce) != strlen(r->nonce) ||
        !seal_equal(nonce, r->nonce, strlen(nonce)))
        return bad(err, "nonce is not this flow's");
    return 0;
}

static int subject_judge(const struct jws *token, struct err *err)
{
    const char *sub = jval_text(jval_get(token->payload, "sub"));
    struct str rest = str_of(sub);
    uint32_t code = 0;

    if (!sub || rest.n == 0 || rest.n > USHER_SUBJECT_MAX)
        return bad(err, "subject is not a string of 1 to %d bytes", USHER_SUBJECT_MAX);
    while (rest.n > 0) {
        size_t n = text_utf8_next(rest, &code);

        if (code < 0x20 || (code >= 0x7f && code <= 0x9f) || code == TEXT_MALFORMED)
            return bad(err, "subject holds control bytes");
        rest = (struct str){rest.p + n, rest.n - n};
    }
    return 0;
}

static int auth_judge(const struct jws *token, const struct verify_rules *r, int64_t skew,
                      struct err *err)
{
    int64_t auth_time = 0;
    int has = claim_time(token, "auth_time", &auth_time, err);

    if (has < 0)
        return -1;
    if (r->max_age >= 0 && !has)
        return bad(err, "time of authentication is missing");
    if (r->max_age >= 0 && auth_time > r->now + skew)
        return bad(err, "authenticated in the future");
    /* max_age may be as large as an integer gets: no sums with it */
    if (r->max_age >= 0 && r->now - skew - auth_time > r->max_age)
        return bad(err, "authenticated too long ago");
    if (r->acr && !text_is(jval_get(token->payload, "acr"), r->acr))
        return bad(err, "authentication class is not the required one");
    return 0;
}

/* Section 3.1.3.6. A hash we cannot compute does not match. */
static int hash_judge(const struct jws *token, const struct verify_rules *r, struct err *err)
{
    const struct jval *claim = jval_get(token->payload, "at_hash");
    char expect[HASH_ROOM];

    if (!claim || r->access_token.n == 0)
        return 0;
    if (jws_half_hash(token->alg, r->access_token, expect, sizeof expect) < 0 ||
        !text_is(claim, expect))
        return bad(err, "access token hash does not match");
    return 0;
}

/* One kind of token must not pass for another (RFC 8725 section 3.12). */
static int kind_judge(const struct jws *token, struct err *err)
{
    const struct jval *typ = jval_get(token->header, "typ");

    if (jval_type(token->payload) != JVAL_OBJECT)
        return bad(err, "no claims");
    if (typ && (!jval_text(typ) || !str_is_nocase(str_of(jval_text(typ)), "JWT")))
        return bad(err, "is of another type");
    if (jval_get(token->payload, "events"))
        return bad(err, "is an event, not a sign-in");
    return 0;
}

int verify_claims(const struct jws *token, const struct verify_rules *r, struct err *err)
{
    int64_t skew = r->skew == 0 ? VERIFY_SKEW : r->skew < 0 ? 0 : r->skew;

    if (kind_judge(token, err) < 0 || issuer_judge(token, r, err) < 0 ||
        audience_judge(token, r, err) < 0 || times_judge(token, r, skew, err) < 0 ||
        nonce_judge(token, r, err) < 0 || subject_judge(token, err) < 0 ||
        auth_judge(token, r, skew, err) < 0)
        return -1;
    return hash_judge(token, r, err);
}
