/* SPDX-License-Identifier: Apache-2.0 */
/* The authorization endpoint: who is it, and back with a code. RFC 6749 section 4.1. */
#include "base/url.h"
#include "fake/fake.h"
#include "fake/page.h"
#include "sys/clock.h"

struct ask {
    const char *client, *redirect_uri, *state, *scope, *challenge, *nonce, *response_mode;
    const char *prompt, *access_type, *hint, *person;
    bool cancel;
};

/* A parameter of the query or, when posted, of the form; *twice when it occurs more often. */
static const char *param(const struct exchange *x, const char *name, bool *twice)
{
    const char *value = NULL;
    const bool posted = strcmp(x->rq->method, "POST") == 0;
    const int found = form_get(posted ? &x->rq->form : &x->rq->fields, name, &value);

    if (found < 0)
        *twice = true;
    return found > 0 ? value : NULL;
}

static void refuse_page(struct exchange *x, const char *what)
{
    struct jval *o = jval_new_object();

    jval_set_text(o, "label", x->realm->label);
    jval_set_text(o, "what", what);
    page_reply(x, 400, "refused", o);
}

/* The lies a test asked for about single parameters of the way back. */
static void add_param(struct exchange *x, struct buf *b, const char *name, const char *value)
{
    for (size_t i = 0; i < x->hits->n; i++) {
        const struct fault *f = &x->hits->v[i];

        if (strcmp(f->name, name) != 0)
            continue;
        if (strcmp(f->kind, "param-remove") == 0)
            return;
        if (strcmp(f->kind, "param") == 0)
            value = f->value;
    }
    if (value)
        form_add(b, name, value);
}

static void post_back(struct exchange *x, const struct ask *q, const struct buf *params)
{
    struct jval *o = jval_new_object(), *list = jval_new_array();
    struct fields fields = {0};

    if (form_parse(x->rq->arena, buf_view(params), HTTP_FIELDS_MAX, &fields,
                   &(struct err)ERR_INIT) < 0)
        fields.n = 0;
    for (size_t i = 0; i < fields.n; i++) {
        struct jval *one = jval_new_object();

        jval_set_text(one, "name", fields.v[i].name);
        jval_set_text(one, "value", fields.v[i].value);
        jval_push(list, one);
    }
    jval_set(o, "fields", list);
    jval_set_text(o, "action", q->redirect_uri);
    jval_set_text(o, "label", x->realm->label);
    page_reply(x, 200, "post", o);
}

/* Send the browser back with `name`=`value` (code or error), state and issuer. */
static void go_back(struct exchange *x, const struct ask *q, const char *name, const char *value)
{
    struct buf params;
    const char *query = strchr(q->redirect_uri, '?');

    buf_init(&params, 64u * 1024);
    add_param(x, &params, name, value);
    add_param(x, &params, "state", q->state);
    add_param(x, &params, "iss", x->realm->announces_iss ? exchange_issuer(x) : NULL);
    for (size_t i = 0; i < x->hits->n; i++)
        if (strcmp(x->hits->v[i].kind, "param-add") == 0)
            form_add(&params, x->hits->v[i].name, x->hits->v[i].value);
    if (q->response_mode && strcmp(q->response_mode, "form_post") == 0)
        post_back(x, q, &params);
    else
        exchange_redirect(
            x, arena_printf(x->rq->arena, "%s%s%s", q->redirect_uri, query ? "&" : "?", params.p));
    buf_deinit(&params);
}

static void approve(struct exchange *x, const struct ask *q, const struct person *person)
{
    const struct grant g = {
        .kind = GRANT_CODE,
        .person = person,
        .realm = x->realm->id,
        .client = q->client,
        .scope = q->scope ? q->scope : "",
        .redirect_uri = q->redirect_uri,
        .challenge = q->challenge,
        .nonce = q->nonce,
        .offline = x->realm == &realm_discord ||
                   (q->access_type && strcmp(q->access_type, "offline") == 0) ||
                   has_word(q->scope ? q->scope : "", "offline_access"),
        .auth_time = wall_seconds(clock_wall()),
    };
    char code[44];

    grants_add(x->f->grants, &g, code);
    go_back(x, q, "code", code);
}

