/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "net/fetch_parts.h"

static bool url_allowed(const struct fetch_call *c, const struct url *u)
{
    return strcmp(u->scheme, "https") == 0 ||
           (c->pool->f->allow_http_loopback && url_is_loopback(u));
}

/* Whether the name was listed as one that may lead to special-use addresses. */
static bool host_listed(const struct fetch_pool *p, const char *host)
{
    for (char **h = p->allow_private; h && *h; h++)
        if (strcmp(*h, host) == 0)
            return true;
    return false;
}

/* Whether libcurl has one part of a URL as we have it. */
static bool part_agrees(CURLU *theirs, CURLUPart part, const char *want)
{
    char *got = NULL;
    bool same;

    if (curl_url_get(theirs, part, &got, CURLU_DEFAULT_PORT) != CURLUE_OK)
        got = NULL;
    if (got && part == CURLUPART_HOST) {
        const size_t n = strlen(got);
        const struct str name = got[0] == '[' ? (struct str){got + 1, n - 2} : (struct str){got, n};
        same = want && str_is_nocase(name, want);
    } else {
        same = got && want ? strcmp(got, want) == 0 : !(got && *got) && !(want && *want);
    }
    curl_free(got);
    return same;
}

static bool url_agrees(const char *text, const struct url *u)
{
    char port[16];
    const struct {
        CURLUPart part;
        const char *ours;
    } parts[] = {{CURLUPART_SCHEME, u->scheme}, {CURLUPART_HOST, u->host},   {CURLUPART_PORT, port},
                 {CURLUPART_PATH, u->path},     {CURLUPART_QUERY, u->query}, {CURLUPART_USER, NULL},
                 {CURLUPART_FRAGMENT, NULL}};
    CURLU *theirs = curl_url();
    bool same = theirs && curl_url_set(theirs, CURLUPART_URL, text, CURLU_PATH_AS_IS) == CURLUE_OK;

    snprintf(port, sizeof port, "%d", u->port);
    for (size_t i = 0; same && i < sizeof parts / sizeof *parts; i++)
        same = part_agrees(theirs, parts[i].part, parts[i].ours);
    curl_url_cleanup(theirs);
    return same;
}

/* libcurl must understand the URL exactly as we do, or one of us judges the wrong host. Asking it
 * costs as much as sending a request, and a pool's few endpoints are asked for again and again. */
static int url_agree(struct fetch_pool *p, const char *text, const struct url *u, struct err *err)
{
    for (size_t i = 0; i < FETCH_AGREED && p->agreed[i]; i++)
        if (strcmp(p->agreed[i], text) == 0)
            return 0;
    if (!url_agrees(text, u))
        return err_set(err, ERR_MISCONFIGURED, "the URL can be read in two ways");
    free(p->agreed[p->agreed_next]);
    p->agreed[p->agreed_next] = mem_dup(text);
    p->agreed_next = (p->agreed_next + 1) % FETCH_AGREED;
    return 0;
}

static int take_url(struct fetch_call *c, const char *text, struct err *err)
{
    if (url_parse(c->arena, str_of(text), &c->url, err) < 0) {
        err->kind = ERR_MISCONFIGURED;
        return -1;
    }
    if (c->url.fragment)
        return err_set(err, ERR_MISCONFIGURED, "a URL to fetch has no fragment");
    if (!url_allowed(c, &c->url))
        return err_set(err, ERR_MISCONFIGURED, "only https is fetched");
    if (url_agree(c->pool, text, &c->url, err) < 0)
        return -1;
    c->text_url = arena_dup(c->arena, text);
    c->may_private = host_listed(c->pool, c->url.host);
    c->may_loopback =
        c->may_private || (c->pool->f->allow_http_loopback && url_is_loopback(&c->url));
    return 0;
}

void fetch_slist_wipe(struct curl_slist **l)
{
    for (struct curl_slist *i = *l; i; i = i->next)
        seal_wipe(i->data, strlen(i->data));
    curl_slist_free_all(*l);
    *l = NULL;
}

static void add_line(struct fetch_call *c, const char *line)
{
    struct curl_slist *more = curl_slist_append(c->headers, line);

    if (!more)
        abort();
    c->headers = more;
}

