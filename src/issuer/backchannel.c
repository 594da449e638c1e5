/* SPDX-License-Identifier: Apache-2.0 */
#include "issuer/backchannel.h"

#include <stdlib.h>

#include "base/json.h"
#include "issuer/parts.h"
#include "net/fetch.h"
#include "store/logout_delivery.h"
#include "sys/clock.h"
#include "sys/log.h"
#include "sys/random.h"

#define AT_ONCE 32
#define TOTAL_MS 5000
#define CONNECT_MS 3000
#define BODY_MAX (16u * 1024) /* of an answer, which nobody reads */
#define PAYLOAD_MAX 4096
#define TOKEN_LIFE 120 /* what the specification suggests at most */
#define GIVEN_UP (24 * 3600)
#define LOOK_AGAIN 60 /* for rows that nobody told us of */

static const int64_t pauses[] = {2, 10, 60, 300, 1800, 3600};

enum fate { FATE_KEEP, FATE_DONE, FATE_LATER };
struct delivery {
    struct batch *batch;
    char *token;
    struct fetch_call *call; /* under way; or NULL */
    struct logout_delivery_row row;
    enum fate fate;
};

/* Read, sent and written down together. */
struct batch {
    struct backchannel *owner;
    struct arena *a;
    struct delivery v[AT_ONCE];
    size_t n, left; /* left: to be settled */
    bool sending;   /* until then it is the store's */
    int64_t now;
    int64_t next; /* when the first that is not due yet will be */
};

struct backchannel {
    struct issuer *issuer;
    struct fetch_pool *pool;
    struct batch *batch; /* under way; or NULL */
    int64_t next;        /* nothing to be done before */
    bool woken;          /* since the rows were read */
    bool stopped;
};

struct backchannel *backchannel_new(struct issuer *i, struct fetch *f)
{
    struct backchannel *b = mem_alloc(sizeof *b);
    const struct fetch_pool_options o = {.name = "back-channel logout",
                                         .connect_ms = CONNECT_MS,
                                         .total_ms = TOTAL_MS,
                                         .body_max = BODY_MAX,
                                         .max_in_flight = AT_ONCE};
    *b = (struct backchannel){.issuer = i, .pool = f ? fetch_pool_new(f, &o) : NULL};
    return b;
}

void backchannel_free(struct backchannel **bp)
{
    struct backchannel *b = *bp;
    *bp = NULL;
    if (b && b->pool)
        fetch_pool_free(&b->pool);
    free(b);
}

void backchannel_wake(struct backchannel *b)
{
    b->next = 0;
    b->woken = true;
}

static void batch_free(struct batch *t)
{
    t->owner->batch = NULL;
    t->owner->issuer->under_way--;
    arena_free(&t->a);
    free(t);
}

/* ---- written down ---- */

static int64_t next_try(const struct batch *t, const struct delivery *d)
{
    const size_t last = sizeof pauses / sizeof *pauses - 1;
    const int64_t n = d->row.attempts;
    return t->now + pauses[n > (int64_t)last ? last : (size_t)n];
}

static int settle(struct db *db, void *arg, struct err *err)
{
    const struct batch *t = arg;
    for (size_t i = 0; i < t->n; i++) {
        const struct delivery *d = &t->v[i];
        if ((d->fate == FATE_DONE && logout_delivery_done(db, d->row.id, err) < 0) ||
            (d->fate == FATE_LATER &&
             logout_delivery_postpone(db, d->row.id, next_try(t, d), err) < 0))
            return -1;
    }
    return 0;
}

static void on_settled(void *arg, enum store_outcome outcome, const struct err *err)
{
    struct batch *t = arg;
    struct backchannel *b = t->owner;
    b->next = 0; /* there may be more than one batch */
    if (outcome != STORE_DONE) {
        log_error(NULL, LOG_ERROR, "issuer.logout_unwritten", err);
        b->next = t->now + LOOK_AGAIN; /* they will hear of it twice */
    }
    batch_free(t);
}

static void one_settled(struct delivery *d, enum fate fate)
{
    struct batch *t = d->batch;
    struct issuer *i = t->owner->issuer;
    d->fate = fate;
    if (--t->left > 0)
        return;
    t->now = wall_seconds(clock_wall());
    if (store_write(i->o.store, settle, i->o.loop, on_settled, t))
        return;
    log_event(NULL, LOG_WARN, "store.busy", LF_TEXT("job", "back-channel logout"));
    t->owner->next = t->now + LOOK_AGAIN;
    batch_free(t);
}

static void failed(struct delivery *d, const char *why)
{
    const bool over = d->row.created + GIVEN_UP <= wall_seconds(clock_wall());
    log_event(NULL, LOG_WARN, over ? "issuer.logout_given_up" : "issuer.logout_untold",
              LF_TEXT("app", d->row.app), LF_INT("attempts", d->row.attempts + 1),
              LF_TEXT("text", why));
    one_settled(d, over ? FATE_DONE : FATE_LATER);
}

/* ---- sent ---- */

static void on_answer(void *arg, const struct fetch_result *r)
{
    struct delivery *d = arg;
    d->call = NULL;
    if (r->err.kind != ERR_NONE) {
        failed(d, r->err.text);
    } else if (r->status < 200 || r->status > 299) {
        failed(d, arena_printf(d->batch->a, "it answered %d", r->status));
    } else {
        log_event(NULL, LOG_INFO, "issuer.logout_told", LF_TEXT("app", d->row.app),
                  LF_TEXT("account", d->row.account));
        one_settled(d, FATE_DONE);
    }
}

