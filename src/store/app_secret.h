/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app_secret: what apps authenticate with, as the store keeps it: the SHA-256 of a secret of 256
 * random bits, never the secret. Apps of files have theirs here, too. Functions run inside a
 * transaction, on its thread; times are seconds since 1970.
 */
#ifndef STORE_APP_SECRET_H
#define STORE_APP_SECRET_H

#include "store/db.h"

#define APP_SECRETS_MAX 2 /* of one app, valid at a time: the old one and its successor */

struct app_secret_row {
    const char *id; /* rng_id */
    const char *app;
    unsigned char hash[32];
    int64_t created;
    int64_t expires, last_used; /* 0: never */
};

/* 1; 0: the app has as many as it may have. */
int app_secret_add(struct db *db, const struct app_secret_row *row, struct err *err)
    __attribute__((warn_unused_result));
/* 1, or 0: the app has none of that id. */
int app_secret_drop(struct db *db, const char *app, const char *id, struct err *err)
    __attribute__((warn_unused_result));
/* All of an app; how many. */
int64_t app_secret_drop_of(struct db *db, const char *app, struct err *err)
    __attribute__((warn_unused_result));
/* From then on it is over; never later than it was. 1, or 0: the app has none of that id. */
int app_secret_expire(struct db *db, const char *app, const char *id, int64_t at, struct err *err)
    __attribute__((warn_unused_result));
/* Never back in time. */
int app_secret_touch(struct db *db, const char *id, int64_t used, struct err *err)
    __attribute__((warn_unused_result));
/* Of one app, or of all (NULL), oldest first; strings live until `each` returns; -1 from it, which
 * then says why in err, stops with -1. */
int app_secret_each(struct db *db, const char *app,
                    int (*each)(void *arg, const struct app_secret_row *row, struct err *err),
                    void *arg, struct err *err) __attribute__((warn_unused_result));

#endif
