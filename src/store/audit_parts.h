/* SPDX-License-Identifier: Apache-2.0 */
/* audit_parts: what adding, reading and chaining rows share: the order of a row's columns. */
#ifndef STORE_AUDIT_PARTS_H
#define STORE_AUDIT_PARTS_H

#include "store/audit.h"

/* Every text, in the order of the statements in audit.sql and of the hash. Never in another. */
#define AUDIT_TEXTS(r)                                                                             \
    (r)->actor_kind, (r)->actor, (r)->actor_name, (r)->ip, (r)->request_id, (r)->user_agent,       \
        (r)->action, (r)->object, (r)->provider, (r)->app, (r)->was, (r)->became, (r)->outcome,    \
        (r)->reason

/* From a statement with all columns, the hash last; the strings stay the statement's. */
void audit_read_row(struct db_stmt *st, struct audit_row *row);

#endif
