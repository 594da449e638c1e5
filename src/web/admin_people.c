/* SPDX-License-Identifier: Apache-2.0 */
/* Who is an admin. */
#include <string.h>

#include "web/admin_page.h"
#include "web/admin_view.h"

static struct jval *role_view(const struct admin_visit *v, const struct jval *one)
{
    const char *account = show_text(one, "account"), *name = show_text(one, "name");
    const char *provider = show_text(one, "provider");
    const struct provider *p = registry_find(v->app->registry, provider);
    if (name[0] == 0)
        name = show_text(one, "username");
    struct jval *o = jval_new_object();
    jval_set_text(o, "account", account);
    jval_set_text(o, "name", name[0] ? name : "Without a name");
    jval_set_text(o, "email", show_text(one, "email"));
    jval_set_text(o, "provider", p ? p->label : provider);
    jval_set(o, "since", show_when(show_int(one, "since", -1), v->now, v->a));
    jval_set_bool(o, "self",
                  strcmp(v->who.actor.kind, "account") == 0 &&
                      strcmp(v->who.actor.id, account) == 0);
    return o;
}

static void on_list(void *arg, const struct admin_answer *answer)
{
    struct admin_visit *v = arg;
    if (admin_failed(v, answer))
        return;
    const struct jval *roles = jval_get(answer->body, "accounts");
    struct jval *data = admin_data(v), *list = jval_new_array();
    for (size_t i = 0; i < jval_count(roles); i++)
        jval_push(list, role_view(v, jval_item(roles, i)));
    jval_set_bool(data, "has_roles", jval_count(list) > 0);
    jval_set(data, "roles", list);
    jval_set_text(data, "f_account", admin_posted(v, "account"));
    admin_set_errors(v, data);
    admin_send(v, admin_status_of(v), "admin-people", "Admins", data);
}

static void show(struct admin_visit *v)
{
    admin_ask(v, &(struct admin_ask){.op = admin_role_show, .id = "admin"}, on_list);
}

static void on_granted(void *arg, const struct admin_answer *answer)
{
    struct admin_visit *v = arg;
    if (!answer->err) {
        admin_go(v, "/admin/people", "granted");
    } else if (answer->err->kind == ERR_NOT_ALLOWED || answer->err->kind == ERR_INTERNAL) {
        (void)admin_failed(v, answer);
    } else {
        admin_keep_errors(v, answer);
        show(v);
    }
}

void admin_page_people(struct request *rq, void *app)
{
    struct admin_visit *v = admin_visit(rq, app);
    if (v && v->form) {
        const struct str account = str_trim(str_of(admin_posted(v, "account")));
        admin_ask(v,
                  &(struct admin_ask){
                      .op = admin_role_grant, .id = "admin", .sub = arena_str(v->a, account)},
                  on_granted);
    } else if (v) {
        show(v);
    }
}

/* ---- taking it away -------------------------------------------------------------------------- */

static void ask_back(struct admin_visit *v)
{
    struct jval *data = admin_data(v);
    const bool self = strcmp(v->who.actor.id ? v->who.actor.id : "", v->id) == 0;
    const char *question = self ? "Stop being an admin?" : "Take the role away?";
    jval_set_text(data, "question", question);
    jval_set_text(data, "consequence",
                  self ? "You leave these pages at once. Another admin can name you again."
                       : arena_printf(v->a,
                                      "The account %s stays as it is, but cannot use these pages "
                                      "any more, from the next click on.",
                                      v->id));
    jval_set_text(data, "verb", "Take the role away");
    jval_set_text(data, "action", arena_printf(v->a, "/admin/people/%s/revoke", v->id));
    jval_set_text(data, "back", "/admin/people");
    jval_set_text(data, "back_text", "Admins");
    jval_set(data, "version", jval_new_null());
    jval_set_bool(data, "ask_force", v->ask_force);
    admin_set_errors(v, data);
    admin_send(v, admin_status_of(v), "admin-confirm", question, data);
}

static void on_revoked(void *arg, const struct admin_answer *answer)
{
    struct admin_visit *v = arg;
    if (!answer->err) {
        admin_go(v, "/admin/people", "revoked");
    } else if (answer->err->kind == ERR_CONFLICT) {
        admin_keep_errors(v, answer);
        ask_back(v);
    } else {
        (void)admin_failed(v, answer);
    }
}

void admin_page_revoke(struct request *rq, void *app)
{
    struct admin_visit *v = admin_visit(rq, app);
    if (v && v->form) {
        struct jval *body = jval_new_object();
        if (admin_posted(v, "force")[0])
            jval_set_bool(body, "force", true);
        admin_ask(
            v,
            &(struct admin_ask){.op = admin_role_revoke, .id = "admin", .sub = v->id, .body = body},
            on_revoked);
    } else if (v) {
        ask_back(v);
    }
}
