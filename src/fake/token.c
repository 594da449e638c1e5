/* SPDX-License-Identifier: Apache-2.0 */
/* The token and revocation endpoints. RFC 6749 sections 4.1.3, 5 and 6; RFC 7009. */
#include "fake/fake.h"
#include "fake/idtoken.h"
#include "sys/seal.h"

#define CODE_USED "Invalid \"code\" in request."

/* RFC 4648 section 4, as Basic has it. false: malformed. */
static bool base64_decode(struct arena *a, const char *in, const char **out)
{
    static const char abc[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t n = strlen(in), at = 0;
    char *text = arena_alloc(a, n + 1);
    uint32_t bits = 0;

    while (n > 0 && in[n - 1] == '=')
        n--;
    for (size_t i = 0; i < n; i++) {
        const char *p = strchr(abc, in[i]);

        if (!p)
            return false;
        bits = bits << 6 | (uint32_t)(p - abc);
        if (i % 4 != 0)
            text[at++] = (char)(bits >> (6 - 2 * (i % 4)));
    }
    *out = text;
    return true;
}

/* HTTP Basic with both halves form-encoded, RFC 6749 section 2.3.1. */
static bool basic(const struct exchange *x, const char *header, const char **id,
                  const char **secret)
{
    struct arena *a = x->rq->arena;
    const char *pair, *colon;
    size_t n;

    if (!str_starts(str_of(header), "Basic ") || !base64_decode(a, header + 6, &pair))
        return false;
    colon = strchr(pair, ':');
    return colon && form_unescape(a, (struct str){pair, (size_t)(colon - pair)}, id, &n) == 0 &&
           form_unescape(a, str_of(colon + 1), secret, &n) == 0;
}

/* Who asks; NULL: answered with why not. */
static const char *client_of(struct exchange *x)
{
    const char *header = http_request_header(x->rq, "authorization");
    const char *id = http_form(x->rq, "client_id"), *secret = http_form(x->rq, "client_secret");

    if (!x->rq->has_form) {
        if (x->realm == &realm_discord) {
            struct jval *o = jval_new_object();
            jval_set_text(o, "message", "Invalid Form Body");
            jval_set_int(o, "code", 50035);
            exchange_json(x, 400, o);
        } else {
            exchange_error(x, 400, "invalid_request", "The body must be form-encoded.");
        }
        return NULL;
    }
    if (header && secret) {
        exchange_error(x, 400, "invalid_request", "Two ways of client authentication at once.");
        return NULL;
    }
    if (header && !basic(x, header, &id, &secret))
        id = NULL;
    if (id && secret && fake_client_good(x->f, id, secret))
        return id;
    if (header)
        http_reply_header(x->r, "WWW-Authenticate", "Basic realm=\"usher-fake\"");
    exchange_error(x, 401, "invalid_client", NULL);
    return NULL;
}

/* RFC 7636 section 4.6. NULL: fine. */
static const char *verifier_wrong(const struct exchange *x, const struct grant *g)
{
    static const char fine[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
    const char *verifier = http_form(x->rq, "code_verifier");
    unsigned char hash[32];
    char text[44];

    if (fault_hit(x->hits, "no-pkce-check"))
        return NULL;
    if (!*g->challenge)
        return verifier ? "A code_verifier, but there was no code_challenge." : NULL;
    if (!verifier)
        return "code_verifier is missing.";
    if (strlen(verifier) < 43 || strlen(verifier) > 128 ||
        strspn(verifier, fine) != strlen(verifier))
        return "code_verifier is malformed.";
    seal_sha256(str_of(verifier), hash);
    text_b64url(hash, sizeof hash, text);
    return strcmp(text, g->challenge) == 0 ? NULL : "code_verifier does not fit.";
}

/* 1 and the grant, or 0: answered. */
static int take_code(struct exchange *x, const char *client, struct grant *g)
{
    const char *code = http_form(x->rq, "code"), *redirect = http_form(x->rq, "redirect_uri");
    const char *wrong;

    if (!code || !redirect) {
        exchange_error(x, 400, "invalid_request", "code or redirect_uri is missing.");
        return 0;
    }
    if (grants_take(x->f->grants, GRANT_CODE, code, x->rq->arena, g) != 1 ||
        strcmp(g->realm, x->realm->id) != 0 || strcmp(g->client, client) != 0) {
        exchange_error(x, 400, "invalid_grant", CODE_USED);
        return 0;
    }
    if (strcmp(g->redirect_uri, redirect) != 0) {
        exchange_error(x, 400, "invalid_grant", "Invalid \"redirect_uri\" in request.");
        return 0;
    }
    wrong = verifier_wrong(x, g);
    if (wrong) {
        const char *verifier = http_form(x->rq, "code_verifier");
        const bool odd = x->realm == &realm_discord && verifier && strlen(verifier) < 43;
        exchange_error(x, 400, odd ? "invalid_request" : "invalid_grant", wrong);
        return 0;
    }
    return 1;
}

static int take_refresh(struct exchange *x, const char *client, struct grant *g)
{
    const char *token = http_form(x->rq, "refresh_token");
    const bool once = x->realm != &realm_google;
    int found = 0;

    if (token)
        found = once ? grants_take(x->f->grants, GRANT_REFRESH, token, x->rq->arena, g)
                     : grants_find(x->f->grants, GRANT_REFRESH, token, x->rq->arena, g);
    if (found == 1 && strcmp(g->realm, x->realm->id) == 0 && strcmp(g->client, client) == 0)
        return 1;
    exchange_error(x, 400, "invalid_grant", "Invalid \"refresh_token\" in request.");
    return 0;
}

static void give_tokens(struct exchange *x, struct grant *g, bool with_refresh)
{
    struct jval *o = jval_new_object();
    char access[44], refresh[44];

    g->kind = GRANT_ACCESS;
    grants_add(x->f->grants, g, access);
    jval_set_text(o, "token_type", "Bearer");
    jval_set_text(o, "access_token", access);
    jval_set_int(o, "expires_in", x->realm == &realm_discord ? 604800 : 3599);
    jval_set_text(o, "scope", g->scope);
    if (with_refresh) {
        g->kind = GRANT_REFRESH;
        grants_add(x->f->grants, g, refresh);
        jval_set_text(o, "refresh_token", refresh);
    }
    if (x->realm->oidc && has_word(g->scope, "openid"))
        idtoken_add(x, g, access, o);
    http_reply_header(x->r, "Cache-Control", "no-store");
    exchange_json(x, 200, o);
}

void token_serve(struct exchange *x)
{
    const char *client = client_of(x);
    const char *type = http_form(x->rq, "grant_type");
    struct grant g;

    if (!client)
        return;
    if (type && strcmp(type, "authorization_code") == 0) {
        if (take_code(x, client, &g) == 1)
            give_tokens(x, &g, g.offline);
    } else if (type && strcmp(type, "refresh_token") == 0) {
        if (take_refresh(x, client, &g) == 1)
            give_tokens(x, &g, x->realm != &realm_google);
    } else {
        exchange_error(x, 400, "unsupported_grant_type", NULL);
    }
}

void revoke_serve(struct exchange *x)
{
    const char *client = client_of(x);
    const char *token = http_form(x->rq, "token");
    struct grant g;

    if (!client)
        return;
    if (token && (grants_find(x->f->grants, GRANT_ACCESS, token, x->rq->arena, &g) == 1 ||
                  grants_find(x->f->grants, GRANT_REFRESH, token, x->rq->arena, &g) == 1))
        grants_revoke(x->f->grants, &g);
    exchange_json(x, 200, jval_new_object());
}
