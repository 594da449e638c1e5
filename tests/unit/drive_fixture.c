/* SPDX-License-Identifier: Apache-2.0 */
#include "drive_fixture.h"

#include <check.h>
#include <string.h>

#include "sys/clock.h"

struct drive_fixture dfx;

static const unsigned char key[32] = "0123456789abcdef0123456789abcdef";
static const char *const origins[] = {FIXTURE_ORIGIN, NULL};

/* ---- the network ---------------------------------------------------------------------------- */

static const char *parts(const struct fetch_part *v, size_t n, const char *between, const char *end)
{
    const char *text = "";
    for (size_t i = 0; i < n; i++) {
        struct str secret = v[i].secret ? secret_reveal(v[i].secret) : STR("");
        text = arena_printf(dfx.arena, "%s%s%s%s%.*s%s", text, v[i].name, between,
                            v[i].before ? v[i].before : "", (int)secret.n, secret.p, end);
    }
    return text;
}

static struct asked *ask(const char *url, fetch_done_fn *done, void *arg)
{
    ck_assert_uint_lt(dfx.n_asked, FIXTURE_ASKED_MAX);
    struct asked *a = &dfx.asked[dfx.n_asked++];
    *a = (struct asked){
        .open = true, .url = arena_dup(dfx.arena, url), .done = done, .arg = arg, .form = ""};
    return a;
}

static void *io_fetch(void *ctx, const struct provider *p, const struct fetch_request *rq,
                      fetch_done_fn *done, void *arg)
{
    struct asked *a = ask(rq->url, done, arg);
    ck_assert_ptr_eq(ctx, &dfx);
    ck_assert_ptr_eq(p, &dfx.provider);
    a->form = parts(rq->form, rq->n_form, "=", "&");
    a->headers = parts(rq->headers, rq->n_headers, ": ", "\n");
    if (rq->basic_user)
        a->basic =
            arena_printf(dfx.arena, "%s:%s", rq->basic_user, secret_reveal(rq->basic_password).p);
    return a;
}

static void *io_cached(void *ctx, const struct provider *p, const struct cache_request *rq,
                       fetch_done_fn *done, void *arg)
{
    struct asked *a = ask(rq->url, done, arg);
    ck_assert_ptr_eq(ctx, &dfx);
    ck_assert_ptr_eq(p, &dfx.provider);
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
    dfx.n_cancelled++;
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
    dfx.n_observed++;
}

/* ---- the end -------------------------------------------------------------------------------- */

static void on_end(void *arg, const struct drive_redirect *redirect,
                   const struct drive_identity *identity, const struct err *err)
{
    ck_assert_ptr_eq(arg, &dfx);
    ck_assert_int_eq((redirect != NULL) + (identity != NULL) + (err != NULL), 1);
    dfx.ends++;
    dfx.url = redirect ? arena_dup(dfx.arena, redirect->url) : NULL;
    dfx.subject = identity ? arena_dup(dfx.arena, identity->subject) : NULL;
    dfx.claims = identity && identity->claims;
    if (err)
        dfx.err = *err;
}

static void check_ended_once(void)
{
    ck_assert_uint_le(dfx.ends, 1);
}

/* ---- a fixture ------------------------------------------------------------------------------ */

void drive_fixture_open(drive_fixture_step *step)
{
    static const struct clock_fake clock = {.wall = {FIXTURE_NOW * 1000000LL}, .mono = {1}};
    dfx = (struct drive_fixture){.err = ERR_INIT};
    dfx.arena = arena_new();
    dfx.keys = keyring_fixed(key);
    dfx.secrets = conf_secrets_new();
    conf_secrets_set(dfx.secrets, "client_secret", secret_new("s3cret", 6));
    dfx.plugin = (struct usher_provider){USHER_PROVIDER_HEAD, .name = "test", .label = "Test",
                                         .version = "1", .step = step};
    dfx.provider = (struct provider){
        .id = "test",
        .label = "Test",
        .usable = true,
        .plugin = &dfx.plugin,
        .common = {.enabled = true, .client_id = "app", .client_secret = {true}},
        .secrets = dfx.secrets,
        .origins = origins,
    };
    dfx.io = (struct drive_io){&dfx, io_fetch, io_cached, io_cancel, io_keys, NULL, NULL};
    dfx.args = (struct drive_args){.io = &dfx.io,
                                   .provider = &dfx.provider,
                                   .keys = dfx.keys,
                                   .redirect_uri = "https://usher.test/callback/test",
                                   .observe = on_observed};
    dfx.flow = (struct flow){.provider = "test",
                             .purpose = USHER_FLOW_LOGIN,
                             .started = FIXTURE_NOW,
                             .return_to = "/",
                             .carry = "",
                             .max_age = -1};
    flow_new_id(dfx.flow.id);
    clock_set_fake(&clock);
}

