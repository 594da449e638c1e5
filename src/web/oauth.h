/* SPDX-License-Identifier: Apache-2.0 */
/*
 * oauth: between HTTP and the issuer room. The endpoints that programs use get a request as a
 * struct issuer_call and answer with JSON that nobody stores; metadata and keys are answers made
 * once. CORS: what is public may be read by any page; answers to an app by pages of its origins;
 * never with cookies; nothing else here by any page (decision 0020).
 */
#ifndef WEB_OAUTH_H
#define WEB_OAUTH_H

#include "admin/admin.h"
#include "issuer/authorize.h"
#include "web/app.h"

/* What a route of oauth_call points to. */
struct oauth_op {
    issuer_call_fn *run;
    bool pages;              /* scripts of an app's own pages may ask */
    enum issuer_about about; /* what its answers depend on; ISSUER_NOTHING: none comes twice */
};
/* Whether a request is for one of those, or for oauth_register: refusals of its requests are JSON,
 * too. */
bool oauth_is_call(const struct request *rq);
/* A refusal before any handler, by RFC 6749 5.2; app NULL: of an address that is not for pages. */
void oauth_refused(struct request *rq, const struct web_app *app, int status, const char *what);

/* What a route of oauth_register points to. */
struct oauth_own {
    admin_op_fn *run;
};

/* A request of a person's browser, in its arena. */
struct oauth_visit {
    struct request *rq;
    const struct web_app *app;
    struct issuer_visit v;
};
struct oauth_visit *oauth_visit(struct request *rq, const struct web_app *app);

/* oauth_again.c: a call, and whether its answer is there already. */
struct oauth_asked {
    struct request *rq;
    const struct web_app *app;
    enum issuer_about about; /* ISSUER_NOTHING: it is not kept */
    struct issuer_moment at; /* when it was asked */
    unsigned char hash[32];
};
struct oauth_again *oauth_again_new(struct loop *loop);
void oauth_again_free(struct oauth_again **t);
/* Fills *q. false: the call's answer is not one to be kept. */
bool oauth_again_ask(struct oauth_asked *q, struct request *rq, const struct web_app *app);
/* The answer of this moment; false: there is none, or it cannot be sent just now. */
bool oauth_again_send(const struct oauth_asked *q);
/* Keeps an answer of `q->at` with status 200, and sends it; false: send it in another way. */
bool oauth_again_keep(const struct oauth_asked *q, const struct reply_header *headers, size_t n,
                      struct str body);

struct oauth_kept *oauth_kept_new(void);
void oauth_kept_free(struct oauth_kept **k);

#endif
