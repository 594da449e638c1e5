/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The PostgreSQL driver: the only file that knows libpq. Transactions that write take turns at a
 * lock, so that a write means the same as under SQLite's single writer and the audit is one chain;
 * they are serializable besides, for the sake of whoever else writes there, and a serialisation
 * failure is run again. Taking turns is made up for by sharing commits. A connection that broke is
 * mended before the next transaction. If it broke during COMMIT, nobody knows what the server did,
 * and the answer says so.
 *
 * Server messages may quote values, so errors carry only codes and names of our own making.
 */
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "store/driver.h"
#include "sys/clock.h"

#define PARAMS_MAX 24
#define RECONNECT_MS 500   /* at most so often, so that a dead server is told quickly */
#define FENCE "5503847170" /* advisory lock: one migration at a time */
#define OID_BOOL 16
#define OID_INT8 20
#define OID_INT2 21
#define OID_INT4 23

struct store_site {
    char *url;
};

struct pg_db {
    struct db base;
    struct store_site *site;
    PGconn *h;
    unsigned generation; /* of the connection; statements are prepared anew on each */
    unsigned names;
    bool broken; /* the connection is of no use any more */
    bool retry;  /* the last error was nobody's fault */
    bool down;   /* since `tried` */
    struct mono tried;
};

struct pg_stmt {
    struct db_stmt base;
    char *sql;
    char name[16];
    unsigned generation;
    int n;
    const char *values[PARAMS_MAX];
    int lengths[PARAMS_MAX], formats[PARAMS_MAX];
    char numbers[PARAMS_MAX][24];
    PGresult *result;
    int row; /* current; -1: not run yet */
    int64_t changes;
};

static struct pg_db *own(struct db *db)
{
    return (struct pg_db *)db;
}

static struct pg_stmt *own_stmt(struct db_stmt *st)
{
    return (struct pg_stmt *)st;
}

/* ---- errors -------------------------------------------------------------------------------------
 */

static const char *field(const PGresult *r, int code)
{
    const char *text = r ? PQresultErrorField(r, code) : NULL;
    return text ? text : "";
}

static bool starts(const char *state, const char *class)
{
    return strncmp(state, class, strlen(class)) == 0;
}

/* What went wrong with `r` (NULL: out of memory or the connection). */
static int complain(struct pg_db *o, const PGresult *r, struct err *err)
{
    const char *state = field(r, PG_DIAG_SQLSTATE);
    /* An error without a code is libpq's own: it lost the server or track of the protocol. */
    bool lost = PQstatus(o->h) == CONNECTION_BAD || !*state;

    o->broken = o->broken || lost;

    o->retry = lost || strcmp(state, "40001") == 0 || strcmp(state, "40P01") == 0;
    if (lost)
        return err_set(err, ERR_LIMITED, "the database server is gone (SQLSTATE %s)", state);
    if (o->retry)
        return err_set(err, ERR_LIMITED, "too many writes at once (SQLSTATE %s)", state);
    if (starts(state, "53") || strcmp(state, "55P03") == 0 || starts(state, "57"))
        return err_set(err, ERR_LIMITED,
                       "the database server is overloaded or locked (SQLSTATE %s)", state);
    /* Class 42 complains about our own SQL and quotes nothing else. */
    return err_set(err, ERR_INTERNAL, "database: SQLSTATE %s %s %s %s", state,
                   field(r, PG_DIAG_TABLE_NAME), field(r, PG_DIAG_CONSTRAINT_NAME),
                   starts(state, "42") ? field(r, PG_DIAG_MESSAGE_PRIMARY) : "");
}

static int run(struct pg_db *o, const char *sql, struct err *err)
{
    PGresult *r = PQexec(o->h, sql);
    ExecStatusType status = PQresultStatus(r);
    int rc = status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK ? 0 : complain(o, r, err);
    PQclear(r);
    return rc;
}

/* ---- connections --------------------------------------------------------------------------------
 */

static void ignore_notice(void *arg, const PGresult *r)
{
    (void)arg;
    (void)r;
}

