/* SPDX-License-Identifier: Apache-2.0 */
#include "issuer/backchannel_run.h"

#include <stdlib.h>

#include "base/json.h"
#include "issuer/parts.h"
#include "net/fetch.h"
#include "store/logout_delivery.h"
#include "sys/clock.h"
#include "sys/log.h"
#include "sys/random.h"

#define PAYLOAD_MAX 4096
#define TOKEN_LIFE 120 /* what the specification suggests at most */
#define GIVEN_UP (24 * 3600)

static const int64_t pauses[] = {2, 10, 60, 300, 1800, 3600};

struct backchannel_run {
    struct issuer *issuer;
    struct fetch_pool *pool;
    backchannel_run_fn *over;
    void *arg;
    struct arena *a;
    const char *app;
    struct logout_delivery_row v[BACKCHANNEL_ROWS];
    size_t n, at;            /* at: those before it are done with */
    struct fetch_call *call; /* under way; or NULL */
    bool failed, stopped;
    int64_t now; /* when it is written down */
};

const char *backchannel_run_app(const struct backchannel_run *r)
{
    return r->app;
}

static void end(struct backchannel_run *r, bool settled)
{
    r->issuer->under_way--;
    r->over(r->arg, r, settled);
    arena_free(&r->a);
    free(r);
}

/* ---- written down ---- */

static int64_t next_try(const struct backchannel_run *r)
{
    const size_t last = sizeof pauses / sizeof *pauses - 1;
    const int64_t n = r->v[r->at].attempts;
    return r->now + pauses[n > (int64_t)last ? last : (size_t)n];
}

static int settle(struct db *db, void *arg, struct err *err)
{
    const struct backchannel_run *r = arg;
    for (size_t i = 0; i < r->at; i++)
        if (logout_delivery_done(db, r->v[i].id, err) < 0)
            return -1;
    if (!r->failed)
        return 0;
    return logout_delivery_give_up(db, r->app, r->now - GIVEN_UP, err) < 0
               ? -1
               : logout_delivery_postpone(db, r->app, next_try(r), err);
}

static void on_settled(void *arg, enum store_outcome outcome, const struct err *err)
{
    if (outcome != STORE_DONE) /* they will hear of it twice */
        log_error(NULL, LOG_ERROR, "issuer.logout_unwritten", err);
    end(arg, outcome == STORE_DONE);
}

static void conclude(struct backchannel_run *r)
{
    struct issuer *i = r->issuer;
    r->now = wall_seconds(clock_wall());
    if (r->at == 0 && !r->failed) {
        end(r, true);
        return;
    }
    if (store_write(i->o.store, settle, i->o.loop, on_settled, r))
        return;
    log_event(NULL, LOG_WARN, "store.busy", LF_TEXT("job", "back-channel logout"));
    end(r, false);
}

static void failed(struct backchannel_run *r, const char *why)
{
    const struct logout_delivery_row *row = &r->v[r->at];
    const bool over = row->created + GIVEN_UP <= wall_seconds(clock_wall());
    log_event(NULL, LOG_WARN, over ? "issuer.logout_given_up" : "issuer.logout_untold",
              LF_TEXT("app", r->app), LF_INT("attempts", row->attempts + 1), LF_TEXT("text", why));
    r->failed = true;
    conclude(r);
}

/* ---- sent ---- */

static void next(struct backchannel_run *r);

static void on_answer(void *arg, const struct fetch_result *result)
{
    struct backchannel_run *r = arg;
    r->call = NULL;
    if (result->err.kind != ERR_NONE) {
        failed(r, result->err.text);
    } else if (result->status < 200 || result->status > 299) {
        failed(r, arena_printf(r->a, "it answered %d", result->status));
    } else {
        log_event(NULL, LOG_INFO, "issuer.logout_told", LF_TEXT("app", r->app),
                  LF_TEXT("account", r->v[r->at].account));
        r->at++;
        next(r);
    }
}

static const struct app *app_of(const struct backchannel_run *r)
{
    const struct issuer *i = r->issuer;
    const struct app *app = i->apps ? apps_find(i->apps, r->app) : NULL;
    return app && app->common.backchannel_logout_uri ? app : NULL;
}

