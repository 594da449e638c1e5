/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Adding a provider: which service, then one form beside the steps to take there. The form is the
 * plugin's settings table, begun with what is known of the service.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "provider/upstream.h"
#include "web/admin_form.h"
#include "web/admin_rehearsal.h"
#include "web/admin_view.h"

/* ---- which service --------------------------------------------------------------------------- */

static const struct jval *find(const struct jval *list, const char *name)
{
    for (size_t i = 0; i < jval_count(list); i++)
        if (strcmp(show_text(jval_item(list, i), "name"), name) == 0)
            return jval_item(list, i);
    return NULL;
}

static bool is_installed(const struct jval *plugins, const char *name)
{
    const struct jval *plugin = find(plugins, name);
    return plugin && show_text(plugin, "problem")[0] == 0;
}

static const char *label_of(const struct jval *one)
{
    const char *label = show_text(one, "label");
    return label[0] ? label : show_text(one, "name");
}

static int by_label(const void *x, const void *y)
{
    return strcasecmp(label_of(*(const struct jval *const *)x),
                      label_of(*(const struct jval *const *)y));
}

static struct jval *service_view(const struct jval *one)
{
    const char *name = show_text(one, "name"), *label = label_of(one);
    const bool drawn = strcmp(name, "discord") == 0 || strcmp(name, "google") == 0;
    char initial[5] = "";
    (void)text_display(str_of(label), initial, 1);
    struct jval *o = jval_new_object();
    jval_set_text(o, "name", name);
    jval_set_text(o, "label", label);
    jval_set_text(o, "icon", drawn ? name : NULL);
    jval_set_text(o, "initial", initial);
    return o;
}

static void on_plugins(void *arg, const struct admin_answer *answer)
{
    struct admin_visit *v = arg;
    size_t n = 0;
    if (admin_failed(v, answer))
        return;
    const struct jval *plugins = jval_get(answer->body, "plugins");
    struct jval *known = upstream_list(), *list = jval_new_array();
    const struct jval **services =
        arena_alloc(v->a, (jval_count(known) + jval_count(plugins) + 1) * sizeof *services);
    for (size_t i = 0; i < jval_count(known); i++)
        if (is_installed(plugins, show_text(jval_item(known, i), "plugin")))
            services[n++] = jval_item(known, i);
    for (size_t i = 0; i < jval_count(plugins); i++) {
        const char *name = show_text(jval_item(plugins, i), "name");
        if (!find(known, name) && is_installed(plugins, name))
            services[n++] = jval_item(plugins, i);
    }
    if (n > 1)
        qsort(services, n, sizeof *services, by_label);
    for (size_t i = 0; i < n; i++)
        jval_push(list, service_view(services[i]));
    jval_free(&known);
    struct jval *data = admin_data(v);
    jval_set(data, "plugins", list);
    admin_send(v, 200, "admin-add", "Add a provider", data);
}

void admin_page_services(struct request *rq, void *app)
{
    struct admin_visit *v = admin_visit(rq, app);
    if (v)
        admin_ask(v, &(struct admin_ask){.op = admin_plugin_list}, on_plugins);
}

/* ---- the form -------------------------------------------------------------------------------- */

/* The service's name, unless a provider has it: then with a number. */
static const char *free_id(const struct admin_visit *v)
{
    const char *id = v->id;
    for (int n = 2; n < 100 && registry_find(v->app->registry, id); n++)
        id = arena_printf(v->a, "%s-%d", v->id, n);
    return id;
}

static struct admin_form form_of(const struct admin_visit *v)
{
    return (struct admin_form){.plugin = v->plugin,
                               .preset = jval_get(v->more, "settings"),
                               .posted = v->form,
                               .errors = v->errors,
                               .n_errors = v->n_errors};
}

