/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/client.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/form.h"
#include "base/url.h"
#include "ctl/input.h"

#define BODY_MAX (8u * 1024 * 1024)
#define DEPTH_MAX 16
#define CONNECT_SECONDS 10L
#define TOTAL_SECONDS 120L /* a test of a slow provider takes its time */

struct client {
    CURL *easy;
    char *authorization; /* "Authorization: Bearer …"; NULL: the socket needs none */
    char why[CURL_ERROR_SIZE];
};

struct answer {
    struct buf body;
    char etag[128];
};

/* ---- how to get there */

static int check_url(struct ctl *c)
{
    struct err err = ERR_INIT;
    struct url u;
    if (url_parse(c->arena, str_of(c->url), &u, &err) != 0)
        return ctl_misused("the URL makes no sense: %s", err.text);
    if (strcmp(u.scheme, "https") != 0 && !url_is_loopback(&u))
        return ctl_misused("a token is sent to https only, or to this machine");
    if (u.query || u.fragment || strcmp(u.path, "/") != 0)
        return ctl_misused("the URL is that of usher itself, without a path");
    return CTL_DONE;
}

static int read_token(struct ctl *c, struct client *client)
{
    struct err err = ERR_INIT;
    struct buf header;
    if (!c->token_file)
        return ctl_misused("with --url a token is needed: --token-file FILE or USHER_TOKEN_FILE");
    char *token = input_secret_file(c->token_file, &err);
    if (!token)
        return ctl_misused("%s", err.text);
    buf_init(&header, 1024);
    buf_printf(&header, "Authorization: Bearer %s", token);
    input_wipe(&token);
    client->authorization = buf_take(&header);
    return CTL_DONE;
}

static int client_open(struct ctl *c)
{
    if (c->client)
        return CTL_DONE;
    struct client *client = mem_alloc(sizeof *client);
    c->client = client;
    client->easy = curl_easy_init();
    if (!client->easy) {
        fprintf(stderr, "usherctl: cannot start libcurl\n");
        return CTL_UNREACHABLE;
    }
    if (!c->url)
        return CTL_DONE;
    const int rc = check_url(c);
    return rc == CTL_DONE ? read_token(c, client) : rc;
}

void client_free(struct client **cp)
{
    struct client *c = *cp;
    *cp = NULL;
    if (!c)
        return;
    curl_easy_cleanup(c->easy);
    input_wipe(&c->authorization);
    free(c);
}

/* ---- one call */

static size_t on_body(char *p, size_t size, size_t n, void *arg)
{
    struct answer *a = arg;
    buf_add(&a->body, p, size * n);
    return buf_ok(&a->body) ? size * n : 0;
}

static size_t on_header(char *p, size_t size, size_t n, void *arg)
{
    struct answer *a = arg;
    struct str line = {p, size * n};
    static const char name[] = "etag:";
    if (line.n > sizeof name && str_is_nocase((struct str){p, sizeof name - 1}, name)) {
        line.p += sizeof name - 1;
        line.n -= sizeof name - 1;
        while (line.n > 0 && (line.p[line.n - 1] == '\r' || line.p[line.n - 1] == '\n'))
            line.n--;
        line = str_trim(line);
        if (line.n < sizeof a->etag) {
            memcpy(a->etag, line.p, line.n);
            a->etag[line.n] = 0;
        }
    }
    return size * n;
}

static struct curl_slist *add(struct curl_slist *list, const char *line)
{
    struct curl_slist *more = curl_slist_append(list, line);
    if (!more)
        abort(); /* out of memory */
    return more;
}

static struct curl_slist *headers_of(struct ctl *c, const struct client_call *call)
{
    struct curl_slist *list = add(NULL, "Accept: application/json");
    list = add(list, "Expect:");
    if (call->body)
        list = add(list, "Content-Type: application/json");
    if (call->if_match)
        list = add(list, arena_printf(c->arena, "If-Match: %s", call->if_match));
    if (c->client->authorization)
        list = add(list, c->client->authorization);
    return list;
}

