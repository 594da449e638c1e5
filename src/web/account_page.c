/* SPDX-License-Identifier: Apache-2.0 */
#include "web/account_page.h"

#include <string.h>

#include "admin/admin.h"
#include "sys/clock.h"

/* What was done, told on the page one is sent to. */
static const struct {
    const char *did, *text;
} notices[] = {
    {"ended", "That session is over. Its browser is signed out from its next click on."},
    {"gone", "That session was over already."},
    {"linked", "Linked. From now on you can sign in with it, too."},
    {"merged", "The two accounts are one now. What the other one had is yours."},
    {"unlinked", "Unlinked. It does not lead to this account any more."},
    {"dropped", "Nothing was linked."},
    {"ended-others", "All other sessions are over. Only this browser is signed in now."},
    {"revoked",
     "Taken back. That app may not ask about you any more, unless you sign in to it again."},
};

/* ---- who comes ------------------------------------------------------------------------------- */

static bool posted(const struct account_visit *v)
{
    return strcmp(request_method(v->rq), "POST") == 0;
}

/* Where to come back to: a form's answer is no page to return to, but for one that is both. */
static const char *back_to(const struct account_visit *v)
{
    const char *path = request_path(v->rq);
    return posted(v) && strcmp(path, "/account/delete") != 0 ? "/account" : path;
}

static const char *sign_in_url(const struct account_visit *v, const char *provider)
{
    struct buf url;
    buf_init(&url, 4096);
    buf_printf(&url, "/login%s%s?", provider ? "/" : "", provider ? provider : "");
    form_add(&url, "return_to", back_to(v));
    const char *text = buf_ok(&url) ? arena_dup(v->a, url.p) : "/login?return_to=/account";
    buf_deinit(&url);
    return text;
}

static void take_session(struct account_visit *v)
{
    const struct session_view *s = &v->view;
    const char *name = s->name[0] ? s->name : s->username[0] ? s->username : "Signed in";
    v->signed_in = true;
    v->account = arena_dup(v->a, s->account);
    v->session = arena_dup(v->a, s->id);
    v->provider = arena_dup(v->a, s->provider);
    v->subject = arena_dup(v->a, s->subject);
    v->name = arena_dup(v->a, name);
    memcpy(v->hash, s->hash, sizeof v->hash);
    v->fresh = v->now - s->created <= ACCOUNT_FRESH_SECONDS;
}

void account_again(struct account_visit *v)
{
    static const char title[] = "Sign in again first";
    const struct provider *p = registry_find(v->app->registry, v->provider);
    struct jval *data = account_data(v);
    jval_set_text(data, "again_label", p && p->usable ? p->label : NULL);
    jval_set_text(data, "again_with", sign_in_url(v, v->provider));
    account_send(v, 403, "account-again", title, data);
}

static struct account_visit *visit_new(struct request *rq, const struct web_app *app)
{
    struct arena *a = request_arena(rq);
    struct account_visit *v = arena_alloc(a, sizeof *v);
    *v = (struct account_visit){.rq = rq, .app = app, .a = a};
    v->now = wall_seconds(clock_wall());
    v->id = arena_dup(a, request_rest(rq));
    v->ip = arena_dup(a, request_client(rq));
    v->request_id = arena_dup(a, request_id(rq));
    const char *agent;
    if (request_header(rq, "User-Agent", &agent) == 1)
        v->user_agent = arena_dup(a, agent);
    return v;
}

struct account_visit *account_visit(struct request *rq, void *app, enum account_need need)
{
    struct account_visit *v = visit_new(rq, app);
    if (posted(v) && !request_same_origin(rq, v->app->public_origin)) {
        account_sorry(v, ERR_NOT_ALLOWED, NULL);
        return NULL;
    }
    if (web_session(app, rq, &v->view) == 1) {
        take_session(v);
    } else if (need != ACCOUNT_ANYBODY) {
        reply_redirect(rq, sign_in_url(v, NULL));
        return NULL;
    }
    if (need == ACCOUNT_FRESH && !v->fresh) {
        account_again(v);
        return NULL;
    }
    if (posted(v) && (v->form = request_form(rq)) == NULL) {
        account_sorry(v, ERR_INVALID, NULL);
        return NULL;
    }
    return v;
}

struct own_caller account_own(const struct account_visit *v)
{
    return (struct own_caller){
        .session = &v->view, .ip = v->ip, .user_agent = v->user_agent, .request_id = v->request_id};
}

