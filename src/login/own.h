/* SPDX-License-Identifier: Apache-2.0 */
/*
 * own: what people do with their own account besides signing in and joining: an identity is
 * unlinked, the account is deleted. Store, audit and the sessions in memory together: what is
 * answered as done is durable and in force with the next request. One loop thread; `done` is called
 * once, maybe from within. Whether the request is the person's own will (same origin, a recent
 * sign-in) is for the caller to judge.
 */
#ifndef LOGIN_OWN_H
#define LOGIN_OWN_H

#include "login/login.h"

struct own_caller {
    const struct session_view *session;       /* of the person; copied */
    const char *ip, *user_agent, *request_id; /* for the record; copied; may be NULL */
};
/* err NULL: done. */
typedef void own_done_fn(void *arg, const struct err *err);

/* By its handle (account_handle). Sessions that came through it end, but the caller's own.
 * ERR_NOT_FOUND: the account has no such identity; ERR_CONFLICT: it is the last one. */
void own_unlink(struct login *l, const struct own_caller *c, const char *handle, own_done_fn *done,
                void *arg);
/* Everything of the account goes, all its sessions end. ERR_CONFLICT: it is the only admin's. */
void own_delete(struct login *l, const struct own_caller *c, own_done_fn *done, void *arg);

#endif
