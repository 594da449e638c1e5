/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The page where a person lets a device in (RFC 8628 section 3.3): they type its code, sign in, see
 * what it is and allow or deny. An address that brings the code along only saves the typing: nobody
 * is let in without the question.
 */
#include "issuer/device.h"
#include "web/brand.h"
#include "web/device.h"
#include "web/oauth.h"
#include "web/page.h"
#include "web/scope.h"

#define URL_MAX 4096
#define UNKNOWN "No device waits with this code, or not any more. Look at it again."

static void to_login(const struct oauth_visit *at, const struct issuer_device_step *s, bool other)
{
    const char *const *providers = s->app->common.providers;
    struct buf url;
    buf_init(&url, URL_MAX);
    if (providers && providers[0] && !providers[1])
        buf_printf(&url, "/login/%s?", providers[0]);
    else
        buf_text(&url, "/login?");
    form_add(&url, "return_to", arena_printf(at->v.arena, "/device?user_code=%s", s->code));
    form_add(&url, "app", s->app->id);
    if (other)
        form_add(&url, "prompt", "select_account");
    if (buf_ok(&url))
        reply_redirect(at->rq, url.p);
    else
        page_error(at->rq, at->app, ERR_INVALID, NULL);
    buf_deinit(&url);
}

static void form(const struct oauth_visit *at, int status, const char *code, const char *error)
{
    struct jval *data = jval_new_object();
    if (code)
        jval_set_text(data, "code", code);
    if (error)
        jval_set_text(data, "error", error);
    page_has_form(at->rq);
    /* The answer to the form may lead to a provider. */
    reply_header_static(at->rq, "Content-Security-Policy",
                        "default-src 'none'; style-src 'self'; img-src 'self'; "
                        "base-uri 'none'; frame-ancestors 'none'");
    page_send(at->rq, at->app, status, "device", "Connect a device", data);
}

static void ask(const struct oauth_visit *at, const struct issuer_device_step *s)
{
    const char *device = device_text(s->user_agent, at->v.arena);
    struct session_view v;
    struct jval *data = jval_new_object();
    jval_set(data, "scopes", scope_list(at->v.arena, s->scopes));
    brand_set(data, s->app);
    jval_set_text(data, "code", s->code);
    jval_set_text(data, "address", s->ip ? s->ip : "an unknown address");
    if (device)
        jval_set_text(data, "device", device);
    if (web_session(at->app, at->rq, &v) == 1) {
        jval_set_text(data, "person", v.name[0] ? v.name : v.username[0] ? v.username : v.account);
        jval_set_text(data, "account", v.account);
    }
    page_has_form(at->rq);
    page_send(at->rq, at->app, 200, "device-ask", "Connect a device", data);
}

static void said(const struct oauth_visit *at, const struct issuer_device_step *s, bool allowed)
{
    struct jval *data = jval_new_object();
    jval_set_bool(data, "allowed", allowed);
    jval_set_text(data, "app", s->app->label);
    page_send(at->rq, at->app, 200, "device-said", "Connect a device", data);
}

static void on_step(void *arg, const struct issuer_device_step *s)
{
    const struct oauth_visit *at = arg;
    switch (s->next) {
    case ISSUER_DEVICE_UNKNOWN:
        form(at, 422, s->code, UNKNOWN);
        break;
    case ISSUER_DEVICE_LOGIN:
    case ISSUER_DEVICE_OTHER:
        to_login(at, s, s->next == ISSUER_DEVICE_OTHER);
        break;
    case ISSUER_DEVICE_CLOSED:
        reply_redirect(at->rq, arena_printf(at->v.arena, "/denied?app=%s", s->app->id));
        break;
    case ISSUER_DEVICE_ASK:
        ask(at, s);
        break;
    case ISSUER_DEVICE_ALLOWED:
    case ISSUER_DEVICE_DENIED:
        said(at, s, s->next == ISSUER_DEVICE_ALLOWED);
        break;
    case ISSUER_DEVICE_FAILED:
        reply_error(at->rq, 503, "usher cannot answer this just now.");
        break;
    }
}

void oauth_device_page(struct request *rq, void *app)
{
    struct oauth_visit *at = oauth_visit(rq, app);
    const struct fields *query = request_query(rq);
    const char *code = NULL;
    const int rc = query ? form_get(query, "user_code", &code) : -1;
    if (rc < 0)
        reply_error(rq, 400, "This request makes no sense.");
    else if (rc == 0 || !code[0])
        form(at, 200, NULL, NULL);
    else {
        request_hold(rq);
        issuer_device_look(at->app->issuer, &at->v, code, on_step, at);
    }
}

void oauth_device_post(struct request *rq, void *app)
{
    struct oauth_visit *at = oauth_visit(rq, app);
    const struct fields *f = request_form(rq);
    struct issuer_device_said said;
    const char *answer;
    if (f == NULL || form_get(f, "answer", &answer) != 1 ||
        form_get(f, "user_code", &said.code) != 1 || form_get(f, "account", &said.account) != 1 ||
        !request_same_origin(rq, at->app->public_origin)) {
        reply_error(rq, 400, "This answer did not come from our page.");
        return;
    }
    said.allow = strcmp(answer, "allow") == 0;
    request_hold(rq);
    issuer_device_say(at->app->issuer, &at->v, &said, on_step, at);
}
