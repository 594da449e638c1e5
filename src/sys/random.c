/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/random.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

#define POOL 512 /* drawn at once: a call of the generator costs as much as hundreds of bytes */
#define SMALL 64 /* longer requests go to the generator directly */

/* Replaced only by tests, before other threads start. */
static void (*rng_source)(void *ctx, void *out, size_t n);
static void *rng_ctx;

/* Bytes drawn and not yet given, at the end of `bytes`; what is given is wiped. A forked child
 * starts without any, as it would give the same as its parent. */
static _Thread_local struct {
    size_t left;
    unsigned char bytes[POOL];
} pool;
static pthread_once_t pool_once = PTHREAD_ONCE_INIT;

static void pool_drop(void)
{
    OPENSSL_cleanse(&pool, sizeof pool);
}

static void pool_watch_forks(void)
{
    if (pthread_atfork(NULL, NULL, pool_drop) != 0)
        abort();
}

static void rng_draw(unsigned char *p, size_t n)
{
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

void rng_fill(void *out, size_t n)
{
    if (rng_source) {
        rng_source(rng_ctx, out, n);
        return;
    }
    if (n > SMALL) {
        rng_draw(out, n);
        return;
    }
    if (pool.left < n) {
        (void)pthread_once(&pool_once, pool_watch_forks);
        rng_draw(pool.bytes, sizeof pool.bytes);
        pool.left = sizeof pool.bytes;
    }
    unsigned char *given = pool.bytes + sizeof pool.bytes - pool.left;
    memcpy(out, given, n);
    OPENSSL_cleanse(given, n);
    pool.left -= n;
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
