/* SPDX-License-Identifier: Apache-2.0 */
#include "main/daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "admin/admin.h"
#include "app/secrets.h"
#include "issuer/issuer.h"
#include "live/live.h"
#include "login/drive_net.h"
#include "main/archive.h"
#include "main/harden.h"
#include "main/keep.h"
#include "main/local.h"
#include "sys/clock.h"
#include "sys/log.h"
#include "web/app.h"
#include "web/limit.h"
#include "web/oauth.h"
#include "web/page.h"

#define DRAIN_MS 10000 /* then what is still under way is cut */
#define SETTLE_MS 2000 /* how long what goes on in steps may go on after that */

struct daemon {
    struct config *config;
    struct loop *loop;
    struct metrics *metrics;
    struct keyring *keys;
    struct store *store;
    struct sessions *sessions;
    struct conf_env *env; /* until live has it */
    struct live *live;
    struct fetch *fetch;
    struct drive_net *net;
    struct slots *slots;
    struct login *login;
    struct admin *admin;
    struct app_secrets *secrets;
    struct issuer *issuer;
    struct serve *serve, *local;
    unsigned draining; /* that still have something under way: listeners, the login */
    struct keep *keep;
    struct archive *archive;
    struct trail *trail;
    struct loop_watch *signals;
    struct loop_timer *patience;
    struct web_app app;
    int signal_fd;
};

/* ---- stopping */

static void on_drained(void *arg)
{
    struct daemon *d = arg;
    if (d->draining > 0 && --d->draining == 0)
        loop_stop(d->loop);
}

static void on_impatient(void *arg)
{
    struct daemon *d = arg;
    log_event(NULL, LOG_WARN, "daemon.cut", LF_INT("logins", login_in_flight(d->login)));
    loop_stop(d->loop);
}

static void stop(struct daemon *d)
{
    if (!d->app.ready)
        return;
    d->app.ready = false;
    log_event(NULL, LOG_INFO, "daemon.stopping", LF_INT("logins", login_in_flight(d->login)));
    const int64_t longest =
        live_config(d->live)->login.deadline * 1000 + 2000; /* no login in flight is lost */
    loop_timer_set(d->patience, longest > DRAIN_MS ? longest : DRAIN_MS);
    d->draining = 3;
    serve_drain(d->serve, on_drained, d);
    serve_drain(d->local, on_drained, d);
    login_drain(d->login, on_drained, d);
}

static void on_signal(void *arg, int fd, unsigned events)
{
    struct daemon *d = arg;
    struct signalfd_siginfo info;
    (void)events;
    while (read(fd, &info, sizeof info) == (ssize_t)sizeof info) {
        if (info.ssi_signo == SIGHUP)
            live_reload(d->live, "signal", NULL, NULL);
        else
            stop(d);
    }
}

/* ---- starting */

static int open_signals(struct daemon *d, struct err *err)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    signal(SIGPIPE, SIG_IGN);
    if (pthread_sigmask(SIG_BLOCK, &set, NULL) != 0)
        return err_set(err, ERR_INTERNAL, "cannot block signals");
    d->signal_fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    if (d->signal_fd < 0)
        return err_set(err, ERR_INTERNAL, "signalfd: %s", strerror(errno));
    d->signals = loop_watch_add(d->loop, d->signal_fd, LOOP_READ, on_signal, d);
    d->patience = loop_timer_add(d->loop, on_impatient, d);
    return 0;
}

/* On a store thread; for writes that nobody waits for this is the only word of it. */
static void on_store_error(void *arg, const struct err *err)
{
    (void)arg;
    log_error(NULL, LOG_WARN, "store.failed", err);
}

static void set_audit(struct daemon *d, const struct config_audit *c)
{
    archive_set_keep(d->archive, c->keep);
    store_set_short_ips(d->store, c->truncate_ips);
}

static int open_data(struct daemon *d, struct err *err)
{
    const struct config *c = d->config;
    const struct sessions_options so = {.idle_seconds = c->session.idle,
                                        .absolute_seconds = c->session.absolute,
                                        .max = (size_t)c->session.max};
    d->keys = keyring_open(c->store.key_file, true, err);
    d->store = d->keys ? store_open(c->store.url, err) : NULL;
    if (d->store == NULL)
        return -1;
    store_on_error(d->store, on_store_error, NULL);
    if (store_shared(d->store))
        log_event(
            NULL, LOG_WARN, "daemon.single",
            LF_TEXT("hint", "one usherd to a database: sessions are answered from its memory"));
    d->sessions = sessions_new(&so);
    d->keep = keep_new(d->loop, d->store, d->sessions, c->session.idle);
    d->archive = archive_new(d->loop, d->store, d->keep);
    d->trail = trail_new(d->loop, d->store);
    set_audit(d, &c->audit);
    return 0;
}