static void on_signed(void *arg, struct str token, const struct err *err)
{
    struct backchannel_run *r = arg;
    const struct app *app = app_of(r); /* a reload may have come in between */
    if (r->stopped) {
        conclude(r);
    } else if (!app) {
        next(r);
    } else if (token.p == NULL) {
        failed(r, err->text);
    } else {
        const struct fetch_part field = {.name = "logout_token", .before = arena_str(r->a, token)};
        const struct fetch_request rq = {.url = app->common.backchannel_logout_uri,
                                         .body_kind = FETCH_BODY_FORM,
                                         .form = &field,
                                         .n_form = 1};
        r->call = fetch_start(r->pool, &rq, on_answer, r);
    }
}

/* Back-Channel Logout 2.4. No nonce: nobody may take it for an ID token. */
static struct str payload_of(const struct backchannel_run *r)
{
    char jti[23];
    struct buf text;
    struct str out = {NULL, 0};
    struct jval *o = jval_new_object(), *events = jval_new_object();
    const int64_t now = wall_seconds(clock_wall());
    rng_id(jti);
    jval_set_text(o, "iss", r->issuer->o.public_url);
    jval_set_text(o, "sub", r->v[r->at].account);
    jval_set_text(o, "aud", r->app);
    jval_set_int(o, "iat", now);
    jval_set_int(o, "exp", now + TOKEN_LIFE);
    jval_set_text(o, "jti", jti);
    jval_set_text(o, "sid", r->v[r->at].sid);
    jval_set(events, "http://schemas.openid.net/event/backchannel-logout", jval_new_object());
    jval_set(o, "events", events);
    buf_init(&text, PAYLOAD_MAX);
    jval_render(o, &text);
    if (buf_ok(&text))
        out = (struct str){arena_dupn(r->a, text.p, text.n), text.n};
    buf_deinit(&text);
    jval_free(&o);
    return out;
}

static void next(struct backchannel_run *r)
{
    static const uint32_t algs[] = {
        [CLIENT_RS256] = JWS_RS256, [CLIENT_ES256] = JWS_ES256, [CLIENT_EDDSA] = JWS_EDDSA};
    const struct app *app = app_of(r);
    if (!app)
        r->at = r->n; /* it does not want to know, or is gone */
    if (r->stopped || r->at == r->n) {
        conclude(r);
        return;
    }
    const struct sign_args args = {.alg = algs[app->common.id_token_alg],
                                   .kind = JWT_LOGOUT,
                                   .payload = payload_of(r),
                                   .arena = r->a};
    if (args.payload.p)
        sign_jwt(r->issuer, &args, on_signed, r);
    else
        failed(r, "the logout token is too long");
}

/* ---- read ---- */

static void take(void *arg, const struct logout_delivery_row *row)
{
    struct backchannel_run *r = arg;
    struct logout_delivery_row *mine = &r->v[r->n++];
    *mine = *row;
    mine->id = arena_dup(r->a, row->id);
    mine->account = arena_dup(r->a, row->account);
    mine->sid = arena_dup(r->a, row->sid);
    mine->app = r->app;
}

static int read_rows(struct db *db, void *arg, struct err *err)
{
    struct backchannel_run *r = arg;
    r->n = 0;
    return logout_delivery_of_app(db, r->app, BACKCHANNEL_ROWS, take, r, err);
}

static void on_read(void *arg, enum store_outcome outcome, const struct err *err)
{
    struct backchannel_run *r = arg;
    if (outcome == STORE_DONE) {
        next(r);
        return;
    }
    log_error(NULL, LOG_ERROR, "issuer.logout_unwritten", err);
    end(r, false);
}

struct backchannel_run *backchannel_run_new(struct issuer *i, struct fetch_pool *pool,
                                            const char *app, backchannel_run_fn *over, void *arg)
{
    struct backchannel_run *r = mem_alloc(sizeof *r);
    *r = (struct backchannel_run){
        .issuer = i, .pool = pool, .over = over, .arg = arg, .a = arena_new()};
    r->app = arena_dup(r->a, app);
    if (store_read(i->o.store, read_rows, i->o.loop, on_read, r)) {
        i->under_way++;
        return r;
    }
    arena_free(&r->a);
    free(r);
    return NULL;
}

void backchannel_run_stop(struct backchannel_run *r)
{
    r->stopped = true;
    if (r->call == NULL) /* it is with the store, or being signed, and ends from there */
        return;
    fetch_cancel(&r->call);
    conclude(r);
}
