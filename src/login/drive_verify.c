/* SPDX-License-Identifier: Apache-2.0 */
/*
 * VERIFY: the ID token's signature under the issuer's keys, then its claims (login/verify). The key
 * set comes from the cache; a key id nobody knows asks once for a fresh copy (OpenID Connect Core
 * section 10.1.1), which the cache throttles and shares.
 */
#include "login/drive_parts.h"
#include "login/verify.h"

#define KEYS_TTL 3600

static uint32_t allowed_algs(const char *const *names, struct err *err)
{
    uint32_t allowed = 0;
    if (!names)
        return JWS_RS256;
    for (; *names; names++) {
        uint32_t alg = jws_alg_by_name(*names);
        if (!alg) {
            err_set(err, ERR_MISCONFIGURED,
                    "a signature algorithm in the list is not one usher accepts");
            return 0;
        }
        allowed |= alg;
    }
    if (!allowed)
        err_set(err, ERR_MISCONFIGURED, "no signature algorithm is allowed");
    return allowed;
}

static bool usable_keys(const struct fetch_result *r)
{
    struct err ignored = ERR_INIT;
    struct jwks *set = drive_json_type(r) ? jwks_parse(r->body, &ignored) : NULL;
    bool good = set != NULL;
    jwks_free(&set);
    return good;
}

static void on_keys(void *arg, const struct fetch_result *r);

static void ask_keys(struct drive *d, bool force)
{
    static const struct fetch_part accept = {.name = "accept", .before = "application/json"};
    const struct cache_request rq = {.url = d->verify->jwks_uri,
                                     .headers = &accept,
                                     .n_headers = 1,
                                     .ttl_seconds = KEYS_TTL,
                                     .force = force,
                                     .usable = usable_keys};
    drive_cached_start(d, 0, "keys", &rq, on_keys);
}

/* 1: signed by one of the keys; 0: a fresh copy is on its way; -1: refused. */
static int check_signature(struct drive *d, const struct fetch_result *r, struct err *err)
{
    uint32_t allowed = allowed_algs(d->verify->algs, err);
    if (!allowed || drive_transport(r, "key set", err) != 0)
        return -1;
    if (r->status == 429 || r->status >= 500)
        return err_set(err, ERR_UPSTREAM_DOWN, "key set: the upstream answered with status %d",
                       r->status);
    if (r->status != 200 || !drive_json_type(r))
        return err_set(err, ERR_UPSTREAM_BAD,
                       "key set: the upstream answered with status %d and no key set", r->status);
    struct jwks *set = d->args.io->keys(d->args.io->ctx, d->verify->jwks_uri, r->body, err);
    if (!set) {
        /* Whatever the parser called it, the upstream sent it. */
        err->kind = ERR_UPSTREAM_BAD;
        err_context(err, "key set");
        return -1;
    }
    int good = jws_check(&d->token, secret_reveal(d->id_token), set, allowed, err);
    jwks_free(&set);
    if (good != 0)
        return good;
    if (d->refreshed)
        return err_set(err, ERR_UPSTREAM_BAD,
                       "ID token: signed by a key that the issuer does not publish");
    d->refreshed = true;
    ask_keys(d, true);
    return 0;
}

static int check_claims(struct drive *d, struct err *err)
{
    const struct usher_verify *v = d->verify;
    char nonce[44];
    struct verify_rules rules = {
        .issuers = v->issuers,
        .audience = v->audience ? v->audience : d->args.provider->common.client_id,
        .nonce_rule = v->nonce,
        .max_age = d->flow.max_age,
        .access_token = secret_reveal(d->access_token),
        .now = wall_seconds(clock_wall()),
    };
    if (d->flow.nonce_sent) {
        if (state_nonce(d->args.keys, d->state, d->flow.id, nonce) != 0)
            return err_set(err, ERR_EXPIRED, "the key that sealed this flow is gone");
        rules.nonce = nonce;
    }
    return verify_claims(&d->token, &rules, err);
}

static void on_keys(void *arg, const struct fetch_result *r)
{
    struct drive *d = drive_answered(arg, r);
    struct err err = ERR_INIT;
    int good = check_signature(d, r, &err);
    if (good == 0)
        return;
    if (good < 0 || check_claims(d, &err) != 0) {
        drive_fail(d, &err);
        return;
    }
    d->verified = true;
    const struct usher_claims claims = {.size = sizeof claims,
                                        .claims = (const struct usher_json *)d->token.payload};
    const struct usher_event ev = {.size = sizeof ev, .kind = USHER_CLAIMS, .claims = &claims};
    drive_step(d, &ev);
}

int drive_verify(struct drive *d, const struct usher_action *act, struct err *err)
{
    const struct usher_verify *v = act->verify;
    if (!d->id_token || d->verified)
        return err_set(err, ERR_INTERNAL, "the plugin verifies no ID token, or one twice");
    if (v->nonce == USHER_NONCE_REQUIRED && !d->flow.nonce_sent)
        return err_set(err, ERR_MISCONFIGURED,
                       "the ID token's nonce is required, but none was sent");
    if (jws_decode(secret_reveal(d->id_token), &d->token, err) != 0)
        return -1;
    d->verify = v;
    d->refreshed = false;
    ask_keys(d, false);
    return 0;
}
