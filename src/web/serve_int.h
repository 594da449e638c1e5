/* SPDX-License-Identifier: Apache-2.0 */
/*
 * serve_int: what serve.c (daemon and connections), serve_gate.c (what is refused) and
 * serve_request.c (reading and answering) share. Nobody else includes it.
 */
#ifndef WEB_SERVE_INT_H
#define WEB_SERVE_INT_H

#include <microhttpd.h>

#include "base/buf.h"
#include "net/origin.h"
#include "web/serve.h"

#define SERVE_HEADERS_MAX 64 /* request headers */
#define SERVE_REPLY_HEADERS_MAX 24
#define SERVE_TARGET_MAX 8192
#define SERVE_FIELDS_MAX 64
#define SERVE_TABLE_FIELDS_MAX 1024 /* of a form of ROUTE_TABLE */
#define SERVE_PATH_MAX 256
#define SERVE_BODY_SPILL (64 * 1024) /* read of a body over its limit, so the answer arrives */
#define SERVE_JSON_DEPTH 8
#define SERVE_MEMORY (24 * 1024) /* of a connection, unless told otherwise */
#define SERVE_NOTE_BYTES 64      /* the library's on each header, cookie and parameter */
#define SERVE_ANSWER_BYTES 6144  /* kept free for the head of an answer */

struct header {
    struct str name, value;
};

/* A connection is on one of two lists: those that owe us a whole request or are reading an answer,
 * in order of `since`, when that began; and those whose request a handler has. */
struct conn {
    struct conn *prev, *next;
    struct serve *serve;
    struct MHD_Connection *mhd;
    struct mono since;
    int64_t sampled; /* bytes received when it was last looked at, -1: not yet */
    struct request *rq;
    int fd;
    bool trusted; /* the peer is a trusted proxy */
    bool has_peer;
    unsigned uid, pid; /* of the peer, when has_peer */
    char peer[64];
};

enum stage { STAGE_NEW = 0, STAGE_BODY, STAGE_HANDLER, STAGE_HELD, STAGE_ANSWERED };

struct request {
    struct request *next_free, *next_turn;
    struct serve *serve;
    struct conn *conn;
    struct arena *arena;
    const struct route *route;
    const char *target;   /* raw, copied */
    uintptr_t target_end; /* where the library had it, behind its NUL; only to compare with */
    const char *path, *query;
    const char *told; /* instead of path in the log; NULL: path */
    const char *parts[ROUTE_PARTS_MAX];
    const char *method;
    /* Not cleared between requests: their counts, below, say how much of them is valid. */
    struct header headers[SERVE_HEADERS_MAX];
    struct {
        const char *name, *value;
    } reply_headers[SERVE_REPLY_HEADERS_MAX];
    size_t n_headers, n_reply_headers;
    size_t room;   /* for the head of the answer, beyond SERVE_ANSWER_BYTES */
    unsigned seen; /* headers that must come once, one bit each */
    struct buf body;
    size_t body_seen;
    struct fields query_fields, form_fields;
    int query_state, form_state, json_state; /* 0 not parsed, 1 good, -1 malformed */
    struct jval *json;
    const char *client;
    bool vague; /* client is a proxy of ours that did not say for whom it asks */
    struct mono began;
    uint64_t number;
    char id[32];
    struct log_field log_fields[1];
    struct log_ctx log;
    enum stage stage;
    bool counted; /* among serve->active */
    bool head, close, quiet, held, has_body;
    /* the answer */
    bool answered, bare, lean, broken; /* broken: a header found no room */
    int status;
    const char *content_type;
    struct str answer;
    struct MHD_Response *kept;
};

struct serve {
    struct loop *loop;
    struct MHD_Daemon *mhd;
    struct loop_watch *watch;
    struct loop_prepare *prepare;
    struct loop_timer *timer;
    bool stirred;         /* the library has something to do */
    struct mono ran, due; /* it ran last; it wants to run again by itself */
    const struct route *routes;
    size_t n_routes;
    struct metric_series **series; /* n_routes + 1 rows of 5 status classes */
    struct metrics *metrics;
    void *app;
    serve_error_page *error_page;
    serve_before_fn *before; /* NULL: nothing */
    struct origin_nets *proxies;
    char *host;
    int64_t deadline_ms;
    size_t memory; /* of a connection */
    bool hsts, admin, draining, ended;
    int port;
    struct conn owing, resting; /* heads of lists */
    struct {
        struct request *first, *last; /* waiting */
        struct loop_timer *timer;
        uint64_t round;
        unsigned taken; /* in that round */
    } turns;
    struct request *free;
    size_t active;
    uint64_t requests, opened; /* so far: requests, connections */
    char boot[13];             /* makes request ids differ between runs */
    loop_job_fn *drained;
    void *drained_arg;
    struct MHD_Response *failed; /* 500 without anything, for when building an answer fails */
};

/* serve.c */
extern const char serve_no_cookie[];   /* value of a header that nobody sent */
void serve_conn_owes(struct conn *c);  /* the deadline starts now */
void serve_conn_rests(struct conn *c); /* no deadline: a handler is at work */
void serve_handle(struct request *rq); /* run the handler; see that it answers or holds */

/* serve_turn.c: whether the handler may run now; if not, it will run in a later round. */
bool serve_turn_take(struct request *rq);
void serve_turn_open(struct serve *s);
void serve_turn_close(struct serve *s);

/* serve_gate.c: 0, or the status to refuse with and *what. Fills path, query, headers, route. */
int serve_gate(struct request *rq, const char *version, const char **what);
const char *serve_gate_header(const struct request *rq, struct str name, size_t *count);

/* serve_request.c */
enum MHD_Result serve_queue(struct request *rq);
void serve_refuse(struct request *rq, int status, const char *what);
void request_reset(struct request *rq);

#endif
