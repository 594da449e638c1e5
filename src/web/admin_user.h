/* SPDX-License-Identifier: Apache-2.0 */
/* admin_user: what the pages about accounts and roles share. */
#ifndef WEB_ADMIN_USER_H
#define WEB_ADMIN_USER_H

#include "web/admin_page.h"

/* What to call somebody, of an answer with "name" and "username". */
const char *admin_user_name(const struct jval *user);
/* Whether it is the account of who asks. */
bool admin_user_self(const struct admin_visit *v, const char *account);
/* Ends the visit with the page of the account v->id, errors and all. */
void admin_user_page(struct admin_visit *v);

#endif
