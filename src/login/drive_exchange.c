/* SPDX-License-Identifier: Apache-2.0 */
/*
 * EXCHANGE: the token request (RFC 6749 sections 4.1.3 and 6) and the judgement of its answer (5.1,
 * 5.2).
 * Token bytes go from the answer into `struct secret`s; the plugin sees what is left. What is no
 * answer at all (no connection, 5xx, HTML) ends the flow here; when the client secret is refused
 * the provider's others have their turn with the same code (drive_refusal.c); any other refusal is
 * the plugin's to explain.
 */
#include <stdlib.h>

#include "login/drive_parts.h"

#define TOKEN_MAX (16u * 1024)
#define EXPIRES_MAX (10LL * 366 * 24 * 3600)
#define ERROR_CODE_MAX 64
#define SCOPES_MAX 200
#define FORM_FIELDS_MAX 64

static const char *const token_members[] = {"access_token", "refresh_token", "id_token"};

/* Client authentication, into the form or the request. */
static int add_client(struct drive *d, uint32_t auth, struct fetch_request *rq,
                      struct fetch_part *form, size_t *n, struct err *err)
{
    const struct secret *secret = leg_client_secret(d->leg);
    const char *client_id = d->args.provider->common.client_id;
    if (auth == USHER_AUTH_PARAMS)
        return 0;
    if (!client_id)
        return err_set(err, ERR_MISCONFIGURED, "client_id is not set");
    if (auth != USHER_AUTH_NONE && !secret)
        return err_set(err, ERR_MISCONFIGURED, "client_secret is not set");
    if (auth == USHER_AUTH_BASIC) {
        rq->basic_user = client_id;
        rq->basic_password = secret;
        return 0;
    }
    form[(*n)++] = (struct fetch_part){.name = "client_id", .before = client_id};
    if (auth == USHER_AUTH_POST)
        form[(*n)++] = (struct fetch_part){.name = "client_secret", .secret = secret};
    return 0;
}

/* An answer's string member that is a token: printable, not empty, not huge. */
static struct secret *take_token(struct jval *answer, const char *member)
{
    const char *text = jval_text(jval_get(answer, member));
    size_t n = text ? strlen(text) : 0;
    if (n == 0 || n > TOKEN_MAX || !text_printable((struct str){text, n}))
        return NULL;
    return secret_new(text, n);
}

static const char *scope_text(struct drive *d, const struct jval *scope)
{
    const char *text = jval_text(scope);
    if (text || jval_type(scope) != JVAL_ARRAY) /* Twitch sends an array */
        return text ? text : "";
    struct buf b;
    buf_init(&b, 8192);
    for (size_t i = 0; i < jval_count(scope) && i < SCOPES_MAX; i++) {
        const char *one = jval_text(jval_item(scope, i));
        if (one && *one)
            buf_printf(&b, "%s%s", b.n ? " " : "", one);
    }
    text = buf_ok(&b) ? arena_str(d->arena, buf_view(&b)) : "";
    buf_deinit(&b);
    return text;
}

static int64_t expires(const struct jval *v)
{
    int64_t seconds;
    const char *text = jval_text(v);
    if (!(text ? text_int(str_of(text), &seconds) : jval_int(v, &seconds)) || seconds < 0)
        return -1;
    return seconds < EXPIRES_MAX ? seconds : EXPIRES_MAX;
}

static const char *error_code(const struct jval *answer)
{
    const char *code = jval_text(jval_get(answer, "error"));
    size_t n = code ? strlen(code) : 0;
    return n && n <= ERROR_CODE_MAX && text_printable((struct str){code, n}) ? code : "";
}

/* The answer's form as an object of strings (GitHub's default, Facebook's old one). */
static struct jval *form_answer(struct drive *d, const struct fetch_result *r)
{
    struct fields fields;
    struct err ignored = ERR_INIT; /* no form is no answer; the caller says so */
    if (form_parse(d->arena, r->body, FORM_FIELDS_MAX, &fields, &ignored) != 0)
        return NULL;
    struct jval *object = jval_new_object();
    for (size_t i = 0; i < fields.n; i++) {
        if (jval_get(object, fields.v[i].name)) {
            jval_free(&object);
            return NULL;
        }
        jval_set_text(object, fields.v[i].name, fields.v[i].value);
    }
    return drive_keep(d, object);
}