void drive_fixture_close(void)
{
    check_ended_once();
    drive_free(&dfx.drive);
    for (size_t i = 0; i < dfx.n_asked; i++)
        ck_assert(!dfx.asked[i].open); /* answered or cancelled, never forgotten */
    conf_secrets_free(&dfx.secrets);
    keyring_free(&dfx.keys);
    arena_free(&dfx.arena);
    clock_set_fake(NULL);
}

const char *drive_fixture_param(const char *name)
{
    struct fields f;
    struct err err = ERR_INIT;
    const char *value = NULL;
    ck_assert_ptr_nonnull(dfx.url);
    ck_assert_ptr_nonnull(strchr(dfx.url, '?'));
    ck_assert_int_eq(form_parse(dfx.arena, str_of(strchr(dfx.url, '?') + 1), 64, &f, &err), 0);
    int n = form_get(&f, name, &value);
    ck_assert_msg(n >= 0, "%s occurs twice", name);
    return n == 1 ? value : NULL;
}

void drive_fixture_begin(void)
{
    const struct drive_start hints = {.max_age = -1};
    dfx.ends = 0;
    dfx.drive = drive_begin(&dfx.args, &dfx.flow, STR("bind"), &hints, on_end, &dfx);
}

/* A state as the first leg would have made it, unless it did. */
static void need_state(void)
{
    struct buf b;
    struct err err = ERR_INIT;
    if (dfx.url) {
        dfx.state = drive_fixture_param("state");
        const struct flow *f =
            state_unseal(dfx.keys, STR("bind"), str_of(dfx.state), FIXTURE_NOW, dfx.arena, &err);
        ck_assert_ptr_nonnull(f);
        dfx.flow = *f;
        return;
    }
    buf_init(&b, STATE_MAX);
    ck_assert_int_eq(state_seal(dfx.keys, STR("bind"), &dfx.flow, &b, &err), 0);
    dfx.state = arena_dup(dfx.arena, b.p);
    buf_deinit(&b);
}

void drive_fixture_finish(const char *callback)
{
    struct fields f;
    struct err err = ERR_INIT;
    need_state();
    const char *query = arena_printf(dfx.arena, "state=%s&%s", dfx.state, callback);
    ck_assert_int_eq(form_parse(dfx.arena, str_of(query), 64, &f, &err), 0);
    drive_free(&dfx.drive);
    dfx.ends = 0;
    dfx.url = NULL;
    dfx.err = (struct err)ERR_INIT;
    dfx.drive = drive_finish(&dfx.args, &dfx.flow, str_of(dfx.state), &f, on_end, &dfx);
}

void drive_fixture_renew(const struct drive_renewal *r)
{
    drive_free(&dfx.drive);
    dfx.ends = 0;
    dfx.err = (struct err)ERR_INIT;
    dfx.drive = drive_renew(&dfx.args, r, on_end, &dfx);
}

static void deliver(size_t i, const struct fetch_result *r)
{
    ck_assert_uint_lt(i, dfx.n_asked);
    ck_assert(dfx.asked[i].open);
    dfx.asked[i].open = false;
    dfx.asked[i].done(dfx.asked[i].arg, r);
}

void drive_fixture_answer(size_t i, int status, const char *type, const char *body)
{
    struct str rest = str_of(type), media = STR(""), charset = STR("");
    if (str_split(&rest, ';', &media) && str_split(&rest, '=', &charset))
        charset = rest;
    const struct fetch_result r = {.status = status,
                                   .content_type = arena_str(dfx.arena, media),
                                   .charset = arena_str(dfx.arena, charset),
                                   .body = str_of(body),
                                   .retry_after = -1,
                                   .ms = 3};
    deliver(i, &r);
}

void drive_fixture_transport(size_t i, uint32_t transport)
{
    const struct fetch_result r = {
        .transport = transport, .content_type = "", .charset = "", .body = STR(""), .ms = 3};
    deliver(i, &r);
}

/* ---- pieces of plugins ---------------------------------------------------------------------- */

void drive_fixture_redirect(struct usher_action *act)
{
    act->kind = USHER_REDIRECT;
    act->url = FIXTURE_ORIGIN "/authorize";
    act->scope = "openid";
}

void drive_fixture_exchange(struct usher_action *act)
{
    act->kind = USHER_EXCHANGE;
    act->url = FIXTURE_ORIGIN "/token";
    act->client_auth = USHER_AUTH_BASIC;
}

void drive_fixture_done(struct usher_action *act)
{
    static const struct usher_identity id = {.size = sizeof id, .subject = "42"};
    act->kind = USHER_DONE;
    act->identity = &id;
}
