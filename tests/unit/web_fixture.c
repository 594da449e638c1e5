/* SPDX-License-Identifier: Apache-2.0 */
#include "web_fixture.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "admin_fixture.h"
#include "app/source.h"

struct web_fixture wfx;

static const char *const hosts[] = {"app.example", ".apps.example", NULL};

static void set_apps(const struct app_source *row)
{
    struct conf_problems problems;
    const struct apps_options o = {.rows = row, .n_rows = row ? 1 : 0, .hosts = hosts};
    conf_problems_init(&problems);
    apps_free(&wfx.app.apps);
    wfx.app.apps = apps_load(&o, &problems);
    ck_assert_msg(problems.n == 0, "%s", problems.text.p);
    conf_problems_deinit(&problems);
    wfx.app.return_rules.hosts = apps_hosts(wfx.app.apps);
}

void web_fixture_app(const char *id, const char *settings)
{
    struct app_source row = {.id = id};
    struct err err = ERR_INIT;
    ck_assert_msg(app_source_parse(str_of(settings), lfx.arena, &row, &err) == 0, "%s", err.text);
    set_apps(&row);
}

static void open_at(const char *url, const char *host)
{
    static const char *const loopback[] = {"127.0.0.1", NULL};
    struct err err = ERR_INIT;
    signal(SIGPIPE, SIG_IGN);
    login_fixture_open();
    memset(&wfx, 0, sizeof wfx);
    wfx.app = (struct web_app){.public_url = url,
                               .public_origin = url,
                               .site_name = "Usher <Test>",
                               .default_return = "/",
                               .return_rules = {.public_url = url},
                               .loop = lfx.loop,
                               .registry = lfx.registry,
                               .login = lfx.login,
                               .sessions = lfx.sessions,
                               .store = lfx.store,
                               .metrics = lfx.metrics,
                               .identities = identities_new(),
                               .version = "test",
                               .idle_seconds = 3600,
                               .ready = true};
    set_apps(NULL);
    wfx.live = admin_live(&(struct admin_live_args){.loop = lfx.loop,
                                                    .store = lfx.store,
                                                    .keys = lfx.keys,
                                                    .public_url = url,
                                                    .dir = lfx.folder,
                                                    .plugin_dir = lfx.folder});
    const struct admin_options ao = {.loop = lfx.loop,
                                     .store = lfx.store,
                                     .keys = lfx.keys,
                                     .live = wfx.live,
                                     .sessions = lfx.sessions,
                                     .login = lfx.login};
    wfx.app.admin = admin_new(&ao, &err);
    ck_assert_msg(wfx.app.admin != NULL, "%s", err.text);
    ck_assert_int_eq(cookie_jar_init(&wfx.app.jar, url, NULL, &err), 0);
    const struct serve_options o = {.listen = "127.0.0.1:0",
                                    .host = host,
                                    .trusted_proxies = loopback,
                                    .max_connections = 100,
                                    .idle_seconds = 60,
                                    .deadline_seconds = 10,
                                    .hsts = wfx.app.jar.secure,
                                    .metrics = lfx.metrics};
    wfx.serve = serve_new(lfx.loop, &o, web_routes, web_routes_n, &wfx.app, &err);
    ck_assert_msg(wfx.serve != NULL, "%s", err.text);
    serve_set_error_page(wfx.serve, page_refused);
    wfx.port = serve_port(wfx.serve);
    http_idle = login_fixture_answer_upstream;
}

void web_fixture_open(void)
{
    open_at("https://usher.test", "usher.test");
}

void web_fixture_open_http(void)
{
    open_at("http://localhost", "localhost");
}

void web_fixture_close(void)
{
    http_idle = NULL;
    admin_free(&wfx.app.admin);
    live_free(&wfx.live);
    serve_free(&wfx.serve);
    identities_free(&wfx.app.identities);
    apps_free(&wfx.app.apps);
    login_fixture_close();
}

/* ---- asking ---- */