static struct jval *read_answer(struct drive *d, const struct fetch_result *r, struct err *err)
{
    struct jval *answer = NULL;
    if (drive_transport(r, "token endpoint", err) != 0)
        return NULL;
    if (r->status == 429 || r->status >= 500) {
        err_set(err, ERR_UPSTREAM_DOWN, "token endpoint answered with status %d", r->status);
        return NULL;
    }
    if ((d->exchange.exchange_flags & USHER_FORM_ANSWER) &&
        strcmp(r->content_type, "application/x-www-form-urlencoded") == 0)
        answer = form_answer(d, r);
    else
        answer = drive_json(d, r, d->exchange.exchange_flags & USHER_ANY_CONTENT_TYPE);
    if (jval_type(answer) != JVAL_OBJECT || (r->status >= 300 && r->status < 400)) {
        err_set(err, ERR_UPSTREAM_BAD, "token endpoint answered with status %d and no token answer",
                r->status);
        return NULL;
    }
    return answer;
}

static int judge_tokens(struct drive *d, struct jval *answer, struct usher_tokens *t,
                        struct err *err)
{
    const char *type = jval_text(jval_get(answer, "token_type"));
    if (!type || !str_is_nocase(str_of(type), "bearer"))
        return err_set(err, ERR_UPSTREAM_BAD,
                       "token endpoint: token_type is missing or not Bearer");
    secret_free(&d->access_token); /* a renewal's old one */
    d->access_token = take_token(answer, "access_token");
    if (!d->access_token)
        return err_set(err, ERR_UPSTREAM_BAD, "token endpoint: no usable access_token");
    leg_set_access_token(d->leg, d->access_token);
    if (jval_type(jval_get(answer, "id_token")) > JVAL_NULL) {
        d->id_token = take_token(answer, "id_token");
        if (!d->id_token)
            return err_set(err, ERR_UPSTREAM_BAD, "token endpoint: id_token is no token");
    }
    t->ok = true;
    t->has_id_token = d->id_token != NULL;
    t->has_refresh_token = jval_text(jval_get(answer, "refresh_token")) != NULL;
    t->scope = scope_text(d, jval_get(answer, "scope"));
    t->expires_in = expires(jval_get(answer, "expires_in"));
    d->obtained = true;
    d->scope = t->scope;
    d->expires_in = t->expires_in;
    if (d->renewal || d->args.provider->common.keep_tokens)
        d->refresh_token = take_token(answer, "refresh_token");
    return 0;
}

/* A refusal as the plugin will hear of it, unless it is about the callback URL: that is the same
 * story everywhere. */
static int judge_refusal(struct drive *d, const struct jval *answer, struct usher_tokens *t,
                         struct err *err)
{
    t->error = error_code(answer);
    if (!d->renewal && drive_mismatch(t->error, jval_text(jval_get(answer, "error_description"))))
        return drive_mismatch_set(d->args.redirect_uri, err);
    /* What is wrong with the code is only said to who was let in. */
    if (strcmp(t->error, "invalid_grant") == 0 || strcmp(t->error, "bad_verification_code") == 0)
        drive_slot_worked(d);
    return 0;
}

/* Some answer 200 with an error in it; RFC 6749 5.2 says 400. Both are refusals. */
static bool is_refusal(const struct fetch_result *r, const struct jval *answer)
{
    const struct jval *error = jval_get(answer, "error");
    const char *word = jval_text(error);
    return r->status >= 300 || (jval_type(error) > JVAL_NULL && !(word && !*word));
}

static int ask(struct drive *d, struct err *err);

/* true: the token endpoint did not know us by this secret, and another one is on its way, or the
 * drive has ended. */
