/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one page for what a person has proven and not yet said yes to (login/join.h). It names both
 * sides: who the provider says has just signed in, and the account this would belong to. Whoever
 * may see a join is decided there; what is shown of accounts is read from the store here, so for
 * ASK, where nobody has proven anything of an account yet, nothing is.
 */
#include "base/evidence.h"
#include "login/join.h"
#include "store/account_list.h"
#include "web/account_page.h"
#include "web/admin_view.h"

struct join_page {
    struct account_visit *v;
    struct join_view view; /* its strings copied */
    struct arena *a;       /* of the store's thread; NULL: nothing is read */
    struct account_row mine, other;
    bool has_other;
};

static const char *kept(const struct account_visit *v, const char *text)
{
    return text ? arena_dup(v->a, text) : NULL;
}

static struct join_caller caller_of(const struct account_visit *v)
{
    struct join_caller c = {.id = v->id,
                            .session = v->signed_in ? &v->view : NULL,
                            .ip = v->ip,
                            .user_agent = v->user_agent,
                            .request_id = v->request_id,
                            .log = request_log(v->rq)};
    if (web_bind_get(v->rq, v->app, &c.bind) != 1)
        c.bind = (struct str){"", 0};
    return c;
}

static void say_over(struct account_visit *v)
{
    account_sorry(v, ERR_EXPIRED,
                  "It took too long, was answered already, or began in another browser. Nothing "
                  "was linked by this page.");
}

/* ---- the page -------------------------------------------------------------------------------- */

static struct jval *side_of(const struct account_visit *v, const struct account_row *row)
{
    struct jval *o = jval_new_object(), *list = jval_new_array();
    for (size_t i = 0; i < row->n; i++) {
        const struct account_identity *id = &row->identities[i];
        const struct provider *p = registry_find(v->app->registry, id->provider);
        struct jval *e = jval_new_object();
        jval_set_text(e, "provider", p ? p->label : id->provider);
        jval_set_text(e, "called", id->name ? id->name : id->username);
        jval_set_text(e, "email", id->email);
        jval_push(list, e);
    }
    jval_set_text(o, "account", row->id);
    jval_set(o, "created", show_when(row->created, v->now, v->a));
    jval_set(o, "identities", list);
    return o;
}

static void set_proven(const struct join_page *p, struct jval *data)
{
    const struct join_view *view = &p->view;
    const struct provider *from = registry_find(p->v->app->registry, view->provider);
    struct jval *o = jval_new_object();
    jval_set_text(o, "provider", from ? from->label : view->provider);
    jval_set_text(o, "called", view->name ? view->name : view->username);
    jval_set_text(o, "username", show_username(view->name, view->username));
    jval_set_text(o, "email", view->email);
    jval_set_bool(o, "email_proven", evidence_proves(view->email_evidence));
    jval_set(data, "proven", o);
}

/* How somebody who has been here may prove it. What they have just come with is the least likely
 * to help, so it is the last. */
static void set_ways(const struct join_page *p, struct jval *data)
{
    const struct registry *registry = p->v->app->registry;
    struct jval *list = jval_new_array();
    for (int pass = 0; pass < 2; pass++)
        for (size_t i = 0; i < registry_count(registry); i++) {
            const struct provider *one = registry_at(registry, i);
            if (!one->usable || (strcmp(one->id, p->view.provider) == 0) != (pass == 1))
                continue;
            struct jval *e = jval_new_object();
            jval_set_text(e, "id", one->id);
            jval_set_text(e, "label", one->label);
            jval_push(list, e);
        }
    jval_set(data, "ways", list);
}

static void show(struct join_page *p)
{
    static const char *const titles[] = {[JOIN_LINK] = "Link this to your account?",
                                         [JOIN_MERGE] = "Make two accounts one?",
                                         [JOIN_ASK] = "Have you been here before?",
                                         [JOIN_LINKED] = "This was linked to your account"};
    struct account_visit *v = p->v;
    struct jval *data = account_data(v);
    jval_set_text(data, "heading", titles[p->view.kind]);
    jval_set_bool(data, "is_link", p->view.kind == JOIN_LINK);
    jval_set_bool(data, "is_merge", p->view.kind == JOIN_MERGE);
    jval_set_bool(data, "is_ask", p->view.kind == JOIN_ASK);
    jval_set_bool(data, "is_linked", p->view.kind == JOIN_LINKED);
    jval_set_bool(data, "tried", p->view.tried);
    jval_set_text(data, "join", p->view.id);
    set_proven(p, data);
    if (p->view.kind == JOIN_ASK)
        set_ways(p, data);
    else
        jval_set(data, "mine", side_of(v, &p->mine));
    if (p->has_other)
        jval_set(data, "other", side_of(v, &p->other));
    account_send(v, 200, "account-join", titles[p->view.kind], data);
}

