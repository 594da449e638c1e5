/* SPDX-License-Identifier: Apache-2.0 */
#include "issuer/authorize.h"

#include <stdlib.h>

#include "app/apps.h"
#include "app/client.h"
#include "app/decide.h"
#include "issuer/granting.h"
#include "issuer/hint.h"
#include "issuer/parts.h"
#include "issuer/refusal.h"
#include "store/authorization_request.h"
#include "store/consent.h"
#include "sys/clock.h"

#define WAIT_SECONDS 1800 /* a person may have to look for a second factor */
#define PARAMS_MAX (64u * 1024)

/* One request on its way, from the browser's question to our answer. It lives in the visit's
 * arena, but for what the store's thread reads, which lives there, too: a visit outlives it. */
struct run {
    struct issuer *issuer;
    struct issuer_visit v;
    issuer_step_fn *done;
    void *arg;
    struct apps *apps; /* a reference: what was judged stays what it was */
    struct issuer_request rq;
    struct authorization_request_row row; /* as it waits, or is to wait */
    const char *handle;                   /* of that row; NULL: it does not wait yet */
    int64_t now;
    /* consent */
    struct consent_row consent;
    const char *account; /* whose; copied */
    bool has_consent, answered, allowed;
    const char *said;  /* the scopes of the answer; NULL: all */
    const char *asked; /* the account whose answer it is */
    enum issuer_next waits_for;
    bool again;
    struct granting grant;
};

static void finish(struct run *r, struct issuer_step s)
{
    if (s.next != ISSUER_PAGE && s.next != ISSUER_FAILED && s.next != ISSUER_GONE)
        s.rq = &r->rq;
    r->issuer->under_way--;
    r->done(r->arg, &s);
    apps_free(&r->apps);
}

static void refuse(struct run *r, const char *error, const char *description)
{
    finish(r, (struct issuer_step){
                  .next = ISSUER_RESPOND, .error = error, .description = description});
}

static void page(struct run *r, const char *description)
{
    finish(r, (struct issuer_step){
                  .next = ISSUER_PAGE, .error = "invalid_request", .description = description});
}

static void failed(struct run *r)
{
    finish(r, (struct issuer_step){.next = ISSUER_FAILED,
                                   .error = "temporarily_unavailable",
                                   .description = "usher cannot answer this just now"});
}

static struct run *begin(struct issuer *i, const struct issuer_visit *v, issuer_step_fn *done,
                         void *arg)
{
    struct run *r = arena_alloc(v->arena, sizeof *r);
    r->issuer = i;
    r->v = *v;
    r->done = done;
    r->arg = arg;
    r->apps = i->apps ? apps_ref(i->apps) : NULL;
    r->now = wall_seconds(clock_wall());
    i->under_way++;
    return r;
}

/* ---- to wait -----------------------------------------------------------------------------------
 */

static int write_waiting(struct db *db, void *arg, struct err *err)
{
    struct run *r = arg;
    return authorization_request_add(db, &r->row, err);
}

static void on_waiting(void *arg, enum store_outcome outcome, const struct err *err)
{
    struct run *r = arg;
    (void)err;
    if (outcome != STORE_DONE) {
        failed(r);
        return;
    }
    finish(r, (struct issuer_step){.next = r->waits_for, .handle = r->handle, .again = r->again});
}

