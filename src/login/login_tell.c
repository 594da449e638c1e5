/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "login/login_parts.h"
#include "sys/clock.h"

void login_count(const struct login *l, const char *provider, const char *outcome)
{
    static const struct metric metric = {.name = "usher_logins_total",
                                         .help = "Logins by provider and how they ended.",
                                         .type = METRIC_COUNTER,
                                         .labels = {"provider", "outcome"}};
    if (l->o.metrics)
        metric_add(metrics_series(l->o.metrics, &metric, provider, outcome, NULL), 1);
}

void login_tell_outcome(const struct leg_run *r, const struct err *err)
{
    const struct login_options *o = &r->login->o;
    if (o->on_outcome)
        o->on_outcome(o->on_outcome_arg, r->provider->id, err);
}

void login_observe(const struct login *l, const char *provider, const char *step, int64_t ms)
{
    static const struct metric metric = {.name = "usher_upstream_seconds",
                                         .help = "Time of upstream answers by provider and step.",
                                         .type = METRIC_HISTOGRAM,
                                         .labels = {"provider", "step"},
                                         .bounds = metrics_latency_bounds};
    if (l->o.metrics)
        metric_observe(metrics_series(l->o.metrics, &metric, provider, step, NULL),
                       (double)ms / 1000);
}

void login_on_observed(void *arg, const char *step, int64_t ms)
{
    const struct leg_run *r = arg;
    login_observe(r->login, r->provider->id, step, ms);
}

void login_fell_over(const struct login *l, const struct log_ctx *log, const char *provider,
                     enum provider_slot from, enum provider_slot to)
{
    static const struct metric metric = {
        .name = "usher_credential_fallovers_total",
        .help = "Changes to another client secret because the upstream refused the one in use.",
        .type = METRIC_COUNTER,
        .labels = {"provider"}};
    const struct login_options *o = &l->o;
    if (o->metrics)
        metric_add(metrics_series(o->metrics, &metric, provider, NULL, NULL), 1);
    log_event(log, LOG_WARN, "credentials.fell_over", LF_TEXT("provider", provider),
              LF_TEXT("from", slots_name(from)), LF_TEXT("to", slots_name(to)));
    if (o->on_fallover)
        o->on_fallover(o->on_fallover_arg, provider, from, to);
}

void login_on_fell_over(void *arg, enum provider_slot from, enum provider_slot to)
{
    const struct leg_run *r = arg;
    login_fell_over(r->login, r->log, r->provider->id, from, to);
}

/* Whose fault it was decides how loudly it is said. */
static enum log_level level_of(enum err_kind kind)
{
    switch (kind) {
    case ERR_MISCONFIGURED:
    case ERR_INTERNAL:
        return LOG_ERROR;
    case ERR_UPSTREAM_DOWN:
    case ERR_UPSTREAM_BAD:
    case ERR_LIMITED:
        return LOG_WARN;
    default:
        return LOG_INFO;
    }
}

void login_tell_failure(const struct login *l, const struct log_ctx *log, const char *provider,
                        struct mono began, const struct err *err)
{
    login_count(l, provider, err_kind_name(err->kind));
    log_event(log, level_of(err->kind), "login.failed", LF_TEXT("provider", provider),
              LF_TEXT("kind", err_kind_name(err->kind)), LF_TEXT("text", err->text),
              LF_INT("ms", mono_ms(began, clock_mono())));
}

/* What costs nobody anything is counted; the rest is a row each, as long as there are not too many.
 * Error texts are our own words (base/err.h). */
void login_record_failure(const struct login *l, const struct attempt *who, const char *account,
                          const struct err *err)
{
    char reason[sizeof err->text + 32];
    (void)snprintf(reason, sizeof reason, "%s: %s", err_kind_name(err->kind), err->text);
    const struct audit_row row = {.actor_kind = account[0] ? "account" : "nobody",
                                  .actor = account,
                                  .ip = who->ip,
                                  .request_id = who->request_id,
                                  .user_agent = who->user_agent,
                                  .action = "login.failed",
                                  .object = "",
                                  .provider = who->provider,
                                  .outcome = "failed",
                                  .reason = reason};
    if (who->begun)
        trail_add(l->o.trail, &row);
    else
        trail_count(l->o.trail, &row);
}