static int read_sides(struct db *db, void *arg, struct err *err)
{
    struct join_page *p = arg;
    arena_reset(p->a);
    int found = account_get(db, p->view.account, p->v->now, p->a, &p->mine, err);
    if (found == 1 && p->view.other)
        found = account_get(db, p->view.other, p->v->now, p->a, &p->other, err);
    p->has_other = p->view.other != NULL;
    return found == 0 ? err_set(err, ERR_NOT_FOUND, "an account is gone") : found < 0 ? -1 : 0;
}

static void on_sides(void *arg, enum store_outcome outcome, const struct err *err)
{
    struct join_page *p = arg;
    if (!account_failed(p->v, outcome, err))
        show(p);
    arena_free(&p->a);
}

void account_join_page(struct request *rq, void *app)
{
    struct account_visit *v = account_visit(rq, app, ACCOUNT_ANYBODY);
    if (!v)
        return;
    const struct join_caller c = caller_of(v);
    struct join_page *p = arena_alloc(v->a, sizeof *p);
    *p = (struct join_page){.v = v};
    if (join_show(v->app->login, &c, &p->view) != 1) {
        say_over(v);
        return;
    }
    const char **texts[] = {&p->view.id,    &p->view.provider, &p->view.subject, &p->view.username,
                            &p->view.name,  &p->view.email,    &p->view.picture, &p->view.account,
                            &p->view.other, &p->view.return_to};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        *texts[i] = kept(v, *texts[i]);
    if (!p->view.account) {
        show(p);
        return;
    }
    p->a = arena_new();
    account_read(v, read_sides, on_sides, p);
}

/* ---- the answer ------------------------------------------------------------------------------ */

struct answer {
    struct account_visit *v;
    const char *provider, *did;
};

/* Back on the account's page what was done is told there. */
static void go_on(struct account_visit *v, const char *return_to, const char *did)
{
    if (did && strcmp(return_to, "/account") == 0)
        account_go(v, did);
    else
        reply_redirect(v->rq, return_to);
}

static void on_answered(void *arg, const struct login_result *r, const struct err *err)
{
    struct answer *w = arg;
    struct account_visit *v = w->v;
    if (r) {
        web_set_session(v->rq, v->app, r, w->provider);
        go_on(v, r->return_to, w->did);
    } else if (err->kind == ERR_NOT_FOUND) {
        say_over(v);
    } else if (err->kind == ERR_CONFLICT) {
        account_sorry(v, ERR_CONFLICT,
                      "Meanwhile that sign-in came to belong to somebody, or an account is gone. "
                      "Nothing was changed.");
    } else if (err->kind == ERR_NOT_ALLOWED) {
        page_error(v->rq, v->app, ERR_NOT_ALLOWED, NULL);
    } else {
        account_sorry(v, err->kind, NULL);
    }
}

static void drop(struct account_visit *v, const struct join_caller *c, enum join_kind kind)
{
    const char *return_to;
    join_drop(v->app->login, c, v->a, &return_to);
    if (kind == JOIN_ASK) /* nobody is signed in: where they were going is closed */
        reply_redirect(v->rq, "/login");
    else
        go_on(v, return_to, "dropped");
}

void account_join_post(struct request *rq, void *app)
{
    struct account_visit *v = account_visit(rq, app, ACCOUNT_ANYBODY);
    struct join_view view;
    const char *said;
    if (!v)
        return;
    const struct join_caller c = caller_of(v);
    if (join_show(v->app->login, &c, &view) != 1) {
        say_over(v);
        return;
    }
    if (form_get(v->form, "answer", &said) != 1) {
        account_sorry(v, ERR_INVALID, NULL);
        return;
    }
    struct answer *w = arena_alloc(v->a, sizeof *w);
    *w = (struct answer){.v = v,
                         .provider = arena_dup(v->a, view.provider),
                         .did = view.kind == JOIN_MERGE ? "merged" : "linked"};
    if (strcmp(said, "drop") == 0) {
        drop(v, &c, view.kind);
    } else if (strcmp(said, "accept") == 0 && view.kind != JOIN_LINKED && view.account &&
               !v->fresh) {
        account_again(v);
    } else if (strcmp(said, "accept") == 0 && view.kind != JOIN_ASK) {
        request_hold(rq);
        join_accept(v->app->login, &c, on_answered, w);
    } else if (strcmp(said, "new") == 0 && view.kind == JOIN_ASK) {
        request_hold(rq);
        join_new_account(v->app->login, &c, on_answered, w);
    } else {
        account_sorry(v, ERR_INVALID, NULL);
    }
}