/* Keeps the request for the person, or, if it waits already, goes on waiting. */
static void wait_for(struct run *r, enum issuer_next what, bool again)
{
    struct issuer *i = r->issuer;
    r->waits_for = what;
    r->again = again;
    if (r->handle) {
        on_waiting(r, STORE_DONE, NULL);
        return;
    }
    char *handle = arena_alloc(r->v.arena, HANDLE_LEN + 1);
    unsigned char *bind = arena_alloc(r->v.arena, 32);
    struct buf params;
    struct jval *json = issuer_request_write(&r->rq);
    buf_init(&params, PARAMS_MAX);
    jval_render(json, &params);
    jval_free(&json);
    handle_make(HANDLE_WAITING, handle, r->row.hash);
    seal_sha256(r->v.bind, bind);
    r->handle = handle;
    r->row.app = arena_dup(r->v.arena, r->rq.app->id);
    r->row.kind = REQUEST_PENDING;
    r->row.params = buf_ok(&params) ? arena_dup(r->v.arena, params.p) : NULL;
    r->row.bind = bind;
    r->row.created = r->now;
    r->row.expires = r->now + WAIT_SECONDS;
    buf_deinit(&params);
    if (!r->row.params || !store_write(i->o.store, write_waiting, i->o.loop, on_waiting, r))
        failed(r);
}

/* ---- signed in, and well enough? ---------------------------------------------------------------
 */

/* Whether the proof is young enough. `since`: when the request began to wait, which is when the
 * person was sent to prove themselves; 0: it has not waited. */
static bool proven(const struct issuer_request *rq, const struct issuer_person *who, int64_t since,
                   int64_t now)
{
    if ((rq->prompt & PROMPT_LOGIN) && (since == 0 || who->auth_time < since - GRANTING_SKEW))
        return false;
    if (rq->max_age < 0)
        return true;
    /* What was asked anew is new enough, however long the way back took. */
    if (since > 0 && who->auth_time >= since - GRANTING_SKEW)
        return true;
    /* max_age=0 is as good as prompt=login, in the second of the sign-in, too. */
    return rq->max_age > 0 && who->auth_time > 0 && now - who->auth_time <= rq->max_age;
}

/* Whom the app expects: by an ID token it got from us, or a sub it asks for (OpenID Connect Core
 * 3.1.2.1 and 5.5.1). */
struct expected {
    const char *hint, *sub; /* accounts; NULL: it does not say */
    bool nobody;            /* nobody can be meant: the hint is not ours, or another app's */
};

static struct expected read_expected(struct run *r)
{
    struct err err = ERR_INIT;
    struct expected e = {.hint = NULL};
    struct hint hint;
    if (r->rq.claims) {
        struct jval *claims = jval_parse(str_of(r->rq.claims), PARAMS_MAX, 8, &err);
        const char *sub = jval_text(jval_at(claims, "/id_token/sub/value"));
        e.sub = sub ? arena_dup(r->v.arena, sub) : NULL;
        jval_free(&claims);
    }
    if (r->rq.id_token_hint) {
        e.nobody = !hint_read(r->issuer, r->rq.id_token_hint, r->v.arena, &hint) ||
                   strcmp(hint.app, r->rq.app->id) != 0;
        e.hint = e.nobody ? NULL : hint.account;
    }
    return e;
}

static bool is_expected(const struct expected *e, const struct issuer_person *who)
{
    return !e->nobody && (!e->hint || strcmp(e->hint, who->account) == 0) &&
           (!e->sub || strcmp(e->sub, who->account) == 0);
}

static bool provider_fits(const struct app_common *c, const char *provider)
{
    return !c->providers || client_lists(c->providers, str_of(provider));
}

/* Who was asked to sign in and comes back as somebody else is told so: asked again and again, they
 * would get nowhere. What they choose with prompt=select_account may be to go on as they are.
 * 0: fine; else the answer is given. */
static int judge_person(struct run *r, struct issuer_person *who)
{
    const int64_t since = r->handle ? r->row.created : 0;
    const struct expected e = read_expected(r);
    const bool in = r->v.person(r->v.person_arg, who);
    const bool fits = in && provider_fits(&r->rq.app->common, who->provider);
    const bool meant = fits && is_expected(&e, who);
    const bool chosen = since || !(r->rq.prompt & PROMPT_SELECT_ACCOUNT);
    if (meant && chosen && proven(&r->rq, who, since, r->now))
        return 0;
    if (e.nobody)
        refuse(r, "login_required", "id_token_hint is no ID token of ours for this app");
    else if (r->rq.prompt & PROMPT_NONE)
        refuse(r, "login_required", "nobody who would do is signed in");
    else if (since && fits && !meant)
        refuse(r, "login_required", "somebody else signed in than the app expects");
    else if (since && meant && who->created >= since)
        refuse(r, "login_required", "the provider does not say when it asked for a proof");
    else
        wait_for(r, ISSUER_LOGIN, in);
    return -1;
}

