/* SPDX-License-Identifier: Apache-2.0 */
#include "login/trial.h"

#include <stdlib.h>

#include "login/drive_net.h"
#include "login/drive_parts.h"
#include "login/trial_parts.h"
#include "sys/clock.h"

/* Two legs of at most 12 requests and 2 for keys each (provider/step.h, drive_verify.c), and a
 * probe's own. */
#define CALLS_MAX 40
#define SECRETS_MAX 32
#define SECRET_MIN 4 /* shorter ones are everywhere */
#define FORM_FIELDS_MAX 64

struct watched {
    struct trial *t;
    struct trial_call call;
    struct jval *entry; /* for reports */
    fetch_done_fn *done;
    void *arg;
    void *handle; /* the inner one; NULL: not under way */
};

struct trial {
    struct trial_options o;
    struct drive_io io;
    struct drive_net *net;
    const struct drive_io *inner;
    struct watched calls[CALLS_MAX];
    size_t n;
    struct secret *secrets[SECRETS_MAX];
    size_t n_secrets;
    struct jval *metadata, *claims;
};

static const char *const roles[] = {"metadata", "keys", "token", "profile"};

/* ---- secrets that were seen ------------------------------------------------------------------ */

static void see_text(struct trial *t, const char *text)
{
    if (text && strlen(text) >= SECRET_MIN && t->n_secrets < SECRETS_MAX)
        t->secrets[t->n_secrets++] = secret_new(text, strlen(text));
}

static void see_parts(struct trial *t, const struct fetch_part *v, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (v[i].secret)
            see_text(t, secret_reveal(v[i].secret).p);
}

static bool holds_secret(const struct trial *t, const char *text)
{
    for (size_t i = 0; i < t->n_secrets; i++)
        if (strstr(text, secret_reveal(t->secrets[i]).p))
            return true;
    return false;
}

static bool named_secret(const char *key)
{
    static const char *const names[] = {"access_token",  "refresh_token", "id_token", "token",
                                        "client_secret", "secret",        "password", NULL};
    for (size_t i = 0; names[i]; i++)
        if (str_is_nocase(str_of(key), names[i]))
            return true;
    return false;
}

struct jval *trial_redact(const struct trial *t, const struct jval *v)
{
    const char *key, *text = jval_text(v);
    const struct jval *member;
    struct jval *out;
    void *iter = NULL;
    switch (jval_type(v)) {
    case JVAL_TEXT:
        return jval_new_text(holds_secret(t, text) ? "[masked]" : text);
    case JVAL_ARRAY:
        out = jval_new_array();
        for (size_t i = 0; i < jval_count(v); i++)
            jval_push(out, trial_redact(t, jval_item(v, i)));
        return out;
    case JVAL_OBJECT:
        out = jval_new_object();
        while (jval_next(v, &iter, &key, &member))
            jval_set(out, holds_secret(t, key) ? "[masked]" : key,
                     named_secret(key) ? jval_new_text("[masked]") : trial_redact(t, member));
        return out;
    default:
        return v ? jval_ref((struct jval *)(uintptr_t)v) : jval_new_null();
    }
}

/* ---- answers --------------------------------------------------------------------------------- */

static const struct field *header(const struct fetch_result *r, const char *name)
{
    for (size_t i = 0; i < r->n_headers; i++)
        if (strcmp(r->headers[i].name, name) == 0)
            return &r->headers[i];
    return NULL;
}

static void judge_date(struct trial_call *c, const struct fetch_result *r)
{
    const struct field *date = header(r, "date");
    const int64_t theirs = date ? trial_date(date->value) : -1;
    c->dated = theirs >= 0;
    if (c->dated)
        c->skew = theirs - wall_seconds(clock_wall());
}

/* Words that RFC 6749 section 5.2 and single upstreams have for a refusal. */
static const char *known_error(const char *error)
{
    static const char *const words[] = {"invalid_grant",          "bad_verification_code",
                                        "invalid_client",         "incorrect_client_credentials",
                                        "bad_client_secret",      "unauthorized_client",
                                        "invalid_request",        "invalid_scope",
                                        "unsupported_grant_type", "redirect_uri_mismatch"};
    for (size_t i = 0; error && i < sizeof words / sizeof *words; i++)
        if (strcmp(error, words[i]) == 0)
            return words[i];
    return "";
}

