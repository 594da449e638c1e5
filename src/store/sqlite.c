/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The SQLite driver: the only file that knows sqlite3.h. Write-ahead log, every commit synced
 * (synchronous=FULL), checkpoints left to store/keeper.h. The schema in the file is not trusted:
 * no triggers, views, extensions or functions of its own, and a database that holds any is refused.
 */
#include <sqlite3.h>
#include <stdlib.h>

#include "base/arena.h"
#include "store/dbfile.h"
#include "store/driver.h"

#define APPLICATION_ID 0x75736872 /* "ushr" */
#define BUSY_MS 5000              /* how long another process may hold the lock */
#define CHECK_WHOLE_MAX (4 << 20) /* bytes of a database that is checked whole at start */

struct store_site {
    struct dbfile file;
};

struct sqlite_db {
    struct db base;
    sqlite3 *h;
    sqlite3_stmt *begin_write, *begin_read, *commit, *rollback, *savepoint, *release, *undo;
    int64_t log_pages;
};

struct sqlite_stmt {
    struct db_stmt base;
    sqlite3_stmt *h;
    int64_t changes;
};

static struct sqlite_db *own(struct db *db)
{
    return (struct sqlite_db *)db;
}

static struct sqlite_stmt *own_stmt(struct db_stmt *st)
{
    return (struct sqlite_stmt *)st;
}

/* ---- errors -------------------------------------------------------------------------------------
 */

static int complain(sqlite3 *h, int rc, struct err *err)
{
    int code = rc & 0xff;
    if (code == SQLITE_BUSY || code == SQLITE_LOCKED)
        return err_set(err, ERR_LIMITED, "the database is locked by another process");
    if (code == SQLITE_FULL)
        return err_set(err, ERR_INTERNAL, "no room left for the database");
    if (code == SQLITE_CORRUPT || code == SQLITE_NOTADB)
        return err_set(err, ERR_INTERNAL, "the database is damaged (code %d): restore a backup",
                       rc);
    /* SQLite's own texts name tables and columns, not values. */
    return err_set(err, ERR_INTERNAL, "database: %s (code %d)",
                   h ? sqlite3_errmsg(h) : sqlite3_errstr(rc), rc);
}

/* ---- connections --------------------------------------------------------------------------------
 */

static int harden(sqlite3 *h, struct err *err)
{
    static const struct {
        int option, value;
    } config[] = {
        {SQLITE_DBCONFIG_DEFENSIVE, 1},      {SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0},
        {SQLITE_DBCONFIG_ENABLE_TRIGGER, 0}, {SQLITE_DBCONFIG_ENABLE_VIEW, 0},
        {SQLITE_DBCONFIG_ENABLE_FKEY, 1},    {SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0},
        {SQLITE_DBCONFIG_DQS_DML, 0},        {SQLITE_DBCONFIG_DQS_DDL, 0},
    };
    static const struct {
        int what, most;
    } limits[] = {
        {SQLITE_LIMIT_LENGTH, 1 << 20},     {SQLITE_LIMIT_SQL_LENGTH, 64 << 10},
        {SQLITE_LIMIT_COLUMN, 64},          {SQLITE_LIMIT_EXPR_DEPTH, 32},
        {SQLITE_LIMIT_COMPOUND_SELECT, 8},  {SQLITE_LIMIT_VDBE_OP, 25000},
        {SQLITE_LIMIT_FUNCTION_ARG, 16},    {SQLITE_LIMIT_ATTACHED, 0},
        {SQLITE_LIMIT_VARIABLE_NUMBER, 64}, {SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 256},
        {SQLITE_LIMIT_TRIGGER_DEPTH, 8},    {SQLITE_LIMIT_WORKER_THREADS, 0},
    };
    for (size_t i = 0; i < sizeof config / sizeof *config; i++) {
        int rc = sqlite3_db_config(h, config[i].option, config[i].value, NULL);
        if (rc != SQLITE_OK)
            return complain(h, rc, err);
    }
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++)
        sqlite3_limit(h, limits[i].what, limits[i].most);
    return 0;
}

