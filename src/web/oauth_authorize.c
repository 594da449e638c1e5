/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The authorization endpoint, as far as it is HTTP: parameters in; out a redirect or a page that
 * posts to the app, a hop to the sign-in, or the question whether the person agrees. What comes
 * next is decided in issuer/authorize.
 */
#include "base/url.h"
#include "web/brand.h"
#include "web/oauth.h"
#include "web/page.h"
#include "web/scope.h"

#define URL_MAX 16384

static bool person(void *arg, struct issuer_person *out)
{
    const struct oauth_visit *at = arg;
    struct session_view v;
    if (web_session(at->app, at->rq, &v) != 1)
        return false;
    *out = (struct issuer_person){
        .account = v.account,
        .session = v.id,
        .provider = v.provider,
        .provider_subject = v.subject,
        .amr = v.amr,
        .auth_time = v.auth_time,
        .created = v.created,
        .subject = web_subject(at->rq, &v),
    };
    return true;
}

struct oauth_visit *oauth_visit(struct request *rq, const struct web_app *app)
{
    const char *user_agent = NULL;
    struct oauth_visit *at = arena_alloc(request_arena(rq), sizeof *at);
    const int agents = request_header(rq, "User-Agent", &user_agent);
    *at = (struct oauth_visit){.rq = rq, .app = app};
    at->v = (struct issuer_visit){.arena = request_arena(rq),
                                  .bind = web_bind(rq, app),
                                  .ip = request_client(rq),
                                  .user_agent = agents == 1 ? user_agent : NULL,
                                  .log = request_log(rq),
                                  .person = person,
                                  .person_arg = at};
    return at;
}

/* ---- back to the app ---------------------------------------------------------------------------
 */

struct answer {
    struct {
        const char *name, *value;
    } v[5];
    size_t n;
};

static void add(struct answer *a, const char *name, const char *value)
{
    if (value) {
        a->v[a->n].name = name;
        a->v[a->n++].value = value;
    }
}

static void by_query(const struct oauth_visit *at, const char *uri, const struct answer *a)
{
    struct buf url;
    buf_init(&url, URL_MAX);
    buf_text(&url, uri);
    if (!strchr(uri, '?'))
        buf_byte(&url, '?');
    for (size_t i = 0; i < a->n; i++)
        form_add(&url, a->v[i].name, a->v[i].value);
    if (buf_ok(&url))
        reply_redirect(at->rq, url.p);
    else
        page_error(at->rq, at->app, ERR_INVALID, NULL);
    buf_deinit(&url);
}

/* Only to that origin may the form go. Some browsers hold what it redirects to to the same rule, so
 * an app that sends people on elsewhere at once is better off with the query. */
static void by_form(const struct oauth_visit *at, const struct issuer_request *rq,
                    const struct answer *a)
{
    struct err err = ERR_INIT;
    struct url u;
    struct buf csp;
    struct jval *data = jval_new_object(), *list = jval_new_array();
    for (size_t i = 0; i < a->n; i++) {
        struct jval *o = jval_new_object();
        jval_set_text(o, "name", a->v[i].name);
        jval_set_text(o, "value", a->v[i].value);
        jval_push(list, o);
    }
    jval_set(data, "fields", list);
    jval_set_text(data, "action", rq->redirect_uri);
    jval_set_text(data, "app", rq->app->label);
    jval_set_bool(data, "repost", true); /* the script that posts it */
    buf_init(&csp, 1024);
    buf_text(&csp, "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; "
                   "base-uri 'none'; frame-ancestors 'none'; form-action ");
    if (url_parse(at->v.arena, str_of(rq->redirect_uri), &u, &err) == 0)
        url_origin(&u, &csp);
    else
        buf_text(&csp, "'none'"); /* a scheme of its own takes no form */
    reply_header(at->rq, "Content-Security-Policy", csp.p);
    buf_deinit(&csp);
    page_send(at->rq, at->app, 200, "form-post", "One moment", data);
}

static void respond(const struct oauth_visit *at, const struct issuer_step *s)
{
    struct answer a = {.n = 0};
    add(&a, "code", s->code);
    add(&a, "error", s->error);
    add(&a, "error_description", s->description);
    add(&a, "state", s->rq->state);
    add(&a, "iss", at->app->public_url); /* RFC 9207 */
    reply_header_static(at->rq, "Cache-Control", "no-store");
    if (s->rq->form_post)
        by_form(at, s->rq, &a);
    else
        by_query(at, s->rq->redirect_uri, &a);
}

/* ---- to the person -----------------------------------------------------------------------------
 */

