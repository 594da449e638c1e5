/* SPDX-License-Identifier: Apache-2.0 */
/*
 * driver: what a database engine is to the store. SQLite and PostgreSQL each fill one constant
 * table; store.c, batch.c, db.c and migrate.c know nothing else about them. A driver's connection
 * begins with struct db and its statement with struct db_stmt, so each side finds its own by a
 * cast.
 *
 * A connection is used by one thread at a time. Error texts name constraints and codes, never
 * values.
 */
#ifndef STORE_DRIVER_H
#define STORE_DRIVER_H

#include <stdatomic.h>

#include "store/db.h"
#include "store/query.h"
#include "store/store.h"

enum store_role { STORE_WRITER = 0, STORE_READER, STORE_KEEPER };

struct store_site; /* a database, found and checked: path and lock, or connection settings */

struct store_driver {
    const char *name;
    bool shared;                    /* other processes may use it too */
    unsigned writers, readers;      /* threads, each with a connection */
    unsigned batch_max;             /* writes that may share a commit; more than 1 */
    const struct query_word *words; /* spelling of @WORD@ */

    /* `where` is the URL behind its scheme's colon (sqlite) or all of it (postgresql). */
    struct store_site *(*site_open)(const char *where, struct err *err);
    void (*site_close)(struct store_site *site);
    struct db *(*connect)(struct store_site *site, enum store_role role, struct err *err);
    void (*disconnect)(struct db *db); /* statements are gone already */

    /* Transactions. `begin` mends a broken connection first. Of all processes' transactions that
     * write only one is under way at a time, and it sees what the one before it left. */
    int (*begin)(struct db *db, bool write, struct err *err);
    enum store_outcome (*commit)(struct db *db, struct err *err);
    void (*rollback)(struct db *db);
    int (*savepoint)(struct db *db, struct err *err);
    int (*release)(struct db *db, struct err *err);
    int (*undo)(struct db *db, struct err *err); /* back to the savepoint, which goes too */
    bool (*in_transaction)(struct db *db);       /* false: an error has undone all of it */
    bool (*worth_retrying)(const struct db *db); /* the last error was nobody's fault */

    /* Schema. `exec` runs several statements at once. */
    int (*exec)(struct db *db, const char *sql, struct err *err);
    /* NULL where nobody else can be migrating: taken before, given back after. */
    int (*fence)(struct db *db, bool up, struct err *err);
    int (*version)(struct db *db, int64_t *version, struct err *err); /* 0: empty */
    int (*set_version)(struct db *db, int64_t version, struct err *err);

    /* Statements. Bound memory is the caller's until the statement is done with. */
    struct db_stmt *(*prepare)(struct db *db, const char *sql, struct err *err);
    void (*finalize)(struct db_stmt *st);
    void (*reset)(struct db_stmt *st); /* and unbind */
    int (*bind_text)(struct db_stmt *st, int i,
                     struct str text); /* p == NULL: NULL. -1: no such i */
    int (*bind_blob)(struct db_stmt *st, int i, struct str bytes);
    int (*bind_int)(struct db_stmt *st, int i, int64_t n);
    int (*step)(struct db_stmt *st, struct err *err);
    int64_t (*changes)(struct db_stmt *st);
    struct str (*col_text)(struct db_stmt *st, int i); /* NUL-terminated */
    struct str (*col_blob)(struct db_stmt *st, int i);
    int64_t (*col_int)(struct db_stmt *st, int i);
    bool (*col_null)(struct db_stmt *st, int i);

    /* Upkeep of a write-ahead log, NULL where the engine does it alone. */
    int64_t (*log_pages)(struct db *db);
    int (*checkpoint)(struct db *db, struct err *err); /* never waits for anybody */
};

#define DB_CACHE_BUCKETS 64

/* The newest row of the audit as far as this connection knows; it forgets when anything is undone,
 * and, where others write too, with each transaction. */
struct db_head {
    bool known;
    int64_t n;
    unsigned char hash[32];
};

struct db {
    const struct store_driver *driver;
    struct db_stmt *cache[DB_CACHE_BUCKETS];
    struct err fault; /* the first error of a statement since db_forget_fault */
    struct db_head head;
    const atomic_bool *short_ips; /* the store's; NULL: none */
};

struct db_stmt {
    struct db *db;
    struct db_stmt *next; /* in its bucket */
    const void *key;
    struct err bad; /* what is wrong before it even ran */
    bool hollow;    /* could not be prepared: only a bearer of `bad` */
};

/* Frees every cached statement: before disconnecting and after a reconnection. */
void db_forget_statements(struct db *db);
void db_forget_fault(struct db *db);

/* Brings the schema up to this program's, each step in a transaction of its own. */
int migrate_run(struct db *db, struct err *err) __attribute__((warn_unused_result));
int64_t migrate_latest(void);

extern const struct store_driver store_sqlite;
#ifdef HAVE_LIBPQ
extern const struct store_driver store_pgsql;
#endif

#endif
