/* SPDX-License-Identifier: Apache-2.0 */
#include "login/drive_net.h"

#include <stdlib.h>

#include "sys/jose.h"

#define PARSED_MAX 128
#define POOLS_MAX 512

/* A pool, and what of a provider it was made from. Lives in its own arena. */
struct pool {
    struct arena *arena;
    const char *id, *user_agent, *ca_file;
    const char *const *allow_private;
    int64_t timeout;
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
    uint64_t made; /* pools, ever */
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

static bool same_text(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

static bool same_list(const char *const *a, const char *const *b)
{
    size_t i = 0;
    for (; a && b && a[i] && b[i]; i++)
        if (strcmp(a[i], b[i]) != 0)
            return false;
    return (a ? a[i] : NULL) == (b ? b[i] : NULL); /* both are at their end */
}

/* Made from exactly these settings. */
static bool pool_fits(const struct pool *e, const struct provider *p)
{
    return strcmp(e->id, p->id) == 0 && e->timeout == p->common.timeout &&
           same_text(e->user_agent, p->common.user_agent) &&
           same_text(e->ca_file, p->common.ca_file) &&
           same_list(e->allow_private, p->common.allow_private);
}

static const char *dup_or_null(struct arena *a, const char *text)
{
    return text ? arena_dup(a, text) : NULL;
}

static struct pool *pool_new(struct drive_net *n, const struct provider *p)
{
    struct arena *a = arena_new();
    struct pool *e = arena_alloc(a, sizeof *e);
    size_t hosts = 0;
    while (p->common.allow_private && p->common.allow_private[hosts])
        hosts++;
    const char **list = arena_alloc(a, (hosts + 1) * sizeof *list);
    for (size_t i = 0; i < hosts; i++)
        list[i] = arena_dup(a, p->common.allow_private[i]);
    e->arena = a;
    e->id = arena_dup(a, p->id);
    e->timeout = p->common.timeout;
    e->user_agent = dup_or_null(a, p->common.user_agent);
    e->ca_file = dup_or_null(a, p->common.ca_file);
    e->allow_private = list;
    const struct fetch_pool_options o = {
        /* What was fetched by other rules (a draft's authorities, say) is not for this one. */
        .name = arena_printf(a, "%s %llu", p->id, (unsigned long long)++n->made),
        .user_agent = e->user_agent,
        .allow_private = list,
        .ca_file = e->ca_file,
        .total_ms = e->timeout * 1000,
    };
    e->pool = fetch_pool_new(n->fetch, &o);
    return e;
}

static void pool_free(struct pool *e)
{
    struct arena *a = e->arena;
    fetch_pool_free(&e->pool);
    arena_free(&a);
}

/* Drafts come and go without a reload: the pools at the end were made first. */
static void drop_surplus(struct drive_net *n)
{
    struct pool **at = &n->pools;
    for (size_t i = 0; *at && i < POOLS_MAX; i++)
        at = &(*at)->next;
    if (*at) {
        pool_free(*at);
        *at = NULL;
    }
}

static struct fetch_pool *pool_of(struct drive_net *n, const struct provider *p)
{
    struct pool *e = n->pools;
    while (e && !pool_fits(e, p))
        e = e->next;
    if (!e) {
        e = pool_new(n, p);
        e->next = n->pools;
        n->pools = e;
        drop_surplus(n);
    }
    return e->pool;
}

static bool pool_wanted(const struct pool *e, const struct registry *r)
{
    for (size_t i = 0; i < registry_count(r); i++)
        if (pool_fits(e, registry_at(r, i)))
            return true;
    return false;
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

size_t drive_net_pools(const struct drive_net *n)
{
    size_t count = 0;
    for (const struct pool *e = n->pools; e; e = e->next)
        count++;
    return count;
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
