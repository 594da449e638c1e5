/* SPDX-License-Identifier: Apache-2.0 */
/* session_fixture: a table of sessions, and tickets for it. */
#ifndef TESTS_SESSION_FIXTURE_H
#define TESTS_SESSION_FIXTURE_H

#include <check.h>

#include "session/session.h"

#define NOW 1800000000
#define IDLE 3600
#define ABSOLUTE 86400

struct ticket {
    char token[SESSION_TOKEN_LEN + 1];
    unsigned char hash[32];
};

extern struct sessions *table;

struct sessions *table_of(size_t max);
void session_setup(void); /* `table`, for 100,000 */
void session_teardown(void);
struct session_row row_of(const char *account);
int add_row(struct sessions *t, struct ticket *ticket, struct session_row row, struct err *err);
void add(struct ticket *ticket, const char *account);
int check_at(const struct ticket *t, int64_t now);

#endif
