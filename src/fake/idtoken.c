/* SPDX-License-Identifier: Apache-2.0 */
#include "fake/idtoken.h"

#include <stdio.h>
#include <stdlib.h>

#include "fake/badtoken.h"
#include "sys/clock.h"

void idtoken_person(const struct exchange *x, const struct grant *g, struct jval *claims)
{
    const struct person *p = g->person;

    jval_set_text(claims, "sub", p->sub);
    if (has_word(g->scope, "email") && p->email) {
        jval_set_text(claims, "email", p->email);
        jval_set_bool(claims, "email_verified", p->email_verified);
    }
    if (p->hd)
        jval_set_text(claims, "hd", p->hd);
    if (has_word(g->scope, "profile")) {
        jval_set_text(claims, "name", p->name);
        jval_set_text(claims, "given_name", p->given_name);
        if (*p->family_name)
            jval_set_text(claims, "family_name", p->family_name);
        jval_set_text(claims, "picture",
                      arena_printf(x->rq->arena, "%s/%s/a/%s", x->f->base, x->realm->id, p->id));
        jval_set_text(claims, "locale", p->locale);
        if (x->realm == &realm_oidc)
            jval_set_text(claims, "preferred_username", p->username);
    }
    if (x->realm == &realm_oidc && p->groups)
        jval_set(claims, "groups", idtoken_groups(p->groups));
}

struct jval *idtoken_groups(const char *groups)
{
    struct jval *list = jval_new_array();
    struct str rest = str_of(groups), piece;
    char text[64];

    if (strcmp(groups, "#5000") == 0) {
        for (int i = 0; i < 5000; i++) {
            snprintf(text, sizeof text, "group-%d", i);
            jval_push(list, jval_new_text(text));
        }
        return list;
    }
    while (str_split(&rest, ' ', &piece)) {
        snprintf(text, sizeof text, "%.*s", (int)piece.n, piece.p);
        jval_push(list, jval_new_text(text));
    }
    return list;
}

static struct jval *claims_of(const struct exchange *x, const struct grant *g,
                              const char *access_token, uint32_t alg)
{
    const int64_t now = wall_seconds(clock_wall());
    struct jval *c = jval_new_object();
    char at_hash[64];

    jval_set_text(c, "iss", exchange_issuer(x));
    jval_set_text(c, "azp", g->client);
    jval_set_text(c, "aud", g->client);
    jval_set_int(c, "iat", now);
    jval_set_int(c, "exp", now + 3600);
    jval_set_int(c, "auth_time", g->auth_time);
    if (*g->nonce)
        jval_set_text(c, "nonce", g->nonce);
    if (jws_half_hash(alg, str_of(access_token), at_hash, sizeof at_hash) == 0)
        jval_set_text(c, "at_hash", at_hash);
    idtoken_person(x, g, c);
    return c;
}

/* The algorithm asked for by fault=alg&value=ES256, or RS256. */
static uint32_t alg_of(const struct exchange *x)
{
    const struct fault *f = fault_hit(x->hits, "alg");
    const uint32_t alg = f ? jws_alg_by_name(f->value) : 0;

    return alg ? alg : JWS_RS256;
}

void idtoken_add(struct exchange *x, const struct grant *g, const char *access_token,
                 struct jval *response)
{
    const struct fault *f = fault_hit(x->hits, "jwt");
    struct draft d = {.x = x, .alg = alg_of(x)};
    char *token;

    if (f)
        badtoken_prepare(&d, f->variant);
    d.header = jval_new_object();
    d.claims = claims_of(x, g, access_token, d.alg);
    d.key = keys_get(x->f->keys, d.role, d.alg, d.kid);
    jval_set_text(d.header, "alg", jws_alg_name(d.alg));
    jval_set_text(d.header, "kid", d.kid);
    jval_set_text(d.header, "typ", "JWT");
    if (f)
        badtoken_bend(&d, f->variant);
    token = badtoken_write(&d);
    jval_set_text(response, "id_token", token);
    free(token);
    jval_free(&d.header);
    jval_free(&d.claims);
}
