/* SPDX-License-Identifier: Apache-2.0 */
#include "login_fixture.h"

#include <check.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "sys/clock.h"

struct login_fixture lfx;
const char *login_fixture_conf;

#define PATIENCE_MS 60000 /* of a machine that has much else to do */

static const unsigned char ring_key[32] = "0123456789abcdef0123456789abcdef";
static const char conf[] =
    "client_id = app\nclient_secret = s3cret\nissuer = https://toy.example\n";

/* ---- the network ---------------------------------------------------------------------------- */

static void *wait_for(const char *url, fetch_done_fn *done, void *arg)
{
    ck_assert_uint_lt(lfx.n_waiting, LOGIN_WAITING_MAX);
    struct waiting *w = &lfx.waiting[lfx.n_waiting++];
    *w = (struct waiting){true, arena_dup(lfx.arena, url), done, arg};
    return w;
}

static void *io_fetch(void *ctx, const struct provider *p, const struct fetch_request *rq,
                      fetch_done_fn *done, void *arg)
{
    (void)ctx;
    (void)p;
    if (strstr(rq->url, "/token"))
        lfx.token_requests++;
    return wait_for(rq->url, done, arg);
}

static void *io_cached(void *ctx, const struct provider *p, const struct cache_request *rq,
                       fetch_done_fn *done, void *arg)
{
    (void)ctx;
    (void)p;
    return wait_for(rq->url, done, arg);
}

static void io_cancel(void *ctx, void *call)
{
    (void)ctx;
    ((struct waiting *)call)->open = false;
}

static struct jwks *io_keys(void *ctx, const char *url, struct str body, struct err *err)
{
    (void)ctx;
    (void)url;
    return jwks_parse(body, err);
}

/* ---- what the upstream says ----------------------------------------------------------------- */

static const char *rendered(struct jval *take)
{
    struct buf b;
    buf_init(&b, 65536);
    jval_render(take, &b);
    const char *text = arena_dup(lfx.arena, b.p);
    buf_deinit(&b);
    jval_free(&take);
    return text;
}

static const char *key_set(void)
{
    struct jval *set = jval_new_object(), *list = jval_new_array();
    jval_push(list, jws_key_public(lfx.key, JWS_RS256, "k"));
    jval_set(set, "keys", list);
    return rendered(set);
}

static const char *tokens(void)
{
    struct jval *claims = jval_new_object(), *answer = jval_new_object();
    struct buf b;
    struct err err = ERR_INIT;
    const struct jws_head head = {.alg = JWS_RS256, .kid = "k", .typ = "JWT"};
    jval_set_text(claims, "iss", "https://toy.example");
    jval_set_text(claims, "aud", "app");
    jval_set_text(claims, "sub", lfx.subject);
    jval_set_text(claims, "nonce", lfx.nonce);
    jval_set_int(claims, "iat", wall_seconds(clock_wall()));
    jval_set_int(claims, "exp", wall_seconds(clock_wall()) + 300);
    buf_init(&b, 8192);
    ck_assert_int_eq(jws_sign(lfx.key, &head, claims, &b, &err), 0);
    jval_set_text(answer, "access_token", "t0k");
    jval_set_text(answer, "token_type", "Bearer");
    jval_set_text(answer, "id_token", b.p);
    buf_deinit(&b);
    jval_free(&claims);
    return rendered(answer);
}

static const char *answer_for(const char *url)
{
    if (strstr(url, "openid-configuration"))
        return "{\"issuer\":\"https://toy.example\","
               "\"authorization_endpoint\":\"https://toy.example/authorize\","
               "\"token_endpoint\":\"https://toy.example/token\","
               "\"jwks_uri\":\"https://toy.example/keys\"}";
    if (strstr(url, "/token"))
        return tokens();
    if (strstr(url, "/keys"))
        return key_set();
    if (strstr(url, "/groups"))
        return "{\"groups\":[\"staff\"]}";
    return arena_printf(
        lfx.arena,
        "{\"sub\":\"%s\",\"name\":\"Ada\",\"email\":\"ada@example.org\",\"email_verified\":%s}",
        lfx.subject, lfx.verified ? "true" : "false");
}

void login_fixture_answer_upstream(void)
{
    while (lfx.next < lfx.n_waiting) {
        struct waiting *w = &lfx.waiting[lfx.next++];
        struct fetch_result r = {.status = strstr(w->url, "/token") ? lfx.token_status : 200,
                                 .content_type = "application/json",
                                 .charset = "",
                                 .body = str_of(answer_for(w->url)),
                                 .retry_after = -1,
                                 .ms = 2};
        if (lfx.bend)
            lfx.bend(w->url, &r);
        if (w->open) {
            w->open = false;
            w->done(w->arg, &r);
        }
    }
}

