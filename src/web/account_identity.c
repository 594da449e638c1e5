/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Identities of an account: one more, by signing in with it first, and one less. What becomes of a
 * sign-in that is to be linked is asked on a page of its own (account_join.c).
 */
#include "login/own.h"
#include "web/account_page.h"

/* ---- one more -------------------------------------------------------------------------------- */

struct hop {
    struct account_visit *v;
    const char *label;
};

/* By way of a page of ours: browsers hold a redirect that answers a form to the form's policy,
 * which knows no other hosts. */
static void on_started(void *arg, const char *url, const struct err *err)
{
    struct hop *h = arg;
    struct account_visit *v = h->v;
    if (!url && err->kind == ERR_NOT_ALLOWED) {
        account_sorry(v, ERR_CONFLICT,
                      "What you want to link, or what you signed in with, is not linked here.");
        return;
    }
    if (!url) {
        page_error(v->rq, v->app, err->kind, NULL);
        return;
    }
    struct jval *data = account_data(v);
    jval_set_text(data, "url", url);
    jval_set_text(data, "label", h->label);
    reply_header(v->rq, "Refresh", arena_printf(v->a, "0; url=%s", url));
    account_send(v, 200, "account-leave", arena_printf(v->a, "To %s", h->label), data);
}

void account_link(struct request *rq, void *app)
{
    struct account_visit *v = account_visit(rq, app, ACCOUNT_FRESH);
    if (!v)
        return;
    const struct provider *p = registry_find(v->app->registry, v->id);
    if (!p || !p->usable) {
        account_sorry(v, ERR_NOT_FOUND, "There is no such way to sign in, or not at the moment.");
        return;
    }
    struct hop *h = arena_alloc(v->a, sizeof *h);
    *h = (struct hop){v, arena_dup(v->a, p->label)}; /* a reload may come */
    const struct login_start start = {.provider = v->id,
                                      .purpose = USHER_FLOW_LINK,
                                      .return_to = "/account",
                                      .bind = web_bind(rq, v->app),
                                      .prompt = "select_account",
                                      .session = &v->view,
                                      .ip = v->ip,
                                      .user_agent = v->user_agent,
                                      .request_id = v->request_id,
                                      .log = request_log(rq)};
    request_hold(rq);
    login_start_flow(v->app->login, &start, on_started, h);
}

/* ---- one less -------------------------------------------------------------------------------- */

static void on_unlinked(void *arg, const struct err *err)
{
    struct account_visit *v = arg;
    if (!err)
        account_go(v, "unlinked");
    else
        account_sorry(v, err->kind,
                      err->kind == ERR_CONFLICT
                          ? "It is the only way you have to sign in. Link another one first."
                          : NULL);
}

void account_unlink_post(struct request *rq, void *app)
{
    struct account_visit *v = account_visit(rq, app, ACCOUNT_FRESH);
    if (!v)
        return;
    const struct own_caller c = account_own(v);
    request_hold(rq);
    own_unlink(v->app->login, &c, v->id, on_unlinked, v);
}
