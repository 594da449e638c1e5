/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kit: what the store's suites share. They run once for each backend; kit_url says which. A test
 * gets an empty store, a loop, and a login as the daemon does it.
 */
#ifndef TESTS_STORE_KIT_H
#define TESTS_STORE_KIT_H

#include <check.h>

#include "cluster.h"
#include "store/account.h"
#include "store/session_row.h"
#include "store/spent.h"
#include "store/store.h"

extern char kit_url[256];
extern char kit_dir[64];            /* of the SQLite file */
extern struct cluster *kit_cluster; /* NULL: SQLite */

extern struct store *kit_store;
extern struct loop *kit_loop;

/* Fixture: an empty store, opened; closed at the end. */
void kit_setup(void);
void kit_teardown(void);
struct store *kit_open(void);

#define NOW INT64_C(1800000000)

/* Run fn and expect DONE. */
void kit_write(store_fn *fn, void *arg);
void kit_read(store_fn *fn, void *arg);
/* Expect FAILED; the error. */
struct err kit_write_fails(store_fn *fn, void *arg);
/* First column of the first row of a query without parameters. */
int64_t kit_number(const char *sql);
void kit_sql(const char *sql);
/* The audit has so many rows, and its chain holds. */
void kit_chain_good(int64_t rows);

struct kit_login {
    unsigned char flow[16], hash[32];
    char subject[40], id[23];
    struct account account; /* out */
    int64_t at;
};
/* A login of somebody; fresh flow, session and, for who < 0, person. */
void kit_login_init(struct kit_login *l, int who);
store_fn kit_login_fn;
struct session_row kit_row(const struct kit_login *l);

/* Count answers by outcome. */
struct kit_answers {
    int n, by[3];
    struct err last;
};
store_done_fn kit_answer; /* arg: struct kit_answers * in the first member of what was passed */
void kit_wait(const int *n, int until); /* drives the loop */

Suite *suite_conformance(const char *name);
Suite *suite_nouns(const char *name);
Suite *suite_people(const char *name);
Suite *suite_roles(const char *name);
Suite *suite_audit(const char *name);
Suite *suite_audit_chain(const char *name);
Suite *suite_expiring(const char *name);
Suite *suite_admin_nouns(const char *name);
Suite *suite_client_nouns(const char *name);
Suite *suite_oauth_nouns(const char *name);
Suite *suite_provider_nouns(const char *name);
Suite *suite_upstream_nouns(const char *name);
Suite *suite_registration_nouns(const char *name);
Suite *suite_crash(const char *name);
Suite *suite_sqlite(void);
Suite *suite_pgsql(void);

#endif