static int dial(struct pg_db *o, struct err *err)
{
    /* What stands in the URL wins over what stands before it here. */
    static const char *const keys[] = {"connect_timeout",  "application_name", "client_encoding",
                                       "tcp_user_timeout", "dbname",           NULL};
    const char *const values[] = {"5", "usherd", "UTF8", "10000", o->site->url, NULL};

    PQfinish(o->h);
    o->h = PQconnectdbParams(keys, values, 1);
    o->generation++;
    o->broken = PQstatus(o->h) != CONNECTION_OK;
    if (o->broken)
        return err_set(err, ERR_LIMITED, "the database server cannot be reached%s",
                       PQconnectionNeedsPassword(o->h) ? ": it asks for a password" : "");
    PQsetNoticeReceiver(o->h, ignore_notice, NULL);
    return run(o,
               "SET statement_timeout = '30s'; SET lock_timeout = '5s'; "
               "SET idle_in_transaction_session_timeout = '60s'; "
               "SELECT set_config('synchronous_commit', 'on', false) "
               "WHERE current_setting('synchronous_commit') = 'off'",
               err);
}

/* A working connection, or quickly none. */
static int mend(struct pg_db *o, struct err *err)
{
    if (!o->broken)
        return 0;
    if (o->down && mono_ms(o->tried, clock_mono()) < RECONNECT_MS)
        return err_set(err, ERR_LIMITED, "the database server cannot be reached");
    int rc = dial(o, err);
    o->down = rc < 0;
    o->tried = clock_mono();
    return rc;
}

static void pg_disconnect(struct db *db)
{
    PQfinish(own(db)->h);
    free(db);
}

static struct db *pg_connect(struct store_site *site, enum store_role role, struct err *err)
{
    (void)role;
    struct pg_db *o = mem_alloc(sizeof *o);
    o->base.driver = &store_pgsql;
    o->site = site;
    if (dial(o, err) == 0)
        return &o->base;
    pg_disconnect(&o->base);
    return NULL;
}

static struct store_site *pg_site_open(const char *where, struct err *err)
{
    char *why = NULL;
    PQconninfoOption *parsed = PQconninfoParse(where, &why);
    PQfreemem(why); /* it quotes the URL, which may hold a password */
    if (!parsed) {
        err_set(err, ERR_MISCONFIGURED, "the postgresql:// URL is malformed");
        return NULL;
    }
    PQconninfoFree(parsed);
    struct store_site *site = mem_alloc(sizeof *site);
    site->url = mem_dup(where);
    return site;
}

static void pg_site_close(struct store_site *site)
{
    explicit_bzero(site->url, strlen(site->url));
    free(site->url);
    free(site);
}

/* ---- transactions -------------------------------------------------------------------------------
 */

static void pg_rollback(struct db *db)
{
    struct pg_db *o = own(db);
    /* If it fails the connection is broken, which the next begin mends. */
    if (!o->broken && PQtransactionStatus(o->h) != PQTRANS_IDLE)
        PQclear(PQexec(o->h, "ROLLBACK"));
}

/* LOCK takes no snapshot, unlike a query for an advisory lock, so whoever had to wait sees what the
 * one before left. Of all tables usher_schema is there before any other, and nothing vacuums it. */
static int pg_begin(struct db *db, bool write, struct err *err)
{
    struct pg_db *o = own(db);
    const char *sql = write ? "BEGIN ISOLATION LEVEL SERIALIZABLE READ WRITE; "
                              "LOCK TABLE usher_schema IN EXCLUSIVE MODE"
                            : "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
    int rc = -1;

    /* A connection may have died unnoticed since its last use: then once more on a new one. */
    for (int i = 0; i < 2 && rc < 0; i++) {
        err_clear(err);
        if (mend(o, err) < 0)
            break;
        rc = run(o, sql, err);
        if (rc < 0 && !o->broken)
            break;
    }
    if (rc < 0)
        pg_rollback(db); /* begun, but without the lock */
    o->retry = false;
    return rc;
}

static enum store_outcome pg_commit(struct db *db, struct err *err)
{
    struct pg_db *o = own(db);
    PGresult *r = PQexec(o->h, "COMMIT");
    const char *state = field(r, PG_DIAG_SQLSTATE);
    enum store_outcome outcome = STORE_DONE;

    if (PQresultStatus(r) != PGRES_COMMAND_OK) {
        complain(o, r, err);
        /* Connection failures, and what the server itself calls unknown. */
        bool unknown = o->broken || starts(state, "08") || strcmp(state, "40003") == 0;
        outcome = unknown ? STORE_UNKNOWN : STORE_FAILED;
    } else if (strcmp(PQcmdStatus(r), "COMMIT") != 0) {
        err_set(err, ERR_INTERNAL, "a failed transaction was to be committed");
        outcome = STORE_FAILED;
    }
    PQclear(r);
    return outcome;
}

