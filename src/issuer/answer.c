/* SPDX-License-Identifier: Apache-2.0 */
/* Calls and their ends: answers, errors by RFC 6749 5.2, counted and told. */
#include "app/client.h"
#include "issuer/parts.h"
#include "sys/clock.h"
#include "sys/log.h"

#define RETRY_SECONDS 5
#define ERROR_MAX 1024

static void count(struct issuer *i, const char *what, const char *grant, const char *outcome)
{
    static const struct metric metric = {.name = "usher_oauth_calls_total",
                                         .help = "Calls of apps by endpoint, grant and outcome.",
                                         .type = METRIC_COUNTER,
                                         .labels = {"endpoint", "grant", "outcome"}};
    if (i->o.metrics == NULL)
        return;
    size_t at = 0;
    for (; at < ISSUER_COUNTS && i->counts[at].series; at++)
        if (i->counts[at].what == what && i->counts[at].grant == grant &&
            i->counts[at].outcome == outcome)
            break;
    struct metric_series *series = at < ISSUER_COUNTS ? i->counts[at].series : NULL;
    if (series == NULL)
        series = metrics_series(i->o.metrics, &metric, what, grant ? grant : "", outcome);
    if (at < ISSUER_COUNTS && i->counts[at].series == NULL) {
        i->counts[at].what = what;
        i->counts[at].grant = grant;
        i->counts[at].outcome = outcome;
        i->counts[at].series = series;
    }
    metric_add(series, 1);
}

void issuer_repeated(struct issuer *i, enum issuer_about about)
{
    count(i, about == ISSUER_STORE ? "userinfo" : "introspect", NULL, "again");
}

struct call *call_open(struct issuer *i, const char *what, const struct issuer_call *in,
                       issuer_done_fn *done, void *arg)
{
    struct call *c = arena_alloc(in->arena, sizeof *c);
    *c = (struct call){.issuer = i,
                       .in = in,
                       .a = in->arena,
                       .apps = i->apps ? apps_ref(i->apps) : NULL,
                       .what = what,
                       .now = wall_seconds(clock_wall()),
                       .done = done,
                       .arg = arg};
    i->under_way++;
    return c;
}

/* One app's page reads nothing of what another is told. */
static const char *readable_from(const struct call *c)
{
    const char *origin = c->in->origin;
    if (!origin)
        return NULL;
    if (c->app)
        return client_lists(c->app->origins, str_of(origin)) ? origin : NULL;
    return c->apps && apps_have_origin(c->apps, origin) ? origin : NULL;
}

static void finish(struct call *c, const char *outcome, const struct issuer_answer *answer)
{
    struct issuer_answer told = *answer;
    told.origin = readable_from(c);
    count(c->issuer, c->what, c->grant, outcome);
    c->issuer->under_way--;
    c->done(c->arg, &told);
    /* what the answer tells may be the apps' */
    apps_free(&c->apps);
}

void call_answer(struct call *c, int status, struct str body)
{
    const struct issuer_answer answer = {.status = status, .body = body};
    finish(c, "done", &answer);
}

void call_answer_jwt(struct call *c, struct str token)
{
    const struct issuer_answer answer = {.status = 200, .body = token, .jwt = true};
    finish(c, "done", &answer);
}

void call_answer_again(struct call *c, struct str body)
{
    const struct issuer_answer answer = {.status = 200, .body = body, .again = true};
    finish(c, "done", &answer);
}

static void answer_error(struct call *c, struct issuer_answer *answer, const char *error,
                         const char *description)
{
    answer->body = str_of(
        arena_printf(c->a, "{\"error\":\"%s\",\"error_description\":\"%s\"}", error, description));
    finish(c, error, answer);
}

void call_refuse(struct call *c, const char *error, const char *description)
{
    struct issuer_answer answer = {.status = 400};
    if (strcmp(error, "invalid_client") == 0) {
        answer.status = 401;
        if (c->in->authorization)
            answer.www_authenticate = "Basic realm=\"usher\", charset=\"UTF-8\"";
    }
    log_event(c->in->log, LOG_INFO, "issuer.refused", LF_TEXT("endpoint", c->what),
              LF_TEXT("app", c->app ? c->app->id : ""), LF_TEXT("error", error),
              LF_TEXT("text", description));
    answer_error(c, &answer, error, description);
}

void call_challenge(struct call *c, int status, const char *header, const char *error,
                    const char *description)
{
    struct issuer_answer answer = {.status = status, .www_authenticate = header};
    answer_error(c, &answer, error ? error : "invalid_request", description);
}

void call_fail(struct call *c, const struct err *err)
{
    struct issuer_answer answer = {.status = 503, .retry_after = RETRY_SECONDS};
    const bool busy = err->kind == ERR_LIMITED;
    log_error(c->in->log, busy || err->kind == ERR_UPSTREAM_DOWN ? LOG_WARN : LOG_ERROR,
              "issuer.failed", err);
    answer_error(c, &answer, "temporarily_unavailable",
                 busy ? "too much is going on, come back later"
                      : "something that is needed does not work, come back later");
}

void call_store_failed(struct call *c, enum store_outcome outcome, const struct err *err)
{
    static const struct err unknown = {.kind = ERR_INTERNAL,
                                       .text = "nobody knows whether the store took it"};
    call_fail(c, outcome == STORE_UNKNOWN && err->kind == ERR_NONE ? &unknown : err);
}

int call_get(struct call *c, const char *name, const char **value)
{
    const int rc = form_get(c->in->form, name, value);
    if (rc < 0)
        call_refuse(c, "invalid_request", "a parameter came twice");
    if (rc != 1 || (*value)[0] != '\0')
        return rc;
    *value = NULL; /* RFC 6749 3.2: as if it were not there */
    return 0;
}
