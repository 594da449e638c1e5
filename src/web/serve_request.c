/* SPDX-License-Identifier: Apache-2.0 */
#include "web/serve_int.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "base/cookie.h"
#include "sys/seal.h"

void request_reset(struct request *rq)
{
    struct request keep = {.serve = rq->serve, .arena = rq->arena, .body = rq->body};
    jval_free(&rq->json);
    if (rq->route && (rq->route->body_max > 0 || rq->route->flags & ROUTE_SECRET)) {
        seal_wipe(keep.body.p, keep.body.n); /* what comes in and goes out may hold a secret */
        arena_wipe(keep.arena);
    } else {
        arena_reset(keep.arena);
    }
    buf_clear(&keep.body);
    memset(rq, 0, offsetof(struct request, headers));
    memset((char *)rq + offsetof(struct request, n_headers), 0,
           sizeof *rq - offsetof(struct request, n_headers));
    rq->serve = keep.serve;
    rq->arena = keep.arena;
    rq->body = keep.body;
}

/* ---- reading */

struct arena *request_arena(struct request *rq)
{
    return rq->arena;
}
const char *request_method(const struct request *rq)
{
    return rq->method;
}
bool request_is_head(const struct request *rq)
{
    return rq->head;
}
const char *request_path(const struct request *rq)
{
    return rq->path;
}
const struct route *request_route(const struct request *rq)
{
    return rq->route;
}
bool request_is_local(const struct request *rq)
{
    return rq->serve->admin;
}

const char *request_part(const struct request *rq, unsigned i)
{
    return i < ROUTE_PARTS_MAX && rq->parts[i] ? rq->parts[i] : "";
}

const char *request_rest(const struct request *rq)
{
    return request_part(rq, 0);
}

bool request_peer(const struct request *rq, unsigned *uid, unsigned *pid)
{
    *uid = rq->conn->uid;
    *pid = rq->conn->pid;
    return rq->conn->has_peer;
}

int request_header(const struct request *rq, const char *name, const char **value)
{
    size_t n;
    const char *found = serve_gate_header(rq, str_of(name), &n);
    *value = NULL;
    if (n > 1)
        return -1;
    if (n == 0 || found[0] == 0)
        return 0;
    *value = found;
    return 1;
}

bool request_header_next(const struct request *rq, struct str name, size_t *at, struct str *value)
{
    while (*at < rq->n_headers) {
        const struct header *h = &rq->headers[(*at)++];
        if (h->name.n == name.n && strncasecmp(h->name.p, name.p, name.n) == 0) {
            *value = h->value;
            return true;
        }
    }
    return false;
}

size_t request_room(const struct request *rq)
{
    return rq->room;
}

size_t request_cookies(const struct request *rq, struct str name, struct str *values, size_t max)
{
    size_t n = 0, at = 0;
    struct str found, rest;
    while (request_header_next(rq, STR("cookie"), &at, &rest)) {
        while (n < max && cookie_find(rest, name, &found) > 0) {
            const char *behind = found.p + found.n;
            values[n++] = found;
            rest = (struct str){behind, (size_t)(rest.p + rest.n - behind)};
        }
    }
    return n;
}

int request_cookie(const struct request *rq, struct str name, struct str *value)
{
    struct str found[2];
    const size_t n = request_cookies(rq, name, found, 2);
    if (n > 0)
        *value = found[0];
    return n == 0 ? 0 : n == 1 ? 1 : -1;
}

static const struct fields *parse(struct request *rq, struct str text, size_t max,
                                  struct fields *out, int *state)
{
    struct err err = ERR_INIT;
    if (*state == 0)
        *state = form_parse(rq->arena, text, max, out, &err) == 0 ? 1 : -1;
    return *state == 1 ? out : NULL;
}

const struct fields *request_query(struct request *rq)
{
    return parse(rq, str_of(rq->query), SERVE_FIELDS_MAX, &rq->query_fields, &rq->query_state);
}

struct str request_body(const struct request *rq)
{
    return buf_view(&rq->body);
}

const struct fields *request_form(struct request *rq)
{
    const bool table = rq->route && (rq->route->flags & ROUTE_TABLE);
    return parse(rq, buf_view(&rq->body), table ? SERVE_TABLE_FIELDS_MAX : SERVE_FIELDS_MAX,
                 &rq->form_fields, &rq->form_state);
}

int request_json(struct request *rq, const struct jval **out, struct err *err)
{
    *out = NULL;
    if (rq->body.n == 0)
        return 0;
    if (rq->json_state == 0) {
        rq->json = jval_parse(buf_view(&rq->body), rq->body.limit, SERVE_JSON_DEPTH, err);
        rq->json_state = rq->json ? 1 : -1;
    } else if (rq->json_state < 0) {
        err_set(err, ERR_INVALID, "not JSON");
    }
    *out = rq->json;
    return rq->json_state;
}

