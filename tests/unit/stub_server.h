/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stub_server: a small misbehaving HTTP server on loopback for unit tests: threads, raw bytes, TLS
 * when given certificates. The handler writes whatever it wants, byte by byte.
 */
#ifndef TESTS_STUB_SERVER_H
#define TESTS_STUB_SERVER_H

#include <stdbool.h>
#include <stddef.h>

struct stub;
struct stub_conn;
struct stub_request {
    char head[16384]; /* request line and headers, NUL-terminated */
    char body[16384];
};
/* false: close the connection; true: wait for the next request on it. */
typedef bool stub_fn(struct stub_conn *c, const struct stub_request *rq, void *arg);

struct stub *stub_start(stub_fn *fn, void *arg);
/* TLS with a certificate made on the spot. */
struct stub_cert {
    const char *host;    /* in the certificate: DNS name, or IP when it looks like one */
    int from_s, until_s; /* relative to now */
    bool old_tls;        /* TLS 1.1 at most */
    bool stall;          /* accept, then never shake hands */
};
struct stub *stub_start_tls(stub_fn *fn, void *arg, const struct stub_cert *cert,
                            const char *pem_path);
void stub_stop(struct stub **s);
int stub_port(const struct stub *s);
unsigned stub_requests(const struct stub *s);
unsigned stub_connections(const struct stub *s);

bool stub_send(struct stub_conn *c, const char *text);
bool stub_sendn(struct stub_conn *c, const void *p, size_t n);
/* Until the peer or stub_stop closes, at most ms. */
void stub_wait(struct stub_conn *c, int ms);
/* A complete answer with Content-Length. */
bool stub_reply(struct stub_conn *c, int status, const char *headers, const char *body);

#endif
