/* SPDX-License-Identifier: Apache-2.0 */
/*
 * registration: who may register an app, and who may manage one that did, from memory: initial
 * tokens (store/initial_token.h) and registration access tokens (store/registration.h) by their
 * hashes. For admin's own files; the store is the truth behind it, and the transaction that uses a
 * token up decides.
 */
#ifndef ADMIN_REGISTRATION_H
#define ADMIN_REGISTRATION_H

#include "admin/op.h"
#include "issuer/handle.h"
#include "store/initial_token.h"
#include "store/registration.h"

#define REGISTRATION_TOKENS_MAX 1000
/* Both are made as in issuer/handle.h. */
#define REGISTRATION_INITIAL "uit_"
#define REGISTRATION_ACCESS "uma_"

struct registrations;
struct registrations *registrations_new(void);
void registrations_free(struct registrations **r);
int registrations_read(struct registrations *r, struct db *db, struct err *err)
    __attribute__((warn_unused_result)); /* as tokens_read */
/* Made and durable. */
void registrations_put_initial(struct registrations *r, const struct initial_token_row *row);
void registrations_put_app(struct registrations *r, const struct registration_row *row);
/* Used, ended; the app is gone. */
void registrations_drop_initial(struct registrations *r, const char *id);
void registrations_drop_app(struct registrations *r, const char *app);
/* Since when the app is there by itself; 0: it is not, as far as memory knows. */
int64_t registrations_since(const struct registrations *r, const char *app);
size_t registrations_initial_count(const struct registrations *r);

#endif
