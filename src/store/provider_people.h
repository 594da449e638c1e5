/* SPDX-License-Identifier: Apache-2.0 */
/*
 * provider_people: who came through a provider of that id, whatever made it. Inside a transaction,
 * on its thread.
 */
#ifndef STORE_PROVIDER_PEOPLE_H
#define STORE_PROVIDER_PEOPLE_H

#include "store/db.h"

struct provider_people {
    int64_t accounts, sessions;
};
int provider_people_count(struct db *db, const char *id, struct provider_people *out,
                          struct err *err) __attribute__((warn_unused_result));

#endif