static bool asked_again(struct drive *d, const struct fetch_result *r, const struct jval *answer)
{
    struct err err = ERR_INIT;
    if (!drive_client_refused(r, answer))
        return false;
    const int other = drive_other_slot(d, &err);
    if (other == 0)
        return false;
    if (other < 0 || ask(d, &err) != 0)
        drive_fail(d, &err);
    return true;
}

static void on_answer(void *arg, const struct fetch_result *r)
{
    struct drive *d = drive_answered(arg, r);
    struct err err = ERR_INIT;
    struct usher_tokens t = {
        .size = sizeof t, .status = r->status, .error = "", .scope = "", .expires_in = -1};
    struct jval *answer = read_answer(d, r, &err);
    if (asked_again(d, r, answer))
        return;
    secret_free(&d->code);
    secret_free(&d->verifier);
    secret_free(&d->refresh_sent);
    if (!answer) {
        drive_fail(d, &err);
        return;
    }
    const bool refused = is_refusal(r, answer);
    if (refused ? judge_refusal(d, answer, &t, &err) : judge_tokens(d, answer, &t, &err)) {
        drive_fail(d, &err);
        return;
    }
    if (!refused)
        drive_slot_worked(d);
    struct drive_tokens obtained;
    if (!refused && d->renewal && d->args.obtained && drive_get_tokens(d, &obtained))
        d->args.obtained(d->args.observe_arg, &obtained);
    for (size_t i = 0; i < sizeof token_members / sizeof *token_members; i++)
        jval_remove(answer, token_members[i]);
    t.other = (const struct usher_json *)answer;
    const struct usher_event ev = {.size = sizeof ev, .kind = USHER_TOKENS, .tokens = &t};
    drive_step(d, &ev);
}

static void add_grant(const struct drive *d, struct fetch_part *form, size_t *n)
{
    const char *type = d->renewal ? "refresh_token" : "authorization_code";
    form[(*n)++] = (struct fetch_part){.name = "grant_type", .before = type};
    if (d->renewal) {
        form[(*n)++] = (struct fetch_part){.name = "refresh_token", .secret = d->refresh_sent};
        return;
    }
    form[(*n)++] = (struct fetch_part){.name = "code", .secret = d->code};
    form[(*n)++] = (struct fetch_part){.name = "redirect_uri", .before = d->args.redirect_uri};
    if (d->verifier)
        form[(*n)++] = (struct fetch_part){.name = "code_verifier", .secret = d->verifier};
}

/* The token request with the secret of the leg's slot. */
static int ask(struct drive *d, struct err *err)
{
    const struct usher_action *act = &d->exchange;
    struct fetch_request rq = {.url = act->url, .body_kind = FETCH_BODY_FORM};
    struct fetch_part *form = arena_alloc(d->arena, (act->n_params + 6) * sizeof *form);
    struct fetch_part *headers = arena_alloc(d->arena, (act->n_headers + 1) * sizeof *headers);
    size_t n = 0;
    add_grant(d, form, &n);
    if (add_client(d, act->client_auth, &rq, form, &n, err) != 0 ||
        drive_parts(d, act->params, act->n_params, form + n, err) != 0 ||
        drive_parts(d, act->headers, act->n_headers, headers, err) != 0)
        return -1;
    rq.form = form;
    rq.n_form = n + act->n_params;
    rq.headers = headers;
    rq.n_headers = drive_headers_accept(headers, act->n_headers);
    drive_fetch_start(d, 0, "token", &rq, on_answer);
    return 0;
}

int drive_exchange(struct drive *d, const struct usher_action *act, struct err *err)
{
    if (d->exchanged || (d->renewal ? !d->refresh_sent : !d->code))
        return err_set(err, ERR_INTERNAL,
                       d->renewal ? "there is no refresh token, or it was used already"
                                  : "a code can be exchanged once, after CALLBACK");
    d->exchanged = true;
    d->exchange = *act;
    d->slot = d->args.only_slot ? *d->args.only_slot : slots_first(d->args.slots, d->args.provider);
    d->first_slot = d->slot;
    leg_set_slot(d->leg, d->slot);
    return ask(d, err);
}
