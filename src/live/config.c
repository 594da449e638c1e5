/* SPDX-License-Identifier: Apache-2.0 */
#include "live/config.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/url.h"
#include "login/return_to.h"
#include "net/origin.h"
#include "session/cookie_jar.h"

#define DURATION_MAX (400 * 86400)
#define AUDIT_KEEP_MAX (INT64_C(36500) * 86400)
#define TOKEN_MIN 16

static const struct usher_setting server_rows[] = {
    USHER_SET_TEXT(
        struct config_server, listen, .value = "127.0.0.1:8080", .flags = USHER_REQUIRED,
        .label = "Address to listen on",
        .help = "Numeric address and port, or unix:/path. Put a reverse proxy with TLS in front.",
        .example = "127.0.0.1:8080"),
    USHER_SET_URL(
        struct config_server, public_url, .label = "Public address",
        .help =
            "How browsers reach usher: https://host, without a path. Plain http only on loopback. "
            "Default: http on the address listened on.",
        .example = "https://login.example.com"),
    USHER_SET_TEXT(struct config_server, site_name, .value = "usher", .flags = USHER_REQUIRED,
                   .label = "Name of the site", .help = "What the pages call it."),
    USHER_SET_TEXT(struct config_server, user, .flags = USHER_ADVANCED, .label = "User to run as",
                   .help = "When started as root: become this user once the port is open. All data "
                           "is this user's, and provider files must be readable to it; "
                           "usher.conf, too, for changes to count without a restart."),
    USHER_SET_LIST(
        struct config_server, trusted_proxies, .value = "127.0.0.1 ::1", .label = "Trusted proxies",
        .help = "Addresses or networks whose X-Forwarded-* and X-Original-* headers count.",
        .example = "127.0.0.1 10.0.0.0/8"),
    USHER_SET_INT(struct config_server, max_connections, .value = "10000", .flags = USHER_ADVANCED,
                  .label = "Connections at once", .help = "More are refused.", .min = 16,
                  .max = 1000000),
    USHER_SET_DURATION(struct config_server, idle_timeout, .value = "75s", .flags = USHER_ADVANCED,
                       .label = "Idle time-out",
                       .help = "A kept-alive connection without a request is closed.", .min = 1,
                       .max = 3600),
    USHER_SET_DURATION(struct config_server, request_deadline, .value = "15s",
                       .flags = USHER_ADVANCED, .label = "Request deadline",
                       .help = "A request must be whole, and an answer be read, within this time.",
                       .min = 1, .max = 600),
};

static const struct usher_setting login_rows[] = {
    USHER_SET_LIST(
        struct config_login, return_hosts, .label = "Hosts to return to",
        .help =
            "Hosts people may be sent to after signing in, and whose apps may ask who they are: "
            "app.example.com, app.example.com:8443, or .example.com for all below it.",
        .example = "app.example.com"),
    USHER_SET_TEXT(struct config_login, default_return, .value = "/", .flags = USHER_REQUIRED,
                   .label = "Default place to return to",
                   .help = "Where people land when they came from nowhere in particular."),
    USHER_SET_DURATION(struct config_login, deadline, .value = "20s", .flags = USHER_ADVANCED,
                       .label = "Deadline of a login",
                       .help = "All upstream requests of one login must be answered in this time.",
                       .min = 1, .max = 120),
    USHER_SET_INT(struct config_login, max_in_flight, .value = "4096", .flags = USHER_ADVANCED,
                  .label = "Logins at once",
                  .help = "Logins that wait for an upstream; more are told to wait.", .min = 1,
                  .max = 100000),
};

static const struct usher_setting session_rows[] = {
    USHER_SET_DURATION(struct config_session, idle, .value = "12h", .label = "Idle limit",
                       .help = "A session nobody used for this long is over.", .min = 60,
                       .max = DURATION_MAX),
    USHER_SET_DURATION(struct config_session, absolute, .value = "7d", .label = "Absolute limit",
                       .help = "A session is over after this long in any case.", .min = 60,
                       .max = DURATION_MAX),
    USHER_SET_INT(struct config_session, max, .value = "2000000", .flags = USHER_ADVANCED,
                  .label = "Sessions in memory",
                  .help = "Half a kilobyte each. Of more than these, the ones not seen for the "
                          "longest are in the store alone, and are fetched when they are used.",
                  .min = 16, .max = 100000000),
    USHER_SET_TEXT(
        struct config_session, domain, .label = "Cookie domain",
        .help =
            "Share the session cookie with every host below this domain. Needed for forward auth "
            "of apps on other hosts; leave it out if there are none.",
        .example = "example.com"),
};

