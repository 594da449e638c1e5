/* SPDX-License-Identifier: Apache-2.0 */
#include "store/session_row.h"

#define PAGE 500 /* rows held at once by a driver that cannot stream */

int session_row_add(struct db *db, const struct session_row *row, struct err *err)
{
    struct db_stmt *st = db_named(db, "session_row.add");
    db_blob(st, 1, row->hash, sizeof row->hash);
    db_text(st, 2, row->id);
    db_text(st, 3, row->account);
    db_text(st, 4, row->provider);
    db_text(st, 5, row->subject);
    db_text(st, 6, row->username);
    db_text(st, 7, row->name);
    db_text(st, 8, row->email);
    db_int(st, 9, row->email_evidence);
    db_text(st, 10, row->picture);
    db_text(st, 11, row->groups);
    db_text(st, 12, row->amr);
    db_text(st, 13, row->ip);
    db_text(st, 14, row->user_agent);
    db_int(st, 15, row->created);
    db_int(st, 16, row->seen);
    db_int(st, 17, row->ends);
    return db_run(st, err) < 0 ? -1 : 0;
}

int session_row_end(struct db *db, const unsigned char hash[32], struct err *err)
{
    struct db_stmt *st = db_named(db, "session_row.end");
    db_blob(st, 1, hash, 32);
    int64_t n = db_run(st, err);
    return n < 0 ? -1 : n > 0;
}

int session_row_touch(struct db *db, const unsigned char hash[32], int64_t seen, struct err *err)
{
    struct db_stmt *st = db_named(db, "session_row.touch");
    db_blob(st, 1, hash, 32);
    db_int(st, 2, seen);
    return db_run(st, err) < 0 ? -1 : 0;
}

int64_t session_row_sweep(struct db *db, unsigned char slice, int64_t now, int64_t idle_before,
                          int64_t max, struct err *err)
{
    unsigned char from[32], to[32];
    memset(from, 0x00, sizeof from);
    memset(to, 0xff, sizeof to);
    from[0] = to[0] = slice;
    struct db_stmt *st = db_named(db, "session_row.sweep");
    db_blob(st, 1, from, sizeof from);
    db_blob(st, 2, to, sizeof to);
    db_int(st, 3, now);
    db_int(st, 4, idle_before);
    db_int(st, 5, max);
    return db_run(st, err);
}

/* The strings stay the statement's. */
static int read_row(struct db_stmt *st, struct session_row *row, struct err *err)
{
    struct str hash = db_col_blob(st, 0);
    if (hash.n != sizeof row->hash)
        return err_set(err, ERR_INTERNAL, "a stored session's hash is not 32 bytes long");
    memcpy(row->hash, hash.p, sizeof row->hash);
    row->id = db_col_text(st, 1);
    row->account = db_col_text(st, 2);
    row->provider = db_col_text(st, 3);
    row->subject = db_col_text(st, 4);
    row->username = db_col_text(st, 5);
    row->name = db_col_text(st, 6);
    row->email = db_col_text(st, 7);
    row->email_evidence = (int)db_col_int(st, 8);
    row->picture = db_col_text(st, 9);
    row->groups = db_col_text(st, 10);
    row->amr = db_col_text(st, 11);
    row->ip = db_col_text(st, 12);
    row->user_agent = db_col_text(st, 13);
    row->created = db_col_int(st, 14);
    row->seen = db_col_int(st, 15);
    row->ends = db_col_int(st, 16);
    return 0;
}

int session_row_each(struct db *db, int64_t now, int64_t idle_before,
                     int (*each)(void *arg, const struct session_row *row, struct err *err),
                     void *arg, struct err *err)
{
    struct session_row row = {.ends = 0};
    size_t from = 0; /* how much of `row.hash` bounds the page: nothing, then all of it */

    for (int64_t n = PAGE; n == PAGE; from = sizeof row.hash) {
        unsigned char last[sizeof row.hash];
        memcpy(last, row.hash, sizeof last);
        struct db_stmt *st = db_named(db, "session_row.page");
        db_blob(st, 1, last, from);
        db_int(st, 2, now);
        db_int(st, 3, idle_before);
        db_int(st, 4, PAGE);
        int rc;
        for (n = 0; (rc = db_step(st, err)) == 1; n++) {
            if (read_row(st, &row, err) < 0 || each(arg, &row, err) < 0) {
                db_end(st);
                return -1;
            }
        }
        if (rc < 0)
            return -1;
    }
    return 0;
}

static const char *keep(struct arena *a, const char *text)
{
    return text ? arena_dup(a, text) : NULL;
}

int session_row_get(struct db *db, const unsigned char hash[32], struct arena *a,
                    struct session_row *out, struct err *err)
{
    struct db_stmt *st = db_named(db, "session_row.get");
    db_blob(st, 1, hash, 32);
    int rc = db_step(st, err);
    if (rc != 1)
        return rc;
    if (read_row(st, out, err) < 0) {
        db_end(st);
        return -1;
    }
    const char **texts[] = {&out->id,       &out->account, &out->provider, &out->subject,
                            &out->username, &out->name,    &out->email,    &out->picture,
                            &out->groups,   &out->amr,     &out->ip,       &out->user_agent};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        *texts[i] = keep(a, *texts[i]);
    db_end(st);
    return 1;
}