/* ---- consent -----------------------------------------------------------------------------------
 */

/* Whether what the person said before covers what is asked now. */
static bool covered(const struct run *r)
{
    unsigned char terms[32];
    struct str rest = str_of(r->rq.scopes), word;
    granting_terms(r->rq.app, terms);
    if (!r->has_consent || !r->consent.terms || memcmp(terms, r->consent.terms, 32) != 0)
        return false;
    while (str_split(&rest, ' ', &word)) {
        const char *const one[] = {arena_str(r->v.arena, word), NULL};
        if (!scope_any(r->consent.scopes, one))
            return false;
    }
    return true;
}

static void on_granted(void *arg, const char *code)
{
    struct run *r = arg;
    if (code)
        finish(r, (struct issuer_step){.next = ISSUER_RESPOND, .code = code});
    else
        failed(r);
}

/* A page that was loaded again, sent twice, or left open for long. */
static void on_gone(void *arg)
{
    finish(arg, (struct issuer_step){.next = ISSUER_GONE,
                                     .error = "invalid_request",
                                     .description =
                                         "This was answered already, or has waited for too long"});
}

static bool must_ask(const struct run *r)
{
    return (r->rq.prompt & PROMPT_CONSENT) || r->rq.app->common.consent;
}

static void grant(struct run *r)
{
    struct issuer_person who;
    /* The store took its time: is this still who we judged? */
    if (!r->v.person(r->v.person_arg, &who) || strcmp(who.account, r->account) != 0) {
        finish(r, (struct issuer_step){.next = ISSUER_GONE,
                                       .error = "invalid_request",
                                       .description = "Somebody else signed in meanwhile"});
        return;
    }
    r->grant = (struct granting){.issuer = r->issuer,
                                 .arena = r->v.arena,
                                 .rq = &r->rq,
                                 .who = &who,
                                 .ip = r->v.ip,
                                 .user_agent = r->v.user_agent,
                                 .now = r->now,
                                 .waited = r->handle ? r->row.hash : NULL,
                                 .consent = r->answered ? r->said : NULL,
                                 .relies = must_ask(r) && !r->answered ? &r->consent : NULL,
                                 .done = on_granted,
                                 .gone = on_gone,
                                 .arg = r};
    granting_write(&r->grant);
}

static void judge_consent(struct run *r)
{
    if (!must_ask(r) || r->answered || (covered(r) && !(r->rq.prompt & PROMPT_CONSENT)))
        grant(r);
    else if (r->rq.prompt & PROMPT_NONE)
        refuse(r, "consent_required", "the person has not agreed to this yet");
    else
        wait_for(r, ISSUER_CONSENT, false);
}

static int read_consent(struct db *db, void *arg, struct err *err)
{
    struct run *r = arg;
    const int rc = consent_get(db, r->account, r->rq.app->id, r->v.arena, &r->consent, err);
    r->has_consent = rc == 1;
    return rc < 0 ? -1 : 0;
}

static void on_consent(void *arg, enum store_outcome outcome, const struct err *err)
{
    (void)err;
    if (outcome == STORE_DONE)
        judge_consent(arg);
    else
        failed(arg);
}

static struct refusal refusal_of(const struct run *r, const struct issuer_person *who,
                                 const char *reason)
{
    return (struct refusal){.app = r->rq.app->id,
                            .account = who->account,
                            .provider = who->provider,
                            .ip = r->v.ip,
                            .user_agent = r->v.user_agent,
                            .reason = reason,
                            .log = r->v.log};
}