/* The tests' own clock stands still. */
static int64_t real_ms(void)
{
    struct timespec t;
    ck_assert_int_eq(clock_gettime(CLOCK_MONOTONIC, &t), 0);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

void login_fixture_pump(void)
{
    const int64_t end = real_ms() + PATIENCE_MS;
    for (int idle = 0; idle < (lfx.login && login_in_flight(lfx.login) > 0 ? 200 : 8);) {
        struct store_stats stats;
        size_t before = lfx.next;
        login_fixture_answer_upstream();
        store_get_stats(lfx.store, &stats); /* before the round that brings what it has answered */
        loop_once(lfx.loop, 5);
        idle = lfx.next == before && stats.under_way == 0 ? idle + 1 : 0;
        ck_assert_msg(real_ms() < end, "the store has not answered for too long");
    }
    lfx.n_waiting = lfx.next = 0;
}

struct waiting login_fixture_hold(void)
{
    const int64_t end = real_ms() + PATIENCE_MS;
    while (lfx.next == lfx.n_waiting) {
        loop_once(lfx.loop, 5);
        ck_assert_msg(real_ms() < end, "nothing is asked");
    }
    const struct waiting held = lfx.waiting[lfx.next];
    lfx.waiting[lfx.next++].open = false;
    return held;
}

/* ---- the fixture ---------------------------------------------------------------------------- */

static void open_registry(void)
{
    const char *top = getenv("top_builddir");
    const char *text = login_fixture_conf ? login_fixture_conf : conf;
    struct conf_problems problems;
    const struct registry_options o = {
        .plugin_dir = arena_printf(lfx.arena, "%s/%s/.libs", top ? top : ".",
                                   login_fixture_conf ? "plugins" : "tests/plugins")};
    conf_problems_init(&problems);
    lfx.registry = registry_text(&o, "toy", str_of(text), &problems);
    ck_assert_msg(problems.n == 0, "%s", problems.text.p);
    conf_problems_deinit(&problems);
}

void login_fixture_open(void)
{
    static const struct clock_fake clock = {.wall = {LOGIN_NOW * 1000000LL}, .mono = {1}};
    const struct sessions_options so = {
        .idle_seconds = 3600, .absolute_seconds = 86400, .max = 1000};
    struct err err = ERR_INIT;
    lfx = (struct login_fixture){.token_status = 200, .subject = "1234", .nonce = ""};
    lfx.arena = arena_new();
    strcpy(lfx.folder, "/tmp/usher-login-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(lfx.folder));
    clock_set_fake(&clock);
    lfx.loop = loop_new(&err);
    lfx.store = store_open(arena_printf(lfx.arena, "sqlite:%s/usher.db", lfx.folder), &err);
    ck_assert_msg(lfx.store != NULL, "%s", err.text);
    lfx.trail = trail_new(lfx.loop, lfx.store);
    lfx.sessions = sessions_new(&so);
    lfx.keys = keyring_fixed(ring_key);
    lfx.metrics = metrics_new();
    lfx.key = jws_key_make(JWS_RS256);
    open_registry();
    lfx.io = (struct drive_io){
        .fetch = io_fetch, .cached = io_cached, .cancel = io_cancel, .keys = io_keys};
    lfx.options = (struct login_options){.loop = lfx.loop,
                                         .registry = lfx.registry,
                                         .store = lfx.store,
                                         .trail = lfx.trail,
                                         .sessions = lfx.sessions,
                                         .keys = lfx.keys,
                                         .metrics = lfx.metrics,
                                         .io = &lfx.io,
                                         .public_url = "https://usher.test",
                                         .session_seconds = 86400};
    lfx.login = login_new(&lfx.options, &err);
    ck_assert_ptr_nonnull(lfx.login);
}

static void remove_folder(void)
{
    DIR *d = opendir(lfx.folder);
    for (const struct dirent *e; d && (e = readdir(d));)
        (void)unlinkat(dirfd(d), e->d_name, 0);
    closedir(d);
    ck_assert_int_eq(rmdir(lfx.folder), 0);
}

void login_fixture_close(void)
{
    login_free(&lfx.login);
    trail_free(&lfx.trail);
    store_close(&lfx.store);
    registry_free(&lfx.registry);
    sessions_free(&lfx.sessions);
    loop_free(&lfx.loop);
    keyring_free(&lfx.keys);
    metrics_free(&lfx.metrics);
    jws_key_free(&lfx.key);
    clock_set_fake(NULL);
    remove_folder();
    arena_free(&lfx.arena);
}

void login_fixture_restart(void)
{
    struct err err = ERR_INIT;
    login_free(&lfx.login);
    lfx.login = login_new(&lfx.options, &err);
    ck_assert_ptr_nonnull(lfx.login);
}

/* ---- calls ---------------------------------------------------------------------------------- */

static void on_started(void *arg, const char *url, const struct err *err)
{
    struct came *c = arg;
    ck_assert_int_eq(!url, err != NULL);
    c->times++;
    c->kind = err ? err->kind : ERR_NONE;
    snprintf(c->url, sizeof c->url, "%s", url ? url : "");
}

void login_fixture_start_with(const struct login_start *s, struct came *came)
{
    *came = (struct came){.kind = ERR_NONE};
    login_start_flow(lfx.login, s, on_started, came);
    login_fixture_pump();
    ck_assert_uint_eq(came->times, 1);
}

void login_fixture_start(const char *return_to, struct came *came)
{
    const struct login_start s = {.provider = "toy",
                                  .purpose = USHER_FLOW_LOGIN,
                                  .return_to = return_to,
                                  .bind = STR(LOGIN_BIND)};
    login_fixture_start_with(&s, came);
}

static const char *parameter(const char *url, const char *name)
{
    struct fields f;
    struct err err = ERR_INIT;
    const char *value = NULL;
    ck_assert_int_eq(form_parse(lfx.arena, str_of(strchr(url, '?') + 1), 64, &f, &err), 0);
    ck_assert_int_eq(form_get(&f, name, &value), 1);
    return value;
}

const char *login_fixture_callback(const struct came *started)
{
    if (!login_fixture_conf) /* which may send none */
        lfx.nonce = parameter(started->url, "nonce");
    return arena_printf(lfx.arena, "state=%s&code=c0de", parameter(started->url, "state"));
}

void login_fixture_done(void *arg, const struct login_result *r, const struct err *err)
{
    struct came *c = arg;
    ck_assert_int_eq(!r, err != NULL);
    c->times++;
    c->kind = err ? err->kind : ERR_NONE;
    c->has_token = r && r->token;
    snprintf(c->return_to, sizeof c->return_to, "%s", r ? r->return_to : "");
    snprintf(c->token, sizeof c->token, "%s", c->has_token ? r->token : "");
    snprintf(c->join, sizeof c->join, "%s", r && r->join ? r->join : "");
}

void login_fixture_finish(const struct finish_args *f, struct came *came)
{
    struct fields fields;
    struct err err = ERR_INIT;
    struct arena *request = arena_new(); /* gone before the answer comes */
    ck_assert_int_eq(form_parse(request, str_of(f->query), 64, &fields, &err), 0);
    struct login_callback c = {
        .provider = "toy",
        .fields = &fields,
        .bind = f->bind ? str_of(f->bind) : STR(LOGIN_BIND),
        .ip = arena_dup(request, "192.0.2.1"),
        .user_agent = arena_dup(request, "Test/1.0"),
        .request_id = arena_dup(request, "req-7"),
    };
    struct session_view v;
    if (f->session) {
        ck_assert_int_eq(sessions_check(lfx.sessions, str_of(f->session), LOGIN_NOW, &v), 1);
        c.session = &v;
    }
    *came = (struct came){.kind = ERR_NONE};
    login_finish_flow(lfx.login, &c, login_fixture_done, came);
    arena_free(&request);
}

void login_fixture_sign_in(struct came *came)
{
    struct came started;
    login_fixture_start("/home", &started);
    ck_assert_int_eq(started.kind, ERR_NONE);
    const struct finish_args f = {.query = login_fixture_callback(&started)};
    login_fixture_finish(&f, came);
    login_fixture_pump();
    ck_assert_uint_eq(came->times, 1);
}

struct sql {
    const char *text;
    int64_t value;
};

static int run_sql(struct db *db, void *arg, struct err *err)
{
    struct sql *s = arg;
    struct db_stmt *st = db_query(db, s->text);
    s->value = -1;
    int rc = db_step(st, err);
    if (rc == 1) {
        s->value = db_col_int(st, 0);
        db_end(st);
    }
    return rc < 0 ? -1 : 0;
}

int64_t login_fixture_sql(const char *sql)
{
    struct sql s = {.text = sql};
    struct err err = ERR_INIT;
    ck_assert_msg(store_write_now(lfx.store, run_sql, &s, &err) == STORE_DONE, "%s", err.text);
    return s.value;
}

int64_t login_fixture_outcomes(const char *outcome)
{
    struct buf b;
    int64_t n = 0;
    buf_init(&b, 1u << 20);
    metrics_render(lfx.metrics, &b);
    const char *line =
        strstr(b.p, arena_printf(lfx.arena, "usher_logins_total{provider=\"toy\",outcome=\"%s\"} ",
                                 outcome));
    if (line)
        n = strtoll(strchr(line, ' ') + 1, NULL, 10);
    buf_deinit(&b);
    return n;
}

struct registry *login_fixture_draft(const char *id, const char *text)
{
    const char *top = getenv("top_builddir");
    struct conf_problems problems;
    const struct registry_options o = {
        .plugin_dir = arena_printf(lfx.arena, "%s/tests/plugins/.libs", top ? top : ".")};
    conf_problems_init(&problems);
    struct registry *r = registry_text(&o, id, str_of(text), &problems);
    conf_problems_deinit(&problems);
    return r;
}

void login_fixture_in_force(const char *more)
{
    struct registry *r =
        login_fixture_draft("toy", arena_printf(lfx.arena, "plugin = toy\n%s%s\n", conf, more));
    login_set_registry(lfx.login, r);
    registry_free(&r);
}
