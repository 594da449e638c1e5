/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app_keys: the public keys of apps, from their settings or from where they publish them. What is
 * fetched is kept for a while, and asked for again when a key is missing, as often as the cache
 * allows; sets are parsed once. One loop thread owns it.
 */
#ifndef ISSUER_APP_KEYS_H
#define ISSUER_APP_KEYS_H

#include "app/app.h"
#include "net/fetch.h"
#include "sys/jose.h"

struct app_keys;
struct app_keys *app_keys_new(struct loop *l, struct fetch *f); /* f NULL: nothing is fetched */
/* No call of app_keys_get may be under way. */
void app_keys_free(struct app_keys **k);

/* Once, maybe from within; the set is borrowed, NULL: it cannot be had now. */
typedef void app_keys_fn(void *arg, struct jwks *set);
/* `force`: one that is fresh, as far as may be. */
void app_keys_get(struct app_keys *k, const struct app *app, bool force, app_keys_fn *done,
                  void *arg);

#endif
