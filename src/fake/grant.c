/* SPDX-License-Identifier: Apache-2.0 */
#include "fake/grant.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "sys/clock.h"
#include "sys/random.h"

#define BUCKETS 8192u
#define KEEP_SECONDS 3600 /* long enough for any test or demo */

struct node {
    struct node *next;  /* in the bucket */
    struct node *newer; /* by age */
    char key[44];
    bool taken, ended;
    struct grant g;
    char text[]; /* the strings of g, one after the other */
};

struct grants {
    pthread_mutex_t lock;
    struct node *bucket[BUCKETS];
    struct node *oldest, *newest;
    uint64_t families;
};

struct grants *grants_new(void)
{
    struct grants *g = mem_alloc(sizeof *g);

    pthread_mutex_init(&g->lock, NULL);
    return g;
}

static struct node **slot(struct grants *g, const char *key)
{
    uint32_t h = 2166136261u;
    struct node **at;

    for (const char *p = key; *p; p++)
        h = (h ^ (unsigned char)*p) * 16777619u;
    for (at = &g->bucket[h % BUCKETS]; *at && strcmp((*at)->key, key) != 0;)
        at = &(*at)->next;
    return at;
}

static void drop_oldest(struct grants *g)
{
    struct node *n = g->oldest, **at = slot(g, n->key);

    *at = n->next;
    g->oldest = n->newer;
    if (!g->oldest)
        g->newest = NULL;
    free(n);
}

void grants_clear(struct grants *g)
{
    pthread_mutex_lock(&g->lock);
    while (g->oldest)
        drop_oldest(g);
    pthread_mutex_unlock(&g->lock);
}

void grants_free(struct grants **g)
{
    grants_clear(*g);
    pthread_mutex_destroy(&(*g)->lock);
    free(*g);
    *g = NULL;
}

static const char **strings(struct grant *g, size_t i)
{
    const char **const all[] = {&g->realm,        &g->client,    &g->scope,
                                &g->redirect_uri, &g->challenge, &g->nonce};

    return i < sizeof all / sizeof *all ? all[i] : NULL;
}

static struct node *node_new(const struct grant *in)
{
    struct grant copy = *in;
    struct node *n;
    size_t room = 0;
    char *at;

    for (size_t i = 0; strings(&copy, i); i++)
        room += (*strings(&copy, i) ? strlen(*strings(&copy, i)) : 0) + 1;
    n = mem_alloc(sizeof *n + room);
    n->g = copy;
    at = n->text;
    for (size_t i = 0; strings(&n->g, i); i++) {
        const char **s = strings(&n->g, i);
        const size_t len = *s ? strlen(*s) : 0;

        memcpy(at, *s ? *s : "", len + 1);
        *s = at;
        at += len + 1;
    }
    return n;
}

void grants_add(struct grants *g, const struct grant *in, char key[44])
{
    const int64_t now = wall_seconds(clock_wall());
    unsigned char random[32];
    struct node *n = node_new(in);

    rng_fill(random, sizeof random);
    text_b64url(random, sizeof random, n->key);
    memcpy(key, n->key, sizeof n->key);
    n->g.made = now;
    pthread_mutex_lock(&g->lock);
    if (n->g.family == 0)
        n->g.family = ++g->families;
    while (g->oldest && g->oldest->g.made < now - KEEP_SECONDS)
        drop_oldest(g);
    *slot(g, n->key) = n;
    if (g->newest)
        g->newest->newer = n;
    else
        g->oldest = n;
    g->newest = n;
    pthread_mutex_unlock(&g->lock);
}

static bool usable(const struct node *n, enum grant_kind kind)
{
    return n && n->g.kind == kind && !n->ended &&
           (kind != GRANT_CODE || wall_seconds(clock_wall()) - n->g.made <= GRANT_CODE_SECONDS);
}

static void copy_out(const struct node *n, struct arena *a, struct grant *out)
{
    *out = n->g;
    for (size_t i = 0; strings(out, i); i++)
        *strings(out, i) = arena_dup(a, *strings(out, i));
}

int grants_find(struct grants *g, enum grant_kind kind, const char *key, struct arena *a,
                struct grant *out)
{
    const struct node *n;
    int rc = 0;

    pthread_mutex_lock(&g->lock);
    n = *slot(g, key);
    if (usable(n, kind) && !n->taken) {
        copy_out(n, a, out);
        rc = 1;
    }
    pthread_mutex_unlock(&g->lock);
    return rc;
}

static void end_family(struct grants *g, uint64_t family)
{
    for (struct node *n = g->oldest; n; n = n->newer)
        if (n->g.family == family)
            n->ended = true;
}

int grants_take(struct grants *g, enum grant_kind kind, const char *key, struct arena *a,
                struct grant *out)
{
    struct node *n;
    int rc = 0;

    pthread_mutex_lock(&g->lock);
    n = *slot(g, key);
    if (usable(n, kind) && n->taken) {
        end_family(g, n->g.family);
        rc = -1;
    } else if (usable(n, kind)) {
        n->taken = true;
        copy_out(n, a, out);
        rc = 1;
    }
    pthread_mutex_unlock(&g->lock);
    return rc;
}

void grants_revoke(struct grants *g, const struct grant *like)
{
    pthread_mutex_lock(&g->lock);
    for (struct node *n = g->oldest; n; n = n->newer)
        if (n->g.person == like->person && strcmp(n->g.realm, like->realm) == 0 &&
            strcmp(n->g.client, like->client) == 0)
            n->ended = true;
    pthread_mutex_unlock(&g->lock);
}