static bool is_token(const char *name)
{
    static const char marks[] = "!#$%&'*+-.^_`|~";

    if (!*name)
        return false;
    for (const char *p = name; *p; p++)
        if (!((*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') || (*p >= '0' && *p <= '9') ||
              strchr(marks, *p)))
            return false;
    return true;
}

/* Names whose meaning is ours: framing, routing, and what would undo a promise of fetch.h. */
static bool is_reserved(const char *name)
{
    static const char *const ours[] = {"host",
                                       "content-length",
                                       "transfer-encoding",
                                       "connection",
                                       "expect",
                                       "te",
                                       "trailer",
                                       "upgrade",
                                       "cookie",
                                       "accept-encoding",
                                       "proxy-authorization",
                                       "keep-alive"};

    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
        if (str_is_nocase(str_of(name), ours[i]))
            return true;
    return false;
}

/* The value put together; -1 when it could end the line or does not fit. */
static int part_value(const struct fetch_part *part, struct buf *out)
{
    if (part->before)
        buf_text(out, part->before);
    if (part->secret)
        buf_str(out, secret_reveal(part->secret));
    return buf_ok(out) && !memchr(out->p, 0, out->n) ? 0 : -1;
}

static int add_header(struct fetch_call *c, const struct fetch_part *part, size_t *total,
                      struct err *err)
{
    struct buf line;
    int rc = -1;

    buf_init(&line, FETCH_REQUEST_MAX);
    if (!is_token(part->name) || is_reserved(part->name)) {
        err_set(err, ERR_MISCONFIGURED, "a request header of this name cannot be set");
        goto out;
    }
    buf_text(&line, part->name);
    buf_text(&line, ": ");
    if (part_value(part, &line) < 0)
        goto bad;
    for (size_t i = 0; i < line.n; i++)
        if ((unsigned char)line.p[i] < 0x20 || line.p[i] == 0x7f)
            goto bad;
    *total += line.n;
    if (*total > FETCH_REQUEST_MAX)
        goto bad;
    add_line(c, line.p);
    rc = 0;
    goto out;
bad:
    err_set(err, ERR_MISCONFIGURED, "the value of request header %s cannot be sent", part->name);
out:
    buf_wipe(&line);
    return rc;
}

/* RFC 4648 section 4, with padding: what Basic wants. */
static void base64(struct buf *out, struct str in)
{
    static const char abc[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    for (size_t i = 0; i < in.n; i += 3) {
        const size_t left = in.n - i;
        const uint32_t v = (uint32_t)(unsigned char)in.p[i] << 16 |
                           (left > 1 ? (uint32_t)(unsigned char)in.p[i + 1] << 8 : 0) |
                           (left > 2 ? (uint32_t)(unsigned char)in.p[i + 2] : 0);
        buf_byte(out, abc[v >> 18]);
        buf_byte(out, abc[v >> 12 & 63]);
        buf_byte(out, left > 1 ? abc[v >> 6 & 63] : '=');
        buf_byte(out, left > 2 ? abc[v & 63] : '=');
    }
}

/* RFC 6749 section 2.3.1: both halves are form-encoded before they are joined. */
static int add_basic(struct fetch_call *c, const struct fetch_request *rq, struct err *err)
{
    struct buf pair, line;
    int rc = 0;

    buf_init(&pair, FETCH_REQUEST_MAX / 4);
    buf_init(&line, FETCH_REQUEST_MAX);
    form_escape(&pair, str_of(rq->basic_user));
    buf_byte(&pair, ':');
    if (rq->basic_password)
        form_escape(&pair, secret_reveal(rq->basic_password));
    buf_text(&line, "Authorization: Basic ");
    base64(&line, buf_view(&pair));
    if (buf_ok(&pair) && buf_ok(&line))
        add_line(c, line.p);
    else
        rc = err_set(err, ERR_MISCONFIGURED, "the client credentials are too long");
    buf_wipe(&pair);
    buf_wipe(&line);
    return rc;
}

static int take_form(struct fetch_call *c, const struct fetch_request *rq, struct err *err)
{
    for (size_t i = 0; i < rq->n_form; i++) {
        struct buf value;
        int rc;

        buf_init(&value, FETCH_REQUEST_MAX);
        rc = part_value(&rq->form[i], &value);
        if (rc == 0)
            form_add(&c->body, rq->form[i].name, value.p);
        buf_wipe(&value);
        if (rc < 0 || !buf_ok(&c->body))
            return err_set(err, ERR_MISCONFIGURED, "the form field %s cannot be sent",
                           rq->form[i].name);
    }
    return 0;
}

static int take_body(struct fetch_call *c, const struct fetch_request *rq, struct err *err)
{
    buf_init(&c->body, FETCH_REQUEST_MAX);
    c->is_post = rq->body_kind != FETCH_BODY_NONE;
    if (rq->body_kind == FETCH_BODY_FORM) {
        add_line(c, "Content-Type: application/x-www-form-urlencoded");
        return take_form(c, rq, err);
    }
    if (rq->body_kind == FETCH_BODY_JSON) {
        add_line(c, "Content-Type: application/json");
        buf_text(&c->body, rq->json ? rq->json : "");
        if (!buf_ok(&c->body))
            return err_set(err, ERR_MISCONFIGURED, "the request body is too long");
    }
    return 0;
}

static bool has_header(const struct fetch_request *rq, const char *name)
{
    for (size_t i = 0; i < rq->n_headers; i++)
        if (str_is_nocase(str_of(rq->headers[i].name), name))
            return true;
    return false;
}

int fetch_request_take(struct fetch_call *c, const struct fetch_request *rq, struct err *err)
{
    size_t total = 0;

    c->body_max = rq->body_max ? rq->body_max : c->pool->body_max;
    c->total_ms = rq->total_ms ? rq->total_ms : c->pool->total_ms;
    buf_init(&c->answer, c->body_max);
    if (take_url(c, rq->url, err) < 0)
        return -1;
    for (size_t i = 0; i < rq->n_headers; i++)
        if (add_header(c, &rq->headers[i], &total, err) < 0)
            return -1;
    if (!has_header(rq, "user-agent")) {
        const struct fetch_part ua = {.name = "User-Agent", .before = c->pool->user_agent};
        if (add_header(c, &ua, &total, err) < 0)
            return -1;
    }
    if (!has_header(rq, "accept"))
        add_line(c, "Accept: application/json");
    /* Waiting for "100 Continue" costs a second with servers that never say it. */
    add_line(c, "Expect:");
    if (rq->basic_user && add_basic(c, rq, err) < 0)
        return -1;
    return take_body(c, rq, err);
}
