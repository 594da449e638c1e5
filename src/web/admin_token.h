/* SPDX-License-Identifier: Apache-2.0 */
/*
 * admin_token: what the pages of both kinds of tokens share: a list, and a form that makes one. A
 * new token is in the answer to that form, and never again. For the web's own files; loop thread
 * only.
 */
#ifndef WEB_ADMIN_TOKEN_H
#define WEB_ADMIN_TOKEN_H

#include "web/admin_page.h"

/* {id, name, created, used, expires}, as the page shows one; `used`: which member says when it was.
 * The caller's. */
struct jval *admin_token_view(const struct admin_visit *v, const struct jval *one,
                              const char *used);
/* tokens and has_tokens, the one that was just made, what was typed into the form, the errors. The
 * list is taken. */
void admin_set_tokens(const struct admin_visit *v, struct jval *data, struct jval *list);
/* {"name", "expires"} of the form, the caller's; NULL: the day makes no sense, which is kept as an
 * error. */
struct jval *admin_token_body(struct admin_visit *v);

#endif
