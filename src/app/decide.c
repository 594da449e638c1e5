/* SPDX-License-Identifier: Apache-2.0 */
#include "app/decide.h"

#include "app/client.h"

#include <string.h>

static bool method_fits(const struct app_path *p, const char *method)
{
    const char *const *m = p->common.methods;
    if (!m || !m[0])
        return true;
    for (; method && *m; m++)
        if (strcmp(*m, method) == 0 || (strcmp(*m, "GET") == 0 && strcmp(method, "HEAD") == 0))
            return true;
    return false;
}

/* Whether a path has entries, and which of them is for the method; NULL: none. */
static bool find_path(const struct app *app, const struct path *path, const char *method,
                      const struct app_path **out)
{
    *out = NULL;
    for (size_t i = 0; i < app->n_paths; i++) {
        const struct app_path *first = &app->paths[i];
        if (!path_matches(&first->pattern, path))
            continue;
        for (; i < app->n_paths && path_same(&app->paths[i].pattern, &first->pattern); i++)
            if (method_fits(&app->paths[i], method)) {
                *out = &app->paths[i];
                return true;
            }
        return true;
    }
    return false;
}

static struct app_decision decided(enum app_verdict v, const char *reason)
{
    return (struct app_decision){.verdict = v, .reason = reason};
}

static struct app_decision ask(const struct rule *rule, const struct app_subject *s)
{
    switch (rule_ask(rule, s)) {
    case RULE_YES:
        return decided(APP_ALLOW, "what is required is there");
    case RULE_UNKNOWN:
        if (!s->signed_in)
            return decided(APP_SIGN_IN, "nobody is signed in");
        return decided(APP_DENY, "it is not known whether what is required is there");
    case RULE_NO:
        break;
    }
    return decided(APP_DENY, "what is required is not there");
}

static struct app_decision ask_app(const struct app *app, const struct app_subject *s)
{
    struct app_decision d = ask(app->rule, s);
    d.rule = app->rule;
    d.require = app->common.require;
    return d;
}

static struct app_decision ask_path(const struct app_path *path, const struct app_subject *s)
{
    struct app_decision d = ask(path->rule, s);
    d.path = path;
    d.rule = path->rule;
    d.require = path->common.require;
    return d;
}

static bool takes_provider(const struct app *app, const char *provider)
{
    const char *const *list = app->common.providers;
    return !list || !list[0] || client_lists(list, str_of(provider));
}

static struct app_decision decide(const struct app *app, const struct app_subject *s,
                                  const char *path, const char *method)
{
    const struct app_path *entry = NULL;
    if (!app->usable)
        return decided(APP_DENY,
                       app->faulty ? "the app's settings are wrong" : "the app is switched off");
    if (app->n_paths > 0 && path) {
        struct path p __attribute__((uninitialized)); /* zeroing 8 KiB costs more than judging */
        if (!path_read(str_of(path), &p))
            return decided(APP_BAD_PATH, "the path can be read in more than one way");
        if (find_path(app, &p, method, &entry) && !entry)
            return decided(APP_DENY, "this method is not among those of the path");
    }
    if (entry)
        return ask_path(entry, s);
    if (app->rule)
        return ask_app(app, s);
    if (app->n_paths > 0 && path)
        return decided(APP_DENY, "no path of the app matches, and nothing is said of the rest");
    if (!s->signed_in)
        return decided(APP_SIGN_IN, "nobody is signed in");
    return decided(APP_ALLOW, "whoever is signed in may");
}

struct app_decision app_decide(const struct app *app, const struct app_subject *s, const char *path,
                               const char *method)
{
    if (!s->signed_in || takes_provider(app, s->provider))
        return decide(app, s, path, method);
    const struct app_subject nobody = app_nobody(s->client);
    struct app_decision d = decide(app, &nobody, path, method);
    d.as_nobody = true;
    if (d.verdict == APP_SIGN_IN) {
        d.verdict = APP_DENY;
        d.reason = "the app does not take people of this provider";
    }
    return d;
}

const char *app_verdict_name(enum app_verdict v)
{
    static const char *const names[] = {"allow", "sign_in", "deny", "bad_path"};
    return names[v];
}

struct jval *app_explain(const struct app *app, const struct app_subject *s, const char *path,
                         const char *method)
{
    const struct app_decision d = app_decide(app, s, path, method);
    struct jval *o = jval_new_object();
    jval_set_text(o, "app", app->id);
    jval_set_text(o, "verdict", app_verdict_name(d.verdict));
    jval_set_text(o, "reason", d.reason);
    jval_set_text(o, "path", d.path ? d.path->pattern.text : NULL);
    jval_set_text(o, "require", d.require);
    jval_set(o, "terms", d.rule ? rule_trace(d.rule, s) : jval_new_array());
    return o;
}