static const struct usher_setting store_rows[] = {
    USHER_SET_TEXT(struct config_store, url, .value = "sqlite:" USHER_STATE_DIR "/usher.db",
                   .flags = USHER_REQUIRED, .label = "Store",
                   .help = "sqlite:/path for one usher, postgresql://… for a database elsewhere. "
                           "One usherd to a database."),
    USHER_SET_TEXT(
        struct config_store, key_file, .value = USHER_STATE_DIR "/usher.key",
        .flags = USHER_REQUIRED, .label = "Key file",
        .help =
            "Seals what must stay secret. Made on first start, mode 0600; keep a copy apart from "
            "the database."),
};

static const struct usher_setting provider_rows[] = {
    USHER_SET_TEXT(struct config_providers, dir, .value = USHER_CONF_DIR "/providers.d",
                   .label = "Provider files", .help = "Folder of <id>.conf files, one a provider."),
    USHER_SET_TEXT(struct config_providers, plugin_dir, .value = USHER_PROVIDER_DIR,
                   .flags = USHER_REQUIRED | USHER_ADVANCED, .label = "Plugins",
                   .help = "Folder of provider plugins."),
    USHER_SET_TEXT(struct config_providers, ca_file, .flags = USHER_ADVANCED,
                   .label = "CA certificates",
                   .help = "PEM bundle to trust instead of the system's."),
    USHER_SET_BOOL(
        struct config_providers, allow_http_loopback, .value = "no",
        .flags = USHER_ADVANCED | USHER_INSECURE, .label = "Plain http to this machine",
        .help =
            "Development only: providers may be on http://127.0.0.1. Refused unless usher itself "
            "listens on loopback."),
};

static const struct usher_setting app_rows[] = {
    USHER_SET_TEXT(struct config_apps, dir, .value = CONFIG_APPS_DIR, .flags = USHER_REQUIRED,
                   .label = "App files", .help = "Folder of <id>.conf files, one an app."),
};

static const char *const level_choices[] = {"debug", "info", "warn", "error", NULL};
static const char *const format_choices[] = {"auto", "logfmt", "json", NULL};
static const struct usher_setting log_rows[] = {
    USHER_SET_CHOICE(struct config_log, level, .value = "info", .choices = level_choices,
                     .label = "Log level", .help = "The least important line to write."),
    USHER_SET_CHOICE(struct config_log, format, .value = "auto", .choices = format_choices,
                     .label = "Log format", .help = "auto: logfmt on a terminal, JSON otherwise."),
};

static const struct usher_setting metrics_rows[] = {
    USHER_SET_SECRET(struct config_metrics, token, .label = "Bearer token for /metrics",
                     .help = "Beside it, API tokens with the scope metrics and the admin "
                             "socket do."),
};

static const struct usher_setting admin_rows[] = {
    USHER_SET_TEXT(
        struct config_admin, socket, .value = USHER_ADMIN_SOCKET, .flags = USHER_REQUIRED,
        .label = "Admin socket",
        .help = "Socket file that usherctl talks to. Only root and the user usherd runs as can use "
                "it, and its folder is theirs. Each usherd needs one of its own."),
};

#define LIMIT_ROWS(name, rate, most, label_text, help_text)                                        \
    USHER_SET_INT(struct config_limits, name, .value = rate, .flags = USHER_ADVANCED,              \
                  .label = label_text " a minute", .help = help_text, .min = 0, .max = 1000000),   \
        USHER_SET_INT(struct config_limits, name##_burst, .value = most, .flags = USHER_ADVANCED,  \
                      .label = label_text " at once",                                              \
                      .help = "How many may come together after a pause.", .min = 1,               \
                      .max = 1000000)

/* Generous: a school or a mobile network may be one address. */
static const struct usher_setting limit_rows[] = {
    LIMIT_ROWS(login, "1200", "600", "Sign-ins begun",
               "From one IPv4 address or one IPv6 /64; more get 429 with Retry-After, as with all "
               "limits. 0: no limit. Whoever comes by a trusted proxy counts by the address it "
               "tells; where it tells none, nobody is held back."),
    LIMIT_ROWS(callback, "1200", "600", "Sign-ins that come back",
               "From one address. 0: no limit."),
    LIMIT_ROWS(api, "6000", "1200", "Calls of the admin API",
               "From one address, on the public address. 0: no limit."),
    LIMIT_ROWS(account, "600", "200", "Changes to one's own account",
               "From one address. 0: no limit."),
    LIMIT_ROWS(token, "12000", "3000", "Tokens asked for by apps",
               "From one address; an app asks for everybody who uses it. 0: no limit."),
    LIMIT_ROWS(registration, "60", "30", "Apps registering themselves",
               "From one address, and managing what they registered. 0: no limit."),
    LIMIT_ROWS(
        device, "30", "30", "Codes of devices typed",
        "From one address; connecting one takes about four. So few that guessing the code of "
        "somebody else's device leads nowhere. 0: no limit."),
    LIMIT_ROWS(provider, "0", "600", "Sign-ins through one provider",
               "Begun or come back, whoever asks: for an upstream that shuts out who asks too "
               "often. Strangers can use it up, so there is none unless set. 0: no limit."),
};