static void choose(struct exchange *x, const struct ask *q)
{
    struct jval *o = jval_new_object(), *keep = jval_new_array(), *first = jval_new_array();
    struct jval *more = jval_new_array();
    const struct fields *f = strcmp(x->rq->method, "POST") == 0 ? &x->rq->form : &x->rq->fields;

    for (size_t i = 0; i < f->n; i++) {
        struct jval *one = jval_new_object();

        jval_set_text(one, "name", f->v[i].name);
        jval_set_text(one, "value", f->v[i].value);
        jval_push(keep, one);
    }
    for (size_t i = 0; i < people_count(); i++) {
        const struct person *p = people_at(i);
        struct jval *one = jval_new_object();

        jval_set_text(one, "id", p->id);
        jval_set_text(one, "name", p->name);
        jval_set_text(one, "trait", p->trait);
        jval_push(i < 3 ? first : more, one);
    }
    jval_set_text(o, "label", x->realm->label);
    jval_set_bool(o, x->realm->id, true);
    jval_set_text(o, "client", q->client);
    jval_set_text(o, "scope", q->scope ? q->scope : "");
    jval_set_text(o, "action", x->rq->path);
    jval_set(o, "keep", keep);
    jval_set(o, "people", first);
    jval_set(o, "more", more);
    page_reply(x, 200, "authorize", o);
}

/* What cannot be answered at the redirect URI, because that is what is wrong. true: answered. */
static bool refuse_early(struct exchange *x, struct ask *q)
{
    struct url url;
    bool twice = false;

    q->client = param(x, "client_id", &twice);
    q->redirect_uri = param(x, "redirect_uri", &twice);
    q->state = param(x, "state", &twice);
    q->scope = param(x, "scope", &twice);
    q->challenge = param(x, "code_challenge", &twice);
    q->nonce = param(x, "nonce", &twice);
    q->response_mode = param(x, "response_mode", &twice);
    q->prompt = param(x, "prompt", &twice);
    q->access_type = param(x, "access_type", &twice);
    q->hint = param(x, "login_hint", &twice);
    q->person = param(x, "fake_person", &twice);
    q->cancel = param(x, "fake_cancel", &twice) != NULL;
    if (twice)
        refuse_page(x, "A parameter occurs twice.");
    else if (!q->client || !fake_client_good(x->f, q->client, NULL))
        refuse_page(x, "There is no client of this id.");
    else if (!q->redirect_uri ||
             url_parse(x->rq->arena, str_of(q->redirect_uri), &url, &(struct err)ERR_INIT) < 0 ||
             url.fragment || (strcmp(url.scheme, "https") != 0 && !url_is_loopback(&url)))
        refuse_page(x, "The redirect URI is missing or not one that could be registered.");
    else
        return false;
    return true;
}

/* RFC 7636 section 4.3; only S256, as the real ones. */
static const char *challenge_wrong(const struct exchange *x, const struct ask *q)
{
    bool twice = false;
    const char *method = param(x, "code_challenge_method", &twice);

    if (!q->challenge)
        return method ? "code_challenge_method without code_challenge" : NULL;
    if (!method || strcmp(method, "S256") != 0)
        return "code_challenge_method must be S256";
    return strlen(q->challenge) == 43 ? NULL : "code_challenge must have 43 characters";
}

static const struct person *who(const struct exchange *x, const struct ask *q)
{
    bool twice = false;

    if (q->person)
        return people_find(q->person);
    if (q->hint && people_find(q->hint))
        return people_find(q->hint);
    return x->f->o.approve || param(x, "fake_auto", &twice) ? people_at(0) : NULL;
}

void authorize_serve(struct exchange *x)
{
    struct ask q = {0};
    bool twice = false;
    const char *type = param(x, "response_type", &twice);
    const char *wrong;

    if (refuse_early(x, &q))
        return;
    wrong = challenge_wrong(x, &q);
    if (!type || strcmp(type, "code") != 0)
        go_back(x, &q, "error", "unsupported_response_type");
    else if (wrong)
        go_back(x, &q, "error", "invalid_request");
    else if (x->realm->oidc && !has_word(q.scope ? q.scope : "", "openid"))
        go_back(x, &q, "error", "invalid_scope");
    else if (!x->realm->oidc && !has_word(q.scope ? q.scope : "", "identify"))
        go_back(x, &q, "error", "invalid_scope");
    else if (q.response_mode && strcmp(q.response_mode, "query") != 0 &&
             (strcmp(q.response_mode, "form_post") != 0 || !x->realm->oidc))
        go_back(x, &q, "error", "invalid_request");
    else if (q.cancel)
        go_back(x, &q, "error", "access_denied");
    else if (who(x, &q))
        approve(x, &q, who(x, &q));
    else if (q.prompt && strcmp(q.prompt, "none") == 0)
        go_back(x, &q, "error", "login_required");
    else
        choose(x, &q);
}
