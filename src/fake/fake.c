/* SPDX-License-Identifier: Apache-2.0 */
#include "fake/fake.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "fake/wire.h"
#include "sys/clock.h"

const struct realm realm_discord = {
    .id = "discord",
    .label = "Discord",
    .announces_iss = false,
    .authorize = "/discord/oauth2/authorize",
    .token = "/discord/api/v10/oauth2/token",
    .revoke = "/discord/api/oauth2/token/revoke",
    .userinfo = "/discord/api/v10/users/@me",
};
const struct realm realm_google = {
    .id = "google",
    .label = "Google",
    .oidc = true,
    .announces_iss = true,
    .authorize = "/google/o/oauth2/v2/auth",
    .token = "/google/token",
    .revoke = "/google/revoke",
    .userinfo = "/google/v1/userinfo",
    .jwks = "/google/oauth2/v3/certs",
    .discovery = "/google/.well-known/openid-configuration",
};
const struct realm realm_oidc = {
    .id = "oidc",
    .label = "a plain OpenID provider",
    .oidc = true,
    .announces_iss = true,
    .authorize = "/oidc/authorize",
    .token = "/oidc/token",
    .revoke = "/oidc/revoke",
    .userinfo = "/oidc/userinfo",
    .jwks = "/oidc/jwks",
    .discovery = "/oidc/.well-known/openid-configuration",
};

struct route {
    const char *method; /* NULL: GET and POST */
    const char *path;   /* a '*' at the end: the rest may be anything */
    const struct realm *realm;
    void (*serve)(struct exchange *x);
};

static const struct route routes[] = {
    {NULL, "/discord/oauth2/authorize", &realm_discord, authorize_serve},
    {NULL, "/discord/api/oauth2/authorize", &realm_discord, authorize_serve},
    {"POST", "/discord/api/v10/oauth2/token", &realm_discord, token_serve},
    {"POST", "/discord/api/v10/oauth2/token/revoke", &realm_discord, revoke_serve},
    {"POST", "/discord/api/oauth2/token", &realm_discord, token_serve},
    {"POST", "/discord/api/oauth2/token/revoke", &realm_discord, revoke_serve},
    {"GET", "/discord/api/v10/users/@me", &realm_discord, discord_me},
    {"GET", "/discord/api/v10/users/@me/guilds", &realm_discord, discord_guilds},
    {"GET", "/discord/api/v10/users/@me/guilds/*", &realm_discord, discord_member},
    {"GET", "/discord/cdn/*", &realm_discord, picture_serve},
    {NULL, "/google/o/oauth2/v2/auth", &realm_google, authorize_serve},
    {"POST", "/google/token", &realm_google, token_serve},
    {"POST", "/google/revoke", &realm_google, revoke_serve},
    {NULL, "/google/v1/userinfo", &realm_google, oidc_userinfo},
    {"GET", "/google/oauth2/v3/certs", &realm_google, oidc_jwks},
    {"GET", "/google/.well-known/openid-configuration", &realm_google, oidc_discovery},
    {"GET", "/google/a/*", &realm_google, picture_serve},
    {NULL, "/oidc/authorize", &realm_oidc, authorize_serve},
    {"POST", "/oidc/token", &realm_oidc, token_serve},
    {"POST", "/oidc/revoke", &realm_oidc, revoke_serve},
    {NULL, "/oidc/userinfo", &realm_oidc, oidc_userinfo},
    {"GET", "/oidc/jwks", &realm_oidc, oidc_jwks},
    {"GET", "/oidc/.well-known/openid-configuration", &realm_oidc, oidc_discovery},
    {"GET", "/oidc/.well-known/oauth-authorization-server", &realm_oidc, oidc_discovery},
    {"GET", "/oidc/a/*", &realm_oidc, picture_serve},
    {NULL, "/fake/*", NULL, control_serve},
    {"GET", "/", NULL, control_serve},
};

void exchange_json(struct exchange *x, int status, struct jval *take)
{
    x->r->status = status;
    x->r->type = "application/json";
    jval_render(take, &x->r->body);
    jval_free(&take);
}

/* RFC 6749 section 5.2. */
void exchange_error(struct exchange *x, int status, const char *error, const char *description)
{
    struct jval *o = jval_new_object();

    jval_set_text(o, "error", error);
    if (description)
        jval_set_text(o, "error_description", description);
    exchange_json(x, status, o);
}

void exchange_redirect(struct exchange *x, const char *url)
{
    x->r->status = 302;
    http_reply_header(x->r, "Location", url);
    http_reply_header(x->r, "Cache-Control", "no-store");
}

