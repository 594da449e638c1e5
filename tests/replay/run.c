/* SPDX-License-Identifier: Apache-2.0 */
#include "replay/run.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/evidence.h"
#include "base/url.h"
#include "sys/random.h"

#define PENDING_MAX 8
#define KEPT_MAX 16
#define TOKEN_LINES 4

/* A request under way, written out as the script would. */
struct pending {
    bool open, cached, fresh;
    const char *method, *url;
    struct script_line v[SCRIPT_LINES_MAX];
    size_t n;
    fetch_done_fn *done;
    void *arg;
};

struct play {
    const struct run *run;
    struct run_outcome *out;
    struct arena *arena;
    struct answer_context ctx;
    struct pending pending[PENDING_MAX];
    size_t first, last;           /* pending requests, in order */
    size_t at;                    /* next step */
    bool given[SCRIPT_STEPS_MAX]; /* replies, with a fault in play */
    struct {
        const char *url;
        struct fetch_result r;
    } kept[KEPT_MAX]; /* answers that the daemon's cache would have */
    size_t n_kept;
    bool ended;
    char *redirect;
    struct script_line tokens[TOKEN_LINES]; /* that a renewal obtained */
    size_t n_tokens;
};

static void complain(struct play *p, int line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static void complain(struct play *p, int line, const char *format, ...)
{
    char *out = p->out->complaint;
    if (*out)
        return; /* the first one counts */
    va_list ap;
    va_start(ap, format);
    int n = snprintf(out, sizeof p->out->complaint, "%s:%d: ", p->run->script->path, line);
    vsnprintf(out + n, sizeof p->out->complaint - (size_t)n, format, ap);
    va_end(ap);
}

/* ---- the network ---------------------------------------------------------------------------- */

static const char *part_text(struct arena *a, const struct fetch_part *part)
{
    struct str secret = part->secret ? secret_reveal(part->secret) : STR("");
    return arena_printf(a, "%s%.*s", part->before ? part->before : "", (int)secret.n, secret.p);
}

static void note(struct play *p, struct pending *q, bool header, const char *name,
                 const char *value)
{
    if (q->n == SCRIPT_LINES_MAX)
        return;
    char *copy = arena_dup(p->arena, name);
    for (char *c = copy; header && *c; c++) /* header names know no case */
        *c = *c >= 'A' && *c <= 'Z' ? (char)(*c - 'A' + 'a') : *c;
    q->v[q->n++] = (struct script_line){copy, value, header};
}

static struct pending *pend(struct play *p, const char *url, fetch_done_fn *done, void *arg)
{
    if (p->last - p->first == PENDING_MAX) {
        fprintf(stderr, "more requests under way than a plugin may have\n");
        abort();
    }
    struct pending *q = &p->pending[p->last++ % PENDING_MAX];
    *q = (struct pending){
        .open = true, .method = "GET", .url = arena_dup(p->arena, url), .done = done, .arg = arg};
    return q;
}

static void *io_fetch(void *ctx, const struct provider *provider, const struct fetch_request *rq,
                      fetch_done_fn *done, void *arg)
{
    struct play *p = ctx;
    struct pending *q = pend(p, rq->url, done, arg);
    (void)provider;
    for (size_t i = 0; i < rq->n_headers; i++)
        note(p, q, true, rq->headers[i].name, part_text(p->arena, &rq->headers[i]));
    if (rq->basic_user) {
        struct str password = secret_reveal(rq->basic_password);
        note(p, q, false, "basic",
             arena_printf(p->arena, "%s:%.*s", rq->basic_user, (int)password.n, password.p));
    }
    if (rq->body_kind != FETCH_BODY_NONE)
        q->method = "POST";
    for (size_t i = 0; i < rq->n_form; i++)
        note(p, q, false, rq->form[i].name, part_text(p->arena, &rq->form[i]));
    return q;
}

static void *io_cached(void *ctx, const struct provider *provider, const struct cache_request *rq,
                       fetch_done_fn *done, void *arg)
{
    struct play *p = ctx;
    struct pending *q = pend(p, rq->url, done, arg);
    (void)provider;
    q->cached = true;
    q->fresh = rq->force;
    for (size_t i = 0; i < rq->n_headers; i++)
        note(p, q, true, rq->headers[i].name, part_text(p->arena, &rq->headers[i]));
    return q;
}

static void io_cancel(void *ctx, void *call)
{
    struct pending *q = call;
    (void)ctx;
    q->open = false;
}

static struct jwks *io_keys(void *ctx, const char *url, struct str body, struct err *err)
{
    (void)ctx;
    (void)url;
    return jwks_parse(body, err);
}

/* ---- replies -------------------------------------------------------------------------------- */

static void deliver(struct play *p, struct pending *q, const struct fetch_result *r)
{
    p->first++;
    if (q->cached && r->transport == USHER_TRANSPORT_OK && r->status == 200 &&
        p->n_kept < KEPT_MAX) {
        p->kept[p->n_kept].url = q->url;
        p->kept[p->n_kept++].r = *r;
    }
    if (q->open)
        q->done(q->arg, r);
}

/* The cache answers by itself; so does nobody in a request that was given up. */
static bool deliver_kept(struct play *p, struct pending *q)
{
    if (!q->open) {
        p->first++;
        return true;
    }
    for (size_t i = p->n_kept; q->cached && !q->fresh && i > 0; i--)
        if (strcmp(p->kept[i - 1].url, q->url) == 0) {
            p->first++;
            q->done(q->arg, &p->kept[i - 1].r);
            return true;
        }
    return false;
}

static size_t reply_number(const struct script *s, const struct script_step *reply)
{
    size_t n = 0;
    for (const struct script_step *e = s->v; e != reply; e++)
        n += e->kind == STEP_REPLY;
    return n;
}

static void deliver_reply(struct play *p, struct pending *q, const struct script_step *reply)
{
    struct fetch_result r;
    struct err err = ERR_INIT;
    const struct fault *f = p->run->fault;
    bool bent = f && f->reply == reply_number(p->run->script, reply);
    p->out->fault_met = p->out->fault_met || bent;
    if (answer_make(&p->ctx, reply, bent ? f : NULL, &r, &err) != 0) {
        complain(p, reply->line, "%s", err.text);
        r.transport = USHER_TRANSPORT_BROKEN;
    }
    r.ms = 1;
    deliver(p, q, &r);
}

/* ---- expectations --------------------------------------------------------------------------- */

static bool value_fits(const char *want, const char *got)
{
    return strcmp(want, "*") == 0 ? *got != '\0' : strcmp(want, got) == 0;
}

/* Every line expected is there, with its value; nothing else is, but headers without secrets. */
static void compare_lines(struct play *p, const struct script_step *s, const struct script_line *v,
                          size_t n)
{
    for (size_t i = 0; i < s->n; i++) {
        const struct script_line *want = &s->v[i], *got = NULL;
        for (size_t k = 0; k < n; k++)
            if (v[k].header == want->header && strcmp(v[k].name, want->name) == 0)
                got = &v[k];
        if (!got)
            complain(p, s->line, "%s is missing", want->name);
        else if (!value_fits(want->value, got->value))
            complain(p, s->line, "%s is \"%s\", not \"%s\"", want->name, got->value, want->value);
    }
    for (size_t k = 0; k < n; k++) {
        bool expected = v[k].header && strcmp(v[k].name, "authorization") != 0;
        for (size_t i = 0; i < s->n; i++)
            expected =
                expected || (s->v[i].header == v[k].header && strcmp(s->v[i].name, v[k].name) == 0);
        if (!expected)
            complain(p, s->line, "unexpected %s = %s", v[k].name, v[k].value);
    }
}

static void expect_request(struct play *p, const struct script_step *s, const struct pending *q)
{
    struct str rest = str_of(s->rest), method, url, mark;
    bool fresh = false;
    if (!str_split(&rest, ' ', &method) || !str_split(&rest, ' ', &url)) {
        complain(p, s->line, "REQUEST needs a method and an address");
        return;
    }
    if (str_split(&rest, ' ', &mark))
        fresh = str_is(mark, "fresh");
    if (!str_is(method, q->method) || !str_is(url, q->url) || fresh != q->fresh)
        complain(p, s->line, "the request is %s %s%s", q->method, q->url, q->fresh ? " fresh" : "");
    compare_lines(p, s, q->v, q->n);
}

/* Split a URL into its address and its query as lines. */
static void expect_redirect(struct play *p, const struct script_step *s)
{
    struct script_line v[SCRIPT_LINES_MAX];
    struct fields f = {NULL, 0};
    struct err err = ERR_INIT;
    size_t n = strcspn(p->redirect, "?");
    const char *query = p->redirect[n] ? p->redirect + n + 1 : "";
    if (form_parse(p->arena, str_of(query), SCRIPT_LINES_MAX, &f, &err) != 0)
        complain(p, s->line, "the query of the redirect is malformed");
    for (size_t i = 0; i < f.n; i++)
        v[i] = (struct script_line){f.v[i].name, f.v[i].value, false};
    if (!str_is((struct str){p->redirect, n}, s->rest))
        complain(p, s->line, "the redirect goes to %.*s", (int)n, p->redirect);
    compare_lines(p, s, v, f.n);
}

/* ---- results -------------------------------------------------------------------------------- */

static const char *join(struct arena *a, const char *const *list)
{
    const char *text = "";
    for (; list && *list; list++)
        text = arena_printf(a, "%s%s%s", text, *text ? " " : "", *list);
    return text;
}

/* What is in a script is no secret. */
static void on_obtained(void *arg, const struct drive_tokens *t)
{
    struct play *p = arg;
    struct arena *a = p->arena;
    const char *access = arena_str(a, secret_reveal(t->access));
    const char *refresh = t->refresh ? arena_str(a, secret_reveal(t->refresh)) : NULL;
    p->n_tokens = 0;
    p->tokens[p->n_tokens++] = (struct script_line){"access_token", access, false};
    if (refresh)
        p->tokens[p->n_tokens++] = (struct script_line){"refresh_token", refresh, false};
    if (*t->scope)
        p->tokens[p->n_tokens++] = (struct script_line){"scope", arena_dup(a, t->scope), false};
    if (t->expires_in >= 0)
        p->tokens[p->n_tokens++] = (struct script_line){
            "expires_in", arena_printf(a, "%lld", (long long)t->expires_in), false};
}

static void expect_identity(struct play *p, const struct script_step *s,
                            const struct drive_identity *id)
{
    struct arena *a = p->arena;
    const struct script_line all[] = {
        {"subject", id->subject, false},
        {"email", id->email, false},
        {"email_evidence", id->email_evidence ? evidence_name((int)id->email_evidence) : NULL,
         false},
        {"username", id->username, false},
        {"name", id->name, false},
        {"picture", id->picture, false},
        {"locale", id->locale, false},
        {"groups", id->groups ? join(a, id->groups) : NULL, false},
        {"amr", id->amr ? join(a, id->amr) : NULL, false},
        {"auth_time", id->auth_time ? arena_printf(a, "%lld", (long long)id->auth_time) : NULL,
         false},
    };
    struct script_line said[sizeof all / sizeof *all + TOKEN_LINES];
    size_t n = p->n_tokens;
    memcpy(said, p->tokens, sizeof p->tokens);
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (all[i].value)
            said[n++] = all[i];
    compare_lines(p, s, said, n);
}

static void expect_failure(struct play *p, const struct script_step *s, const struct err *err)
{
    const char *text = script_get(s, "text");
    if (strcmp(s->rest, err_kind_name(err->kind)) != 0)
        complain(p, s->line, "it failed as %s: %s", err_kind_name(err->kind), err->text);
    else if (text && !strstr(err->text, text))
        complain(p, s->line, "the text is: %s", err->text);
}

static void on_end(void *arg, const struct drive_redirect *redirect,
                   const struct drive_identity *identity, const struct err *err)
{
    struct play *p = arg;
    const struct script *s = p->run->script;
    const struct script_step *step = p->at < s->n ? &s->v[p->at] : &s->v[s->n - 1];
    if (p->ended) {
        fprintf(stderr, "%s: the drive ended twice\n", s->path);
        abort();
    }
    p->ended = true;
    if (redirect) {
        p->redirect = arena_dup(p->arena, redirect->url);
        return;
    }
    p->out->done = identity != NULL;
    p->out->kind = err ? err->kind : ERR_NONE;
    snprintf(p->out->text, sizeof p->out->text, "%s", err ? err->text : "");
    snprintf(p->out->subject, sizeof p->out->subject, "%s", identity ? identity->subject : "");
    if (p->run->fault)
        return;
    if (identity && step->kind == STEP_DONE)
        expect_identity(p, step, identity);
    else if (err && step->kind == STEP_FAIL)
        expect_failure(p, step, err);
    else
        complain(p, step->line, "%s instead of %s: %s", err ? err_kind_name(err->kind) : "DONE",
                 script_kind_name(step->kind), p->out->text);
}

/* ---- the conversation ----------------------------------------------------------------------- */

/* The first reply to that address that was not given yet; when all were, the last. */
static const struct script_step *reply_by_address(struct play *p, const struct pending *q)
{
    const struct script *s = p->run->script;
    const struct script_step *found = NULL;
    for (size_t i = 0; i + 1 < s->n; i++) {
        struct str rest = str_of(s->v[i].rest), method, url;
        if (s->v[i].kind != STEP_REQUEST || s->v[i + 1].kind != STEP_REPLY ||
            !str_split(&rest, ' ', &method) || !str_split(&rest, ' ', &url) || !str_is(url, q->url))
            continue;
        found = &s->v[i + 1];
        if (!p->given[i + 1])
            break;
    }
    if (found)
        p->given[found - s->v] = true;
    return found;
}

/* With a fault in play: whatever is asked for gets its reply, or none. */
static void answer_any(struct play *p)
{
    struct pending *q = &p->pending[p->first % PENDING_MAX];
    const struct script_step *reply = reply_by_address(p, q);
    const struct fetch_result none = {.transport = USHER_TRANSPORT_UNREACHABLE,
                                      .content_type = "",
                                      .charset = "",
                                      .body = STR(""),
                                      .retry_after = -1};
    if (reply)
        deliver_reply(p, q, reply);
    else
        deliver(p, q, &none);
}

static void answer_next(struct play *p)
{
    const struct script *s = p->run->script;
    struct pending *q = &p->pending[p->first % PENDING_MAX];
    const struct script_step *request = &s->v[p->at];
    if (p->at + 1 >= s->n || request->kind != STEP_REQUEST || request[1].kind != STEP_REPLY) {
        complain(p, request->line, "%s %s instead of %s", q->method, q->url,
                 script_kind_name(request->kind));
        p->first++;
        return;
    }
    expect_request(p, request, q);
    p->at += 2;
    deliver_reply(p, q, request + 1);
}

/* Until the drive ends. It must: every request is answered. */
static void pump(struct play *p)
{
    while (!p->ended && p->first < p->last && !*p->out->complaint) {
        if (deliver_kept(p, &p->pending[p->first % PENDING_MAX]))
            continue;
        if (p->run->fault)
            answer_any(p);
        else
            answer_next(p);
    }
    if (!p->ended)
        complain(p, p->run->script->v[p->at < p->run->script->n ? p->at : 0].line,
                 "nothing is under way, and nothing was decided");
    p->first = p->last;
}

static const char *query_get(struct play *p, const char *name)
{
    struct fields f;
    struct err err = ERR_INIT;
    const char *value = "";
    const char *query = p->redirect ? strchr(p->redirect, '?') : NULL;
    if (!query || form_parse(p->arena, str_of(query + 1), SCRIPT_LINES_MAX, &f, &err) != 0 ||
        form_get(&f, name, &value) != 1)
        return "";
    return value;
}

/* The next step, which must be of this kind; a bent conversation skips what it does not need. */
static const struct script_step *next_step(struct play *p, enum step_kind kind)
{
    const struct script *s = p->run->script;
    while (p->run->fault && p->at + 1 < s->n && s->v[p->at].kind != kind)
        p->at++;
    const struct script_step *step = &s->v[p->at++];
    if (step->kind == kind)
        return step;
    complain(p, step->line, "%s instead of %s", script_kind_name(kind),
             script_kind_name(step->kind));
    return NULL;
}

static void first_leg(struct play *p, const struct drive_args *args, const struct flow *f)
{
    const struct script_step *start = &p->run->script->v[p->at++];
    const struct drive_start hints = {.login_hint = script_get(start, "login_hint"),
                                      .prompt = script_get(start, "prompt"),
                                      .locale = script_get(start, "locale"),
                                      .max_age = -1};
    struct drive *d = drive_begin(args, f, STR("bind"), &hints, on_end, p);
    pump(p);
    drive_free(&d);
    if (!p->redirect)
        return;
    p->ctx.nonce = query_get(p, "nonce");
    const struct script_step *s = next_step(p, STEP_REDIRECT);
    if (s && !p->run->fault)
        expect_redirect(p, s);
}

static void second_leg(struct play *p, const struct drive_args *args)
{
    const struct script_step *s = next_step(p, STEP_CALLBACK);
    struct err err = ERR_INIT;
    const char *state = query_get(p, "state");
    struct field v[SCRIPT_LINES_MAX + 1];
    size_t n = 0;
    const struct flow *f =
        state_unseal(p->run->ring, STR("bind"), str_of(state), RUN_NOW, p->arena, &err);
    if (!s || !f) {
        complain(p, 0, "the state cannot be opened: %s", err.text);
        return;
    }
    v[n++] = (struct field){"state", state, 5, strlen(state)};
    for (size_t i = 0; i < s->n; i++, n++)
        v[n] = (struct field){s->v[i].name, s->v[i].value, strlen(s->v[i].name),
                              strlen(s->v[i].value)};
    const struct fields callback = {v, n};
    p->ended = false;
    struct drive *d = drive_finish(args, f, str_of(state), &callback, on_end, p);
    pump(p);
    drive_free(&d);
}

/* START to DONE, with the tokens that START tells of. */
static void only_leg(struct play *p, const struct drive_args *args, enum usher_flow flow)
{
    const struct script_step *start = &p->run->script->v[p->at++];
    const char *access = script_get(start, "access_token");
    const char *refresh = script_get(start, "refresh_token");
    const char *subject = script_get(start, "subject");
    struct secret *a = access ? secret_new(access, strlen(access)) : NULL;
    struct secret *r = refresh ? secret_new(refresh, strlen(refresh)) : NULL;
    const struct drive_renewal renewal = {flow, subject ? subject : "", a, r};
    struct drive *d = drive_renew(args, &renewal, on_end, p);
    secret_free(&a);
    secret_free(&r);
    pump(p);
    drive_free(&d);
}

static enum usher_flow flow_of(const struct script *s)
{
    const char *flow = script_get(&s->v[1], "flow");
    if (flow && strcmp(flow, "link") == 0)
        return USHER_FLOW_LINK;
    if (flow && strcmp(flow, "refresh") == 0)
        return USHER_FLOW_REFRESH;
    if (flow && strcmp(flow, "recheck") == 0)
        return USHER_FLOW_RECHECK;
    return USHER_FLOW_LOGIN;
}

static void two_legs(struct play *p, const struct drive_args *args, enum usher_flow flow)
{
    struct flow f = {.provider = p->run->provider->id,
                     .purpose = (uint32_t)flow,
                     .started = RUN_NOW,
                     .return_to = "/",
                     .carry = "",
                     .max_age = -1};
    flow_new_id(f.id);
    first_leg(p, args, &f);
    if (p->redirect && !*p->out->complaint)
        second_leg(p, args);
}

static void fill_counting(void *ctx, void *out, size_t n)
{
    unsigned char *counter = ctx, *to = out;
    for (size_t i = 0; i < n; i++)
        to[i] = (*counter)++;
}

void run_script(const struct run *r, struct run_outcome *out)
{
    struct play *p = mem_alloc(sizeof *p);
    unsigned char counter = 1;
    const struct clock_fake clock = {.wall = {RUN_NOW * 1000000LL}, .mono = {1000000000}};
    struct drive_io io = {p, io_fetch, io_cached, io_cancel, io_keys, NULL, NULL};
    *out = (struct run_outcome){.kind = ERR_NONE};
    *p = (struct play){.run = r, .out = out, .arena = arena_new(), .at = 1};
    p->ctx = (struct answer_context){r->keys, "", RUN_NOW, p->arena};
    clock_set_fake(&clock);
    rng_set_source(fill_counting, &counter);

    const struct drive_args args = {
        .io = &io,
        .provider = r->provider,
        .keys = r->ring,
        .redirect_uri = arena_printf(p->arena, "https://usher.test/callback/%s", r->provider->id),
        .obtained = on_obtained,
        .observe_arg = p,
    };
    const enum usher_flow flow = flow_of(r->script);
    if (flow == USHER_FLOW_REFRESH || flow == USHER_FLOW_RECHECK)
        only_leg(p, &args, flow);
    else
        two_legs(p, &args, flow);

    rng_set_source(NULL, NULL);
    clock_set_fake(NULL);
    arena_free(&p->arena);
    free(p);
}
