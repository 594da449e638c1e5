/* SPDX-License-Identifier: Apache-2.0 */
#include "issuer/app_keys.h"

#include <stdlib.h>

#include "net/cache.h"

#define KEPT 64
#define FRESH_SECONDS 600
#define TOTAL_MS 5000
#define BODY_MAX (64u * 1024)
#define IN_FLIGHT 64

/* A set by the SHA-256 of its text: decoding an RSA key costs more than five verifications. */
struct kept {
    unsigned char hash[32];
    struct jwks *set;
};

struct app_keys {
    struct fetch_pool *pool;
    struct fetch_cache *cache;
    struct kept kept[KEPT];
    size_t next; /* to be replaced */
};

struct getting {
    struct app_keys *keys;
    app_keys_fn *done;
    void *arg;
};

struct app_keys *app_keys_new(struct loop *l, struct fetch *f)
{
    struct app_keys *k = mem_alloc(sizeof *k);
    const struct fetch_pool_options o = {.name = "keys of apps",
                                         .total_ms = TOTAL_MS,
                                         .body_max = BODY_MAX,
                                         .max_in_flight = IN_FLIGHT};
    k->cache = cache_new(l);
    k->pool = f ? fetch_pool_new(f, &o) : NULL;
    return k;
}

void app_keys_free(struct app_keys **kp)
{
    struct app_keys *k = *kp;
    *kp = NULL;
    if (k == NULL)
        return;
    cache_free(&k->cache);
    if (k->pool)
        fetch_pool_free(&k->pool);
    for (size_t i = 0; i < KEPT; i++)
        jwks_free(&k->kept[i].set);
    free(k);
}

/* NULL: it is none. */
static struct jwks *parsed(struct app_keys *k, struct str text)
{
    struct err err = ERR_INIT;
    unsigned char hash[32];
    seal_sha256(text, hash);
    for (size_t i = 0; i < KEPT; i++)
        if (k->kept[i].set && memcmp(k->kept[i].hash, hash, sizeof hash) == 0)
            return k->kept[i].set;
    struct jwks *set = jwks_parse(text, &err);
    if (set == NULL)
        return NULL;
    struct kept *place = &k->kept[k->next++ % KEPT];
    jwks_free(&place->set);
    place->set = set;
    memcpy(place->hash, hash, sizeof hash);
    return set;
}

static bool usable(const struct fetch_result *r)
{
    struct err err = ERR_INIT;
    struct jwks *set = jwks_parse(r->body, &err);
    const bool good = set != NULL;
    jwks_free(&set);
    return good;
}

static void fetched(void *arg, const struct fetch_result *r)
{
    struct getting *g = arg;
    const bool good = r->err.kind == ERR_NONE && r->status == 200;
    g->done(g->arg, good ? parsed(g->keys, r->body) : NULL);
    free(g);
}

void app_keys_get(struct app_keys *k, const struct app *app, bool force, app_keys_fn *done,
                  void *arg)
{
    const struct app_common *c = &app->common;
    if (c->jwks || !c->jwks_uri || !k->pool) {
        done(arg, c->jwks ? parsed(k, str_of(c->jwks)) : NULL);
        return;
    }
    const struct cache_request rq = {
        .url = c->jwks_uri, .ttl_seconds = FRESH_SECONDS, .force = force, .usable = usable};
    struct getting *g = mem_alloc(sizeof *g);
    *g = (struct getting){.keys = k, .done = done, .arg = arg};
    if (force || !cache_at_hand(k->cache, k->pool, &rq, fetched, g))
        (void)cache_fetch(k->cache, k->pool, &rq, fetched, g);
}
