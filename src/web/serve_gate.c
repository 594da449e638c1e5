/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What libmicrohttpd 0.9.75 lets through and we do not: header names that are no tokens, repeated
 * framing headers, Transfer-Encoding beside Content-Length or of another kind than chunked, odd
 * targets, methods and versions. It cannot show folded lines or NUL in values; for those, identity
 * headers are never read from a request at all.
 */
#include "web/serve_int.h"

#include <strings.h>
#include <unistd.h>

/* 1: a token byte (RFC 9110 5.6.2); 2: fit for a value only; 0: neither. */
static const unsigned char byte_class[256] = {
    ['\t'] = 2,        [' '] = 2,         ['!'] = 1,         ['"'] = 2,         ['#' ... '\''] = 1,
    ['(' ... ')'] = 2, ['*' ... '+'] = 1, [','] = 2,         ['-' ... '.'] = 1, ['/'] = 2,
    ['0' ... '9'] = 1, [':' ... '@'] = 2, ['A' ... 'Z'] = 1, ['[' ... ']'] = 2, ['^' ... 'z'] = 1,
    ['{'] = 2,         ['|'] = 1,         ['}'] = 2,         ['~'] = 1,         [0x80 ... 0xff] = 2,
};

static bool is_token(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (byte_class[(unsigned char)s.p[i]] != 1)
            return false;
    return s.n > 0;
}

/* Eight bytes of 0x20 to 0x7e, as most are. What borrows from its neighbour or carries into it is
 * none of them, and its own highest bit says so. */
static bool is_plain8(const char *p)
{
    const uint64_t ones = UINT64_MAX / 255;
    uint64_t v;
    memcpy(&v, p, sizeof v);
    return ((v | (v - ones * 0x20) | (v + ones)) & ones << 7) == 0;
}

static bool is_field_value(struct str s)
{
    size_t i = 0;
    while (s.n - i >= 8 && is_plain8(s.p + i))
        i += 8;
    for (; i < s.n; i++)
        if (byte_class[(unsigned char)s.p[i]] == 0)
            return false;
    return true;
}

/* A bit for each header that must not come twice, whoever sent it; 0 for others. */
static unsigned once_bit(struct str name)
{
    static const char *const once[32] = {
        [4] = "host",           [6] = "origin",          [12] = "content-type",
        [13] = "authorization", [14] = "content-length", [17] = "transfer-encoding"};
    if (name.n >= 32 || once[name.n] == NULL || strncasecmp(name.p, once[name.n], name.n) != 0)
        return 0;
    return 1u << name.n;
}

struct gather {
    struct request *rq;
    bool bad;
    bool many;
};

static enum MHD_Result on_header(void *cls, enum MHD_ValueKind kind, const char *name,
                                 size_t name_n, const char *value, size_t value_n)
{
    (void)kind;
    struct gather *g = cls;
    struct request *rq = g->rq;
    const struct header h = {{name, name_n}, {value ? value : "", value ? value_n : 0}};
    if (value == serve_no_cookie)
        return MHD_YES;
    if (rq->n_headers == SERVE_HEADERS_MAX) {
        g->many = true;
        return MHD_NO;
    }
    const unsigned bit = once_bit(h.name);
    if (!is_token(h.name) || !is_field_value(h.value) || (rq->seen & bit)) {
        g->bad = true;
        return MHD_NO;
    }
    rq->seen |= bit;
    rq->headers[rq->n_headers++] = h;
    return MHD_YES;
}

static size_t count_byte(struct str s, char c)
{
    size_t n = 0;
    for (const char *p; s.n > 0 && (p = memchr(s.p, c, s.n)) != NULL; n++) {
        s.n -= (size_t)(p + 1 - s.p);
        s.p = p + 1;
    }
    return n;
}

/* A connection's memory holds the request's head, the library's notes on it, with a copy of the
 * cookies if it looked at them, and the head of the answer. Without this, an answer that finds no
 * room is not sent. */
static bool leaves_room(struct request *rq)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(rq->conn->mhd, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
    const struct str query = str_of(rq->target ? strchr(rq->target, '?') : NULL);
    const int cookies = MHD_get_connection_values_n(rq->conn->mhd, MHD_COOKIE_KIND, NULL, NULL);
    size_t notes = 2 + rq->n_headers + (query.n > 0 ? 1 + count_byte(query, '&') : 0), copies = 0;
    for (size_t i = 0; cookies > 1 && i < rq->n_headers; i++) {
        const struct header *h = &rq->headers[i];
        if (h->name.n != 6 || strncasecmp(h->name.p, "cookie", 6) != 0)
            continue;
        copies += h->value.n;
        notes += 1 + count_byte(h->value, ';');
    }
    const size_t taken = info->header_size + copies + notes * SERVE_NOTE_BYTES + SERVE_ANSWER_BYTES;
    if (taken > rq->serve->memory)
        return false;
    rq->room = rq->serve->memory - taken;
    return true;
}

