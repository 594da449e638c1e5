/* SPDX-License-Identifier: Apache-2.0 */
#include "provider/slots.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "sys/random.h"

#define SLOTS_MAX 512 /* providers; the one that fell over longest ago is forgotten */

struct mark {
    char id[40];
    unsigned char digest[32];
};

struct slots {
    unsigned char key[32]; /* of this process */
    struct mark *v;        /* oldest change first */
    size_t n;
};

static const char setting[] = "client_secret";

struct slots *slots_new(void)
{
    struct slots *s = mem_alloc(sizeof *s);
    rng_fill(s->key, sizeof s->key);
    return s;
}

void slots_free(struct slots **sp)
{
    struct slots *s = *sp;
    if (!s)
        return;
    *sp = NULL;
    seal_wipe(s->key, sizeof s->key);
    free(s->v);
    free(s);
}

const char *slots_name(enum provider_slot slot)
{
    static const char *const names[PROVIDER_SLOTS] = {"active", "next", "retiring"};
    return names[slot];
}

static struct mark *find(const struct slots *s, const char *id)
{
    for (size_t i = 0; s && i < s->n; i++)
        if (strcmp(s->v[i].id, id) == 0)
            return &s->v[i];
    return NULL;
}

static void digest(const struct slots *s, const struct secret *secret, unsigned char out[32])
{
    seal_hmac_sha256((struct str){(const char *)s->key, sizeof s->key}, secret_reveal(secret), out);
}

enum provider_slot slots_first(const struct slots *s, const struct provider *p)
{
    const struct mark *m = find(s, p->id);
    for (int i = 0; m && i < PROVIDER_SLOTS; i++) {
        const struct secret *secret = provider_secret(p, setting, (enum provider_slot)i);
        unsigned char d[32];
        if (!secret)
            continue;
        digest(s, secret, d);
        if (seal_equal(d, m->digest, sizeof d))
            return (enum provider_slot)i;
    }
    return PROVIDER_ACTIVE;
}

static bool tried_already(const struct provider *p, unsigned tried, const struct secret *secret)
{
    for (int i = 0; i < PROVIDER_SLOTS; i++) {
        const struct secret *other = provider_secret(p, setting, (enum provider_slot)i);
        if ((tried & 1u << i) && other && secret_eq(secret, secret_reveal(other)))
            return true;
    }
    return false;
}

bool slots_other(const struct provider *p, unsigned tried, enum provider_slot *out)
{
    for (int i = 0; i < PROVIDER_SLOTS; i++) {
        const struct secret *secret = provider_secret(p, setting, (enum provider_slot)i);
        if (!secret || (tried & 1u << i) || tried_already(p, tried, secret))
            continue;
        *out = (enum provider_slot)i;
        return true;
    }
    return false;
}

static struct mark *add(struct slots *s, const char *id)
{
    if (s->n == SLOTS_MAX)
        memmove(s->v, s->v + 1, --s->n * sizeof *s->v);
    s->v = mem_grow(s->v, (s->n + 1) * sizeof *s->v);
    struct mark *m = &s->v[s->n++];
    *m = (struct mark){.id = ""};
    memcpy(m->id, id, strnlen(id, sizeof m->id - 1));
    return m;
}

bool slots_fell_over(struct slots *s, const struct provider *p, enum provider_slot worked)
{
    const struct secret *secret = provider_secret(p, setting, worked);
    unsigned char d[32];
    if (!s || !secret)
        return false;
    struct mark *m = find(s, p->id);
    digest(s, secret, d);
    if (m && seal_equal(m->digest, d, sizeof d))
        return false;
    if (!m)
        m = add(s, p->id);
    memcpy(m->digest, d, sizeof d);
    return true;
}
