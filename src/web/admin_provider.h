/* SPDX-License-Identifier: Apache-2.0 */
/*
 * admin_provider: what the pages about one provider share.
 */
#ifndef WEB_ADMIN_PROVIDER_H
#define WEB_ADMIN_PROVIDER_H

#include "web/admin_page.h"

/* Reads the provider `v->id` and its plugin into v->provider and v->plugin (NULL when it does not
 * load), then calls `then`; on an error, ends the visit. */
typedef void admin_then(struct admin_visit *v);
void admin_with_provider(struct admin_visit *v, admin_then *then);
/* The provider's page, with the errors that were kept. */
void admin_provider_page(struct admin_visit *v);
/* has_providers and providers, for admin-provider-table.html. */
void admin_set_providers(const struct admin_visit *v, struct jval *data, const struct jval *list);
/* callback_url, has_steps, steps and home, for admin-callback.html, and has_rotate_steps and
 * rotate_steps. `service`: a name of
 * provider/upstream.h that is preferred to the plugin's own steps. */
void admin_set_callback(const struct admin_visit *v, struct jval *data, const char *id,
                        const char *service);
/* "\"7\"" of a posted version; "" of anything else, which no provider has. */
const char *admin_version(const struct admin_visit *v);
/* The path of the provider's page. */
const char *admin_provider_path(const struct admin_visit *v);

#endif