static int run(sqlite3 *h, const char *sql, struct err *err)
{
    int rc = sqlite3_exec(h, sql, NULL, NULL, NULL);
    return rc == SQLITE_OK ? 0 : complain(h, rc, err);
}

/* The first column of the first row; "" for none. */
static int ask(sqlite3 *h, const char *sql, char *out, size_t room, struct err *err)
{
    sqlite3_stmt *st = NULL;
    int rc = sqlite3_prepare_v2(h, sql, -1, &st, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_step(st);
    const unsigned char *text = rc == SQLITE_ROW ? sqlite3_column_text(st, 0) : NULL;
    sqlite3_snprintf((int)room, out, "%s", text ? (const char *)text : "");
    int bad = rc == SQLITE_ROW || rc == SQLITE_DONE || rc == SQLITE_OK ? 0 : complain(h, rc, err);
    sqlite3_finalize(st);
    return bad;
}

static int log_grew(void *arg, sqlite3 *h, const char *name, int pages)
{
    (void)h;
    (void)name;
    ((struct sqlite_db *)arg)->log_pages = pages;
    return SQLITE_OK;
}

static void sqlite_disconnect(struct db *db)
{
    struct sqlite_db *o = own(db);
    sqlite3_stmt *const all[] = {o->begin_write, o->begin_read, o->commit, o->rollback,
                                 o->savepoint,   o->release,    o->undo};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        sqlite3_finalize(all[i]);
    sqlite3_close(o->h);
    free(o);
}

static int prepare_own(struct sqlite_db *o, struct err *err)
{
    const struct {
        sqlite3_stmt **st;
        const char *sql;
    } all[] = {
        {&o->begin_write, "BEGIN IMMEDIATE"},
        {&o->begin_read, "BEGIN"},
        {&o->commit, "COMMIT"},
        {&o->rollback, "ROLLBACK"},
        {&o->savepoint, "SAVEPOINT w"},
        {&o->release, "RELEASE w"},
        {&o->undo, "ROLLBACK TO w"},
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        int rc =
            sqlite3_prepare_v3(o->h, all[i].sql, -1, SQLITE_PREPARE_PERSISTENT, all[i].st, NULL);
        if (rc != SQLITE_OK)
            return complain(o->h, rc, err);
    }
    return 0;
}

static struct sqlite_db *open_at(const char *path, struct err *err)
{
    struct sqlite_db *o = mem_alloc(sizeof *o);
    o->base.driver = &store_sqlite;
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE |
                SQLITE_OPEN_NOFOLLOW | SQLITE_OPEN_EXRESCODE;
    int rc = sqlite3_open_v2(path, &o->h, flags, NULL);
    if (rc != SQLITE_OK)
        complain(o->h, rc, err);
    else if (harden(o->h, err) == 0 && sqlite3_busy_timeout(o->h, BUSY_MS) == SQLITE_OK &&
             run(o->h,
                 "PRAGMA foreign_keys=ON; PRAGMA mmap_size=0; PRAGMA secure_delete=ON; "
                 "PRAGMA cell_size_check=ON; PRAGMA temp_store=MEMORY",
                 err) == 0 &&
             prepare_own(o, err) == 0)
        return o;
    sqlite_disconnect(&o->base);
    return NULL;
}

static struct db *sqlite_connect(struct store_site *site, enum store_role role, struct err *err)
{
    struct sqlite_db *o = open_at(site->file.path, err);
    char mode[16];
    if (!o)
        return NULL;
    if (ask(o->h, "PRAGMA journal_mode=WAL", mode, sizeof mode, err) < 0)
        goto bad;
    if (strcmp(mode, "wal") != 0) {
        err_set(err, ERR_MISCONFIGURED, "%s cannot have a write-ahead log here", site->file.path);
        goto bad;
    }
    if (run(o->h,
            "PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=0; PRAGMA "
            "journal_size_limit=16777216",
            err) < 0)
        goto bad;
    if (role == STORE_READER && run(o->h, "PRAGMA query_only=ON", err) < 0)
        goto bad;
    if (role == STORE_WRITER)
        sqlite3_wal_hook(o->h, log_grew, o);
    if (dbfile_same(&site->file, err) < 0)
        goto bad;
    return &o->base;
bad:
    sqlite_disconnect(&o->base);
    return NULL;
}

/* ---- the file as a whole ------------------------------------------------------------------------
 */

/* Built beside its name without any care for crashes, then synced and renamed. */
static int build(struct store_site *site, struct err *err)
{
    if (dbfile_begin(&site->file, err) < 0)
        return -1;
    struct sqlite_db *o = open_at(site->file.new_path, err);
    if (!o)
        return -1;
    int rc = run(o->h, "PRAGMA journal_mode=MEMORY; PRAGMA synchronous=OFF", err);
    if (rc == 0)
        rc = migrate_run(&o->base, err);
    db_forget_statements(&o->base);
    sqlite_disconnect(&o->base);
    return rc < 0 ? -1 : dbfile_adopt(&site->file, err);
}

/* Ours, of an age we know, and whole as far as that can be told quickly. */
static int check(struct store_site *site, struct err *err)
{
    const char *path = site->file.path;
    char text[64];
    int rc = -1;
    struct sqlite_db *o = open_at(path, err);
    if (!o)
        return -1;

    if (ask(o->h, "PRAGMA application_id", text, sizeof text, err) < 0)
        goto out;
    if (strtol(text, NULL, 10) != APPLICATION_ID) {
        err_set(err, ERR_MISCONFIGURED, "%s is no usher database", path);
        goto out;
    }
    if (ask(o->h, "SELECT count(*) FROM sqlite_schema WHERE type IN ('trigger', 'view')", text,
            sizeof text, err) < 0)
        goto out;
    if (strcmp(text, "0") != 0) {
        err_set(err, ERR_MISCONFIGURED, "%s holds triggers or views, which usher never makes",
                path);
        goto out;
    }
    if (site->file.size <= CHECK_WHOLE_MAX) {
        if (ask(o->h, "PRAGMA quick_check(1)", text, sizeof text, err) < 0)
            goto out;
        if (strcmp(text, "ok") != 0) {
            err_set(err, ERR_MISCONFIGURED, "%s is damaged: restore a backup", path);
            goto out;
        }
    }
    rc = 0;
out:
    if (rc < 0)
        err_context(err, "%s", path);
    sqlite_disconnect(&o->base);
    return rc;
}

static void sqlite_site_close(struct store_site *site)
{
    dbfile_close(&site->file);
    free(site);
}

static struct store_site *sqlite_site_open(const char *where, struct err *err)
{
    /* Statistics take a lock that every allocation of every thread would queue for. Too late, and
     * so refused, only when SQLite runs already: then it is merely slower. */
    (void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);

    struct store_site *site = mem_alloc(sizeof *site);
    if (dbfile_open(&site->file, where, err) < 0) {
        free(site);
        return NULL;
    }
    if ((site->file.fresh ? build(site, err) : check(site, err)) == 0)
        return site;
    sqlite_site_close(site);
    return NULL;
}

static int sqlite_exec(struct db *db, const char *sql, struct err *err)
{
    return run(own(db)->h, sql, err);
}

static int sqlite_version(struct db *db, int64_t *version, struct err *err)
{
    char text[32];
    if (ask(own(db)->h, "PRAGMA user_version", text, sizeof text, err) < 0)
        return -1;
    *version = strtoll(text, NULL, 10);
    return 0;
}

static int sqlite_set_version(struct db *db, int64_t version, struct err *err)
{
    char sql[96];
    sqlite3_snprintf(sizeof sql, sql, "PRAGMA application_id=%d; PRAGMA user_version=%lld",
                     APPLICATION_ID, (long long)version);
    return run(own(db)->h, sql, err);
}

/* ---- transactions -------------------------------------------------------------------------------
 */

static int once(sqlite3_stmt *st)
{
    sqlite3_step(st);
    return sqlite3_reset(st);
}

static int control(struct db *db, sqlite3_stmt *st, struct err *err)
{
    int rc = once(st);
    return rc == SQLITE_OK ? 0 : complain(own(db)->h, rc, err);
}

static int sqlite_begin(struct db *db, bool write, struct err *err)
{
    return control(db, write ? own(db)->begin_write : own(db)->begin_read, err);
}

static enum store_outcome sqlite_commit(struct db *db, struct err *err)
{
    int rc = once(own(db)->commit);
    if (rc == SQLITE_OK)
        return STORE_DONE;
    complain(own(db)->h, rc, err);
    /* The commit may have reached the log all the same (say, a failed fsync), and a restart may
     * find it there. */
    return (rc & 0xff) == SQLITE_IOERR ? STORE_UNKNOWN : STORE_FAILED;
}

static bool sqlite_in_transaction(struct db *db)
{
    return !sqlite3_get_autocommit(own(db)->h);
}

static void sqlite_rollback(struct db *db)
{
    /* An error of ROLLBACK cannot be acted on; begin will fail and say so. */
    if (sqlite_in_transaction(db))
        (void)once(own(db)->rollback);
}

static int sqlite_savepoint(struct db *db, struct err *err)
{
    return control(db, own(db)->savepoint, err);
}

static int sqlite_release(struct db *db, struct err *err)
{
    return control(db, own(db)->release, err);
}

static int sqlite_undo(struct db *db, struct err *err)
{
    return control(db, own(db)->undo, err) < 0 ? -1 : sqlite_release(db, err);
}

static bool sqlite_worth_retrying(const struct db *db)
{
    (void)db;
    return false; /* BEGIN IMMEDIATE has waited already */
}

static int64_t sqlite_log_pages(struct db *db)
{
    return own(db)->log_pages;
}

static int sqlite_checkpoint(struct db *db, struct err *err)
{
    int rc = sqlite3_wal_checkpoint_v2(own(db)->h, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
    return rc == SQLITE_OK ? 0 : complain(own(db)->h, rc, err);
}

/* ---- statements ---------------------------------------------------------------------------------
 */

static struct db_stmt *sqlite_prepare(struct db *db, const char *sql, struct err *err)
{
    /* $1 is a name to SQLite, numbered by appearance; ?1 is what we mean. */
    char *text = mem_dup(sql);
    for (char *p = text; *p; p++)
        if (p[0] == '$' && p[1] >= '1' && p[1] <= '9')
            *p = '?';
    sqlite3_stmt *h = NULL;
    int rc = sqlite3_prepare_v3(own(db)->h, text, -1, SQLITE_PREPARE_PERSISTENT, &h, NULL);
    free(text);
    if (rc != SQLITE_OK || !h) {
        complain(own(db)->h, rc, err);
        return NULL;
    }
    struct sqlite_stmt *o = mem_alloc(sizeof *o);
    o->h = h;
    return &o->base;
}

static void sqlite_finalize(struct db_stmt *st)
{
    sqlite3_finalize(own_stmt(st)->h);
    free(st);
}

static void sqlite_reset(struct db_stmt *st)
{
    sqlite3_reset(own_stmt(st)->h);
    sqlite3_clear_bindings(own_stmt(st)->h);
}

static int sqlite_bind_text(struct db_stmt *st, int i, struct str text)
{
    sqlite3_stmt *h = own_stmt(st)->h;
    int rc = text.p ? sqlite3_bind_text64(h, i, text.p, text.n, SQLITE_STATIC, SQLITE_UTF8)
                    : sqlite3_bind_null(h, i);
    return rc == SQLITE_OK ? 0 : -1;
}

static int sqlite_bind_blob(struct db_stmt *st, int i, struct str bytes)
{
    return sqlite3_bind_blob64(own_stmt(st)->h, i, bytes.p, bytes.n, SQLITE_STATIC) == SQLITE_OK
               ? 0
               : -1;
}

static int sqlite_bind_int(struct db_stmt *st, int i, int64_t n)
{
    return sqlite3_bind_int64(own_stmt(st)->h, i, n) == SQLITE_OK ? 0 : -1;
}

static int sqlite_step_stmt(struct db_stmt *st, struct err *err)
{
    struct sqlite_stmt *o = own_stmt(st);
    sqlite3 *h = sqlite3_db_handle(o->h);
    int rc = sqlite3_step(o->h);
    if (rc == SQLITE_ROW)
        return 1;
    if (rc != SQLITE_DONE)
        return complain(h, rc, err);
    o->changes = sqlite3_changes64(h);
    sqlite3_reset(o->h);
    return 0;
}

static int64_t sqlite_changes(struct db_stmt *st)
{
    return own_stmt(st)->changes;
}

static struct str sqlite_col_text(struct db_stmt *st, int i)
{
    sqlite3_stmt *h = own_stmt(st)->h;
    const char *p = (const char *)sqlite3_column_text(h, i);
    return (struct str){p ? p : "", p ? (size_t)sqlite3_column_bytes(h, i) : 0};
}

static struct str sqlite_col_blob(struct db_stmt *st, int i)
{
    sqlite3_stmt *h = own_stmt(st)->h;
    const char *p = sqlite3_column_blob(h, i);
    return (struct str){p ? p : "", p ? (size_t)sqlite3_column_bytes(h, i) : 0};
}

static int64_t sqlite_col_int(struct db_stmt *st, int i)
{
    return sqlite3_column_int64(own_stmt(st)->h, i);
}

static bool sqlite_col_null(struct db_stmt *st, int i)
{
    return sqlite3_column_type(own_stmt(st)->h, i) == SQLITE_NULL;
}

static const struct query_word words[] = {
    {"TEXT", "TEXT"},
    {"INT", "INTEGER"},
    {"BLOB", "BLOB"},
    {"STRICT", "STRICT"},
    {"KEYED", "STRICT, WITHOUT ROWID"},
    {"JSON_LIST", "json_group_array"},
    {NULL, NULL},
};

const struct store_driver store_sqlite = {
    .name = "sqlite",
    .shared = false,
    .writers = 1,
    .readers = 1,
    .batch_max = 128,
    .words = words,
    .site_open = sqlite_site_open,
    .site_close = sqlite_site_close,
    .connect = sqlite_connect,
    .disconnect = sqlite_disconnect,
    .begin = sqlite_begin,
    .commit = sqlite_commit,
    .rollback = sqlite_rollback,
    .savepoint = sqlite_savepoint,
    .release = sqlite_release,
    .undo = sqlite_undo,
    .in_transaction = sqlite_in_transaction,
    .worth_retrying = sqlite_worth_retrying,
    .exec = sqlite_exec,
    .version = sqlite_version,
    .set_version = sqlite_set_version,
    .prepare = sqlite_prepare,
    .finalize = sqlite_finalize,
    .reset = sqlite_reset,
    .bind_text = sqlite_bind_text,
    .bind_blob = sqlite_bind_blob,
    .bind_int = sqlite_bind_int,
    .step = sqlite_step_stmt,
    .changes = sqlite_changes,
    .col_text = sqlite_col_text,
    .col_blob = sqlite_col_blob,
    .col_int = sqlite_col_int,
    .col_null = sqlite_col_null,
    .log_pages = sqlite_log_pages,
    .checkpoint = sqlite_checkpoint,
};
