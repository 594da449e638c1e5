/* SPDX-License-Identifier: Apache-2.0 */
#include "live/report.h"

#include <string.h>

#include "live/diff.h"
#include "sys/clock.h"
#include "sys/log.h"

#define PROBLEMS_LOGGED 20u

/* ---- metrics --------------------------------------------------------------------------------- */

static void count(const struct report *r, const char *outcome)
{
    static const struct metric metric = {.name = "usher_config_reloads_total",
                                         .help = "Reloads of the configuration by outcome.",
                                         .type = METRIC_COUNTER,
                                         .labels = {"outcome"}};
    if (r->metrics)
        metric_add(metrics_series(r->metrics, &metric, outcome, NULL, NULL), 1);
}

static void gauges(const struct report *r, bool ok)
{
    static const struct metric is_ok = {
        .name = "usher_config_ok",
        .help = "1: nothing is wrong with the configuration as it lies there.",
        .type = METRIC_GAUGE};
    static const struct metric generation = {.name = "usher_config_generation",
                                             .help = "Counts the configurations put in force.",
                                             .type = METRIC_GAUGE};
    if (!r->metrics)
        return;
    metric_set(metrics_series(r->metrics, &is_ok, NULL, NULL, NULL), ok);
    metric_set(metrics_series(r->metrics, &generation, NULL, NULL, NULL),
               (int64_t)r->status.generation);
}

/* ---- life ------------------------------------------------------------------------------------ */

static const char *const nothing[] = {NULL};

void report_init(struct report *r, struct metrics *metrics)
{
    memset(r, 0, sizeof *r);
    r->metrics = metrics;
    r->arena = arena_new();
    conf_problems_init(&r->problems);
    r->status.why = "start";
    r->status.restart = nothing;
}

void report_deinit(struct report *r)
{
    conf_problems_deinit(&r->problems);
    arena_free(&r->arena);
}

void report_status(const struct report *r, struct live_status *out)
{
    *out = r->status;
    out->problems = &r->problems;
}

/* ---- telling --------------------------------------------------------------------------------- */

static void tell_provider(const struct provider *p)
{
    if (p->usable)
        log_event(NULL, LOG_INFO, "provider.ready", LF_TEXT("provider", p->id),
                  LF_TEXT("plugin", p->common.plugin), LF_BOOL("fake", p->fake));
    else
        log_event(NULL, LOG_WARN, "provider.unusable", LF_TEXT("provider", p->id),
                  LF_TEXT("reason", p->reason));
    for (size_t i = 0; p->usable && p->insecure[i]; i++)
        log_event(NULL, LOG_WARN, "daemon.insecure", LF_TEXT("provider", p->id),
                  LF_TEXT("setting", p->insecure[i]));
}

static void tell_app(const struct app *app)
{
    if (app->usable)
        log_event(NULL, LOG_INFO, "app.ready", LF_TEXT("app", app->id),
                  LF_INT("paths", app->n_paths));
    else
        log_event(NULL, LOG_WARN, "app.unusable", LF_TEXT("app", app->id),
                  LF_TEXT("reason", app->reason));
}

static void tell_app_changes(const struct apps *next, const struct jval *changes)
{
    for (size_t i = 0; i < jval_count(changes); i++) {
        const char *id = jval_text(jval_get(jval_item(changes, i), "id"));
        const struct app *app = apps_find(next, id);
        if (app)
            tell_app(app);
        else
            log_event(NULL, LOG_INFO, "app.removed", LF_TEXT("app", id));
    }
}

static void tell_changes(const struct registry *next, const struct jval *changes)
{
    for (size_t i = 0; i < jval_count(changes); i++) {
        const char *id = jval_text(jval_get(jval_item(changes, i), "id"));
        const struct provider *p = registry_find(next, id);
        if (p)
            tell_provider(p);
        else
            log_event(NULL, LOG_INFO, "provider.removed", LF_TEXT("provider", id));
    }
}

static void tell_problems(const struct conf_problems *p)
{
    const struct conf_fault *f;
    for (size_t i = 0; i < PROBLEMS_LOGGED && (f = conf_problems_at(p, i)); i++)
        log_event(NULL, LOG_WARN, "live.problem", LF_TEXT("file", f->file), LF_INT("line", f->line),
                  LF_TEXT("text", f->text));
    if (p->n > PROBLEMS_LOGGED)
        log_event(NULL, LOG_WARN, "live.problems", LF_INT("problems", p->n),
                  LF_TEXT("hint", "usherd --check"));
}

static void take_problems(struct report *r, struct build *b)
{
    const bool same = r->problems.n == b->problems.n &&
                      str_eq(buf_view(&r->problems.text), buf_view(&b->problems.text));
    conf_problems_deinit(&r->problems);
    r->problems = b->problems;
    conf_problems_init(&b->problems);
    if (!same)
        tell_problems(&r->problems);
    if (r->problems.n == 0)
        r->status.problems_since = 0;
    else if (r->status.problems_since == 0)
        r->status.problems_since = wall_seconds(clock_wall());
}

/* One line for a list: "server.listen session.idle". */
static const char *joined(const char *const *list, struct arena *a)
{
    const char *text = "";
    for (size_t i = 0; list[i]; i++)
        text = arena_printf(a, "%s%s%s", text, i ? " " : "", list[i]);
    return text;
}

static bool differ(const char *a, const char *b)
{
    return a != b && (!a || !b || strcmp(a, b) != 0);
}

