/* SPDX-License-Identifier: Apache-2.0 */
#include "store/audit_chain.h"

#include <stdlib.h>

#include "base/arena.h"
#include "store/audit_parts.h"
#include "sys/seal.h"

#define WORD "usher audit 1" /* with its NUL; another one if the order of columns ever changes */
#define USUAL 1024           /* bytes of a row that need no memory of their own */
#define ABSENT UINT32_MAX

/* ---- the hash --------------------------------------------------------------------------------
 */

static unsigned char *put(unsigned char *p, const void *bytes, size_t n)
{
    memcpy(p, bytes, n);
    return p + n;
}

static unsigned char *put_number(unsigned char *p, uint64_t n, int bytes)
{
    while (bytes-- > 0)
        *p++ = (unsigned char)(n >> 8 * bytes);
    return p;
}

void audit_hash(const unsigned char before[32], const struct audit_row *row, unsigned char out[32])
{
    const char *const texts[] = {AUDIT_TEXTS(row)};
    const size_t count = sizeof texts / sizeof *texts;
    size_t lengths[sizeof texts / sizeof *texts], size = sizeof WORD + 32 + 16;
    for (size_t i = 0; i < count; i++) {
        lengths[i] = texts[i] ? strlen(texts[i]) : 0;
        size += 4 + lengths[i];
    }
    unsigned char usual[USUAL], *own = size > sizeof usual ? mem_alloc(size) : NULL;
    unsigned char *start = own ? own : usual, *p = start;

    p = put(p, WORD, sizeof WORD);
    p = put(p, before, 32);
    p = put_number(p, (uint64_t)row->n, 8);
    p = put_number(p, (uint64_t)row->at, 8);
    for (size_t i = 0; i < count; i++) {
        p = put_number(p, texts[i] ? lengths[i] : ABSENT, 4);
        p = put(p, texts[i] ? texts[i] : "", lengths[i]);
    }
    seal_sha256((struct str){(const char *)start, (size_t)(p - start)}, out);
    free(own);
}

/* ---- its two ends ----------------------------------------------------------------------------
 */

/* 1 and number and hash; 0: no row. A hash that is absent or spoilt is zero: a walk shows that, and
 * nobody is kept out by it. */
static int number_and_hash(struct db_stmt *st, struct audit_head *out, struct err *err)
{
    memset(out, 0, sizeof *out);
    int rc = db_step(st, err);
    if (rc != 1)
        return rc;
    out->n = db_col_int(st, 0);
    if (!db_col_null(st, 1)) {
        struct str hash = db_col_blob(st, 1);
        if (hash.n == sizeof out->hash)
            memcpy(out->hash, hash.p, hash.n);
    }
    db_end(st);
    return 1;
}

static int anchor_get(struct db *db, struct audit_head *out, struct err *err)
{
    return number_and_hash(db_named(db, "audit.anchor"), out, err);
}

int audit_head_get(struct db *db, struct audit_head *out, struct err *err)
{
    int rc = number_and_hash(db_named(db, "audit.newest"), out, err);
    return rc == 0 ? anchor_get(db, out, err) : rc;
}

/* ---- the walk --------------------------------------------------------------------------------
 */

static bool zero(const unsigned char hash[32])
{
    static const unsigned char none[32];
    return memcmp(hash, none, sizeof none) == 0;
}

static int broken(struct audit_walk *w, int64_t n, const char *what)
{
    w->bad = n;
    w->what = what;
    return 0;
}

/* Whether the last number and hash contradict what somebody wrote down. */
static int compare_known(struct audit_walk *w)
{
    if (w->known.n == 0 || w->last.n != w->known.n)
        return 1;
    w->known_met = memcmp(w->last.hash, w->known.hash, sizeof w->known.hash) == 0;
    return w->known_met ? 1 : broken(w, w->last.n, "its hash is not the one that was written down");
}

/* Rows may have been let go since the walk came by, and the anchor says so. 1: `found` follows it;
 * 0: not. */
static int follows_anchor(struct db *db, struct audit_walk *w, int64_t found, struct err *err)
{
    struct audit_head anchor;
    int rc = anchor_get(db, &anchor, err);
    if (rc < 0)
        return -1;
    if (rc == 0 || anchor.n <= w->last.n || anchor.n + 1 != found)
        return 0;
    w->last = anchor;
    return 1;
}

