/* SPDX-License-Identifier: Apache-2.0 */
/*
 * slots: which of a provider's client secrets to try first. Normally the active one; after an
 * upstream refused it and took another (fall-over), that other one, until the upstream changes its
 * mind again. What is remembered is a keyed digest of the secret, not its slot and not the secret:
 * so it stays true when a promotion moves the secret to another slot, whatever registry a login in
 * flight still holds. In memory only, by provider id; one loop thread. A NULL memory is no memory.
 */
#ifndef PROVIDER_SLOTS_H
#define PROVIDER_SLOTS_H

#include "provider/registry.h"

struct slots;
struct slots *slots_new(void);
void slots_free(struct slots **s);

/* The slot to try first: the remembered secret's, else the active one, set or not. */
enum provider_slot slots_first(const struct slots *s, const struct provider *p);
/* The next slot to try after those in the set `tried` (bit 1 << slot). false: there is no secret
 * left that has not been tried; equal secrets are one. */
bool slots_other(const struct provider *p, unsigned tried, enum provider_slot *out);
/* The upstream took `worked` where it refused another. true: that is news; exactly one of many
 * logins that find it out at the same time hears it. */
bool slots_fell_over(struct slots *s, const struct provider *p, enum provider_slot worked);
/* "active", "next", "retiring". */
const char *slots_name(enum provider_slot slot);

#endif