static const char *const registration_choices[] = {"closed", "token", NULL};

static const struct usher_setting issuer_rows[] = {
    USHER_SET_LIST(
        struct config_issuer, algs, .value = "RS256 ES256", .label = "Signature algorithms",
        .help = "What tokens may be signed with: RS256, ES256, EdDSA. RS256 is always among them, "
                "because every app must understand it; ES256 costs a twelfth.",
        .example = "RS256 ES256 EdDSA"),
    USHER_SET_DURATION(
        struct config_issuer, key_lifetime, .value = "90d", .label = "Life of a signing key",
        .help = "After this long the next key signs. It is published a day before, and the one it "
                "follows stays published until the last token it signed has ended.",
        .min = 3600, .max = DURATION_MAX),
    USHER_SET_INT(struct config_issuer, max_tokens, .value = "2000000", .flags = USHER_ADVANCED,
                  .label = "Access tokens at once",
                  .help = "When there are as many, apps are told to come back later; those that "
                          "were given out stay good. One app alone gets four fifths of them.",
                  .min = 16, .max = 100000000),
    USHER_SET_CHOICE(struct config_issuer, registration, .value = "closed",
                     .choices = registration_choices, .label = "Apps that register themselves",
                     .help =
                         "closed: admins add apps. token: an app may register itself (RFC 7591) "
                         "with an initial token that an admin made for it."),
    USHER_SET_INT(struct config_issuer, max_registrations, .value = "100", .flags = USHER_ADVANCED,
                  .label = "How many of them", .help = "When there are as many, no more come in.",
                  .min = 1, .max = 900),
    USHER_SET_DURATION(struct config_issuer, registration_unused, .value = "90d",
                       .flags = USHER_ADVANCED, .label = "Unused ones are kept for",
                       .help = "Apps that registered themselves and that nobody ever signed in to "
                               "are deleted after this. 0: they are kept.",
                       .max = DURATION_MAX),
};

static const struct usher_setting audit_rows[] = {
    USHER_SET_DURATION(struct config_audit, keep, .value = "400d", .label = "Records are kept for",
                       .help = "Older ones go, from the oldest on. 0: they are kept for ever.",
                       .max = AUDIT_KEEP_MAX),
    USHER_SET_BOOL(struct config_audit, truncate_ips, .value = "no", .label = "Truncate addresses",
                   .help = "Records hold the /24 of an IPv4 address and the /48 of an IPv6 address "
                           "instead of the address. Those made before stay as they are."),
};

#define ROWS(rows) rows, sizeof(rows) / sizeof *(rows)

void config_fill_tables(const struct config *of, struct conf_table t[CONFIG_TABLES])
{
    struct config *c = (struct config *)(uintptr_t)of;
    const struct conf_table all[CONFIG_TABLES] = {
        {"server", "USHER_SERVER", ROWS(server_rows), &c->server},
        {"login", "USHER_LOGIN", ROWS(login_rows), &c->login},
        {"session", "USHER_SESSION", ROWS(session_rows), &c->session},
        {"store", "USHER_STORE", ROWS(store_rows), &c->store},
        {"providers", "USHER_PROVIDERS", ROWS(provider_rows), &c->providers},
        {"apps", "USHER_APPS", ROWS(app_rows), &c->apps},
        {"log", "USHER_LOG", ROWS(log_rows), &c->log},
        {"metrics", "USHER_METRICS", ROWS(metrics_rows), &c->metrics},
        {"admin", "USHER_ADMIN", ROWS(admin_rows), &c->admin},
        {"limits", "USHER_LIMITS", ROWS(limit_rows), &c->limits},
        {"issuer", "USHER_ISSUER", ROWS(issuer_rows), &c->issuer},
        {"audit", "USHER_AUDIT", ROWS(audit_rows), &c->audit},
    };
    memcpy(t, all, sizeof all);
}

/* ---- rules between settings ---- */

struct judge {
    struct config *c;
    const struct conf_file *file; /* or NULL */
    const char *path;
    struct conf_problems *p;
    unsigned before; /* problems there were already */
};