static int pg_savepoint(struct db *db, struct err *err)
{
    return run(own(db), "SAVEPOINT w", err);
}

static int pg_release(struct db *db, struct err *err)
{
    return run(own(db), "RELEASE SAVEPOINT w", err);
}

static int pg_undo(struct db *db, struct err *err)
{
    return run(own(db), "ROLLBACK TO SAVEPOINT w; RELEASE SAVEPOINT w", err);
}

/* A transaction that a statement failed in can still go back to its savepoint. */
static bool pg_in_transaction(struct db *db)
{
    const struct pg_db *o = own(db);
    const PGTransactionStatusType status = PQtransactionStatus(o->h);
    return !o->broken && (status == PQTRANS_INTRANS || status == PQTRANS_INERROR);
}

static bool pg_worth_retrying(const struct db *db)
{
    return ((const struct pg_db *)db)->retry;
}

static int pg_exec(struct db *db, const char *sql, struct err *err)
{
    return run(own(db), sql, err);
}

static int pg_fence(struct db *db, bool up, struct err *err)
{
    return run(own(db),
               up ? "SELECT pg_advisory_lock(" FENCE "); "
                    "CREATE TABLE IF NOT EXISTS usher_schema (version BIGINT NOT NULL)"
                  : "SELECT pg_advisory_unlock(" FENCE ")",
               err);
}

static int pg_version(struct db *db, int64_t *version, struct err *err)
{
    struct pg_db *o = own(db);
    PGresult *r = PQexec(o->h, "SELECT coalesce(max(version), 0) FROM usher_schema");
    int rc = PQresultStatus(r) == PGRES_TUPLES_OK && PQntuples(r) == 1 ? 0 : complain(o, r, err);
    if (rc == 0 && !text_int(str_of(PQgetvalue(r, 0, 0)), version))
        rc = err_set(err, ERR_INTERNAL, "the schema's version is no number");
    PQclear(r);
    return rc;
}

static int pg_set_version(struct db *db, int64_t version, struct err *err)
{
    char sql[96];
    snprintf(sql, sizeof sql, "DELETE FROM usher_schema; INSERT INTO usher_schema VALUES (%lld)",
             (long long)version);
    return run(own(db), sql, err);
}

/* ---- statements ---------------------------------------------------------------------------------
 */

static int count_params(const char *sql)
{
    int most = 0;
    for (const char *p = sql; *p; p++) {
        int n = 0;
        if (*p != '$')
            continue;
        while (p[1] >= '0' && p[1] <= '9' && n < PARAMS_MAX)
            n = n * 10 + (*++p - '0');
        most = n > most ? n : most;
    }
    return most;
}

static struct db_stmt *pg_prepare(struct db *db, const char *sql, struct err *err)
{
    int n = count_params(sql);
    if (n > PARAMS_MAX) {
        err_set(err, ERR_INTERNAL, "a statement with more than %d parameters", PARAMS_MAX);
        return NULL;
    }
    struct pg_stmt *st = mem_alloc(sizeof *st);
    st->sql = mem_dup(sql);
    st->n = n;
    st->row = -1;
    snprintf(st->name, sizeof st->name, "u%u", ++own(db)->names);
    return &st->base;
}

static void pg_reset(struct db_stmt *base)
{
    struct pg_stmt *st = own_stmt(base);
    PQclear(st->result);
    st->result = NULL;
    st->row = -1;
    for (int i = 0; i < st->n; i++)
        st->values[i] = NULL;
}

static void pg_finalize(struct db_stmt *base)
{
    pg_reset(base);
    free(own_stmt(base)->sql);
    free(base);
}

static int bind(struct db_stmt *base, int i, const char *p, size_t n, int format)
{
    struct pg_stmt *st = own_stmt(base);
    if (i < 1 || i > st->n || n > INT32_MAX)
        return -1;
    st->values[i - 1] = p;
    st->lengths[i - 1] = (int)n;
    st->formats[i - 1] = format;
    return 0;
}

