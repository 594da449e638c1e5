/* SPDX-License-Identifier: Apache-2.0 */
/*
 * serve: HTTP in. libmicrohttpd in external epoll mode on our loop, behind a gate that refuses what
 * the library lets through (duplicate or malformed framing headers, odd targets, methods and
 * versions), with deadlines of our own. Only serve*.c know libmicrohttpd.
 *
 * A handler runs on the loop and must not block. It answers with one reply_* call before it
 * returns, or calls request_hold and answers later from the loop. Everything a request hands out
 * lives until its answer is sent; what it allocates comes from its arena.
 */
#ifndef WEB_SERVE_H
#define WEB_SERVE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/form.h"
#include "base/json.h"
#include "sys/log.h"
#include "sys/loop.h"
#include "sys/metrics.h"

struct serve;
struct request;

typedef void serve_handler(struct request *rq, void *app);

enum route_flag {
    ROUTE_ANY_HOST = 1u << 0, /* reachable under any Host: probes and forward auth */
    ROUTE_QUIET = 1u << 1,    /* no access log line */
    ROUTE_JSON = 1u << 2,     /* the body, if there is one, is JSON in UTF-8 and may hold secrets */
    ROUTE_ADMIN = 1u << 3,    /* served on the admin socket as well */
    ROUTE_LOCAL = 1u << 4,    /* ... and nowhere else */
    ROUTE_SLOW = 1u << 5,     /* takes long enough that only a few are begun in one round */
    ROUTE_SECRET = 1u << 6,   /* what '*' matches is a secret: the log has the route's path */
    ROUTE_OPEN = 1u << 7,     /* answers everybody alike: nobody needs to know who asks */
    /* Which rate limit of web/limit.h counts it; none unless told. Session checks have none. */
    ROUTE_LOGIN = 1u << 8,    /* a sign-in begins */
    ROUTE_CALLBACK = 2u << 8, /* ... and comes back */
    ROUTE_API = 3u << 8,      /* what admins and their programs ask for */
    ROUTE_ACCOUNT = 4u << 8,  /* what people change about themselves */
    ROUTE_TOKEN = 5u << 8,    /* what apps ask for by themselves, from few addresses */
    ROUTE_REGISTER = 6u << 8, /* apps that register themselves, and manage what they did */
    ROUTE_DEVICE = 7u << 8,   /* codes of devices, which people type and others guess */
    ROUTE_CLASS = 7u << 8,    /* all of these bits */
    ROUTE_TABLE = 1u << 11,   /* its form is a table: more fields than any other has */
    /* Whatever the method: some proxies ask with the one of the original request. */
    ROUTE_ANY_METHOD = 1u << 12,
};

#define ROUTE_PARTS_MAX 2

/* Exact path, or one with '*' for whole segments, at most two: what they match (not empty, without
 * '/') are the parts of the request. */
struct route {
    const char *method; /* "GET" also serves HEAD */
    const char *path;
    serve_handler *handler;
    unsigned flags;
    size_t body_max;  /* of a body, a form's unless ROUTE_JSON; 0: none is accepted */
    const void *data; /* the handler's own */
};

struct serve_options {
    const char *listen; /* "127.0.0.1:8080", "[::1]:8080", "unix:/path" */
    const char *host;   /* Host we answer to, with the port if not the default; NULL: any */
    const char *const *trusted_proxies; /* networks whose X-Forwarded-* count; NULL-ended */
    unsigned max_connections;
    int64_t idle_seconds;     /* a kept-alive connection without a request */
    int64_t deadline_seconds; /* from the first byte of a request to its last, and for the answer */
    size_t memory_per_connection; /* request head; 0: 24 KiB */
    bool hsts;                    /* public_url is https */
    bool admin;                   /* the admin socket: ROUTE_ADMIN and ROUTE_LOCAL, nothing else */
    unsigned mode;                /* of a socket file; 0: 0660 */
    struct metrics *metrics;      /* borrowed */
};

struct serve *serve_new(struct loop *l, const struct serve_options *o, const struct route *routes,
                        size_t n, void *app, struct err *err) __attribute__((warn_unused_result));
/* The port really bound (for port 0). */
int serve_port(const struct serve *s);
/* Stop accepting; `done` runs when every request under way is answered and sent. */
void serve_drain(struct serve *s, loop_job_fn *done, void *arg);
/* No handler runs any more, nor does `before` or the error page: whoever asks on a connection he
 * kept hears a plain 503. What was held may still be answered. The app may go. */
