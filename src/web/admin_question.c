/* SPDX-License-Identifier: Apache-2.0 */
#include "web/admin_question.h"

void admin_ask_back(struct admin_visit *v, const struct admin_question *q)
{
    struct jval *data = admin_data(v);
    jval_set_text(data, "question", q->question);
    jval_set_text(data, "consequence", q->consequence);
    jval_set_text(data, "verb", q->verb);
    jval_set_text(data, "action", q->action);
    jval_set_text(data, "back", q->back);
    jval_set_text(data, "back_text", q->back_text);
    jval_set(data, "version", q->version ? jval_copy(q->version) : jval_new_null());
    jval_set_bool(data, "ask_bar", q->ask_bar);
    jval_set_bool(data, "f_bar", admin_posted(v, "bar")[0] != 0);
    jval_set_bool(data, "ask_force", v->ask_force);
    admin_set_errors(v, data);
    admin_send(v, admin_status_of(v), "admin-confirm", q->question, data);
}

struct jval *admin_question_said(const struct admin_visit *v)
{
    struct jval *body = jval_new_object();
    if (admin_posted(v, "force")[0])
        jval_set_bool(body, "force", true);
    return body;
}
