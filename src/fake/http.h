/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http: the server under usher-fake: HTTP/1.1 on raw sockets, a thread with a small stack per
 * connection, keep-alive. Own code instead of a library, because a look-alike has to misbehave byte
 * by byte. It listens on loopback addresses only. Not for production, and never near it.
 */
#ifndef FAKE_HTTP_H
#define FAKE_HTTP_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/form.h"

#define HTTP_HEAD_MAX (64u * 1024)
#define HTTP_BODY_MAX (256u * 1024)
#define HTTP_FIELDS_MAX 100

struct http_server;
struct http_conn;

/* One request; everything lives in the arena until it is answered. */
struct http_request {
    struct arena *arena;
    const char *method;
    const char *path;     /* percent-decoded */
    struct str query;     /* raw */
    struct fields fields; /* of the query */
    bool has_form;        /* the body is form-encoded, by its content type, and well formed */
    struct fields form;
    const struct field *headers; /* lower-case names */
    size_t n_headers;
    struct str body;
};
const char *http_request_header(const struct http_request *rq, const char *name); /* NULL: none */
/* A query field that occurs once, or NULL. */
const char *http_query(const struct http_request *rq, const char *name);
const char *http_form(const struct http_request *rq, const char *name);

struct http_reply {
    int status;
    const char *type;   /* content type with parameters; NULL: none */
    struct buf headers; /* "Name: value\r\n"… */
    struct buf body;
    bool close;
};
void http_reply_init(struct http_reply *r);
void http_reply_deinit(struct http_reply *r);
void http_reply_header(struct http_reply *r, const char *name, const char *value);
const char *http_reason(int status);

/* Answers one request with http_send or the raw calls below. false: close the connection. */
typedef bool http_handler(void *ctx, struct http_conn *c, const struct http_request *rq);

/* "127.0.0.1:0" takes any port. ERR_MISCONFIGURED unless it is loopback. Then connections wait in
 * the queue until http_run. */
struct http_server *http_listen(const char *address, struct err *err)
    __attribute__((warn_unused_result));
void http_run(struct http_server *s, http_handler *handler, void *ctx);
/* Waits until every connection's thread has ended. */
void http_stop(struct http_server **s);
const char *http_base(const struct http_server *s); /* "http://127.0.0.1:4180" */

/* The head of a reply, complete with the empty line. `length` < 0: no Content-Length. */
void http_head(const struct http_reply *r, int64_t length, struct buf *out);
bool http_reply_send(struct http_conn *c, const struct http_request *rq,
                     const struct http_reply *r);
bool http_write(struct http_conn *c, const void *p, size_t n);
/* Sleep; false when the peer went away or the server stops. ms < 0: until then. */
bool http_sleep(struct http_conn *c, int64_t ms);
/* The next close sends RST. */
void http_reset(struct http_conn *c);

#endif
