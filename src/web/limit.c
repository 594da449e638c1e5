/* SPDX-License-Identifier: Apache-2.0 */
#include "web/limit.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "sys/random.h"
#include "sys/seal.h"

#define SETS 8192 /* of 8 buckets of 16 bytes: 1 MiB */
#define WAYS 8
#define PROVIDER_SETS 256 /* providers have a table of their own: no crowd pushes them out */
#define MINUTE_NS ((int64_t)60 * 1000000000)

/* When the bucket will be full again tells all there is to know of it (the generic cell rate
 * algorithm): each request moves that by one interval, and it must not lie more than `burst` of
 * them ahead. */
struct bucket {
    uint64_t tag; /* of whom; 0: nobody */
    int64_t full; /* ns of the steady clock */
};

struct table {
    struct bucket (*sets)[WAYS];
    size_t n; /* a power of two */
};

struct limits {
    struct limit_rates rates;
    struct table clients, providers;
    unsigned char seed[32];
    struct metrics *metrics;
    struct {
        struct metric_series *count;
        uint64_t untold;
        int64_t tell_from; /* ns */
    } refused[LIMIT_CLASSES];
};

static struct table table_new(size_t sets)
{
    return (struct table){mem_alloc(sets * sizeof(struct bucket[WAYS])), sets};
}

struct limits *limits_new(struct metrics *m)
{
    struct limits *t = mem_alloc(sizeof *t);
    t->metrics = m;
    t->clients = table_new(SETS);
    t->providers = table_new(PROVIDER_SETS);
    rng_fill(t->seed, sizeof t->seed);
    return t;
}

void limits_free(struct limits **tp)
{
    struct limits *t = *tp;
    if (t == NULL)
        return;
    free(t->clients.sets);
    free(t->providers.sets);
    free(t);
    *tp = NULL;
}

static bool same_rate(const struct limit_rate *a, const struct limit_rate *b)
{
    return a->per_minute == b->per_minute && a->burst == b->burst;
}

void limits_set(struct limits *t, const struct limit_rates *rates)
{
    bool same = same_rate(&t->rates.provider, &rates->provider);
    for (size_t i = 0; i < LIMIT_CLASSES; i++)
        same = same && same_rate(&t->rates.of[i], &rates->of[i]);
    if (same)
        return;
    t->rates = *rates;
    memset(t->clients.sets, 0, t->clients.n * sizeof *t->clients.sets);
    memset(t->providers.sets, 0, t->providers.n * sizeof *t->providers.sets);
}

/* Those that were never used, or are full again for the longest, make way first. */
static struct bucket *bucket_of(const struct limits *t, const struct table *of, struct str key)
{
    unsigned char hash[32];
    uint64_t set, tag;
    seal_hmac_sha256((struct str){(const char *)t->seed, sizeof t->seed}, key, hash);
    memcpy(&set, hash, sizeof set);
    memcpy(&tag, hash + sizeof set, sizeof tag);
    struct bucket *b = of->sets[set & (of->n - 1)], *least = b;
    tag |= 1;
    for (size_t i = 0; i < WAYS; i++) {
        if (b[i].tag == tag)
            return &b[i];
        if (b[i].full < least->full)
            least = &b[i];
    }
    *least = (struct bucket){.tag = tag};
    return least;
}

static int64_t take(struct bucket *b, const struct limit_rate *rate, struct mono now)
{
    const int64_t interval = MINUTE_NS / rate->per_minute;
    const int64_t full = (b->full > now.ns ? b->full : now.ns) + interval;
    const int64_t late = full - now.ns - interval * rate->burst;
    if (late > 0)
        return (late + 999999999) / 1000000000;
    b->full = full;
    return 0;
}

/* 4 bytes of an IPv4 address or 8 of an IPv6 one, behind the class. 0: neither. */
static size_t key_of(enum limit_class class, const struct sockaddr *sa, char key[9])
{
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    key[0] = (char)class;
    if (sa->sa_family == AF_INET) {
        memcpy(&v4, sa, sizeof v4);
        memcpy(key + 1, &v4.sin_addr, 4);
        return 5;
    }
    if (sa->sa_family != AF_INET6)
        return 0;
    memcpy(&v6, sa, sizeof v6);
    const bool mapped = IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr);
    memcpy(key + 1, v6.sin6_addr.s6_addr + (mapped ? 12 : 0), mapped ? 4 : 8);
    return mapped ? 5 : 9;
}

int64_t limits_take(struct limits *t, enum limit_class class, const struct sockaddr *client,
                    struct mono now)
{
    char key[9];
    const struct limit_rate *rate = class < LIMIT_CLASSES ? &t->rates.of[class] : NULL;
    if (rate == NULL || rate->per_minute <= 0)
        return 0;
    const size_t n = key_of(class, client, key);
    return n == 0 ? 0 : take(bucket_of(t, &t->clients, (struct str){key, n}), rate, now);
}

int64_t limits_take_provider(struct limits *t, const char *id, struct mono now)
{
    const struct limit_rate *rate = &t->rates.provider;
    if (rate->per_minute <= 0)
        return 0;
    return take(bucket_of(t, &t->providers, str_of(id)), rate, now);
}

void limits_refused(struct limits *t, enum limit_class class, const char *client,
                    const struct log_ctx *log, struct mono now)
{
    static const char *const names[LIMIT_CLASSES] = {"provider", "login", "callback",     "api",
                                                     "account",  "token", "registration", "device"};
    static const struct metric metric = {.name = "usher_limited_total",
                                         .help =
                                             "Requests sent away by a rate limit, by its class.",
                                         .type = METRIC_COUNTER,
                                         .labels = {"class"}};
    if (class >= LIMIT_CLASSES)
        return;
    if (t->refused[class].count == NULL)
        t->refused[class].count = metrics_series(t->metrics, &metric, names[class], NULL, NULL);
    metric_add(t->refused[class].count, 1);
    t->refused[class].untold++;
    if (now.ns < t->refused[class].tell_from)
        return;
    log_event(log, LOG_WARN, "limit.reached", LF_TEXT("class", names[class]),
              LF_INT("refused", t->refused[class].untold), LF_TEXT("client", client));
    t->refused[class].untold = 0;
    t->refused[class].tell_from = now.ns + MINUTE_NS;
}