/* ---- the configuration in force */

static void set_limits(struct limits *t, const struct config_limits *c)
{
    const struct limit_rates rates = {
        .of = {[LIMIT_LOGIN] = {c->login, c->login_burst},
               [LIMIT_CALLBACK] = {c->callback, c->callback_burst},
               [LIMIT_API] = {c->api, c->api_burst},
               [LIMIT_ACCOUNT] = {c->account, c->account_burst},
               [LIMIT_TOKEN] = {c->token, c->token_burst},
               [LIMIT_REGISTRATION] = {c->registration, c->registration_burst},
               [LIMIT_DEVICE] = {c->device, c->device_burst}},
        .provider = {c->provider, c->provider_burst}};
    limits_set(t, &rates);
}

/* Between two requests: the next one sees all of it. What takes a restart is as it was at start. */
static void on_change(void *arg, struct config *c, struct registry *r)
{
    struct daemon *d = arg;
    d->app.registry = r;
    d->app.site_name = c->server.site_name;
    d->app.default_return = c->login.default_return;
    d->app.apps = live_apps(d->live);
    issuer_set_apps(d->issuer, d->app.apps);
    issuer_set_registration(d->issuer, c->issuer.registration != CONFIG_REGISTRATION_CLOSED);
    d->app.return_rules.hosts = apps_hosts(d->app.apps);
    d->app.metrics_token = conf_secrets_get(c->secrets, "token");
    login_set_registry(d->login, r);
    login_set_limits(d->login, c->login.deadline * 1000, (unsigned)c->login.max_in_flight);
    drive_net_keep(d->net, r);
    set_limits(d->app.limits, &c->limits);
    set_audit(d, &c->audit);
    log_set_level((enum log_level)c->log.level);
}

static int open_live(struct daemon *d, const struct daemon_args *args, struct err *err)
{
    const struct live_options o = {.loop = d->loop,
                                   .store = d->store,
                                   .keys = d->keys,
                                   .metrics = d->metrics,
                                   .config_path = args->config_path,
                                   .config_required = args->config_required,
                                   .config = args->config,
                                   .env = d->env};
    d->env = NULL; /* taken */
    d->live = live_new(&o, err);
    return d->live ? live_load_now(d->live, err) : -1;
}

static int open_admin(struct daemon *d, struct err *err)
{
    d->slots = slots_new();
    d->secrets = app_secrets_new(d->store, err);
    if (d->secrets == NULL)
        return -1;
    const struct admin_options o = {.loop = d->loop,
                                    .store = d->store,
                                    .keys = d->keys,
                                    .live = d->live,
                                    .slots = d->slots,
                                    .sessions = d->sessions,
                                    .app_secrets = d->secrets};
    d->admin = admin_new(&o, err);
    return d->admin ? 0 : -1;
}

static void on_grant_over(void *arg, const char *grant)
{
    struct daemon *d = arg;
    issuer_end_grant(d->issuer, grant);
}

static int open_login(struct daemon *d, struct err *err)
{
    const struct config *c = d->config;
    const struct fetch_options fo = {.allow_http_loopback = c->providers.allow_http_loopback,
                                     .ca_file = c->providers.ca_file};
    d->fetch = fetch_new(d->loop, &fo, err);
    if (d->fetch == NULL)
        return -1;
    d->net = drive_net_new(d->loop, d->fetch);
    const struct login_options lo = {.loop = d->loop,
                                     .registry = live_registry(d->live),
                                     .store = d->store,
                                     .sessions = d->sessions,
                                     .keys = d->keys,
                                     .metrics = d->metrics,
                                     .io = drive_net_io(d->net),
                                     .fetch = d->fetch,
                                     .public_url = c->server.public_url,
                                     .deadline_ms = c->login.deadline * 1000,
                                     .session_seconds = c->session.absolute,
                                     .max_in_flight = (unsigned)c->login.max_in_flight,
                                     .slots = d->slots,
                                     .trail = d->trail,
                                     .on_fallover = admin_on_fallover,
                                     .on_fallover_arg = d->admin,
                                     .on_outcome = admin_on_outcome,
                                     .on_outcome_arg = d->admin,
                                     .on_gone = admin_on_gone,
                                     .on_gone_arg = d->admin,
                                     .on_doubt = admin_on_doubt,
                                     .on_doubt_arg = d->admin,
                                     .on_grant_over = on_grant_over,
                                     .on_grant_over_arg = d};
    d->login = login_new(&lo, err);
    admin_set_login(d->admin, d->login);
    return d->login ? 0 : -1;
}

