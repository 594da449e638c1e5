/* SPDX-License-Identifier: Apache-2.0 */
#include "drive_fixture.h"

#include <check.h>
#include <string.h>

#include "sys/clock.h"

struct drive_fixture fx;

static const unsigned char key[32] = "0123456789abcdef0123456789abcdef";
static const char *const origins[] = {FIXTURE_ORIGIN, NULL};

/* ---- the network ---------------------------------------------------------------------------- */

static const char *parts(const struct fetch_part *v, size_t n, const char *between, const char *end)
{
    const char *text = "";
    for (size_t i = 0; i < n; i++) {
        struct str secret = v[i].secret ? secret_reveal(v[i].secret) : STR("");
        text = arena_printf(fx.arena, "%s%s%s%s%.*s%s", text, v[i].name, between,
                            v[i].before ? v[i].before : "", (int)secret.n, secret.p, end);
    }
    return text;
}

static struct asked *ask(const char *url, fetch_done_fn *done, void *arg)
{
    ck_assert_uint_lt(fx.n_asked, FIXTURE_ASKED_MAX);
    struct asked *a = &fx.asked[fx.n_asked++];
    *a = (struct asked){
        .open = true, .url = arena_dup(fx.arena, url), .done = done, .arg = arg, .form = ""};
    return a;
}

static void *io_fetch(void *ctx, const struct provider *p, const struct fetch_request *rq,
                      fetch_done_fn *done, void *arg)
{
    struct asked *a = ask(rq->url, done, arg);
    ck_assert_ptr_eq(ctx, &fx);
    ck_assert_ptr_eq(p, &fx.provider);
    a->form = parts(rq->form, rq->n_form, "=", "&");
    a->headers = parts(rq->headers, rq->n_headers, ": ", "\n");
    if (rq->basic_user)
        a->basic =
            arena_printf(fx.arena, "%s:%s", rq->basic_user, secret_reveal(rq->basic_password).p);
    return a;
}

static void *io_cached(void *ctx, const struct provider *p, const struct cache_request *rq,
                       fetch_done_fn *done, void *arg)
{
    struct asked *a = ask(rq->url, done, arg);
    ck_assert_ptr_eq(ctx, &fx);
    ck_assert_ptr_eq(p, &fx.provider);
    a->cached = true;
    a->force = rq->force;
    a->headers = parts(rq->headers, rq->n_headers, ": ", "\n");
    return a;
}

static void io_cancel(void *ctx, void *call)
{
    struct asked *a = call;
    (void)ctx;
    ck_assert(a->open);
    a->open = false;
    fx.n_cancelled++;
}

static struct jwks *io_keys(void *ctx, const char *url, struct str body, struct err *err)
{
    (void)ctx;
    (void)url;
    return jwks_parse(body, err);
}

static void on_observed(void *arg, const char *step, int64_t ms)
{
    (void)arg;
    ck_assert_str_ne(step, "");
    ck_assert_int_ge(ms, 0);
    fx.n_observed++;
}

/* ---- the end -------------------------------------------------------------------------------- */

static void on_end(void *arg, const struct drive_redirect *redirect,
                   const struct drive_identity *identity, const struct err *err)
{
    ck_assert_ptr_eq(arg, &fx);
    ck_assert_int_eq((redirect != NULL) + (identity != NULL) + (err != NULL), 1);
    fx.ends++;
    fx.url = redirect ? arena_dup(fx.arena, redirect->url) : NULL;
    fx.subject = identity ? arena_dup(fx.arena, identity->subject) : NULL;
    fx.claims = identity && identity->claims;
    if (err)
        fx.err = *err;
}

static void check_ended_once(void)
{
    ck_assert_uint_le(fx.ends, 1);
}

/* ---- a fixture ------------------------------------------------------------------------------ */

void fixture_open(fixture_step *step)
{
    static const struct clock_fake clock = {.wall = {FIXTURE_NOW * 1000000LL}, .mono = {1}};
    fx = (struct drive_fixture){.err = ERR_INIT};
    fx.arena = arena_new();
    fx.keys = keyring_fixed(key);
    fx.secrets = conf_secrets_new();
    conf_secrets_set(fx.secrets, "client_secret", secret_new("s3cret", 6));
    fx.plugin = (struct usher_provider){USHER_PROVIDER_HEAD, .name = "test", .label = "Test",
                                        .version = "1", .step = step};
    fx.provider = (struct provider){
        .id = "test",
        .label = "Test",
        .usable = true,
        .plugin = &fx.plugin,
        .common = {.enabled = true, .client_id = "app", .client_secret = {true}},
        .secrets = fx.secrets,
        .origins = origins,
    };
    fx.io = (struct drive_io){&fx, io_fetch, io_cached, io_cancel, io_keys};
    fx.args = (struct drive_args){.io = &fx.io,
                                  .provider = &fx.provider,
                                  .keys = fx.keys,
                                  .redirect_uri = "https://usher.test/callback/test",
                                  .observe = on_observed};
    fx.flow = (struct flow){.provider = "test",
                            .purpose = USHER_FLOW_LOGIN,
                            .started = FIXTURE_NOW,
                            .return_to = "/",
                            .carry = "",
                            .max_age = -1};
    flow_new_id(fx.flow.id);
    clock_set_fake(&clock);
}

