/* SPDX-License-Identifier: Apache-2.0 */
#include "login/drive_net.h"

#include <stdlib.h>

#include "sys/jose.h"

#define PARSED_MAX 128

struct pool {
    char *key; /* of the provider, as it was when the pool was made */
    struct fetch_pool *pool;
    struct pool *next;
};

/* What a body at a URL was parsed into: a key set, a JSON document, or both. */
struct parsed {
    char *url;
    char *body; /* owned; to compare with */
    size_t body_n;
    struct jwks *keys;
    struct jval *json;
};

struct drive_net {
    struct drive_io io;
    struct fetch *fetch;
    struct fetch_cache *cache;
    struct pool *pools;
    struct parsed parsed[PARSED_MAX];
    size_t n_parsed, oldest;
};

/* One request of a drive: where it is, and whom to tell. */
struct net_call {
    struct fetch_call *fetch;
    struct cache_call *cache;
    fetch_done_fn *done;
    void *arg;
};

/* Everything a pool is made from. No value holds a line feed. */
static void pool_key(const struct provider *p, struct buf *out)
{
    buf_init(out, 128 * 1024);
    buf_printf(out, "%s\n%lld\n%s\n%s", p->id, (long long)p->common.timeout,
               p->common.user_agent ? p->common.user_agent : "",
               p->common.ca_file ? p->common.ca_file : "");
    for (size_t i = 0; p->common.allow_private && p->common.allow_private[i]; i++)
        buf_printf(out, "\n%s", p->common.allow_private[i]);
}

static struct fetch_pool *pool_of(struct drive_net *n, const struct provider *p)
{
    struct buf key;
    pool_key(p, &key);
    for (struct pool *e = n->pools; e; e = e->next)
        if (strcmp(e->key, key.p) == 0) {
            buf_deinit(&key);
            return e->pool;
        }
    const struct fetch_pool_options o = {
        .name = p->id,
        .user_agent = p->common.user_agent,
        .allow_private = p->common.allow_private,
        .ca_file = p->common.ca_file,
        .total_ms = p->common.timeout * 1000,
    };
    struct pool *e = mem_alloc(sizeof *e);
    e->key = buf_take(&key);
    e->pool = fetch_pool_new(n->fetch, &o);
    e->next = n->pools;
    n->pools = e;
    return e->pool;
}

static void pool_free(struct pool *e)
{
    fetch_pool_free(&e->pool);
    free(e->key);
    free(e);
}

static bool pool_wanted(const struct pool *e, const struct registry *r)
{
    bool wanted = false;
    for (size_t i = 0; !wanted && i < registry_count(r); i++) {
        struct buf key;
        pool_key(registry_at(r, i), &key);
        wanted = strcmp(e->key, key.p) == 0;
        buf_deinit(&key);
    }
    return wanted;
}

void drive_net_keep(struct drive_net *n, const struct registry *r)
{
    for (struct pool **at = &n->pools, *e; (e = *at);) {
        if (pool_wanted(e, r)) {
            at = &e->next;
        } else {
            *at = e->next;
            pool_free(e);
        }
    }
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

static bool net_at_hand(void *ctx, const struct provider *p, const struct cache_request *rq,
                        fetch_done_fn *done, void *arg)
{
    struct drive_net *n = ctx;
    return cache_at_hand(n->cache, pool_of(n, p), rq, done, arg);
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

static void parsed_forget(struct parsed *e)
{
    jwks_free(&e->keys);
    jval_free(&e->json);
    free(e->body);
    e->body = NULL;
    e->body_n = 0;
}

static struct parsed *parsed_slot(struct drive_net *n, const char *url)
{
    for (size_t i = 0; i < n->n_parsed; i++)
        if (strcmp(n->parsed[i].url, url) == 0)
            return &n->parsed[i];
    struct parsed *e;
    if (n->n_parsed < PARSED_MAX) {
        e = &n->parsed[n->n_parsed++];
    } else {
        e = &n->parsed[n->oldest];
        n->oldest = (n->oldest + 1) % PARSED_MAX;
        free(e->url);
        parsed_forget(e);
    }
    *e = (struct parsed){.url = mem_dup(url)};
    return e;
}

/* The slot of a URL, emptied if the body is not the one it was filled from. */
static struct parsed *parsed_of(struct drive_net *n, const char *url, struct str body)
{
    struct parsed *e = parsed_slot(n, url);
    if (e->body && e->body_n == body.n && memcmp(e->body, body.p, body.n) == 0)
        return e;
    parsed_forget(e);
    e->body = mem_dupn(body.p, body.n);
    e->body_n = body.n;
    return e;
}

static struct jwks *net_keys(void *ctx, const char *url, struct str body, struct err *err)
{
    struct parsed *e = parsed_of(ctx, url, body);
    if (!e->keys)
        e->keys = jwks_parse(body, err);
    return e->keys ? jwks_ref(e->keys) : NULL;
}

static struct jval *net_json(void *ctx, const char *url, struct str body)
{
    struct err ignored = ERR_INIT; /* malformed is the same as none */
    struct parsed *e = parsed_of(ctx, url, body);
    if (!e->json)
        e->json = jval_parse(body, JSON_SIZE_MAX, JSON_DEPTH_MAX, &ignored);
    return e->json ? jval_ref(e->json) : NULL;
}

struct drive_net *drive_net_new(struct loop *l, struct fetch *f)
{
    struct drive_net *n = mem_alloc(sizeof *n);
    n->fetch = f;
    n->cache = cache_new(l);
    n->io =
        (struct drive_io){n, net_fetch, net_cached, net_cancel, net_keys, net_json, net_at_hand};
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
        pool_free(e);
    }
    for (size_t i = 0; i < n->n_parsed; i++) {
        free(n->parsed[i].url);
        parsed_forget(&n->parsed[i]);
    }
    free(n);
}

const struct drive_io *drive_net_io(const struct drive_net *n)
{
    return &n->io;
}
