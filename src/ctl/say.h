/* SPDX-License-Identifier: Apache-2.0 */
/*
 * say: one call of the API and its answer for people: a list, a thing, a sentence, a secret that is
 * told once. With --json the answer as it came instead. Returns enum ctl_exit; bodies are taken.
 */
#ifndef CTL_SAY_H
#define CTL_SAY_H

#include "ctl/client.h"
#include "ctl/table.h"

#define COLUMNS(v) (v), sizeof(v) / sizeof *(v)

/* The answer in the words of `print`. */
int say(struct ctl *c, const struct client_call *call, void (*print)(const struct jval *body));
/* What is at a path. */
int say_thing(struct ctl *c, const char *path, void (*print)(const struct jval *body));
struct say_list {
    const char *path, *member; /* where to ask, and which member of the answer is the list */
    const char *none;          /* said when it is empty */
};
int say_list(struct ctl *c, const struct say_list *l, const struct table_column *columns, size_t n);
/* `done` when it was. */
int say_done(struct ctl *c, const struct client_call *call, const char *done);
/* Changes what is at a path, with If-Match of what is there now, so that nobody else's change is
 * lost unseen. "Done." `body` NULL: none. */
int say_change(struct ctl *c, const char *method, const char *path, struct jval *body);
/* Makes a secret, which is this member of the answer; --expires goes into the body. */
int say_once(struct ctl *c, const struct ctl_args *a, const char *path, const char *member,
             struct jval *body);
/* Asks, unless --yes was given: CTL_DONE to go on, CTL_REFUSED for a no. */
int say_sure(const struct ctl_args *a, const char *question);
/* {"force":true} with --force, else NULL. */
struct jval *say_force(const struct ctl_args *a);

#endif
