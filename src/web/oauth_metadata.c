/* SPDX-License-Identifier: Apache-2.0 */
/* What others may know of us: discovery and the key set, as answers made once per change. */
#include <stdlib.h>

#include "base/arena.h"
#include "web/oauth.h"

/* Of one document: what it was made of, to see that it changed. */
struct kept_document {
    struct reply *reply;
    char *text; /* owned */
    size_t n;
};

struct oauth_kept {
    struct kept_document discovery, jwks;
};

static void let_go(struct kept_document *d)
{
    reply_free(&d->reply);
    free(d->text);
    *d = (struct kept_document){.reply = NULL};
}

struct oauth_kept *oauth_kept_new(void)
{
    return mem_alloc(sizeof(struct oauth_kept));
}

void oauth_kept_free(struct oauth_kept **k)
{
    if (*k == NULL)
        return;
    let_go(&(*k)->discovery);
    let_go(&(*k)->jwks);
    free(*k);
    *k = NULL;
}

/* Others keep a document for an hour; a key signs a day after it was published. */
#define HEADERS                                                                                    \
    {"Content-Type", "application/json"}, {"Cache-Control", "public, max-age=3600"},               \
        {"Access-Control-Allow-Origin", "*"}, {"X-Content-Type-Options", "nosniff"},

static void send_kept(struct request *rq, struct kept_document *d, struct str text)
{
    static const struct reply_header headers[] = {HEADERS};
    const size_t n = sizeof headers / sizeof *headers;
    if (d->reply == NULL || d->n != text.n || memcmp(d->text, text.p, text.n) != 0) {
        let_go(d);
        d->text = mem_dupn(text.p, text.n);
        d->n = text.n;
        d->reply = reply_make_body(headers, n, text);
    }
    if (d->reply && reply_again(rq, 200, d->reply))
        return;
    for (size_t i = 1; i < n; i++)
        reply_header_static(rq, headers[i].name, headers[i].value);
    reply_for_program(rq);
    reply_send(rq, 200, headers[0].value,
               (struct str){arena_dupn(request_arena(rq), text.p, text.n), text.n});
}

void oauth_metadata(struct request *rq, void *app_)
{
    const struct web_app *app = app_;
    send_kept(rq, &app->oauth->discovery, issuer_discovery(app->issuer));
}

void oauth_jwks(struct request *rq, void *app_)
{
    const struct web_app *app = app_;
    send_kept(rq, &app->oauth->jwks, issuer_jwks(app->issuer));
}