static int open_issuer(struct daemon *d, struct err *err)
{
    const struct config *c = d->config;
    const struct issuer_options o = {.loop = d->loop,
                                     .store = d->store,
                                     .trail = d->trail,
                                     .keys = d->keys,
                                     .metrics = d->metrics,
                                     .sessions = d->sessions,
                                     .fetch = d->fetch,
                                     .apps = live_apps(d->live),
                                     .secrets = d->secrets,
                                     .public_url = c->server.public_url,
                                     .algs = c->issuer.algs,
                                     .key_lifetime = c->issuer.key_lifetime,
                                     .max_tokens = (size_t)c->issuer.max_tokens};
    d->issuer = issuer_new(&o, err);
    if (d->issuer == NULL)
        return -1;
    issuer_set_registration(d->issuer, c->issuer.registration != CONFIG_REGISTRATION_CLOSED);
    admin_set_issuer(d->admin, d->issuer);
    sessions_on_end(d->sessions, issuer_session_over, d->issuer);
    return 0;
}

static int fill_app(struct daemon *d, struct err *err)
{
    const struct config *c = d->config;
    d->app = (struct web_app){
        .public_url = c->server.public_url,
        .public_origin = c->origin,
        .site_name = c->server.site_name,
        .default_return = c->login.default_return,
        .return_rules = {c->server.public_url, apps_hosts(live_apps(d->live))},
        .loop = d->loop,
        .metrics_token = conf_secrets_get(c->secrets, "token"),
        .registry = live_registry(d->live),
        .apps = live_apps(d->live),
        .login = d->login,
        .sessions = d->sessions,
        .store = d->store,
        .trail = d->trail,
        .metrics = d->metrics,
        .identities = identities_new(),
        .limits = limits_new(d->metrics),
        .recall = recall_new(d->loop, d->store, d->sessions, d->metrics),
        .admin = d->admin,
        .issuer = d->issuer,
        .secrets = d->secrets,
        .oauth = oauth_kept_new(),
        .again = oauth_again_new(d->loop),
        .user = local_user(c->arena),
        .version = PACKAGE_VERSION,
        .idle_seconds = c->session.idle,
        .ready = true,
    };
    set_limits(d->app.limits, &c->limits);
    return cookie_jar_init(&d->app.jar, c->server.public_url, c->session.domain, err);
}

static int open_serve(struct daemon *d, struct err *err)
{
    const struct config *c = d->config;
    const struct serve_options o = {.listen = c->server.listen,
                                    .host = c->host,
                                    .trusted_proxies = c->server.trusted_proxies,
                                    .max_connections = (unsigned)c->server.max_connections,
                                    .idle_seconds = c->server.idle_timeout,
                                    .deadline_seconds = c->server.request_deadline,
                                    .hsts = c->https,
                                    .metrics = d->metrics};
    d->serve = serve_new(d->loop, &o, web_routes, web_routes_n, &d->app, err);
    if (d->serve == NULL)
        return -1;
    serve_set_error_page(d->serve, page_refused);
    serve_set_before(d->serve, web_before);
    return 0;
}

static int write_ready(const char *path, const char *url, struct err *err)
{
    if (path == NULL)
        return 0;
    FILE *f = fopen(path, "we");
    const bool written = f && fprintf(f, "%s\n", url) > 0;
    if (f == NULL || fclose(f) != 0 || !written)
        return err_set(err, ERR_MISCONFIGURED, "cannot write %s: %s", path, strerror(errno));
    return 0;
}

static void tell_ready(const struct daemon *d)
{
    const struct config *c = d->config;
    if (geteuid() == 0)
        log_event(NULL, LOG_WARN, "daemon.root",
                  LF_TEXT("hint", "set [server] user, or start as another user"));
    if (c->providers.allow_http_loopback)
        log_event(NULL, LOG_WARN, "daemon.insecure",
                  LF_TEXT("setting", "[providers] allow_http_loopback"));
    log_event(NULL, LOG_INFO, "daemon.ready", LF_TEXT("url", c->server.public_url),
              LF_INT("providers", registry_count(live_registry(d->live))),
              LF_INT("apps", apps_count(live_apps(d->live))));
}

static void each_second(void *arg)
{
    struct daemon *d = arg;
    issuer_step(d->issuer);
    admin_step(d->admin);
}

/* Only the port is opened as root, and the socket's folder made. Everything else belongs to the
 * user we become, so that a start as root and one as that user find and leave the same files, and
 * no plugin ever runs as root. Connections wait in the kernel until the loop runs. */
