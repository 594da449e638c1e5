/* SPDX-License-Identifier: Apache-2.0 */
/* All apps, and who may use what of them. */
#include "web/admin_page.h"
#include "web/admin_view.h"

static const char *or_else(const char *text, const char *otherwise)
{
    return text[0] ? text : otherwise;
}

static struct jval *rules_view(const struct jval *rules)
{
    struct jval *list = jval_new_array();
    for (size_t i = 0; i < jval_count(rules); i++) {
        const struct jval *rule = jval_item(rules, i);
        struct jval *o = jval_new_object();
        jval_set_text(o, "path", show_text(rule, "path"));
        jval_set_text(o, "methods", or_else(show_text(rule, "methods"), "all"));
        jval_set_text(o, "require", show_text(rule, "require"));
        jval_push(list, o);
    }
    return list;
}

static struct jval *app_view(const struct jval *one)
{
    const struct jval *settings = jval_get(one, "settings");
    struct jval *o = jval_new_object(), *rules = rules_view(jval_get(settings, "rules"));
    const bool some = jval_count(rules) > 0;
    bool usable = false;
    (void)jval_bool(jval_get(one, "usable"), &usable);
    jval_set_text(o, "id", show_text(one, "id"));
    jval_set_text(o, "label", show_text(one, "label"));
    jval_set_text(o, "hosts", or_else(show_text(settings, "hosts"), "none"));
    jval_set_text(o, "require",
                  or_else(show_text(settings, "require"), some ? "nobody" : "signed_in"));
    jval_set_text(o, "file", show_text(jval_get(one, "source"), "file"));
    jval_set_bool(o, "usable", usable);
    jval_set_text(o, "reason", show_text(one, "reason"));
    jval_set_bool(o, "has_rules", some);
    jval_set(o, "rules", rules);
    return o;
}

static void on_list(void *arg, const struct admin_answer *answer)
{
    struct admin_visit *v = arg;
    if (admin_failed(v, answer))
        return;
    const struct jval *apps = jval_get(answer->body, "apps");
    struct jval *data = admin_data(v), *list = jval_new_array();
    for (size_t i = 0; i < jval_count(apps); i++)
        jval_push(list, app_view(jval_item(apps, i)));
    jval_set_bool(data, "has_apps", jval_count(list) > 0);
    jval_set(data, "apps", list);
    admin_send(v, 200, "admin-apps", "Apps", data);
}

void admin_page_apps(struct request *rq, void *app)
{
    struct admin_visit *v = admin_visit(rq, app);
    if (v)
        admin_ask(v, &(struct admin_ask){.op = admin_app_list}, on_list);
}
