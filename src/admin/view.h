/* SPDX-License-Identifier: Apache-2.0 */
/*
 * view: a provider as admins see it: what is in force (the registry), what is stored (the row, as
 * it was typed), and how logins went. For admin's own files.
 */
#ifndef ADMIN_VIEW_H
#define ADMIN_VIEW_H

#include "admin/op.h"

/* Inside a transaction: the rows of all providers, or of one, as {id: {"settings", "secrets",
 * "version"}}; the caller's. NULL with err. */
struct jval *view_rows(struct db *db, const char *id, struct err *err);
/* On the loop. p: as in force, NULL: not yet. row: out of view_rows, NULL: it is no row. The
 * caller's. */
struct jval *view_provider(const struct op *op, const struct provider *p, const char *id,
                           const struct jval *row);
/* All of them, in display order. */
struct jval *view_all(const struct op *op, const struct jval *rows);
/* What differs from the defaults of a table, as an admin would write it. `config` NULL: nothing. */
void view_settings(struct jval *out, const struct usher_setting *rows, size_t n,
                   const void *config);
/* "\"17\"" */
void view_etag(int64_t version, char out[32]);

/* The work and the finish of operations that answer with one provider, op->id. */
op_fn view_one_work, view_one_finish;
/* Keeps rows for view_one_finish; for the end of a change. */
int view_keep(struct op *op, struct err *err);

#endif
