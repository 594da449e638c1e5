/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pushed authorization requests (RFC 9126): an app hands its request over behind the browser's back
 * and gets a name for it, good for a minute and for one use, by that app alone. What is judged at
 * the front door is judged here, and errors are answered here.
 */
#include "issuer/handle.h"
#include "issuer/parts.h"
#include "issuer/request.h"
#include "store/authorization_request.h"

#define PUSHED_SECONDS 60
#define PARAMS_MAX (64u * 1024)

struct pushing {
    struct call *call;
    struct issuer_request rq;
    struct authorization_request_row row;
    char handle[HANDLE_LEN + 1];
};

static int keep(struct db *db, void *arg, struct err *err)
{
    const struct pushing *p = arg;
    return authorization_request_add(db, &p->row, err);
}

static void on_kept(void *arg, enum store_outcome outcome, const struct err *err)
{
    struct pushing *p = arg;
    struct call *c = p->call;
    if (outcome != STORE_DONE)
        call_store_failed(c, outcome, err);
    else
        call_answer(c, 201,
                    str_of(arena_printf(
                        c->a, "{\"request_uri\":\"" ISSUER_PUSHED_URN "%s\",\"expires_in\":%d}",
                        p->handle, PUSHED_SECONDS)));
}

static bool render(struct pushing *p)
{
    struct buf text;
    struct jval *json = issuer_request_write(&p->rq);
    buf_init(&text, PARAMS_MAX);
    jval_render(json, &text);
    jval_free(&json);
    p->row.params = buf_ok(&text) ? arena_dup(p->call->a, text.p) : NULL;
    buf_deinit(&text);
    return p->row.params != NULL;
}

static void push(struct call *c)
{
    struct pushing *p = arena_alloc(c->a, sizeof *p);
    struct issuer_problem why;
    struct err busy = ERR_INIT;
    const char *ignored;
    p->call = c;
    const int named = call_get(c, "request_uri", &ignored);
    if (named < 0)
        return;
    if (named > 0) {
        call_refuse(c, "invalid_request", "a pushed request names no other"); /* RFC 9126 2.1 */
        return;
    }
    if (issuer_request_read(c->a, c->app, c->in->form, &p->rq, &why) < 0) {
        call_refuse(c, why.error, why.description);
        return;
    }
    p->rq.pushed = true;
    handle_make(HANDLE_PUSHED, p->handle, p->row.hash);
    p->row.app = c->app->id;
    p->row.kind = REQUEST_PUSHED;
    p->row.created = c->now;
    p->row.expires = c->now + PUSHED_SECONDS;
    if (!render(p))
        call_refuse(c, "invalid_request", "the request is too long");
    else if (!store_write(c->issuer->o.store, keep, c->issuer->o.loop, on_kept, p)) {
        err_set(&busy, ERR_LIMITED, "the store's queue is full");
        call_fail(c, &busy);
    }
}

void issuer_push(struct issuer *i, const struct issuer_call *in, issuer_done_fn *done, void *arg)
{
    client_authenticate(call_open(i, "par", in, done, arg), push);
}
