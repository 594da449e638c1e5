/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fetch: every HTTP request usher makes, on the loop, through curl_multi's socket API. The one file
 * that knows libcurl. https only (http for loopback in development); the address is judged after
 * resolution, on connect (net/origin); no redirects, cookies, proxies, netrc or compression; bytes,
 * headers and time are counted by us. Connections are kept per pool (one pool per provider). A
 * pool's rate budget obeys Retry-After: while it is closed, requests end at once as LIMITED.
 * Secrets are in `struct fetch_part`s and are put together here, at the last moment.
 */
#ifndef NET_FETCH_H
#define NET_FETCH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/form.h"
#include "base/text.h"
#include "sys/loop.h"
#include "sys/seal.h"

struct fetch;      /* one per loop */
struct fetch_pool; /* one per provider */
struct fetch_call; /* one request under way */

struct fetch_options {
    bool allow_http_loopback; /* development: http to 127.0.0.0/8, ::1, localhost */
    const char *ca_file;      /* NULL: the system's bundle */
    unsigned max_in_flight;   /* 0: 4096; more wait in a queue */
};
struct fetch_pool_options {
    const char *name;       /* what the cache keeps its copies by */
    const char *user_agent; /* NULL: "usher/VERSION" */
    const char *const
        *allow_private;           /* hosts that may resolve to special-use addresses; NULL-ended */
    const char *ca_file;          /* PEM; NULL: the fetch's */
    int64_t connect_ms, total_ms; /* 0: 5000, 10000 */
    size_t body_max;              /* 0: 256 KiB */
    unsigned max_in_flight;       /* 0: 1024 */
};

struct fetch *fetch_new(struct loop *l, const struct fetch_options *o, struct err *err)
    __attribute__((warn_unused_result));
void fetch_free(struct fetch **f); /* cancels what is under way, without callbacks */
struct fetch_pool *fetch_pool_new(struct fetch *f, const struct fetch_pool_options *o);
void fetch_pool_free(struct fetch_pool **p); /* lives on until its last call ends */
const char *fetch_pool_name(const struct fetch_pool *p);

/* Text, then a secret, then text: the value of a header or a form field. */
struct fetch_part {
    const char *name;
    const char *before;          /* "" or NULL: nothing */
    const struct secret *secret; /* or NULL */
};

enum fetch_body { FETCH_BODY_NONE = 0, FETCH_BODY_FORM, FETCH_BODY_JSON };

struct fetch_request {
    const char *url; /* copied, like everything here */
    const struct fetch_part *headers;
    size_t n_headers;
    enum fetch_body body_kind;
    const struct fetch_part *form; /* FORM: fields in order */
    size_t n_form;
    const char *json;       /* JSON */
    const char *basic_user; /* HTTP Basic, RFC 6749 2.3.1 encoding; NULL: none */
    const struct secret *basic_password;
    size_t body_max;  /* 0: the pool's */
    int64_t total_ms; /* 0: the pool's */
};

/* Values of enum usher_transport. */
struct fetch_result {
    uint32_t transport;
    int status;
    const struct field *headers; /* lower-case names */
    size_t n_headers;
    const char *content_type; /* lower case, no parameters, "" */
    const char *charset;      /* lower case, "" */
    struct str body;
    int64_t retry_after; /* seconds, -1 */
    int64_t ms;          /* how long it took */
    struct err err;      /* transport != OK: what happened, without upstream text */
};

/* Called once on the loop's thread, never from within fetch_start; result lives until it returns.
 */
typedef void fetch_done_fn(void *arg, const struct fetch_result *r);
struct fetch_call *fetch_start(struct fetch_pool *p, const struct fetch_request *rq,
                               fetch_done_fn *done, void *arg);
/* No callback will come. */
void fetch_cancel(struct fetch_call **c);

#endif
