/* SPDX-License-Identifier: Apache-2.0 */
/* admin_fixture: an admin on a real store, and its operations called one after the other. */
#ifndef TESTS_ADMIN_FIXTURE_H
#define TESTS_ADMIN_FIXTURE_H

#include <check.h>

#include "admin/admin.h"
#include "store_fixture.h"
#include "sys/seal.h"

struct admin_fixture {
    struct store_fixture store;
    struct loop *loop;
    struct metrics *metrics;
    struct keyring *keys;
    char key_dir[64], key_path[96];
    struct admin *admin;

    /* Of the next call; if_match and query are forgotten after it. */
    struct admin_actor actor; /* the socket, all scopes */
    const char *if_match;
    const char *query;

    /* Of the last one. */
    struct err err;
    char fields[1000]; /* "field: text" lines */
    struct jval *body;
    char etag[40], text[20000]; /* text: the body rendered */
    bool created;
};
void admin_fixture_open(struct admin_fixture *f);
void admin_fixture_close(struct admin_fixture *f);
/* Only the admin, as a restart does. */
void admin_fixture_stop(struct admin_fixture *f);
void admin_fixture_start(struct admin_fixture *f);

/* Waits for the answer; body NULL: none. Returns the error's kind. */
enum err_kind admin_call(struct admin_fixture *f, admin_op_fn *op, const char *id,
                         const char *body);
/* The same, and it must be done. */
void admin_do(struct admin_fixture *f, admin_op_fn *op, const char *id, const char *body);
/* A text or a number of the last answer's body, by JSON pointer. */
const char *admin_said(const struct admin_fixture *f, const char *pointer);
int64_t admin_number(const struct admin_fixture *f, const char *pointer);
/* Whether the bytes occur in any file of the store. */
bool admin_stored(struct admin_fixture *f, const char *bytes);
/* Runs the loop until it returns true. */
void admin_until(struct admin_fixture *f, bool (*fn)(struct admin_fixture *f));

#endif
