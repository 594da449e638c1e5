/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The end of an account, by the person's own wish: asked on a page that says what goes, done by a
 * form with a box that was ticked. The row goes with everything that hangs on it, then the sessions
 * in memory; the audit keeps that it happened, by the account's number alone.
 */
#include "store/account_change.h"
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
    struct account_visit *v = account_visit_fresh(rq, app);
    if (v)
        ask(v, 200, NULL);
}

static int delete (struct db *db, void *arg, struct err *err)
{
    const struct account_visit *v = arg;
    const int last = account_last_admin(db, v->account, v->now, err);
    if (last != 0)
        return last < 0 ? -1 : err_set(err, ERR_CONFLICT, "the last admin");
    const int gone = account_delete(db, v->account, false, v->now, err);
    if (gone <= 0)
        return gone < 0 ? -1 : err_set(err, ERR_NOT_FOUND, "the account is gone");
    return account_audit(db, v, "account.delete", v->account, err);
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

static void on_deleted(void *arg, enum store_outcome outcome, const struct err *err)
{
    struct account_visit *v = arg;
    if (outcome != STORE_FAILED) /* in doubt, too */
        (void)sessions_end_account(v->app->sessions, v->account);
    if (outcome == STORE_FAILED && err && err->kind == ERR_CONFLICT) {
        ask(v, 409, LAST_ADMIN);
        return;
    }
    if (account_failed(v, outcome, err))
        return;
    log_event(request_log(v->rq), LOG_INFO, "account.deleted", LF_TEXT("account", v->account));
    forget(v);
    v->name = NULL; /* nobody is signed in on that page */
    v->account = NULL;
    account_send(v, 200, "account-deleted", "Your account is deleted", account_data(v));
}

void account_delete_post(struct request *rq, void *app)
{
    struct account_visit *v = account_visit(rq, app, ACCOUNT_CHANGE);
    const char *sure;
    if (!v)
        return;
    if (form_get(v->form, "sure", &sure) != 1 || strcmp(sure, "yes") != 0) {
        ask(v, 422, "Tick the box if you are sure.");
        return;
    }
    account_write(v, delete, on_deleted, v);
}