static void set_up(struct ctl *c, const struct client_call *call, struct answer *a,
                   const struct buf *body)
{
    CURL *e = c->client->easy;
    struct str base = str_of(c->url ? c->url : "http://usher");
    while (base.n > 0 && base.p[base.n - 1] == '/')
        base.n--;
    curl_easy_reset(e);
    curl_easy_setopt(e, CURLOPT_URL,
                     arena_printf(c->arena, "%.*s%s", (int)base.n, base.p, call->path));
    if (!c->url)
        curl_easy_setopt(e, CURLOPT_UNIX_SOCKET_PATH, c->socket);
    curl_easy_setopt(e, CURLOPT_CUSTOMREQUEST, call->method);
    if (call->body) {
        curl_easy_setopt(e, CURLOPT_POSTFIELDS, body->p);
        curl_easy_setopt(e, CURLOPT_POSTFIELDSIZE, (long)body->n);
    }
    curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https"); /* http: see check_url */
    curl_easy_setopt(e, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    curl_easy_setopt(e, CURLOPT_PROXY, "");
    curl_easy_setopt(e, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT, CONNECT_SECONDS);
    curl_easy_setopt(e, CURLOPT_TIMEOUT, TOTAL_SECONDS);
    curl_easy_setopt(e, CURLOPT_ERRORBUFFER, c->client->why);
    curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(e, CURLOPT_WRITEDATA, a);
    curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(e, CURLOPT_HEADERDATA, a);
}

/* Of a socket libcurl speaks as if it were a host with a port. */
static const char *why_unreachable(const struct ctl *c, CURLcode rc)
{
    if (!c->url && rc == CURLE_COULDNT_CONNECT)
        return access(c->socket, R_OK | W_OK) != 0 ? strerror(errno) : "nobody listens there";
    return c->client->why[0] ? c->client->why : curl_easy_strerror(rc);
}

static int unreachable(const struct ctl *c, CURLcode rc)
{
    const char *why = why_unreachable(c, rc);
    fprintf(stderr, "usherctl: no answer from %s: %s\n", c->url ? c->url : c->socket, why);
    if (!c->url)
        fprintf(stderr, "Is usherd running, and are you root or its user? --socket names another "
                        "socket, --url a usher elsewhere.\n");
    return CTL_UNREACHABLE;
}

static int exit_of(int status)
{
    switch (status) {
    case 401:
    case 403:
        return CTL_NOT_ALLOWED;
    case 409:
    case 412:
    case 428:
        return CTL_CONFLICT;
    default:
        return CTL_REFUSED;
    }
}

static const char *clean(struct ctl *c, const char *text)
{
    const size_t n = strlen(text);
    char *out = arena_alloc(c->arena, 3 * n + 1); /* a byte may become U+FFFD */
    text_display((struct str){text, n}, out, 3 * n);
    return out;
}

/* What is wrong with a field, which names it once; or NULL. */
static const char *field_line(struct ctl *c, const struct jval *one)
{
    const char *field = jval_text(jval_get(one, "field"));
    const char *what = jval_text(jval_get(one, "text"));
    const size_t n = field ? strlen(field) : 0;
    const bool named = !n || !what || (strncmp(what, field, n) == 0 && what[n] == ':');
    return named ? what : arena_printf(c->arena, "%s: %s", field, what);
}

/* {"error":{"text":…,"fields":[{"field":…,"text":…}]}} */
static int refused(struct ctl *c, int status, const struct jval *body)
{
    const char *text = jval_text(jval_at(body, "/error/text"));
    const char *id = jval_text(jval_at(body, "/error/request_id"));
    const struct jval *fields = jval_at(body, "/error/fields");
    if (text)
        fprintf(stderr, "usherctl: %s\n", clean(c, text));
    else
        fprintf(stderr, "usherctl: the answer was status %d%s\n", status,
                body ? "" : ", and not from usher's API");
    for (size_t i = 0; i < jval_count(fields); i++) {
        const char *line = field_line(c, jval_item(fields, i));
        if (line && (!text || strcmp(line, text) != 0))
            fprintf(stderr, "  %s\n", clean(c, line));
    }
    if (id && status >= 500)
        fprintf(stderr, "  The daemon's log has more under request id %s.\n", clean(c, id));
    return exit_of(status);
}

static int take_answer(struct ctl *c, struct answer *a, int status, struct client_reply *out)
{
    struct err err = ERR_INIT;
    struct jval *body = NULL;
    if (a->body.n > 0)
        body = jval_parse(buf_view(&a->body), BODY_MAX, DEPTH_MAX, &err);
    if (status < 200 || status > 299) {
        const int rc = refused(c, status, body);
        jval_free(&body);
        return rc;
    }
    if (a->body.n > 0 && !body) {
        fprintf(stderr, "usherctl: the answer is not from usher's API: %s\n", err.text);
        return CTL_UNREACHABLE;
    }
    out->status = status;
    out->body = body;
    out->etag = a->etag[0] ? arena_dup(c->arena, a->etag) : NULL;
    return CTL_DONE;
}

int client_ask(struct ctl *c, const struct client_call *call, struct client_reply *out)
{
    struct answer a = {.etag = ""};
    struct jval *sent = call->body;
    struct curl_slist *headers = NULL;
    struct buf body;
    long status = 0;
    *out = (struct client_reply){.status = 0};
    buf_init(&body, BODY_MAX);
    buf_init(&a.body, BODY_MAX);
    int result = client_open(c);
    if (result == CTL_DONE) {
        if (sent)
            jval_render(sent, &body);
        set_up(c, call, &a, &body);
        headers = headers_of(c, call);
        curl_easy_setopt(c->client->easy, CURLOPT_HTTPHEADER, headers);
        const CURLcode rc = curl_easy_perform(c->client->easy);
        curl_easy_getinfo(c->client->easy, CURLINFO_RESPONSE_CODE, &status);
        result = rc == CURLE_OK ? take_answer(c, &a, (int)status, out) : unreachable(c, rc);
    }
    curl_slist_free_all(headers);
    buf_wipe(&body); /* it may hold a secret */
    buf_deinit(&a.body);
    jval_free(&sent);
    return result;
}

int client_get(struct ctl *c, const char *path, struct client_reply *out)
{
    const struct client_call call = {.method = "GET", .path = path};
    return client_ask(c, &call, out);
}

void client_reply_deinit(struct client_reply *r)
{
    jval_free(&r->body);
}

const char *client_path(struct ctl *c, const char *before, const char *id, const char *after)
{
    struct buf b;
    buf_init(&b, 64 * 1024);
    buf_text(&b, before);
    form_escape(&b, str_of(id));
    buf_text(&b, after);
    const char *path = arena_dup(c->arena, b.p);
    buf_deinit(&b);
    return path;
}