const char *serve_gate_header(const struct request *rq, struct str name, size_t *count)
{
    const char *found = NULL;
    size_t n = 0;
    for (size_t i = 0; i < rq->n_headers; i++) {
        const struct header *h = &rq->headers[i];
        if (h->name.n == name.n && (h->name.p[0] | 32) == (name.p[0] | 32) &&
            strncasecmp(h->name.p, name.p, name.n) == 0) {
            if (n++ == 0)
                found = h->value.p;
        }
    }
    *count = n;
    return found;
}

/* The library hands the target out as a C string, so what is behind a NUL byte is missing. The
 * version lies in the same line, one byte behind the whole target: compared, never looked at. */
static bool is_cut(const struct request *rq, const char *version)
{
    const uintptr_t at = (uintptr_t)version;
    return at > rq->target_end && at - rq->target_end < (uintptr_t)64 * 1024;
}

/* Of a path, as it stands for itself. */
static const bool path_plain[256] = {
    ['-' ... '9'] = true, ['A' ... 'Z'] = true, ['_'] = true, ['a' ... 'z'] = true, ['~'] = true};

/* A target of our own kind: origin-form, plain bytes, no segment that begins with a dot (but the
 * first of RFC 8615), nothing encoded in the path (no route needs it), no fragment. */
#define WELL_KNOWN "/.well-known"
static int split_target(struct request *rq, const char **what)
{
    const char *t = rq->target;
    *what = t ? "This address is not one of ours." : "This address is longer than we read.";
    if (t == NULL)
        return 414;
    if (t[0] != '/')
        return 400;
    for (const char *p = t; *p; p++)
        if ((unsigned char)*p <= 0x20 || (unsigned char)*p >= 0x7f || *p == '#' || *p == '\\')
            return 400;
    const size_t n = strcspn(t, "?");
    rq->query = t[n] == '?' ? t + n + 1 : "";
    rq->path = n > SERVE_PATH_MAX ? "/" : t[n] == 0 ? t : arena_dupn(rq->arena, t, n);
    if (n > SERVE_PATH_MAX)
        return 404;
    const char *p = rq->path + (str_starts(str_of(rq->path), WELL_KNOWN) ? strlen(WELL_KNOWN) : 0);
    for (; *p; p++)
        if (!path_plain[(unsigned char)*p] || (*p == '/' && (p[1] == '/' || p[1] == '.')))
            return 404;
    return 0;
}

/* The pieces of `path` that fill the stars of `pattern`. */
static bool path_fits(const char *pattern, const char *path, struct str parts[ROUTE_PARTS_MAX])
{
    size_t n_parts = 0;
    for (; *pattern; pattern++) {
        if (*pattern != '*') {
            if (*pattern != *path++)
                return false;
            continue;
        }
        const size_t n = strcspn(path, "/");
        if (n == 0 || n_parts == ROUTE_PARTS_MAX)
            return false;
        parts[n_parts++] = (struct str){path, n};
        path += n;
    }
    return *path == 0;
}

static bool route_is_here(const struct serve *s, const struct route *r)
{
    return s->admin ? r->flags & (ROUTE_ADMIN | ROUTE_LOCAL) : !(r->flags & ROUTE_LOCAL);
}

static void take_route(struct request *rq, const struct route *r,
                       const struct str parts[ROUTE_PARTS_MAX])
{
    rq->route = r;
    rq->quiet = (r->flags & ROUTE_QUIET) != 0;
    for (unsigned i = 0; i < ROUTE_PARTS_MAX && parts[i].p; i++)
        rq->parts[i] = parts[i].p[parts[i].n] == 0 ? parts[i].p
                                                   : arena_dupn(rq->arena, parts[i].p, parts[i].n);
}

static int find_route(struct request *rq, const char **what)
{
    const struct serve *s = rq->serve;
    const char *allow = NULL;
    for (size_t i = 0; i < s->n_routes; i++) {
        const struct route *r = &s->routes[i];
        struct str parts[ROUTE_PARTS_MAX] = {{NULL, 0}};
        if (!path_fits(r->path, rq->path, parts) || !route_is_here(s, r))
            continue;
        if (r->flags & ROUTE_SECRET)
            rq->told = r->path; /* whatever the method */
        const bool get = strcmp(r->method, "GET") == 0;
        if (strcmp(r->method, rq->method) == 0 || (get && rq->head) ||
            r->flags & ROUTE_ANY_METHOD) {
            take_route(rq, r, parts);
            return 0;
        }
        const char *methods = get ? "GET, HEAD" : r->method;
        allow = allow ? arena_printf(rq->arena, "%s, %s", allow, methods) : methods;
    }
    *what = "The address may be mistyped or out of date.";
    if (allow == NULL)
        return 404;
    reply_header_static(rq, "Allow", allow);
    *what = "This address cannot be used that way.";
    return 405;
}

