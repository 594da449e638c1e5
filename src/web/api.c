/* SPDX-License-Identifier: Apache-2.0 */
#include "web/api.h"

#include "web/caller.h"

#define ANSWER_MAX (4u * 1024 * 1024)

/* ---- answers */

static void send_json(struct request *rq, int status, const struct jval *body)
{
    struct buf out;
    buf_init(&out, ANSWER_MAX);
    jval_render(body, &out);
    if (buf_ok(&out))
        reply_send(rq, status, "application/json",
                   (struct str){arena_dupn(request_arena(rq), out.p, out.n), out.n});
    else
        api_error(rq, 500, "internal", "The answer is too long.");
    buf_wipe(&out); /* a new token's only answer */
}

void api_send(struct request *rq, int status, struct jval *take)
{
    send_json(rq, status, take);
    jval_free(&take);
}

static struct jval *fields_json(const struct admin_field *fields, size_t n)
{
    struct jval *list = jval_new_array();
    for (size_t i = 0; i < n; i++) {
        struct jval *field = jval_new_object();
        jval_set_text(field, "field", fields[i].field);
        jval_set_text(field, "text", fields[i].text);
        jval_push(list, field);
    }
    return list;
}

static void send_error(struct request *rq, int status, const char *kind, const char *text,
                       struct jval *fields)
{
    struct jval *error = jval_new_object(), *o = jval_new_object();
    jval_set_text(error, "kind", kind);
    jval_set_text(error, "text", text);
    if (fields)
        jval_set(error, "fields", fields);
    jval_set_text(error, "request_id", request_id(rq));
    jval_set(o, "error", error);
    api_send(rq, status, o);
}

void api_error(struct request *rq, int status, const char *kind, const char *text)
{
    send_error(rq, status, kind, text, NULL);
}

int api_status(enum err_kind kind, bool if_match)
{
    switch (kind) {
    case ERR_INVALID:
        return 400;
    case ERR_MISCONFIGURED:
        return 422;
    case ERR_DENIED:
    case ERR_NOT_ALLOWED:
        return 403;
    case ERR_NOT_FOUND:
    case ERR_EXPIRED:
        return 404;
    case ERR_CONFLICT:
        return 409;
    case ERR_STALE:
        return if_match ? 412 : 428; /* RFC 9110 13.1.1, RFC 6585 3 */
    case ERR_LIMITED:
        return 429;
    case ERR_UPSTREAM_DOWN:
    case ERR_UPSTREAM_BAD:
        return 502;
    case ERR_INTERNAL:
    case ERR_NONE:
        break;
    }
    return 500;
}

/* ---- one call */

struct call {
    struct request *rq;
    struct caller who;
    bool if_match;
};

static void tell_error(const struct call *c, const struct admin_answer *a)
{
    struct request *rq = c->rq;
    const int status = api_status(a->err->kind, c->if_match);
    const char *kind = err_kind_name(a->err->kind), *text = a->err->text;
    if (status == 500) /* admin/ has logged it */
        text = "Something broke on our side. The log has more.";
    if (status == 403 && c->who.stale) {
        kind = "reauthenticate";
        text = "Secrets need a sign-in of the last half hour: sign in again.";
    }
    if (status == 429)
        reply_header_static(rq, "Retry-After", "10");
    send_error(rq, status, kind, text, a->n_fields ? fields_json(a->fields, a->n_fields) : NULL);
}

static void on_done(void *arg, const struct admin_answer *a)
{
    struct call *c = arg;
    if (a->err) {
        tell_error(c, a);
        return;
    }
    if (a->etag)
        reply_header(c->rq, "ETag", a->etag);
    send_json(c->rq, a->created ? 201 : 200, a->body);
}

/* false: refused and answered. */
static bool known(struct request *rq, const struct web_app *app, struct caller *who)
{
    struct err err = ERR_INIT;
    const int n = caller_find(rq, app, who, &err);
    if (n == 0) {
        reply_header_static(rq, "WWW-Authenticate", "Bearer realm=\"usher\"");
        api_error(rq, 401, "unauthenticated", "Sign in, or send a valid token.");
    } else if (n < 0) {
        api_error(rq, 403, err_kind_name(err.kind), err.text);
    }
    return n > 0;
}

/* false: malformed and answered. */
static bool readable(struct request *rq, struct admin_request *out)
{
    struct err err = ERR_INIT;
    out->query = request_query(rq);
    if (out->query == NULL) {
        api_error(rq, 400, "invalid", "The query is malformed.");
        return false;
    }
    if (request_header(rq, "If-Match", &out->if_match) < 0) {
        api_error(rq, 400, "invalid", "If-Match came more than once.");
        return false;
    }
    if (request_json(rq, &out->body, &err) < 0) {
        api_error(rq, 400, "invalid",
                  arena_printf(request_arena(rq), "The body cannot be read: %s", err.text));
        return false;
    }
    if (out->body && jval_type(out->body) != JVAL_OBJECT) {
        api_error(rq, 400, "invalid", "The body must be a JSON object.");
        return false;
    }
    return true;
}

static const char *part(const struct request *rq, unsigned i)
{
    const char *text = request_part(rq, i);
    return text[0] ? text : NULL;
}

void api_call(struct request *rq, void *app_)
{
    const struct web_app *app = app_;
    const struct api_op *op = request_route(rq)->data;
    struct admin_request ask = {.id = part(rq, 0), .sub = part(rq, 1)};
    struct call *c = arena_alloc(request_arena(rq), sizeof *c);
    *c = (struct call){.rq = rq};
    if (!known(rq, app, &c->who) || !readable(rq, &ask))
        return;
    c->if_match = ask.if_match != NULL;
    if (op->bound && c->who.by_cookie)
        ask.bind = web_bind(rq, app);
    ask.actor = &c->who.actor;
    request_hold(rq);
    op->run(app->admin, &ask, on_done, c);
}
