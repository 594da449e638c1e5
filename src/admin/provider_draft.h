/* SPDX-License-Identifier: Apache-2.0 */
/*
 * provider_draft: a provider as a request would have it, judged as if it were in force. Secrets go
 * their own way beside the settings, and what is wrong is told by setting. For admin's own files;
 * lives in op->more.
 */
#ifndef ADMIN_PROVIDER_DRAFT_H
#define ADMIN_PROVIDER_DRAFT_H

#include "admin/draft.h"
#include "store/provider_secret.h"

extern const struct draft_kind provider_draft_kind;

#define DRAFT_SECRETS_MAX 32
struct draft_secret {
    const char *key;
    enum secret_slot slot;
    struct secret *secret; /* NULL: it does not open, or is to go */
    int64_t created, expires;
    bool given, gone; /* by this request */
};

struct provider_draft {
    struct draft base;
    struct registry_options options;
    struct draft_secret secrets[DRAFT_SECRETS_MAX]; /* a replacement keeps those that are stored */
    size_t n_secrets;
    struct registry *registry; /* of this one provider */
    bool other_upstream;       /* not the one it was */
    bool other_way;            /* it is reached, or trusted, otherwise than before */
};

/* On the loop, from `begin`: makes op->more. */
void provider_draft_begin(struct op *op);
void provider_draft_drop(struct op *op);
/* On admin's thread. -1 with fields: it cannot be in force like this. */
int provider_draft_make(struct op *op, enum draft_mode mode, struct err *err)
    __attribute__((warn_unused_result));
/* Seals and keeps what was given, drops what is gone. Inside a transaction. */
int provider_draft_keep_secrets(struct db *db, struct op *op, struct err *err)
    __attribute__((warn_unused_result));
/* {"settings", "secrets": {key: "set" | "removed"}} for the audit. */
struct jval *provider_draft_became(const struct op *op);
/* A secret as it may be stored, from a member of a body. NULL with err. */
struct secret *provider_secret_of(struct op *op, const char *field, const struct jval *v,
                                  struct err *err);
/* ERR_CONFLICT if a file or the environment makes this provider. */
int provider_writable(const struct op *op, const char *id, struct err *err);

#endif