static void send_form(struct admin_visit *v)
{
    const struct admin_form form = form_of(v);
    const char *label = show_text(v->more, "label"), *id = admin_posted(v, "id");
    struct jval *data = admin_data(v), *fields = admin_form_view(&form);
    admin_merge(data, fields);
    jval_free(&fields);
    if (v->provider)
        show_findings(v->provider, data);
    jval_set_text(data, "service", v->id);
    jval_set_text(data, "plugin_label", label[0] ? label : show_text(v->plugin, "label"));
    jval_set_text(data, "id", v->form ? id : free_id(v));
    jval_set_text(data, "id_error", admin_error_of(v, "id"));
    jval_set_bool(data, "typed_secret", admin_posted(v, "client_secret")[0] != 0);
    jval_set_bool(data, "ask_adopt", v->ask_adopt);
    admin_set_callback(v, data, v->form && id[0] ? id : free_id(v), v->id);
    admin_send(v, admin_status_of(v), "admin-new",
               arena_printf(v->a, "Add %s", label[0] ? label : show_text(v->plugin, "label")),
               data);
}

static void on_added(void *arg, const struct admin_answer *answer)
{
    struct admin_visit *v = arg;
    if (answer->err &&
        (answer->err->kind == ERR_NOT_ALLOWED || answer->err->kind == ERR_INTERNAL)) {
        (void)admin_failed(v, answer);
    } else if (answer->err) {
        admin_keep_errors(v, answer);
        send_form(v);
    } else {
        admin_go(v, arena_printf(v->a, "/admin/providers/%s", admin_posted(v, "id")), "added");
    }
}

static void on_tested(void *arg, const struct admin_answer *answer)
{
    struct admin_visit *v = arg;
    if (answer->err)
        admin_keep_errors(v, answer);
    else
        v->provider = jval_copy(answer->body); /* the findings */
    send_form(v);
}

static void on_rehearsing(void *arg, const struct admin_answer *answer)
{
    struct admin_visit *v = arg;
    if (answer->err) {
        admin_keep_errors(v, answer);
        send_form(v);
    } else {
        admin_rehearsal_begun(v, answer->body, arena_dup(v->a, show_text(v->plugin, "label")),
                              arena_printf(v->a, "/admin/add/%s", v->id));
    }
}

/* The form's three buttons. */
static const struct deed {
    const char *what;
    admin_op_fn *op;
    admin_done_fn *done;
    bool adopts, binds;
} deeds[] = {
    {"add", admin_provider_add, on_added, true, false},
    {"test", admin_provider_test_draft, on_tested, false, false},
    {"rehearse", admin_provider_rehearse_draft, on_rehearsing, false, true},
};

static const struct deed *deed_of(const struct admin_visit *v)
{
    for (size_t i = 0; i < sizeof deeds / sizeof *deeds; i++)
        if (strcmp(deeds[i].what, admin_posted(v, "do")) == 0)
            return &deeds[i];
    return &deeds[0]; /* by the Enter key */
}

static void send_draft(struct admin_visit *v)
{
    struct err err = ERR_INIT;
    const struct admin_form form = form_of(v);
    const struct deed *deed = deed_of(v);
    struct jval *settings = admin_form_settings(&form, &err), *body;
    if (!settings) {
        admin_sorry(v, ERR_INVALID, err.text);
        return;
    }
    jval_set_text(settings, "plugin", show_text(v->plugin, "name"));
    body = jval_new_object();
    jval_set_text(body, "id", admin_posted(v, "id"));
    jval_set(body, "settings", settings);
    if (deed->adopts && admin_posted(v, "adopt")[0])
        jval_set_bool(body, "adopt", true);
    struct admin_ask ask = {.op = deed->op, .body = body};
    if (deed->binds)
        ask.bind = web_bind(v->rq, v->app);
    admin_ask(v, &ask, deed->done);
}

static void on_plugin(void *arg, const struct admin_answer *answer)
{
    struct admin_visit *v = arg;
    if (admin_failed(v, answer))
        return;
    v->plugin = jval_copy(answer->body);
    if (v->form)
        send_draft(v);
    else
        send_form(v);
}

void admin_page_add(struct request *rq, void *app)
{
    struct admin_visit *v = admin_visit(rq, app);
    if (!v)
        return;
    v->more = upstream_json(v->id, NULL);
    const char *plugin = v->more ? show_text(v->more, "plugin") : v->id;
    admin_ask(v, &(struct admin_ask){.op = admin_plugin_show, .id = plugin}, on_plugin);
}
