/* SPDX-License-Identifier: Apache-2.0 */
#include "web/identity.h"

#include <stdlib.h>

/* 4 ways by 2,048 sets: some 8 MB when all of it is in use. */
#define SETS 4096
#define WAYS 4
#define HEADERS 7

struct entry {
    unsigned char hash[32];
    uint32_t stamp;
    struct reply *reply;
};

struct identities {
    struct entry set[SETS][WAYS];
    unsigned char next[SETS]; /* the way to be replaced */
};

static const char *const names[HEADERS] = {
    "X-Usher-User",  "X-Usher-Name",        "X-Usher-Email",   "X-Usher-Groups",
    "X-Usher-Roles", "X-Usher-Permissions", "X-Usher-Provider"};

static const char *or_blank(const char *value)
{
    return value[0] ? value : " "; /* libmicrohttpd takes no empty value; on the wire this is one */
}

static void values_of(const struct session_view *v, const char *out[HEADERS])
{
    out[0] = or_blank(v->header_user);
    out[1] = or_blank(v->header_name);
    out[2] = or_blank(v->header_email);
    out[3] = or_blank(v->header_groups);
    out[4] = or_blank(v->roles);
    out[5] = or_blank(v->permissions);
    out[6] = or_blank(v->header_provider);
}

struct identities *identities_new(void)
{
    return mem_alloc(sizeof(struct identities));
}

void identities_free(struct identities **cp)
{
    struct identities *c = *cp;
    if (c == NULL)
        return;
    for (size_t i = 0; i < SETS; i++)
        for (size_t k = 0; k < WAYS; k++)
            reply_free(&c->set[i][k].reply);
    free(c);
    *cp = NULL;
}

static struct reply *make(const struct session_view *v)
{
    const char *value[HEADERS];
    struct reply_header h[HEADERS + 1] = {[HEADERS] = {"Cache-Control", "no-store"}};
    values_of(v, value);
    for (size_t i = 0; i < HEADERS; i++)
        h[i] = (struct reply_header){names[i], value[i]};
    return reply_make(h, HEADERS + 1);
}

static const struct reply *kept(struct identities *c, const struct session_view *v)
{
    const size_t i = (v->hash[0] | (size_t)v->hash[1] << 8) % SETS;
    struct entry *e = NULL;
    for (size_t k = 0; k < WAYS && !e; k++)
        if (c->set[i][k].reply && memcmp(c->set[i][k].hash, v->hash, 32) == 0)
            e = &c->set[i][k];
    if (e && e->stamp == v->stamp)
        return e->reply;
    if (!e)
        e = &c->set[i][c->next[i]++ % WAYS];
    reply_free(&e->reply);
    e->reply = make(v);
    memcpy(e->hash, v->hash, 32);
    e->stamp = v->stamp;
    return e->reply;
}

void identity_reply(struct identities *c, struct request *rq, const struct session_view *v)
{
    const char *value[HEADERS];
    const struct reply *r = kept(c, v);
    if (r && reply_again(rq, 200, r))
        return;
    values_of(v, value);
    for (size_t i = 0; i < HEADERS; i++) /* one that waited is sent later, and the table changes */
        reply_header_static(rq, names[i], arena_dup(request_arena(rq), value[i]));
    reply_empty(rq, 200);
}

void identity_clear(struct request *rq)
{
    for (size_t i = 0; i < HEADERS; i++)
        reply_header_static(rq, names[i], " ");
}