/* The request makes sense: what about the person? */
static void proceed(struct run *r)
{
    struct issuer *i = r->issuer;
    struct issuer_person who;
    if (judge_person(r, &who) < 0)
        return;
    const struct app_decision d = app_decide(r->rq.app, &who.subject, NULL, NULL);
    if (d.verdict != APP_ALLOW) {
        const struct refusal told = refusal_of(r, &who, d.reason);
        refusal_by_app(i, &told);
        refuse(r, "access_denied", "this account may not use the app");
        return;
    }
    r->account = arena_dup(r->v.arena, who.account);
    const bool asks = r->rq.app->common.consent && !r->answered;
    if (!asks)
        judge_consent(r);
    else if (!store_read(i->o.store, read_consent, i->o.loop, on_consent, r))
        failed(r);
}

/* ---- requests that waited ----------------------------------------------------------------------
 */

struct lookup {
    struct run *run;
    unsigned char hash[32];
    const char *pushed_by; /* the app that names a pushed request; NULL: it waits for a person */
    bool found;
    void (*then)(struct run *r);
};

static int read_row(struct db *db, void *arg, struct err *err)
{
    struct lookup *l = arg;
    struct run *r = l->run;
    const int rc = authorization_request_get(db, l->hash, r->now, r->v.arena, &r->row, err);
    l->found = rc == 1;
    return rc < 0 ? -1 : 0;
}

/* A pushed request is good once (RFC 9126 section 4): whoever reads it takes it away. */
static int take_row(struct db *db, void *arg, struct err *err)
{
    struct lookup *l = arg;
    if (read_row(db, arg, err) < 0)
        return -1;
    l->found = l->found && strcmp(l->run->row.app, l->pushed_by) == 0;
    const int rc = l->found ? authorization_request_drop(db, l->hash, err) : 0;
    l->found = rc == 1;
    return rc < 0 ? -1 : 0;
}

static const struct app *find_app(const struct run *r)
{
    return r->apps ? apps_find(r->apps, r->row.app) : NULL;
}

static bool of_this_browser(const struct run *r)
{
    unsigned char bind[32];
    seal_sha256(r->v.bind, bind);
    return r->row.bind && seal_equal(bind, r->row.bind, sizeof bind);
}

static void on_row(void *arg, enum store_outcome outcome, const struct err *err_)
{
    struct lookup *l = arg;
    struct run *r = l->run;
    struct err err = ERR_INIT;
    (void)err_;
    if (outcome != STORE_DONE) {
        failed(r);
        return;
    }
    if (!l->found || (!l->pushed_by && !of_this_browser(r))) {
        on_gone(r);
        return;
    }
    struct jval *json = jval_parse(str_of(r->row.params), PARAMS_MAX, 4, &err);
    const int rc = issuer_request_again(r->v.arena, find_app(r), json, &r->rq);
    jval_free(&json);
    if (rc < 0)
        page(r, "the app may not ask for this any more");
    else
        l->then(r);
}

static void look_up(struct run *r, const unsigned char hash[32], const char *pushed_by,
                    void (*then)(struct run *r))
{
    struct issuer *i = r->issuer;
    struct lookup *l = arena_alloc(r->v.arena, sizeof *l);
    l->run = r;
    l->pushed_by = pushed_by;
    l->then = then;
    memcpy(l->hash, hash, sizeof l->hash);
    const bool queued = pushed_by ? store_write(i->o.store, take_row, i->o.loop, on_row, l)
                                  : store_read(i->o.store, read_row, i->o.loop, on_row, l);
    if (!queued)
        failed(r);
}

