/* SPDX-License-Identifier: Apache-2.0 */
/*
 * admin_app: what the pages of one app share. The app lies in v->provider, the settings table that
 * describes it in v->plugin, both as admin/admin.h and admin_form.h have them. For the web's own
 * files; loop thread only.
 */
#ifndef WEB_ADMIN_APP_H
#define WEB_ADMIN_APP_H

#include "web/admin_page.h"

typedef void admin_app_then(struct admin_visit *v);

/* Reads the app v->id, then goes on; if there is none, says so and ends the visit. */
void admin_with_app(struct admin_visit *v, admin_app_then *then);
/* The page of one, with what v->errors say, and a secret that was just made in v->more. */
void admin_app_page(struct admin_visit *v);
/* "/admin/apps/wiki"; in the visit's arena. */
const char *admin_app_path(const struct admin_visit *v);
/* {"settings": rows}: the table of what an app can be set to; the caller's. */
struct jval *admin_app_table(void);
/* List of {path, methods, require}; the caller's. */
struct jval *admin_app_rules(const struct jval *settings);
/* What could not be done is said on the page of the app, what is of no use there on one of its
 * own. */
void admin_app_settle(struct admin_visit *v, const struct admin_answer *answer, const char *did);

#endif
