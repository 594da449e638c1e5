/* SPDX-License-Identifier: Apache-2.0 */
/* The first page: how signing in goes today, and what wants looking after. */
#include "web/admin_provider.h"
#include "web/admin_view.h"

static void set_tiles(const struct admin_visit *v, const struct jval *body, struct jval *data)
{
    const struct jval *providers = jval_get(body, "providers");
    int64_t usable = 0, renew = 0;
    for (size_t i = 0; i < jval_count(providers); i++) {
        const struct jval *one = jval_item(providers, i);
        usable += show_bool(one, "usable") && show_bool(one, "enabled");
        renew += show_must_renew(one, v->now);
    }
    const int64_t total = (int64_t)jval_count(providers);
    jval_set_int(data, "logins", show_int(body, "signed_in_today", 0));
    jval_set_int(data, "failures_today", show_int(body, "failed_today", 0));
    jval_set_int(data, "usable", usable);
    jval_set_int(data, "total", total);
    jval_set_bool(data, "some_unusable", usable < total);
    jval_set_int(data, "stale_secrets", renew);
    jval_set_bool(data, "problems", !show_bool(body, "config_ok"));
}

static void on_overview(void *arg, const struct admin_answer *answer)
{
    struct admin_visit *v = arg;
    if (admin_failed(v, answer))
        return;
    const struct jval *providers = jval_get(answer->body, "providers");
    struct jval *data = admin_data(v), *failures = jval_new_array();
    set_tiles(v, answer->body, data);
    admin_set_providers(v, data, providers);
    for (size_t i = 0; i < jval_count(providers); i++)
        show_failures(jval_item(providers, i), v->now, failures, v->a);
    jval_set_bool(data, "has_failures", jval_count(failures) > 0);
    jval_set(data, "failures", failures);
    admin_send(v, 200, "admin-overview", "Overview", data);
}

void admin_page_overview(struct request *rq, void *app)
{
    struct admin_visit *v = admin_visit(rq, app);
    if (v)
        admin_ask(v, &(struct admin_ask){.op = admin_overview}, on_overview);
}
