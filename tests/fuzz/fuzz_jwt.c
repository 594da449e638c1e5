/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ID tokens, as an upstream or somebody in its place could send them. The first byte says how the
 * rest is taken:
 *   T  a whole token: decoded, checked against fixed keys, claims judged
 *   C  a byte of rules, a header and a payload, parted by a newline: signed here, so that the rules
 *      for claims are reached; what they let pass is held against a second, plainer opinion
 * No token that OpenSSL did not sign here or in the seeds may pass, and none in a second spelling.
 */
#include <openssl/evp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "login/verify.h"
#include "sys/jose.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define NOW INT64_C(1790000000)
#define ISS "https://issuer.example"
#define CLIENT "client-1"
#define ALL 0x3ffu
#define INPUT_MAX (96u * 1024)

/* The keys of RFC 7515 A.2 and A.3 and RFC 8037 A.1. */
static const char keys_json[] =
    "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"kid\":\"ec\","
    "\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","
    "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"},"
    "{\"kty\":\"RSA\",\"kid\":\"rsa\",\"e\":\"AQAB\","
    "\"n\":\"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEz"
    "P1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSX"
    "ndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJ"
    "H7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ\"},"
    "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"kid\":\"ed\","
    "\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}]}";
static const char ed_private[] = "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A";

/* Made on the first input, kept for the process. */
static struct jwks *keys;
static EVP_PKEY *ed;

static void must(int ok)
{
    if (!ok)
        abort();
}

static void setup(void)
{
    unsigned char raw[32];
    struct err err = ERR_INIT;
    size_t n = 0;

    if (keys)
        return;
    keys = jwks_parse(str_of(keys_json), &err);
    must(keys && jwks_count(keys) == 3);
    must(text_b64url_decode(str_of(ed_private), raw, sizeof raw, &n) && n == 32);
    ed = EVP_PKEY_new_raw_private_key_ex(NULL, "ED25519", NULL, raw, n);
    must(ed != NULL);
}

static void part(struct buf *out, const void *p, size_t n)
{
    char *text = malloc(text_b64url_len(n) + 1);

    must(text != NULL);
    text_b64url(p, n, text);
    buf_text(out, text);
    free(text);
}

static void sign(struct str header, struct str payload, struct buf *token)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    unsigned char sig[64];
    size_t n = sizeof sig;

    part(token, header.p, header.n);
    buf_byte(token, '.');
    part(token, payload.p, payload.n);
    must(EVP_DigestSignInit_ex(ctx, NULL, NULL, NULL, NULL, ed, NULL) == 1);
    must(EVP_DigestSign(ctx, sig, &n, (unsigned char *)token->p, token->n) == 1);
    EVP_MD_CTX_free(ctx);
    buf_byte(token, '.');
    part(token, sig, n);
    must(buf_ok(token));
}

static const char *const issuers[] = {ISS, NULL};
static const char *const tenants[] = {"https://login.example/{tenantid}/v2.0", ISS, NULL};

static void rules_of(unsigned char choice, struct verify_rules *r)
{
    *r = (struct verify_rules){
        .issuers = choice & 1 ? tenants : issuers,
        .audience = CLIENT,
        .nonce = choice & 2 ? NULL : "nonce-1",
        .nonce_rule = (choice >> 2) & 3,
        .max_age = choice & 16 ? 300 : -1,
        .access_token = choice & 32 ? STR("access-token") : STR(""),
        .acr = choice & 64 ? "high" : NULL,
        .now = NOW,
        .skew = choice & 128 ? -1 : 0,
    };
}

/* What passed must hold by these few lines too. */
static void second_opinion(const struct jws *j, const struct verify_rules *r)
{
    const struct jval *aud = jval_get(j->payload, "aud");
    const char *iss = jval_text(jval_get(j->payload, "iss"));
    const char *sub = jval_text(jval_get(j->payload, "sub"));
    const char *nonce = jval_text(jval_get(j->payload, "nonce"));
    double exp = 0, iat = 0;

    must(iss && (strcmp(iss, ISS) == 0 || (r->issuers == tenants && strlen(iss) == 63)));
    must(sub && strlen(sub) >= 1 && strlen(sub) <= 255);
    for (const char *c = sub; *c; c++)
        must((unsigned char)*c >= 0x20 && *c != 0x7f);
    must(jval_number(jval_get(j->payload, "exp"), &exp) && exp > (double)NOW - 60 && exp < 1e12);
    must(jval_number(jval_get(j->payload, "iat"), &iat) && iat < (double)NOW + 61 && iat > 1e9);
    must(jval_type(aud) == JVAL_ARRAY || (jval_text(aud) && strcmp(jval_text(aud), CLIENT) == 0));
    if (jval_count(aud) > 1)
        must(strcmp(jval_text(jval_get(j->payload, "azp")), CLIENT) == 0);
    if (nonce && r->nonce_rule != USHER_NONCE_SKIPPED)
        must(r->nonce && strcmp(nonce, r->nonce) == 0);
    must(!jval_get(j->payload, "events") && !jval_get(j->header, "crit"));
}

/* The token was accepted: written anew from its bytes it must be the same text. */
static void one_spelling(struct str token)
{
    struct str rest = token, piece;
    struct buf again;

    buf_init(&again, JWS_TOKEN_MAX + 1);
    while (str_split(&rest, '.', &piece)) {
        unsigned char *bytes = malloc(piece.n + 1);
        size_t n = 0;

        must(bytes && text_b64url_decode(piece, bytes, piece.n, &n));
        if (again.n)
            buf_byte(&again, '.');
        part(&again, bytes, n);
        free(bytes);
    }
    must(buf_ok(&again) && str_eq(buf_view(&again), token));
    buf_deinit(&again);
}

/* 1 when the signature is good. */
static int judge(struct str token, const struct verify_rules *r)
{
    struct err err = ERR_INIT;
    struct jws j;
    int verdict = 0;

    if (jws_decode(token, &j, &err) < 0) {
        must(err.kind == ERR_UPSTREAM_BAD && !j.header && !j.payload);
        return 0;
    }
    verdict = jws_check(&j, token, keys, ALL, &err);
    must((verdict < 0) == (err.kind == ERR_UPSTREAM_BAD));
    if (verdict == 1)
        one_spelling(token);
    err_clear(&err);
    if (verify_claims(&j, r, &err) == 0)
        second_opinion(&j, r);
    else
        must(err.kind == ERR_UPSTREAM_BAD);
    jws_deinit(&j);
    return verdict == 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    struct verify_rules rules;
    struct buf token;

    if (size < 2 || size > INPUT_MAX)
        return 0;
    setup();
    if (data[0] == 'T') {
        rules_of(0, &rules);
        (void)judge((struct str){text + 1, size - 1}, &rules);
    } else if (data[0] == 'C') {
        const char *line = memchr(text + 2, '\n', size - 2);

        if (!line)
            return 0;
        rules_of(data[1], &rules);
        buf_init(&token, 4u * INPUT_MAX);
        sign((struct str){text + 2, (size_t)(line - text - 2)},
             (struct str){line + 1, (size_t)(text + size - line - 1)}, &token);
        (void)judge(buf_view(&token), &rules);
        buf_deinit(&token);
    }
    return 0;
}