static const struct app *app_of(const struct delivery *d)
{
    const struct issuer *i = d->batch->owner->issuer;
    const struct app *app = i->apps ? apps_find(i->apps, d->row.app) : NULL;
    return app && app->common.backchannel_logout_uri ? app : NULL;
}

static void on_signed(void *arg, struct str token, const struct err *err)
{
    struct delivery *d = arg;
    const struct app *app = app_of(d); /* a reload may have come in between */
    if (d->batch->owner->stopped) {
        one_settled(d, FATE_KEEP);
    } else if (!app) {
        one_settled(d, FATE_DONE);
    } else if (token.p == NULL) {
        failed(d, err->text);
    } else {
        const struct fetch_part field = {.name = "logout_token",
                                         .before = arena_str(d->batch->a, token)};
        const struct fetch_request rq = {.url = app->common.backchannel_logout_uri,
                                         .body_kind = FETCH_BODY_FORM,
                                         .form = &field,
                                         .n_form = 1};
        d->call = fetch_start(d->batch->owner->pool, &rq, on_answer, d);
    }
}

/* Back-Channel Logout 2.4. No nonce: nobody may take it for an ID token. */
static struct str payload_of(const struct delivery *d)
{
    char jti[23];
    struct buf text;
    struct str out = {NULL, 0};
    struct jval *o = jval_new_object(), *events = jval_new_object();
    const int64_t now = wall_seconds(clock_wall());
    rng_id(jti);
    jval_set_text(o, "iss", d->batch->owner->issuer->o.public_url);
    jval_set_text(o, "sub", d->row.account);
    jval_set_text(o, "aud", d->row.app);
    jval_set_int(o, "iat", now);
    jval_set_int(o, "exp", now + TOKEN_LIFE);
    jval_set_text(o, "jti", jti);
    jval_set_text(o, "sid", d->row.sid);
    jval_set(events, "http://schemas.openid.net/event/backchannel-logout", jval_new_object());
    jval_set(o, "events", events);
    buf_init(&text, PAYLOAD_MAX);
    jval_render(o, &text);
    if (buf_ok(&text))
        out = (struct str){arena_dupn(d->batch->a, text.p, text.n), text.n};
    buf_deinit(&text);
    jval_free(&o);
    return out;
}

static void deliver(struct delivery *d)
{
    static const uint32_t algs[] = {
        [CLIENT_RS256] = JWS_RS256, [CLIENT_ES256] = JWS_ES256, [CLIENT_EDDSA] = JWS_EDDSA};
    const struct app *app = app_of(d);
    if (!app) {
        one_settled(d, FATE_DONE); /* it does not want to know, or is gone */
        return;
    }
    const struct sign_args args = {.alg = algs[app->common.id_token_alg],
                                   .kind = JWT_LOGOUT,
                                   .payload = payload_of(d),
                                   .arena = d->batch->a};
    if (args.payload.p)
        sign_jwt(d->batch->owner->issuer, &args, on_signed, d);
    else
        failed(d, "the logout token is too long");
}

/* ---- read ---- */

static void take(void *arg, const struct logout_delivery_row *row)
{
    struct batch *t = arg;
    struct delivery *d = &t->v[t->n];
    if (row->next > t->now) {
        if (row->next < t->next)
            t->next = row->next;
        return;
    }
    *d = (struct delivery){.batch = t, .row = *row};
    d->row.id = arena_dup(t->a, row->id);
    d->row.app = arena_dup(t->a, row->app);
    d->row.account = arena_dup(t->a, row->account);
    d->row.sid = arena_dup(t->a, row->sid);
    t->n++;
}

static int read_due(struct db *db, void *arg, struct err *err)
{
    struct batch *t = arg;
    t->n = 0;
    t->next = t->now + LOOK_AGAIN;
    return logout_delivery_each(db, AT_ONCE, take, t, err);
}

static void on_read(void *arg, enum store_outcome outcome, const struct err *err)
{
    struct batch *t = arg;
    struct backchannel *b = t->owner;
    if (outcome != STORE_DONE)
        log_error(NULL, LOG_ERROR, "issuer.logout_unwritten", err);
    else
        b->next = b->woken ? 0 : t->next;
    if (outcome != STORE_DONE || t->n == 0 || b->stopped) {
        batch_free(t);
        return;
    }
    t->sending = true;
    t->left = t->n;
    const size_t n = t->n; /* the last one to be settled may end the batch */
    for (size_t i = 0; i < n; i++)
        deliver(&t->v[i]);
}

void backchannel_step(struct backchannel *b)
{
    const int64_t now = wall_seconds(clock_wall());
    struct issuer *i = b->issuer;
    if (!b->pool || b->stopped || b->batch || now < b->next)
        return;
    struct batch *t = mem_alloc(sizeof *t);
    *t = (struct batch){.owner = b, .a = arena_new(), .now = now};
    b->batch = t;
    b->woken = false;
    b->next = now + LOOK_AGAIN;
    i->under_way++;
    if (!store_read(i->o.store, read_due, i->o.loop, on_read, t))
        batch_free(t);
}

void backchannel_stop(struct backchannel *b)
{
    struct batch *t = b->batch;
    b->stopped = true;
    for (size_t i = 0, n = t && t->sending ? t->n : 0; i < n; i++) {
        struct delivery *d = &t->v[i];
        if (d->call == NULL)
            continue;
        const bool last = t->left == 1;
        fetch_cancel(&d->call);
        one_settled(d, FATE_KEEP);
        if (last)
            return;
    }
}
