/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Apps that register themselves (RFC 7591) and manage what they registered (RFC 7592), as far as it
 * is HTTP: a bearer token and JSON in, JSON out, and nobody stores either. What may be registered
 * is decided in admin/registration.
 */
#include "base/header.h"
#include "base/json.h"
#include "web/oauth.h"

#define ANSWER_MAX (128u * 1024)

struct own {
    struct request *rq;
    struct str token; /* as it was shown */
    bool deleting, adding;
};

static void send_own(struct request *rq, int status, const struct jval *body)
{
    struct buf out;
    buf_init(&out, ANSWER_MAX);
    jval_render(body, &out);
    reply_for_program(rq);
    reply_header_static(rq, "Cache-Control", "no-store");
    reply_header_static(rq, "Pragma", "no-cache");
    if (buf_ok(&out))
        reply_send(rq, status, "application/json",
                   (struct str){arena_dupn(request_arena(rq), out.p, out.n), out.n});
    else
        oauth_refused(rq, NULL, 500, "The answer is too long.");
    buf_wipe(&out); /* a secret's only answer */
}

static void refuse(struct request *rq, int status, const char *error, const char *text)
{
    struct jval *o = jval_new_object();
    jval_set_text(o, "error", error);
    jval_set_text(o, "error_description", text);
    send_own(rq, status, o);
    jval_free(&o);
}

/* RFC 6750 section 3; whoever shows none learns nothing but that one is wanted. */
static void refuse_token(struct request *rq, const char *text)
{
    reply_header_static(rq, "WWW-Authenticate",
                        text ? "Bearer realm=\"usher\", error=\"invalid_token\""
                             : "Bearer realm=\"usher\"");
    refuse(rq, 401, "invalid_token", text ? text : "a bearer token is wanted");
}

static void tell_error(const struct own *o, const struct admin_answer *a)
{
    switch (a->err->kind) {
    case ERR_DENIED:
        refuse_token(o->rq, a->err->text);
        break;
    case ERR_NOT_ALLOWED:
        refuse(o->rq, 403, "access_denied", a->err->text);
        break;
    case ERR_INVALID:
    case ERR_MISCONFIGURED:
        refuse(o->rq, 400, a->n_fields > 0 ? a->fields[0].field : "invalid_client_metadata",
               a->n_fields > 0 ? a->fields[0].text : "this cannot be registered");
        break;
    case ERR_LIMITED:
    case ERR_STALE:
    case ERR_CONFLICT:
        reply_header_static(o->rq, "Retry-After", "10");
        refuse(o->rq, 503, "temporarily_unavailable", "too much is going on, come back later");
        break;
    default: /* admin/ has logged it */
        refuse(o->rq, 500, "server_error", "something broke on our side");
        break;
    }
}

/* RFC 7592 section 3: every answer names the token it is managed with. Only its hash is kept, so it
 * is the one that was shown. */
static void on_done(void *arg, const struct admin_answer *a)
{
    const struct own *o = arg;
    if (a->err) {
        tell_error(o, a);
    } else if (o->deleting) {
        reply_for_program(o->rq);
        reply_header_static(o->rq, "Cache-Control", "no-store");
        reply_empty(o->rq, 204);
    } else if (o->adding) {
        send_own(o->rq, 201, a->body);
    } else {
        struct jval *body = jval_copy(a->body);
        jval_set_text(body, "registration_access_token", arena_str(request_arena(o->rq), o->token));
        send_own(o->rq, 200, body);
        jval_free(&body);
    }
}

/* 1; 0: none was sent; -1: no bearer token, or two of them. */
static int bearer(struct request *rq, struct str *out)
{
    const char *value;
    const int n = request_header(rq, "Authorization", &value);
    return n == 1 ? header_credentials(value, "Bearer", out) ? 1 : -1 : n;
}

/* The token comes first: nothing is read for strangers. */
static bool known(struct request *rq, const struct web_app *app, struct own *o,
                  struct admin_actor *actor)
{
    const char *id = request_part(rq, 0);
    const int n = bearer(rq, &o->token);
    if (n == 0) {
        refuse_token(rq, NULL);
        return false;
    }
    if (n < 0 || (o->adding ? admin_initial_check(app->admin, o->token, actor)
                            : admin_registration_check(app->admin, id, o->token, actor)) != 1) {
        refuse_token(rq, "this token is not good here, or not any more");
        return false;
    }
    actor->id = arena_dup(request_arena(rq), actor->id);
    actor->name = actor->name ? arena_dup(request_arena(rq), actor->name) : NULL;
    actor->ip = request_client(rq);
    actor->user_agent = web_user_agent(rq);
    actor->request_id = request_id(rq);
    return true;
}

void oauth_register(struct request *rq, void *app_)
{
    const struct web_app *app = app_;
    const struct oauth_own *op = request_route(rq)->data;
    const struct fields *query = request_query(rq);
    const char *id = request_part(rq, 0);
    struct err err = ERR_INIT;
    struct admin_actor actor;
    struct admin_request ask = {.id = id[0] ? id : NULL, .actor = &actor};
    struct own *o = arena_alloc(request_arena(rq), sizeof *o);
    *o = (struct own){
        .rq = rq, .adding = ask.id == NULL, .deleting = strcmp(request_method(rq), "DELETE") == 0};
    if (!known(rq, app, o, &actor))
        return;
    if (!query || query->n > 0) {
        refuse(rq, 400, "invalid_request", "parameters are expected in the body");
        return;
    }
    if (request_json(rq, &ask.body, &err) < 0) {
        refuse(rq, 400, "invalid_client_metadata", err.text);
        return;
    }
    request_hold(rq);
    op->run(app->admin, &ask, on_done, o);
}
