/* SPDX-License-Identifier: Apache-2.0 */
/*
 * private_key_jwt (RFC 7523, OIDC Core 9): an app proves who it is by a JWT it signed for us a
 * moment ago. Each counts once, which is written down before anything is granted.
 */
#include "app/client.h"
#include "issuer/app_keys.h"
#include "issuer/parts.h"
#include "store/client_assertion.h"
#include "sys/seal.h"

#define ALGS ((uint32_t)JWS_RS256 | JWS_PS256 | JWS_ES256 | JWS_EDDSA)
#define LIFE_MAX 3660 /* some libraries sign for an hour */
#define SLACK 60
#define JTI_MAX 256

struct asserting {
    struct call *call;
    struct str token;
    struct jws jws;
    bool forced; /* the keys were fetched for this */
    call_next_fn *next;
    unsigned char hash[32];
    int64_t expires;
    int fresh;
};

static void refuse(struct asserting *s)
{
    struct call *c = s->call;
    jws_deinit(&s->jws);
    call_refuse(c, "invalid_client", "the assertion is not good here");
}

/* Ours are the issuer, and what assertions were addressed to before RFC 7523 was amended. */
static bool is_us(const struct call *c, const char *aud)
{
    const char *us = c->issuer->o.public_url;
    const size_t n = strlen(us);
    return aud && strncmp(aud, us, n) == 0 &&
           (strcmp(aud + n, "") == 0 || strcmp(aud + n, "/oauth2/token") == 0 ||
            (strcmp(c->what, "token") != 0 && strncmp(aud + n, "/oauth2/", 8) == 0 &&
             strcmp(aud + n + 8, c->what) == 0));
}

static bool for_us(const struct call *c, const struct jval *aud)
{
    if (jval_type(aud) == JVAL_TEXT)
        return is_us(c, jval_text(aud));
    for (size_t i = 0; i < jval_count(aud); i++)
        if (is_us(c, jval_text(jval_item(aud, i))))
            return true;
    return false;
}

static bool claims_good(struct asserting *s, const char *id)
{
    const struct call *c = s->call;
    const struct jval *p = s->jws.payload;
    const char *iss = jval_text(jval_get(p, "iss")), *sub = jval_text(jval_get(p, "sub"));
    const char *jti = jval_text(jval_get(p, "jti"));
    int64_t nbf = 0, iat = 0;
    if (!iss || !sub || strcmp(iss, sub) != 0 || (id && strcmp(id, sub) != 0) ||
        !for_us(c, jval_get(p, "aud")) || !jti || !jti[0] || strlen(jti) > JTI_MAX)
        return false;
    if (!jval_int(jval_get(p, "exp"), &s->expires) || s->expires <= c->now ||
        s->expires > c->now + LIFE_MAX)
        return false;
    if ((jval_get(p, "nbf") && !jval_int(jval_get(p, "nbf"), &nbf)) ||
        (jval_get(p, "iat") && !jval_int(jval_get(p, "iat"), &iat)) || nbf > c->now + SLACK ||
        iat > c->now + SLACK)
        return false;
    const char *both = arena_printf(c->a, "%s%c%s", sub, '\n', jti); /* no id holds a new line */
    seal_sha256(str_of(both), s->hash);
    return true;
}

/* ---- used once ---- */

static int write_down(struct db *db, void *arg, struct err *err)
{
    struct asserting *s = arg;
    s->fresh = client_assertion_add(db, s->hash, s->expires, err);
    return s->fresh < 0 ? -1 : 0;
}

static void written_down(void *arg, enum store_outcome outcome, const struct err *err)
{
    struct asserting *s = arg;
    struct call *c = s->call;
    if (outcome == STORE_DONE && s->fresh == 0) {
        refuse(s);
        return;
    }
    jws_deinit(&s->jws);
    if (outcome != STORE_DONE)
        call_store_failed(c, outcome, err);
    else
        s->next(c);
}

static void look_up(struct asserting *s, bool force);

/* A key that is missing may be a new one: where keys are fetched, once more. */
static void check(void *arg, struct jwks *keys)
{
    struct asserting *s = arg;
    struct err err = ERR_INIT;
    struct call *c = s->call;
    const int rc = keys ? jws_check(&s->jws, s->token, keys, ALGS, &err) : -1;
    if (rc == 0 && !s->forced && !c->app->common.jwks) {
        look_up(s, true);
        return;
    }
    if (keys == NULL && !c->app->common.jwks) {
        jws_deinit(&s->jws);
        (void)err_set(&err, ERR_UPSTREAM_DOWN, "the keys of %s cannot be had", c->app->id);
        call_fail(c, &err);
        return;
    }
    if (rc != 1) {
        refuse(s);
        return;
    }
    if (store_write(c->issuer->o.store, write_down, c->issuer->o.loop, written_down, s))
        return;
    jws_deinit(&s->jws);
    err_clear(&err);
    (void)err_set(&err, ERR_LIMITED, "the store's queue is full");
    call_fail(c, &err);
}

static void look_up(struct asserting *s, bool force)
{
    s->forced = force;
    app_keys_get(s->call->issuer->app_keys, s->call->app, force, check, s);
}

void client_assert(struct call *c, const char *id, const char *assertion, call_next_fn *next)
{
    struct asserting *s = arena_alloc(c->a, sizeof *s);
    struct err err = ERR_INIT;
    const struct app *app = NULL;
    *s = (struct asserting){.call = c, .next = next, .token = str_of(assertion)};
    if (jws_decode(s->token, &s->jws, &err) == 0 && claims_good(s, id))
        app = client_find(c, jval_text(jval_get(s->jws.payload, "sub")));
    if (!app || client_is_public(&app->common) || app->common.auth_method != CLIENT_AUTH_JWT) {
        refuse(s);
        return;
    }
    c->app = app;
    look_up(s, false);
}