/* "boot-number", the number in hexadecimal. */
static void write_id(struct request *rq)
{
    char *out = rq->id + sizeof rq->serve->boot - 1;
    unsigned shift = 60;
    memcpy(rq->id, rq->serve->boot, sizeof rq->serve->boot);
    *out++ = '-';
    while (shift > 0 && rq->number >> shift == 0)
        shift -= 4;
    for (;; shift -= 4) {
        *out++ = "0123456789abcdef"[rq->number >> shift & 15];
        if (shift == 0)
            break;
    }
    *out = '\0';
}

const char *request_id(struct request *rq)
{
    if (rq->id[0] == 0)
        write_id(rq);
    return rq->id;
}

const struct log_ctx *request_log(struct request *rq)
{
    rq->log_fields[0] = LF_TEXT("request", request_id(rq));
    rq->log = (struct log_ctx){.fields = rq->log_fields, .n = 1};
    return &rq->log;
}

bool request_from_trusted_proxy(const struct request *rq)
{
    return rq->conn->trusted;
}

/* The rightmost address of X-Forwarded-For that no trusted proxy of ours has written down for
 * another trusted proxy. Anything that does not parse ends the walk at the last good one, which is
 * a proxy of ours then: for whom it asks is not known. */
static const char *forwarded_client(struct request *rq)
{
    const char *list;
    const char *client = rq->conn->peer;
    if (request_header(rq, "X-Forwarded-For", &list) != 1)
        return client;
    size_t end = strlen(list);
    for (unsigned hops = 0; hops < 32; hops++) {
        size_t start = end;
        while (start > 0 && list[start - 1] != ',')
            start--;
        const struct str piece = str_trim((struct str){list + start, end - start});
        struct sockaddr_storage sa;
        char text[64];
        rq->vague = piece.n == 0 || piece.n >= sizeof text;
        if (rq->vague)
            break;
        memcpy(text, piece.p, piece.n);
        text[piece.n] = 0;
        rq->vague = !origin_parse(text, &sa);
        if (rq->vague)
            break;
        origin_text((const struct sockaddr *)&sa, text);
        client = arena_dup(rq->arena, text);
        if (start == 0 || rq->serve->proxies == NULL ||
            !origin_nets_has(rq->serve->proxies, (const struct sockaddr *)&sa))
            break;
        end = start - 1;
    }
    return client;
}

const char *request_client(struct request *rq)
{
    if (rq->client == NULL)
        rq->client = rq->conn->trusted ? forwarded_client(rq) : rq->conn->peer;
    return rq->client;
}

bool request_address(struct request *rq, struct sockaddr_storage *out)
{
    const char *client = request_client(rq);
    const bool known = !rq->conn->trusted || (client != rq->conn->peer && !rq->vague);
    return known && origin_parse(client, out);
}

bool request_same_origin(const struct request *rq, const char *public_origin)
{
    const char *site, *origin;
    const int has_site = request_header(rq, "Sec-Fetch-Site", &site);
    const int has_origin = request_header(rq, "Origin", &origin);
    if (has_site < 0 || has_origin < 0)
        return false;
    if (has_site == 1 && strcmp(site, "same-origin") != 0)
        return false;
    if (has_origin == 1)
        return strcmp(origin, public_origin) == 0;
    return has_site == 1;
}

/* ---- answering */

static void header_add(struct request *rq, const char *name, const char *value)
{
    if (rq->n_reply_headers == SERVE_REPLY_HEADERS_MAX) {
        rq->broken = true; /* an answer that lacks one must not leave */
        return;
    }
    rq->reply_headers[rq->n_reply_headers].name = name;
    rq->reply_headers[rq->n_reply_headers++].value = value;
}

void reply_header(struct request *rq, const char *name, const char *value)
{
    header_add(rq, arena_dup(rq->arena, name), arena_dup(rq->arena, value));
}

void reply_header_static(struct request *rq, const char *name, const char *value)
{
    header_add(rq, name, value);
}

void reply_close(struct request *rq)
{
    rq->close = true;
}

void reply_for_program(struct request *rq)
{
    rq->lean = true;
}

static void answer(struct request *rq, int status, const char *content_type, struct str body)
{
    rq->status = status;
    rq->content_type = content_type;
    rq->answer = body;
    rq->answered = true;
    if (rq->stage == STAGE_HELD) {
        MHD_resume_connection(rq->conn->mhd);
        rq->serve->stirred = true;
    }
}

void reply_send(struct request *rq, int status, const char *content_type, struct str body)
{
    answer(rq, status, content_type, body);
}

void reply_empty(struct request *rq, int status)
{
    rq->bare = true;
    answer(rq, status, NULL, STR(""));
}

struct reply {
    struct MHD_Response *mhd;
};

struct reply *reply_make(const struct reply_header *headers, size_t n)
{
    return reply_make_body(headers, n, STR(""));
}

struct reply *reply_make_body(const struct reply_header *headers, size_t n, struct str body)
{
    struct reply *r = mem_alloc(sizeof *r);
    r->mhd =
        MHD_create_response_from_buffer(body.n, (void *)(uintptr_t)body.p, MHD_RESPMEM_MUST_COPY);
    bool ok = r->mhd != NULL;
    for (size_t i = 0; ok && i < n; i++)
        ok = MHD_add_response_header(r->mhd, headers[i].name, headers[i].value) == MHD_YES;
    if (!ok)
        reply_free(&r);
    return r;
}

