/* SPDX-License-Identifier: Apache-2.0 */
/*
 * FETCH: up to four requests in parallel, and what all requests of a drive share: how they start
 * and are booked, secrets by reference, what counts as JSON, and issuer metadata.
 */
#include <stdlib.h>

#include "base/url.h"
#include "login/drive_parts.h"

/* ---- what all requests share ---------------------------------------------------------------- */

void drive_fetch_start(struct drive *d, size_t i, const char *step, const struct fetch_request *rq,
                       fetch_done_fn *done)
{
    const struct drive_io *io = d->args.io;
    d->calls[i].step = step;
    d->under_way++;
    d->calls[i].handle = io->fetch(io->ctx, d->args.provider, rq, done, &d->calls[i]);
}

void drive_cached_start(struct drive *d, size_t i, const char *step, const struct cache_request *rq,
                        fetch_done_fn *done)
{
    const struct drive_io *io = d->args.io;
    d->calls[i].step = step;
    d->under_way++;
    if (io->at_hand && io->at_hand(io->ctx, d->args.provider, rq, done, &d->calls[i]))
        return; /* the drive has gone on, and may be gone */
    d->calls[i].handle = io->cached(io->ctx, d->args.provider, rq, done, &d->calls[i]);
}

struct drive *drive_answered(struct drive_call *call, const struct fetch_result *r)
{
    struct drive *d = call->d;
    call->handle = NULL;
    d->under_way--;
    if (d->args.observe)
        d->args.observe(d->args.observe_arg, call->step, r->ms);
    return d;
}

int drive_transport(const struct fetch_result *r, const char *what, struct err *err)
{
    switch (r->transport) {
    case USHER_TRANSPORT_OK:
        return 0;
    case USHER_TRANSPORT_TIMEOUT:
        return err_set(err, ERR_UPSTREAM_DOWN, "%s did not answer in time", what);
    case USHER_TRANSPORT_UNREACHABLE:
        return err_set(err, ERR_UPSTREAM_DOWN, "%s cannot be reached", what);
    case USHER_TRANSPORT_LIMITED:
        return err_set(err, ERR_UPSTREAM_DOWN, "%s: the upstream's rate limit is used up", what);
    case USHER_TRANSPORT_REFUSED:
        return err_set(err, ERR_MISCONFIGURED, "%s: usher does not talk to that address", what);
    case USHER_TRANSPORT_TOO_LARGE:
        return err_set(err, ERR_UPSTREAM_BAD, "%s: the answer is too large", what);
    default:
        return err_set(err, ERR_UPSTREAM_BAD, "%s: the answer is broken off or not HTTP", what);
    }
}

bool drive_json_type(const struct fetch_result *r)
{
    struct str type = str_of(r->content_type);
    if (*r->charset && !str_is_nocase(str_of(r->charset), "utf-8"))
        return false;
    return str_is(type, "application/json") ||
           (str_starts(type, "application/") && str_ends(type, "+json"));
}

struct jval *drive_keep(struct drive *d, struct jval *take)
{
    d->kept = mem_grow(d->kept, (d->n_kept + 1) * sizeof(struct jval *));
    d->kept[d->n_kept++] = take;
    return take;
}

/* A document that every flow asks for is parsed once, not once a flow. */
static struct jval *shared_json(struct drive *d, const struct usher_request *rq,
                                const struct fetch_result *r)
{
    const bool any_type = rq->flags & USHER_ANY_CONTENT_TYPE;
    const struct drive_io *io = d->args.io;
    if (rq->cache_seconds <= 0 || !io->json || (!any_type && !drive_json_type(r)))
        return drive_json(d, r, any_type);
    struct jval *v = io->json(io->ctx, rq->url, r->body);
    return v ? drive_keep(d, v) : NULL;
}

struct jval *drive_json(struct drive *d, const struct fetch_result *r, bool any_type)
{
    struct err ignored = ERR_INIT; /* malformed is the same as none */
    if (r->transport != USHER_TRANSPORT_OK || (!any_type && !drive_json_type(r)))
        return NULL;
    struct jval *v = jval_parse(r->body, JSON_SIZE_MAX, JSON_DEPTH_MAX, &ignored);
    return v ? drive_keep(d, v) : NULL;
}

