/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cache: answers to GETs without secrets (discovery documents, key sets), one per loop. Callers of
 * the same URL share one request. A copy is fresh for the caller's ttl; from four fifths of it on
 * it is refreshed in the background, and when a refresh fails the last good copy serves for a day
 * more. Failures are remembered too: one try per 10 s. A forced refresh (unknown kid) happens at
 * most once per 30 s. Bounded in entries and bytes; what nobody asked for longest goes first.
 *
 * Good is status 200 and what the caller's `usable` says; a copy that is not usable never replaces
 * one that is. Copies are kept per pool name, so that one provider's rules never serve another.
 */
#ifndef NET_CACHE_H
#define NET_CACHE_H

#include "net/fetch.h"

#define CACHE_ENTRIES_MAX 256
#define CACHE_BYTES_MAX (16u * 1024 * 1024)
#define CACHE_STALE_S (24 * 3600)
#define CACHE_RETRY_S 10
#define CACHE_FORCE_S 30

struct fetch_cache;
struct cache_call;

struct cache_request {
    const char *url;
    const struct fetch_part *headers; /* without secrets; part of what names the copy */
    size_t n_headers;
    int64_t ttl_seconds;
    bool force; /* a fresh copy is wanted, as often as the throttle allows */
    bool (*usable)(const struct fetch_result *r); /* status is 200; NULL: all are */
};

struct fetch_cache *cache_new(struct loop *l);
void cache_free(struct fetch_cache **c); /* cancels what is under way, without callbacks */

/* As fetch_start: one callback, later, on the loop. The result is the fetched one, or a copy with
 * status 200, no headers but content type and charset, and ms = 0. */
struct cache_call *cache_fetch(struct fetch_cache *c, struct fetch_pool *p,
                               const struct cache_request *rq, fetch_done_fn *done, void *arg);
/* true: there was a fresh copy, no refresh was due, and done(arg, …) was called with it. false:
 * nothing happened, and the answer is cache_fetch's to get. */
bool cache_at_hand(struct fetch_cache *c, struct fetch_pool *p, const struct cache_request *rq,
                   fetch_done_fn *done, void *arg);
void cache_cancel(struct cache_call **call); /* no callback will come; others' requests go on */
size_t cache_count(const struct fetch_cache *c);

#endif
