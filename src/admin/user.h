/* SPDX-License-Identifier: Apache-2.0 */
/* user: what the files about users share. For admin's own files. */
#ifndef ADMIN_USER_H
#define ADMIN_USER_H

#include "admin/op.h"

/* In a transaction: op->answer is the account op->id as admin_user_show tells it. ERR_NOT_FOUND. */
int user_answer(struct db *db, struct op *op, struct err *err) __attribute__((warn_unused_result));

#endif
