/* SPDX-License-Identifier: Apache-2.0 */
/* All providers, and the page of one: what it is set to, its secrets, what failed lately. */
#include "web/admin_provider.h"

#include <string.h>

#include "provider/upstream.h"
#include "web/admin_form.h"
#include "web/admin_view.h"

const char *admin_provider_path(const struct admin_visit *v)
{
    return arena_printf(v->a, "/admin/providers/%s", v->id);
}

const char *admin_version(const struct admin_visit *v)
{
    const char *version = admin_posted(v, "version");
    int64_t n;
    return text_int(str_of(version), &n) ? arena_printf(v->a, "\"%s\"", version) : "";
}

/* ---- reading one ----------------------------------------------------------------------------- */

struct reading {
    struct admin_visit *v;
    admin_then *then;
};

/* A plugin that does not load is no reason to hide the provider. */
static void on_plugin(void *arg, const struct admin_answer *answer)
{
    const struct reading *r = arg;
    if (!answer->err)
        r->v->plugin = jval_copy(answer->body);
    r->then(r->v);
}

static void on_provider(void *arg, const struct admin_answer *answer)
{
    struct reading *r = arg;
    struct admin_visit *v = r->v;
    if (admin_failed(v, answer))
        return;
    jval_free(&v->provider);
    jval_free(&v->plugin);
    v->provider = jval_copy(answer->body);
    admin_ask_for(
        v, &(struct admin_ask){.op = admin_plugin_show, .id = show_text(v->provider, "plugin")},
        on_plugin, r);
}

void admin_with_provider(struct admin_visit *v, admin_then *then)
{
    struct reading *r = arena_alloc(v->a, sizeof *r);
    *r = (struct reading){v, then};
    admin_ask_for(v, &(struct admin_ask){.op = admin_provider_show, .id = v->id}, on_provider, r);
}

/* ---- how to register it ---------------------------------------------------------------------- */

/* What to do at the service, or at whatever the plugin is for: "register" or "rotate". */
static struct jval *steps_of(const struct admin_visit *v, const char *service, const char *callback,
                             const char *which)
{
    const char *plugin = show_text(v->plugin, "name");
    struct jval *known = service ? upstream_json(service, callback) : NULL;
    const bool same = strcmp(show_text(known, "plugin"), plugin) == 0; /* else a name by chance */
    struct jval *all =
        same ? jval_copy(jval_get(known, "steps")) : upstream_steps(plugin, callback);
    struct jval *steps = jval_copy(jval_get(all ? all : jval_get(v->plugin, "steps"), which));
    jval_free(&known);
    jval_free(&all);
    return steps ? steps : jval_new_array();
}

void admin_set_callback(const struct admin_visit *v, struct jval *data, const char *id,
                        const char *service)
{
    const char *callback = arena_printf(v->a, "%s/callback/%s", v->app->public_url, id);
    const char *home = show_text(v->plugin, "home");
    struct jval *steps = steps_of(v, service, callback, "register");
    struct jval *rotate = steps_of(v, service, callback, "rotate");
    jval_set_text(data, "callback_url", callback);
    jval_set_bool(data, "has_steps", jval_count(steps) > 0);
    jval_set(data, "steps", steps);
    jval_set_bool(data, "has_rotate_steps", jval_count(rotate) > 0);
    jval_set(data, "rotate_steps", rotate);
    jval_set_text(data, "home", str_starts(str_of(home), "https://") ? home : NULL);
    jval_set_bool(data, "script", true);
}

/* ---- all of them ----------------------------------------------------------------------------- */

void admin_set_providers(const struct admin_visit *v, struct jval *data, const struct jval *list)
{
    struct jval *rows = jval_new_array();
    for (size_t i = 0; i < jval_count(list); i++)
        jval_push(rows, show_provider(jval_item(list, i), v->now, v->a));
    jval_set_bool(data, "has_providers", jval_count(rows) > 0);
    jval_set(data, "providers", rows);
}

static void on_list(void *arg, const struct admin_answer *answer)
{
    struct admin_visit *v = arg;
    if (admin_failed(v, answer))
        return;
    struct jval *data = admin_data(v);
    admin_set_providers(v, data, jval_get(answer->body, "providers"));
    admin_send(v, 200, "admin-providers", "Providers", data);
}

void admin_page_providers(struct request *rq, void *app)
{
    struct admin_visit *v = admin_visit(rq, app);
    if (v)
        admin_ask(v, &(struct admin_ask){.op = admin_provider_list}, on_list);
}

/* ---- one ------------------------------------------------------------------------------------- */

static void set_source(struct jval *data, const struct jval *provider)
{
    const char *file = show_text(jval_get(provider, "source"), "file");
    jval_set_text(data, "source_text", file[0] ? file : "the environment");
    jval_set_bool(data, "read_only", show_bool(provider, "read_only"));
    jval_set_bool(data, "editable", !show_bool(provider, "read_only"));
}

static const char *error_of(const struct admin_visit *v, const char *field)
{
    for (size_t i = 0; i < v->n_errors; i++)
        if (strcmp(v->errors[i].field, field) == 0)
            return v->errors[i].text;
    return "";
}

static void set_secrets(const struct admin_visit *v, struct jval *data)
{
    const struct jval *rows = jval_get(v->plugin, "settings");
    struct jval *secrets = show_secrets(v->provider, rows, v->now, v->a);
    const size_t n = jval_count(secrets);
    jval_set_bool(data, "has_secrets", n > 0);
    jval_set_text(data, "one_key", n == 1 ? show_text(jval_item(secrets, 0), "key") : NULL);
    jval_set(data, "secrets", secrets);
    jval_set_text(data, "secret_error", error_of(v, "secret"));
    jval_set_text(data, "expires_error", error_of(v, "expires"));
    jval_set_text(data, "expires_value", admin_posted(v, "expires"));
    if (show_bool(v->provider, "read_only"))
        jval_set_bool(data, "can_rotate", false); /* where the file is, the secret is */
}

static void show(struct admin_visit *v)
{
    const char *label = show_text(v->provider, "label"), *id = show_text(v->provider, "id");
    struct jval *data = admin_data(v), *row = show_provider(v->provider, v->now, v->a);
    struct jval *failures = jval_new_array();
    admin_merge(data, row);
    jval_free(&row);
    set_source(data, v->provider);
    set_secrets(v, data);
    jval_set(data, "settings",
             show_settings(jval_get(v->provider, "settings"), jval_get(v->plugin, "settings")));
    show_failures(v->provider, v->now, failures, v->a);
    jval_set_bool(data, "has_failures", jval_count(failures) > 0);
    jval_set(data, "failures", failures);
    const char *plugin_label = show_text(v->plugin, "label");
    jval_set_text(data, "plugin_label",
                  plugin_label[0] ? plugin_label : show_text(v->provider, "plugin"));
    jval_set(data, "version", jval_copy(jval_get(v->provider, "version")));
    admin_set_errors(v, data);
    admin_set_callback(v, data, id, id);
    admin_send(v, admin_status_of(v), "admin-provider", arena_dup(v->a, label), data);
}

void admin_provider_page(struct admin_visit *v)
{
    admin_with_provider(v, show);
}

void admin_page_provider(struct request *rq, void *app)
{
    struct admin_visit *v = admin_visit(rq, app);
    if (v)
        admin_provider_page(v);
}
