/* SPDX-License-Identifier: Apache-2.0 */
/* Access tokens shown to usher itself, which is an API like any other (RFC 6750, RFC 9068). */
#include "issuer/request.h"
#include "issuer/standing.h"
#include "sys/clock.h"

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
    const char *const us[] = {s->call.issuer->o.public_url, NULL};
    if (!scope_any(row->resource, us))
        return ISSUER_BEARER_NONE;
    return !row->account && issuer_request_has_scope(row->scopes, s->scope) ? ISSUER_BEARER_GOOD
                                                                            : ISSUER_BEARER_SCOPE;
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
    standing_find(&s->call, shown->token, &s->row, on_found, s);
}