int drive_parts(struct drive *d, const struct usher_param *v, size_t n, struct fetch_part *out,
                struct err *err)
{
    for (size_t i = 0; i < n; i++) {
        const char *text = NULL;
        const struct secret *secret = leg_value(d->leg, &v[i], &text);
        out[i] = (struct fetch_part){.name = v[i].name, .before = text, .secret = secret};
        if (!secret && (!text || v[i].kind == USHER_VALUE_ACCESS_TOKEN))
            return err_set(err, ERR_MISCONFIGURED, "%s needs a secret or token that is not there",
                           v[i].name);
    }
    return 0;
}

size_t drive_headers_accept(struct fetch_part *headers, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (str_is_nocase(str_of(headers[i].name), "accept"))
            return n;
    headers[n] = (struct fetch_part){.name = "accept", .before = "application/json"};
    return n + 1;
}

#define ORIGIN_MAX 512

/* ---- issuer metadata ------------------------------------------------------------------------ */

/* Endpoints of OpenID Connect Discovery 1.0 section 3 and RFC 8414 section 2 that may get secrets,
 * or whose content we trust. */
static const char *const endpoints[] = {
    "authorization_endpoint", "token_endpoint",         "userinfo_endpoint",   "jwks_uri",
    "revocation_endpoint",    "introspection_endpoint", "end_session_endpoint"};

/* Whether an address lies below an origin that was taken from a good one: then it has that origin,
 * whatever comes behind the slash. */
static bool is_below(const char *text, const char *origin)
{
    const size_t n = strlen(origin);
    return n > 0 && strncmp(text, origin, n) == 0 && text[n] == '/';
}

/* https, or http on loopback where the issuer itself is that (development). `last`: the origin
 * declared before this one; most documents have only one. */
static int declare_endpoint(struct drive *d, const char *name, const char *text, bool http_loopback,
                            char last[ORIGIN_MAX], struct err *err)
{
    struct url u;
    struct buf origin;
    struct err ignored = ERR_INIT;
    if (text && is_below(text, last))
        return 0;
    if (!text || url_parse(d->arena, str_of(text), &u, &ignored) != 0)
        return err_set(err, ERR_UPSTREAM_BAD, "issuer metadata: %s is no URL", name);
    if (strcmp(u.scheme, "https") != 0 && !(http_loopback && url_is_loopback(&u)))
        return err_set(err, ERR_UPSTREAM_BAD, "issuer metadata: %s is not https", name);
    buf_init(&origin, ORIGIN_MAX - 1);
    url_origin(&u, &origin);
    leg_declare_origin(d->leg, origin.p);
    memcpy(last, origin.p, origin.n + 1);
    buf_deinit(&origin);
    return 0;
}

static int read_metadata(struct drive *d, const char *issuer, const struct jval *doc,
                         struct err *err)
{
    struct url u;
    struct err ignored = ERR_INIT;
    char last[ORIGIN_MAX] = "";
    const char *said = jval_text(jval_get(doc, "issuer"));
    if (!said)
        return err_set(err, ERR_UPSTREAM_BAD, "issuer metadata names no issuer");
    if (strcmp(said, issuer) != 0)
        return err_set(err, ERR_MISCONFIGURED,
                       "issuer metadata is of another issuer than the configured one");
    bool loopback = url_parse(d->arena, str_of(issuer), &u, &ignored) == 0 && url_is_loopback(&u) &&
                    strcmp(u.scheme, "http") == 0;
    for (size_t i = 0; i < sizeof endpoints / sizeof *endpoints; i++) {
        const struct jval *v = jval_get(doc, endpoints[i]);
        if (jval_type(v) > JVAL_NULL &&
            declare_endpoint(d, endpoints[i], jval_text(v), loopback, last, err) != 0)
            return -1;
    }
    return 0;
}

/* ---- FETCH ---------------------------------------------------------------------------------- */

