/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fetch_parts: what the files of fetch share with each other, and nobody else may include.
 *
 *     fetch.c          the loop's side: sockets, timers, starting, ending, delivering
 *     fetch_pool.c     pools: how many at once, who waits, the rate budget
 *     fetch_request.c  a request judged and copied: URL, headers, body, credentials
 *     fetch_easy.c     libcurl handles: every option, the address judge
 *     fetch_answer.c   counting and keeping what comes back, and naming what went wrong
 *
 * A call is in exactly one place: a pool's waiting list, a pool's active list (libcurl has its
 * handle), or the fetch's ready list (ended, its callback comes in the next round of the loop).
 */
#ifndef NET_FETCH_PARTS_H
#define NET_FETCH_PARTS_H

#include <curl/curl.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/url.h"
#include "net/fetch.h"
#include "sys/clock.h"
#include "usher/provider.h"

#define FETCH_HEADER_BYTES_MAX (32u * 1024) /* of one answer, interim ones included */
#define FETCH_HEADER_COUNT_MAX 128
#define FETCH_AGREED 8                 /* URLs a pool knows to be read in one way */
#define FETCH_BLOCKS_MAX 8             /* status lines: 1xx answers and the real one */
#define FETCH_REQUEST_MAX (64u * 1024) /* a request's body, or all its headers */
#define FETCH_CLOSED_MAX_S 300         /* the longest Retry-After we believe */
#define FETCH_COLD_MAX 32              /* connect at once until a connection stands */
#define FETCH_POST_SENDS_MAX 2         /* a code or refresh token is repeated once at most */
#define FETCH_IDLE_MAX 64              /* easy handles kept */
#define FETCH_STARTS 8                 /* calls begun in one round of the loop, 0.1 ms each */
#define FETCH_DELIVERIES 8             /* callbacks in one round */

struct call_list {
    struct fetch_call *first, *last;
};
void call_list_add(struct call_list *l, struct fetch_call *c); /* at the end */
void call_list_remove(struct fetch_call *c);                   /* from the list it is in, if any */

/* A socket of libcurl's, by its number. */
struct fetch_socket {
    struct loop_watch *watch;
    bool ours;   /* opened for libcurl, and closed for it: nobody else has the number meanwhile */
    bool parked; /* no transfer uses it; the watch stays for the next one */
};

struct fetch {
    struct loop *loop;
    CURLM *multi;
    struct loop_timer *curl_timer;
    struct loop_timer *ready_timer;
    struct call_list ready;
    unsigned ready_count;
    struct fetch_pool *pools; /* all that live, freed by their owner or not */
    char *ca_file;
    bool allow_http_loopback;
    unsigned in_flight, max_in_flight;
    unsigned kept;                  /* connections libcurl may have, in use or not */
    struct loop_timer *start_timer; /* calls wait only for the next round */
    uint64_t round;
    unsigned started; /* in that round */
    struct fetch_socket *sockets;
    size_t n_sockets;
    CURL *idle[FETCH_IDLE_MAX];
    unsigned n_idle;
};

struct fetch_pool {
    struct fetch *f; /* NULL: fetch_free came first, this is only a shell */
    struct fetch_pool *next;
    bool released; /* the owner let go of it; ends with its last call */
    char *name, *user_agent;
    char *ca_file;              /* NULL: the fetch's */
    char **allow_private;       /* lower case, NULL-ended; NULL: none */
    char *agreed[FETCH_AGREED]; /* URLs that libcurl reads as we do; NULL: none yet */
    unsigned agreed_next;       /* makes way for the next one */
    int64_t connect_ms, total_ms;
    size_t body_max;
    unsigned max_in_flight, in_flight, waiting_count, ready_count;
    unsigned connecting; /* of those in flight: not yet connected */
    struct call_list waiting, active;
    bool warm;                /* its upstream was reached since the last failure to */
    struct mono closed_until; /* ns == 0: open */
};

struct fetch_call {
    struct fetch_call *prev, *next;
    struct call_list *list;
    struct fetch_pool *pool;
    fetch_done_fn *done;
    void *arg;
    struct arena *arena;
    struct mono began;
    int64_t total_ms;
    struct loop_timer *wait_timer; /* while waiting: its deadline */
    CURL *easy;                    /* while active */
    bool delivering;               /* its callback is running */
    /* the request */
    struct url url;
    const char *text_url;
    bool is_post;
    bool may_loopback, may_private; /* which addresses besides public ones */
    struct curl_slist *headers;     /* wiped when freed */
    struct buf body;                /* wiped when freed */
    size_t body_max;
    /* the answer */
    size_t header_bytes;
    unsigned blocks;
    unsigned sends; /* how often the request went out: libcurl repeats it when a kept
                       connection turns out to be dead */
    bool head_done;
    bool refused, too_large, connected;
    struct field *fields;
    size_t n_fields, fields_room;
    struct buf answer; /* wiped when freed: it may hold tokens */
    struct fetch_result result;
};

/* fetch.c: end a call without (further) network; its callback comes in the next round. */
void fetch_end_soon(struct fetch_call *c, uint32_t transport, enum err_kind kind, const char *text);
/* fetch.c: give a call to libcurl. */
void fetch_activate(struct fetch_call *c);

/* fetch_pool.c: let a new call run, wait, or end as LIMITED. */
void fetch_pool_admit(struct fetch_call *c);
/* Start waiting calls while there is room; a few a round, or libcurl would begin hundreds at once
 * and nothing else would happen meanwhile. */
void fetch_pool_dispatch(struct fetch *f);
/* What an answer says about the rate: may close the pool. */
void fetch_pool_note(struct fetch_pool *p, const struct fetch_result *r);
/* Free the pool if its owner let go and nothing is left. */
void fetch_pool_maybe_free(struct fetch_pool *p);
void fetch_pool_unlink(struct fetch_pool *p);

/* fetch_request.c: -1 with ERR_MISCONFIGURED: the request must not be made. */
int fetch_request_take(struct fetch_call *c, const struct fetch_request *rq, struct err *err)
    __attribute__((warn_unused_result));
void fetch_slist_wipe(struct curl_slist **l);

/* fetch.c: something is to be read or written where libcurl waits for it. */
void fetch_socket_ready(struct fetch *f, int fd, unsigned events);

/* fetch_socket.c: libcurl's callbacks, and the end. */
int fetch_socket_watch(CURL *easy, curl_socket_t fd, int what, void *fetch, void *unused);
void fetch_socket_opened(struct fetch *f, int fd);
int fetch_socket_close(void *fetch, curl_socket_t fd);
void fetch_sockets_free(struct fetch *f);

/* fetch_easy.c */
CURLcode fetch_easy_global(void);
CURL *fetch_easy_new(void);
void fetch_easy_set(CURL *easy, struct fetch_call *c, int64_t left_ms);
void fetch_easy_clear(CURL *easy);

/* fetch_answer.c: libcurl's callbacks, then the verdict. */
size_t fetch_answer_header(char *p, size_t size, size_t n, void *call);
size_t fetch_answer_body(char *p, size_t size, size_t n, void *call);
void fetch_answer_finish(struct fetch_call *c, CURLcode code, long status);

#endif
