/* SPDX-License-Identifier: Apache-2.0 */
/* serve_fixture: a serve with a handful of made-up routes, for the suites of web/serve*.c. */
#ifndef TESTS_SERVE_FIXTURE_H
#define TESTS_SERVE_FIXTURE_H

#include <check.h>

#include "http_client.h"
#include "web/serve.h"

#define SERVE_HOST "usher.test"
#define HOST "Host: " SERVE_HOST "\r\n"
#define BIG_BYTES (200 * 1024)
#define BYTES_65 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef!"

struct serve_fixture {
    struct loop *loop;
    struct serve *serve;
    struct metrics *metrics;
    int port;
    struct request *held[8]; /* asked for /hold and not answered yet */
    size_t n_held;
    unsigned handled, drained;
    uint64_t slow_round; /* the last round that began requests for /slow, and how many at most */
    unsigned slow_taken, slow_most;
    int64_t slow_ns; /* what one of them takes, by a clock that stands still otherwise */
    char seen[4096]; /* what /look noted of the last request */
};
extern struct serve_fixture sf;

/* 127.0.0.1, an ephemeral port, SERVE_HOST, loopback trusted. */
void serve_fixture_options(struct serve_options *o);
void serve_fixture_start(void);
void serve_fixture_start_with(const struct serve_options *o);
void serve_fixture_stop(void);
/* One request on a connection of its own. */
void serve_fixture_ask(const char *request, struct http_answer *out);
int serve_fixture_status(const char *request);
/* Until so many requests are held. */
void serve_fixture_wait_held(size_t n);
void serve_fixture_drained(void *arg);

/* Bytes in, status out; 0: closed without an answer. `handled`: a handler saw it. */
struct serve_row {
    const char *request;
    int status;
    bool handled;
};
void serve_fixture_check(const struct serve_row *rows, size_t n);
#define SERVE_CHECK(rows) serve_fixture_check(rows, sizeof(rows) / sizeof *(rows))

#endif
