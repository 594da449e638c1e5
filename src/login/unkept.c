/* SPDX-License-Identifier: Apache-2.0 */
#include "login/unkept.h"

#include <stdlib.h>

#include "store/upstream_token.h"
#include "sys/log.h"

#define ROWS 500 /* of one transaction */

struct unkept {
    struct store *store; /* NULL: nobody is interested any more, the store's answer frees */
    struct loop *loop;
    struct registry *registry; /* what the store's threads go by; NULL: nothing is under way */
    struct registry *next;     /* what came into force meanwhile; NULL: nothing */
    size_t at;                 /* the provider that is looked at */
    bool found;
    int64_t n;
};

/* What is wrong with a provider's file must not cost anybody's tokens. */
static bool kept(const struct unkept *u, size_t i)
{
    const struct provider *p = registry_at(u->registry, i);
    return !p->usable || p->common.keep_tokens;
}

/* The first provider from `at` on that has tokens it should not have. */
static int look(struct db *db, void *arg, struct err *err)
{
    struct unkept *u = arg;
    u->found = false;
    for (; u->at < registry_count(u->registry); u->at++) {
        if (kept(u, u->at))
            continue;
        const int rc = upstream_token_any(db, registry_at(u->registry, u->at)->id, err);
        if (rc < 0)
            return -1;
        if ((u->found = rc == 1))
            return 0;
    }
    return 0;
}

static int forget(struct db *db, void *arg, struct err *err)
{
    struct unkept *u = arg;
    u->n = upstream_token_forget_provider(db, registry_at(u->registry, u->at)->id, ROWS, err);
    return u->n < 0 ? -1 : 0;
}

static void on_looked(void *arg, enum store_outcome outcome, const struct err *err);

static void rest(struct unkept *u)
{
    registry_free(&u->registry);
    if (!u->store)
        free(u);
}

static void start(struct unkept *u)
{
    if (!store_read(u->store, look, u->loop, on_looked, u))
        rest(u);
}

/* First thing in every answer of the store. true: this is over, or begins anew by what is in force
 * now. */
static bool overtaken(struct unkept *u)
{
    if (u->store && !u->next)
        return false;
    registry_free(&u->registry);
    u->registry = u->next;
    u->next = NULL;
    u->at = 0;
    if (u->store)
        start(u);
    else
        rest(u);
    return true;
}

static void on_forgotten(void *arg, enum store_outcome outcome, const struct err *err)
{
    struct unkept *u = arg;
    (void)err;
    if (outcome == STORE_DONE)
        log_event(NULL, LOG_INFO, "tokens.dropped",
                  LF_TEXT("provider", registry_at(u->registry, u->at)->id), LF_INT("n", u->n));
    if (overtaken(u))
        return;
    if (outcome == STORE_DONE)
        start(u);
    else
        rest(u);
}

static void on_looked(void *arg, enum store_outcome outcome, const struct err *err)
{
    struct unkept *u = arg;
    (void)err;
    if (overtaken(u))
        return;
    if (outcome != STORE_DONE || !u->found ||
        !store_write(u->store, forget, u->loop, on_forgotten, u))
        rest(u);
}

struct unkept *unkept_new(struct store *s, struct loop *l)
{
    struct unkept *u = mem_alloc(sizeof *u);
    u->store = s;
    u->loop = l;
    return u;
}

void unkept_free(struct unkept **up)
{
    struct unkept *u = *up;
    if (!u)
        return;
    *up = NULL;
    u->store = NULL;
    registry_free(&u->next);
    if (!u->registry)
        free(u);
}

void unkept_forget(struct unkept *u, struct registry *r)
{
    if (u->registry) { /* the store's threads look at it */
        registry_free(&u->next);
        u->next = registry_ref(r);
        return;
    }
    u->registry = registry_ref(r);
    u->at = 0;
    start(u);
}
