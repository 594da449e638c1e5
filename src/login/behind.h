/* SPDX-License-Identifier: Apache-2.0 */
/*
 * behind: rows that are written without anybody waiting, because memory has decided already. What
 * a full queue or a failure loses here is found out by the store's error hook, and costs no more
 * than each function says.
 */
#ifndef LOGIN_BEHIND_H
#define LOGIN_BEHIND_H

#include "store/store.h"
#include "sys/loop.h"

/* A flow that failed was used; lost: after a restart its code would be sent once more, in vain. */
void behind_spend(struct store *s, struct loop *l, const unsigned char flow[16], int64_t expires);
/* A session that memory ended or never took, and its line in the audit; lost: after a restart it
 * lives until it expires. `why`: a literal. */
void behind_end_session(struct store *s, struct loop *l, const unsigned char hash[32],
                        const char *account, const char *why);

#endif
