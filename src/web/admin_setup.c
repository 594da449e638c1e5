/* SPDX-License-Identifier: Apache-2.0 */
/* The first visit, by a link that works once. Links are also fetched by what previews them, so the
 * page only asks; the button uses the link up. */
#include "sys/clock.h"

#include "web/admin_page.h"
#include "web/admin_view.h"

static struct admin_visit *visit(struct request *rq, const struct web_app *app)
{
    struct arena *a = request_arena(rq);
    struct admin_visit *v = arena_alloc(a, sizeof *v);
    *v = (struct admin_visit){.rq = rq, .app = app, .a = a, .id = arena_dup(a, request_rest(rq))};
    v->who.actor = (struct admin_actor){
        .kind = "", .id = "", .ip = request_client(rq), .request_id = request_id(rq)};
    return v;
}

/* Alike for a link that is over and for one that never was. */
static void say_over(struct admin_visit *v)
{
    struct jval *data = jval_new_object();
    jval_set_text(data, "heading", "This link is over");
    jval_set_text(data, "text",
                  "It was used already, is older than ten minutes, or usher was restarted since. "
                  "Make another one on the server:");
    jval_set_text(data, "command", "usherctl setup-link");
    jval_set_text(data, "back", "/");
    jval_set_text(data, "back_text", "To the start page");
    admin_send(v, 410, "admin-message", "This link is over", data);
}

void admin_page_setup(struct request *rq, void *app_)
{
    const struct web_app *app = app_;
    struct admin_visit *v = visit(rq, app);
    if (!admin_setup_alive(app->admin, str_of(v->id))) {
        say_over(v);
        return;
    }
    struct jval *data = admin_data(v);
    jval_set_text(data, "action", arena_printf(v->a, "/admin/setup/%s", v->id));
    admin_send(v, 200, "admin-setup", "Set up", data);
}

static void on_used(void *arg, const struct admin_answer *answer)
{
    struct admin_visit *v = arg;
    struct buf cookie;
    if (answer->err && answer->err->kind != ERR_INTERNAL && answer->err->kind != ERR_LIMITED) {
        say_over(v);
        return;
    }
    if (admin_failed(v, answer))
        return;
    const int64_t ends = show_int(answer->body, "expires", 0);
    buf_init(&cookie, 512);
    cookie_jar_operator(&v->app->jar, show_text(answer->body, "operator"),
                        ends > v->now ? ends - v->now : 0, &cookie);
    reply_header(v->rq, "Set-Cookie", cookie.p);
    buf_wipe(&cookie);
    admin_go(v, "/admin", "welcome");
}

void admin_page_setup_use(struct request *rq, void *app_)
{
    const struct web_app *app = app_;
    struct admin_visit *v = visit(rq, app);
    if (!request_same_origin(rq, app->public_origin)) {
        admin_sorry(v, ERR_NOT_ALLOWED, "Open the link yourself, and use the button on its page.");
        return;
    }
    v->now = wall_seconds(clock_wall());
    struct jval *body = jval_new_object();
    jval_set_text(body, "token", v->id);
    admin_ask(v, &(struct admin_ask){.op = admin_setup_use, .body = body}, on_used);
}

/* The hour may be given up before it is over. */
void admin_page_leave(struct request *rq, void *app_)
{
    const struct web_app *app = app_;
    struct str token;
    struct buf cookie;
    if (!request_same_origin(rq, app->public_origin)) {
        admin_sorry(visit(rq, app), ERR_NOT_ALLOWED, "Leave by the button on a page of this site.");
        return;
    }
    if (request_cookie(rq, str_of(app->jar.operator_name), &token) == 1)
        admin_operator_end(app->admin, token);
    buf_init(&cookie, 512);
    cookie_jar_operator(&app->jar, "", 0, &cookie);
    reply_header(rq, "Set-Cookie", cookie.p);
    buf_deinit(&cookie);
    reply_redirect(rq, "/");
}
