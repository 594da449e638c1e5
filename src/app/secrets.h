/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secrets: what apps authenticate with, in memory, so that asking for a token reads no store. Only
 * hashes are here, too. The store is the truth behind it: what is added or dropped there is told
 * here once it is durable. One loop thread owns it.
 */
#ifndef APP_SECRETS_H
#define APP_SECRETS_H

#include "base/text.h"
#include "store/app_secret.h"
#include "store/store.h"

#define APP_SECRET_LEN 47 /* "uas_" and base64url of 32 random bytes */
#define APP_SECRET_PREFIX "uas_"

struct app_secrets;
/* Reads them all and waits for it: before the loop runs. */
struct app_secrets *app_secrets_new(struct store *s, struct err *err)
    __attribute__((warn_unused_result));
void app_secrets_free(struct app_secrets **t);
/* To be filled by app_secrets_read, in a transaction, on any thread; what it had goes. */
struct app_secrets *app_secrets_empty(void);
int app_secrets_read(struct app_secrets *t, struct db *db, struct err *err)
    __attribute__((warn_unused_result));
/* Has what `from` was filled with, from now on; when they were used stays. `from` gets what was
 * there. */
void app_secrets_take(struct app_secrets *t, struct app_secrets *from);

/* A fresh secret (`secret` has room for APP_SECRET_LEN + 1; wipe it) and its hash. */
void app_secret_make(char *secret, unsigned char hash[32]);

/* Added, or changed: the row of that id. */
void app_secrets_put(struct app_secrets *t, const struct app_secret_row *row);
void app_secrets_drop(struct app_secrets *t, const char *id);
void app_secrets_drop_of(struct app_secrets *t, const char *app);
/* Whether the app has a secret that is good. */
bool app_secrets_has(const struct app_secrets *t, const char *app, int64_t now);

/* Whether this is a secret of that app, in a time that tells nothing about it; it counts as used.
 */
bool app_secrets_check(struct app_secrets *t, const char *app, struct str secret, int64_t now);
/* Grows with every one that is added, changed or dropped. */
uint64_t app_secrets_changes(const struct app_secrets *t);
/* Those used since the last call, at most `max`, for the write-behind of last_used. */
size_t app_secrets_take_used(struct app_secrets *t,
                             void (*each)(void *arg, const char *id, int64_t used), void *arg,
                             size_t max);

#endif
