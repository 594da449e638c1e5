/* SPDX-License-Identifier: Apache-2.0 */
#include "app/configure.h"

#include <string.h>

#include "app/client.h"

/* What makes one app. `where` is what problems name: the file, or the app for a row. */
struct maker {
    struct app *app;
    const struct app_configure_args *args;
    struct conf_problems *problems;
    struct arena *a;
    const char *where;
    const struct conf_file *part; /* being read; for lines */
};

static int line_of(const struct maker *m, const char *key)
{
    int line = 0;
    if (!key || !m->part || !conf_file_get(m->part, "", key, &line))
        line = 0;
    return line;
}

#define problem(m, key, ...)                                                                       \
    conf_problem_key((m)->problems, (m)->where, line_of((m), (key)), (key), __VA_ARGS__)

static void apply(struct maker *m, const struct conf_table *table)
{
    const struct conf_source from = {.file = m->part, .env = m->args->env};
    struct conf_secrets *none = conf_secrets_new(); /* an app has none among its settings */
    conf_apply(&from, table, 1, m->a, none, m->problems);
    conf_secrets_free(&none);
}

static const struct rule *read_rule(struct maker *m, const char *require)
{
    struct err err = ERR_INIT;
    const struct rule *r = NULL;
    if (require && rule_parse(str_of(require), m->a, &r, &err) != 0)
        problem(m, "require", "require: %s", err.text);
    return r;
}

/* ---- the app's own settings ------------------------------------------------------------------ */

/* Hosts that make no sense go, the others stay: this app's they are, even if it is faulty. */
static void judge_hosts(struct maker *m)
{
    struct app_common *c = &m->app->common;
    size_t n = 0, kept = 0;
    while (c->hosts && c->hosts[n])
        n++;
    const char **good = arena_alloc(m->a, (n + 1) * sizeof *good);
    for (size_t i = 0; i < n; i++) {
        if (url_entry_valid(c->hosts[i]))
            good[kept++] = c->hosts[i];
        else
            problem(m, "hosts",
                    "hosts: \"%.100s\" is not a host; write app.example.com or .example.com, in "
                    "lower case, without scheme, path or \"*\"",
                    c->hosts[i]);
    }
    c->hosts = good;
}

/* RS256 is always there. */
static void judge_alg(struct maker *m, const char *key, int alg)
{
    if (m->args->algs && alg != CLIENT_RS256 &&
        !client_lists(m->args->algs, str_of(client_algs[alg])))
        problem(m, key, "%s: %s is not among algs of [issuer]", key, client_algs[alg]);
}

static void judge_app(struct maker *m)
{
    struct app *app = m->app;
    struct err err = ERR_INIT;
    const char *key = NULL;
    char clean[61];
    judge_hosts(m);
    if (app->common.label)
        app->label = app->common.label;
    if (text_display(str_of(app->label), clean, 60) != strlen(app->label)) {
        problem(m, "label", "label: at most 60 bytes of plain text");
        app->label = app->id;
    }
    for (const char *const *t = app->common.upstream_tokens; t && *t; t++)
        if (!conf_id_valid(str_of(*t)))
            problem(m, "upstream_tokens", "upstream_tokens: \"%.60s\" is no provider's id", *t);
    app->rule = read_rule(m, app->common.require);
    if (client_check(&app->common, &key, &err) != 0)
        problem(m, key, "%s: %s", key, err.text);
    judge_alg(m, "token_alg", app->common.token_alg);
    judge_alg(m, "id_token_alg", app->common.id_token_alg);
    if (app->common.userinfo_alg != CLIENT_USERINFO_JSON)
        judge_alg(m, "userinfo_alg", app->common.userinfo_alg - 1);
    app->origins = client_origins(&app->common, m->a);
}

static void read_app(struct maker *m)
{
    apply(m, &(const struct conf_table){.section = "",
                                        .env_prefix =
                                            conf_id_variables("USHER_APP_", m->app->id, m->a),
                                        .rows = app_settings,
                                        .n = app_settings_n,
                                        .config = &m->app->common});
    conf_drop_empty(app_settings, app_settings_n, &m->app->common);
    judge_app(m);
}

/* ---- its paths ------------------------------------------------------------------------------- */

static bool method_valid(const char *method)
{
    const size_t n = strlen(method);
    return n > 0 && n <= 20 && strspn(method, "ABCDEFGHIJKLMNOPQRSTUVWXYZ-") == n;
}

static bool has_method(const struct app_path *p, const char *method)
{
    const char *const *m = p->common.methods;
    if (!m || !m[0])
        return true;
    for (; *m; m++)
        if (strcmp(*m, method) == 0)
            return true;
    return false;
}

