/* SPDX-License-Identifier: Apache-2.0 */
#include "session/chain.h"

#include <stdlib.h>

#include "base/arena.h"

#define FIRST_HEADS 64

/* FNV-1a. Account ids are random and ours, so nobody can aim at one chain. */
static uint64_t hash_of(const char *account)
{
    uint64_t h = 0xcbf29ce484222325u;
    for (; *account; account++)
        h = (h ^ (unsigned char)*account) * 0x100000001b3u;
    return h ^ h >> 32;
}

static size_t head_of(const struct chain *c, const char *account)
{
    uint64_t h = hash_of(account);
    size_t i = h & (c->low - 1);
    return i < c->split ? h & (c->low * 2 - 1) : i;
}

void chain_init(struct chain *c)
{
    *c = (struct chain){.low = FIRST_HEADS, .room = FIRST_HEADS * 2};
    c->heads = mem_alloc(c->room * sizeof(struct record *));
}

void chain_deinit(struct chain *c)
{
    free(c->heads);
    *c = (struct chain){.heads = NULL};
}

static void link_in(struct chain *c, struct record *r)
{
    struct record **head = &c->heads[head_of(c, record_string(r, RECORD_ACCOUNT))];
    r->prev = NULL;
    r->next = *head;
    if (r->next)
        r->next->prev = r;
    *head = r;
}

/* One chain becomes two. */
static void grow(struct chain *c)
{
    if (c->low + c->split == c->room) {
        c->room *= 2;
        c->heads = mem_grow(c->heads, c->room * sizeof(struct record *));
    }
    struct record *r = c->heads[c->split];
    c->heads[c->split] = NULL;
    c->heads[c->low + c->split] = NULL;
    if (++c->split == c->low) {
        c->low *= 2;
        c->split = 0;
    }
    while (r) {
        struct record *next = r->next;
        link_in(c, r);
        r = next;
    }
}

void chain_add(struct chain *c, struct record *r)
{
    if (++c->n > c->low + c->split)
        grow(c);
    link_in(c, r);
}

void chain_remove(struct chain *c, struct record *r)
{
    if (r->prev)
        r->prev->next = r->next;
    else
        c->heads[head_of(c, record_string(r, RECORD_ACCOUNT))] = r->next;
    if (r->next)
        r->next->prev = r->prev;
    c->n--;
}

struct record *chain_next(const struct chain *c, const char *account, const struct record *after)
{
    struct record *r = after ? after->next : c->heads[head_of(c, account)];
    while (r && strcmp(record_string(r, RECORD_ACCOUNT), account) != 0)
        r = r->next;
    return r;
}

size_t chain_bytes(const struct chain *c)
{
    return c->room * sizeof(struct record *);
}
