/* SPDX-License-Identifier: Apache-2.0 */
#include "login/unkept.h"

#include <stdlib.h>

#include "store/upstream_token.h"
#include "sys/log.h"

#define ROWS 500 /* of one transaction */

struct job {
    struct store *store;
    struct loop *loop;
    struct registry *registry;
    size_t at; /* the provider that is looked at */
    bool found;
    int64_t n;
};

static void job_free(struct job *j)
{
    registry_free(&j->registry);
    free(j);
}

/* What is wrong with a provider's file must not cost anybody's tokens. */
static bool kept(const struct job *j, size_t i)
{
    const struct provider *p = registry_at(j->registry, i);
    return !p->usable || p->common.keep_tokens;
}

/* The first provider from `at` on that has tokens it should not have. */
static int look(struct db *db, void *arg, struct err *err)
{
    struct job *j = arg;
    j->found = false;
    for (; j->at < registry_count(j->registry); j->at++) {
        if (kept(j, j->at))
            continue;
        const int rc = upstream_token_any(db, registry_at(j->registry, j->at)->id, err);
        if (rc < 0)
            return -1;
        if ((j->found = rc == 1))
            return 0;
    }
    return 0;
}

static int forget(struct db *db, void *arg, struct err *err)
{
    struct job *j = arg;
    j->n = upstream_token_forget_provider(db, registry_at(j->registry, j->at)->id, ROWS, err);
    return j->n < 0 ? -1 : 0;
}

static void on_looked(void *arg, enum store_outcome outcome, const struct err *err);

static void on_forgotten(void *arg, enum store_outcome outcome, const struct err *err)
{
    struct job *j = arg;
    (void)err;
    if (outcome == STORE_DONE)
        log_event(NULL, LOG_INFO, "tokens.dropped",
                  LF_TEXT("provider", registry_at(j->registry, j->at)->id), LF_INT("n", j->n));
    if (outcome != STORE_DONE || !store_read(j->store, look, j->loop, on_looked, j))
        job_free(j);
}

static void on_looked(void *arg, enum store_outcome outcome, const struct err *err)
{
    struct job *j = arg;
    (void)err;
    if (outcome != STORE_DONE || !j->found ||
        !store_write(j->store, forget, j->loop, on_forgotten, j))
        job_free(j);
}

void unkept_forget(struct store *s, struct loop *l, struct registry *r)
{
    struct job *j = mem_alloc(sizeof *j);
    *j = (struct job){.store = s, .loop = l, .registry = registry_ref(r)};
    if (!store_read(s, look, l, on_looked, j))
        job_free(j);
}
