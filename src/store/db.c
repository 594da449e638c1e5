/* SPDX-License-Identifier: Apache-2.0 */
#include "store/db.h"

#include <stdlib.h>

#include "base/arena.h"
#include "store/driver.h"

static struct db_stmt **bucket(struct db *db, const void *key)
{
    uintptr_t n = (uintptr_t)key;
    return &db->cache[(n >> 3 ^ n >> 9) % DB_CACHE_BUCKETS];
}

/* A statement that cannot run but can say why. */
static struct db_stmt *hollow(struct db *db, const struct err *why)
{
    struct db_stmt *st = mem_alloc(sizeof *st);
    st->db = db;
    st->bad = *why;
    st->hollow = true;
    return st;
}

static struct db_stmt *prepare(struct db *db, struct str sql, const char *name)
{
    struct err err = ERR_INIT;
    struct db_stmt *st = NULL;
    char *text = NULL;

    if (!sql.p)
        err_set(&err, ERR_INTERNAL, "no query is named %s", name);
    else if ((text = query_expand(sql, db->driver->words, &err)))
        st = db->driver->prepare(db, text, &err);
    free(text);
    if (!st) {
        if (name)
            err_context(&err, "%s", name);
        st = hollow(db, &err);
    }
    st->db = db;
    return st;
}

static struct db_stmt *cached(struct db *db, const char *key, bool named)
{
    struct db_stmt **head = bucket(db, key);
    struct db_stmt *st = *head;
    while (st && st->key != key)
        st = st->next;

    if (st && st->hollow) { /* perhaps it works now: the connection was mended */
        struct db_stmt **at = head;
        while (*at != st)
            at = &(*at)->next;
        *at = st->next;
        free(st);
        st = NULL;
    }
    if (!st) {
        st = prepare(db, named ? query_find(key) : str_of(key), named ? key : NULL);
        st->key = key;
        st->next = *head;
        *head = st;
        return st;
    }
    err_clear(&st->bad);
    db->driver->reset(st);
    return st;
}

struct db_stmt *db_query(struct db *db, const char *sql)
{
    return cached(db, sql, false);
}

struct db_stmt *db_named(struct db *db, const char *name)
{
    return cached(db, name, true);
}

static void bound(struct db_stmt *st, int i, int rc)
{
    if (rc < 0)
        err_set(&st->bad, ERR_INTERNAL, "a statement has no parameter %d", i);
}

void db_str(struct db_stmt *st, int i, struct str text)
{
    if (st->hollow)
        return;
    if (text.p && !text_utf8(text)) {
        err_set(&st->bad, ERR_INVALID, "parameter %d is no UTF-8 or holds NUL", i);
        return;
    }
    bound(st, i, st->db->driver->bind_text(st, i, text));
}

void db_text(struct db_stmt *st, int i, const char *text)
{
    db_str(st, i, text ? str_of(text) : (struct str){NULL, 0});
}

void db_int(struct db_stmt *st, int i, int64_t n)
{
    if (!st->hollow)
        bound(st, i, st->db->driver->bind_int(st, i, n));
}

void db_blob(struct db_stmt *st, int i, const void *p, size_t n)
{
    if (!st->hollow)
        bound(st, i, st->db->driver->bind_blob(st, i, (struct str){p ? p : "", n}));
}

int db_step(struct db_stmt *st, struct err *err)
{
    struct err why = ERR_INIT;
    int rc = -1;

    if (st->bad.kind != ERR_NONE)
        why = st->bad;
    else
        rc = st->db->driver->step(st, &why);
    if (rc >= 0)
        return rc;
    if (st->db->fault.kind == ERR_NONE)
        st->db->fault = why;
    if (err && err->kind == ERR_NONE)
        *err = why;
    db_end(st);
    return -1;
}

void db_end(struct db_stmt *st)
{
    if (!st->hollow)
        st->db->driver->reset(st);
}

int64_t db_run(struct db_stmt *st, struct err *err)
{
    int rc;
    while ((rc = db_step(st, err)) > 0)
        ;
    return rc < 0 ? -1 : st->db->driver->changes(st);
}

const char *db_col_text(struct db_stmt *st, int i)
{
    return st->db->driver->col_null(st, i) ? NULL : st->db->driver->col_text(st, i).p;
}

int64_t db_col_int(struct db_stmt *st, int i)
{
    return st->db->driver->col_int(st, i);
}

struct str db_col_blob(struct db_stmt *st, int i)
{
    return st->db->driver->col_blob(st, i);
}

bool db_col_null(struct db_stmt *st, int i)
{
    return st->db->driver->col_null(st, i);
}

void db_forget_statements(struct db *db)
{
    for (size_t b = 0; b < DB_CACHE_BUCKETS; b++) {
        while (db->cache[b]) {
            struct db_stmt *st = db->cache[b];
            db->cache[b] = st->next;
            if (st->hollow)
                free(st);
            else
                db->driver->finalize(st);
        }
    }
}

void db_forget_fault(struct db *db)
{
    err_clear(&db->fault);
}