static int pg_bind_text(struct db_stmt *st, int i, struct str text)
{
    /* The length is known, so the binary form of text will do: the bytes, no NUL needed. */
    return bind(st, i, text.p, text.n, 1);
}

static int pg_bind_blob(struct db_stmt *st, int i, struct str bytes)
{
    return bind(st, i, bytes.p, bytes.n, 1);
}

static int pg_bind_int(struct db_stmt *base, int i, int64_t n)
{
    struct pg_stmt *st = own_stmt(base);
    if (i < 1 || i > st->n)
        return -1;
    int len = snprintf(st->numbers[i - 1], sizeof st->numbers[0], "%lld", (long long)n);
    return bind(base, i, st->numbers[i - 1], (size_t)len, 0);
}

static int execute(struct pg_db *o, struct pg_stmt *st, struct err *err)
{
    if (st->generation != o->generation) {
        PGresult *r = PQprepare(o->h, st->name, st->sql, 0, NULL);
        int rc = PQresultStatus(r) == PGRES_COMMAND_OK ? 0 : complain(o, r, err);
        PQclear(r);
        if (rc < 0)
            return -1;
        st->generation = o->generation;
    }
    st->result = PQexecPrepared(o->h, st->name, st->n, st->values, st->lengths, st->formats, 1);
    ExecStatusType status = PQresultStatus(st->result);
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
        return complain(o, st->result, err);
    int64_t n = 0;
    st->changes = text_int(str_of(PQcmdTuples(st->result)), &n) ? n : 0;
    return 0;
}

static int pg_step(struct db_stmt *base, struct err *err)
{
    struct pg_stmt *st = own_stmt(base);
    if (st->row < 0 && execute(own(base->db), st, err) < 0)
        return -1;
    if (++st->row < PQntuples(st->result))
        return 1;
    pg_reset(base);
    return 0;
}

static int64_t pg_changes(struct db_stmt *st)
{
    return own_stmt(st)->changes;
}

static struct str pg_col(struct db_stmt *base, int i)
{
    struct pg_stmt *st = own_stmt(base);
    return (struct str){PQgetvalue(st->result, st->row, i),
                        (size_t)PQgetlength(st->result, st->row, i)};
}

static int64_t pg_col_int(struct db_stmt *base, int i)
{
    struct str v = pg_col(base, i);
    uint64_t n = 0;
    for (size_t k = 0; k < v.n && k < 8; k++)
        n = n << 8 | (unsigned char)v.p[k];
    switch (PQftype(own_stmt(base)->result, i)) {
    case OID_INT8:
    case OID_BOOL:
        return (int64_t)n;
    case OID_INT4:
        return (int32_t)n;
    case OID_INT2:
        return (int16_t)n;
    default:
        return 0;
    }
}

static bool pg_col_null(struct db_stmt *base, int i)
{
    struct pg_stmt *st = own_stmt(base);
    return PQgetisnull(st->result, st->row, i) != 0;
}

static const struct query_word words[] = {
    {"TEXT", "TEXT"}, {"INT", "BIGINT"},         {"BLOB", "BYTEA"}, {"STRICT", ""},
    {"KEYED", ""},    {"JSON_LIST", "json_agg"}, {NULL, NULL},
};

const struct store_driver store_pgsql = {
    .name = "postgresql",
    .shared = true,
    .writers = 1,
    .readers = 2,
    .batch_max = 64,
    .words = words,
    .site_open = pg_site_open,
    .site_close = pg_site_close,
    .connect = pg_connect,
    .disconnect = pg_disconnect,
    .begin = pg_begin,
    .commit = pg_commit,
    .rollback = pg_rollback,
    .savepoint = pg_savepoint,
    .release = pg_release,
    .undo = pg_undo,
    .in_transaction = pg_in_transaction,
    .worth_retrying = pg_worth_retrying,
    .exec = pg_exec,
    .fence = pg_fence,
    .version = pg_version,
    .set_version = pg_set_version,
    .prepare = pg_prepare,
    .finalize = pg_finalize,
    .reset = pg_reset,
    .bind_text = pg_bind_text,
    .bind_blob = pg_bind_blob,
    .bind_int = pg_bind_int,
    .step = pg_step,
    .changes = pg_changes,
    .col_text = pg_col,
    .col_blob = pg_col,
    .col_int = pg_col_int,
    .col_null = pg_col_null,
};