static bool takes_body(const char *method)
{
    return strcmp(method, "POST") == 0 || strcmp(method, "PUT") == 0 ||
           strcmp(method, "PATCH") == 0 || strcmp(method, "DELETE") == 0;
}

/* Behind the media type there may be nothing but charset=utf-8, with or without quotes. */
static bool is_utf8(const char *parameters)
{
    const struct str rest = str_trim(str_of(parameters));
    if (rest.n == 0)
        return true;
    if (rest.p[0] != ';')
        return false;
    const struct str p = str_trim((struct str){rest.p + 1, rest.n - 1});
    return str_is_nocase(p, "charset=utf-8") || str_is_nocase(p, "charset=\"utf-8\"");
}

/* JSON comes under its own name or not at all: any page may send text/plain here without asking
 * (Fetch, "CORS-safelisted request-header"). */
static int check_type(const struct request *rq, const char **what)
{
    size_t types, codings;
    const char *type = serve_gate_header(rq, STR("content-type"), &types);
    (void)serve_gate_header(rq, STR("content-encoding"), &codings);
    const struct str media = {type ? type : "", type ? strcspn(type, "; \t") : 0};
    *what = "A body is read as it is, without an encoding.";
    if (rq->has_body && codings > 0)
        return 415;
    if (rq->route->flags & ROUTE_JSON) {
        *what = "JSON in UTF-8 is expected here: Content-Type: application/json.";
        return (rq->has_body || types > 0) &&
                       (!str_is_nocase(media, "application/json") || !is_utf8(type + media.n))
                   ? 415
                   : 0;
    }
    *what = "A form is expected here.";
    return rq->has_body && !str_is_nocase(media, "application/x-www-form-urlencoded") ? 415 : 0;
}

/* Whether a body follows, and whether that is as it should be. */
static int check_body(struct request *rq, const char *version, const char **what)
{
    size_t lengths, encodings;
    const char *length = serve_gate_header(rq, STR("content-length"), &lengths);
    const char *encoding = serve_gate_header(rq, STR("transfer-encoding"), &encodings);
    *what = "The request's framing is ambiguous.";
    if (encodings && (lengths || strcasecmp(encoding, "chunked") != 0 ||
                      strcmp(version, "HTTP/1.0") == 0)) /* RFC 9112 6.1 */
        return 400;
    int64_t declared = 0;
    if (lengths && (!text_int(str_of(length), &declared) || declared < 0))
        return 400;
    rq->has_body = encodings || declared > 0;
    if (!takes_body(rq->method)) {
        *what = "This kind of request takes no body.";
        return rq->has_body ? 413 : 0;
    }
    if (rq->route == NULL)
        return 0;
    *what = "The body is too large.";
    rq->body.limit = rq->route->body_max;
    if ((uint64_t)declared > rq->route->body_max + SERVE_BODY_SPILL)
        return 413;
    return check_type(rq, what);
}

/* The file's mode says who may connect; should somebody widen it, this still holds. */
static bool is_stranger(const struct request *rq)
{
    const struct conn *c = rq->conn;
    return rq->serve->admin && !(c->has_peer && (c->uid == 0 || c->uid == geteuid()));
}

static int check_host(const struct request *rq, const char **what)
{
    size_t n;
    const char *host = serve_gate_header(rq, STR("host"), &n);
    *what = "This server answers under another name.";
    if (n != 1 || host[0] == 0)
        return 400;
    if (rq->serve->host == NULL || (rq->route && rq->route->flags & ROUTE_ANY_HOST))
        return 0;
    return strcasecmp(host, rq->serve->host) == 0 ? 0 : 421;
}

int serve_gate(struct request *rq, const char *version, const char **what)
{
    struct gather g = {.rq = rq};
    rq->head = strcmp(rq->method, "HEAD") == 0;
    rq->path = "/";
    rq->query = "";
    *what = "This is not a request we understand.";
    if (strcmp(version, "HTTP/1.1") != 0 && strcmp(version, "HTTP/1.0") != 0)
        return 505;
    if (is_cut(rq, version))
        return 400;
    for (const char *p = rq->method; *p; p++)
        if (*p < 'A' || *p > 'Z')
            return 400;
    MHD_get_connection_values_n(rq->conn->mhd, MHD_HEADER_KIND, on_header, &g);
    if (g.bad)
        return 400;
    if (g.many || !leaves_room(rq))
        return 431;
    int status = split_target(rq, what);
    if (status == 0)
        status = find_route(rq, what);
    const char *body_what = NULL;
    const int body = check_body(rq, version, &body_what);
    if (body != 0 && (status == 0 || body == 400)) {
        *what = body_what;
        return body;
    }
    if (is_stranger(rq)) {
        *what = "The admin socket is for root and the user usherd runs as.";
        return 403;
    }
    return status != 0 ? status : check_host(rq, what);
}
