/* SPDX-License-Identifier: Apache-2.0 */
/*
 * refresh: an access token of somebody's, fresh, where their provider keeps tokens. One that still
 * works comes from the store; else it is renewed, once for however many ask at the same time, on
 * this process and on others. What the upstream gave in its place is durable before anybody has
 * it. When the upstream does not honour the refresh token any more, all is forgotten and said.
 * One loop thread.
 */
#ifndef LOGIN_REFRESH_H
#define LOGIN_REFRESH_H

#include "login/login.h"

struct refresh_ask {
    const char *provider, *account;
    const char *subject; /* which identity, if there are several; "": no matter */
};
struct refresh_token {
    const struct secret *access;
    const char *scope;  /* NULL: not said */
    int64_t expires_in; /* seconds, -1: not said */
};
/* Once, never from within. The token lives until it returns. ERR_NOT_FOUND: none is kept;
 * ERR_EXPIRED: it ran out and cannot be renewed, the person has to sign in again; the rest is as
 * with a sign-in. */
typedef void refresh_done_fn(void *arg, const struct refresh_token *t, const struct err *err);
void refresh_get(struct login *l, const struct refresh_ask *ask, refresh_done_fn *done, void *arg);

#endif
