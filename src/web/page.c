/* SPDX-License-Identifier: Apache-2.0 */
#include "web/page.h"

#include <stdio.h>

#include "base/embed.h"
#include "base/template.h"
#include "web/api.h"
#include "web/oauth.h"

#define PAGE_MAX (256u * 1024)

/* {{>content}} of a frame is the page it was asked for. {{>usher.css}} is the version of that
 * asset: an address that has it may be kept for good (asset.c). */
static struct str find_html(void *page, const char *name)
{
    if (page && strcmp(name, "content") == 0)
        name = page;
    const size_t n = strlen(name);
    for (const struct embedded *e = embedded_html; e->name; e++)
        if (strncmp(e->name, name, n) == 0 && strcmp(e->name + n, ".html") == 0)
            return (struct str){e->p, e->n};
    for (const struct embedded *e = embedded_assets; e->name; e++)
        if (strcmp(e->name, name) == 0)
            return str_of(e->version);
    return (struct str){NULL, 0};
}

void page_send(struct request *rq, const struct web_app *app, int status, const char *name,
               const char *title, struct jval *data)
{
    struct err err = ERR_INIT;
    struct buf out;
    buf_init(&out, PAGE_MAX);
    jval_set_text(data, "title", title);
    jval_set_text(data, "site", app->site_name);
    jval_set_text(data, "request_id", request_id(rq));
    jval_set_bool(data, name, true); /* for what a frame adds to one page */
    const char *frame = str_starts(str_of(name), "admin-")     ? "admin"
                        : str_starts(str_of(name), "account-") ? "account"
                                                               : "layout";
    const int rendered = template_render(find_html(NULL, frame), data, find_html,
                                         (void *)(uintptr_t)name, &out, &err);
    jval_free(&data);
    if (rendered != 0 || !buf_ok(&out)) {
        log_error(request_log(rq), LOG_ERROR, "page.broken", &err);
        reply_send(rq, 500, "text/plain; charset=utf-8",
                   STR("This page is broken. It is our fault.\n"));
    } else {
        char *body = arena_dupn(request_arena(rq), out.p, out.n);
        reply_send(rq, status, "text/html; charset=utf-8", (struct str){body, out.n});
    }
    buf_deinit(&out);
}

void page_has_form(struct request *rq)
{
    reply_header_static(rq, "Referrer-Policy", "same-origin");
}

struct error_words {
    enum err_kind kind;
    int status;
    const char *title, *text;
    bool again; /* trying again may help */
};

static const struct error_words words[] = {
    {ERR_DENIED, 403, "Sign-in cancelled", "You chose not to sign in, so nothing was shared.",
     true},
    {ERR_NOT_ALLOWED, 403, "This account may not sign in here",
     "You are who you say, but this account is not among those allowed. Another one may be.", true},
    {ERR_EXPIRED, 400, "That sign-in is over",
     "It took too long, or it was used already. Start again and it will take a few seconds.", true},
    {ERR_MISCONFIGURED, 500, "This sign-in is not set up right",
     "Only the people who run this site can mend it. Tell them the reference below.", false},
    {ERR_UPSTREAM_DOWN, 502, "The sign-in service does not answer",
     "It is slow or down at the moment. Try again in a minute, or sign in another way.", true},
    {ERR_UPSTREAM_BAD, 502, "The sign-in service gave a bad answer",
     "We could not be sure who you are, so you were not signed in. Try again, or tell the people "
     "who run this site the reference below.",
     true},
    {ERR_INTERNAL, 500, "Something broke on our side",
     "You were not signed in. Try again; if it happens twice, pass on the reference below.", true},
    {ERR_INVALID, 400, "That sign-in did not start here",
     "This address only works in the browser that began the sign-in, and only once. Start again.",
     true},
    {ERR_NOT_FOUND, 404, "There is nothing here", "The address may be mistyped or out of date.",
     false},
    {ERR_LIMITED, 503, "Too busy just now",
     "More people are signing in than we take at once. Try again in a few seconds.", true},
};

static bool wants_json(struct request *rq)
{
    return strncmp(request_path(rq), "/api/", 5) == 0;
}

void page_error(struct request *rq, const struct web_app *app, enum err_kind kind,
                const char *provider)
{
    const struct error_words *w = &words[6];
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (words[i].kind == kind)
            w = &words[i];
    if (kind == ERR_LIMITED)
        reply_header_static(rq, "Retry-After", "5");
    if (wants_json(rq)) {
        api_error(rq, w->status, err_kind_name(kind), w->text);
        return;
    }
    struct jval *data = jval_new_object();
    struct session_view v;
    const struct provider *p = provider ? registry_find(app->registry, provider) : NULL;
    jval_set_text(data, "heading", w->title);
    jval_set_text(data, "text", w->text);
    jval_set_bool(data, "again", w->again);
    jval_set_bool(data, "signed_in", web_session(app, rq, &v) == 1);
    if (p && p->usable && w->again) {
        jval_set_text(data, "provider", p->id);
        jval_set_text(data, "provider_label", p->label);
    }
    page_send(rq, app, w->status, "error", w->title, data);
}

static const char *refusal_kind(int status)
{
    switch (status) {
    case 403:
        return "not_allowed";
    case 404:
        return "not_found";
    case 405:
        return "method_not_allowed";
    case 413:
        return "too_large";
    case 415:
        return "wrong_type";
    case 421:
        return "wrong_host";
    case 429:
        return "limited";
    case 503:
        return "unavailable";
    default:
        return status < 500 ? "invalid" : "internal";
    }
}

void page_refused(struct request *rq, int status, const char *what, void *app)
{
    if (oauth_is_call(rq)) {
        oauth_refused(rq, app, status, what);
        return;
    }
    if (wants_json(rq)) {
        api_error(rq, status, refusal_kind(status), what);
        return;
    }
    struct jval *data = jval_new_object();
    jval_set_text(data, "heading",
                  status == 404   ? "There is nothing here"
                  : status == 429 ? "Wait a moment"
                                  : "That did not work");
    jval_set_text(data, "text", what);
    jval_set_bool(data, "again", false);
    page_send(rq, app, status, "error", status == 404 ? "Not found" : "Refused", data);
}
