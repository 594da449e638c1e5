/* SPDX-License-Identifier: Apache-2.0 */
/* Access tokens shown to usher itself, which is an API like any other (RFC 6750, RFC 9068). */
#include "app/client.h"
#include "base/json.h"
#include "issuer/parts.h"
#include "issuer/request.h"
#include "sys/clock.h"

#define RESOURCE_MAX 8192

bool bearer_is_for_us(const struct call *c, const char *resource)
{
    struct err err = ERR_INIT;
    struct jval *list = jval_parse(str_of(resource), RESOURCE_MAX, 2, &err);
    bool found = false;
    for (size_t i = 0; !found && i < jval_count(list); i++) {
        const char *one = jval_text(jval_item(list, i));
        found = one && strcmp(one, c->issuer->o.public_url) == 0;
    }
    jval_free(&list);
    return found;
}

enum issuer_bearer issuer_bearer(struct issuer *i, struct arena *a, struct str token,
                                 const char *scope)
{
    struct call c = {
        .issuer = i, .a = a, .apps = i->apps, .what = "bearer", .now = wall_seconds(clock_wall())};
    struct access_token_row row;
    if (mint_find(&c, token, &row) != 1 || !bearer_is_for_us(&c, row.resource))
        return ISSUER_BEARER_NONE;
    /* The app's scopes as of now: what it may no longer have, its older tokens do not open. */
    const struct app *app = client_find(&c, row.app);
    const bool may = row.account == NULL && issuer_request_has_scope(row.scopes, scope) &&
                     client_lists(app->common.scopes, str_of(scope));
    return may ? ISSUER_BEARER_GOOD : ISSUER_BEARER_SCOPE;
}