void issuer_continue(struct issuer *i, const struct issuer_visit *v, const char *handle,
                     issuer_step_fn *done, void *arg)
{
    struct run *r = begin(i, v, done, arg);
    unsigned char hash[32];
    r->handle = arena_dup(v->arena, handle);
    if (handle_hash(HANDLE_WAITING, str_of(handle), hash))
        look_up(r, hash, NULL, proceed);
    else
        on_gone(r);
}

static void answered(struct run *r)
{
    struct issuer_person who;
    if (r->allowed) {
        proceed(r);
        return;
    }
    if (r->v.person(r->v.person_arg, &who)) {
        const struct refusal told = refusal_of(r, &who, NULL);
        refusal_by_person(r->issuer, &told);
    }
    refuse(r, "access_denied", "the person said no");
}

/* Only scopes that were asked for, in the order they were. */
static const char *narrowed(struct arena *a, const char *asked, const char *said)
{
    struct str rest = str_of(asked), word;
    const char *kept = "";
    while (str_split(&rest, ' ', &word)) {
        const char *name = arena_dupn(a, word.p, word.n);
        if (issuer_request_has_scope(said, name))
            kept = kept[0] ? arena_printf(a, "%s %s", kept, name) : name;
    }
    return kept;
}

static void answer_narrowed(struct run *r)
{
    struct issuer_person who;
    if (r->allowed && (!r->v.person(r->v.person_arg, &who) || strcmp(who.account, r->asked) != 0)) {
        r->answered = false; /* it was somebody else's */
        proceed(r);
        return;
    }
    if (r->said) {
        r->rq.scopes = narrowed(r->v.arena, r->rq.scopes, r->said);
        r->allowed = r->allowed && r->rq.scopes[0];
    }
    r->said = r->rq.scopes;
    answered(r);
}

void issuer_consent(struct issuer *i, const struct issuer_visit *v,
                    const struct issuer_answer_of_person *said, issuer_step_fn *done, void *arg)
{
    struct run *r = begin(i, v, done, arg);
    unsigned char hash[32];
    r->handle = arena_dup(v->arena, said->handle);
    r->answered = true;
    r->allowed = said->allow;
    r->said = said->scopes ? arena_dup(v->arena, said->scopes) : NULL;
    r->asked = arena_dup(v->arena, said->account);
    if (handle_hash(HANDLE_WAITING, str_of(said->handle), hash))
        look_up(r, hash, NULL, answer_narrowed);
    else
        on_gone(r);
}

/* ---- new requests ------------------------------------------------------------------------------
 */

/* A pushed request, named by its request_uri: nothing else of this one counts. */
static void pushed(struct run *r, const char *client_id, const char *uri)
{
    unsigned char hash[32];
    const struct str handle = {uri + sizeof ISSUER_PUSHED_URN - 1,
                               strlen(uri) - (sizeof ISSUER_PUSHED_URN - 1)};
    if (handle_hash(HANDLE_PUSHED, handle, hash))
        look_up(r, hash, client_id, proceed);
    else
        page(r, "there is no such pushed request");
}

void issuer_authorize(struct issuer *i, const struct issuer_visit *v, const struct fields *f,
                      issuer_step_fn *done, void *arg)
{
    struct run *r = begin(i, v, done, arg);
    struct issuer_problem why;
    const char *client_id, *uri;
    if (form_get(f, "client_id", &client_id) != 1) {
        page(r, "client_id is missing or came more than once");
        return;
    }
    if (form_get(f, "request_uri", &uri) == 1 && str_starts(str_of(uri), ISSUER_PUSHED_URN)) {
        pushed(r, client_id, uri);
        return;
    }
    const struct app *app = r->apps ? apps_find(r->apps, client_id) : NULL;
    const int rc = issuer_request_read(v->arena, app, f, &r->rq, &why);
    if (rc == 0 && app->common.require_pushed)
        refuse(r, "invalid_request", "this app pushes its requests: RFC 9126");
    else if (rc == 0)
        proceed(r);
    else if (why.page)
        page(r, why.description);
    else
        refuse(r, why.error, why.description);
}
