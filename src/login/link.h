/* SPDX-License-Identifier: Apache-2.0 */
/*
 * link: from a verified identity to an account and a session row, in one transaction. The rule of
 * this floor: (provider, subject) decides, e-mail never does.
 */
#ifndef LOGIN_LINK_H
#define LOGIN_LINK_H

#include "login/drive.h"
#include "store/account.h"
#include "store/session_row.h"

/* Groups in headers and rows: what goes beyond is left out, which can only take rights away. */
#define LINK_GROUPS_MAX 3000 /* bytes as JSON */

struct link {
    struct account_profile profile;
    struct session_row row;
    const unsigned char *ends_session; /* hash of the session this one replaces, or NULL */
    const unsigned char *flow;         /* spent with it */
    int64_t flow_expires;
    struct account account; /* out */
    struct arena *arena;    /* where row.roles goes */
    unsigned groups_left_out;
};

/* Everything but ids, times and the client; strings live in `a`. Groups become "provider:group". */
void link_fill(struct link *l, const char *provider, const struct drive_identity *id,
               struct arena *a);
/* Inside a transaction. ERR_NOT_ALLOWED for a disabled account. */
int link_write(struct db *db, struct link *l, struct err *err) __attribute__((warn_unused_result));

#endif