static void wrong(const struct judge *j, const char *section, const char *key, const char *format,
                  ...) __attribute__((format(printf, 4, 5)));
static void wrong(const struct judge *j, const char *section, const char *key, const char *format,
                  ...)
{
    char what[512], full[64];
    int line = 0;
    va_list ap;
    va_start(ap, format);
    vsnprintf(what, sizeof what, format, ap);
    va_end(ap);
    if (j->file)
        (void)conf_file_get(j->file, section, key, &line); /* no line: from the environment */
    snprintf(full, sizeof full, "%s.%s", section, key);
    conf_problem_key(j->p, j->path, line, full, "[%s] %s: %s", section, key, what);
}

static bool is_unix(const char *listen)
{
    return strncmp(listen, "unix:", 5) == 0;
}

static bool listens_on_loopback(const char *listen)
{
    return strncmp(listen, "127.", 4) == 0 || strncmp(listen, "[::1]:", 6) == 0 || is_unix(listen);
}

/* 192.0.2.1:80, [2001:db8::1]:80. */
static bool is_address_and_port(const char *listen)
{
    char host[64];
    int64_t port;
    struct sockaddr_storage sa;
    const char *colon = strrchr(listen, ':');
    size_t n = colon ? (size_t)(colon - listen) : 0;
    const bool bracketed = n > 2 && listen[0] == '[' && listen[n - 1] == ']';
    const char *start = bracketed ? listen + 1 : listen;
    n -= bracketed ? 2 : 0;
    if (n == 0 || n >= sizeof host || !text_int(str_of(colon + 1), &port) || port < 0 ||
        port > 65535)
        return false;
    memcpy(host, start, n);
    host[n] = 0;
    return origin_parse(host, &sa) && bracketed == (sa.ss_family == AF_INET6);
}

static void judge_listen(const struct judge *j)
{
    const char *listen = j->c->server.listen;
    if (is_unix(listen) ? listen[5] != '/' : !is_address_and_port(listen))
        wrong(j, "server", "listen", "\"%s\" is neither a numeric ADDRESS:PORT nor unix:/path",
              listen);
}

static void use_url(struct config *c, const struct url *u)
{
    struct buf b;
    buf_init(&b, 512);
    url_origin(u, &b);
    c->origin = arena_dup(c->arena, b.p);
    c->host = strstr(c->origin, "://") + 3;
    c->https = strcmp(u->scheme, "https") == 0;
    c->server.public_url = c->origin;
    buf_deinit(&b);
}

/* Where browsers find us when nobody said: on the very address we listen on. */
static void judge_url(const struct judge *j)
{
    struct config *c = j->c;
    struct err err = ERR_INIT;
    struct cookie_jar jar;
    struct url u;
    const char *given = c->server.public_url;
    if (given == NULL && is_unix(c->server.listen)) {
        wrong(j, "server", "public_url", "is needed when listening on a socket file");
        return;
    }
    const char *url = given ? given : arena_printf(c->arena, "http://%s", c->server.listen);
    if (url_parse(c->arena, str_of(url), &u, &err) != 0) {
        wrong(j, "server", "public_url", "%s", err.text);
        return;
    }
    if (u.query || u.fragment || strcmp(u.path, "/") != 0)
        wrong(j, "server", "public_url",
              "only https://host[:port], without path, query or fragment");
    use_url(c, &u);
    if (!c->https && !url_is_loopback(&u))
        wrong(j, "server", "public_url", "%s",
              given ? "must be https; plain http is for 127.0.0.1 only"
                    : "is needed when listening on other addresses than 127.0.0.1");
    else if (cookie_jar_init(&jar, c->server.public_url, c->session.domain, &err) != 0)
        wrong(j, "session", "domain", "%s", err.text);
}

static void judge_hosts(const struct judge *j)
{
    for (const char *const *h = j->c->login.return_hosts; h && *h; h++) {
        if (!url_entry_valid(*h))
            wrong(j, "login", "return_hosts",
                  "\"%s\" is not a host; write app.example.com or .example.com, in lower case, "
                  "without scheme, path or \"*\"",
                  *h);
    }
}

static void judge_default_return(const struct judge *j)
{
    struct config *c = j->c;
    struct err err = ERR_INIT;
    const struct return_rules rules = {c->server.public_url, c->login.return_hosts};
    if (return_to_judge(&rules, str_of(c->login.default_return), c->arena, &c->login.default_return,
                        &err) != 0)
        wrong(j, "login", "default_return",
              "must be a path of a page on this site, like /, or an address on one of "
              "return_hosts");
}

