/* SPDX-License-Identifier: Apache-2.0 */
#include "fake/page.h"

#include "base/embed.h"
#include "base/template.h"

static struct str find(void *ctx, const char *name)
{
    (void)ctx;
    for (const struct embedded *e = embedded_fake; e->name; e++) {
        const size_t n = strlen(name);

        /* "layout" and "style.css" both name files of src/fake/html. */
        if (strncmp(e->name, name, n) == 0 && (!e->name[n] || strcmp(e->name + n, ".html") == 0))
            return (struct str){e->p, e->n};
    }
    return (struct str){NULL, 0};
}

void page_reply(struct exchange *x, int status, const char *page, struct jval *take)
{
    struct err err = ERR_INIT;

    jval_set_bool(take, page, true);
    x->r->status = status;
    x->r->type = "text/html; charset=utf-8";
    http_reply_header(x->r, "Cache-Control", "no-store");
    http_reply_header(x->r, "Referrer-Policy", "no-referrer");
    http_reply_header(x->r, "X-Content-Type-Options", "nosniff");
    http_reply_header(x->r, "Content-Security-Policy",
                      "default-src 'none'; style-src 'unsafe-inline'; img-src 'self'; script-src "
                      "'unsafe-inline'; "
                      "base-uri 'none'; frame-ancestors 'none'");
    if (template_render(find(NULL, "layout"), take, find, NULL, &x->r->body, &err) < 0)
        exchange_error(x, 500, "template", err.text);
    jval_free(&take);
}
