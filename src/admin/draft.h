/* SPDX-License-Identifier: Apache-2.0 */
/*
 * draft: a provider or an app as a request would have it, on its way into its row: what is stored,
 * and over it what the body says, key by key, every value as the text an admin would write in a
 * file. What the settings mean is judged as if they were in force, by who knows them:
 * admin/provider_draft.h and app_draft of admin/app.h, which begin with a `struct draft`; op->more
 * is one of them. For admin's own files, on admin's thread. Whoever begins it frees it.
 */
#ifndef ADMIN_DRAFT_H
#define ADMIN_DRAFT_H

#include "admin/op.h"
#include "store/settings_row.h"
#include "sys/conf_roster.h"

enum draft_mode {
    DRAFT_ADD,     /* there must be none */
    DRAFT_REPLACE, /* what is absent is default */
    DRAFT_EDIT,    /* what is absent stays; null unsets */
    DRAFT_TRY,     /* add or replace, only to look: no version is asked for */
    DRAFT_OWN      /* an edit of the app's own, whatever version it saw */
};

struct draft_kind {
    const struct conf_kind *of;
    enum settings_table table;
    size_t text_max; /* of the settings as JSON, in bytes */
    unsigned depth;
};

struct draft {
    const struct draft_kind *kind;
    struct config *hold; /* what it is judged by */
    bool exists;
    struct settings_row row; /* as stored */
    struct jval *settings;   /* by key */
};
void draft_free(struct draft *d);

/* ---- in the order of their use; -1 with err ---- */

/* op->object may be an id. */
int draft_judge_id(struct op *op, enum draft_mode mode, struct err *err);
/* Inside a transaction: `exists` and `row`. */
int draft_read(struct db *db, struct op *op, struct err *err) __attribute__((warn_unused_result));
/* Whether the mode fits what is stored, the request has seen it, and one more of `n` may be. */
int draft_judge_mode(const struct op *op, enum draft_mode mode, size_t n, struct err *err);
/* `settings` as they are before the body's are taken. */
void draft_open(struct op *op, enum draft_mode mode);
/* One of the body's: null and an empty text unset. */
int draft_take(struct op *op, const char *key, const struct jval *v, struct err *err);
/* A setting's value as an admin would write it in a file; NULL with a field. */
const char *draft_value(struct op *op, const char *key, const struct jval *v, struct err *err);

/* ---- in the transaction that changes ---- */

/* It is still as draft_read found it. 0, -1, or 1: refused. */
int draft_holds(struct db *db, struct op *op, struct err *err) __attribute__((warn_unused_result));
/* Adds or changes the row; its version is the number of the audit row. */
int draft_put(struct db *db, struct op *op, struct err *err) __attribute__((warn_unused_result));
/* The row of op->id, draft or not, if the request has seen it; `needed`: it must say so. 0, -1, or
 * 1: refused. */
int draft_seen(struct db *db, struct op *op, const struct draft_kind *kind, bool needed,
               struct settings_row *row, struct err *err) __attribute__((warn_unused_result));
/* What a row says, for the audit; the caller's. */
struct jval *draft_stored(const struct draft_kind *kind, const struct settings_row *row);

#endif