static void to_login(const struct oauth_visit *at, const struct issuer_step *s)
{
    const struct app_common *c = &s->rq->app->common;
    const bool anew = (s->rq->prompt & PROMPT_LOGIN) || s->rq->max_age >= 0;
    struct buf url;
    buf_init(&url, URL_MAX);
    if (c->providers && c->providers[0] && !c->providers[1])
        buf_printf(&url, "/login/%s?", c->providers[0]);
    else
        buf_text(&url, "/login?");
    form_add(&url, "return_to", arena_printf(at->v.arena, "/oauth2/continue/%s", s->handle));
    form_add(&url, "app", s->rq->app->id);
    if (anew)
        form_add(&url, "prompt", "login");
    else if (s->again || (s->rq->prompt & PROMPT_SELECT_ACCOUNT))
        form_add(&url, "prompt", "select_account");
    if (s->rq->login_hint)
        form_add(&url, "login_hint", s->rq->login_hint);
    if (buf_ok(&url))
        reply_redirect(at->rq, url.p);
    else
        page_error(at->rq, at->app, ERR_INVALID, NULL);
    buf_deinit(&url);
}

static void ask(const struct oauth_visit *at, const struct issuer_step *s)
{
    struct err err = ERR_INIT;
    struct session_view v;
    struct url u;
    struct jval *data = jval_new_object();
    jval_set(data, "scopes", scope_list(at->v.arena, s->rq->scopes));
    brand_set(data, s->rq->app);
    jval_set_text(data, "handle", s->handle);
    jval_set_text(data, "target",
                  url_parse(at->v.arena, str_of(s->rq->redirect_uri), &u, &err) == 0
                      ? u.host
                      : "an app on this device");
    if (web_session(at->app, at->rq, &v) == 1) {
        jval_set_text(data, "person", v.name[0] ? v.name : v.username[0] ? v.username : v.account);
        jval_set_text(data, "account", v.account);
    }
    page_has_form(at->rq);
    /* The answer to the form leads to the app. */
    reply_header_static(at->rq, "Content-Security-Policy",
                        "default-src 'none'; style-src 'self'; img-src 'self' https:; "
                        "base-uri 'none'; frame-ancestors 'none'");
    page_send(at->rq, at->app, 200, "consent", "Do you agree?", data);
}

static void on_step(void *arg, const struct issuer_step *s)
{
    const struct oauth_visit *at = arg;
    switch (s->next) {
    case ISSUER_RESPOND:
        respond(at, s);
        break;
    case ISSUER_LOGIN:
        to_login(at, s);
        break;
    case ISSUER_CONSENT:
        ask(at, s);
        break;
    case ISSUER_PAGE:
        reply_error(
            at->rq, 400,
            arena_printf(at->v.arena,
                         "The app that sent you here asked for something that is not right: "
                         "%s. Only the people who run that app can mend it.",
                         s->description));
        break;
    case ISSUER_GONE:
        reply_error(at->rq, 400,
                    arena_printf(at->v.arena, "%s. Go back to the app and sign in there again.",
                                 s->description));
        break;
    case ISSUER_FAILED:
        reply_error(at->rq, 503, "usher cannot answer this just now.");
        break;
    }
}

/* ---- routes ------------------------------------------------------------------------------------
 */

/* GET and POST alike (OpenID Connect Core 3.1.2.1); of a POST the body counts and nothing else. */
void oauth_authorize(struct request *rq, void *app)
{
    struct oauth_visit *at = oauth_visit(rq, app);
    const bool post = strcmp(request_method(rq), "POST") == 0;
    const struct fields *query = request_query(rq);
    const struct fields *f = post ? request_form(rq) : query;
    if (f == NULL || query == NULL || (post && query->n > 0)) {
        reply_error(rq, 400, "This request makes no sense.");
        return;
    }
    request_hold(rq);
    issuer_authorize(at->app->issuer, &at->v, f, on_step, at);
}

void oauth_continue(struct request *rq, void *app)
{
    struct oauth_visit *at = oauth_visit(rq, app);
    request_hold(rq);
    issuer_continue(at->app->issuer, &at->v, request_rest(rq), on_step, at);
}

/* Each box that was left ticked comes as a field of its own. */
static const char *ticked(struct arena *a, const struct fields *f)
{
    const char *all = "";
    for (size_t i = 0; i < f->n; i++)
        if (strcmp(f->v[i].name, "scope") == 0)
            all = all[0] ? arena_printf(a, "%s %s", all, f->v[i].value) : f->v[i].value;
    return all;
}

void oauth_consent(struct request *rq, void *app)
{
    struct oauth_visit *at = oauth_visit(rq, app);
    const struct fields *f = request_form(rq);
    const char *answer, *account;
    if (f == NULL || form_get(f, "answer", &answer) != 1 || form_get(f, "account", &account) != 1 ||
        !request_same_origin(rq, at->app->public_origin)) {
        reply_error(rq, 400, "This answer did not come from our page.");
        return;
    }
    const struct issuer_answer_of_person said = {.handle = request_rest(rq),
                                                 .account = account,
                                                 .allow = strcmp(answer, "allow") == 0,
                                                 .scopes = ticked(at->v.arena, f)};
    request_hold(rq);
    issuer_consent(at->app->issuer, &at->v, &said, on_step, at);
}
