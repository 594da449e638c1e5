/* SPDX-License-Identifier: Apache-2.0 */
/*
 * admin: what can be done to a running usher, for three faces: the API, the pages and usherctl. One
 * function for each operation, all of one shape, so that routes, pages and audit are tables.
 *
 * An operation is called on the loop and answers on the loop, exactly once, maybe from within the
 * call. What may block (store, files, plugins) happens on a thread of admin's own, one operation at
 * a time. Who calls is said by `actor`; whether they may is judged here, by its scopes, not by the
 * faces. Every change is audited in the transaction that makes it.
 *
 * What is wrong with a request is told by kind:
 *   ERR_INVALID      the body or the query makes no sense; `fields` may say which member
 *   ERR_MISCONFIGURED  the settings are wrong; `fields` say which
 *   ERR_NOT_ALLOWED  the actor's scopes do not reach
 *   ERR_NOT_FOUND    there is no such thing
 *   ERR_CONFLICT     it is there already, or cannot be done as things are ({"force":true} may help)
 *   ERR_STALE        `if_match` is missing ("send If-Match"), or somebody changed it meanwhile
 *   ERR_LIMITED      too much at once, or a bound was reached
 * No error, answer or audit row holds a secret; a new token and a setup link are told once, to the
 * one who asked.
 */
#ifndef ADMIN_ADMIN_H
#define ADMIN_ADMIN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/form.h"
#include "base/json.h"

struct admin;

enum admin_scope {
    ADMIN_READ = 1,
    ADMIN_WRITE = 2,
    ADMIN_SECRETS = 4, /* secrets, keys, tokens, admins: of people, only after a fresh sign-in */
    ADMIN_METRICS = 8, /* /metrics, nothing else */
};
#define ADMIN_ALL_SCOPES (ADMIN_READ | ADMIN_WRITE | ADMIN_SECRETS | ADMIN_METRICS)

/* Who asks. */
struct admin_actor {
    const char *kind; /* "socket", "operator", "account", "token", "system" */
    const char *id;   /* account id, token id, user id of the socket's peer; "" */
    const char *name; /* for people; NULL: none */
    const char *ip;   /* NULL: none */
    const char *request_id;
    unsigned scopes;      /* enum admin_scope */
    const char *provider; /* account: what this session came through; NULL */
};

/* Everything is borrowed until the operation function returns; what is needed later is copied. */
struct admin_request {
    const char *id, *sub;       /* the parts of the path, in order; NULL: none */
    const struct jval *body;    /* NULL: none */
    const struct fields *query; /* NULL: none */
    const char *if_match;       /* the header's value; NULL: none */
    const struct admin_actor *actor;
};

/* What is wrong with one member of a body, for the form beside it. */
struct admin_field {
    const char *field; /* "id", or the key of a setting */
    const char *text;
};

/* Borrowed until the done function returns; jval_ref the body to keep it. */
struct admin_answer {
    const struct err *err; /* NULL: done */
    const struct admin_field *fields;
    size_t n_fields;
    const struct jval *body; /* an object; NULL with err */
    const char *etag;        /* quoted, as in the header; NULL: none */
    bool created;            /* something came into being: 201 */
};

typedef void admin_done_fn(void *arg, const struct admin_answer *a);
typedef void admin_op_fn(struct admin *a, const struct admin_request *rq, admin_done_fn *done,
                         void *arg);

#endif
