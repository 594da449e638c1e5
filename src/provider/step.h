/* SPDX-License-Identifier: Apache-2.0 */
/*
 * step: one leg of one flow through a plugin: the host table, memory, budgets, and the judge of
 * what the plugin answers. Everything a plugin returns is bounded, copied into the leg's arena and
 * checked (UTF-8, no control bytes, URLs by base/url, header tokens, secrets only toward declared
 * origins) before anybody else sees it. Does no I/O itself: login/drive carries the actions out.
 */
#ifndef PROVIDER_STEP_H
#define PROVIDER_STEP_H

#include "base/arena.h"
#include "base/err.h"
#include "provider/registry.h"
#include "sys/log.h"

struct leg;
struct leg_budget {
    unsigned steps;    /* 16 */
    unsigned requests; /* 12 */
    size_t memory;     /* 1 MiB of host allocations */
};
extern const struct leg_budget leg_budget_default;

/* The provider and the log context must outlive the leg. */
struct leg *leg_new(const struct provider *p, enum usher_flow flow, const struct leg_budget *b,
                    const struct log_ctx *log);
void leg_free(struct leg **l);
struct arena *leg_arena(struct leg *l);
const struct provider *leg_provider(const struct leg *l);
enum usher_flow leg_flow(const struct leg *l);
/* The access token, for token_proof and USHER_VALUE_ACCESS_TOKEN; owned by the caller. */
void leg_set_access_token(struct leg *l, const struct secret *token);
/* Which client_secret the leg speaks with from now on; the active one unless told. */
void leg_set_slot(struct leg *l, enum provider_slot slot);
const struct secret *leg_client_secret(const struct leg *l);
/* One more request than the plugin asked for; false: the budget is used up. */
bool leg_spend_request(struct leg *l);
/* Issuer metadata was fetched and checked: its endpoints' origins count as declared. */
void leg_declare_origin(struct leg *l, const char *origin);
bool leg_origin_declared(const struct leg *l, const char *url);

/* One event in, one validated action out; strings live in the leg's arena. -1: the plugin broke a
 * rule or a budget (kind MISCONFIGURED, UPSTREAM_BAD or INTERNAL). A FAIL action is a success here.
 * Events must answer the action before them: EXCHANGE by TOKENS, VERIFY by CLAIMS, FETCH by
 * RESPONSES. JSON of an event is kept until the leg ends. In a REDIRECT the provider's `pkce`
 * setting has already had its say about USHER_SEND_PKCE. */
int leg_step(struct leg *l, const struct usher_event *ev, struct usher_action *out, struct err *err)
    __attribute__((warn_unused_result));
/* What a value stands for: *text, then the secret if one is returned (which has been checked to be
 * for a declared origin). For plain text and settings that are no secret, NULL and the text. */
const struct secret *leg_value(struct leg *l, const struct usher_param *v, const char **text);

#endif