void reply_free(struct reply **rp)
{
    struct reply *r = *rp;
    if (r == NULL)
        return;
    if (r->mhd)
        MHD_destroy_response(r->mhd);
    free(r);
    *rp = NULL;
}

bool reply_again(struct request *rq, int status, const struct reply *r)
{
    if (rq->close || rq->serve->draining || rq->stage == STAGE_HELD || rq->n_reply_headers > 0)
        return false;
    rq->kept = r->mhd;
    answer(rq, status, NULL, STR(""));
    return true;
}

void reply_redirect(struct request *rq, const char *url)
{
    reply_header(rq, "Location", url);
    answer(rq, 303, "text/plain; charset=utf-8", STR("Go on.\n"));
}

void reply_error(struct request *rq, int status, const char *what)
{
    if (rq->serve->error_page)
        rq->serve->error_page(rq, status, what, rq->serve->app);
    if (!rq->answered)
        answer(rq, status, "text/plain; charset=utf-8", str_of(what));
}

void serve_refuse(struct request *rq, int status, const char *what)
{
    /* After a framing error nobody knows where the next request begins. */
    if (status == 400 || status == 413 || status == 415 || status == 431 || status == 505)
        reply_close(rq);
    if (status == 431) { /* little room is left for more */
        reply_for_program(rq);
        answer(rq, status, "text/plain; charset=utf-8",
               STR("Your browser sent more than is read here, most likely too many cookies. Delete "
                   "the cookies of this site, then try again.\n"));
    } else {
        reply_error(rq, status, what);
    }
}

void request_hold(struct request *rq)
{
    rq->held = true;
}

static bool has_header(const struct request *rq, const char *name)
{
    for (size_t i = 0; i < rq->n_reply_headers; i++)
        if (strcasecmp(rq->reply_headers[i].name, name) == 0)
            return true;
    return false;
}

/* Pictures may come from any https host; in development, on plain http, from http ones too. */
#define CSP(images)                                                                                \
    "default-src 'none'; style-src 'self'; img-src 'self' " images "; form-action 'self'; "        \
    "base-uri 'none'; frame-ancestors 'none'"

static bool add(struct MHD_Response *r, const char *name, const char *value)
{
    return MHD_add_response_header(r, name, value) == MHD_YES;
}

/* Every header call is checked: a redirect that lost its Location must not leave. */
static bool add_headers(struct request *rq, struct MHD_Response *r)
{
    bool ok = true;
    for (size_t i = 0; i < rq->n_reply_headers; i++)
        ok = ok && add(r, rq->reply_headers[i].name, rq->reply_headers[i].value);
    if (rq->close || rq->serve->draining)
        ok = ok && add(r, "Connection", "close");
    if (rq->bare)
        return ok && add(r, "Cache-Control", "no-store");
    if (rq->content_type)
        ok = ok && add(r, "Content-Type", rq->content_type);
    if (!has_header(rq, "Cache-Control"))
        ok = ok && add(r, "Cache-Control", "no-store");
    if (rq->lean)
        return ok && add(r, "X-Content-Type-Options", "nosniff");
    if (!has_header(rq, "Content-Security-Policy"))
        ok = ok && add(r, "Content-Security-Policy",
                       rq->serve->hsts ? CSP("https:") : CSP("https: http:"));
    if (rq->serve->hsts)
        ok = ok && add(r, "Strict-Transport-Security", "max-age=31536000");
    if (!has_header(rq, "Referrer-Policy"))
        ok = ok && add(r, "Referrer-Policy", "no-referrer");
    return ok && add(r, "X-Content-Type-Options", "nosniff") && add(r, "X-Frame-Options", "DENY") &&
           add(r, "Cross-Origin-Opener-Policy", "same-origin") &&
           add(r, "Permissions-Policy", "camera=(), geolocation=(), microphone=()") &&
           add(r, "X-Request-Id", request_id(rq));
}

enum MHD_Result serve_queue(struct request *rq)
{
    if (rq->kept) {
        rq->stage = STAGE_ANSWERED;
        serve_conn_owes(rq->conn);
        return MHD_queue_response(rq->conn->mhd, (unsigned)rq->status, rq->kept);
    }
    struct MHD_Response *r = MHD_create_response_from_buffer(
        rq->answer.n, (void *)(uintptr_t)rq->answer.p, MHD_RESPMEM_PERSISTENT);
    enum MHD_Result result;
    rq->stage = STAGE_ANSWERED;
    serve_conn_owes(rq->conn);
    if (r != NULL && !rq->broken && add_headers(rq, r)) {
        result = MHD_queue_response(rq->conn->mhd, (unsigned)rq->status, r);
    } else {
        log_event(request_log(rq), LOG_ERROR, "http.unanswerable", LF_INT("status", rq->status));
        rq->status = 500;
        result = MHD_queue_response(rq->conn->mhd, 500, rq->serve->failed);
    }
    if (r != NULL)
        MHD_destroy_response(r);
    return result;
}