/* ---- the store ------------------------------------------------------------------------------- */

/* Whoever waits hears of it, too: what it holds is its own to free. */
static void too_busy(store_done_fn *done, void *arg)
{
    struct err err = ERR_INIT;
    err_set(&err, ERR_LIMITED, "the store's queue is full");
    done(arg, STORE_FAILED, &err);
}

void account_read(struct account_visit *v, store_fn *fn, store_done_fn *done, void *arg)
{
    request_hold(v->rq);
    if (!store_read(v->app->store, fn, v->app->loop, done, arg))
        too_busy(done, arg);
}

void account_write(struct account_visit *v, store_fn *fn, store_done_fn *done, void *arg)
{
    request_hold(v->rq);
    if (!store_write(v->app->store, fn, v->app->loop, done, arg))
        too_busy(done, arg);
}

int account_audit(struct db *db, const struct account_visit *v, const char *action,
                  const char *object, struct err *err)
{
    const struct audit_row row = {.at = v->now,
                                  .actor_kind = "account",
                                  .actor = v->account,
                                  .ip = v->ip,
                                  .request_id = v->request_id,
                                  .user_agent = v->user_agent,
                                  .action = action,
                                  .object = object,
                                  .outcome = "done"};
    return audit_add(db, &row, err) < 0 ? -1 : 0;
}

bool account_failed(struct account_visit *v, enum store_outcome outcome, const struct err *err)
{
    if (outcome == STORE_DONE)
        return false;
    const bool ours = outcome == STORE_UNKNOWN || !err || err->kind == ERR_INTERNAL;
    if (ours)
        log_error(request_log(v->rq), LOG_ERROR, "account.failed", err);
    account_sorry(v, ours ? ERR_INTERNAL : err->kind, NULL);
    return true;
}

/* ---- answering ------------------------------------------------------------------------------- */

static void set_notice(const struct account_visit *v, struct jval *data)
{
    const struct fields *query = request_query(v->rq);
    const char *did;
    if (!query || form_get(query, "did", &did) != 1)
        return;
    for (size_t i = 0; i < sizeof notices / sizeof *notices; i++)
        if (strcmp(did, notices[i].did) == 0)
            jval_set_text(data, "notice", notices[i].text);
}

struct jval *account_data(const struct account_visit *v)
{
    struct jval *data = jval_new_object();
    jval_set_bool(data, "fresh", v->fresh);
    jval_set_text(data, "again", sign_in_url(v, NULL));
    return data;
}

void account_send(struct account_visit *v, int status, const char *name, const char *title,
                  struct jval *data)
{
    jval_set_text(data, "who", v->name);
    jval_set_bool(data, "admin", v->account && admin_is(v->app->admin, v->account));
    set_notice(v, data);
    page_has_form(v->rq);
    page_send(v->rq, v->app, status, name, title, data);
}

void account_go(struct account_visit *v, const char *did)
{
    reply_redirect(v->rq, arena_printf(v->a, "/account?did=%s", did));
}

static const struct words {
    enum err_kind kind;
    int status;
    const char *heading, *text;
} words[] = {
    {ERR_INTERNAL, 500, "Something broke on our side",
     "Your account may or may not have been changed. Look, and try again; if it happens twice, "
     "pass on the reference below."},
    {ERR_INVALID, 400, "That did not work", "What was sent makes no sense here."},
    {ERR_NOT_ALLOWED, 403, "That did not come from here",
     "Your account is only changed from this site's own pages. Nothing was changed."},
    {ERR_NOT_FOUND, 404, "There is no such thing", "It may be gone already."},
    {ERR_CONFLICT, 409, "That is not possible now", "Nothing was changed."},
    {ERR_EXPIRED, 410, "That is over", "It took too long, or it was used already. Begin again."},
    {ERR_LIMITED, 503, "Too busy just now", "Nothing was changed. Try again in a few seconds."},
};

void account_sorry(struct account_visit *v, enum err_kind kind, const char *text)
{
    const struct words *w = &words[0];
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (words[i].kind == kind)
            w = &words[i];
    struct jval *data = account_data(v);
    jval_set_text(data, "heading", w->heading);
    jval_set_text(data, "text", text ? text : w->text);
    if (kind == ERR_LIMITED)
        reply_header_static(v->rq, "Retry-After", "5");
    account_send(v, w->status, "account-message", w->heading, data);
}
