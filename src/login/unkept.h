/* SPDX-License-Identifier: Apache-2.0 */
/*
 * unkept: forgets tokens of providers that keep none any more (keep_tokens = no). Those of a
 * provider that is not configured at all stay, sealed: its file may only be away for a moment. What
 * is in force decides, also while rows are being forgotten. One loop thread.
 */
#ifndef LOGIN_UNKEPT_H
#define LOGIN_UNKEPT_H

#include "provider/registry.h"
#include "store/store.h"
#include "sys/loop.h"

struct unkept;
struct unkept *unkept_new(struct store *s, struct loop *l);
void unkept_free(struct unkept **u); /* the store's answer frees what it still has */
/* This is in force from now on; a reference is taken. Looks, and writes only if there is something
 * to forget; nobody waits for it. What fails is told by the store's error hook and done at the next
 * start or reload. */
void unkept_forget(struct unkept *u, struct registry *r);

#endif
