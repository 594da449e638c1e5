/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signing out. A POST from our own page ends the session before it is answered; a link from
 * elsewhere only gets a page with a button, so that no picture tag signs anybody out.
 */
#include "store/audit.h"
#include "sys/clock.h"
#include "web/page.h"

void signout_page(struct request *rq, void *app_)
{
    const struct web_app *app = app_;
    struct session_view v;
    struct jval *data = jval_new_object();
    jval_set_bool(data, "signed_in", web_session(app, rq, &v) == 1);
    page_has_form(rq);
    page_send(rq, app, 200, "signout", "Sign out", data);
}

/* The cookie may come more than once: a sibling host can plant one beside ours. All of them end. */
#define COOKIES_MAX 8

struct ending {
    struct request *rq;
    const struct web_app *app;
    unsigned char hash[COOKIES_MAX][32];
    size_t n;
    const char *account, *session; /* whose it was; NULL: memory does not know */
    const char *ip, *user_agent, *request_id;
    void (*done)(void *arg);
    void *arg;
};

static void finish(struct ending *e)
{
    struct buf cookie;
    buf_init(&cookie, 512);
    cookie_jar_session(&e->app->jar, "", 0, &cookie);
    reply_header(e->rq, "Set-Cookie", cookie.p);
    buf_deinit(&cookie);
    e->done(e->arg);
}

void signout_say_goodbye(struct request *rq, const struct web_app *app)
{
    struct jval *data = jval_new_object();
    jval_set_bool(data, "done", true);
    page_send(rq, app, 200, "signout", "Signed out", data);
}

static int end_row(struct db *db, void *arg, struct err *err)
{
    const struct ending *e = arg;
    int ended = 0, n;
    for (size_t i = 0; i < e->n; i++, ended += n)
        if ((n = session_row_end(db, e->hash[i], err)) < 0)
            return -1;
    const struct audit_row row = {.at = wall_seconds(clock_wall()),
                                  .actor_kind = e->account ? "account" : "nobody",
                                  .actor = e->account ? e->account : "",
                                  .ip = e->ip,
                                  .request_id = e->request_id,
                                  .user_agent = e->user_agent,
                                  .action = "session.end",
                                  .object = e->session ? e->session : "",
                                  .outcome = "done"};
    return ended > 0 && audit_add(db, &row, err) < 0 ? -1 : 0;
}

/* Over here at once, but a restart would bring it back: that is said, and the next try writes. */
static void say_unrecorded(struct request *rq)
{
    reply_header_static(rq, "Retry-After", "5");
    reply_error(rq, 503,
                "You are signed out for now, but that could not be recorded. Please try again.");
}

static void on_ended(void *arg, enum store_outcome outcome, const struct err *err)
{
    struct ending *e = arg;
    if (outcome != STORE_DONE) {
        log_error(request_log(e->rq), LOG_ERROR, "logout.failed", err);
        say_unrecorded(e->rq);
        return;
    }
    log_event(request_log(e->rq), LOG_INFO, "logout.done",
              LF_TEXT("client", request_client(e->rq)));
    finish(e);
}

void signout_end(struct request *rq, const struct web_app *app, void (*done)(void *arg), void *arg)
{
    struct str token[COOKIES_MAX];
    struct session_view v;
    struct ending *e = arena_alloc(request_arena(rq), sizeof *e);
    *e = (struct ending){.rq = rq,
                         .app = app,
                         .ip = request_client(rq),
                         .user_agent = web_user_agent(rq),
                         .request_id = request_id(rq),
                         .done = done,
                         .arg = arg};
    if (web_session(app, rq, &v) == 1) {
        e->account = arena_dup(request_arena(rq), v.account);
        e->session = arena_dup(request_arena(rq), v.id);
    }
    const size_t n = request_cookies(rq, str_of(app->jar.session_name), token, COOKIES_MAX);
    for (size_t i = 0; i < n; i++) {
        if (token[i].n != SESSION_TOKEN_LEN)
            continue;
        session_token_hash(token[i], e->hash[e->n]);
        sessions_end(app->sessions, e->hash[e->n++]); /* at once, whatever the store says */
    }
    if (e->n == 0) {
        finish(e);
        return;
    }
    /* The row goes even if memory knows nothing of it: an earlier try may have failed half way. */
    request_hold(rq);
    if (!store_write(app->store, end_row, app->loop, on_ended, e))
        say_unrecorded(rq);
}

struct goodbye {
    struct request *rq;
    const struct web_app *app;
};

static void say_goodbye(void *arg)
{
    const struct goodbye *g = arg;
    signout_say_goodbye(g->rq, g->app);
}

void signout_post(struct request *rq, void *app)
{
    struct goodbye *g = arena_alloc(request_arena(rq), sizeof *g);
    *g = (struct goodbye){rq, app};
    if (request_same_origin(rq, g->app->public_origin))
        signout_end(rq, app, say_goodbye, g);
    else
        reply_error(rq, 403, "Signing out must be asked for on this site's own page.");
}
