/* SPDX-License-Identifier: Apache-2.0 */
/*
 * admin_page: what the pages under /admin have in common. A page is a visit: somebody who may be
 * here, one or two operations of src/admin, and an answer. Who may is judged by web/caller.h,
 * what they may by the operations; a page hides what would be refused and decides nothing.
 *
 * A visit lives in its request's arena. It ends with exactly one of admin_send, admin_go and
 * admin_sorry, which give back what it kept. Loop thread only.
 */
#ifndef WEB_ADMIN_PAGE_H
#define WEB_ADMIN_PAGE_H

#include "web/admin_form.h"
#include "web/caller.h"
#include "web/page.h"

struct admin_visit {
    struct request *rq;
    const struct web_app *app;
    struct arena *a; /* the request's */
    struct caller who;
    const char *id;                 /* the first part of the path, "" */
    const struct fields *form;      /* what was posted; NULL: GET */
    struct jval *provider, *plugin; /* kept from one operation to the next */
    struct jval *more;
    const char *etag;                 /* of the provider that was kept */
    const struct admin_field *errors; /* of an operation that was refused */
    size_t n_errors;
    enum err_kind refused;     /* its kind */
    bool ask_force, ask_adopt; /* what it said would help */
    int64_t now;               /* wall seconds */
};

/* NULL: nobody who may be here, or a form that makes no sense; the answer is given. */
struct admin_visit *admin_visit(struct request *rq, void *app);

/* Ask src/admin; `done` gets the visit. */
struct admin_ask {
    admin_op_fn *op;
    const char *id, *sub;
    struct jval *body; /* taken; NULL: none */
    const struct fields *query;
    const char *if_match;
    struct str bind; /* of this browser, for a rehearsal */
};
void admin_ask(struct admin_visit *v, const struct admin_ask *ask, admin_done_fn *done);
/* The same; `done` gets `arg`. */
void admin_ask_for(struct admin_visit *v, const struct admin_ask *ask, admin_done_fn *done,
                   void *arg);

/* An answer that is an error and of no use to the page: says so and ends the visit. */
bool admin_failed(struct admin_visit *v, const struct admin_answer *a);
/* An answer the page shows, good or bad: into v->more, or as errors; `kind` is what is of no use to
 * the page. false: the visit has ended. */
bool admin_keep_answer(struct admin_visit *v, const struct admin_answer *a, enum err_kind kind);
/* Copies an error's fields, or its text as one, for admin_form and admin_set_errors. */
void admin_keep_errors(struct admin_visit *v, const struct admin_answer *a);
/* The same with words of a page's own. */
void admin_add_error(struct admin_visit *v, const char *field, const char *text);
/* "there is no such thing" as a sentence of a page. */
const char *admin_sentence(const struct admin_visit *v, const char *text);
/* For admin-errors.html, on pages without an admin_form. */
void admin_set_errors(const struct admin_visit *v, struct jval *data);
/* What is wrong with a field; "": nothing. */
const char *admin_error_of(const struct admin_visit *v, const char *field);
/* Of the settings that were kept, what was posted, and what is wrong with it. */
struct admin_form admin_visit_form(const struct admin_visit *v);
/* The status of a page that shows them; 200 without any. */
int admin_status_of(const struct admin_visit *v);

/* A posted field, or one of the query; "" when it is not there or came twice. */
const char *admin_posted(const struct admin_visit *v, const char *name);
const char *admin_queried(const struct admin_visit *v, const char *name);

/* Data with can_read, can_write, can_rotate (secrets) and must_sign_in. */
struct jval *admin_data(const struct admin_visit *v);
/* Every member of an object into another. */
void admin_merge(struct jval *into, const struct jval *from);
void admin_send(struct admin_visit *v, int status, const char *name, const char *title,
                struct jval *data);
/* 303 to a path of ours; `did`: a word of the table in admin_page.c, shown there as a sentence, or
 * NULL. */
void admin_go(struct admin_visit *v, const char *path, const char *did);
/* A page that says what went wrong. `text` NULL: the words of the kind. */
void admin_sorry(struct admin_visit *v, enum err_kind kind, const char *text);

#endif
