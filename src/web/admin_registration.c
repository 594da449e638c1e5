/* SPDX-License-Identifier: Apache-2.0 */
/* What lets apps register themselves. A new token is in the answer to the form that made it, and
 * never again. */
#include "web/admin_page.h"
#include "web/admin_view.h"

static struct jval *token_view(const struct admin_visit *v, const struct jval *one)
{
    struct jval *o = jval_new_object();
    jval_set_text(o, "id", show_text(one, "id"));
    jval_set_text(o, "name", show_text(one, "name"));
    jval_set(o, "created", show_when(show_int(one, "created", -1), v->now, v->a));
    jval_set(o, "used", show_when(show_int(one, "used", -1), v->now, v->a));
    jval_set(o, "expires", show_when(show_int(one, "expires", -1), v->now, v->a));
    return o;
}

static void on_list(void *arg, const struct admin_answer *answer)
{
    struct admin_visit *v = arg;
    if (admin_failed(v, answer))
        return;
    const struct jval *tokens = jval_get(answer->body, "tokens");
    struct jval *data = admin_data(v), *list = jval_new_array();
    const bool again = v->n_errors > 0; /* what was typed stays */
    for (size_t i = 0; i < jval_count(tokens); i++)
        jval_push(list, token_view(v, jval_item(tokens, i)));
    jval_set_bool(data, "open", show_bool(answer->body, "open"));
    jval_set_bool(data, "has_tokens", jval_count(list) > 0);
    jval_set(data, "tokens", list);
    jval_set_text(data, "token", jval_text(jval_get(v->more, "token")));
    jval_set_bool(data, "copy", v->more != NULL);
    jval_set_text(data, "f_name", again ? admin_posted(v, "name") : "");
    jval_set_text(data, "f_expires", again ? admin_posted(v, "expires") : "");
    admin_set_errors(v, data);
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
    int64_t expires = -1;
    if (!show_day(admin_posted(v, "expires"), &expires)) {
        admin_add_error(v, "expires", "a day is wanted, like 2027-01-31");
        show(v);
        return;
    }
    struct jval *body = jval_new_object();
    jval_set_text(body, "name", admin_posted(v, "name"));
    if (expires >= 0)
        jval_set_int(body, "expires", expires);
    admin_ask(v, &(struct admin_ask){.op = admin_registration_token_add, .body = body}, on_added);
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
