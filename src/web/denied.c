/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where forward auth sends a person who may not use an app: who they are, which app it is, and a
 * way to come as somebody else. Whatever the address says is looked up or judged, never repeated.
 */
#include "web/page.h"

static const char *asked_for(struct request *rq, const char *name)
{
    const struct fields *q = request_query(rq);
    const char *value;
    return q && form_get(q, name, &value) == 1 ? value : NULL;
}

/* The query of a sign-in that asks who it should be, and ends where this began. */
static void set_query(struct request *rq, const struct web_app *app, struct jval *data)
{
    struct err err = ERR_INIT;
    const char *raw = asked_for(rq, "return_to"), *return_to;
    struct buf query;
    buf_init(&query, 8192);
    form_add(&query, "prompt", "select_account");
    if (raw &&
        return_to_judge(&app->return_rules, str_of(raw), request_arena(rq), &return_to, &err) == 0)
        form_add(&query, "return_to", return_to);
    jval_set_text(data, "query", query.p);
    buf_deinit(&query);
}

void denied_page(struct request *rq, void *app_)
{
    const struct web_app *app = app_;
    const char *id = asked_for(rq, "app");
    const struct app *asked = id ? apps_find(app->apps, id) : NULL;
    struct jval *data = jval_new_object();
    struct session_view v;
    if (asked)
        jval_set_text(data, "app_label", asked->label);
    if (web_session(app, rq, &v) == 1) {
        const struct provider *p = registry_find(app->registry, v.provider);
        jval_set_text(data, "name", v.name[0] ? v.name : v.username[0] ? v.username : v.account);
        jval_set_text(data, "provider", p ? p->label : v.provider);
        jval_set_text(data, "account", v.account);
    }
    set_query(rq, app, data);
    page_send(rq, app, 403, "denied", "Not open to you", data);
}
