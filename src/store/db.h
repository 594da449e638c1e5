/* SPDX-License-Identifier: Apache-2.0 */
/*
 * db: prepared statements inside a transaction, alike on SQLite and PostgreSQL. Placeholders are
 * $1, $2 …; text is bound with its length and refused when it holds NUL or is no UTF-8. Statements
 * are cached per connection by the address of their SQL or name: string literals, please.
 *
 * What is bound is not copied: it must stay until the statement is done with. A write whose
 * statement failed is undone even if its function returns 0.
 */
#ifndef STORE_DB_H
#define STORE_DB_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/text.h"

struct db;
struct db_stmt;

/* Never NULL; errors surface at db_step. The statement is reset and unbound. */
struct db_stmt *db_query(struct db *db, const char *sql);
/* The same for section "find" of account.sql by the name "account.find" (store/query.h). */
struct db_stmt *db_named(struct db *db, const char *name);
void db_text(struct db_stmt *st, int i, const char *text); /* NULL: NULL */
void db_str(struct db_stmt *st, int i, struct str text);
void db_int(struct db_stmt *st, int i, int64_t n);
void db_blob(struct db_stmt *st, int i, const void *p, size_t n);
/* 1: a row; 0: no more; -1: error. After 0 or -1 the statement is done with. */
int db_step(struct db_stmt *st, struct err *err) __attribute__((warn_unused_result));
/* Finish early. */
void db_end(struct db_stmt *st);
/* Step a statement that yields no rows. -1 or the number of rows changed. */
int64_t db_run(struct db_stmt *st, struct err *err) __attribute__((warn_unused_result));
/* Columns from 0, valid until the next step. */
const char *db_col_text(struct db_stmt *st, int i); /* NULL: NULL */
int64_t db_col_int(struct db_stmt *st, int i);
struct str db_col_blob(struct db_stmt *st, int i);
bool db_col_null(struct db_stmt *st, int i);

#endif
