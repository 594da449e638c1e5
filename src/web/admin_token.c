/* SPDX-License-Identifier: Apache-2.0 */
#include "web/admin_token.h"

#include "web/admin_view.h"

static const char *const scopes[] = {"read", "write", "secrets", "metrics"};
#define SCOPES (sizeof scopes / sizeof *scopes)

struct jval *admin_token_view(const struct admin_visit *v, const struct jval *one, const char *used)
{
    struct jval *o = jval_new_object();
    jval_set_text(o, "id", show_text(one, "id"));
    jval_set_text(o, "name", show_text(one, "name"));
    jval_set(o, "created", show_when(show_int(one, "created", -1), v->now, v->a));
    jval_set(o, "used", show_when(show_int(one, used, -1), v->now, v->a));
    jval_set(o, "expires", show_when(show_int(one, "expires", -1), v->now, v->a));
    return o;
}

void admin_set_tokens(const struct admin_visit *v, struct jval *data, struct jval *list)
{
    const bool again = v->n_errors > 0; /* what was typed stays when it was refused */
    jval_set_bool(data, "has_tokens", jval_count(list) > 0);
    jval_set(data, "tokens", list);
    jval_set_text(data, "token", jval_text(jval_get(v->more, "token")));
    jval_set_bool(data, "script", v->more != NULL);
    jval_set_text(data, "f_name", again ? admin_posted(v, "name") : "");
    jval_set_text(data, "f_expires", again ? admin_posted(v, "expires") : "");
    admin_set_errors(v, data);
}

struct jval *admin_token_body(struct admin_visit *v)
{
    int64_t expires = -1;
    if (!show_day(admin_posted(v, "expires"), &expires)) {
        admin_add_error(v, "expires", "a day is wanted, like 2027-01-31");
        return NULL;
    }
    struct jval *body = jval_new_object();
    jval_set_text(body, "name", admin_posted(v, "name"));
    if (expires >= 0)
        jval_set_int(body, "expires", expires);
    return body;
}

/* ---- API tokens ------------------------------------------------------------------------------ */

static struct jval *token_view(const struct admin_visit *v, const struct jval *one)
{
    const int64_t expires = show_int(one, "expires", -1);
    struct jval *o = admin_token_view(v, one, "last_used");
    jval_set_text(o, "scopes", show_list(jval_get(one, "scopes"), v->a));
    jval_set_bool(o, "over", expires >= 0 && expires <= v->now);
    return o;
}

static void on_list(void *arg, const struct admin_answer *answer)
{
    struct admin_visit *v = arg;
    if (admin_failed(v, answer))
        return;
    const struct jval *tokens = jval_get(answer->body, "tokens");
    struct jval *data = admin_data(v), *list = jval_new_array();
    for (size_t i = 0; i < jval_count(tokens); i++)
        jval_push(list, token_view(v, jval_item(tokens, i)));
    for (size_t i = 0; i < SCOPES; i++)
        jval_set_bool(data, arena_printf(v->a, "f_%s", scopes[i]),
                      v->n_errors > 0 ? admin_posted(v, scopes[i])[0] != 0 : i == 0);
    admin_set_tokens(v, data, list);
    admin_send(v, admin_status_of(v), "admin-tokens", "API tokens", data);
}

static void show(struct admin_visit *v)
{
    admin_ask(v, &(struct admin_ask){.op = admin_token_list}, on_list);
}

static void on_added(void *arg, const struct admin_answer *answer)
{
    struct admin_visit *v = arg;
    if (admin_keep_answer(v, answer, ERR_NOT_ALLOWED))
        show(v);
}

static void add(struct admin_visit *v)
{
    struct buf wanted;
    struct jval *body = admin_token_body(v);
    if (!body) {
        show(v);
        return;
    }
    buf_init(&wanted, 64);
    for (size_t i = 0; i < SCOPES; i++)
        if (admin_posted(v, scopes[i])[0])
            buf_printf(&wanted, "%s%s", wanted.n ? " " : "", scopes[i]);
    jval_set_text(body, "scopes", wanted.n ? wanted.p : "");
    buf_deinit(&wanted);
    admin_ask(v, &(struct admin_ask){.op = admin_token_add, .body = body}, on_added);
}

void admin_page_tokens(struct request *rq, void *app)
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
        admin_go(arg, "/admin/tokens", "ended");
}

void admin_page_token_end(struct request *rq, void *app)
{
    struct admin_visit *v = admin_visit(rq, app);
    if (v)
        admin_ask(v, &(struct admin_ask){.op = admin_token_delete, .id = v->id}, on_ended);
}
