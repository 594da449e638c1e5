/* SPDX-License-Identifier: Apache-2.0 */
/* admin_fixture: an admin on a real store, and its operations called one after the other. */
#ifndef TESTS_ADMIN_FIXTURE_H
#define TESTS_ADMIN_FIXTURE_H

#include <check.h>

#include "admin/admin.h"
#include "live/live.h"
#include "provider/slots.h"
#include "session/session.h"
#include "store_fixture.h"
#include "sys/seal.h"

/* A configuration in force, from no file. */
struct admin_live_args {
    struct loop *loop;
    struct store *store;
    const struct keyring *keys;
    const char *public_url, *dir, *plugin_dir;
};
struct live *admin_live(const struct admin_live_args *args);

struct admin_fixture {
    struct store_fixture store;
    struct loop *loop;
    struct keyring *keys;
    char key_dir[64], key_path[96];
    char dir[128]; /* providers.d */
    struct live *live;
    struct slots *slots;
    struct sessions *sessions;
    struct app_secrets *secrets; /* of whoever set it; NULL: none */
    void (*idle)(void);          /* while an answer is waited for; NULL: nothing */
    struct admin *admin;

    /* Of the next call; all but actor are forgotten after it. */
    struct admin_actor actor; /* the socket, all scopes */
    const char *sub;          /* the second part of the path */
    const char *if_match;
    const char *query;
    struct str bind;

    /* Of the last one. */
    struct err err;
    char fields[1000]; /* "field: text" lines */
    struct jval *body;
    char etag[40], text[200000]; /* text: the body rendered */
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
/* A file of providers.d; text NULL: removed. It counts from the next reload on. */
void admin_file(struct admin_fixture *f, const char *name, const char *text);
/* Runs the loop until it returns true. */
void admin_until(struct admin_fixture *f, bool (*fn)(struct admin_fixture *f));

#endif
