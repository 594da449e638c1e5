/* SPDX-License-Identifier: Apache-2.0 */
#include "issuer/refusal.h"

#include <stdio.h>

#include "issuer/parts.h"
#include "store/trail.h"
#include "sys/log.h"

#define REASON_MAX 300

static struct audit_row row_of(const struct refusal *r, const char *action, const char *outcome)
{
    return (struct audit_row){.actor_kind = r->asker ? "app" : "account",
                              .actor = r->asker ? r->asker : r->account,
                              .ip = r->ip,
                              .user_agent = r->user_agent,
                              .action = action,
                              .object = r->asker ? r->account : r->app,
                              .provider = r->provider,
                              .app = r->app,
                              .outcome = outcome};
}

void refusal_by_app(struct issuer *i, const struct refusal *r)
{
    char reason[REASON_MAX];
    struct audit_row row = row_of(r, "app.access", "refused");
    (void)snprintf(reason, sizeof reason, "%s: %s", err_kind_name(ERR_NOT_ALLOWED), r->reason);
    row.reason = reason;
    trail_add(i->o.trail, &row);
    log_event(r->log, LOG_INFO, "app.denied", LF_TEXT("app", r->app),
              LF_TEXT("account", r->account), LF_TEXT("reason", r->reason));
}

void refusal_by_person(struct issuer *i, const struct refusal *r)
{
    const struct audit_row row = row_of(r, "grant.deny", "done");
    trail_add(i->o.trail, &row);
}
