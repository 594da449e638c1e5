/* SPDX-License-Identifier: Apache-2.0 */
/* Roles: the list, one of them with who has it, made, changed, given, taken, deleted. */
#include <stdlib.h>
#include <string.h>

#include "web/admin_question.h"
#include "web/admin_user.h"
#include "web/admin_view.h"

static const char *home(const struct admin_visit *v, const char *role)
{
    return arena_printf(v->a, "/admin/roles/%s", role);
}

/* Names with blanks, commas or lines between, as a list. */
static struct jval *read_names(const char *text)
{
    struct jval *list = jval_new_array();
    for (const char *p = text; *p;) {
        const size_t n = strcspn(p, " ,\t\r\n");
        if (n > 0) {
            char *name = mem_dupn(p, n);
            jval_push(list, jval_new_text(name));
            free(name);
        }
        p += n + (p[n] != 0);
    }
    return list;
}

static struct jval *body_of(const struct admin_visit *v)
{
    struct jval *body = jval_new_object();
    jval_set(body, "permissions", read_names(admin_posted(v, "permissions")));
    jval_set_text(body, "description", admin_posted(v, "description"));
    return body;
}

/* ---- the list -------------------------------------------------------------------------------- */

static struct jval *role_view(const struct admin_visit *v, const struct jval *one)
{
    const char *permissions = show_list(jval_get(one, "permissions"), v->a);
    struct jval *o = jval_new_object();
    jval_set_text(o, "role", show_text(one, "name"));
    jval_set_text(o, "description", show_text(one, "description"));
    jval_set_text(o, "permissions", permissions[0] ? permissions : NULL);
    jval_set_bool(o, "built_in", show_bool(one, "built_in"));
    const int64_t n = show_int(one, "holders", 0);
    jval_set_text(o, "holders",
                  n == 0   ? "nobody"
                  : n == 1 ? "1 account"
                           : arena_printf(v->a, "%lld accounts", (long long)n));
    return o;
}

static void on_list(void *arg, const struct admin_answer *answer)
{
    struct admin_visit *v = arg;
    if (admin_failed(v, answer))
        return;
    const struct jval *roles = jval_get(answer->body, "roles");
    struct jval *data = admin_data(v), *list = jval_new_array();
    for (size_t i = 0; i < jval_count(roles); i++)
        jval_push(list, role_view(v, jval_item(roles, i)));
    jval_set(data, "roles", list);
    jval_set_text(data, "f_name", admin_posted(v, "name"));
    jval_set_text(data, "f_description", admin_posted(v, "description"));
    jval_set_text(data, "f_permissions", admin_posted(v, "permissions"));
    admin_set_errors(v, data);
    admin_send(v, admin_status_of(v), "admin-roles", "Roles", data);
}

static void list(struct admin_visit *v)
{
    admin_ask(v, &(struct admin_ask){.op = admin_role_list}, on_list);
}

static void on_made(void *arg, const struct admin_answer *answer)
{
    struct admin_visit *v = arg;
    if (!answer->err) {
        admin_go(v, home(v, show_text(answer->body, "name")), "role-saved");
    } else if (answer->err->kind == ERR_STALE) {
        admin_add_error(v, "name", "there is a role of that name already");
        list(v);
    } else if (admin_keep_answer(v, answer, ERR_NOT_ALLOWED)) {
        list(v);
    }
}

void admin_page_roles(struct request *rq, void *app)
{
    struct admin_visit *v = admin_visit(rq, app);
    if (v && v->form) {
        const struct str name = str_trim(str_of(admin_posted(v, "name")));
        admin_ask(v,
                  &(struct admin_ask){.op = admin_role_set,
                                      .id = arena_str(v->a, name),
                                      .body = body_of(v),
                                      .if_match = "\"0\""}, /* a new one */
                  on_made);
    } else if (v) {
        list(v);
    }
}

/* ---- one of them ----------------------------------------------------------------------------- */