/* A form-encoded answer (GitHub's) as an object; NULL when it is none. */
static struct jval *form_object(const struct fetch_result *r)
{
    struct arena *a = arena_new();
    struct fields f;
    struct err ignored = ERR_INIT;
    struct jval *o = NULL;
    if (strcmp(r->content_type, "application/x-www-form-urlencoded") == 0 &&
        form_parse(a, r->body, FORM_FIELDS_MAX, &f, &ignored) == 0) {
        o = jval_new_object();
        for (size_t i = 0; i < f.n; i++)
            jval_set_text(o, f.v[i].name, f.v[i].value);
    }
    arena_free(&a);
    return o;
}

static void judge_token(struct trial *t, struct trial_call *c, const struct fetch_result *r,
                        const struct jval *body)
{
    static const char *const tokens[] = {"access_token", "refresh_token", "id_token"};
    const struct jval *error = jval_get(body, "error");
    const char *word = jval_text(error);
    for (size_t i = 0; i < sizeof tokens / sizeof *tokens; i++)
        see_text(t, jval_text(jval_get(body, tokens[i])));
    c->tokens = jval_text(jval_get(body, "access_token")) != NULL;
    c->error = known_error(word);
    c->error_other = jval_type(error) > JVAL_NULL && !*c->error && !(word && !*word);
    c->client_refused = drive_client_refused(r, body);
    c->mismatch = word && drive_mismatch(word, jval_text(jval_get(body, "error_description")));
}

static void keep_claims(struct trial *t, const struct watched *w, const struct jval *body)
{
    if (!t->o.keep_claims)
        return;
    struct jval *one = jval_new_object();
    jval_set_text(one, "source", jval_text(jval_get(w->entry, "url")));
    jval_set(one, "claims", trial_redact(t, body));
    jval_push(t->claims, one);
}

static void look(struct watched *w, const struct fetch_result *r)
{
    struct trial *t = w->t;
    struct trial_call *c = &w->call;
    struct err ignored = ERR_INIT; /* no JSON is an observation, not a failure */
    c->answered = true;
    c->transport = r->transport;
    if (r->transport != USHER_TRANSPORT_OK) {
        /* Without a text (a fixture's): the bare fact. */
        c->problem = r->err.kind != ERR_NONE ? r->err.text : "there was no answer";
        jval_set_text(w->entry, "problem", c->problem);
        c->problem = jval_text(jval_get(w->entry, "problem"));
        return;
    }
    c->status = r->status;
    judge_date(c, r);
    struct jval *body = jval_parse(r->body, JSON_SIZE_MAX, JSON_DEPTH_MAX, &ignored);
    if (!body && c->role == TRIAL_TOKEN)
        body = form_object(r);
    c->json = jval_type(body) == JVAL_OBJECT || jval_type(body) == JVAL_ARRAY;
    const bool object = jval_type(body) == JVAL_OBJECT;
    if (c->role == TRIAL_TOKEN)
        judge_token(t, c, r, object ? body : NULL);
    if (c->role == TRIAL_METADATA && object && r->status == 200) {
        jval_free(&t->metadata);
        t->metadata = jval_ref(body);
    }
    if (c->role == TRIAL_PROFILE && c->json)
        keep_claims(t, w, body);
    jval_free(&body);
    char type[81];
    text_display(str_of(r->content_type), type, sizeof type - 1);
    jval_set_int(w->entry, "status", r->status);
    jval_set_text(w->entry, "content_type", type);
    jval_set_int(w->entry, "size", (int64_t)r->body.n);
    jval_set_int(w->entry, "ms", r->ms);
}

static void on_done(void *arg, const struct fetch_result *r)
{
    struct watched *w = arg;
    w->handle = NULL;
    look(w, r);
    w->done(w->arg, r);
}

/* ---- the drive_io ---------------------------------------------------------------------------- */

static enum trial_role role_of(const struct fetch_request *rq)
{
    for (size_t i = 0; i < rq->n_form; i++)
        if (strcmp(rq->form[i].name, "grant_type") == 0)
            return TRIAL_TOKEN;
    return TRIAL_PROFILE;
}