void fixture_close(void)
{
    check_ended_once();
    drive_free(&fx.drive);
    for (size_t i = 0; i < fx.n_asked; i++)
        ck_assert(!fx.asked[i].open); /* answered or cancelled, never forgotten */
    conf_secrets_free(&fx.secrets);
    keyring_free(&fx.keys);
    arena_free(&fx.arena);
    clock_set_fake(NULL);
}

const char *fixture_param(const char *name)
{
    struct fields f;
    struct err err = ERR_INIT;
    const char *value = NULL;
    ck_assert_ptr_nonnull(fx.url);
    ck_assert_ptr_nonnull(strchr(fx.url, '?'));
    ck_assert_int_eq(form_parse(fx.arena, str_of(strchr(fx.url, '?') + 1), 64, &f, &err), 0);
    int n = form_get(&f, name, &value);
    ck_assert_msg(n >= 0, "%s occurs twice", name);
    return n == 1 ? value : NULL;
}

void fixture_begin(void)
{
    const struct drive_start hints = {.max_age = -1};
    fx.ends = 0;
    fx.drive = drive_begin(&fx.args, &fx.flow, STR("bind"), &hints, on_end, &fx);
}

/* A state as the first leg would have made it, unless it did. */
static void need_state(void)
{
    struct buf b;
    struct err err = ERR_INIT;
    if (fx.url) {
        fx.state = fixture_param("state");
        const struct flow *f =
            state_unseal(fx.keys, STR("bind"), str_of(fx.state), FIXTURE_NOW, fx.arena, &err);
        ck_assert_ptr_nonnull(f);
        fx.flow = *f;
        return;
    }
    buf_init(&b, STATE_MAX);
    ck_assert_int_eq(state_seal(fx.keys, STR("bind"), &fx.flow, &b, &err), 0);
    fx.state = arena_dup(fx.arena, b.p);
    buf_deinit(&b);
}

void fixture_finish(const char *callback)
{
    struct fields f;
    struct err err = ERR_INIT;
    need_state();
    const char *query = arena_printf(fx.arena, "state=%s&%s", fx.state, callback);
    ck_assert_int_eq(form_parse(fx.arena, str_of(query), 64, &f, &err), 0);
    drive_free(&fx.drive);
    fx.ends = 0;
    fx.url = NULL;
    fx.err = (struct err)ERR_INIT;
    fx.drive = drive_finish(&fx.args, &fx.flow, str_of(fx.state), &f, on_end, &fx);
}

static void deliver(size_t i, const struct fetch_result *r)
{
    ck_assert_uint_lt(i, fx.n_asked);
    ck_assert(fx.asked[i].open);
    fx.asked[i].open = false;
    fx.asked[i].done(fx.asked[i].arg, r);
}

void fixture_answer(size_t i, int status, const char *type, const char *body)
{
    struct str rest = str_of(type), media = STR(""), charset = STR("");
    if (str_split(&rest, ';', &media) && str_split(&rest, '=', &charset))
        charset = rest;
    const struct fetch_result r = {.status = status,
                                   .content_type = arena_str(fx.arena, media),
                                   .charset = arena_str(fx.arena, charset),
                                   .body = str_of(body),
                                   .retry_after = -1,
                                   .ms = 3};
    deliver(i, &r);
}

void fixture_transport(size_t i, uint32_t transport)
{
    const struct fetch_result r = {
        .transport = transport, .content_type = "", .charset = "", .body = STR(""), .ms = 3};
    deliver(i, &r);
}

/* ---- pieces of plugins ---------------------------------------------------------------------- */

void fixture_redirect(struct usher_action *act)
{
    act->kind = USHER_REDIRECT;
    act->url = FIXTURE_ORIGIN "/authorize";
    act->scope = "openid";
}

void fixture_exchange(struct usher_action *act)
{
    act->kind = USHER_EXCHANGE;
    act->url = FIXTURE_ORIGIN "/token";
    act->client_auth = USHER_AUTH_BASIC;
}

void fixture_done(struct usher_action *act)
{
    static const struct usher_identity id = {.size = sizeof id, .subject = "42"};
    act->kind = USHER_DONE;
    act->identity = &id;
}
