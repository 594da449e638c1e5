/* SPDX-License-Identifier: Apache-2.0 */
/*
 * people: what operations on users and on roles have in common: ids judged, rights worked out from
 * what is stored, and memory told. For admin's own files.
 */
#ifndef ADMIN_PEOPLE_H
#define ADMIN_PEOPLE_H

#include "admin/op.h"
#include "session/rights.h"

/* On the loop: `id` could be an account's, or ERR_NOT_FOUND. Who is an admin is changed only by
 * those who may change who is: ERR_NOT_ALLOWED. */
int people_account(const char *id, struct err *err) __attribute__((warn_unused_result));
int people_may_touch(const struct op *op, const char *account, struct err *err)
    __attribute__((warn_unused_result));
/* ERR_INVALID, with words that say what a role's name is. */
int people_role_name(const char *name, struct err *err) __attribute__((warn_unused_result));

/* In a transaction: what an account with these roles (JSON, NULL: none) may do; strings in the
 * operation's arena. */
int people_rights(struct db *db, const char *roles, struct op *op, struct rights_view *out,
                  struct err *err) __attribute__((warn_unused_result));
/* A list of the names in a rights_view; the caller's. */
struct jval *people_names(const char *joined);

/* On the loop, once it is durable: an account's roles, as JSON; NULL: none. */
int people_tell_roles(struct op *op, const char *account, const char *roles, struct err *err)
    __attribute__((warn_unused_result));

#endif