/* Into an arena of their own, for the status; told when they are new. */
static void take_notes(struct report *r, const struct build *b)
{
    struct arena *a = arena_new();
    const char *was = joined(r->status.restart, a), *is = joined(b->restart, a);
    const char *unwatched = b->unwatched ? arena_dup(a, b->unwatched) : NULL;
    const char **restart = arena_alloc(a, (b->n_restart + 1) * sizeof *restart);
    for (size_t i = 0; i < b->n_restart; i++)
        restart[i] = arena_dup(a, b->restart[i]);
    if (*is && differ(was, is))
        log_event(NULL, LOG_WARN, "live.restart_needed", LF_TEXT("settings", is));
    if (unwatched && differ(r->status.unwatched, unwatched))
        log_event(NULL, LOG_WARN, "live.unwatched", LF_TEXT("text", unwatched),
                  LF_TEXT("hint", "send SIGHUP after changes"));
    r->status.restart = restart;
    r->status.unwatched = unwatched;
    arena_free(&r->arena);
    r->arena = a;
}

void report_unwatched(struct report *r, const char *what)
{
    r->status.unwatched = arena_dup(r->arena, what);
    log_event(NULL, LOG_WARN, "live.unwatched", LF_TEXT("text", what),
              LF_TEXT("hint", "send SIGHUP after changes"));
}

static void tell_loaded(struct report *r, const struct report_args *args,
                        const struct jval *changes, const struct jval *apps, size_t settings)
{
    struct diff_count n, m;
    diff_count(changes, &n);
    diff_count(apps, &m);
    r->status.generation++;
    r->status.loaded = wall_seconds(clock_wall());
    r->status.why = args->why;
    log_event(NULL, LOG_INFO, "live.loaded", LF_INT("generation", r->status.generation),
              LF_TEXT("why", args->why), LF_INT("providers", registry_count(args->build->registry)),
              LF_INT("apps", apps_count(args->build->apps)), LF_INT("added", n.added + m.added),
              LF_INT("changed", n.changed + m.changed), LF_INT("removed", n.removed + m.removed),
              LF_INT("settings", settings), LF_INT("ms", args->ms));
    tell_changes(args->build->registry, changes);
    tell_app_changes(args->build->apps, apps);
}

static void tell_refused(const struct report *r, const char *why)
{
    const struct conf_fault *f = conf_problems_at(&r->problems, 0);
    log_event(NULL, LOG_ERROR, "live.refused", LF_TEXT("why", why),
              LF_INT("problems", r->problems.n), LF_TEXT("file", f ? f->file : ""),
              LF_INT("line", f ? f->line : 0), LF_TEXT("text", f ? f->text : ""));
}

void report_build(struct report *r, const struct report_args *args)
{
    struct build *b = args->build;
    if (!args->registry) { /* at start everything is new */
        take_problems(r, b);
        take_notes(r, b);
        r->status.generation = 1;
        r->status.loaded = wall_seconds(clock_wall());
        for (size_t i = 0; i < registry_count(b->registry); i++)
            tell_provider(registry_at(b->registry, i));
        for (size_t i = 0; i < apps_count(b->apps); i++)
            tell_app(apps_at(b->apps, i));
        gauges(r, r->problems.n == 0);
        return;
    }
    struct jval *changes = diff_registries(args->registry, b->registry);
    struct jval *apps = diff_apps(args->apps, b->apps);
    struct jval *settings = diff_configs(args->config, b->config);
    take_problems(r, b);
    take_notes(r, b);
    r->status.refused = b->refused;
    if (b->refused)
        tell_refused(r, args->why);
    if (!b->refused || jval_count(changes) > 0 || jval_count(apps) > 0) /* of rows */
        tell_loaded(r, args, changes, apps, jval_count(settings));
    count(r, b->refused ? "refused" : "done");
    gauges(r, r->problems.n == 0);
    jval_free(&changes);
    jval_free(&apps);
    jval_free(&settings);
}

void report_failed(struct report *r, const char *why, const struct err *err)
{
    log_event(NULL, LOG_ERROR, "live.failed", LF_TEXT("why", why),
              LF_TEXT("kind", err_kind_name(err->kind)), LF_TEXT("text", err->text));
    count(r, "failed");
}

/* ---- a diff ---------------------------------------------------------------------------------- */

static struct jval *problems_json(const struct conf_problems *p)
{
    struct jval *list = jval_new_array();
    const struct conf_fault *f;
    for (size_t i = 0; (f = conf_problems_at(p, i)); i++) {
        struct jval *o = jval_new_object();
        jval_set_text(o, "file", f->file);
        jval_set(o, "line", f->line > 0 ? jval_new_int(f->line) : jval_new_null());
        jval_set_text(o, "key", f->key);
        jval_set_text(o, "text", f->text);
        jval_push(list, o);
    }
    return list;
}

static void push_all(struct jval *to, struct jval *from)
{
    for (size_t i = 0; i < jval_count(from); i++)
        jval_push(to, jval_ref((struct jval *)(uintptr_t)jval_item(from, i)));
    jval_free(&from);
}

struct jval *report_diff(const struct build *b, const struct config *config,
                         const struct registry *registry, const struct apps *apps)
{
    struct jval *o = jval_new_object(), *restart = jval_new_array();
    struct jval *changes = diff_configs(config, b->config);
    push_all(changes, diff_registries(registry, b->registry));
    push_all(changes, diff_apps(apps, b->apps));
    for (size_t i = 0; b->restart[i]; i++)
        jval_push(restart, jval_new_text(b->restart[i]));
    jval_set(o, "changes", changes);
    jval_set(o, "problems", problems_json(&b->problems));
    jval_set(o, "restart", restart);
    jval_set_bool(o, "refused", b->refused);
    return o;
}
