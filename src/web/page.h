/* SPDX-License-Identifier: Apache-2.0 */
/*
 * page: HTML from src/web/html/ and error answers. An error has a kind that says whose fault it is;
 * the kind picks status, words and whether trying again makes sense. Texts of errors never reach a
 * page, the request id does. Paths below /api/ get JSON instead.
 */
#ifndef WEB_PAGE_H
#define WEB_PAGE_H

#include "base/json.h"
#include "web/app.h"

/* Renders html/<name>.html inside html/layout.html, or html/admin.html and html/account.html for
 * what begins with "admin-" and "account-"; takes `data`. */
void page_send(struct request *rq, const struct web_app *app, int status, const char *name,
               const char *title, struct jval *data);
/* Before page_send, for a page with a form of ours: under no-referrer browsers send `Origin: null`
 * with it, which proves nothing (Fetch, "append a request Origin header"). */
void page_has_form(struct request *rq);
/* The page for an error kind. `provider`: a provider's id, where "try again" leads, or NULL. */
void page_error(struct request *rq, const struct web_app *app, enum err_kind kind,
                const char *provider);
/* For the gate's refusals (serve_set_error_page). */
void page_refused(struct request *rq, int status, const char *what, void *app);

#endif