void serve_end(struct serve *s);
void serve_free(struct serve **s);
/* The answer to a path no route has, and to everything the gate refuses after routing. */
typedef void serve_error_page(struct request *rq, int status, const char *what, void *app);
void serve_set_error_page(struct serve *s, serve_error_page *page);

/* Called for each request that the gate let through, before its handler: true: go on. false: it was
 * answered, or it is held, and request_go follows. Set it before the loop runs. */
typedef bool serve_before_fn(struct request *rq, void *app);
void serve_set_before(struct serve *s, serve_before_fn *before);
/* Now to the handler: once for a request that `before` holds, unless it was answered instead. */
void request_go(struct request *rq);

/* ---- request */
struct arena *request_arena(struct request *rq);
const char *request_method(const struct request *rq);
bool request_is_head(const struct request *rq);
const char *request_path(const struct request *rq);
/* What the i-th '*' of the route matched, "" when it has no such. */
const char *request_part(const struct request *rq, unsigned i);
const char *request_rest(const struct request *rq); /* the first */
const struct route *request_route(const struct request *rq);
/* 1 and *value; 0 absent or empty header; -1 more than once. Names are compared without case. */
int request_header(const struct request *rq, const char *name, const char **value)
    __attribute__((warn_unused_result));
/* Each value of a header that may come more than once: *at begins at 0; false: no more. */
bool request_header_next(const struct request *rq, struct str name, size_t *at, struct str *value);
/* How much longer the head of the answer may be than it usually is. */
size_t request_room(const struct request *rq);
int request_cookie(const struct request *rq, struct str name, struct str *value)
    __attribute__((warn_unused_result));
/* Every value of that name, in order, at most `max`; how many. */
size_t request_cookies(const struct request *rq, struct str name, struct str *values, size_t max);
/* Parsed on first use; NULL: malformed (answer 400). */
const struct fields *request_query(struct request *rq);
const struct fields *request_form(struct request *rq);
/* As it came. */
struct str request_body(const struct request *rq);
/* The JSON body, parsed on first use: 1 and *out, 0 there is none, -1 malformed (answer 400). */
int request_json(struct request *rq, const struct jval **out, struct err *err)
    __attribute__((warn_unused_result));
const char *request_id(struct request *rq);
const char *request_client(struct request *rq); /* address text, through trusted proxies */
/* The same as an address, without a port. false: all that is known is a proxy of ours, who did not
 * say for whom it asks, or the admin socket. */
bool request_address(struct request *rq, struct sockaddr_storage *out);
bool request_from_trusted_proxy(const struct request *rq);
bool request_is_local(const struct request *rq); /* it came by the admin socket */
/* Who is at the other end of a socket file; false on TCP. */
bool request_peer(const struct request *rq, unsigned *uid, unsigned *pid);
const struct log_ctx *request_log(struct request *rq);
/* A POST that came from our own pages: Sec-Fetch-Site and Origin agree (RFC 6265bis 8.8). */
bool request_same_origin(const struct request *rq, const char *public_origin);

/* ---- answer */
void reply_header(struct request *rq, const char *name, const char *value);
void reply_header_static(struct request *rq, const char *name, const char *value); /* outlives rq */
/* The body must live until the answer is sent: static data or the request's arena. */
void reply_send(struct request *rq, int status, const char *content_type, struct str body);
void reply_empty(struct request *rq, int status);
/* An empty answer made once and given many times, for what is asked for most. Headers are copied.
 * NULL: one of them is refused. */
struct reply;
struct reply_header {
    const char *name, *value;
};
struct reply *reply_make(const struct reply_header *headers, size_t n);
/* The same with a body, which is copied; `headers` say its type and how long it may be kept. */
struct reply *reply_make_body(const struct reply_header *headers, size_t n, struct str body);
void reply_free(struct reply **r); /* answers under way keep what they need */
/* false: not now (this connection is to be closed); answer in another way. */
bool reply_again(struct request *rq, int status, const struct reply *r)
    __attribute__((warn_unused_result));
/* 303 See Other, with Referrer-Policy: no-referrer. */
void reply_redirect(struct request *rq, const char *url);
/* The error page set above. `what` is one plain sentence of ours. */
void reply_error(struct request *rq, int status, const char *what);
/* The answer is for a program, not for a browser's window: without the headers that are only there
 * to keep pages safe. Nothing is stored of it, and nobody may guess at its type. */
void reply_for_program(struct request *rq);
/* Close the connection after this answer. */
void reply_close(struct request *rq);

/* Answer later: the connection waits without a thread. Exactly one reply_* must follow. */
void request_hold(struct request *rq);

#endif
