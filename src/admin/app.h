/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app: what admin's files about apps share: an app as admins see it, from what is in force and what
 * is stored, and an app as a request would have it. For admin's own files.
 */
#ifndef ADMIN_APP_H
#define ADMIN_APP_H

#include "admin/draft.h"
#include "app/source.h"
#include "store/app_secret.h"

/* ---- app_view.c: {"id": …} as admin/admin.h says ---- */

/* Inside a transaction: rows and secrets of all apps, or of one: {"rows": {id: {"settings",
 * "version"}}, "secrets": {id: […]}}; the caller's. NULL with err. */
struct jval *app_view_read(struct db *db, const char *id, struct err *err);
/* On the loop. `stored`: of app_view_read. NULL: there is no such app. The caller's. */
struct jval *app_view(const struct op *op, const char *id, const struct jval *stored);
/* All of them, in the order of ids. */
struct jval *app_view_all(const struct op *op, const struct jval *stored);
/* Work and finish of what answers with one app, op->id; and the end of a change. */
op_fn app_view_work, app_view_finish;
int app_view_keep(struct op *op, struct err *err);

/* ---- app.c: how an app, op->id, goes ---- */

/* Its row of that version, and its secrets with it, so that an app of the same id begins without
 * any. */
int app_drop(struct db *db, struct op *op, int64_t version, struct err *err);
/* The finish of it: out of memory, too. */
op_fn app_dropped;

/* ---- app_draft.c ---- */

extern const struct draft_kind app_draft_kind;

struct app_draft {
    struct draft base;
    struct apps_options options;
    struct apps *apps; /* of this one app */
};
/* On the loop, from `begin`: makes op->more; or of `d`, the first member of what is that already.
 */
void app_draft_begin(struct op *op);
void app_draft_begin_at(struct op *op, struct app_draft *d);
void app_draft_drop(struct op *op);
/* On admin's thread. -1 with fields: it cannot be in force like this. */
int app_draft_make(struct op *op, enum draft_mode mode, struct err *err)
    __attribute__((warn_unused_result));
/* ERR_CONFLICT if a file makes this app. */
int app_writable(const struct op *op, const char *id, struct err *err);
/* ERR_NOT_FOUND unless the id makes sense; for `begin`. */
int app_named(const struct op *op, struct err *err);

#endif