static int start(struct daemon *d, const struct daemon_args *args, struct err *err)
{
    struct config *c = d->config;
    d->loop = loop_new(err);
    d->metrics = metrics_new();
    if (d->loop == NULL || open_signals(d, err) != 0 || open_serve(d, err) != 0 ||
        local_folder(c->admin.socket, c->server.user, err) != 0 ||
        harden_drop_root(c->server.user, err) != 0)
        return -1;
    d->local = local_open(c->admin.socket, d->loop, d->metrics, &d->app, err);
    if (d->local == NULL)
        return -1;
    d->env = conf_env_copy();
    harden_environment(); /* before the store's threads: they may look at it */
    if (open_data(d, err) != 0 || open_live(d, args, err) != 0 || open_admin(d, err) != 0 ||
        open_login(d, err) != 0 || open_issuer(d, err) != 0 || fill_app(d, err) != 0 ||
        write_ready(args->ready_file, c->server.public_url, err) != 0)
        return -1;
    live_on_change(d->live, on_change, d);
    tell_ready(d);
    keep_also(d->keep, each_second, d);
    keep_start(d->keep);
    archive_start(d->archive);
    return 0;
}

/* Nothing that is asked from now on is done: neither by connections that were kept, nor by signals.
 */
static void close_doors(struct daemon *d)
{
    d->draining = 0;
    loop_watch_del(&d->signals);
    loop_timer_del(&d->patience);
    if (d->serve)
        serve_end(d->serve);
    if (d->local)
        serve_end(d->local);
}

/* Whether somebody waits for an answer, or an answer for its round. */
static bool is_busy(const struct daemon *d)
{
    return (d->admin && admin_busy(d->admin)) || (d->issuer && issuer_busy(d->issuer)) ||
           loop_pending(d->loop);
}

/* ... or may ask for more. */
static bool goes_on(const struct daemon *d)
{
    struct store_stats stats = {.under_way = 0};
    if (d->store)
        store_get_stats(d->store, &stats);
    return is_busy(d) || stats.under_way > 0 || (d->live && live_busy(d->live));
}

/* The last of what was accepted, while every part is still there. Much of it goes on in steps, and
 * each may find what it needs: for a while the store does more, then it refuses, and what is left
 * ends by that. Whatever is freed afterwards, nobody's answer comes upon it. A start that failed
 * has parts that have begun, too. */
static void finish(struct daemon *d)
{
    const struct mono began = clock_mono();
    if (!d->loop)
        return;
    if (d->archive)
        archive_stop(d->archive); /* a last reload may still name its settings */
    keep_free(&d->keep);
    if (d->admin)
        admin_stop(d->admin);
    if (d->issuer)
        issuer_stop(d->issuer);
    while (goes_on(d) && mono_ms(began, clock_mono()) < SETTLE_MS)
        loop_once(d->loop, 10);
    trail_end(d->trail);
    if (d->store)
        store_stop(d->store);
    while (is_busy(d))
        loop_once(d->loop, 10);
    recall_free(&d->app.recall);
    loop_once(d->loop, 0); /* the last answers are made, */
    loop_once(d->loop, 0); /* and sent */
}

static void take_down(struct daemon *d)
{
    archive_free(&d->archive);
    login_free(&d->login);
    if (d->sessions)
        sessions_on_end(d->sessions, NULL, NULL);
    issuer_free(&d->issuer);
    admin_free(&d->admin);
    app_secrets_free(&d->secrets);
    serve_free(&d->serve);
    serve_free(&d->local);
    trail_free(&d->trail);
    store_close(&d->store);
    identities_free(&d->app.identities);
    oauth_kept_free(&d->app.oauth);
    oauth_again_free(&d->app.again);
    limits_free(&d->app.limits);
    drive_net_free(&d->net);
    slots_free(&d->slots);
    fetch_free(&d->fetch);
    live_free(&d->live);
    conf_env_free(&d->env);
    sessions_free(&d->sessions);
    keyring_free(&d->keys);
    metrics_free(&d->metrics);
    if (d->signal_fd > 0)
        close(d->signal_fd);
    loop_free(&d->loop);
}

int daemon_run(const struct daemon_args *args, struct err *err)
{
    struct daemon *d = mem_alloc(sizeof *d);
    d->config = args->config;
    const int started = start(d, args, err);
    if (started == 0)
        loop_run(d->loop);
    close_doors(d);
    finish(d);
    if (started == 0)
        log_event(NULL, LOG_INFO, "daemon.stopped",
                  LF_INT("sessions", sessions_count(d->sessions)));
    take_down(d);
    free(d);
    return started;
}
