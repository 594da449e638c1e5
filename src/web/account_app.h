/* SPDX-License-Identifier: Apache-2.0 */
/*
 * account_app: apps that hold something of a person: tokens, or a remembered yes. Told on the
 * account's page, and taken back there.
 */
#ifndef WEB_ACCOUNT_APP_H
#define WEB_ACCOUNT_APP_H

#include "store/db.h"
#include "web/account_page.h"

/* One app; in the arena it was read into. */
struct account_app {
    const char *app;
    const char *scopes;    /* of what was granted last, parted by blanks; "" */
    int64_t since, last;   /* the first and the last time; seconds since 1970 */
    bool consent, offline; /* a remembered yes; goes on without the person */
};
#define ACCOUNT_APPS_MAX 200
/* In the order of the last time. -1, or 0 and the list. */
int account_app_read(struct db *db, const struct account_visit *v, struct arena *a,
                     struct account_app **out, size_t *n, struct err *err)
    __attribute__((warn_unused_result));
/* [{"id", "label", "scopes": in words, "since", "last", "offline"}] */
struct jval *account_app_list(const struct account_visit *v, const struct account_app *apps,
                              size_t n);

#endif
