/* SPDX-License-Identifier: Apache-2.0 */
#include "login/drive_net.h"

#include <stdlib.h>

#include "sys/jose.h"

#define KEY_SETS_MAX 64

struct pool {
    char id[40];
    struct fetch_pool *pool;
    struct pool *next;
};

/* A parsed key set and what it was parsed from. */
struct key_set {
    char *url;
    unsigned char body[32]; /* SHA-256 */
    struct jwks *set;
};

struct drive_net {
    struct drive_io io;
    struct fetch *fetch;
    struct fetch_cache *cache;
    struct pool *pools;
    struct key_set sets[KEY_SETS_MAX];
    size_t n_sets, oldest;
};

/* One request of a drive: where it is, and whom to tell. */
struct net_call {
    struct fetch_call *fetch;
    struct cache_call *cache;
    fetch_done_fn *done;
    void *arg;
};

static struct fetch_pool *pool_of(struct drive_net *n, const struct provider *p)
{
    for (struct pool *e = n->pools; e; e = e->next)
        if (strcmp(e->id, p->id) == 0)
            return e->pool;
    const struct fetch_pool_options o = {
        .name = p->id,
        .user_agent = p->common.user_agent,
        .allow_private = p->common.allow_private,
        .ca_file = p->common.ca_file,
        .total_ms = p->common.timeout * 1000,
    };
    struct pool *e = mem_alloc(sizeof *e);
    memcpy(e->id, p->id, strnlen(p->id, sizeof e->id - 1));
    e->pool = fetch_pool_new(n->fetch, &o);
    e->next = n->pools;
    n->pools = e;
    return e->pool;
}

static void on_done(void *arg, const struct fetch_result *r)
{
    struct net_call call = *(struct net_call *)arg;
    free(arg);
    call.done(call.arg, r);
}

static struct net_call *call_new(fetch_done_fn *done, void *arg)
{
    struct net_call *call = mem_alloc(sizeof *call);
    call->done = done;
    call->arg = arg;
    return call;
}

static void *net_fetch(void *ctx, const struct provider *p, const struct fetch_request *rq,
                       fetch_done_fn *done, void *arg)
{
    struct net_call *call = call_new(done, arg);
    call->fetch = fetch_start(pool_of(ctx, p), rq, on_done, call);
    return call;
}

static void *net_cached(void *ctx, const struct provider *p, const struct cache_request *rq,
                        fetch_done_fn *done, void *arg)
{
    struct drive_net *n = ctx;
    struct net_call *call = call_new(done, arg);
    call->cache = cache_fetch(n->cache, pool_of(n, p), rq, on_done, call);
    return call;
}

static void net_cancel(void *ctx, void *handle)
{
    struct net_call *call = handle;
    (void)ctx;
    if (call->fetch)
        fetch_cancel(&call->fetch);
    if (call->cache)
        cache_cancel(&call->cache);
    free(call);
}

static struct key_set *set_of(struct drive_net *n, const char *url)
{
    for (size_t i = 0; i < n->n_sets; i++)
        if (strcmp(n->sets[i].url, url) == 0)
            return &n->sets[i];
    struct key_set *e;
    if (n->n_sets < KEY_SETS_MAX) {
        e = &n->sets[n->n_sets++];
    } else {
        e = &n->sets[n->oldest];
        n->oldest = (n->oldest + 1) % KEY_SETS_MAX;
        free(e->url);
        jwks_free(&e->set);
    }
    *e = (struct key_set){.url = mem_dup(url)};
    return e;
}

static struct jwks *net_keys(void *ctx, const char *url, struct str body, struct err *err)
{
    unsigned char hash[32];
    struct key_set *e = set_of(ctx, url);
    seal_sha256(body, hash);
    if (e->set && memcmp(e->body, hash, sizeof hash) == 0)
        return jwks_ref(e->set);
    struct jwks *set = jwks_parse(body, err);
    if (!set)
        return NULL;
    jwks_free(&e->set);
    e->set = jwks_ref(set);
    memcpy(e->body, hash, sizeof hash);
    return set;
}

struct drive_net *drive_net_new(struct loop *l, struct fetch *f)
{
    struct drive_net *n = mem_alloc(sizeof *n);
    n->fetch = f;
    n->cache = cache_new(l);
    n->io = (struct drive_io){n, net_fetch, net_cached, net_cancel, net_keys};
    return n;
}

void drive_net_free(struct drive_net **net)
{
    struct drive_net *n = *net;
    if (!n)
        return;
    *net = NULL;
    cache_free(&n->cache);
    for (struct pool *e = n->pools, *next; e; e = next) {
        next = e->next;
        fetch_pool_free(&e->pool);
        free(e);
    }
    for (size_t i = 0; i < n->n_sets; i++) {
        free(n->sets[i].url);
        jwks_free(&n->sets[i].set);
    }
    free(n);
}

const struct drive_io *drive_net_io(const struct drive_net *n)
{
    return &n->io;
}
