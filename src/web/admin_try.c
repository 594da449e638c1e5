/* SPDX-License-Identifier: Apache-2.0 */
/* Trying a provider out: a test without a person. It takes seconds, a few providers' time-outs at
 * worst; the browser waits for the page, as it does for a sign-in, and the button says so. */
#include "web/admin_provider.h"
#include "web/admin_view.h"

static void show(struct admin_visit *v)
{
    const char *label = show_text(v->provider, "label");
    struct jval *data = admin_data(v);
    jval_set_text(data, "id", v->id);
    jval_set_text(data, "label", label);
    jval_set_bool(data, "script", true);
    if (v->more)
        show_findings(v->more, data);
    admin_set_errors(v, data);
    admin_send(v, admin_status_of(v), "admin-test", arena_printf(v->a, "Test of %s", label), data);
}

static void on_tested(void *arg, const struct admin_answer *answer)
{
    struct admin_visit *v = arg;
    if (admin_keep_answer(v, answer, ERR_NOT_FOUND))
        admin_with_provider(v, show);
}

void admin_page_test(struct request *rq, void *app)
{
    struct admin_visit *v = admin_visit(rq, app);
    if (v)
        admin_ask(v, &(struct admin_ask){.op = admin_provider_test, .id = v->id}, on_tested);
}