const char *exchange_issuer(const struct exchange *x)
{
    return arena_printf(x->rq->arena, "%s/%s", x->f->base, x->realm->id);
}

bool has_word(const char *list, const char *word)
{
    struct str rest = str_of(list), piece;

    while (str_split(&rest, ' ', &piece))
        if (str_is(piece, word))
            return true;
    return false;
}

bool fake_client_good(struct fake *f, const char *id, const char *secret)
{
    bool good = false;

    pthread_mutex_lock(&f->lock);
    for (size_t i = 0; i < f->o.n_clients; i++)
        if (strcmp(f->o.clients[i].id, id) == 0)
            good = !secret || strcmp(*f->secret ? f->secret : f->o.clients[i].secret, secret) == 0;
    pthread_mutex_unlock(&f->lock);
    return good;
}

void fake_switch_secret(struct fake *f, const char *secret)
{
    pthread_mutex_lock(&f->lock);
    snprintf(f->secret, sizeof f->secret, "%s", secret);
    pthread_mutex_unlock(&f->lock);
}

void fake_reset(struct fake *f)
{
    grants_clear(f->grants);
    faults_reset(f->faults);
    keys_reset(f->keys);
    fake_switch_secret(f, "");
}

static const struct route *find_route(const char *path)
{
    for (size_t i = 0; i < sizeof routes / sizeof *routes; i++) {
        const size_t n = strlen(routes[i].path);

        if (routes[i].path[n - 1] == '*' ? strncmp(routes[i].path, path, n - 1) == 0
                                         : strcmp(routes[i].path, path) == 0)
            return &routes[i];
    }
    return NULL;
}

static void serve(struct exchange *x, const struct route *route)
{
    const char *m = x->rq->method;

    if (!route) {
        exchange_error(x, 404, "not_found", "the look-alike has no such page");
    } else if (route->method ? strcmp(m, route->method) != 0 &&
                                   !(strcmp(m, "HEAD") == 0 && *route->method == 'G')
                             : strcmp(m, "GET") != 0 && strcmp(m, "POST") != 0) {
        http_reply_header(x->r, "Allow", route->method ? route->method : "GET, POST");
        exchange_error(x, 405, "method_not_allowed", NULL);
    } else {
        route->serve(x);
    }
}

/* What time it is here; a test may want a clock that is wrong. RFC 9110 section 5.6.7. */
static void add_date(struct exchange *x)
{
    const struct fault *f = fault_hit(x->hits, "date");
    const time_t at = (time_t)(wall_seconds(clock_wall()) + (f ? f->n : 0));
    char text[40];
    struct tm tm;

    gmtime_r(&at, &tm);
    strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &tm);
    http_reply_header(x->r, "Date", arena_dup(x->rq->arena, text));
}

static bool handle(void *ctx, struct http_conn *c, const struct http_request *rq)
{
    struct fake *f = ctx;
    const struct route *route = find_route(rq->path);
    struct fault_hits *hits = arena_alloc(rq->arena, sizeof *hits);
    struct http_reply r;
    struct exchange x = {
        .f = f, .realm = route ? route->realm : NULL, .rq = rq, .r = &r, .hits = hits};
    bool go_on = false;

    http_reply_init(&r);
    if (!str_starts(str_of(rq->path), "/fake/"))
        faults_note(f->faults, rq, hits);
    if (wire_before(c, &x)) {
        if (!wire_instead(&x))
            serve(&x, route);
        add_date(&x);
        wire_bend(&x);
        go_on = wire_send(c, &x);
    }
    http_reply_deinit(&r);
    return go_on;
}

struct fake *fake_new(const struct fake_options *o, struct err *err)
{
    struct fake *f = mem_alloc(sizeof *f);

    f->o = *o;
    if (f->o.n_clients == 0)
        f->o.clients[f->o.n_clients++] = (struct fake_client){"usher-dev", "usher-dev-secret"};
    pthread_mutex_init(&f->lock, NULL);
    f->grants = grants_new();
    f->faults = faults_new();
    f->keys = keys_new();
    f->server = http_listen(o->listen ? o->listen : "127.0.0.1:0", err);
    if (!f->server) {
        fake_free(&f);
        return NULL;
    }
    snprintf(f->base, sizeof f->base, "%s", http_base(f->server));
    http_run(f->server, handle, f);
    return f;
}

void fake_free(struct fake **fp)
{
    struct fake *f = *fp;

    if (!f)
        return;
    http_stop(&f->server);
    grants_free(&f->grants);
    faults_free(&f->faults);
    keys_free(&f->keys);
    pthread_mutex_destroy(&f->lock);
    free(f);
    *fp = NULL;
}
