/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The end of an account, by the person's own wish: asked on a page that says what goes, done by a
 * form with a box that was ticked.
 */
#include "web/account_page.h"

#define LAST_ADMIN "Nobody else is an admin here. Name another one first."

static void ask(struct account_visit *v, int status, const char *error)
{
    struct jval *data = account_data(v);
    jval_set_text(data, "error", error);
    account_send(v, status, "account-delete", "Delete your account", data);
}

void account_delete_page(struct request *rq, void *app)
{
    struct account_visit *v = account_visit(rq, app, ACCOUNT_FRESH);
    if (v)
        ask(v, 200, NULL);
}

/* Nothing of it stays in the browser either. */
static void forget(struct account_visit *v)
{
    struct buf cookie;
    buf_init(&cookie, 512);
    cookie_jar_session(&v->app->jar, "", 0, &cookie);
    reply_header(v->rq, "Set-Cookie", cookie.p);
    buf_clear(&cookie);
    cookie_jar_last(&v->app->jar, "", 0, &cookie);
    reply_header(v->rq, "Set-Cookie", cookie.p);
    buf_deinit(&cookie);
}

static void on_deleted(void *arg, const struct err *err)
{
    struct account_visit *v = arg;
    if (err && err->kind == ERR_CONFLICT) {
        ask(v, 409, LAST_ADMIN);
        return;
    }
    if (err) {
        account_sorry(v, err->kind, NULL);
        return;
    }
    forget(v);
    v->name = NULL; /* nobody is signed in on that page */
    v->account = NULL;
    account_send(v, 200, "account-deleted", "Your account is deleted", account_data(v));
}

void account_delete_post(struct request *rq, void *app)
{
    struct account_visit *v = account_visit(rq, app, ACCOUNT_FRESH);
    const char *sure;
    if (!v)
        return;
    if (form_get(v->form, "sure", &sure) != 1 || strcmp(sure, "yes") != 0) {
        ask(v, 422, "Tick the box if you are sure.");
        return;
    }
    const struct own_caller c = account_own(v);
    request_hold(rq);
    own_delete(v->app->login, &c, on_deleted, v);
}
