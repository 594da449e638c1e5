/* SPDX-License-Identifier: Apache-2.0 */
/*
 * host: the functions a plugin may call, and what they work on: one provider and one arena with a
 * budget. A call that cannot go on (memory spent, a function that is not for `check`) does not
 * return to the plugin: it jumps back to host_run, which is why plugins hold nothing that would
 * have to be released. One thread at a time per host.
 */
#ifndef PROVIDER_HOST_H
#define PROVIDER_HOST_H

#include <setjmp.h>

#include "base/arena.h"
#include "base/err.h"
#include "provider/registry.h"
#include "sys/log.h"
#include "sys/seal.h"

struct host {
    struct usher_call call; /* first: a struct usher_call * is a struct host * */
    const struct provider *provider;
    struct arena *arena;
    size_t left;   /* bytes the plugin may still have */
    bool checking; /* `check` runs: alloc, text and setting only */
    const struct log_ctx *log;
    const struct secret *token; /* this flow's access token, or NULL */
    enum provider_slot slot;    /* which client_secret this leg speaks with */
    struct err broken;          /* set: the leg has failed, whatever the plugin answers */
    jmp_buf *escape;
};

void host_init(struct host *h, const struct provider *p, enum usher_flow flow, struct arena *a,
               size_t memory);
/* Run fn(h, arg) so that a host function can end it early. -1: it did, and *err says why. */
int host_run(struct host *h, void (*fn)(struct host *h, void *arg), void *arg, struct err *err)
    __attribute__((warn_unused_result));

/* A secret of the provider as this leg uses it; NULL if unset or unknown. */
const struct secret *host_secret(const struct host *h, const char *key);

/* A setting of the provider as text, as struct usher_host says; NULL if unset or unknown.
 */
const char *host_setting(const struct provider *p, const char *key, struct arena *a);

#endif
