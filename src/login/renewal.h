/* SPDX-License-Identifier: Apache-2.0 */
/*
 * renewal: one leg without a browser, with tokens that the caller has claimed
 * (store/upstream_token): a REFRESH or a RECHECK. What the upstream gives in place of them is
 * durable before `done` is called, and written as soon as it is there, because what was sent is
 * worth nothing from then on. The claim stays the caller's to end. One loop thread.
 */
#ifndef LOGIN_RENEWAL_H
#define LOGIN_RENEWAL_H

#include "login/login.h"
#include "store/upstream_token.h"

struct renewal;
struct renewal_args {
    const char *provider;         /* id, as configured when it begins */
    enum usher_flow flow;         /* REFRESH or RECHECK */
    struct upstream_token *token; /* moved: the caller's is empty afterwards */
    const struct log_ctx *log;    /* NULL: none; lives until done */
};
/* Once, never from within renewal_start. `id` or `err`; both live until the renewal is freed.
 * ERR_EXPIRED: the upstream does not honour the tokens; ERR_CONFLICT: new ones came, but the row
 * has others by now or is gone. */
typedef void renewal_done_fn(void *arg, const struct drive_identity *id, const struct err *err);
struct renewal *renewal_start(struct login *l, const struct renewal_args *a, renewal_done_fn *done,
                              void *arg);
/* The tokens as the store has them. */
const struct upstream_token *renewal_token(const struct renewal *r);
void renewal_free(struct renewal **r); /* no callback; also within done */

/* What a leg obtained, as the store keeps it; strings are the drive's, secrets are copies. */
struct upstream_token renewal_kept(const char *provider, const char *subject,
                                   const struct drive_tokens *t);

#endif