/* 1: good; 0: the chain breaks here. */
static int judge(struct audit_walk *w, const struct audit_row *row)
{
    unsigned char hash[32];
    if (row->n != w->last.n + 1)
        return broken(w, w->last.n + 1, "it is missing");
    w->rows++;
    if (w->first == 0)
        w->first = row->n;
    w->last.n = row->n;
    if (!row->chained) {
        if (!zero(w->last.hash))
            return broken(w, row->n, "it has no hash, though the row before it has one");
        w->older++;
        return compare_known(w);
    }
    audit_hash(w->last.hash, row, hash);
    if (memcmp(hash, row->hash, sizeof hash) != 0)
        return broken(w, row->n, "its hash fits neither what it says nor the row before it");
    memcpy(w->last.hash, hash, sizeof hash);
    return compare_known(w);
}

static int begin(struct db *db, struct audit_walk *w, struct err *err)
{
    w->begun = true;
    if (anchor_get(db, &w->last, err) < 0)
        return -1;
    return compare_known(w);
}

static int end(struct audit_walk *w)
{
    if (w->rows == 0 && w->last.n > 0) /* the newest row is never let go */
        return broken(w, w->last.n + 1, "every row is missing");
    if (w->known.n > w->last.n)
        return broken(w, w->last.n + 1, "it is missing, as is all up to the number written down");
    return 0;
}

int audit_walk_step(struct db *db, struct audit_walk *w, int64_t max, struct err *err)
{
    struct audit_row row;
    int64_t n = 0;
    int rc = w->begun ? 1 : begin(db, w, err);
    if (rc <= 0)
        return rc;
    /* From nothing on, not from the anchor on: rows it says went must not be there. */
    const int64_t from = w->rows == 0 ? 0 : w->last.n;
    struct db_stmt *st = db_named(db, "audit.walk");
    db_int(st, 1, from);
    db_int(st, 2, max);
    while ((rc = db_step(st, err)) == 1) {
        audit_read_row(st, &row);
        if (n++ == 0 && w->rows > 0 && row.n > w->last.n + 1 &&
            (rc = follows_anchor(db, w, row.n, err)) < 0)
            break;
        if (judge(w, &row) == 0) {
            db_end(st);
            return 0;
        }
    }
    if (rc < 0)
        return -1;
    return n == max ? 1 : end(w);
}

/* ---- letting go ------------------------------------------------------------------------------
 */

static int move_anchor(struct db *db, const struct audit_head *to, int64_t now, struct err *err)
{
    if (db_run(db_named(db, "audit.unanchor"), err) < 0)
        return -1;
    struct db_stmt *st = db_named(db, "audit.moor");
    db_int(st, 1, to->n);
    db_blob(st, 2, to->hash, sizeof to->hash);
    db_int(st, 3, now);
    return db_run(st, err) < 0 ? -1 : 0;
}

/* The last one of those that may go; n 0: none. A row may go once a later one was seen. */
static int find_last(struct db *db, int64_t before, int64_t max, struct audit_head *out,
                     struct err *err)
{
    struct audit_head old = {.n = 0};
    int rc;
    memset(out, 0, sizeof *out);
    struct db_stmt *st = db_named(db, "audit.oldest");
    db_int(st, 1, max + 1);
    while ((rc = db_step(st, err)) == 1) {
        *out = old;
        if (db_col_int(st, 1) >= before)
            break;
        old.n = db_col_int(st, 0);
        struct str hash = db_col_null(st, 2) ? (struct str){NULL, 0} : db_col_blob(st, 2);
        memset(old.hash, 0, sizeof old.hash);
        if (hash.n == sizeof old.hash)
            memcpy(old.hash, hash.p, hash.n);
    }
    if (rc == 1)
        db_end(st);
    return rc < 0 ? -1 : 0;
}

int64_t audit_trim(struct db *db, int64_t before, int64_t now, int64_t max, struct err *err)
{
    struct audit_head last;
    if (find_last(db, before, max, &last, err) < 0)
        return -1;
    if (last.n == 0)
        return 0;
    struct db_stmt *st = db_named(db, "audit.trim");
    db_int(st, 1, last.n);
    const int64_t gone = db_run(st, err);
    return gone < 0 || move_anchor(db, &last, now, err) < 0 ? -1 : gone;
}
