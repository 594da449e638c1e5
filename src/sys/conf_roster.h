/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conf_roster: the things of one kind that a configuration has many of, providers or apps: which
 * there are, each by its id, and what makes it: a file of their folder, the environment, a row of
 * the database, or an earlier configuration that hands it on. Of two that make the same, who came
 * first stays; a row that gives way is a problem. Knows nothing of what is made of them.
 *
 * It owns ids and paths; rows and what is handed on are borrowed. Reads a folder: not on a loop.
 * One thread. What is wrong goes to the problems, and the rest is there.
 */
#ifndef SYS_CONF_ROSTER_H
#define SYS_CONF_ROSTER_H

#include "sys/conf.h"

#define CONF_ID_MAX 32
/* [a-z0-9-]{1,32}, not beginning or ending with '-'. */
bool conf_id_valid(struct str id);
/* The order of two ids, as people count: "tenant-2" is before "tenant-10". 0: they are the same. */
int conf_id_order(const char *x, const char *y);
/* What the variables of a thing begin with: "USHER_APP_" and "a-b" make "USHER_APP_A_B". */
const char *conf_id_variables(const char *before, const char *id, struct arena *a);

struct conf_kind {
    const char *noun, *one, *many; /* "app", "an app", "apps" */
    size_t most;                   /* what is beyond is a problem */
};
struct conf_made {
    const char *id;
    const char *by;   /* what makes it, as problems name it */
    const char *path; /* its file; NULL: none */
    const void *row;  /* NULL: none */
    void *kept;       /* of an earlier configuration; NULL: it is to be made */
};

struct conf_roster;
struct conf_roster *conf_roster_new(const struct conf_kind *kind, struct conf_problems *p);
void conf_roster_free(struct conf_roster **r);
/* The id is valid; it, `by` and `path` are copied. */
void conf_roster_add(struct conf_roster *r, const struct conf_made *made);
/* Each "ID.conf" of a folder; `optional`: it may be missing. */
void conf_roster_add_folder(struct conf_roster *r, const char *dir, bool optional);
/* If its id is valid. To be added last: rows give way. */
void conf_roster_add_row(struct conf_roster *r, const char *id, const void *row);
/* How many there are, by conf_id_order from now on. */
size_t conf_roster_sort(struct conf_roster *r);
const struct conf_made *conf_roster_at(const struct conf_roster *r, size_t i);

#endif