static struct jval *holder_view(const struct admin_visit *v, const struct jval *one)
{
    const char *provider = show_text(one, "provider"), *email = show_text(one, "email");
    const struct provider *p = registry_find(v->app->registry, provider);
    struct jval *o = jval_new_object();
    jval_set_text(o, "role", v->id);
    jval_set_text(o, "account", show_text(one, "account"));
    jval_set_text(o, "name", admin_user_name(one));
    jval_set_text(o, "email", email[0] ? email : NULL);
    jval_set_text(o, "provider", p ? p->label : provider);
    jval_set(o, "since", show_when(show_int(one, "since", -1), v->now, v->a));
    jval_set_bool(o, "self", admin_user_self(v, show_text(one, "account")));
    return o;
}

static const char *lines_of(const struct admin_visit *v, const struct jval *names)
{
    const char *text = "";
    for (size_t i = 0; i < jval_count(names); i++)
        text = arena_printf(v->a, "%s%s%s", text, i ? "\n" : "", jval_text(jval_item(names, i)));
    return text;
}

static void on_role(void *arg, const struct admin_answer *answer)
{
    struct admin_visit *v = arg;
    if (admin_failed(v, answer))
        return;
    const struct jval *accounts = jval_get(answer->body, "accounts");
    const int64_t holders = show_int(answer->body, "holders", 0);
    struct jval *data = admin_data(v), *all = jval_new_array();
    for (size_t i = 0; i < jval_count(accounts); i++)
        jval_push(all, holder_view(v, jval_item(accounts, i)));
    jval_set_text(data, "role", v->id);
    jval_set_text(data, "description", show_text(answer->body, "description"));
    jval_set_bool(data, "built_in", show_bool(answer->body, "built_in"));
    jval_set_int(data, "version", show_int(answer->body, "version", 0));
    jval_set_int(data, "holders", holders);
    jval_set_bool(data, "has_accounts", jval_count(all) > 0);
    jval_set_text(data, "all_url",
                  holders > (int64_t)jval_count(all)
                      ? arena_printf(v->a, "/admin/users?role=%s", v->id)
                      : NULL);
    jval_set(data, "accounts", all);
    const bool typed = admin_posted(v, "version")[0] != 0;
    jval_set_text(data, "f_account", admin_posted(v, "account"));
    jval_set_text(data, "f_description",
                  typed ? admin_posted(v, "description") : show_text(answer->body, "description"));
    jval_set_text(data, "f_permissions",
                  typed ? admin_posted(v, "permissions")
                        : lines_of(v, jval_get(answer->body, "permissions")));
    admin_set_errors(v, data);
    admin_send(v, admin_status_of(v), "admin-role", v->id, data);
}

static void show(struct admin_visit *v)
{
    admin_ask(v, &(struct admin_ask){.op = admin_role_show, .id = v->id}, on_role);
}

/* What somebody can put right is said on the page of the role. */
static void settle(struct admin_visit *v, const struct admin_answer *answer, const char *did)
{
    if (!answer->err) {
        admin_go(v, home(v, v->id), did);
    } else if (answer->err->kind == ERR_NOT_ALLOWED || answer->err->kind == ERR_INTERNAL ||
               answer->err->kind == ERR_STALE) {
        (void)admin_failed(v, answer);
    } else {
        admin_keep_errors(v, answer);
        show(v);
    }
}

static void on_saved(void *arg, const struct admin_answer *answer)
{
    settle(arg, answer, "role-saved");
}

void admin_page_role(struct request *rq, void *app)
{
    struct admin_visit *v = admin_visit(rq, app);
    if (v && v->form)
        admin_ask(v,
                  &(struct admin_ask){.op = admin_role_set,
                                      .id = v->id,
                                      .body = body_of(v),
                                      .if_match =
                                          arena_printf(v->a, "\"%s\"", admin_posted(v, "version"))},
                  on_saved);
    else if (v)
        show(v);
}

