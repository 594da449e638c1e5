/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signing out at an app's request, as far as it is HTTP. What the request is worth is judged in
 * issuer/logout, the session is ended in web/signout. Whoever is asked answers from our own page,
 * which carries the request along: it is judged again then.
 *
 * A form that another site posts comes without our cookie (SameSite=Lax), so it would seem that
 * nobody is signed in: it is led to the same question by GET, which has it.
 */
#include "issuer/logout.h"
#include "web/oauth.h"
#include "web/page.h"

#define URL_MAX 16384

static const char *const names[] = {"id_token_hint", "client_id", "post_logout_redirect_uri",
                                    "state"};
#define NAMES (sizeof names / sizeof *names)

struct leaving {
    struct request *rq;
    const struct web_app *app;
    const struct fields *form;
    bool signed_in, confirmed;
    struct issuer_logout said;
};

static void send_away(const struct leaving *l, struct buf *url)
{
    if (buf_ok(url))
        reply_redirect(l->rq, url->p);
    else
        reply_error(l->rq, 400, "This request is too long.");
    buf_deinit(url);
}

static void to_app(const struct leaving *l)
{
    struct buf url;
    buf_init(&url, URL_MAX);
    buf_text(&url, l->said.target);
    if (l->said.state) {
        if (!strchr(l->said.target, '?'))
            buf_byte(&url, '?');
        form_add(&url, "state", l->said.state);
    }
    send_away(l, &url);
}

/* The same request, by GET. */
static void to_get(const struct leaving *l)
{
    struct buf url;
    const char *value;
    buf_init(&url, URL_MAX);
    buf_text(&url, "/oauth2/logout?");
    for (size_t i = 0; i < NAMES; i++)
        if (form_get(l->form, names[i], &value) == 1)
            form_add(&url, names[i], value);
    send_away(l, &url);
}

/* Where the form leads in the end is the app's: some browsers hold a redirect that answers a form
 * to form-action, too. */
static void ask(const struct leaving *l)
{
    struct jval *data = jval_new_object(), *list = jval_new_array();
    const char *value;
    for (size_t i = 0; i < NAMES; i++) {
        if (form_get(l->form, names[i], &value) != 1)
            continue;
        struct jval *field = jval_new_object();
        jval_set_text(field, "name", names[i]);
        jval_set_text(field, "value", value);
        jval_push(list, field);
    }
    jval_set(data, "fields", list);
    if (l->said.app)
        jval_set_text(data, "app", l->said.app);
    page_has_form(l->rq);
    reply_header_static(l->rq, "Content-Security-Policy",
                        "default-src 'none'; style-src 'self'; img-src 'self'; "
                        "base-uri 'none'; frame-ancestors 'none'");
    page_send(l->rq, l->app, 200, "oauth-logout", "Sign out?", data);
}

static void signed_out(void *arg)
{
    const struct leaving *l = arg;
    if (l->said.target)
        to_app(l);
    else
        signout_say_goodbye(l->rq, l->app);
}

static void on_judged(void *arg, const struct issuer_logout *said)
{
    struct leaving *l = arg;
    l->said = *said;
    if (said->verdict == LOGOUT_INVALID)
        reply_error(l->rq, 400, "This request makes no sense: a parameter came twice.");
    else if (said->verdict == LOGOUT_FAILED)
        reply_error(l->rq, 503, "usher cannot answer this just now.");
    else if (l->confirmed || (l->signed_in && said->verdict == LOGOUT_PROVEN))
        signout_end(l->rq, l->app, signed_out, l);
    else if (!l->signed_in && said->target)
        to_app(l); /* somebody was faster, and the app knows whose it was */
    else
        ask(l);
}

static void judge(struct leaving *l)
{
    struct arena *a = request_arena(l->rq);
    struct issuer_logout_call *call = arena_alloc(a, sizeof *call);
    struct session_view v;
    *call = (struct issuer_logout_call){.arena = a, .form = l->form};
    l->signed_in = web_session(l->app, l->rq, &v) == 1;
    if (l->signed_in) {
        call->account = arena_dup(a, v.account);
        call->session = arena_dup(a, v.id);
    } else if (strcmp(request_method(l->rq), "POST") == 0 && !l->confirmed) {
        to_get(l);
        return;
    }
    reply_header_static(l->rq, "Cache-Control", "no-store");
    request_hold(l->rq);
    issuer_logout_judge(l->app->issuer, call, on_judged, l);
}

static struct leaving *leaving_of(struct request *rq, const struct web_app *app)
{
    struct leaving *l = arena_alloc(request_arena(rq), sizeof *l);
    const bool post = strcmp(request_method(rq), "POST") == 0;
    const struct fields *query = request_query(rq);
    *l = (struct leaving){.rq = rq, .app = app, .form = post ? request_form(rq) : query};
    if (l->form && query && (!post || query->n == 0))
        return l;
    reply_error(rq, 400, "This request makes no sense.");
    return NULL;
}

/* GET and POST alike (RP-Initiated Logout 2). */
void oauth_logout(struct request *rq, void *app)
{
    struct leaving *l = leaving_of(rq, app);
    if (l)
        judge(l);
}

void oauth_logout_confirm(struct request *rq, void *app_)
{
    const struct web_app *app = app_;
    if (!request_same_origin(rq, app->public_origin)) {
        reply_error(rq, 403, "Signing out must be asked for on this site's own page.");
        return;
    }
    struct leaving *l = leaving_of(rq, app);
    if (l == NULL)
        return;
    l->confirmed = true;
    judge(l);
}
