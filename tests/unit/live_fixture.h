/* SPDX-License-Identifier: Apache-2.0 */
/* live_fixture: a folder with usher.conf and providers.d, a store with rows, and a live on it. */
#ifndef TESTS_LIVE_FIXTURE_H
#define TESTS_LIVE_FIXTURE_H

#include <check.h>

#include "live/live.h"
#include "store_fixture.h"

#define LIVE_CREDENTIALS "client_id = id\nclient_secret = a-secret-of-some-length\n"
#define LIVE_ROW "{\"client_id\":\"row\"}"

/* What came of a reload or a diff. */
struct live_came {
    unsigned times;
    bool failed, rows;
    enum err_kind kind;
    unsigned problems;
    uint64_t generation;
    char diff[8192]; /* its JSON */
};

struct live_fixture {
    struct store_fixture sx;
    char conf[96], dir[96], plugins[512];
    struct loop *loop;
    struct keyring *keys;
    struct metrics *metrics;
    struct config *config; /* what the program was started with */
    struct live *live;
    unsigned changes; /* how often it said so */
};
extern struct live_fixture lx;

/* The folder with a usher.conf that changes nothing, an empty providers.d, the store, the loop. */
void live_fixture_open(void);
void live_fixture_close(void);
/* lx.live, loaded. */
void live_fixture_start(void);
/* usher.conf with these lines ("[server]\n…") beside what the fixture needs. */
void live_fixture_conf(const char *more);
void live_fixture_write(const char *path, const char *text);
/* providers.d/NAME; NULL: remove it. */
void live_fixture_put(const char *name, const char *text);
/* A row, made or changed, with an active client secret. */
void live_fixture_row(const char *id, const char *settings, int64_t version);
/* Ask, without waiting; and ask, and let the loop run until it is answered. */
void live_fixture_ask(struct live_came *c);
void live_fixture_wait(struct live_came *c);
void live_fixture_reload(struct live_came *c);
void live_fixture_diff(struct live_came *c);
int64_t live_fixture_metric(const char *name, const char *label); /* NULL: it has none */
const char *live_fixture_client(const char *id); /* client_id in force; NULL: no such provider */

#endif
