/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Key sets as an upstream could publish them. Whatever set is taken, tokens that anybody can write
 * without a key must not pass: bare padding (RSA with e = 1), zeros, ones, and the signature that
 * holds under Ed25519's neutral element.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "sys/jose.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define ALL 0x3ffu
#define INPUT_MAX (64u * 1024)

static void must(int ok)
{
    if (!ok)
        abort();
}

static void part(struct buf *out, const void *p, size_t n)
{
    char text[2048];

    must(text_b64url_len(n) < sizeof text);
    text_b64url(p, n, text);
    buf_text(out, text);
}

/* Without a kid, so that every key of the set is tried. */
static void forge(const char *alg, unsigned char *sig, size_t n, int padding, struct buf *token)
{
    static const unsigned char digest_info[] = {0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60,
                                                0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02,
                                                0x01, 0x05, 0x00, 0x04, 0x20};
    char header[64] = "{\"alg\":\"";

    strcat(strcat(header, alg), "\"}");
    buf_init(token, JWS_TOKEN_MAX);
    part(token, header, strlen(header));
    buf_byte(token, '.');
    part(token, "{\"sub\":\"admin\"}", 15);
    if (padding) {
        memset(sig, 0xff, n);
        sig[0] = 0;
        sig[1] = 1;
        sig[n - 32 - sizeof digest_info - 1] = 0;
        memcpy(sig + n - 32 - sizeof digest_info, digest_info, sizeof digest_info);
        seal_sha256(buf_view(token), sig + n - 32);
    }
    buf_byte(token, '.');
    part(token, sig, n);
    must(buf_ok(token));
}

static void refused(const struct jwks *set, const char *alg, unsigned char *sig, size_t n,
                    int padding)
{
    struct err err = ERR_INIT;
    struct buf token;
    struct jws j;

    forge(alg, sig, n, padding, &token);
    must(jws_decode(buf_view(&token), &j, &err) == 0);
    must(jws_check(&j, buf_view(&token), set, ALL, &err) != 1);
    jws_deinit(&j);
    buf_deinit(&token);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct err err = ERR_INIT;
    unsigned char sig[1024];
    struct jwks *set = NULL;

    if (size > INPUT_MAX)
        return 0;
    set = jwks_parse((struct str){(const char *)data, size}, &err);
    if (!set) {
        must(err.kind == ERR_UPSTREAM_BAD && err.text[0]);
        return 0;
    }
    must(err.kind == ERR_NONE && jwks_count(set) >= 1 && jwks_count(set) <= JWKS_KEYS_MAX);
    refused(set, "RS256", sig, 256, 1);
    refused(set, "RS256", sig, 512, 1);
    memset(sig, 0, sizeof sig);
    refused(set, "RS256", sig, 256, 0);
    refused(set, "PS256", sig, 256, 0);
    refused(set, "ES256", sig, 64, 0);
    refused(set, "ES384", sig, 96, 0);
    refused(set, "ES512", sig, 132, 0);
    refused(set, "EdDSA", sig, 64, 0);
    sig[0] = 1; /* R is the neutral element, S is zero */
    refused(set, "EdDSA", sig, 64, 0);
    memset(sig, 0, sizeof sig);
    sig[31] = sig[63] = 1; /* r = s = 1 */
    refused(set, "ES256", sig, 64, 0);
    jwks_free(&set);
    return 0;
}
