/* SPDX-License-Identifier: Apache-2.0 */
/* Apps: list, show, add, change, explain; what they authenticate with. */
#include <string.h>

#include "base/form.h"
#include "base/text.h"
#include "ctl/say.h"
#include "ctl/settings.h"

#define APPS "/api/v1/apps"

int ctl_app_list(struct ctl *c, const struct ctl_args *a)
{
    static const struct table_column columns[] = {
        {"ID", "/id", TABLE_PLAIN},
        {"LABEL", "/label", TABLE_PLAIN},
        {"HOSTS", "/settings/hosts", TABLE_PLAIN},
        {"REQUIRE", "/settings/require", TABLE_PLAIN},
        {"USABLE", "/usable", TABLE_PLAIN},
        {"FROM", "/source/kind", TABLE_PLAIN},
    };
    static const struct say_list what = {
        APPS, "apps", "No apps yet: usherctl app add wiki --set hosts=wiki.example.com"};
    (void)a;
    return say_list(c, &what, COLUMNS(columns));
}

/* ---- one app */

static void print_app(const struct jval *app)
{
    static const struct table_column columns[] = {
        {"Id", "/id", TABLE_PLAIN},
        {"Label", "/label", TABLE_PLAIN},
        {"From", "/source/kind", TABLE_PLAIN},
        {"File", "/source/file", TABLE_PLAIN},
        {"Enabled", "/enabled", TABLE_PLAIN},
        {"Usable", "/usable", TABLE_PLAIN},
        {"Why not", "/reason", TABLE_PLAIN},
    };
    static const struct table_column rules[] = {
        {"PATH", "/path", TABLE_PLAIN},
        {"METHODS", "/methods", TABLE_PLAIN},
        {"REQUIRE", "/require", TABLE_PLAIN},
    };
    static const struct table_column secrets[] = {
        {"SECRET", "/id", TABLE_PLAIN},
        {"MADE", "/created", TABLE_AGO},
        {"EXPIRES", "/expires", TABLE_AGO},
        {"LAST USED", "/last_used", TABLE_AGO},
    };
    table_object(stdout, app, COLUMNS(columns));
    puts("Settings");
    settings_print(jval_get(app, "settings"));
    if (jval_count(jval_at(app, "/settings/rules")) > 0)
        table_print(stdout, jval_at(app, "/settings/rules"), COLUMNS(rules), "");
    table_print(stdout, jval_get(app, "secrets"), COLUMNS(secrets), "No secrets.");
}

static const char *path_of(struct ctl *c, const char *id)
{
    return client_path(c, APPS "/", id, "");
}

int ctl_app_show(struct ctl *c, const struct ctl_args *a)
{
    return say_thing(c, path_of(c, a->v[0]), print_app);
}

/* ---- rules from options: "/admin/... role:admin", "/api/... GET,POST signed_in" */

/* What stands in front of the first blank; *rest begins behind it. */
static const char *word(struct ctl *c, const char **rest)
{
    const size_t n = strcspn(*rest, " ");
    const char *w = arena_dupn(c->arena, *rest, n);
    *rest += n + strspn(*rest + n, " ");
    return w;
}

static bool is_methods(const char *text)
{
    return *text && strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ-,") == strcspn(text, " ");
}

static struct jval *rule_of(struct ctl *c, const char *text)
{
    struct jval *rule = jval_new_object();
    jval_set_text(rule, "path", word(c, &text));
    if (is_methods(text))
        jval_set_text(rule, "methods", word(c, &text));
    jval_set_text(rule, "require", text);
    return rule;
}

/* --set, --unset, --rule and --no-rules; CTL_USAGE when nothing was given and something must be. */
static int gather(struct ctl *c, const struct ctl_args *a, struct jval *settings, bool needed)
{
    struct jval *rules = NULL;
    const int rc = settings_options(a, settings);
    for (size_t i = 0; i < a->n_options; i++) {
        if (strcmp(a->option[i].name, "rule") != 0)
            continue;
        if (!rules)
            rules = jval_new_array();
        jval_push(rules, rule_of(c, a->option[i].value));
    }
    if (rules)
        jval_set(settings, "rules", rules);
    else if (ctl_option(a, "no-rules"))
        jval_set(settings, "rules", jval_new_null());
    if (rc != CTL_DONE)
        return rc;
    return needed && jval_count(settings) == 0
               ? ctl_misused("nothing to change: --set KEY=VALUE or --rule \"PATH REQUIRE\"")
               : CTL_DONE;
}

