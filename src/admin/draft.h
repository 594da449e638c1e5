/* SPDX-License-Identifier: Apache-2.0 */
/*
 * draft: a provider as a request would have it, judged as if it were in force. Body and stored row
 * are merged, secrets go their own way, and what is wrong is told by setting. For admin's own
 * files; lives in op->more.
 */
#ifndef ADMIN_DRAFT_H
#define ADMIN_DRAFT_H

#include "admin/op.h"
#include "store/provider_secret.h"
#include "store/settings_row.h"

enum draft_mode {
    DRAFT_ADD,     /* there must be none */
    DRAFT_REPLACE, /* what is absent is default; secrets stay */
    DRAFT_EDIT,    /* what is absent stays; null unsets */
    DRAFT_TRY,     /* add or replace, only to look: no version is asked for */
};

#define DRAFT_SECRETS_MAX 32
struct draft_secret {
    const char *key;
    enum secret_slot slot;
    struct secret *secret; /* NULL: it does not open, or is to go */
    int64_t created, expires;
    bool given, gone; /* by this request */
};

struct draft {
    struct config *hold;
    struct registry_options options;

    bool exists;
    struct settings_row row; /* as stored */
    struct jval *settings;   /* key and text, without secrets */
    struct draft_secret secrets[DRAFT_SECRETS_MAX];
    size_t n_secrets;
    struct registry *registry; /* of this one provider */
    bool other_upstream;       /* not the one it was */
    bool other_way;            /* it is reached, or trusted, otherwise than before */
};

/* On the loop, from `begin`: makes op->more. */
struct draft *draft_begin(struct op *op);
void draft_drop(struct op *op);
/* On admin's thread. -1 with fields: it cannot be in force like this. */
int draft_make(struct op *op, enum draft_mode mode, struct err *err)
    __attribute__((warn_unused_result));
/* The row, as text. */
const char *draft_settings(struct op *op, struct err *err);
/* Seals and keeps what was given, drops what is gone. Inside a transaction. */
int draft_keep_secrets(struct db *db, struct op *op, struct err *err)
    __attribute__((warn_unused_result));
/* {"settings", "secrets": {key: "set" | "removed"}} for the audit. */
struct jval *draft_became(const struct op *op);
/* A setting's value as an admin would write it in a file; NULL with a field. */
const char *draft_value(struct op *op, const char *key, const struct jval *v, struct err *err);
/* A secret as it may be stored, from a member of a body. NULL with err. */
struct secret *draft_secret_of(struct op *op, const char *field, const struct jval *v,
                               struct err *err);
/* ERR_STALE unless the request has seen this version; `needed`: it must say so. */
int draft_match(const struct op *op, int64_t version, bool needed, struct err *err);
/* ERR_CONFLICT if a file or the environment makes this provider. */
int draft_writable(const struct op *op, const char *id, struct err *err);

#endif
