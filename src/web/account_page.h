/* SPDX-License-Identifier: Apache-2.0 */
/*
 * account_page: what the pages under /account have in common. A page is a visit by somebody who is
 * signed in. Looking takes a session; a change takes a form of our own (request_same_origin) and
 * somebody who signed in within the last half hour, or is asked to do so again.
 *
 * A visit lives in its request's arena and copies what it knows of the session, for tables change
 * while the store is asked. It ends with exactly one of account_send, account_go, account_sorry.
 * Loop thread only, but for account_audit and what a store function reads.
 */
#ifndef WEB_ACCOUNT_PAGE_H
#define WEB_ACCOUNT_PAGE_H

#include "login/own.h"
#include "store/audit.h"
#include "store/store.h"
#include "web/page.h"

#define ACCOUNT_FRESH_SECONDS (30 * 60)

struct account_visit {
    struct request *rq;
    const struct web_app *app;
    struct arena *a; /* the request's */
    bool signed_in;
    struct session_view view; /* as it was; only until the handler returns */
    const char *account, *session, *provider, *subject, *name; /* NULL: nobody is signed in */
    unsigned char hash[32];                                    /* of the session */
    int64_t now;                                               /* wall seconds */
    bool fresh;                                                /* may change something */
    const char *id;                                            /* the first part of the path, "" */
    const struct fields *form;
    const char *ip, *request_id, *user_agent; /* for the audit; user_agent may be NULL */
};

enum account_need {
    ACCOUNT_ANYBODY = 0, /* signed in or not; whether it is fresh is the page's to ask */
    ACCOUNT_SIGNED_IN,
    ACCOUNT_FRESH, /* for pages that show more than others, and for every change */
};
/* NULL: nobody who may; the answer is given. */
struct account_visit *account_visit(struct request *rq, void *app, enum account_need need);

/* Asks to sign in again, and ends the visit. */
void account_again(struct account_visit *v);

/* For what login/own.h does with an account; only until the handler returns. */
struct own_caller account_own(const struct account_visit *v);

/* Hold the request and ask the store; `done` gets `arg` in any case, from within when the store is
 * too busy (ERR_LIMITED). */
void account_read(struct account_visit *v, store_fn *fn, store_done_fn *done, void *arg);
void account_write(struct account_visit *v, store_fn *fn, store_done_fn *done, void *arg);
/* Inside a transaction: this person did `action` to `object`. */
int account_audit(struct db *db, const struct account_visit *v, const char *action,
                  const char *object, struct err *err) __attribute__((warn_unused_result));

/* Data with what the frame and every page want to know. */
struct jval *account_data(const struct account_visit *v);
void account_send(struct account_visit *v, int status, const char *name, const char *title,
                  struct jval *data);
/* 303 to /account; `did`: a word of the table in account_page.c, told there as a sentence. */
void account_go(struct account_visit *v, const char *did);
/* What went wrong, as a page. `text`: our own sentence, NULL for the kind's usual one. */
void account_sorry(struct account_visit *v, enum err_kind kind, const char *text);
/* An answer of the store that is not DONE: says and logs it. */
bool account_failed(struct account_visit *v, enum store_outcome outcome, const struct err *err);

#endif