static void copy_response(struct drive *d, const struct usher_request *rq,
                          const struct fetch_result *r, struct usher_response *out)
{
    struct arena *a = d->arena;
    *out = (struct usher_response){.size = sizeof *out,
                                   .transport = r->transport,
                                   .retry_after = r->retry_after,
                                   .content_type = "",
                                   .body = ""};
    if (r->transport != USHER_TRANSPORT_OK)
        return;
    struct usher_field *headers = arena_alloc(a, (r->n_headers + 1) * sizeof *headers);
    for (size_t i = 0; i < r->n_headers; i++)
        headers[i] = (struct usher_field){arena_dup(a, r->headers[i].name),
                                          arena_dup(a, r->headers[i].value)};
    out->status = r->status;
    out->content_type = arena_dup(a, r->content_type);
    out->headers = headers;
    out->n_headers = r->n_headers;
    out->body = arena_str(a, r->body);
    out->body_len = r->body.n;
    out->json = (const struct usher_json *)shared_json(d, rq, r);
}

/* All are there. */
static void responded(struct drive *d)
{
    struct err err = ERR_INIT;
    for (size_t i = 0; i < d->n_requests; i++) {
        const char *issuer = d->requests[i].metadata_issuer;
        const struct jval *doc = (const struct jval *)d->responses[i].json;
        if (issuer && d->responses[i].status == 200 && doc &&
            read_metadata(d, issuer, doc, &err) != 0) {
            drive_fail(d, &err);
            return;
        }
    }
    const struct usher_event ev = {.size = sizeof ev,
                                   .kind = USHER_RESPONSES,
                                   .responses = d->responses,
                                   .n_responses = d->n_requests};
    drive_step(d, &ev);
}

static void on_response(void *arg, const struct fetch_result *r)
{
    struct drive_call *call = arg;
    size_t i = call->index;
    struct drive *d = drive_answered(call, r);
    copy_response(d, &d->requests[i], r, &d->responses[i]);
    if (d->under_way == 0)
        responded(d);
}

/* Only JSON is worth keeping: an error page must not stand in for a document. */
static bool usable_json(const struct fetch_result *r)
{
    struct err ignored = ERR_INIT;
    struct jval *v =
        drive_json_type(r) ? jval_parse(r->body, JSON_SIZE_MAX, JSON_DEPTH_MAX, &ignored) : NULL;
    bool good = v != NULL;
    jval_free(&v);
    return good;
}

static int start_request(struct drive *d, size_t i, struct err *err)
{
    const struct usher_request *rq = &d->requests[i];
    struct fetch_part *headers = arena_alloc(d->arena, (rq->n_headers + 1) * sizeof *headers);
    struct fetch_part *form = arena_alloc(d->arena, (rq->n_form + 1) * sizeof *form);
    if (drive_parts(d, rq->headers, rq->n_headers, headers, err) != 0 ||
        drive_parts(d, rq->form, rq->n_form, form, err) != 0)
        return -1;
    size_t n_headers = drive_headers_accept(headers, rq->n_headers);
    const char *step = rq->metadata_issuer ? "metadata" : "fetch";
    if (rq->cache_seconds > 0) { /* the leg saw to it that there is neither form nor secret */
        const struct cache_request cached = {
            .url = rq->url,
            .headers = headers,
            .n_headers = n_headers,
            .ttl_seconds = rq->cache_seconds,
            .usable = rq->flags & USHER_ANY_CONTENT_TYPE ? NULL : usable_json};
        drive_cached_start(d, i, step, &cached, on_response);
        return 0;
    }
    const struct fetch_request plain = {.url = rq->url,
                                        .headers = headers,
                                        .n_headers = n_headers,
                                        .body_kind = rq->form ? FETCH_BODY_FORM : FETCH_BODY_NONE,
                                        .form = form,
                                        .n_form = rq->n_form};
    drive_fetch_start(d, i, step, &plain, on_response);
    return 0;
}

int drive_requests(struct drive *d, const struct usher_action *act, struct err *err)
{
    d->requests = act->requests;
    d->n_requests = act->n_requests;
    d->under_way++; /* some are answered at once: no step before the last has begun */
    for (size_t i = 0; i < d->n_requests; i++)
        if (start_request(d, i, err) != 0)
            return -1;
    if (--d->under_way == 0)
        responded(d);
    return 0;
}
