/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the tests of conf share: a table with a row of every type, a place for its values, and a
 * folder for files. Everything is in `cx`, made anew for each test by cx_setup.
 */
#ifndef CONF_FIXTURE_H
#define CONF_FIXTURE_H

#include <check.h>
#include <sys/types.h>

#include "sys/conf.h"

struct cx_server {
    const char *listen, *name;
    const char *url;
    int64_t workers, idle, body;
    bool cache;
    int level;
    const char *const *hosts;
    struct usher_secret token;
};
#define CX_ROWS 10
extern const struct usher_setting cx_rows[CX_ROWS]; /* section "server", variables CT_SERVER_* */

struct conf_fixture {
    struct conf_problems problems;
    struct arena *arena;
    struct conf_secrets *secrets;
    struct cx_server server;
    char folder[64], path[128]; /* relative; path is folder/usher.conf */
};
extern struct conf_fixture cx;

void cx_setup(void);
void cx_teardown(void);
/* Apply a file (NULL: none), a text, and the file at cx.path. */
void cx_apply_file(const struct conf_file *f);
void cx_apply(const char *text);
void cx_read_and_apply(void);
/* The problems are exactly these lines. */
void cx_expect(const char *lines);
void cx_write_file(const char *name, const void *p, size_t n, mode_t mode);
/* The secret "token", NULL if it is not set. */
const char *cx_token(void);

#define CX_LOOP(t, name, table) tcase_add_loop_test(t, name, 0, (int)(sizeof table / sizeof *table))

#endif