/* Two entries for one path must be for different methods, or the second would never matter. */
static const char *shared_method(const struct app_path *a, const struct app_path *b)
{
    const char *const *m = a->common.methods;
    if (!m || !m[0])
        return b->common.methods && b->common.methods[0] ? b->common.methods[0] : "all methods";
    for (; *m; m++)
        if (has_method(b, *m))
            return *m;
    return NULL;
}

/* Sorted in: what wins stands in front; what is alike stays in its order. */
static void add_path(struct maker *m, struct app_path *list, const struct app_path *p)
{
    struct app *app = m->app;
    size_t at = app->n_paths;
    for (size_t i = 0; i < app->n_paths; i++) {
        const char *method =
            path_same(&list[i].pattern, &p->pattern) ? shared_method(&list[i], p) : NULL;
        if (method)
            problem(m, NULL, "[%s] is there already for %s", p->pattern.text, method);
    }
    while (at > 0 && path_before(&p->pattern, &list[at - 1].pattern))
        at--;
    memmove(list + at + 1, list + at, (app->n_paths - at) * sizeof *list);
    list[at] = *p;
    app->n_paths++;
}

static void read_path(struct maker *m, struct app_path *list, const char *path)
{
    struct err err = ERR_INIT;
    struct app_path p = {.rule = NULL};
    apply(m, &(const struct conf_table){.section = "",
                                        .rows = app_path_settings,
                                        .n = app_path_settings_n,
                                        .config = &p.common});
    if (path_pattern_read(arena_dup(m->a, path), &p.pattern, &err) != 0) {
        problem(m, NULL, "[%.100s]: %s", path, err.text);
        return;
    }
    for (const char *const *method = p.common.methods; method && *method; method++)
        if (!method_valid(*method))
            problem(m, "methods", "methods: \"%.30s\" is no method; they are in upper case",
                    *method);
    p.rule = read_rule(m, p.common.require);
    if (p.rule)
        add_path(m, list, &p);
}

static struct app_path *paths_new(struct maker *m, size_t *n)
{
    if (*n > APP_PATHS_MAX) {
        problem(m, NULL, "more than %d paths", APP_PATHS_MAX);
        *n = APP_PATHS_MAX;
    }
    struct app_path *list = arena_alloc(m->a, (*n + 1) * sizeof *list);
    m->app->paths = list;
    return list;
}

/* ---- where it comes from --------------------------------------------------------------------- */

static void read_file(struct maker *m, const struct conf_file *whole)
{
    size_t n = 0;
    int line;
    while (conf_file_part(whole, n + 1, &line))
        n++;
    struct app_path *list = paths_new(m, &n);
    for (size_t i = 0; i <= n; i++) {
        struct conf_file *part = conf_file_part_take(whole, i);
        m->part = part;
        if (i == 0)
            read_app(m);
        else
            read_path(m, list, conf_file_part(whole, i, &line));
        m->part = NULL;
        conf_file_free(&part);
    }
}

static void read_row(struct maker *m)
{
    const struct app_source *row = m->args->row;
    size_t n = row->n_paths;
    struct conf_file *f = conf_file_pairs(m->where, row->settings, row->n, m->problems);
    m->part = f;
    read_app(m);
    conf_file_free(&f);
    struct app_path *list = paths_new(m, &n);
    for (size_t i = 0; i < n; i++) {
        const struct app_path_source *p = &row->paths[i];
        const char *whole = m->where;
        m->where = arena_printf(m->a, "%s [%.100s]", whole, p->path);
        f = conf_file_pairs(m->where, p->settings, p->n, m->problems);
        m->part = f;
        read_path(m, list, p->path);
        m->part = NULL;
        conf_file_free(&f);
        m->where = whole;
    }
}

bool app_configure(struct app *app, const struct app_configure_args *args,
                   struct conf_problems *problems)
{
    struct maker m = {.app = app, .args = args, .problems = problems, .a = args->arena};
    const unsigned before = problems->n;
    const size_t from = conf_problems_n(problems);
    bool gone = false;
    app->id = app->label = args->id;
    app->common.enabled = true;
    app->from_row = args->row != NULL;
    app->version = args->row ? args->row->version : 0;
    app->registered = args->row && args->row->registered;
    app->source = args->row ? "database" : arena_dup(m.a, args->path);
    m.where = args->row ? arena_printf(m.a, "app %s", args->id) : app->source;
    if (args->row) {
        read_row(&m);
    } else {
        struct conf_file *f = conf_file_read_listed(args->path, CONF_PARTS, &gone, problems);
        if (f)
            read_file(&m, f);
        conf_file_free(&f);
    }
    app->faulty = problems->n != before;
    app->usable = !app->faulty && app->common.enabled;
    app->reason = app->faulty   ? conf_problems_reason(problems, from, !args->row, m.a)
                  : app->usable ? NULL
                                : "switched off by `enabled`";
    return !gone;
}
