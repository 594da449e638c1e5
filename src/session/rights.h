/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rights: what people may do, kept once for everybody who may do the same. A set is a combination
 * of roles that somebody has, with the permissions those roles bundle; sessions hold its number. A
 * role that is defined anew changes the sets it is in, in place, so that every session knows with
 * its next request.
 *
 * Roles and permissions are names of 1 to 64 of a-z 0-9 . _ : - and both are shown as header values
 * are: sorted, joined by ','. A role nobody defined is a role all the same, without permissions.
 * Permissions beyond RIGHTS_PERMISSIONS_MAX bytes are left out, the last ones first; rights_fits
 * tells who defines a role before it comes to that.
 *
 * One loop thread owns it. Set 0 is that of no roles and needs no counting.
 */
#ifndef SESSION_RIGHTS_H
#define SESSION_RIGHTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/text.h"
#include "store/db.h"

#define RIGHTS_NAME_MAX 64
#define RIGHTS_ROLES_MAX 32         /* of one account */
#define RIGHTS_PERMISSIONS_MAX 3000 /* bytes, joined: proxies take 4 to 8 kB of headers in all */

struct rights;
struct rights_view {
    const char *roles, *permissions; /* "" for none; borrowed until anything changes */
    uint32_t stamp;                  /* of the last change */
    bool cut;                        /* there would be more permissions */
};

bool rights_name(struct str name);

struct rights *rights_new(void);
/* What roles allow as the store has it, in a transaction, on its thread; the caller's. */
struct rights *rights_read(struct db *db, struct err *err) __attribute__((warn_unused_result));
void rights_free(struct rights **r);
/* A number that is higher than any given out before: for what else of a session may change. */
uint32_t rights_stamp(struct rights *r);

/* What a role allows: a JSON array of names; NULL: it is no longer defined. */
int rights_define(struct rights *r, const char *role, const char *permissions, struct err *err)
    __attribute__((warn_unused_result));
/* Nobody has the role any more, and it is not defined. */
void rights_forget(struct rights *r, const char *role);
/* Whether the sets there are would still hold all their permissions if the role had these. */
bool rights_fits(struct rights *r, const char *role, const char *permissions);

/* The set of these roles, a JSON array of names (NULL: none), counted; rights_drop gives it back.
 * On failure *set is 0. */
int rights_take(struct rights *r, const char *roles, uint32_t *set, struct err *err)
    __attribute__((warn_unused_result));
uint32_t rights_again(struct rights *r, uint32_t set); /* one more of it; returns it */
void rights_drop(struct rights *r, uint32_t set);
struct rights_view rights_show(const struct rights *r, uint32_t set);
size_t rights_sets(const struct rights *r); /* in use, set 0 aside */

#endif
