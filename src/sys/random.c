/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/random.h"

#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"

/* Replaced only by tests, before other threads start. */
static void (*rng_source)(void *ctx, void *out, size_t n);
static void *rng_ctx;

void rng_fill(void *out, size_t n)
{
    if (rng_source) {
        rng_source(rng_ctx, out, n);
        return;
    }
    unsigned char *p = out;
    while (n > 0) {
        int part = n > 1 << 20 ? 1 << 20 : (int)n;
        if (RAND_bytes(p, part) != 1) {
            fputs("usher: the random number generator failed\n", stderr);
            abort();
        }
        p += part;
        n -= (size_t)part;
    }
}

void rng_id(char *out)
{
    unsigned char raw[16];
    rng_fill(raw, sizeof raw);
    text_b64url(raw, sizeof raw, out);
}

void rng_set_source(void (*fill)(void *ctx, void *out, size_t n), void *ctx)
{
    rng_ctx = ctx;
    rng_source = fill;
}
