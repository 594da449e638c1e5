/* SPDX-License-Identifier: Apache-2.0 */
/*
 * admin_rehearsal: the page that sends an admin's browser into a rehearsal, for a provider that is
 * there and for a draft.
 */
#ifndef WEB_ADMIN_REHEARSAL_H
#define WEB_ADMIN_REHEARSAL_H

#include "web/admin_provider.h"

/* Ends the visit with what admin_provider_rehearse or the same of a draft answered. `back`: the
 * path to return to. */
void admin_rehearsal_begun(struct admin_visit *v, const struct jval *answer, const char *label,
                           const char *back);

#endif
