/* SPDX-License-Identifier: Apache-2.0 */
/* What is done to an account: disabled, enabled, signed out, given a role, deleted. */
#include <string.h>

#include "web/admin_question.h"
#include "web/admin_user.h"
#include "web/admin_view.h"

static const char *home(const struct admin_visit *v)
{
    return arena_printf(v->a, "/admin/users/%s", v->id);
}

/* What somebody can put right is said on the page they came from. */
static void settle(struct admin_visit *v, const struct admin_answer *answer, const char *did)
{
    if (!answer->err) {
        admin_go(v, home(v), did);
    } else if (answer->err->kind == ERR_CONFLICT || answer->err->kind == ERR_INVALID ||
               answer->err->kind == ERR_LIMITED) {
        admin_keep_errors(v, answer);
        admin_user_page(v);
    } else {
        (void)admin_failed(v, answer);
    }
}

static void on_disabled(void *arg, const struct admin_answer *answer)
{
    settle(arg, answer, "user-disabled");
}

void admin_page_user_disable(struct request *rq, void *app)
{
    struct admin_visit *v = admin_visit(rq, app);
    int64_t until = -1;
    if (!v)
        return;
    if (!show_day(admin_posted(v, "until"), &until)) {
        admin_add_error(v, "until", "a day is wanted, like 2027-01-31");
        admin_user_page(v);
        return;
    }
    struct jval *body = jval_new_object();
    jval_set_text(body, "reason", admin_posted(v, "reason"));
    if (until >= 0)
        jval_set_int(body, "until", until);
    if (admin_posted(v, "force")[0])
        jval_set_bool(body, "force", true);
    admin_ask(v, &(struct admin_ask){.op = admin_user_disable, .id = v->id, .body = body},
              on_disabled);
}

static void on_enabled(void *arg, const struct admin_answer *answer)
{
    settle(arg, answer, "user-enabled");
}

void admin_page_user_enable(struct request *rq, void *app)
{
    struct admin_visit *v = admin_visit(rq, app);
    if (v)
        admin_ask(v, &(struct admin_ask){.op = admin_user_enable, .id = v->id}, on_enabled);
}

static void on_ended(void *arg, const struct admin_answer *answer)
{
    settle(arg, answer, "user-ended");
}

void admin_page_user_end(struct request *rq, void *app)
{
    struct admin_visit *v = admin_visit(rq, app);
    if (!v)
        return;
    struct jval *body = jval_new_object();
    if (admin_posted(v, "session")[0])
        jval_set_text(body, "session", admin_posted(v, "session"));
    admin_ask(v, &(struct admin_ask){.op = admin_user_end_sessions, .id = v->id, .body = body},
              on_ended);
}

static void on_granted(void *arg, const struct admin_answer *answer)
{
    settle(arg, answer, "granted");
}

void admin_page_user_grant(struct request *rq, void *app)
{
    struct admin_visit *v = admin_visit(rq, app);
    if (v)
        admin_ask(v,
                  &(struct admin_ask){
                      .op = admin_role_grant, .id = admin_posted(v, "role"), .sub = v->id},
                  on_granted);
}

/* ---- deleting -------------------------------------------------------------------------------- */

static void ask_back(struct admin_visit *v)
{
    admin_ask_back(v, &(const struct admin_question){
                          .question = "Delete this account?",
                          .consequence = arena_printf(
                              v->a,
                              "The account %s goes with all ways to sign in, sessions, roles and "
                              "tokens. It cannot be undone. Whoever it was gets a new, empty "
                              "account by signing in again.",
                              v->id),
                          .verb = "Delete the account",
                          .action = arena_printf(v->a, "%s/delete", home(v)),
                          .back = home(v),
                          .back_text = "The account",
                          .ask_bar = true});
}

/* There must be something to ask about. */
static void on_shown(void *arg, const struct admin_answer *answer)
{
    if (!admin_failed(arg, answer))
        ask_back(arg);
}

static void on_deleted(void *arg, const struct admin_answer *answer)
{
    struct admin_visit *v = arg;
    if (!answer->err) {
        admin_go(v, "/admin/users", "user-deleted");
    } else if (answer->err->kind == ERR_CONFLICT) {
        admin_keep_errors(v, answer);
        ask_back(v);
    } else {
        (void)admin_failed(v, answer);
    }
}

void admin_page_user_delete(struct request *rq, void *app)
{
    struct admin_visit *v = admin_visit(rq, app);
    if (v && v->form) {
        struct jval *body = jval_new_object();
        if (admin_posted(v, "bar")[0])
            jval_set_bool(body, "bar", true);
        if (admin_posted(v, "force")[0])
            jval_set_bool(body, "force", true);
        admin_ask(v, &(struct admin_ask){.op = admin_user_delete, .id = v->id, .body = body},
                  on_deleted);
    } else if (v) {
        admin_ask(v, &(struct admin_ask){.op = admin_user_show, .id = v->id}, on_shown);
    }
}
