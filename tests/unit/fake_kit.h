/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fake_kit: usher-fake inside a unit test, and a client that shows every byte of its answers.
 */
#ifndef TESTS_FAKE_KIT_H
#define TESTS_FAKE_KIT_H

#include "fake/fake.h"

#define KIT_REDIRECT "http://127.0.0.1:9/cb"
#define KIT_VERIFIER "abcdefghijklmnopqrstuvwxyz0123456789-._~ABC"
#define KIT_CHALLENGE_PARAMS                                                                       \
    "&code_challenge=01ZMlLDptILCmAeK1WZ14Du9xRCvfr-aPWvX7e4Hk4U&code_challenge_method=S256"

struct reply {
    int status; /* 0: no status line came */
    char *text; /* everything; owned by the kit until the next request */
    size_t n;
    const char *body; /* "" without one */
};

extern struct fake *kit_fake;

void kit_start(void);
void kit_stop(void);
/* The first value of a header, or NULL; valid until the next call. */
const char *kit_header(const struct reply *r, const char *name);
/* Connection: close is added. */
struct reply kit_request(const char *method, const char *path, const char *headers,
                         const char *body);
struct reply kit_get(const char *path);
struct reply kit_post(const char *path, const char *form);
/* The bytes as they are; reads until the server closes, at most `max` bytes and ms. */
struct reply kit_raw(const char *bytes, size_t max, int ms);
void kit_fault(const char *spec);
/* A parameter of a Location header's query; "" without. */
const char *kit_param(const char *location, const char *name);
/* Sign `person` in at a realm and exchange the code: the parsed token response, or NULL. */
struct jval *kit_tokens(const struct realm *r, const char *scope, const char *person);
/* The code alone. */
const char *kit_code(const struct realm *r, const char *scope, const char *person,
                     const char *more);
struct reply kit_exchange(const struct realm *r, const char *code, const char *more);

#endif