static int ask(const char *method, const char *target, const char *lines, const char *form)
{
    struct buf b;
    const bool whole_host = strncmp(lines, "Host:", 5) == 0;
    buf_init(&b, 64 * 1024);
    buf_printf(&b, "%s %s HTTP/1.1\r\n%s%s", method, target, whole_host ? "" : WEB_HOST, lines);
    if (form)
        buf_printf(&b, "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: %zu\r\n",
                   strlen(form));
    buf_printf(&b, "\r\n%s", form ? form : "");
    ck_assert(buf_ok(&b));
    http_once(lfx.loop, wfx.port, b.p, &wfx.a);
    buf_deinit(&b);
    return wfx.a.status;
}

int web_get(const char *target, const char *lines)
{
    return ask("GET", target, lines, NULL);
}

int web_head(const char *target, const char *lines)
{
    return ask("HEAD", target, lines, NULL);
}

int web_post(const char *target, const char *lines, const char *form)
{
    return ask("POST", target, lines, form);
}

const char *web_header(const char *name)
{
    return http_header(&wfx.a, name);
}

bool web_says(const char *text)
{
    return strstr(wfx.a.body, text) != NULL;
}

const char *web_cookies(void)
{
    static char lines[256];
    snprintf(lines, sizeof lines, "%s%s%s%s%s%s", wfx.bind[0] || wfx.session[0] ? "Cookie: " : "",
             wfx.bind[0] ? "__Host-usher-bind=" : "", wfx.bind,
             wfx.bind[0] && wfx.session[0] ? "; " : "", wfx.session[0] ? "__Host-usher=" : "",
             wfx.session);
    const size_t n = strlen(lines);
    snprintf(lines + n, sizeof lines - n, "%s", n ? "\r\n" : "");
    return lines;
}

static void take(const char *name, char *out, size_t room)
{
    char start[64];
    snprintf(start, sizeof start, "Set-Cookie: %s=", name);
    const char *at = strstr(wfx.a.head, start);
    if (at == NULL)
        return;
    at += strlen(start);
    const size_t n = strcspn(at, ";\r");
    ck_assert_uint_lt(n, room);
    memcpy(out, at, n);
    out[n] = 0;
}

void web_take_cookies(void)
{
    take("__Host-usher-bind", wfx.bind, sizeof wfx.bind);
    take("__Host-usher", wfx.session, sizeof wfx.session);
}

const char *web_fill(const char *pattern, const char *value)
{
    struct buf b;
    buf_init(&b, 16 * 1024);
    for (const char *p = pattern; *p; p++)
        if (*p == '$')
            buf_text(&b, value);
        else
            buf_byte(&b, *p);
    ck_assert(buf_ok(&b));
    const char *text = arena_dup(lfx.arena, b.p);
    buf_deinit(&b);
    return text;
}

/* ---- signing in ---- */

void web_start(const char *query)
{
    char target[2048];
    snprintf(target, sizeof target, "/login/toy%s", query);
    ck_assert_int_eq(web_get(target, web_cookies()), 303);
    web_take_cookies();
    lfx.n_waiting = lfx.next = 0;
}

const char *web_callback(void)
{
    struct came c = {.kind = ERR_NONE};
    const char *url = web_header("Location");
    ck_assert_ptr_nonnull(url);
    snprintf(c.url, sizeof c.url, "%s", url);
    return arena_printf(lfx.arena, "/callback/toy?%s", login_fixture_callback(&c));
}

void web_sign_in(void)
{
    web_start("?return_to=/home");
    const char *target = web_callback();
    ck_assert_int_eq(web_get(target, web_cookies()), 303);
    ck_assert_str_eq(web_header("Location"), "/home");
    web_take_cookies();
    ck_assert_uint_eq(strlen(wfx.session), 43);
    lfx.n_waiting = lfx.next = 0;
}

bool web_signed_in(void)
{
    const struct http_answer kept = wfx.a;
    const int status = web_get("/api/v1/me", web_cookies());
    wfx.a = kept;
    ck_assert(status == 200 || status == 401);
    return status == 200;
}

void web_expect_local_400(int status)
{
    ck_assert_int_eq(status, 400);
    ck_assert_ptr_null(web_header("Location"));
    ck_assert_ptr_null(strstr(wfx.a.head, "Set-Cookie: __Host-usher="));
    ck_assert_str_eq(web_header("Cache-Control"), "no-store");
    ck_assert_uint_eq(lfx.token_requests, 0);
    ck_assert_int_eq(login_fixture_sql("SELECT count(*) FROM session"), 0);
}
