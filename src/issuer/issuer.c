/* SPDX-License-Identifier: Apache-2.0 */
#include "issuer/issuer.h"

#include <stdlib.h>
#include <unistd.h>

#include "issuer/parts.h"

#define TICK_MS 60000
#define SIGNATURES_MAX 4096 /* waiting; a second's worth */
#define THREADS_MAX 16

static void on_tick(void *arg)
{
    struct issuer *i = arg;
    issuer_keys_tick(i->keys);
    loop_timer_set(i->timer, TICK_MS);
}

/* Beside the loop; one, where that leaves the machine's other processor to it. */
static unsigned threads_of(const struct issuer_options *o)
{
    const long cores = sysconf(_SC_NPROCESSORS_ONLN);
    if (o->threads > 0)
        return o->threads;
    return cores <= 2 ? 1 : cores > THREADS_MAX ? THREADS_MAX : (unsigned)cores - 1;
}

static uint32_t algs_of(const char *const *names)
{
    uint32_t algs = JWS_RS256;
    for (; names && *names; names++)
        algs |= jws_alg_by_name(*names);
    return algs;
}

static int open_keys(struct issuer *i, struct err *err)
{
    const struct issuer_keys_options o = {.loop = i->o.loop,
                                          .store = i->o.store,
                                          .work = i->work,
                                          .ring = i->o.keys,
                                          .algs = algs_of(i->o.algs),
                                          .lifetime = i->o.key_lifetime};
    i->keys = issuer_keys_new(&o, err);
    return i->keys ? 0 : -1;
}

struct issuer *issuer_new(const struct issuer_options *o, struct err *err)
{
    struct issuer *i = mem_alloc(sizeof *i);
    i->o = *o;
    i->timer = loop_timer_add(o->loop, on_tick, i);
    i->work = work_new(threads_of(o), SIGNATURES_MAX, err);
    if (!i->work || open_keys(i, err) < 0) {
        issuer_free(&i);
        return NULL;
    }
    metadata_render(i);
    issuer_keys_tick(i->keys);
    loop_timer_set(i->timer, TICK_MS);
    return i;
}

void issuer_free(struct issuer **ip)
{
    struct issuer *i = *ip;
    if (i == NULL)
        return;
    while (i->under_way > 0)
        loop_once(i->o.loop, 10);
    *ip = NULL;
    issuer_keys_free(&i->keys);
    work_free(&i->work);
    loop_timer_del(&i->timer);
    buf_deinit(&i->discovery);
    free(i);
}

struct str issuer_discovery(struct issuer *i)
{
    return buf_view(&i->discovery);
}

struct str issuer_jwks(struct issuer *i)
{
    return issuer_keys_document(i->keys);
}
