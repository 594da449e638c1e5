/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http_client: a browser's end of a connection for unit tests of web/: raw bytes over a real
 * socket, on the very thread whose loop serves them. Waiting runs the loop, at most 5 seconds.
 */
#ifndef TESTS_HTTP_CLIENT_H
#define TESTS_HTTP_CLIENT_H

#include <stdbool.h>
#include <stddef.h>

#include "sys/loop.h"

struct http_conn {
    int fd;
    struct loop *loop;
    bool ended; /* the other side closed */
    size_t n;   /* bytes that came and were not taken yet */
    char bytes[512 * 1024];
};

struct http_answer {
    int status; /* 0: the connection ended without an answer */
    char head[32 * 1024];
    char body[300 * 1024];
    size_t body_n;
};

/* What else is to be done while waiting, between rounds of the loop; or NULL. */
extern void (*http_idle)(void);

/* Borrowed until http_close. `port` on 127.0.0.1. */
struct http_conn *http_open(struct loop *l, int port);
struct http_conn *http_open_unix(struct loop *l, const char *path);
void http_close(struct http_conn **c);
void http_send(struct http_conn *c, const char *text);
void http_sendn(struct http_conn *c, const void *p, size_t n);
/* The next answer. `head`: to a HEAD request, so no body follows. false: the connection ended. */
bool http_read(struct http_conn *c, bool head, struct http_answer *out);
/* http_send, then http_read; fails the test when there is no answer. */
void http_ask(struct http_conn *c, const char *request, struct http_answer *out);
/* On a connection of its own. */
void http_once(struct loop *l, int port, const char *request, struct http_answer *out);
/* Until the other side closes; false after 5 seconds. */
bool http_wait_end(struct http_conn *c);
void http_spin(struct loop *l, int rounds);

/* The value of a header, "" when it is empty, NULL when it is not there. Overwritten by the next
 * call. */
const char *http_header(const struct http_answer *a, const char *name);
unsigned http_header_count(const struct http_answer *a, const char *name);

#endif
