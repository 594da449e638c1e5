/* SPDX-License-Identifier: Apache-2.0 */
#include "web/brand.h"

#include "base/colour.h"
#include "web/app.h"
#include "web/page.h"

static void set(struct jval *data, const char *name, const char *text)
{
    if (text)
        jval_set_text(data, name, text);
}

/* Settings of a faulty app were not judged. */
static bool dressed(const struct app *app)
{
    return app->usable && !app->common.consent && !app->registered;
}

void brand_set(struct jval *data, const struct app *app)
{
    const struct app_common *c = &app->common;
    const bool own = dressed(app);
    jval_set_text(data, "app", app->label);
    jval_set_bool(data, "unverified", app->registered);
    set(data, "home_page", c->home_uri);
    set(data, "policy", c->policy_uri);
    set(data, "terms", c->tos_uri);
    set(data, own ? "logo" : "picture", c->logo_uri);
    jval_set_bool(data, "has_links",
                  c->home_uri || c->policy_uri || c->tos_uri || (!own && c->logo_uri));
    if (own && c->accent) {
        jval_set_text(data, "accent_of", app->id);
        jval_set_text(data, "accent", c->accent); /* a new colour is a new address */
    }
}

/* Pages have no style of their own in them (Content-Security-Policy), so a colour is a file. */
void brand_css(struct request *rq, void *app_)
{
    const struct web_app *app = app_;
    struct str id = str_of(request_rest(rq));
    const struct app *of = NULL;
    if (str_ends(id, ".css") && app->apps) {
        id.n -= strlen(".css");
        of = apps_find(app->apps, arena_dupn(request_arena(rq), id.p, id.n));
    }
    if (!of || !dressed(of) || !of->common.accent) {
        page_error(rq, app, ERR_NOT_FOUND, NULL);
        return;
    }
    const char *css = arena_printf(request_arena(rq), ":root { --brand: #%s; --brand-ink: %s; }\n",
                                   of->common.accent, colour_ink(of->common.accent));
    reply_header_static(rq, "Cache-Control", "public, max-age=3600");
    reply_header_static(rq, "Cross-Origin-Resource-Policy", "same-origin");
    reply_send(rq, 200, "text/css; charset=utf-8", str_of(css));
}
