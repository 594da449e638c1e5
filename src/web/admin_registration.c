/* SPDX-License-Identifier: Apache-2.0 */
/* What lets apps register themselves. A new token is in the answer to the form that made it, and
 * never again. */
#include "web/admin_token.h"
#include "web/admin_view.h"

static void on_list(void *arg, const struct admin_answer *answer)
{
    struct admin_visit *v = arg;
    if (admin_failed(v, answer))
        return;
    const struct jval *tokens = jval_get(answer->body, "tokens");
    struct jval *data = admin_data(v), *list = jval_new_array();
    for (size_t i = 0; i < jval_count(tokens); i++)
        jval_push(list, admin_token_view(v, jval_item(tokens, i), "used"));
    jval_set_bool(data, "open", show_bool(answer->body, "open"));
    admin_set_tokens(v, data, list);
    admin_send(v, admin_status_of(v), "admin-registration", "Registration", data);
}

static void show(struct admin_visit *v)
{
    admin_ask(v, &(struct admin_ask){.op = admin_registration_token_list}, on_list);
}

static void on_added(void *arg, const struct admin_answer *answer)
{
    struct admin_visit *v = arg;
    if (admin_keep_answer(v, answer, ERR_NOT_ALLOWED))
        show(v);
}

static void add(struct admin_visit *v)
{
    struct jval *body = admin_token_body(v);
    if (body)
        admin_ask(v, &(struct admin_ask){.op = admin_registration_token_add, .body = body},
                  on_added);
    else
        show(v);
}

void admin_page_registration(struct request *rq, void *app)
{
    struct admin_visit *v = admin_visit(rq, app);
    if (v && v->form)
        add(v);
    else if (v)
        show(v);
}

static void on_ended(void *arg, const struct admin_answer *answer)
{
    if (!admin_failed(arg, answer))
        admin_go(arg, "/admin/registration", "ended");
}

void admin_page_registration_end(struct request *rq, void *app)
{
    struct admin_visit *v = admin_visit(rq, app);
    if (v)
        admin_ask(v, &(struct admin_ask){.op = admin_registration_token_delete, .id = v->id},
                  on_ended);
}
