/* SPDX-License-Identifier: Apache-2.0 */
/* Static files, looked up in the table that is built into the program. Pages ask for them with
 * their version (page.c), so what a browser kept is never shown with a page of another usher. */
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

/* Only what is asked for by the version it has: while several ushers are upgraded one by one, the
 * version of another may arrive here. */
static bool asked_by_version(struct request *rq, const struct embedded *e)
{
    const struct fields *query = request_query(rq);
    return query && query->n == 1 && strcmp(query->v[0].name, e->version) == 0;
}

void asset_get(struct request *rq, void *app)
{
    const char *name =
        strcmp(request_path(rq), "/favicon.ico") == 0 ? "usher.svg" : request_rest(rq);
    for (const struct embedded *e = embedded_assets; e->name; e++) {
        if (strcmp(e->name, name) != 0)
            continue;
        reply_header_static(rq, "Cache-Control",
                            asked_by_version(rq, e) ? "public, max-age=31536000, immutable"
                                                    : "public, max-age=300");
        reply_header_static(rq, "Cross-Origin-Resource-Policy", "same-origin");
        reply_send(rq, 200, type_of(name), (struct str){e->p, e->n});
        return;
    }
    page_error(rq, app, ERR_NOT_FOUND, NULL);
}
