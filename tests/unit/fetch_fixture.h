/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fetch_fixture: a loop, a fetch with a pool named "test" (bodies of 10,000
 * bytes) and room for a stub server, for the suites of fetch. CK_FORK gives each test its
 * own.
 */
#ifndef TESTS_FETCH_FIXTURE_H
#define TESTS_FETCH_FIXTURE_H

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/fetch.h"
#include "stub_server.h"
#include "sys/clock.h"
#include "usher/provider.h"

struct fixture {
    struct loop *loop;
    struct fetch *fetch;
    struct fetch_pool *pool;
    struct stub *stub;             /* stopped at the end, if there is one */
    char head[16384], body[16384]; /* of the last request to fixture_echo */
};
extern struct fixture fetch_fx;

/* What a result was; texts are copied, as they end with the callback. */
struct got {
    bool done;
    bool cookie; /* there was a Set-Cookie header */
    unsigned calls;
    struct fetch_result r;
    char type[100], charset[100], body[4096];
    char header[200]; /* x-test */
};

void fixture_setup(void);
void fixture_teardown(void);
/* Another pool in place of the first. */
void fixture_pool(const struct fetch_pool_options *o);
void fixture_keep(void *got, const struct fetch_result *r);
void fixture_until(const bool *flag);
void fixture_ms(int64_t ms);
/* http://127.0.0.1:PORT/path of the stub server; the last eight stay. */
const char *fixture_url(const char *path);
struct got fixture_send(const struct fetch_request *rq);
struct got fixture_get(const char *url);
/* Handlers: 200 and JSON at once; 200 after 0.3 s (/slower: 5 s). */
bool fixture_echo(struct stub_conn *c, const struct stub_request *rq, void *arg);
bool fixture_slow(struct stub_conn *c, const struct stub_request *rq, void *arg);

#endif