static struct watched *watch(struct trial *t, enum trial_role role, const char *method,
                             const char *url)
{
    if (t->n == CALLS_MAX)
        abort();
    struct watched *w = &t->calls[t->n++];
    *w = (struct watched){.t = t, .call = {.role = role, .error = ""}};
    w->entry = jval_new_object();
    jval_set_text(w->entry, "step", roles[role]);
    jval_set_text(w->entry, "method", method);
    trial_put_url(w->entry, url);
    return w;
}

static void *io_fetch(void *ctx, const struct provider *p, const struct fetch_request *rq,
                      fetch_done_fn *done, void *arg)
{
    struct trial *t = ctx;
    struct watched *w =
        watch(t, role_of(rq), rq->body_kind == FETCH_BODY_NONE ? "GET" : "POST", rq->url);
    struct jval *headers = trial_params(rq->headers, rq->n_headers);
    if (rq->basic_user) {
        jval_push(headers, trial_param("authorization", NULL));
        see_text(t, secret_reveal(rq->basic_password).p);
    }
    jval_set(w->entry, "headers", headers);
    jval_set(w->entry, "form", trial_params(rq->form, rq->n_form));
    see_parts(t, rq->headers, rq->n_headers);
    see_parts(t, rq->form, rq->n_form);
    w->done = done;
    w->arg = arg;
    w->handle = t->inner->fetch(t->inner->ctx, p, rq, on_done, w);
    return w;
}

static void *io_cached(void *ctx, const struct provider *p, const struct cache_request *rq,
                       fetch_done_fn *done, void *arg)
{
    struct trial *t = ctx;
    const bool metadata = strstr(rq->url, "/.well-known/") != NULL;
    struct watched *w = watch(t, metadata ? TRIAL_METADATA : TRIAL_KEYS, "GET", rq->url);
    jval_set(w->entry, "headers", trial_params(rq->headers, rq->n_headers));
    jval_set(w->entry, "form", jval_new_array());
    w->done = done;
    w->arg = arg;
    w->handle = t->inner->cached(t->inner->ctx, p, rq, on_done, w);
    return w;
}

static void io_cancel(void *ctx, void *call)
{
    struct trial *t = ctx;
    struct watched *w = call;
    if (w->handle)
        t->inner->cancel(t->inner->ctx, w->handle);
    w->handle = NULL;
}

static struct jwks *io_keys(void *ctx, const char *url, struct str body, struct err *err)
{
    struct trial *t = ctx;
    return t->inner->keys(t->inner->ctx, url, body, err);
}

struct trial *trial_new(const struct trial_options *o)
{
    struct trial *t = mem_alloc(sizeof *t);
    t->o = *o;
    if (o->fetch)
        t->net = drive_net_new(o->loop, o->fetch);
    t->inner = t->net ? drive_net_io(t->net) : o->io;
    t->io = (struct drive_io){
        .ctx = t, .fetch = io_fetch, .cached = io_cached, .cancel = io_cancel, .keys = io_keys};
    t->claims = jval_new_array();
    return t;
}

void trial_free(struct trial **tp)
{
    struct trial *t = *tp;
    if (!t)
        return;
    *tp = NULL;
    for (size_t i = 0; i < t->n; i++) {
        io_cancel(t, &t->calls[i]);
        jval_free(&t->calls[i].entry);
    }
    drive_net_free(&t->net);
    for (size_t i = 0; i < t->n_secrets; i++)
        secret_free(&t->secrets[i]);
    jval_free(&t->metadata);
    jval_free(&t->claims);
    free(t);
}

const struct drive_io *trial_io(const struct trial *t)
{
    return &t->io;
}

/* ---- what was seen --------------------------------------------------------------------------- */

size_t trial_count(const struct trial *t)
{
    return t->n;
}

const struct trial_call *trial_at(const struct trial *t, size_t i)
{
    return i < t->n ? &t->calls[i].call : NULL;
}

const struct trial_call *trial_last(const struct trial *t, enum trial_role role)
{
    for (size_t i = t->n; i > 0; i--)
        if (t->calls[i - 1].call.role == role)
            return &t->calls[i - 1].call;
    return NULL;
}

const struct jval *trial_metadata(const struct trial *t)
{
    return t->metadata;
}

struct jval *trial_requests(const struct trial *t)
{
    struct jval *list = jval_new_array();
    for (size_t i = 0; i < t->n; i++)
        jval_push(list, jval_ref(t->calls[i].entry));
    return list;
}

struct jval *trial_claims(const struct trial *t)
{
    return jval_ref(t->claims);
}