int ctl_app_add(struct ctl *c, const struct ctl_args *a)
{
    struct jval *settings = jval_new_object();
    const int rc = gather(c, a, settings, false);
    if (rc != CTL_DONE) {
        jval_free(&settings);
        return rc;
    }
    struct jval *body = jval_new_object();
    jval_set_text(body, "id", a->v[0]);
    jval_set(body, "settings", settings);
    const struct client_call call = {.method = "POST", .path = APPS, .body = body};
    return say_done(c, &call, "Added, and in force.");
}

int ctl_app_set(struct ctl *c, const struct ctl_args *a)
{
    struct jval *settings = jval_new_object();
    const int rc = gather(c, a, settings, true);
    if (rc != CTL_DONE) {
        jval_free(&settings);
        return rc;
    }
    struct jval *body = jval_new_object();
    jval_set(body, "settings", settings);
    return say_change(c, "PATCH", path_of(c, a->v[0]), body);
}

int ctl_app_delete(struct ctl *c, const struct ctl_args *a)
{
    const int rc = say_sure(a, arena_printf(c->arena, "Delete app %s and its secrets", a->v[0]));
    return rc == CTL_DONE ? say_change(c, "DELETE", path_of(c, a->v[0]), NULL) : rc;
}

/* ---- secrets */

int ctl_app_secret_add(struct ctl *c, const struct ctl_args *a)
{
    return say_once(c, a, client_path(c, APPS "/", a->v[0], "/secrets"), "secret",
                    jval_new_object());
}

int ctl_app_secret_delete(struct ctl *c, const struct ctl_args *a)
{
    const char *before = client_path(c, APPS "/", a->v[0], "/secrets/");
    const struct client_call call = {.method = "DELETE",
                                     .path = client_path(c, before, a->v[1], "")};
    return say_done(c, &call, "The secret is of no use any more.");
}

/* ---- explain */

static const char *text_at(const struct jval *v, const char *key, const char *fallback)
{
    const char *text = jval_text(jval_get(v, key));
    return text ? text : fallback;
}

static void print_explanation(const struct jval *e)
{
    static const struct table_column columns[] = {
        {"TERM", "/term", TABLE_PLAIN},
        {"RESULT", "/result", TABLE_PLAIN},
        {"WHY", "/why", TABLE_PLAIN},
    };
    bool disabled = false;
    table_text(stdout, text_at(e, "verdict", "?"));
    fputs(": ", stdout);
    table_text(stdout, text_at(e, "reason", "?"));
    fputc('\n', stdout);
    if (jval_bool(jval_get(e, "disabled"), &disabled) && disabled)
        puts("The account is disabled, and so nobody.");
    if (!jval_text(jval_get(e, "require")))
        return;
    const char *path = jval_text(jval_get(e, "path"));
    fputs(path ? "by the rule of " : "by the app's own rule", stdout);
    table_text(stdout, path ? path : "");
    fputs(": ", stdout);
    table_text(stdout, text_at(e, "require", ""));
    fputc('\n', stdout);
    table_print(stdout, jval_get(e, "terms"), COLUMNS(columns), "");
}

int ctl_explain(struct ctl *c, const struct ctl_args *a)
{
    static const char *const names[] = {"user", "provider", "path", "method", "client"};
    const char *app = ctl_option(a, "app");
    struct client_reply r;
    struct buf path;
    if (!app)
        return ctl_misused("say which app: --app ID");
    buf_init(&path, 64 * 1024);
    buf_printf(&path, "%s?", client_path(c, APPS "/", app, "/explain"));
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (ctl_option(a, names[i]))
            form_add(&path, names[i], ctl_option(a, names[i]));
    const char *whole = buf_ok(&path) ? arena_dup(c->arena, path.p) : NULL;
    buf_deinit(&path);
    if (!whole)
        return ctl_misused("that is too long");
    const int rc = client_get(c, whole, &r);
    if (rc == CTL_DONE && !ctl_printed(c, r.body))
        print_explanation(r.body);
    const bool allowed = rc == CTL_DONE && strcmp(text_at(r.body, "verdict", ""), "allow") == 0;
    client_reply_deinit(&r);
    return rc == CTL_DONE && !allowed ? CTL_REFUSED : rc;
}
