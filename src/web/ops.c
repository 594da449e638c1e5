/* SPDX-License-Identifier: Apache-2.0 */
/* For the machines that watch us: alive, ready, and the figures (behind a bearer token, or over the
 * admin socket). */
#include <string.h>

#include "admin/admin.h"
#include "base/header.h"
#include "issuer/issuer.h"
#include "sys/clock.h"
#include "web/app.h"
#include "web/page.h"

#define METRICS_MAX (1024u * 1024)
#define METRICS_SCOPE "metrics"

void ops_health(struct request *rq, void *app)
{
    (void)app;
    reply_send(rq, 200, "text/plain; charset=utf-8", STR("ok\n"));
}

void ops_ready(struct request *rq, void *app_)
{
    const struct web_app *app = app_;
    if (app->ready)
        reply_send(rq, 200, "text/plain; charset=utf-8", STR("ready\n"));
    else
        reply_send(rq, 503, "text/plain; charset=utf-8", STR("stopping\n"));
}

struct scrape {
    struct request *rq;
    const struct web_app *app;
};

static void refuse(struct request *rq, enum issuer_bearer worth)
{
    const bool scope = worth == ISSUER_BEARER_SCOPE;
    if (worth == ISSUER_BEARER_UNKNOWN) {
        reply_header_static(rq, "Retry-After", "5");
        reply_send(rq, 503, "text/plain; charset=utf-8",
                   STR("Whether this token is good is not known now.\n"));
        return;
    }
    reply_header_static(rq, "WWW-Authenticate",
                        scope ? "Bearer realm=\"usher metrics\", error=\"insufficient_scope\", "
                                "scope=\"" METRICS_SCOPE "\""
                              : "Bearer realm=\"usher metrics\"");
    reply_send(rq, scope ? 403 : 401, "text/plain; charset=utf-8",
               scope ? STR("This token does not have the scope " METRICS_SCOPE ".\n")
                     : STR("A bearer token is needed.\n"));
}

static void observe(const struct web_app *app)
{
    static const struct metric sessions = {
        .name = "usher_sessions", .help = "Live sessions in memory.", .type = METRIC_GAUGE};
    static const struct metric bytes = {.name = "usher_sessions_bytes",
                                        .help = "Memory that live sessions use.",
                                        .type = METRIC_GAUGE};
    static const struct metric legs = {.name = "usher_logins_in_flight",
                                       .help = "Logins waiting for an upstream.",
                                       .type = METRIC_GAUGE};
    static const struct metric commits = {.name = "usher_store_commits",
                                          .help = "Commits of the store since start.",
                                          .type = METRIC_GAUGE};
    static const struct metric failures = {
        .name = "usher_store_failures", .help = "Writes the store refused.", .type = METRIC_GAUGE};
    static const struct metric dropped = {.name = "usher_log_dropped",
                                          .help = "Log lines dropped, the reader being too slow.",
                                          .type = METRIC_GAUGE};
    struct store_stats st = {0};
    store_get_stats(app->store, &st);
    struct metrics *m = app->metrics;
    metric_set(metrics_series(m, &sessions, NULL, NULL, NULL),
               (int64_t)sessions_count(app->sessions));
    metric_set(metrics_series(m, &bytes, NULL, NULL, NULL), (int64_t)sessions_bytes(app->sessions));
    metric_set(metrics_series(m, &legs, NULL, NULL, NULL), (int64_t)login_in_flight(app->login));
    metric_set(metrics_series(m, &commits, NULL, NULL, NULL), (int64_t)st.commits);
    metric_set(metrics_series(m, &failures, NULL, NULL, NULL), (int64_t)st.failures);
    metric_set(metrics_series(m, &dropped, NULL, NULL, NULL), (int64_t)log_dropped());
}

/* What only time changes is told as of now, straight from the registry: a slot that was emptied and
 * a provider that is gone leave nothing behind. Ids need no escaping. */
static void secret_line(struct buf *out, const char *what, const struct provider *p, int slot,
                        int64_t seconds)
{
    static const char *const names[PROVIDER_SLOTS] = {"active", "next", "retiring"};
    buf_printf(out, "usher_secret_%s_seconds{provider=\"%s\",slot=\"%s\"} %lld\n", what, p->id,
               names[slot], (long long)seconds);
}

static void secrets_render(const struct registry *r, const char *what, const char *help,
                           struct buf *out)
{
    const int64_t now = wall_seconds(clock_wall());
    const bool age = strcmp(what, "age") == 0;
    buf_printf(out, "# HELP usher_secret_%s_seconds %s\n# TYPE usher_secret_%s_seconds gauge\n",
               what, help, what);
    for (size_t i = 0; i < registry_count(r); i++) {
        const struct provider *p = registry_at(r, i);
        for (int slot = 0; slot < PROVIDER_SLOTS; slot++) {
            const int64_t at = age ? p->slots->v[slot].created : p->slots->v[slot].expires;
            if (p->slots->v[slot].set && at > 0)
                secret_line(out, what, p, slot, age ? now - at : at - now);
        }
    }
}

static void answer(void *arg, enum issuer_bearer worth)
{
    const struct scrape *s = arg;
    struct request *rq = s->rq;
    const struct web_app *app = s->app;
    if (worth != ISSUER_BEARER_GOOD) {
        refuse(rq, worth);
        return;
    }
    struct buf out;
    buf_init(&out, METRICS_MAX);
    observe(app);
    metrics_render(app->metrics, &out);
    secrets_render(app->registry, "age", "Age of a client secret by provider and slot.", &out);
    secrets_render(app->registry, "left", "Time until a client secret expires, if that is known.",
                   &out);
    if (!buf_ok(&out)) {
        page_error(rq, app, ERR_INTERNAL, NULL);
        buf_deinit(&out);
        return;
    }
    reply_send(rq, 200, "text/plain; version=0.0.4; charset=utf-8",
               (struct str){arena_dupn(request_arena(rq), out.p, out.n), out.n});
    buf_deinit(&out);
}

/* The token of usher.conf, an API token that may, or an app's access token with the scope. */
void ops_metrics(struct request *rq, void *app_)
{
    const struct web_app *app = app_;
    struct scrape *s = arena_alloc(request_arena(rq), sizeof *s);
    struct admin_actor actor;
    const char *value = NULL;
    struct str token;
    *s = (struct scrape){.rq = rq, .app = app};
    request_hold(rq);
    if (request_is_local(rq)) {
        answer(s, ISSUER_BEARER_GOOD);
        return;
    }
    if (request_header(rq, "Authorization", &value) != 1 ||
        !header_credentials(value, "Bearer", &token)) {
        answer(s, ISSUER_BEARER_NONE);
        return;
    }
    if ((app->metrics_token && secret_eq(app->metrics_token, token)) ||
        (admin_token_check(app->admin, token, &actor) == 1 && actor.scopes & ADMIN_METRICS))
        answer(s, ISSUER_BEARER_GOOD);
    else if (app->issuer == NULL)
        answer(s, ISSUER_BEARER_NONE);
    else
        issuer_bearer(app->issuer,
                      &(const struct issuer_shown){request_arena(rq), token, METRICS_SCOPE}, answer,
                      s);
}
