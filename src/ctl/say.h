/* SPDX-License-Identifier: Apache-2.0 */
/* say: one call of the API and its answer for people: a list, or a sentence. */
#ifndef CTL_SAY_H
#define CTL_SAY_H

#include "ctl/client.h"
#include "ctl/table.h"

#define COLUMNS(v) (v), sizeof(v) / sizeof *(v)

struct say_list {
    const char *path, *member; /* where to ask, and which member of the answer is the list */
    const char *none;          /* said when it is empty */
};
int say_list(struct ctl *c, const struct say_list *l, const struct table_column *columns, size_t n);
/* `done` when it was. */
int say_done(struct ctl *c, const struct client_call *call, const char *done);
/* Asks, unless --yes was given: CTL_DONE to go on, CTL_REFUSED for a no. */
int say_sure(const struct ctl_args *a, const char *question);
/* {"force":true} with --force, else NULL. */
struct jval *say_force(const struct ctl_args *a);

#endif
