/* SPDX-License-Identifier: Apache-2.0 */
/* Static files, looked up in the table that is built into the program. */
#include "base/embed.h"
#include "web/app.h"
#include "web/page.h"

static const char *type_of(const char *name)
{
    static const struct {
        const char *suffix, *type;
    } types[] = {
        {".css", "text/css; charset=utf-8"},
        {".js", "text/javascript; charset=utf-8"},
        {".svg", "image/svg+xml"},
    };
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (str_ends(str_of(name), types[i].suffix))
            return types[i].type;
    return "application/octet-stream";
}

void asset_get(struct request *rq, void *app)
{
    const char *name =
        strcmp(request_path(rq), "/favicon.ico") == 0 ? "usher.svg" : request_rest(rq);
    for (const struct embedded *e = embedded_assets; e->name; e++) {
        if (strcmp(e->name, name) != 0)
            continue;
        reply_header_static(rq, "Cache-Control", "public, max-age=3600");
        reply_header_static(rq, "Cross-Origin-Resource-Policy", "same-origin");
        reply_send(rq, 200, type_of(name), (struct str){e->p, e->n});
        return;
    }
    page_error(rq, app, ERR_NOT_FOUND, NULL);
}