static void judge_proxies(const struct judge *j)
{
    const char *bad = NULL;
    if (j->c->server.trusted_proxies == NULL)
        return;
    struct origin_nets *nets = origin_nets_parse(j->c->server.trusted_proxies, &bad);
    if (nets == NULL)
        wrong(j, "server", "trusted_proxies", "\"%s\" is no address or network", bad);
    origin_nets_free(&nets);
}

/* What stands behind it may hold a password, so it is not repeated. */
static void judge_store(const struct judge *j)
{
    const struct str url = str_of(j->c->store.url);
    if (!str_starts(url, "sqlite:/") && !str_starts(url, "postgresql://") &&
        !str_starts(url, "postgres://"))
        wrong(j, "store", "url", "must be sqlite:/absolute/path or postgresql://...");
}

static void judge_socket(const struct judge *j)
{
    const char *path = j->c->admin.socket;
    const size_t room = sizeof((struct sockaddr_un *)NULL)->sun_path;
    if (path[0] != '/' || path[strlen(path) - 1] == '/')
        wrong(j, "admin", "socket", "must be an absolute path");
    else if (strlen(path) >= room)
        wrong(j, "admin", "socket", "longer than the %zu bytes of a socket's path", room - 1);
    else if (is_unix(j->c->server.listen) && strcmp(j->c->server.listen + 5, path) == 0)
        wrong(j, "admin", "socket", "is what [server] listen opens to everybody");
}

static void judge_algs(const struct judge *j)
{
    for (const char *const *alg = j->c->issuer.algs; alg && *alg; alg++)
        if (strcmp(*alg, "RS256") != 0 && strcmp(*alg, "ES256") != 0 && strcmp(*alg, "EdDSA") != 0)
            wrong(j, "issuer", "algs", "\"%s\" is none of RS256, ES256, EdDSA", *alg);
}

static void judge_all(const struct judge *j)
{
    const struct config *c = j->c;
    const struct secret *token = conf_secrets_get(c->secrets, "token");
    judge_listen(j);
    if (j->p->n == j->before) /* the address may be made of it */
        judge_url(j);
    judge_hosts(j);
    judge_proxies(j);
    judge_store(j);
    judge_socket(j);
    judge_algs(j);
    if (j->p->n == j->before)
        judge_default_return(j);
    if (c->session.idle > c->session.absolute)
        wrong(j, "session", "idle", "longer than absolute, so it would never matter");
    if (c->providers.allow_http_loopback && !listens_on_loopback(c->server.listen))
        wrong(j, "providers", "allow_http_loopback",
              "is for development and needs [server] listen on 127.0.0.1");
    if (token && secret_len(token) < TOKEN_MIN)
        wrong(j, "metrics", "token", "shorter than %d characters", TOKEN_MIN);
}

/* ---- life ---- */

/* A file that was not asked for may be missing, but not out of reach. */
static bool is_there(const char *path)
{
    return access(path, F_OK) == 0 || (errno != ENOENT && errno != ENOTDIR);
}

struct config *config_load(const char *path, bool required, const struct conf_env *env,
                           struct conf_problems *p)
{
    struct config *c = mem_alloc(sizeof *c);
    struct conf_table tables[CONFIG_TABLES];
    const unsigned before = p->n;
    struct conf_file *f = NULL;
    atomic_init(&c->refs, 1);
    c->arena = arena_new();
    c->secrets = conf_secrets_new();
    config_fill_tables(c, tables);
    if (required || is_there(path))
        f = conf_file_read(path, CONF_SECTIONS, p);
    if (f != NULL || p->n == before) {
        const struct conf_source from = {.file = f, .env = env};
        conf_apply(&from, tables, CONFIG_TABLES, c->arena, c->secrets, p);
        const struct judge j = {c, f, f ? path : "environment", p, before};
        if (p->n == before)
            judge_all(&j);
    }
    conf_file_free(&f);
    if (p->n != before)
        config_free(&c);
    return c;
}

void config_tables(config_table_fn *fn, void *arg)
{
    struct config c = {.arena = NULL};
    struct conf_table tables[CONFIG_TABLES];
    config_fill_tables(&c, tables);
    for (size_t i = 0; i < CONFIG_TABLES; i++)
        fn(&tables[i], arg);
}

struct config *config_ref(struct config *c)
{
    atomic_fetch_add(&c->refs, 1);
    return c;
}

void config_free(struct config **cp)
{
    struct config *c = *cp;
    *cp = NULL;
    if (c == NULL || atomic_fetch_sub(&c->refs, 1) != 1)
        return;
    conf_secrets_free(&c->secrets);
    arena_free(&c->arena);
    free(c);
}
