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

struct showing {
    struct call call; /* that of nobody's endpoint */
    struct access_token_row row;
    const char *scope;
    issuer_bearer_fn *done;
    void *arg;
};

static enum issuer_bearer judge(const struct showing *s)
{
    const struct access_token_row *row = &s->row;
    if (!bearer_is_for_us(&s->call, row->resource))
        return ISSUER_BEARER_NONE;
    /* The app's scopes as of now: what it may no longer have, its older tokens do not open. */
    const struct app *app = client_find(&s->call, row->app);
    const bool may = row->account == NULL && issuer_request_has_scope(row->scopes, s->scope) &&
                     client_lists(app->common.scopes, str_of(s->scope));
    return may ? ISSUER_BEARER_GOOD : ISSUER_BEARER_SCOPE;
}

static void on_found(void *arg, int found)
{
    struct showing *s = arg;
    const enum issuer_bearer worth = found < 0    ? ISSUER_BEARER_UNKNOWN
                                     : found == 0 ? ISSUER_BEARER_NONE
                                                  : judge(s);
    apps_free(&s->call.apps);
    s->done(s->arg, worth);
}

void issuer_bearer(struct issuer *i, const struct issuer_shown *shown, issuer_bearer_fn *done,
                   void *arg)
{
    struct showing *s = arena_alloc(shown->arena, sizeof *s);
    *s = (struct showing){.call = {.issuer = i,
                                   .a = shown->arena,
                                   .apps = i->apps ? apps_ref(i->apps) : NULL,
                                   .what = "bearer",
                                   .now = wall_seconds(clock_wall())},
                          .scope = shown->scope,
                          .done = done,
                          .arg = arg};
    mint_find(&s->call, shown->token, &s->row, on_found, s);
}