static void on_granted(void *arg, const struct admin_answer *answer)
{
    settle(arg, answer, "granted");
}

void admin_page_role_grant(struct request *rq, void *app)
{
    struct admin_visit *v = admin_visit(rq, app);
    if (!v)
        return;
    const struct str account = str_trim(str_of(admin_posted(v, "account")));
    admin_ask(
        v,
        &(struct admin_ask){.op = admin_role_grant, .id = v->id, .sub = arena_str(v->a, account)},
        on_granted);
}

/* ---- what is asked twice --------------------------------------------------------------------- */

static void ask_back(struct admin_visit *v, struct admin_question q)
{
    q.back = home(v, v->id);
    q.back_text = "The role";
    admin_ask_back(v, &q);
}

/* The operation was refused for now: ask again, with a box to tick. */
static bool refused(struct admin_visit *v, const struct admin_answer *answer)
{
    if (answer->err && answer->err->kind != ERR_CONFLICT)
        (void)admin_failed(v, answer);
    else if (answer->err)
        admin_keep_errors(v, answer);
    return answer->err && answer->err->kind == ERR_CONFLICT;
}

static void ask_delete(struct admin_visit *v)
{
    ask_back(v, (struct admin_question){
                    .question = "Delete this role?",
                    .consequence = arena_printf(v->a,
                                                "Whoever has the role %s loses it with the next "
                                                "click. Rules of apps that ask for it let nobody "
                                                "in any more.",
                                                v->id),
                    .verb = "Delete the role",
                    .action = arena_printf(v->a, "%s/delete", home(v, v->id))});
}

static void on_deleted(void *arg, const struct admin_answer *answer)
{
    struct admin_visit *v = arg;
    if (!answer->err)
        admin_go(v, "/admin/roles", "role-deleted");
    else if (refused(v, answer))
        ask_delete(v);
}

static void on_known(void *arg, const struct admin_answer *answer)
{
    if (!admin_failed(arg, answer))
        ask_delete(arg);
}

void admin_page_role_delete(struct request *rq, void *app)
{
    struct admin_visit *v = admin_visit(rq, app);
    if (v && v->form)
        admin_ask(v,
                  &(struct admin_ask){
                      .op = admin_role_delete, .id = v->id, .body = admin_question_said(v)},
                  on_deleted);
    else if (v)
        admin_ask(v, &(struct admin_ask){.op = admin_role_show, .id = v->id}, on_known);
}

static void ask_take(struct admin_visit *v)
{
    const char *account = request_part(v->rq, 1);
    const bool admin = strcmp(v->id, "admin") == 0, self = admin_user_self(v, account);
    const char *consequence =
        admin && self ? "You leave these pages at once. Another admin can name you again."
        : admin
            ? arena_printf(v->a,
                           "The account %s stays as it is, but cannot use these pages any more, "
                           "from the next click on.",
                           account)
            : arena_printf(v->a,
                           "The account %s does not have the role %s any more, from the next "
                           "click on.",
                           account, v->id);
    ask_back(v, (struct admin_question){
                    .question = admin && self ? "Stop being an admin?" : "Take the role away?",
                    .consequence = consequence,
                    .verb = "Take the role away",
                    .action = arena_printf(v->a, "%s/%s/take", home(v, v->id), account)});
}

static void on_taken(void *arg, const struct admin_answer *answer)
{
    struct admin_visit *v = arg;
    if (!answer->err)
        admin_go(v, home(v, v->id), "taken");
    else if (refused(v, answer))
        ask_take(v);
}

void admin_page_role_take(struct request *rq, void *app)
{
    struct admin_visit *v = admin_visit(rq, app);
    if (v && v->form)
        admin_ask(v,
                  &(struct admin_ask){.op = admin_role_revoke,
                                      .id = v->id,
                                      .sub = request_part(rq, 1),
                                      .body = admin_question_said(v)},
                  on_taken);
    else if (v)
        ask_take(v);
}
